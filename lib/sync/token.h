/* sync/token.h - bearer tokens: cached, fetched once for all who wait. */
#ifndef SYNC_TOKEN_H
#define SYNC_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/secret.h"
#include "port/http.h"

struct session;

/* Someone who waits for a token. */
struct token_wait {
	/* token NULL: *e says why. May be called from inside token_get(). */
	void (*done)(const struct secret *token, unsigned generation,
	    const struct err *e, void *arg);
	void *arg;
	bool waiting;
	TAILQ_ENTRY(token_wait) link;
};

TAILQ_HEAD(token_waits, token_wait);

/* Zero-initialise, then token_init(). */
struct token_slot {
	struct session *session;
	int tenant; /* index; -1: the gateway's */
	struct secret *token;
	int64_t good_until_ms; /* monotonic */
	unsigned generation; /* of the token held */
	struct http_exchange *exchange;
	struct token_waits waits;
	/* A refusal holds for a while, so that nobody loops on it. */
	struct err refusal;
	int refusals; /* in a row */
	int64_t refused_until_ms; /* monotonic */
};

void token_init(struct token_slot *t, struct session *s, int tenant);
void token_clear(struct token_slot *t);

void token_get(struct token_slot *t, struct token_wait *w);
void token_cancel(struct token_slot *t, struct token_wait *w);

/* The peer did not like the token of that generation: fetch a new one when
 * asked next. */
void token_drop(struct token_slot *t, unsigned generation);

/* A fresh token was refused as well: nobody asks before the wait is over. */
void token_refused(struct token_slot *t, const struct err *e);

#endif
