/* remote/unblu.h - the Unblu Web API v4. Source: reference/unblu.md. */
#ifndef REMOTE_UNBLU_H
#define REMOTE_UNBLU_H

#include <stdint.h>

#include "base/err.h"
#include "port/config.h"
#include "port/http.h"
#include "rule/guard.h"

/*
 * 0 for a 2xx; else -1: ERR_AUTH a 401, a redirect or HTML (the gateway wants
 * a new token); ERR_GONE unknown id; ERR_MAILBOX 403 (the agent may not, or
 * the properties of Unblu are not set); ERR_CONFIG a 404 that Unblu itself did
 * not make, in JSON or not: wrong base path, or a gateway without its upstream;
 * ERR_BUSY, ERR_RETRY; ERR_REFUSED anything else. The text never quotes the
 * answer: what Unblu says of it goes to the log at debug.
 */
int unblu_judge(const struct http_reply *reply, struct err *e);

void unblu_read_request(
    const struct config *c, const char *conversation, struct http_request *req);
int unblu_read_reply(
    const struct http_reply *reply, struct conversation *out, struct err *e);

/* The history: Unblu's own 404 and refusals are findings, not errors. */
void unblu_history_request(
    const struct config *c, const char *conversation, struct http_request *req);
int unblu_history_reply(const struct http_reply *reply,
    struct conversation_history *out, struct err *e);

void unblu_set_topic_request(const struct config *c, const char *conversation,
    const char *topic, struct http_request *req);
void unblu_set_time_request(const struct config *c, const char *conversation,
    int64_t start_ms, struct http_request *req);
/* Of both: the conversation as it is now. */
int unblu_set_reply(
    const struct http_reply *reply, struct conversation *out, struct err *e);

void unblu_delete_request(
    const struct config *c, const char *conversation, struct http_request *req);
/* A conversation that is gone already counts as deleted: 0. */
int unblu_delete_reply(const struct http_reply *reply, struct err *e);

/* End with reason CANCELED, for onEventDeleted ...-else-cancel. */
void unblu_end_request(
    const struct config *c, const char *conversation, struct http_request *req);
int unblu_end_reply(const struct http_reply *reply, struct err *e);

/* Needs a login, but no rights and no person. version: Unblu's own word. */
void unblu_version_request(const struct config *c, struct http_request *req);
int unblu_version_reply(
    const struct http_reply *reply, char *version, size_t cap, struct err *e);

/* No login needed. */
void unblu_ping_request(const struct config *c, struct http_request *req);
int unblu_ping_reply(const struct http_reply *reply, struct err *e);

#endif
