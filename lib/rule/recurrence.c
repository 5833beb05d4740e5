/* rule/recurrence.c - see recurrence.h. */
#include "rule/recurrence.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/when.h"

enum {
	RECURRENCE_COUNT_MAX = 100000,
	RECURRENCE_INTERVAL_MAX = 1000,
	RECURRENCE_DAY_MS = 24 * 60 * 60 * 1000
};

/* The last day that the range names is over everywhere on Earth. */
static int64_t
recurrence_dated_end_ms(const json_t *range, int64_t length_ms)
{
	const char *date = json_str(range, "endDate");
	char text[WHEN_TEXT_MAX];
	int64_t day_ms;

	if (date == NULL || strlen(date) != strlen("2026-12-31"))
		return RECURRENCE_FOREVER_MS;
	snprintf(text, sizeof(text), "%sT12:00:00Z", date);
	if (when_parse_iso(text, false, &day_ms) != 0)
		return RECURRENCE_FOREVER_MS;
	return day_ms + RECURRENCE_DAY_MS + length_ms;
}

/* The longest time from one occurrence to the next, in days. */
static int64_t
recurrence_step_days(const json_t *pattern)
{
	const char *type = json_str(pattern, "type");
	int64_t interval = json_int(pattern, "interval", 1);

	if (interval < 1)
		interval = 1;
	if (interval > RECURRENCE_INTERVAL_MAX)
		interval = RECURRENCE_INTERVAL_MAX;
	if (type != NULL && strcmp(type, "daily") == 0)
		return interval;
	if (type != NULL && strcmp(type, "weekly") == 0)
		return interval * 7;
	if (type != NULL && strstr(type, "Monthly") != NULL)
		return interval * 31;
	return interval * 366;
}

/* None comes later than one step behind the one before it; a month's second
 * Tuesday can be a week later than that. */
static int64_t
recurrence_numbered_end_ms(const json_t *recurrence, int64_t end_ms)
{
	const json_t *range = json_obj(recurrence, "range");
	int64_t count = json_int(range, "numberOfOccurrences", 0);
	int64_t days;

	if (count < 1 || count > RECURRENCE_COUNT_MAX)
		return RECURRENCE_FOREVER_MS;
	days =
	    count * recurrence_step_days(json_obj(recurrence, "pattern")) + 7;
	return end_ms + days * RECURRENCE_DAY_MS;
}

int64_t
recurrence_end_ms(const json_t *recurrence, int64_t start_ms, int64_t end_ms)
{
	const json_t *range = json_obj(recurrence, "range");
	const char *type = json_str(range, "type");
	int64_t length_ms = end_ms > start_ms ? end_ms - start_ms : 0;
	int64_t over_ms = RECURRENCE_FOREVER_MS;

	if (type != NULL && strcmp(type, "endDate") == 0)
		over_ms = recurrence_dated_end_ms(range, length_ms);
	else if (type != NULL && strcmp(type, "numbered") == 0)
		over_ms = recurrence_numbered_end_ms(recurrence, end_ms);
	return over_ms < RECURRENCE_FOREVER_MS ? over_ms
					       : RECURRENCE_FOREVER_MS;
}
