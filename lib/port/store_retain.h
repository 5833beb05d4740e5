/* port/store_retain.h - part of port/store.h: what is removed. Errors and times
 * as there. */
#ifndef PORT_STORE_RETAIN_H
#define PORT_STORE_RETAIN_H

#include "port/store.h"

/*
 * By age: links in a final state (foreign, ended, kept, deleted) that were
 * created, last synced and over before finished_before_ms; unconfirmed ones
 * (and announced ones with no check_ms) whose start was before it, too; their
 * copies,
 * Retry-After and leases that ran out before it, and audit records older than
 * audit_before_ms. A few hundred rows a transaction; *removed (may be NULL) is
 * added to. Once a day is enough.
 */
int store_expire(struct store *s, int64_t finished_before_ms,
    int64_t audit_before_ms, int64_t *removed, struct err *e);

/* The mailbox's queued rows: nobody is to look at it any more. Rows in progress
 * stay until they are finished. */
int store_work_clear(
    struct store *s, const char *tenant, const char *user, struct err *e);

/* Everything about a mailbox; its audit records lose user and event. What
 * stands at Graph and Unblu is the caller's. */
int store_forget(
    struct store *s, const char *tenant, const char *user, struct err *e);

#endif
