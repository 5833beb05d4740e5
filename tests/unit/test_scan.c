/* tests/unit/test_scan.c - base/scan.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/scan.h"
#include "base/scan_string.h"

static const struct scan_limits roomy = {SCAN_DEPTH_MAX, 1000000, 1000000};

static enum scan_result
check(const char *text)
{
	struct scan_value top;

	return scan_check(text, strlen(text), &roomy, &top, NULL);
}

static void
every_kind_of_value_is_accepted(void **state)
{
	static const char *const good[] = {"{}", "[]", " [ ] ", "\"\"", "0",
	    "-0", "-1.5e+10", "1E9", "1e-2", "0.001", "true", "false", "null",
	    "\t\r\n 1 \n", "[1,[2,[3]],{}]", "{\"a\":{\"a\":1},\"b\":[{}]}",
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\\ud83d\\ude00\"",
	    "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \x7F\"", "\"\\u0000\"",
	    "[\"0123456789abcdef0123456789abcdef\\n0123456789abcdef\"]",
	    "123456789012345678901234567890", "{\"\":1,\" \":2}"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (check(good[i]) != SCAN_OK)
			fail_msg("refused: %s", good[i]);
	}
}

static void
what_is_not_json_is_refused(void **state)
{
	static const char *const bad[] = {"", " ", "{", "[", "}", "]", "[1",
	    "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
	    "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{,}", "[}",
	    "{]", "{\"a\":1]", "[1}", "01", "-", "-01", "+1", "1.", ".5",
	    "1.e5", "1e", "1e+", "0x10", "1 2", "1,", "truex", "tru", "True",
	    "nul", "NaN", "Infinity", "'a'", "\"", "\"a", "\"\\\"", "\"\\x\"",
	    "\"\\u12\"", "\"\\u12g4\"", "\"\\u 123\"", "\"a\nb\"", "\"a\tb\"",
	    "\"\x01\"", "\"\x1F\"", "\xEF\xBB\xBF{}", "/**/1", "1//", "[1]]",
	    "{}{}", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\ud800\"",
	    "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\udc00\\ud800\"",
	    "\x0B"
	    "1",
	    "\xC2\xA0"
	    "1"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i]) != SCAN_SYNTAX)
			fail_msg("not refused: %s", bad[i]);
	}
}

static void
what_is_not_utf8_is_refused(void **state)
{
	static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80",
	    "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE0\x9F\xBF",
	    "\xE2\x82", "\xE2(\x82", "\xED\xA0\x80", "\xED\xBF\xBF",
	    "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98",
	    "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		/* At each place of an eight-byte word. */
		for (int shift = 0; shift < 10; shift++) {
			snprintf(text, sizeof(text), "\"%.*s%s..........\"",
			    shift, "abcdefghij", bad[i]);
			assert_int_equal(check(text), SCAN_SYNTAX);
			snprintf(text, sizeof(text), "{\"%.*s%s\":1}", shift,
			    "abcdefghij", bad[i]);
			assert_int_equal(check(text), SCAN_SYNTAX);
		}
	}
}

static void
a_nul_byte_is_refused_wherever_it_stands(void **state)
{
	static const char text[] = "{\"a\":[1,\"b\"]} ";
	char copy[sizeof(text)];
	struct scan_value top;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		memcpy(copy, text, sizeof(text));
		copy[i] = '\0';
		assert_int_equal(
		    scan_check(copy, sizeof(text) - 1, &roomy, &top, NULL),
		    SCAN_SYNTAX);
	}
}

static void
the_place_of_the_fault_is_told(void **state)
{
	struct scan_value top;
	size_t where = 0;

	(void)state;
	assert_int_equal(
	    scan_check("[1, x]", 6, &roomy, &top, &where), SCAN_SYNTAX);
	assert_int_equal(where, 4);
	assert_int_equal(
	    scan_check("{\"a\":1, \"a\":2}", 14, &roomy, &top, &where),
	    SCAN_DUPLICATE);
	assert_int_equal(where, 8);
	assert_int_equal(
	    scan_check("[\"ab\xFF\"]", 7, &roomy, &top, &where), SCAN_SYNTAX);
	assert_int_equal(where, 4);
	assert_int_equal(
	    scan_check("[1", 2, &roomy, &top, &where), SCAN_SYNTAX);
	assert_int_equal(where, 2);
}

