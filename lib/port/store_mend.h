/* port/store_mend.h - part of port/store.h: times that a clock wrote which ran
 * ahead. Once it is put right they would have what they belong to wait for as
 * long as it was wrong. Errors and times as there. */
#ifndef PORT_STORE_MEND_H
#define PORT_STORE_MEND_H

#include "port/store.h"

enum {
	STORE_MEND_ROWS = 500, /* looked at in one go */
	/* The clocks of those who share a store may differ by that much. */
	STORE_MEND_SLACK_MS = 60 * 1000
};

/* One look, in the order of the rows' ids. */
struct store_mend {
	int64_t now_ms;
	int64_t wait_max_ms; /* nobody is told to wait for longer */
	int64_t after; /* the rows behind this one, 0: from the first on */
	int64_t last; /* the last one that was looked at, 0: no more */
};

/*
 * Looks at the next rows of the queue, at the first arrival and at the parked
 * mailboxes, without a lock. 1: some of them are of a wrong time, 0, -1.
 * Sets m->last.
 */
int store_mend_look(struct store *s, struct store_mend *m, struct err *e);

/*
 * Puts right what that look found: rows that were first seen later than now
 * are due now, and what waits beyond now + wait_max_ms waits no more: rows, and
 * the next try at parked mailboxes. Their number is added to *count. Rows in
 * progress are left alone.
 */
int store_mend_apply(
    struct store *s, const struct store_mend *m, int64_t *count, struct err *e);

/* Conversations that were announced later than now count as announced now, and
 * are looked at now: at most STORE_MEND_ROWS of them. The number is added to
 * *count. Reads all links that wait for a time to come. */
int store_mend_links(
    struct store *s, int64_t now_ms, int64_t *count, struct err *e);

#endif
