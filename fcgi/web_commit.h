/* fcgi/web_commit.h - the thread that owns the store handle. */
#ifndef FCGI_WEB_COMMIT_H
#define FCGI_WEB_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/page.h"
#include "port/config.h"
#include "port/metrics.h"
#include "web_job.h"

struct commit;

/*
 * Starts the thread, which counts in page; it opens the store at once and
 * whenever it was lost. The signals that the caller wants must be blocked
 * already.
 */
struct commit *
commit_start(const struct config *c, struct page *page, struct err *e);

/* Readable when jobs have come back. */
int commit_fd(const struct commit *c);

/* Hands the whole queue over (it is empty afterwards). Loop thread. */
void commit_post(struct commit *c, struct job_queue *jobs);

/* Appends the jobs that are done to *jobs. Loop thread. */
void commit_collect(struct commit *c, struct job_queue *jobs);

/* Takes a job back that the thread is not at, though it may have begun it:
 * true, and it is the caller's again. */
bool commit_withdraw(struct commit *c, struct job *j);

enum { COMMIT_REASONS = 16, COMMIT_REASON_MAX = 48, COMMIT_DETAIL_MAX = 256 };

/* What the thread last knew, for /ready and /metrics. */
struct commit_state {
	bool tried; /* the store has been opened or has failed to */
	bool stuck; /* the thread has not come round for a while */
	int reason_count;
	char reasons[COMMIT_REASONS][COMMIT_REASON_MAX];
	char details[COMMIT_REASONS][COMMIT_DETAIL_MAX]; /* "" none */
	int64_t credential_ends_ms; /* Unix; 0: not known */
};
void commit_state(struct commit *c, struct commit_state *out);

/*
 * Asks the thread to end and waits at most wait_ms for it. False when it is
 * stuck: then nothing that it may still use must be freed.
 */
bool commit_stop(struct commit *c, int64_t wait_ms);

#endif
