/* sync/degraded.h - why the service is degraded, as facts that web shows. */
#ifndef SYNC_DEGRADED_H
#define SYNC_DEGRADED_H

#include <stdint.h>

#include "base/err.h"

struct session;

/* One fact "degraded:{name}" each. */
enum degraded_reason {
	DEGRADED_CREDENTIALS, /* Entra refuses us */
	DEGRADED_GRAPH, /* a tenant's circuit is open */
	DEGRADED_UNBLU, /* its circuit is open, or wrong base path */
	DEGRADED_UNBLU_AUTH, /* the gateway refuses us */
	DEGRADED_WEBHOOK, /* Graph can not reach our webhook */
	DEGRADED_KEYS, /* Entra's signing keys can not be fetched */
	DEGRADED_DELETIONS, /* deletions are held */
	DEGRADED_COUNT
};

enum { DEGRADED_SCOPES = 32 }; /* tenants told apart; more share one bit */

/* Bits: one per tenant, bit 0: all. */
struct degraded {
	unsigned told[DEGRADED_COUNT]; /* logged by this process */
	unsigned scopes[DEGRADED_COUNT]; /* in the store, as last seen */
	int64_t looked_ms[DEGRADED_COUNT]; /* monotonic, 0: never */
};

/* Sets or clears a reason for a scope (index of the tenant + 1, or 0), which
 * sync and renew share: what one has set the other one clears. Logged when it
 * changes; cheap when it does not. */
void degraded_set(struct session *s, enum degraded_reason reason, int scope,
    const char *text);
void degraded_clear(struct session *s, enum degraded_reason reason, int scope);

/* The deletion of this conversation is not held any more: with the last one
 * goes the alarm. */
void degraded_unhold(struct session *s, const char *conversation);

/* Removes what former processes left behind, but for deletions that are held.
 * The store is open. */
void degraded_reset(struct session *s);

#endif
