/* rule/cron.c - see cron.h. */
#include "rule/cron.h"

#include <string.h>
#include <strings.h>

#include "base/when.h"

enum {
	CRON_FIELDS = 5,
	CRON_NUMBER_MAX = 1000,
	MINUTE_S = 60,
	DAY_S = 86400,
	/* 29 February on a given weekday: 40 years apart round 2100. */
	CRON_YEARS_MAX = 48
};

static const struct cron_field {
	const char *label;
	int low, high;
	const char *names; /* of three letters each, the first is low */
} cron_fields[CRON_FIELDS] = {
    {"minute", 0, 59, ""},
    {"hour", 0, 23, ""},
    {"day of month", 1, 31, ""},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of week", 0, 7, "sunmontuewedthufrisat"},
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
take_digits(const char **at)
{
	int value = 0;

	while (is_digit(**at)) {
		if (value < CRON_NUMBER_MAX)
			value = value * 10 + (**at - '0');
		++*at;
	}
	return value;
}

/* A number or a name of the field. */
static int
take_value(const struct cron_field *f, const char **at, int *out, struct err *e)
{
	int count = (int)strlen(f->names) / 3;

	if (is_digit(**at)) {
		*out = take_digits(at);
		if (*out >= f->low && *out <= f->high)
			return 0;
		return err_set(e, ERR_INPUT,
		    "cron expression, %s: not within %d to %d", f->label,
		    f->low, f->high);
	}
	for (int i = 0; i < count; i++) {
		if (strncasecmp(*at, f->names + (ptrdiff_t)3 * i, 3) == 0) {
			*out = f->low + i;
			*at += 3;
			return 0;
		}
	}
	return err_set(e, ERR_INPUT,
	    "cron expression, %s: a value is missing or not understood",
	    f->label);
}

/* "*", "5", "1-5", both kinds of range with "/2". */
static int
take_item(
    const struct cron_field *f, const char **at, uint64_t *mask, struct err *e)
{
	int low = f->low;
	int high = f->high;
	int step = 1;
	bool is_range = true;

	if (**at == '*') {
		++*at;
	} else {
		if (take_value(f, at, &low, e) != 0)
			return -1;
		high = low;
		is_range = **at == '-';
		if (is_range) {
			++*at;
			if (take_value(f, at, &high, e) != 0)
				return -1;
		}
	}
	if (high < low)
		return err_set(e, ERR_INPUT,
		    "cron expression, %s: the range runs backwards", f->label);
	if (**at == '/') {
		++*at;
		if (!is_range)
			return err_set(e, ERR_INPUT,
			    "cron expression, %s: a step needs a range or *",
			    f->label);
		step = is_digit(**at) ? take_digits(at) : 0;
		if (step == 0)
			return err_set(e, ERR_INPUT,
			    "cron expression, %s: bad step", f->label);
	}
	for (int v = low; v <= high; v += step)
		*mask |= UINT64_C(1) << v;
	return 0;
}

/* One field and the blanks behind it. */
static int
take_field(const struct cron_field *f, const char **at, uint64_t *mask,
    bool *star, struct err *e)
{
	*mask = 0;
	*star = **at == '*';
	if (**at == '\0')
		return err_set(e, ERR_INPUT,
		    "cron expression: %s is missing, five fields are needed",
		    f->label);
	for (;;) {
		if (take_item(f, at, mask, e) != 0)
			return -1;
		if (**at != ',')
			break;
		++*at;
	}
	if (**at != '\0' && !is_blank(**at))
		return err_set(e, ERR_INPUT,
		    "cron expression, %s: unexpected character", f->label);
	while (is_blank(**at))
		++*at;
	return 0;
}

/* "@daily" and so on; NULL for what is none of them. */
static const char *
cron_nickname(const char *text)
{
	static const char *const names[][2] = {
	    {"@hourly", "0 * * * *"},
	    {"@daily", "0 0 * * *"},
	    {"@midnight", "0 0 * * *"},
	    {"@weekly", "0 0 * * 0"},
	    {"@monthly", "0 0 1 * *"},
	    {"@yearly", "0 0 1 1 *"},
	    {"@annually", "0 0 1 1 *"},
	};
	size_t len = strcspn(text, " \t");

	if (text[len + strspn(text + len, " \t")] != '\0')
		return NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i][0]) == len &&
		    strncasecmp(text, names[i][0], len) == 0)
			return names[i][1];
	}
	return NULL;
}

