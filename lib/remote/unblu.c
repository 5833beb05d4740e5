/* remote/unblu.c - see unblu.h. */
#include "remote/unblu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/url.h"
#include "remote/reply.h"

enum unblu_maker {
	UNBLU_ANYBODY,
	UNBLU_HTML, /* a login page, or some proxy's */
	UNBLU_JSON, /* whoever made it knows what was asked */
	UNBLU_ITSELF /* with Unblu's own error body */
};

struct unblu_rule {
	int from, to; /* status */
	enum unblu_maker maker;
	enum err_code means; /* ERR_NONE: content */
	const char *why;
};

/*
 * The first that fits. The codes are not contractual (reference/unblu.md 5
 * and 7): to be corrected here. What neither Unblu nor a gateway that speaks
 * JSON has made is no refusal of what was asked.
 */
static const struct unblu_rule unblu_rules[] = {
    {200, 299, UNBLU_HTML, ERR_AUTH, "the gateway wants a login"},
    {200, 299, UNBLU_ANYBODY, ERR_NONE, ""},
    {300, 399, UNBLU_ANYBODY, ERR_AUTH, "the gateway wants a login"},
    {401, 401, UNBLU_ANYBODY, ERR_AUTH, "token refused"},
    {403, 403, UNBLU_HTML, ERR_AUTH, "the gateway wants a login"},
    {403, 403, UNBLU_ANYBODY, ERR_MAILBOX, "forbidden"},
    {404, 404, UNBLU_ITSELF, ERR_GONE, "no such conversation"},
    {404, 404, UNBLU_ANYBODY, ERR_CONFIG,
	"nothing at this path: see unbluApiPath"},
    {408, 408, UNBLU_ANYBODY, ERR_RETRY, "took too long"},
    {409, 409, UNBLU_ANYBODY, ERR_RETRY, "conflict"},
    {412, 412, UNBLU_ANYBODY, ERR_RETRY, "conflict"},
    {429, 429, UNBLU_ANYBODY, ERR_BUSY, "throttled"},
    {400, 499, UNBLU_JSON, ERR_REFUSED, "refused"},
    {500, 599, UNBLU_ANYBODY, ERR_RETRY, "fault of the server"},
    {0, 999, UNBLU_ANYBODY, ERR_RETRY, "no answer to what was asked"},
};

static bool
unblu_is_html(const struct http_reply *r)
{
	return strcmp(r->content_type, "text/html") == 0 ||
	    strcmp(r->content_type, "application/xhtml+xml") == 0;
}

/* Every error of Unblu itself is such an object (reference/unblu.md 7). A
 * gateway answers in JSON as well: its 404 says nothing of a conversation. */
static bool
unblu_made(const json_t *doc, int status)
{
	const char *type = json_str(doc, "$_type");

	return type != NULL && strcmp(type, "Error") == 0 &&
	    json_int(doc, "statusCode", status) == status;
}

/* errorMessage may quote what was sent, a topic too: it is for debugging. */
static enum unblu_maker
unblu_maker(const struct http_reply *reply)
{
	enum unblu_maker maker = UNBLU_ANYBODY;
	const char *message;
	json_t *doc;

	if (unblu_is_html(reply))
		return UNBLU_HTML;
	if (reply->status >= 200 && reply->status < 300)
		return UNBLU_ANYBODY;
	doc = reply_json(reply, NULL);
	message = json_str(doc, "errorMessage");
	if (message != NULL)
		log_debug("unblu-refusal", LOG_INT("status", reply->status),
		    LOG_STR("message", message));
	if (json_is_object(doc))
		maker =
		    unblu_made(doc, reply->status) ? UNBLU_ITSELF : UNBLU_JSON;
	json_decref(doc);
	return maker;
}

static bool
unblu_rule_fits(const struct unblu_rule *r, int status, enum unblu_maker maker)
{
	return status >= r->from && status <= r->to &&
	    (r->maker == UNBLU_ANYBODY || r->maker == maker ||
		(r->maker == UNBLU_JSON && maker == UNBLU_ITSELF));
}

