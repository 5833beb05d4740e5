/* sync/lease_scan.h - the full search of the lease: does any calendar of the
 * mailbox know of a conversation? One page at a time is held in memory; what
 * was found so far is lost with the task, the search then begins anew. */
#ifndef SYNC_LEASE_SCAN_H
#define SYNC_LEASE_SCAN_H

#include "base/buf.h"
#include "rule/guard.h"
#include "sync/task.h"

enum lease_phase {
	LEASE_SCAN_EVENT, /* the one that was announced, if any */
	LEASE_SCAN_CALENDARS,
	LEASE_SCAN_PROPERTY, /* of every calendar */
	LEASE_SCAN_TEXTS,
	LEASE_SCAN_OVER
};

/* Zeroed, then filled by the caller as far as "what it found". */
struct lease_scan {
	struct task *task;
	char conversation[STORE_ID_MAX];
	char event[STORE_ID_MAX]; /* as announced, "" none */
	char link[GUARD_LINK_MAX]; /* public one, "" none */
	int64_t start_ms; /* as announced */
	bool only_copies; /* live events with the property, but for except */
	char except[STORE_ID_MAX];
	/* Called once; code ERR_NONE: every answer was good, see below.
	 * ERR_REFUSED: it can not be searched completely. */
	void (*done)(const struct err *e, void *arg);
	void *arg;

	/* what it found */
	char carrier[STORE_ID_MAX]; /* an event with it, "" none */
	bool mentioned; /* in a body or location */

	/* private */
	enum lease_phase phase;
	char (*calendars)[STORE_ID_MAX];
	size_t count, at;
	int page_size;
	int pages;
	bool too_much;
	struct buf next;
};

void lease_scan_start(struct lease_scan *s);
void lease_scan_clear(struct lease_scan *s);

#endif
