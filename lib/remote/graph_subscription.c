/* remote/graph_subscription.c - see graph_subscription.h. */
#include "remote/graph_subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/url.h"
#include "base/when.h"
#include "remote/graph.h"
#include "remote/reply.h"

#define GRAPH_CHANGES "created,updated,deleted"

/* The synchronous handshake inside POST may take 10 s. */
enum {
	GRAPH_SUBSCRIBE_TIMEOUT_MS = 30 * 1000,
	GRAPH_MINUTES_MAX = 1000 * 1000 /* a longest life that is believed */
};

void
graph_subscription_resource(const char *user, char *out, size_t cap)
{
	snprintf(out, cap, "users/%s/events", user);
}

static void
graph_set_body(struct http_request *req, json_t *body)
{
	char *text = json_text(body);

	buf_puts(&req->body, text);
	req->content_type = "application/json";
	free(text);
	json_decref(body);
}

static void
graph_set_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, json_string(text));
}

void
graph_subscribe_request(const struct config *c, const char *user,
    const char *client_state, int64_t expires_ms, struct http_request *req)
{
	char *events = config_public_url(c, "/webhook/events");
	char *lifecycle = config_public_url(c, "/webhook/lifecycle");
	char expires[WHEN_TEXT_MAX];
	char resource[160];
	json_t *body = json_object();

	when_format_iso(expires_ms, false, expires);
	graph_subscription_resource(user, resource, sizeof(resource));
	graph_set_text(body, "changeType", GRAPH_CHANGES);
	graph_set_text(body, "notificationUrl", events);
	graph_set_text(body, "lifecycleNotificationUrl", lifecycle);
	graph_set_text(body, "resource", resource);
	graph_set_text(body, "expirationDateTime", expires);
	graph_set_text(body, "clientState", client_state);
	graph_set_text(body, "latestSupportedTlsVersion", "v1_2");
	graph_request(c, "POST", "create-subscription", "/subscriptions", req);
	http_request_header(req, "Prefer", "%s", "IdType=\"ImmutableId\"");
	req->timeout_ms = GRAPH_SUBSCRIBE_TIMEOUT_MS;
	req->once = true;
	graph_set_body(req, body);
	free(events);
	free(lifecycle);
}

static void
graph_copy(char *out, size_t cap, const json_t *doc, const char *key)
{
	const char *text = json_str(doc, key);

	if (text != NULL)
		text_copy(out, cap, text);
}

int
graph_subscription_read(
    const json_t *doc, struct graph_subscription *out, struct err *e)
{
	struct graph_subscription s = {.expires_ms = 0};
	const char *id = json_str(doc, "id");
	const char *expires = json_str(doc, "expirationDateTime");
	const char *application = json_str(doc, "applicationId");

	if (id == NULL || !text_is_id(id, sizeof(s.id) - 1))
		return err_set(e, ERR_RETRY, "subscription without a sound id");
	if (expires == NULL ||
	    when_parse_iso(expires, false, &s.expires_ms) != 0)
		return err_set(
		    e, ERR_RETRY, "subscription %s without an expiry", id);
	if (!text_guid_lower(s.id, id))
		text_copy(s.id, sizeof(s.id), id);
	graph_copy(s.resource, sizeof(s.resource), doc, "resource");
	graph_copy(s.notification_url, sizeof(s.notification_url), doc,
	    "notificationUrl");
	graph_copy(s.lifecycle_url, sizeof(s.lifecycle_url), doc,
	    "lifecycleNotificationUrl");
	s.no_lifecycle = s.lifecycle_url[0] == '\0' &&
	    json_object_get(doc, "lifecycleNotificationUrl") != NULL;
	if (application != NULL)
		text_guid_lower(s.application, application);
	*out = s;
	return 0;
}

/* "Subscription Id <id> already exists for the requested combination" */
static void
graph_conflict_id(
    const struct http_reply *reply, char id[GRAPH_SUBSCRIPTION_ID_MAX])
{
	json_t *doc = reply_json(reply, NULL);
	const char *message = json_str(json_obj(doc, "error"), "message");

	id[0] = '\0';
	for (const char *p = message; p != NULL && *p != '\0'; p++) {
		char guid[37];

		snprintf(guid, sizeof(guid), "%.36s", p);
		if (text_guid_lower(id, guid))
			break;
	}
	json_decref(doc);
}

int64_t
graph_longest_life_ms(int status, const json_t *body)
{
	static const char words[] = "can only be ";
	const char *message = json_str(json_obj(body, "error"), "message");
	const char *at = message == NULL ? NULL : strstr(message, words);
	char *end;
	long minutes;

	if (status != 400 || at == NULL)
		return 0;
	minutes = strtol(at + sizeof(words) - 1, &end, 10);
	if (strncmp(end, " minutes", 8) != 0 || minutes <= 0 ||
	    minutes > GRAPH_MINUTES_MAX)
		return 0;
	return (int64_t)minutes * 60 * 1000;
}

