/* tests/unit/test_store_dead.c - port/store.h: dead letters. */
#include "test_store.h"

static int
count_dead(const struct store_dead *d, void *arg)
{
	assert_true(d->id > 0);
	++*(int *)arg;
	return 0;
}

static int
first_dead(const struct store_dead *d, void *arg)
{
	*(struct store_dead *)arg = *d;
	return 1;
}

static void
a_buried_row_becomes_a_dead_letter(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	struct store_dead d = {0};
	struct store_dead found = {0};
	int64_t count = -1;

	test_add(t, ANNA, "e1", STORE_HINT_DELETED, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	w[0].attempts = 4;
	SET(w[0].reason, "the one before");
	assert_ok(
	    t, store_work_bury(t->store, &w[0], "403 for good", T0 + 9, &t->e));
	assert_int_equal(test_rows(t), 0);
	assert_ok(t, store_dead_count(t->store, &count, &t->e));
	assert_int_equal(count, 1);
	assert_ok(t, store_dead_each(t->store, first_dead, &d, &t->e));
	assert_int_equal(store_dead_find(t->store, d.id, &found, &t->e), 1);
	assert_string_equal(found.work.event, "e1");
	assert_string_equal(found.work.user, ANNA);
	assert_int_equal(found.work.hints, STORE_HINT_DELETED);
	assert_int_equal(found.work.attempts, 4);
	assert_string_equal(found.work.reason, "the one before");
	assert_string_equal(found.reason, "403 for good");
	assert_int_equal(found.died_ms, T0 + 9);
	assert_int_equal(store_dead_find(t->store, d.id + 1, &found, &t->e), 0);
}

static void
a_row_raised_before_its_burial_is_looked_at_again(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	test_add(t, ANNA, "e1", STORE_HINT_UPDATED, T0 + 1, 0);
	assert_ok(t, store_work_bury(t->store, &w[0], "no", T0 + 2, &t->e));
	assert_int_equal(test_claim(t, T0 + 2, w, 4, NULL), 1);
	assert_int_equal(w[0].hints, STORE_HINT_UPDATED);
}

static void
an_event_has_one_dead_letter_the_latest(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	struct store_dead d = {0};
	int count = 0;

	for (int i = 0; i < 3; i++) {
		test_add(t, ANNA, "e1", 1u << i, T0 + i, 0);
		assert_int_equal(test_claim(t, T0 + i, w, 4, NULL), 1);
		assert_ok(t,
		    store_work_bury(
			t->store, &w[0], i == 2 ? "last" : "x", T0 + i, &t->e));
	}
	assert_ok(t, store_dead_each(t->store, count_dead, &count, &t->e));
	assert_int_equal(count, 1);
	assert_ok(t, store_dead_each(t->store, first_dead, &d, &t->e));
	assert_string_equal(d.reason, "last");
	assert_int_equal(d.work.hints, 7);
}

static void
a_dead_letter_can_be_replayed_or_dropped_once(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	struct store_dead d = {0};

	test_add(t, ANNA, "e1", STORE_HINT_DELETED, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_ok(t, store_work_bury(t->store, &w[0], "no", T0, &t->e));
	assert_ok(t, store_dead_each(t->store, first_dead, &d, &t->e));
	assert_int_equal(store_dead_replay(t->store, d.id, T0 + 50, &t->e), 1);
	assert_int_equal(store_dead_replay(t->store, d.id, T0 + 50, &t->e), 0);
	assert_int_equal(test_claim(t, T0 + 50, w, 4, NULL), 1);
	assert_int_equal(w[0].hints, STORE_HINT_DELETED);
	assert_int_equal(w[0].attempts, 0);
	assert_ok(t, store_work_bury(t->store, &w[0], "no", T0, &t->e));
	assert_ok(t, store_dead_each(t->store, first_dead, &d, &t->e));
	assert_int_equal(store_dead_drop(t->store, d.id, &t->e), 1);
	assert_int_equal(store_dead_drop(t->store, d.id, &t->e), 0);
	assert_int_equal(test_rows(t), 0);
}

static void
reasons_are_cut_at_a_character(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	char reason[2 * STORE_REASON_MAX];

	for (size_t i = 0; i + 2 < sizeof(reason); i += 2)
		memcpy(reason + i, "\xc3\xa4", 3);
	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_ok(t, store_work_defer(t->store, &w[0], T0, reason, &t->e));
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_int_equal(strlen(w[0].reason), STORE_REASON_MAX - 2);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_buried_row_becomes_a_dead_letter),
	    cmocka_unit_test(a_row_raised_before_its_burial_is_looked_at_again),
	    cmocka_unit_test(an_event_has_one_dead_letter_the_latest),
	    cmocka_unit_test(a_dead_letter_can_be_replayed_or_dropped_once),
	    cmocka_unit_test(reasons_are_cut_at_a_character),
	};

	return TEST_STORE_RUN("store: dead letters", cases);
}
