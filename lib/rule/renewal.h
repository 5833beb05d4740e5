/* rule/renewal.h - what a mailbox needs of the renewal program, from what the
 * store knows. Pure: no I/O, no clock. */
#ifndef RULE_RENEWAL_H
#define RULE_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "rule/subscription.h"

/* Why following has ended for all of a tenant; such a mailbox is followed again
 * once that is over, one that ended for another reason only by PUT or by an
 * operator. */
#define RENEWAL_NO_TENANT "its tenant is not in tenantIds"
#define RENEWAL_DISABLED "syncServerEnabled is false"
#define RENEWAL_UNUSED "no unfinished link within linkRetentionDays"

enum renewal_action {
	RENEWAL_NOTHING,
	RENEWAL_CREATE, /* no subscription, or Graph never answered */
	RENEWAL_RENEW,
	RENEWAL_RECREATE, /* expired, or made for something else */
	RENEWAL_RETRY, /* parked, and its time has come */
	RENEWAL_LEAVE, /* nobody follows it: its subscriptions go */
	RENEWAL_ACTION_COUNT
};

/* When an operator's parking ends (Unix ms): the year 9999, never by itself. */
#define RENEWAL_PARKED_FOR_GOOD_MS INT64_C(253370764800000)

enum renewal_state { RENEWAL_FOLLOWED, RENEWAL_PARKED, RENEWAL_UNFOLLOWED };

struct renewal_facts {
	bool enabled; /* syncServerEnabled */
	bool tenant_known; /* configured */
	enum renewal_state state;
	const char *state_reason; /* why it is in that state, "" none */
	int64_t retry_ms; /* of a parked one */
	struct subscription sub; /* the one granted last, else pending */
	const char *flaw; /* subscription_flaw(), NULL none */
	bool unused; /* a followed one; see RENEWAL_UNUSED */
};

struct renewal_verdict {
	enum renewal_action action;
	const char *reason; /* static words for people */
	/* The mailbox's state has to be followed first: see above. */
	bool resumes;
	/* With RENEWAL_LEAVE: the mailbox becomes unfollowed for this reason
	 * first; else it is already. */
	bool ends;
	/* With RENEWAL_NOTHING: look again then (Unix ms), 0 never. */
	int64_t due_ms;
};

/* A success that lies ahead is of a clock that ran ahead: none is known. Hosts
 * differ by less than a minute. */
bool renewal_success_is_known(int64_t success_ms, int64_t now_ms);

/* limit_ms as in subscription_due_ms(); force: every followed, not parked one
 * is due. */
struct renewal_verdict renewal_decide(const struct renewal_facts *f,
    int64_t now_ms, int64_t limit_ms, bool force);

/* Whether a parked mailbox is left alone at now_ms. Not for longer than
 * RETRY_WAIT_MAX_MS, unless an operator has parked it. */
bool renewal_parked_waits(int64_t retry_ms, int64_t now_ms);

/* "create", "renew", ... */
const char *renewal_action_name(enum renewal_action action);

#endif
