/* sync/signin.h - what we sign in with, watched: a secret, certificate or token
 * that is replaced is used without a restart. */
#ifndef SYNC_SIGNIN_H
#define SYNC_SIGNIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "port/credential.h"
#include "port/http.h"

struct session;
struct token_slot;

enum { SIGNIN_WATCH_MS = 5000 };

struct signin {
	struct session *session;
	struct credential entra;
	struct credential gateway;
	struct loop_timer *watch;
	bool begun;
	bool was_usable; /* the one for Entra, when it was last looked at */
	/* Of these changes the watch has told; a request for a token may have
	 * read newer files since. */
	unsigned entra_told, gateway_told;
	int64_t ends_ms; /* as the store has it */
};

void signin_init(struct signin *in, struct session *s);
void signin_clear(struct signin *in);

/* Begins to watch (sync; the renewal reads everything anew in each pass). The
 * store is open. What a former process held for want of a credential is tried
 * at once. */
void signin_begin(struct signin *in);

/* The request for a token of a tenant. -1: ERR_AUTH, there is nothing that
 * could be sent, and why. */
int signin_entra_request(struct signin *in, const char *tenant,
    struct http_request *req, struct err *e);
/* The gateway's secret as it is now; borrowed. NULL as above. */
const struct secret *signin_gateway_secret(struct signin *in, struct err *e);

/* Kept in the store for status: the refusal of a tenant's sign-in ("gateway":
 * the gateway's), and its end, after which what was held for it goes on. */
void
signin_note_refusal(struct session *s, const char *who, const struct err *e);
void signin_note_success(
    struct session *s, const char *tenant, const char *who, const char *held);

/* What waited with a reason that begins like held goes on, and sync is woken.
 * tenant "": any. */
void signin_release(struct session *s, const char *tenant, const char *held);

#endif