static void
depth_counts_open_containers(void **state)
{
	const struct scan_limits three = {3, 100, 9};
	const struct scan_limits none = {0, 100, 9};
	struct scan_value top;

	(void)state;
	assert_int_equal(scan_check("[[[1]]]", 7, &three, &top, NULL), SCAN_OK);
	assert_int_equal(
	    scan_check("[[{\"a\":1}]]", 11, &three, &top, NULL), SCAN_OK);
	assert_int_equal(
	    scan_check("[[[[]]]]", 8, &three, &top, NULL), SCAN_DEPTH);
	assert_int_equal(
	    scan_check("[[[{}]]]", 8, &three, &top, NULL), SCAN_DEPTH);
	assert_int_equal(
	    scan_check("[[[],[]],[[]]]", 14, &three, &top, NULL), SCAN_OK);
	assert_int_equal(scan_check("1", 1, &none, &top, NULL), SCAN_OK);
	assert_int_equal(scan_check("[]", 2, &none, &top, NULL), SCAN_DEPTH);
}

static void
no_limit_allows_more_than_the_greatest_depth(void **state)
{
	const struct scan_limits huge = {1000000, 1000000, 1000000};
	char text[2 * SCAN_DEPTH_MAX + 3];
	struct scan_value top;

	(void)state;
	for (size_t n = SCAN_DEPTH_MAX; n <= SCAN_DEPTH_MAX + 1; n++) {
		memset(text, '[', n);
		memset(text + n, ']', n);
		assert_int_equal(scan_check(text, 2 * n, &huge, &top, NULL),
		    n == SCAN_DEPTH_MAX ? SCAN_OK : SCAN_DEPTH);
	}
}

static void
a_mebibyte_of_brackets_is_refused_at_once(void **state)
{
	size_t len = 1 << 20;
	char *text = malloc(len);
	struct scan_value top;
	size_t where;

	(void)state;
	memset(text, '[', len);
	assert_int_equal(
	    scan_check(text, len, &roomy, &top, &where), SCAN_DEPTH);
	assert_int_equal(where, SCAN_DEPTH_MAX);
	free(text);
}

static void
values_are_counted_containers_included(void **state)
{
	const struct scan_limits four = {9, 4, 9};
	struct scan_value top;

	(void)state;
	assert_int_equal(
	    scan_check("[1,{\"a\":2}]", 11, &four, &top, NULL), SCAN_OK);
	assert_int_equal(
	    scan_check("[1,{\"a\":2},3]", 13, &four, &top, NULL), SCAN_COUNT);
}

