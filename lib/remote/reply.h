/* remote/reply.h - what every peer's answer has in common. */
#ifndef REMOTE_REPLY_H
#define REMOTE_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "port/http.h"

/* 0 when there is an HTTP answer, else -1: ERR_RETRY for network faults,
 * ERR_INPUT when the request itself could not be made. */
int reply_transport(const struct http_reply *r, struct err *e);

/* application/json or application/...+json. */
bool reply_is_json(const struct http_reply *r);

/* The parsed body, a new reference; NULL with ERR_RETRY when it is not JSON
 * or broken (the first of these is worth repeating). */
json_t *reply_json(const struct http_reply *r, struct err *e);

/* 429: ERR_BUSY; 408 and 5xx: ERR_BUSY when the peer said how long, else
 * ERR_RETRY; all else 0. code is the peer's word for the text. */
int reply_overload(const struct http_reply *r, const char *code, struct err *e);

/* Fills *e with what a table made of an answer. A fault whose sender said how
 * long (retry_after_ms >= 0) is ERR_BUSY. Always -1. */
int reply_judged(struct err *e, enum err_code means, int64_t retry_after_ms,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A bearer token and how long it may be used from the reply on. */
struct token_grant {
	struct secret *token; /* yours */
	int64_t life_ms;
};

/* A token endpoint's good answer (RFC 6749 5.1): expires_in, fallback_s when
 * absent, at most a day, less margin_s (or half, if it is that short). A token
 * has at most 16 KiB of printable ASCII. */
int reply_token(const struct http_reply *r, int64_t fallback_s,
    int64_t margin_s, struct token_grant *out, struct err *e);

/* Appends a header with a fresh GUID: client-request-id for Microsoft. */
void reply_request_id(struct http_request *req);

#endif
