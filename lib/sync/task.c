/* sync/task.c - see task.h. */
#include "sync/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "port/store_due.h"
#include "rule/catchup.h"
#include "rule/link.h"
#include "rule/renewal.h"
#include "rule/retry.h"
#include "sync/engine.h"
#include "sync/look.h"

static const char *const task_kind_names[] = {
    [STORE_WORK_EVENT] = "event",
    [STORE_WORK_FOLLOW] = "follow",
    [STORE_WORK_SEARCH] = "search",
    [STORE_WORK_CATCHUP] = "catch-up",
    [STORE_WORK_LINK] = "link",
    [STORE_WORK_KEYS] = "keys",
};

int64_t
task_now_ms(void)
{
	return clock_wall_ms();
}

static void
task_copy(char *out, size_t cap, const char *text)
{
	size_t len = text_cut_bytes(text, cap - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

void
task_call(struct task *t, enum call_peer peer,
    int (*build)(struct http_request *req, void *arg, struct err *e),
    int (*parse)(const struct http_reply *reply, void *arg, struct err *e),
    void (*done)(const struct err *e, void *arg), void *arg)
{
	struct call *c = &t->call;

	memset(c, 0, sizeof(*c));
	c->session = t->session;
	c->peer = peer;
	c->tenant = t->work.tenant;
	c->user = t->work.user;
	c->thing = t->work.event;
	c->trace = t->trace;
	c->build = build;
	c->parse = parse;
	c->done = done;
	c->arg = arg;
	call_start(c);
}

void
task_audit(
    struct task *t, const char *action, const char *outcome, const char *detail)
{
	struct task_outcome *o = &t->outcome;
	struct task_audit *a;

	if (o->audit_count == TASK_AUDITS)
		return;
	a = &o->audits[o->audit_count++];
	a->action = action;
	a->outcome = outcome;
	task_copy(a->detail, sizeof(a->detail), detail);
}

void
task_add(struct task *t, enum store_kind kind, const char *event,
    unsigned hints, int64_t delay_ms)
{
	struct task_outcome *o = &t->outcome;
	struct task_add *a;

	o->adds = mem_realloc(o->adds, (o->add_count + 1) * sizeof(*o->adds));
	a = &o->adds[o->add_count++];
	a->kind = kind;
	a->hints = hints;
	a->delay_ms = delay_ms;
	a->event = mem_strdup(event);
}

static void
task_outcome_clear(struct task_outcome *o)
{
	for (size_t i = 0; i < o->add_count; i++)
		free(o->adds[i].event);
	free(o->adds);
	memset(o, 0, sizeof(*o));
}

/* ---- one transaction ---- */

/* web may have changed the row since it was read: what it announces, and the
 * agent's own removal, are its to say. */
static int
task_save_link(struct store *s, struct store_link *l, struct err *e)
{
	struct store_link fresh;
	int found = store_link_find(s, l->conversation, &fresh, e);

	if (found < 0)
		return -1;
	if (found == 1) {
		if (!l->written && l->topic[0] == '\0') {
			memcpy(l->topic, fresh.topic, sizeof(l->topic));
			l->start_ms = fresh.start_ms;
		}
		/* The hint of a new announcement, not one that was given up. */
		if (l->event[0] == '\0' &&
		    l->announced_ms != fresh.announced_ms)
			memcpy(l->event, fresh.event, sizeof(l->event));
		/* What was found before says nothing of the new one. */
		if (l->announced_ms != fresh.announced_ms &&
		    l->state == STORE_LINK_ANNOUNCED) {
			l->empty_searches = fresh.empty_searches;
			l->empty_search_ms = fresh.empty_search_ms;
			l->check_ms = fresh.check_ms;
		}
		l->announced_ms = fresh.announced_ms;
		l->shared = fresh.shared;
		memcpy(l->time_zone, fresh.time_zone, sizeof(l->time_zone));
		if (fresh.state == STORE_LINK_DELETED) {
			l->state = STORE_LINK_DELETED;
			look_link_rests(l);
		}
	}
	return store_link_save(s, l, e);
}

static int
task_apply_audits(
    const struct task *t, struct store *s, int64_t now_ms, struct err *e)
{
	const struct task_outcome *o = &t->outcome;

	for (size_t i = 0; i < o->audit_count; i++) {
		struct store_audit a = {
		    .at_ms = now_ms,
		    .tenant = t->work.tenant,
		    .user = t->work.user,
		    .event = o->link != NULL ? o->link->event : t->work.event,
		    .conversation = o->link != NULL ? o->link->conversation
						    : o->conversation,
		    .action = o->audits[i].action,
		    .outcome = o->audits[i].outcome,
		    .detail = o->audits[i].detail,
		};

		if (store_audit_add(s, &a, e) != 0)
			return -1;
	}
	return 0;
}

static int
task_apply_adds(
    const struct task *t, struct store *s, int64_t now_ms, struct err *e)
{
	const struct task_outcome *o = &t->outcome;

	for (size_t i = 0; i < o->add_count; i++) {
		struct store_hint_item item = {
		    .kind = o->adds[i].kind,
		    .tenant = t->work.tenant,
		    .user = t->work.user,
		    .event = o->adds[i].event,
		    .hints = o->adds[i].hints,
		};

		if (store_work_add(
			s, &item, 1, now_ms, o->adds[i].delay_ms, e) != 0)
			return -1;
	}
	return 0;
}

static int
task_apply_mailbox(
    const struct task *t, struct store *s, int64_t now_ms, struct err *e)
{
	const struct task_outcome *o = &t->outcome;
	struct store_hint_item probe = {
	    .kind = STORE_WORK_FOLLOW,
	    .tenant = t->work.tenant,
	    .user = t->work.user,
	    .event = "",
	};

	if (o->round != NULL &&
	    store_round_save(s, t->work.tenant, t->work.user, o->round, e) != 0)
		return -1;
	if (o->catch_up_done &&
	    store_mailbox_set_catch_up(s, t->work.tenant, t->work.user, now_ms,
		catchup_next_ms(now_ms, t->session->config->catch_up_ms,
		    rand_below(UINT64_MAX)),
		e) != 0)
		return -1;
	if (!o->park)
		return 0;
	if (store_mailbox_follow(s, t->work.tenant, t->work.user, "", false,
		now_ms, NULL, e) != 0 ||
	    store_mailbox_park(s, t->work.tenant, t->work.user, o->park_reason,
		o->park_until_ms, now_ms, e) != 0)
		return -1;
	/* It is tried again, and resumed when that works. */
	return store_work_add(
	    s, &probe, 1, now_ms, o->park_until_ms - now_ms, e);
}

static int
task_end_row(
    const struct task *t, struct store *s, int64_t now_ms, struct err *e)
{
	const struct task_outcome *o = &t->outcome;

	switch (o->end) {
	case TASK_GOES_ON:
		return 0;
	case TASK_FINISH:
		return store_work_finish(
		    s, &t->work, now_ms, t->session->config->debounce_ms, e);
	case TASK_DEFER:
		return store_work_defer(s, &t->work, o->until_ms, o->reason, e);
	case TASK_BURY:
		return store_work_bury(s, &t->work, o->reason, now_ms, e);
	}
	return 0;
}

/* Who ends the row now does what is left of it, if anybody has to. */
static int
task_apply_end(
    const struct task *t, struct store *s, int64_t now_ms, struct err *e)
{
	int rc = task_end_row(t, s, now_ms, e);

	if (rc > 0)
		log_info("work-not-ours", LOG_STR("tenant", t->work.tenant),
		    LOG_STR("user", t->work.user));
	return rc < 0 ? -1 : 0;
}

static int
task_apply_copies(const struct task *t, struct store *s, struct err *e)
{
	const struct task_outcome *o = &t->outcome;

	if (o->copy_event[0] != '\0' &&
	    store_copy_add(s, o->conversation, t->work.tenant, t->work.user,
		o->copy_event, e) != 0)
		return -1;
	if (o->no_copy &&
	    store_copy_forget(
		s, t->work.tenant, t->work.user, t->work.event, e) != 0)
		return -1;
	if (o->copy_over[0] != '\0' && o->link != NULL &&
	    store_copy_remove(s, o->link->conversation, o->copy_over, e) != 0)
		return -1;
	return 0;
}

static int
task_apply(struct store *s, void *arg, struct err *e)
{
	struct task *t = arg;
	struct task_outcome *o = &t->outcome;
	int64_t now_ms = clock_wall_ms();
	int admitted = o->admit != NULL ? o->admit(t, s, e) : 1;

	t->admitted = admitted == 1;
	if (admitted != 1)
		return admitted;
	if (o->link != NULL && task_save_link(s, o->link, e) != 0)
		return -1;
	if (task_apply_copies(t, s, e) != 0)
		return -1;
	/* The end comes before what is added: an add may be the very row. */
	if (task_apply_audits(t, s, now_ms, e) != 0 ||
	    task_apply_end(t, s, now_ms, e) != 0 ||
	    task_apply_mailbox(t, s, now_ms, e) != 0 ||
	    task_apply_adds(t, s, now_ms, e) != 0)
		return -1;
	return 0;
}

static void
task_applied(void *arg)
{
	struct task *t = arg;
	bool goes_on = t->outcome.end == TASK_GOES_ON;

	task_outcome_clear(&t->outcome);
	if (goes_on)
		t->then(t);
	else
		engine_task_ended(t->engine, t);
}

static void
task_commit(struct task *t)
{
	const struct task_outcome *o = &t->outcome;

	/* Who is asked there counts what others have begun. */
	t->commit.beside = o->admit == NULL;
	t->commit.party = (struct store_party){t->work.tenant, t->work.user,
	    o->link != NULL ? o->link->conversation : o->conversation};
	t->commit.apply = task_apply;
	t->commit.after = task_applied;
	t->commit.arg = t;
	session_commit(t->session, &t->commit);
}

void
task_save(struct task *t, void (*then)(struct task *t))
{
	t->outcome.end = TASK_GOES_ON;
	t->then = then;
	task_commit(t);
}

/* ---- ends ---- */

static void
task_end(struct task *t, enum task_end end)
{
	t->outcome.end = end;
	task_commit(t);
	/* Whoever waits for this row's place goes into the same transaction. */
	engine_wake(t->engine);
}

void
task_finish(struct task *t)
{
	task_end(t, TASK_FINISH);
}

void
task_defer(struct task *t, int64_t wait_ms, const char *reason)
{
	/* A mailbox may be parked for good: then its rows look at that daily.
	 */
	if (wait_ms > RETRY_WAIT_MAX_MS)
		wait_ms = RETRY_AFTER_MAX_MS;
	t->outcome.until_ms = clock_wall_ms() + wait_ms;
	task_copy(t->outcome.reason, sizeof(t->outcome.reason), reason);
	task_end(t, TASK_DEFER);
}

void
task_bury(struct task *t, const char *reason)
{
	log_error("dead-letter", LOG_STR("kind", task_kind_names[t->work.kind]),
	    LOG_STR("tenant", t->work.tenant), LOG_STR("mailbox", t->work.user),
	    LOG_STR("eventId", t->work.event), LOG_STR("traceId", t->trace),
	    LOG_STR("message", reason));
	task_copy(t->outcome.reason, sizeof(t->outcome.reason), reason);
	task_end(t, TASK_BURY);
}

static void
task_log_failure(const struct task *t, const struct err *e, int64_t wait_ms)
{
	log_warning("work-deferred",
	    LOG_STR("kind", task_kind_names[t->work.kind]),
	    LOG_STR("tenant", t->work.tenant), LOG_STR("mailbox", t->work.user),
	    LOG_STR("eventId", t->work.event),
	    LOG_STR("conversation",
		t->conversation[0] != '\0' ? t->conversation : NULL),
	    LOG_STR("traceId", t->trace), LOG_INT("attempts", t->work.attempts),
	    LOG_INT("waitMs", wait_ms), LOG_ERR(e));
}

static void
task_park(struct task *t, const struct err *e)
{
	struct task_outcome *o = &t->outcome;
	int64_t wait_ms =
	    e->retry_after_ms > 0 ? e->retry_after_ms : 60 * 60 * 1000;

	o->park = true;
	o->park_until_ms = clock_wall_ms() + wait_ms;
	task_copy(o->park_reason, sizeof(o->park_reason), e->text);
	log_warning("mailbox-parked", LOG_STR("tenant", t->work.tenant),
	    LOG_STR("mailbox", t->work.user), LOG_INT("waitMs", wait_ms),
	    LOG_ERR(e));
	task_defer(t, wait_ms, e->text);
}

/* What Unblu refuses of one conversation keeps a mailbox's others no longer
 * than its pause. */
static int64_t
task_wait_ms(const struct task *t, const struct err *e)
{
	int64_t wait_ms =
	    retry_wait_ms(e, t->work.attempts, rand_below(UINT64_MAX));
	int64_t forbidden_ms = retry_forbidden_ms(t->work.attempts);

	return e->code == ERR_MAILBOX && wait_ms < forbidden_ms ? forbidden_ms
								: wait_ms;
}

void
task_fail(struct task *t, const struct err *e)
{
	int64_t wait_ms = t->call.held_ms;

	if (e->code == ERR_MAILBOX && t->call.peer == CALL_GRAPH) {
		task_park(t, e);
		return;
	}
	if (e->code == ERR_REFUSED ||
	    (e->code == ERR_INPUT &&
		t->work.attempts + 1 >= TASK_INPUT_ATTEMPTS)) {
		task_bury(t, e->text);
		return;
	}
	if (wait_ms <= 0) {
		wait_ms = task_wait_ms(t, e);
		t->work.attempts++;
	}
	if (t->call.asked || e->code == ERR_CONFIG)
		task_log_failure(t, e, wait_ms);
	task_defer(t, wait_ms, e->text);
}

bool
task_leaves_mailbox(struct task *t, const struct store_mailbox *box)
{
	int64_t now_ms = task_now_ms();

	if (box->state == STORE_MAILBOX_PARKED &&
	    renewal_parked_waits(box->retry_ms, now_ms))
		task_defer(t, box->retry_ms - now_ms, box->reason);
	else if (box->state == STORE_MAILBOX_UNFOLLOWED)
		task_finish(t);
	else
		return false;
	return true;
}

bool
task_mailbox_is_well(struct task *t)
{
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	struct store_mailbox box;
	int rc = t->session->store == NULL
	    ? err_set(&e, ERR_RETRY, "the store is closed")
	    : store_mailbox_find(
		  t->session->store, t->work.tenant, t->work.user, &box, &e);

	if (rc < 0) {
		/* The store's trouble is not the row's. */
		e.code = ERR_RETRY;
		task_fail(t, &e);
		return false;
	}
	return rc == 0 || !task_leaves_mailbox(t, &box);
}

bool
task_takes_conversation(struct task *t, const char *conversation)
{
	if (engine_conversation_busy(t->engine, t, conversation))
		return false;
	task_copy(t->conversation, sizeof(t->conversation), conversation);
	return true;
}
