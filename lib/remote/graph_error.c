/* remote/graph_error.c - what Graph's errors mean, in one table. */
#include "remote/graph.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/log.h"
#include "remote/reply.h"

enum {
	GRAPH_ANY = 0,
	GRAPH_INNER_MAX = 4, /* nested innerError looked into */
	GRAPH_CODE_MAX = 64,
	GRAPH_HOUR_MS = 60 * 60 * 1000
};

#define GRAPH_CODE_CHARS                                                       \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

enum graph_maker {
	GRAPH_ANYBODY,
	GRAPH_ITSELF /* only an answer with Graph's own error body */
};

struct graph_rule {
	int from, to; /* status */
	enum graph_maker maker;
	const char *code; /* NULL: any */
	const char *message; /* part of it, NULL: any */
	unsigned areas; /* bits of 1 << enum graph_area, GRAPH_ANY: all */
	enum err_code means;
	int wait_hours; /* of a mailbox */
	const char *why;
};

#define GRAPH_IN(area) (1U << (area))
#define GRAPH_SUBSCRIPTIONS                                                    \
	(GRAPH_IN(GRAPH_SUBSCRIPTION) | GRAPH_IN(GRAPH_SUBSCRIPTION_CREATE))

/*
 * The first that fits. reference/graph.md 4.4, 11.1, 11.2 and 11.3.
 * An answer without Graph's own error body is some gateway's and proves
 * nothing, neither about an event nor about a mailbox.
 */
static const struct graph_rule graph_rules[] = {
    {429, 429, GRAPH_ANYBODY, NULL, NULL, GRAPH_ANY, ERR_BUSY, 0, "throttled"},
    {500, 599, GRAPH_ANYBODY, NULL, NULL, GRAPH_ANY, ERR_RETRY, 0,
	"fault of the server"},
    {408, 408, GRAPH_ANYBODY, NULL, NULL, GRAPH_ANY, ERR_RETRY, 0,
	"took too long"},
    {424, 424, GRAPH_ANYBODY, NULL, NULL, GRAPH_ANY, ERR_RETRY, 0,
	"not done because of another one"},
    {401, 401, GRAPH_ANYBODY, NULL, NULL, GRAPH_ANY, ERR_AUTH, 0,
	"token refused"},

    {403, 403, GRAPH_ITSELF, NULL, NULL, GRAPH_ANY, ERR_MAILBOX, 1,
	"forbidden"},

    {404, 404, GRAPH_ITSELF, NULL, NULL, GRAPH_IN(GRAPH_SUBSCRIPTION), ERR_GONE,
	0, "no such subscription"},
    {410, 410, GRAPH_ITSELF, NULL, NULL, GRAPH_IN(GRAPH_SUBSCRIPTION), ERR_GONE,
	0, "no such subscription"},
    {404, 404, GRAPH_ITSELF, "ErrorItemNotFound", NULL, GRAPH_IN(GRAPH_EVENT),
	ERR_GONE, 0, "no such event"},
    {404, 404, GRAPH_ITSELF, "ErrorInvalidUser", NULL, GRAPH_ANY, ERR_MAILBOX,
	6, "no user"},
    {404, 404, GRAPH_ITSELF, "Request_ResourceNotFound", NULL, GRAPH_ANY,
	ERR_MAILBOX, 6, "no user"},
    {404, 404, GRAPH_ITSELF, "ExtensionError", "requested user",
	GRAPH_IN(GRAPH_SUBSCRIPTION_CREATE), ERR_MAILBOX, 6, "no user"},
    {404, 404, GRAPH_ITSELF, NULL, NULL, GRAPH_ANY, ERR_MAILBOX, 24,
	"no mailbox"},

    {400, 400, GRAPH_ITSELF, "ValidationError", NULL, GRAPH_SUBSCRIPTIONS,
	ERR_CONFIG, 0, "our webhook did not pass the handshake"},
    {400, 400, GRAPH_ITSELF, "InvalidRequest", "validation request",
	GRAPH_SUBSCRIPTIONS, ERR_CONFIG, 0,
	"our webhook did not pass the handshake"},

    {409, 409, GRAPH_ITSELF, NULL, NULL,
	GRAPH_IN(GRAPH_EVENT) | GRAPH_IN(GRAPH_MAILBOX), ERR_RETRY, 0,
	"conflict"},
    {412, 412, GRAPH_ITSELF, NULL, NULL, GRAPH_ANY, ERR_RETRY, 0, "conflict"},

    {400, 499, GRAPH_ITSELF, NULL, NULL, GRAPH_ANY, ERR_REFUSED, 0, "refused"},
    {0, 999, GRAPH_ANYBODY, NULL, NULL, GRAPH_ANY, ERR_RETRY, 0,
	"not made by Graph"},
};

