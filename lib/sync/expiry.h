/* sync/expiry.h - when what we sign in to Entra with expires: known to status,
 * metrics and /ready by a fact, told in time. */
#ifndef SYNC_EXPIRY_H
#define SYNC_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "port/credential.h"
#include "port/store.h"

/* The fact "credential-expiry"; 0: not known, there is none then. */
int expiry_keep(struct store *s, int64_t ends_ms, struct err *e);
int64_t expiry_known_ms(struct store *s);

/* Within CREDENTIAL_NEAR_DAYS, or past; 0 never is. */
bool expiry_is_near(int64_t ends_ms, int64_t now_ms);

/* Near, and the last call that said so was a day ago, in whatever process:
 * noted in the store. */
bool expiry_is_to_be_told(struct store *s, int64_t ends_ms);

/* One warning: when, in how many days, what to do. Only when it is near. */
void expiry_tell(const struct credential *k);

/* What to do about it, for people. */
const char *expiry_advice(enum credential_kind kind);

#endif
