/* rule/cron.h - UNIX cron expressions of five fields. Pure: the time and the
 * zone are parameters. */
#ifndef RULE_CRON_H
#define RULE_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tz.h"

/* Nothing to free. Bit n of a mask: the value n fires. */
struct cron {
	uint64_t minutes; /* 0..59 */
	uint32_t hours; /* 0..23 */
	uint32_t days; /* of the month, 1..31 */
	uint16_t months; /* 1..12 */
	uint8_t weekdays; /* 0..6, Sunday is 0 */
	/* Whether the field began with '*'; such a field does not restrict. */
	bool minute_star, hour_star, day_star, weekday_star;
};

/*
 * Reads "minute hour day-of-month month day-of-week" as crontab(5) of Vixie
 * cron has it: '*', numbers, ranges, lists, steps behind '*' or a range, names
 * of months and weekdays (three letters, any case), 7 = Sunday; or @hourly
 * @daily @midnight @weekly @monthly @yearly @annually. When day of month and
 * day of week are both restricted, either of them fires; a field that begins
 * with '*' (also with a step) is unrestricted in this sense: both must match.
 * ERR_INPUT, naming the field, also for what never fires (0 0 31 2 *).
 */
int cron_parse(const char *text, struct cron *out, struct err *e);

/*
 * The first firing strictly after after_ms (Unix milliseconds), in the zone
 * (NULL: UTC). Where the clock changes, as Vixie cron does: what has a fixed
 * minute and hour fires exactly once, at the moment of the change if its time
 * is skipped, at the first of two passes if its time comes twice; what has '*'
 * in minute or hour follows the clock on the wall. Never fails.
 */
int64_t
cron_next(const struct cron *c, const struct tz *zone, int64_t after_ms);

#endif
