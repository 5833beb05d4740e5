/* sync/follow.c - see follow.h. */
#include "sync/follow_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jws.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/secret.h"
#include "base/text.h"
#include "port/store_renewal.h"

enum { FOLLOW_REAUTHORIZED_MS = 10 * 60 * 1000, FOLLOW_REPLACEMENTS = 3 };

static void
follow_free(struct follow *f)
{
	secret_wipe(f->client_state, sizeof(f->client_state));
	buf_clear(&f->next);
	free(f->fresh);
	free(f);
}

void
follow_cancel(struct follow *f)
{
	session_commit_cancel(f->session, &f->commit);
	call_cancel(&f->call);
	if (session_tenant(f->session, f->tenant) != NULL)
		renewal_cancel(&f->renewal,
		    &session_tenant(f->session, f->tenant)->renewals);
	follow_free(f);
}

void
follow_commit(struct follow *f,
    int (*apply)(struct store *s, void *arg, struct err *e),
    void (*after)(void *arg))
{
	f->commit.apply = apply;
	f->commit.after = after;
	f->commit.arg = f;
	session_commit(f->session, &f->commit);
}

void
follow_call(struct follow *f,
    int (*build)(struct http_request *req, void *arg, struct err *e),
    int (*parse)(const struct http_reply *reply, void *arg, struct err *e),
    void (*done)(const struct err *e, void *arg))
{
	struct call *c = &f->call;

	memset(c, 0, sizeof(*c));
	c->session = f->session;
	c->peer = CALL_GRAPH;
	c->tenant = f->tenant;
	c->user = f->user;
	c->build = build;
	c->parse = parse;
	c->done = done;
	c->arg = f;
	call_start(c);
}

/* ---- the end ---- */

static int
follow_apply_end(struct store *s, void *arg, struct err *e)
{
	struct follow *f = arg;
	const struct follow_result *r = &f->result;

	if (f->pending_is_dead &&
	    store_subscription_remove(s, f->fresh->client_state_hash, e) != 0)
		return -1;
	if (r->outcome == FOLLOW_PARKED &&
	    store_mailbox_park(s, f->tenant, f->user, r->err.text, r->due_ms,
		clock_wall_ms(), e) != 0)
		return -1;
	if (r->outcome == FOLLOW_KEPT &&
	    store_mailbox_set_renewal(s, f->tenant, f->user, r->due_ms, e) != 0)
		return -1;
	return store_mailbox_release(
	    s, f->tenant, f->user, f->session->owner, e);
}

static void
follow_ended(void *arg)
{
	struct follow *f = arg;

	f->done(&f->result, f->arg);
	follow_free(f);
}

void
follow_end(struct follow *f, enum follow_outcome outcome, int64_t due_ms)
{
	f->result.outcome = outcome;
	f->result.due_ms = due_ms;
	follow_commit(f, follow_apply_end, follow_ended);
}

void
follow_fail(struct follow *f, const struct err *e)
{
	int64_t now_ms = clock_wall_ms();

	f->result.err = *e;
	if (e->code == ERR_CONFIG && f->call.asked)
		degraded_set(f->session, DEGRADED_WEBHOOK, 0, e->text);
	if (e->code == ERR_MAILBOX) {
		log_warning("mailbox-parked", LOG_STR("tenant", f->tenant),
		    LOG_STR("mailbox", f->user), LOG_ERR(e));
		follow_end(f, FOLLOW_PARKED, now_ms + e->retry_after_ms);
	} else {
		/* Said by the peer, or why it was not asked at all. */
		int64_t wait_ms = e->retry_after_ms;

		follow_end(
		    f, FOLLOW_FAILED, wait_ms > 0 ? now_ms + wait_ms : 0);
	}
}

/* ---- granted ---- */

static int
follow_add_work(
    struct follow *f, struct store *s, enum store_kind kind, struct err *e)
{
	struct store_hint_item item = {
	    .kind = kind,
	    .tenant = f->tenant,
	    .user = f->user,
	    .event = "",
	    .hints = kind == STORE_WORK_CATCHUP ? STORE_HINT_MISSED : 0,
	};

	return store_work_add(s, &item, 1, clock_wall_ms(), 0, e);
}

static int
follow_apply_granted(struct store *s, void *arg, struct err *e)
{
	struct follow *f = arg;
	int64_t now_ms = clock_wall_ms();

	if (store_subscription_granted(s, &f->sub, e) != 0)
		return -1;
	/* What happened while there was none is looked for. */
	if ((f->result.outcome != FOLLOW_RENEWED || f->lapsed) &&
	    (follow_add_work(f, s, STORE_WORK_SEARCH, e) != 0 ||
		follow_add_work(f, s, STORE_WORK_CATCHUP, e) != 0))
		return -1;
	/* Graph had one already, and renewing that has done. */
	if (f->pending_is_dead &&
	    store_subscription_remove(s, f->fresh->client_state_hash, e) != 0)
		return -1;
	if (f->parked &&
	    (store_mailbox_set_state(s, f->tenant, f->user,
		 STORE_MAILBOX_FOLLOWED, "", 0, now_ms, e) != 0 ||
		store_work_release(s, f->tenant, f->user, e) != 0 ||
		follow_add_work(f, s, STORE_WORK_CATCHUP, e) != 0))
		return -1;
	if (store_mailbox_set_renewal(
		s, f->tenant, f->user, f->result.due_ms, e) != 0)
		return -1;
	return store_mailbox_release(
	    s, f->tenant, f->user, f->session->owner, e);
}

