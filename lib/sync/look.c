/* sync/look.c - see look.h: reads an event and decides what it asks for. */
#include "sync/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/tz.h"
#include "sync/engine.h"

/* The store's states are the rules' states. */
_Static_assert((int)STORE_LINK_ANNOUNCED == (int)LINK_ANNOUNCED, "state");
_Static_assert((int)STORE_LINK_LINKED == (int)LINK_LINKED, "state");
_Static_assert((int)STORE_LINK_GONE == (int)LINK_GONE, "state");
_Static_assert((int)STORE_LINK_HELD == (int)LINK_HELD, "state");
_Static_assert((int)STORE_LINK_FOREIGN == (int)LINK_FOREIGN, "state");
_Static_assert((int)STORE_LINK_ENDED == (int)LINK_ENDED, "state");
_Static_assert((int)STORE_LINK_KEPT == (int)LINK_KEPT, "state");
_Static_assert((int)STORE_LINK_DELETED == (int)LINK_DELETED, "state");
_Static_assert((int)STORE_LINK_UNCONFIRMED == (int)LINK_UNCONFIRMED, "state");

static void look_decide(struct look *l);

static void
look_free(void *state)
{
	struct look *l = state;

	event_clear(&l->event);
	buf_clear(&l->next);
	free(l);
}

const struct link *
look_link(struct look *l, struct link *out)
{
	const struct store_link *s = &l->link;

	if (!l->has_link)
		return NULL;
	out->state = (enum link_state)s->state;
	out->mine = strcmp(s->tenant, l->task->work.tenant) == 0 &&
	    strcmp(s->user, l->task->work.user) == 0;
	out->conversation = s->conversation;
	out->source_id = s->source_id;
	out->event = s->event;
	out->known = s->written || s->announced_ms > 0;
	out->topic = s->topic;
	out->start_ms = s->start_ms;
	out->gone_since_ms = s->gone_since_ms;
	return out;
}

/* Another task has the conversation; the longer, the rarer it is asked. */
static void
look_wait_turn(struct look *l)
{
	struct task *t = l->task;
	int64_t wait_ms = LOOK_COPY_WAIT_MS;

	for (int i = 0; i < t->work.attempts && i < LOOK_BUSY_STEPS; i++)
		wait_ms *= 2;
	if (t->work.attempts < LOOK_BUSY_STEPS)
		t->work.attempts++;
	l->has_link = false;
	task_defer(t, wait_ms, "the conversation is busy");
}

/* The store's trouble, whatever it is, is not the row's. */
static void
look_fail_store(struct look *l, const struct err *e)
{
	struct err why = *e;

	why.code = ERR_RETRY;
	l->has_link = false;
	task_fail(l->task, &why);
}

bool
look_lock(struct look *l)
{
	struct task *t = l->task;
	struct store *s = t->session->store;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	struct store_link found;
	int rc = -1;

	if (!task_takes_conversation(t, l->link.conversation)) {
		look_wait_turn(l);
		return false;
	}
	if (s == NULL)
		err_set(&e, ERR_RETRY, "the store is closed");
	else
		rc = store_link_find(s, l->link.conversation, &found, &e);
	if (rc < 0) {
		look_fail_store(l, &e);
		return false;
	}
	/* One that was just made from the event's property is not there yet;
	 * any other has been forgotten meanwhile. */
	if (rc == 0 && !l->is_new) {
		l->has_link = false;
		task_finish(t);
		return false;
	}
	if (rc == 1)
		l->link = found;
	return true;
}

void
look_finish(struct look *l)
{
	if (l->has_link)
		l->task->outcome.link = &l->link;
	task_finish(l->task);
}

void
look_close(struct look *l, enum store_link_state state, const char *action,
    const char *outcome, const char *detail)
{
	l->link.state = state;
	l->link.writing[0] = '\0';
	task_audit(l->task, action, outcome, detail);
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
	const struct look *l = arg;
	const struct task *t = l->task;

	(void)e;
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
	return graph_event_reply(l->task->session->config, reply, &l->event, e);
}

static void
look_event_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code == ERR_NONE)
		look_decide(l);
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