int
unblu_judge(const struct http_reply *reply, struct err *e)
{
	enum unblu_maker maker;
	size_t i = 0;

	if (reply_transport(reply, e) != 0)
		return -1;
	maker = unblu_maker(reply);
	/* The last one fits all. */
	while (!unblu_rule_fits(&unblu_rules[i], reply->status, maker))
		i++;
	if (unblu_rules[i].means == ERR_NONE)
		return 0;
	return reply_judged(e, unblu_rules[i].means, reply->retry_after_ms,
	    "%s: status %d%s", unblu_rules[i].why, reply->status,
	    maker == UNBLU_ITSELF ? "" : " not made by Unblu");
}

static void
unblu_request(const struct config *c, const char *method, const char *op,
    const char *service, const char *id, const char *operation,
    struct http_request *req)
{
	http_request_init(req, method, op);
	buf_printf(&req->url, "%s/%s/", c->unblu_api_url, service);
	url_encode(&req->url, id, strlen(id));
	buf_printf(&req->url, "/%s", operation);
	http_request_header(req, "Accept", "application/json");
	reply_request_id(req);
	req->timeout_ms = c->unblu_timeout_ms;
	req->once = strcmp(method, "GET") != 0;
}

void
unblu_read_request(
    const struct config *c, const char *conversation, struct http_request *req)
{
	unblu_request(
	    c, "GET", "read", "conversations", conversation, "read", req);
}

static void
unblu_add_person(struct guard_people *people, const char *id, const char *type)
{
	if (people->count < GUARD_PERSONS) {
		struct guard_person *p = &people->persons[people->count];

		/* An id that is missing or too long equals nobody's. */
		if (id == NULL || !text_copy(p->id, sizeof(p->id), id))
			p->id[0] = '\0';
		p->assigned_agent =
		    type != NULL && strcmp(type, "ASSIGNED_AGENT") == 0;
	}
	people->count++;
}

/* The members of a list; -1 when it is there and is none. A server that knows
 * no such participants may leave the list out. */
static int
unblu_count_list(const json_t *doc, const char *key, size_t *out)
{
	const json_t *list = json_object_get(doc, key);

	*out = json_array_size(list);
	return list == NULL || json_is_array(list) ? 0 : -1;
}

/* history: the person is an object, not an id. -1 when it is not known who
 * takes part: that is not nobody. */
static int
unblu_read_people(const json_t *doc, bool history, struct guard_people *out)
{
	const json_t *list = json_arr(doc, "participants");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);

		unblu_add_person(out,
		    history ? json_str(json_obj(p, "person"), "id")
			    : json_str(p, "personId"),
		    json_str(p, "participationType"));
	}
	if (list == NULL ||
	    unblu_count_list(
		doc, "externalParticipants", &out->external_count) != 0 ||
	    unblu_count_list(doc, "botParticipants", &out->bot_count) != 0)
		return -1;
	return 0;
}

static enum guard_state
unblu_state(const char *name)
{
	if (strcmp(name, "CREATED") == 0)
		return GUARD_CREATED;
	return strcmp(name, "ENDED") == 0 ? GUARD_ENDED : GUARD_STATE_OTHER;
}

static void
unblu_copy_topic(const json_t *doc, struct conversation *out)
{
	const char *topic = json_str(doc, "topic");
	size_t len;

	if (topic == NULL)
		return;
	len = text_cut_bytes(topic, sizeof(out->topic) - 1);
	memcpy(out->topic, topic, len);
	out->topic[len] = '\0';
}

/* Newer servers add types of links: only this one is of interest. */
static void
unblu_read_link(const json_t *doc, char *out, size_t cap)
{
	const json_t *list = json_arr(doc, "links");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *link = json_array_get(list, i);
		const char *type = json_str(link, "type");
		const char *url = json_str(link, "url");

		if (url == NULL || type == NULL ||
		    strcmp(type, "OPEN_PUBLIC_LINK") != 0)
			continue;
		snprintf(out, cap, "%s", url);
		return;
	}
}

