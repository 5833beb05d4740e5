/* tests/unit/test_store_replica.c - syncs that share a store; on a database
 * that hosts can not share, that it is refused. */
#include "test_store_shared.h"

#include "port/store_due.h"

#ifdef HAVE_POSTGRESQL
static int
claim_with(struct test_store *t, struct store *s, struct store_work *out)
{
	int64_t next;

	return store_work_claim(s, T0, &(struct store_quota){.per_mailbox = 2},
	    out, 4, &next, &t->e);
}

/* As if its last beat had been long ago. */
static void
let_leases_pass(void)
{
	test_postgres_sql("UPDATE replica SET until_ms = 1");
}

static void
mailboxes_are_shared_out_one_replica_each(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4];
	struct store *other;

	if (!is_shared(t))
		return;
	other = another_replica(t, LONG_MS);
	assert_true(store_replica_fence(t->store) > 0);
	assert_true(store_replica_fence(other) > store_replica_fence(t->store));
	test_add(t, ANNA, "1", 1, T0, 0);
	assert_int_equal(claim_with(t, t->store, w), 1);
	test_add(t, ANNA, "2", 1, T0, 0);
	test_add(t, BERT, "3", 1, T0, 0);
	/* ANNA's second place is not another's. */
	assert_int_equal(claim_with(t, other, w), 1);
	assert_string_equal(w[0].event, "3");
	memset(&w[0], 0, sizeof(w[0]));
	SET(w[0].tenant, TENANT);
	SET(w[0].user, ANNA);
	SET(w[0].event, "1");
	w[0].generation = 1;
	assert_ok(t, store_work_finish(t->store, &w[0], T0, 0, &t->e));
	assert_int_equal(claim_with(t, other, w), 1);
	assert_string_equal(w[0].event, "2");
	store_close(other);
}

static void
what_a_dead_one_had_claimed_goes_back_and_its_fence_is_worth_nothing(
    void **state)
{
	struct test_store *t = *state;
	struct store_work w[4], had[4];
	struct store_link l = {.state = STORE_LINK_LINKED};
	struct store *other;
	int64_t count = 0;

	if (!is_shared(t))
		return;
	other = another(t, LONG_MS);
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	test_add(t, ANNA, "1", STORE_HINT_DELETED, T0, 0);
	test_add(t, ANNA, "2", 1, T0, 0);
	assert_int_equal(claim_with(t, t->store, had), 2);
	/* Alive: nothing is taken from it. */
	assert_ok(t, store_replica_join(other, "b", false, &count, &t->e));
	assert_int_equal(count, 0);
	let_leases_pass();
	assert_ok(t, store_replica_beat(other, &count, &t->e));
	assert_int_equal(count, 2);
	/* The beat of the living one has come first. */
	assert_ok(t, store_replica_count(other, &count, &t->e));
	assert_int_equal(count, 1);
	assert_int_equal(claim_with(t, other, w), 2);
	assert_int_equal(w[0].hints, STORE_HINT_DELETED);

	SET(l.conversation, "c");
	assert_int_equal(store_begin(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_GONE);
	assert_true(store_replica_is_lost(t->store));
	assert_int_equal(store_link_save(t->store, &l, &t->e), -1);
	assert_int_equal(
	    store_work_finish(t->store, &had[0], T0, 0, &t->e), -1);
	assert_int_equal(store_replica_beat(t->store, NULL, &t->e), -1);
	assert_int_equal(store_link_find(other, "c", &l, &t->e), 0);
	/* As a new one it may go on. */
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	assert_false(store_replica_is_lost(t->store));
	assert_int_equal(claim_with(t, t->store, w), 0);
	store_close(other);
}

static void
a_successor_of_the_same_name_has_its_rows_at_once(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4];
	struct store *next;
	int64_t count = 0;

	if (!is_shared(t))
		return;
	next = another(t, LONG_MS);
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	test_add(t, ANNA, "1", 1, T0, 0);
	test_add(t, BERT, "2", 1, T0, 0);
	assert_int_equal(claim_with(t, t->store, w), 2);
	assert_ok(t, store_replica_join(next, "a", true, &count, &t->e));
	assert_int_equal(count, 2);
	/* It died of its own: they are suspects, and run one at a time. */
	assert_int_equal(claim_with(t, next, w), 1);
	assert_ok(t, store_work_finish(next, &w[0], T0, 0, &t->e));
	assert_int_equal(claim_with(t, next, w), 1);
	assert_ok(t, store_replica_leave(next, &t->e));
	assert_ok(t, store_replica_count(next, &count, &t->e));
	assert_int_equal(count, 0);
	assert_int_equal(store_work_is_due(next, T0, &t->e), 1);
	store_close(next);
}

