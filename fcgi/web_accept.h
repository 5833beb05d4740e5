/* fcgi/web_accept.h - new connections, also when descriptors run out. */
#ifndef FCGI_WEB_ACCEPT_H
#define FCGI_WEB_ACCEPT_H

#include "base/err.h"
#include "base/loop.h"

struct acceptor;

/*
 * Calls take(fd, arg) for every connection to listen_fd (non-blocking, stays
 * the caller's); fd is non-blocking and close-on-exec. take returns -1 when it
 * can not keep it. While descriptors or memory are short the others wait in
 * the backlog, which is looked at again every 50 ms.
 */
struct acceptor *acceptor_new(struct loop *loop, int listen_fd,
    int (*take)(int fd, void *arg), void *arg, struct err *e);
/* For good: the others stay in the backlog. */
void acceptor_stop(struct acceptor *a);
void acceptor_free(struct acceptor *a); /* NULL is allowed */

#endif
