/* tests/unit/test_store_due.c - what is due by the clock alone. */
#include "test_store.h"
#include "port/store_due.h"

static void
add_link(struct test_store *t, const char *conversation, int64_t check_ms)
{
	struct store_link l = {.check_ms = check_ms};

	SET(l.conversation, conversation);
	SET(l.tenant, TENANT);
	SET(l.user, ANNA);
	assert_ok(t, store_link_save(t->store, &l, &t->e));
}

static void
add_mailbox(struct test_store *t, const char *user, int64_t next_ms)
{
	assert_ok(t,
	    store_mailbox_follow(
		t->store, TENANT, user, "", false, T0, NULL, &t->e));
	assert_ok(t,
	    store_mailbox_set_catch_up(
		t->store, TENANT, user, T0, next_ms, &t->e));
}

static int64_t
next(struct test_store *t)
{
	int64_t next_ms;

	assert_ok(t, store_due_next(t->store, &next_ms, &t->e));
	return next_ms;
}

static int64_t
add_due(struct test_store *t, int64_t now_ms, size_t limit)
{
	int64_t count = 0;

	assert_ok(t,
	    store_due_add(t->store, now_ms, 1000, limit, limit, &count, &t->e));
	return count;
}

enum { SHOWN = 256 };

static int
show(const struct store_work *w, bool in_progress, void *arg)
{
	char *out = arg;

	(void)in_progress;
	snprintf(out + strlen(out), SHOWN - strlen(out), "%s%d:%s:%u",
	    out[0] != '\0' ? " " : "", (int)w->kind, w->event, w->hints);
	return 0;
}

static void
assert_work(struct test_store *t, const char *want)
{
	char text[SHOWN] = "";

	assert_ok(t, store_work_each(t->store, NULL, NULL, show, text, &t->e));
	assert_string_equal(text, want);
}

static void
nothing_is_due_in_a_new_store_nor_without_a_time(void **state)
{
	struct test_store *t = *state;

	add_link(t, "c1", 0);
	add_mailbox(t, ANNA, 0);
	assert_true(next(t) == INT64_MAX);
	assert_int_equal(add_due(t, INT64_MAX / 2, 10), 0);
	assert_work(t, "");
}

static void
a_link_becomes_work_when_its_time_has_come_and_only_once(void **state)
{
	struct test_store *t = *state;
	struct store_link l;

	add_link(t, "c1", T0 + 50);
	assert_int_equal(next(t), T0 + 50);
	assert_int_equal(add_due(t, T0 + 49, 10), 0);
	assert_int_equal(add_due(t, T0 + 50, 10), 1);
	assert_int_equal(add_due(t, T0 + 51, 10), 0);
	assert_work(t, "4:c1:0");
	assert_int_equal(store_link_find(t->store, "c1", &l, &t->e), 1);
	assert_int_equal(l.check_ms, T0 + 1050);
}

static void
a_followed_mailbox_catches_up_a_parked_one_does_not(void **state)
{
	struct test_store *t = *state;

	add_mailbox(t, ANNA, T0 + 1);
	add_mailbox(t, BERT, T0 + 1);
	assert_ok(t,
	    store_mailbox_set_state(t->store, TENANT, BERT,
		STORE_MAILBOX_PARKED, "x", T0 + 9, T0, &t->e));
	assert_int_equal(add_due(t, T0 + 1, 10), 1);
	assert_work(t, "3::32");
	assert_int_equal(next(t), T0 + 1001);
}

static void
no_more_than_the_limit_is_added_the_oldest_first(void **state)
{
	struct test_store *t = *state;

	add_link(t, "c1", T0 + 3);
	add_link(t, "c2", T0 + 1);
	add_link(t, "c3", T0 + 2);
	assert_int_equal(add_due(t, T0 + 9, 2), 2);
	assert_int_equal(next(t), T0 + 3);
	assert_work(t, "4:c2:0 4:c3:0");
}

static void
catch_ups_are_brought_forward_and_never_put_off(void **state)
{
	struct test_store *t = *state;
	int64_t count;

	add_mailbox(t, ANNA, T0 + 100);
	add_mailbox(t, BERT, T0 + 10);
	assert_ok(t, store_mailbox_hurry(t->store, T0 + 50, 10, &count, &t->e));
	assert_int_equal(count, 1);
	assert_int_equal(next(t), T0 + 10);
	assert_int_equal(add_due(t, T0 + 50, 10), 2);
}

