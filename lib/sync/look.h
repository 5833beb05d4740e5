/* sync/look.h - "look at event E of mailbox M": the state of one such task,
 * and the steps that its parts hand to each other. */
#ifndef SYNC_LOOK_H
#define SYNC_LOOK_H

#include "remote/graph.h"
#include "remote/unblu.h"
#include "rule/guard.h"
#include "rule/plan.h"
#include "sync/task.h"

enum {
	LOOK_TURN_MS = 1000, /* while the conversation is busy */
	LOOK_TURN_MAX_MS = 32 * 1000,
	LOOK_ODD_TRIES = 3, /* of an answer that contradicts another one */
	/* Before the second look at a pause, which may have ended meanwhile;
	 * then between two. Its end frees the rows, so nobody waits for it. */
	LOOK_PAUSE_FIRST_MS = 30 * 1000,
	LOOK_PAUSE_MS = 15 * 60 * 1000
};

struct look {
	struct task *task;
	bool has_link;
	bool is_new; /* the link is not in the store yet */
	struct store_link link;
	/* The link that the event had, for another conversation. */
	bool leaves;
	struct store_link left;
	struct event event; /* as read, subject NULL before */
	bool in_calendar; /* checked, or no reason to doubt it */
	struct plan plan;

	/* occurrences of a series */
	bool has_series; /* read to the end, for this event as read */
	struct series series;
	int64_t series_now_ms; /* as of when */
	int window, pages;
	struct tz *zone; /* of the agent */
	bool read_again; /* for Graph refused to list them */

	struct conversation conversation; /* as read in this run */
	bool has_conversation;
	bool wrote_topic, wrote_time; /* in Unblu, in this run */
	bool set_refused; /* the last write is known to have done nothing */
	struct err refusal; /* of a write: is it because it has ended? */

	/* removal */
	bool orphan; /* its event was never seen: the lease has run out */
	int64_t orphan_since_ms; /* the announcement that this was judged by */
	bool confirming; /* the grace time is over */
	int64_t looked_ms; /* when the event was last asked for, monotonic */
	int late_looks; /* for so much time had passed before the deletion */
	char why_gone[48];
	char moved_to[EVENT_ID_MAX]; /* a live event with this conversation */
	bool still_there; /* the search found the event itself */
	size_t unreadable; /* what the search found and nobody understood */
	struct buf next; /* page of the search, or of the occurrences */
	struct lease_scan *copies; /* the search of all calendars, or NULL */
	struct conversation_history history;
	char writing[16]; /* the link's, before the mark of the deletion */
	int64_t writing_ms;
};

/* ---- look_link.c: which link is it, and whose turn? ---- */

/* The stored link as the rules see it; NULL when there is none. */
const struct link *look_link(struct look *l, struct link *out);
/* The link of the event by whose id the row was made, if it has one. False:
 * the task has ended, for a failed read is not "no link". */
bool look_known_link(struct look *l);
/* Behind reading: the event's own link, else that of the conversation in its
 * property, else the one that was announced with the id by which the event was
 * asked for. -1: the store. */
int look_find_link(struct look *l, struct err *e);
/* A link as the event's property tells it, not in the store yet. */
void look_make_link(struct look *l);
/* What an operator released was the deletion that was held, not the next one:
 * it is forgotten once the link is over or has an event. */
void look_end_release(struct look *l);
/* The event that was read becomes the link's. */
void look_take_event(struct look *l);
/* Only for an event that is ours to act on: the link that it had before is
 * left without event. False: the task has ended. */
bool look_leave_link(struct look *l);
/* The link is over: it is not looked at by the clock, and a series without end
 * is not kept for ever. */
void look_link_rests(struct store_link *s);
/* For an event that is not acted on: notes that it came after its conversation
 * was removed, or that it carries the conversation of another mailbox's link.
 * Goes into the task's outcome. */
void look_note_ignored(struct look *l);
/* Takes the link's conversation for this task and reads the link again, which
 * may have changed since. False: the task has ended: another has it now, or
 * the link is no more. */
