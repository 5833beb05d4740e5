/* fcgi/front.h - the only part that knows libfcgi: one request at a time. */
#ifndef FCGI_FRONT_H
#define FCGI_FRONT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct front;

/*
 * Once, before any front_begin() and after the signals have been blocked:
 * FCGX_Init installs handlers for SIGTERM, SIGUSR1 and SIGPIPE.
 */
int front_init(struct err *e);

/*
 * Lets libfcgi read the head of one request that is known to be complete and
 * of the shape of frame.h. source is read (a file that begins at its offset
 * and holds this request and nothing else); peer is where the answer goes. Both
 * stay the caller's. NULL when libfcgi does not agree with frame.h, which ends
 * the connection: libfcgi has then closed source, and *source is -1.
 */
struct front *front_begin(int *source, int peer, struct err *e);

/* A parameter's text, "" when absent. Borrowed until front_finish(). */
const char *front_param(const struct front *f, const char *name);

/*
 * Reads the whole body and the end of the request into out. Its length, or -1
 * when it is longer than cap (the rest is read away) or broken.
 */
long front_body(struct front *f, char *out, size_t cap);

/* One answer; header lines are "Name: value\r\n" texts. */
struct front_answer {
	int status;
	const char *type; /* Content-Type; NULL: none */
	const char *headers; /* further header lines, "" or NULL: none */
	const char *body; /* NULL: empty */
	size_t body_len;
};

/*
 * Writes the answer and frees f. 0, or -1 when the peer did not take it: the
 * connection is then of no more use. Never waits and never closes.
 */
int front_finish(struct front *f, const struct front_answer *a);

/* Frees f without an answer. NULL is allowed. */
void front_drop(struct front *f);

#endif
