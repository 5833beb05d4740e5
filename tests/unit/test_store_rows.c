/* tests/unit/test_store_rows.c - port/store.h: audit, throttles, keys, leases,
 * facts, and what is removed. */
#include "test_store.h"

#include "port/store_due.h"
#include "port/store_replica.h"
#include "port/store_retain.h"

/* ---- audit and the small ones ---- */

static int
count_audit(const struct store_audit *a, void *arg)
{
	assert_string_equal(a->tenant, TENANT);
	assert_string_equal(a->conversation, "c");
	assert_string_equal(a->detail, "");
	++*(int *)arg;
	return 0;
}

static void
audit_records_are_kept_in_order(void **state)
{
	struct test_store *t = *state;
	int count = 0;

	for (int i = 0; i < 20; i++)
		test_audit(t, T0 + i, i % 2 ? ANNA : BERT, "delete",
		    i < 10 ? "done" : "refused");
	test_audit(t, T0, ANNA, "set-topic", "done");
	assert_ok(
	    t, store_audit_each(t->store, T0 + 5, count_audit, &count, &t->e));
	assert_int_equal(count, 15);
}

static void
a_throttle_is_only_ever_raised(void **state)
{
	struct test_store *t = *state;
	int64_t until = -1;

	assert_ok(t,
	    store_throttle_get(
		t->store, "unblu", NULL, T0 + 90, &until, &t->e));
	assert_int_equal(until, 0);
	assert_ok(t, store_throttle_set(t->store, "unblu", T0 + 50, &t->e));
	assert_ok(t, store_throttle_set(t->store, "unblu", T0 + 20, &t->e));
	assert_ok(t,
	    store_throttle_get(
		t->store, "unblu", NULL, T0 + 90, &until, &t->e));
	assert_int_equal(until, T0 + 50);
	assert_ok(t, store_throttle_set(t->store, "unblu", T0 + 60, &t->e));
	assert_ok(t,
	    store_throttle_get(
		t->store, "unblu", NULL, T0 + 90, &until, &t->e));
	assert_int_equal(until, T0 + 60);
	/* The wider one is later, or not to be believed. */
	assert_ok(t, store_throttle_set(t->store, "graph:a", T0 + 70, &t->e));
	assert_ok(t,
	    store_throttle_get(
		t->store, "unblu", "graph:a", T0 + 90, &until, &t->e));
	assert_int_equal(until, T0 + 70);
	assert_ok(t,
	    store_throttle_get(
		t->store, "unblu", "graph:a", T0 + 69, &until, &t->e));
	assert_int_equal(until, T0 + 60);
}

static void
another_scope_of_the_same_beginning_is_found_while_it_holds(void **state)
{
	struct test_store *t = *state;
	static const char *const told[] = {"told:a/anna", "told:b/ben", "told"};

	for (int i = 0; i < 3; i++)
		assert_ok(
		    t, store_throttle_set(t->store, told[i], T0 + 50, &t->e));
	assert_int_equal(store_throttle_other(t->store, "told:a/", "told:a/ben",
			     T0, T0 + 90, &t->e),
	    1);
	/* Itself, another tenant's, one that is over, one that is not
	 * believed. */
	assert_int_equal(store_throttle_other(t->store, "told:a/",
			     "told:a/anna", T0, T0 + 90, &t->e),
	    0);
	assert_int_equal(store_throttle_other(t->store, "told:c/",
			     "told:c/anna", T0, T0 + 90, &t->e),
	    0);
	assert_int_equal(store_throttle_other(t->store, "told:a/", "told:a/ben",
			     T0 + 51, T0 + 90, &t->e),
	    0);
	assert_int_equal(store_throttle_other(t->store, "told:a/", "told:a/ben",
			     T0, T0 + 49, &t->e),
	    0);
}

static void
a_throttle_of_a_clock_years_ahead_gives_way(void **state)
{
	struct test_store *t = *state;
	int64_t until = -1;

	assert_ok(t,
	    store_throttle_set(
		t->store, "unblu", T0 + STORE_THROTTLE_MAX_MS + 51, &t->e));
	assert_ok(t, store_throttle_set(t->store, "unblu", T0 + 51, &t->e));
	assert_ok(t,
	    store_throttle_get(
		t->store, "unblu", NULL, INT64_MAX, &until, &t->e));
	assert_int_equal(until, T0 + STORE_THROTTLE_MAX_MS + 51);
	assert_ok(t, store_throttle_set(t->store, "unblu", T0 + 50, &t->e));
	assert_ok(t,
	    store_throttle_get(
		t->store, "unblu", NULL, INT64_MAX, &until, &t->e));
	assert_int_equal(until, T0 + 50);
}

