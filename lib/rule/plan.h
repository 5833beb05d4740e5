/* rule/plan.h - (event as read, link as stored, clock, policy) -> what to do.
 * Pure: no I/O, no clock, no log. */
#ifndef RULE_PLAN_H
#define RULE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tz.h"
#include "rule/event.h"
#include "rule/link.h"
#include "rule/policy.h"
#include "rule/series.h"

enum { PLAN_TOPIC_MAX = 1024 };

enum plan_kind {
	PLAN_NOTHING, /* not ours, or not to be acted on */
	PLAN_MASTER, /* an occurrence: look at its series master instead */
	PLAN_OCCURRENCES, /* a series: read its occurrences, plan again */
	PLAN_COPY, /* remember it as a copy of the link's event */
	PLAN_CANCELED, /* the event is called off: deletion candidate */
	PLAN_FOLLOW /* bring the conversation in line: set_* say how */
};

struct plan {
	enum plan_kind kind;
	const char *why; /* static, for the log; "" when evident */
	bool take_event; /* the link takes this event as its own */
	bool set_topic, set_time;
	char topic[PLAN_TOPIC_MAX]; /* wanted, also when it is equal */
	bool wants_time; /* start_ms is to be the conversation's */
	int64_t start_ms; /* minute-rounded */

	/* PLAN_FOLLOW: to be kept in the link. */
	int64_t end_ms; /* of the event, or of the whole series */
	int64_t occurrence_end_ms; /* series: of the one that gives the time */
	int64_t check_ms; /* look again then without a word, 0 never */
	bool goes_on; /* a series with occurrences still to come */
};

/*
 * What an event that Graph could read asks for. link: the stored link of the
 * event, else of the conversation that its property names, else NULL. zone is
 * needed for all-day events (start of day), else NULL is fine. series: what
 * its occurrences say, NULL while they have not been read: then a series that
 * is to be followed says PLAN_OCCURRENCES.
 *
 * The topic of a series is its master's, the time that of the occurrence which
 * counts (series.h); with none left the time is left alone. The plan is good
 * until check_ms, the end of that occurrence.
 */
void plan_event(const struct event *ev, const struct link *link,
    const struct series *series, const struct policy *policy,
    const struct tz *zone, int64_t now_ms, struct plan *out);

/* The topic for a subject: in one line, trimmed, cut at a code point to the
 * limit, the fallback when there is nothing to see in it. */
void plan_topic(
    const char *subject, const struct policy *policy, char out[PLAN_TOPIC_MAX]);

enum plan_gone {
	PLAN_GONE_NOTHING, /* no live link, or events' deletions are ignored */
	PLAN_GONE_GRACE, /* (still) in its grace time, until *until_ms */
	PLAN_GONE_CONFIRM /* the grace time is over: search, read again */
};

/* What an event that seems to be deleted asks for. link may be NULL. */
enum plan_gone plan_gone(const struct link *link, const struct policy *policy,
    int64_t now_ms, int64_t *until_ms);

/* An event of no link that Graph says is not there. */
struct plan_absence {
	bool saved, deleted; /* what the notifications said */
	int attempts; /* of looking at it */
	int64_t age_ms; /* since the first of the notifications was due */
};

/* Whether to ask once more: right behind a notification Graph may not have the
 * event everywhere. Not in a backlog, whose load it would double for nothing.
 * Source: reference/graph.md 9. */
bool plan_doubts_absence(const struct plan_absence *a);

/* Whether one more deletion is held, after so many within the last hour. */
bool plan_holds_deletion(
    const struct policy *policy, int64_t in_mailbox, int64_t in_tenant);

#endif
