/* remote/entra.h - Entra ID: tokens for Graph, signing keys. Source:
 * reference/graph.md 2, 3.1. */
#ifndef REMOTE_ENTRA_H
#define REMOTE_ENTRA_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "port/config.h"
#include "port/http.h"
#include "remote/reply.h"

/* Client credentials for {graphUrl}/.default in a tenant. */
void entra_token_request(
    const struct config *c, const char *tenant, struct http_request *req);
/*
 * ERR_AUTH: the credential is refused, the text begins with the AADSTS code;
 * ERR_BUSY, ERR_RETRY: later.
 */
int entra_token_reply(
    const struct http_reply *reply, struct token_grant *out, struct err *e);

/* Discovery of `common`: v1 tokens have other issuers than v2 ones. */
void entra_discovery_request(
    const struct config *c, bool v1, struct http_request *req);
/* The issuer template, e.g. ".../{tenantid}/v2.0". */
int entra_discovery_reply(
    const struct http_reply *reply, char *issuer, size_t cap, struct err *e);

void
entra_keys_request(const struct config *c, bool v1, struct http_request *req);
/* Appends to the array keys {"kid","n","e","issuer"} for each RSA signing key;
 * issuer is for keys that name none. */
int entra_keys_reply(const struct http_reply *reply, const char *issuer,
    json_t *keys, struct err *e);

#endif