static struct store_mailbox
mailbox(struct test_store *t, const char *user)
{
	struct store_mailbox m;

	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, user, &m, &t->e), 1);
	return m;
}

static void
set_state(
    struct test_store *t, const char *user, enum store_mailbox_state state)
{
	assert_ok(t,
	    store_mailbox_set_state(
		t->store, TENANT, user, state, "x", 0, T0 + 9, &t->e));
}

static void
only_a_followed_mailbox_has_a_plan_and_is_due_when_followed_again(void **state)
{
	struct test_store *t = *state;
	bool changed = false;

	add_mailbox(t, ANNA, T0 + 500);
	set_state(t, ANNA, STORE_MAILBOX_PARKED);
	assert_int_equal(mailbox(t, ANNA).check_ms, 0);
	/* A catch-up that ends afterwards plans none. */
	assert_ok(t,
	    store_mailbox_set_catch_up(
		t->store, TENANT, ANNA, T0 + 1, T0 + 600, &t->e));
	assert_int_equal(mailbox(t, ANNA).check_ms, 0);
	set_state(t, ANNA, STORE_MAILBOX_FOLLOWED);
	assert_int_equal(mailbox(t, ANNA).check_ms, T0 + 9);
	set_state(t, ANNA, STORE_MAILBOX_UNFOLLOWED);
	assert_int_equal(mailbox(t, ANNA).check_ms, 0);
	assert_ok(t,
	    store_mailbox_follow(
		t->store, TENANT, ANNA, "", true, T0 + 20, &changed, &t->e));
	assert_true(changed);
	assert_int_equal(mailbox(t, ANNA).check_ms, T0 + 20);
}

static void
a_plan_that_is_missing_or_too_far_ahead_is_made_anew(void **state)
{
	struct test_store *t = *state;

	add_mailbox(t, ANNA, 0);
	add_mailbox(t, BERT, T0 + 5000);
	add_mailbox(t, "cccccccc-0000-4000-8000-00000000000c", T0 + 900);
	assert_int_equal(
	    store_mailbox_lacks_plan(t->store, T0 + 1000, &t->e), 1);
	assert_ok(t,
	    store_mailbox_plan(t->store, T0 + 1000, T0 + 900, 100, 10, &t->e));
	assert_int_equal(
	    store_mailbox_lacks_plan(t->store, T0 + 1000, &t->e), 0);
	assert_in_range(mailbox(t, ANNA).check_ms, T0 + 900, T0 + 999);
	assert_in_range(mailbox(t, BERT).check_ms, T0 + 900, T0 + 999);
	assert_int_equal(
	    mailbox(t, "cccccccc-0000-4000-8000-00000000000c").check_ms,
	    T0 + 900);
	/* The clock is set back by a day. */
	assert_int_equal(
	    store_mailbox_lacks_plan(t->store, T0 - 50000, &t->e), 1);
	assert_ok(t,
	    store_mailbox_plan(t->store, T0 - 50000, T0 - 50100, 0, 2, &t->e));
	assert_ok(t,
	    store_mailbox_plan(t->store, T0 - 50000, T0 - 50100, 0, 2, &t->e));
	assert_int_equal(
	    store_mailbox_lacks_plan(t->store, T0 - 50000, &t->e), 0);
	assert_int_equal(next(t), T0 - 50100);
}

static void
a_mailbox_that_is_not_followed_needs_no_plan(void **state)
{
	struct test_store *t = *state;
	int64_t count;

	add_mailbox(t, ANNA, T0);
	set_state(t, ANNA, STORE_MAILBOX_PARKED);
	assert_int_equal(store_mailbox_lacks_plan(t->store, T0, &t->e), 0);
	assert_ok(t, store_mailbox_hurry(t->store, T0, 10, &count, &t->e));
	assert_int_equal(count, 0);
	assert_true(next(t) == INT64_MAX);
}

static void
catch_ups_are_brought_forward_in_parts(void **state)
{
	struct test_store *t = *state;
	int64_t count;

	add_mailbox(t, ANNA, 0);
	add_mailbox(t, BERT, T0 + 100);
	assert_ok(t, store_mailbox_hurry(t->store, T0, 1, &count, &t->e));
	assert_int_equal(count, 1);
	assert_ok(t, store_mailbox_hurry(t->store, T0, 1, &count, &t->e));
	assert_int_equal(count, 1);
	assert_ok(t, store_mailbox_hurry(t->store, T0, 1, &count, &t->e));
	assert_int_equal(count, 0);
	assert_int_equal(add_due(t, T0, 10), 2);
}

