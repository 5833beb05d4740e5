/* sync/removal.c - see look.h: the event is gone. Grace time, two searches for
 * a moved copy, a second look at the event, a positive control of the mailbox,
 * the brake, the guard - and only then the conversation is deleted.
 *
 * `deletion release` of the operator: the link back to GONE, the fact
 * "release:{conversation}" set, and EVENT work added; the brake then lets this
 * one pass. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "port/store_brake.h"
#include "sync/look.h"

enum {
	REMOVAL_HOUR_MS = 60 * 60 * 1000,
	/* What was begun longer ago than that and an hour is in the audit or
	 * was never done. Longer than any request. */
	REMOVAL_BEGUN_MS = 10 * 60 * 1000,
	REMOVAL_AGAIN_MS = 3 * 1000, /* for Graph to have it everywhere */
	REMOVAL_PAGES = 200 /* of a search; Graph's do not end like that */
};

const char removal_braked[] = "more deletions than allowed within an hour";

static void removal_control(struct look *l);

/* ---- candidate ---- */

/* Deleted or called off, the event may still have been read, and be the first
 * that was seen of it. An event of the link's own is never given up for it. */
static bool
removal_is_about(const struct look *l)
{
	const char *event =
	    l->event.id[0] != '\0' ? l->event.id : l->task->work.event;

	return l->link.event[0] == '\0' ||
	    l->link.state == STORE_LINK_ANNOUNCED ||
	    l->link.state == STORE_LINK_UNCONFIRMED ||
	    strcmp(l->link.event, event) == 0;
}

static void
removal_grace(struct look *l, int64_t until_ms)
{
	struct store_link *s = &l->link;
	int64_t now_ms = task_now_ms();

	/* As plan_gone() takes it. */
	if (s->gone_since_ms == 0 || s->gone_since_ms > now_ms) {
		s->gone_since_ms = now_ms;
		log_info("event-gone", LOG_STR("tenant", s->tenant),
		    LOG_STR("mailbox", s->user),
		    LOG_STR("conversation", s->conversation),
		    LOG_STR("message", l->why_gone),
		    LOG_INT("graceMs", until_ms - now_ms));
	}
	if (s->state != STORE_LINK_HELD)
		s->state = STORE_LINK_GONE;
	s->check_ms = 0;
	task_add(l->task, STORE_WORK_EVENT, s->event, 0,
	    until_ms > now_ms ? until_ms - now_ms : 0);
	look_finish(l);
}

/* An event that was never linked leaves nothing behind, unless it was a copy of
 * another mailbox's; but it may be new. */
static void
removal_of_unknown(struct look *l)
{
	struct store_work *w = &l->task->work;
	const struct plan_absence absence = {
	    .saved =
		(w->hints & (STORE_HINT_CREATED | STORE_HINT_UPDATED)) != 0,
	    .deleted = (w->hints & STORE_HINT_DELETED) != 0,
	    .attempts = w->attempts,
	    .age_ms = task_now_ms() - w->due_ms,
	};

	if (!plan_doubts_absence(&absence)) {
		l->task->outcome.no_copy = true;
		task_finish(l->task);
		return;
	}
	w->attempts++;
	task_defer(l->task, REMOVAL_AGAIN_MS, "the event is not there (yet)");
}

void
removal_start(struct look *l, const char *why)
{
	struct link link;
	int64_t until_ms;

	text_copy(l->why_gone, sizeof(l->why_gone), why);
	if (!l->has_link) {
		removal_of_unknown(l);
		return;
	}
	if (!look_lock(l))
		return;
	if (!removal_is_about(l)) {
		task_finish(l->task);
		return;
	}
	if (l->event.id[0] != '\0')
		look_take_event(l);
	switch (plan_gone(look_link(l, &link), &l->task->session->policy,
	    task_now_ms(), &until_ms)) {
	case PLAN_GONE_NOTHING:
		if (l->event.id[0] != '\0' &&
		    !link_is_over((enum link_state)l->link.state))
			look_finish(l);
		else
			task_finish(l->task);
		return;
	case PLAN_GONE_GRACE:
		removal_grace(l, until_ms);
		return;
	case PLAN_GONE_CONFIRM:
		if (l->link.gone_since_ms == 0)
			l->link.gone_since_ms = task_now_ms();
		removal_search(l);
		return;
	}
}

