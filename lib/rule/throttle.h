/* rule/throttle.h - how long to leave alone whoever throttles us, again and
 * again. Pure: time and chance are parameters. */
#ifndef RULE_THROTTLE_H
#define RULE_THROTTLE_H

#include <stdint.h>

enum {
	THROTTLE_SLOTS = 128,
	THROTTLE_BASE_MS = 1000,
	THROTTLE_CAP_MS = 5 * 60 * 1000
};

struct throttle_slot {
	uint64_t scope; /* hash of a mailbox's, a tenant's, Unblu's name */
	int repeats;
	int64_t until_ms;
};

/* Zero-initialised: nobody throttles. Of two scopes that share a slot the
 * later one counts. Nothing to free. */
struct throttle {
	struct throttle_slot slots[THROTTLE_SLOTS];
};

/*
 * The scope has said "not now" at now_ms: how long it is left alone. Never less
 * than asked_ms (< 0: it did not say) up to a day; and, as some say "1" for
 * ever, never less than our own back-off, which grows with each repetition
 * behind the last pause. What was under way when that began is no repetition.
 */
int64_t throttle_refused(struct throttle *t, const char *scope,
    int64_t asked_ms, int64_t now_ms, uint64_t random);

/* The scope has answered: what comes later begins anew. */
void throttle_worked(struct throttle *t, const char *scope);

#endif
