/* cronjob/target.c */
#include "target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/when.h"
#include "rule/subscription.h"

enum { TARGET_GROW = 256 };

/* What matters of a subscription. */
struct sub {
	char tenant[STORE_GUID], user[STORE_GUID];
	bool same_url;
	int64_t granted_ms, expires_ms;
};

struct sub_list {
	struct sub *items;
	size_t count;
	const char *url; /* where notifications must go today */
};

const char *
target_action_name(enum target_action action)
{
	static const char *const names[TARGET_ACTION_COUNT] = {
	    [TARGET_NOTHING] = "nothing",
	    [TARGET_CREATE] = "create",
	    [TARGET_RENEW] = "renew",
	    [TARGET_RECREATE] = "recreate",
	    [TARGET_RETRY] = "retry",
	};

	return names[action];
}

static int
add_sub(const struct store_subscription *from, void *arg)
{
	struct sub_list *l = arg;
	struct sub *to;

	if (l->count % TARGET_GROW == 0)
		l->items = mem_realloc(
		    l->items, (l->count + TARGET_GROW) * sizeof(*l->items));
	to = &l->items[l->count++];
	memcpy(to->tenant, from->tenant, sizeof(to->tenant));
	memcpy(to->user, from->user, sizeof(to->user));
	to->same_url = strcmp(from->notification_url, l->url) == 0;
	to->granted_ms = from->granted_ms;
	to->expires_ms = from->expires_ms;
	return 0;
}

static int
add_mailbox(const struct store_mailbox *from, void *arg)
{
	struct target_list *l = arg;
	struct target *to;

	if (l->count % TARGET_GROW == 0)
		l->items = mem_realloc(
		    l->items, (l->count + TARGET_GROW) * sizeof(*l->items));
	to = &l->items[l->count++];
	memset(to, 0, sizeof(*to));
	memcpy(to->tenant, from->tenant, sizeof(to->tenant));
	memcpy(to->user, from->user, sizeof(to->user));
	to->state = from->state;
	to->retry_ms = from->retry_ms;
	return 0;
}

static int
compare_mailbox(const struct sub *a, const char *tenant, const char *user)
{
	int order = strcmp(a->tenant, tenant);

	return order != 0 ? order : strcmp(a->user, user);
}

/* By mailbox, the one granted last first. */
static int
compare_subs(const void *left, const void *right)
{
	const struct sub *a = left, *b = right;
	int order = compare_mailbox(a, b->tenant, b->user);

	if (order != 0)
		return order;
	return (a->granted_ms < b->granted_ms) -
	    (a->granted_ms > b->granted_ms);
}

/* The first entry of the mailbox in the sorted list. */
static const struct sub *
find_sub(const struct sub_list *l, const char *tenant, const char *user)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_mailbox(&l->items[mid], tenant, user) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == l->count ||
	    compare_mailbox(&l->items[low], tenant, user) != 0)
		return NULL;
	return &l->items[low];
}

static void
set(struct target *t, enum target_action action, const char *reason)
{
	t->action = action;
	snprintf(t->reason, sizeof(t->reason), "%s", reason);
}

static void
set_kept(struct target *t, int64_t now_ms, int64_t limit_ms)
{
	struct subscription sub = {true, t->granted_ms, t->expires_ms};
	char when[WHEN_TEXT_MAX];

	when_format_iso(subscription_due_ms(&sub, limit_ms), false, when);
	t->action = TARGET_NOTHING;
	snprintf(t->reason, sizeof(t->reason),
	    "%" PRId64 " minutes left, due at %s",
	    (t->expires_ms - now_ms) / 60000, when);
}

static void
decide_followed(
    struct target *t, const struct config *c, int64_t now_ms, bool force)
{
	struct subscription sub = {t->has_sub, t->granted_ms, t->expires_ms};
	int64_t limit_ms = c->subscription_renewal_limit_ms;

	if (t->has_sub && sub.granted_ms != 0 && !t->same_url) {
		set(t, TARGET_RECREATE, "made for another deploymentUrl");
		return;
	}
	switch (subscription_decide(&sub, now_ms, limit_ms, force)) {
	case SUBSCRIPTION_KEEP:
		set_kept(t, now_ms, limit_ms);
		break;
	case SUBSCRIPTION_RENEW:
		set(t, TARGET_RENEW,
		    force ? "forced" : "half of its life or the limit passed");
		break;
	case SUBSCRIPTION_CREATE:
		if (!t->has_sub)
			set(t, TARGET_CREATE, "no subscription");
		else if (t->granted_ms == 0)
			set(t, TARGET_CREATE, "its creation was not confirmed");
		else
			set(t, TARGET_RECREATE, "expired");
		break;
	}
}

static void
decide(struct target *t, const struct config *c, int64_t now_ms, bool force)
{
	char when[WHEN_TEXT_MAX];

	if (config_tenant_index(c, t->tenant) < 0) {
		set(t, TARGET_NOTHING, "its tenant is not in tenantIds");
		return;
	}
	switch (t->state) {
	case STORE_MAILBOX_UNFOLLOWED:
		set(t, TARGET_NOTHING, "no longer followed");
		break;
	case STORE_MAILBOX_PARKED:
		if (t->retry_ms <= now_ms) {
			set(t, TARGET_RETRY, "parked, time to try again");
			break;
		}
		when_format_iso(t->retry_ms, false, when);
		t->action = TARGET_NOTHING;
		snprintf(t->reason, sizeof(t->reason), "parked until %s", when);
		break;
	case STORE_MAILBOX_FOLLOWED:
		decide_followed(t, c, now_ms, force);
		break;
	}
}

int
target_list_load(struct store *s, const struct config *c, int64_t now_ms,
    bool force, struct target_list *out, struct err *e)
{
	struct target_list l = {0};
	char *url = config_public_url(c, "/webhook/events");
	struct sub_list subs = {.url = url};
	int rc = -1;

	if (store_mailbox_each(s, add_mailbox, &l, e) != 0 ||
	    store_subscription_each(s, add_sub, &subs, e) != 0)
		goto out;
	if (subs.count != 0)
		qsort(
		    subs.items, subs.count, sizeof(*subs.items), compare_subs);
	for (size_t i = 0; i < l.count; i++) {
		struct target *t = &l.items[i];
		const struct sub *sub = find_sub(&subs, t->tenant, t->user);

		t->has_sub = sub != NULL;
		if (sub != NULL) {
			t->same_url = sub->same_url;
			t->granted_ms = sub->granted_ms;
			t->expires_ms = sub->expires_ms;
		}
		decide(t, c, now_ms, force);
		if (t->action != TARGET_NOTHING)
			l.due++;
		if (t->granted_ms != 0 &&
		    (l.nearest_expiry_ms == 0 ||
			t->expires_ms < l.nearest_expiry_ms))
			l.nearest_expiry_ms = t->expires_ms;
	}
	*out = l;
	memset(&l, 0, sizeof(l));
	rc = 0;
out:
	if (rc != 0)
		err_wrap(e, "read the followed mailboxes");
	free(url);
	free(subs.items);
	target_list_clear(&l);
	return rc;
}

void
target_list_clear(struct target_list *l)
{
	free(l->items);
	memset(l, 0, sizeof(*l));
}
