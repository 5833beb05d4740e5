/* tests/unit/test_store_beside.c - port/store.h: transactions beside each
 * other, where several share the store; elsewhere that they are like any. */
#include "test_store_shared.h"

static const struct store_party anna = {TENANT, ANNA, "c1"};
static const struct store_party bert = {TENANT, BERT, "c2"};

static void
where_there_is_one_writer_it_is_like_any(void **state)
{
	struct test_store *t = *state;
	struct store_work w[2];
	int64_t next;

	test_add(t, ANNA, "1", 1, T0, 0);
	assert_ok(t, store_begin_beside(t->store, &anna, 1, &t->e));
	assert_int_equal(
	    store_work_claim(t->store, T0,
		&(struct store_quota){.per_mailbox = 2}, w, 2, &next, &t->e),
	    1);
	assert_ok(t, store_work_finish(t->store, &w[0], T0, 0, &t->e));
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(test_rows(t), 0);
}

#ifdef HAVE_POSTGRESQL
#include <pthread.h>

static void
assert_waits(struct test_store *t, int rc)
{
	assert_int_equal(rc, -1);
	assert_int_equal(t->e.code, ERR_RETRY);
}

static void
who_works_on_one_mailbox_keeps_nobody_off_another(void **state)
{
	struct test_store *t = *state;
	struct store_link l = test_full_link();
	struct store *other;

	if (!is_shared(t))
		return;
	other = another(t, SHORT_MS);
	assert_ok(t, store_begin_beside(t->store, &anna, 1, &t->e));
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_ok(t, store_begin_beside(other, &bert, 1, &t->e));
	SET(l.conversation, "c2");
	assert_ok(t, store_link_save(other, &l, &t->e));
	assert_ok(t, store_commit(other, &t->e));
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(store_link_find(other, "conv-1", &l, &t->e), 1);
	store_close(other);
}

static void
one_mailbox_is_one_at_a_time_and_so_is_a_conversation(void **state)
{
	static const struct store_party again = {TENANT, ANNA, "c3"};
	static const struct store_party same = {TENANT, BERT, "c1"};
	struct test_store *t = *state;
	struct store *other;

	if (!is_shared(t))
		return;
	test_add(t, ANNA, "1", 1, T0, 0);
	other = another(t, SHORT_MS);
	assert_ok(t, store_begin_beside(t->store, &anna, 1, &t->e));
	assert_waits(t, store_begin_beside(other, &again, 1, &t->e));
	assert_waits(t, store_begin_beside(other, &same, 1, &t->e));
	assert_ok(t, store_begin_beside(other, &bert, 1, &t->e));
	store_rollback(other);
	assert_ok(t, store_commit(t->store, &t->e));
	assert_ok(t, store_begin_beside(other, &anna, 1, &t->e));
	store_close(other);
}

static void
all_else_is_alone(void **state)
{
	struct test_store *t = *state;
	struct store *other;

	if (!is_shared(t))
		return;
	other = another(t, SHORT_MS);
	assert_ok(t, store_begin_beside(t->store, &anna, 1, &t->e));
	assert_waits(t, store_begin(other, &t->e));
	assert_ok(t, store_commit(t->store, &t->e));
	assert_ok(t, store_begin(t->store, &t->e));
	assert_waits(t, store_begin_beside(other, &bert, 1, &t->e));
	assert_ok(t, store_commit(t->store, &t->e));
	assert_ok(t, store_begin_beside(other, &bert, 1, &t->e));
	/* What is about all of them has no place there. */
	assert_int_equal(store_work_recover(other, NULL, &t->e), -1);
	assert_int_equal(t->e.code, ERR_REFUSED);
	store_close(other);
}

static void
a_claim_passes_over_who_is_held(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4];
	struct store *other;

	if (!is_shared(t))
		return;
	test_add(t, ANNA, "1", 1, T0, 0);
	test_add(t, BERT, "2", 1, T0, 0);
	other = another(t, SHORT_MS);
	assert_ok(t, store_begin_beside(t->store, &anna, 1, &t->e));
	assert_int_equal(claim_beside(t, other, w), 1);
	assert_string_equal(w[0].event, "2");
	store_rollback(t->store);
	assert_int_equal(claim_beside(t, other, w), 1);
	assert_string_equal(w[0].event, "1");
	store_close(other);
}