static void
the_signing_keys_are_one_set(void **state)
{
	struct test_store *t = *state;
	char *big = calloc(1, 200001);
	char *json = big;
	int64_t at = -1;

	assert_ok(t, store_keys_load(t->store, &json, &at, &t->e));
	assert_null(json);
	assert_int_equal(at, 0);
	memset(big, 'k', 200000);
	assert_ok(t, store_keys_save(t->store, "[]", T0, &t->e));
	assert_ok(t, store_keys_save(t->store, big, T0 + 1, &t->e));
	assert_ok(t, store_keys_load(t->store, &json, &at, &t->e));
	assert_string_equal(json, big);
	assert_int_equal(at, T0 + 1);
	free(json);
	free(big);
}

static void
a_lease_has_one_holder_until_it_runs_out(void **state)
{
	struct test_store *t = *state;
	int64_t until = 0;

	/* There time is the database's own: test_store_replica.c */
	if (store_database_is_shared(t->url))
		return;

	assert_int_equal(store_lease_take(t->store, "renew", "a", T0, T0 + 30,
			     &until, &t->e),
	    1);
	assert_int_equal(until, T0 + 30);
	assert_int_equal(store_lease_take(t->store, "renew", "b", T0 + 29,
			     T0 + 59, &until, &t->e),
	    0);
	assert_int_equal(until, T0 + 30);
	assert_int_equal(store_lease_take(t->store, "renew", "b", T0 + 30,
			     T0 + 60, &until, &t->e),
	    1);
	assert_ok(t, store_lease_release(t->store, "renew", "a", &t->e));
	assert_int_equal(store_lease_take(t->store, "renew", "a", T0 + 31,
			     T0 + 61, &until, &t->e),
	    0);
	assert_ok(t, store_lease_release(t->store, "renew", "b", &t->e));
	assert_int_equal(store_lease_take(t->store, "renew", "a", T0 + 31,
			     T0 + 61, &until, &t->e),
	    1);
}

static void
a_lease_of_a_clock_years_ahead_is_nobodys(void **state)
{
	enum { LIFE = 90 * 1000 };
	struct test_store *t = *state;
	int64_t ahead = T0 + STORE_LEASE_MAX_MS - LIFE;

	if (store_database_is_shared(t->url))
		return;
	assert_int_equal(store_lease_take(t->store, "box", "dead", ahead,
			     ahead + LIFE, NULL, &t->e),
	    1);
	assert_int_equal(
	    store_lease_take(t->store, "box", "b", T0, T0 + LIFE, NULL, &t->e),
	    0);
	assert_int_equal(store_lease_take(t->store, "box", "b", T0 - 1,
			     T0 - 1 + LIFE, NULL, &t->e),
	    1);
}

static int
join_fact(const char *name, const char *text, int64_t at_ms, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out), "%s=%s@%d;", name, text,
	    (int)at_ms);
	return 0;
}

static void
facts_are_set_found_and_removed(void **state)
{
	struct test_store *t = *state;
	char text[8] = "";
	char joined[256] = "";
	int64_t at = 0;

	assert_int_equal(
	    store_fact_get(t->store, "store-created", NULL, 0, &at, &t->e), 1);
	assert_int_equal(at, T0);
	assert_int_equal(store_fact_get(t->store, "degraded:x", text,
			     sizeof(text), &at, &t->e),
	    0);
	assert_ok(t, store_fact_set(t->store, "degraded:x", "one", 1, &t->e));
	assert_ok(t, store_fact_set(t->store, "degraded:x", "two", 2, &t->e));
	assert_ok(t, store_fact_set(t->store, "degraded:%", NULL, 3, &t->e));
	assert_ok(t, store_fact_set(t->store, "degradee", "no", 4, &t->e));
	assert_ok(t, store_fact_set(t->store, "long", "0123456789", 5, &t->e));
	assert_int_equal(
	    store_fact_get(t->store, "long", text, sizeof(text), NULL, &t->e),
	    1);
	assert_string_equal(text, "0123456");
	assert_ok(t,
	    store_fact_each(t->store, "degraded:", join_fact, joined, &t->e));
	assert_string_equal(joined, "degraded:%=@3;degraded:x=two@2;");
	assert_ok(t, store_fact_remove(t->store, "degraded:x", &t->e));
	assert_int_equal(store_fact_get(t->store, "degraded:x", text,
			     sizeof(text), &at, &t->e),
	    0);
}

