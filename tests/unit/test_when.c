/* tests/unit/test_when.c - base/when.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/when.h"

static void
times_as_graph_writes_them_are_read(void **state)
{
	static const struct {
		const char *text;
		int naive;
		int64_t want;
	} cases[] = {
	    {"1970-01-01T00:00:00Z", 0, 0},
	    {"2026-11-23T08:32:25Z", 0, 1795422745000},
	    {"2026-11-23T08:32:25.1234567Z", 0, 1795422745123},
	    {"2026-11-23T08:32:25.9999999Z", 0, 1795422745999},
	    {"2026-11-23T08:32:25.999999999Z", 0, 1795422745999},
	    {"2026-11-23T08:32:25.5", 1, 1795422745500},
	    {"2026-11-23T08:32:25.0000000", 1, 1795422745000},
	    {"2026-11-23T14:02:25+05:30", 0, 1795422745000},
	    {"2026-11-23T00:32:25.25-08:00", 0, 1795422745250},
	    {"2026-11-23T08:32:25-00:00", 0, 1795422745000},
	    {"2026-11-23t08:32:25z", 0, 1795422745000},
	    {"2024-02-29T00:00:00Z", 0, 1709164800000},
	    {"2000-02-29T12:00:00Z", 0, 951825600000},
	    {"9999-12-31T23:59:59.999Z", 0, 253402300799999},
	    {"1969-12-31T23:00:00-01:00", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms = -7;

		if (when_parse_iso(cases[i].text, cases[i].naive != 0, &ms) !=
			0 ||
		    ms != cases[i].want)
			fail_msg("%s gives %lld", cases[i].text, (long long)ms);
	}
}

static void
what_is_no_such_time_is_refused(void **state)
{
	static const char *const bad[] = {"", "Z", "2026-11-23",
	    "2026-11-23T08:32Z", "2026-11-23T08:32:25", "2026-11-23 08:32:25Z",
	    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
	    "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
	    "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
	    "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z",
	    "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
	    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
	    "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+0530",
	    "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+05:60",
	    "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ",
	    " 2026-01-01T00:00:00Z", "26-01-01T00:00:00Z",
	    "+2026-01-01T00:00:00Z", "02026-01-01T00:00:00Z",
	    "2026-1-01T00:00:00Z", "1969-12-31T23:59:59Z",
	    "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
	    "0001-01-01T00:00:00Z"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t ms = -7;

		if (when_parse_iso(bad[i], false, &ms) != -1)
			fail_msg("accepted: %s", bad[i]);
		assert_true(ms == -7);
	}
}

static void
times_are_written_as_rfc_3339(void **state)
{
	char out[WHEN_TEXT_MAX];

	(void)state;
	when_format_iso(1795422745123, true, out);
	assert_string_equal(out, "2026-11-23T08:32:25.123Z");
	when_format_iso(1795422745123, false, out);
	assert_string_equal(out, "2026-11-23T08:32:25Z");
	when_format_iso(-1, true, out);
	assert_string_equal(out, "1969-12-31T23:59:59.999Z");
	when_format_iso(INT64_MAX, true, out);
	assert_true(strlen(out) < WHEN_TEXT_MAX);
	when_format_iso(INT64_MIN, true, out);
	assert_true(strlen(out) < WHEN_TEXT_MAX);
}

static void
days_agree_with_the_c_library_over_eight_centuries(void **state)
{
	(void)state;
	for (int64_t day = -146097; day < 146097; day += 1) {
		time_t s = (time_t)(day * 86400 + (day & 0xFFFF));
		struct when_utc t;
		struct tm want;

		gmtime_r(&s, &want);
		when_to_utc((int64_t)s * 1000 + 999, &t);
		assert_int_equal(t.year, want.tm_year + 1900);
		assert_int_equal(t.month, want.tm_mon + 1);
		assert_int_equal(t.day, want.tm_mday);
		assert_int_equal(t.hour, want.tm_hour);
		assert_int_equal(t.minute, want.tm_min);
		assert_int_equal(t.second, want.tm_sec);
		assert_int_equal(t.wday, want.tm_wday);
		assert_true(when_from_utc(&t) == (int64_t)s * 1000);
	}
}

static void
fields_beyond_their_range_count_on(void **state)
{
	const struct when_utc a = {.year = 2026, .month = 13, .day = 1};
	const struct when_utc b = {.year = 2027, .month = 1, .day = 1};
	const struct when_utc c = {.year = 2027, .month = 0, .day = 32};
	const struct when_utc d = {.year = 2025, .month = 25, .day = 1};

	(void)state;
	assert_true(when_from_utc(&a) == when_from_utc(&b));
	assert_true(when_from_utc(&c) == when_from_utc(&b));
	assert_true(when_from_utc(&d) == when_from_utc(&b));
}

static void
retry_after_is_read_in_all_its_forms(void **state)
{
	const int64_t now = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
	    {"0", 0},
	    {"120", 120000},
	    {" 7 ", 7000},
	    {"1.5", 1500},
	    {"0.0015", 1},
	    {"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
	    {"Sunday, 06-Nov-94 08:49:38 GMT", 1000},
	    {"Sun Nov  6 08:49:40 1994", 3000},
	    {"Sat Nov 12 08:49:37 1994", 6 * 86400000},
	    {"Sun, 06 Nov 1994 08:49:36 GMT", 0},
	    {"Wednesday, 06-Nov-74 08:49:37 GMT", 0},
	    {"", -1},
	    {"soon", -1},
	    {"-5", -1},
	    {"+5", -1},
	    {"5 s", -1},
	    {"5.", -1},
	    {"1e3", -1},
	    {"99999999999", -1},
	    {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
	    {"Sun, 06 Nov 1994 08:49:37 CET", -1},
	    {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
	    {"Sun, 06 Xxx 1994 08:49:37 GMT", -1},
	    {"Xxx, 06 Nov 1994 08:49:37 GMT", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t got = when_parse_retry_after(cases[i].text, now);

		if (got != cases[i].want)
			fail_msg(
			    "%s gives %lld", cases[i].text, (long long)got);
	}
}

static void
a_year_of_two_digits_lies_at_most_50_years_ahead(void **state)
{
	const int64_t now = 1795422745000; /* 2026 */

	(void)state;
	assert_true(
	    when_parse_retry_after("Sunday, 06-Nov-94 08:49:38 GMT", now) == 0);
	assert_true(
	    when_parse_retry_after("Sunday, 06-Nov-60 08:49:38 GMT", now) > 0);
}

static void
minutes_round_half_up(void **state)
{
	(void)state;
	assert_true(when_round_minute(0) == 0);
	assert_true(when_round_minute(29999) == 0);
	assert_true(when_round_minute(30000) == 60000);
	assert_true(when_round_minute(60000) == 60000);
	assert_true(when_round_minute(1795422745123) == 1795422720000);
	assert_true(when_round_minute(-30000) == 0);
	assert_true(when_round_minute(-30001) == -60000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_as_graph_writes_them_are_read),
	    cmocka_unit_test(what_is_no_such_time_is_refused),
	    cmocka_unit_test(times_are_written_as_rfc_3339),
	    cmocka_unit_test(
		days_agree_with_the_c_library_over_eight_centuries),
	    cmocka_unit_test(fields_beyond_their_range_count_on),
	    cmocka_unit_test(retry_after_is_read_in_all_its_forms),
	    cmocka_unit_test(a_year_of_two_digits_lies_at_most_50_years_ahead),
	    cmocka_unit_test(minutes_round_half_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
