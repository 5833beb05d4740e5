/* sync/look_link.c - see look.h: which link an event belongs to, and whose turn
 * it is to work on it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "sync/engine.h"
#include "sync/look.h"

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
_Static_assert((int)STORE_LINK_ENDED_EARLY == (int)LINK_ENDED_EARLY, "state");

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
	out->occurrence_end_ms = s->occurrence_end_ms;
	return out;
}

void
look_wait_turn(struct look *l)
{
	static const char reason[] = "the conversation is busy";
	struct task *t = l->task;
	/* As long again as it has waited already. Its attempts are those that
	 * have failed, and this is none. */
	int64_t wait_ms = task_now_ms() - t->work.due_ms;

	if (strcmp(t->work.reason, reason) != 0 || wait_ms < LOOK_TURN_MS)
		wait_ms = LOOK_TURN_MS;
	if (wait_ms > LOOK_TURN_MAX_MS)
		wait_ms = LOOK_TURN_MAX_MS;
	l->has_link = false;
	task_defer(t, wait_ms, reason);
}

void
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
look_end_release(struct look *l)
{
	struct store *s = l->task->session->store;
	char fact[STORE_ID_MAX + 16];

	snprintf(fact, sizeof(fact), "release:%s", l->link.conversation);
	if (s != NULL && store_fact_get(s, fact, NULL, 0, NULL, NULL) == 1)
		store_fact_remove(s, fact, NULL);
}

void
look_take_event(struct look *l)
{
	struct store_link *s = &l->link;

	if (s->state == STORE_LINK_ANNOUNCED ||
	    s->state == STORE_LINK_UNCONFIRMED) {
		look_end_release(l);
		s->state = STORE_LINK_LINKED;
		s->check_ms = 0;
		s->empty_searches = 0;
		s->empty_search_ms = 0;
	}
	text_copy(s->event, sizeof(s->event), l->event.id);
	text_copy(s->change_key, sizeof(s->change_key), l->event.change_key);
	text_copy(s->series, sizeof(s->series), event_type_name(l->event.type));
	/* A master's end is only that of its first occurrence. */
	if (l->event.timed && l->event.type != EVENT_MASTER)
		s->end_ms = l->event.end_ms;
}

/* The agent's event holds a link that leads nowhere: told once. */
static void
look_note_late(struct look *l)
{
	static const char why[] =
	    "the event came after its conversation was removed";
	struct store_link *s = &l->link;

	/* Never seen before: else it is the deleted event itself. */
	if (s->state != STORE_LINK_DELETED || s->series[0] != '\0' ||
	    !task_takes_conversation(l->task, s->conversation))
		return;
	look_take_event(l);
	text_copy(s->last_error, sizeof(s->last_error), why);
	l->task->outcome.link = s;
	task_audit(l->task, "follow", "too-late", why);
	log_warning("event-too-late", LOG_STR("tenant", s->tenant),
	    LOG_STR("mailbox", s->user),
	    LOG_STR("conversation", s->conversation));
}

void
look_note_ignored(struct look *l)
{
	struct task_outcome *o = &l->task->outcome;
	struct link link;

	if (!l->has_link || !l->event.linked || !l->event.organizer ||
	    l->event.cancelled || l->event.type == EVENT_OCCURRENCE)
		return;
	if (look_link(l, &link)->mine) {
		look_note_late(l);
		return;
	}
	/* Who knows the sourceId is not anybody: there is an event, if not
	 * where it was announced or where the link's own is. */
	if (link_is_over((enum link_state)l->link.state) ||
	    strcmp(l->event.source_id, l->link.source_id) != 0)
		return;
	text_copy(
	    o->conversation, sizeof(o->conversation), l->link.conversation);
	text_copy(o->copy_event, sizeof(o->copy_event), l->event.id);
}

void
look_link_rests(struct store_link *s)
{
	s->check_ms = 0;
	s->end_ms = link_end_when_over(s->series, s->end_ms, task_now_ms());
}

void
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

/* The same, where the new one was announced with its event and so is found
 * first. */
static int
look_find_left(struct look *l, struct err *e)
{
	int rc;

	if (l->link.state != STORE_LINK_ANNOUNCED ||
	    l->event.type == EVENT_OCCURRENCE)
		return 0;
	rc = store_link_replaced(l->task->session->store, l->link.tenant,
	    l->link.user, l->event.id, l->link.conversation, &l->left, e);
	l->leaves = rc == 1;
	return rc < 0 ? -1 : 0;
}

bool
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
	/* What was never seen has its lease. */
	if (l->left.state != STORE_LINK_ANNOUNCED) {
		l->left.state = STORE_LINK_UNCONFIRMED;
		look_link_rests(&l->left);
	}
	l->left.gone_since_ms = 0;
	if (store_link_save(t->session->store, &l->left, &e) == 0)
		return true;
	look_fail_store(l, &e);
	return false;
}

int
look_find_link(struct look *l, struct err *e)
{
	struct store *s = l->task->session->store;
	const struct store_work *w = &l->task->work;
	bool leads = l->event.type == EVENT_OCCURRENCE;
	struct store_link found;
	int rc = store_link_by_event(s, w->tenant, w->user,
	    leads ? l->event.master : l->event.id, &found, e);

	l->is_new = l->leaves = false;
	if (rc < 0)
		return -1;
	if (rc == 1) {
		l->link = found;
		l->has_link = true;
	} else if (l->has_link && l->link.state != STORE_LINK_ANNOUNCED &&
	    l->link.state != STORE_LINK_UNCONFIRMED) {
		l->has_link = false;
	}
	/* An exception may carry the property of whatever it was copied from.
	 */
	if (!l->event.linked || (leads && rc == 1))
		return 0;
	if (l->has_link &&
	    strcmp(l->link.conversation, l->event.conversation) == 0)
		return look_find_left(l, e);
	rc = store_link_find(s, l->event.conversation, &found, e);
	if (rc < 0)
		return -1;
	look_note_left(l);
	l->has_link = rc == 1;
	if (rc == 1)
		l->link = found;
	return 0;
}

bool
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

bool
look_spares_orphan(struct look *l)
{
	struct store_link *s = &l->link;

	if (s->announced_ms == l->orphan_since_ms)
		return false;
	log_info("orphan-announced-again", LOG_STR("tenant", s->tenant),
	    LOG_STR("mailbox", s->user),
	    LOG_STR("conversation", s->conversation));
	s->writing[0] = '\0';
	s->empty_searches = 0;
	s->check_ms =
	    s->announced_ms + l->task->session->config->orphan_grace_ms;
	l->task->outcome.link = s;
	task_finish(l->task);
	return true;
}
