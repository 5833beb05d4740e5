/* port/store_arrival.h - notifications that are durable, but not yet rows of
 * the queue. */
#ifndef PORT_STORE_ARRIVAL_H
#define PORT_STORE_ARRIVAL_H

/*
 * What must wait for the debounce anyway is only appended at first, to a table
 * without an index: a commit of many notifications then writes a few pages
 * instead of some for each, and a storm about one event costs one queue row
 * when it is folded. Folding is done by whoever claims: of all that are there,
 * before a row is given out, and at the latest when the first of them is due.
 * They are appended in the order in which they are due, so the first of them
 * speaks for all.
 */

#include "port/store_work.h"

enum {
	STORE_ARRIVAL_FOLD = 500, /* rows folded in one go */
	STORE_ARRIVAL_FOLD_MS = 100, /* from one fold of all to the next */
	/* What waits longer would keep everybody else's out meanwhile. */
	STORE_ARRIVAL_DELAY_MS = 30000,
	/* Without a claimer (sync is down) the adder folds beyond this: the
	 * table stays bounded and storms coalesce all the same. */
	STORE_ARRIVAL_BACKLOG = 20000
};

/* Inside a transaction: whether nothing there is due later; a short backlog
 * that is gets folded. 1, 0, -1. */
int store_arrival_may_add(struct store *s, int64_t due_ms, struct err *e);
/* Inside a transaction. */
int store_arrival_add(struct store *s, const struct store_hint_item *items,
    size_t count, int64_t now_ms, int64_t due_ms, struct err *e);

/* After so many more adds: whether it is time to look at their number. */
bool store_arrival_is_to_be_bound(struct store *s, size_t count);
/* Whether somebody has to fold because nobody who claims does. 1, 0, -1. */
int store_arrival_is_long(struct store *s, struct err *e);

/* Inside a transaction: makes queue rows of the oldest ones. Their number, or
 * -1. */
int store_arrival_fold(struct store *s, struct err *e);

#endif
