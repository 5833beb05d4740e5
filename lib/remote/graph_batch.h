/* remote/graph_batch.h - up to twenty requests to Graph in one. Source:
 * reference/graph.md 11.1. */
#ifndef REMOTE_GRAPH_BATCH_H
#define REMOTE_GRAPH_BATCH_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "port/config.h"
#include "port/http.h"

enum { GRAPH_BATCH_MAX = 20 };

/* A member; strings are borrowed. */
struct graph_batch_item {
	const char *method;
	const char *path; /* below /v1.0, percent-encoded */
	const char *body; /* JSON text, NULL: none */
	const char *prefer; /* header of that name, NULL: none */
};

/* What became of a member. */
struct graph_batch_answer {
	int status; /* 0: Graph said nothing of it */
	const json_t *body; /* borrowed for the call, may be NULL */
	int64_t retry_after_ms; /* -1: not said */
};

void graph_batch_request(const struct config *c, const char *op,
    const struct graph_batch_item *items, size_t count,
    struct http_request *req);

/*
 * Calls each once for every member, in order, whatever order Graph chose.
 * -1 when the whole batch failed; each was not called then. A 424 of the whole
 * is accepted when it can be read (members were throttled).
 */
int graph_batch_reply(const struct http_reply *reply, size_t count,
    void (*each)(size_t i, const struct graph_batch_answer *a, void *arg),
    void *arg, struct err *e);

#endif
