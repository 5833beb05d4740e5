/* sync/call.h - one exchange with a peer: waits its turn, gets the token, asks,
 * judges, and once more with a fresh token when that was the trouble. */
#ifndef SYNC_CALL_H
#define SYNC_CALL_H

#include "sync/session.h"

enum call_peer {
	CALL_GRAPH, /* of a tenant */
	CALL_UNBLU,
	CALL_ENTRA /* public documents: no token */
};

enum { CALL_TRACE = 33 };

/* Owned by the caller; set the first block, then call_start(). */
struct call {
	struct session *session;
	enum call_peer peer;
	const char *tenant; /* with CALL_UNBLU only for scopes; "" none */
	const char *user; /* "" when it is not about one mailbox */
	const char *thing; /* of the mailbox: an event ...; NULL: all of it */
	const char *trace; /* the trace that it belongs to; NULL: of its own */
	int (*build)(struct http_request *req, void *arg, struct err *e);
	int (*parse)(const struct http_reply *reply, void *arg, struct err *e);
	/* Called once, maybe from inside call_start(): touch nothing behind
	 * that. code ERR_NONE: parse was content. */
	void (*done)(const struct err *e, void *arg);
	void *arg;

	/* set for done */
	bool asked; /* a request went out; else it was held back */
	int64_t held_ms; /* held back: not before so long from now */

	/* private */
	struct token_wait wait;
	struct http_exchange *exchange;
	unsigned generation;
	bool again;
	const char *op;
};

/* How long c's peer must not be asked yet (Retry-After), 0: it may be. */
int64_t call_throttled_ms(const struct call *c);
/* A member of a batch about that mailbox was throttled: *wait_ms (< 0: not
 * said) becomes the wait that is kept for it. */
void call_keep_throttle(
    struct session *s, const char *tenant, const char *user, int64_t *wait_ms);

/* A new trace id. */
void call_new_trace(char out[CALL_TRACE]);

void call_start(struct call *c);
/* Ends it without done. */
void call_cancel(struct call *c);

#endif
