/* sync/lease.c - LINK work for a conversation whose event was not seen yet:
 * looks for it as rule/lease.h says, and in the end removes the conversation as
 * a deleted event's, or leaves it unconfirmed. */
#include "sync/lease.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "rule/lease.h"
#include "sync/engine.h"
#include "sync/lease_scan.h"
#include "sync/look.h"

enum {
	LEASE_INPUT_ATTEMPTS = 4, /* at what can not be understood */
	LEASE_TURN_MS = 2000, /* until it may be another mailbox's turn */
	/* Should the work that goes on now be lost. */
	LEASE_AGAIN_MS = 60 * 60 * 1000,
	LEASE_SEARCHES = 2, /* then only the removal is left */
	LEASE_DRY_MS = 24 * 60 * 60 * 1000
};

struct lease_run {
	struct look look; /* first: a removal works on it */
	struct lease_scan scan;
};

static void
lease_free(void *state)
{
	struct lease_run *r = state;

	lease_scan_clear(&r->scan);
	look_clear(&r->look);
	free(r);
}

/* ---- what is known ---- */

static int
lease_read_mailbox(struct lease_run *r, struct lease *out, struct err *e)
{
	const struct store_link *l = &r->look.link;
	struct store *s = r->look.task->session->store;
	struct store_mailbox box;
	struct store_subscription sub;
	int rc = store_mailbox_find(s, l->tenant, l->user, &box, e);

	if (rc < 0)
		return -1;
	out->mailbox = LEASE_NOT_FOLLOWED;
	if (rc == 1 && box.state == STORE_MAILBOX_FOLLOWED)
		out->mailbox = LEASE_FOLLOWED;
	else if (rc == 1 && box.state == STORE_MAILBOX_PARKED)
		out->mailbox = LEASE_OUT_OF_REACH;
	out->mailbox_since_ms = rc == 1 ? box.since_ms : 0;
	rc = store_subscription_of(s, l->tenant, l->user, &sub, e);
	out->subscribed =
	    rc == 1 && sub.granted_ms > 0 && sub.expires_ms > task_now_ms();
	return rc < 0 ? -1 : 0;
}

static int
lease_read(struct lease_run *r, struct lease *out, struct err *e)
{
	const struct store_link *l = &r->look.link;
	const struct session *session = r->look.task->session;
	int copies;

	memset(out, 0, sizeof(*out));
	if (session->store == NULL)
		return err_set(e, ERR_RETRY, "the store is closed");
	copies = store_copy_exists(session->store, l->conversation, e);
	if (copies < 0 || lease_read_mailbox(r, out, e) != 0)
		return -1;
	out->elsewhere = copies == 1;
	out->announced_ms =
	    l->announced_ms > 0 ? l->announced_ms : l->created_ms;
	out->grace_ms = session->config->orphan_grace_ms;
	out->shared = l->shared;
	out->stays = session->policy.deletion == POLICY_LEAVE;
	out->empty_searches = l->empty_searches;
	out->empty_search_ms = l->empty_search_ms;
	return 0;
}

/* ---- ends ---- */

/* Takes the conversation and reads the link again. False: the task has ended,
 * for it is another's turn, or the event has turned up, or the agent has
 * removed the conversation meanwhile. */
static bool
lease_lock(struct lease_run *r)
{
	struct look *l = &r->look;

	if (!look_lock(l))
		return false;
	l->has_link = true;
	if (l->link.state == STORE_LINK_ANNOUNCED)
		return true;
	task_finish(l->task);
	return false;
}

/* Left alone, for the reason given; the caller ends the task. False: it has
 * ended already. */
