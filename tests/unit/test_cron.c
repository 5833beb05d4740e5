/* tests/unit/test_cron.c - rule/cron.h; tests/rule/cron-oracle.tap compares it
 * with others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/when.h"
#include "rule/cron.h"

static struct cron
parsed(const char *text)
{
	struct err e = {0};
	struct cron c;

	if (cron_parse(text, &c, &e) != 0)
		fail_msg("%s: %s", text, e.text);
	return c;
}

static int64_t
at(const char *iso)
{
	int64_t ms;

	assert_int_equal(when_parse_iso(iso, false, &ms), 0);
	return ms;
}

/* The firings behind after, in the zone (NULL: UTC). */
static void
assert_fires(const char *text, const char *zone, const char *after,
    const char *const *want)
{
	struct cron c = parsed(text);
	struct tz *z = zone != NULL ? tz_load(zone, NULL) : NULL;
	int64_t ms = at(after);

	assert_true(zone == NULL || z != NULL);
	for (; *want != NULL; want++) {
		char got[WHEN_TEXT_MAX];

		ms = cron_next(&c, z, ms);
		when_format_iso(ms, false, got);
		if (strcmp(got, *want) != 0)
			fail_msg("%s: %s instead of %s", text, got, *want);
	}
	tz_free(z);
}

#define WANT(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
fields_are_read_as_crontab_has_them(void **state)
{
	struct cron c = parsed("*/20 1-3,5 1,15-31/4 Jan,mar-MAY 5-7");

	(void)state;
	assert_true(c.minutes == (1ULL | 1ULL << 20 | 1ULL << 40));
	assert_int_equal(c.hours, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5);
	assert_true(c.days ==
	    (1U << 1 | 1U << 15 | 1U << 19 | 1U << 23 | 1U << 27 | 1U << 31));
	assert_int_equal(c.months, 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5);
	assert_int_equal(c.weekdays, 1 << 5 | 1 << 6 | 1 << 0);
	assert_true(c.minute_star);
	assert_false(c.hour_star);
	assert_false(c.day_star);
	assert_false(c.weekday_star);
}

static void
blanks_round_the_fields_do_not_matter(void **state)
{
	struct cron a = parsed("  1\t2  3 4\t\t5 ");
	struct cron b = parsed("1 2 3 4 5");

	(void)state;
	assert_true(a.minutes == b.minutes && a.hours == b.hours &&
	    a.days == b.days && a.months == b.months &&
	    a.weekdays == b.weekdays);
	parsed(" @daily ");
	parsed("@HOURLY");
}

