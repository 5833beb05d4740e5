/* sync/follow_terms.c - see follow_state.h: what a subscription is made for,
 * and for how long. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/follow_state.h"

enum {
	FOLLOW_YOUNG_MS = 5 * 1000, /* and the debounce of a row put back */
};

void
follow_facts(const struct follow *f, const struct store_subscription *sub,
    struct subscription *facts)
{
	facts->exists = f->has_sub;
	facts->granted_ms = sub->granted_ms;
	facts->expires_ms = sub->expires_ms;
	facts->asked_ms = sub->requested_life_ms;
	facts->spread = subscription_spread(f->tenant, f->user);
}

void
follow_set_terms(const struct follow *f, struct store_subscription *sub)
{
	const struct config *c = f->session->config;
	char *url = config_public_url(c, "/webhook/events");

	text_copy(sub->notification_url, sizeof(sub->notification_url), url);
	text_copy(sub->application, sizeof(sub->application), c->client_id);
	text_copy(sub->addin, sizeof(sub->addin), c->addin_id);
	free(url);
}

const char *
follow_flaw(const struct follow *f)
{
	const struct config *c = f->session->config;
	char *url = config_public_url(c, "/webhook/events");
	const struct subscription_terms made = {
	    .url = f->sub.notification_url,
	    .application = f->sub.application,
	    .addin = f->sub.addin,
	    .no_lifecycle = f->sub.no_lifecycle,
	};
	const struct subscription_terms wanted = {
	    .url = url, .application = c->client_id, .addin = c->addin_id};
	const char *flaw = subscription_flaw(&made, &wanted);

	free(url);
	return flaw;
}

int64_t
follow_expiry_ms(struct follow *f)
{
	int64_t now_ms = clock_wall_ms();
	int64_t life_ms = f->session->policy.subscription_life_ms;
	int64_t expires_ms = subscription_expiry_ms(
	    now_ms, f->trial ? subscription_trial_ms(life_ms, 1) : life_ms);

	f->asked_ms = expires_ms - now_ms;
	return expires_ms;
}

bool
follow_ask_for_less(struct follow *f, int64_t longest_ms)
{
	struct policy *p = &f->session->policy;
	int64_t life_ms = subscription_shorter_ms(f->asked_ms, longest_ms);

	if (longest_ms == 0 || life_ms == 0)
		return false;
	/* Another mailbox's refusal may have come first. */
	if (p->subscription_life_ms <= 0 ||
	    p->subscription_life_ms >= f->asked_ms) {
		p->subscription_life_ms = life_ms;
		log_warning("subscription-life-shortened",
		    LOG_STR("tenant", f->tenant), LOG_STR("mailbox", f->user),
		    LOG_INT("askedMinutes", f->asked_ms / 60000),
		    LOG_INT("longestMinutes", longest_ms / 60000),
		    LOG_INT("minutes", life_ms / 60000));
	}
	return true;
}

bool
follow_is_young(const struct follow *f)
{
	int64_t age_ms = clock_wall_ms() - f->sub.granted_ms;

	return age_ms >= 0 &&
	    age_ms < FOLLOW_YOUNG_MS + f->session->config->debounce_ms;
}