void
follow_granted(struct follow *f, enum follow_outcome outcome)
{
	struct subscription granted;
	struct store_subscription *s = &f->sub;

	if (outcome != FOLLOW_RENEWED) {
		*s = *f->fresh;
		f->pending_is_dead = false;
		text_copy(s->id, sizeof(s->id), f->granted_id);
	}
	s->granted_ms = clock_wall_ms();
	if (outcome != FOLLOW_RENEWED)
		s->created_ms = s->granted_ms;
	s->expires_ms = f->expires_ms;
	s->requested_life_ms = f->asked_ms;
	follow_facts(f, s, &granted);
	granted.exists = true;
	f->result.outcome = outcome;
	f->result.due_ms = subscription_due_ms(
	    &granted, f->session->policy.subscription_limit_ms);
	degraded_clear(f->session, DEGRADED_WEBHOOK, 0);
	log_info(outcome == FOLLOW_RENEWED  ? "subscription-renewed"
		: outcome == FOLLOW_CREATED ? "subscription-created"
					    : "subscription-recreated",
	    LOG_STR("tenant", f->tenant), LOG_STR("mailbox", f->user),
	    LOG_STR("subscription", s->id),
	    LOG_INT("lifeMs", s->expires_ms - s->granted_ms),
	    LOG_BOOL("resumed", f->parked));
	follow_commit(f, follow_apply_granted, follow_ended);
}

/* ---- renew ---- */

static void
follow_renewal_done(int64_t expires_ms, const struct err *e, void *arg)
{
	struct follow *f = arg;

	if (e->code == ERR_NONE) {
		f->expires_ms = expires_ms;
		follow_granted(f, FOLLOW_RENEWED);
	} else if (e->code == ERR_GONE) {
		f->lapsed = false;
		follow_prepare(f);
	} else if (follow_ask_for_less(f, f->renewal.longest_ms)) {
		follow_renew(f);
	} else {
		follow_fail(f, e);
	}
}

void
follow_renew(struct follow *f)
{
	f->tried_renewal = true;
	f->trial = false;
	f->renewal.tenant = f->tenant;
	f->renewal.user = f->user;
	f->renewal.id = f->sub.id;
	f->renewal.expires_ms = follow_expiry_ms(f);
	f->renewal.done = follow_renewal_done;
	f->renewal.arg = f;
	renewal_start(f->session, &f->renewal);
}

/* ---- create ---- */

static void
follow_fill_fresh(struct follow *f)
{
	struct store_subscription *s;

	if (f->fresh == NULL)
		f->fresh = mem_zalloc(sizeof(*f->fresh));
	s = f->fresh;
	memset(s, 0, sizeof(*s));
	rand_token(f->client_state);
	jws_sha256_hex(
	    f->client_state, strlen(f->client_state), s->client_state_hash);
	text_copy(s->tenant, sizeof(s->tenant), f->tenant);
	text_copy(s->user, sizeof(s->user), f->user);
	follow_set_terms(f, s);
	graph_subscription_resource(f->user, s->resource, sizeof(s->resource));
	s->created_ms = clock_wall_ms();
	s->requested_life_ms = f->session->policy.subscription_life_ms;
}

static int
follow_build_creation(struct http_request *req, void *arg, struct err *e)
{
	struct follow *f = arg;

	(void)e;
	graph_subscribe_request(f->session->config, f->user, f->client_state,
	    follow_expiry_ms(f), req);
	return 0;
}

static int
follow_parse_creation(const struct http_reply *reply, void *arg, struct err *e)
{
	struct graph_subscription granted;
	struct follow *f = arg;

	f->longest_ms = graph_longest_life_of(reply);
	if (graph_subscribe_reply(
		reply, &granted, &f->conflict, f->other_id, e) != 0)
		return -1;
	text_copy(f->granted_id, sizeof(f->granted_id), granted.id);
	f->expires_ms = subscription_end_ms(
	    granted.expires_ms, reply->date_ms, clock_wall_ms());
	return 0;
}

enum follow_outcome
follow_creation(const struct follow *f)
{
	return f->has_sub ? FOLLOW_RECREATED : FOLLOW_CREATED;
}

static void follow_post(void *arg);

