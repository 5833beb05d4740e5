/* sync/verdict.c - see look.h: that there is no event is certain; may the
 * conversation be deleted? Reads it and its history, asks the guard, marks,
 * deletes, and leaves an audit record either way. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "port/metrics.h"
#include "sync/look.h"

enum {
	VERDICT_UNREADABLE_MS = 15 * 60 * 1000,
	/* The event may be restored while others are being asked: then it is
	 * looked at again, so often. Where answers always take longer nothing
	 * is won by more. */
	VERDICT_FRESH_MS = 2000,
	VERDICT_LOOKS = 2
};

static int
verdict_build_read(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;

	(void)e;
	unblu_read_request(l->task->session->config, l->link.conversation, req);
	return 0;
}

static int
verdict_parse_read(const struct http_reply *reply, void *arg, struct err *e)
{
	struct look *l = arg;

	return unblu_read_reply(reply, &l->conversation, e);
}

static int
verdict_build_history(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;

	(void)e;
	unblu_history_request(
	    l->task->session->config, l->link.conversation, req);
	return 0;
}

static int
verdict_parse_history(const struct http_reply *reply, void *arg, struct err *e)
{
	struct look *l = arg;

	return unblu_history_reply(reply, &l->history, e);
}

static int
verdict_build_end(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;

	(void)e;
	unblu_end_request(l->task->session->config, l->link.conversation, req);
	return 0;
}

static int
verdict_parse_end(const struct http_reply *reply, void *arg, struct err *e)
{
	(void)arg;
	return unblu_end_reply(reply, e);
}

static void
verdict_end_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code != ERR_NONE) {
		look_fail(l, e);
		return;
	}
	metrics_unblu_write("end");
	look_close(l, STORE_LINK_ENDED, "end", "done",
	    "somebody took part: ended instead of deleted");
}

/* An orphan's event is nowhere to be looked at. */
static bool
verdict_is_late(const struct look *l)
{
	return !l->orphan && l->late_looks < VERDICT_LOOKS &&
	    clock_mono_ms() - l->looked_ms > VERDICT_FRESH_MS;
}

/* Behind the mark, and all the questions before it. False: the task has ended,
 * or looks at the event again. */
static bool
verdict_still_holds(struct look *l)
{
	/* The agent has removed it himself meanwhile. */
	if (l->link.state == STORE_LINK_DELETED) {
		task_finish(l->task);
		return false;
	}
	if (l->orphan && look_spares_orphan(l))
		return false;
	if (verdict_is_late(l)) {
		l->late_looks++;
		look_read(l);
		return false;
	}
	return true;
}

static void
verdict_end_marked(struct task *t)
{
	if (!verdict_still_holds(t->state))
		return;
	task_call(t, CALL_UNBLU, verdict_build_end, verdict_parse_end,
	    verdict_end_done, t->state);
}

static void
verdict_keep(struct look *l, const char *why)
{
	/* Nobody has called off what was never saved. */
	if (!l->orphan &&
	    l->task->session->policy.deletion == POLICY_DELETE_OR_END &&
	    l->conversation.state == GUARD_CREATED) {
		text_copy(l->link.writing, sizeof(l->link.writing), "end");
		l->task->outcome.link = &l->link;
		task_save(l->task, verdict_end_marked);
		return;
	}
	look_close(l, STORE_LINK_KEPT, "delete", "refused", why);
}

static int
verdict_build_delete(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;

	(void)e;
	unblu_delete_request(
	    l->task->session->config, l->link.conversation, req);
	return 0;
}

static int
verdict_parse_delete(const struct http_reply *reply, void *arg, struct err *e)
{
	(void)arg;
	return unblu_delete_reply(reply, e);
}