/* whole: who takes part must be said too. */
static int
unblu_read_conversation(
    const json_t *doc, bool whole, struct conversation *out, struct err *e)
{
	struct conversation c = {.start_ms = 0};
	const char *id = json_str(doc, "id");
	const char *state = json_str(doc, "state");
	const char *source = json_str(doc, "sourceId");
	const char *type = json_str(doc, "initialEngagementType");

	if (id == NULL || state == NULL || !text_copy(c.id, sizeof(c.id), id))
		return err_set(e, ERR_RETRY, "answer is no conversation");
	if (source != NULL)
		text_copy(c.source_id, sizeof(c.source_id), source);
	snprintf(c.state_name, sizeof(c.state_name), "%s", state);
	c.state = unblu_state(state);
	c.scheduled =
	    type != NULL && strcmp(type, "SCHEDULED_CONVERSATION") == 0;
	c.start_ms = json_int(doc, "scheduledTimestamp", 0);
	unblu_copy_topic(doc, &c);
	unblu_read_link(doc, c.public_link, sizeof(c.public_link));
	if (unblu_read_people(doc, false, &c.people) != 0 && whole)
		return err_set(
		    e, ERR_RETRY, "answer does not say who takes part");
	*out = c;
	return 0;
}

static int
unblu_conversation_reply(const struct http_reply *reply, bool whole,
    struct conversation *out, struct err *e)
{
	json_t *doc = NULL;
	int rc = -1;

	if (unblu_judge(reply, e) != 0)
		return -1;
	doc = reply_json(reply, e);
	if (doc != NULL)
		rc = unblu_read_conversation(doc, whole, out, e);
	json_decref(doc);
	return rc;
}

int
unblu_read_reply(
    const struct http_reply *reply, struct conversation *out, struct err *e)
{
	if (unblu_conversation_reply(reply, true, out, e) != 0)
		return err_wrap(e, "read conversation");
	return 0;
}

void
unblu_history_request(
    const struct config *c, const char *conversation, struct http_request *req)
{
	unblu_request(c, "GET", "read-history", "conversationhistory",
	    conversation, "read", req);
}

/* A time of the history: null, absent or 0 is never. */
static bool
unblu_has_time(const json_t *doc, const char *key)
{
	const json_t *at = json_object_get(doc, key);

	return at != NULL && !json_is_null(at) &&
	    !(json_is_integer(at) && json_integer_value(at) == 0);
}

/* The API tells no message of a person from one of the system or a bot (all it
 * gives is the time of the last): any message counts. So does a recording. */
static int
unblu_read_history(const json_t *doc, struct conversation_history *out)
{
	const char *state = json_str(doc, "state");

	if (unblu_read_people(doc, true, &out->people) != 0)
		return -1;
	out->is_created = state == NULL || unblu_state(state) == GUARD_CREATED;
	out->has_messages = unblu_has_time(doc, "lastMessageTimestamp") ||
	    unblu_has_time(doc, "lastCompletedRecordingTimestamp");
	return 0;
}

int
unblu_history_reply(const struct http_reply *reply,
    struct conversation_history *out, struct err *e)
{
	struct err why = {.code = ERR_NONE};
	json_t *doc = NULL;

	memset(out, 0, sizeof(*out));
	out->kind = GUARD_HISTORY_UNREADABLE;
	if (unblu_judge(reply, &why) == 0)
		doc = reply_json(reply, &why);
	if (doc != NULL && unblu_read_history(doc, out) == 0) {
		out->kind = GUARD_HISTORY_READ;
	} else if (why.code == ERR_GONE) {
		out->kind = GUARD_HISTORY_ABSENT;
	} else if (why.code == ERR_AUTH || why.code == ERR_BUSY ||
	    why.code == ERR_RETRY) {
		if (e != NULL)
			*e = why;
		return err_wrap(e, "read history");
	}
	json_decref(doc);
	return 0;
}

