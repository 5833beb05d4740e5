/* port/store_due.h - part of port/store.h: what is due by the clock alone, and
 * how far a mailbox's catch-up has come. Errors and times as there. */
#ifndef PORT_STORE_DUE_H
#define PORT_STORE_DUE_H

#include "port/store.h"

/* ---- catch-ups of mailboxes ---- */
/* How far that of the CATCHUP row first seen at begun_ms has come; a later
 * generation of the row asks for another one behind it. */
struct store_round {
	int64_t begun_ms; /* first_seen_ms of the row */
	int64_t generation; /* of the row when it began */
	char after[STORE_ID_MAX]; /* the last conversation that is done */
};
/* 1 found, 0 none under way, -1. */
int store_round_find(struct store *s, const char *tenant, const char *user,
    struct store_round *out, struct err *e);
int store_round_save(struct store *s, const char *tenant, const char *user,
    const struct store_round *r, struct err *e);
/* A catch-up was complete at at_ms; the next one is due at next_ms. */
int store_mailbox_set_catch_up(struct store *s, const char *tenant,
    const char *user, int64_t at_ms, int64_t next_ms, struct err *e);
/* Something may have been missed everywhere: behind each round that is under
 * way comes another one. */
int store_round_repeat_all(struct store *s, struct err *e);
/* The catch-ups of followed mailboxes, at most limit, are due at due_ms at the
 * latest. *count becomes their number: limit, and there may be more. */
int store_mailbox_hurry(struct store *s, int64_t due_ms, size_t limit,
    int64_t *count, struct err *e);
/* 1: a followed mailbox has no plan, or one behind latest_ms (clock). 0, -1. */
int store_mailbox_lacks_plan(struct store *s, int64_t latest_ms, struct err *e);
/* At most limit of these get one, spread over span_ms from first_ms on. */
int store_mailbox_plan(struct store *s, int64_t latest_ms, int64_t first_ms,
    int64_t span_ms, size_t limit, struct err *e);

/* ---- what is due by itself, without a notification ---- */

/* Rows that store_due_add() lets be there at once, whoever added them, of those
 * that are in progress or will be within STORE_DUE_SOON_MS: more of them would
 * only be claimed and put back again and again. */
enum {
	STORE_DUE_LINKS = 100,
	STORE_DUE_MAILBOXES = 64,
	STORE_DUE_SOON_MS = 2 * 60 * 1000
};

/*
 * Adds LINK work for the links and CATCHUP work (hint MISSED) for the followed
 * mailboxes whose check_ms has passed, at most so many of each, oldest first. A
 * mailbox that has such work already gets none: whoever knows that something
 * was missed adds it himself.
 * Their check_ms becomes now + again_ms, so that nothing is added twice while
 * it waits; whoever does the work sets the right one. *count (may be NULL) is
 * added to.
 */
int store_due_add(struct store *s, int64_t now_ms, int64_t again_ms,
    size_t links, size_t mailboxes, int64_t *count, struct err *e);
/* The earliest check_ms of all, INT64_MAX: none. One small read. */
int store_due_next(struct store *s, int64_t *next_ms, struct err *e);

#endif
