/* fcgi/web_lookup.h - subscriptions of ours, with a copy in memory. */
#ifndef FCGI_WEB_LOOKUP_H
#define FCGI_WEB_LOOKUP_H

#include <stdint.h>

#include "base/err.h"
#include "port/store.h"
#include "rule/notification.h"

struct lookup;

/* What a notification's sender has to know, and whose mailbox it is. */
struct lookup_entry {
	char subscription[NOTIFICATION_SUBSCRIPTION_MAX];
	char tenant[STORE_GUID], user[STORE_GUID];
	char client_state_hash[65];
	int64_t version; /* of the store when it was read */
	int64_t read_ms; /* monotonic */
};

enum lookup_verdict {
	LOOKUP_OURS,
	LOOKUP_UNKNOWN,
	LOOKUP_WRONG_STATE,
	LOOKUP_FOREIGN_TENANT,
	LOOKUP_FAILED /* the store: *e */
};

struct lookup *lookup_new(void);
void lookup_free(struct lookup *l); /* NULL is allowed */

/* Before a round of lookup_judge(): notes the store's version. now_ms is
 * monotonic. */
void lookup_begin(struct lookup *l, struct store *s, int64_t now_ms);

/*
 * Holds the item against its subscription: known, clientState equal (hashes,
 * in constant time), tenant equal. A subscription whose id is not stored yet
 * is known by its clientState: Graph may notify before its 201 has arrived.
 * *out is borrowed until the next call. now_ms is monotonic.
 */
enum lookup_verdict
lookup_judge(struct lookup *l, struct store *s, const struct notification *n,
    int64_t now_ms, const struct lookup_entry **out, struct err *e);

/* How often lookup_judge() has had to ask the store so far; it wraps. */
unsigned lookup_queries(const struct lookup *l);

#endif
