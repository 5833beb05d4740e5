/* tests/unit/test_store_link.c - port/store.h: links, copies, announcements. */
#include "test_store.h"

static void
a_link_comes_back_as_it_was_saved(void **state)
{
	struct test_store *t = *state;
	struct store_link l = test_full_link();
	struct store_link found;

	memset(&found, 0, sizeof(found));
	assert_int_equal(store_link_find(t->store, "conv-1", &found, &t->e), 0);
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(store_link_find(t->store, "conv-1", &found, &t->e), 1);
	assert_memory_equal(&found, &l, sizeof(l));
	l.state = STORE_LINK_ENDED;
	l.shared = l.verified = l.written = false;
	l.topic[0] = l.writing[0] = '\0';
	l.synced_ms = INT64_MAX;
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(store_link_find(t->store, "conv-1", &found, &t->e), 1);
	assert_memory_equal(&found, &l, sizeof(l));
}

static void
a_link_is_found_by_its_event_in_its_mailbox(void **state)
{
	struct test_store *t = *state;
	struct store_link l = test_full_link();
	struct store_link found = {0};

	assert_ok(t, store_link_save(t->store, &l, &t->e));
	SET(l.conversation, "conv-2");
	l.state = STORE_LINK_DELETED;
	l.created_ms = 100;
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(
	    store_link_by_event(t->store, TENANT, ANNA, "AAMk=", &found, &t->e),
	    1);
	assert_string_equal(found.conversation, "conv-1");
	SET(l.conversation, "conv-3");
	l.state = STORE_LINK_ANNOUNCED;
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(
	    store_link_by_event(t->store, TENANT, ANNA, "AAMk=", &found, &t->e),
	    1);
	assert_string_equal(found.conversation, "conv-3");
	assert_int_equal(
	    store_link_by_event(t->store, TENANT, BERT, "AAMk=", &found, &t->e),
	    0);
	assert_int_equal(
	    store_link_by_event(t->store, TENANT, ANNA, "aamk=", &found, &t->e),
	    0);
	SET(l.conversation, "conv-4");
	l.event[0] = '\0';
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(
	    store_link_by_event(t->store, TENANT, ANNA, "", &found, &t->e), 0);
}

static void
a_link_that_another_replaces_is_found(void **state)
{
	static const struct {
		enum store_link_state state;
		bool found;
	} rows[] = {
	    {STORE_LINK_ANNOUNCED, false},
	    {STORE_LINK_LINKED, true},
	    {STORE_LINK_GONE, true},
	    {STORE_LINK_HELD, true},
	    {STORE_LINK_KEPT, false},
	    {STORE_LINK_DELETED, false},
	    {STORE_LINK_UNCONFIRMED, false},
	};
	struct test_store *t = *state;
	struct store_link l = test_full_link();
	struct store_link found = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		l.state = rows[i].state;
		assert_ok(t, store_link_save(t->store, &l, &t->e));
		assert_int_equal(store_link_replaced(t->store, TENANT, ANNA,
				     "AAMk=", "conv-2", &found, &t->e),
		    rows[i].found);
	}
	l.state = STORE_LINK_LINKED;
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(store_link_replaced(t->store, TENANT, ANNA,
			     "AAMk=", "conv-1", &found, &t->e),
	    0);
	assert_int_equal(store_link_replaced(t->store, TENANT, BERT,
			     "AAMk=", "conv-2", &found, &t->e),
	    0);
	assert_int_equal(store_link_replaced(t->store, TENANT, ANNA, "other",
			     "conv-2", &found, &t->e),
	    0);
}

static void
an_announcement_makes_the_link_and_is_idempotent(void **state)
{
	struct test_store *t = *state;
	struct store_link l = {.conversation = "c",
	    .tenant = TENANT,
	    .user = ANNA,
	    .source_id = "s",
	    .topic = "First",
	    .start_ms = 60000,
	    .announced_ms = T0,
	    .created_ms = T0};
	struct store_link found;
	bool other = true;

	memset(&found, 0, sizeof(found));
	assert_ok(t, store_link_announce(t->store, &l, &other, &t->e));
	assert_false(other);
	SET(l.topic, "Second");
	l.announced_ms = T0 + 5;
	assert_ok(t, store_link_announce(t->store, &l, &other, &t->e));
	assert_int_equal(store_link_find(t->store, "c", &found, &t->e), 1);
	assert_string_equal(found.topic, "First");
	/* The lease of what was never seen begins anew. */
	assert_int_equal(found.announced_ms, T0 + 5);
}

