/* tests/unit/test_store_rows.c - port/store.h: everything but the queue. */
#include "test_store.h"

#include "port/store_replica.h"
#include "port/store_due.h"
#include "port/store_retain.h"

/* ---- mailboxes ---- */

static void
follow(struct test_store *t, const char *user, const char *upn, bool resume,
    int64_t now_ms, bool want_changed)
{
	bool changed = !want_changed;

	assert_ok(t,
	    store_mailbox_follow(
		t->store, TENANT, user, upn, resume, now_ms, &changed, &t->e));
	assert_int_equal(changed, want_changed);
}

static void
a_mailbox_is_followed_from_its_first_announcement(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox m = {0};

	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 0);
	follow(t, ANNA, "anna@bank.example", false, T0, true);
	follow(t, ANNA, "", false, T0 + 1, false);
	follow(t, ANNA, "anna@new.example", false, T0 + 2, false);
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

	follow(t, ANNA, "", false, T0, true);
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
	follow(t, ANNA, "", false, T0 + 10, false);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_int_equal(m.state, STORE_MAILBOX_PARKED);
	follow(t, ANNA, "", true, T0 + 11, true);
	follow(t, ANNA, "", true, T0 + 12, false);
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

	follow(t, ANNA, "x", false, T0, true);
	follow(t, BERT, "x", false, T0, true);
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
		follow(t, user, "", false, T0, true);
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

static struct store_subscription
subscription(const char *user, const char *hash, int64_t created_ms)
{
	struct store_subscription sub = {
	    .created_ms = created_ms, .requested_life_ms = 1000};

	SET(sub.tenant, TENANT);
	SET(sub.user, user);
	SET(sub.client_state_hash, hash);
	SET(sub.notification_url, "https://a.example/webhook/events");
	SET(sub.resource, "users/x/events");
	return sub;
}