static void
verdict_delete_done(const struct err *e, void *arg)
{
	struct look *l = arg;
	const struct store_work *w = &l->task->work;

	if (e->code == ERR_REFUSED) {
		look_close(l, STORE_LINK_KEPT, "delete", "refused", e->text);
		return;
	}
	if (e->code == ERR_MAILBOX) {
		verdict_forbidden(l, e);
		return;
	}
	if (e->code != ERR_NONE) {
		look_fail(l, e);
		return;
	}
	metrics_unblu_write("delete");
	if (!l->orphan)
		metrics_sync_seconds(task_now_ms() - w->first_seen_ms);
	log_info("conversation-deleted", LOG_STR("tenant", w->tenant),
	    LOG_STR("mailbox", w->user),
	    LOG_STR("conversation", l->link.conversation),
	    LOG_STR("traceId", l->task->trace), LOG_BOOL("orphan", l->orphan));
	look_close(l, STORE_LINK_DELETED, "delete", "done",
	    l->history.kind == GUARD_HISTORY_ABSENT
		? "no history: judged by the present participants"
		: "");
}

static void
verdict_marked(struct task *t)
{
	struct look *l = t->state;

	/* Others have begun so many meanwhile, here or elsewhere. */
	if (!t->admitted) {
		text_copy(l->link.writing, sizeof(l->link.writing), l->writing);
		l->link.writing_ms = l->writing_ms;
		removal_hold(l, removal_braked);
		return;
	}
	if (!verdict_still_holds(l))
		return;
	task_call(t, CALL_UNBLU, verdict_build_delete, verdict_parse_delete,
	    verdict_delete_done, t->state);
}

static void
verdict_judge(struct look *l)
{
	const char *why = "";

	switch (
	    guard_judge(&l->conversation, &l->history, l->link.agent, &why)) {
	case GUARD_KEEP:
		verdict_keep(l, why);
		return;
	case GUARD_WAIT:
		log_warning("deletion-waits", LOG_STR("tenant", l->link.tenant),
		    LOG_STR("mailbox", l->link.user),
		    LOG_STR("conversation", l->link.conversation),
		    LOG_STR("message", why));
		text_copy(l->link.last_error, sizeof(l->link.last_error), why);
		l->task->outcome.link = &l->link;
		task_defer(l->task, VERDICT_UNREADABLE_MS, why);
		return;
	case GUARD_DELETE:
		text_copy(l->writing, sizeof(l->writing), l->link.writing);
		l->writing_ms = l->link.writing_ms;
		text_copy(l->link.writing, sizeof(l->link.writing), "delete");
		l->link.writing_ms = task_now_ms();
		l->task->outcome.link = &l->link;
		l->task->outcome.admit = removal_admit;
		task_save(l->task, verdict_marked);
		return;
	}
}

static void
verdict_history_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code != ERR_NONE)
		look_fail(l, e);
	else
		verdict_judge(l);
}

bool
verdict_owns(struct look *l)
{
	const char *why = "";
	enum guard_owner owner = l->link.verified
	    ? GUARD_OURS
	    : guard_own(
		  &l->conversation, l->link.source_id, l->link.agent, &why);

	if (l->conversation.state == GUARD_ENDED &&
	    strcmp(l->link.writing, "end") == 0) {
		metrics_unblu_write("end");
		look_close(l, STORE_LINK_ENDED, "end", "done",
		    "found done after an interruption");
		return false;
	}
	if (l->conversation.state == GUARD_ENDED || owner == GUARD_OVER) {
		look_close(l, STORE_LINK_ENDED, "delete", "refused",
		    "the conversation has ended");
		return false;
	}
	if (owner == GUARD_FOREIGN) {
		look_close(l, STORE_LINK_FOREIGN, "own", "foreign", why);
		return false;
	}
	l->link.verified = true;
	return true;
}

static void
verdict_read_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code == ERR_GONE)
		verdict_gone(l);
	else if (e->code != ERR_NONE)
		look_fail(l, e);
	else if (verdict_owns(l))
		task_call(l->task, CALL_UNBLU, verdict_build_history,
		    verdict_parse_history, verdict_history_done, l);
}

void
verdict_read(struct look *l, void (*done)(const struct err *e, void *arg))
{
	task_call(l->task, CALL_UNBLU, verdict_build_read, verdict_parse_read,
	    done, l);
}

void
verdict_start(struct look *l)
{
	verdict_read(l, verdict_read_done);
}
