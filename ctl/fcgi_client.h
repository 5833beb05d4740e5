/* ctl/fcgi_client.h - one GET over a FastCGI socket. */
#ifndef CTL_FCGI_CLIENT_H
#define CTL_FCGI_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Asks the program that listens on the unix socket at path for uri. The HTTP
 * status, with the body in *body (which has a limit); or -1: ERR_RETRY when
 * nobody listens or answers within timeout_ms, ERR_INPUT when what comes back
 * is not FastCGI.
 */
int fcgi_client_get(const char *path, const char *uri, int timeout_ms,
    struct buf *body, struct err *e);

#endif
