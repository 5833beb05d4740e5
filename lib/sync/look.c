/* sync/look.c - see look.h: reads an event and decides what it asks for. */
#include "sync/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/tz.h"
#include "sync/lease_scan.h"

void
look_init(struct look *l, struct task *t)
{
	l->task = t;
	buf_init(&l->next, HTTP_URL_MAX);
}

void
look_clear(struct look *l)
{
	event_clear(&l->event);
	tz_free(l->zone);
	buf_clear(&l->next);
	if (l->copies != NULL)
		lease_scan_clear(l->copies);
	free(l->copies);
}

static void
look_free(void *state)
{
	look_clear(state);
	free(state);
}

void
look_finish(struct look *l)
{
	if (l->has_link)
		l->task->outcome.link = &l->link;
	task_finish(l->task);
}

void
look_audit(
    struct look *l, const char *action, const char *outcome, const char *detail)
{
	char text[STORE_REASON_MAX];

	if (!l->orphan) {
		task_audit(l->task, action, outcome, detail);
		return;
	}
	snprintf(text, sizeof(text), "orphan: %s",
	    detail[0] != '\0' ? detail : "its event was never seen");
	task_audit(l->task, action, outcome, text);
}

void
look_close(struct look *l, enum store_link_state state, const char *action,
    const char *outcome, const char *detail)
{
	l->link.state = state;
	l->link.writing[0] = '\0';
	look_link_rests(&l->link);
	look_end_release(l);
	/* For the pane. */
	if (state == STORE_LINK_FOREIGN || state == STORE_LINK_KEPT)
		text_copy(
		    l->link.last_error, sizeof(l->link.last_error), detail);
	look_audit(l, action, outcome, detail);
	log_info("link-closed", LOG_STR("tenant", l->task->work.tenant),
	    LOG_STR("mailbox", l->task->work.user),
	    LOG_STR("conversation", l->link.conversation),
	    LOG_STR("action", action), LOG_STR("outcome", outcome),
	    LOG_STR("detail", detail));
	look_finish(l);
}

void
look_fail(struct look *l, const struct err *e)
{
	if (l->has_link && l->task->call.asked) {
		text_copy(
		    l->link.last_error, sizeof(l->link.last_error), e->text);
		l->task->outcome.link = &l->link;
	}
	task_fail(l->task, e);
}

/* ---- reading ---- */

static int
look_build_event(struct http_request *req, void *arg, struct err *e)
{
	struct look *l = arg;
	const struct task *t = l->task;

	(void)e;
	l->looked_ms = clock_mono_ms();
	/* What is confirmed is the deletion of the link's event, whichever
	 * event this row is about. */
	graph_event_request(t->session->config, t->work.user,
	    l->confirming ? l->link.event : t->work.event, req);
	return 0;
}

static int
look_parse_event(const struct http_reply *reply, void *arg, struct err *e)
{
	struct look *l = arg;

	event_clear(&l->event);
	l->has_series = false;
	return graph_event_reply(l->task->session->config, reply, &l->event, e);
}

/* The id that came with the announcement is a hint and no more: without it the
 * event is found by its property. */
static void
look_drop_hint(struct look *l, const struct err *e)
{
	log_warning("event-hint-refused",
	    LOG_STR("tenant", l->task->work.tenant),
	    LOG_STR("mailbox", l->task->work.user),
	    LOG_STR("conversation", l->link.conversation), LOG_ERR(e));
	if (!look_lock(l))
		return;
	if (l->link.state == STORE_LINK_ANNOUNCED)
		l->link.event[0] = '\0';
	look_finish(l);
}

static void
look_event_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code == ERR_NONE)
		look_decide(l);
	else if (e->code == ERR_REFUSED && l->has_link &&
	    l->link.state == STORE_LINK_ANNOUNCED)
		look_drop_hint(l, e);
	else if (e->code != ERR_GONE)
		look_fail(l, e);
	else if (l->confirming)
		removal_confirmed(l);
	else
		removal_start(l, "the event does not exist any more");
}

