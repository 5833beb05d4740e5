/* sync/suspect.h - one listed subscription of ours that is not as it should be.
 * The list is not the truth: the subscription itself is asked for before
 * anything is done. */
#ifndef SYNC_SUSPECT_H
#define SYNC_SUSPECT_H

#include "remote/graph_subscription.h"
#include "sync/session.h"

enum {
	/* An unknown one has to be unknown for so long. */
	SUSPECT_UNKNOWN_MS = 10 * 60 * 1000,
	/* Then Graph has let it run out. */
	SUSPECT_FORGET_MS = 8 * 24 * 60 * 60 * 1000
};

struct suspect {
	char user[STORE_GUID];
	char id[GRAPH_SUBSCRIPTION_ID_MAX];
	/* Else it is known and was listed without lifecycleNotificationUrl. */
	bool unknown;
};

enum suspect_outcome {
	SUSPECT_LEFT, /* nothing was changed: not yet, or not at all */
	SUSPECT_REMOVED, /* it is deleted at Graph */
	SUSPECT_CHANGED, /* the mailbox has to be looked at now */
	SUSPECT_FAILED
};

struct suspect_case;

/*
 * Takes the mailbox's claim row. Without lifecycleNotificationUrl, when that is
 * so: marked, to be made anew. Unknown, in a mailbox without a live one that is
 * known: remembered. With one: that one is asked for. It is there: the unknown
 * one is remembered the first time, and deleted when it was unknown
 * SUSPECT_UNKNOWN_MS ago already. It is not there (a restored backup): its row
 * goes, so that a new one is made. done is called once, from the loop.
 */
struct suspect_case *suspect_start(struct session *s, const char *tenant,
    const struct suspect *suspect,
    void (*done)(enum suspect_outcome outcome, void *arg), void *arg);
void suspect_cancel(struct suspect_case *c);

/* It is unknown since now_ms, unless that is noted already: what
 * suspect_start() does for the others. For one by which its mailbox is adopted:
 * Graph may let it stand beside the new one. */
int suspect_note_unknown(
    struct store *s, const char *id, int64_t now_ms, struct err *e);

/* An operator has had its mailbox forgotten: it is not adopted. */
int suspect_note_forgotten(
    struct store *s, const char *id, int64_t now_ms, struct err *e);
/* 1, 0, -1. */
int suspect_is_forgotten(struct store *s, const char *id, struct err *e);

/* Those remembered so long ago that they are gone. */
int suspect_forget(struct store *s, int64_t now_ms, struct err *e);

#endif