static void
a_claim_does_not_keep_another_one_off_what_that_works_on(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4], none[4];
	struct store *other;
	int64_t next;

	if (!is_shared(t))
		return;
	other = another_replica(t, SHORT_MS);
	test_add(t, ANNA, "1", 1, T0, 0);
	assert_int_equal(claim_beside(t, other, w), 1);
	test_add(t, ANNA, "2", 1, T0, 0);
	assert_ok(t, store_begin_beside(t->store, NULL, 0, &t->e));
	assert_int_equal(
	    store_work_claim(t->store, T0 + DELAY,
		&(struct store_quota){.per_mailbox = 2}, none, 4, &next, &t->e),
	    0);
	assert_ok(t, store_begin_beside(other, &anna, 1, &t->e));
	assert_ok(t, store_work_finish(other, &w[0], T0, 0, &t->e));
	assert_ok(t, store_commit(other, &t->e));
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(claim_beside(t, t->store, w), 1);
	assert_string_equal(w[0].event, "2");
	store_close(other);
}

/* It has ended its rows, and was not told so: by now they are another one's. */
static void
what_one_ends_twice_gives_another_no_third_row(void **state)
{
	struct test_store *t = *state;
	struct store_work had[4], w[4];
	struct store *other;

	if (!is_shared(t))
		return;
	other = another_replica(t, SHORT_MS);
	test_add(t, ANNA, "1", 1, T0, 0);
	test_add(t, ANNA, "2", 1, T0, 0);
	assert_int_equal(claim_beside(t, t->store, had), 2);
	for (int i = 0; i < 2; i++)
		assert_ok(
		    t, store_work_finish(t->store, &had[i], T0, 0, &t->e));
	test_add(t, ANNA, "1", 1, T0, 0);
	test_add(t, ANNA, "2", 1, T0, 0);
	test_add(t, ANNA, "3", 1, T0, 0);
	assert_int_equal(claim_beside(t, other, w), 2);
	assert_int_equal(store_work_finish(t->store, &had[0], T0, 0, &t->e), 1);
	assert_int_equal(claim_beside(t, other, w), 0);
	assert_int_equal(store_work_defer(t->store, &had[1], T0, "", &t->e), 1);
	assert_int_equal(claim_beside(t, other, w), 0);
	store_close(other);
}

static void
a_suspect_is_only_given_out_alone(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4];

	if (!is_shared(t))
		return;
	test_add(t, ANNA, "1", 1, T0, 0);
	assert_int_equal(claim_beside(t, t->store, w), 1);
	assert_false(store_work_claims_alone(t->store));
	assert_ok(t, store_work_recover_crashed(t->store, NULL, &t->e));
	assert_int_equal(claim_beside(t, t->store, w), 0);
	assert_true(store_work_claims_alone(t->store));
	assert_int_equal(test_claim(t, T0 + DELAY, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "1");
	/* Until that one has ended. */
	assert_true(store_work_claims_alone(t->store));
	assert_ok(t, store_work_finish(t->store, &w[0], T0, 0, &t->e));
	assert_int_equal(claim_beside(t, t->store, w), 0);
	assert_false(store_work_claims_alone(t->store));
}

static void
a_store_of_an_earlier_version_is_brought_up_alone(void **state)
{
	struct test_store *t = *state;

	if (!is_shared(t))
		return;
	test_postgres_sql("UPDATE store_version SET version = 1");
	assert_waits(t, store_begin_beside(t->store, &anna, 1, &t->e));
	assert_non_null(strstr(t->e.text, "not been set up"));
}