static void
a_row_is_ended_by_whoever_has_claimed_it(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4], v[4], had;
	struct store *other;
	int64_t count = -1;

	if (!is_shared(t))
		return;
	other = another(t, LONG_MS);
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	test_add(t, ANNA, "1", 1, T0, 0);
	assert_int_equal(claim_with(t, t->store, w), 1);
	had = w[0];
	let_leases_pass();
	assert_ok(t, store_replica_join(other, "b", false, NULL, &t->e));
	assert_int_equal(claim_with(t, other, w), 1);
	/* As a new one, with what it had as the old one. */
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	assert_int_equal(store_work_finish(t->store, &had, T0, 0, &t->e), 1);
	assert_int_equal(
	    store_work_defer(t->store, &had, T0, "later", &t->e), 1);
	assert_int_equal(store_work_bury(t->store, &had, "over", T0, &t->e), 1);
	assert_ok(t, store_dead_count(t->store, &count, &t->e));
	assert_int_equal(count, 0);
	assert_int_equal(claim_with(t, t->store, v), 0);
	assert_ok(t, store_work_defer(other, &w[0], T0, "again", &t->e));
	assert_int_equal(claim_with(t, other, w), 1);
	assert_string_equal(w[0].reason, "again");
	assert_ok(t, store_work_finish(other, &w[0], T0, 0, &t->e));
	/* Once more, as behind a commit of which nobody knew. */
	assert_int_equal(store_work_finish(other, &w[0], T0, 0, &t->e), 1);
	assert_int_equal(test_rows(t), 0);
	store_close(other);
}

