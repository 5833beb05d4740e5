/* sync/call.c - see call.h. */
#include "sync/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "port/metrics.h"
#include "remote/gateway.h"
#include "rule/retry.h"

enum { CALL_SCOPE_MAX = 96 };

static void call_get_token(struct call *c);

static struct session_tenant *
call_tenant(const struct call *c)
{
	return session_tenant(c->session, c->tenant);
}

static struct circuit *
call_circuit(const struct call *c)
{
	if (c->peer == CALL_UNBLU)
		return &c->session->unblu;
	if (c->peer == CALL_GRAPH)
		return &call_tenant(c)->circuit;
	return NULL;
}

static struct token_slot *
call_slot(const struct call *c)
{
	if (c->peer == CALL_UNBLU)
		return &c->session->gateway;
	return &call_tenant(c)->token;
}

/* What the circuit tells one exchange from another by. */
static uint64_t
call_thing(const struct call *c)
{
	uint64_t hash = text_hash(text_hash(TEXT_HASH, c->tenant), "/");

	hash = text_hash(text_hash(hash, c->user), "/");
	return text_hash(hash, c->thing != NULL ? c->thing : "");
}

static int
call_scope_index(const struct call *c)
{
	if (c->peer != CALL_GRAPH)
		return 0;
	return config_tenant_index(c->session->config, c->tenant) + 1;
}

static void
call_end(struct call *c, const struct err *e)
{
	struct err copy = *e;

	c->done(&copy, c->arg);
}

/* ---- may it start? ---- */

/* "graph:{tenant}", "graph:{tenant}/{user}", "unblu", ... */
static void
call_scope(const struct call *c, bool whole, char out[CALL_SCOPE_MAX])
{
	const char *peer = c->peer == CALL_UNBLU ? "unblu" : "graph";

	if (whole && c->peer == CALL_UNBLU)
		snprintf(out, CALL_SCOPE_MAX, "unblu");
	else if (whole || c->user[0] == '\0')
		snprintf(out, CALL_SCOPE_MAX, "%s:%s", peer, c->tenant);
	else
		snprintf(
		    out, CALL_SCOPE_MAX, "%s:%s/%s", peer, c->tenant, c->user);
}

int64_t
call_throttled_ms(const struct call *c)
{
	char scope[CALL_SCOPE_MAX], whole[CALL_SCOPE_MAX];

	if (c->peer == CALL_ENTRA)
		return 0;
	call_scope(c, false, scope);
	call_scope(c, true, whole);
	return session_throttled_ms(c->session, scope, whole);
}

static void
call_hold(struct call *c, enum err_code code, int64_t wait_ms, const char *why)
{
	struct err e = {.code = ERR_NONE};

	/* A tenth more, so that not all come back at once. */
	c->held_ms = wait_ms +
	    (int64_t)rand_below(
		(uint64_t)(wait_ms > 0 ? wait_ms : 0) / 10 + 50);
	err_set(&e, code, "%s", why);
	e.retry_after_ms = c->held_ms;
	call_end(c, &e);
}

/* Why, for whoever reads the queue: of Unblu a mailbox is kept apart only when
 * it was refused, see call_throttle(). */
static const char *
call_held_by(const struct call *c)
{
	char scope[CALL_SCOPE_MAX];

	call_scope(c, false, scope);
	return c->peer == CALL_UNBLU && c->user[0] != '\0' &&
		session_throttled_ms(c->session, scope, NULL) > 0
	    ? "forbidden: Unblu has just refused this mailbox"
	    : "throttled";
}

void
call_start(struct call *c)
{
	const struct circuit *circuit;
	int64_t wait_ms;

	c->asked = c->again = false;
	c->held_ms = 0;
	c->exchange = NULL;
	c->wait.waiting = false;
	if (c->peer == CALL_GRAPH && call_tenant(c) == NULL) {
		call_hold(
		    c, ERR_CONFIG, RETRY_CAP_MS, "tenant is not configured");
		return;
	}
	wait_ms = call_throttled_ms(c);
	if (wait_ms > 0) {
		call_hold(c, ERR_BUSY, wait_ms, call_held_by(c));
		return;
	}
	circuit = call_circuit(c);
	if (circuit != NULL &&
	    !circuit_allows(circuit, call_thing(c), clock_mono_ms())) {
		wait_ms = circuit_next_ms(circuit) - clock_mono_ms();
		call_hold(c, ERR_RETRY, wait_ms > 1000 ? wait_ms : 1000,
		    c->peer == CALL_UNBLU ? "Unblu does not answer"
					  : "Graph does not answer");
		return;
	}
	call_get_token(c);
}

/* ---- what came back ---- */

