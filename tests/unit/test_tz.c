/* tests/unit/test_tz.c - base/tz.h, also against the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tz.h"
#include "base/when.h"

static struct tz *
load(const char *name)
{
	struct err e = {0};
	struct tz *z = tz_load(name, &e);

	if (z == NULL)
		fail_msg("%s: %s", name != NULL ? name : "own", e.text);
	return z;
}

static int64_t
utc(int year, int month, int day, int hour, int minute)
{
	const struct when_utc t = {year, month, day, hour, minute, 0, 0};

	return when_from_utc(&t);
}

static void
offsets_agree_with_the_c_library_from_1900_to_2400(void **state)
{
	static const char *const names[] = {"Europe/Zurich", "America/New_York",
	    "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata",
	    "America/Santiago", "Pacific/Apia", "Europe/Dublin", "Asia/Tehran",
	    "Africa/Monrovia", "Pacific/Chatham", "America/Sao_Paulo",
	    "Asia/Gaza", "Etc/GMT+12"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct tz *z = load(names[i]);
		time_t s = -2208988800; /* 1900 */

		setenv("TZ", names[i], 1);
		tzset();
		/* Steps of about 31 hours that meet every hour of the day. */
		for (; s < (time_t)13569465600; s += 111611) {
			struct tm tm;

			localtime_r(&s, &tm);
			if (tz_offset_at(z, (int64_t)s * 1000) != tm.tm_gmtoff)
				fail_msg("%s at %ld: %d instead of %ld",
				    names[i], (long)s,
				    tz_offset_at(z, (int64_t)s * 1000),
				    tm.tm_gmtoff);
		}
		tz_free(z);
	}
	unsetenv("TZ");
}

static void
the_change_itself_is_where_the_new_offset_begins(void **state)
{
	struct tz *z = load("Europe/Zurich");
	const int64_t spring = utc(2026, 3, 29, 1, 0);
	const int64_t autumn = utc(2090, 10, 29, 1, 0);

	(void)state;
	assert_int_equal(tz_offset_at(z, spring - 1), 3600);
	assert_int_equal(tz_offset_at(z, spring), 7200);
	assert_true(tz_next_change(z, spring - 1) == spring);
	assert_true(tz_next_change(z, spring) == utc(2026, 10, 25, 1, 0));
	/* Behind the end of the table, by the rule of the footer. */
	assert_int_equal(tz_offset_at(z, autumn - 1), 7200);
	assert_int_equal(tz_offset_at(z, autumn), 3600);
	assert_true(tz_next_change(z, autumn - 1) == autumn);
	tz_free(z);
}

static void
utc_needs_no_file(void **state)
{
	struct tz *z;

	(void)state;
	setenv("TZDIR", "/nonexistent", 1);
	z = load("UTC");
	assert_int_equal(tz_offset_at(z, 12345), 0);
	assert_true(tz_next_change(z, 0) == INT64_MAX);
	assert_true(tz_day_start(z, 2026, 11, 23) == utc(2026, 11, 23, 0, 0));
	assert_true(
	    tz_day_start(NULL, 2026, 11, 23) == utc(2026, 11, 23, 0, 0));
	tz_free(z);
	tz_free(NULL);
	unsetenv("TZDIR");
}

static void
names_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {"", "/etc/localtime", "../etc/passwd",
	    "Europe/../../x", "Europe//Zurich", "Europe/", "Europe/Zür ich",
	    "Europe/Zurich\n", "W. Europe Standard Time",
	    "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "a"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = {0};

		assert_null(tz_load(bad[i], &e));
		assert_int_equal(e.code, ERR_INPUT);
	}
}

static void
an_absent_zone_is_a_matter_of_configuration(void **state)
{
	struct err e = {0};

	(void)state;
	assert_null(tz_load("Europe/Atlantis", &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.text, "Europe/Atlantis"));
	assert_null(tz_load("Europe", &e)); /* a folder */
	assert_int_equal(e.code, ERR_CONFIG);
}

