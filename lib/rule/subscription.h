/* rule/subscription.h - when a Graph subscription must be renewed. Pure: no
 * I/O, no clock. */
#ifndef RULE_SUBSCRIPTION_H
#define RULE_SUBSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

enum {
	/* The most by which the wait may be shortened: this part of it. */
	SUBSCRIPTION_SPREAD_PART = 64,
	/* Graph makes a shorter life this long. */
	SUBSCRIPTION_FLOOR_MS = 45 * 60 * 1000,
	/* Clocks that are set to the right time move by less. */
	SUBSCRIPTION_AHEAD_MS = 60 * 1000,
	/* What is asked for while it is not known whether Graph has made
	 * others, and how far behind its end a clock may see one live. */
	SUBSCRIPTION_TRIAL_MS = 60 * 60 * 1000,
	SUBSCRIPTION_LATE_MS = 60 * 60 * 1000,
	/* So many are tried at once, then more and more apart. */
	SUBSCRIPTION_TRIALS = 8,
	SUBSCRIPTION_TRIALS_APART_MS = 30 * 1000,
	/* A wrong day or time zone; what differs by more is not believed. */
	SUBSCRIPTION_OFF_MS = 26 * 60 * 60 * 1000
};

/* Unix milliseconds. */
struct subscription {
	bool exists;
	int64_t granted_ms; /* 0: Graph has not answered yet */
	int64_t expires_ms;
	int64_t asked_ms; /* the life that was asked for, 0 not known */
	uint32_t spread; /* of the mailbox: subscription_spread(); 0 none */
};

enum subscription_need {
	SUBSCRIPTION_KEEP,
	SUBSCRIPTION_RENEW,
	SUBSCRIPTION_CREATE /* none, never granted, or expired */
};

/* A mailbox's place among the others, the same for ever. */
uint32_t subscription_spread(const char *tenant, const char *user);

/*
 * When s becomes due: once half of its granted life, or limit_ms (0: none) if
 * that is shorter, has passed since it was granted; up to a 64th of that wait
 * earlier by the mailbox's spread, so that thousands which were enrolled at
 * the same moment are not due at the same moment for ever. Never later. A life
 * that looks longer than Graph can have granted comes from a clock that is
 * behind Graph's: then the one that was asked for counts. 0 when it must be
 * made.
 * Source: syncServerSubscriptionExpiration / RenewalLimit in the product page.
 */
int64_t subscription_due_ms(const struct subscription *s, int64_t limit_ms);

/* Whether it was granted later than now, so our clock was ahead and is not any
 * more, and has at most half of the life left that was asked for: when it is
 * due by the clock of then says nothing. */
bool subscription_is_ahead(const struct subscription *s, int64_t now_ms);

/* What to do with it at now_ms; force: due as long as it lives. One that is
 * ahead is due. */
enum subscription_need subscription_decide(
    const struct subscription *s, int64_t now_ms, int64_t limit_ms, bool force);

/* When it ends by our clock, which may be hours off, of what Graph has granted
 * at graph_ms by its own (Unix ms; 0: it did not say). */
int64_t
subscription_end_ms(int64_t expires_ms, int64_t graph_ms, int64_t now_ms);

/* The expiry to ask for: now + life, at most Graph's longest. */
int64_t subscription_expiry_ms(int64_t now_ms, int64_t life_ms);

/*
 * Of a creation whose answer was lost nobody knows whether Graph has made the
 * subscription; then its clientState has to be known for as long as that would
 * live. What keeps those few, however long the trouble lasts: only the first of
 * them has asked for life_ms, and they are more and more apart. So there are at
 * most some 30, and the next one comes within 12 minutes.
 */
/* What the next one asks for when so many are unanswered, of life_ms. */
int64_t subscription_trial_ms(int64_t life_ms, int64_t unanswered);
/* How long it waits, since_ms behind the last one. */
int64_t subscription_pause_ms(int64_t unanswered, int64_t since_ms);

/*
 * The life to ask for when Graph has refused life_ms as too long and named
 * longest_ms: a minute less than that or, when that was kept to (our clock is
 * ahead of Graph's), a quarter less than before. 0: there is nothing left to
 * ask for.
 */
int64_t subscription_shorter_ms(int64_t life_ms, int64_t longest_ms);

/* What a subscription is made for and can not be changed to later. Strings
 * are borrowed, "" not known. */
struct subscription_terms {
	const char *url; /* of notifications */
	const char *application; /* clientId */
	const char *addin; /* addinId: whose property is looked for */
	bool no_lifecycle; /* was seen without a lifecycleNotificationUrl */
};

/* Why one made for these terms must be made anew, in words for people; NULL: it
 * need not. */
const char *subscription_flaw(const struct subscription_terms *made,
    const struct subscription_terms *wanted);

#endif