static void
call_count(const struct call *c, const struct http_reply *reply, const char *op)
{
	int status = reply->result == HTTP_DONE ? reply->status : 0;

	if (c->peer == CALL_UNBLU)
		metrics_unblu_request(op, status);
	else
		metrics_graph_request(op, status);
}

static void
call_judge_circuit(
    struct call *c, const struct http_reply *reply, const struct err *e)
{
	struct circuit *circuit = call_circuit(c);
	enum degraded_reason reason =
	    c->peer == CALL_UNBLU ? DEGRADED_UNBLU : DEGRADED_GRAPH;

	if (circuit == NULL)
		return;
	if (reply->result == HTTP_DONE && reply->status < 500) {
		circuit_succeed(circuit);
		/* It answers, but nobody is there: the base path is wrong. */
		if (c->peer == CALL_UNBLU && e->code == ERR_CONFIG)
			degraded_set(
			    c->session, reason, call_scope_index(c), e->text);
		else
			degraded_clear(c->session, reason, call_scope_index(c));
	} else if (circuit_fail(circuit, call_thing(c), clock_mono_ms())) {
		degraded_set(c->session, reason, call_scope_index(c),
		    reply->result == HTTP_DONE ? "server errors"
					       : reply->message);
	}
}

/* One throttled mailbox is its own affair; a second one at the same time means
 * that the tenant is, whichever of us was told so. */
static bool
call_is_tenant_throttled(struct call *c, int64_t wait_ms)
{
	char tenant[CALL_SCOPE_MAX], scope[CALL_SCOPE_MAX];

	if (c->peer != CALL_GRAPH || c->user[0] == '\0')
		return false;
	snprintf(tenant, sizeof(tenant), "told:%s/", c->tenant);
	snprintf(scope, sizeof(scope), "told:%s/%s", c->tenant, c->user);
	session_throttle(c->session, scope, wait_ms);
	return session_is_other_throttled(c->session, tenant, scope);
}

void
call_keep_throttle(
    struct session *s, const char *tenant, const char *user, int64_t *wait_ms)
{
	char scope[CALL_SCOPE_MAX];

	snprintf(scope, sizeof(scope), "graph:%s/%s", tenant, user);
	*wait_ms = session_refused(s, scope, *wait_ms);
}

/* What is said of a batch as a whole is said of no mailbox. */
static bool
call_is_batch(const struct call *c)
{
	return c->peer == CALL_GRAPH && strcmp(c->op, "batch") == 0;
}

/* Retry-After is kept in the store: every process obeys it. */
static void
call_throttle(struct call *c, const struct err *e)
{
	bool whole =
	    call_is_batch(c) || (c->peer == CALL_UNBLU && e->code == ERR_BUSY);
	char scope[CALL_SCOPE_MAX];

	if (c->peer == CALL_ENTRA)
		return;
	call_scope(c, whole, scope);
	/* A deletion that is refused says nothing of other conversations. */
	if (e->code == ERR_MAILBOX && c->peer == CALL_UNBLU) {
		if (strcmp(c->op, "delete") != 0)
			session_throttle(c->session, scope, RETRY_FORBIDDEN_MS);
	} else if (e->code == ERR_BUSY) {
		int64_t wait_ms =
		    session_refused(c->session, scope, e->retry_after_ms);

		if (whole || !call_is_tenant_throttled(c, wait_ms))
			return;
		call_scope(c, true, scope);
		session_refused(c->session, scope, wait_ms);
	}
}

static void
call_worked(struct call *c)
{
	char scope[CALL_SCOPE_MAX];

	if (c->peer == CALL_ENTRA)
		return;
	token_worked(call_slot(c));
	for (int whole = 0; whole < 2; whole++) {
		call_scope(c, whole == 1, scope);
		throttle_worked(&c->session->throttle, scope);
	}
}

/* A redirect or a page instead of an answer: the gateway knows nobody at all,
 * whatever is asked for. */
static bool
call_wants_login(const struct call *c, const struct http_reply *reply)
{
	return c->peer == CALL_UNBLU && reply->status < 400;
}

/* A fresh token was refused as well. One that refuses a mailbox is asked about
 * it ever more rarely, however many rows wait there. */
static void
call_refused(
    struct call *c, const struct http_reply *reply, const struct err *e)
{
	char scope[CALL_SCOPE_MAX];

	token_refused(
	    call_slot(c), c->tenant, c->user, call_wants_login(c, reply), e);
	if (c->peer != CALL_GRAPH || c->user[0] == '\0')
		return;
	call_scope(c, false, scope);
	session_refused(c->session, scope, -1);
}

/* Between call_start() and the moment of sending lie a token, a connection, a
 * queue for it, or a sleep: another exchange may have been told to wait, and
 * another replica may work on this by now. */
static bool
call_may_go(void *arg)
{
	const struct call *c = arg;

	return session_may_act(c->session) && call_throttled_ms(c) <= 0;
}