static void
the_own_zone_is_that_of_tz(void **state)
{
	static const struct {
		const char *tz;
		int32_t january, july;
	} cases[] = {
	    {"Europe/Zurich", 3600, 7200},
	    {":Asia/Kolkata", 19800, 19800},
	    {"/usr/share/zoneinfo/Asia/Tokyo", 32400, 32400},
	    {"", 0, 0},
	    {"UTC", 0, 0},
	    {"UTC0", 0, 0},
	    {"<+0330>-3:30", 12600, 12600},
	    {"CET-1CEST", 3600, 7200},
	    {"CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200},
	    {"ABC5DEF3,J60/0,J300/-1", -18000, -10800},
	    {"ABC-10DEF,300,59/25:30:15", 36000, 36000},
	    {"XXX3YYY,0/0,J365/25", -7200, -7200},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = {0};
		struct tz *z;

		setenv("TZ", cases[i].tz, 1);
		z = tz_load(NULL, &e);
		if (z == NULL)
			fail_msg("%s: %s", cases[i].tz, e.text);
		assert_int_equal(tz_offset_at(z, utc(2026, 1, 15, 12, 0)),
		    i == 10 ? 39600 : cases[i].january);
		assert_int_equal(
		    tz_offset_at(z, utc(2026, 7, 15, 12, 0)), cases[i].july);
		tz_free(z);
	}
	unsetenv("TZ");
	tz_free(load(NULL));
}

static void
rules_agree_with_the_c_library(void **state)
{
	static const char *const rules[] = {"CET-1CEST,M3.5.0,M10.5.0/3",
	    "EST5EDT,M3.2.0,M11.1.0", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
	    "IST-1GMT0,M10.5.0,M3.5.0/1", "AAA3BBB,J60,J300",
	    "AAA3BBB,59/1,299/26", "AAA-12BBB,M1.2.1/0,M12.4.5/23",
	    "NZST-12NZDT,M9.5.0,M4.1.0/3",
	    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct tz *z;

		setenv("TZ", rules[i], 1);
		tzset();
		z = load(NULL);
		for (time_t s = 1000000007; s < 1900000000; s += 10007) {
			struct tm tm;

			localtime_r(&s, &tm);
			if (tz_offset_at(z, (int64_t)s * 1000) != tm.tm_gmtoff)
				fail_msg("%s at %ld: %d instead of %ld",
				    rules[i], (long)s,
				    tz_offset_at(z, (int64_t)s * 1000),
				    tm.tm_gmtoff);
		}
		tz_free(z);
	}
	unsetenv("TZ");
}

/* Where the C library looks into the wrong year. */
static void
a_rule_may_change_at_the_turn_of_the_year(void **state)
{
	struct tz *z;

	(void)state;
	setenv("TZ", "AAA-12BBB,M1.1.1/0,M11.1.1/0", 1);
	z = load(NULL);
	/* 1 January 2007 is a Monday. */
	assert_int_equal(tz_offset_at(z, utc(2006, 12, 31, 12, 0) - 1), 43200);
	assert_int_equal(tz_offset_at(z, utc(2006, 12, 31, 12, 0)), 46800);
	assert_true(tz_next_change(z, utc(2006, 12, 31, 11, 0)) ==
	    utc(2006, 12, 31, 12, 0));
	tz_free(z);
	/* Summer all the year (RFC 8536 3.3.1). */
	setenv("TZ", "XXX3EDT4,0/0,J365/23", 1);
	z = load(NULL);
	for (int month = 1; month <= 12; month++)
		assert_int_equal(
		    tz_offset_at(z, utc(2026, month, 1, 3, 30)), -14400);
	assert_int_equal(tz_offset_at(z, utc(2027, 1, 1, 3, 0)), -14400);
	tz_free(z);
	unsetenv("TZ");
}

static void
a_tz_that_means_nothing_is_refused(void **state)
{
	static const char *const bad[] = {"Nonsense", "AB3", "ABC", "ABC25",
	    "ABC1:60", "ABC3DEF,M3.5.0", "ABC3DEF,M13.1.0,M1.1.0",
	    "ABC3DEF,M3.6.0,M1.1.0", "ABC3DEF,M3.1.7,M1.1.0", "ABC3DEF,J0,J10",
	    "ABC3DEF,J1,J366", "ABC3DEF,1,2x", "ABC3DEF,,", "<AB", "<>3",
	    "ABC3DEF,1/168,2"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = {0};

		setenv("TZ", bad[i], 1);
		if (tz_load(NULL, &e) != NULL)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.code, ERR_CONFIG);
	}
	unsetenv("TZ");
}