/* ---- which link is it? ---- */

/* What the property says of the conversation before it is known. */
static void
look_make_link(struct look *l)
{
	struct store_link *s = &l->link;
	const struct task *t = l->task;

	memset(s, 0, sizeof(*s));
	text_copy(
	    s->conversation, sizeof(s->conversation), l->event.conversation);
	text_copy(s->source_id, sizeof(s->source_id), l->event.source_id);
	text_copy(s->tenant, sizeof(s->tenant), t->work.tenant);
	text_copy(s->user, sizeof(s->user), t->work.user);
	s->state = STORE_LINK_LINKED;
	s->created_ms = task_now_ms();
	l->has_link = true;
	l->is_new = true;
	look_take_event(l);
}

/* Once the event carries another conversation than its link says, the agent
 * has made a new one: the property wins, the old link is left without event. */
static void
look_note_left(struct look *l)
{
	l->leaves = l->has_link &&
	    !link_is_over((enum link_state)l->link.state) &&
	    strcmp(l->link.event, l->event.id) == 0;
	if (l->leaves)
		l->left = l->link;
}

/* Only for an event that is ours to act on. False: the task has ended. */
static bool
look_leave_link(struct look *l)
{
	struct task *t = l->task;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};

	if (!l->leaves)
		return true;
	if (engine_conversation_busy(t->engine, t, l->left.conversation)) {
		look_wait_turn(l);
		return false;
	}
	l->left.event[0] = '\0';
	l->left.state = STORE_LINK_UNCONFIRMED;
	if (store_link_save(t->session->store, &l->left, &e) == 0)
		return true;
	look_fail_store(l, &e);
	return false;
}

/* The event's own link, else that of the conversation in its property, else
 * the one that was announced with the id by which the event was asked for. */
static int
look_find_link(struct look *l, struct err *e)
{
	struct store *s = l->task->session->store;
	const struct store_work *w = &l->task->work;
	struct store_link found;
	int rc =
	    store_link_by_event(s, w->tenant, w->user, l->event.id, &found, e);

	l->is_new = l->leaves = false;
	if (rc < 0)
		return -1;
	if (rc == 1) {
		l->link = found;
		l->has_link = true;
	} else if (l->has_link && l->link.state != STORE_LINK_ANNOUNCED) {
		l->has_link = false;
	}
	if (!l->event.linked ||
	    (l->has_link &&
		strcmp(l->link.conversation, l->event.conversation) == 0))
		return 0;
	rc = store_link_find(s, l->event.conversation, &found, e);
	if (rc < 0)
		return -1;
	look_note_left(l);
	l->has_link = rc == 1;
	if (rc == 1)
		l->link = found;
	return 0;
}

static struct tz *
look_zone(const struct look *l)
{
	const char *name = l->has_link && l->link.time_zone[0] != '\0'
	    ? l->link.time_zone
	    : l->task->session->config->default_time_zone;
	struct tz *z;

	if (!l->event.all_day)
		return NULL;
	z = tz_load(name, NULL);
	if (z == NULL)
		z = tz_load(l->task->session->config->default_time_zone, NULL);
	return z;
}

/* ---- deciding ---- */

static void
look_nothing(struct look *l)
{
	log_debug("event-ignored", LOG_STR("tenant", l->task->work.tenant),
	    LOG_STR("mailbox", l->task->work.user),
	    LOG_STR("eventId", l->task->work.event),
	    LOG_STR("message", l->plan.why));
	task_finish(l->task);
}

void
look_take_event(struct look *l)
{
	struct store_link *s = &l->link;

	if (s->state == STORE_LINK_ANNOUNCED ||
	    s->state == STORE_LINK_UNCONFIRMED)
		s->state = STORE_LINK_LINKED;
	text_copy(s->event, sizeof(s->event), l->event.id);
	text_copy(s->change_key, sizeof(s->change_key), l->event.change_key);
	text_copy(s->series, sizeof(s->series), event_type_name(l->event.type));
	if (l->event.timed)
		s->end_ms = l->event.end_ms;
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

static int
look_build_calendar(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;

	(void)e;
	graph_calendar_request(
	    l->task->session->config, l->task->work.user, l->event.id, req);
	return 0;
}

static int
look_parse_calendar(const struct http_reply *reply, void *arg, struct err *e)
{
	(void)arg;
	return graph_calendar_reply(reply, e);
}

static void
look_calendar_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code == ERR_NONE) {
		l->in_calendar = true;
		look_follow(l);
	} else if (e->code != ERR_GONE) {
		look_fail(l, e);
	} else if (l->confirming) {
		removal_confirmed(l);
	} else {
		removal_start(l, "the event lies in no calendar");
	}
}