static void
a_key_given_twice_is_found_however_it_is_written(void **state)
{
	static const char *const bad[] = {"{\"a\":1,\"a\":2}",
	    "{\"a\":1,\"b\":{\"c\":1},\"a\":2}", "{\"\":1,\"\":2}",
	    "{\"a\":1,\"\\u0061\":2}", "{\"\\u0061\":1,\"a\":2}",
	    "{\"changeType\":1,\"x\":2,\"change\\u0054ype\":3}",
	    "{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}",
	    "{\"12345678\":1,\"1234567\\u0038\":2}",
	    "[{\"z\":{\"q\":1,\"q\":2}}]", "{\"a\\n\":1,\"a\\u000a\":1}",
	    "{\"/\":1,\"\\/\":1}"};
	static const char *const good[] = {"{\"a\":1,\"b\":{\"a\":1},\"c\":1}",
	    "[{\"a\":1},{\"a\":1}]", "{\"a\":{\"b\":1},\"b\":1}",
	    "{\"abcdefgh-1-abcdefgh\":1,\"abcdefgh-2-abcdefgh\":1}",
	    "{\"a\":1,\"A\":1}", "{\"a\":1,\"a \":1,\" a\":1,\"aa\":1}",
	    "{\"a\":1,\"a\\u0000\":1,\"\\u0000a\":1,\"\\u0000\":1,\"\":1}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i]) != SCAN_DUPLICATE)
			fail_msg("not found: %s", bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (check(good[i]) != SCAN_OK)
			fail_msg("refused: %s", good[i]);
	}
}

static void
an_object_holds_a_bounded_number_of_members(void **state)
{
	struct buf b;

	(void)state;
	for (int n = SCAN_MEMBERS_MAX; n <= SCAN_MEMBERS_MAX + 1; n++) {
		buf_init(&b, 1 << 20);
		for (int i = 0; i < n; i++)
			buf_printf(&b, "%s\"key-%d\":1", i == 0 ? "{" : ",", i);
		buf_putc(&b, '}');
		assert_int_equal(check(buf_text(&b)),
		    n == SCAN_MEMBERS_MAX ? SCAN_OK : SCAN_COUNT);
		buf_clear(&b);
	}
}

static void
members_are_counted_for_each_object_alone(void **state)
{
	const struct scan_limits two = {9, 100, 2};
	static const char good[] = "{\"a\":{\"a\":1,\"b\":2},\"b\":[3,4,5]}";
	static const char bad[] = "{\"a\":{\"a\":1,\"b\":2},\"b\":3,\"c\":4}";
	struct scan_value top;

	(void)state;
	assert_int_equal(
	    scan_check(good, strlen(good), &two, &top, NULL), SCAN_OK);
	assert_int_equal(
	    scan_check(bad, strlen(bad), &two, &top, NULL), SCAN_COUNT);
}

/* The walkers' view of a string. */
static struct scan_value
key_of(const char *quoted)
{
	struct scan_value v;

	assert_int_equal(
	    scan_check(quoted, strlen(quoted), &roomy, &v, NULL), SCAN_OK);
	return v;
}

/* Only keys with one hash are compared byte by byte, so the cost of a body is
 * its length and, for each pair of an object's keys, one comparison of hashes:
 * also when the keys are alike in length, beginning and end. */
static void
keys_made_to_look_alike_have_hashes_of_their_own(void **state)
{
	enum { COUNT = 1020 };
	const uint64_t seed[2] = {1, 2};
	const uint64_t other[2] = {1, 3};
	static uint64_t prints[COUNT];
	char text[1100];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		struct scan_value v;

		text[0] = '"';
		for (int n = 1; n < 1000; n += 2)
			memcpy(text + n, "\\n", 2);
		snprintf(text + 1001, sizeof(text) - 1001, "%04dbbbbbbbb\"", i);
		v = key_of(text);
		prints[i] = scan_string_print(&v, seed);
		assert_true(prints[i] != scan_string_print(&v, other));
		for (int j = 0; j < i; j++)
			assert_true(prints[i] != prints[j]);
	}
}

static void
a_key_has_one_hash_however_it_is_written(void **state)
{
	static const char *const same[][2] = {{"\"a\"", "\"\\u0061\""},
	    {"\"12345678\"", "\"1234567\\u0038\""},
	    {"\"changeType\"", "\"chan\\u0067eType\""},
	    {"\"\\n\"", "\"\\u000A\""}, {"\"/\"", "\"\\/\""},
	    {"\"\xF0\x9F\x98\x80 sixteen more\"",
		"\"\\ud83d\\ude00\\u0020sixteen more\""}};
	const uint64_t seed[2] = {3, 4};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct scan_value a = key_of(same[i][0]);
		struct scan_value b = key_of(same[i][1]);

		if (scan_string_print(&a, seed) != scan_string_print(&b, seed))
			fail_msg("%s is not %s", same[i][0], same[i][1]);
	}
}

static const char sample[] =
    "{ \"value\" : [ {\"id\":\"a\\\"]}\",\"n\":-1.5,\"t\":true} , {} ,"
    "[ ], null ] ,\"e\":\"\\u00fc\\n\" }";

static void
members_and_elements_are_walked_in_order(void **state)
{
	struct scan_value top;
	struct scan_value key;
	struct scan_value value;
	struct scan_value item;
	const char *members = NULL;
	const char *items = NULL;
	const char *inner = NULL;

	(void)state;
	assert_int_equal(
	    scan_check(sample, strlen(sample), &roomy, &top, NULL), SCAN_OK);
	assert_int_equal(top.type, SCAN_OBJECT);
	assert_int_equal(top.len, strlen(sample));
	assert_true(scan_member(&top, &members, &key, &value));
	assert_true(scan_equals(&key, "value"));
	assert_int_equal(value.type, SCAN_ARRAY);

	assert_true(scan_element(&value, &items, &item));
	assert_int_equal(item.type, SCAN_OBJECT);
	assert_true(scan_member(&item, &inner, &key, &top));
	assert_true(scan_equals(&key, "id"));
	assert_true(scan_equals(&top, "a\"]}"));
	assert_true(scan_member(&item, &inner, &key, &top));
	assert_int_equal(top.type, SCAN_NUMBER);
	assert_int_equal(top.len, 4);
	assert_true(scan_member(&item, &inner, &key, &top));
	assert_int_equal(top.type, SCAN_TRUE);
	assert_false(scan_member(&item, &inner, &key, &top));

	assert_true(scan_element(&value, &items, &item));
	inner = NULL;
	assert_false(scan_member(&item, &inner, &key, &top));
	assert_true(scan_element(&value, &items, &item));
	assert_int_equal(item.type, SCAN_ARRAY);
	inner = NULL;
	assert_false(scan_element(&item, &inner, &top));
	assert_true(scan_element(&value, &items, &item));
	assert_int_equal(item.type, SCAN_NULL);
	assert_int_equal(item.len, 4);
	assert_false(scan_element(&value, &items, &item));
}

