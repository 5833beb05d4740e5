/* sync/renewals.c - see renewals.h. */
#include "sync/renewals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "remote/graph.h"
#include "remote/graph_batch.h"
#include "rule/subscription.h"
#include "sync/call.h"
#include "sync/session.h"

enum { RENEWALS_GATHER_MS = 5 };

/* Under way; members that were cancelled are NULL. */
struct renewal_batch {
	struct renewals *of;
	struct call call;
	char tenant[STORE_GUID];
	char user[STORE_GUID]; /* when it is about one mailbox only */
	struct renewal *members[GRAPH_BATCH_MAX];
	size_t count;
	/* what became of each */
	int64_t expires_ms[GRAPH_BATCH_MAX]; /* as granted, by our clock */
	int64_t date_ms; /* of the answer, by Graph's */
	struct err errors[GRAPH_BATCH_MAX];
	int64_t longest_ms[GRAPH_BATCH_MAX]; /* graph_longest_life_ms() */
	char paths[GRAPH_BATCH_MAX][GRAPH_SUBSCRIPTION_ID_MAX + 16];
	char ids[GRAPH_BATCH_MAX][GRAPH_SUBSCRIPTION_ID_MAX];
	char *bodies[GRAPH_BATCH_MAX];
	TAILQ_ENTRY(renewal_batch) link;
};

static void renewals_send(void *arg);

void
renewals_init(struct renewals *r, struct session *s)
{
	r->session = s;
	TAILQ_INIT(&r->waiting);
	TAILQ_INIT(&r->batches);
	r->gather = loop_timer_new(s->loop, renewals_send, r);
}

static void
renewal_batch_free(struct renewal_batch *b)
{
	TAILQ_REMOVE(&b->of->batches, b, link);
	b->of->session->renewal_batches--;
	for (size_t i = 0; i < b->count; i++)
		free(b->bodies[i]);
	free(b);
}

void
renewals_clear(struct renewals *r)
{
	struct renewal_batch *b;

	while ((b = TAILQ_FIRST(&r->batches)) != NULL) {
		call_cancel(&b->call);
		renewal_batch_free(b);
	}
	loop_timer_free(r->gather);
}

void
renewal_cancel(struct renewal *r, struct renewals *of)
{
	if (r->waiting)
		TAILQ_REMOVE(&of->waiting, r, link);
	r->waiting = false;
	if (r->batch == NULL)
		return;
	for (size_t i = 0; i < r->batch->count; i++)
		if (r->batch->members[i] == r)
			r->batch->members[i] = NULL;
	r->batch = NULL;
}

/* ---- the exchange ---- */

static int
renewal_build(struct http_request *req, void *arg, struct err *e)
{
	struct renewal_batch *b = arg;
	const struct config *c = b->of->session->config;
	struct graph_batch_item items[GRAPH_BATCH_MAX];

	(void)e;
	if (b->count == 1) {
		graph_renew_path_request(c, b->ids[0], b->bodies[0], req);
		return 0;
	}
	for (size_t i = 0; i < b->count; i++)
		items[i] = (struct graph_batch_item){
		    .method = "PATCH",
		    .path = b->paths[i],
		    .body = b->bodies[i],
		};
	graph_batch_request(c, "batch", items, b->count, req);
	return 0;
}

static void
renewal_grant(struct renewal_batch *b, size_t i, int64_t expires_ms)
{
	b->expires_ms[i] =
	    subscription_end_ms(expires_ms, b->date_ms, clock_wall_ms());
}

static void
renewal_take(size_t i, const struct graph_batch_answer *a, void *arg)
{
	struct renewal_batch *b = arg;
	struct err *e = &b->errors[i];
	struct graph_subscription granted;

	b->longest_ms[i] = graph_longest_life_ms(a->status, a->body);
	if (a->status == 0 || a->status == 424)
		err_set(e, ERR_RETRY, "no answer for this member of the batch");
	else if (graph_judge_status(a->status, a->body, a->retry_after_ms,
		     GRAPH_SUBSCRIPTION, e) == 0 &&
	    graph_subscription_read(a->body, &granted, e) == 0)
		renewal_grant(b, i, granted.expires_ms);
}

static int
renewal_parse(const struct http_reply *reply, void *arg, struct err *e)
{
	struct renewal_batch *b = arg;
	struct graph_subscription granted;

	memset(b->errors, 0, sizeof(b->errors));
	b->date_ms = reply->date_ms;
	if (b->count == 1) {
		b->longest_ms[0] = graph_longest_life_of(reply);
		if (graph_renew_reply(reply, &granted, e) != 0)
			return -1;
		renewal_grant(b, 0, granted.expires_ms);
		return 0;
	}
	return graph_batch_reply(reply, b->count, renewal_take, b, e);
}

