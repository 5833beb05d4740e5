/* rule/lease.h - a conversation whose event is not seen: how long it is waited
 * for, and when it counts as an orphan. Pure: no I/O, no clock, no log. */
#ifndef RULE_LEASE_H
#define RULE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

enum lease_mailbox {
	LEASE_FOLLOWED,
	LEASE_OUT_OF_REACH, /* parked */
	LEASE_NOT_FOLLOWED /* by an operator, or not known at all */
};

/* A link without a seen event, and its mailbox. Times in Unix milliseconds. */
struct lease {
	int64_t announced_ms;
	int64_t grace_ms; /* orphanGraceHours; 0: nothing is ever suspected */
	bool shared; /* announced for a shared mailbox */
	bool elsewhere; /* an event in another mailbox carries it */
	bool stays; /* onEventDeleted: ignore */
	int empty_searches; /* full ones that found nothing */
	int64_t empty_search_ms; /* the last of them */
	enum lease_mailbox mailbox;
	int64_t mailbox_since_ms; /* followed without a break since */
	bool subscribed; /* its subscription stands */
};

enum lease_step {
	LEASE_OFF,
	LEASE_WAIT, /* until *until_ms */
	LEASE_SEARCH, /* everywhere in the mailbox, now */
	LEASE_REMOVE, /* an orphan: to be removed, under the guard */
	LEASE_UNCONFIRMED /* not provably one: left alone, *why says why */
};

/*
 * The next step. Removal needs: the mailbox answered throughout (followed
 * since the announcement, its subscription stands), announced for the agent's
 * own mailbox, two empty searches at least grace/24 apart and the last one made
 * just now. A mailbox that can be searched is, at least once, even when that
 * can not prove anything: it may find the event. *why is static text.
 */
enum lease_step lease_decide(
    const struct lease *l, int64_t now_ms, int64_t *until_ms, const char **why);

/* empty_searches behind one more that was empty, at now_ms: one that came too
 * soon behind the last proves nothing more than that. */
int lease_count(const struct lease *l, int64_t now_ms);

#endif