static void
a_pending_subscription_is_found_by_its_client_state(void **state)
{
	struct test_store *t = *state;
	struct store_subscription sub = subscription(ANNA, "h1", T0);
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
	struct store_subscription old = subscription(ANNA, "old", T0);
	struct store_subscription new = subscription(ANNA, "new", T0 + 10);
	struct store_subscription newer = subscription(ANNA, "newer", T0 + 20);
	struct store_subscription other = subscription(BERT, "bert", T0);
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
	struct store_subscription sub = subscription(ANNA, "h1", T0);
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

/* ---- links ---- */

static struct store_link
full_link(void)
{
	struct store_link l = {
	    .conversation = "conv-1",
	    .tenant = TENANT,
	    .user = ANNA,
	    .source_id = "src",
	    .event = "AAMk=",
	    .state = STORE_LINK_LINKED,
	    .shared = true,
	    .verified = true,
	    .agent = "agent",
	    .topic = "Gespr\xc3\xa4"
		     "ch \xf0\x9f\x98\x80 'x'; --",
	    .start_ms = 60000,
	    .written = true,
	    .writing = "topic",
	    .end_ms = 120000,
	    .time_zone = "Europe/Zurich",
	    .change_key = "ck",
	    .series = "seriesMaster",
	    .created_ms = 1,
	    .announced_ms = 2,
	    .synced_ms = 3,
	    .gone_since_ms = 4,
	    .searches = 5,
	    .last_error = "none",
	};

	return l;
}

static void
a_link_comes_back_as_it_was_saved(void **state)
{
	struct test_store *t = *state;
	struct store_link l = full_link();
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
	struct store_link l = full_link();
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
	struct store_link l = full_link();
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
	struct store_link known = full_link();
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
	struct store_link known = full_link();
	struct store_link l = full_link();
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

static int
count_link(const struct store_link *l, void *arg)
{
	assert_true(l->conversation[0] != '\0');
	++*(int *)arg;
	return 0;
}

static void
links_are_walked_of_one_mailbox_or_of_all(void **state)
{
	struct test_store *t = *state;
	struct store_link l = full_link();
	int count = 0;

	assert_ok(t, store_begin(t->store, &t->e));
	for (int i = 0; i < 50; i++) {
		snprintf(l.conversation, sizeof(l.conversation), "c%02d", i);
		SET(l.user, i % 5 ? ANNA : BERT);
		assert_ok(t, store_link_save(t->store, &l, &t->e));
	}
	assert_ok(t, store_commit(t->store, &t->e));
	assert_ok(t,
	    store_link_each(t->store, NULL, NULL, count_link, &count, &t->e));
	assert_int_equal(count, 50);
	count = 0;
	assert_ok(t,
	    store_link_each(t->store, TENANT, ANNA, count_link, &count, &t->e));
	assert_int_equal(count, 40);
}

static void
a_copy_in_the_same_mailbox_stays_until_it_is_removed(void **state)
{
	struct test_store *t = *state;
	struct store_link l = full_link();
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
	l = full_link();
	/* the link's own event is no copy of itself */
	assert_ok(t,
	    store_copy_add(t->store, "conv-1", TENANT, ANNA, l.event, &t->e));
	assert_int_equal(store_copy_find(t->store, "conv-1", event, &t->e), 0);
}

/* ---- audit and the small ones ---- */

static void
audit(struct test_store *t, int64_t at_ms, const char *user, const char *action,
    const char *outcome)
{
	struct store_audit a = {.at_ms = at_ms,
	    .tenant = TENANT,
	    .user = user,
	    .event = "e",
	    .conversation = "c",
	    .action = action,
	    .outcome = outcome};

	assert_ok(t, store_audit_add(t->store, &a, &t->e));
}

static int
count_audit(const struct store_audit *a, void *arg)
{
	assert_string_equal(a->tenant, TENANT);
	assert_string_equal(a->conversation, "c");
	assert_string_equal(a->detail, "");
	++*(int *)arg;
	return 0;
}

static void
audit_records_are_kept_in_order_and_counted(void **state)
{
	struct test_store *t = *state;
	int64_t n = -1;
	int count = 0;

	for (int i = 0; i < 20; i++)
		audit(t, T0 + i, i % 2 ? ANNA : BERT, "delete",
		    i < 10 ? "done" : "refused");
	audit(t, T0, ANNA, "set-topic", "done");
	assert_ok(
	    t, store_audit_each(t->store, T0 + 5, count_audit, &count, &t->e));
	assert_int_equal(count, 15);
	assert_ok(
	    t, store_audit_deletions(t->store, TENANT, NULL, T0, &n, &t->e));
	assert_int_equal(n, 10);
	assert_ok(t,
	    store_audit_deletions(t->store, TENANT, ANNA, T0 + 4, &n, &t->e));
	assert_int_equal(n, 3);
	assert_ok(t,
	    store_audit_deletions(t->store, OTHER_TENANT, NULL, T0, &n, &t->e));
	assert_int_equal(n, 0);
}

static void
a_throttle_is_only_ever_raised(void **state)
{
	struct test_store *t = *state;
	int64_t until = -1;

	assert_ok(t, store_throttle_get(t->store, "unblu", &until, &t->e));
	assert_int_equal(until, 0);
	assert_ok(t, store_throttle_set(t->store, "unblu", T0 + 50, &t->e));
	assert_ok(t, store_throttle_set(t->store, "unblu", T0 + 20, &t->e));
	assert_ok(t, store_throttle_get(t->store, "unblu", &until, &t->e));
	assert_int_equal(until, T0 + 50);
	assert_ok(t, store_throttle_set(t->store, "unblu", T0 + 60, &t->e));
	assert_ok(t, store_throttle_get(t->store, "unblu", &until, &t->e));
	assert_int_equal(until, T0 + 60);
}

static void
the_signing_keys_are_one_set(void **state)
{
	struct test_store *t = *state;
	char *big = calloc(1, 200001);
	char *json = big;
	int64_t at = -1;

	assert_ok(t, store_keys_load(t->store, &json, &at, &t->e));
	assert_null(json);
	assert_int_equal(at, 0);
	memset(big, 'k', 200000);
	assert_ok(t, store_keys_save(t->store, "[]", T0, &t->e));
	assert_ok(t, store_keys_save(t->store, big, T0 + 1, &t->e));
	assert_ok(t, store_keys_load(t->store, &json, &at, &t->e));
	assert_string_equal(json, big);
	assert_int_equal(at, T0 + 1);
	free(json);
	free(big);
}

static void
a_lease_has_one_holder_until_it_runs_out(void **state)
{
	struct test_store *t = *state;
	int64_t until = 0;

	/* There time is the database's own: test_store_replica.c */
	if (store_database_is_shared(t->url))
		return;

	assert_int_equal(store_lease_take(t->store, "renew", "a", T0, T0 + 30,
			     &until, &t->e),
	    1);
	assert_int_equal(until, T0 + 30);
	assert_int_equal(store_lease_take(t->store, "renew", "b", T0 + 29,
			     T0 + 59, &until, &t->e),
	    0);
	assert_int_equal(until, T0 + 30);
	assert_int_equal(store_lease_take(t->store, "renew", "b", T0 + 30,
			     T0 + 60, &until, &t->e),
	    1);
	assert_ok(t, store_lease_release(t->store, "renew", "a", &t->e));
	assert_int_equal(store_lease_take(t->store, "renew", "a", T0 + 31,
			     T0 + 61, &until, &t->e),
	    0);
	assert_ok(t, store_lease_release(t->store, "renew", "b", &t->e));
	assert_int_equal(store_lease_take(t->store, "renew", "a", T0 + 31,
			     T0 + 61, &until, &t->e),
	    1);
}

static int
join_fact(const char *name, const char *text, int64_t at_ms, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out), "%s=%s@%d;", name, text,
	    (int)at_ms);
	return 0;
}

