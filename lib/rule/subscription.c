/* rule/subscription.c - see subscription.h. */
#include "rule/subscription.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "rule/policy.h"

enum { SUBSCRIPTION_MINUTE_MS = 60 * 1000 };

uint32_t
subscription_spread(const char *tenant, const char *user)
{
	uint64_t hash = text_hash(text_hash(TEXT_HASH, tenant), user);

	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(hash >> 32);
}

/* See subscription_due_ms(): a clock behind Graph's makes it look longer. */
static int64_t
subscription_life_ms(const struct subscription *s)
{
	int64_t life_ms = s->expires_ms - s->granted_ms;
	int64_t most_ms = s->asked_ms > SUBSCRIPTION_FLOOR_MS
	    ? s->asked_ms
	    : SUBSCRIPTION_FLOOR_MS;

	return s->asked_ms > 0 && life_ms > most_ms ? most_ms : life_ms;
}

int64_t
subscription_due_ms(const struct subscription *s, int64_t limit_ms)
{
	int64_t wait_ms;

	if (!s->exists || s->granted_ms == 0)
		return 0;
	wait_ms = subscription_life_ms(s) / 2;
	if (limit_ms > 0 && limit_ms < wait_ms)
		wait_ms = limit_ms;
	if (wait_ms <= 0)
		return s->granted_ms;
	wait_ms -= (int64_t)(((uint64_t)(wait_ms / SUBSCRIPTION_SPREAD_PART) *
				 s->spread) >>
	    32);
	return s->granted_ms + wait_ms;
}

bool
subscription_is_ahead(const struct subscription *s, int64_t now_ms)
{
	return s->granted_ms > now_ms + SUBSCRIPTION_AHEAD_MS &&
	    s->expires_ms - now_ms <= s->asked_ms / 2;
}

enum subscription_need
subscription_decide(
    const struct subscription *s, int64_t now_ms, int64_t limit_ms, bool force)
{
	if (!s->exists || s->granted_ms == 0 || now_ms >= s->expires_ms)
		return SUBSCRIPTION_CREATE;
	if (force || subscription_is_ahead(s, now_ms) ||
	    now_ms >= subscription_due_ms(s, limit_ms))
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

int64_t
subscription_end_ms(int64_t expires_ms, int64_t graph_ms, int64_t now_ms)
{
	int64_t off_ms = now_ms - graph_ms;
	int64_t distance_ms = off_ms < 0 ? -off_ms : off_ms;

	if (graph_ms == 0 || distance_ms <= SUBSCRIPTION_AHEAD_MS ||
	    distance_ms > SUBSCRIPTION_OFF_MS)
		return expires_ms;
	return expires_ms + off_ms;
}

int64_t
subscription_trial_ms(int64_t life_ms, int64_t unanswered)
{
	if (unanswered > 0 && (life_ms <= 0 || life_ms > SUBSCRIPTION_TRIAL_MS))
		return SUBSCRIPTION_TRIAL_MS;
	return life_ms;
}

int64_t
subscription_pause_ms(int64_t unanswered, int64_t since_ms)
{
	int64_t more = unanswered - SUBSCRIPTION_TRIALS + 1;
	int64_t pause_ms = more * SUBSCRIPTION_TRIALS_APART_MS - since_ms;

	return more > 0 && pause_ms > 0 ? pause_ms : 0;
}

int64_t
subscription_shorter_ms(int64_t life_ms, int64_t longest_ms)
{
	int64_t next_ms = longest_ms - SUBSCRIPTION_MINUTE_MS;

	/* Just below it is what was asked for the last time. */
	if (next_ms >= life_ms)
		next_ms = life_ms / 4 * 3;
	return next_ms >= SUBSCRIPTION_MINUTE_MS ? next_ms : 0;
}

static bool
subscription_differs(const char *made, const char *wanted)
{
	return made[0] != '\0' && strcasecmp(made, wanted) != 0;
}

const char *
subscription_flaw(const struct subscription_terms *made,
    const struct subscription_terms *wanted)
{
	if (strcmp(made->url, wanted->url) != 0)
		return "made for another deploymentUrl";
	if (subscription_differs(made->application, wanted->application))
		return "made for another clientId";
	if (subscription_differs(made->addin, wanted->addin))
		return "made for another addinId";
	if (made->no_lifecycle)
		return "it has no lifecycleNotificationUrl";
	return NULL;
}
