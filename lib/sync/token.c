/* sync/token.c - see token.h. */
#include "sync/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "port/metrics.h"
#include "remote/entra.h"
#include "remote/gateway.h"
#include "rule/retry.h"
#include "sync/session.h"

enum {
	/* A wrong secret is asked for slowly, a fault of the network soon. */
	TOKEN_REFUSED_MS = 60 * 1000,
	TOKEN_REFUSED_MAX_MS = 15 * 60 * 1000,
	TOKEN_STATIC_MS = 3600 * 1000,
	TOKEN_SCOPE_MAX = 96
};

static void token_fetch(struct token_slot *t);

void
token_init(struct token_slot *t, struct session *s, int tenant)
{
	memset(t, 0, sizeof(*t));
	t->session = s;
	t->tenant = tenant;
	TAILQ_INIT(&t->waits);
}

void
token_clear(struct token_slot *t)
{
	if (t->exchange != NULL)
		http_cancel(t->exchange);
	t->exchange = NULL;
	secret_free(t->token);
	t->token = NULL;
}

static bool
token_is_gateway(const struct token_slot *t)
{
	return t->tenant < 0;
}

static enum degraded_reason
token_reason(const struct token_slot *t)
{
	return token_is_gateway(t) ? DEGRADED_UNBLU_AUTH : DEGRADED_CREDENTIALS;
}

/* The waiting ones are told in the order in which they came; whoever comes
 * while that goes on is served like anybody else. */
static void
token_tell(struct token_slot *t, const struct err *e)
{
	struct token_waits waits = TAILQ_HEAD_INITIALIZER(waits);
	struct token_wait *w;

	TAILQ_CONCAT(&waits, &t->waits, link);
	while ((w = TAILQ_FIRST(&waits)) != NULL) {
		TAILQ_REMOVE(&waits, w, link);
		w->waiting = false;
		w->done(e == NULL ? t->token : NULL, t->generation, e, w->arg);
	}
}

/* "entra:{tenant}", "gateway" */
static void
token_scope(const struct token_slot *t, char out[TOKEN_SCOPE_MAX])
{
	if (token_is_gateway(t))
		snprintf(out, TOKEN_SCOPE_MAX, "gateway");
	else
		snprintf(out, TOKEN_SCOPE_MAX, "entra:%s",
		    t->session->tenants[t->tenant].id);
}

/* A minute, doubled up to a quarter of an hour. */
static int64_t
token_refused_ms(int refusals)
{
	int64_t wait_ms = TOKEN_REFUSED_MS;

	for (; refusals > 0 && wait_ms < TOKEN_REFUSED_MAX_MS; refusals--)
		wait_ms *= 2;
	return wait_ms < TOKEN_REFUSED_MAX_MS ? wait_ms : TOKEN_REFUSED_MAX_MS;
}

static void
token_hold(struct token_slot *t, const struct err *e)
{
	char scope[TOKEN_SCOPE_MAX];
	int64_t wait_ms;

	if (e->code == ERR_AUTH)
		wait_ms = token_refused_ms(t->refusals);
	else
		wait_ms = retry_wait_ms(e, t->refusals, rand_below(UINT64_MAX));
	/* One request a minute hurts nobody, and ends an outage early. */
	if (e->code == ERR_RETRY && wait_ms > TOKEN_REFUSED_MS)
		wait_ms = TOKEN_REFUSED_MS;
	t->refusals++;
	t->refusal = *e;
	t->refused_until_ms = clock_mono_ms() + wait_ms;
	if (e->code == ERR_BUSY) {
		token_scope(t, scope);
		session_throttle(t->session, scope, wait_ms);
	}
	if (e->code == ERR_AUTH)
		degraded_set(
		    t->session, token_reason(t), t->tenant + 1, e->text);
}

void
token_worked(struct token_slot *t)
{
	if (t->worked)
		return;
	t->worked = true;
	if (t->refused_who[0] == '\0')
		return;
	t->refused_who[0] = '\0';
	degraded_clear(t->session, token_reason(t), t->tenant + 1);
}

void
token_refused(struct token_slot *t, const char *tenant, const char *user,
    const struct err *e)
{
	char who[sizeof(t->refused_who)];
	bool by_all;

	snprintf(who, sizeof(who), "%s/%s", tenant, user);
	by_all = !t->worked && t->refused_who[0] != '\0' &&
	    strcmp(t->refused_who, who) != 0;
	if (!t->worked)
		degraded_set(
		    t->session, token_reason(t), t->tenant + 1, e->text);
	t->worked = false;
	snprintf(t->refused_who, sizeof(t->refused_who), "%s", who);
	if (by_all && clock_mono_ms() >= t->refused_until_ms)
		token_hold(t, e);
}

static void
token_fail(struct token_slot *t, const struct err *e)
{
	struct err copy = *e;

	log_warning("token-failed",
	    LOG_STR("tenant",
		token_is_gateway(t) ? NULL : t->session->tenants[t->tenant].id),
	    LOG_STR("peer", token_is_gateway(t) ? "gateway" : "entra"),
	    LOG_ERR(e));
	token_hold(t, e);
	copy.retry_after_ms = t->refused_until_ms - clock_mono_ms();
	token_tell(t, &copy);
}

