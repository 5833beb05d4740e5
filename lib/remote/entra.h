/* remote/entra.h - Entra ID: tokens for Graph, signing keys. Source:
 * reference/graph.md 2, 3.1. */
#ifndef REMOTE_ENTRA_H
#define REMOTE_ENTRA_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jws_sign.h"
#include "base/secret.h"
#include "port/config.h"
#include "port/http.h"
#include "remote/reply.h"

/* What proves that we are the application. */
enum entra_proof { ENTRA_SECRET, ENTRA_ASSERTION };

/* Client credentials for {graphUrl}/.default in a tenant. */
void entra_token_request(const struct config *c, const char *tenant,
    enum entra_proof proof, const struct secret *text,
    struct http_request *req);
/*
 * The client assertion for a tenant's token endpoint: good from half a minute
 * before now_ms, for ten minutes. jti: a fresh GUID. Yours; NULL when it could
 * not be signed.
 */
struct secret *entra_assertion(const struct config *c, const char *tenant,
    const struct jws_signer *signer, int64_t now_ms, const char *jti,
    struct err *e);
/*
 * ERR_AUTH: refused until somebody acts: the text begins with the AADSTS code
 * and what to do, and ends with Entra's own words in brackets; ERR_BUSY,
 * ERR_RETRY: later.
 */
int entra_token_reply(
    const struct http_reply *reply, struct token_grant *out, struct err *e);

/* What a refusal (doc: its body, or NULL) means: as entra_token_reply(). -1. */
int
entra_refusal(const json_t *doc, const struct http_reply *reply, struct err *e);
/* The AADSTS code at the beginning of such a text, also behind what was put in
 * front of it; 0: none. */
int entra_code_in(const char *text);

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
