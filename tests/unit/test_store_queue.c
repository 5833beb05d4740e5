/* tests/unit/test_store_queue.c - port/store.h: the queue as it is told:
 * totals, rows. */
#include "test_store.h"

static void
totals_tell_the_rows_and_the_oldest(void **state)
{
	struct test_store *t = *state;
	struct store_work_totals totals = {0};
	struct store_work w[4] = {{0}};

	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	assert_int_equal(totals.rows, 0);
	assert_int_equal(totals.oldest_first_seen_ms, 0);
	test_add(t, ANNA, "a", 1, T0 + 5, 0);
	test_add(t, ANNA, "b", 1, T0 + 6, 0);
	test_add(t, ANNA, "c", 1, T0 + 7, DELAY);
	assert_int_equal(test_claim(t, T0 + 6, w, 1, NULL), 1);
	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	assert_int_equal(totals.rows, 3);
	assert_int_equal(totals.in_progress, 1);
	assert_int_equal(totals.oldest_first_seen_ms, T0 + 5);
	/* A row that is put back counts from then. */
	test_add(t, ANNA, "a", 1, T0 + 8, 0);
	assert_ok(t, store_work_finish(t->store, &w[0], T0 + 3000, 0, &t->e));
	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	assert_int_equal(totals.oldest_first_seen_ms, T0 + 6);
	assert_int_equal(test_claim(t, T0 + 6, w, 1, NULL), 1);
	assert_ok(t, store_work_finish(t->store, &w[0], T0 + 3000, 0, &t->e));
	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	assert_int_equal(totals.rows, 2);
	assert_int_equal(totals.oldest_first_seen_ms, T0 + 7 + DELAY);
}

/* A search that is planned for in an hour is not late, and hides nothing. */
static void
totals_count_what_is_planned_from_its_time_on(void **state)
{
	struct test_store *t = *state;
	struct store_work_totals totals = {0};
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "planned", 1, T0, 3600000);
	assert_int_equal(test_claim(t, T0 + 1, w, 1, NULL), 0);
	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	assert_int_equal(totals.oldest_first_seen_ms, T0 + 3600000);
	test_add(t, ANNA, "late", 1, T0 + 9, 0);
	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	assert_int_equal(totals.oldest_first_seen_ms, T0 + 9);
}

struct seen {
	int rows;
	int in_progress;
	int stop_at;
	int stop_with;
};

static int
see(const struct store_work *w, bool in_progress, void *arg)
{
	struct seen *seen = arg;

	assert_string_equal(w->tenant, TENANT);
	seen->rows++;
	seen->in_progress += in_progress ? 1 : 0;
	return seen->rows == seen->stop_at ? seen->stop_with : 0;
}

static void
the_queue_can_be_looked_through(void **state)
{
	struct test_store *t = *state;
	struct seen seen = {0};
	struct store_work w[4] = {{0}};
	char name[16];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "e%d", i);
		test_add(
		    t, i % 2 ? ANNA : BERT, name, 1, T0, i < 35 ? 0 : DELAY);
	}
	assert_int_equal(test_claim(t, T0, w, 3, NULL), 3);
	assert_ok(t, store_work_each(t->store, NULL, NULL, see, &seen, &t->e));
	assert_int_equal(seen.rows, 40);
	assert_int_equal(seen.in_progress, 3);
	seen = (struct seen){0};
	assert_ok(
	    t, store_work_each(t->store, TENANT, BERT, see, &seen, &t->e));
	assert_int_equal(seen.rows, 20);
	seen = (struct seen){.stop_at = 17, .stop_with = 1};
	assert_ok(t, store_work_each(t->store, NULL, NULL, see, &seen, &t->e));
	assert_int_equal(seen.rows, 17);
	seen = (struct seen){.stop_at = 38, .stop_with = -1};
	assert_int_equal(
	    store_work_each(t->store, NULL, NULL, see, &seen, &t->e), -1);
	assert_int_equal(seen.rows, 38);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(totals_tell_the_rows_and_the_oldest),
	    cmocka_unit_test(totals_count_what_is_planned_from_its_time_on),
	    cmocka_unit_test(the_queue_can_be_looked_through),
	};

	return TEST_STORE_RUN("store: queue", cases);
}