static void
a_catch_up_that_takes_longer_than_its_plan_is_not_asked_for_again(void **state)
{
	struct test_store *t = *state;
	struct store_work w[2];
	int64_t next_ms;

	add_mailbox(t, ANNA, T0);
	add_due(t, T0, 10);
	assert_int_equal(
	    store_work_claim(t->store, T0,
		&(struct store_quota){.per_mailbox = 2}, w, 2, &next_ms, &t->e),
	    1);
	/* An hour has passed, and another one. */
	add_due(t, T0 + 1000, 10);
	assert_ok(t, store_work_defer(t->store, &w[0], T0 + 1500, "x", &t->e));
	add_due(t, T0 + 2000, 10);
	assert_int_equal(mailbox(t, ANNA).check_ms, T0 + 3000);
	assert_int_equal(
	    store_work_claim(t->store, T0 + 2000,
		&(struct store_quota){.per_mailbox = 2}, w, 2, &next_ms, &t->e),
	    1);
	assert_int_equal(w[0].generation, 1);
	assert_ok(t, store_work_finish(t->store, &w[0], T0 + 2000, 0, &t->e));
	assert_work(t, "");
	/* Then it is asked for as ever. */
	assert_int_equal(add_due(t, T0 + 3000, 10), 1);
	assert_work(t, "3::32");
}

static void
what_was_missed_during_a_catch_up_is_another_one(void **state)
{
	struct test_store *t = *state;
	struct store_work w[2];
	int64_t next_ms;

	add_mailbox(t, ANNA, T0);
	add_link(t, "c1", T0);
	add_due(t, T0, 10);
	assert_int_equal(
	    store_work_claim(t->store, T0,
		&(struct store_quota){.per_mailbox = 2}, w, 2, &next_ms, &t->e),
	    2);
	assert_ok(t, store_round_repeat_all(t->store, &t->e));
	for (int i = 0; i < 2; i++)
		assert_ok(t, store_work_finish(t->store, &w[i], T0, 0, &t->e));
	assert_work(t, "3::0");
}

static void
only_so_many_wait_at_once_however_many_are_due(void **state)
{
	struct test_store *t = *state;
	int64_t now_ms = T0 + STORE_DUE_LINKS + 50;
	struct store_work w[STORE_DUE_LINKS];
	int64_t next_ms;
	int count;

	for (int i = 0; i < STORE_DUE_LINKS + 50; i++) {
		char name[STORE_GUID];

		snprintf(name, sizeof(name), "%036d", i);
		add_link(t, name, T0 + i);
		add_mailbox(t, name, T0 + i);
	}
	assert_int_equal(
	    add_due(t, now_ms, 500), STORE_DUE_LINKS + STORE_DUE_MAILBOXES);
	assert_int_equal(add_due(t, now_ms, 500), 0);
	/* What is in progress counts, what has ended does not. */
	count = store_work_claim(t->store, now_ms,
	    &(struct store_quota){.per_mailbox = 200}, w, STORE_DUE_LINKS,
	    &next_ms, &t->e);
	assert_int_equal(count, STORE_DUE_LINKS);
	assert_int_equal(add_due(t, now_ms, 500), 0);
	assert_ok(t, store_work_finish(t->store, &w[0], now_ms, 0, &t->e));
	assert_ok(t, store_work_finish(t->store, &w[1], now_ms, 0, &t->e));
	/* Nor does what has to wait for long. */
	for (int i = 2; i < 5; i++)
		assert_ok(t,
		    store_work_defer(t->store, &w[i],
			now_ms + STORE_DUE_SOON_MS + 1, "throttled", &t->e));
	assert_int_equal(add_due(t, now_ms, 500), 5);
	assert_int_equal(add_due(t, now_ms, 500), 0);
}