static void
unblu_take_body(struct http_request *req, json_t *body)
{
	char *text = json_text(body);

	buf_puts(&req->body, text);
	req->content_type = "application/json";
	free(text);
	json_decref(body);
}

void
unblu_set_topic_request(const struct config *c, const char *conversation,
    const char *topic, struct http_request *req)
{
	unblu_request(c, "POST", "set-topic", "conversations", conversation,
	    "setTopic", req);
	unblu_take_body(req, json_pack("{s:s}", "topic", topic));
}

void
unblu_set_time_request(const struct config *c, const char *conversation,
    int64_t start_ms, struct http_request *req)
{
	unblu_request(c, "POST", "set-time", "conversations", conversation,
	    "setScheduledTimestamp", req);
	unblu_take_body(req,
	    json_pack("{s:I}", "scheduledTimestamp", (json_int_t)start_ms));
}

int
unblu_set_reply(
    const struct http_reply *reply, struct conversation *out, struct err *e)
{
	if (unblu_conversation_reply(reply, false, out, e) != 0)
		return err_wrap(e, "change conversation");
	return 0;
}

void
unblu_delete_request(
    const struct config *c, const char *conversation, struct http_request *req)
{
	unblu_request(c, "DELETE", "delete", "conversations", conversation,
	    "delete", req);
}

int
unblu_delete_reply(const struct http_reply *reply, struct err *e)
{
	struct err why = {.code = ERR_NONE, .retry_after_ms = -1};

	/* Another 2xx is not Unblu's: whether it is deleted the next look
	 * tells. */
	if (unblu_judge(reply, &why) == 0 && reply->status != 204)
		err_set(&why, ERR_RETRY, "status %d", reply->status);
	if (why.code == ERR_NONE || why.code == ERR_GONE)
		return 0;
	if (e != NULL)
		*e = why;
	return err_wrap(e, "delete conversation");
}

void
unblu_end_request(
    const struct config *c, const char *conversation, struct http_request *req)
{
	unblu_request(
	    c, "POST", "end", "conversations", conversation, "end", req);
	unblu_take_body(req, json_pack("{s:s}", "reason", "CANCELED"));
}

int
unblu_end_reply(const struct http_reply *reply, struct err *e)
{
	struct err why = {.code = ERR_NONE, .retry_after_ms = -1};

	/* The answer is the conversation as it is now. */
	if (unblu_judge(reply, &why) == 0)
		json_decref(reply_json(reply, &why));
	if (why.code == ERR_NONE || why.code == ERR_GONE)
		return 0;
	if (e != NULL)
		*e = why;
	return err_wrap(e, "end conversation");
}

void
unblu_version_request(const struct config *c, struct http_request *req)
{
	http_request_init(req, "GET", "product-version");
	buf_printf(&req->url, "%s/global/productVersion", c->unblu_api_url);
	http_request_header(req, "Accept", "application/json");
	req->timeout_ms = c->unblu_timeout_ms;
}

int
unblu_version_reply(
    const struct http_reply *reply, char *version, size_t cap, struct err *e)
{
	json_t *doc = NULL;
	const char *text;
	int rc = -1;

	if (unblu_judge(reply, e) != 0)
		goto out;
	doc = reply_json(reply, e);
	if (doc == NULL)
		goto out;
	text = json_str(doc, "productVersion");
	text_copy(version, cap, text != NULL ? text : "of unknown version");
	rc = 0;
out:
	if (rc != 0)
		err_wrap(e, "read Unblu's version");
	json_decref(doc);
	return rc;
}

void
unblu_ping_request(const struct config *c, struct http_request *req)
{
	http_request_init(req, "GET", "ping");
	buf_printf(&req->url, "%s/global/ping", c->unblu_api_url);
	http_request_header(req, "Accept", "application/json");
	req->timeout_ms = c->unblu_timeout_ms;
}

int
unblu_ping_reply(const struct http_reply *reply, struct err *e)
{
	if (unblu_judge(reply, e) != 0)
		return err_wrap(e, "ping Unblu");
	return 0;
}