/* ---- a moved copy? ---- */

static int
removal_build_search(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;

	return graph_search_request(l->task->session->config,
	    l->task->work.user, l->link.conversation, buf_text(&l->next), req,
	    e);
}

static void
removal_found(const struct event *ev, void *arg)
{
	struct look *l = arg;

	/* Its property names the conversation, or it would not be listed. */
	if (!ev->linked)
		l->unreadable++;
	if (!ev->linked || ev->cancelled || !ev->organizer ||
	    strcmp(ev->conversation, l->link.conversation) != 0)
		return;
	if (strcmp(ev->id, l->link.event) == 0)
		l->still_there = true;
	else if (ev->type != EVENT_OCCURRENCE)
		text_copy(l->moved_to, sizeof(l->moved_to), ev->id);
}

static int
removal_parse_search(const struct http_reply *reply, void *arg, struct err *e)
{
	struct look *l = arg;

	return graph_search_reply(l->task->session->config, reply,
	    removal_found, l, &l->unreadable, &l->next, e);
}

void
removal_call_off(struct look *l)
{
	struct store_link *s = &l->link;
	bool was_held = s->state == STORE_LINK_HELD;

	if (s->gone_since_ms == 0 && !was_held)
		return;
	s->gone_since_ms = 0;
	s->state = STORE_LINK_LINKED;
	look_end_release(l);
	if (was_held)
		degraded_unhold(l->task->session, s->conversation);
}

void
removal_inherit(struct look *l, const char *event, const char *how)
{
	struct store_link *s = &l->link;

	text_copy(s->event, sizeof(s->event), event);
	text_copy(l->task->outcome.copy_over,
	    sizeof(l->task->outcome.copy_over), event);
	removal_call_off(l);
	task_audit(l->task, "inherit", "done", how);
	task_add(l->task, STORE_WORK_EVENT, event,
	    STORE_HINT_UPDATED | STORE_HINT_MISSED, 0);
	log_info("link-moved", LOG_STR("tenant", s->tenant),
	    LOG_STR("mailbox", s->user),
	    LOG_STR("conversation", s->conversation), LOG_STR("message", how));
	look_finish(l);
}

static void
removal_search_done(const struct err *e, void *arg)
{
	struct look *l = arg;
	struct err why = {.code = ERR_NONE, .retry_after_ms = -1};

	if (e->code != ERR_NONE) {
		look_fail(l, e);
		return;
	}
	if (!l->still_there && l->moved_to[0] == '\0' && l->next.len > 0) {
		if (++l->pages > REMOVAL_PAGES) {
			err_set(&why, ERR_INPUT,
			    "not deleted: the list of events does not end");
			look_fail(l, &why);
			return;
		}
		removal_search(l);
		return;
	}
	if (!l->still_there && l->moved_to[0] != '\0') {
		removal_inherit(l, l->moved_to, "a moved copy was found");
		return;
	}
	/* Whatever the lists say, the event itself is read behind them. */
	if (l->still_there || l->unreadable > 0)
		look_read(l);
	else
		removal_seek_copy(l);
}

void
removal_search(struct look *l)
{
	l->confirming = true;
	if (l->task->conversation[0] == '\0' && !look_lock(l))
		return;
	task_call(l->task, CALL_GRAPH, removal_build_search,
	    removal_parse_search, removal_search_done, l);
}

/* ---- the mailbox answers otherwise ---- */

static int
removal_build_control(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;

	(void)e;
	graph_control_request(
	    l->task->session->config, l->task->work.user, req);
	return 0;
}

static int
removal_parse_control(const struct http_reply *reply, void *arg, struct err *e)
{
	(void)arg;
	return graph_control_reply(reply, e);
}

void
removal_confirmed(struct look *l)
{
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};

	/* A link that came by another name (a copy of the event's id) is not
	 * this event's to delete. */
	if (!l->has_link) {
		task_finish(l->task);
		return;
	}
	/* The two contradict each other: one of them is late, or the mailbox
	 * answers so for everything. */
	if (l->still_there) {
		err_set(&e, ERR_RETRY,
		    "not deleted: the event is still listed in the calendar");
		look_fail(l, &e);
		return;
	}
	/* It may be the moved copy. */
	if (l->unreadable > 0) {
		err_set(&e, ERR_RETRY,
		    "not deleted: %zu events found with this conversation "
		    "could not be read",
		    l->unreadable);
		look_fail(l, &e);
		return;
	}
	removal_control(l);
}

