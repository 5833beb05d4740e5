/* sync/engine_replica.c - see engine_state.h: one of several syncs that share a
 * store. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "port/store_renewal.h"
#include "port/store_replica.h"
#include "sync/engine_state.h"

enum {
	ENGINE_POLL_MS = 1000,
	/* The beat of the engine is no finer. */
	ENGINE_REPLICA_BEAT_MS = STORE_REPLICA_BEAT_MS - ENGINE_BEAT_MS / 2
};

/* ---- the lease is over ---- */

/* What it had claimed may be another's: all that is under way is dropped, as a
 * crash would, and it begins anew as another one. */
static void
engine_replica_lost(void *arg)
{
	struct engine *e = arg;

	if (e->fence == 0)
		return;
	log_warning(
	    "replica-lease-lost", LOG_INT("inFlight", (int64_t)e->count));
	e->fence = 0;
	engine_replica_opened(e);
	loop_timer_stop(e->lease);
	engine_abandon(e);
}

/* asked_ms: before the database was asked, so that ours is over first. */
static void
engine_replica_holds(struct engine *e, int64_t asked_ms)
{
	int64_t until_ms =
	    asked_ms + STORE_REPLICA_LIFE_MS - STORE_REPLICA_MARGIN_MS;
	int64_t left_ms = until_ms - clock_mono_ms();

	e->session->lease_until_ms = until_ms;
	loop_timer_set(e->lease, left_ms > 0 ? left_ms : 0);
}

/* ---- joining ---- */

int
engine_free_claims(struct engine *e, struct store *s, struct err *err)
{
	return store_mailbox_release_all(s, e->claims, err);
}

int
engine_replica_join(struct engine *e, struct store *s, struct err *err)
{
	e->joining_ms = clock_mono_ms();
	return store_replica_join(
	    s, e->replica, e->crashed, &e->recovered_count, err);
}

void
engine_replica_joined(struct engine *e)
{
	e->fence = store_replica_fence(e->session->store);
	e->beaten_ms = e->joining_ms;
	engine_replica_holds(e, e->joining_ms);
	log_info("replica-joined", LOG_INT("number", e->fence));
}

void
engine_replica_opened(struct engine *e)
{
	if (e->shares && e->session->store != NULL)
		store_replica_resume(e->session->store, e->fence);
}

/* ---- renewing ---- */

static int
engine_replica_beat_apply(struct store *s, void *arg, struct err *err)
{
	struct engine *e = arg;

	e->recovered_count = 0;
	e->beaten_ms = clock_mono_ms();
	return store_replica_beat(s, &e->recovered_count, err);
}

static void
engine_replica_beaten(void *arg)
{
	struct engine *e = arg;

	engine_replica_holds(e, e->beaten_ms);
	if (e->recovered_count == 0)
		return;
	log_info("work-recovered", LOG_INT("rows", e->recovered_count));
	engine_wake(e);
}

void
engine_replica_beat(struct engine *e)
{
	if (!e->shares || e->fence == 0 || e->replica_beat.in != NULL ||
	    clock_mono_ms() - e->beaten_ms < ENGINE_REPLICA_BEAT_MS)
		return;
	e->replica_beat.apply = engine_replica_beat_apply;
	e->replica_beat.after = engine_replica_beaten;
	e->replica_beat.arg = e;
	session_commit(e->session, &e->replica_beat);
}

/* ---- wake-up across hosts ---- */

static void
engine_replica_poll(void *arg)
{
	struct engine *e = arg;

	loop_timer_set(e->poll, ENGINE_POLL_MS);
	if (e->session->store != NULL && e->recovered && e->claim.in == NULL &&
	    store_work_is_due(e->session->store, clock_wall_ms(), NULL) == 1)
		engine_wake(e);
}

/* ---- life ---- */

/* Alone with its store every sync has the same name, so that the next life
 * finds what this one leaves claimed. */
static void
engine_name_claims(struct engine *e)
{
	snprintf(e->claims, sizeof(e->claims), "sync-%016" PRIx64 "-",
	    text_hash(TEXT_HASH, e->replica));
	memcpy(e->session->owner, e->claims, strlen(e->claims));
}

void
engine_replica_init(struct engine *e)
{
	const char *name = getenv("OUTLOOK_ADDIN_REPLICA");

	e->shares = store_database_is_shared(e->session->config->database);
	e->lease = loop_timer_new(e->session->loop, engine_replica_lost, e);
	e->poll = loop_timer_new(e->session->loop, engine_replica_poll, e);
	if (e->shares &&
	    (name == NULL || !text_copy(e->replica, sizeof(e->replica), name)))
		rand_guid(e->replica);
	engine_name_claims(e);
	if (!e->shares)
		return;
	e->session->lease_lost = engine_replica_lost;
	e->session->lease_arg = e;
	loop_timer_set(e->poll, ENGINE_POLL_MS);
}

/* In order: the others, and renew, need not wait until it is over. */
void
engine_replica_clear(struct engine *e, bool busy)
{
	struct session *s = e->session;
	struct err err = {.code = ERR_NONE};
	bool works = s->store != NULL && s->commit_failures == 0;

	loop_timer_free(e->lease);
	loop_timer_free(e->poll);
	if (works && busy && engine_free_claims(e, s->store, &err) != 0)
		log_warning("claims-not-released", LOG_ERR(&err));
	if (!e->shares)
		return;
	s->lease_lost = NULL;
	if (works && e->fence != 0 && store_replica_leave(s->store, &err) != 0)
		log_warning("replica-not-left", LOG_ERR(&err));
}
