/* tests/unit/test_scan_jansson.c - base/scan.h against Jansson. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"

static const struct scan_limits roomy = {
    SCAN_DEPTH_MAX, 1000000, SCAN_MEMBERS_MAX};

static const char sample[] =
    "{ \"value\" : [ {\"id\":\"a\\\"]}\",\"n\":-1.5,\"t\":true} , {} ,"
    "[ ], null ] ,\"e\":\"\\u00fc\\n\" }";

/* The document as Jansson has it, read by our walkers. */
static void
assert_same(const struct scan_value *v, const json_t *want)
{
	struct scan_value key;
	struct scan_value item;
	const char *cursor = NULL;
	size_t n = 0;
	char *text;

	if (v->type == SCAN_OBJECT) {
		assert_true(json_is_object(want));
		while (scan_member(v, &cursor, &key, &item)) {
			text = malloc(key.len + 1);
			assert_true(scan_copy(&key, text, key.len + 1) >= 0);
			assert_non_null(json_object_get(want, text));
			assert_same(&item, json_object_get(want, text));
			free(text);
			n++;
		}
		assert_int_equal(n, json_object_size(want));
	} else if (v->type == SCAN_ARRAY) {
		assert_true(json_is_array(want));
		while (scan_element(v, &cursor, &item))
			assert_same(&item, json_array_get(want, n++));
		assert_int_equal(n, json_array_size(want));
	} else if (v->type == SCAN_STRING) {
		text = malloc(v->len + 1);
		assert_int_equal(
		    scan_copy(v, text, v->len + 1), json_string_length(want));
		assert_string_equal(text, json_string_value(want));
		free(text);
	} else {
		assert_int_equal(v->type == SCAN_NUMBER, json_is_number(want));
		assert_int_equal(v->type == SCAN_TRUE, json_is_true(want));
		assert_int_equal(v->type == SCAN_FALSE, json_is_false(want));
		assert_int_equal(v->type == SCAN_NULL, json_is_null(want));
	}
}

static unsigned long
next_random(unsigned long *seed)
{
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return *seed >> 33;
}

/* One change: a byte set, a piece cut out, doubled or put elsewhere. */
static size_t
mutate(char *text, size_t len, size_t cap, unsigned long *seed)
{
	static const char bytes[] = "{}[]\",:\\/ueE+-.0123456789abtrfnl \n\t"
				    "\xC3\xA9\xE2\x82\xAC\xED\xA0\x80\xF0\x9F"
				    "\x98\x80\xFF\x01\x7F";
	static const char *const pieces[] = {"\\u0061", "\\ud83d\\ude00",
	    "\\ud800", "\"a\":", "\"\\u0061\":1,", "[[", "{}", "1e5", "-0.5",
	    "null", "\\", "\\\"", "\"id\":", ",", "e+"};
	size_t at = next_random(seed) % (len + 1);
	size_t n = next_random(seed) % 8 + 1;
	const char *piece;

	switch (next_random(seed) % 4) {
	case 0:
		if (at < len)
			text[at] =
			    bytes[next_random(seed) % (sizeof(bytes) - 1)];
		return len;
	case 1:
		if (n > len - at)
			n = len - at;
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	case 2:
		if (n > len - at || len + n > cap)
			return len;
		memmove(text + at + n, text + at, len - at);
		return len + n;
	default:
		piece = pieces[next_random(seed) %
		    (sizeof(pieces) / sizeof(pieces[0]))];
		n = strlen(piece);
		if (len + n > cap)
			return len;
		memmove(text + at + n, text + at, len - at);
		memcpy(text + at, piece, n);
		return len + n;
	}
}

/* True when both accept. */
static int
compare_with_jansson(const char *text, size_t len)
{
	struct scan_value top;
	json_error_t je;
	enum scan_result rc = scan_check(text, len, &roomy, &top, NULL);
	json_t *doc = json_loadb(
	    text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);

	if (doc == NULL && rc == SCAN_OK) {
		enum json_error_code code = json_error_code(&je);

		/* Limits of Jansson's own. */
		if (code != json_error_numeric_overflow &&
		    code != json_error_null_character &&
		    code != json_error_null_byte_in_key)
			fail_msg("only we accept (%s): %.*s", je.text, (int)len,
			    text);
	} else if (doc != NULL && rc != SCAN_OK) {
		fail_msg("only Jansson accepts: %.*s", (int)len, text);
	} else if (doc != NULL) {
		assert_same(&top, doc);
	}
	json_decref(doc);
	return rc == SCAN_OK && doc != NULL;
}

static void
random_changes_are_judged_as_jansson_does(void **state)
{
	static const char *const seeds[] = {sample,
	    "{\"value\":[{\"subscriptionId\":\"7f1d\",\"changeType\":"
	    "\"updated\",\"resource\":\"Users/1/Events/A=\",\"tenantId\":"
	    "\"84bd\",\"resourceData\":{\"@odata.type\":\"#x\",\"id\":"
	    "\"A=\"},\"clientState\":\"s\"}]}",
	    "[1,-2.5e3,0.1,true,false,null,\"\\u00e9\xC3\xA9\"]",
	    "{\"a\":{\"a\":{\"a\":[]}},\"b\":\"\\ud83d\\ude00\"}", "\"x\"",
	    "0"};
	unsigned long seed = 20260101;
	int accepted = 0;
	int refused = 0;

	(void)state;
	for (int round = 0; round < 60000; round++) {
		const char *from = seeds[next_random(&seed) %
		    (sizeof(seeds) / sizeof(seeds[0]))];
		char text[1024];
		size_t len = strlen(from);
		int changes = (int)(next_random(&seed) % 4) + 1;

		memcpy(text, from, len);
		for (int i = 0; i < changes; i++)
			len = mutate(text, len, sizeof(text), &seed);
		if (compare_with_jansson(text, len))
			accepted++;
		else
			refused++;
	}
	/* Both sides must have been seen often, or this proves nothing. */
	assert_true(accepted > 5000);
	assert_true(refused > 20000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_changes_are_judged_as_jansson_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
