/* tests/unit/test_store_mend.c - what a clock that ran ahead has written. */
#include "test_store.h"
#include "port/store_mend.h"
#include "rule/renewal.h"

enum { HOUR = 60 * 60 * 1000, DAY = 24 * HOUR };

/* All that it finds, as sync goes about it: how many, in so many looks. */
static int64_t
mend(struct test_store *t, int64_t now_ms)
{
	struct store_mend m = {.now_ms = now_ms, .wait_max_ms = DAY};
	int64_t count = 0;

	for (;;) {
		int rc = store_mend_look(t->store, &m, &t->e);

		assert_true(rc >= 0);
		if (rc == 0 && m.last == 0)
			return count;
		if (rc == 1)
			assert_ok(
			    t, store_mend_apply(t->store, &m, &count, &t->e));
		m.after = m.last;
	}
}

/* "anna:event bert:event ..." of what may be worked on. */
static void
assert_claimed(struct test_store *t, int64_t now_ms, const char *want)
{
	struct store_work w[8];
	char text[256] = "";
	int n = test_claim(t, now_ms, w, 8, NULL);

	for (int i = 0; i < n; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%s", i > 0 ? " " : "", w[i].event);
		assert_ok(
		    t, store_work_finish(t->store, &w[i], now_ms, 0, &t->e));
	}
	assert_string_equal(text, want);
}

static void
defer(struct test_store *t, const char *event, int64_t until_ms)
{
	struct store_work w;

	test_add(t, ANNA, event, 0, T0, 0);
	assert_int_equal(test_claim(t, T0, &w, 1, NULL), 1);
	assert_ok(t, store_work_defer(t->store, &w, until_ms, "busy", &t->e));
}

static void
a_row_of_an_hour_ahead_is_due_now(void **state)
{
	struct test_store *t = *state;

	test_add(t, ANNA, "ahead", 0, T0 + HOUR, 0);
	assert_claimed(t, T0, "");
	assert_int_equal(mend(t, T0), 1);
	assert_claimed(t, T0, "ahead");
	assert_int_equal(mend(t, T0), 0);
}

static void
so_is_what_has_only_arrived(void **state)
{
	struct test_store *t = *state;

	test_add(t, ANNA, "one", 0, T0 + HOUR, DELAY);
	test_add(t, ANNA, "one", 0, T0 + HOUR, DELAY);
	assert_claimed(t, T0 + DELAY, "");
	assert_true(mend(t, T0) > 0);
	assert_claimed(t, T0, "one");
}

static void
a_row_that_was_planned_for_next_week_keeps_its_time(void **state)
{
	struct test_store *t = *state;

	test_add(t, ANNA, "grace", 0, T0, 7LL * DAY);
	test_add(t, ANNA, "skew", 0, T0 + STORE_MEND_SLACK_MS, DELAY);
	assert_int_equal(mend(t, T0), 0);
	assert_claimed(t, T0, "");
}

static void
nothing_waits_for_longer_than_anybody_is_told_to(void **state)
{
	struct test_store *t = *state;

	defer(t, "told", T0 + DAY);
	defer(t, "wrong", T0 + DAY + 1);
	assert_int_equal(mend(t, T0), 1);
	assert_claimed(t, T0, "wrong");
	assert_claimed(t, T0 + DAY, "told");
}

static void
a_row_in_progress_is_left_alone(void **state)
{
	struct test_store *t = *state;
	struct store_work w;

	test_add(t, ANNA, "ahead", 0, T0 + HOUR, 0);
	assert_int_equal(test_claim(t, T0 + HOUR, &w, 1, NULL), 1);
	assert_int_equal(mend(t, T0), 0);
	assert_ok(t, store_work_finish(t->store, &w, T0, 0, &t->e));
	assert_int_equal(test_rows(t), 0);
}

static void
a_mailbox_is_not_parked_for_years(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox m;

	test_follow(t, ANNA, "", false, T0, true);
	test_follow(t, BERT, "", false, T0, true);
	assert_ok(t,
	    store_mailbox_park(
		t->store, TENANT, ANNA, "gone", T0 + 3650LL * DAY, T0, &t->e));
	assert_ok(t,
	    store_mailbox_park(
		t->store, TENANT, BERT, "gone", T0 + HOUR, T0, &t->e));
	assert_int_equal(mend(t, T0), 1);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_int_equal(m.state, STORE_MAILBOX_PARKED);
	assert_true(m.retry_ms == T0 && m.renew_ms == T0);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, BERT, &m, &t->e), 1);
	assert_true(m.retry_ms == T0 + HOUR);
}

static void
what_an_operator_has_parked_stays_so(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox m;

	test_follow(t, ANNA, "", false, T0, true);
	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, ANNA,
		STORE_MAILBOX_PARKED, "by an operator",
		RENEWAL_PARKED_FOR_GOOD_MS, T0, &t->e));
	assert_int_equal(mend(t, T0), 0);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_true(m.retry_ms == RENEWAL_PARKED_FOR_GOOD_MS);
}

static int64_t
check_of(struct test_store *t, const char *conversation)
{
	struct store_link l;

	assert_int_equal(store_link_find(t->store, conversation, &l, &t->e), 1);
	return l.check_ms;
}

static void
a_conversation_that_was_announced_years_ahead_is_looked_at(void **state)
{
	struct test_store *t = *state;
	struct store_link l = {.announced_ms = T0, .check_ms = T0 + HOUR};
	int64_t count = 0;

	SET(l.conversation, "well");
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	SET(l.conversation, "ahead");
	l.announced_ms = T0 + 3650LL * DAY;
	l.check_ms = l.announced_ms + HOUR;
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_ok(t, store_mend_links(t->store, T0, &count, &t->e));
	assert_int_equal(count, 1);
	assert_true(check_of(t, "well") == T0 + HOUR);
	assert_true(check_of(t, "ahead") == T0);
	assert_ok(t, store_mend_links(t->store, T0, &count, &t->e));
	assert_int_equal(count, 1);
}

/* More rows than one look takes, the wrong ones among them. */
static void
a_long_queue_is_gone_through_in_parts(void **state)
{
	enum { MANY = 2 * STORE_MEND_ROWS + 10 };
	struct test_store *t = *state;
	struct store_mend m = {.now_ms = T0, .wait_max_ms = DAY};
	char event[32];

	assert_ok(t, store_begin(t->store, &t->e));
	for (int i = 0; i < MANY; i++) {
		snprintf(event, sizeof(event), "%d", i);
		test_add(t, ANNA, event, 0, i % 2 ? T0 + HOUR : T0, 0);
	}
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(store_mend_look(t->store, &m, &t->e), 1);
	assert_int_equal(m.last, STORE_MEND_ROWS);
	assert_int_equal(mend(t, T0), MANY / 2);
	assert_int_equal(mend(t, T0), 0);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_row_of_an_hour_ahead_is_due_now),
	    cmocka_unit_test(so_is_what_has_only_arrived),
	    cmocka_unit_test(
		a_row_that_was_planned_for_next_week_keeps_its_time),
	    cmocka_unit_test(nothing_waits_for_longer_than_anybody_is_told_to),
	    cmocka_unit_test(a_row_in_progress_is_left_alone),
	    cmocka_unit_test(a_mailbox_is_not_parked_for_years),
	    cmocka_unit_test(what_an_operator_has_parked_stays_so),
	    cmocka_unit_test(
		a_conversation_that_was_announced_years_ahead_is_looked_at),
	    cmocka_unit_test(a_long_queue_is_gone_through_in_parts),
	};

	return TEST_STORE_RUN("store: a clock that ran ahead", cases);
}