static void
token_granted(struct token_slot *t, const struct token_grant *grant)
{
	secret_free(t->token);
	t->token = grant->token;
	t->generation++;
	t->good_until_ms = clock_mono_ms() + grant->life_ms;
	t->refusals = 0;
	t->refused_until_ms = 0;
	/* Having one is no news while the peer refuses it. */
	if (t->refused_who[0] == '\0')
		degraded_clear(t->session, token_reason(t), t->tenant + 1);
	token_tell(t, NULL);
}

static void
token_count(
    const struct token_slot *t, const struct http_reply *reply, const char *op)
{
	int status = reply->result == HTTP_DONE ? reply->status : 0;

	if (token_is_gateway(t))
		metrics_unblu_request(op, status);
	else
		metrics_graph_request(op, status);
}

static void
token_entra_done(const struct http_reply *reply, void *arg)
{
	struct token_slot *t = arg;
	struct token_grant grant = {.token = NULL};
	struct err e = {.code = ERR_NONE};

	t->exchange = NULL;
	token_count(t, reply, "get-token");
	if (entra_token_reply(reply, &grant, &e) != 0)
		token_fail(t, &e);
	else
		token_granted(t, &grant);
}

static void
token_gateway_done(const struct http_reply *reply, void *arg)
{
	struct token_slot *t = arg;
	struct token_grant grant = {.token = NULL};
	struct err e = {.code = ERR_NONE};

	t->exchange = NULL;
	token_count(t, reply, "gateway-token");
	if (gateway_token_reply(reply, &grant, &e) != 0) {
		/* The endpoint may have moved. */
		t->session->gateway_token_url[0] = '\0';
		token_fail(t, &e);
	} else {
		token_granted(t, &grant);
	}
}

static void
token_discovery_done(const struct http_reply *reply, void *arg)
{
	struct token_slot *t = arg;
	struct session *s = t->session;
	struct err e = {.code = ERR_NONE};

	t->exchange = NULL;
	token_count(t, reply, "gateway-discovery");
	if (gateway_discovery_reply(s->config, reply, s->gateway_token_url,
		sizeof(s->gateway_token_url), &e) != 0) {
		s->gateway_token_url[0] = '\0';
		token_fail(t, &e);
	} else {
		token_fetch(t);
	}
}

static void
token_send(struct token_slot *t, struct http_request *req,
    void (*done)(const struct http_reply *reply, void *arg))
{
	struct err e = {.code = ERR_NONE};

	t->exchange = http_start(t->session->http, req, done, t, &e);
	http_request_clear(req);
	if (t->exchange == NULL)
		token_fail(t, &e);
}

static void
token_fetch_gateway(struct token_slot *t)
{
	struct session *s = t->session;
	const char *url = s->config->unblu_token_url;
	struct http_request req;

	if (url[0] == '\0')
		url = s->gateway_token_url;
	if (url[0] == '\0') {
		gateway_discovery_request(s->config, &req);
		token_send(t, &req, token_discovery_done);
	} else {
		gateway_token_request(s->config, url, &req);
		token_send(t, &req, token_gateway_done);
	}
}

/* unbluAuthMode static-bearer and basic need no token endpoint. */
static void
token_fetch_static(struct token_slot *t)
{
	const struct secret *secret = t->session->config->gateway_secret;
	struct token_grant grant = {.life_ms = TOKEN_STATIC_MS};

	grant.token = secret_new(secret_reveal(secret), secret_len(secret));
	token_granted(t, &grant);
}

static void
token_fetch(struct token_slot *t)
{
	struct http_request req;

	if (!token_is_gateway(t)) {
		entra_token_request(t->session->config,
		    t->session->tenants[t->tenant].id, &req);
		token_send(t, &req, token_entra_done);
	} else if (t->session->config->unblu_auth ==
	    CONFIG_UNBLU_CLIENT_CREDENTIALS) {
		token_fetch_gateway(t);
	} else {
		token_fetch_static(t);
	}
}

void
token_get(struct token_slot *t, struct token_wait *w)
{
	int64_t now_ms = clock_mono_ms();
	char scope[TOKEN_SCOPE_MAX];
	int64_t wait_ms;

	if (t->token != NULL && now_ms < t->good_until_ms) {
		w->done(t->token, t->generation, NULL, w->arg);
		return;
	}
	if (t->exchange == NULL && now_ms < t->refused_until_ms) {
		struct err e = t->refusal;

		/* Until then there is no use in asking. */
		e.retry_after_ms = t->refused_until_ms - now_ms;
		w->done(NULL, t->generation, &e, w->arg);
		return;
	}
	token_scope(t, scope);
	wait_ms = session_throttled_ms(t->session, scope);
	if (t->exchange == NULL && wait_ms > 0) {
		struct err e = {.code = ERR_NONE};

		err_set(&e, ERR_BUSY, "the token endpoint asked for a pause");
		e.retry_after_ms = wait_ms;
		w->done(NULL, t->generation, &e, w->arg);
		return;
	}
	w->waiting = true;
	TAILQ_INSERT_TAIL(&t->waits, w, link);
	if (t->exchange == NULL)
		token_fetch(t);
}

void
token_cancel(struct token_slot *t, struct token_wait *w)
{
	if (!w->waiting)
		return;
	w->waiting = false;
	TAILQ_REMOVE(&t->waits, w, link);
}

void
token_drop(struct token_slot *t, unsigned generation)
{
	if (t->token == NULL || t->generation != generation)
		return;
	secret_free(t->token);
	t->token = NULL;
}