static void
a_mailbox_that_was_purged_is_made_anew_alone(void **state)
{
	struct test_store *t = *state;
	struct store_hint_item item = {
	    STORE_WORK_EVENT, TENANT, ANNA, "1", STORE_HINT_UPDATED};

	if (!is_shared(t))
		return;
	assert_ok(t, store_begin_beside(t->store, &anna, 1, &t->e));
	assert_int_equal(store_work_add(t->store, &item, 1, T0, 0, &t->e), -1);
	assert_int_equal(t->e.code, ERR_REFUSED);
	store_rollback(t->store);
	test_add(t, ANNA, "1", 1, T0, 0);
	assert_int_equal(test_rows(t), 1);
}

/* ---- nobody waits in a circle ---- */

enum { ROUNDS = 60, MAILBOXES = 6 };

struct crowd {
	struct store *store;
	struct err e;
	int turn; /* the order in which it names the mailboxes */
	int failed;
};

static void
user_of(int i, char out[STORE_GUID])
{
	snprintf(out, STORE_GUID, "%08d-1111-4222-8333-444455556666", i);
}

static int
crowd_round(struct crowd *c, int round)
{
	char users[MAILBOXES][STORE_GUID];
	struct store_party parties[MAILBOXES];
	struct store_hint_item items[MAILBOXES];
	struct store_work w[4];
	int64_t next;
	int n;

	for (int i = 0; i < MAILBOXES; i++) {
		user_of(c->turn > 0 ? i : MAILBOXES - 1 - i, users[i]);
		parties[i] = (struct store_party){TENANT, users[i], users[i]};
		items[i] = (struct store_hint_item){
		    STORE_WORK_EVENT, TENANT, users[i], "e", 1};
	}
	if (store_work_append(c->store, items, MAILBOXES, 1, NULL, 0,
		T0 + round, &c->e) != 0 ||
	    store_work_fold(c->store, T0 + DELAY, &c->e) < 0 ||
	    store_begin_beside(c->store, parties, MAILBOXES, &c->e) != 0)
		return -1;
	n = store_work_claim(c->store, T0 + DELAY,
	    &(struct store_quota){.per_mailbox = 2}, w, 4, &next, &c->e);
	for (int i = 0; i < n; i++)
		if (store_work_finish(c->store, &w[i], T0, 0, &c->e) != 0)
			return -1;
	return n < 0 ? -1 : store_commit(c->store, &c->e);
}

static void *
crowd_run(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < ROUNDS && c->failed == 0; i++)
		c->failed = crowd_round(c, i);
	return NULL;
}

static void
whatever_order_they_name_them_in_nobody_waits_in_a_circle(void **state)
{
	struct test_store *t = *state;
	struct crowd crowds[3];
	pthread_t threads[3];

	if (!is_shared(t))
		return;
	for (int i = 0; i < 3; i++) {
		crowds[i] =
		    (struct crowd){.store = another(t, LONG_MS), .turn = i % 2};
		pthread_create(&threads[i], NULL, crowd_run, &crowds[i]);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		if (crowds[i].failed != 0)
			print_error("%s\n", crowds[i].e.text);
		assert_int_equal(crowds[i].failed, 0);
		store_close(crowds[i].store);
	}
}
#endif

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(where_there_is_one_writer_it_is_like_any),
#ifdef HAVE_POSTGRESQL
	    cmocka_unit_test(who_works_on_one_mailbox_keeps_nobody_off_another),
	    cmocka_unit_test(
		one_mailbox_is_one_at_a_time_and_so_is_a_conversation),
	    cmocka_unit_test(all_else_is_alone),
	    cmocka_unit_test(a_claim_passes_over_who_is_held),
	    cmocka_unit_test(
		a_claim_does_not_keep_another_one_off_what_that_works_on),
	    cmocka_unit_test(what_one_ends_twice_gives_another_no_third_row),
	    cmocka_unit_test(a_suspect_is_only_given_out_alone),
	    cmocka_unit_test(a_store_of_an_earlier_version_is_brought_up_alone),
	    cmocka_unit_test(a_mailbox_that_was_purged_is_made_anew_alone),
	    cmocka_unit_test(
		whatever_order_they_name_them_in_nobody_waits_in_a_circle),
#endif
	};

	return TEST_STORE_RUN("store: beside", cases);
}
