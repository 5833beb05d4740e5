/* tests/unit/test_text.c - base/text.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void
every_code_point_goes_round(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10FFFF; c++) {
		char out[4];
		uint32_t back;
		size_t n = text_put_code_point(c, out);

		if (c >= 0xD800 && c <= 0xDFFF) {
			assert_int_equal(text_code_point(out, n, &back), 0);
			continue;
		}
		assert_int_equal(text_code_point(out, n, &back), n);
		assert_int_equal(back, c);
		/* Cut short it is nothing. */
		assert_int_equal(text_code_point(out, n - 1, &back), 0);
		assert_int_equal(back, 0xFFFD);
	}
}

static void
exactly_the_valid_forms_are_utf8(void **state)
{
	unsigned long count = 0;

	(void)state;
	/* All of three bytes: 2048 of two, the rest by Unicode table 3-7. */
	for (unsigned long i = 0; i < 1UL << 24; i++) {
		const char b[3] = {(char)(i >> 16), (char)(i >> 8), (char)i};
		uint32_t c;

		count += text_code_point(b, 3, &c) == 3;
	}
	assert_int_equal(count, 0x10000 - 0x800 - 2048);
	assert_true(text_is_utf8("a\0b", 3));
	assert_true(text_is_utf8("", 0));
	assert_false(text_is_utf8("a\xC0\x80", 3));
	assert_false(text_is_utf8("a\xED\xA0\x80", 4));
	assert_false(text_is_utf8("a\xF4\x90\x80\x80", 5));
}

static void
cuts_fall_between_code_points(void **state)
{
	static const char text[] = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z";
	static const size_t by_bytes[] = {
	    0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
	static const size_t by_chars[] = {0, 1, 3, 6, 10, 11, 11};

	(void)state;
	for (size_t i = 0; i < sizeof(by_bytes) / sizeof(by_bytes[0]); i++)
		assert_int_equal(text_cut_bytes(text, i), by_bytes[i]);
	for (size_t i = 0; i < sizeof(by_chars) / sizeof(by_chars[0]); i++)
		assert_int_equal(text_cut_chars(text, i), by_chars[i]);
	/* What is no UTF-8 is still cut somewhere. */
	assert_int_equal(
	    text_cut_bytes("\x80\x80\x80\x80\x80\x80\x80\x80", 6), 6);
	assert_int_equal(text_cut_chars("\x80\x80\x80", 2), 2);
}

static void
trim_takes_unicode_blanks_from_both_ends_only(void **state)
{
	static const char *const cases[][2] = {
	    {"", ""},
	    {"  ", ""},
	    {"a", "a"},
	    {" \t\r\n a b \v\f", "a b"},
	    {"\xC2\xA0\xE2\x80\x83x\xE3\x80\x80y\xE2\x80\xAF\xEF\xBB\xBF",
		"x\xE3\x80\x80y"},
	    {"\xE2\x80\x8B", ""},
	    {" \xFF ", "\xFF"},
	    {"\xC3\xBC ", "\xC3\xBC"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = text_trim(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
		free(got);
	}
}

static void
copy_refuses_what_does_not_fit(void **state)
{
	char out[4] = "zzz";

	(void)state;
	assert_true(text_copy(out, sizeof(out), "abc"));
	assert_string_equal(out, "abc");
	assert_false(text_copy(out, sizeof(out), "abcd"));
	assert_string_equal(out, "");
	out[0] = 'z';
	assert_false(text_copy(out, 0, ""));
	assert_int_equal(out[0], 'z');
}

static void
guids_are_recognised_and_lowered(void **state)
{
	static const char guid[] = "84BD8158-6d4d-4958-8b9f-9d6445542F95";
	char out[37];

	(void)state;
	assert_true(text_is_guid(guid));
	assert_true(text_guid_lower(out, guid));
	assert_string_equal(out, "84bd8158-6d4d-4958-8b9f-9d6445542f95");
	for (size_t i = 0; i < 36; i++) {
		char bad[37];

		memcpy(bad, guid, sizeof(bad));
		bad[i] = 'g';
		assert_false(text_is_guid(bad));
		bad[i] = '\0';
		assert_false(text_guid_lower(out, bad));
		assert_string_equal(out, "");
	}
	assert_false(text_is_guid("84BD8158-6d4d-4958-8b9f-9d6445542F950"));
	assert_false(text_is_guid("{84BD8158-6d4d-4958-8b9f-9d6445542F95}"));
}

static void
ids_hold_nothing_that_needs_escaping(void **state)
{
	(void)state;
	assert_true(text_is_id("AAMkAG-_=09", 11));
	assert_false(text_is_id("AAMkAG-_=09", 10));
	assert_false(text_is_id("", 10));
	assert_false(text_is_id("a/b", 10));
	assert_false(text_is_id("a.b", 10));
	assert_false(text_is_id("a b", 10));
	assert_false(text_is_id("\xC3\xBC", 10));
}

static void
distance_counts_edits_and_is_capped(void **state)
{
	char a[200];
	char b[200];

	(void)state;
	assert_int_equal(text_distance("", "", 9), 0);
	assert_int_equal(text_distance("abc", "abc", 9), 0);
	assert_int_equal(text_distance("abc", "", 9), 3);
	assert_int_equal(text_distance("tenantIds", "tenantIDs", 9), 1);
	assert_int_equal(text_distance("tenantIds", "tenantId", 9), 1);
	assert_int_equal(text_distance("tenantIds", "tenatnIds", 9), 1);
	assert_int_equal(text_distance("kitten", "sitting", 9), 3);
	assert_int_equal(text_distance("ca", "abc", 9), 3);
	assert_int_equal(text_distance("abcdef", "uvwxyz", 3), 3);
	memset(a, 'a', sizeof(a));
	a[199] = '\0';
	memcpy(b, a, sizeof(b));
	assert_int_equal(text_distance(a, b, 3), 0);
	b[0] = 'b';
	assert_int_equal(text_distance(a, b, 3), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_code_point_goes_round),
	    cmocka_unit_test(exactly_the_valid_forms_are_utf8),
	    cmocka_unit_test(cuts_fall_between_code_points),
	    cmocka_unit_test(trim_takes_unicode_blanks_from_both_ends_only),
	    cmocka_unit_test(copy_refuses_what_does_not_fit),
	    cmocka_unit_test(guids_are_recognised_and_lowered),
	    cmocka_unit_test(ids_hold_nothing_that_needs_escaping),
	    cmocka_unit_test(distance_counts_edits_and_is_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
