/* cronjob/target.c - see target.h. */
#include "target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/when.h"
#include "port/store_renewal.h"

enum {
	TARGET_GROW = 256,
	TARGET_SETTLE = 200 /* rows of one transaction */
};

struct loading {
	struct store *store;
	const struct config *config;
	const char *url; /* where notifications must go today */
	int64_t now_ms;
	bool force;
	bool foresees;
	struct target_list list;
	struct err *err;
};

static enum renewal_state
state_of(const struct store_mailbox *m)
{
	switch (m->state) {
	case STORE_MAILBOX_PARKED:
		return RENEWAL_PARKED;
	case STORE_MAILBOX_UNFOLLOWED:
		return RENEWAL_UNFOLLOWED;
	case STORE_MAILBOX_FOLLOWED:
		break;
	}
	return RENEWAL_FOLLOWED;
}

static const char *
flaw_of(const struct loading *l, const struct store_subscription *sub)
{
	const struct subscription_terms made = {
	    .url = sub->notification_url,
	    .application = sub->application,
	    .addin = sub->addin,
	    .no_lifecycle = sub->no_lifecycle,
	};
	const struct subscription_terms wanted = {
	    .url = l->url,
	    .application = l->config->client_id,
	    .addin = l->config->addin_id,
	};

	return subscription_flaw(&made, &wanted);
}

static int
foresee(struct loading *l, const struct store_mailbox *m, bool *unused)
{
	int rc = store_mailbox_is_unused(
	    l->store, m, l->now_ms - l->config->link_retention_ms, l->err);

	*unused = rc == 1;
	return rc < 0 ? -1 : 0;
}

static int
decide(struct loading *l, const struct store_mailbox *m,
    struct renewal_verdict *out, int64_t *expires_ms)
{
	struct store_subscription sub = {.granted_ms = 0};
	int rc =
	    store_subscription_of(l->store, m->tenant, m->user, &sub, l->err);
	struct renewal_facts facts = {
	    .enabled = l->config->sync_enabled,
	    .tenant_known = config_tenant_index(l->config, m->tenant) >= 0,
	    .state = state_of(m),
	    .state_reason = m->reason,
	    .retry_ms = m->retry_ms,
	    .sub = {rc == 1, sub.granted_ms, sub.expires_ms,
		sub.requested_life_ms, subscription_spread(m->tenant, m->user)},
	    .flaw = rc == 1 ? flaw_of(l, &sub) : NULL,
	};

	if (rc < 0 || (l->foresees && foresee(l, m, &facts.unused) != 0))
		return -1;
	*expires_ms = sub.granted_ms > 0 ? sub.expires_ms : 0;
	*out = renewal_decide(&facts, l->now_ms,
	    l->config->subscription_renewal_limit_ms, l->force);
	return 0;
}

static const char *
tenant_of(struct target_list *l, const char *tenant)
{
	for (size_t i = 0; i < l->tenant_count; i++)
		if (strcmp(l->tenants[i], tenant) == 0)
			return l->tenants[i];
	l->tenants = mem_realloc(
	    l->tenants, (l->tenant_count + 1) * sizeof(*l->tenants));
	l->tenants[l->tenant_count] = mem_strdup(tenant);
	return l->tenants[l->tenant_count++];
}

static int
add_mailbox(const struct store_mailbox *m, void *arg)
{
	struct loading *l = arg;
	struct target_list *list = &l->list;
	struct renewal_verdict verdict;
	struct target *t;
	int64_t expires_ms;

	if (decide(l, m, &verdict, &expires_ms) != 0)
		return -1;
	if (list->count % TARGET_GROW == 0)
		list->items = mem_realloc(list->items,
		    (list->count + TARGET_GROW) * sizeof(*list->items));
	t = &list->items[list->count++];
	memset(t, 0, sizeof(*t));
	t->tenant = tenant_of(list, m->tenant);
	memcpy(t->user, m->user, sizeof(t->user));
	t->action = (uint8_t)verdict.action;
	t->reason = verdict.reason;
	t->ends = verdict.ends;
	t->resumes = verdict.resumes;
	t->due_ms = verdict.due_ms;
	t->expires_ms = expires_ms;
	t->renew_ms = m->renew_ms;
	if (t->action != RENEWAL_NOTHING)
		list->due++;
	return 0;
}

