/* rule/lease.c - see lease.h. */
#include "rule/lease.h"

#include <stddef.h>

enum {
	LEASE_SEARCHES = 2, /* empty ones that make an orphan */
	LEASE_GAPS = 24, /* of the grace time, between two of them */
	/* Behind the last search the event may have been saved after all. */
	LEASE_FRESH_MS = 5 * 60 * 1000
};

static int64_t
lease_gap_ms(const struct lease *l)
{
	return l->grace_ms / LEASE_GAPS;
}

/* The clock may have been set back: then nothing is known of the time that has
 * passed since the last search. */
static bool
lease_counts(const struct lease *l, int64_t now_ms)
{
	return l->empty_searches > 0 && l->empty_search_ms <= now_ms;
}

/* Why a search that finds nothing proves nothing; NULL: it does. */
static const char *
lease_doubt(const struct lease *l)
{
	if (l->mailbox_since_ms > l->announced_ms)
		return "the mailbox was out of reach in the meantime";
	if (!l->subscribed)
		return "the mailbox has no subscription";
	if (l->elsewhere)
		return "an event in another mailbox carries it";
	if (l->stays)
		return "onEventDeleted is ignore";
	return NULL;
}

/* Why not even a search makes sense; NULL: it does. */
static const char *
lease_bar(const struct lease *l)
{
	if (l->mailbox == LEASE_OUT_OF_REACH)
		return "the mailbox is out of reach";
	if (l->mailbox == LEASE_NOT_FOLLOWED)
		return "the mailbox is not followed";
	if (l->shared)
		return "it was announced for a shared mailbox";
	return NULL;
}

enum lease_step
lease_decide(
    const struct lease *l, int64_t now_ms, int64_t *until_ms, const char **why)
{
	*until_ms = l->announced_ms + l->grace_ms;
	*why = "";
	if (l->grace_ms <= 0)
		return LEASE_OFF;
	if (now_ms < *until_ms)
		return LEASE_WAIT;
	*why = lease_bar(l);
	if (*why == NULL && l->empty_searches > 0)
		*why = lease_doubt(l);
	if (*why != NULL)
		return LEASE_UNCONFIRMED;
	*why = "";
	if (!lease_counts(l, now_ms))
		return LEASE_SEARCH;
	*until_ms = l->empty_search_ms + lease_gap_ms(l);
	if (l->empty_searches < LEASE_SEARCHES)
		return now_ms < *until_ms ? LEASE_WAIT : LEASE_SEARCH;
	return now_ms - l->empty_search_ms <= LEASE_FRESH_MS ? LEASE_REMOVE
							     : LEASE_SEARCH;
}

int
lease_count(const struct lease *l, int64_t now_ms)
{
	if (!lease_counts(l, now_ms))
		return 1;
	if (l->empty_searches < LEASE_SEARCHES &&
	    now_ms - l->empty_search_ms < lease_gap_ms(l))
		return l->empty_searches;
	return l->empty_searches + 1;
}
