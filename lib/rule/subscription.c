/* rule/subscription.c - see subscription.h. */
#include "rule/subscription.h"

#include "rule/policy.h"

int64_t
subscription_due_ms(const struct subscription *s, int64_t limit_ms)
{
	int64_t wait;

	if (!s->exists || s->granted_ms == 0)
		return 0;
	wait = (s->expires_ms - s->granted_ms) / 2;
	if (limit_ms > 0 && limit_ms < wait)
		wait = limit_ms;
	return s->granted_ms + (wait > 0 ? wait : 0);
}

enum subscription_need
subscription_decide(
    const struct subscription *s, int64_t now_ms, int64_t limit_ms, bool force)
{
	if (!s->exists || s->granted_ms == 0 || now_ms >= s->expires_ms)
		return SUBSCRIPTION_CREATE;
	if (force || now_ms >= subscription_due_ms(s, limit_ms))
		return SUBSCRIPTION_RENEW;
	return SUBSCRIPTION_KEEP;
}

int64_t
subscription_expiry_ms(int64_t now_ms, int64_t life_ms)
{
	const int64_t longest =
	    (int64_t)POLICY_SUBSCRIPTION_LIFE_MAX_MIN * 60 * 1000;

	if (life_ms <= 0 || life_ms > longest)
		life_ms = longest;
	return now_ms + life_ms;
}
