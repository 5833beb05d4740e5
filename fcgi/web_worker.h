/* fcgi/web_worker.h - what the commit thread does with the store. Everything
 * here runs on that thread only. */
#ifndef FCGI_WEB_WORKER_H
#define FCGI_WEB_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/page.h"
#include "port/config.h"
#include "port/store.h"
#include "rule/bearer.h"
#include "web_job.h"
#include "web_lookup.h"

struct commit;

struct worker {
	const struct config *config;
	struct commit *commit; /* where finished jobs go */
	struct page *page; /* counters, see child.h */
	struct store *store; /* NULL: it could not be opened */
	struct lookup *lookup;
	struct batch *batch;
	bool news; /* rows were committed that sync should see */
	bool failing; /* the last attempt to write has failed */
	int64_t failed_ms; /* monotonic, when it did */

	/* a notification by a subscription that is unknown here */
	bool unknown; /* came, and is not noted yet */
	int64_t unknown_looked_ms; /* monotonic, 0 never; see web_unknown.c */

	/* signing keys */
	struct bearer_keys *keys;
	int64_t keys_read_ms; /* monotonic, when they were last read */
	int64_t keys_asked_ms; /* monotonic, 0 never */

	/* health */
	int64_t oldest_work_ms; /* wall, 0 none */
	int64_t totals_read_ms; /* monotonic */
};

/* Hands a job back to the loop thread; see web_commit.c. */
void commit_return(struct commit *c, struct job *j);
/* Keeps a job that is not done yet, behind all that wait now. */
void commit_defer(struct commit *c, struct job *j);
/* Wakes the loop thread for those handed back since the last call. */
void commit_announce(struct commit *c);

/*
 * Stores the notifications of all jobs (JOB_NOTIFICATIONS) in transactions of
 * at most 500 rows and returns each job with 202 once the last of its rows is
 * durable, with 503 when it could not be stored. A job of subscriptions that
 * have to be looked up, each for itself, is deferred (commit_defer()) once it
 * has had its share; what was taken of it is durable then.
 */
void batch_store(struct worker *w, struct job_queue *jobs);
struct batch *batch_new(void);
void batch_free(struct batch *b); /* NULL is allowed */

/* Once w->unknown is set: leaves a fact for outlook-addin-renew, at most once
 * an hour. A failure is logged. */
void unknown_note(struct worker *w);

/* One JOB_LINK_*, in a transaction of its own. Fills the reply. */
void links_serve(struct worker *w, struct job *j);

/* JOB_METRICS. Fills the reply. gauges_late() does without the store and may
 * be called from the loop thread. */
void gauges_serve(struct worker *w, struct job *j);
void gauges_late(const struct config *c, struct reply *reply);

/* Notes that the store could not be written to, and why. */
void gauges_failed(struct worker *w, const struct err *e);

/* While writes fail: tries one, so that success is seen without traffic. */
void gauges_probe(struct worker *w);

/* Calls add(reason, detail, arg) for everything that is degraded now. detail:
 * what may be told to everybody, "" nothing. */
void gauges_reasons(struct worker *w,
    void (*add)(const char *reason, const char *detail, void *arg), void *arg);

#endif
