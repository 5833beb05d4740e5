/* test_target - which mailboxes a renewal pass finds due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/store.h"
#include "port/store_renewal.h"
#include "target.h"

#define TENANT "11111111-1111-4111-8111-111111111111"
#define OTHER "99999999-9999-4999-8999-999999999999"
#define USER "22222222-2222-4222-8222-22222222222"

static const int64_t now = INT64_C(1800000000000);
static const int64_t hour = 3600 * 1000;

struct fixture {
	char folder[64];
	char database[128];
	struct store *store;
	struct config config;
	char *tenants[1];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/test_target.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(
	    f->database, sizeof(f->database), "sqlite:%s/state.db", f->folder);
	f->store = store_open(f->database, STORE_CREATE, -1, now, NULL);
	assert_non_null(f->store);
	f->tenants[0] = strdup(TENANT);
	f->config.tenant_ids.items = f->tenants;
	f->config.tenant_ids.count = 1;
	f->config.deployment_url = strdup("https://addin.example.com");
	f->config.base = strdup("/addin");
	f->config.sync_enabled = true;
	f->config.client_id = strdup("c");
	f->config.addin_id = strdup("a");
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	store_close(f->store);
	snprintf(command, sizeof(command), "rm -r '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f->tenants[0]);
	free(f->config.deployment_url);
	free(f->config.base);
	free(f->config.client_id);
	free(f->config.addin_id);
	free(f);
	return 0;
}

/* A followed mailbox whose last digit is n. */
static void
follow(struct fixture *f, const char *tenant, int n)
{
	char user[STORE_GUID];

	snprintf(user, sizeof(user), "%s%c", USER, "0123456789"[n]);
	assert_int_equal(store_mailbox_follow(
			     f->store, tenant, user, "", true, now, NULL, NULL),
	    0);
}

static void
subscribe(struct fixture *f, int n, int64_t granted_ms, int64_t expires_ms,
    const char *url)
{
	struct store_subscription sub = {.tenant = TENANT,
	    .granted_ms = granted_ms,
	    .expires_ms = expires_ms,
	    .application = "c",
	    .addin = "a",
	    .created_ms = granted_ms};

	snprintf(sub.user, sizeof(sub.user), "%s%c", USER, "0123456789"[n]);
	snprintf(
	    sub.client_state_hash, sizeof(sub.client_state_hash), "%064d", n);
	snprintf(sub.notification_url, sizeof(sub.notification_url), "%s", url);
	assert_int_equal(
	    store_subscription_add_pending(f->store, &sub, NULL), 0);
	if (granted_ms == 0)
		return;
	snprintf(sub.id, sizeof(sub.id), "sub-%d", n);
	assert_int_equal(store_subscription_granted(f->store, &sub, NULL), 0);
}

static const char good_url[] = "https://addin.example.com/addin/webhook/events";

static enum renewal_action
action_of(struct fixture *f, const char *tenant, int n, bool force)
{
	struct target_list l;
	enum renewal_action found = RENEWAL_ACTION_COUNT;
	char user[STORE_GUID];

	snprintf(user, sizeof(user), "%s%c", USER, "0123456789"[n]);
	assert_int_equal(target_list_load(f->store, &f->config, now, TARGET_ALL,
			     force, &l, NULL),
	    0);
	for (size_t i = 0; i < l.count; i++)
		if (strcmp(l.items[i].user, user) == 0 &&
		    strcmp(l.items[i].tenant, tenant) == 0)
			found = l.items[i].action;
	target_list_clear(&l);
	return found;
}

static void
without_a_subscription_one_is_created(void **state)
{
	follow(*state, TENANT, 1);
	assert_int_equal(action_of(*state, TENANT, 1, false), RENEWAL_CREATE);
}

static void
a_creation_that_was_never_confirmed_is_made_again(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, 0, 0, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, false), RENEWAL_CREATE);
}

static void
before_half_of_its_life_it_is_kept(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now - 3 * hour, now + 4 * hour, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, false), RENEWAL_NOTHING);
}

static void
after_half_of_its_life_it_is_renewed(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now - 4 * hour, now + 3 * hour, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, false), RENEWAL_RENEW);
}

