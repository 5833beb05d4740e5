/* ctl/live.h - the running system, for the commands that look at it. */
#ifndef CTL_LIVE_H
#define CTL_LIVE_H

#include <stddef.h>

#include "base/buf.h"
#include "ctl.h"
#include "port/store.h"

struct live {
	struct config config;
	struct store *store;
	int64_t now_ms;
};

/* Loads the configuration and opens the store (flags: enum store_open_flags).
 * CTL_DONE, or the exit code after saying why. */
int live_open(struct ctl *ctl, unsigned flags, struct live *out);
/* Frees both. */
void live_close(struct live *live);

/* Tells sync that there is work. */
void live_wake(const struct live *live);

/* Says what failed at the store; the exit code. */
int live_fail(const char *what, const struct err *e);

/*
 * Begins a transaction in which sync is not at work on the mailbox: what it
 * has read before could else be stored behind what is done here. Waits some
 * seconds for that. CTL_DONE, or the exit code after saying why.
 */
int live_begin_idle(struct live *live, const char *tenant, const char *user);
/* Ends the caller's transaction: commits when rc is 0, else rolls back and
 * says that what failed. The exit code. */
int live_end(struct live *live, int rc, const char *what, struct err *e);

/* Leaves a record of what an operator did, inside the transaction. */
int live_audit(struct live *live, const struct store_link *about,
    const char *action, const char *outcome, const char *detail, struct err *e);

/*
 * The mailbox that --tenant and --user name; user is an object id or the
 * sign-in name. CTL_DONE, or the exit code after saying why.
 */
int live_mailbox(struct ctl *ctl, struct live *live, const char *tenant,
    const char *user, struct store_mailbox *out);

/* Foreign text for a terminal: controls escaped. */
void live_add_text(struct buf *out, const char *text);
/* RFC 3339, or "-" for 0. */
void live_add_time(struct buf *out, int64_t ms);

/* "event", "follow", ...; "followed", "parked", "unfollowed"; "linked", ... */
const char *live_kind_name(enum store_kind kind);
const char *live_state_name(enum store_mailbox_state state);
const char *live_link_name(enum store_link_state state);

#endif