int64_t
graph_longest_life_of(const struct http_reply *reply)
{
	json_t *doc;
	int64_t life_ms;

	if (reply->result != HTTP_DONE || reply->status != 400)
		return 0;
	doc = reply_json(reply, NULL);
	life_ms = graph_longest_life_ms(reply->status, doc);
	json_decref(doc);
	return life_ms;
}

static int
graph_read_one(const struct http_reply *reply, enum graph_area area,
    struct graph_subscription *out, struct err *e)
{
	json_t *doc = graph_answer(reply, area, e);
	int rc = doc != NULL ? graph_subscription_read(doc, out, e) : -1;

	json_decref(doc);
	return rc;
}

int
graph_subscribe_reply(const struct http_reply *reply,
    struct graph_subscription *out, bool *conflict,
    char other_id[GRAPH_SUBSCRIPTION_ID_MAX], struct err *e)
{
	*conflict = reply->result == HTTP_DONE && reply->status == 409;
	other_id[0] = '\0';
	if (*conflict)
		graph_conflict_id(reply, other_id);
	if (graph_read_one(reply, GRAPH_SUBSCRIPTION_CREATE, out, e) != 0)
		return err_wrap(e, "create subscription");
	return 0;
}

static void
graph_one_request(const struct config *c, const char *method, const char *op,
    const char *id, struct http_request *req)
{
	graph_request(c, method, op, "/subscriptions/", req);
	url_encode(&req->url, id, strlen(id));
}

char *
graph_renew_body(int64_t expires_ms)
{
	char expires[WHEN_TEXT_MAX];
	json_t *body = json_object();
	char *text;

	when_format_iso(expires_ms, false, expires);
	graph_set_text(body, "expirationDateTime", expires);
	text = json_text(body);
	json_decref(body);
	return text;
}

void
graph_renew_path_request(const struct config *c, const char *id,
    const char *body, struct http_request *req)
{
	graph_one_request(c, "PATCH", "renew-subscription", id, req);
	buf_puts(&req->body, body);
	req->content_type = "application/json";
}

void
graph_renew_request(const struct config *c, const char *id, int64_t expires_ms,
    struct http_request *req)
{
	char *body = graph_renew_body(expires_ms);

	graph_renew_path_request(c, id, body, req);
	free(body);
}

int
graph_renew_reply(const struct http_reply *reply,
    struct graph_subscription *out, struct err *e)
{
	if (graph_read_one(reply, GRAPH_SUBSCRIPTION, out, e) != 0)
		return err_wrap(e, "renew subscription");
	return 0;
}

void
graph_unsubscribe_request(
    const struct config *c, const char *id, struct http_request *req)
{
	graph_one_request(c, "DELETE", "delete-subscription", id, req);
}

int
graph_unsubscribe_reply(const struct http_reply *reply, struct err *e)
{
	struct err why = {.code = ERR_NONE};

	if (graph_judge(reply, GRAPH_SUBSCRIPTION, &why) == 0 ||
	    why.code == ERR_GONE)
		return 0;
	if (e != NULL)
		*e = why;
	return err_wrap(e, "delete subscription");
}

void
graph_get_subscription_request(
    const struct config *c, const char *id, struct http_request *req)
{
	graph_one_request(c, "GET", "get-subscription", id, req);
}

int
graph_get_subscription_reply(const struct http_reply *reply,
    struct graph_subscription *out, struct err *e)
{
	if (graph_read_one(reply, GRAPH_SUBSCRIPTION, out, e) != 0)
		return err_wrap(e, "read subscription");
	return 0;
}

int
graph_list_subscriptions_request(const struct config *c, const char *next,
    struct http_request *req, struct err *e)
{
	if (next[0] != '\0')
		return graph_next_request(
		    c, "list-subscriptions", next, req, e);
	graph_request(c, "GET", "list-subscriptions", "/subscriptions", req);
	return 0;
}

int
graph_list_subscriptions_reply(const struct http_reply *reply,
    void (*each)(const struct graph_subscription *sub, void *arg), void *arg,
    struct buf *next, struct err *e)
{
	json_t *doc = graph_answer(reply, GRAPH_MAILBOX, e);
	const json_t *list;
	int rc = -1;

	if (doc == NULL)
		goto out;
	list = json_arr(doc, "value");
	if (list == NULL) {
		err_set(e, ERR_RETRY, "answer without a value");
		goto out;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct graph_subscription s;

		if (graph_subscription_read(
			json_array_get(list, i), &s, NULL) == 0)
			each(&s, arg);
	}
	rc = graph_next_link(doc, next, e);
out:
	if (rc != 0)
		err_wrap(e, "list subscriptions");
	json_decref(doc);
	return rc;
}