/* An answer in the eyes of the table. */
struct graph_answer {
	int status;
	bool by_graph;
	const char *code, *message; /* "" none */
	enum graph_area area;
};

static bool
graph_rule_fits(const struct graph_rule *r, const struct graph_answer *a)
{
	return a->status >= r->from && a->status <= r->to &&
	    (r->maker == GRAPH_ANYBODY || a->by_graph) &&
	    (r->areas == GRAPH_ANY || (r->areas & GRAPH_IN(a->area)) != 0) &&
	    (r->code == NULL || strcasecmp(r->code, a->code) == 0) &&
	    (r->message == NULL || strstr(a->message, r->message) != NULL);
}

static bool
graph_code_is_known(const char *code)
{
	for (size_t i = 0; i < sizeof(graph_rules) / sizeof(graph_rules[0]);
	     i++)
		if (graph_rules[i].code != NULL &&
		    strcasecmp(graph_rules[i].code, code) == 0)
			return true;
	return false;
}

/* The most specific code that we know, else the outermost. */
static const char *
graph_code(const json_t *error)
{
	const char *code = json_str(error, "code");
	const json_t *inner = error;

	for (int i = 0; i < GRAPH_INNER_MAX && inner != NULL; i++) {
		const json_t *next = json_obj(inner, "innerError");

		if (next == NULL)
			next = json_obj(inner, "innererror");
		inner = next;
		if (json_str(inner, "code") != NULL &&
		    graph_code_is_known(json_str(inner, "code")))
			code = json_str(inner, "code");
	}
	/* A code is a word; free text is not to be repeated in our log. */
	if (code == NULL || strspn(code, GRAPH_CODE_CHARS) != strlen(code) ||
	    strlen(code) > GRAPH_CODE_MAX)
		return "";
	return code;
}

static int
graph_apply(const struct graph_rule *r, const struct graph_answer *a,
    int64_t retry_after_ms, struct err *e)
{
	reply_judged(e, r->means, retry_after_ms, "%s: status %d %s", r->why,
	    a->status, a->code);
	if (e != NULL && r->wait_hours > 0)
		e->retry_after_ms = (int64_t)r->wait_hours * GRAPH_HOUR_MS;
	return -1;
}

int
graph_judge_status(int status, const json_t *body, int64_t retry_after_ms,
    enum graph_area area, struct err *e)
{
	const json_t *error = json_obj(body, "error");
	const char *message = json_str(error, "message");
	const struct graph_answer a = {
	    .status = status,
	    .by_graph = json_str(error, "code") != NULL,
	    .code = graph_code(error),
	    .message = message != NULL ? message : "",
	    .area = area,
	};

	if (status >= 200 && status < 300)
		return 0;
	if (a.message[0] != '\0')
		log_debug("graph-refusal", LOG_INT("status", status),
		    LOG_STR("code", a.code), LOG_STR("message", a.message));
	for (size_t i = 0; i < sizeof(graph_rules) / sizeof(graph_rules[0]);
	     i++)
		if (graph_rule_fits(&graph_rules[i], &a))
			return graph_apply(
			    &graph_rules[i], &a, retry_after_ms, e);
	return err_set(e, ERR_RETRY, "status %d", status);
}

/* Behind the reason, which is what people look for. */
static void
graph_add_request_id(const struct http_reply *reply, struct err *e)
{
	const struct err why = *e;

	err_set(e, why.code, "%s (request-id %s)", why.text, reply->request_id);
	e->retry_after_ms = why.retry_after_ms;
}

int
graph_judge(const struct http_reply *reply, enum graph_area area, struct err *e)
{
	json_t *body = NULL;
	int rc;

	if (reply_transport(reply, e) != 0)
		return -1;
	if (reply->status < 200 || reply->status >= 300)
		body = reply_json(reply, NULL);
	rc = graph_judge_status(
	    reply->status, body, reply->retry_after_ms, area, e);
	if (rc != 0 && e != NULL && reply->request_id[0] != '\0')
		graph_add_request_id(reply, e);
	json_decref(body);
	return rc;
}

json_t *
graph_answer(
    const struct http_reply *reply, enum graph_area area, struct err *e)
{
	return graph_judge(reply, area, e) == 0 ? reply_json(reply, e) : NULL;
}
