/* port/http.h - outbound HTTP on curl multi, driven by the loop. */
#ifndef PORT_HTTP_H
#define PORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

enum {
	HTTP_REPLY_MAX = 4 << 20,
	HTTP_URL_MAX = 8 << 10,
	HTTP_BODY_MAX = 256 << 10,
	HTTP_HEADER_MAX = 32 << 10, /* one value */
	HTTP_HEADERS_MAX = 8,
	HTTP_CONNECTIONS_PER_HOST = 64,
	HTTP_CONNECT_MS = 3000,
	HTTP_TIMEOUT_MS = 15000
};

struct http; /* one per process */
struct http_exchange; /* one request under way */

/* Borrowed for the life of struct http. */
struct http_options {
	const char *ca_file; /* "": the system's */
	const char *proxy; /* "": none (the environment is not consulted) */
	const char *no_proxy;
	int max_connections_per_host; /* 0: HTTP_CONNECTIONS_PER_HOST */
	/* Those between whom a host's connections are shared (rule/share.h):
	 * nobody's exchanges wait for another one's. */
	size_t parties;
	const char *user_agent;
};

/* Takes no memory for TLS before the first http_start(). Never fails. */
struct http *http_new(struct loop *loop, const struct http_options *options);
/* Exchanges still under way are dropped without their callback. */
void http_free(struct http *h);

/* Owned by the caller, http_start() copies what it needs. */
struct http_request {
	char method[8];
	struct buf url;
	struct buf body; /* sent as is; len 0: no body (Content-Length: 0 with
			    POST) */
	const char *content_type; /* static text; NULL: none */
	struct {
		const char *name; /* static text */
		struct buf value;
	} headers[HTTP_HEADERS_MAX];
	size_t header_count; /* over HTTP_HEADERS_MAX: one did not fit */
	bool once; /* a write: never sent again by the transport itself */
	/* Whole exchange, but for the wait for one of the host's connections;
	 * 0: 15 s. */
	int64_t timeout_ms;
	const char *op; /* static name for logs and metrics: "get-event" */
	size_t party; /* from 1 up to the option's parties; 0: nobody's */
	/* Asked with http_start()'s arg just before the request is sent, which
	 * may be long after the start. False: it is not, HTTP_HELD. NULL: it
	 * always is. */
	bool (*may_go)(void *arg);
};

void
http_request_init(struct http_request *r, const char *method, const char *op);
void http_request_clear(struct http_request *r);
/* Adds a header; the value is wiped when the request is cleared. Values with
 * controls make http_start() fail. */
void http_request_header(struct http_request *r, const char *name,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* How the transport ended; an HTTP status exists only with HTTP_DONE. */
enum http_result {
	HTTP_DONE,
	HTTP_DNS,
	HTTP_CONNECT,
	HTTP_TLS,
	HTTP_TIMEOUT,
	HTTP_BROKEN, /* reset, truncated, not HTTP */
	HTTP_TOO_BIG, /* body over HTTP_REPLY_MAX */
	HTTP_REFUSED, /* the request itself could not be made */
	HTTP_HELD /* nothing was sent: may_go said no */
};

struct http_reply {
	enum http_result result;
	int status;
	const char *body; /* NUL-terminated, borrowed for the callback */
	size_t body_len;
	char content_type[96]; /* lower case, without parameters */
	char request_id[64]; /* the peer's request-id header, "" if none */
	char www_authenticate[256];
	char location[256];
	int64_t date_ms; /* the peer's clock, Unix ms; 0: not said */
	int64_t retry_after_ms; /* up to RETRY_AFTER_MAX_MS; -1: not said */
	int64_t duration_ms;
	const char *message; /* curl's words when result is not HTTP_DONE */
};

/*
 * Starts an exchange; done is called once from the loop, never from inside
 * http_start(). Redirects are not followed, only http and https are spoken,
 * certificates are verified. NULL when the request is malformed. Above the
 * number of connections that a host gets, or the party's share of them, it is
 * held until another has ended.
 */
struct http_exchange *http_start(struct http *h, const struct http_request *r,
    void (*done)(const struct http_reply *reply, void *arg), void *arg,
    struct err *e);

/* Ends it without a callback. */
void http_cancel(struct http_exchange *x);

/* Exchanges under way. */
size_t http_count(const struct http *h);

#endif
