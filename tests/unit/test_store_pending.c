/* tests/unit/test_store_pending.c - port/store_renewal.h: creations of a
 * subscription whose answer was lost. */
#include "test_store.h"

#include "port/store_renewal.h"
#include "rule/subscription.h"

enum {
	MINUTE = 60 * 1000,
	LIFE = 10065 * MINUTE,
	DAYS = 9, /* of the outage */
	ATTEMPTS_MAX = 4000
};

struct attempt {
	int64_t at_ms, life_ms;
	char hash[24];
};

/* As sync and outlook-addin-renew do it, see sync/follow_trial.c. 1: made. */
static int
try_again(struct test_store *t, int64_t now_ms, struct attempt *a)
{
	struct store_subscription sub =
	    test_subscription(ANNA, a->hash, now_ms);
	int64_t count = -1, last_ms = -1;

	assert_ok(t,
	    store_subscription_unanswered(
		t->store, &sub, now_ms, &count, &last_ms, &t->e));
	if (subscription_pause_ms(count, now_ms - last_ms) > 0)
		return 0;
	a->at_ms = now_ms;
	a->life_ms = subscription_trial_ms(LIFE, count);
	sub.requested_life_ms = a->life_ms;
	assert_ok(t, store_subscription_add_pending(t->store, &sub, &t->e));
	return 1;
}

static bool
is_known(struct test_store *t, const struct attempt *a)
{
	struct store_subscription found;
	int rc = store_subscription_by_client_state(
	    t->store, a->hash, &found, &t->e);

	assert_true(rc >= 0);
	return rc == 1;
}

static int
count_rows(const struct store_subscription *sub, void *arg)
{
	(void)sub;
	++*(int *)arg;
	return 0;
}

static int
rows(struct test_store *t)
{
	int count = 0;

	assert_ok(
	    t, store_subscription_each(t->store, count_rows, &count, &t->e));
	return count;
}

/* Any of those that Graph may have made, and would have now, may notify. */
static void
assert_none_is_refused(
    struct test_store *t, const struct attempt *all, int count, int64_t now_ms)
{
	for (int i = 0; i < count; i++)
		if (now_ms < all[i].at_ms + all[i].life_ms &&
		    !is_known(t, &all[i]))
			fail_msg("attempt %d is forgotten after %lld minutes",
			    i, (long long)(now_ms - all[i].at_ms) / MINUTE);
}

static void
hundreds_of_creations_without_an_answer_leave_few_rows(void **state)
{
	static struct attempt all[ATTEMPTS_MAX];
	struct test_store *t = *state;
	struct store_subscription last;
	int64_t now_ms = T0;
	int made = 0, most = 0;

	assert_ok(t, store_begin(t->store, &t->e));
	while (now_ms < T0 + (int64_t)DAYS * 1440 * MINUTE) {
		assert_in_range(made, 0, ATTEMPTS_MAX - 1);
		snprintf(all[made].hash, sizeof(all[made].hash), "h%d", made);
		made += try_again(t, now_ms, &all[made]);
		/* It goes on being tried. */
		assert_true(now_ms - all[made - 1].at_ms < 13 * MINUTE);
		if (made % 50 == 0) {
			int count = rows(t);

			most = count > most ? count : most;
			assert_none_is_refused(t, all, made, now_ms);
		}
		now_ms += made < 20 ? MINUTE / 4 : 6 * MINUTE;
	}
	assert_ok(t, store_commit(t->store, &t->e));
	assert_in_range(made, 500, ATTEMPTS_MAX);
	assert_in_range(most, 10, 40);
	assert_false(is_known(t, &all[0]));
	/* The next one is answered. */
	last = test_subscription(ANNA, all[made - 1].hash, now_ms);
	SET(last.id, "id");
	last.granted_ms = now_ms;
	last.expires_ms = now_ms + LIFE;
	assert_ok(t, store_subscription_granted(t->store, &last, &t->e));
	assert_int_equal(rows(t), 1);
}

static void
what_was_left_beside_a_subscription_goes_when_it_is_renewed(void **state)
{
	struct test_store *t = *state;
	struct store_subscription sub = test_subscription(ANNA, "own", T0);
	struct attempt late = {.hash = "late"};

	SET(sub.id, "id");
	sub.granted_ms = T0;
	sub.expires_ms = T0 + LIFE;
	assert_ok(t, store_subscription_granted(t->store, &sub, &t->e));
	assert_int_equal(try_again(t, T0 + 1, &late), 1);
	sub.granted_ms = T0 + LIFE / 2;
	assert_ok(t, store_subscription_granted(t->store, &sub, &t->e));
	assert_true(is_known(t, &late));
	sub.granted_ms = T0 + LIFE + 61 * MINUTE;
	assert_ok(t, store_subscription_granted(t->store, &sub, &t->e));
	assert_false(is_known(t, &late));
}

static void
a_creation_by_a_clock_that_ran_ahead_keeps_nobody_waiting(void **state)
{
	struct test_store *t = *state;
	struct attempt ahead = {.hash = "ahead"}, now = {.hash = "now"};

	assert_int_equal(try_again(t, T0 + 1000 * MINUTE, &ahead), 1);
	assert_int_equal(try_again(t, T0, &now), 1);
	assert_true(is_known(t, &ahead));
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(
		hundreds_of_creations_without_an_answer_leave_few_rows),
	    cmocka_unit_test(
		what_was_left_beside_a_subscription_goes_when_it_is_renewed),
	    cmocka_unit_test(
		a_creation_by_a_clock_that_ran_ahead_keeps_nobody_waiting),
	};

	return TEST_STORE_RUN("store: pending", cases);
}
