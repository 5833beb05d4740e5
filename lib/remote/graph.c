/* remote/graph.c - see graph.h. */
#include "remote/graph.h"

#include <string.h>

#include "base/json.h"
#include "base/url.h"
#include "remote/reply.h"

enum { GRAPH_PAGE = 50 };

#define GRAPH_SELECT                                                           \
	"id,subject,start,end,isAllDay,isCancelled,isDraft,isOrganizer,type,"  \
	"seriesMasterId,changeKey,recurrence"

void
graph_request(const struct config *c, const char *method, const char *op,
    const char *path, struct http_request *req)
{
	http_request_init(req, method, op);
	buf_printf(&req->url, "%s/v1.0%s", c->graph_url, path);
	http_request_header(req, "Accept", "application/json");
	reply_request_id(req);
}

void
graph_prefer(struct http_request *req)
{
	http_request_header(req, "Prefer", "%s", GRAPH_PREFER);
}

void
graph_user_path(struct buf *out, const char *user)
{
	buf_puts(out, "/users/");
	url_encode(out, user, strlen(user));
}

/* 'String {PS_PUBLIC_STRINGS} Name cecp-<addin id>', a filter's literal. */
static void
graph_property_name(const struct config *c, struct buf *out)
{
	buf_printf(out,
	    "'String {00020329-0000-0000-C000-000000000046} Name cecp-%s'",
	    c->addin_id);
}

void
graph_property_filter(
    const struct config *c, const char *conversation, struct buf *out)
{
	buf_puts(out, "singleValueExtendedProperties/Any(ep: ep/id eq ");
	graph_property_name(c, out);
	/* Conversation ids are checked to hold nothing that needs quoting. */
	if (conversation != NULL)
		buf_printf(out, " and contains(ep/value,'%s'))", conversation);
	else
		buf_puts(out, " and ep/value ne null)");
}

/* "?$select=...&$expand=..." */
static void
graph_event_query(const struct config *c, struct buf *out)
{
	struct buf filter;

	buf_init(&filter, HTTP_URL_MAX);
	buf_puts(&filter, "id eq ");
	graph_property_name(c, &filter);
	buf_puts(out,
	    "?$select=" GRAPH_SELECT
	    "&$expand=singleValueExtendedProperties($filter=");
	url_encode(out, buf_text(&filter), filter.len);
	buf_putc(out, ')');
	buf_clear(&filter);
}

void
graph_event_path(const struct config *c, const char *user, const char *event,
    struct buf *out)
{
	graph_user_path(out, user);
	buf_puts(out, "/events/");
	url_encode(out, event, strlen(event));
	graph_event_query(c, out);
}

void
graph_event_request(const struct config *c, const char *user, const char *event,
    struct http_request *req)
{
	graph_request(c, "GET", "get-event", "", req);
	graph_event_path(c, user, event, &req->url);
	graph_prefer(req);
}

int
graph_event_reply(const struct config *c, const struct http_reply *reply,
    struct event *out, struct err *e)
{
	json_t *doc = graph_answer(reply, GRAPH_EVENT, e);
	int rc = doc != NULL ? event_read(doc, c->addin_id, out, e) : -1;

	if (rc != 0)
		err_wrap(e, "read event");
	json_decref(doc);
	return rc;
}

void
graph_event_glance_path(const char *user, const char *event, struct buf *out)
{
	graph_user_path(out, user);
	buf_puts(out, "/events/");
	url_encode(out, event, strlen(event));
	buf_puts(out, "?$select=id,changeKey");
}

const char *
graph_event_glance_read(const json_t *body)
{
	const char *key = json_str(body, "changeKey");

	return key != NULL ? key : "";
}

void
graph_calendar_path(const char *user, const char *event, struct buf *out)
{
	graph_user_path(out, user);
	buf_puts(out, "/events/");
	url_encode(out, event, strlen(event));
	buf_puts(out, "/calendar?$select=id");
}

void
graph_calendar_request(const struct config *c, const char *user,
    const char *event, struct http_request *req)
{
	graph_request(c, "GET", "get-event-calendar", "", req);
	graph_calendar_path(user, event, &req->url);
	graph_prefer(req);
}

