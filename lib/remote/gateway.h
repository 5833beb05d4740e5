/* remote/gateway.h - the Auth Gateway's tokens. Source: reference/unblu.md 8.
 */
#ifndef REMOTE_GATEWAY_H
#define REMOTE_GATEWAY_H

#include <stddef.h>

#include "base/err.h"
#include "port/config.h"
#include "port/http.h"
#include "remote/entra.h"

/* {unbluOAuthBackendUrl}/.well-known/openid-configuration */
void
gateway_discovery_request(const struct config *c, struct http_request *req);
/* The token endpoint: https, or on the gateway's own host. Whatever it
 * answered, out is usable afterwards: by default {unblu_url}/oauth2/token.
 * -1 only when the gateway can not be asked at all now. */
int gateway_discovery_reply(const struct config *c,
    const struct http_reply *reply, char *out, size_t cap, struct err *e);

/* Client credentials at url. */
void gateway_token_request(const struct config *c, const char *url,
    const struct secret *secret, struct http_request *req);
/* ERR_AUTH: our id or secret is refused. A redirect, a page of HTML and what is
 * no token are ERR_RETRY. */
int gateway_token_reply(
    const struct http_reply *reply, struct token_grant *out, struct err *e);

/* "Basic ..." for unbluAuthMode basic. Yours: wipe and free. */
char *gateway_basic(const char *id, const char *secret);

#endif
