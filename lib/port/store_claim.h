/* port/store_claim.h - what a claim sees before it takes rows, and how what has
 * arrived becomes rows before that. */
#ifndef PORT_STORE_CLAIM_H
#define PORT_STORE_CLAIM_H

#include "port/store_arrival.h"

/* Seen without a lock, or inside of a transaction. */
struct store_claim_look {
	int64_t suspects;
	int64_t head_ms; /* of the queue */
	int64_t arrival_ms; /* when the first arrival is due */
	int64_t first_arrival, last_arrival; /* ids, 0: there is none */
};
int
store_claim_look(struct store *s, struct store_claim_look *out, struct err *e);

/* Whether it is time: once the first arrival is due; before that, so that
 * claims close upon each other do not fold a handful each, only when the last
 * time is a while ago. */
bool store_claim_must_fold(
    const struct store *s, const struct store_claim_look *look, int64_t now_ms);

/*
 * Inside a transaction. All that have arrived by now become rows before any row
 * is given out: looking at an event now answers each of them, and who comes
 * later waits for the debounce anew. Otherwise a storm's arrivals, due one
 * after the other, would have their event looked at again and again. A long
 * backlog takes several calls. 1: it is done, 0: there is more, -1.
 */
int store_claim_fold(struct store *s, struct store_claim_look *look,
    int64_t now_ms, struct err *e);

#endif
