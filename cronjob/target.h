/* cronjob/target.h - which mailboxes need something, from the store alone. */
#ifndef CRONJOB_TARGET_H
#define CRONJOB_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "port/config.h"
#include "port/store.h"

enum target_action {
	TARGET_NOTHING,
	TARGET_CREATE, /* no subscription, or Graph never answered */
	TARGET_RENEW,
	TARGET_RECREATE, /* expired, or made for another URL */
	TARGET_RETRY, /* parked, and its time has come */
	TARGET_ACTION_COUNT
};

/* One mailbox and what to do with it; small, for there may be 10,000. */
struct target {
	char tenant[STORE_GUID], user[STORE_GUID];
	enum store_mailbox_state state;
	int64_t retry_ms; /* of a parked one */
	bool has_sub;
	bool same_url; /* its subscription was made for today's URL */
	int64_t granted_ms, expires_ms; /* of its subscription, 0: pending */
	enum target_action action;
	char reason[80]; /* for people: "half of its life has passed" */
};

struct target_list {
	struct target *items;
	size_t count;
	size_t due; /* items whose action is not TARGET_NOTHING */
	int64_t nearest_expiry_ms; /* of the granted ones; 0: none */
};

/*
 * Reads every mailbox and its subscription and decides. force: every followed
 * mailbox is due. Mailboxes of tenants that are not configured, and unfollowed
 * ones, are listed with TARGET_NOTHING and the reason.
 */
int target_list_load(struct store *s, const struct config *c, int64_t now_ms,
    bool force, struct target_list *out, struct err *e);
void target_list_clear(struct target_list *l);

/* "create", "renew", ... */
const char *target_action_name(enum target_action action);

#endif