static void
a_shorter_renewal_limit_counts(void **state)
{
	struct fixture *f = *state;

	follow(f, TENANT, 1);
	subscribe(f, 1, now - 2 * hour, now + 100 * hour, good_url);
	assert_int_equal(action_of(f, TENANT, 1, false), RENEWAL_NOTHING);
	f->config.subscription_renewal_limit_ms = hour;
	assert_int_equal(action_of(f, TENANT, 1, false), RENEWAL_RENEW);
}

static void
force_renews_what_was_just_renewed(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now, now + 100 * hour, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, true), RENEWAL_RENEW);
}

static void
an_expired_one_is_recreated(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now - 9 * hour, now - 1, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, false), RENEWAL_RECREATE);
}

static void
one_made_for_another_url_is_recreated(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now, now + 9 * hour, "https://old.example.com/x");
	assert_int_equal(action_of(*state, TENANT, 1, false), RENEWAL_RECREATE);
}

static void
a_parked_mailbox_is_left_alone_until_its_time(void **state)
{
	struct fixture *f = *state;

	follow(f, TENANT, 1);
	assert_int_equal(
	    store_mailbox_set_state(f->store, TENANT, USER "1",
		STORE_MAILBOX_PARKED, "no licence", now + 1, now, NULL),
	    0);
	assert_int_equal(action_of(f, TENANT, 1, true), RENEWAL_NOTHING);
	assert_int_equal(
	    store_mailbox_set_state(f->store, TENANT, USER "1",
		STORE_MAILBOX_PARKED, "no licence", now, now, NULL),
	    0);
	assert_int_equal(action_of(f, TENANT, 1, false), RENEWAL_RETRY);
}

static void
a_tenant_that_is_not_configured_is_left_alone(void **state)
{
	follow(*state, OTHER, 1);
	assert_int_equal(action_of(*state, OTHER, 1, true), RENEWAL_NOTHING);
}

static void
a_tenant_that_is_no_longer_configured_loses_its_subscription(void **state)
{
	struct fixture *f = *state;

	follow(f, TENANT, 1);
	subscribe(f, 1, now, now + 9 * hour, good_url);
	f->tenants[0][0] = '9';
	assert_int_equal(action_of(f, TENANT, 1, false), RENEWAL_LEAVE);
	f->tenants[0][0] = TENANT[0];
	f->config.sync_enabled = false;
	assert_int_equal(action_of(f, TENANT, 1, false), RENEWAL_LEAVE);
}

static void
one_made_for_another_addin_is_recreated(void **state)
{
	struct fixture *f = *state;

	follow(f, TENANT, 1);
	subscribe(f, 1, now, now + 9 * hour, good_url);
	f->config.addin_id[0] = 'b';
	assert_int_equal(action_of(f, TENANT, 1, false), RENEWAL_RECREATE);
}

/* ---- the indexed read ---- */

static size_t
load_due(struct fixture *f, int64_t at_ms, enum target_scope scope)
{
	struct target_list l;
	size_t count;

	assert_int_equal(target_list_load(f->store, &f->config, at_ms, scope,
			     false, &l, NULL),
	    0);
	assert_int_equal(target_list_settle(f->store, &l, at_ms, NULL), 0);
	count = l.count;
	target_list_clear(&l);
	return count;
}

static void
what_was_found_not_due_is_not_read_again_before_its_time(void **state)
{
	struct fixture *f = *state;

	for (int n = 1; n <= 9; n++) {
		follow(f, TENANT, n);
		subscribe(f, n, now, now + 8 * hour, good_url);
	}
	assert_int_equal(load_due(f, now, TARGET_DUE), 9);
	assert_int_equal(load_due(f, now, TARGET_DUE), 0);
	assert_int_equal(load_due(f, now + 3 * hour, TARGET_DUE), 0);
	assert_int_equal(load_due(f, now + 4 * hour, TARGET_DUE), 9);
	/* and until it has been renewed it is */
	assert_int_equal(load_due(f, now + 4 * hour, TARGET_DUE), 9);
}

static void
what_a_look_at_all_finds_due_stays_due(void **state)
{
	struct fixture *f = *state;

	follow(f, TENANT, 1);
	subscribe(f, 1, now, now + 8 * hour, good_url);
	assert_int_equal(load_due(f, now, TARGET_DUE), 1);
	assert_int_equal(load_due(f, now, TARGET_DUE), 0);
	f->config.addin_id[0] = 'b';
	assert_int_equal(load_due(f, now, TARGET_ALL), 1);
	assert_int_equal(load_due(f, now, TARGET_DUE), 1);
}