/* ---- what is removed ---- */

/* Those whose event nobody has seen, and followed ones that were not ended by
 * anything: until start and end are long past. */
static void
what_is_past_is_removed_unless_more_is_planned(void **state)
{
	static const struct {
		const char *sentence;
		enum store_link_state state;
		int64_t start_ms, announced_ms, end_ms, check_ms;
		bool goes;
	} rows[] = {
	    {"unconfirmed, start past", STORE_LINK_UNCONFIRMED, T0 - 1, 5, 0, 0,
		true},
	    {"unconfirmed, start to come", STORE_LINK_UNCONFIRMED, T0, 5, 0, 0,
		false},
	    {"unconfirmed, announced late", STORE_LINK_UNCONFIRMED, T0 - 1, T0,
		0, 0, false},
	    {"unconfirmed, of a series that goes on", STORE_LINK_UNCONFIRMED, 5,
		5, T0, 0, false},
	    {"announced, the lease runs", STORE_LINK_ANNOUNCED, T0 - 1, 5, 0,
		T0 + 1, false},
	    {"announced, no lease", STORE_LINK_ANNOUNCED, T0 - 1, 5, 0, 0,
		true},
	    {"linked, no end known", STORE_LINK_LINKED, T0 - 1, 5, 0, 0, false},
	    {"linked, over", STORE_LINK_LINKED, T0 - 2, 5, T0 - 1, 0, true},
	    {"linked, not over", STORE_LINK_LINKED, T0 - 2, 5, T0, 0, false},
	    {"linked, looked at by the clock", STORE_LINK_LINKED, T0 - 2, 5,
		T0 - 1, T0 + 1, false},
	    {"held", STORE_LINK_HELD, T0 - 1, 5, 0, 0, false},
	};
	struct test_store *t = *state;
	struct store_link found;
	int64_t removed = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_link l = {.state = rows[i].state,
		    .tenant = TENANT,
		    .user = ANNA,
		    .created_ms = 5,
		    .start_ms = rows[i].start_ms,
		    .announced_ms = rows[i].announced_ms,
		    .end_ms = rows[i].end_ms,
		    .check_ms = rows[i].check_ms};

		snprintf(l.conversation, sizeof(l.conversation), "%zu", i);
		assert_ok(t, store_link_save(t->store, &l, &t->e));
	}
	assert_ok(t, store_expire(t->store, T0, 0, &removed, &t->e));
	assert_int_equal(removed, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char id[8];

		snprintf(id, sizeof(id), "%zu", i);
		if (store_link_find(t->store, id, &found, &t->e) !=
		    (rows[i].goes ? 0 : 1))
			fail_msg("%s", rows[i].sentence);
	}
}

static void
what_is_over_is_removed_by_age(void **state)
{
	struct test_store *t = *state;
	struct store_link l = test_full_link();
	struct store_link found;
	int64_t removed = 100;
	int count = 0;

	for (int i = 0; i < STORE_LINK_STATE_COUNT; i++) {
		snprintf(l.conversation, sizeof(l.conversation), "s%d", i);
		l.state = (enum store_link_state)i;
		assert_ok(t, store_link_save(t->store, &l, &t->e));
	}
	SET(l.conversation, "recent");
	l.state = STORE_LINK_ENDED;
	l.end_ms = T0;
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_ok(
	    t, store_copy_add(t->store, "s7", TENANT, ANNA, "copy", &t->e));
	for (int i = 0; i < 1200; i++) {
		if (i == 0)
			assert_ok(t, store_begin(t->store, &t->e));
		test_audit(t, i, ANNA, "delete", "done");
	}
	assert_ok(t, store_commit(t->store, &t->e));
	assert_ok(t, store_expire(t->store, T0, 1100, &removed, &t->e));
	/* The final ones, those that were never seen, and the past. */
	assert_int_equal(removed, 100 + 8 + 1100);
	assert_int_equal(store_link_find(t->store, "recent", &found, &t->e), 1);
	assert_ok(t,
	    store_link_each(
		t->store, NULL, NULL, test_count_link, &count, &t->e));
	assert_int_equal(count, STORE_LINK_STATE_COUNT - 8 + 1);
	count = 0;
	assert_ok(t, store_audit_each(t->store, 0, count_audit, &count, &t->e));
	assert_int_equal(count, 100);
}

