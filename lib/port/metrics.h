/* port/metrics.h - the counters behind /metrics; see base/page.h. */
#ifndef PORT_METRICS_H
#define PORT_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/page.h"

/* Result of one received notification item, label `result`. */
enum metrics_notification {
	METRICS_ACCEPTED,
	METRICS_UNKNOWN_SUBSCRIPTION,
	METRICS_WRONG_CLIENT_STATE,
	METRICS_FOREIGN_TENANT,
	METRICS_IGNORED, /* not an event, no id, nothing to do */
	METRICS_MALFORMED,
	METRICS_NOT_STORED,
	METRICS_NOTIFICATION_COUNT
};

/* Uses page (private memory when NULL) for the process's life. */
void metrics_init(struct page *page);

void metrics_notification(enum metrics_notification result, int64_t n);
/* status 0: no HTTP answer. op and code become labels; unknown ops count as
 * "other". */
void metrics_graph_request(const char *op, int status);
void metrics_unblu_request(const char *op, int status);
void metrics_unblu_write(const char *op);
void metrics_sync_seconds(int64_t ms); /* histogram */
void metrics_store_commit_seconds(int64_t us); /* histogram */

/* What the last pass of outlook-addin-renew did. */
enum metrics_renew {
	METRICS_RENEW_DUE,
	METRICS_RENEW_ADOPTED,
	METRICS_RENEW_CREATED,
	METRICS_RENEW_RENEWED,
	METRICS_RENEW_RECREATED,
	METRICS_RENEW_REMOVED,
	METRICS_RENEW_PARKED,
	METRICS_RENEW_LEFT,
	METRICS_RENEW_FAILED,
	METRICS_RENEW_COUNT
};

/* "due", "adopted", ... */
const char *metrics_renew_name(enum metrics_renew what);

/* States of mailboxes, as store.h numbers them. */
enum { METRICS_MAILBOX_STATES = 3 };

/* Value gauges that come from the store, filled by the caller. */
struct metrics_gauges {
	bool unknown; /* it can not be read: they are left out */
	int64_t work_rows;
	int64_t oldest_work_ms; /* how long it could have been done */
	int64_t mailboxes[METRICS_MAILBOX_STATES];
	int64_t writes_paused; /* pauses by operators */
	bool dry_run; /* of the configuration */
	int64_t dead_letters;
	int64_t subscriptions_active, subscriptions_pending,
	    subscriptions_expired;
	int64_t nearest_expiry_ms; /* from now; -1: none */
	int64_t renew_last_success_ms; /* Unix; 0: never */
	int64_t credential_expiry_ms; /* Unix; 0: not known */
	int64_t renew_last_run_ms; /* Unix; 0: never */
	int64_t renew_last_took_ms;
	int64_t renew_last[METRICS_RENEW_COUNT]; /* mailboxes */
	const char *const *degraded; /* reasons, NULL-terminated */
};

/* Appends the text exposition, clean under `promtool check metrics`. */
void metrics_write(struct buf *out, const struct metrics_gauges *g);

#endif
