/* tests/unit/test_store_share.c - port/store.h: how a claim is shared between
 * tenants. */
#include "test_store.h"

enum { TENANTS = 3, EVENTS = 20 };

static const char *const tenants[TENANTS] = {
    "aaaaaaaa-2222-4333-8444-555566667777",
    "bbbbbbbb-2222-4333-8444-555566667777",
    "cccccccc-2222-4333-8444-555566667777",
};

static int
index_of(const char *tenant)
{
	for (int i = 0; i < TENANTS; i++)
		if (strcmp(tenants[i], tenant) == 0)
			return i;
	return -1;
}

static void
add(struct test_store *t, int tenant, int count, int64_t now_ms)
{
	for (int i = 0; i < count; i++) {
		char user[STORE_GUID], event[16];
		struct store_hint_item item = {
		    STORE_WORK_EVENT, tenants[tenant], user, event, 1};

		snprintf(user, sizeof(user), "%036d", i);
		snprintf(event, sizeof(event), "e%d", i);
		assert_ok(t,
		    store_work_add(t->store, &item, 1, now_ms + i, 0, &t->e));
	}
}

struct rooms {
	size_t of[TENANTS];
};

static size_t
room(const char *tenant, void *arg)
{
	const struct rooms *r = arg;
	int i = index_of(tenant);

	return i < 0 ? 100 : r->of[i];
}

/* How many of each tenant were taken, added to got. */
static int
claim(struct test_store *t, struct rooms *r, size_t limit, int got[TENANTS],
    int64_t *next_ms)
{
	struct store_work w[64] = {{0}};
	const struct store_quota quota = {2, room, r};
	int n = store_work_claim(
	    t->store, T0 + 1000, &quota, w, limit, next_ms, &t->e);

	for (int i = 0; i < n; i++)
		got[index_of(w[i].tenant)]++;
	return n;
}

static void
a_tenant_with_a_long_backlog_delays_no_other(void **state)
{
	struct test_store *t = *state;
	struct rooms r = {{100, 100, 100}};
	int got[TENANTS] = {0};
	int64_t next_ms = 0;

	add(t, 0, EVENTS, T0);
	add(t, 1, EVENTS, T0 + 100);
	add(t, 2, 2, T0 + 200);
	assert_int_equal(claim(t, &r, 8, got, &next_ms), 8);
	assert_int_equal(got[0], 3);
	assert_int_equal(got[1], 3);
	assert_int_equal(got[2], 2);
	assert_true(next_ms <= T0 + 1000);
}

static void
a_tenant_without_room_is_passed_over(void **state)
{
	struct test_store *t = *state;
	struct rooms r = {{0, 3, 100}};
	int got[TENANTS] = {0};
	int64_t next_ms = 0;

	add(t, 0, EVENTS, T0);
	add(t, 1, EVENTS, T0);
	add(t, 2, EVENTS, T0 + 100);
	assert_int_equal(claim(t, &r, 64, got, &next_ms), 3 + EVENTS);
	assert_int_equal(got[0], 0);
	assert_int_equal(got[1], 3);
	assert_int_equal(got[2], EVENTS);
	assert_true(next_ms == INT64_MAX);
	/* Once it has room its rows are there. */
	r.of[0] = 5;
	r.of[1] = 0;
	assert_int_equal(claim(t, &r, 64, got, &next_ms), 5);
	assert_int_equal(got[0], 5);
}

static void
what_is_due_later_counts_for_the_next_look(void **state)
{
	struct test_store *t = *state;
	struct rooms r = {{1, 100, 100}};
	int got[TENANTS] = {0};
	int64_t next_ms = 0;

	add(t, 0, 2, T0);
	add(t, 1, 1, T0 + 9000);
	add(t, 2, 1, T0 + 8000);
	assert_int_equal(claim(t, &r, 64, got, &next_ms), 1);
	assert_true(next_ms == T0 + 8000);
}

static void
work_of_no_tenant_is_claimed_like_any_other(void **state)
{
	struct test_store *t = *state;
	struct store_hint_item keys = {STORE_WORK_KEYS, "", "", "", 0};
	struct store_work w[2] = {{0}};
	struct rooms r = {{0, 0, 0}};
	const struct store_quota quota = {2, room, &r};
	int64_t next_ms = 0;

	add(t, 0, 2, T0);
	assert_ok(t, store_work_add(t->store, &keys, 1, T0, 0, &t->e));
	assert_int_equal(
	    store_work_claim(t->store, T0 + 10, &quota, w, 2, &next_ms, &t->e),
	    1);
	assert_int_equal(w[0].kind, STORE_WORK_KEYS);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_tenant_with_a_long_backlog_delays_no_other),
	    cmocka_unit_test(a_tenant_without_room_is_passed_over),
	    cmocka_unit_test(what_is_due_later_counts_for_the_next_look),
	    cmocka_unit_test(work_of_no_tenant_is_claimed_like_any_other),
	};

	return TEST_STORE_RUN("store: share", cases);
}
