/* rule/retry.c - see retry.h. */
#include "rule/retry.h"

int64_t
retry_delay_ms(int attempt, int64_t base_ms, int64_t cap_ms, uint64_t random)
{
	int64_t window = base_ms;

	while (attempt-- > 0 && window < cap_ms)
		window = window > cap_ms / 2 ? cap_ms : window * 2;
	if (window > cap_ms)
		window = cap_ms;
	if (window <= 0)
		return 0;
	return (int64_t)(random % ((uint64_t)window + 1));
}

/* What the peer asked for and up to a tenth more. */
static int64_t
retry_obey_ms(int64_t asked_ms, uint64_t random)
{
	if (asked_ms > RETRY_AFTER_MAX_MS)
		asked_ms = RETRY_AFTER_MAX_MS;
	return asked_ms + (int64_t)(random % ((uint64_t)asked_ms / 10 + 1));
}

int64_t
retry_wait_ms(const struct err *e, int attempt, uint64_t random)
{
	int64_t cap_ms = RETRY_CAP_MS;
	int64_t own_ms;
	int64_t asked_ms;

	if (attempt <= 0 && e->code == ERR_RETRY)
		cap_ms = RETRY_FIRST_MAX_MS;
	own_ms = retry_delay_ms(attempt, RETRY_BASE_MS, cap_ms, random);
	if (e->retry_after_ms < 0)
		return own_ms;
	asked_ms = retry_obey_ms(e->retry_after_ms, random);
	/* "Retry-After: 0" for ever must not make a busy loop of us. */
	return asked_ms > own_ms ? asked_ms : own_ms;
}

int64_t
retry_forbidden_ms(int attempt)
{
	int64_t wait_ms = RETRY_FORBIDDEN_MS;

	for (int i = 0; i <= attempt && wait_ms < RETRY_FORBIDDEN_CAP_MS; i++)
		wait_ms *= 2;
	return wait_ms < RETRY_FORBIDDEN_CAP_MS ? wait_ms
						: RETRY_FORBIDDEN_CAP_MS;
}

bool
retry_is_worth_it(enum err_code code)
{
	return code == ERR_RETRY || code == ERR_BUSY || code == ERR_AUTH ||
	    code == ERR_FULL;
}