static void
a_fence_is_looked_at_behind_a_new_connection_too(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4], had[4];
	struct store *other;

	if (!is_shared(t))
		return;
	other = another(t, LONG_MS);
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	test_add(t, ANNA, "1", 1, T0, 0);
	assert_int_equal(claim_with(t, t->store, had), 1);
	assert_ok(t, store_replica_join(other, "b", false, NULL, &t->e));
	let_leases_pass();
	assert_ok(t, store_replica_beat(other, NULL, &t->e));
	assert_int_equal(claim_with(t, other, w), 1);
	SET(w[0].tenant, TENANT);
	SET(w[0].user, ANNA);
	test_postgres_cut_off();
	/* The first finds the connection dead, the second has a new one. */
	assert_int_equal(store_begin(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_int_equal(store_begin(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_GONE);
	assert_true(store_replica_is_lost(t->store));
	/* The living one finds its row, and its fence stands. */
	assert_int_equal(store_begin(other, &t->e), -1);
	assert_ok(t, store_work_finish(other, &w[0], T0, 0, &t->e));
	assert_int_equal(test_rows(t), 0);
	store_close(other);
}

static void
a_fence_is_looked_at_behind_a_lock_that_was_not_had_too(void **state)
{
	struct test_store *t = *state;
	struct store *other, *late;

	if (!is_shared(t))
		return;
	other = another(t, LONG_MS);
	late = store_open(t->url, 0, 200, T0, &t->e);
	assert_non_null(late);
	assert_ok(t, store_replica_join(late, "a", false, NULL, &t->e));
	assert_ok(t, store_replica_join(other, "b", false, NULL, &t->e));
	let_leases_pass();
	assert_ok(t, store_replica_beat(other, NULL, &t->e));
	assert_ok(t, store_begin(other, &t->e));
	assert_int_equal(store_begin(late, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	store_rollback(other);
	assert_int_equal(store_begin(late, &t->e), -1);
	assert_int_equal(t->e.code, ERR_GONE);
	store_close(late);
	store_close(other);
}

static void
a_fence_is_worth_nothing_in_a_database_that_was_emptied(void **state)
{
	struct test_store *t = *state;

	if (!is_shared(t))
		return;
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	test_postgres_sql("SET client_min_messages TO warning;"
			  "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
	/* The first finds it so, the second looks. */
	assert_int_equal(store_begin(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_int_equal(store_begin(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_GONE);
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	assert_ok(t, store_replica_beat(t->store, NULL, &t->e));
}

/* Their times are a day ahead, nothing else says who lives. */
static void
when_the_database_s_clock_is_set_back_the_dead_stay_so(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4];
	struct store *other, *idle;
	int64_t count = 0, alive = 0;

	if (!is_shared(t))
		return;
	other = another(t, LONG_MS);
	idle = another(t, LONG_MS);
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	test_add(t, ANNA, "1", 1, T0, 0);
	assert_int_equal(claim_with(t, t->store, w), 1);
	assert_ok(t, store_replica_join(other, "b", false, NULL, &t->e));
	assert_ok(t, store_replica_join(idle, "c", false, NULL, &t->e));
	test_postgres_sql("UPDATE replica SET until_ms = until_ms + 86400000");
	/* Nobody is buried before he could beat, */
	assert_ok(t, store_replica_beat(other, &count, &t->e));
	assert_ok(t, store_replica_count(other, &alive, &t->e));
	assert_int_equal(alive, 3);
	assert_ok(t, store_begin(t->store, &t->e));
	store_rollback(t->store);
	/* and within a life it is known who has not. */
	test_postgres_sql("UPDATE replica SET until_ms = until_ms - 25000");
	assert_ok(t, store_replica_beat(idle, &count, &t->e));
	assert_int_equal(count, 0);
	test_postgres_sql("UPDATE replica SET until_ms = until_ms - 6000");
	assert_ok(t, store_replica_beat(idle, &count, &t->e));
	assert_int_equal(count, 1);
	assert_int_equal(store_begin(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_GONE);
	store_close(idle);
	store_close(other);
}

/* By a clock that is an hour behind: the database's counts. */
static void
a_lease_holds_for_hosts_whose_clocks_differ(void **state)
{
	struct test_store *t = *state;
	int64_t held_ms = 0;

	if (!is_shared(t))
		return;
	assert_int_equal(
	    store_lease_take(t->store, "x", "me", T0, T0 + 30000, NULL, &t->e),
	    1);
	assert_int_equal(store_lease_take(t->store, "x", "you", T0 + 3600000,
			     T0 + 3630000, &held_ms, &t->e),
	    0);
	assert_true(held_ms > T0 + 3620000 && held_ms <= T0 + 3630000);
	/* Not the holder's to give; his to renew and to give. */
	assert_ok(t, store_lease_release(t->store, "x", "you", &t->e));
	assert_int_equal(
	    store_lease_take(t->store, "x", "me", T0, T0 + 60000, NULL, &t->e),
	    1);
	assert_ok(t, store_lease_release(t->store, "x", "me", &t->e));
	/* One that has run out. */
	assert_int_equal(
	    store_lease_take(t->store, "x", "me", T0, T0, NULL, &t->e), 1);
	assert_int_equal(store_mailbox_claim(t->store, TENANT, ANNA, "me", T0,
			     T0 + 30000, NULL, &t->e),
	    1);
	assert_int_equal(store_mailbox_claim(t->store, TENANT, ANNA, "you", T0,
			     T0 + 30000, NULL, &t->e),
	    0);
	assert_int_equal(
	    store_lease_take(t->store, "x", "you", T0, T0 + 1000, NULL, &t->e),
	    1);
}
#endif

static void
a_store_of_one_host_is_not_shared(void **state)
{
	struct test_store *t = *state;

	if (is_shared(t))
		return;
	assert_int_equal(
	    store_replica_join(t->store, "a", false, NULL, &t->e), -1);
	assert_int_equal(t->e.code, ERR_REFUSED);
}

static void
what_is_appended_is_in_the_queue_whatever_it_is_called(void **state)
{
	static const char odd[] = "a\"b\\c{d},e NULL \xc3\xa4 '$1";
	struct test_store *t = *state;
	struct store_hint_item later[] = {
	    {STORE_WORK_EVENT, TENANT, ANNA, odd, STORE_HINT_UPDATED},
	    {STORE_WORK_EVENT, TENANT, ANNA, "NULL", STORE_HINT_CREATED},
	};
	struct store_hint_item now = {
	    STORE_WORK_CATCHUP, TENANT, BERT, "", STORE_HINT_MISSED};
	struct store_work w[4];

	assert_ok(t,
	    store_work_append(t->store, later, 2, DELAY, &now, 1, T0, &t->e));
	assert_ok(t,
	    store_work_append(
		t->store, later, 1, DELAY, NULL, 0, T0 + 1, &t->e));
	assert_int_equal(test_rows(t), 4);
	assert_int_equal(store_work_is_due(t->store, T0 - 1, &t->e), 0);
	assert_int_equal(store_work_is_due(t->store, T0, &t->e), 1);
	assert_int_equal(test_claim(t, T0 + DELAY + 1, w, 4, NULL), 3);
	for (int i = 0; i < 3; i++)
		if (strcmp(w[i].event, odd) == 0) {
			assert_int_equal(w[i].generation, 2);
			assert_int_equal(w[i].hints, STORE_HINT_UPDATED);
			return;
		}
	fail();
}

static void
upkeep_has_nothing_to_do_or_does_it(void **state)
{
	struct test_store *t = *state;
	int64_t freed = 0;

	assert_ok(t, store_checkpoint(t->store, &t->e));
	assert_ok(t, store_check(t->store, &t->e));
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	assert_int_equal(freed, 0);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
#ifdef HAVE_POSTGRESQL
	    cmocka_unit_test(mailboxes_are_shared_out_one_replica_each),
	    cmocka_unit_test(
		what_a_dead_one_had_claimed_goes_back_and_its_fence_is_worth_nothing),
	    cmocka_unit_test(a_successor_of_the_same_name_has_its_rows_at_once),
	    cmocka_unit_test(a_row_is_ended_by_whoever_has_claimed_it),
	    cmocka_unit_test(a_fence_is_looked_at_behind_a_new_connection_too),
	    cmocka_unit_test(
		a_fence_is_looked_at_behind_a_lock_that_was_not_had_too),
	    cmocka_unit_test(
		a_fence_is_worth_nothing_in_a_database_that_was_emptied),
	    cmocka_unit_test(
		when_the_database_s_clock_is_set_back_the_dead_stay_so),
	    cmocka_unit_test(a_lease_holds_for_hosts_whose_clocks_differ),
#endif
	    cmocka_unit_test(upkeep_has_nothing_to_do_or_does_it),
	    cmocka_unit_test(a_store_of_one_host_is_not_shared),
	    cmocka_unit_test(
		what_is_appended_is_in_the_queue_whatever_it_is_called),
	};

	return TEST_STORE_RUN("store: replicas", cases);
}