static bool
lease_leave(struct lease_run *r, const char *why)
{
	struct look *l = &r->look;
	struct store_link *s = &l->link;

	if (!lease_lock(r))
		return false;
	s->state = STORE_LINK_UNCONFIRMED;
	s->check_ms = 0;
	look_end_release(l);
	text_copy(s->last_error, sizeof(s->last_error), why);
	l->task->outcome.link = s;
	task_audit(l->task, "orphan", "unconfirmed", why);
	log_warning("link-unconfirmed", LOG_STR("tenant", s->tenant),
	    LOG_STR("mailbox", s->user),
	    LOG_STR("conversation", s->conversation), LOG_STR("message", why));
	return true;
}

static void
lease_end_unconfirmed(struct lease_run *r, const char *why)
{
	if (lease_leave(r, why))
		look_finish(&r->look);
}

/* Not its time: first sight, once more. */
static void
lease_wait(struct lease_run *r, int64_t until_ms)
{
	struct look *l = &r->look;
	struct task *t = l->task;

	if (l->link.check_ms != until_ms) {
		if (!lease_lock(r))
			return;
		l->link.check_ms = until_ms;
		t->outcome.link = &l->link;
	}
	if (l->link.event[0] != '\0')
		task_add(
		    t, STORE_WORK_EVENT, l->link.event, STORE_HINT_UPDATED, 0);
	else
		task_add(t, STORE_WORK_SEARCH, "", 0, 0);
	task_finish(t);
}

/* ---- removal ---- */

static void
lease_remove(struct lease_run *r)
{
	r->look.task->scanning = false;
	r->look.orphan = true;
	if (look_spares_orphan(&r->look))
		return;
	log_info("orphan-found", LOG_STR("tenant", r->look.link.tenant),
	    LOG_STR("mailbox", r->look.link.user),
	    LOG_STR("conversation", r->look.link.conversation),
	    LOG_INT("searches", r->look.link.empty_searches));
	removal_decide(&r->look);
}

static void
lease_recorded(struct task *t)
{
	struct lease_run *r = t->state;

	/* The agent was quicker. */
	if (r->look.link.state != STORE_LINK_ANNOUNCED)
		task_finish(t);
	else
		lease_remove(r);
}

/* ---- the search ---- */

static void
lease_failed(struct lease_run *r, const struct err *e)
{
	struct look *l = &r->look;
	struct task *t = l->task;
	bool hopeless = e->code == ERR_REFUSED ||
	    (e->code == ERR_INPUT &&
		t->work.attempts + 1 >= LEASE_INPUT_ATTEMPTS);
	bool gone = e->code == ERR_MAILBOX && t->call.peer == CALL_GRAPH;

	if (hopeless) {
		lease_end_unconfirmed(r, e->text);
		return;
	}
	/* What it says while it waits must not be another's last word. */
	if (gone ? !lease_leave(r, e->text) : !lease_lock(r))
		return;
	look_fail(l, e);
}

/* Nothing was found; by what began before a new announcement neither. */
static void
lease_count_search(struct lease_run *r)
{
	struct look *l = &r->look;
	struct store_link *s = &l->link;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	int64_t now_ms = task_now_ms();
	struct lease lease;
	const char *why;
	enum lease_step step;

	if (look_spares_orphan(l))
		return;
	if (lease_read(r, &lease, &e) != 0) {
		look_fail_store(l, &e);
		return;
	}
	s->empty_searches = lease.empty_searches = lease_count(&lease, now_ms);
	s->empty_search_ms = lease.empty_search_ms = now_ms;
	s->last_error[0] = '\0';
	l->task->outcome.link = s;
	step = lease_decide(&lease, now_ms, &s->check_ms, &why);
	if (step == LEASE_UNCONFIRMED) {
		lease_end_unconfirmed(r, why);
	} else if (step == LEASE_REMOVE) {
		s->check_ms = now_ms + LEASE_AGAIN_MS;
		task_save(l->task, lease_recorded);
	} else {
		look_finish(l);
	}
}

