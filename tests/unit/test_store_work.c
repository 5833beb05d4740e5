/* tests/unit/test_store_work.c - port/store.h: the queue. */
#include "test_store.h"

static void
a_new_row_is_due_after_the_delay(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int64_t next = 0;

	test_add(t, ANNA, "e1", STORE_HINT_CREATED, T0, DELAY);
	assert_int_equal(test_claim(t, T0 + DELAY - 1, w, 4, &next), 0);
	assert_int_equal(next, T0 + DELAY);
	assert_int_equal(test_claim(t, T0 + DELAY, w, 4, &next), 1);
	assert_int_equal(w[0].kind, STORE_WORK_EVENT);
	assert_string_equal(w[0].tenant, TENANT);
	assert_string_equal(w[0].user, ANNA);
	assert_string_equal(w[0].event, "e1");
	assert_int_equal(w[0].generation, 1);
	assert_int_equal(w[0].hints, STORE_HINT_CREATED);
	assert_int_equal(w[0].first_seen_ms, T0);
	assert_int_equal(w[0].due_ms, T0 + DELAY);
	assert_int_equal(w[0].not_before_ms, 0);
	assert_int_equal(w[0].attempts, 0);
	assert_string_equal(w[0].reason, "");
	assert_true(next == INT64_MAX);
}

static void
notifications_about_one_event_become_one_row(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "e1", STORE_HINT_CREATED, T0, DELAY);
	test_add(t, ANNA, "e1", STORE_HINT_UPDATED, T0 + 500, DELAY);
	test_add(t, ANNA, "e1", STORE_HINT_DELETED, T0 + 1999, DELAY);
	assert_int_equal(test_claim(t, T0 + DELAY, w, 4, NULL), 1);
	assert_int_equal(w[0].generation, 3);
	assert_int_equal(w[0].hints,
	    STORE_HINT_CREATED | STORE_HINT_UPDATED | STORE_HINT_DELETED);
	/* The debounce runs from the first and is not extended. */
	assert_int_equal(w[0].first_seen_ms, T0);
	assert_int_equal(w[0].due_ms, T0 + DELAY);
	assert_int_equal(test_rows(t), 1);
}

static void
a_later_notification_raises_a_row_of_the_queue(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "e1", STORE_HINT_CREATED, T0, 0);
	test_add(t, ANNA, "e1", STORE_HINT_UPDATED, T0 + 10, 0);
	test_add(t, ANNA, "e1", STORE_HINT_MISSED, T0 + 20, DELAY);
	assert_int_equal(test_rows(t), 2);
	assert_int_equal(test_claim(t, T0 + 20 + DELAY, w, 4, NULL), 1);
	assert_int_equal(w[0].generation, 3);
	assert_int_equal(w[0].hints,
	    STORE_HINT_CREATED | STORE_HINT_UPDATED | STORE_HINT_MISSED);
	assert_int_equal(w[0].due_ms, T0);
}

static void
a_row_can_become_due_earlier_but_not_later(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int64_t next = 0;

	test_add(t, ANNA, "e1", 1, T0 + 50000, 0);
	assert_int_equal(test_claim(t, T0, w, 4, &next), 0);
	assert_int_equal(next, T0 + 50000);
	test_add(t, ANNA, "e1", 1, T0 + 60000, 0);
	assert_int_equal(test_claim(t, T0, w, 4, &next), 0);
	assert_int_equal(next, T0 + 50000);
	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_int_equal(w[0].generation, 3);
	assert_int_equal(w[0].first_seen_ms, T0 + 50000);
}

static void
kinds_tenants_users_and_events_are_told_apart(void **state)
{
	struct test_store *t = *state;
	struct store_hint_item items[] = {
	    {STORE_WORK_EVENT, TENANT, ANNA, "e1", 1},
	    {STORE_WORK_LINK, TENANT, ANNA, "e1", 1},
	    {STORE_WORK_EVENT, TENANT, BERT, "e1", 1},
	    {STORE_WORK_EVENT, OTHER_TENANT, ANNA, "e1", 1},
	    {STORE_WORK_EVENT, TENANT, ANNA, "e2", 1},
	    {STORE_WORK_KEYS, "", "", "", 0},
	    {STORE_WORK_EVENT, TENANT, ANNA, "E1", 1},
	};
	struct store_work w[8] = {{0}};

	assert_ok(t, store_work_add(t->store, items, 7, T0, DELAY, &t->e));
	assert_int_equal(store_work_claim(t->store, T0 + DELAY,
			     &(struct store_quota){.per_mailbox = 100}, w, 8,
			     &(int64_t){0}, &t->e),
	    7);
	for (int i = 0; i < 7; i++)
		assert_int_equal(w[i].generation, 1);
}

