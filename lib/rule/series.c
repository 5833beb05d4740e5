/* rule/series.c - see series.h. */
#include "rule/series.h"

#include "base/when.h"

#define SERIES_DAY_MS INT64_C(86400000)

enum {
	SERIES_LONGEST_DAYS = 1820, /* of one request, less than Graph's 1825 */
	SERIES_LENGTH_DAYS = 31, /* of an occurrence, as far as looked back */
	SERIES_MARGIN_DAYS = 1 /* UTC's days against the agent's */
};

/* Where the windows end, in days after now or after the first occurrence. */
static const int series_reach_days[] = {35, 400, 400 + SERIES_LONGEST_DAYS};

static int64_t
series_begin_ms(const struct event *master, int64_t now_ms)
{
	int64_t length_ms = master->end_ms - master->start_ms;

	if (length_ms < 0)
		length_ms = 0;
	if (length_ms > SERIES_LENGTH_DAYS * SERIES_DAY_MS)
		length_ms = SERIES_LENGTH_DAYS * SERIES_DAY_MS;
	return now_ms - length_ms - SERIES_MARGIN_DAYS * SERIES_DAY_MS;
}

bool
series_window(const struct event *master, int n, int64_t now_ms,
    struct series_window *out)
{
	const int count =
	    (int)(sizeof(series_reach_days) / sizeof(series_reach_days[0]));
	int64_t base_ms = master->start_ms > now_ms ? master->start_ms : now_ms;
	int64_t shortest_ms;

	if (n < 0 || n >= count)
		return false;
	out->to_ms = base_ms + series_reach_days[n] * SERIES_DAY_MS;
	if (n > 0)
		out->from_ms =
		    base_ms + series_reach_days[n - 1] * SERIES_DAY_MS;
	else
		out->from_ms = series_begin_ms(master, now_ms);
	shortest_ms = out->to_ms - SERIES_LONGEST_DAYS * SERIES_DAY_MS;
	if (out->from_ms < shortest_ms)
		out->from_ms = shortest_ms;
	/* The last window is for series that go on for long; an occurrence
	 * that was moved is hardly moved by more than a year. */
	return n + 1 < count || master->series_end_ms > out->from_ms;
}

/* Its start and end as instants. */
static void
series_times(const struct event *occurrence, const struct tz *zone,
    int64_t *start_ms, int64_t *end_ms)
{
	struct when_utc day;

	*start_ms = occurrence->start_ms;
	*end_ms = occurrence->end_ms;
	/* Days of a calendar are written as UTC's midnights; whatever is not is
	 * an instant. */
	if (!occurrence->all_day || *start_ms % SERIES_DAY_MS != 0 ||
	    *end_ms % SERIES_DAY_MS != 0)
		return;
	*start_ms = tz_day_start(
	    zone, occurrence->year, occurrence->month, occurrence->day);
	when_to_utc(occurrence->end_ms, &day);
	*end_ms = tz_day_start(zone, day.year, day.month, day.day);
}

void
series_fold(struct series *s, const struct event *occurrence,
    const struct tz *zone, int64_t now_ms)
{
	int64_t start_ms, end_ms;

	if (!occurrence->timed || occurrence->cancelled)
		return;
	series_times(occurrence, zone, &start_ms, &end_ms);
	if (end_ms <= now_ms)
		return;
	/* Of two that begin together the longer one, which saves a look. */
	if (s->found &&
	    (start_ms > s->start_ms ||
		(start_ms == s->start_ms && end_ms <= s->end_ms)))
		return;
	s->found = true;
	s->start_ms = start_ms;
	s->end_ms = end_ms;
}
