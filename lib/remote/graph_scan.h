/* remote/graph_scan.h - Microsoft Graph: is a conversation's event anywhere in
 * a mailbox? Its calendars, and each one's events by our property and by what
 * their body and location say. No subject is asked for. Two pure halves per
 * operation. Source: reference/graph.md 9, 13 (#28, #29). */
#ifndef REMOTE_GRAPH_SCAN_H
#define REMOTE_GRAPH_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "port/config.h"
#include "port/http.h"

/*
 * All requests: next "" for the first page, else the page that follows, which
 * must lie on graphUrl (-1 ERR_REFUSED). All replies: 0, next (may hold the old
 * page) becomes the following page's URL or ""; -1 as graph_judge() says, and
 * ERR_INPUT for a 200 that can not be understood or is over HTTP_REPLY_MAX:
 * nothing is known of what is in it, and asking again is of little use.
 */

/* The mailbox's calendars: each() is called with every id. */
int graph_calendars_request(const struct config *c, const char *user,
    const char *next, struct http_request *req, struct err *e);
int graph_calendars_reply(const struct http_reply *reply,
    void (*each)(const char *calendar, void *arg), void *arg, struct buf *next,
    struct err *e);

/* The events of a calendar whose property mentions the conversation; live: not
 * called off, and the mailbox's own. */
int graph_carriers_request(const struct config *c, const char *user,
    const char *calendar, const char *conversation, const char *next,
    struct http_request *req, struct err *e);
int graph_carriers_reply(const struct http_reply *reply,
    void (*each)(const char *event, bool live, void *arg), void *arg,
    struct buf *next, struct err *e);

/* The events of a calendar between two times, count to a page, with body (as
 * text) and location. */
struct graph_window {
	const char *calendar;
	int64_t from_ms, to_ms;
	int count;
};
int graph_texts_request(const struct config *c, const char *user,
    const struct graph_window *w, const char *next, struct http_request *req,
    struct err *e);
/* each() sees every text, borrowed for the call; an event may have several. */
int graph_texts_reply(const struct http_reply *reply,
    void (*each)(const char *text, void *arg), void *arg, struct buf *next,
    struct err *e);

#endif
