/* fcgi/web_loop.h - the loop thread: connections in, answers out. */
#ifndef FCGI_WEB_LOOP_H
#define FCGI_WEB_LOOP_H

#include <stdint.h>

#include "base/err.h"
#include "web.h"

struct web_loop;

/* Serves listen_fd (non-blocking, stays the caller's) on w->loop. */
struct web_loop *web_loop_new(struct web *w, int listen_fd, struct err *e);

/*
 * No keep-alive any more: each connection is closed with its next answer. New
 * ones are taken unless somebody else will (w->listen_stays); and
 * done(arg) is called once nothing is under way and nothing came for a
 * moment, or after limit_ms.
 */
void web_loop_drain(
    struct web_loop *l, int64_t limit_ms, void (*done)(void *arg), void *arg);

/* Closes all connections. */
void web_loop_free(struct web_loop *l);

#endif
