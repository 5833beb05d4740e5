/* fcgi/web_batch.c - notifications into the store, many at once. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "port/metrics.h"
#include "port/store_replica.h"
#include "web_limit.h"
#include "web_worker.h"

enum {
	BATCH_ROWS = 500, /* in one transaction, as all writers */
	BATCH_TEXT = 128 * 1024,
	BATCH_ATTEMPTS = 2,
	/* Anybody can name subscriptions by the thousand, and each costs a look
	 * into the store. So many are looked up in a request's turn, which is
	 * more than Graph puts into most; for the rest it gets a short time
	 * whenever nobody waits for his turn. */
	BATCH_QUERIES = 32,
	BATCH_SLICE_US = 10 * 1000
};

/* Rows of one delay; their texts lie in the batch. */
struct batch_rows {
	size_t count;
	struct store_hint_item items[BATCH_ROWS];
};

/* What was dropped of one request for one reason: a line each, not one for
 * each item, or a single request could fill the log. */
struct batch_drops {
	int64_t count;
	const char *reason; /* static */
	char subscription[64], tenant[STORE_GUID]; /* of the first item */
};

struct batch {
	struct batch_rows events; /* due after the debounce */
	struct batch_rows lifecycle; /* due at once */
	struct job_queue waiting; /* all of whose rows are here */
	struct job_queue unfinished; /* some of whose rows are here */
	int64_t accepted;
	struct limit dropped, failed;
	size_t text_len;
	char text[BATCH_TEXT];
};

struct batch *
batch_new(void)
{
	struct batch *b = mem_zalloc(sizeof(*b));

	STAILQ_INIT(&b->waiting);
	STAILQ_INIT(&b->unfinished);
	return b;
}

void
batch_free(struct batch *b)
{
	free(b);
}

static void
batch_empty(struct batch *b)
{
	b->events.count = b->lifecycle.count = 0;
	b->text_len = 0;
	b->accepted = 0;
}

static const char *
batch_keep(struct batch *b, const char *text)
{
	size_t len = strlen(text) + 1;
	char *out = b->text + b->text_len;

	memcpy(out, text, len);
	b->text_len += len;
	return out;
}

/* Room for what one item can ask for: three rows. */
static bool
batch_has_room(const struct batch *b)
{
	return b->events.count + b->lifecycle.count + 3 <= BATCH_ROWS &&
	    b->text_len + 3 * (2 * STORE_GUID + STORE_ID_MAX) <= BATCH_TEXT;
}

static void
batch_add(struct batch *b, struct batch_rows *rows, enum store_kind kind,
    const struct lookup_entry *who, const char *event, unsigned hints)
{
	struct store_hint_item *item = &rows->items[rows->count++];

	item->kind = kind;
	item->tenant = batch_keep(b, who->tenant);
	item->user = batch_keep(b, who->user);
	item->event = batch_keep(b, event);
	item->hints = hints;
}

/* Three different things follow from the three lifecycle events: `missed`
 * does not mean that the subscription is in danger. */
static void
batch_add_rows(struct batch *b, const struct notification *n,
    const struct lookup_entry *who)
{
	if (n->changes != 0)
		batch_add(
		    b, &b->events, STORE_WORK_EVENT, who, n->event, n->changes);
	if (n->lifecycle == NOTIFICATION_MISSED)
		batch_add(b, &b->lifecycle, STORE_WORK_CATCHUP, who, "",
		    STORE_HINT_MISSED);
	else if (n->lifecycle != NOTIFICATION_NO_LIFECYCLE)
		batch_add(
		    b, &b->lifecycle, STORE_WORK_FOLLOW, who, "", n->lifecycle);
	b->accepted++;
}

static void
batch_drop(struct job *j, const struct notification *n,
    enum metrics_notification result, const char *reason)
{
	struct batch_drops *d;

	if (j->drops == NULL)
		j->drops = mem_zalloc(METRICS_NOTIFICATION_COUNT * sizeof(*d));
	d = &j->drops[result];
	metrics_notification(result, 1);
	if (d->count++ != 0)
		return;
	d->reason = reason;
	snprintf(
	    d->subscription, sizeof(d->subscription), "%s", n->subscription);
	snprintf(d->tenant, sizeof(d->tenant), "%s", n->tenant);
}

/* At the end of a request and of its first turn: it may not see the end. */
static void
batch_tell_drops(struct batch *b, struct job *j)
{
	int64_t left_out;

	for (size_t i = 0; j->drops != NULL && i < METRICS_NOTIFICATION_COUNT;
	     i++) {
		struct batch_drops *d = &j->drops[i];

		if (d->count != 0 &&
		    limit_allows(&b->dropped, clock_mono_ms(), &left_out))
			log_warning("notification-dropped",
			    LOG_STR("requestId", j->request_id),
			    LOG_STR("reason", d->reason),
			    LOG_INT("items", d->count),
			    LOG_STR("subscription", d->subscription),
			    LOG_STR("tenant", d->tenant),
			    LOG_INT("suppressed", left_out));
		d->count = 0;
	}
}

/* 0 also for what is dropped; -1 when the store does not answer. */
static int
batch_take(struct worker *w, struct job *j, const struct notification *n,
    struct err *e)
{
	const struct lookup_entry *who = NULL;
	struct batch *b = w->batch;