/* What throttled members were told is kept for all, in one transaction. */
static void
renewal_keep_throttles(struct renewal_batch *b)
{
	struct session *s = b->of->session;
	bool begun = false;

	for (size_t i = 0; i < b->count; i++) {
		const struct renewal *r = b->members[i];

		if (r == NULL || b->errors[i].code != ERR_BUSY)
			continue;
		if (!begun && s->store != NULL)
			begun = store_begin(s->store, NULL) == 0;
		call_keep_throttle(
		    s, r->tenant, r->user, &b->errors[i].retry_after_ms);
	}
	if (begun)
		store_commit(s->store, NULL);
}

/* There is room for another batch: each tenant gets its turn. */
static void
renewals_go_on(struct session *s)
{
	for (size_t i = 0; i < s->config->tenant_ids.count; i++) {
		struct renewals *of = &s->tenants[i].renewals;

		if (!TAILQ_EMPTY(&of->waiting) &&
		    !loop_timer_is_set(of->gather))
			loop_timer_set(of->gather, 0);
	}
}

/* Each member is told on its own; it may start and cancel others. */
static void
renewal_done(const struct err *e, void *arg)
{
	struct renewal_batch *b = arg;
	struct session *s = b->of->session;

	if (e->code == ERR_NONE)
		renewal_keep_throttles(b);
	for (size_t i = 0; i < b->count; i++) {
		struct renewal *r = b->members[i];
		struct err why = e->code != ERR_NONE ? *e : b->errors[i];

		if (r == NULL)
			continue;
		r->batch = NULL;
		b->members[i] = NULL;
		r->longest_ms = b->longest_ms[i];
		r->done(b->expires_ms[i], &why, r->arg);
	}
	renewal_batch_free(b);
	renewals_go_on(s);
}

static void
renewal_batch_add(struct renewal_batch *b, struct renewal *r)
{
	size_t i = b->count++;

	r->batch = b;
	b->members[i] = r;
	b->bodies[i] = graph_renew_body(r->expires_ms);
	text_copy(b->ids[i], sizeof(b->ids[i]), r->id);
	/* Ids from Graph were checked to hold nothing that needs encoding. */
	snprintf(b->paths[i], sizeof(b->paths[i]), "/subscriptions/%s", r->id);
	text_copy(b->tenant, sizeof(b->tenant), r->tenant);
	text_copy(b->user, sizeof(b->user), b->count == 1 ? r->user : "");
}

static void
renewals_send(void *arg)
{
	struct renewals *of = arg;
	struct renewal_batch *b;
	struct renewal *r;

	if (TAILQ_EMPTY(&of->waiting) ||
	    of->session->renewal_batches == RENEWALS_BATCHES_MAX)
		return;
	of->session->renewal_batches++;
	b = mem_zalloc(sizeof(*b));
	b->of = of;
	TAILQ_INSERT_TAIL(&of->batches, b, link);
	while (b->count < GRAPH_BATCH_MAX &&
	    (r = TAILQ_FIRST(&of->waiting)) != NULL) {
		TAILQ_REMOVE(&of->waiting, r, link);
		r->waiting = false;
		renewal_batch_add(b, r);
	}
	if (!TAILQ_EMPTY(&of->waiting))
		loop_timer_set(of->gather, 0);
	b->call.session = of->session;
	b->call.peer = CALL_GRAPH;
	b->call.tenant = b->tenant;
	b->call.user = b->user;
	b->call.build = renewal_build;
	b->call.parse = renewal_parse;
	b->call.done = renewal_done;
	b->call.arg = b;
	call_start(&b->call);
}

/* Its mailbox may have been throttled: then it does not go along. */
static bool
renewal_is_throttled(struct session *s, struct renewal *r)
{
	const struct call c = {
	    .session = s,
	    .peer = CALL_GRAPH,
	    .tenant = r->tenant,
	    .user = r->user,
	};
	struct err e = {.code = ERR_NONE};
	int64_t wait_ms = call_throttled_ms(&c);

	if (wait_ms == 0)
		return false;
	err_set(&e, ERR_BUSY, "throttled");
	e.retry_after_ms = wait_ms;
	r->done(0, &e, r->arg);
	return true;
}

void
renewal_start(struct session *s, struct renewal *r)
{
	struct renewals *of = &session_tenant(s, r->tenant)->renewals;

	r->batch = NULL;
	r->longest_ms = 0;
	if (renewal_is_throttled(s, r))
		return;
	r->waiting = true;
	TAILQ_INSERT_TAIL(&of->waiting, r, link);
	if (!loop_timer_is_set(of->gather))
		loop_timer_set(of->gather, RENEWALS_GATHER_MS);
}
