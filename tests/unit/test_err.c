/* tests/unit/test_err.c - base/err.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

static void
set_fills_code_and_text_and_returns_minus_one(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_GONE, "event %d", 7), -1);
	assert_int_equal(e.code, ERR_GONE);
	assert_string_equal(e.text, "event 7");
	assert_true(e.retry_after_ms == -1);
}

static void
a_null_error_is_dropped(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_GONE, "x"), -1);
	assert_int_equal(err_set_errno(NULL, ERR_GONE, ENOENT, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	err_clear(NULL);
}

static void
errno_text_is_appended(void **state)
{
	struct err e = {0};

	(void)state;
	err_set_errno(&e, ERR_CONFIG, ENOENT, "open %s", "a.json");
	assert_string_equal(e.text, "open a.json: No such file or directory");
	err_set_errno(&e, ERR_CONFIG, 99999, "open");
	assert_string_equal(e.text, "open: errno 99999");
}

static void
errno_text_survives_a_path_that_fills_everything(void **state)
{
	struct err e = {0};
	char path[1000];

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	err_set_errno(&e, ERR_CONFIG, ENOENT, "%s", path);
	assert_non_null(strstr(e.text, "pp: No such file or directory"));
}

static void
wrap_puts_context_in_front_and_keeps_the_code(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_BUSY, "throttled");
	e.retry_after_ms = 3000;
	assert_int_equal(err_wrap(&e, "renew %s", "s1"), -1);
	assert_string_equal(e.text, "renew s1: throttled");
	assert_int_equal(e.code, ERR_BUSY);
	assert_true(e.retry_after_ms == 3000);
}

static void
an_error_may_be_made_of_its_own_text(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_RETRY, "inner");
	err_set(&e, ERR_RETRY, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
}

static void
long_text_is_cut_at_a_code_point(void **state)
{
	struct err e = {0};
	char text[1000] = "x";

	(void)state;
	/* Three bytes each: 319 is no multiple of 3 behind "x". */
	for (size_t i = 0; i < 300; i++)
		memcpy(text + 1 + 3 * i, "\xE2\x82\xAC", 4);
	err_set(&e, ERR_INPUT, "%s", text);
	assert_true(strlen(e.text) < ERR_TEXT_MAX);
	assert_true(strlen(e.text) > ERR_TEXT_MAX - 5);
	assert_true(text_is_utf8(e.text, strlen(e.text)));
	err_wrap(&e, "\xE2\x82\xAC");
	assert_true(text_is_utf8(e.text, strlen(e.text)));
}

/* What a peer said, and what "%.5s" has cut in the middle of a character. */
static void
what_is_no_utf8_is_replaced(void **state)
{
	struct err e = {0};
	char cut[ERR_TEXT_MAX + 8];

	(void)state;
	err_set(&e, ERR_AUTH, "[%.5s] %s", "aaaa\xC3\xA9", "\xFFz\xF0\x9F");
	assert_string_equal(
	    e.text, "[aaaa\xEF\xBF\xBD] \xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD");
	err_wrap(&e, "%.1s", "\xC3\xA9");
	assert_true(text_is_utf8(e.text, strlen(e.text)));
	err_set_errno(&e, ERR_CONFIG, ENOENT, "open \xE9");
	assert_string_equal(
	    e.text, "open \xEF\xBF\xBD: No such file or directory");
	/* Three bytes for each do not fit, and none is cut. */
	memset(cut, 0xFF, sizeof(cut) - 1);
	cut[sizeof(cut) - 1] = '\0';
	err_set(&e, ERR_AUTH, "%s", cut);
	assert_int_equal(strlen(e.text), (ERR_TEXT_MAX - 1) / 3 * 3);
	assert_true(text_is_utf8(e.text, strlen(e.text)));
}

static void
clear_makes_it_the_empty_error(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_INPUT, "x");
	err_clear(&e);
	assert_int_equal(e.code, ERR_NONE);
	assert_string_equal(e.text, "");
}

static void
every_code_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int a = ERR_NONE; a <= ERR_NEWER; a++) {
		for (int b = ERR_NONE; b < a; b++)
			assert_string_not_equal(err_code_name((enum err_code)a),
			    err_code_name((enum err_code)b));
	}
	assert_string_equal(err_code_name(ERR_RETRY), "retry");
	assert_string_equal(err_code_name((enum err_code)99), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set_fills_code_and_text_and_returns_minus_one),
	    cmocka_unit_test(a_null_error_is_dropped),
	    cmocka_unit_test(errno_text_is_appended),
	    cmocka_unit_test(errno_text_survives_a_path_that_fills_everything),
	    cmocka_unit_test(wrap_puts_context_in_front_and_keeps_the_code),
	    cmocka_unit_test(an_error_may_be_made_of_its_own_text),
	    cmocka_unit_test(long_text_is_cut_at_a_code_point),
	    cmocka_unit_test(what_is_no_utf8_is_replaced),
	    cmocka_unit_test(clear_makes_it_the_empty_error),
	    cmocka_unit_test(every_code_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