static void
call_held(struct call *c)
{
	c->asked = false;
	if (session_may_act(c->session))
		call_hold(c, ERR_BUSY, call_throttled_ms(c), call_held_by(c));
	else
		call_hold(c, ERR_RETRY, RETRY_BASE_MS, "the lease has run out");
}

static void
call_done(const struct http_reply *reply, void *arg)
{
	struct call *c = arg;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};

	c->exchange = NULL;
	if (reply->result == HTTP_HELD) {
		call_held(c);
		return;
	}
	call_count(c, reply, c->op);
	if (c->parse(reply, c->arg, &e) == 0)
		err_clear(&e);
	call_judge_circuit(c, reply, &e);
	if (e.code == ERR_NONE) {
		call_worked(c);
		call_end(c, &e);
		return;
	}
	call_throttle(c, &e);
	if (e.code == ERR_AUTH && c->peer != CALL_ENTRA) {
		token_drop(call_slot(c), c->generation);
		if (!c->again) {
			c->again = true;
			call_get_token(c);
			return;
		}
		call_refused(c, reply, &e);
	}
	call_end(c, &e);
}

/* ---- sending ---- */

static void
call_add_authorization(
    const struct call *c, const struct secret *token, struct http_request *req)
{
	const struct config *config = c->session->config;
	char *basic;

	if (c->peer == CALL_UNBLU && config->unblu_auth == CONFIG_UNBLU_BASIC) {
		basic = gateway_basic(
		    config->gateway_client_id, secret_reveal(token));
		http_request_header(req, "Authorization", "%s", basic);
		secret_wipe(basic, strlen(basic));
		free(basic);
	} else if (token != NULL) {
		http_request_header(
		    req, "Authorization", "Bearer %s", secret_reveal(token));
	}
}

static int
call_add_agent(const struct call *c, struct http_request *req, struct err *e)
{
	if (c->peer != CALL_UNBLU || c->user[0] == '\0')
		return 0;
	return agent_add_headers(
	    &c->session->agents, c->tenant, c->user, req, e);
}

static void
call_random_hex(char *out, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];

	rand_bytes(bytes, sizeof(bytes));
	bytes[0] |= 1; /* all zero is no id */
	for (size_t i = 0; i < len; i++)
		out[i] = digits[bytes[i / 2] >> (i % 2 * 4) & 0xF];
	out[len] = '\0';
}

void
call_new_trace(char out[CALL_TRACE])
{
	call_random_hex(out, CALL_TRACE - 1);
}

/* What gateways and Unblu put into their own traces and logs; see W3C Trace
 * Context. "Sampled" is for whoever collects traces to decide. */
static void
call_add_trace(const struct call *c, struct http_request *req)
{
	char trace[CALL_TRACE], span[17];

	if (c->trace == NULL)
		call_new_trace(trace);
	call_random_hex(span, sizeof(span) - 1);
	http_request_header(req, "traceparent", "00-%s-%s-00",
	    c->trace != NULL ? c->trace : trace, span);
}

static void
call_send(struct call *c, const struct secret *token, unsigned generation)
{
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	struct http_request req;

	memset(&req, 0, sizeof(req));
	c->generation = generation;
	if (c->build(&req, c->arg, &e) == 0 &&
	    call_add_agent(c, &req, &e) == 0) {
		call_add_authorization(c, token, &req);
		call_add_trace(c, &req);
		c->op = req.op;
		req.may_go = call_may_go;
		req.party = (size_t)(config_tenant_index(
					 c->session->config, c->tenant) +
		    1);
		c->exchange =
		    http_start(c->session->http, &req, call_done, c, &e);
	}
	http_request_clear(&req);
	if (c->exchange == NULL) {
		call_end(c, &e);
		return;
	}
	c->asked = true;
	if (call_circuit(c) != NULL)
		circuit_begin(call_circuit(c), call_thing(c), clock_mono_ms());
}

static void
call_got_token(const struct secret *token, unsigned generation,
    const struct err *e, void *arg)
{
	struct call *c = arg;

	if (token != NULL) {
		call_send(c, token, generation);
		return;
	}
	/* Told once where the token is fetched, not by each who waits. */
	c->asked = false;
	c->held_ms = e->retry_after_ms > 0 ? e->retry_after_ms : 0;
	call_end(c, e);
}

static void
call_get_token(struct call *c)
{
	if (c->peer == CALL_ENTRA) {
		call_send(c, NULL, 0);
		return;
	}
	c->wait.done = call_got_token;
	c->wait.arg = c;
	token_get(call_slot(c), &c->wait);
}

void
call_cancel(struct call *c)
{
	if (c->exchange != NULL)
		http_cancel(c->exchange);
	c->exchange = NULL;
	if (c->wait.waiting)
		token_cancel(call_slot(c), &c->wait);
}
