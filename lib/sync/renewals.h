/* sync/renewals.h - renewals that come at the same moment go to Graph together,
 * up to twenty in a $batch, and so many batches at most at a time. */
#ifndef SYNC_RENEWALS_H
#define SYNC_RENEWALS_H

#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/loop.h"
#include "remote/graph_subscription.h"

enum { RENEWALS_BATCHES_MAX = 16 }; /* under way, of all tenants */

struct session;
struct renewal_batch;

/* One of them; owned by whoever asks, who sets the first block. */
struct renewal {
	const char *tenant, *user, *id;
	int64_t expires_ms;
	/* Called once, maybe from inside renewal_start(). ERR_NONE: expires_ms
	 * is what Graph granted. Else retry_after_ms >= 0: not before so long
	 * from now. */
	void (*done)(int64_t expires_ms, const struct err *e, void *arg);
	void *arg;

	int64_t longest_ms; /* for done: refused as longer than this; else 0 */
	struct renewal_batch *batch; /* under way in this one */
	bool waiting;
	TAILQ_ENTRY(renewal) link;
};

TAILQ_HEAD(renewal_list, renewal);

/* Of one tenant. */
struct renewals {
	struct session *session;
	struct renewal_list waiting;
	struct loop_timer *gather;
	TAILQ_HEAD(, renewal_batch) batches;
};

void renewals_init(struct renewals *r, struct session *s);
void renewals_clear(struct renewals *r);

/* The tenant must be configured. */
void renewal_start(struct session *s, struct renewal *r);
void renewal_cancel(struct renewal *r, struct renewals *of);

#endif