	if (n->subscription[0] == '\0') {
		batch_drop(j, n, METRICS_MALFORMED, n->fault);
		return 0;
	}
	switch (
	    lookup_judge(w->lookup, w->store, n, clock_mono_ms(), &who, e)) {
	case LOOKUP_FAILED:
		return -1;
	case LOOKUP_UNKNOWN:
		w->unknown = w->unknown ||
		    config_tenant_index(w->config, n->tenant) >= 0;
		batch_drop(
		    j, n, METRICS_UNKNOWN_SUBSCRIPTION, "unknown subscription");
		return 0;
	case LOOKUP_WRONG_STATE:
		batch_drop(j, n, METRICS_WRONG_CLIENT_STATE,
		    "wrong or missing clientState");
		return 0;
	case LOOKUP_FOREIGN_TENANT:
		batch_drop(j, n, METRICS_FOREIGN_TENANT, "foreign tenant");
		return 0;
	case LOOKUP_OURS:
		break;
	}
	if (n->changes != 0 || n->lifecycle != NOTIFICATION_NO_LIFECYCLE)
		batch_add_rows(b, n, who);
	else if (n->fault != NULL)
		batch_drop(j, n, METRICS_MALFORMED, n->fault);
	else
		metrics_notification(METRICS_IGNORED, 1);
	return 0;
}

static int
batch_write(struct worker *w, struct err *e)
{
	struct batch *b = w->batch;

	return store_work_append(w->store, b->events.items, b->events.count,
	    w->config->debounce_ms, b->lifecycle.items, b->lifecycle.count,
	    clock_wall_ms(), e);
}

/* The store opens itself anew after a failure, so a second try may help. */
static int
batch_commit(struct worker *w, struct err *e)
{
	int64_t start_us = clock_mono_us();
	int rc = -1;

	for (int i = 0; i < BATCH_ATTEMPTS && rc != 0; i++) {
		err_clear(e);
		rc = batch_write(w, e);
		if (rc != 0 && e->code != ERR_RETRY)
			break;
	}
	metrics_store_commit_seconds(clock_mono_us() - start_us);
	w->failing = false;
	if (rc != 0)
		gauges_failed(w, e);
	return rc;
}

static void
batch_return(struct worker *w, struct job *j, bool stored)
{
	if (stored)
		j->reply.status = 202;
	else
		reply_not_now(&j->reply, "not-stored",
		    "the notification could not be stored");
	commit_return(w->commit, j);
}

/* Ends the transaction and returns the jobs that end in it. */
static int
batch_flush(struct worker *w, struct err *e)
{
	struct batch *b = w->batch;
	bool rows = b->events.count + b->lifecycle.count > 0;
	struct job *j;

	if (rows && batch_commit(w, e) != 0)
		return -1;
	metrics_notification(METRICS_ACCEPTED, b->accepted);
	w->news = w->news || rows;
	while ((j = STAILQ_FIRST(&b->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->waiting, next);
		batch_return(w, j, true);
	}
	while ((j = STAILQ_FIRST(&b->unfinished)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->unfinished, next);
		commit_defer(w->commit, j);
	}
	batch_empty(b);
	commit_announce(w->commit);
	return 0;
}

/* Whether the job has had its turn, which began at these two. */
static bool
batch_is_over(
    const struct worker *w, const struct job *j, unsigned queries, int64_t us)
{
	if (j->deferred)
		return clock_mono_us() - us >= BATCH_SLICE_US;
	return lookup_queries(w->lookup) - queries >= BATCH_QUERIES;
}

/* Items of one job, to the end or until its turn is over; earlier ones may be
 * committed on the way. */
static int
batch_take_job(struct worker *w, struct job *j, struct err *e)
{
	unsigned queries = lookup_queries(w->lookup);
	int64_t start_us = clock_mono_us();
	struct batch *b = w->batch;
	struct notification n;
	bool more = true;
	int rc = 0;

	while (rc == 0 && !batch_is_over(w, j, queries, start_us)) {
		more = notification_next(&j->list, &n);
		if (!more)
			break;
		if (!batch_has_room(b))
			rc = batch_flush(w, e);
		if (rc == 0)
			rc = batch_take(w, j, &n, e);
	}
	if (!more || !j->deferred)
		batch_tell_drops(b, j);
	j->deferred = more;
	if (rc == 0 && more)
		STAILQ_INSERT_TAIL(&b->unfinished, j, next);
	else if (rc == 0)
		STAILQ_INSERT_TAIL(&b->waiting, j, next);
	return rc;
}

/* Everything that is not durable by now gets 503; Graph sends it again. */
static void
batch_fail(struct worker *w, struct job_queue *jobs, const struct err *e)
{
	struct batch *b = w->batch;
	int64_t left_out, count = 0;
	struct job *j;

	STAILQ_CONCAT(&b->waiting, &b->unfinished);
	STAILQ_CONCAT(&b->waiting, jobs);
	while ((j = STAILQ_FIRST(&b->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->waiting, next);
		batch_return(w, j, false);
		count++;
	}
	metrics_notification(METRICS_NOT_STORED, count);
	batch_empty(b);
	if (limit_allows(&b->failed, clock_mono_ms(), &left_out))
		log_warning("not-stored", LOG_ERR(e),
		    LOG_INT("requests", count),
		    LOG_INT("suppressed", left_out));
	commit_announce(w->commit);
}

void
batch_store(struct worker *w, struct job_queue *jobs)
{
	struct err e = {0};
	struct job *j;

	if (w->store == NULL) {
		err_set(&e, ERR_RETRY, "the store is not open");
		batch_fail(w, jobs, &e);
		return;
	}
	lookup_begin(w->lookup, w->store, clock_mono_ms());
	while ((j = STAILQ_FIRST(jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(jobs, next);
		if (batch_take_job(w, j, &e) != 0) {
			STAILQ_INSERT_HEAD(jobs, j, next);
			batch_fail(w, jobs, &e);
			return;
		}
	}
	if (batch_flush(w, &e) != 0)
		batch_fail(w, jobs, &e);
	else if (w->unknown)
		unknown_note(w);
}
