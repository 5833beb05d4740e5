/* sync/leave.c - see leave.h. */
#include "sync/leave.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "port/store_renewal.h"
#include "port/store_retain.h"
#include "remote/graph_subscription.h"
#include "sync/call.h"

enum {
	LEAVE_CLAIM_MS = 90 * 1000,
	LEAVE_AT_ONCE_MS = 1, /* mailbox.renew_ms: now */
	/* What Graph refuses it will refuse again; what is left there runs out
	 * by itself. */
	LEAVE_AGAIN_MS = 60 * 60 * 1000
};

struct leave {
	struct session *session;
	char tenant[STORE_GUID], user[STORE_GUID];
	const char *reason; /* static words, NULL: it is unfollowed already */
	void (*done)(const struct leave_result *r, void *arg);
	void *arg;
	struct leave_result result;

	struct session_commit commit;
	struct call call;
	bool claimed;
	bool finished; /* nothing is left of it */
	bool gone; /* sub is, at Graph */
	struct store_subscription sub; /* to be deleted next */
};

static void
leave_commit(struct leave *l,
    int (*apply)(struct store *s, void *arg, struct err *e),
    void (*after)(void *arg))
{
	l->commit.apply = apply;
	l->commit.after = after;
	l->commit.arg = l;
	session_commit(l->session, &l->commit);
}

void
leave_cancel(struct leave *l)
{
	session_commit_cancel(l->session, &l->commit);
	call_cancel(&l->call);
	free(l);
}

static void
leave_ended(void *arg)
{
	struct leave *l = arg;

	l->done(&l->result, l->arg);
	free(l);
}

static int
leave_release(struct leave *l, struct store *s, int64_t renew_ms, struct err *e)
{
	if (store_mailbox_set_renewal(s, l->tenant, l->user, renew_ms, e) != 0)
		return -1;
	return store_mailbox_release(
	    s, l->tenant, l->user, l->session->owner, e);
}

/* ---- it can not be done now ---- */

static int
leave_apply_failure(struct store *s, void *arg, struct err *e)
{
	struct leave *l = arg;

	if (l->result.due_ms != 0)
		return leave_release(l, s, l->result.due_ms, e);
	return store_mailbox_release(
	    s, l->tenant, l->user, l->session->owner, e);
}

static void
leave_fail(struct leave *l, const struct err *e)
{
	int64_t now_ms = clock_wall_ms();

	l->result.outcome = LEAVE_FAILED;
	l->result.err = *e;
	if (e->code != ERR_RETRY && e->code != ERR_BUSY)
		l->result.due_ms = now_ms + LEAVE_AGAIN_MS;
	else if (e->retry_after_ms > 0)
		l->result.due_ms = now_ms + e->retry_after_ms;
	leave_commit(l, leave_apply_failure, leave_ended);
}

/* ---- one subscription after the other ---- */

static void leave_look_again(void *arg);

static int
leave_build(struct http_request *req, void *arg, struct err *e)
{
	const struct leave *l = arg;

	(void)e;
	graph_unsubscribe_request(l->session->config, l->sub.id, req);
	return 0;
}

static int
leave_parse(const struct http_reply *reply, void *arg, struct err *e)
{
	(void)arg;
	return graph_unsubscribe_reply(reply, e);
}

/* Rows without anything behind them go at once. 1: l->sub is to be deleted at
 * Graph; 0: there is none any more; -1. */
static int
leave_find(struct leave *l, struct store *s, struct err *e)
{
	int rc;

	while ((rc = store_subscription_of(
		    s, l->tenant, l->user, &l->sub, e)) == 1) {
		if (l->sub.granted_ms > 0 &&
		    l->sub.expires_ms > clock_wall_ms())
			return 1;
		if (store_subscription_remove(s, l->sub.client_state_hash, e) !=
		    0)
			return -1;
	}
	return rc;
}

