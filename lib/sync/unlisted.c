/* sync/unlisted.c - see unlisted.h. */
#include "sync/unlisted.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "rule/subscription.h"
#include "sync/suspect.h"

enum {
	UNLISTED_GROW = 256,
	UNLISTED_IDS_MAX = 1 << 20, /* beyond: nobody is looked for */
	UNLISTED_ASKED_MAX = 200, /* of a tenant; the next list shows others */
	UNLISTED_WRONG_MAX = 5, /* so many are there: the list lies */
	UNLISTED_TIME_MS = 30 * 1000, /* renewals that are due wait for it */
	UNLISTED_YOUNG_MS = 10 * 60 * 1000
};

/* Those of one tenant; any of them when there are too many. */
struct unlisted_tenant {
	const char *id;
	struct suspect *missing;
	size_t count, found, next;
	int wrong;
};

struct unlisted {
	struct session *session;
	void (*done)(size_t changed, void *arg);
	void *arg;
	uint64_t *seen; /* hashes of ids */
	size_t seen_count;
	struct unlisted_tenant *tenants;
	size_t tenant_count, tenant; /* the one that is asked about */
	size_t turns; /* tenants that had theirs, from any one on */
	int64_t begun_ms; /* monotonic */
	struct suspect_case *suspect;
	struct loop_timer *step;
	size_t changed;
};

static void unlisted_step(void *arg);

struct unlisted *
unlisted_new(struct session *s)
{
	struct unlisted *u = mem_zalloc(sizeof(*u));

	u->session = s;
	u->step = loop_timer_new(s->loop, unlisted_step, u);
	return u;
}

void
unlisted_free(struct unlisted *u)
{
	if (u == NULL)
		return;
	if (u->suspect != NULL)
		suspect_cancel(u->suspect);
	loop_timer_free(u->step);
	for (size_t i = 0; i < u->tenant_count; i++)
		free(u->tenants[i].missing);
	free(u->tenants);
	free(u->seen);
	free(u);
}

/* ---- what was shown ---- */

void
unlisted_saw(struct unlisted *u, const char *id)
{
	if (u->seen_count == UNLISTED_IDS_MAX)
		return;
	if (u->seen_count % UNLISTED_GROW == 0)
		u->seen = mem_realloc(u->seen,
		    (u->seen_count + UNLISTED_GROW) * sizeof(*u->seen));
	/* Two alike: one loss is seen later. */
	u->seen[u->seen_count++] = text_hash(TEXT_HASH, id);
}

void
unlisted_complete(struct unlisted *u, const char *tenant)
{
	struct unlisted_tenant *t;

	u->tenants = mem_realloc(
	    u->tenants, (u->tenant_count + 1) * sizeof(*u->tenants));
	t = &u->tenants[u->tenant_count++];
	memset(t, 0, sizeof(*t));
	t->id = tenant;
}

/* ---- what was not ---- */

static int
unlisted_compare(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static bool
unlisted_was_seen(const struct unlisted *u, const char *id)
{
	uint64_t key = text_hash(TEXT_HASH, id);

	return u->seen_count != 0 &&
	    bsearch(&key, u->seen, u->seen_count, sizeof(key),
		unlisted_compare) != NULL;
}

static struct unlisted_tenant *
unlisted_tenant_of(struct unlisted *u, const char *tenant)
{
	for (size_t i = 0; i < u->tenant_count; i++)
		if (strcmp(u->tenants[i].id, tenant) == 0)
			return &u->tenants[i];
	return NULL;
}

/* Each has the same chance to be among those that are asked for. */
static void
unlisted_add(struct unlisted_tenant *t, const struct store_subscription *sub)
{
	size_t at = t->found++;
	struct suspect *s;

	if (t->missing == NULL)
		t->missing =
		    mem_calloc(UNLISTED_ASKED_MAX, sizeof(*t->missing));
	if (t->count < UNLISTED_ASKED_MAX)
		at = t->count++;
	else if ((at = rand_below(at + 1)) >= UNLISTED_ASKED_MAX)
		return;
	s = &t->missing[at];
	s->unknown = false;
	text_copy(s->user, sizeof(s->user), sub->user);
	text_copy(s->id, sizeof(s->id), sub->id);
}

/* Its renewal will show whether it is there. */
static bool
unlisted_is_due(
    struct store *s, const struct store_subscription *sub, int64_t now_ms)
{
	struct store_mailbox m;

	return store_mailbox_find(s, sub->tenant, sub->user, &m, NULL) == 1 &&
	    m.renew_ms > 0 && m.renew_ms <= now_ms;
}

/* So that the list may be older. Not one that was granted later than now: our
 * clock has been set back since. */
static bool
unlisted_is_young(const struct store_subscription *sub, int64_t now_ms)
{
	return sub->granted_ms >= now_ms - UNLISTED_YOUNG_MS &&
	    sub->granted_ms <= now_ms + SUBSCRIPTION_AHEAD_MS;
}

static int
unlisted_each(const struct store_subscription *sub, void *arg)
{
	struct unlisted *u = arg;
	struct unlisted_tenant *t = unlisted_tenant_of(u, sub->tenant);
	int64_t now_ms = clock_wall_ms();

	if (t != NULL && sub->granted_ms > 0 && sub->expires_ms > now_ms &&
	    !unlisted_is_young(sub, now_ms) && !unlisted_was_seen(u, sub->id) &&
	    !unlisted_is_due(u->session->store, sub, now_ms))
		unlisted_add(t, sub);
	return 0;
}

static void
unlisted_settled(enum suspect_outcome outcome, void *arg)
{
	struct unlisted *u = arg;
	struct unlisted_tenant *t = &u->tenants[u->tenant];

	u->suspect = NULL;
	u->changed += outcome == SUSPECT_CHANGED;
	/* there, or nobody can tell: either way the list is no help */
	t->wrong += outcome != SUSPECT_CHANGED;
	loop_timer_set(u->step, 0);
}

static void
unlisted_step(void *arg)
{
	struct unlisted *u = arg;

	while (u->turns < u->tenant_count &&
	    clock_mono_ms() - u->begun_ms < UNLISTED_TIME_MS) {
		struct unlisted_tenant *t = &u->tenants[u->tenant];

		if (t->next == t->count || t->wrong == UNLISTED_WRONG_MAX) {
			u->tenant = (u->tenant + 1) % u->tenant_count;
			u->turns++;
			continue;
		}
		u->suspect = suspect_start(u->session, t->id,
		    &t->missing[t->next++], unlisted_settled, u);
		return;
	}
	u->done(u->changed, u->arg);
}

void
unlisted_start(
    struct unlisted *u, void (*done)(size_t changed, void *arg), void *arg)
{
	struct err e = {.code = ERR_NONE};

	u->done = done;
	u->arg = arg;
	u->begun_ms = clock_mono_ms();
	if (u->seen_count != 0)
		qsort(
		    u->seen, u->seen_count, sizeof(*u->seen), unlisted_compare);
	if (u->seen_count == UNLISTED_IDS_MAX)
		u->tenant_count = 0;
	else if (u->session->store != NULL &&
	    store_subscription_each(u->session->store, unlisted_each, u, &e) !=
		0)
		log_warning("unlisted-not-looked-for", LOG_ERR(&e));
	if (u->tenant_count != 0)
		u->tenant = rand_below(u->tenant_count);
	loop_timer_set(u->step, 0);
}
