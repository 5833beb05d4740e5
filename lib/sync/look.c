/* sync/look.c - see look.h: reads an event and decides what it asks for. */
#include "sync/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/tz.h"

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

bool
look_lock(struct look *l)
{
	struct task *t = l->task;
	char conversation[STORE_ID_MAX];

	text_copy(conversation, sizeof(conversation), l->link.conversation);
	if (t->session->store != NULL &&
	    task_takes_conversation(t, conversation) &&
	    store_link_find(t->session->store, conversation, &l->link, NULL) ==
		1)
		return true;
	l->has_link = false;
	task_defer(t, LOOK_COPY_WAIT_MS, "the conversation is busy");
	return false;
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
	graph_event_request(
	    t->session->config, t->work.user, t->work.event, req);
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
}

/* Once the event carries another conversation than its link says, the agent
 * has made a new one: the property wins, the old link is left without event. */
static int
look_leave_link(struct look *l, struct store *s, struct err *e)
{
	if (!l->has_link || link_is_over((enum link_state)l->link.state) ||
	    strcmp(l->link.event, l->event.id) != 0)
		return 0;
	l->link.event[0] = '\0';
	l->link.state = STORE_LINK_UNCONFIRMED;
	return store_link_save(s, &l->link, e);
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
	if (rc < 0 || look_leave_link(l, s, e) != 0)
		return -1;
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

static void
look_take_event(struct look *l)
{
	struct store_link *s = &l->link;

	if (!l->has_link)
		look_make_link(l);
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
		look_take_event(l);
		if (l->confirming)
			removal_confirmed(l);
		else
			removal_start(l, "the event was called off");
		return;
	case PLAN_FOLLOW:
		look_take_event(l);
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
		task_fail(t, &e);
		return;
	}
	if (look_find_link(l, &e) != 0) {
		task_fail(t, &e);
		return;
	}
	zone = look_zone(l);
	plan_event(&l->event, look_link(l, &link), &t->session->policy, zone,
	    task_now_ms(), &l->plan);
	tz_free(zone);
	if (l->plan.kind != PLAN_NOTHING && l->plan.kind != PLAN_MASTER &&
	    !task_takes_conversation(t,
		l->has_link ? l->link.conversation : l->event.conversation)) {
		task_defer(t, LOOK_COPY_WAIT_MS, "the conversation is busy");
		return;
	}
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

/* A parked mailbox's rows are kept until it is tried again. */
static bool
look_waits_for_mailbox(struct task *t)
{
	struct store_mailbox box;
	int64_t now_ms = task_now_ms();

	if (store_mailbox_find(t->session->store, t->work.tenant, t->work.user,
		&box, NULL) != 1 ||
	    box.state != STORE_MAILBOX_PARKED || box.retry_ms <= now_ms)
		return false;
	task_defer(t, box.retry_ms - now_ms, box.reason);
	return true;
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
	if (look_waits_for_mailbox(t))
		return;
	l->has_link = store_link_by_event(t->session->store, t->work.tenant,
			  t->work.user, t->work.event, &l->link, NULL) == 1;
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