static void
follow_creation_done(const struct err *e, void *arg)
{
	struct follow *f = arg;

	if (e->code == ERR_NONE && f->trial) {
		follow_lengthen(f);
		return;
	}
	if (e->code == ERR_NONE) {
		follow_granted(f, follow_creation(f));
		return;
	}
	/* After a lost answer the subscription may stand: its notifications
	 * are recognised by the pending row until it is replaced. */
	f->pending_is_dead =
	    f->conflict || !f->call.asked || e->code != ERR_RETRY;
	if (f->conflict && f->replacements++ < FOLLOW_REPLACEMENTS) {
		follow_replace(f);
		return;
	}
	if (follow_ask_for_less(f, f->longest_ms)) {
		follow_create(f);
		return;
	}
	/* By a clock that is behind a trial would be over already. */
	if (f->trial && f->call.asked && e->code == ERR_REFUSED) {
		follow_commit(f, follow_apply_whole, follow_post);
		return;
	}
	follow_fail(f, e);
}

/* The claim has just been taken again. */
static void
follow_post(void *arg)
{
	struct follow *f = arg;

	if (!follow_still_holds(f) || follow_pauses(f))
		return;
	f->conflict = false;
	f->pending_is_dead = false;
	f->longest_ms = 0;
	f->trial = f->unanswered > 0;
	follow_call(f, follow_build_creation, follow_parse_creation,
	    follow_creation_done);
}

void
follow_create(struct follow *f)
{
	follow_commit(f, follow_apply_hold, follow_post);
}

static int
follow_apply_pending(struct store *s, void *arg, struct err *e)
{
	struct follow *f = arg;

	if (follow_apply_hold(s, f, e) != 0)
		return -1;
	return f->claimed ? follow_add_pending(f, s, e) : 0;
}

/* The clientState is durable before Graph learns it. One that Graph did not
 * take is used again. */
void
follow_prepare(struct follow *f)
{
	if (f->pending_is_dead) {
		follow_create(f);
		return;
	}
	follow_fill_fresh(f);
	follow_commit(f, follow_apply_pending, follow_post);
}

/* ---- start ---- */

static enum subscription_need
follow_decide(const struct follow *f, struct subscription *facts)
{
	int64_t now_ms = clock_wall_ms();
	bool force =
	    f->parked || (f->flags & (FOLLOW_FORCE | FOLLOW_REMOVED)) != 0;

	follow_facts(f, &f->sub, facts);
	/* Not twice within that time; making it was not such a renewal. */
	if ((f->flags & FOLLOW_REAUTHORIZE) != 0 &&
	    (f->sub.granted_ms == f->sub.created_ms ||
		now_ms - f->sub.granted_ms >= FOLLOW_REAUTHORIZED_MS))
		force = true;
	return subscription_decide(
	    facts, now_ms, f->session->policy.subscription_limit_ms, force);
}

static void
follow_claimed(void *arg)
{
	struct follow *f = arg;
	struct subscription facts;
	struct err e = {.code = ERR_NONE};
	const char *flaw;

	if (f->left_alone) {
		follow_ended(f);
		return;
	}
	if (session_tenant(f->session, f->tenant) == NULL) {
		err_set(&e, ERR_CONFIG, "tenant is not configured");
		follow_fail(f, &e);
		return;
	}
	if (!f->claimed) {
		f->result.outcome = FOLLOW_BUSY;
		follow_ended(f);
		return;
	}
	f->need = follow_decide(f, &facts);
	flaw = f->has_sub ? follow_flaw(f) : NULL;
	if (flaw == NULL && f->need != SUBSCRIPTION_CREATE &&
	    (f->flags & FOLLOW_REMOVED) != 0 && !follow_is_young(f))
		flaw = "Graph has told that it is gone";
	if (flaw != NULL) {
		/* Nothing of it is to be kept, should Graph still have it. */
		f->tried_renewal = true;
		text_copy(f->other_id, sizeof(f->other_id), f->sub.id);
		follow_remove_other(f, flaw);
		return;
	}
	switch (f->need) {
	case SUBSCRIPTION_KEEP:
		follow_end(f, FOLLOW_KEPT,
		    subscription_due_ms(
			&facts, f->session->policy.subscription_limit_ms));
		return;
	case SUBSCRIPTION_RENEW:
		follow_renew(f);
		return;
	case SUBSCRIPTION_CREATE:
		/* Graph's clock decides whether it has expired: ours may have
		 * been set forward, and a second one would be made. */
		f->lapsed = f->has_sub;
		if (f->has_sub)
			follow_renew(f);
		else
			follow_prepare(f);
		return;
	}
}

struct follow *
follow_start(struct session *s, const char *tenant, const char *user,
    unsigned flags, void (*done)(const struct follow_result *r, void *arg),
    void *arg)
{
	struct follow *f = mem_zalloc(sizeof(*f));

	f->session = s;
	f->flags = flags;
	f->done = done;
	f->arg = arg;
	f->call.session = s;
	text_copy(f->tenant, sizeof(f->tenant), tenant);
	text_copy(f->user, sizeof(f->user), user);
	buf_init(&f->next, HTTP_URL_MAX);
	follow_commit(f, follow_apply_claim, follow_claimed);
	return f;
}
