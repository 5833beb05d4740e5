/* port/http_exchange.h - inside of port/http: one exchange. */
#ifndef PORT_HTTP_EXCHANGE_H
#define PORT_HTTP_EXCHANGE_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "port/http.h"

/* A scheme, name and port: what connections are made to. */
struct http_host {
	char *name;
	bool multiplexes; /* it spoke HTTP/2 when it was asked last */
	size_t active; /* exchanges that curl has */
	size_t *active_of; /* of each party */
	/* More than there may be connections: curl would count their time
	 * from here on, though nothing is sent. */
	TAILQ_HEAD(, http_exchange) held;
	TAILQ_ENTRY(http_host) link;
};

struct http_exchange {
	struct http *http;
	struct http_host *host;
	size_t party;
	bool is_held;
	TAILQ_ENTRY(http_exchange) held_link;
	CURL *easy;
	struct curl_slist *headers;
	struct buf sent; /* the request's body */
	struct buf got;
	struct http_reply reply;
	bool once, sending, held_back;
	bool (*may_go)(void *arg);
	char retry_after[64]; /* as said, "" not */
	char date[64]; /* the peer's clock */
	char message[CURL_ERROR_SIZE];
	int64_t started_ms;
	void (*done)(const struct http_reply *reply, void *arg);
	void *arg;
	TAILQ_ENTRY(http_exchange) link;
};

struct http {
	struct loop *loop;
	struct http_options options;
	CURLM *multi; /* NULL until the first exchange */
	struct loop_timer *timer;
	TAILQ_HEAD(, http_host) hosts; /* the few that were ever asked */
	TAILQ_HEAD(http_exchanges, http_exchange) exchanges;
	size_t count;
};

/* A new exchange whose easy handle asks what r says; NULL and *e when there is
 * no handle or r is malformed. Not started, not in the list. */
struct http_exchange *
http_exchange_new(struct http *h, const struct http_request *r, struct err *e);
/* The Date that the peer sent, Unix ms; 0: none. */
int64_t http_exchange_date(const struct http_exchange *x);
/* How long r's sender wants to be left alone: at most RETRY_AFTER_MAX_MS, -1:
 * it did not say. */
int64_t http_exchange_retry_after(const struct http_exchange *x);
/* Wipes what may be secret. The easy handle is out of the multi handle. */
void http_exchange_free(struct http_exchange *x);

#endif
