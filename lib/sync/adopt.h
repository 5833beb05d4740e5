/* sync/adopt.h - finds mailboxes whose subscriptions are ours at Graph but that
 * the store does not know: after a lost store, a restored backup, or a move
 * from the original product. */
#ifndef SYNC_ADOPT_H
#define SYNC_ADOPT_H

#include <stddef.h>

#include "sync/session.h"

struct adopt_result {
	size_t listed; /* subscriptions of our application, all tenants */
	size_t adopted; /* mailboxes that are followed from now on */
	size_t removed; /* unknown ones, deleted at Graph */
	size_t changed; /* mailboxes to be looked at now, adopted ones too */
	size_t failed; /* tenants whose list could not be read */
	struct err err; /* of the last of those */
};

struct adopt;

/*
 * Reads the lists of the session's first tenants, one after the other. A
 * subscription of our application, to a host of ours, for users/{id}/events
 * makes a mailbox row when there is none; following it (with a new clientState,
 * a search by property and a catch-up) is then the caller's. Unknown ones of
 * mailboxes that are known, and known ones without lifecycleNotificationUrl,
 * are looked at by sync/suspect.h, some hundred at most. What the list does not
 * show is asked for by sync/unlisted.h; what is someone else's changes nothing.
 * done is called once, from the loop; *r is borrowed for the call.
 */
struct adopt *adopt_start(struct session *s, size_t tenants,
    void (*done)(const struct adopt_result *r, void *arg), void *arg);

/* Ends it without done. */
void adopt_cancel(struct adopt *a);

#endif
