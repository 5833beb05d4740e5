/* remote/graph_instances.h - the occurrences of a series in a span of time. Two
 * pure halves, as in graph.h. Source: reference/graph.md 9, 13 (#20);
 * learn.microsoft.com/graph/api/event-list-instances. */
#ifndef REMOTE_GRAPH_INSTANCES_H
#define REMOTE_GRAPH_INSTANCES_H

#include "remote/graph.h"
#include "rule/series.h"

/* next not "": the following page, which must lie on graphUrl (-1 ERR_REFUSED
 * otherwise). */
int graph_instances_request(const struct config *c, const char *user,
    const char *master, const struct series_window *window, const char *next,
    struct http_request *req, struct err *e);

/*
 * Calls each for every occurrence and exception, in no order; next (may hold
 * the old page) becomes the following page's URL or "". ERR_GONE: there is no
 * such event; ERR_REFUSED: it is no series (any more); ERR_INPUT: one of them
 * could not be read, and it may have been the first.
 */
int
graph_instances_reply(const struct config *c, const struct http_reply *reply,
    void (*each)(const struct event *occurrence, void *arg), void *arg,
    struct buf *next, struct err *e);

#endif
