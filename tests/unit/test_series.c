/* tests/unit/test_series.c - rule/series.h and rule/recurrence.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/when.h"
#include "rule/recurrence.h"
#include "rule/series.h"

#define DAY_MS INT64_C(86400000)

static int64_t
at(const char *text)
{
	int64_t ms;

	if (when_parse_iso(text, false, &ms) != 0)
		fail_msg("no time: %s", text);
	return ms;
}

/* An occurrence as event_read() makes it. */
struct told {
	const char *start, *end; /* NULL: no time */
	bool all_day, cancelled;
};

static struct event
occurrence_of(const struct told *told)
{
	struct event ev = {.type = EVENT_OCCURRENCE,
	    .all_day = told->all_day,
	    .cancelled = told->cancelled};
	struct when_utc utc;

	if (told->start == NULL)
		return ev;
	ev.timed = true;
	ev.start_ms = at(told->start);
	ev.end_ms = at(told->end);
	when_to_utc(ev.start_ms, &utc);
	ev.year = utc.year;
	ev.month = utc.month;
	ev.day = utc.day;
	return ev;
}

#define NOTHING                                                                \
	{                                                                      \
		NULL, NULL, false, false                                       \
	}
#define TIMED(start, end)                                                      \
	{                                                                      \
		start, end, false, false                                       \
	}
#define DAYS(start, end)                                                       \
	{                                                                      \
		start, end, true, false                                        \
	}
#define CALLED_OFF(start, end)                                                 \
	{                                                                      \
		start, end, false, true                                        \
	}

enum { TOLD_MAX = 4 };

static const struct series_case {
	const char *sentence;
	const char *now, *zone;
	struct told told[TOLD_MAX];
	const char *start, *end; /* NULL: none counts */
} series_cases[] = {
    {"one without a time does not count", "2027-03-01T12:00:00Z", NULL,
	{NOTHING}, NULL, NULL},
    {"the first of those ahead counts", "2027-03-01T12:00:00Z", NULL,
	{TIMED("2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"),
	    TIMED("2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z")},
	"2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"},
    {"in whatever order they come", "2027-03-01T12:00:00Z", NULL,
	{TIMED("2027-03-16T09:00:00Z", "2027-03-16T09:30:00Z"),
	    TIMED("2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"),
	    TIMED("2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z")},
	"2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"},
    {"one that is over does not count", "2027-03-02T10:00:00Z", NULL,
	{TIMED("2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"),
	    TIMED("2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z")},
	"2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z"},
    {"one in progress still counts", "2027-03-02T09:29:59Z", NULL,
	{TIMED("2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"),
	    TIMED("2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z")},
	"2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"},
    {"at its very end it is over", "2027-03-02T09:30:00Z", NULL,
	{TIMED("2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z")}, NULL, NULL},
    {"a cancelled one never counts", "2027-03-01T12:00:00Z", NULL,
	{CALLED_OFF("2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"),
	    TIMED("2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z")},
	"2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z"},
    {"with all of them cancelled none counts", "2027-03-01T12:00:00Z", NULL,
	{CALLED_OFF("2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"),
	    CALLED_OFF("2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z")},
	NULL, NULL},
    {"one moved past another lets that one be the first",
	"2027-03-01T12:00:00Z", NULL,
	{TIMED("2027-03-10T09:00:00Z", "2027-03-10T09:30:00Z"),
	    TIMED("2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z")},
	"2027-03-09T09:00:00Z", "2027-03-09T09:30:00Z"},
    {"of two that begin together the longer one, in either order",
	"2027-03-01T12:00:00Z", NULL,
	{TIMED("2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"),
	    TIMED("2027-03-02T09:00:00Z", "2027-03-02T10:00:00Z"),
	    TIMED("2027-03-02T09:00:00Z", "2027-03-02T09:45:00Z")},
	"2027-03-02T09:00:00Z", "2027-03-02T10:00:00Z"},
    {"an all-day one begins and ends with the days of the zone",
	"2027-03-01T12:00:00Z", "Europe/Zurich",
	{DAYS("2027-03-02T00:00:00Z", "2027-03-03T00:00:00Z")},
	"2027-03-01T23:00:00Z", "2027-03-02T23:00:00Z"},
    {"an all-day one on the day of the change has 23 hours",
	"2027-03-20T12:00:00Z", "Europe/Zurich",
	{DAYS("2027-03-28T00:00:00Z", "2027-03-29T00:00:00Z")},
	"2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"},
    {"west of Greenwich an all-day one goes on behind UTC's midnight",
	"2027-03-03T04:00:00Z", "America/New_York",
	{DAYS("2027-03-02T00:00:00Z", "2027-03-03T00:00:00Z")},
	"2027-03-02T05:00:00Z", "2027-03-03T05:00:00Z"},
    {"an all-day one that does not begin at midnight is an instant",
	"2027-03-01T12:00:00Z", "Europe/Zurich",
	{DAYS("2027-03-02T05:00:00Z", "2027-03-03T05:00:00Z")},
	"2027-03-02T05:00:00Z", "2027-03-03T05:00:00Z"},
    {"a timed exception of an all-day series has its own time",
	"2027-03-01T12:00:00Z", "Europe/Zurich",
	{{"2027-03-02T00:00:00Z", "2027-03-03T00:00:00Z", true, true},
	    TIMED("2027-03-04T13:00:00Z", "2027-03-04T14:00:00Z")},
	"2027-03-04T13:00:00Z", "2027-03-04T14:00:00Z"},
};

