/* sync/engine_due.c - see engine_state.h: the heartbeat, and what the clock
 * alone asks for. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "port/store_due.h"
#include "rule/catchup.h"
#include "sync/engine_state.h"

enum {
	ENGINE_DUE_ROWS = 500, /* in one transaction */
	ENGINE_DUE_LINKS = 100,
	ENGINE_DUE_AGAIN_MS = 60 * 60 * 1000 /* should their work be lost */
};

/* ---- heartbeat ---- */

static int
engine_look_away(
    struct engine *e, struct store *s, int64_t now_ms, struct err *err)
{
	int64_t last_ms = 0;
	int found = store_fact_get(s, "sync-heartbeat", NULL, 0, &last_ms, err);

	e->away_ms = 0;
	if (found < 0)
		return -1;
	if (found == 0 || !catchup_was_away(last_ms, now_ms))
		return 0;
	e->away_ms = now_ms - last_ms;
	/* The same for all parts, or those that have begun would begin anew. */
	if (e->hurry_ms == 0 || e->hurry_ms > now_ms)
		e->hurry_ms = now_ms;
	if (e->hurried_count == 0 && store_round_repeat_all(s, err) != 0)
		return -1;
	return store_mailbox_hurry(
	    s, e->hurry_ms, ENGINE_DUE_ROWS, &e->hurried, err);
}

/* It is by the last one that we know how long we were away: until all catch-ups
 * that follow from that are planned it stays as it is. */
static int
engine_heartbeat_apply(struct store *s, void *arg, struct err *err)
{
	struct engine *e = arg;
	int64_t now_ms = clock_wall_ms();
	char text[32];

	if (engine_look_away(e, s, now_ms, err) != 0)
		return -1;
	if (e->away_ms > 0 && e->hurried == ENGINE_DUE_ROWS)
		return 0;
	snprintf(text, sizeof(text), "%zu", e->count);
	return store_fact_set(s, "sync-heartbeat", text, now_ms, err);
}

static void
engine_heartbeat_stands(void *arg)
{
	struct engine *e = arg;

	if (e->away_ms == 0) {
		e->hurry_ms = e->hurried_count = 0;
		return;
	}
	e->hurried_count += e->hurried;
	if (e->hurried == ENGINE_DUE_ROWS) {
		engine_write_heartbeat(e);
		return;
	}
	log_info("catch-up-after-downtime", LOG_INT("downMs", e->away_ms),
	    LOG_INT("mailboxes", e->hurried_count));
	e->hurry_ms = e->hurried_count = 0;
	engine_add_due(e);
}

void
engine_write_heartbeat(struct engine *e)
{
	if (e->heartbeat.in != NULL || e->session->store == NULL)
		return;
	e->heartbeat.apply = engine_heartbeat_apply;
	e->heartbeat.after = engine_heartbeat_stands;
	e->heartbeat.arg = e;
	session_commit(e->session, &e->heartbeat);
}

/* ---- what is due ---- */

/* No plan lies further ahead than this. */
static int64_t
engine_latest_plan_ms(const struct engine *e, int64_t now_ms)
{
	int64_t every_ms = e->session->config->catch_up_ms;

	return now_ms +
	    (every_ms > ENGINE_DUE_AGAIN_MS ? every_ms : ENGINE_DUE_AGAIN_MS);
}

static int
engine_due_apply(struct store *s, void *arg, struct err *err)
{
	const struct engine *e = arg;
	int64_t now_ms = clock_wall_ms();
	int64_t every_ms = e->session->config->catch_up_ms;
	int64_t latest_ms = engine_latest_plan_ms(e, now_ms);
	size_t links = e->count < ENGINE_TASKS / 2 ? ENGINE_DUE_LINKS : 0;
	int lacks = store_mailbox_lacks_plan(s, latest_ms, err);

	if (lacks < 0 ||
	    (lacks == 1 &&
		store_mailbox_plan(s, latest_ms,
		    now_ms + every_ms - every_ms / 10, every_ms / 10,
		    ENGINE_DUE_ROWS, err) != 0))
		return -1;
	return store_due_add(s, now_ms, ENGINE_DUE_AGAIN_MS, links,
	    engine_catch_up_room(e), NULL, err);
}

/* Whether the store holds anything for engine_due_apply(). */
static bool
engine_is_due(struct engine *e)
{
	struct store *s = e->session->store;
	struct err err = {.code = ERR_NONE};
	int64_t now_ms = clock_wall_ms();
	int64_t next_ms;

	return (store_due_next(s, &next_ms, &err) == 0 && next_ms <= now_ms) ||
	    store_mailbox_lacks_plan(
		s, engine_latest_plan_ms(e, now_ms), &err) == 1;
}

static void
engine_due_added(void *arg)
{
	struct engine *e = arg;

	e->more_due = e->session->store != NULL && engine_is_due(e);
	engine_wake(e);
}

void
engine_add_due(struct engine *e)
{
	if (e->due.in != NULL || e->hurry_ms != 0 || !e->recovered ||
	    e->session->store == NULL || !e->session->config->sync_enabled)
		return;
	e->more_due = false;
	if (!engine_is_due(e))
		return;
	e->due.apply = engine_due_apply;
	e->due.after = engine_due_added;
	e->due.arg = e;
	session_commit(e->session, &e->due);
}