int
graph_calendar_reply(const struct http_reply *reply, struct err *e)
{
	/* What Graph can not do it will not learn by being asked again. */
	if (reply->result == HTTP_DONE && reply->status == 501)
		return err_set(e, ERR_REFUSED,
		    "read the event's calendar: status %d", reply->status);
	if (graph_judge(reply, GRAPH_EVENT, e) != 0)
		return err_wrap(e, "read the event's calendar");
	return 0;
}

void
graph_control_request(
    const struct config *c, const char *user, struct http_request *req)
{
	graph_request(c, "GET", "control-mailbox", "", req);
	graph_user_path(&req->url, user);
	buf_puts(&req->url, "/events?$select=id&$top=1");
	graph_prefer(req);
}

int
graph_control_reply(const struct http_reply *reply, struct err *e)
{
	json_t *doc = graph_answer(reply, GRAPH_MAILBOX, e);
	int rc = doc != NULL && json_arr(doc, "value") != NULL ? 0 : -1;

	if (doc != NULL && rc != 0)
		err_set(e, ERR_RETRY, "answer without a value");
	if (rc != 0)
		err_wrap(e, "positive control of the mailbox");
	json_decref(doc);
	return rc;
}

int
graph_next_request(const struct config *c, const char *op, const char *next,
    struct http_request *req, struct err *e)
{
	size_t len = strlen(c->graph_url);

	if (strncmp(next, c->graph_url, len) != 0 ||
	    strncmp(next + len, "/v1.0/", 6) != 0)
		return err_set(e, ERR_REFUSED, "nextLink leads away from %s",
		    c->graph_url);
	graph_request(c, "GET", op, "", req);
	buf_reset(&req->url);
	buf_puts(&req->url, next);
	return 0;
}

int
graph_next_link(const json_t *doc, struct buf *next, struct err *e)
{
	const char *link = json_str(doc, "@odata.nextLink");

	buf_reset(next);
	if (link != NULL && buf_puts(next, link) != 0)
		return err_set(e, ERR_REFUSED, "nextLink is too long");
	return 0;
}

int
graph_search_request(const struct config *c, const char *user,
    const char *conversation, const char *next, struct http_request *req,
    struct err *e)
{
	struct buf filter;

	if (next[0] != '\0') {
		if (graph_next_request(c, "search-events", next, req, e) != 0)
			return -1;
		graph_prefer(req);
		return 0;
	}
	buf_init(&filter, HTTP_URL_MAX);
	graph_property_filter(c, conversation, &filter);
	graph_request(c, "GET", "search-events", "", req);
	graph_user_path(&req->url, user);
	buf_puts(&req->url, "/events");
	graph_event_query(c, &req->url);
	buf_printf(&req->url, "&$top=%d&$filter=", GRAPH_PAGE);
	url_encode(&req->url, buf_text(&filter), filter.len);
	graph_prefer(req);
	buf_clear(&filter);
	return 0;
}

static int
graph_search_read(const struct config *c, const json_t *doc,
    void (*each)(const struct event *ev, void *arg), void *arg,
    size_t *unreadable, struct buf *next, struct err *e)
{
	const json_t *list = json_arr(doc, "value");

	if (list == NULL)
		return err_set(e, ERR_RETRY, "answer without a value");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct event ev = {.subject = NULL};

		if (event_read(
			json_array_get(list, i), c->addin_id, &ev, NULL) != 0) {
			++*unreadable;
			continue;
		}
		each(&ev, arg);
		event_clear(&ev);
	}
	return graph_next_link(doc, next, e);
}

int
graph_search_reply(const struct config *c, const struct http_reply *reply,
    void (*each)(const struct event *ev, void *arg), void *arg,
    size_t *unreadable, struct buf *next, struct err *e)
{
	json_t *doc = graph_answer(reply, GRAPH_MAILBOX, e);
	int rc = doc != NULL
	    ? graph_search_read(c, doc, each, arg, unreadable, next, e)
	    : -1;

	if (rc != 0)
		err_wrap(e, "search events");
	json_decref(doc);
	return rc;
}
