/* tests/unit/test_store_mailbox.c - port/store.h: mailboxes, claims and
 * subscriptions. */
#include "test_store.h"

#include "port/store_due.h"
#include "port/store_replica.h"
#include "rule/renewal.h"

static void
a_mailbox_is_followed_from_its_first_announcement(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox m = {0};

	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 0);
	test_follow(t, ANNA, "anna@bank.example", false, T0, true);
	test_follow(t, ANNA, "", false, T0 + 1, false);
	test_follow(t, ANNA, "anna@new.example", false, T0 + 2, false);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_string_equal(m.tenant, TENANT);
	assert_string_equal(m.user, ANNA);
	assert_string_equal(m.upn, "anna@new.example");
	assert_string_equal(m.email, "");
	assert_int_equal(m.state, STORE_MAILBOX_FOLLOWED);
	assert_int_equal(m.since_ms, T0);
	assert_int_equal(m.catch_up_ms, 0);
	for (int i = 0; i < 2; i++) {
		/* none in a later token changes nothing; nor does its state */
		assert_ok(t,
		    store_mailbox_set_email(t->store, TENANT, ANNA,
			i == 0 ? "anna@mail.example" : "", &t->e));
		assert_ok(t,
		    store_mailbox_set_state(t->store, TENANT, ANNA,
			STORE_MAILBOX_PARKED, "", 0, T0, &t->e));
		assert_int_equal(
		    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
		assert_string_equal(m.email, "anna@mail.example");
	}
	assert_ok(t,
	    store_mailbox_set_email(
		t->store, OTHER_TENANT, ANNA, "x@y.example", &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, OTHER_TENANT, ANNA, &m, &t->e), 0);
}

static void
a_parked_mailbox_is_resumed_only_on_request(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox m = {0};

	test_follow(t, ANNA, "", false, T0, true);
	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, ANNA,
		STORE_MAILBOX_PARKED, "no mailbox", T0 + 900, T0 + 5, &t->e));
	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, ANNA,
		STORE_MAILBOX_PARKED, "still", T0 + 1900, T0 + 7, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_int_equal(m.state, STORE_MAILBOX_PARKED);
	assert_string_equal(m.reason, "still");
	assert_int_equal(m.retry_ms, T0 + 1900);
	assert_int_equal(m.since_ms, T0 + 5);
	test_follow(t, ANNA, "", false, T0 + 10, false);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_int_equal(m.state, STORE_MAILBOX_PARKED);
	test_follow(t, ANNA, "", true, T0 + 11, true);
	test_follow(t, ANNA, "", true, T0 + 12, false);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_int_equal(m.state, STORE_MAILBOX_FOLLOWED);
	assert_string_equal(m.reason, "");
	assert_int_equal(m.retry_ms, 0);
	assert_int_equal(m.since_ms, T0 + 11);
}