static void
rows_are_claimed_in_the_order_in_which_they_are_due(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int64_t next = 0;

	test_add(t, ANNA, "third", 1, T0 + 30, 0);
	test_add(t, BERT, "second", 1, T0 + 20, 0);
	test_add(t, ANNA, "first", 1, T0 + 10, 0);
	test_add(t, BERT, "fourth", 1, T0 + 40, 0);
	assert_int_equal(test_claim(t, T0 + 100, w, 3, &next), 3);
	assert_string_equal(w[0].event, "first");
	assert_string_equal(w[1].event, "second");
	assert_string_equal(w[2].event, "third");
	assert_int_equal(next, T0 + 40);
}

static void
a_mailbox_has_at_most_its_share_in_progress(void **state)
{
	struct test_store *t = *state;
	struct store_work w[8] = {{0}};
	char name[16];
	int64_t next = 0;

	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "e%d", i);
		test_add(t, ANNA, name, 1, T0 + i, 0);
	}
	assert_int_equal(test_claim(t, T0 + 100, w, 8, &next), 2);
	assert_true(next == INT64_MAX); /* only an ending frees it */
	assert_int_equal(test_claim(t, T0 + 100, w + 2, 6, NULL), 0);
	/* A notification does not open it either. */
	test_add(t, ANNA, "e9", 1, T0, 0);
	assert_int_equal(test_claim(t, T0 + 100, w + 2, 6, NULL), 0);
	assert_ok(t, store_work_finish(t->store, &w[0], T0 + 100, 0, &t->e));
	assert_int_equal(test_claim(t, T0 + 100, w + 2, 6, NULL), 1);
	assert_string_equal(w[2].event, "e9");
}

static void
a_mailbox_with_a_long_backlog_delays_nobody(void **state)
{
	struct test_store *t = *state;
	struct store_work w[8] = {{0}};
	char name[16];

	assert_ok(t, store_begin(t->store, &t->e));
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "e%d", i);
		test_add(t, ANNA, name, 1, T0 + i, 0);
	}
	test_add(t, BERT, "late", 1, T0 + 9000, 0);
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(test_claim(t, T0 + 9000, w, 8, NULL), 3);
	assert_string_equal(w[0].user, ANNA);
	assert_string_equal(w[1].user, ANNA);
	assert_string_equal(w[2].user, BERT);
}

static void
finishing_removes_the_row(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_ok(t, store_work_finish(t->store, &w[0], T0, DELAY, &t->e));
	assert_int_equal(test_rows(t), 0);
	assert_int_equal(test_claim(t, T0 + 99999, w, 4, NULL), 0);
}

