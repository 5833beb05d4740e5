/* cronjob/target.h - which mailboxes need something, from the store alone. */
#ifndef CRONJOB_TARGET_H
#define CRONJOB_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "port/config.h"
#include "port/store.h"
#include "rule/renewal.h"

/* One mailbox and what to do with it; small, for there may be 10,000. */
struct target {
	const char *tenant; /* the list's */
	char user[STORE_GUID];
	uint8_t action; /* enum renewal_action */
	bool resumes; /* has to be followed first */
	bool ends; /* reason is why it becomes unfollowed, too */
	uint8_t repeats; /* of the work on it */
	const char *reason; /* static words for people */
	int64_t due_ms; /* nothing to do: look again then, 0 never */
	int64_t expires_ms; /* of its subscription, 0 none */
	int64_t renew_ms; /* when the store has it looked at */
	int64_t again_ms; /* the work on it waits until then (monotonic) */
	int32_t waited_ms; /* so long it has waited */
};

struct target_list {
	struct target *items; /* by tenant, the longest due first */
	size_t count;
	size_t due; /* items whose action is not RENEWAL_NOTHING */
	char **tenants; /* each once */
	size_t tenant_count;
};

enum target_scope {
	TARGET_DUE, /* those whose time has come: an indexed read */
	TARGET_ALL,
	/* all as they are once the day's upkeep has ended the unused ones */
	TARGET_FORESEEN
};

/* Reads mailboxes and their subscriptions and decides. force: every followed
 * mailbox is due. */
int target_list_load(struct store *s, const struct config *c, int64_t now_ms,
    enum target_scope scope, bool force, struct target_list *out,
    struct err *e);
void target_list_clear(struct target_list *l);

/*
 * Notes in the store what the list has found: when to look again at those of
 * which nothing is needed now, at all others at once; and follows again what
 * resumes. Some hundred rows a transaction; cheap when nothing differs.
 */
int target_list_settle(struct store *s, const struct target_list *l,
    int64_t now_ms, struct err *e);

/* "not due, 7130 minutes left, due at ..." */
void
target_describe(const struct target *t, int64_t now_ms, char *out, size_t cap);

#endif