static void
a_refusal_parks_no_mailbox_that_an_operator_has_put_aside(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox m;

	test_follow(t, ANNA, "x", false, T0, true);
	test_follow(t, BERT, "x", false, T0, true);
	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, ANNA,
		STORE_MAILBOX_PARKED, "on leave", T0 + 1000, T0, &t->e));
	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, BERT,
		STORE_MAILBOX_UNFOLLOWED, "", 0, T0, &t->e));
	assert_ok(t,
	    store_mailbox_park(
		t->store, TENANT, ANNA, "forbidden", T0 + 999, T0 + 1, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_string_equal(m.reason, "on leave");
	assert_int_equal(m.retry_ms, T0 + 1000);
	assert_ok(t,
	    store_mailbox_park(
		t->store, TENANT, ANNA, "forbidden", T0 + 1001, T0 + 1, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_string_equal(m.reason, "forbidden");
	/* a clock that is not so any more has parked it for years */
	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, ANNA,
		STORE_MAILBOX_PARKED, "ahead", T0 + INT64_C(100000000000), T0,
		&t->e));
	assert_ok(t,
	    store_mailbox_park(
		t->store, TENANT, ANNA, "forbidden", T0 + 999, T0 + 1, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_int_equal(m.retry_ms, T0 + 999);
	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, ANNA,
		STORE_MAILBOX_PARKED, "by an operator",
		RENEWAL_PARKED_FOR_GOOD_MS, T0, &t->e));
	assert_ok(t,
	    store_mailbox_park(
		t->store, TENANT, ANNA, "forbidden", T0 + 999, T0 + 1, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_string_equal(m.reason, "by an operator");
	assert_ok(t,
	    store_mailbox_park(
		t->store, TENANT, BERT, "forbidden", T0 + 999, T0 + 1, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, BERT, &m, &t->e), 1);
	assert_int_equal(m.state, STORE_MAILBOX_UNFOLLOWED);
	assert_ok(t,
	    store_mailbox_park(
		t->store, OTHER_TENANT, BERT, "forbidden", T0, T0, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, OTHER_TENANT, BERT, &m, &t->e), 0);
}

static void
the_state_of_an_unknown_mailbox_is_nobodys(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox m;

	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, ANNA,
		STORE_MAILBOX_PARKED, "x", 0, T0, &t->e));
	assert_ok(t,
	    store_mailbox_set_catch_up(
		t->store, TENANT, ANNA, T0, T0 + 9, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 0);
}

struct walk {
	struct test_store *t;
	int count;
	char last[STORE_ID_MAX];
};

/* Writes while it walks: no statement may be open. */
static int
walk_mailbox(const struct store_mailbox *m, void *arg)
{
	struct walk *w = arg;

	assert_true(strcmp(m->user, w->last) > 0);
	SET(w->last, m->user);
	w->count++;
	assert_ok(w->t,
	    store_mailbox_set_catch_up(
		w->t->store, m->tenant, m->user, T0 + 77, T0 + 99, &w->t->e));
	return 0;
}

static int
check_mailbox(const struct store_mailbox *m, void *arg)
{
	assert_int_equal(m->catch_up_ms, T0 + 77);
	assert_int_equal(m->check_ms, T0 + 99);
	++*(int *)arg;
	return 0;
}

static void
each_mailbox_is_seen_once_while_they_are_changed(void **state)
{
	struct test_store *t = *state;
	struct walk w = {.t = t};
	int seen = 0;
	char user[STORE_GUID];

	for (int i = 0; i < 48; i++) {
		snprintf(user, sizeof(user), "%08x-1111-4222-8333-444455556666",
		    48 - i);
		test_follow(t, user, "", false, T0, true);
	}
	assert_ok(t, store_mailbox_each(t->store, walk_mailbox, &w, &t->e));
	assert_int_equal(w.count, 48);
	assert_ok(t, store_mailbox_each(t->store, check_mailbox, &seen, &t->e));
	assert_int_equal(seen, 48);
}

static void
only_one_owner_claims_a_mailbox(void **state)
{
	struct test_store *t = *state;
	int64_t until = 0;

	/* There time is the database's own: test_store_replica.c */
	if (store_database_is_shared(t->url))
		return;

	assert_int_equal(store_mailbox_claim(t->store, TENANT, ANNA, "sync", T0,
			     T0 + 100, &until, &t->e),
	    1);
	assert_int_equal(store_mailbox_claim(t->store, TENANT, ANNA, "renew",
			     T0 + 50, T0 + 150, &until, &t->e),
	    0);
	assert_int_equal(until, T0 + 100);
	assert_int_equal(store_mailbox_claim(t->store, TENANT, BERT, "renew",
			     T0 + 50, T0 + 150, &until, &t->e),
	    1);
	assert_int_equal(store_mailbox_claim(t->store, TENANT, ANNA, "sync",
			     T0 + 50, T0 + 200, &until, &t->e),
	    1);
	/* Not the holder's to give. */
	assert_ok(
	    t, store_mailbox_release(t->store, TENANT, ANNA, "renew", &t->e));
	assert_int_equal(store_mailbox_claim(t->store, TENANT, ANNA, "renew",
			     T0 + 199, T0 + 300, &until, &t->e),
	    0);
	assert_int_equal(store_mailbox_claim(t->store, TENANT, ANNA, "renew",
			     T0 + 200, T0 + 300, &until, &t->e),
	    1);
	assert_ok(
	    t, store_mailbox_release(t->store, TENANT, ANNA, "renew", &t->e));
	assert_int_equal(store_mailbox_claim(t->store, TENANT, ANNA, "sync",
			     T0 + 201, T0 + 300, NULL, &t->e),
	    1);
}

/* ---- subscriptions ---- */

static void
a_pending_subscription_is_found_by_its_client_state(void **state)
{
	struct test_store *t = *state;
	struct store_subscription sub = test_subscription(ANNA, "h1", T0);
	struct store_subscription found = {0};

	assert_ok(t, store_subscription_add_pending(t->store, &sub, &t->e));
	assert_int_equal(
	    store_subscription_by_client_state(t->store, "h1", &found, &t->e),
	    1);
	assert_memory_equal(&found, &sub, sizeof(sub));
	assert_int_equal(
	    store_subscription_by_client_state(t->store, "h2", &found, &t->e),
	    0);
	/* The id of all pending ones is not a key. */
	assert_int_equal(
	    store_subscription_by_id(t->store, "", &found, &t->e), 0);
	assert_int_equal(
	    store_subscription_of(t->store, TENANT, ANNA, &found, &t->e), 1);
	assert_int_equal(found.granted_ms, 0);
}

static void
a_granted_subscription_replaces_the_older_ones(void **state)
{
	struct test_store *t = *state;
	struct store_subscription old = test_subscription(ANNA, "old", T0);
	struct store_subscription new = test_subscription(ANNA, "new", T0 + 10);
	struct store_subscription newer =
	    test_subscription(ANNA, "newer", T0 + 20);
	struct store_subscription other = test_subscription(BERT, "bert", T0);
	struct store_subscription found = {0};

	assert_ok(t, store_subscription_add_pending(t->store, &old, &t->e));
	SET(old.id, "id-old");
	old.granted_ms = T0 + 1;
	old.expires_ms = T0 + 1001;
	assert_ok(t, store_subscription_granted(t->store, &old, &t->e));
	assert_ok(t, store_subscription_add_pending(t->store, &other, &t->e));
	assert_ok(t, store_subscription_add_pending(t->store, &new, &t->e));
	assert_ok(t, store_subscription_add_pending(t->store, &newer, &t->e));
	assert_int_equal(
	    store_subscription_of(t->store, TENANT, ANNA, &found, &t->e), 1);
	assert_string_equal(found.id, "id-old");
	SET(new.id, "id-new");
	new.granted_ms = new.created_ms = T0 + 11;
	new.expires_ms = T0 + 1011;
	assert_ok(t, store_subscription_granted(t->store, &new, &t->e));
	assert_int_equal(
	    store_subscription_by_id(t->store, "id-old", &found, &t->e), 0);
	assert_int_equal(
	    store_subscription_by_id(t->store, "id-new", &found, &t->e), 1);
	assert_memory_equal(&found, &new, sizeof(new));
	/* The one being made right now stays, and so does another's. */
	assert_int_equal(store_subscription_by_client_state(
			     t->store, "newer", &found, &t->e),
	    1);
	assert_int_equal(
	    store_subscription_by_client_state(t->store, "bert", &found, &t->e),
	    1);
	/* A renewal. */
	new.granted_ms = T0 + 500;
	new.expires_ms = T0 + 1500;
	assert_ok(t, store_subscription_granted(t->store, &new, &t->e));
	assert_int_equal(
	    store_subscription_of(t->store, TENANT, ANNA, &found, &t->e), 1);
	assert_int_equal(found.expires_ms, T0 + 1500);
}

static void
a_grant_of_a_clock_that_was_ahead_gives_way_like_any_other(void **state)
{
	struct test_store *t = *state;
	struct store_subscription ahead =
	    test_subscription(ANNA, "ahead", T0 + 1000000);
	struct store_subscription new = test_subscription(ANNA, "new", T0);
	struct store_subscription found = {0};

	SET(ahead.id, "id-ahead");
	ahead.granted_ms = ahead.created_ms;
	assert_ok(t, store_subscription_granted(t->store, &ahead, &t->e));
	SET(new.id, "id-new");
	new.granted_ms = T0;
	assert_ok(t, store_subscription_granted(t->store, &new, &t->e));
	assert_int_equal(
	    store_subscription_of(t->store, TENANT, ANNA, &found, &t->e), 1);
	assert_string_equal(found.id, "id-new");
	assert_int_equal(
	    store_subscription_by_id(t->store, "id-ahead", &found, &t->e), 0);
}

/* One such text would stop all that goes into the same transaction. */
static void
a_text_that_is_no_utf8_fails_no_transaction(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox box;

	assert_ok(t,
	    store_mailbox_follow(
		t->store, TENANT, ANNA, "", false, T0, NULL, &t->e));
	assert_ok(t, store_begin(t->store, &t->e));
	assert_ok(t,
	    store_mailbox_park(
		t->store, TENANT, ANNA, "half \xC3] of it", T0, T0, &t->e));
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &box, &t->e), 1);
	assert_memory_equal(box.reason, "half ", 5);
	assert_non_null(strstr(box.reason, "] of it"));
}

