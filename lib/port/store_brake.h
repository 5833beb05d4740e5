/* port/store_brake.h - how many conversations were deleted lately, or may have
 * been: what the brake of sync asks, as store.h. */
#ifndef PORT_STORE_BRAKE_H
#define PORT_STORE_BRAKE_H

#include "port/store.h"

struct store_deletions {
	int64_t in_mailbox, in_tenant;
};

/* Those in the audit since since_ms, and those that were begun since begun_ms
 * by whichever process and have no outcome yet (link.writing is "delete"): in
 * the link's mailbox and in its tenant, without its own. An indexed read.
 * Inside store_begin() it holds for what is begun there; in a transaction that
 * is beside others one of them may begin as many. */
int store_deletions_count(struct store *s, const struct store_link *of,
    int64_t since_ms, int64_t begun_ms, struct store_deletions *out,
    struct err *e);

#endif
