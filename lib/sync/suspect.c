/* sync/suspect.c - see suspect.h. */
#include "sync/suspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "port/store_renewal.h"
#include "sync/call.h"

enum {
	SUSPECT_CLAIM_MS = 90 * 1000,
	SUSPECT_AT_ONCE_MS = 1, /* mailbox.renew_ms: now */
	SUSPECT_FACT_MAX = 128
};

static const char suspect_prefix[] = "unknown-subscription:";

struct suspect_case {
	struct session *session;
	char tenant[STORE_GUID];
	struct suspect suspect;
	void (*done)(enum suspect_outcome outcome, void *arg);
	void *arg;

	struct session_commit commit;
	struct call call;
	bool claimed;
	bool remembered; /* long enough ago */
	struct store_subscription own; /* the one that is known */
	struct graph_subscription seen; /* as Graph has own */
	bool own_is_gone;
	enum suspect_outcome outcome;
};

static void
suspect_commit(struct suspect_case *c,
    int (*apply)(struct store *s, void *arg, struct err *e),
    void (*after)(void *arg))
{
	c->commit.apply = apply;
	c->commit.after = after;
	c->commit.arg = c;
	session_commit(c->session, &c->commit);
}

void
suspect_cancel(struct suspect_case *c)
{
	session_commit_cancel(c->session, &c->commit);
	call_cancel(&c->call);
	free(c);
}

static void
suspect_ended(void *arg)
{
	struct suspect_case *c = arg;

	c->done(c->outcome, c->arg);
	free(c);
}

static void
suspect_fact(const char *id, char out[SUSPECT_FACT_MAX])
{
	snprintf(out, SUSPECT_FACT_MAX, "%s%s", suspect_prefix, id);
}

int
suspect_note_unknown(
    struct store *s, const char *id, int64_t now_ms, struct err *e)
{
	char fact[SUSPECT_FACT_MAX];
	int64_t since_ms = 0;
	int rc;

	suspect_fact(id, fact);
	rc = store_fact_get(s, fact, NULL, 0, &since_ms, e);
	if (rc < 0 || (rc == 1 && since_ms <= now_ms))
		return rc < 0 ? -1 : 0;
	return store_fact_set(s, fact, "", now_ms, e);
}

/* ---- the end ---- */

static int
suspect_record(struct suspect_case *c, struct store *s, struct err *e)
{
	char fact[SUSPECT_FACT_MAX];

	suspect_fact(c->suspect.id, fact);
	if (c->outcome == SUSPECT_REMOVED)
		return store_fact_remove(s, fact, e) < 0 ? -1 : 0;
	if (c->outcome == SUSPECT_LEFT && c->suspect.unknown &&
	    c->own.id[0] != '\0' && !c->remembered)
		return store_fact_set(s, fact, "", clock_wall_ms(), e);
	if (c->outcome != SUSPECT_CHANGED)
		return 0;
	if (c->own_is_gone
		? store_subscription_remove(s, c->own.client_state_hash, e) != 0
		: store_subscription_set_no_lifecycle(
		      s, c->own.client_state_hash, e) != 0)
		return -1;
	return store_mailbox_set_renewal(
	    s, c->tenant, c->suspect.user, SUSPECT_AT_ONCE_MS, e);
}

static int
suspect_apply_end(struct store *s, void *arg, struct err *e)
{
	struct suspect_case *c = arg;

	if (suspect_record(c, s, e) != 0)
		return -1;
	return store_mailbox_release(
	    s, c->tenant, c->suspect.user, c->session->owner, e);
}

static void
suspect_end(struct suspect_case *c, enum suspect_outcome outcome)
{
	c->outcome = outcome;
	suspect_commit(c, suspect_apply_end, suspect_ended);
}

static void
suspect_fail(struct suspect_case *c, const struct err *e)
{
	log_warning("listed-subscription-not-settled",
	    LOG_STR("tenant", c->tenant), LOG_STR("mailbox", c->suspect.user),
	    LOG_STR("subscription", c->suspect.id), LOG_ERR(e));
	suspect_end(c, SUSPECT_FAILED);
}

/* ---- at Graph ---- */

static void
suspect_call(struct suspect_case *c,
    int (*build)(struct http_request *req, void *arg, struct err *e),
    int (*parse)(const struct http_reply *reply, void *arg, struct err *e),
    void (*done)(const struct err *e, void *arg))
{
	memset(&c->call, 0, sizeof(c->call));
	c->call.session = c->session;
	c->call.peer = CALL_GRAPH;
	c->call.tenant = c->tenant;
	c->call.user = c->suspect.user;
	c->call.build = build;
	c->call.parse = parse;
	c->call.done = done;
	c->call.arg = c;
	call_start(&c->call);
}

static int
suspect_build_removal(struct http_request *req, void *arg, struct err *e)
{
	const struct suspect_case *c = arg;

	(void)e;
	graph_unsubscribe_request(c->session->config, c->suspect.id, req);
	return 0;
}

static int
suspect_parse_removal(const struct http_reply *reply, void *arg, struct err *e)
{
	(void)arg;
	return graph_unsubscribe_reply(reply, e);
}

static void
suspect_removal_done(const struct err *e, void *arg)
{
	struct suspect_case *c = arg;

	if (e->code != ERR_NONE) {
		suspect_fail(c, e);
		return;
	}
	log_info("subscription-removed", LOG_STR("tenant", c->tenant),
	    LOG_STR("mailbox", c->suspect.user),
	    LOG_STR("subscription", c->suspect.id),
	    LOG_STR("reason", "unknown, and the mailbox has another"));
	suspect_end(c, SUSPECT_REMOVED);
}

static int
suspect_build_get(struct http_request *req, void *arg, struct err *e)
{
	const struct suspect_case *c = arg;

	(void)e;
	graph_get_subscription_request(c->session->config, c->own.id, req);
	return 0;
}

