/* tests/unit/test_json.c - base/json.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static void
a_document_is_read_and_written_again(void **state)
{
	static const char text[] =
	    "{\"b\":1,\"a\":[true,null,\"\xC3\xBC\"],\"c\":{\"d\":-5}}";
	struct err e = {0};
	json_t *doc = json_load_strict(text, strlen(text), &e);
	char *again;

	(void)state;
	assert_non_null(doc);
	again = json_text(doc);
	assert_string_equal(again, text);
	free(again);
	json_decref(doc);
}

static void
members_are_found_only_with_their_type(void **state)
{
	static const char text[] = "{\"s\":\"x\",\"o\":{},\"a\":[],\"n\":7,"
				   "\"r\":7.5,\"t\":true,\"f\":false}";
	struct err e = {0};
	json_t *doc = json_load_strict(text, strlen(text), &e);

	(void)state;
	assert_string_equal(json_str(doc, "s"), "x");
	assert_null(json_str(doc, "n"));
	assert_null(json_str(doc, "missing"));
	assert_null(json_str(json_obj(doc, "missing"), "s"));
	assert_null(json_str(json_arr(doc, "a"), "s"));
	assert_non_null(json_obj(doc, "o"));
	assert_null(json_obj(doc, "a"));
	assert_non_null(json_arr(doc, "a"));
	assert_null(json_arr(doc, "o"));
	assert_int_equal(json_int(doc, "n", -1), 7);
	assert_int_equal(json_int(doc, "r", -1), -1);
	assert_int_equal(json_int(doc, "s", -1), -1);
	assert_true(json_flag(doc, "t", false));
	assert_false(json_flag(doc, "f", true));
	assert_true(json_flag(doc, "n", true));
	assert_false(json_flag(NULL, "t", false));
	json_decref(doc);
}

static void
each_fault_is_named_with_line_and_column(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
	    {"", "line 1 column 1: ends too early"},
	    {"{\n \"a\": 1,\n}", "line 3 column 1: unexpected '}'"},
	    {"{\n \"a\": [1,\n", "line 3 column 1: ends too early"},
	    {"{\"\xC3\xBC\xC3\xBC\":x}", "line 1 column 7: unexpected 'x'"},
	    {"{\"a\":\xE2\x82\xAC}",
		"line 1 column 6: unexpected '\xE2\x82\xAC'"},
	    {"{\"a\":\"\xC0\x80\"}", "line 1 column 7: not UTF-8"},
	    {"{\"a\":\"\x01\"}", "line 1 column 7: control character U+0001"},
	    {"{\"a\":\"\\q\"}", "line 1 column 7: bad escape"},
	    {"{\"a\":1,\n\"a\":2}",
		"line 2 column 1: the key \"a\" is given twice"},
	    {"{\"a\":1} x", "line 1 column 9: unexpected 'x'"},
	    {"\"text\"", "line 1 column 1: neither an object nor an array"},
	    {"[1e999]", "line 1 column 6: real number overflow"},
	    {"[99999999999999999999]", "too big integer"},
	    {"{\"a\\u0000\":1}", "NUL byte in object key"},
	    {"[\"\\u0000\"]", "\\u0000 is not allowed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = {0};

		assert_null(
		    json_load_strict(cases[i].text, strlen(cases[i].text), &e));
		assert_int_equal(e.code, ERR_INPUT);
		if (strstr(e.text, cases[i].want) == NULL)
			fail_msg("%s: %s", cases[i].text, e.text);
	}
}

static void
what_a_user_typed_never_breaks_an_answer(void **state)
{
	/* U+FFFD stands for what is no text; all else is as it was */
	static const char *const cases[][2] = {
	    {"\\u0000", "\xEF\xBF\xBD"},
	    {"a\\ud800", "a\xEF\xBF\xBD"},
	    {"\\uDC00b",
		"\xEF\xBF\xBD"
		"b"},
	    {"\\ud83d\\ud83d\\ude00", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
	    {"\\ud83dx\\ude00", "\xEF\xBF\xBDx\xEF\xBF\xBD"},
	    {"\\\\ud800\\u0000", "\\ud800\xEF\xBF\xBD"},
	    {"\\\"\\ud800\\\"", "\"\xEF\xBF\xBD\""},
	    {"\\u00e4", "\xC3\xA4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		struct err e = {0};
		json_t *doc;

		snprintf(text, sizeof(text), "{\"s\":\"%s\"}", cases[i][0]);
		doc = json_load_foreign(text, strlen(text), &e);
		if (doc == NULL)
			fail_msg("%s: %s", text, e.text);
		assert_string_equal(json_str(doc, "s"), cases[i][1]);
		json_decref(doc);
	}
}

static void
what_is_not_json_stays_refused(void **state)
{
	static const char *const cases[] = {"", "{", "{\"s\":\"\\ud800\"",
	    "{\"s\":\"\\u00\"}", "{\"s\":\"\\ud8\"}", "{\"a\":\"\\ud800\\q\"}",
	    "{\"s\":\"\\", "\\", "\\u0000", "[\"\xFF\\u0000\"]"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* without a NUL behind it, so that a step too far is seen */
		size_t len = strlen(cases[i]);
		char *text = malloc(len + 1);
		struct err e = {0};

		assert_non_null(text);
		memcpy(text, cases[i], len);
		assert_null(json_load_foreign(text, len, &e));
		assert_int_equal(e.code, ERR_INPUT);
		free(text);
	}
}

static void
depth_and_count_are_bounded(void **state)
{
	char deep[2 * JSON_DEPTH_MAX + 3] = "";
	size_t len = 2 * (JSON_VALUES_MAX + 1) + 2;
	char *many = malloc(len);
	struct err e = {0};
	json_t *doc;

	(void)state;
	memset(deep, '[', JSON_DEPTH_MAX);
	memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	doc = json_load_strict(deep, strlen(deep), &e);
	assert_non_null(doc);
	json_decref(doc);
	memset(deep, '[', JSON_DEPTH_MAX + 1);
	memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_null(json_load_strict(deep, strlen(deep), &e));
	assert_non_null(strstr(e.text, "nested deeper than 32"));

	many[0] = '[';
	for (size_t i = 1; i < len - 2; i += 2)
		memcpy(many + i, "0,", 2);
	memcpy(many + len - 3, "0]", 2);
	assert_null(json_load_strict(many, len - 1, &e));
	assert_non_null(strstr(e.text, "too many values"));
	free(many);
}

static void
a_scalar_of_our_own_can_be_written(void **state)
{
	json_t *s = json_string("a\"b");
	char *text = json_text(s);

	(void)state;
	assert_string_equal(text, "\"a\\\"b\"");
	free(text);
	json_decref(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_document_is_read_and_written_again),
	    cmocka_unit_test(members_are_found_only_with_their_type),
	    cmocka_unit_test(each_fault_is_named_with_line_and_column),
	    cmocka_unit_test(what_a_user_typed_never_breaks_an_answer),
	    cmocka_unit_test(what_is_not_json_stays_refused),
	    cmocka_unit_test(depth_and_count_are_bounded),
	    cmocka_unit_test(a_scalar_of_our_own_can_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
