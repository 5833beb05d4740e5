/* tests/unit/test_retry.c - rule/retry.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include <limits.h>

#include "rule/retry.h"

static void
the_window_doubles_up_to_the_cap(void **state)
{
	static const int64_t windows[] = {
	    1000, 2000, 4000, 8000, 16000, 20000, 20000};

	(void)state;
	for (int i = 0; i < 7; i++) {
		uint64_t top = (uint64_t)windows[i];

		/* random modulo (window + 1): both ends are reached. */
		assert_true(retry_delay_ms(i, 1000, 20000, 0) == 0);
		assert_true(retry_delay_ms(i, 1000, 20000, top) == windows[i]);
		assert_true(retry_delay_ms(i, 1000, 20000, top + 1) == 0);
	}
}

static void
no_attempt_number_or_random_number_leaves_the_window(void **state)
{
	(void)state;
	for (uint64_t r = 1; r != 0; r <<= 1) {
		int64_t ms = retry_delay_ms(INT32_MAX, 1000, INT64_MAX, r);

		assert_true(ms >= 0);
		ms = retry_delay_ms(-5, 1000, 20000, r - 1);
		assert_true(ms >= 0 && ms <= 1000);
		ms = retry_delay_ms(63, 1, 900000, ~r);
		assert_true(ms >= 0 && ms <= 900000);
	}
	assert_true(retry_delay_ms(3, 0, 0, 77) == 0);
	assert_true(retry_delay_ms(0, 50000, 20000, 20000) == 20000);
}

static void
what_the_peer_asked_for_is_the_least(void **state)
{
	struct err e = {.code = ERR_BUSY, .retry_after_ms = 120000};

	(void)state;
	for (uint64_t r = 1; r != 0; r <<= 1) {
		int64_t ms = retry_wait_ms(&e, 0, r - 1);

		assert_true(ms >= 120000 && ms <= 132000);
	}
	e.code = ERR_RETRY; /* a 503 with Retry-After */
	assert_true(retry_wait_ms(&e, 0, 0) == 120000);
	e.retry_after_ms = 0;
	assert_true(retry_wait_ms(&e, 0, 1500) == 1500);
	assert_true(retry_wait_ms(&e, 5, 50000) == 50000);
}

static void
an_absurd_wish_of_the_peer_is_capped(void **state)
{
	struct err e = {.code = ERR_BUSY, .retry_after_ms = INT64_MAX};

	(void)state;
	assert_true(retry_wait_ms(&e, 0, 0) == RETRY_AFTER_MAX_MS);
	assert_true(retry_wait_ms(&e, 0, UINT64_MAX) <=
	    RETRY_AFTER_MAX_MS + RETRY_AFTER_MAX_MS / 10);
}

static void
the_first_fault_is_repeated_within_ten_seconds(void **state)
{
	struct err e = {.code = ERR_RETRY, .retry_after_ms = -1};

	(void)state;
	for (uint64_t r = 1; r != 0; r <<= 1)
		assert_true(retry_wait_ms(&e, 0, r - 1) <= 10000);
	/* Later ones may wait longer, up to the cap. */
	assert_true(retry_wait_ms(&e, 30, RETRY_CAP_MS) == RETRY_CAP_MS);
}

static void
who_was_refused_comes_behind_those_who_waited_with_him(void **state)
{
	(void)state;
	/* They wait for what is left of the pause, and a tenth of it. */
	assert_true(
	    retry_forbidden_ms(0) > RETRY_FORBIDDEN_MS * 11 / 10 + 1000);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    retry_forbidden_ms(i + 1), 2 * retry_forbidden_ms(i));
	assert_int_equal(retry_forbidden_ms(6), RETRY_FORBIDDEN_CAP_MS);
	assert_int_equal(
	    retry_forbidden_ms(INT_MAX - 1), RETRY_FORBIDDEN_CAP_MS);
}

static void
only_passing_trouble_is_worth_a_repetition(void **state)
{
	(void)state;
	for (int code = ERR_NONE; code <= ERR_NEWER; code++) {
		bool want = code == ERR_RETRY || code == ERR_BUSY ||
		    code == ERR_AUTH || code == ERR_FULL;

		assert_int_equal(retry_is_worth_it((enum err_code)code), want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_window_doubles_up_to_the_cap),
	    cmocka_unit_test(
		no_attempt_number_or_random_number_leaves_the_window),
	    cmocka_unit_test(what_the_peer_asked_for_is_the_least),
	    cmocka_unit_test(an_absurd_wish_of_the_peer_is_capped),
	    cmocka_unit_test(the_first_fault_is_repeated_within_ten_seconds),
	    cmocka_unit_test(
		who_was_refused_comes_behind_those_who_waited_with_him),
	    cmocka_unit_test(only_passing_trouble_is_worth_a_repetition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
