/* sync/engine_state.h - inside of sync/engine: its rows, turns and clock. */
#ifndef SYNC_ENGINE_STATE_H
#define SYNC_ENGINE_STATE_H

#include "port/store_mend.h"
#include "sync/engine.h"

enum {
	ENGINE_CLAIM = 32,
	ENGINE_SPARE = 8, /* tasks that are of no tenant find room */
	ENGINE_SHARED = ENGINE_TASKS - ENGINE_SPARE /* among the tenants */
};

struct engine {
	struct session *session;
	TAILQ_HEAD(, task) tasks;
	size_t count;
	struct loop_timer *next; /* the next row is due */
	struct loop_timer *beat;
	struct loop_timer *checkpoint;
	struct loop_timer *turns; /* a mailbox's turn may have come */
	struct session_commit
	    recovery; /* nothing is claimed before it stands */
	bool recovered;
	bool crashed;
	int64_t recovered_count;
	struct session_commit claim;
	/* A claim was applied and its commit is not known to stand: it may
	 * turn up durable all the same. */
	bool claim_in_doubt;
	struct store_work claimed[ENGINE_CLAIM];
	int claimed_count;
	size_t claim_limit;
	int64_t next_ms;
	bool was_busy; /* at some time since the last beat */

	/* engine_due.c */
	struct session_commit heartbeat;
	int64_t away_ms; /* how long we were, when the heartbeat was written */
	int64_t hurry_ms; /* catch-ups are being brought forward to then; 0 */
	int64_t hurried, hurried_count;
	struct session_commit due; /* what the clock alone asks for */
	bool more_due; /* than could be added */

	/* engine_clock.c */
	struct session_commit mending;
	struct store_mend mend; /* how far it has come */
	int mend_looks; /* that are left of this beat's */
	int64_t mended;

	/* engine_replica.c: with a store that other syncs share */
	bool shares;
	char replica[STORE_GUID]; /* our name, also after a restart */
	char claims[24]; /* what the owner of each claim begins with */
	int64_t fence; /* our number, 0: not joined */
	int64_t joining_ms; /* monotonic, when it was asked for */
	int64_t beaten_ms; /* monotonic, when the last beat was asked for */
	struct session_commit replica_beat;
	struct loop_timer *lease; /* ours ends */
	struct loop_timer *poll; /* what others may have added */

	/* engine_turn.c */
	uint64_t turned_away; /* catch-ups, since the last beat */
};

/* ---- engine_due.c ---- */

/* The heartbeat, and catch-ups for all when it is the first in a long time. */
void engine_write_heartbeat(struct engine *e);
/* Links and mailboxes whose time has come become work, not more than can be
 * worked on: thousands that are due together come one after the other. */
void engine_add_due(struct engine *e);

/* ---- engine_clock.c ---- */

/* At each beat: rows and mailboxes that would wait until a clock that ran ahead
 * is reached are put right. */
void engine_mend_clock(struct engine *e);

/* ---- engine_turn.c ---- */

/* The task may start now: no batch about its mailbox is under way. Else it is
 * held until that is over. */
bool engine_may_start(struct engine *e, struct task *t);
/* Whether another mailbox of the tenant may begin to catch up; else *wait_ms
 * says when to ask again. */
bool
engine_may_catch_up(struct engine *e, const char *tenant, int64_t *wait_ms);
/* Room for further mailboxes that catch up. */
size_t engine_catch_up_room(const struct engine *e);
/* Timer: starts what was held, gives a turn to who waits for one. */
void engine_give_turns(void *arg);

/* ---- engine_replica.c ---- */

void engine_replica_init(struct engine *e);
/* busy: tasks were under way, which may have claimed mailboxes. */
void engine_replica_clear(struct engine *e, bool busy);
/* The store was opened again: the number goes with the handle. */
void engine_replica_opened(struct engine *e);
/* Inside a transaction: what a life before this one had claimed is free. */
int engine_free_claims(struct engine *e, struct store *s, struct err *err);
/* Inside a transaction: joins. */
int engine_replica_join(struct engine *e, struct store *s, struct err *err);
/* That stands. */
void engine_replica_joined(struct engine *e);
/* At each beat: renews the lease when that is due. */
void engine_replica_beat(struct engine *e);

/* ---- engine.c ---- */

/* Drops all tasks, as a crash would, and begins anew. */
void engine_abandon(struct engine *e);

/* Begins the work of a task that is in the list. */
void engine_task_run(struct task *t);

#endif
