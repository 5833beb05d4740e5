/* port/store_beside.h - transactions of several syncs beside each other. */
#ifndef PORT_STORE_BESIDE_H
#define PORT_STORE_BESIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/store.h"

/* Borrowed. */
struct store_party {
	const char *tenant, *user; /* NULL: no mailbox; "" of no tenant */
	const char *conversation; /* "" or NULL: none */
};

/*
 * As store_begin(), for who works on claimed rows or claims: where several
 * processes share the store (PostgreSQL), beside others of its kind. They keep
 * each other out of these mailboxes and off these conversations, so inside of
 * it only that may be changed: a mailbox's queue, state, dead letters and
 * audit, a conversation's link and copies; and store_work_claim() passes over
 * who is held. Everything else waits until it is over. Where only one process
 * writes at a time it is store_begin().
 */
int store_begin_beside(struct store *s, const struct store_party *parties,
    size_t count, struct err *e);

/* Before a claim in such a transaction, which does not do that itself, and
 * outside of any: makes rows of what has arrived when it is time for that. 1:
 * there is more, 0, -1. */
int store_work_fold(struct store *s, int64_t now_ms, struct err *e);
/* Behind such a claim: whether it took nothing because there are suspects,
 * which are only given out inside store_begin(). */
bool store_work_claims_alone(const struct store *s);

#endif