static void
what_is_no_expression_is_refused_by_name(void **state)
{
	static const char *const cases[][2] = {
	    {"", "minute is missing"},
	    {"* * * *", "day of week is missing"},
	    {"* * * * * *", "more than five fields"},
	    {"60 * * * *", "minute: not within 0 to 59"},
	    {"* 24 * * *", "hour: not within 0 to 23"},
	    {"* * 0 * *", "day of month: not within 1 to 31"},
	    {"* * 32 * *", "day of month: not within 1 to 31"},
	    {"* * * 0 *", "month: not within 1 to 12"},
	    {"* * * 13 *", "month: not within 1 to 12"},
	    {"* * * * 8", "day of week: not within 0 to 7"},
	    {"99999999999999999999 * * * *", "minute: not within"},
	    {"5-1 * * * *", "minute: the range runs backwards"},
	    {"* * * * fri-sun", "day of week: the range runs backwards"},
	    {"5/2 * * * *", "minute: a step needs a range or *"},
	    {"*/0 * * * *", "minute: bad step"},
	    {"*/ * * * *", "minute: bad step"},
	    {"*/-1 * * * *", "minute: bad step"},
	    {"1, * * * *", "minute: a value is missing"},
	    {",1 * * * *", "minute: a value is missing"},
	    {"1- * * * *", "minute: a value is missing"},
	    {"-1 * * * *", "minute: a value is missing"},
	    {"jan * * * *", "minute: a value is missing"},
	    {"* * * mon *", "month: a value is missing"},
	    {"* * * january *", "month: unexpected character"},
	    {"** * * * *", "minute: unexpected character"},
	    {"*1 * * * *", "minute: unexpected character"},
	    {"1.5 * * * *", "minute: unexpected character"},
	    {"* * ? * *", "day of month: a value is missing"},
	    {"* * L * *", "day of month: a value is missing"},
	    {"* * * * 5#2", "day of week: unexpected character"},
	    {"* * * *\n*", "month: unexpected character"},
	    {"@reboot", "only hourly"},
	    {"@daily 5", "only hourly"},
	    {"@dail", "only hourly"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = {0};
		struct cron c;

		assert_int_equal(cron_parse(cases[i][0], &c, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (strstr(e.text, cases[i][1]) == NULL)
			fail_msg("%s: %s", cases[i][0], e.text);
	}
}

static void
what_never_fires_is_refused_and_what_rarely_does_is_not(void **state)
{
	static const char *const never[] = {"0 0 31 2 *", "0 0 30 2 *",
	    "0 0 31 4,6,9,11 *", "0 0 30-31 feb */2", "* * 31 2-2 *"};
	static const char *const rarely[] = {
	    "0 0 29 2 *", "0 0 31 2 1", "0 0 31 1,2 *", "0 0 30 2,4 *"};

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct err e = {0};
		struct cron c;

		assert_int_equal(cron_parse(never[i], &c, &e), -1);
		assert_non_null(strstr(e.text, "never fires"));
	}
	for (size_t i = 0; i < sizeof(rarely) / sizeof(rarely[0]); i++)
		parsed(rarely[i]);
}

static void
firings_are_strictly_after(void **state)
{
	struct cron c = parsed("* * * * *");

	(void)state;
	assert_true(cron_next(&c, NULL, 0) == 60000);
	assert_true(cron_next(&c, NULL, 59999) == 60000);
	assert_true(cron_next(&c, NULL, 60000) == 120000);
	assert_true(cron_next(&c, NULL, -1) == 0);
	assert_true(cron_next(&c, NULL, -60001) == -60000);
}

static void
the_two_kinds_of_day_combine_as_in_vixie_cron(void **state)
{
	(void)state;
	/* Both restricted: either. */
	assert_fires("0 0 13 * 5", NULL, "2026-02-10T00:00:00Z",
	    WANT("2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z",
		"2026-02-27T00:00:00Z", "2026-03-06T00:00:00Z",
		"2026-03-13T00:00:00Z"));
	/* One of them begins with '*': both. */
	assert_fires("0 0 */2 * 5", NULL, "2026-02-10T00:00:00Z",
	    WANT("2026-02-13T00:00:00Z", "2026-02-27T00:00:00Z",
		"2026-03-13T00:00:00Z"));
	assert_fires("0 0 13 * *", NULL, "2026-02-13T00:00:00Z",
	    WANT("2026-03-13T00:00:00Z"));
	assert_fires("0 0 * * sun", NULL, "2026-02-13T00:00:00Z",
	    WANT("2026-02-15T00:00:00Z", "2026-02-22T00:00:00Z"));
}

static void
the_leap_day_is_found_across_2100(void **state)
{
	(void)state;
	assert_fires("0 0 29 2 *", NULL, "2096-03-01T00:00:00Z",
	    WANT("2104-02-29T00:00:00Z"));
	/* On a Sunday: 2088, then 2116? No: 2128 is the next but one. */
	assert_fires("0 0 29 2 */7", NULL, "2076-03-01T00:00:00Z",
	    WANT("2088-02-29T00:00:00Z"));
}

static void
a_skipped_time_fires_at_the_change(void **state)
{
	(void)state;
	assert_fires("30 2 * * *", "Europe/Zurich", "2026-03-28T02:00:00Z",
	    WANT("2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"));
	/* Asked for from the very moment of the change on. */
	assert_fires("30 2 * * *", "Europe/Zurich", "2026-03-29T01:00:00Z",
	    WANT("2026-03-30T00:30:00Z"));
	/* Two skipped times are one firing. */
	assert_fires("10,50 2 * * *", "Europe/Zurich", "2026-03-29T00:00:00Z",
	    WANT("2026-03-29T01:00:00Z", "2026-03-30T00:10:00Z"));
	/* Midnight itself skipped. */
	assert_fires("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z",
	    WANT("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"));
}

static void
a_repeated_time_fires_once(void **state)
{
	(void)state;
	assert_fires("30 2 * * *", "Europe/Zurich", "2026-10-24T12:00:00Z",
	    WANT("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"));
	/* Asked for in between the two. */
	assert_fires("30 2 * * *", "Europe/Zurich", "2026-10-25T01:10:00Z",
	    WANT("2026-10-26T01:30:00Z"));
	assert_fires("0 3 * * *", "Europe/Zurich", "2026-10-25T00:30:00Z",
	    WANT("2026-10-25T02:00:00Z"));
}

static void
what_runs_every_few_minutes_follows_the_clock(void **state)
{
	(void)state;
	assert_fires("*/30 * * * *", "Europe/Zurich", "2026-03-29T00:00:00Z",
	    WANT("2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z",
		"2026-03-29T01:30:00Z"));
	assert_fires("*/30 * * * *", "Europe/Zurich", "2026-10-25T00:00:00Z",
	    WANT("2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z",
		"2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"));
	/* "* 2": the hour that is skipped is skipped, the one that comes twice
	 * counts twice. */
	assert_fires("*/30 2 * * *", "Europe/Zurich", "2026-03-28T12:00:00Z",
	    WANT("2026-03-30T00:00:00Z"));
	assert_fires("*/30 2 * * *", "Europe/Zurich", "2026-10-25T00:30:00Z",
	    WANT("2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
		"2026-10-26T01:00:00Z"));
	assert_fires("0 * * * *", "Australia/Lord_Howe", "2026-04-04T13:00:00Z",
	    WANT("2026-04-04T14:00:00Z", "2026-04-04T15:30:00Z",
		"2026-04-04T16:30:00Z"));
}

static void
nicknames_stand_for_their_expressions(void **state)
{
	static const char *const pairs[][2] = {
	    {"@hourly", "0 * * * *"},
	    {"@daily", "0 0 * * *"},
	    {"@midnight", "0 0 * * *"},
	    {"@weekly", "0 0 * * 0"},
	    {"@monthly", "0 0 1 * *"},
	    {"@yearly", "0 0 1 1 *"},
	    {"@annually", "0 0 1 1 *"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct cron a = parsed(pairs[i][0]);
		struct cron b = parsed(pairs[i][1]);
		int64_t ms = at("2026-06-15T10:20:30Z");

		assert_true(cron_next(&a, NULL, ms) == cron_next(&b, NULL, ms));
		assert_int_equal(a.weekdays, b.weekdays);
		assert_int_equal(a.months, b.months);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_read_as_crontab_has_them),
	    cmocka_unit_test(blanks_round_the_fields_do_not_matter),
	    cmocka_unit_test(what_is_no_expression_is_refused_by_name),
	    cmocka_unit_test(
		what_never_fires_is_refused_and_what_rarely_does_is_not),
	    cmocka_unit_test(firings_are_strictly_after),
	    cmocka_unit_test(the_two_kinds_of_day_combine_as_in_vixie_cron),
	    cmocka_unit_test(the_leap_day_is_found_across_2100),
	    cmocka_unit_test(a_skipped_time_fires_at_the_change),
	    cmocka_unit_test(a_repeated_time_fires_once),
	    cmocka_unit_test(what_runs_every_few_minutes_follows_the_clock),
	    cmocka_unit_test(nicknames_stand_for_their_expressions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
