/* tests/unit/test_store_arrival.c - port/store.h: notifications that become
 * rows of the queue later. */
#include "test_store.h"

static void
a_long_backlog_of_notifications_is_folded_in_parts(void **state)
{
	struct test_store *t = *state;
	struct store_hint_item items[400];
	char names[400][16];
	struct store_work w[8] = {{0}};
	int64_t next = 0;
	int64_t rows;

	for (int i = 0; i < 400; i++) {
		snprintf(names[i], sizeof(names[i]), "e%d", i);
		items[i] = (struct store_hint_item){
		    STORE_WORK_EVENT, TENANT, ANNA, names[i], 1};
	}
	for (int i = 0; i < 20; i++)
		assert_ok(t,
		    store_work_add(t->store, items, 400, T0 + i, DELAY, &t->e));
	assert_int_equal(test_rows(t), 8000);
	/* Nothing is given out before it stands for all that have come. */
	for (int parts = 1; test_rows(t) > 900; parts++) {
		assert_true(parts < 20);
		assert_int_equal(test_claim(t, T0 + DELAY, w, 8, &next), 0);
		assert_true(next <= T0 + DELAY);
	}
	/* What comes meanwhile is not waited for. */
	assert_ok(
	    t, store_work_add(t->store, items, 400, T0 + DELAY, DELAY, &t->e));
	rows = 0;
	for (int parts = 1; rows == 0; parts++) {
		assert_true(parts < 4);
		rows = test_claim(t, T0 + DELAY, w, 8, &next);
	}
	assert_int_equal(rows, 2);
	assert_true(w[0].generation >= 20);
	assert_true(next > T0 + DELAY && next <= T0 + 2 * DELAY);
}

/* A storm: each look answers all that came before it. */
static void
an_event_is_looked_at_once_in_a_debounce_however_many_arrive(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int looks = 0;

	for (int64_t ms = 0; ms < 10 * DELAY; ms += 10) {
		for (int i = 0; i < 5; i++)
			test_add(t, ANNA, "e1", 1, T0 + ms, DELAY);
		while (test_claim(t, T0 + ms, w, 4, NULL) == 1) {
			/* More comes while it is being looked at. */
			test_add(t, ANNA, "e1", 1, T0 + ms + 1, DELAY);
			assert_ok(t,
			    store_work_finish(
				t->store, &w[0], T0 + ms + 300, DELAY, &t->e));
			looks++;
		}
	}
	assert_true(looks >= 8);
	assert_true(looks <= 10);
}

/* So many that the adder has to fold before the first of them is due. */
static void
a_storm_beyond_the_backlog_does_not_undo_the_debounce(void **state)
{
	enum { EVENTS = 100, DEBOUNCES = 3, STEP_MS = 20 };
	struct test_store *t = *state;
	struct store_hint_item items[EVENTS];
	char names[EVENTS][8];
	struct store_work w[4] = {{0}};
	int looks = 0;

	for (int i = 0; i < EVENTS; i++) {
		snprintf(names[i], sizeof(names[i]), "e%d", i);
		items[i] = (struct store_hint_item){
		    STORE_WORK_EVENT, TENANT, ANNA, names[i], 1};
	}
	for (int64_t at = T0; at < T0 + DEBOUNCES * DELAY; at += STEP_MS) {
		for (int i = 0; i < 3; i++)
			assert_ok(t,
			    store_work_add(
				t->store, items, EVENTS, at, DELAY, &t->e));
		for (int n; (n = test_claim(t, at, w, 4, NULL)) > 0;)
			for (int i = 0; i < n; i++, looks++)
				assert_ok(t,
				    store_work_finish(
					t->store, &w[i], at, DELAY, &t->e));
	}
	assert_true(looks >= (DEBOUNCES - 1) * EVENTS);
	assert_true(looks <= DEBOUNCES * EVENTS);
}