static void
a_cleared_mailbox_has_nothing_queued_and_works_on(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	struct store_work_totals totals;
	int64_t next_ms;

	for (int i = 0; i < 2; i++) {
		const char *user = i ? ANNA : BERT;

		test_add(t, user, "claimed", 1, T0, 0);
		test_add(t, user, "queued", 1, T0 + 1, 0);
		test_add(t, user, "arrived", 1, T0 + 1, DELAY);
	}
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 2);
	assert_ok(t, store_work_clear(t->store, TENANT, ANNA, &t->e));
	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	assert_int_equal(totals.in_progress, 2);
	assert_int_equal(totals.rows, 4);
	for (int i = 0; i < 2; i++) {
		assert_ok(
		    t, store_work_finish(t->store, &w[i], T0 + 1, 0, &t->e));
	}
	/* Bert's are all there; Anna's row was finished, the others are gone,
	 * and what comes now is taken. */
	assert_int_equal(test_claim(t, T0 + DELAY + 1, w, 4, &next_ms), 2);
	assert_string_equal(w[0].user, BERT);
	assert_string_equal(w[1].user, BERT);
	test_add(t, ANNA, "new", 1, T0 + DELAY + 1, 0);
	assert_int_equal(test_claim(t, T0 + DELAY + 1, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "new");
}

static int
check_forgotten(const struct store_audit *a, void *arg)
{
	assert_string_not_equal(a->user, ANNA);
	++*(int *)arg;
	return 0;
}

static void
a_forgotten_mailbox_leaves_nothing_but_the_audit(void **state)
{
	struct test_store *t = *state;
	struct store_link l = test_full_link();
	struct store_subscription sub = test_subscription(ANNA, "h1", T0);
	struct store_mailbox m;
	struct store_work w[4] = {{0}};
	int count = 0;

	for (int i = 0; i < 2; i++) {
		const char *user = i ? ANNA : BERT;

		test_follow(t, user, "x", false, T0, true);
		test_add(t, user, "dead", 1, T0, 0);
		test_add(t, user, "queued", 1, T0 + 1, 0);
		test_add(t, user, "arrived", 1, T0 + 1, DELAY);
		SET(l.user, user);
		SET(l.conversation, user);
		assert_ok(t, store_link_save(t->store, &l, &t->e));
		test_audit(t, T0, user, "delete", "done");
	}
	assert_ok(t,
	    store_throttle_set(
		t->store, "told:" TENANT "/" ANNA, T0 + 1, &t->e));
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 2);
	for (int i = 0; i < 2; i++)
		assert_ok(t, store_work_bury(t->store, &w[i], "x", T0, &t->e));
	assert_ok(t, store_subscription_add_pending(t->store, &sub, &t->e));
	assert_ok(t, store_forget(t->store, TENANT, ANNA, &t->e));
	assert_int_equal(test_rows(t), 2);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 0);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, BERT, &m, &t->e), 1);
	assert_int_equal(
	    store_subscription_of(t->store, TENANT, ANNA, &sub, &t->e), 0);
	assert_int_equal(store_link_find(t->store, ANNA, &l, &t->e), 0);
	assert_int_equal(store_link_find(t->store, BERT, &l, &t->e), 1);
	assert_ok(
	    t, store_audit_each(t->store, 0, check_forgotten, &count, &t->e));
	assert_int_equal(count, 2);
	assert_int_equal(
	    store_throttle_other(t->store, "told:", "", 0, INT64_MAX, &t->e),
	    0);
	/* And comes back as a new one. */
	test_add(t, ANNA, "new", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_string_equal(w[0].user, ANNA);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(audit_records_are_kept_in_order),
	    cmocka_unit_test(a_throttle_is_only_ever_raised),
	    cmocka_unit_test(a_throttle_of_a_clock_years_ahead_gives_way),
	    cmocka_unit_test(
		another_scope_of_the_same_beginning_is_found_while_it_holds),
	    cmocka_unit_test(the_signing_keys_are_one_set),
	    cmocka_unit_test(a_lease_has_one_holder_until_it_runs_out),
	    cmocka_unit_test(a_lease_of_a_clock_years_ahead_is_nobodys),
	    cmocka_unit_test(facts_are_set_found_and_removed),
	    cmocka_unit_test(what_is_past_is_removed_unless_more_is_planned),
	    cmocka_unit_test(what_is_over_is_removed_by_age),
	    cmocka_unit_test(a_cleared_mailbox_has_nothing_queued_and_works_on),
	    cmocka_unit_test(a_forgotten_mailbox_leaves_nothing_but_the_audit),
	};

	return TEST_STORE_RUN("store: rows", cases);
}