static int
leave_apply_next(struct store *s, void *arg, struct err *e)
{
	struct leave *l = arg;
	struct store_mailbox box = {.state = STORE_MAILBOX_UNFOLLOWED};
	int rc;

	if (l->gone &&
	    store_subscription_remove(s, l->sub.client_state_hash, e) != 0)
		return -1;
	rc = leave_find(l, s, e);
	l->finished = rc == 0;
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (store_mailbox_find(s, l->tenant, l->user, &box, e) < 0)
		return -1;
	/* Meanwhile somebody has asked for it again: it needs a new one. */
	if (box.state == STORE_MAILBOX_FOLLOWED)
		return leave_release(l, s, LEAVE_AT_ONCE_MS, e);
	if (store_work_clear(s, l->tenant, l->user, e) != 0)
		return -1;
	return leave_release(
	    l, s, box.state == STORE_MAILBOX_PARKED ? box.retry_ms : 0, e);
}

static void
leave_answered(const struct err *e, void *arg)
{
	struct leave *l = arg;

	if (e->code != ERR_NONE) {
		leave_fail(l, e);
		return;
	}
	log_info("subscription-removed", LOG_STR("tenant", l->tenant),
	    LOG_STR("mailbox", l->user), LOG_STR("subscription", l->sub.id),
	    LOG_STR("reason", l->reason));
	l->gone = true;
	l->result.removed++;
	leave_commit(l, leave_apply_next, leave_look_again);
}

static void
leave_look_again(void *arg)
{
	struct leave *l = arg;

	l->gone = false;
	if (l->finished) {
		l->result.outcome = LEAVE_DONE;
		leave_ended(l);
		return;
	}
	memset(&l->call, 0, sizeof(l->call));
	l->call.session = l->session;
	l->call.peer = CALL_GRAPH;
	l->call.tenant = l->tenant;
	l->call.user = l->user;
	l->call.build = leave_build;
	l->call.parse = leave_parse;
	l->call.done = leave_answered;
	l->call.arg = l;
	call_start(&l->call);
}

/* ---- start ---- */

/* What was decided may have been overtaken by a PUT. 1: go on. */
static int
leave_mark(struct leave *l, struct store *s, struct err *e)
{
	struct store_mailbox box;
	int rc = store_mailbox_find(s, l->tenant, l->user, &box, e);

	if (rc <= 0)
		return rc;
	if (l->reason == NULL)
		return box.state == STORE_MAILBOX_UNFOLLOWED ? 1 : 0;
	if (box.state == STORE_MAILBOX_FOLLOWED &&
	    store_mailbox_set_state(s, l->tenant, l->user,
		STORE_MAILBOX_UNFOLLOWED, l->reason, 0, clock_wall_ms(),
		e) != 0)
		return -1;
	return 1;
}

static int
leave_apply_claim(struct store *s, void *arg, struct err *e)
{
	struct leave *l = arg;
	int64_t now_ms = clock_wall_ms();
	int rc = store_mailbox_claim(s, l->tenant, l->user, l->session->owner,
	    now_ms, now_ms + LEAVE_CLAIM_MS, &l->result.due_ms, e);

	l->claimed = rc == 1;
	l->result.outcome = LEAVE_BUSY;
	if (rc <= 0)
		return rc;
	l->result.due_ms = 0;
	rc = leave_mark(l, s, e);
	if (rc > 0)
		return leave_apply_next(s, l, e);
	l->claimed = false;
	l->result.outcome = LEAVE_KEPT;
	return rc < 0 ? -1
		      : store_mailbox_release(
			    s, l->tenant, l->user, l->session->owner, e);
}

static void
leave_claimed(void *arg)
{
	struct leave *l = arg;

	if (l->claimed)
		leave_look_again(l);
	else
		leave_ended(l);
}

struct leave *
leave_start(struct session *s, const char *tenant, const char *user,
    const char *reason, void (*done)(const struct leave_result *r, void *arg),
    void *arg)
{
	struct leave *l = mem_zalloc(sizeof(*l));

	l->session = s;
	l->reason = reason;
	l->done = done;
	l->arg = arg;
	l->call.session = s;
	text_copy(l->tenant, sizeof(l->tenant), tenant);
	text_copy(l->user, sizeof(l->user), user);
	leave_commit(l, leave_apply_claim, leave_claimed);
	return l;
}
