/* base/when.c - see when.h. */
#include "base/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MS_PER_DAY = 86400000, MS_PER_MINUTE = 60000 };

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* 0 .. b-1; floor_div(a, b) * b could overflow. */
static int64_t
floor_mod(int64_t a, int64_t b)
{
	return a % b + (a % b < 0 ? b : 0);
}

/* Days from 1970-01-01 to the civil day; the months count from March, so that
 * the leap day comes last. */
static int64_t
days_from_civil(int64_t year, int month, int day)
{
	int64_t era;
	int64_t year_of_era;
	int64_t day_of_year;

	year += floor_div(month - 1, 12);
	month = (int)floor_mod(month - 1, 12) + 1;
	year -= month <= 2;
	era = floor_div(year, 400);
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	    year_of_era / 100 + day_of_year - 719468;
}

int64_t
when_from_utc(const struct when_utc *in)
{
	return days_from_civil(in->year, in->month, in->day) * MS_PER_DAY +
	    ((in->hour * INT64_C(60) + in->minute) * 60 + in->second) * 1000;
}

void
when_to_utc(int64_t ms, struct when_utc *out)
{
	int64_t days = floor_div(ms, MS_PER_DAY);
	int64_t rest = floor_mod(ms, MS_PER_DAY) / 1000;
	int64_t era = floor_div(days + 719468, 146097);
	int64_t doe = days + 719468 - era * 146097; /* day of the era */
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153; /* month, March is 0 */

	out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	out->year = (int)(yoe + era * 400 + (out->month <= 2));
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
	out->wday = (int)floor_mod(days + 4, 7);
}

