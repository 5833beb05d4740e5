/* tests/unit/test_validation.c - which validationToken is echoed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rule/validation.h"

static char token[VALIDATION_TOKEN_MAX + 1];

static void
echoes(const char *query, const char *want)
{
	const char *why;
	size_t len = 0;

	assert_int_equal(
	    validation_parse(query, token, &len, &why), VALIDATION_TOKEN);
	assert_string_equal(token, want);
	assert_int_equal(len, strlen(want));
	assert_null(why);
}

static void
refuses(const char *query, const char *want)
{
	const char *why;
	size_t len = 0;

	assert_int_equal(
	    validation_parse(query, token, &len, &why), VALIDATION_BAD);
	assert_string_equal(why, want);
}

static void
is_none(const char *query)
{
	const char *why;
	size_t len = 0;

	assert_int_equal(
	    validation_parse(query, token, &len, &why), VALIDATION_NONE);
}

static void
a_token_is_form_decoded_exactly_once(void **state)
{
	(void)state;
	echoes("validationToken=abc", "abc");
	echoes("validationToken=Validation%3a+Testing+client%20application",
	    "Validation: Testing client application");
	echoes("validationToken=a%2Bb%2bc", "a+b+c");
	echoes("validationToken=%2541", "%41");
	echoes("validationToken=a=b=", "a=b=");
	echoes("validationToken=%3Cscript%3Ealert(1)%3C/script%3E",
	    "<script>alert(1)</script>");
	echoes("validationToken=Gr%C3%BCezi",
	    "Gr\xc3\xbc"
	    "ezi");
}

static void
its_name_may_be_in_any_case_and_anywhere(void **state)
{
	(void)state;
	echoes("validationtoken=x", "x");
	echoes("VALIDATIONTOKEN=x", "x");
	echoes("a=b&validationToken=x&c", "x");
	echoes("&&validationToken=x&", "x");
	echoes("validation%54oken=x", "x");
}

static void
other_parameters_are_none(void **state)
{
	(void)state;
	is_none("");
	is_none("&");
	is_none("&&&");
	is_none("=");
	is_none("validationToke=x");
	is_none("validationTokenx=x");
	is_none("xvalidationToken=x");
	is_none("a=validationToken");
	is_none("%zz=1&%");
}

static void
an_empty_token_is_refused(void **state)
{
	(void)state;
	refuses("validationToken=", "empty validationToken");
	refuses("validationToken", "empty validationToken");
	refuses("a&validationToken=&b", "empty validationToken");
}

static void
two_tokens_are_refused(void **state)
{
	(void)state;
	refuses("validationToken=a&validationToken=a", "two validationTokens");
	refuses("validationToken=a&VALIDATIONTOKEN=b", "two validationTokens");
	refuses("validationToken=&validationToken=b", "two validationTokens");
}

static void
control_characters_are_refused(void **state)
{
	static const char *const queries[] = {"validationToken=a%00",
	    "validationToken=%0d%0aSet-Cookie:x", "validationToken=%0A",
	    "validationToken=%09", "validationToken=%1f", "validationToken=%7F",
	    "validationToken=%C2%85"};

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		refuses(
		    queries[i], "control characters in the validationToken");
}

static void
broken_escapes_and_broken_utf8_are_refused(void **state)
{
	(void)state;
	refuses("validationToken=%",
	    "validationToken too long or with a broken escape");
	refuses("validationToken=%4",
	    "validationToken too long or with a broken escape");
	refuses("validationToken=%g0",
	    "validationToken too long or with a broken escape");
	refuses("validationToken=%ff", "validationToken is not UTF-8");
	refuses("validationToken=%C0%80", "validationToken is not UTF-8");
}

static void
two_kibibytes_decoded_are_the_limit(void **state)
{
	static char query[16 + 3 * (VALIDATION_TOKEN_MAX + 1) + 1];
	const char *why;
	size_t len = 0;

	(void)state;
	memcpy(query, "validationToken=", 17);
	for (int i = 0; i < VALIDATION_TOKEN_MAX; i++)
		memcpy(query + 16 + 3 * i, "%41", 4);
	assert_int_equal(
	    validation_parse(query, token, &len, &why), VALIDATION_TOKEN);
	assert_int_equal(len, VALIDATION_TOKEN_MAX);
	memcpy(query + 16 + 3 * VALIDATION_TOKEN_MAX, "A", 2);
	refuses(query, "validationToken too long or with a broken escape");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_is_form_decoded_exactly_once),
	    cmocka_unit_test(its_name_may_be_in_any_case_and_anywhere),
	    cmocka_unit_test(other_parameters_are_none),
	    cmocka_unit_test(an_empty_token_is_refused),
	    cmocka_unit_test(two_tokens_are_refused),
	    cmocka_unit_test(control_characters_are_refused),
	    cmocka_unit_test(broken_escapes_and_broken_utf8_are_refused),
	    cmocka_unit_test(two_kibibytes_decoded_are_the_limit),
	};

	return cmocka_run_group_tests_name("validation", tests, NULL, NULL);
}
