/* sync/engine.c - see engine.h. */
#include "sync/engine_state.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "rule/share.h"

enum { ENGINE_CHECKPOINT_MS = 1000 };

static void (*const engine_kinds[STORE_KIND_COUNT])(struct task *t) = {
    [STORE_WORK_EVENT] = look_start,
    [STORE_WORK_FOLLOW] = followup_start,
    [STORE_WORK_SEARCH] = search_start,
    [STORE_WORK_CATCHUP] = catchup_start,
    [STORE_WORK_LINK] = linkwork_start,
    [STORE_WORK_KEYS] = keys_start,
};

/* ---- tasks ---- */

/* How many more tasks there may be of a tenant, which is not to be slower for
 * what another one's cloud does to us. What is of no tenant, or of one that is
 * no longer configured, ends by itself. */
static size_t
engine_room(const char *tenant, void *arg)
{
	const struct engine *e = arg;
	const struct session_tenant *t = session_tenant(e->session, tenant);

	if (t == NULL)
		return e->count < ENGINE_TASKS ? ENGINE_TASKS - e->count : 0;
	return share_room(ENGINE_SHARED, e->session->config->tenant_ids.count,
	    e->count, t->tasks);
}

static void
engine_task_free(struct task *t)
{
	session_commit_cancel(t->session, &t->commit);
	call_cancel(&t->call);
	if (t->free_state != NULL)
		t->free_state(t->state);
	for (size_t i = 0; i < t->outcome.add_count; i++)
		free(t->outcome.adds[i].event);
	free(t->outcome.adds);
	free(t);
}

void
engine_task_run(struct task *t)
{
	const struct store_work *work = &t->work;

	t->held = false;
	if (work->crashes >= ENGINE_CRASHES_MAX)
		task_bury(t, "poison: sync died over it again and again");
	else if (work->tenant[0] != '\0' && t->of == NULL)
		task_finish(t); /* the tenant is no longer configured */
	else
		engine_kinds[work->kind](t);
}

static void
engine_task_start(struct engine *e, const struct store_work *work)
{
	struct task *t = mem_zalloc(sizeof(*t));
	int64_t wait_ms = 0;

	t->engine = e;
	t->session = e->session;
	t->work = *work;
	t->of = session_tenant(e->session, work->tenant);
	t->started_ms = clock_mono_ms();
	call_new_trace(t->trace);
	t->call.session = e->session;
	t->turned_away = work->kind == STORE_WORK_CATCHUP &&
	    !engine_may_catch_up(e, work->tenant, &wait_ms);
	TAILQ_INSERT_TAIL(&e->tasks, t, link);
	e->count++;
	if (t->of != NULL)
		t->of->tasks++;
	e->was_busy = true;
	if (t->turned_away)
		task_defer(t, wait_ms, "other mailboxes catch up first");
	else if (engine_may_start(e, t))
		engine_task_run(t);
}

void
engine_task_ended(struct engine *e, struct task *t)
{
	/* Somebody may wait for just this place. */
	bool was_full =
	    e->count >= ENGINE_TASKS / 2 || engine_room(t->work.tenant, e) == 0;

	TAILQ_REMOVE(&e->tasks, t, link);
	e->count--;
	if (t->of != NULL)
		t->of->tasks--;
	engine_task_free(t);
	loop_timer_set(e->turns, 0);
	if (e->more_due)
		engine_add_due(e);
	if (was_full)
		engine_wake(e);
}

size_t
engine_count(const struct engine *e)
{
	return e->count;
}

bool
engine_conversation_busy(
    const struct engine *e, const struct task *t, const char *conversation)
{
	const struct task *other;

	TAILQ_FOREACH(other, &e->tasks, link)
	if (other != t && strcmp(other->conversation, conversation) == 0)
		return true;
	return false;
}

bool
engine_may_scan(const struct engine *e, const struct task *t)
{
	const struct task *other;
	int scans = 0;

	TAILQ_FOREACH(other, &e->tasks, link)
	{
		if (other == t || !other->scanning ||
		    strcmp(other->work.tenant, t->work.tenant) != 0)
			continue;
		if (++scans == ENGINE_SCANS ||
		    strcmp(other->work.user, t->work.user) == 0)
			return false;
	}
	return true;
}

