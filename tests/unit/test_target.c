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

static enum target_action
action_of(struct fixture *f, const char *tenant, int n, bool force)
{
	struct target_list l;
	enum target_action found = TARGET_ACTION_COUNT;
	char user[STORE_GUID];

	snprintf(user, sizeof(user), "%s%c", USER, "0123456789"[n]);
	assert_int_equal(
	    target_list_load(f->store, &f->config, now, force, &l, NULL), 0);
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
	assert_int_equal(action_of(*state, TENANT, 1, false), TARGET_CREATE);
}

static void
a_creation_that_was_never_confirmed_is_made_again(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, 0, 0, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, false), TARGET_CREATE);
}

static void
before_half_of_its_life_it_is_kept(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now - 3 * hour, now + 4 * hour, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, false), TARGET_NOTHING);
}

static void
after_half_of_its_life_it_is_renewed(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now - 4 * hour, now + 3 * hour, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, false), TARGET_RENEW);
}

static void
a_shorter_renewal_limit_counts(void **state)
{
	struct fixture *f = *state;

	follow(f, TENANT, 1);
	subscribe(f, 1, now - 2 * hour, now + 100 * hour, good_url);
	assert_int_equal(action_of(f, TENANT, 1, false), TARGET_NOTHING);
	f->config.subscription_renewal_limit_ms = hour;
	assert_int_equal(action_of(f, TENANT, 1, false), TARGET_RENEW);
}

static void
force_renews_what_was_just_renewed(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now, now + 100 * hour, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, true), TARGET_RENEW);
}

static void
an_expired_one_is_recreated(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now - 9 * hour, now - 1, good_url);
	assert_int_equal(action_of(*state, TENANT, 1, false), TARGET_RECREATE);
}

static void
one_made_for_another_url_is_recreated(void **state)
{
	follow(*state, TENANT, 1);
	subscribe(*state, 1, now, now + 9 * hour, "https://old.example.com/x");
	assert_int_equal(action_of(*state, TENANT, 1, false), TARGET_RECREATE);
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
	assert_int_equal(action_of(f, TENANT, 1, true), TARGET_NOTHING);
	assert_int_equal(
	    store_mailbox_set_state(f->store, TENANT, USER "1",
		STORE_MAILBOX_PARKED, "no licence", now, now, NULL),
	    0);
	assert_int_equal(action_of(f, TENANT, 1, false), TARGET_RETRY);
}

static void
a_tenant_that_is_not_configured_is_left_alone(void **state)
{
	follow(*state, OTHER, 1);
	assert_int_equal(action_of(*state, OTHER, 1, true), TARGET_NOTHING);
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
		    n % 2 ? TARGET_RENEW : TARGET_NOTHING);
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
	    CASE(each_mailbox_finds_its_own_subscription),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
