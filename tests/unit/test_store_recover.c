/* tests/unit/test_store_recover.c - port/store.h: rows that were in progress
 * when a sync died. */
#include "test_store.h"

static void
recovery_puts_back_what_a_dead_sync_had(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int64_t count = 5;

	test_add(t, ANNA, "a", STORE_HINT_DELETED, T0, 0);
	test_add(t, ANNA, "b", 1, T0, 0);
	test_add(t, ANNA, "c", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 2);
	test_add(t, ANNA, "a", STORE_HINT_UPDATED, T0 + 1, 0);
	assert_ok(t, store_work_recover(t->store, &count, &t->e));
	assert_int_equal(count, 7);
	assert_ok(t, store_work_recover(t->store, NULL, &t->e));
	memset(w, 0, sizeof(w));
	assert_int_equal(test_claim(t, T0 + 1, w, 1, NULL), 1);
	assert_string_equal(w[0].event, "a");
	assert_int_equal(w[0].hints, STORE_HINT_DELETED | STORE_HINT_UPDATED);
	assert_int_equal(w[0].generation, 2);
	assert_int_equal(w[0].crashes, 0);
}

static bool
is_called(const struct store_work *w, void *arg)
{
	assert_string_equal(w->tenant, TENANT);
	assert_int_equal(w->kind, STORE_WORK_EVENT);
	return strcmp(w->event, arg) == 0;
}

static void
rows_in_progress_that_nobody_works_on_can_be_put_back(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	char kept[] = "a";
	int64_t count = 1;

	test_add(t, ANNA, "a", 1, T0, 0);
	test_add(t, ANNA, "b", STORE_HINT_DELETED, T0, 0);
	test_add(t, BERT, "c", 1, T0, 0);
	test_add(t, ANNA, "d", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 3);
	test_add(t, ANNA, "b", STORE_HINT_UPDATED, T0 + 1, 0);
	assert_ok(t,
	    store_work_recover_except(
		t->store, is_called, kept, &count, &t->e));
	assert_int_equal(count, 3);
	/* "a" has kept its place, and counts. */
	assert_int_equal(test_claim(t, T0 + 1, w, 4, NULL), 2);
	assert_string_equal(w[0].event, "b");
	assert_int_equal(w[0].hints, STORE_HINT_DELETED | STORE_HINT_UPDATED);
	assert_int_equal(w[0].generation, 2);
	assert_string_equal(w[1].event, "c");
	assert_int_equal(test_claim(t, T0 + 1, w, 4, NULL), 0);
}

static void
after_a_crash_suspects_run_one_at_a_time(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	struct store_work later[4] = {{0}};
	int64_t count = 0;

	test_add(t, ANNA, "a", 1, T0, 0);
	test_add(t, BERT, "b", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 2, NULL), 2);
	test_add(t, ANNA, "innocent", 1, T0 - 10, 0);
	assert_ok(t, store_work_recover_crashed(t->store, &count, &t->e));
	assert_int_equal(count, 2);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "a");
	assert_int_equal(w[0].crashes, 0); /* there were two */
	assert_int_equal(test_claim(t, T0, later, 4, NULL), 0);
	/* It crashes again, this time alone: a is to blame once. */
	assert_ok(t, store_work_recover_crashed(t->store, NULL, &t->e));
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "a");
	assert_int_equal(w[0].crashes, 1);
	/* A kill from outside counts for nothing, but a stays a suspect. */
	assert_ok(t, store_work_recover(t->store, NULL, &t->e));
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_int_equal(w[0].crashes, 1);
	assert_ok(t, store_work_defer(t->store, &w[0], T0, "ok", &t->e));
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "b");
	assert_int_equal(test_claim(t, T0, later, 4, NULL), 0);
	assert_ok(t, store_work_finish(t->store, &w[0], T0, 0, &t->e));
	/* All cleared: the rest of the queue runs again. */
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 2);
	assert_string_equal(w[0].event, "innocent");
	assert_string_equal(w[1].event, "a");
	assert_int_equal(w[1].crashes, 1);
	assert_ok(t, store_work_finish(t->store, &w[1], T0, 0, &t->e));
	test_add(t, ANNA, "a", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_int_equal(w[0].crashes, 0);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(recovery_puts_back_what_a_dead_sync_had),
	    cmocka_unit_test(
		rows_in_progress_that_nobody_works_on_can_be_put_back),
	    cmocka_unit_test(after_a_crash_suspects_run_one_at_a_time),
	};

	return TEST_STORE_RUN("store: recovery", cases);
}