static void
an_announcement_fills_only_what_is_unknown(void **state)
{
	struct test_store *t = *state;
	struct store_link known = test_full_link();
	struct store_link l = {.conversation = "conv-1",
	    .tenant = TENANT,
	    .user = ANNA,
	    .source_id = "announced",
	    .event = "other-event",
	    .topic = "Announced",
	    .time_zone = "UTC",
	    .shared = true,
	    .announced_ms = T0,
	    .check_ms = T0 + 5,
	    .created_ms = T0};
	struct store_link found = {0};

	known.announced_ms = 0;
	known.shared = false;
	known.time_zone[0] = known.source_id[0] = '\0';
	assert_ok(t, store_link_save(t->store, &known, &t->e));
	assert_ok(t, store_link_announce(t->store, &l, NULL, &t->e));
	assert_int_equal(store_link_find(t->store, "conv-1", &found, &t->e), 1);
	assert_int_equal(found.state, STORE_LINK_LINKED);
	assert_string_equal(found.event, "AAMk=");
	assert_string_equal(found.topic, known.topic);
	assert_string_equal(found.source_id, "announced");
	assert_string_equal(found.time_zone, "UTC");
	assert_int_equal(found.announced_ms, T0);
	assert_true(found.shared);
	assert_int_equal(found.created_ms, 1);
	/* The lease is for what was never seen. */
	assert_int_equal(found.check_ms, 0);
	known.state = STORE_LINK_ANNOUNCED;
	assert_ok(t, store_link_save(t->store, &known, &t->e));
	assert_ok(t, store_link_announce(t->store, &l, NULL, &t->e));
	l.check_ms = T0 + 9;
	assert_ok(t, store_link_announce(t->store, &l, NULL, &t->e));
	assert_int_equal(store_link_find(t->store, "conv-1", &found, &t->e), 1);
	assert_int_equal(found.check_ms, T0 + 9);
}

static void
someone_elses_announcement_changes_nothing(void **state)
{
	struct test_store *t = *state;
	struct store_link known = test_full_link();
	struct store_link l = test_full_link();
	struct store_link found;
	bool other = false;

	memset(&found, 0, sizeof(found));
	known.announced_ms = 0;
	assert_ok(t, store_link_save(t->store, &known, &t->e));
	SET(l.user, BERT);
	assert_ok(t, store_link_announce(t->store, &l, &other, &t->e));
	assert_true(other);
	other = false;
	SET(l.user, ANNA);
	SET(l.tenant, OTHER_TENANT);
	assert_ok(t, store_link_announce(t->store, &l, &other, &t->e));
	assert_true(other);
	assert_int_equal(store_link_find(t->store, "conv-1", &found, &t->e), 1);
	assert_memory_equal(&found, &known, sizeof(known));
}

static void
links_are_walked_of_one_mailbox_or_of_all(void **state)
{
	struct test_store *t = *state;
	struct store_link l = test_full_link();
	int count = 0;

	assert_ok(t, store_begin(t->store, &t->e));
	for (int i = 0; i < 50; i++) {
		snprintf(l.conversation, sizeof(l.conversation), "c%02d", i);
		SET(l.user, i % 5 ? ANNA : BERT);
		assert_ok(t, store_link_save(t->store, &l, &t->e));
	}
	assert_ok(t, store_commit(t->store, &t->e));
	assert_ok(t,
	    store_link_each(
		t->store, NULL, NULL, test_count_link, &count, &t->e));
	assert_int_equal(count, 50);
	count = 0;
	assert_ok(t,
	    store_link_each(
		t->store, TENANT, ANNA, test_count_link, &count, &t->e));
	assert_int_equal(count, 40);
}

