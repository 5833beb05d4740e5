/* tests/unit/test_throttle.c - rule/throttle.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rule/retry.h"
#include "rule/throttle.h"

#define BOX "graph:t/anna"
enum { T0 = 1000000 };

/* Chance at its longest: the whole window. */
static int64_t
longest(struct throttle *t, const char *scope, int64_t asked_ms, int64_t now_ms)
{
	int64_t longest_ms = 0;

	for (uint64_t window = 1000; window <= 512000; window *= 2) {
		struct throttle copy = *t;
		int64_t ms =
		    throttle_refused(&copy, scope, asked_ms, now_ms, window);

		if (ms > longest_ms)
			longest_ms = ms;
	}
	throttle_refused(t, scope, asked_ms, now_ms, 0);
	return longest_ms;
}

static void
what_was_asked_for_is_the_least(void **state)
{
	struct throttle t = {0};

	(void)state;
	assert_int_equal(throttle_refused(&t, BOX, 7000, T0, 999), 7000);
	assert_int_equal(throttle_refused(&t, "other", 2128, T0, 999), 2128);
	assert_int_equal(throttle_refused(&t, "huge", INT64_MAX / 2, T0, 999),
	    RETRY_AFTER_MAX_MS);
}

static void
nothing_said_is_a_second_at_first(void **state)
{
	struct throttle t = {0};

	(void)state;
	assert_int_equal(longest(&t, BOX, -1, T0), 1000);
}

static void
one_second_for_ever_becomes_minutes(void **state)
{
	static const int64_t want_s[] = {
	    1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
	struct throttle t = {0};
	int64_t now_ms = T0;

	(void)state;
	for (size_t i = 0; i < sizeof(want_s) / sizeof(want_s[0]); i++) {
		int64_t ms = longest(&t, BOX, 1000, now_ms);

		/* Chance reaches into the window, not over it. */
		assert_true(ms <= want_s[i] * 1000);
		assert_true(ms >= (want_s[i] > 256 ? 256 : want_s[i]) * 1000);
		now_ms += 1000;
	}
}

static void
what_was_under_way_is_no_repetition(void **state)
{
	struct throttle t = {0};

	(void)state;
	throttle_refused(&t, BOX, 1000, T0, 0);
	for (int i = 0; i < 10; i++)
		throttle_refused(&t, BOX, 1000, T0 + i, 0);
	assert_int_equal(longest(&t, BOX, 1000, T0 + 999), 1000);
}

static void
an_answer_ends_it(void **state)
{
	struct throttle t = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		throttle_refused(&t, BOX, 1000, T0 + i * 1000, 0);
	throttle_worked(&t, "graph:t/bert");
	assert_true(longest(&t, BOX, 1000, T0 + 9000) > 100 * 1000);
	throttle_worked(&t, BOX);
	assert_int_equal(longest(&t, BOX, 1000, T0 + 10000), 1000);
}

static void
mailboxes_are_told_apart(void **state)
{
	struct throttle t = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		throttle_refused(&t, BOX, 1000, T0 + i * 1000, 0);
	assert_int_equal(longest(&t, "graph:t/bert", 1000, T0 + 9000), 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_asked_for_is_the_least),
	    cmocka_unit_test(nothing_said_is_a_second_at_first),
	    cmocka_unit_test(one_second_for_ever_becomes_minutes),
	    cmocka_unit_test(what_was_under_way_is_no_repetition),
	    cmocka_unit_test(an_answer_ends_it),
	    cmocka_unit_test(mailboxes_are_told_apart),
	};

	return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
