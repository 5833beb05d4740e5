/* sync/token_fetch.h - how a slot gets its token; for token.c. */
#ifndef SYNC_TOKEN_FETCH_H
#define SYNC_TOKEN_FETCH_H

#include "remote/reply.h"
#include "sync/token.h"

/* Asks for a token, which ends in one of the next two, maybe from inside. */
void token_fetch(struct token_slot *t);
void token_granted(struct token_slot *t, const struct token_grant *grant);
void token_fail(struct token_slot *t, const struct err *e);

bool token_is_gateway(const struct token_slot *t);
/* The gateway's token is the secret itself: basic, static-bearer. */
bool token_is_static(const struct token_slot *t);
const char *token_tenant(const struct token_slot *t); /* NULL: the gateway's */

#endif