static void
what_came_before_a_row_was_put_back_does_not_hurry_it(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int64_t next = 0;

	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	test_add(t, ANNA, "e1", 1, T0 + 10, DELAY);
	test_add(t, ANNA, "e1", 1, T0 + 10, 0);
	assert_ok(
	    t, store_work_finish(t->store, &w[0], T0 + 1000, DELAY, &t->e));
	assert_int_equal(test_claim(t, T0 + 10 + DELAY, w, 4, &next), 0);
	assert_true(next == T0 + 1000 + DELAY);
	/* With the clock put back it is not to wait for the old time. */
	test_add(t, ANNA, "e1", 1, T0 - 500000, DELAY);
	assert_int_equal(test_claim(t, T0 - 500000 + DELAY, w, 4, &next), 1);
}

static void
without_a_claimer_the_adder_keeps_the_backlog_bounded(void **state)
{
	struct test_store *t = *state;
	struct store_hint_item items[500];
	char names[500][16];

	for (int i = 0; i < 500; i++) {
		snprintf(names[i], sizeof(names[i]), "e%d", i);
		items[i] = (struct store_hint_item){
		    STORE_WORK_EVENT, TENANT, BERT, names[i], 1};
	}
	for (int i = 0; i < 80; i++)
		assert_ok(t,
		    store_work_add(t->store, items, 500, T0 + i, DELAY, &t->e));
	assert_true(test_rows(t) <= 500 + 20000 + 500);
}

static void
a_clock_that_was_set_back_does_not_hold_new_notifications(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "future", 1, T0 + 3600000, DELAY);
	test_add(t, ANNA, "now", 1, T0, DELAY);
	assert_int_equal(test_claim(t, T0 + DELAY, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "now");
}

static void
a_notification_never_waits_behind_what_is_due_later(void **state)
{
	static const int64_t delays[] = {3600000, 20000, DELAY, 20000, 3600000};
	struct test_store *t = *state;
	struct store_work w[8] = {{0}};
	int64_t next = 0;
	char name[16];

	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "e%d", i);
		test_add(t, i % 2 ? ANNA : BERT, name, 1, T0, delays[i]);
	}
	assert_int_equal(test_claim(t, T0 + DELAY - 1, w, 8, &next), 0);
	assert_int_equal(next, T0 + DELAY);
	assert_int_equal(test_claim(t, T0 + DELAY, w, 8, &next), 1);
	assert_string_equal(w[0].event, "e2");
	assert_int_equal(next, T0 + 20000);
	assert_int_equal(test_claim(t, T0 + 20000, w, 8, &next), 2);
	assert_int_equal(test_claim(t, T0 + 3599999, w, 8, &next), 0);
	assert_ok(t, store_work_recover(t->store, NULL, &t->e));
	assert_int_equal(test_rows(t), 5);
}

static void
a_shorter_delay_makes_the_row_due_earlier(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "e1", 1, T0, DELAY);
	test_add(t, ANNA, "e1", 1, T0 + 1, 500);
	assert_int_equal(test_claim(t, T0 + 500, w, 4, NULL), 0);
	assert_int_equal(test_claim(t, T0 + 501, w, 4, NULL), 1);
	assert_int_equal(w[0].generation, 2);
	assert_int_equal(w[0].first_seen_ms, T0);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(
		a_long_backlog_of_notifications_is_folded_in_parts),
	    cmocka_unit_test(
		an_event_is_looked_at_once_in_a_debounce_however_many_arrive),
	    cmocka_unit_test(
		a_storm_beyond_the_backlog_does_not_undo_the_debounce),
	    cmocka_unit_test(
		what_came_before_a_row_was_put_back_does_not_hurry_it),
	    cmocka_unit_test(
		without_a_claimer_the_adder_keeps_the_backlog_bounded),
	    cmocka_unit_test(
		a_clock_that_was_set_back_does_not_hold_new_notifications),
	    cmocka_unit_test(
		a_notification_never_waits_behind_what_is_due_later),
	    cmocka_unit_test(a_shorter_delay_makes_the_row_due_earlier),
	};

	return TEST_STORE_RUN("store: arrivals", cases);
}
