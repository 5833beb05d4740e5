/* sync/engine_turn.c - see engine_state.h: how many mailboxes catch up at once,
 * and whose turn it is within a mailbox. Outlook takes four requests of one
 * mailbox at a time, and that is what Graph makes of a $batch: nobody else asks
 * meanwhile. */
#include <string.h>

#include "base/rand.h"
#include "rule/share.h"
#include "sync/engine_state.h"

enum {
	ENGINE_CATCH_UPS = 32, /* mailboxes at once */
	ENGINE_CATCH_UPS_OF_TENANT = 16,
	ENGINE_CATCH_UP_WAIT_MS = 1000,
	ENGINE_CATCH_UP_SPREAD_MS = 200, /* for each that waits likewise */
	ENGINE_CATCH_UP_WAIT_MAX_MS = 60 * 1000
};

static bool
engine_is_same_mailbox(const struct task *a, const struct task *b)
{
	return a->work.user[0] != '\0' &&
	    strcmp(a->work.user, b->work.user) == 0 &&
	    strcmp(a->work.tenant, b->work.tenant) == 0;
}

/* ---- turns within a mailbox ---- */

static bool
engine_has_batch(const struct engine *e, const struct task *t)
{
	const struct task *other;

	TAILQ_FOREACH(other, &e->tasks, link)
	if (other != t && other->in_batch && engine_is_same_mailbox(other, t))
		return true;
	return false;
}

/* Whether anybody else is at work on the mailbox. */
static bool
engine_has_company(const struct engine *e, const struct task *t)
{
	const struct task *other;

	TAILQ_FOREACH(other, &e->tasks, link)
	if (other != t && !other->held && other->turn == NULL &&
	    engine_is_same_mailbox(other, t))
		return true;
	return false;
}

bool
engine_is_searched(const struct engine *e, const struct task *t)
{
	const struct task *other;

	TAILQ_FOREACH(other, &e->tasks, link)
	if (other != t && other->scanning && engine_is_same_mailbox(other, t))
		return true;
	return false;
}

bool
engine_may_start(struct engine *e, struct task *t)
{
	t->held = engine_has_batch(e, t);
	return !t->held;
}

void
engine_batch_begin(
    struct engine *e, struct task *t, void (*then)(struct task *t))
{
	t->turn = then;
	loop_timer_set(e->turns, 0);
}

void
engine_batch_end(struct engine *e, struct task *t)
{
	t->in_batch = false;
	loop_timer_set(e->turns, 0);
}

/* What is begun may end at once, and the list is another one then. */
static bool
engine_give_turn(struct engine *e)
{
	struct task *t;

	TAILQ_FOREACH(t, &e->tasks, link)
	if (t->held && engine_may_start(e, t)) {
		engine_task_run(t);
		return true;
	}
	TAILQ_FOREACH(t, &e->tasks, link)
	if (t->turn != NULL &&
	    (!engine_has_company(e, t) || engine_is_searched(e, t))) {
		void (*then)(struct task * t) = t->turn;

		t->turn = NULL;
		t->in_batch = true;
		then(t);
		return true;
	}
	return false;
}

void
engine_give_turns(void *arg)
{
	struct engine *e = arg;

	while (engine_give_turn(e))
		continue;
}

/* ---- catch-ups at once ---- */

static size_t
engine_count_catch_ups(const struct engine *e, const char *tenant)
{
	const struct task *t;
	size_t count = 0;

	TAILQ_FOREACH(t, &e->tasks, link)
	if (t->work.kind == STORE_WORK_CATCHUP && !t->turned_away &&
	    (tenant == NULL || strcmp(t->work.tenant, tenant) == 0))
		count++;
	return count;
}

size_t
engine_catch_up_room(const struct engine *e)
{
	size_t count = engine_count_catch_ups(e, NULL);

	return count < ENGINE_CATCH_UPS ? ENGINE_CATCH_UPS - count : 0;
}

/* Of a tenant, whose notifications need places as well. */
static size_t
engine_catch_ups_most(const struct engine *e)
{
	size_t most = share_unhurried(
	    ENGINE_SHARED, e->session->config->tenant_ids.count);

	return most < ENGINE_CATCH_UPS_OF_TENANT ? most
						 : ENGINE_CATCH_UPS_OF_TENANT;
}

bool
engine_may_catch_up(struct engine *e, const char *tenant, int64_t *wait_ms)
{
	uint64_t spread_ms;

	if (engine_count_catch_ups(e, NULL) < ENGINE_CATCH_UPS &&
	    engine_count_catch_ups(e, tenant) < engine_catch_ups_most(e))
		return true;
	/* The more of them wait, the rarer each asks. */
	spread_ms = ++e->turned_away * ENGINE_CATCH_UP_SPREAD_MS;
	if (spread_ms > ENGINE_CATCH_UP_WAIT_MAX_MS)
		spread_ms = ENGINE_CATCH_UP_WAIT_MAX_MS;
	*wait_ms = ENGINE_CATCH_UP_WAIT_MS +
	    (int64_t)rand_below(ENGINE_CATCH_UP_WAIT_MS + spread_ms);
	return false;
}