static int
suspect_parse_get(const struct http_reply *reply, void *arg, struct err *e)
{
	struct suspect_case *c = arg;

	return graph_get_subscription_reply(reply, &c->seen, e);
}

static void
suspect_got(const struct err *e, void *arg)
{
	struct suspect_case *c = arg;

	c->own_is_gone = e->code == ERR_GONE;
	if (e->code != ERR_NONE && !c->own_is_gone)
		suspect_fail(c, e);
	else if (c->own_is_gone)
		suspect_end(c, SUSPECT_CHANGED);
	else if (!c->suspect.unknown)
		suspect_end(
		    c, c->seen.no_lifecycle ? SUSPECT_CHANGED : SUSPECT_LEFT);
	else if (!c->remembered)
		suspect_end(c, SUSPECT_LEFT);
	else
		suspect_call(c, suspect_build_removal, suspect_parse_removal,
		    suspect_removal_done);
}

/* ---- start ---- */

static int
suspect_remember(struct suspect_case *c, struct store *s, struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	int64_t since_ms = 0;
	char fact[SUSPECT_FACT_MAX], text[STORE_GUID];
	int rc;

	suspect_fact(c->suspect.id, fact);
	rc = store_fact_get(s, fact, text, sizeof(text), &since_ms, e);
	c->remembered = rc == 1 && since_ms <= now_ms - SUSPECT_UNKNOWN_MS;
	/* Once is enough; what was noted by a clock ahead of this one is not.
	 */
	if (rc == 1 && !c->remembered && since_ms <= now_ms)
		c->own.id[0] = '\0';
	return rc < 0 ? -1 : 0;
}

/* c->own.id stays empty when there is nothing to be done. */
static int
suspect_find(struct suspect_case *c, struct store *s, struct err *e)
{
	struct store_subscription known;
	int64_t now_ms = clock_wall_ms();
	int rc = store_subscription_by_id(s, c->suspect.id, &known, e);

	if (rc < 0 || (rc == 1) == c->suspect.unknown)
		return rc < 0 ? -1 : 0;
	rc = store_subscription_of(s, c->tenant, c->suspect.user, &c->own, e);
	if (rc < 0)
		return -1;
	if (rc == 0 || c->own.granted_ms == 0 || c->own.expires_ms <= now_ms ||
	    (!c->suspect.unknown && strcmp(c->own.id, c->suspect.id) != 0)) {
		c->own.id[0] = '\0';
		return c->suspect.unknown
		    ? suspect_note_unknown(s, c->suspect.id, now_ms, e)
		    : 0;
	}
	return c->suspect.unknown ? suspect_remember(c, s, e) : 0;
}

static int
suspect_apply_claim(struct store *s, void *arg, struct err *e)
{
	struct suspect_case *c = arg;
	int64_t now_ms = clock_wall_ms();
	int rc = store_mailbox_claim(s, c->tenant, c->suspect.user,
	    c->session->owner, now_ms, now_ms + SUSPECT_CLAIM_MS, NULL, e);

	c->own.id[0] = '\0';
	c->claimed = rc == 1;
	if (rc <= 0)
		return rc;
	return suspect_find(c, s, e);
}

static void
suspect_claimed(void *arg)
{
	struct suspect_case *c = arg;

	c->outcome = SUSPECT_LEFT;
	if (!c->claimed)
		suspect_ended(c);
	else if (c->own.id[0] == '\0')
		suspect_end(c, SUSPECT_LEFT);
	else
		suspect_call(
		    c, suspect_build_get, suspect_parse_get, suspect_got);
}

struct suspect_case *
suspect_start(struct session *s, const char *tenant,
    const struct suspect *suspect,
    void (*done)(enum suspect_outcome outcome, void *arg), void *arg)
{
	struct suspect_case *c = mem_zalloc(sizeof(*c));

	c->session = s;
	c->suspect = *suspect;
	c->done = done;
	c->arg = arg;
	c->call.session = s;
	text_copy(c->tenant, sizeof(c->tenant), tenant);
	suspect_commit(c, suspect_apply_claim, suspect_claimed);
	return c;
}

/* ---- those of a mailbox that was forgotten ---- */

static const char suspect_forgotten[] = "forgotten";

int
suspect_note_forgotten(
    struct store *s, const char *id, int64_t now_ms, struct err *e)
{
	char fact[SUSPECT_FACT_MAX];

	/* Graph has not named it yet */
	if (id[0] == '\0')
		return 0;
	suspect_fact(id, fact);
	return store_fact_set(s, fact, suspect_forgotten, now_ms, e);
}

int
suspect_is_forgotten(struct store *s, const char *id, struct err *e)
{
	char fact[SUSPECT_FACT_MAX], text[sizeof(suspect_forgotten)] = "";
	int64_t since_ms;

	suspect_fact(id, fact);
	if (store_fact_get(s, fact, text, sizeof(text), &since_ms, e) < 0)
		return -1;
	return strcmp(text, suspect_forgotten) == 0;
}

/* ---- what has become of it by itself ---- */

struct suspect_old {
	struct store *store;
	int64_t before_ms;
	struct err *err;
};

static int
suspect_each(const char *name, const char *text, int64_t at_ms, void *arg)
{
	struct suspect_old *old = arg;

	(void)text;
	if (at_ms >= old->before_ms)
		return 0;
	return store_fact_remove(old->store, name, old->err) < 0 ? -1 : 0;
}

int
suspect_forget(struct store *s, int64_t now_ms, struct err *e)
{
	struct suspect_old old = {s, now_ms - SUSPECT_FORGET_MS, e};

	return store_fact_each(s, suspect_prefix, suspect_each, &old, e);
}