static void
lease_scanned(const struct err *e, void *arg)
{
	struct lease_run *r = arg;
	struct look *l = &r->look;

	if (e->code != ERR_NONE) {
		lease_failed(r, e);
		return;
	}
	log_info("mailbox-scanned", LOG_STR("tenant", l->link.tenant),
	    LOG_STR("mailbox", l->link.user),
	    LOG_STR("conversation", l->link.conversation),
	    LOG_INT("calendars", r->scan.count),
	    LOG_INT("pages", r->scan.pages),
	    LOG_BOOL("found", r->scan.carrier[0] != '\0'),
	    LOG_BOOL("mentioned", r->scan.mentioned));
	if (r->scan.carrier[0] != '\0') {
		if (!lease_leave(r, "an event with it is there: looking at it"))
			return;
		task_add(l->task, STORE_WORK_EVENT, r->scan.carrier,
		    STORE_HINT_UPDATED, 0);
		look_finish(l);
	} else if (r->scan.mentioned) {
		lease_end_unconfirmed(
		    r, "an event has its link, but not the add-in's property");
	} else if (lease_lock(r)) {
		lease_count_search(r);
	}
}

static void
lease_scan(struct lease_run *r)
{
	struct look *l = &r->look;
	struct lease_scan *s = &r->scan;

	l->orphan_since_ms = l->link.announced_ms;
	s->task = l->task;
	text_copy(
	    s->conversation, sizeof(s->conversation), l->link.conversation);
	text_copy(s->event, sizeof(s->event), l->link.event);
	text_copy(s->link, sizeof(s->link), l->conversation.public_link);
	s->start_ms = l->link.start_ms;
	s->done = lease_scanned;
	s->arg = r;
	lease_scan_start(s);
}

static void
lease_read_done(const struct err *e, void *arg)
{
	struct lease_run *r = arg;
	struct look *l = &r->look;

	if (e->code != ERR_NONE && e->code != ERR_GONE) {
		lease_failed(r, e);
		return;
	}
	if (!lease_lock(r))
		return;
	l->orphan = true;
	if (e->code == ERR_GONE) {
		verdict_gone(l);
		return;
	}
	if (!verdict_owns(l))
		return;
	/* The event may turn up while it is looked for. */
	l->task->conversation[0] = '\0';
	lease_scan(r);
}

static void
lease_search(struct lease_run *r)
{
	struct task *t = r->look.task;

	/* It has been looked for twice: a further search is for the removal
	 * only, which waits. */
	if (r->look.link.empty_searches >= LEASE_SEARCHES &&
	    t->session->policy.dry_run) {
		lease_wait(r, task_now_ms() + LEASE_DRY_MS);
		return;
	}
	if (r->look.link.empty_searches >= LEASE_SEARCHES &&
	    look_is_paused(&r->look))
		return;
	if (!engine_may_scan(t->engine, t)) {
		task_defer(t,
		    LEASE_TURN_MS + (int64_t)rand_below(LEASE_TURN_MS),
		    "other mailboxes are being searched");
		return;
	}
	t->scanning = true;
	verdict_read(&r->look, lease_read_done);
}

/* ---- start ---- */

void
lease_start(struct task *t, const struct store_link *link)
{
	struct lease_run *r = mem_zalloc(sizeof(*r));
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	struct lease lease;
	int64_t until_ms;
	const char *why;

	look_init(&r->look, t);
	t->state = r;
	t->free_state = lease_free;
	r->look.link = *link;
	if (lease_read(r, &lease, &e) != 0) {
		look_fail_store(&r->look, &e);
		return;
	}
	switch (lease_decide(&lease, task_now_ms(), &until_ms, &why)) {
	case LEASE_OFF:
		lease_wait(r, 0);
		return;
	case LEASE_WAIT:
		lease_wait(r, until_ms);
		return;
	case LEASE_SEARCH:
		lease_search(r);
		return;
	case LEASE_REMOVE:
		r->look.orphan_since_ms = link->announced_ms;
		if (lease_lock(r))
			lease_remove(r);
		return;
	case LEASE_UNCONFIRMED:
		lease_end_unconfirmed(r, why);
		return;
	}
}
