/* base/tz_posix.h - POSIX TZ rules ("CET-1CEST,M3.5.0,M10.5.0/3"). */
#ifndef BASE_TZ_POSIX_H
#define BASE_TZ_POSIX_H

#include <stdbool.h>
#include <stdint.h>

/* A day of the year and the local time on it. */
struct tz_posix_day {
	char kind; /* 'J': 1..365 without 29 February; 'N': 0..365; 'M' */
	int day; /* J, N: the day; M: the weekday */
	int month; /* M only */
	int week; /* M only; 5 is the last */
	int32_t time_s;
};

struct tz_posix {
	int32_t standard; /* seconds east of UTC */
	int32_t summer;
	bool has_summer;
	struct tz_posix_day start; /* of summer time */
	struct tz_posix_day end;
};

/* False for what is no rule (POSIX base definitions 8.3, with the hours -167
 * to 167 of RFC 8536). */
bool tz_posix_parse(const char *text, struct tz_posix *out);

/* Offset in force at s (Unix seconds). */
int32_t tz_posix_offset(const struct tz_posix *r, int64_t s);

/* The next change after s, INT64_MAX when there is none. */
int64_t tz_posix_next(const struct tz_posix *r, int64_t s);

#endif
