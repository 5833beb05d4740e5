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

/* With what the reasons of rows begin that wait for a token. */
#define TOKEN_HELD_BY_ENTRA "Entra token"
#define TOKEN_HELD_BY_GATEWAY "gateway "

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
	bool again; /* there is a new credential: ask once more */
	bool granted; /* ever, to this process */
	bool unreachable; /* told: its endpoint fails again and again */
	/* A peer that refuses everybody is told from one that refuses an
	 * agent or a mailbox: by what happens to the others. */
	bool worked; /* since the last refusal by the peer */
	char refused_who[80]; /* tenant/user of that one, "" none */
};

void token_init(struct token_slot *t, struct session *s, int tenant);
void token_clear(struct token_slot *t);

void token_get(struct token_slot *t, struct token_wait *w);
void token_cancel(struct token_slot *t, struct token_wait *w);

/* The peer did not like the token of that generation: fetch a new one when
 * asked next. */
void token_drop(struct token_slot *t, unsigned generation);

/* An exchange with the token succeeded. */
void token_worked(struct token_slot *t);

/* A fresh token was refused as well, in an exchange about that user. When it
 * was so for another one before and nobody succeeded in between, nobody asks
 * before the wait is over; else it is that one's own affair. login: the peer
 * wants a login, which is never about a single one: told at once. */
void token_refused(struct token_slot *t, const char *tenant, const char *user,
    bool login, const struct err *e);

/* The credential has been replaced: what it was refused for may be over. */
void token_retry(struct token_slot *t);

#endif