static void
facts_are_set_found_and_removed(void **state)
{
	struct test_store *t = *state;
	char text[8] = "";
	char joined[256] = "";
	int64_t at = 0;

	assert_int_equal(
	    store_fact_get(t->store, "store-created", NULL, 0, &at, &t->e), 1);
	assert_int_equal(at, T0);
	assert_int_equal(store_fact_get(t->store, "degraded:x", text,
			     sizeof(text), &at, &t->e),
	    0);
	assert_ok(t, store_fact_set(t->store, "degraded:x", "one", 1, &t->e));
	assert_ok(t, store_fact_set(t->store, "degraded:x", "two", 2, &t->e));
	assert_ok(t, store_fact_set(t->store, "degraded:%", NULL, 3, &t->e));
	assert_ok(t, store_fact_set(t->store, "degradee", "no", 4, &t->e));
	assert_ok(t, store_fact_set(t->store, "long", "0123456789", 5, &t->e));
	assert_int_equal(
	    store_fact_get(t->store, "long", text, sizeof(text), NULL, &t->e),
	    1);
	assert_string_equal(text, "0123456");
	assert_ok(t,
	    store_fact_each(t->store, "degraded:", join_fact, joined, &t->e));
	assert_string_equal(joined, "degraded:%=@3;degraded:x=two@2;");
	assert_ok(t, store_fact_remove(t->store, "degraded:x", &t->e));
	assert_int_equal(store_fact_get(t->store, "degraded:x", text,
			     sizeof(text), &at, &t->e),
	    0);
}

/* ---- what is removed ---- */

/* Those whose event nobody has seen, and followed ones that were not ended by
 * anything: until start and end are long past. */
