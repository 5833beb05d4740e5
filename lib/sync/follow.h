/* sync/follow.h - brings one mailbox's subscription in order. Shared by sync
 * and outlook-addin-renew. */
#ifndef SYNC_FOLLOW_H
#define SYNC_FOLLOW_H

#include "sync/session.h"

enum follow_flags {
	FOLLOW_FORCE = 1, /* renew also when it is not due */
	FOLLOW_REAUTHORIZE = 2, /* renew unless that was just done */
	FOLLOW_REMOVED = 4 /* Graph says that there is none any more */
};

enum follow_outcome {
	FOLLOW_KEPT, /* nothing was due, or the mailbox is not followed */
	FOLLOW_CREATED, /* there was none */
	FOLLOW_RENEWED,
	FOLLOW_RECREATED, /* it was lost or expired: catch-up enqueued */
	FOLLOW_PARKED, /* the mailbox is out of reach: see err */
	FOLLOW_BUSY, /* someone else has the mailbox's claim */
	FOLLOW_FAILED /* err says why; to be repeated */
};

struct follow_result {
	enum follow_outcome outcome;
	int64_t due_ms; /* when to look again (Unix ms) */
	struct err err;
};

struct follow;

/*
 * Starts: takes the mailbox's claim row, decides by rule/subscription.h,
 * creates (the pending row is committed before POST), renews, recreates on
 * 404/410 or when it has expired, replaces on 409 and, after FOLLOW_REMOVED,
 * whatever Graph may still list under its id, parks on 403 and when there
 * is no mailbox. With a created or recreated subscription SEARCH and CATCHUP
 * work is added in the transaction that records it. At most one exchange at a
 * time. done is called once, from the loop; *r is borrowed for the call. A
 * parked mailbox is tried like any other once its time has come, and resumed
 * when that works; before that, and for good where an operator parked it,
 * nothing is asked of Graph (FOLLOW_PARKED). A mailbox that is unfollowed or
 * not known is left alone (FOLLOW_KEPT), whatever a notification says.
 */
struct follow *follow_start(struct session *s, const char *tenant,
    const char *user, unsigned flags,
    void (*done)(const struct follow_result *r, void *arg), void *arg);

/* Ends it without a callback; the claim runs out by itself, or is freed by the
 * next one of that name, see engine_free_claims(). */
void follow_cancel(struct follow *f);

#endif
