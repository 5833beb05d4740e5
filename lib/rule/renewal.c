/* rule/renewal.c - see renewal.h. */
#include "rule/renewal.h"

#include <string.h>

#include "rule/retry.h"

enum { RENEWAL_AHEAD_MS = 60 * 1000 };

const char *
renewal_action_name(enum renewal_action action)
{
	static const char *const names[RENEWAL_ACTION_COUNT] = {
	    [RENEWAL_NOTHING] = "nothing",
	    [RENEWAL_CREATE] = "create",
	    [RENEWAL_RENEW] = "renew",
	    [RENEWAL_RECREATE] = "recreate",
	    [RENEWAL_RETRY] = "retry",
	    [RENEWAL_LEAVE] = "remove",
	};

	return names[action];
}

static struct renewal_verdict
renewal_nothing(const char *reason, int64_t due_ms)
{
	return (struct renewal_verdict){
	    .action = RENEWAL_NOTHING, .reason = reason, .due_ms = due_ms};
}

static struct renewal_verdict
renewal_do(enum renewal_action action, const char *reason)
{
	return (struct renewal_verdict){.action = action, .reason = reason};
}

/* Of a mailbox that nobody follows. */
static struct renewal_verdict
renewal_leave(const struct renewal_facts *f, const char *reason)
{
	struct renewal_verdict v = renewal_nothing(reason, 0);

	if (f->sub.exists) {
		v.action = RENEWAL_LEAVE;
		v.ends = f->state != RENEWAL_UNFOLLOWED;
	}
	return v;
}

static struct renewal_verdict
renewal_followed(
    const struct renewal_facts *f, int64_t now_ms, int64_t limit_ms, bool force)
{
	const struct subscription *s = &f->sub;
	int64_t due_ms = subscription_due_ms(s, limit_ms);

	if (!s->exists)
		return renewal_do(RENEWAL_CREATE, "no subscription");
	if (s->granted_ms == 0)
		return renewal_do(
		    RENEWAL_CREATE, "its creation was not confirmed");
	if (f->flaw != NULL)
		return renewal_do(RENEWAL_RECREATE, f->flaw);
	switch (subscription_decide(s, now_ms, limit_ms, force)) {
	case SUBSCRIPTION_CREATE:
		return renewal_do(RENEWAL_RECREATE, "expired");
	case SUBSCRIPTION_RENEW:
		return renewal_do(RENEWAL_RENEW,
		    subscription_is_ahead(s, now_ms) ? "our clock was set back"
			: force && now_ms < due_ms
			? "forced"
			: "half of its life or the limit passed");
	case SUBSCRIPTION_KEEP:
		break;
	}
	return renewal_nothing("not due", due_ms);
}

static struct renewal_verdict
renewal_unfollowed(
    const struct renewal_facts *f, int64_t now_ms, int64_t limit_ms, bool force)
{
	struct renewal_verdict v;

	if (strcmp(f->state_reason, RENEWAL_NO_TENANT) != 0 &&
	    strcmp(f->state_reason, RENEWAL_DISABLED) != 0)
		return renewal_leave(f, "no longer followed");
	v = renewal_followed(f, now_ms, limit_ms, force);
	v.resumes = true;
	return v;
}

bool
renewal_parked_waits(int64_t retry_ms, int64_t now_ms)
{
	return retry_ms > now_ms &&
	    (retry_ms <= now_ms + RETRY_WAIT_MAX_MS ||
		retry_ms >= RENEWAL_PARKED_FOR_GOOD_MS);
}

struct renewal_verdict
renewal_decide(
    const struct renewal_facts *f, int64_t now_ms, int64_t limit_ms, bool force)
{
	if (!f->tenant_known)
		return renewal_leave(f, RENEWAL_NO_TENANT);
	if (!f->enabled)
		return renewal_leave(f, RENEWAL_DISABLED);
	if (f->unused)
		return renewal_leave(f, RENEWAL_UNUSED);
	switch (f->state) {
	case RENEWAL_UNFOLLOWED:
		return renewal_unfollowed(f, now_ms, limit_ms, force);
	case RENEWAL_PARKED:
		if (!renewal_parked_waits(f->retry_ms, now_ms))
			return renewal_do(RENEWAL_RETRY,
			    f->retry_ms <= now_ms
				? "parked, time to try again"
				: "parked, our clock was set back");
		return renewal_nothing("parked", f->retry_ms);
	case RENEWAL_FOLLOWED:
		break;
	}
	return renewal_followed(f, now_ms, limit_ms, force);
}

bool
renewal_success_is_known(int64_t success_ms, int64_t now_ms)
{
	return success_ms > 0 && success_ms <= now_ms + RENEWAL_AHEAD_MS;
}
