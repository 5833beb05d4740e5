/* rule/retry.h - how long to wait before something is tried again. Pure: the
 * random number is a parameter. */
#ifndef RULE_RETRY_H
#define RULE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	RETRY_BASE_MS = 2000,
	RETRY_CAP_MS = 15 * 60 * 1000,
	RETRY_FIRST_MAX_MS = 10 * 1000, /* the first fault: within this */
	RETRY_AFTER_MAX_MS = 24 * 60 * 60 * 1000,
	/* Nobody waits longer, however often a tenth came on top: what lies
	 * further ahead was set by a clock that is not so now. */
	RETRY_WAIT_MAX_MS = RETRY_AFTER_MAX_MS / 4 * 5,
	RETRY_FORBIDDEN_MS = 5 * 60 * 1000, /* a mailbox that Unblu refuses */
	RETRY_FORBIDDEN_CAP_MS = 6 * 60 * 60 * 1000
};

/*
 * Full jitter: evenly in 0 .. min(cap_ms, base_ms * 2^attempt), attempt 0 being
 * the wait behind the first failure. random is any 64 random bits.
 */
int64_t
retry_delay_ms(int attempt, int64_t base_ms, int64_t cap_ms, uint64_t random);

/*
 * The wait behind failure number attempt (from 0) that *e describes. What the
 * peer said (e->retry_after_ms >= 0) comes first: never less than that, up to
 * a tenth more so that not all come back at once, and never less than our own
 * back-off either; a peer that says more than RETRY_AFTER_MAX_MS is asked again
 * after that. Else full jitter with the constants above. The first network
 * fault or 5xx (ERR_RETRY) is repeated within RETRY_FIRST_MAX_MS.
 */
int64_t retry_wait_ms(const struct err *e, int attempt, uint64_t random);

/*
 * The wait of a row that was itself refused for the attempt-th time (from 0):
 * longer than its mailbox is left alone, each time twice as long, so that those
 * that only waited with it come first.
 */
int64_t retry_forbidden_ms(int attempt);

/* Whether repeating can help at all: ERR_RETRY, ERR_BUSY, ERR_AUTH, ERR_FULL.
 */
bool retry_is_worth_it(enum err_code code);

#endif