static void
check_series(const struct series_case *c)
{
	struct tz *zone = c->zone != NULL ? tz_load(c->zone, NULL) : NULL;
	struct series s = {.found = false};

	if (c->zone != NULL && zone == NULL)
		fail_msg("no zone %s", c->zone);
	for (size_t i = 0; i < TOLD_MAX; i++) {
		struct event ev = occurrence_of(&c->told[i]);

		series_fold(&s, &ev, zone, at(c->now));
	}
	tz_free(zone);
	if (s.found != (c->start != NULL))
		fail_msg("%s: found %d", c->sentence, s.found);
	if (!s.found)
		return;
	if (s.start_ms != at(c->start) || s.end_ms != at(c->end))
		fail_msg("%s: %lld to %lld", c->sentence, (long long)s.start_ms,
		    (long long)s.end_ms);
}

static void
which_occurrence_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(series_cases) / sizeof(series_cases[0]);
	     i++)
		check_series(&series_cases[i]);
}

/* ---- windows ---- */

static struct event
master_of(const char *start, const char *end, const char *over)
{
	struct event ev = {.type = EVENT_MASTER, .timed = true};

	ev.start_ms = at(start);
	ev.end_ms = at(end);
	ev.series_end_ms = over != NULL ? at(over) : RECURRENCE_FOREVER_MS;
	return ev;
}

static void
windows_join_and_never_ask_for_more_than_graph_allows(void **state)
{
	static const char *const starts[][2] = {
	    {"2026-01-05T09:00:00Z", "2026-01-05T09:30:00Z"},
	    {"2027-06-01T09:00:00Z", "2027-06-01T09:30:00Z"},
	    {"2040-06-01T09:00:00Z", "2040-06-03T09:30:00Z"},
	    {"2026-01-05T09:00:00Z", "2036-01-05T09:30:00Z"},
	};
	const int64_t now = at("2027-03-01T12:00:00Z");

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct event ev = master_of(starts[i][0], starts[i][1], NULL);
		struct series_window w, before = {0, 0};
		int n = 0;

		for (; series_window(&ev, n, now, &w); n++) {
			assert_true(w.from_ms < w.to_ms);
			assert_true(w.to_ms - w.from_ms < 1825 * DAY_MS);
			if (n > 0)
				assert_true(w.from_ms == before.to_ms);
			before = w;
		}
		assert_int_equal(n, 3);
		assert_true(before.to_ms > now + 5 * 365 * DAY_MS);
	}
}

static void
the_first_window_reaches_back_to_what_is_in_progress(void **state)
{
	const int64_t now = at("2027-03-01T12:00:00Z");
	/* three days long, and the agent's day may end behind UTC's */
	struct event ev =
	    master_of("2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z", NULL);
	struct series_window w;

	(void)state;
	assert_true(series_window(&ev, 0, now, &w));
	assert_true(w.from_ms <= now - 4 * DAY_MS);
	assert_true(w.to_ms == now + 35 * DAY_MS);
}

static void
the_first_window_reaches_from_now_to_a_first_occurrence_ahead(void **state)
{
	const int64_t now = at("2027-03-01T12:00:00Z");
	struct event ev =
	    master_of("2028-01-05T09:00:00Z", "2028-01-05T10:00:00Z", NULL);
	struct series_window w;

	(void)state;
	assert_true(series_window(&ev, 0, now, &w));
	assert_true(w.from_ms < now);
	assert_true(w.to_ms == ev.start_ms + 35 * DAY_MS);
}

static void
a_series_that_ends_before_the_last_window_is_not_asked_for_there(void **state)
{
	const int64_t now = at("2027-03-01T12:00:00Z");
	struct event ev = master_of("2026-01-05T09:00:00Z",
	    "2026-01-05T10:00:00Z", "2027-02-01T00:00:00Z");
	struct series_window w;

	(void)state;
	assert_true(series_window(&ev, 0, now, &w));
	assert_true(series_window(&ev, 1, now, &w));
	assert_false(series_window(&ev, 2, now, &w));
	ev.series_end_ms = now + 500 * DAY_MS;
	assert_true(series_window(&ev, 2, now, &w));
	assert_false(series_window(&ev, 3, now, &w));
	assert_false(series_window(&ev, -1, now, &w));
}