static void
more_than_a_page_of_due_ones_is_read_in_their_order(void **state)
{
	struct fixture *f = *state;
	struct target_list l;
	char user[STORE_GUID];

	for (int i = 0; i < 50; i++) {
		snprintf(user, sizeof(user),
		    "22222222-2222-4222-8222-2222222222%02d", i);
		assert_int_equal(store_mailbox_follow(f->store, TENANT, user,
				     "", true, now, NULL, NULL),
		    0);
		assert_int_equal(store_mailbox_set_renewal(
				     f->store, TENANT, user, now - i % 7, NULL),
		    0);
	}
	assert_int_equal(target_list_load(f->store, &f->config, now, TARGET_DUE,
			     false, &l, NULL),
	    0);
	assert_int_equal(l.count, 50);
	for (size_t i = 1; i < l.count; i++)
		assert_true(l.items[i - 1].renew_ms <= l.items[i].renew_ms &&
		    strcmp(l.items[i - 1].user, l.items[i].user) != 0);
	target_list_clear(&l);
}

static void
one_that_ended_with_its_tenant_is_followed_again_with_it(void **state)
{
	struct fixture *f = *state;
	struct store_mailbox m;

	follow(f, TENANT, 1);
	follow(f, TENANT, 2);
	assert_int_equal(
	    store_mailbox_set_state(f->store, TENANT, USER "1",
		STORE_MAILBOX_UNFOLLOWED, RENEWAL_NO_TENANT, 0, now, NULL),
	    0);
	assert_int_equal(
	    store_mailbox_set_state(f->store, TENANT, USER "2",
		STORE_MAILBOX_UNFOLLOWED, "by an operator", 0, now, NULL),
	    0);
	assert_int_equal(action_of(f, TENANT, 1, false), RENEWAL_CREATE);
	assert_int_equal(action_of(f, TENANT, 2, false), RENEWAL_NOTHING);
	load_due(f, now, TARGET_ALL);
	assert_int_equal(
	    store_mailbox_find(f->store, TENANT, USER "1", &m, NULL), 1);
	assert_int_equal(m.state, STORE_MAILBOX_FOLLOWED);
	assert_int_equal(
	    store_mailbox_find(f->store, TENANT, USER "2", &m, NULL), 1);
	assert_int_equal(m.state, STORE_MAILBOX_UNFOLLOWED);
	assert_int_equal(m.renew_ms, 0);
}

static void
each_mailbox_finds_its_own_subscription(void **state)
{
	struct fixture *f = *state;

	for (int n = 1; n <= 9; n++) {
		follow(f, TENANT, n);
		subscribe(f, n, n % 2 ? now - 4 * hour : now, now + 3 * hour,
		    good_url);
	}
	for (int n = 1; n <= 9; n++)
		assert_int_equal(action_of(f, TENANT, n, false),
		    n % 2 ? RENEWAL_RENEW : RENEWAL_NOTHING);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(without_a_subscription_one_is_created),
	    CASE(a_creation_that_was_never_confirmed_is_made_again),
	    CASE(before_half_of_its_life_it_is_kept),
	    CASE(after_half_of_its_life_it_is_renewed),
	    CASE(a_shorter_renewal_limit_counts),
	    CASE(force_renews_what_was_just_renewed),
	    CASE(an_expired_one_is_recreated),
	    CASE(one_made_for_another_url_is_recreated),
	    CASE(a_parked_mailbox_is_left_alone_until_its_time),
	    CASE(a_tenant_that_is_not_configured_is_left_alone),
	    CASE(a_tenant_that_is_no_longer_configured_loses_its_subscription),
	    CASE(one_made_for_another_addin_is_recreated),
	    CASE(what_was_found_not_due_is_not_read_again_before_its_time),
	    CASE(what_a_look_at_all_finds_due_stays_due),
	    CASE(more_than_a_page_of_due_ones_is_read_in_their_order),
	    CASE(one_that_ended_with_its_tenant_is_followed_again_with_it),
	    CASE(each_mailbox_finds_its_own_subscription),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
