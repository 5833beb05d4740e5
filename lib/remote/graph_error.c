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

struct graph_rule {
	int status;
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

/* The first that fits. reference/graph.md 4.4 and 11.3. */
static const struct graph_rule graph_rules[] = {
    {401, NULL, NULL, GRAPH_ANY, ERR_AUTH, 0, "token refused"},
    {403, NULL, NULL, GRAPH_ANY, ERR_MAILBOX, 1, "forbidden"},
    {404, NULL, NULL, GRAPH_IN(GRAPH_SUBSCRIPTION), ERR_GONE, 0,
	"no such subscription"},
    {404, "ErrorItemNotFound", NULL, GRAPH_IN(GRAPH_EVENT), ERR_GONE, 0,
	"no such event"},
    {404, "ErrorInvalidUser", NULL, GRAPH_ANY, ERR_MAILBOX, 6, "no user"},
    {404, "Request_ResourceNotFound", NULL, GRAPH_ANY, ERR_MAILBOX, 6,
	"no user"},
    {404, "ExtensionError", "requested user",
	GRAPH_IN(GRAPH_SUBSCRIPTION_CREATE), ERR_MAILBOX, 6, "no user"},
    {404, NULL, NULL, GRAPH_ANY, ERR_MAILBOX, 24, "no mailbox"},
    {410, NULL, NULL, GRAPH_IN(GRAPH_SUBSCRIPTION), ERR_GONE, 0,
	"no such subscription"},
    {400, "ValidationError", NULL, GRAPH_SUBSCRIPTIONS, ERR_CONFIG, 0,
	"our webhook did not pass the handshake"},
    {400, "InvalidRequest", "validation request", GRAPH_SUBSCRIPTIONS,
	ERR_CONFIG, 0, "our webhook did not pass the handshake"},
};

static bool
graph_rule_fits(const struct graph_rule *r, int status, const char *code,
    const char *message, enum graph_area area)
{
	return r->status == status &&
	    (r->areas == GRAPH_ANY || (r->areas & GRAPH_IN(area)) != 0) &&
	    (r->code == NULL || strcasecmp(r->code, code) == 0) &&
	    (r->message == NULL || strstr(message, r->message) != NULL);
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
graph_apply(const struct graph_rule *r, const char *code, struct err *e)
{
	err_set(e, r->means, "%s: status %d %s", r->why, r->status, code);
	if (e != NULL && r->wait_hours > 0)
		e->retry_after_ms = (int64_t)r->wait_hours * GRAPH_HOUR_MS;
	return -1;
}

int
graph_judge_status(int status, const json_t *body, int64_t retry_after_ms,
    enum graph_area area, struct err *e)
{
	const struct http_reply over = {
	    .status = status, .retry_after_ms = retry_after_ms};
	const json_t *error = json_obj(body, "error");
	const char *code = graph_code(error);
	const char *message = json_str(error, "message");

	if (status >= 200 && status < 300)
		return 0;
	if (reply_overload(&over, code, e) != 0)
		return -1;
	if (message == NULL)
		message = "";
	if (message[0] != '\0')
		log_debug("graph-refusal", LOG_INT("status", status),
		    LOG_STR("code", code), LOG_STR("message", message));
	/* A 404 without Graph's error body is some gateway's, and proves
	 * nothing; neither does a redirect. */
	if ((status == 404 && error == NULL) || status < 400)
		return err_set(
		    e, ERR_RETRY, "status %d not made by Graph", status);
	for (size_t i = 0; i < sizeof(graph_rules) / sizeof(graph_rules[0]);
	     i++)
		if (graph_rule_fits(
			&graph_rules[i], status, code, message, area))
			return graph_apply(&graph_rules[i], code, e);
	return err_set(e, ERR_REFUSED, "status %d %s", status, code);
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
	if (rc != 0 && reply->request_id[0] != '\0')
		err_wrap(e, "request-id %s", reply->request_id);
	json_decref(body);
	return rc;
}
