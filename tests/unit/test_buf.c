/* tests/unit/test_buf.c - base/buf.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void
what_is_added_stands_in_order_with_a_nul(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(buf_puts(&b, "ab"), 0);
	assert_int_equal(buf_putc(&b, 'c'), 0);
	assert_int_equal(buf_add(&b, "d\0e", 3), 0);
	assert_int_equal(buf_printf(&b, "%d-%s", 42, "x"), 0);
	assert_int_equal(b.len, 10);
	assert_memory_equal(b.data, "abcd\0e42-x", 11);
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(buf_puts(&b, "again"), 0);
	buf_clear(&b);
}

static void
exactly_the_limit_fits_and_one_more_does_not(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_putc(&b, 'x'), 0);
	assert_int_equal(b.len, 100);
	assert_int_equal(buf_putc(&b, 'x'), -1);
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

static void
after_a_failure_every_append_fails_until_reset(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_puts(&b, "abcde"), -1);
	assert_int_equal(buf_puts(&b, "a"), -1);
	assert_int_equal(buf_printf(&b, "a"), -1);
	assert_int_equal(buf_json_escape(&b, "a", 1), -1);
	assert_int_equal(buf_json_escape(&b, "", 0), -1);
	assert_string_equal(buf_text(&b), "");
	buf_reset(&b);
	assert_false(b.failed);
	assert_int_equal(buf_puts(&b, "abcd"), 0);
	assert_string_equal(buf_text(&b), "abcd");
	buf_clear(&b);
}

static void
a_limit_of_everything_does_not_overflow(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX - 1);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_puts(&b, "0123456789"), 0);
	assert_int_equal(b.len, 100000);
	assert_int_equal(strlen(b.data), 100000);
	buf_clear(&b);
}

static void
json_escape_escapes_what_json_needs(void **state)
{
	static const char in[] =
	    "plain \"q\" \\ \n\t\x01 \xC3\xBC \xC0\x80 \x7F";
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_json_escape(&b, in, sizeof(in) - 1), 0);
	assert_string_equal(buf_text(&b),
	    "plain \\\"q\\\" \\\\ \\n\\t\\u0001 \xC3\xBC "
	    "\xEF\xBF\xBD\xEF\xBF\xBD \\u007f");
	buf_reset(&b);
	assert_int_equal(buf_json_escape(&b, "a\0b", 3), 0);
	assert_string_equal(buf_text(&b), "a\\u0000b");
	buf_clear(&b);
}

static void
take_hands_over_and_empties(void **state)
{
	struct buf b;
	char *text;

	(void)state;
	buf_init(&b, 10);
	text = buf_take(&b);
	assert_string_equal(text, "");
	free(text);
	buf_puts(&b, "abc");
	text = buf_take(&b);
	assert_string_equal(text, "abc");
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
	free(text);
	buf_puts(&b, "0123456789");
	assert_string_equal(buf_text(&b), "0123456789");
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_added_stands_in_order_with_a_nul),
	    cmocka_unit_test(exactly_the_limit_fits_and_one_more_does_not),
	    cmocka_unit_test(after_a_failure_every_append_fails_until_reset),
	    cmocka_unit_test(a_limit_of_everything_does_not_overflow),
	    cmocka_unit_test(json_escape_escapes_what_json_needs),
	    cmocka_unit_test(take_hands_over_and_empties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