/* ---- rows in progress that nobody works on ---- */

static bool
engine_works_on(const struct store_work *w, void *arg)
{
	const struct engine *e = arg;
	const struct task *t;

	TAILQ_FOREACH(t, &e->tasks, link)
	if (t->work.kind == w->kind && strcmp(t->work.tenant, w->tenant) == 0 &&
	    strcmp(t->work.user, w->user) == 0 &&
	    strcmp(t->work.event, w->event) == 0)
		return true;
	return false;
}

static int
engine_recovery_apply(struct store *s, void *arg, struct err *err)
{
	struct engine *e = arg;

	e->recovered_count = 0;
	if (engine_free_claims(e, s, err) != 0)
		return -1;
	if (e->shares)
		return engine_replica_join(e, s, err);
	return e->crashed
	    ? store_work_recover_crashed(s, &e->recovered_count, err)
	    : store_work_recover(s, &e->recovered_count, err);
}

static void
engine_recovery_stands(void *arg)
{
	struct engine *e = arg;

	e->recovered = true;
	if (e->shares)
		engine_replica_joined(e);
	if (e->recovered_count > 0)
		log_info("work-recovered", LOG_INT("rows", e->recovered_count));
	engine_add_due(e);
	engine_mend_clock(e);
	engine_wake(e);
}

/* ---- claiming ---- */

static int
engine_claim_apply(struct store *s, void *arg, struct err *err)
{
	struct engine *e = arg;
	const struct store_quota quota = {
	    .per_mailbox = ENGINE_PER_MAILBOX,
	    .room = engine_room,
	    .arg = e,
	};
	size_t room = e->count < ENGINE_TASKS ? ENGINE_TASKS - e->count : 0;

	if (e->claim_in_doubt &&
	    store_work_recover_except(s, engine_works_on, e, NULL, err) != 0)
		return -1;
	e->claim_in_doubt = true;
	e->claimed_count = 0;
	e->next_ms = INT64_MAX;
	e->claim_limit = room < ENGINE_CLAIM ? room : ENGINE_CLAIM;
	if (e->claim_limit == 0)
		return 0;
	e->claimed_count = store_work_claim(s, clock_wall_ms(), &quota,
	    e->claimed, e->claim_limit, &e->next_ms, err);
	return e->claimed_count < 0 ? -1 : 0;
}

static void
engine_set_next(struct engine *e)
{
	int64_t wait_ms;

	loop_timer_stop(e->next);
	if (e->next_ms == INT64_MAX)
		return;
	/* The clock may be set, so a long wait is looked at again. */
	wait_ms = e->next_ms - clock_wall_ms();
	if (wait_ms < ENGINE_BEAT_MS)
		loop_timer_set(e->next, wait_ms > 0 ? wait_ms : 0);
}

static void
engine_claimed(void *arg)
{
	struct engine *e = arg;
	int count = e->claimed_count;
	bool full = count > 0 && (size_t)count == e->claim_limit;

	e->claim_in_doubt = false;
	e->claimed_count = 0;
	if (count > 0 && !loop_timer_is_set(e->checkpoint))
		loop_timer_set(e->checkpoint, ENGINE_CHECKPOINT_MS);
	if (full)
		engine_wake(e);
	else
		engine_set_next(e);
	for (int i = 0; i < count; i++) {
		struct store_work work = e->claimed[i];

		engine_task_start(e, &work);
	}
}

