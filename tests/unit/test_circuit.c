/* tests/unit/test_circuit.c - rule/circuit.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/circuit.h"

enum { A, B, C, D, E, F };

/* Of four different things, which is the peer's fault. */
static void
fail_times(struct circuit *c, int times, int64_t now_ms)
{
	for (int i = 0; i < times; i++)
		circuit_fail(c, (uint64_t)i % 4, now_ms);
}

/* Always the same one. */
static void
fail_alone(struct circuit *c, int times, int64_t now_ms)
{
	for (int i = 0; i < times; i++)
		circuit_fail(c, A, now_ms);
}

static void
it_opens_at_the_fifth_failure_in_a_row(void **state)
{
	struct circuit c = {0};

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_false(circuit_fail(&c, (uint64_t)i, 1000));
		assert_true(circuit_allows(&c, A, 1000));
	}
	assert_true(circuit_next_ms(&c) == 0);
	assert_true(circuit_fail(&c, A, 1000));
	assert_false(circuit_allows(&c, A, 1000));
	assert_true(circuit_next_ms(&c) == 16000);
	assert_false(circuit_allows(&c, A, 15999));
	assert_true(circuit_allows(&c, A, 16000));
}

static void
one_success_in_between_begins_the_count_anew(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_times(&c, 4, 0);
	circuit_succeed(&c);
	fail_times(&c, 4, 0);
	assert_true(circuit_allows(&c, A, 0));
}

static void
only_one_probe_passes_and_its_success_closes(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_times(&c, 5, 0);
	assert_true(circuit_allows(&c, A, 15000));
	assert_true(circuit_allows(&c, A, 15000)); /* asking changes nothing */
	circuit_begin(&c, A, 15000);
	assert_false(circuit_allows(&c, A, 15001));
	circuit_succeed(&c);
	assert_true(circuit_allows(&c, A, 15001));
	assert_true(circuit_next_ms(&c) == 0);
}

static void
probes_come_at_15_30_seconds_and_so_on_up_to_5_minutes(void **state)
{
	static const int64_t pauses_s[] = {15, 30, 60, 120, 240, 300, 300};
	struct circuit c = {0};
	int64_t now = 0;

	(void)state;
	fail_times(&c, 5, now);
	for (int i = 0; i < 7; i++) {
		assert_true(circuit_next_ms(&c) == now + pauses_s[i] * 1000);
		now = circuit_next_ms(&c);
		circuit_begin(&c, A, now);
		assert_false(circuit_fail(&c, A, now));
	}
	/* Closed and opened again it begins at 15 s. */
	circuit_succeed(&c);
	fail_times(&c, 5, now);
	assert_true(circuit_next_ms(&c) == now + 15000);
}

static void
failures_of_exchanges_begun_before_do_not_push_the_probe_away(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_times(&c, 5, 0);
	fail_times(&c, 20, 5000);
	assert_true(circuit_next_ms(&c) == 15000);
}

static void
a_probe_whose_end_is_never_told_does_not_block_for_ever(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_times(&c, 5, 0);
	circuit_begin(&c, A, 15000);
	assert_false(circuit_allows(&c, A, 29999));
	assert_true(circuit_allows(&c, A, 30000));
}

static void
a_clock_put_back_does_not_block_for_ever(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_times(&c, 5, 1000000);
	assert_false(circuit_allows(&c, A, 1000001));
	assert_true(circuit_allows(&c, A, 5));
}

static void
beginning_while_closed_changes_nothing(void **state)
{
	struct circuit c = {0};

	(void)state;
	circuit_begin(&c, A, 5);
	assert_true(circuit_allows(&c, A, 5));
	assert_true(circuit_next_ms(&c) == 0);
}

static void
one_thing_that_always_fails_holds_up_no_other(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_alone(&c, 5, 0);
	assert_false(circuit_allows(&c, A, 1));
	assert_true(circuit_allows(&c, B, 1));
	circuit_begin(&c, B, 1);
	assert_true(circuit_allows(&c, C, 1));
	circuit_succeed(&c);
	assert_true(circuit_allows(&c, A, 2));
	/* And so on, for ever. */
	fail_alone(&c, 5, 3);
	assert_true(circuit_allows(&c, B, 4));
}

static void
four_different_things_that_fail_are_the_peer(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_alone(&c, 5, 0);
	for (uint64_t thing = B; thing <= D; thing++) {
		assert_true(circuit_allows(&c, thing, 1));
		circuit_begin(&c, thing, 1);
	}
	/* Under way is enough: no fifth one for now. */
	assert_false(circuit_allows(&c, E, 1));
	for (uint64_t thing = B; thing <= D; thing++)
		assert_false(circuit_fail(&c, thing, 2));
	assert_false(circuit_allows(&c, E, 3));
	assert_true(circuit_next_ms(&c) == 15000);
}

static void
a_failure_of_another_one_is_not_the_probes(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_times(&c, 5, 0);
	circuit_begin(&c, A, 15000);
	circuit_fail(&c, B, 15001);
	assert_true(circuit_next_ms(&c) == 30000);
	circuit_fail(&c, A, 15002);
	assert_true(circuit_next_ms(&c) == 45002);
}

/* Else one that always fails could take each probe for itself. */
static void
behind_a_failed_probe_it_is_the_turn_of_others(void **state)
{
	struct circuit c = {0};

	(void)state;
	fail_times(&c, 5, 0);
	assert_false(circuit_allows(&c, F, 14999));
	circuit_begin(&c, A, 15000);
	assert_false(circuit_allows(&c, F, 15001));
	circuit_fail(&c, A, 15002);
	assert_false(circuit_allows(&c, A, 15003));
	assert_true(circuit_allows(&c, F, 15003));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_opens_at_the_fifth_failure_in_a_row),
	    cmocka_unit_test(one_success_in_between_begins_the_count_anew),
	    cmocka_unit_test(only_one_probe_passes_and_its_success_closes),
	    cmocka_unit_test(
		probes_come_at_15_30_seconds_and_so_on_up_to_5_minutes),
	    cmocka_unit_test(
		failures_of_exchanges_begun_before_do_not_push_the_probe_away),
	    cmocka_unit_test(
		a_probe_whose_end_is_never_told_does_not_block_for_ever),
	    cmocka_unit_test(a_clock_put_back_does_not_block_for_ever),
	    cmocka_unit_test(beginning_while_closed_changes_nothing),
	    cmocka_unit_test(one_thing_that_always_fails_holds_up_no_other),
	    cmocka_unit_test(four_different_things_that_fail_are_the_peer),
	    cmocka_unit_test(a_failure_of_another_one_is_not_the_probes),
	    cmocka_unit_test(behind_a_failed_probe_it_is_the_turn_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
