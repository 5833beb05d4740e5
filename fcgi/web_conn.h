/* fcgi/web_conn.h - reading one connection until a request is complete. */
#ifndef FCGI_WEB_CONN_H
#define FCGI_WEB_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/loop.h"
#include "frame.h"

enum { CONN_SCRATCH = 64 * 1024 };

/* The memory that bodies may take, all connections together. */
struct budget {
	size_t taken; /* of WEB_BODIES_MAX */
	size_t spooled; /* of these, for requests not complete yet */
};

struct conn {
	int fd;
	struct loop_watch *watch;
	struct web_loop *owner;

	struct frame frame; /* of the request that is arriving */
	int spool; /* memfd with what was read of it, -1 none */
	size_t charge; /* of the budget, for the spool */
	bool too_long; /* body over the limit: it is read away */
	int64_t started_ms; /* first byte of the request */
	int64_t moved_ms; /* last byte of it */

	bool keep; /* of the request that is being worked on */
	bool readable; /* there may be more to read */
	bool gone; /* the peer has closed both ways */
	bool in_arriving, in_hungry;
	struct job *job; /* the request that is being worked on */

	LIST_ENTRY(conn) all;
	TAILQ_ENTRY(conn) arriving; /* began a request, not complete */
	TAILQ_ENTRY(conn) hungry; /* waits, unread, for budget */
};

enum conn_result {
	CONN_WAITS, /* nothing more to read now */
	CONN_HUNGRY, /* no budget: unread until some is free */
	CONN_REQUEST, /* complete: read it from *source */
	CONN_BAD, /* not FastCGI as frame.h wants it: see frame.fault */
	CONN_CLOSED /* the peer is gone */
};

/*
 * Reads on, exactly to the end of a request, into a memfd, which is at its
 * beginning then. *source is one of the caller's, for requests that lie in the
 * socket as a whole; it becomes that of the connection for any other, as what
 * waits unread would keep the peer from sending the rest. scratch holds
 * CONN_SCRATCH bytes.
 */
enum conn_result conn_read(
    struct conn *c, struct budget *budget, unsigned char *scratch, int *source);

/* Ready for the next request: closes the spool and returns its budget. */
void conn_reset(struct conn *c, struct budget *budget);

#endif