static void
what_is_past_is_removed_unless_more_is_planned(void **state)
{
	static const struct {
		const char *sentence;
		enum store_link_state state;
		int64_t start_ms, announced_ms, end_ms, check_ms;
		bool goes;
	} rows[] = {
	    {"unconfirmed, start past", STORE_LINK_UNCONFIRMED, T0 - 1, 5, 0, 0,
		true},
	    {"unconfirmed, start to come", STORE_LINK_UNCONFIRMED, T0, 5, 0, 0,
		false},
	    {"unconfirmed, announced late", STORE_LINK_UNCONFIRMED, T0 - 1, T0,
		0, 0, false},
	    {"unconfirmed, of a series that goes on", STORE_LINK_UNCONFIRMED, 5,
		5, T0, 0, false},
	    {"announced, the lease runs", STORE_LINK_ANNOUNCED, T0 - 1, 5, 0,
		T0 + 1, false},
	    {"announced, no lease", STORE_LINK_ANNOUNCED, T0 - 1, 5, 0, 0,
		true},
	    {"linked, no end known", STORE_LINK_LINKED, T0 - 1, 5, 0, 0, false},
	    {"linked, over", STORE_LINK_LINKED, T0 - 2, 5, T0 - 1, 0, true},
	    {"linked, not over", STORE_LINK_LINKED, T0 - 2, 5, T0, 0, false},
	    {"linked, looked at by the clock", STORE_LINK_LINKED, T0 - 2, 5,
		T0 - 1, T0 + 1, false},
	    {"held", STORE_LINK_HELD, T0 - 1, 5, 0, 0, false},
	};
	struct test_store *t = *state;
	struct store_link found;
	int64_t removed = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_link l = {.state = rows[i].state,
		    .tenant = TENANT,
		    .user = ANNA,
		    .created_ms = 5,
		    .start_ms = rows[i].start_ms,
		    .announced_ms = rows[i].announced_ms,
		    .end_ms = rows[i].end_ms,
		    .check_ms = rows[i].check_ms};

		snprintf(l.conversation, sizeof(l.conversation), "%zu", i);
		assert_ok(t, store_link_save(t->store, &l, &t->e));
	}
	assert_ok(t, store_expire(t->store, T0, 0, &removed, &t->e));
	assert_int_equal(removed, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char id[8];

		snprintf(id, sizeof(id), "%zu", i);
		if (store_link_find(t->store, id, &found, &t->e) !=
		    (rows[i].goes ? 0 : 1))
			fail_msg("%s", rows[i].sentence);
	}
}

static void
what_is_over_is_removed_by_age(void **state)
{
	struct test_store *t = *state;
	struct store_link l = full_link();
	struct store_link found;
	int64_t removed = 100;
	int count = 0;

	for (int i = 0; i < STORE_LINK_STATE_COUNT; i++) {
		snprintf(l.conversation, sizeof(l.conversation), "s%d", i);
		l.state = (enum store_link_state)i;
		assert_ok(t, store_link_save(t->store, &l, &t->e));
	}
	SET(l.conversation, "recent");
	l.state = STORE_LINK_ENDED;
	l.end_ms = T0;
	assert_ok(t, store_link_save(t->store, &l, &t->e));
	assert_ok(
	    t, store_copy_add(t->store, "s7", TENANT, ANNA, "copy", &t->e));
	for (int i = 0; i < 1200; i++) {
		if (i == 0)
			assert_ok(t, store_begin(t->store, &t->e));
		audit(t, i, ANNA, "delete", "done");
	}
	assert_ok(t, store_commit(t->store, &t->e));
	assert_ok(t, store_expire(t->store, T0, 1100, &removed, &t->e));
	/* The final ones, those that were never seen, and the past. */
	assert_int_equal(removed, 100 + 8 + 1100);
	assert_int_equal(store_link_find(t->store, "recent", &found, &t->e), 1);
	assert_ok(t,
	    store_link_each(t->store, NULL, NULL, count_link, &count, &t->e));
	assert_int_equal(count, STORE_LINK_STATE_COUNT - 8 + 1);
	count = 0;
	assert_ok(t, store_audit_each(t->store, 0, count_audit, &count, &t->e));
	assert_int_equal(count, 100);
}

static void
a_cleared_mailbox_has_nothing_queued_and_works_on(void **state)
{
	struct test_store *t = *state;
	struct store_work w[4] = {{0}};
	struct store_work_totals totals;
	int64_t next_ms;

	for (int i = 0; i < 2; i++) {
		const char *user = i ? ANNA : BERT;

		test_add(t, user, "claimed", 1, T0, 0);
		test_add(t, user, "queued", 1, T0 + 1, 0);
		test_add(t, user, "arrived", 1, T0 + 1, DELAY);
	}
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 2);
	assert_ok(t, store_work_clear(t->store, TENANT, ANNA, &t->e));
	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	assert_int_equal(totals.in_progress, 2);
	assert_int_equal(totals.rows, 4);
	for (int i = 0; i < 2; i++) {
		assert_ok(
		    t, store_work_finish(t->store, &w[i], T0 + 1, 0, &t->e));
	}
	/* Bert's are all there; Anna's row was finished, the others are gone,
	 * and what comes now is taken. */
	assert_int_equal(test_claim(t, T0 + DELAY + 1, w, 4, &next_ms), 2);
	assert_string_equal(w[0].user, BERT);
	assert_string_equal(w[1].user, BERT);
	test_add(t, ANNA, "new", 1, T0 + DELAY + 1, 0);
	assert_int_equal(test_claim(t, T0 + DELAY + 1, w, 4, NULL), 1);
	assert_string_equal(w[0].event, "new");
}

