/* tests/unit/test_store_shared.h - what the tests of syncs that share a store
 * have in common. */
#ifndef TEST_STORE_SHARED_H
#define TEST_STORE_SHARED_H

#include "test_store.h"

#include "port/store_beside.h"
#include "port/store_replica.h"

enum { SHORT_MS = 150, LONG_MS = 5000 };

static inline bool
is_shared(const struct test_store *t)
{
	return store_database_is_shared(t->url);
}

static inline struct store *
another(struct test_store *t, int lock_wait_ms)
{
	struct store *s =
	    store_open(t->url, STORE_CREATE, lock_wait_ms, T0, &t->e);

	if (s == NULL)
		print_error("%s\n", t->e.text);
	assert_non_null(s);
	return s;
}

static inline int
claim_beside_until(struct test_store *t, struct store *s,
    struct store_work *out, int64_t *next_ms)
{
	int n;

	assert_ok(t, store_begin_beside(s, NULL, 0, &t->e));
	n = store_work_claim(s, T0 + DELAY,
	    &(struct store_quota){.per_mailbox = 2}, out, 4, next_ms, &t->e);
	assert_ok(t, store_commit(s, &t->e));
	return n;
}

static inline int
claim_beside(struct test_store *t, struct store *s, struct store_work *out)
{
	int64_t next;

	return claim_beside_until(t, s, out, &next);
}

/* Both have joined, the test's own first. */
static inline struct store *
another_replica(struct test_store *t, int lock_wait_ms)
{
	struct store *other = another(t, lock_wait_ms);

	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	assert_ok(t, store_replica_join(other, "b", false, NULL, &t->e));
	return other;
}

#endif
