/* sync/token_fetch.c - see token_fetch.h. */
#include "sync/token_fetch.h"

#include "port/metrics.h"
#include "remote/entra.h"
#include "remote/gateway.h"
#include "sync/session.h"

enum { TOKEN_STATIC_MS = 3600 * 1000 };

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

	req->party = (size_t)(t->tenant + 1);
	t->exchange = http_start(t->session->http, req, done, t, &e);
	http_request_clear(req);
	if (t->exchange == NULL)
		token_fail(t, &e);
}

static void
token_fetch_gateway(struct token_slot *t, const struct secret *secret)
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
		gateway_token_request(s->config, url, secret, &req);
		token_send(t, &req, token_gateway_done);
	}
}

/* unbluAuthMode static-bearer and basic need no token endpoint. */
static void
token_grant_static(struct token_slot *t, const struct secret *secret)
{
	struct token_grant grant = {.life_ms = TOKEN_STATIC_MS};

	grant.token = secret_new(secret_reveal(secret), secret_len(secret));
	token_granted(t, &grant);
}

static void
token_fetch_entra(struct token_slot *t)
{
	struct err e = {.code = ERR_NONE};
	struct http_request req;

	if (signin_entra_request(
		&t->session->signin, token_tenant(t), &req, &e) != 0) {
		err_wrap(&e, TOKEN_HELD_BY_ENTRA);
		token_fail(t, &e);
		return;
	}
	token_send(t, &req, token_entra_done);
}

void
token_fetch(struct token_slot *t)
{
	struct err e = {.code = ERR_NONE};
	const struct secret *secret;

	if (!token_is_gateway(t)) {
		token_fetch_entra(t);
		return;
	}
	secret = signin_gateway_secret(&t->session->signin, &e);
	if (secret == NULL) {
		err_wrap(&e, "gateway token");
		token_fail(t, &e);
	} else if (token_is_static(t)) {
		token_grant_static(t, secret);
	} else {
		token_fetch_gateway(t, secret);
	}
}
