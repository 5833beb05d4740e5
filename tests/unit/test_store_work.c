/* tests/unit/test_store_work.c - port/store.h: the queue and dead letters. */
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
	assert_ok(t, store_work_finish(t->store, &w[0], T0, 0, &t->e));
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

/* ---- dead letters ---- */

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
	    cmocka_unit_test(recovery_puts_back_what_a_dead_sync_had),
	    cmocka_unit_test(
		rows_in_progress_that_nobody_works_on_can_be_put_back),
	    cmocka_unit_test(after_a_crash_suspects_run_one_at_a_time),
	    cmocka_unit_test(totals_tell_the_rows_and_the_oldest),
	    cmocka_unit_test(totals_count_what_is_planned_from_its_time_on),
	    cmocka_unit_test(the_queue_can_be_looked_through),
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
	    cmocka_unit_test(
		a_claim_in_the_callers_transaction_sees_and_is_undone_with_it),
	    cmocka_unit_test(a_buried_row_becomes_a_dead_letter),
	    cmocka_unit_test(a_row_raised_before_its_burial_is_looked_at_again),
	    cmocka_unit_test(an_event_has_one_dead_letter_the_latest),
	    cmocka_unit_test(a_dead_letter_can_be_replayed_or_dropped_once),
	    cmocka_unit_test(reasons_are_cut_at_a_character),
	};

	return TEST_STORE_RUN("store: work", cases);
}
