/* base/tz_posix.c - see tz_posix.h. */
#include "base/tz_posix.h"

#include <stddef.h>
#include <string.h>

#include "base/when.h"

enum { DAY_S = 86400 };

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "CET" or "<+03>". */
static bool
take_name(const char **at)
{
	const char *start = *at;

	if (**at == '<') {
		const char *close = strchr(*at, '>');

		if (close == NULL || close - *at < 2)
			return false;
		*at = close + 1;
		return true;
	}
	while (is_letter(**at))
		++*at;
	return *at - start >= 3;
}

/* low..high, at most three digits. */
static bool
take_number(const char **at, int low, int high, int *out)
{
	int value = 0;
	int n = 0;

	for (; **at >= '0' && **at <= '9' && n < 3; n++, ++*at)
		value = value * 10 + (**at - '0');
	*out = value;
	return n > 0 && value >= low && value <= high;
}

static bool
take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* [+-]hh[:mm[:ss]] as seconds. */
static bool
take_time(const char **at, int hours_max, int32_t *out)
{
	int sign = **at == '-' ? -1 : 1;
	int h = 0;
	int m = 0;
	int s = 0;

	if (**at == '-' || **at == '+')
		++*at;
	if (!take_number(at, 0, hours_max, &h))
		return false;
	if (take_char(at, ':')) {
		if (!take_number(at, 0, 59, &m))
			return false;
		if (take_char(at, ':') && !take_number(at, 0, 59, &s))
			return false;
	}
	*out = sign * (h * 3600 + m * 60 + s);
	return true;
}

static bool
take_day(const char **at, struct tz_posix_day *d)
{
	bool good;

	*d = (struct tz_posix_day){.kind = 'N', .time_s = 2 * 3600};
	if (take_char(at, 'M')) {
		d->kind = 'M';
		good = take_number(at, 1, 12, &d->month) &&
		    take_char(at, '.') && take_number(at, 1, 5, &d->week) &&
		    take_char(at, '.') && take_number(at, 0, 6, &d->day);
	} else if (take_char(at, 'J')) {
		d->kind = 'J';
		good = take_number(at, 1, 365, &d->day);
	} else {
		good = take_number(at, 0, 365, &d->day);
	}
	if (good && take_char(at, '/'))
		good = take_time(at, 167, &d->time_s);
	return good;
}

bool
tz_posix_parse(const char *text, struct tz_posix *out)
{
	struct tz_posix r = {0};
	const char *at = text;
	int32_t west;

	if (!take_name(&at) || !take_time(&at, 24, &west))
		return false;
	r.standard = -west;
	if (*at == '\0') {
		*out = r;
		return true;
	}
	if (!take_name(&at))
		return false;
	r.has_summer = true;
	r.summer = r.standard + 3600;
	if (*at != ',' && *at != '\0') {
		if (!take_time(&at, 24, &west))
			return false;
		r.summer = -west;
	}
	/* Without dates: those of the United States, as everyone does. */
	if (*at == '\0')
		at = ",M3.2.0,M11.1.0";
	if (!take_char(&at, ',') || !take_day(&at, &r.start) ||
	    !take_char(&at, ',') || !take_day(&at, &r.end) || *at != '\0')
		return false;
	*out = r;
	return true;
}

static int64_t
civil_s(int year, int month, int day)
{
	const struct when_utc t = {.year = year, .month = month, .day = day};

	return when_from_utc(&t) / 1000;
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* d in the year, as local seconds. */
static int64_t
day_s(const struct tz_posix_day *d, int year)
{
	int64_t first = civil_s(year, 1, 1);
	int64_t days = d->day;

	if (d->kind == 'J') {
		days = d->day - 1 + (d->day >= 60 && is_leap(year));
	} else if (d->kind == 'M') {
		int64_t month = civil_s(year, d->month, 1);
		int64_t next = civil_s(year, d->month + 1, 1);
		struct when_utc t;

		when_to_utc(month * 1000, &t);
		month += (int64_t)((d->day - t.wday + 7) % 7) * DAY_S;
		month += (int64_t)(d->week - 1) * 7 * DAY_S;
		while (month >= next)
			month -= 7 * DAY_S;
		return month + d->time_s;
	}
	return first + days * DAY_S + d->time_s;
}

static int
year_of(int64_t s)
{
	struct when_utc t;

	when_to_utc(s * 1000, &t);
	return t.year;
}

/*
 * The last change at or before s and the first one after it. Rules reach up
 * to a week over the turn of the year, so the neighbours count as well. When
 * two fall together (summer time for the whole year: RFC 8536 3.3.1) the
 * start counts.
 */
static void
changes_round(const struct tz_posix *r, int64_t s, int64_t *last_s,
    bool *is_summer, int64_t *next_s)
{
	int year = year_of(s);

	*last_s = INT64_MIN;
	*next_s = INT64_MAX;
	*is_summer = false;
	for (int y = year - 2; y <= year + 2; y++) {
		const int64_t at[2] = {
		    day_s(&r->end, y) - r->summer,
		    day_s(&r->start, y) - r->standard,
		};

		for (int i = 0; i < 2; i++) {
			if (at[i] > s && at[i] < *next_s)
				*next_s = at[i];
			if (at[i] <= s && at[i] >= *last_s) {
				*last_s = at[i];
				*is_summer = i == 1;
			}
		}
	}
}

int32_t
tz_posix_offset(const struct tz_posix *r, int64_t s)
{
	int64_t last_s;
	int64_t next_s;
	bool is_summer;

	if (!r->has_summer)
		return r->standard;
	changes_round(r, s, &last_s, &is_summer, &next_s);
	return is_summer ? r->summer : r->standard;
}

int64_t
tz_posix_next(const struct tz_posix *r, int64_t s)
{
	int64_t last_s;
	int64_t next_s;
	bool is_summer;

	if (!r->has_summer)
		return INT64_MAX;
	changes_round(r, s, &last_s, &is_summer, &next_s);
	return next_s;
}