int
removal_is_released(struct look *l, struct err *e)
{
	struct store *s = l->task->session->store;
	char fact[STORE_ID_MAX + 16];

	if (s == NULL)
		return err_set(e, ERR_RETRY, "the store is closed");
	snprintf(fact, sizeof(fact), "release:%s", l->link.conversation);
	return store_fact_get(s, fact, NULL, 0, NULL, e);
}

/* The brake: 1 held, 0 may pass, -1. */
static int
removal_is_braked(struct look *l, struct store *s, struct err *e)
{
	int64_t since_ms = task_now_ms() - REMOVAL_HOUR_MS;
	struct store_deletions n;

	if (store_deletions_count(
		s, &l->link, since_ms, since_ms - REMOVAL_BEGUN_MS, &n, e) != 0)
		return -1;
	return plan_holds_deletion(
	    &l->task->session->policy, n.in_mailbox, n.in_tenant);
}

int
removal_admit(struct task *t, struct store *s, struct err *e)
{
	struct look *l = t->state;
	int passes = removal_is_released(l, e);

	if (passes != 0)
		return passes;
	passes = removal_is_braked(l, s, e);
	return passes < 0 ? -1 : !passes;
}

/* Whether an operator has to decide, and why: 1, 0 may pass, -1. An event that
 * another mailbox had with it was not read again: that mailbox may be left. */
static int
removal_is_held(struct look *l, const char **why, struct err *e)
{
	int released = removal_is_released(l, e);
	int elsewhere;

	*why = removal_braked;
	if (released < 0)
		return -1;
	if (released == 1)
		return 0;
	if (l->link.state == STORE_LINK_HELD)
		return 1;
	elsewhere = store_copy_elsewhere(
	    l->task->session->store, l->link.conversation, e);
	if (elsewhere == 0)
		return removal_is_braked(l, l->task->session->store, e);
	*why = "an event in another mailbox carries it";
	return elsewhere;
}

void
removal_hold(struct look *l, const char *why)
{
	if (l->link.state != STORE_LINK_HELD) {
		l->link.state = STORE_LINK_HELD;
		l->link.check_ms = 0;
		look_audit(l, "delete", "held", why);
		log_warning("deletion-held", LOG_STR("tenant", l->link.tenant),
		    LOG_STR("mailbox", l->link.user),
		    LOG_STR("conversation", l->link.conversation),
		    LOG_STR("message", why));
		degraded_set(l->task->session, DEGRADED_DELETIONS, 0,
		    "deletions are held: outlook-addinctl deletion list");
	}
	/* What was released has had its chance. */
	look_end_release(l);
	look_finish(l);
}

void
removal_decide(struct look *l)
{
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	const char *why;

	switch (removal_is_held(l, &why, &e)) {
	case 0:
		break;
	case 1:
		removal_hold(l, why);
		return;
	default:
		look_fail(l, &e);
		return;
	}
	if (l->task->session->policy.dry_run) {
		log_info("dry-run", LOG_STR("tenant", l->link.tenant),
		    LOG_STR("mailbox", l->link.user),
		    LOG_STR("conversation", l->link.conversation),
		    LOG_BOOL("delete", true));
		task_finish(l->task);
		return;
	}
	if (look_is_paused(l))
		return;
	verdict_start(l);
}

static void
removal_control_done(const struct err *e, void *arg)
{
	struct look *l = arg;
	struct store *s = l->task->session->store;
	struct err why = *e;
	char copy[STORE_ID_MAX];
	int found = -1;

	if (why.code == ERR_NONE && s != NULL)
		found = store_copy_find(s, l->link.conversation, copy, &why);
	if (found < 0)
		look_fail(l, &why);
	else if (found == 1)
		removal_inherit(l, copy, "a copy of the event takes over");
	else
		removal_decide(l);
}

static void
removal_control(struct look *l)
{
	task_call(l->task, CALL_GRAPH, removal_build_control,
	    removal_parse_control, removal_control_done, l);
}