static void
a_copy_in_the_same_mailbox_stays_until_it_is_removed(void **state)
{
	struct test_store *t = *state;
	struct store_link l = test_full_link();
	char event[STORE_ID_MAX] = "untouched";

	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(store_copy_find(t->store, "conv-1", event, &t->e), 0);
	assert_string_equal(event, "untouched");
	assert_int_equal(store_copy_exists(t->store, "conv-1", &t->e), 0);
	assert_ok(
	    t, store_copy_add(t->store, "conv-1", TENANT, BERT, "e-b", &t->e));
	assert_int_equal(store_copy_exists(t->store, "conv-1", &t->e), 1);
	assert_int_equal(store_copy_exists(t->store, "conv-2", &t->e), 0);
	for (int i = 0; i < 2; i++)
		assert_ok(t,
		    store_copy_add(
			t->store, "conv-1", TENANT, ANNA, "e-a", &t->e));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    store_copy_find(t->store, "conv-1", event, &t->e), 1);
		assert_string_equal(event, "e-a");
	}
	assert_ok(t, store_copy_remove(t->store, "conv-1", "e-a", &t->e));
	assert_int_equal(store_copy_find(t->store, "conv-1", event, &t->e), 0);
	/* an event of its own conversation is no copy any more */
	assert_ok(
	    t, store_copy_add(t->store, "conv-1", TENANT, ANNA, "e-c", &t->e));
	assert_int_equal(store_copy_find(t->store, "conv-1", event, &t->e), 1);
	SET(l.conversation, "conv-2");
	SET(l.event, "e-c");
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(store_copy_find(t->store, "conv-1", event, &t->e), 0);
	l = test_full_link();
	/* the link's own event is no copy of itself */
	assert_ok(t,
	    store_copy_add(t->store, "conv-1", TENANT, ANNA, l.event, &t->e));
	assert_int_equal(store_copy_find(t->store, "conv-1", event, &t->e), 0);
}

static void
a_copy_in_another_mailbox_counts_until_it_is_forgotten_or_linked(void **state)
{
	struct test_store *t = *state;
	struct store_link l = test_full_link();

	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_ok(
	    t, store_copy_add(t->store, "conv-1", TENANT, ANNA, "e-a", &t->e));
	assert_int_equal(store_copy_elsewhere(t->store, "conv-1", &t->e), 0);
	assert_ok(
	    t, store_copy_add(t->store, "conv-1", TENANT, BERT, "e-b", &t->e));
	assert_int_equal(store_copy_elsewhere(t->store, "conv-1", &t->e), 1);
	assert_ok(t, store_copy_forget(t->store, TENANT, ANNA, "e-b", &t->e));
	assert_int_equal(store_copy_elsewhere(t->store, "conv-1", &t->e), 1);
	assert_ok(t, store_copy_forget(t->store, TENANT, BERT, "e-b", &t->e));
	assert_int_equal(store_copy_elsewhere(t->store, "conv-1", &t->e), 0);
	/* its own mailbox's stays */
	assert_ok(t, store_copy_forget(t->store, TENANT, ANNA, "e-a", &t->e));
	assert_int_equal(store_copy_exists(t->store, "conv-1", &t->e), 1);
	/* by now it has a conversation of its own */
	assert_ok(
	    t, store_copy_add(t->store, "conv-1", TENANT, BERT, "e-b", &t->e));
	SET(l.conversation, "conv-2");
	SET(l.user, BERT);
	SET(l.event, "e-b");
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_int_equal(store_copy_elsewhere(t->store, "conv-1", &t->e), 0);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_link_comes_back_as_it_was_saved),
	    cmocka_unit_test(a_link_is_found_by_its_event_in_its_mailbox),
	    cmocka_unit_test(a_link_that_another_replaces_is_found),
	    cmocka_unit_test(an_announcement_makes_the_link_and_is_idempotent),
	    cmocka_unit_test(an_announcement_fills_only_what_is_unknown),
	    cmocka_unit_test(someone_elses_announcement_changes_nothing),
	    cmocka_unit_test(links_are_walked_of_one_mailbox_or_of_all),
	    cmocka_unit_test(
		a_copy_in_the_same_mailbox_stays_until_it_is_removed),
	    cmocka_unit_test(
		a_copy_in_another_mailbox_counts_until_it_is_forgotten_or_linked),
	};

	return TEST_STORE_RUN("store: links", cases);
}