/* A 200 alone proves nothing when there is reason to think that the event was
 * deleted: by its immutable id it can be read in Deleted Items too. */
static bool
look_doubts_calendar(const struct look *l)
{
	return !l->in_calendar &&
	    ((l->task->work.hints & (STORE_HINT_DELETED | STORE_HINT_MISSED)) !=
		    0 ||
		l->link.state == STORE_LINK_GONE ||
		l->link.state == STORE_LINK_HELD);
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
	case PLAN_FOLLOW:
		if (!l->has_link)
			look_make_link(l);
		if (look_doubts_calendar(l))
			task_call(l->task, CALL_GRAPH, look_build_calendar,
			    look_parse_calendar, look_calendar_done, l);
		else
			look_follow(l);
		return;
	}
}

static void
look_decide(struct look *l)
{
	struct task *t = l->task;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	struct link link;
	struct tz *zone;

	if (t->session->store == NULL) {
		err_set(&e, ERR_RETRY, "the store is closed");
		look_fail_store(l, &e);
		return;
	}
	if (look_find_link(l, &e) != 0) {
		look_fail_store(l, &e);
		return;
	}
	zone = look_zone(l);
	plan_event(&l->event, look_link(l, &link), &t->session->policy, zone,
	    task_now_ms(), &l->plan);
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
	if (!look_has_pause(l, "") && !look_has_pause(l, l->task->work.tenant))
		return false;
	l->task->outcome.link = l->has_link ? &l->link : NULL;
	task_defer(l->task, LOOK_PAUSE_MS, "writes are paused");
	return true;
}

void
look_follow(struct look *l)
{
	struct store_link *s = &l->link;

	look_take_event(l);
	s->state = STORE_LINK_LINKED;
	s->gone_since_ms = 0;
	s->last_error[0] = '\0';
	if (!l->plan.set_topic && !l->plan.set_time && s->writing[0] == '\0') {
		s->synced_ms = task_now_ms();
		look_finish(l);
		return;
	}
	if (l->task->session->policy.dry_run) {
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

/* A parked mailbox's rows are kept until it is tried again. False: the task
 * has ended. */
static bool
look_mailbox_is_well(struct look *l)
{
	struct task *t = l->task;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	struct store_mailbox box;
	int64_t now_ms = task_now_ms();
	int rc = store_mailbox_find(
	    t->session->store, t->work.tenant, t->work.user, &box, &e);

	if (rc < 0)
		look_fail_store(l, &e);
	else if (rc == 1 && box.state == STORE_MAILBOX_PARKED &&
	    box.retry_ms > now_ms)
		task_defer(t, box.retry_ms - now_ms, box.reason);
	else
		return true;
	return false;
}

/* The link of the event by whose id the row was made. False: the task has
 * ended. A failed read is not "no link": the hint would be lost with it. */
static bool
look_known_link(struct look *l)
{
	struct task *t = l->task;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	int rc = store_link_by_event(t->session->store, t->work.tenant,
	    t->work.user, t->work.event, &l->link, &e);

	if (rc < 0)
		look_fail_store(l, &e);
	l->has_link = rc == 1;
	return rc >= 0;
}

void
look_start(struct task *t)
{
	struct look *l = mem_zalloc(sizeof(*l));
	struct link link;
	int64_t until_ms;

	t->state = l;
	t->free_state = look_free;
	l->task = t;
	buf_init(&l->next, HTTP_URL_MAX);
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
	if (!look_mailbox_is_well(l) || !look_known_link(l))
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