/* Whether no month fired in has a day fired on. */
static bool
cron_never_fires(const struct cron *c)
{
	static const uint8_t longest[] = {
	    0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	/* A restricted weekday alone comes every week. */
	if (!c->day_star && !c->weekday_star)
		return false;
	for (int m = 1; m <= 12; m++) {
		uint64_t there = (UINT64_C(2) << longest[m]) - 2;

		if ((c->months >> m & 1) != 0 && (c->days & there) != 0)
			return false;
	}
	return true;
}

int
cron_parse(const char *text, struct cron *out, struct err *e)
{
	uint64_t masks[CRON_FIELDS];
	bool stars[CRON_FIELDS];
	const char *at = text;
	struct cron c = {0};

	while (is_blank(*at))
		at++;
	if (*at == '@') {
		at = cron_nickname(at);
		if (at == NULL)
			return err_set(e, ERR_INPUT,
			    "cron expression: of those with @ only hourly, "
			    "daily, midnight, weekly, monthly, yearly and "
			    "annually are known");
	}
	for (int i = 0; i < CRON_FIELDS; i++) {
		if (take_field(&cron_fields[i], &at, &masks[i], &stars[i], e) !=
		    0)
			return -1;
	}
	if (*at != '\0')
		return err_set(
		    e, ERR_INPUT, "cron expression: more than five fields");
	c.minutes = masks[0];
	c.hours = (uint32_t)masks[1];
	c.days = (uint32_t)masks[2];
	c.months = (uint16_t)masks[3];
	c.weekdays = (uint8_t)((masks[4] | masks[4] >> 7) & 0x7F);
	c.minute_star = stars[0];
	c.hour_star = stars[1];
	c.day_star = stars[2];
	c.weekday_star = stars[4];
	if (cron_never_fires(&c))
		return err_set(e, ERR_INPUT,
		    "cron expression: it never fires, no month in it has such "
		    "a day");
	*out = c;
	return 0;
}

static bool
cron_day_fires(const struct cron *c, const struct when_utc *t)
{
	bool day = (c->days >> t->day & 1) != 0;
	bool weekday = (c->weekdays >> t->wday & 1) != 0;

	if ((c->months >> t->month & 1) == 0)
		return false;
	return c->day_star || c->weekday_star ? day && weekday : day || weekday;
}

/* The first minute from s on (seconds of the day) that fires, or -1. */
static int
cron_minute_of_day(const struct cron *c, int s)
{
	int minute = (s + MINUTE_S - 1) / MINUTE_S;
	int hour = minute / 60;
	uint64_t left;

	for (minute %= 60; hour < 24; hour++, minute = 0) {
		left = c->minutes >> minute;
		if ((c->hours >> hour & 1) != 0 && left != 0)
			return hour * 60 + minute + __builtin_ctzll(left);
	}
	return -1;
}

/*
 * The first firing at or after local_s, local time counted as if it were UTC.
 * All expressions that cron_parse() lets through have one.
 */
static int64_t
cron_next_local(const struct cron *c, int64_t local_s)
{
	int64_t day = local_s / DAY_S - (local_s % DAY_S < 0);
	int s = (int)(local_s - day * DAY_S);
	int64_t end = day + CRON_YEARS_MAX * 366;

	while (day < end) {
		struct when_utc t;
		int minute = -1;

		when_to_utc(day * DAY_S * 1000, &t);
		if ((c->months >> t.month & 1) == 0) {
			t = (struct when_utc){
			    .year = t.year, .month = t.month + 1, .day = 1};
			day = when_from_utc(&t) / 1000 / DAY_S;
			s = 0;
			continue;
		}
		if (cron_day_fires(c, &t))
			minute = cron_minute_of_day(c, s);
		if (minute >= 0)
			return day * DAY_S + (int64_t)minute * MINUTE_S;
		day++;
		s = 0;
	}
	return end * DAY_S;
}

/*
 * For expressions with a fixed minute and hour: local time that has been
 * passed already at after_s, which lies beyond the local time now after the
 * clock was put back.
 */
static int64_t
cron_local_passed(const struct tz *zone, int64_t after_s)
{
	int64_t passed = after_s + tz_offset_at(zone, after_s * 1000);
	int64_t s = after_s - 2 * DAY_S;

	for (;;) {
		int64_t next_ms = tz_next_change(zone, s * 1000);
		int64_t before;

		if (next_ms > after_s * 1000)
			return passed;
		s = next_ms / 1000;
		before = s - 1 + tz_offset_at(zone, (s - 1) * 1000);
		if (before > passed)
			passed = before;
	}
}

int64_t
cron_next(const struct cron *c, const struct tz *zone, int64_t after_ms)
{
	int64_t after_s = after_ms / 1000 - (after_ms % 1000 < 0);
	bool is_fixed = !c->minute_star && !c->hour_star;
	int64_t from_s = after_s + 1; /* where this offset begins to count */
	int64_t local_s = is_fixed ? cron_local_passed(zone, after_s) + 1
				   : from_s + tz_offset_at(zone, from_s * 1000);

	for (;;) {
		int64_t offset = tz_offset_at(zone, from_s * 1000);
		int64_t change_ms = tz_next_change(zone, from_s * 1000);
		int64_t s = cron_next_local(c, local_s) - offset;

		/* Skipped by the change: at once. */
		if (s < from_s)
			s = from_s;
		if (change_ms == INT64_MAX || s < change_ms / 1000)
			return s * 1000;
		from_s = change_ms / 1000;
		if (!is_fixed)
			local_s = from_s + tz_offset_at(zone, change_ms);
		else if (local_s < from_s + offset)
			local_s = from_s + offset;
	}
}