static void
walking_what_is_no_container_ends_at_once(void **state)
{
	struct scan_value top;
	struct scan_value a;
	struct scan_value b;
	const char *cursor = NULL;

	(void)state;
	assert_int_equal(scan_check("\"{}\"", 4, &roomy, &top, NULL), SCAN_OK);
	assert_false(scan_member(&top, &cursor, &a, &b));
	assert_false(scan_element(&top, &cursor, &a));
	assert_int_equal(scan_check("[1]", 3, &roomy, &top, NULL), SCAN_OK);
	assert_false(scan_member(&top, &cursor, &a, &b));
}

static struct scan_value
string_of(const char *text)
{
	struct scan_value v;

	assert_int_equal(
	    scan_check(text, strlen(text), &roomy, &v, NULL), SCAN_OK);
	return v;
}

static void
copy_unescapes_and_keeps_within_its_room(void **state)
{
	struct scan_value v = string_of(
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00x\"");
	static const char want[] =
	    "\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80x";
	char out[64];

	(void)state;
	assert_true(v.escaped);
	assert_int_equal(scan_copy(&v, out, sizeof(out)), sizeof(want) - 1);
	assert_string_equal(out, want);
	assert_int_equal(scan_copy(&v, out, sizeof(want)), sizeof(want) - 1);
	assert_int_equal(scan_copy(&v, out, sizeof(want) - 1), -1);
	v = string_of("\"abc\"");
	assert_false(v.escaped);
	assert_int_equal(scan_copy(&v, out, 4), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(scan_copy(&v, out, 3), -1);
	assert_int_equal(scan_copy(&v, out, 0), -1);
	v = string_of("\"a\\u0000b\"");
	assert_int_equal(scan_copy(&v, out, sizeof(out)), -1);
	v = string_of("12");
	assert_int_equal(scan_copy(&v, out, sizeof(out)), -1);
}

static void
equals_compares_unescaped_text(void **state)
{
	struct scan_value v = string_of("\"caf\\u00e9\"");

	(void)state;
	assert_true(scan_equals(&v, "caf\xC3\xA9"));
	assert_false(scan_equals(&v, "caf"));
	assert_false(scan_equals(&v, "caf\xC3\xA9s"));
	v = string_of("\"a\\u0000b\"");
	assert_false(scan_equals(&v, "a"));
	v = string_of("\"plain\"");
	assert_true(scan_equals(&v, "plain"));
	assert_false(scan_equals(&v, "plai"));
	assert_false(scan_equals(&v, "plains"));
	v = string_of("true");
	assert_false(scan_equals(&v, "true"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_of_value_is_accepted),
	    cmocka_unit_test(what_is_not_json_is_refused),
	    cmocka_unit_test(what_is_not_utf8_is_refused),
	    cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
	    cmocka_unit_test(the_place_of_the_fault_is_told),
	    cmocka_unit_test(depth_counts_open_containers),
	    cmocka_unit_test(no_limit_allows_more_than_the_greatest_depth),
	    cmocka_unit_test(a_mebibyte_of_brackets_is_refused_at_once),
	    cmocka_unit_test(values_are_counted_containers_included),
	    cmocka_unit_test(a_key_given_twice_is_found_however_it_is_written),
	    cmocka_unit_test(an_object_holds_a_bounded_number_of_members),
	    cmocka_unit_test(members_are_counted_for_each_object_alone),
	    cmocka_unit_test(keys_made_to_look_alike_have_hashes_of_their_own),
	    cmocka_unit_test(a_key_has_one_hash_however_it_is_written),
	    cmocka_unit_test(members_and_elements_are_walked_in_order),
	    cmocka_unit_test(walking_what_is_no_container_ends_at_once),
	    cmocka_unit_test(copy_unescapes_and_keeps_within_its_room),
	    cmocka_unit_test(equals_compares_unescaped_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