static int
compare_targets(const void *left, const void *right)
{
	const struct target *a = left, *b = right;
	int order = strcmp(a->tenant, b->tenant);

	if (order != 0)
		return order;
	if (a->renew_ms != b->renew_ms)
		return a->renew_ms < b->renew_ms ? -1 : 1;
	return strcmp(a->user, b->user);
}

int
target_list_load(struct store *s, const struct config *c, int64_t now_ms,
    enum target_scope scope, bool force, struct target_list *out, struct err *e)
{
	char *url = config_public_url(c, "/webhook/events");
	struct loading l = {.store = s,
	    .config = c,
	    .url = url,
	    .now_ms = now_ms,
	    .force = force,
	    .foresees = scope == TARGET_FORESEEN,
	    .err = e};
	int rc = scope == TARGET_DUE
	    ? store_mailbox_each_due(s, now_ms, add_mailbox, &l, e)
	    : store_mailbox_each(s, add_mailbox, &l, e);

	free(url);
	if (rc != 0) {
		target_list_clear(&l.list);
		return err_wrap(e, "read the followed mailboxes");
	}
	if (l.list.count > 1)
		qsort(l.list.items, l.list.count, sizeof(*l.list.items),
		    compare_targets);
	*out = l.list;
	return 0;
}

void
target_list_clear(struct target_list *l)
{
	for (size_t i = 0; i < l->tenant_count; i++)
		free(l->tenants[i]);
	free(l->tenants);
	free(l->items);
	memset(l, 0, sizeof(*l));
}

/* ---- what the store is to know of it ---- */

static int
settle_one(
    struct store *s, const struct target *t, int64_t now_ms, struct err *e)
{
	if (t->resumes &&
	    store_mailbox_set_state(s, t->tenant, t->user,
		STORE_MAILBOX_FOLLOWED, "", 0, now_ms, e) != 0)
		return -1;
	return store_mailbox_set_renewal(s, t->tenant, t->user,
	    t->action == RENEWAL_NOTHING ? t->due_ms : now_ms, e);
}

static bool
is_settled(const struct target *t, int64_t now_ms)
{
	if (t->resumes)
		return false;
	if (t->action == RENEWAL_NOTHING)
		return t->renew_ms == t->due_ms;
	return t->renew_ms > 0 && t->renew_ms <= now_ms;
}

int
target_list_settle(
    struct store *s, const struct target_list *l, int64_t now_ms, struct err *e)
{
	size_t changed = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (is_settled(&l->items[i], now_ms))
			continue;
		if (changed % TARGET_SETTLE == 0 &&
		    ((changed != 0 && store_commit(s, e) != 0) ||
			store_begin(s, e) != 0))
			return -1;
		changed++;
		if (settle_one(s, &l->items[i], now_ms, e) != 0) {
			store_rollback(s);
			return -1;
		}
	}
	return changed != 0 ? store_commit(s, e) : 0;
}

void
target_describe(const struct target *t, int64_t now_ms, char *out, size_t cap)
{
	char when[WHEN_TEXT_MAX];

	if (t->action != RENEWAL_NOTHING || t->due_ms == 0) {
		snprintf(out, cap, "%s", t->reason);
		return;
	}
	when_format_iso(t->due_ms, false, when);
	if (t->expires_ms != 0)
		snprintf(out, cap, "%s, %" PRId64 " minutes left, due at %s",
		    t->reason, (t->expires_ms - now_ms) / 60000, when);
	else
		snprintf(out, cap, "%s until %s", t->reason, when);
}