/* ---- recurrence ---- */

#define PATTERN(type, interval)                                                \
	"\"pattern\":{\"type\":\"" type "\",\"interval\":" interval "}"
#define ENDS(date)                                                             \
	"\"range\":{\"type\":\"endDate\",\"startDate\":\"2027-03-01\","        \
	"\"endDate\":\"" date "\"}"
#define TIMES(count)                                                           \
	"\"range\":{\"type\":\"numbered\",\"startDate\":\"2027-03-01\","       \
	"\"endDate\":\"0001-01-01\",\"numberOfOccurrences\":" count "}"

/* The master is 2027-03-01 09:00 to 10:00 UTC. */
static const struct recurrence_case {
	const char *sentence, *text;
	const char *after, *before; /* NULL: never */
} recurrence_cases[] = {
    {"without a recurrence nothing is known of an end", NULL, NULL, NULL},
    {"an end date is over a day later at the latest, wherever that is",
	"{" PATTERN("weekly", "1") "," ENDS("2027-04-30") "}",
	"2027-05-01T12:00:00Z", "2027-05-02T00:00:00Z"},
    {"no end is no end",
	"{" PATTERN("daily", "1") ",\"range\":{\"type\":\"noEnd\","
				  "\"endDate\":\"0001-01-01\"}}",
	NULL, NULL},
    {"ten days are over after ten days",
	"{" PATTERN("daily", "1") "," TIMES("10") "}", "2027-03-10T10:00:00Z",
	"2027-03-20T00:00:00Z"},
    {"ten times every third week",
	"{" PATTERN("weekly", "3") "," TIMES("10") "}", "2027-09-06T10:00:00Z",
	"2027-10-15T00:00:00Z"},
    {"a second Tuesday may come later than the date",
	"{" PATTERN("relativeMonthly", "1") "," TIMES("2") "}",
	"2027-04-08T10:00:00Z", "2027-05-30T00:00:00Z"},
    {"twice a year", "{" PATTERN("absoluteYearly", "1") "," TIMES("2") "}",
	"2028-03-01T10:00:00Z", "2029-03-20T00:00:00Z"},
    {"a pattern of the future is taken for the slowest",
	"{" PATTERN("lunar", "1") "," TIMES("2") "}", "2028-03-01T10:00:00Z",
	"2029-03-20T00:00:00Z"},
    {"an interval that makes no sense is one",
	"{" PATTERN("daily", "-7") "," TIMES("10") "}", "2027-03-10T10:00:00Z",
	"2027-03-20T00:00:00Z"},
    {"a number that makes no sense is no end",
	"{" PATTERN("daily", "1") "," TIMES("0") "}", NULL, NULL},
    {"a number beyond all reason is no end",
	"{" PATTERN("daily", "1") "," TIMES("9000000000000000000") "}", NULL,
	NULL},
    {"large numbers do not overflow",
	"{" PATTERN("absoluteYearly", "9000000000000000000") "," TIMES(
	    "100000") "}",
	NULL, NULL},
    {"an end date that is none is no end",
	"{" PATTERN("daily", "1") "," ENDS("2027-13-45") "}", NULL, NULL},
    {"an end date that is too long is no end",
	"{" PATTERN("daily", "1") "," ENDS("2027-04-30T00:00:00Z") "}", NULL,
	NULL},
    {"a range of the future is no end",
	"{" PATTERN("daily", "1") ",\"range\":{\"type\":\"untilRain\"}}", NULL,
	NULL},
    {"a range that is a number is no end", "{\"range\":7}", NULL, NULL},
};

static void
how_long_a_series_goes_on(void **state)
{
	const int64_t start = at("2027-03-01T09:00:00Z");
	const int64_t end = at("2027-03-01T10:00:00Z");

	(void)state;
	for (size_t i = 0;
	     i < sizeof(recurrence_cases) / sizeof(recurrence_cases[0]); i++) {
		const struct recurrence_case *c = &recurrence_cases[i];
		json_t *doc = c->text != NULL
		    ? json_load_strict(c->text, strlen(c->text), NULL)
		    : NULL;
		int64_t over = recurrence_end_ms(doc, start, end);

		json_decref(doc);
		if (c->after == NULL
			? over != RECURRENCE_FOREVER_MS
			: over < at(c->after) || over > at(c->before))
			fail_msg("%s: %lld", c->sentence, (long long)over);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(which_occurrence_counts),
	    cmocka_unit_test(
		windows_join_and_never_ask_for_more_than_graph_allows),
	    cmocka_unit_test(
		the_first_window_reaches_back_to_what_is_in_progress),
	    cmocka_unit_test(
		the_first_window_reaches_from_now_to_a_first_occurrence_ahead),
	    cmocka_unit_test(
		a_series_that_ends_before_the_last_window_is_not_asked_for_there),
	    cmocka_unit_test(how_long_a_series_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