void
look_read(struct look *l)
{
	task_call(l->task, CALL_GRAPH, look_build_event, look_parse_event,
	    look_event_done, l);
}

struct tz *
look_zone(const struct look *l)
{
	const char *name = l->has_link && l->link.time_zone[0] != '\0'
	    ? l->link.time_zone
	    : l->task->session->config->default_time_zone;
	struct tz *z = tz_load(name, NULL);

	if (z == NULL)
		z = tz_load(l->task->session->config->default_time_zone, NULL);
	return z;
}

/* ---- deciding ---- */

/* A link whose event asks for nothing is not looked at by the clock either. */
static void
look_rest(struct look *l)
{
	/* What was never seen has its lease. */
	if (!l->has_link || l->link.check_ms == 0 ||
	    l->link.state == STORE_LINK_ANNOUNCED ||
	    strcmp(l->link.event, l->event.id) != 0 ||
	    strcmp(l->link.user, l->task->work.user) != 0 ||
	    strcmp(l->link.tenant, l->task->work.tenant) != 0 ||
	    !task_takes_conversation(l->task, l->link.conversation))
		return;
	l->link.check_ms = 0;
	l->task->outcome.link = &l->link;
}

static void
look_nothing(struct look *l)
{
	log_debug("event-ignored", LOG_STR("tenant", l->task->work.tenant),
	    LOG_STR("mailbox", l->task->work.user),
	    LOG_STR("eventId", l->task->work.event),
	    LOG_STR("message", l->plan.why));
	/* It is there, whatever it is now: not gone. */
	if (l->confirming && l->has_link &&
	    strcmp(l->link.event, l->event.id) == 0) {
		if (!look_lock(l))
			return;
		removal_call_off(l);
		look_finish(l);
		return;
	}
	look_note_ignored(l);
	look_rest(l);
	task_finish(l->task);
}

static void
look_copy(struct look *l)
{
	struct task_outcome *o = &l->task->outcome;

	text_copy(
	    o->conversation, sizeof(o->conversation), l->event.conversation);
	text_copy(o->copy_event, sizeof(o->copy_event), l->event.id);
	log_info("copy-seen", LOG_STR("tenant", l->task->work.tenant),
	    LOG_STR("mailbox", l->task->work.user),
	    LOG_STR("conversation", l->event.conversation));
	task_finish(l->task);
}

/* Nothing is in the way of following the event. */
void
look_go_on(struct look *l)
{
	if (l->plan.kind == PLAN_OCCURRENCES)
		look_occurrences(l);
	else
		look_follow(l);
}

static void
look_act(struct look *l)
{
	switch (l->plan.kind) {
	case PLAN_NOTHING:
		look_nothing(l);
		return;
	case PLAN_MASTER:
		task_add(l->task, STORE_WORK_EVENT, l->event.master,
		    l->task->work.hints & STORE_HINT_MISSED, 0);
		task_finish(l->task);
		return;
	case PLAN_COPY:
		look_copy(l);
		return;
	case PLAN_CANCELED:
		if (!l->has_link)
			look_make_link(l);
		if (l->confirming)
			removal_confirmed(l);
		else
			removal_start(l, "the event was called off");
		return;
	case PLAN_OCCURRENCES:
	case PLAN_FOLLOW:
		if (!l->has_link)
			look_make_link(l);
		look_check_calendar(l);
		return;
	}
}