static void
a_day_starts_at_its_first_instant(void **state)
{
	static const struct {
		const char *name;
		int year, month, day;
		int want[5]; /* UTC */
	} cases[] = {
	    {"Europe/Zurich", 2026, 1, 15, {2026, 1, 14, 23, 0}},
	    {"Europe/Zurich", 2026, 3, 29, {2026, 3, 28, 23, 0}},
	    {"Europe/Zurich", 2026, 3, 30, {2026, 3, 29, 22, 0}},
	    {"America/New_York", 2026, 7, 4, {2026, 7, 4, 4, 0}},
	    {"Asia/Kolkata", 2026, 7, 4, {2026, 7, 3, 18, 30}},
	    /* Midnight is skipped: the day starts at 1:00. */
	    {"America/Sao_Paulo", 2018, 11, 4, {2018, 11, 4, 3, 0}},
	    {"Asia/Beirut", 2022, 3, 27, {2022, 3, 26, 22, 0}},
	    /* At midnight it is 23:00 again: the second one counts. */
	    {"America/Sao_Paulo", 2018, 2, 18, {2018, 2, 18, 3, 0}},
	    /* At 1:00 it is 0:00 again: the first midnight counts. */
	    {"America/Havana", 2025, 11, 2, {2025, 11, 2, 4, 0}},
	    /* The whole day is skipped: the next one. */
	    {"Pacific/Apia", 2011, 12, 30, {2011, 12, 30, 10, 0}},
	    {"Pacific/Apia", 2011, 12, 31, {2011, 12, 30, 10, 0}},
	    {"Pacific/Apia", 2011, 12, 29, {2011, 12, 29, 10, 0}},
	    {"Pacific/Kiritimati", 2026, 1, 1, {2025, 12, 31, 10, 0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tz *z = load(cases[i].name);
		const int *w = cases[i].want;
		int64_t got = tz_day_start(
		    z, cases[i].year, cases[i].month, cases[i].day);

		if (got != utc(w[0], w[1], w[2], w[3], w[4]))
			fail_msg("%s %d-%d-%d: %lld", cases[i].name,
			    cases[i].year, cases[i].month, cases[i].day,
			    (long long)got);
		tz_free(z);
	}
}

/* A folder of zones with one file "Test/Zone" that we write. */
static char folder[] = "/tmp/test_tz.XXXXXX";

static struct tz *
load_bytes(const char *data, size_t len, struct err *e)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/Zone", folder);
	assert_int_equal(file_write_atomic(path, data, len, 0600, NULL), 0);
	return tz_load("Zone", e);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/Zone", folder);
	unlink(path);
	return rmdir(folder);
}

/* Version 1: 32-bit times only and no rule. */
static void
changes_must_ascend_and_name_a_type_that_exists(void **state)
{
	char file[] = "TZif\0"
		      "...............\0\0\0\0\0\0\0\0\0\0\0\0"
		      "\0\0\0\2\0\0\0\2\0\0\0\4" /* counts */
		      "\0\0\1\0\0\0\2\0" /* at 256 and 512 s */
		      "\1\0"
		      "\0\0\0\0\0\0\0\0\x0E\x10\1\0ABC";
	const size_t len = sizeof(file);
	struct tz *z;

	(void)state;
	setenv("TZDIR", folder, 1);
	z = load_bytes(file, len, NULL);
	assert_non_null(z);
	assert_int_equal(tz_offset_at(z, 255000), 0);
	assert_int_equal(tz_offset_at(z, 256000), 3600);
	assert_int_equal(tz_offset_at(z, 512000), 0);
	assert_true(tz_next_change(z, 512000) == INT64_MAX);
	tz_free(z);
	file[50] = 1; /* both at 256 s */
	assert_null(load_bytes(file, len, NULL));
	file[50] = 0; /* the second one first */
	assert_null(load_bytes(file, len, NULL));
	file[50] = 2;
	file[52] = 2; /* a third type */
	assert_null(load_bytes(file, len, NULL));
	file[52] = 1;
	z = load_bytes(file, len, NULL);
	assert_non_null(z);
	tz_free(z);
	unsetenv("TZDIR");
}

static void
a_damaged_zone_file_is_refused_and_harms_nothing(void **state)
{
	char *data;
	size_t len;
	unsigned seed = 3;

	(void)state;
	assert_int_equal(file_read("/usr/share/zoneinfo/Europe/Zurich", 1 << 20,
			     &data, &len, NULL),
	    0);
	setenv("TZDIR", folder, 1);
	tz_free(load_bytes(data, len, NULL));
	for (size_t cut = 0; cut < len; cut += 1 + cut / 50) {
		struct err e = {0};

		assert_null(load_bytes(data, cut, &e));
		assert_int_equal(e.code, ERR_CONFIG);
	}
	for (int i = 0; i < 1000; i++) {
		char kept;
		size_t at;
		struct tz *z;

		seed = seed * 1103515245 + 12345;
		at = i < 100 ? (size_t)i : (seed >> 8) % len;
		kept = data[at];
		data[at] = (char)(seed >> 4);
		z = load_bytes(data, len, NULL);
		if (z != NULL) {
			tz_offset_at(z, INT64_MIN);
			tz_offset_at(z, INT64_MAX);
			tz_day_start(z, 2026, 1, 1);
			tz_day_start(z, 2126, 1, 1);
		}
		tz_free(z);
		data[at] = kept;
	}
	unsetenv("TZDIR");
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		offsets_agree_with_the_c_library_from_1900_to_2400),
	    cmocka_unit_test(the_change_itself_is_where_the_new_offset_begins),
	    cmocka_unit_test(utc_needs_no_file),
	    cmocka_unit_test(names_that_are_none_are_refused),
	    cmocka_unit_test(an_absent_zone_is_a_matter_of_configuration),
	    cmocka_unit_test(the_own_zone_is_that_of_tz),
	    cmocka_unit_test(rules_agree_with_the_c_library),
	    cmocka_unit_test(a_rule_may_change_at_the_turn_of_the_year),
	    cmocka_unit_test(a_tz_that_means_nothing_is_refused),
	    cmocka_unit_test(a_day_starts_at_its_first_instant),
	    cmocka_unit_test(changes_must_ascend_and_name_a_type_that_exists),
	    cmocka_unit_test(a_damaged_zone_file_is_refused_and_harms_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