static void
links_and_mailboxes_have_limits_of_their_own(void **state)
{
	struct test_store *t = *state;
	int64_t count = 0;

	add_link(t, "c1", T0);
	add_link(t, "c2", T0);
	add_mailbox(t, ANNA, T0);
	add_mailbox(t, BERT, T0);
	assert_ok(t, store_due_add(t->store, T0, 1000, 0, 1, &count, &t->e));
	assert_int_equal(count, 1);
	assert_work(t, "3::32");
	assert_ok(t, store_due_add(t->store, T0, 1000, 2, 0, &count, &t->e));
	assert_int_equal(count, 3);
}

static void
how_far_a_catch_up_has_come_is_kept_until_it_is_over(void **state)
{
	struct test_store *t = *state;
	struct store_round r = {.begun_ms = T0, .generation = 3};
	struct store_round seen;

	assert_ok(t, store_round_save(t->store, TENANT, ANNA, &r, &t->e));
	assert_int_equal(
	    store_round_find(t->store, TENANT, ANNA, &seen, &t->e), 0);
	add_mailbox(t, ANNA, T0);
	assert_int_equal(
	    store_round_find(t->store, TENANT, ANNA, &seen, &t->e), 0);
	SET(r.after, "c7");
	assert_ok(t, store_round_save(t->store, TENANT, ANNA, &r, &t->e));
	/* What else happens to the mailbox leaves it alone. */
	set_state(t, ANNA, STORE_MAILBOX_PARKED);
	assert_int_equal(
	    store_round_find(t->store, TENANT, ANNA, &seen, &t->e), 1);
	assert_int_equal(seen.begun_ms, T0);
	assert_int_equal(seen.generation, 3);
	assert_string_equal(seen.after, "c7");
	assert_ok(t,
	    store_mailbox_set_catch_up(
		t->store, TENANT, ANNA, T0, T0 + 9, &t->e));
	assert_int_equal(
	    store_round_find(t->store, TENANT, ANNA, &seen, &t->e), 0);
}

static int
note_two(const struct store_link *l, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), SHOWN - strlen(out), "%s", l->conversation);
	return strlen(out) >= 4;
}

static void
a_walk_over_links_goes_on_where_it_was_stopped(void **state)
{
	struct test_store *t = *state;
	char seen[SHOWN] = "";

	for (int i = 0; i < 5; i++) {
		char name[8];

		snprintf(name, sizeof(name), "c%d", i);
		add_link(t, name, 0);
	}
	assert_ok(t,
	    store_link_each_after(
		t->store, TENANT, ANNA, "", note_two, seen, &t->e));
	assert_string_equal(seen, "c0c1");
	seen[0] = '\0';
	assert_ok(t,
	    store_link_each_after(
		t->store, TENANT, ANNA, "c1", note_two, seen, &t->e));
	assert_string_equal(seen, "c2c3");
	seen[0] = '\0';
	assert_ok(t,
	    store_link_each_after(
		t->store, TENANT, BERT, "", note_two, seen, &t->e));
	assert_string_equal(seen, "");
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(nothing_is_due_in_a_new_store_nor_without_a_time),
	    cmocka_unit_test(
		a_link_becomes_work_when_its_time_has_come_and_only_once),
	    cmocka_unit_test(
		a_followed_mailbox_catches_up_a_parked_one_does_not),
	    cmocka_unit_test(no_more_than_the_limit_is_added_the_oldest_first),
	    cmocka_unit_test(catch_ups_are_brought_forward_and_never_put_off),
	    cmocka_unit_test(
		only_a_followed_mailbox_has_a_plan_and_is_due_when_followed_again),
	    cmocka_unit_test(
		a_plan_that_is_missing_or_too_far_ahead_is_made_anew),
	    cmocka_unit_test(a_mailbox_that_is_not_followed_needs_no_plan),
	    cmocka_unit_test(catch_ups_are_brought_forward_in_parts),
	    cmocka_unit_test(
		a_catch_up_that_takes_longer_than_its_plan_is_not_asked_for_again),
	    cmocka_unit_test(what_was_missed_during_a_catch_up_is_another_one),
	    cmocka_unit_test(only_so_many_wait_at_once_however_many_are_due),
	    cmocka_unit_test(links_and_mailboxes_have_limits_of_their_own),
	    cmocka_unit_test(
		how_far_a_catch_up_has_come_is_kept_until_it_is_over),
	    cmocka_unit_test(a_walk_over_links_goes_on_where_it_was_stopped),
	};

	return TEST_STORE_RUN("store: due", cases);
}