static int
month_days(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly width digits at *at, moved on. -1 when there are not. */
static int
take_digits(const char **at, int width)
{
	int value = 0;

	for (int i = 0; i < width; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool
take_char(const char **at, const char *any_of)
{
	if (**at == '\0' || strchr(any_of, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

static bool
utc_is_valid(const struct when_utc *t)
{
	return t->year >= 0 && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
	    t->day <= month_days(t->year, t->month) && t->hour >= 0 &&
	    t->hour <= 23 && t->minute >= 0 && t->minute <= 59 &&
	    t->second >= 0 && t->second <= 59;
}

/* ".1234567": up to 9 digits, milliseconds, cut. -1 when malformed. */
static int
take_fraction(const char **at)
{
	int ms = 0;
	int n;

	if (!take_char(at, "."))
		return 0;
	for (n = 0; **at >= '0' && **at <= '9'; n++, (*at)++) {
		if (n >= 9)
			return -1;
		if (n < 3)
			ms = ms * 10 + (**at - '0');
	}
	for (int i = n; i < 3; i++)
		ms *= 10;
	return n > 0 ? ms : -1;
}

/* "Z", "+hh:mm", "-hh:mm" or nothing: minutes east of UTC into *out. */
static int
take_offset(const char **at, bool naive_is_utc, int *out)
{
	int sign = **at == '-' ? -1 : 1;
	int hours;
	int minutes;

	*out = 0;
	if (**at == '\0')
		return naive_is_utc ? 0 : -1;
	if (take_char(at, "Zz"))
		return 0;
	if (!take_char(at, "+-"))
		return -1;
	hours = take_digits(at, 2);
	if (hours < 0 || hours > 23 || !take_char(at, ":"))
		return -1;
	minutes = take_digits(at, 2);
	if (minutes < 0 || minutes > 59)
		return -1;
	*out = sign * (hours * 60 + minutes);
	return 0;
}

int
when_parse_iso(const char *text, bool naive_is_utc, int64_t *out_ms)
{
	const char *at = text;
	struct when_utc t = {0};
	int offset;
	int fraction;
	int64_t ms;

	if ((t.year = take_digits(&at, 4)) < 0 || !take_char(&at, "-") ||
	    (t.month = take_digits(&at, 2)) < 0 || !take_char(&at, "-") ||
	    (t.day = take_digits(&at, 2)) < 0 || !take_char(&at, "Tt") ||
	    (t.hour = take_digits(&at, 2)) < 0 || !take_char(&at, ":") ||
	    (t.minute = take_digits(&at, 2)) < 0 || !take_char(&at, ":") ||
	    (t.second = take_digits(&at, 2)) < 0 || !utc_is_valid(&t))
		return -1;
	fraction = take_fraction(&at);
	if (fraction < 0 || take_offset(&at, naive_is_utc, &offset) != 0 ||
	    *at != '\0')
		return -1;
	ms = when_from_utc(&t) + fraction - (int64_t)offset * MS_PER_MINUTE;
	when_to_utc(ms, &t);
	if (ms < 0 || t.year > 9999)
		return -1;
	*out_ms = ms;
	return 0;
}

void
when_format_iso(int64_t ms, bool with_ms, char out[WHEN_TEXT_MAX])
{
	struct when_utc t;
	int n;

	when_to_utc(ms, &t);
	n = snprintf(out, WHEN_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d",
	    t.year, t.month, t.day, t.hour, t.minute, t.second);
	if (n < 0 || n >= WHEN_TEXT_MAX)
		return;
	if (with_ms)
		snprintf(out + n, (size_t)(WHEN_TEXT_MAX - n), ".%03dZ",
		    (int)floor_mod(ms, 1000));
	else
		snprintf(out + n, (size_t)(WHEN_TEXT_MAX - n), "Z");
}

/* One of count names of three letters; its index, moved on, or -1. */
static int
take_name(const char **at, const char *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (strncasecmp(*at, names + (ptrdiff_t)3 * i, 3) == 0) {
			*at += 3;
			return i;
		}
	}
	return -1;
}

static int
take_month(const char **at)
{
	return take_name(at, "JanFebMarAprMayJunJulAugSepOctNovDec", 12) + 1;
}

static bool
take_clock(const char **at, struct when_utc *t)
{
	return (t->hour = take_digits(at, 2)) >= 0 && take_char(at, ":") &&
	    (t->minute = take_digits(at, 2)) >= 0 && take_char(at, ":") &&
	    (t->second = take_digits(at, 2)) >= 0 && take_char(at, " ");
}

/* RFC 850 "Sunday, 06-Nov-94 08:49:37 GMT": two digits of the year, in the
 * future by no more than 50 years (RFC 9110 5.6.7). */
static int
full_year(int two, int64_t now_ms)
{
	struct when_utc now;
	int year;

	when_to_utc(now_ms, &now);
	year = now.year / 100 * 100 + two;
	return year > now.year + 50 ? year - 100 : year;
}

/* The three forms of RFC 9110 5.6.7, behind the day's name. */
static bool
parse_http_day(const char *at, int64_t now_ms, struct when_utc *t)
{
	if (take_char(&at, ",")) {
		if (!take_char(&at, " ") || (t->day = take_digits(&at, 2)) < 0)
			return false;
		if (take_char(&at, "-")) {
			if ((t->month = take_month(&at)) == 0 ||
			    !take_char(&at, "-") ||
			    (t->year = take_digits(&at, 2)) < 0)
				return false;
			t->year = full_year(t->year, now_ms);
		} else if (!take_char(&at, " ") ||
		    (t->month = take_month(&at)) == 0 || !take_char(&at, " ") ||
		    (t->year = take_digits(&at, 4)) < 0) {
			return false;
		}
		return take_char(&at, " ") && take_clock(&at, t) &&
		    strcmp(at, "GMT") == 0;
	}
	/* asctime: "Sun Nov  6 08:49:37 1994" */
	if (!take_char(&at, " ") || (t->month = take_month(&at)) == 0 ||
	    !take_char(&at, " "))
		return false;
	t->day =
	    take_char(&at, " ") ? take_digits(&at, 1) : take_digits(&at, 2);
	return t->day >= 0 && take_char(&at, " ") && take_clock(&at, t) &&
	    (t->year = take_digits(&at, 4)) >= 0 && *at == '\0';
}

static int64_t
parse_http_date(const char *text, int64_t now_ms)
{
	struct when_utc t = {0};
	int64_t ms;

	if (take_name(&text, "SunMonTueWedThuFriSat", 7) < 0)
		return -1;
	/* The rest of a long name: "Sunday", "Wednesday". */
	while (*text >= 'a' && *text <= 'z')
		text++;
	if (!parse_http_day(text, now_ms, &t) || !utc_is_valid(&t))
		return -1;
	ms = when_from_utc(&t);
	return ms > now_ms ? ms - now_ms : 0;
}

int64_t
when_parse_retry_after(const char *text, int64_t now_ms)
{
	char work[64];
	const char *at = work;
	int64_t ms = 0;
	size_t len;
	int fraction;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len == 0 || len >= sizeof(work))
		return -1;
	memcpy(work, text, len);
	work[len] = '\0';
	if (*at < '0' || *at > '9')
		return parse_http_date(at, now_ms);
	for (int n = 0; *at >= '0' && *at <= '9'; n++, at++) {
		if (n >= 10) /* three hundred years: makes no sense */
			return -1;
		ms = ms * 10 + (*at - '0');
	}
	fraction = take_fraction(&at);
	if (fraction < 0 || *at != '\0')
		return -1;
	return ms * 1000 + fraction;
}

int64_t
when_round_minute(int64_t ms)
{
	return floor_div(ms + MS_PER_MINUTE / 2, MS_PER_MINUTE) * MS_PER_MINUTE;
}