bool look_lock(struct look *l);
/* Ends: another task has the conversation; the longer, the rarer it is asked.
 */
void look_wait_turn(struct look *l);
/* An orphan was announced again while it was about to be removed: its lease has
 * begun anew. True: the task has ended. */
bool look_spares_orphan(struct look *l);
/* Ends: the store's trouble, whatever it is, is not the row's. */
void look_fail_store(struct look *l, const struct err *e);

/* ---- look.c ---- */

void look_init(struct look *l, struct task *t); /* zeroed before */
void look_clear(struct look *l);
/* Reads the event (again). */
void look_read(struct look *l);
/* The event is read, and what it takes besides: what does it ask for? */
void look_decide(struct look *l);
/* The zone whose days an all-day event means; tz_free(). */
struct tz *look_zone(const struct look *l);
/* The event is read and lives: bring the conversation in line. */
void look_follow(struct look *l);
/* The event lies in a calendar: its occurrences first, or follow it. */
void look_go_on(struct look *l);
/* Ends with the link saved as it is now. */
void look_finish(struct look *l);
/* Adds an audit record; of an orphan it says so. */
void look_audit(struct look *l, const char *action, const char *outcome,
    const char *detail);
/* The conversation is gone or over or not ours: state, audit, end. */
void look_close(struct look *l, enum store_link_state state, const char *action,
    const char *outcome, const char *detail);
/* As task_fail(), with the error kept in the link. */
void look_fail(struct look *l, const struct err *e);

/* Writes are stopped for now (fact "pause:", or "pause:{tenant}"): deferred,
 * true. */
bool look_is_paused(struct look *l);

/* look_calendar.c: follows the event that was read, once it is known to lie in
 * a calendar or there is no reason to doubt it. */
void look_check_calendar(struct look *l);
/* look_series.c: reads the occurrences, then decides again. */
void look_occurrences(struct look *l);

/* write.c: the conversation is to be changed as l->plan says. */
void write_start(struct look *l);

/* removal.c: the event seems to be gone, for the reason given. */
void removal_start(struct look *l, const char *why);
/* The event was read while confirming, and is gone or called off. */
void removal_confirmed(struct look *l);
/* The link's event lives: no deletion waits, is held or was released. */
void removal_call_off(struct look *l);
/* The search that comes first when the grace time is over. */
void removal_search(struct look *l);
/* That there is no event is certain: brake, dry run, pause, verdict. */
void removal_decide(struct look *l);
/* Ends: an operator has to release the deletion; why goes into the audit. */
void removal_hold(struct look *l, const char *why);
/* Whether one has: 1, 0, -1. */
int removal_is_released(struct look *l, struct err *e);
/* Inside the transaction that marks the deletion, where nobody else of any
 * process does so for this tenant: does the brake let it pass? 1, 0, -1. */
int removal_admit(struct task *t, struct store *s, struct err *e);
extern const char removal_braked[]; /* why not */
/* The link goes over to another event, which is looked at next. */
void removal_inherit(struct look *l, const char *event, const char *how);

/* removal_copy.c: is there a living copy in any calendar? If all were read and
 * there is none the event is read again. */
void removal_seek_copy(struct look *l);

/* verdict.c: there is no event; may the conversation be deleted? */
void verdict_start(struct look *l);
/* Its parts, for those who ask before that is certain: reads the conversation;
 * is the one that was read ours (and not over)? False: the task has ended. */
void verdict_read(struct look *l, void (*done)(const struct err *e, void *arg));
bool verdict_owns(struct look *l);

/* verdict_doubt.c, ends: Unblu says that the conversation does not exist. It is
 * asked once more, unless that was our doing: behind a mark that somebody left
 * it counts as our deletion. */
void verdict_gone(struct look *l);
/* Ends: Unblu has answered 403 to the deletion. Tried again, then held. */
void verdict_forbidden(struct look *l, const struct err *e);

#endif