void
engine_wake(struct engine *e)
{
	int folded;

	/* With the server disabled there are no secrets to work with. */
	if (!e->recovered || e->claim.in != NULL || e->session->store == NULL ||
	    !e->session->config->sync_enabled)
		return;
	/* One of the others may fold at the same time; then the claim behind it
	 * is a little early for some, which are looked at once more. */
	folded = store_work_fold(e->session->store, clock_wall_ms(), NULL);
	if (folded == 1) {
		loop_timer_set(e->next, 0);
		return;
	}
	/* One that is alone folds, too, and fails as all commits do. */
	e->claim.beside = folded == 0 && !e->claim_in_doubt &&
	    !store_work_claims_alone(e->session->store);
	e->claim.apply = engine_claim_apply;
	e->claim.after = engine_claimed;
	e->claim.arg = e;
	session_commit(e->session, &e->claim);
}

static void
engine_next_due(void *arg)
{
	engine_wake(arg);
}

/* ---- beat, checkpoints ---- */

static void
engine_beat(void *arg)
{
	struct engine *e = arg;

	/* A burst has passed: what it took is given back. */
	if (e->count == 0 && e->was_busy)
		malloc_trim(0);
	e->was_busy = e->count > 0;
	e->turned_away = 0;
	loop_timer_set(e->beat, ENGINE_BEAT_MS);
	engine_write_heartbeat(e);
	engine_replica_beat(e);
	engine_add_due(e);
	engine_mend_clock(e);
	engine_wake(e);
	if (!loop_timer_is_set(e->checkpoint))
		loop_timer_set(e->checkpoint, ENGINE_CHECKPOINT_MS);
}

static void
engine_checkpoint(void *arg)
{
	struct engine *e = arg;
	struct err err = {.code = ERR_NONE};

	if (e->session->store == NULL)
		return;
	if (store_checkpoint(e->session->store, &err) != 0)
		log_warning("checkpoint-failed", LOG_ERR(&err));
}

/* ---- life ---- */

struct engine *
engine_new(struct session *s)
{
	struct engine *e = mem_zalloc(sizeof(*e));

	e->session = s;
	TAILQ_INIT(&e->tasks);
	e->next = loop_timer_new(s->loop, engine_next_due, e);
	e->beat = loop_timer_new(s->loop, engine_beat, e);
	e->checkpoint = loop_timer_new(s->loop, engine_checkpoint, e);
	e->turns = loop_timer_new(s->loop, engine_give_turns, e);
	engine_replica_init(e);
	return e;
}

static void
engine_drop_all(struct engine *e)
{
	struct task *t;

	while ((t = TAILQ_FIRST(&e->tasks)) != NULL) {
		TAILQ_REMOVE(&e->tasks, t, link);
		if (t->of != NULL)
			t->of->tasks--;
		engine_task_free(t);
	}
	e->count = 0;
	session_commit_cancel(e->session, &e->recovery);
	session_commit_cancel(e->session, &e->claim);
	session_commit_cancel(e->session, &e->heartbeat);
	session_commit_cancel(e->session, &e->due);
	session_commit_cancel(e->session, &e->mending);
	session_commit_cancel(e->session, &e->replica_beat);
}

void
engine_free(struct engine *e)
{
	bool busy;

	if (e == NULL)
		return;
	busy = e->count > 0;
	engine_drop_all(e);
	engine_replica_clear(e, busy);
	loop_timer_free(e->next);
	loop_timer_free(e->beat);
	loop_timer_free(e->checkpoint);
	loop_timer_free(e->turns);
	free(e);
}

static void
engine_recover(struct engine *e, bool crashed)
{
	e->crashed = crashed;
	e->recovery.apply = engine_recovery_apply;
	e->recovery.after = engine_recovery_stands;
	e->recovery.arg = e;
	session_commit(e->session, &e->recovery);
}

void
engine_abandon(struct engine *e)
{
	engine_drop_all(e);
	loop_timer_stop(e->next);
	e->recovered = false;
	e->claim_in_doubt = false;
	e->claimed_count = 0;
	e->hurry_ms = e->hurried_count = 0;
	e->more_due = false;
	engine_recover(e, false);
}

void
engine_begin(struct engine *e, bool crashed)
{
	engine_replica_opened(e);
	/* Once in a life: later on it is only a reopened store. */
	if (!e->recovered && e->recovery.in == NULL)
		engine_recover(e, crashed);
	engine_beat(e);
}
