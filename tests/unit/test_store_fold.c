/* tests/unit/test_store_fold.c - port/store_beside.h: notifications that become
 * rows beside the work of others. */
#include "test_store_shared.h"

#ifdef HAVE_POSTGRESQL
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static const struct store_party anna = {TENANT, ANNA, "c1"};

static void
what_another_one_is_about_to_fold_is_left_to_it(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4];
	int64_t next = 0;
	int rc, taken;
	PGconn *db;

	if (!is_shared(t))
		return;
	test_add(t, ANNA, "1", 1, T0, 10);
	test_add(t, ANNA, "2", 1, T0, 10);
	db = PQconnectdb(test_postgres_at);
	PQclear(PQexec(db, "BEGIN"));
	PQclear(PQexec(db, "SELECT 1 FROM arrival FOR UPDATE"));
	rc = store_work_fold(t->store, T0 + DELAY, &t->e);
	taken = claim_beside_until(t, t->store, w, &next);
	PQclear(PQexec(db, "ROLLBACK"));
	PQfinish(db);
	assert_int_equal(rc, 0);
	assert_int_equal(taken, 0);
	/* Looked at again, but not at once. */
	assert_true(next > T0 + DELAY && next <= T0 + DELAY + 1000);
	assert_int_equal(store_work_fold(t->store, T0 + DELAY, &t->e), 0);
	assert_int_equal(claim_beside(t, t->store, w), 2);
}

static void
whose_lane_is_held_keeps_nobody_elses_notifications_back(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4];
	struct store *other;
	int rc;

	if (!is_shared(t))
		return;
	other = another(t, SHORT_MS);
	test_add(t, ANNA, "0", 1, T0, 0);
	assert_int_equal(claim_beside(t, other, w), 1);
	assert_ok(t, store_work_finish(other, &w[0], T0, 0, &t->e));
	test_add(t, ANNA, "1", 1, T0, 10);
	test_add(t, BERT, "2", 1, T0, 10);
	assert_ok(t, store_begin_beside(t->store, &anna, 1, &t->e));
	while ((rc = store_work_fold(other, T0 + DELAY, &t->e)) == 1)
		;
	assert_int_equal(rc, 0);
	assert_int_equal(claim_beside(t, other, w), 1);
	assert_string_equal(w[0].event, "2");
	store_rollback(t->store);
	assert_int_equal(store_work_fold(other, T0 + DELAY, &t->e), 0);
	assert_int_equal(claim_beside(t, other, w), 1);
	assert_string_equal(w[0].event, "1");
	store_close(other);
}

/* The row that a notification is about is being finished, or put back, while
 * the notification is to become a row. */
static void
fold_beside_an_end(struct test_store *t, struct store *other, bool defer)
{
	struct store_work w[4];

	test_add(t, ANNA, "1", 1, T0, 0);
	assert_int_equal(claim_beside(t, t->store, w), 1);
	test_add(t, ANNA, "1", 2, T0, 10);
	assert_ok(t, store_begin_beside(t->store, &anna, 1, &t->e));
	if (defer)
		assert_ok(
		    t, store_work_defer(t->store, &w[0], T0, "why", &t->e));
	else
		assert_ok(t, store_work_finish(t->store, &w[0], T0, 0, &t->e));
	assert_int_equal(store_work_fold(other, T0 + DELAY, &t->e), 0);
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(store_work_fold(other, T0 + DELAY, &t->e), 0);
	assert_int_equal(claim_beside(t, t->store, w), 1);
	assert_string_equal(w[0].event, "1");
	assert_int_equal(w[0].hints, defer ? 3 : 2);
	assert_int_equal(w[0].generation, defer ? 2 : 1);
	assert_ok(t, store_work_finish(t->store, &w[0], T0, 0, &t->e));
	assert_int_equal(test_rows(t), 0);
}

static void
a_notification_is_not_lost_beside_the_end_of_its_row(void **state)
{
	struct test_store *t = *state;
	struct store *other;

	if (!is_shared(t))
		return;
	other = another(t, SHORT_MS);
	fold_beside_an_end(t, other, false);
	fold_beside_an_end(t, other, true);
	store_close(other);
}

enum { MANY = 600 };

struct adder {
	struct store *store;
	struct err e;
	int rc;
	atomic_bool is_over;
};

static void *
append_many(void *arg)
{
	static struct store_hint_item items[MANY];
	struct adder *a = arg;

	for (int i = 0; i < MANY; i++)
		items[i] = (struct store_hint_item){
		    STORE_WORK_EVENT, TENANT, BERT, "e", 1};
	a->rc =
	    store_work_append(a->store, items, MANY, 1000, NULL, 0, T0, &a->e);
	a->is_over = true;
	return NULL;
}

static void
who_adds_notifications_waits_for_nobody(void **state)
{
	struct test_store *t = *state;
	struct timespec moment = {0, 10 * 1000 * 1000};
	struct adder a = {0};
	pthread_t thread;
	bool waited;

	if (!is_shared(t))
		return;
	a.store = another(t, LONG_MS);
	assert_ok(t, store_begin(t->store, &t->e));
	assert_int_equal(pthread_create(&thread, NULL, append_many, &a), 0);
	for (int i = 0; i < 300 && !a.is_over; i++)
		nanosleep(&moment, NULL);
	waited = !a.is_over;
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(waited);
	assert_int_equal(a.rc, 0);
	store_close(a.store);
}

#endif

static void
where_there_is_one_writer_a_claim_sees_to_it(void **state)
{
	struct test_store *t = *state;
	struct store_work w[2];

	test_add(t, ANNA, "1", 1, T0, 10);
	if (!store_database_is_shared(t->url))
		assert_int_equal(
		    store_work_fold(t->store, T0 + DELAY, &t->e), 0);
	assert_int_equal(test_claim(t, T0 + DELAY, w, 2, NULL), 1);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(where_there_is_one_writer_a_claim_sees_to_it),
#ifdef HAVE_POSTGRESQL
	    cmocka_unit_test(what_another_one_is_about_to_fold_is_left_to_it),
	    cmocka_unit_test(
		whose_lane_is_held_keeps_nobody_elses_notifications_back),
	    cmocka_unit_test(
		a_notification_is_not_lost_beside_the_end_of_its_row),
	    cmocka_unit_test(who_adds_notifications_waits_for_nobody),
#endif
	};

	return TEST_STORE_RUN("store: fold", cases);
}