static void
finishing_an_older_generation_puts_the_row_back(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	struct store_work again[4] = {{0}};
	int64_t next = 0;

	test_add(t, ANNA, "e1", STORE_HINT_CREATED, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	test_add(t, ANNA, "e1", STORE_HINT_UPDATED, T0 + 100, 0);
	assert_int_equal(test_claim(t, T0 + 5000, again, 4, NULL), 0);
	w[0].attempts = 3;
	assert_ok(
	    t, store_work_finish(t->store, &w[0], T0 + 5000, DELAY, &t->e));
	assert_int_equal(test_claim(t, T0 + 5000, again, 4, &next), 0);
	assert_int_equal(next, T0 + 5000 + DELAY);
	assert_int_equal(test_claim(t, next, again, 4, NULL), 1);
	assert_int_equal(again[0].generation, 2);
	assert_int_equal(again[0].first_seen_ms, T0 + 5000);
	assert_int_equal(again[0].due_ms, T0 + 5000 + DELAY);
	assert_int_equal(again[0].attempts, 0);
	/* Only what came meanwhile. */
	assert_int_equal(again[0].hints, STORE_HINT_UPDATED);
}

static void
a_delayed_notification_during_processing_is_not_lost(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int64_t next = 0;

	test_add(t, ANNA, "e1", STORE_HINT_CREATED, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	test_add(t, ANNA, "e1", STORE_HINT_UPDATED, T0 + 100, DELAY);
	assert_ok(
	    t, store_work_finish(t->store, &w[0], T0 + 200, DELAY, &t->e));
	assert_int_equal(test_claim(t, T0 + 200, w, 4, &next), 0);
	assert_int_equal(next, T0 + 100 + DELAY);
	assert_int_equal(test_claim(t, next, w, 4, NULL), 1);
	assert_int_equal(w[0].hints, STORE_HINT_UPDATED);
	assert_int_equal(w[0].first_seen_ms, T0 + 100);
}

static void
a_row_that_is_not_in_progress_can_not_be_finished(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_ok(t, store_work_defer(t->store, &w[0], T0, "", &t->e));
	assert_int_equal(store_work_finish(t->store, &w[0], T0, 0, &t->e), 1);
	assert_int_equal(store_work_defer(t->store, &w[0], T0, "", &t->e), 1);
	assert_int_equal(test_rows(t), 1);
}

static void
a_deferred_row_waits_and_keeps_what_it_knows(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int64_t next = 0;

	test_add(t, ANNA, "e1", STORE_HINT_DELETED, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	w[0].attempts = 2;
	test_add(t, ANNA, "e1", STORE_HINT_UPDATED, T0 + 1, 0);
	assert_ok(t,
	    store_work_defer(t->store, &w[0], T0 + 7000, "throttled", &t->e));
	assert_int_equal(test_claim(t, T0 + 6999, w, 4, &next), 0);
	assert_int_equal(next, T0 + 7000);
	assert_int_equal(test_claim(t, T0 + 7000, w, 4, NULL), 1);
	assert_int_equal(w[0].attempts, 2);
	assert_int_equal(w[0].generation, 2);
	assert_int_equal(w[0].hints, STORE_HINT_DELETED | STORE_HINT_UPDATED);
	assert_int_equal(w[0].first_seen_ms, T0);
	assert_int_equal(w[0].not_before_ms, T0 + 7000);
	assert_string_equal(w[0].reason, "throttled");
}

static void
a_notification_never_lowers_not_before(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_ok(
	    t, store_work_defer(t->store, &w[0], T0 + 7000, "wait", &t->e));
	test_add(t, ANNA, "e1", 1, T0 - 500, 0);
	test_add(t, ANNA, "e1", 1, T0 + 10, DELAY);
	assert_int_equal(test_claim(t, T0 + 6999, w, 4, NULL), 0);
	assert_int_equal(test_claim(t, T0 + 7000, w, 4, NULL), 1);
	assert_int_equal(w[0].generation, 3);
	/* Nor does a second, shorter deferring. */
	assert_ok(
	    t, store_work_defer(t->store, &w[0], T0 + 10, "again", &t->e));
	assert_int_equal(test_claim(t, T0 + 6999, w, 4, NULL), 0);
	assert_int_equal(test_claim(t, T0 + 7000, w, 4, NULL), 1);
	assert_string_equal(w[0].reason, "again");
}

static void
a_release_ends_the_waiting_of_one_mailbox(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	test_add(t, ANNA, "a", 1, T0, 0);
	test_add(t, BERT, "b", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 2);
	for (int i = 0; i < 2; i++)
		assert_ok(t,
		    store_work_defer(
			t->store, &w[i], T0 + 3600000, "parked", &t->e));
	assert_int_equal(test_claim(t, T0 + 10, w, 4, NULL), 0);
	assert_ok(t, store_work_release(t->store, TENANT, BERT, &t->e));
	assert_int_equal(test_claim(t, T0 + 10, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "b");
	/* One without any row. */
	assert_ok(t, store_work_release(t->store, OTHER_TENANT, BERT, &t->e));
}

static void
what_a_tenants_rows_waited_for_is_over(void **state)
{
	static const struct {
		const char *tenant, *event, *reason;
	} rows[] = {
	    {TENANT, "a", "Entra token: AADSTS7000222: expired"},
	    {TENANT, "b", "throttled"},
	    {OTHER_TENANT, "c", "Entra token: AADSTS700016: unknown"},
	};
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	int64_t count = 9;

	for (size_t i = 0; i < 3; i++) {
		const struct store_hint_item item = {.kind = STORE_WORK_EVENT,
		    .tenant = rows[i].tenant,
		    .user = ANNA,
		    .event = rows[i].event,
		    .hints = 1};

		assert_ok(t, store_work_add(t->store, &item, 1, T0, 0, &t->e));
		assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
		assert_ok(t,
		    store_work_defer(
			t->store, &w[0], T0 + 900000, rows[i].reason, &t->e));
	}
	assert_ok(t,
	    store_work_release_held(
		t->store, TENANT, "gateway ", &count, &t->e));
	assert_int_equal(count, 0);
	assert_int_equal(test_claim(t, T0 + 10, w, 4, NULL), 0);
	assert_ok(t,
	    store_work_release_held(
		t->store, TENANT, "Entra token", &count, &t->e));
	assert_int_equal(count, 1);
	assert_int_equal(test_claim(t, T0 + 10, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "a");
	/* one in progress is nobody's to release; the others' still wait */
	assert_ok(t,
	    store_work_release_held(
		t->store, "", "Entra token", &count, &t->e));
	assert_int_equal(count, 1);
	assert_int_equal(test_claim(t, T0 + 10, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "c");
}

static void
thousands_of_held_rows_are_released_in_parts(void **state)
{
	struct test_store *t = *state;
	struct store_work w[1] = {{0}};
	int64_t count = 0;
	char event[16];

	for (int i = 0; i < 1100; i++) {
		snprintf(event, sizeof(event), "e%d", i);
		test_add(t, ANNA, event, 1, T0, 0);
		assert_int_equal(test_claim(t, T0, w, 1, NULL), 1);
		assert_ok(t,
		    store_work_defer(
			t->store, &w[0], T0 + 900000, "held", &t->e));
	}
	assert_ok(
	    t, store_work_release_held(t->store, "", "held", &count, &t->e));
	assert_int_equal(count, 1100);
	assert_ok(
	    t, store_work_release_held(t->store, "", "held", &count, &t->e));
	assert_int_equal(count, 0);
	assert_int_equal(test_claim(t, T0, w, 1, NULL), 1);
}

static void
a_claim_in_the_callers_transaction_sees_and_is_undone_with_it(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};

	assert_ok(t, store_begin(t->store, &t->e));
	test_add(t, ANNA, "e1", 1, T0, DELAY);
	assert_int_equal(test_claim(t, T0 + DELAY, w, 4, NULL), 1);
	store_rollback(t->store);
	assert_int_equal(test_rows(t), 0);
	test_add(t, ANNA, "e1", 1, T0, DELAY);
	assert_ok(t, store_begin(t->store, &t->e));
	assert_int_equal(test_claim(t, T0 + DELAY, w, 4, NULL), 1);
	test_add(t, ANNA, "e2", 1, T0 + DELAY + 5, 0);
	assert_int_equal(test_claim(t, T0 + DELAY + 5, w + 1, 3, NULL), 1);
	assert_ok(t, store_work_finish(t->store, &w[0], T0, 0, &t->e));
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(test_rows(t), 1);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_new_row_is_due_after_the_delay),
	    cmocka_unit_test(notifications_about_one_event_become_one_row),
	    cmocka_unit_test(a_later_notification_raises_a_row_of_the_queue),
	    cmocka_unit_test(a_row_can_become_due_earlier_but_not_later),
	    cmocka_unit_test(kinds_tenants_users_and_events_are_told_apart),
	    cmocka_unit_test(
		rows_are_claimed_in_the_order_in_which_they_are_due),
	    cmocka_unit_test(a_mailbox_has_at_most_its_share_in_progress),
	    cmocka_unit_test(a_mailbox_with_a_long_backlog_delays_nobody),
	    cmocka_unit_test(finishing_removes_the_row),
	    cmocka_unit_test(finishing_an_older_generation_puts_the_row_back),
	    cmocka_unit_test(
		a_delayed_notification_during_processing_is_not_lost),
	    cmocka_unit_test(a_row_that_is_not_in_progress_can_not_be_finished),
	    cmocka_unit_test(a_deferred_row_waits_and_keeps_what_it_knows),
	    cmocka_unit_test(a_notification_never_lowers_not_before),
	    cmocka_unit_test(a_release_ends_the_waiting_of_one_mailbox),
	    cmocka_unit_test(what_a_tenants_rows_waited_for_is_over),
	    cmocka_unit_test(thousands_of_held_rows_are_released_in_parts),
	    cmocka_unit_test(
		a_claim_in_the_callers_transaction_sees_and_is_undone_with_it),
	};

	return TEST_STORE_RUN("store: work", cases);
}
