/* sync/leave.h - ends the following of one mailbox: its subscriptions are
 * deleted at Graph. Shared by whoever decides that. */
#ifndef SYNC_LEAVE_H
#define SYNC_LEAVE_H

#include <stddef.h>

#include "sync/session.h"

enum leave_outcome {
	LEAVE_KEPT, /* the mailbox is followed again, or not known */
	LEAVE_DONE,
	LEAVE_BUSY, /* someone else has the mailbox's claim */
	LEAVE_FAILED /* err says why; to be repeated */
};

struct leave_result {
	enum leave_outcome outcome;
	size_t removed; /* subscriptions that are gone at Graph */
	int64_t due_ms; /* when to look again (Unix ms), 0 not known */
	struct err err;
};

struct leave;

/*
 * Takes the mailbox's claim row, deletes its subscriptions at Graph, then their
 * rows and its queued work. What has expired is gone at Graph already, and what
 * Graph never confirmed has no id to delete: only the row goes. reason: the
 * mailbox becomes unfollowed with it first (a parked one stays parked); NULL:
 * only if it is unfollowed. The tenant must be one of the session's. done is
 * called once, from the loop; *r is borrowed for the call.
 */
struct leave *leave_start(struct session *s, const char *tenant,
    const char *user, const char *reason,
    void (*done)(const struct leave_result *r, void *arg), void *arg);

/* Ends it without a callback; the claim runs out by itself. */
void leave_cancel(struct leave *l);

#endif
