/* rule/catchup.h - what a mailbox's catch-up asks for and what it makes of the
 * answers. Pure: no I/O, no clock, no log. */
#ifndef RULE_CATCHUP_H
#define RULE_CATCHUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "rule/link.h"

enum { CATCHUP_AWAY_MS = 5 * 60 * 1000 };

/* A stored link, as far as a catch-up needs it. */
struct catchup_link {
	enum link_state state;
	bool seen; /* its event's id is known */
	bool series; /* a series master, as last read */
	bool unsettled; /* a write begun, an error, or never in step */
	int64_t end_ms; /* last known, of a series its own; 0 not known */
};

enum catchup_need {
	CATCHUP_PASS, /* nothing can have been missed */
	CATCHUP_ASK, /* is the event as it was read last? */
	CATCHUP_LOOK /* to be looked at whatever Graph would answer */
};

/* An event that ended before since_ms is past. A series is always looked at:
 * what is done to its occurrences may not show in its master. */
enum catchup_need catchup_need(const struct catchup_link *l, int64_t since_ms);

enum catchup_verdict {
	CATCHUP_SAME,
	CATCHUP_DIFFERS, /* or nobody can tell: to be looked at */
	CATCHUP_AGAIN, /* no answer: to be asked again */
	CATCHUP_THROTTLED, /* likewise, but not before Graph allows */
	CATCHUP_NO_MAILBOX, /* the mailbox is out of reach: says nothing of the
			       event */
	CATCHUP_NO_TOKEN
};

/*
 * What the two answers about one event mean: of GET event, with whether its
 * changeKey is the known one, and of GET its calendar, for a 200 alone proves
 * nothing of an event that may lie in Deleted Items. ERR_NONE is a 200,
 * ERR_GONE that there is none; the others are those of graph_judge_status(). A
 * mailbox that gives the event is not out of reach, whatever is said of the
 * calendar: that is for whoever looks at the event.
 */
enum catchup_verdict
catchup_judge(enum err_code event, bool same_key, enum err_code calendar);

/* When a mailbox that has caught up does so again: within every_ms, and as
 * much as a tenth earlier, so that what began together does not stay so.
 * random is any 64 random bits. */
int64_t catchup_next_ms(int64_t now_ms, int64_t every_ms, uint64_t random);

/* Whether we were away, by the last heartbeat: down, asleep, or the clock has
 * been set forward, which looks the same. One that lies ahead says nothing. */
bool catchup_was_away(int64_t last_beat_ms, int64_t now_ms);

/* Whether the sync with that last heartbeat (0: none yet) is alive. One that
 * lies as far ahead is of a clock that has been set back since: a living one
 * writes another within seconds. */
enum { CATCHUP_SILENT_MS = 15 * 1000 };
bool catchup_is_alive(int64_t last_beat_ms, int64_t now_ms);

#endif
