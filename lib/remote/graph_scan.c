/* remote/graph_scan.c - see graph_scan.h. */
#include "remote/graph_scan.h"

#include <string.h>

#include "base/json.h"
#include "base/url.h"
#include "base/when.h"
#include "remote/graph.h"
#include "remote/reply.h"

enum { SCAN_PAGE = 50 };

#define SCAN_PREFER "IdType=\"ImmutableId\""
#define SCAN_PREFER_TEXT                                                       \
	SCAN_PREFER                                                            \
	", outlook.timezone=\"UTC\", outlook.body-content-type=\"text\""

/* "/users/{user}/calendars[/{calendar}]" of a first page, or the next page as
 * Graph gave it. 1: the caller completes the path. */
static int
scan_request(const struct config *c, const char *op, const char *user,
    const char *calendar, const char *next, struct http_request *req,
    struct err *e)
{
	if (next[0] != '\0')
		return graph_next_request(c, op, next, req, e);
	graph_request(c, "GET", op, "/users/", req);
	url_encode(&req->url, user, strlen(user));
	buf_puts(&req->url, "/calendars");
	if (calendar != NULL) {
		buf_putc(&req->url, '/');
		url_encode(&req->url, calendar, strlen(calendar));
	}
	return 1;
}

/* The document of a good answer with its list, or NULL. */
static json_t *
scan_document(const struct http_reply *reply, const json_t **list,
    struct buf *next, struct err *e)
{
	json_t *doc;

	if (reply->result == HTTP_TOO_BIG) {
		err_set(e, ERR_INPUT, "answer too large");
		return NULL;
	}
	if (graph_judge(reply, GRAPH_MAILBOX, e) != 0)
		return NULL;
	doc = reply_json(reply, e);
	*list = json_arr(doc, "value");
	if (doc != NULL && *list != NULL && graph_next_link(doc, next, e) == 0)
		return doc;
	if (doc != NULL && *list == NULL)
		err_set(e, ERR_INPUT, "answer without a value");
	if (e != NULL)
		e->code = ERR_INPUT;
	json_decref(doc);
	return NULL;
}

/* Who is called with the elements of a list: one of the two. */
struct scan_each {
	void (*calendar)(const char *calendar, void *arg);
	void (*carrier)(const char *event, bool live, void *arg);
	void *arg;
};

static void
scan_tell(const struct scan_each *each, const json_t *element, const char *id)
{
	bool live = !json_flag(element, "isCancelled", false) &&
	    json_flag(element, "isOrganizer", true);

	if (each->calendar != NULL)
		each->calendar(id, each->arg);
	else
		each->carrier(id, live, each->arg);
}

/* A list of things of which hardly more than the id counts. */
static int
scan_ids(const struct http_reply *reply, const struct scan_each *each,
    struct buf *next, struct err *e)
{
	const json_t *list = NULL;
	json_t *doc = scan_document(reply, &list, next, e);
	int rc = doc == NULL ? -1 : 0;

	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		const json_t *element = json_array_get(list, i);
		const char *id = json_str(element, "id");

		if (id == NULL || id[0] == '\0')
			rc = err_set(e, ERR_INPUT, "element without an id");
		else
			scan_tell(each, element, id);
	}
	json_decref(doc);
	return rc;
}

/* ---- calendars ---- */

int
graph_calendars_request(const struct config *c, const char *user,
    const char *next, struct http_request *req, struct err *e)
{
	int rc = scan_request(c, "list-calendars", user, NULL, next, req, e);

	if (rc == 1)
		buf_printf(&req->url, "?$select=id&$top=%d", SCAN_PAGE);
	return rc < 0 ? -1 : 0;
}

int
graph_calendars_reply(const struct http_reply *reply,
    void (*each)(const char *calendar, void *arg), void *arg, struct buf *next,
    struct err *e)
{
	const struct scan_each to = {.calendar = each, .arg = arg};

	if (scan_ids(reply, &to, next, e) != 0)
		return err_wrap(e, "list calendars");
	return 0;
}

/* ---- by property ---- */

int
graph_carriers_request(const struct config *c, const char *user,
    const char *calendar, const char *conversation, const char *next,
    struct http_request *req, struct err *e)
{
	int rc = scan_request(c, "scan-property", user, calendar, next, req, e);
	struct buf filter;

	if (rc == 1) {
		buf_init(&filter, HTTP_URL_MAX);
		graph_property_filter(c, conversation, &filter);
		buf_printf(&req->url,
		    "/events?$select=id,isCancelled,isOrganizer&$top=%d"
		    "&$filter=",
		    SCAN_PAGE);
		url_encode(&req->url, buf_text(&filter), filter.len);
		buf_clear(&filter);
	}
	if (rc >= 0)
		http_request_header(req, "Prefer", "%s", SCAN_PREFER);
	return rc < 0 ? -1 : 0;
}

int
graph_carriers_reply(const struct http_reply *reply,
    void (*each)(const char *event, bool live, void *arg), void *arg,
    struct buf *next, struct err *e)
{
	const struct scan_each to = {.carrier = each, .arg = arg};

	if (scan_ids(reply, &to, next, e) != 0)
		return err_wrap(e, "search a calendar by property");
	return 0;
}

/* ---- by text ---- */

static void
scan_add_time(struct buf *url, const char *name, int64_t ms)
{
	char text[WHEN_TEXT_MAX];

	when_format_iso(ms, false, text);
	buf_printf(url, "%s=", name);
	url_encode(url, text, strlen(text));
}

int
graph_texts_request(const struct config *c, const char *user,
    const struct graph_window *w, const char *next, struct http_request *req,
    struct err *e)
{
	int rc = scan_request(c, "scan-texts", user, w->calendar, next, req, e);

	if (rc == 1) {
		buf_puts(&req->url, "/calendarView?");
		scan_add_time(&req->url, "startDateTime", w->from_ms);
		buf_putc(&req->url, '&');
		scan_add_time(&req->url, "endDateTime", w->to_ms);
		buf_printf(
		    &req->url, "&$select=id,location,body&$top=%d", w->count);
	}
	if (rc >= 0)
		http_request_header(req, "Prefer", "%s", SCAN_PREFER_TEXT);
	return rc < 0 ? -1 : 0;
}

/* -1: an event without the members that were asked for may say anything. */
static int
scan_event_texts(const json_t *event, void (*each)(const char *text, void *arg),
    void *arg, struct err *e)
{
	static const char *const members[] = {"displayName", "locationUri"};
	const json_t *location = json_obj(event, "location");
	const char *body = json_str(json_obj(event, "body"), "content");

	if (body == NULL || location == NULL)
		return err_set(e, ERR_INPUT, "event without body and location");
	each(body, arg);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (json_str(location, members[i]) != NULL)
			each(json_str(location, members[i]), arg);
	return 0;
}

int
graph_texts_reply(const struct http_reply *reply,
    void (*each)(const char *text, void *arg), void *arg, struct buf *next,
    struct err *e)
{
	const json_t *list = NULL;
	json_t *doc = scan_document(reply, &list, next, e);
	int rc = doc == NULL ? -1 : 0;

	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
		rc = scan_event_texts(json_array_get(list, i), each, arg, e);
	json_decref(doc);
	if (rc != 0)
		err_wrap(e, "search a calendar by text");
	return rc;
}
