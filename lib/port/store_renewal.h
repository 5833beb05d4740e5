/* port/store_renewal.h - what the renewal asks of the store, as store.h. */
#ifndef PORT_STORE_RENEWAL_H
#define PORT_STORE_RENEWAL_H

#include "port/store.h"

/* ---- mailboxes ----
 *
 * mailbox.renew_ms: the renewal looks at it then; 0 never; 1 at once, which is
 * what a new one has and one in another state (a parked one: retry_ms). */

int store_mailbox_count(struct store *s, int64_t *out, struct err *e);
/* Those at which the renewal has to look by now_ms, the longest due first; an
 * indexed read. */
int store_mailbox_each_due(struct store *s, int64_t now_ms,
    int (*each)(const struct store_mailbox *m, void *arg), void *arg,
    struct err *e);
/* When it has to look again; nothing happens without a row. */
int store_mailbox_set_renewal(struct store *s, const char *tenant,
    const char *user, int64_t renew_ms, struct err *e);
/* Followed ones since before before_ms of which no link was made, synced or is
 * not over since then: nobody uses them. is: 1 or 0. leave: becomes unfollowed
 * if that is still so, 1 or 0. */
int store_mailbox_each_unused(struct store *s, int64_t before_ms,
    int (*each)(const struct store_mailbox *m, void *arg), void *arg,
    struct err *e);
int store_mailbox_is_unused(struct store *s, const struct store_mailbox *m,
    int64_t before_ms, struct err *e);
int store_mailbox_leave_unused(struct store *s, const struct store_mailbox *m,
    int64_t before_ms, const char *reason, int64_t now_ms, struct err *e);
/* The claims of dead ones: of all owners whose name begins with prefix. */
int store_mailbox_release_all(
    struct store *s, const char *owner_prefix, struct err *e);

/* ---- subscriptions ---- */

/* Fact: web was notified by a subscription of a configured tenant that is
 * unknown here, the sign of a store that has forgotten; written at most once an
 * hour. It may be forged. */
#define STORE_FACT_NOTIFIED_UNKNOWN "notified-unknown"

/* Of how many subscriptions of a mailbox nobody knows whether Graph has made
 * them, but for this one, and when the last of them was asked for (0: none).
 * Those that would have ended by now are removed. */
int store_subscription_unanswered(struct store *s,
    const struct store_subscription *but, int64_t now_ms, int64_t *count,
    int64_t *last_ms, struct err *e);
/* Graph's list shows it without a lifecycleNotificationUrl. */
int store_subscription_set_no_lifecycle(
    struct store *s, const char *client_state_hash, struct err *e);
/* The earliest expiry of the granted ones, 0: none. An indexed read. */
int
store_subscription_nearest(struct store *s, int64_t *expires_ms, struct err *e);

#endif
