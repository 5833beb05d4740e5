/* remote/graph_subscription.h - Graph change notification subscriptions.
 * Source: reference/graph.md 4. */
#ifndef REMOTE_GRAPH_SUBSCRIPTION_H
#define REMOTE_GRAPH_SUBSCRIPTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "port/config.h"
#include "port/http.h"

enum { GRAPH_SUBSCRIPTION_ID_MAX = 64 };

/* A subscription as Graph tells it; it never tells the clientState. */
struct graph_subscription {
	char id[GRAPH_SUBSCRIPTION_ID_MAX]; /* a GUID: lower case */
	char resource[160];
	char notification_url[1024];
	char lifecycle_url[1024]; /* "" none */
	bool no_lifecycle; /* Graph says so, it does not just say nothing */
	char application[37]; /* lower case, "" unknown */
	int64_t expires_ms;
};

/* "users/{user}/events" */
void graph_subscription_resource(const char *user, char *out, size_t cap);

/* POST /subscriptions. The clientState must be in the store before. */
void graph_subscribe_request(const struct config *c, const char *user,
    const char *client_state, int64_t expires_ms, struct http_request *req);
/* 409: ERR_REFUSED, *conflict true and other_id the one in the way, "" when
 * Graph did not name it. */
int graph_subscribe_reply(const struct http_reply *reply,
    struct graph_subscription *out, bool *conflict,
    char other_id[GRAPH_SUBSCRIPTION_ID_MAX], struct err *e);

/* The longest life that Graph grants, if this is its refusal of a longer one
 * ("Subscription expiration can only be N minutes in the future."); else 0.
 * body: of the answer or of a member of a $batch, may be NULL. */
int64_t graph_longest_life_ms(int status, const json_t *body);
int64_t graph_longest_life_of(const struct http_reply *reply);

/* PATCH: renews and reauthorizes at once. ERR_GONE: make a new one. */
void graph_renew_request(const struct config *c, const char *id,
    int64_t expires_ms, struct http_request *req);
int graph_renew_reply(const struct http_reply *reply,
    struct graph_subscription *out, struct err *e);
/* The same with a body that was made before. */
void graph_renew_path_request(const struct config *c, const char *id,
    const char *body, struct http_request *req);
/* The body of that PATCH, for $batch too. Yours. */
char *graph_renew_body(int64_t expires_ms);
int graph_subscription_read(
    const json_t *doc, struct graph_subscription *out, struct err *e);

/* A subscription that is gone already counts as unsubscribed: 0. */
void graph_unsubscribe_request(
    const struct config *c, const char *id, struct http_request *req);
int graph_unsubscribe_reply(const struct http_reply *reply, struct err *e);

void graph_get_subscription_request(
    const struct config *c, const char *id, struct http_request *req);
int graph_get_subscription_reply(const struct http_reply *reply,
    struct graph_subscription *out, struct err *e);

/* Our application's subscriptions in the token's tenant, page by page as
 * graph_search_request(). */
int graph_list_subscriptions_request(const struct config *c, const char *next,
    struct http_request *req, struct err *e);
int graph_list_subscriptions_reply(const struct http_reply *reply,
    void (*each)(const struct graph_subscription *sub, void *arg), void *arg,
    struct buf *next, struct err *e);

#endif