static int
check_forgotten(const struct store_audit *a, void *arg)
{
	assert_string_not_equal(a->user, ANNA);
	++*(int *)arg;
	return 0;
}

static void
a_forgotten_mailbox_leaves_nothing_but_the_audit(void **state)
{
	struct test_store *t = *state;
	struct store_link l = full_link();
	struct store_subscription sub = subscription(ANNA, "h1", T0);
	struct store_mailbox m;
	struct store_work w[4] = {{0}};
	int count = 0;

	for (int i = 0; i < 2; i++) {
		const char *user = i ? ANNA : BERT;

		follow(t, user, "x", false, T0, true);
		test_add(t, user, "dead", 1, T0, 0);
		test_add(t, user, "queued", 1, T0 + 1, 0);
		test_add(t, user, "arrived", 1, T0 + 1, DELAY);
		SET(l.user, user);
		SET(l.conversation, user);
		assert_ok(t, store_link_save(t->store, &l, &t->e));
		audit(t, T0, user, "delete", "done");
	}
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 2);
	for (int i = 0; i < 2; i++)
		assert_ok(t, store_work_bury(t->store, &w[i], "x", T0, &t->e));
	assert_ok(t, store_subscription_add_pending(t->store, &sub, &t->e));
	assert_ok(t, store_forget(t->store, TENANT, ANNA, &t->e));
	assert_int_equal(test_rows(t), 2);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 0);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, BERT, &m, &t->e), 1);
	assert_int_equal(
	    store_subscription_of(t->store, TENANT, ANNA, &sub, &t->e), 0);
	assert_int_equal(store_link_find(t->store, ANNA, &l, &t->e), 0);
	assert_int_equal(store_link_find(t->store, BERT, &l, &t->e), 1);
	assert_ok(
	    t, store_audit_each(t->store, 0, check_forgotten, &count, &t->e));
	assert_int_equal(count, 2);
	/* And comes back as a new one. */
	test_add(t, ANNA, "new", 1, T0, 0);
	assert_int_equal(test_claim(t, T0, w, 4, NULL), 1);
	assert_string_equal(w[0].user, ANNA);
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
	    cmocka_unit_test(a_grant_without_a_row_makes_one_and_each_sees_it),
	    cmocka_unit_test(a_link_comes_back_as_it_was_saved),
	    cmocka_unit_test(a_link_is_found_by_its_event_in_its_mailbox),
	    cmocka_unit_test(a_link_that_another_replaces_is_found),
	    cmocka_unit_test(an_announcement_makes_the_link_and_is_idempotent),
	    cmocka_unit_test(an_announcement_fills_only_what_is_unknown),
	    cmocka_unit_test(someone_elses_announcement_changes_nothing),
	    cmocka_unit_test(links_are_walked_of_one_mailbox_or_of_all),
	    cmocka_unit_test(
		a_copy_in_the_same_mailbox_stays_until_it_is_removed),
	    cmocka_unit_test(audit_records_are_kept_in_order_and_counted),
	    cmocka_unit_test(a_throttle_is_only_ever_raised),
	    cmocka_unit_test(the_signing_keys_are_one_set),
	    cmocka_unit_test(a_lease_has_one_holder_until_it_runs_out),
	    cmocka_unit_test(facts_are_set_found_and_removed),
	    cmocka_unit_test(what_is_past_is_removed_unless_more_is_planned),
	    cmocka_unit_test(what_is_over_is_removed_by_age),
	    cmocka_unit_test(a_cleared_mailbox_has_nothing_queued_and_works_on),
	    cmocka_unit_test(a_forgotten_mailbox_leaves_nothing_but_the_audit),
	};

	return TEST_STORE_RUN("store: rows", cases);
}
