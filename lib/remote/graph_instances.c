/* remote/graph_instances.c - see graph_instances.h. */
#include "remote/graph_instances.h"

#include <string.h>

#include "base/json.h"
#include "base/url.h"
#include "base/when.h"
#include "remote/reply.h"

enum { INSTANCES_PAGE = 100 };

#define INSTANCES_OP "list-instances"

int
graph_instances_request(const struct config *c, const char *user,
    const char *master, const struct series_window *window, const char *next,
    struct http_request *req, struct err *e)
{
	char from[WHEN_TEXT_MAX], to[WHEN_TEXT_MAX];

	if (next[0] != '\0') {
		if (graph_next_request(c, INSTANCES_OP, next, req, e) != 0)
			return -1;
		graph_prefer(req);
		return 0;
	}
	when_format_iso(window->from_ms, false, from);
	when_format_iso(window->to_ms, false, to);
	graph_request(c, "GET", INSTANCES_OP, "", req);
	graph_user_path(&req->url, user);
	buf_puts(&req->url, "/events/");
	url_encode(&req->url, master, strlen(master));
	buf_printf(&req->url,
	    "/instances?startDateTime=%s&endDateTime=%s"
	    "&$select=id,start,end,isAllDay,isCancelled,type&$top=%d",
	    from, to, INSTANCES_PAGE);
	graph_prefer(req);
	return 0;
}

static int
graph_instances_read(const struct config *c, const json_t *doc,
    void (*each)(const struct event *occurrence, void *arg), void *arg,
    struct buf *next, struct err *e)
{
	const json_t *list = json_arr(doc, "value");

	if (list == NULL)
		return err_set(e, ERR_RETRY, "answer without a value");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct event ev = {.subject = NULL};

		if (event_read(json_array_get(list, i), c->addin_id, &ev, e) !=
		    0)
			return -1;
		each(&ev, arg);
		event_clear(&ev);
	}
	return graph_next_link(doc, next, e);
}

int
graph_instances_reply(const struct config *c, const struct http_reply *reply,
    void (*each)(const struct event *occurrence, void *arg), void *arg,
    struct buf *next, struct err *e)
{
	json_t *doc = graph_answer(reply, GRAPH_EVENT, e);
	int rc =
	    doc != NULL ? graph_instances_read(c, doc, each, arg, next, e) : -1;

	if (rc != 0)
		err_wrap(e, "read occurrences");
	json_decref(doc);
	return rc;
}
