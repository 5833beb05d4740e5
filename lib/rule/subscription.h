/* rule/subscription.h - when a Graph subscription must be renewed. Pure: no
 * I/O, no clock. */
#ifndef RULE_SUBSCRIPTION_H
#define RULE_SUBSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

/* Unix milliseconds. */
struct subscription {
	bool exists;
	int64_t granted_ms; /* 0: Graph has not answered yet */
	int64_t expires_ms;
};

enum subscription_need {
	SUBSCRIPTION_KEEP,
	SUBSCRIPTION_RENEW,
	SUBSCRIPTION_CREATE /* none, never granted, or expired */
};

/*
 * When s becomes due: once half of its granted life, or limit_ms (0: none) if
 * that is shorter, has passed since it was granted. 0 when it must be made.
 * Source: syncServerSubscriptionExpiration / RenewalLimit in the product page.
 */
int64_t subscription_due_ms(const struct subscription *s, int64_t limit_ms);

/* What to do with it at now_ms; force: due as long as it lives. */
enum subscription_need subscription_decide(
    const struct subscription *s, int64_t now_ms, int64_t limit_ms, bool force);

/* The expiry to ask for: now + life, at most Graph's longest. */
int64_t subscription_expiry_ms(int64_t now_ms, int64_t life_ms);

#endif
