/* port/http_exchange.h - inside of port/http: one exchange. */
#ifndef PORT_HTTP_EXCHANGE_H
#define PORT_HTTP_EXCHANGE_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "port/http.h"

struct http_exchange {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct buf sent; /* the request's body */
	struct buf got;
	struct http_reply reply;
	bool once, sending;
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
	TAILQ_HEAD(, http_exchange) exchanges;
	size_t count;
};

/* A new exchange whose easy handle asks what r says; NULL and *e when there is
 * no handle or r is malformed. Not started, not in the list. */
struct http_exchange *
http_exchange_new(struct http *h, const struct http_request *r, struct err *e);
/* Wipes what may be secret. The easy handle is out of the multi handle. */
void http_exchange_free(struct http_exchange *x);

#endif
