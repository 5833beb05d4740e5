/* sync/engine.h - drains the work table: many rows at once, few per mailbox. */
#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H

#include "sync/session.h"
#include "sync/task.h"

enum {
	ENGINE_TASKS = 128, /* rows worked on at once */
	ENGINE_PER_MAILBOX = 2, /* of one mailbox */
	ENGINE_BEAT_MS = 5000, /* heartbeat and safety look */
	ENGINE_SCANS = 2, /* whole mailboxes searched at once, of a tenant */
	ENGINE_CRASHES_MAX = 3 /* deaths alone in progress: poison */
};

struct engine;

/* The session's store need not be open yet. */
struct engine *engine_new(struct session *s);
/* What is in flight is dropped: the rows stay in progress until the next
 * start recovers them. */
void engine_free(struct engine *e);

/* The store is open: recovers the rows of a dead sync (crashed: it died by a
 * signal of its own making), again until that stands, and begins. Called again
 * when it was reopened. */
void engine_begin(struct engine *e, bool crashed);

/* There may be work: look soon. */
void engine_wake(struct engine *e);

/* Rows being worked on. */
size_t engine_count(const struct engine *e);

/* For tasks. */
void engine_task_ended(struct engine *e, struct task *t);
/* Asks Graph in batches about the mailbox: then() is called, from the loop,
 * once no other row of it is being worked on, and until engine_batch_end() none
 * is begun. */
void engine_batch_begin(
    struct engine *e, struct task *t, void (*then)(struct task *t));
void engine_batch_end(struct engine *e, struct task *t);
/* Whether another task searches the whole mailbox, which takes minutes: who
 * waited for the end of that would keep the mailbox's last place from its
 * notifications. then() is called all the same, and has to look. */
bool engine_is_searched(const struct engine *e, const struct task *t);
bool engine_conversation_busy(
    const struct engine *e, const struct task *t, const char *conversation);
/* Whether t may search its whole mailbox now: no other task does that, and few
 * do in the tenant's other mailboxes, for their pages are large. */
bool engine_may_scan(const struct engine *e, const struct task *t);

#endif