static int
count_subscription(const struct store_subscription *sub, void *arg)
{
	assert_string_equal(sub->tenant, TENANT);
	++*(int *)arg;
	return 0;
}

static void
a_grant_without_a_row_makes_one_and_each_sees_it(void **state)
{
	struct test_store *t = *state;
	struct store_subscription sub = test_subscription(ANNA, "h1", T0);
	int count = 0;

	SET(sub.id, "id");
	sub.granted_ms = T0;
	sub.expires_ms = T0 + 1;
	assert_ok(t, store_subscription_granted(t->store, &sub, &t->e));
	assert_ok(t,
	    store_subscription_each(
		t->store, count_subscription, &count, &t->e));
	assert_int_equal(count, 1);
	assert_ok(t, store_subscription_remove(t->store, "h1", &t->e));
	assert_ok(t, store_subscription_remove(t->store, "h1", &t->e));
	assert_int_equal(
	    store_subscription_of(t->store, TENANT, ANNA, &sub, &t->e), 0);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_mailbox_is_followed_from_its_first_announcement),
	    cmocka_unit_test(a_parked_mailbox_is_resumed_only_on_request),
	    cmocka_unit_test(
		a_refusal_parks_no_mailbox_that_an_operator_has_put_aside),
	    cmocka_unit_test(the_state_of_an_unknown_mailbox_is_nobodys),
	    cmocka_unit_test(each_mailbox_is_seen_once_while_they_are_changed),
	    cmocka_unit_test(only_one_owner_claims_a_mailbox),
	    cmocka_unit_test(
		a_pending_subscription_is_found_by_its_client_state),
	    cmocka_unit_test(a_granted_subscription_replaces_the_older_ones),
	    cmocka_unit_test(a_text_that_is_no_utf8_fails_no_transaction),
	    cmocka_unit_test(
		a_grant_of_a_clock_that_was_ahead_gives_way_like_any_other),
	    cmocka_unit_test(a_grant_without_a_row_makes_one_and_each_sees_it),
	};

	return TEST_STORE_RUN("store: mailboxes", cases);
}