void
look_decide(struct look *l)
{
	struct task *t = l->task;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	struct link link;
	struct tz *zone = NULL;

	if (t->session->store == NULL) {
		err_set(&e, ERR_RETRY, "the store is closed");
		look_fail_store(l, &e);
		return;
	}
	if (look_find_link(l, &e) != 0) {
		look_fail_store(l, &e);
		return;
	}
	if (l->event.all_day)
		zone = look_zone(l);
	plan_event(&l->event, look_link(l, &link),
	    l->has_series ? &l->series : NULL, &t->session->policy, zone,
	    l->has_series ? l->series_now_ms : task_now_ms(), &l->plan);
	tz_free(zone);
	if (l->plan.kind == PLAN_NOTHING || l->plan.kind == PLAN_MASTER)
		look_act(l);
	else if (!task_takes_conversation(t,
		     l->has_link ? l->link.conversation
				 : l->event.conversation))
		look_wait_turn(l);
	else if (look_leave_link(l))
		look_act(l);
}

static bool
look_has_pause(struct look *l, const char *tenant)
{
	struct store *s = l->task->session->store;
	char fact[64];
	char text[8];
	int64_t at_ms;

	snprintf(fact, sizeof(fact), "pause:%s", tenant);
	return s != NULL &&
	    store_fact_get(s, fact, text, sizeof(text), &at_ms, NULL) == 1;
}

bool
look_is_paused(struct look *l)
{
	static const char reason[] = "writes are paused";
	bool again = strcmp(l->task->work.reason, reason) == 0;

	if (!look_has_pause(l, "") && !look_has_pause(l, l->task->work.tenant))
		return false;
	/* Should the row be lost meanwhile, a catch-up is to see that they
	 * differ. */
	l->link.change_key[0] = '\0';
	l->task->outcome.link = l->has_link ? &l->link : NULL;
	task_defer(
	    l->task, again ? LOOK_PAUSE_MS : LOOK_PAUSE_FIRST_MS, reason);
	return true;
}

void
look_follow(struct look *l)
{
	struct store_link *s = &l->link;

	removal_call_off(l);
	look_take_event(l);
	s->state = STORE_LINK_LINKED;
	s->end_ms = l->plan.end_ms;
	s->occurrence_end_ms = l->plan.occurrence_end_ms;
	s->check_ms = l->plan.check_ms;
	s->last_error[0] = '\0';
	if (!l->plan.set_topic && !l->plan.set_time && s->writing[0] == '\0') {
		s->synced_ms = task_now_ms();
		look_finish(l);
		return;
	}
	if (l->task->session->policy.dry_run) {
		/* Conversation and event differ: a catch-up is to see that. */
		s->change_key[0] = '\0';
		log_info("dry-run", LOG_STR("tenant", l->task->work.tenant),
		    LOG_STR("mailbox", l->task->work.user),
		    LOG_STR("conversation", s->conversation),
		    LOG_BOOL("setTopic", l->plan.set_topic),
		    LOG_BOOL("setTime", l->plan.set_time));
		look_finish(l);
		return;
	}
	if (!look_is_paused(l))
		write_start(l);
}

/* ---- start ---- */

void
look_start(struct task *t)
{
	struct look *l = mem_zalloc(sizeof(*l));
	struct link link;
	int64_t until_ms;

	t->state = l;
	t->free_state = look_free;
	look_init(l, t);
	if (t->session->store == NULL) {
		task_defer(t, 1000, "the store is closed");
		return;
	}
	/* GET /events/ would be the list. */
	if (t->work.event[0] == '\0') {
		log_error("event-without-id", LOG_STR("tenant", t->work.tenant),
		    LOG_STR("mailbox", t->work.user));
		task_finish(t);
		return;
	}
	if (!task_mailbox_is_well(t) || !look_known_link(l))
		return;
	/* With its grace time over the search for a moved copy comes first and
	 * reading the event is the second look at it. */
	if (l->has_link &&
	    (l->link.state == STORE_LINK_GONE ||
		l->link.state == STORE_LINK_HELD) &&
	    plan_gone(look_link(l, &link), &t->session->policy, task_now_ms(),
		&until_ms) == PLAN_GONE_CONFIRM)
		removal_search(l);
	else
		look_read(l);
}
