/* remote/graph.h - Microsoft Graph: events. Two pure halves per operation:
 * the request (without Authorization, which the caller adds) and what its
 * reply means. Source: reference/graph.md 9, 10, 11. */
#ifndef REMOTE_GRAPH_H
#define REMOTE_GRAPH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "port/config.h"
#include "port/http.h"
#include "rule/event.h"

#define GRAPH_PREFER "IdType=\"ImmutableId\", outlook.timezone=\"UTC\""

/* What a status and an error code mean depends on what was asked for. */
enum graph_area {
	GRAPH_EVENT, /* one event: ErrorItemNotFound is ERR_GONE */
	GRAPH_MAILBOX, /* a list or a calendar of a mailbox */
	GRAPH_SUBSCRIPTION, /* one subscription: any 404, 410 is ERR_GONE */
	GRAPH_SUBSCRIPTION_CREATE /* 400 of the handshake is ERR_CONFIG */
};

/*
 * 0 for a 2xx; else -1 with what to do:
 * ERR_RETRY network, 5xx, not JSON; ERR_BUSY throttled; ERR_AUTH the token;
 * ERR_GONE the one thing asked for does not exist; ERR_MAILBOX the mailbox is
 * out of reach, the text begins with "forbidden", "no mailbox" or "no user",
 * retry_after_ms says when to look again; ERR_REFUSED anything else. The text
 * has status and code; Graph's own message goes to the log at debug.
 */
int graph_judge(
    const struct http_reply *reply, enum graph_area area, struct err *e);
/* The document of a 2xx, a new reference; NULL as graph_judge(), and
 * reply_json(), say. */
json_t *graph_answer(
    const struct http_reply *reply, enum graph_area area, struct err *e);

/* One table for all of them: also used for the members of a $batch. body may
 * be NULL. */
int graph_judge_status(int status, const json_t *body, int64_t retry_after_ms,
    enum graph_area area, struct err *e);

/* A request to {graphUrl}/v1.0 + path, with the headers that all have. */
void graph_request(const struct config *c, const char *method, const char *op,
    const char *path, struct http_request *req);

/* "/users/{user}" */
void graph_user_path(struct buf *out, const char *user);
/* Immutable ids and UTC: what every read of events prefers. */
void graph_prefer(struct http_request *req);

/* Graph's own nextLink, followed verbatim, but only on Graph's own root: else
 * -1 ERR_REFUSED. */
int graph_next_request(const struct config *c, const char *op, const char *next,
    struct http_request *req, struct err *e);
/* The page that follows this one, "" for the last. */
int graph_next_link(const json_t *doc, struct buf *next, struct err *e);

/* The $filter, not encoded yet, for events with our property; conversation not
 * NULL: only those whose property mentions it. */
void graph_property_filter(
    const struct config *c, const char *conversation, struct buf *out);

/* The path below /v1.0 of GET event. */
void graph_event_path(const struct config *c, const char *user,
    const char *event, struct buf *out);

void graph_event_request(const struct config *c, const char *user,
    const char *event, struct http_request *req);
/* ERR_GONE: deletion candidate. *out is the caller's to clear on 0. */
int graph_event_reply(const struct config *c, const struct http_reply *reply,
    struct event *out, struct err *e);

/* The same in a $batch, only to see whether the event has changed: the path,
 * with GRAPH_PREFER as the member's Prefer. */
void
graph_event_glance_path(const char *user, const char *event, struct buf *out);
/* The changeKey in a member's body, "" when there is none. */
const char *graph_event_glance_read(const json_t *body);

/* The calendar that an event lies in: does it lie in one? ERR_GONE: in none;
 * any other permanent refusal says nothing of it. */
void graph_calendar_path(const char *user, const char *event, struct buf *out);
void graph_calendar_request(const struct config *c, const char *user,
    const char *event, struct http_request *req);
int graph_calendar_reply(const struct http_reply *reply, struct err *e);

/* Any other read of the mailbox: answers 200 when the mailbox is well. */
void graph_control_request(
    const struct config *c, const char *user, struct http_request *req);
int graph_control_reply(const struct http_reply *reply, struct err *e);

/*
 * The events with our property; conversation not NULL: only those whose
 * property mentions it. next not "": the following page, which must lie on
 * graphUrl (-1 ERR_REFUSED otherwise).
 */
int graph_search_request(const struct config *c, const char *user,
    const char *conversation, const char *next, struct http_request *req,
    struct err *e);
/* Calls each for every event that could be read, adds to *unreadable how many
 * could not; next (may hold the old page) becomes the following page's URL or
 * "". */
int graph_search_reply(const struct config *c, const struct http_reply *reply,
    void (*each)(const struct event *ev, void *arg), void *arg,
    size_t *unreadable, struct buf *next, struct err *e);

#endif
