/* tests/unit/test_store_brake.c - port/store_brake.h. */
#include "test_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "port/store_brake.h"

static void
assert_deletions(struct test_store *t, const char *tenant, const char *user,
    int64_t since_ms, int64_t in_mailbox, int64_t in_tenant)
{
	struct store_link of = {.conversation = "own"};
	struct store_deletions n = {-1, -1};

	SET(of.tenant, tenant);
	SET(of.user, user);
	assert_ok(t,
	    store_deletions_count(
		t->store, &of, since_ms, since_ms, &n, &t->e));
	assert_int_equal(n.in_mailbox, in_mailbox);
	assert_int_equal(n.in_tenant, in_tenant);
}

static void
those_in_the_audit_are_counted_since_a_time(void **state)
{
	struct test_store *t = *state;

	for (int i = 0; i < 20; i++)
		test_audit(t, T0 + i, i % 2 ? ANNA : BERT, "delete",
		    i < 10 ? "done" : "refused");
	test_audit(t, T0, ANNA, "set-topic", "done");
	assert_deletions(t, TENANT, ANNA, T0, 5, 10);
	assert_deletions(t, TENANT, ANNA, T0 + 4, 3, 6);
	assert_deletions(
	    t, TENANT, "cccccccc-1111-4222-8333-444455556666", T0, 0, 10);
	assert_deletions(t, OTHER_TENANT, ANNA, T0, 0, 0);
}

static void
begin_write(struct test_store *t, const char *conversation, const char *user,
    const char *writing, int64_t at_ms)
{
	struct store_link l = test_full_link();

	SET(l.conversation, conversation);
	SET(l.user, user);
	SET(l.writing, writing);
	l.writing_ms = at_ms;
	assert_ok(t, store_link_save(t->store, &l, &t->e));
}

static void
a_deletion_that_was_begun_counts_until_its_outcome_is_known(void **state)
{
	struct test_store *t = *state;

	begin_write(t, "begun", ANNA, "delete", T0);
	begin_write(t, "long ago", ANNA, "delete", T0 - 1);
	begin_write(t, "a topic", ANNA, "topic", T0);
	begin_write(t, "another's", BERT, "delete", T0);
	/* The one who asks. */
	begin_write(t, "own", ANNA, "delete", T0);
	assert_deletions(t, TENANT, ANNA, T0, 1, 2);
	test_audit(t, T0, BERT, "delete", "done");
	assert_deletions(t, TENANT, ANNA, T0, 1, 3);
	begin_write(t, "begun", ANNA, "", T0);
	assert_deletions(t, TENANT, ANNA, T0, 0, 2);
	assert_deletions(t, OTHER_TENANT, ANNA, T0, 0, 0);
}

/* ---- of two who ask at the same time one sees what the other begins ---- */

struct asker {
	const struct test_store *t;
	pthread_t thread;
	int64_t seen;
	atomic_bool is_over;
};

static void *
ask(void *arg)
{
	struct asker *a = arg;
	struct store_link of = test_full_link();
	struct store_deletions n = {-1, -1};
	struct err e = {0};
	struct store *s = store_open(a->t->url, 0, 5000, T0, &e);

	SET(of.conversation, "own");
	if (s != NULL && store_begin(s, &e) == 0 &&
	    store_deletions_count(s, &of, T0, T0, &n, &e) == 0 &&
	    store_commit(s, &e) == 0)
		a->seen = n.in_tenant;
	store_close(s);
	a->is_over = true;
	return NULL;
}

static void
who_asks_behind_another_sees_what_that_one_has_begun(void **state)
{
	struct test_store *t = *state;
	struct asker other = {.t = t, .seen = -1};
	struct timespec moment = {0, 100 * 1000 * 1000};

	assert_ok(t, store_begin(t->store, &t->e));
	assert_int_equal(pthread_create(&other.thread, NULL, ask, &other), 0);
	nanosleep(&moment, NULL);
	begin_write(t, "begun", ANNA, "delete", T0);
	assert_false(other.is_over);
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(pthread_join(other.thread, NULL), 0);
	assert_int_equal(other.seen, 1);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(those_in_the_audit_are_counted_since_a_time),
	    cmocka_unit_test(
		a_deletion_that_was_begun_counts_until_its_outcome_is_known),
	    cmocka_unit_test(
		who_asks_behind_another_sees_what_that_one_has_begun),
	};

	return TEST_STORE_RUN("store: brake", cases);
}
