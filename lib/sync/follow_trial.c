/* sync/follow_trial.c - see follow_state.h: creations whose answer was lost. As
 * long as Graph may have made such a one its clientState is kept, so they have
 * to stay few: see rule/subscription.h. */
#include "base/clock.h"
#include "port/store_renewal.h"
#include "sync/follow_state.h"

int
follow_add_pending(struct follow *f, struct store *s, struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	int64_t last_ms = 0;

	if (store_subscription_unanswered(
		s, f->fresh, now_ms, &f->unanswered, &last_ms, e) != 0)
		return -1;
	f->pause_ms = subscription_pause_ms(f->unanswered, now_ms - last_ms);
	if (f->pause_ms > 0)
		return 0;
	f->trial = f->unanswered > 0;
	f->fresh->requested_life_ms = follow_expiry_ms(f) - now_ms;
	return store_subscription_add_pending(s, f->fresh, e);
}

int
follow_apply_whole(struct store *s, void *arg, struct err *e)
{
	struct follow *f = arg;

	if (follow_apply_hold(s, f, e) != 0)
		return -1;
	if (!f->claimed)
		return 0;
	f->unanswered = 0;
	f->trial = false;
	f->fresh->requested_life_ms = follow_expiry_ms(f) - clock_wall_ms();
	if (store_subscription_remove(s, f->fresh->client_state_hash, e) < 0)
		return -1;
	return store_subscription_add_pending(s, f->fresh, e);
}

bool
follow_pauses(struct follow *f)
{
	struct err e = {.code = ERR_NONE};

	if (f->pause_ms == 0)
		return false;
	err_set(&e, ERR_RETRY,
	    "%lld creations of the subscription have no answer",
	    (long long)f->unanswered);
	e.retry_after_ms = f->pause_ms;
	follow_fail(f, &e);
	return true;
}

static void
follow_lengthened(int64_t expires_ms, const struct err *e, void *arg)
{
	struct follow *f = arg;

	if (e->code == ERR_NONE) {
		f->expires_ms = expires_ms;
	} else {
		/* It is due by half of what it has. */
		f->trial = true;
		follow_expiry_ms(f);
	}
	follow_granted(f, follow_creation(f));
}

void
follow_lengthen(struct follow *f)
{
	f->trial = false;
	f->renewal.tenant = f->tenant;
	f->renewal.user = f->user;
	f->renewal.id = f->granted_id;
	f->renewal.expires_ms = follow_expiry_ms(f);
	f->renewal.done = follow_lengthened;
	f->renewal.arg = f;
	renewal_start(f->session, &f->renewal);
}
