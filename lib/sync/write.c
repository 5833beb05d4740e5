/* sync/write.c - see look.h: makes topic and time of a conversation equal to
 * its event. A mark is committed before each write, the outcome after it; a
 * mark found at the start means that a write's outcome is not known, and the
 * conversation is read back before anything is repeated. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/when.h"
#include "port/metrics.h"
#include "sync/look.h"

/* What was refused so often is looked at before it is tried again: it may have
 * ended, and who may not change it need not be told so. */
enum { WRITE_TRIES = 2 };

static void write_next(struct look *l);

/* ---- reading the conversation ---- */

static int
write_build_read(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;

	(void)e;
	unblu_read_request(l->task->session->config, l->link.conversation, req);
	return 0;
}

static int
write_parse_read(const struct http_reply *reply, void *arg, struct err *e)
{
	struct look *l = arg;

	return unblu_read_reply(reply, &l->conversation, e);
}

/* What Unblu says now is what is known, when nothing was or a write's outcome
 * was not; else only what was last written counts, so that a change made by
 * hand in Unblu stays until the event itself changes. */
static void
write_take_stock(struct look *l)
{
	struct store_link *s = &l->link;
	struct plan *p = &l->plan;
	int64_t start_ms = when_round_minute(l->conversation.start_ms);
	bool topic_differs = strcmp(l->conversation.topic, p->topic) != 0;
	bool time_differs = p->wants_time && start_ms != p->start_ms;

	if (!s->written || s->writing[0] != '\0') {
		text_copy(s->topic, sizeof(s->topic), l->conversation.topic);
		s->start_ms = start_ms;
		s->written = true;
		s->writing[0] = '\0';
		p->set_topic = topic_differs;
		p->set_time = time_differs;
	} else {
		p->set_topic = p->set_topic && topic_differs;
		p->set_time = p->set_time && time_differs;
	}
	if (!p->set_topic)
		text_copy(s->topic, sizeof(s->topic), p->topic);
	if (!p->set_time && p->wants_time)
		s->start_ms = p->start_ms;
}

/* Ends: a series may have had more to come. */
static void
write_ended(struct look *l, const char *why)
{
	if (l->plan.goes_on)
		look_close(l, STORE_LINK_ENDED_EARLY, "follow", "ended-early",
		    "the conversation has ended before the last occurrence");
	else
		look_close(l, STORE_LINK_ENDED, "follow", "ended", why);
}

/* False: not ours, or over; the task has ended. */
static bool
write_may_go_on(struct look *l)
{
	const char *why = "";
	char agent[GUARD_PERSON_MAX];

	if (l->link.verified) {
		if (l->conversation.state != GUARD_ENDED)
			return true;
		write_ended(l, "the conversation has ended");
		return false;
	}
	switch (guard_own(&l->conversation, l->link.source_id, agent, &why)) {
	case GUARD_OURS:
		l->link.verified = true;
		text_copy(l->link.agent, sizeof(l->link.agent), agent);
		return true;
	case GUARD_OVER:
		write_ended(l, why);
		return false;
	case GUARD_FOREIGN:
		look_close(l, STORE_LINK_FOREIGN, "own", "foreign", why);
		return false;
	}
	return false;
}

static void
write_read_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code == ERR_GONE) {
		verdict_gone(l);
		return;
	}
	if (e->code != ERR_NONE) {
		look_fail(l, e);
		return;
	}
	l->has_conversation = true;
	if (!write_may_go_on(l))
		return;
	if (l->refusal.code != ERR_NONE) {
		task_audit(l->task,
		    l->plan.set_topic ? "set-topic" : "set-time", "refused",
		    l->refusal.text);
		look_fail(l, &l->refusal);
		return;
	}
	write_take_stock(l);
	write_next(l);
}

void
write_start(struct look *l)
{
	/* The state must be known before the time is set, ownership before
	 * anything is. */
	if (!l->link.verified || l->link.writing[0] != '\0' ||
	    !l->link.written || l->plan.set_time ||
	    l->task->work.attempts >= WRITE_TRIES)
		task_call(l->task, CALL_UNBLU, write_build_read,
		    write_parse_read, write_read_done, l);
	else
		write_next(l);
}

/* ---- writing ---- */

static int
write_build_set(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;
	const struct config *c = l->task->session->config;

	(void)e;
	if (l->plan.set_topic)
		unblu_set_topic_request(
		    c, l->link.conversation, l->plan.topic, req);
	else
		unblu_set_time_request(
		    c, l->link.conversation, l->plan.start_ms, req);
	return 0;
}

static int
write_parse_set(const struct http_reply *reply, void *arg, struct err *e)
{
	struct look *l = arg;

	l->set_refused = reply->result == HTTP_DONE && reply->status >= 300 &&
	    reply->status < 500 && reply->status != 408;
	return unblu_set_reply(reply, &l->conversation, e);
}

static void
write_record(struct look *l)
{
	struct store_link *s = &l->link;

	s->writing[0] = '\0';
	l->has_conversation = true;
	if (l->plan.set_topic) {
		text_copy(s->topic, sizeof(s->topic), l->plan.topic);
		l->plan.set_topic = false;
		l->wrote_topic = true;
		task_audit(l->task, "set-topic", "done", "");
		metrics_unblu_write("set-topic");
	} else {
		s->start_ms = l->plan.start_ms;
		l->plan.set_time = false;
		l->wrote_time = true;
		task_audit(l->task, "set-time", "done", "");
		metrics_unblu_write("set-time");
	}
}

static void
write_set_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code == ERR_NONE) {
		write_record(l);
		write_next(l);
		return;
	}
	/* An answer that refuses says that nothing was written; behind a lost
	 * one, or a 5xx of whoever stands in between, the mark stays, so that
	 * it is read back. */
	if (l->set_refused)
		l->link.writing[0] = '\0';
	if (e->code == ERR_GONE) {
		verdict_gone(l);
		return;
	}
	if (e->code != ERR_REFUSED) {
		look_fail(l, e);
		return;
	}
	/* One that has ended takes no change, and that is no fault. */
	l->refusal = *e;
	task_call(l->task, CALL_UNBLU, write_build_read, write_parse_read,
	    write_read_done, l);
}

static void
write_marked(struct task *t)
{
	struct look *l = t->state;

	/* A request that is not sent at all has written nothing. */
	l->set_refused = true;
	task_call(
	    t, CALL_UNBLU, write_build_set, write_parse_set, write_set_done, l);
}

static void
write_end(struct look *l)
{
	const struct store_work *w = &l->task->work;
	int64_t now_ms = task_now_ms();

	l->link.synced_ms = now_ms;
	if (l->wrote_topic || l->wrote_time) {
		metrics_sync_seconds(now_ms - w->first_seen_ms);
		log_info("conversation-updated", LOG_STR("tenant", w->tenant),
		    LOG_STR("mailbox", w->user),
		    LOG_STR("conversation", l->link.conversation),
		    LOG_STR("traceId", l->task->trace),
		    LOG_STR("changed",
			l->wrote_topic && l->wrote_time ? "topic,time"
			    : l->wrote_topic            ? "topic"
							: "time"),
		    LOG_INT("ms", now_ms - w->first_seen_ms));
	}
	if (l->has_conversation && l->conversation.state == GUARD_ENDED)
		write_ended(l, "the conversation has ended");
	else
		look_finish(l);
}

static void
write_next(struct look *l)
{
	/* Time only while the conversation is CREATED. */
	if (l->has_conversation && l->conversation.state != GUARD_CREATED)
		l->plan.set_time = false;
	if (!l->plan.set_topic && !l->plan.set_time) {
		write_end(l);
		return;
	}
	text_copy(l->link.writing, sizeof(l->link.writing),
	    l->plan.set_topic ? "topic" : "time");
	l->task->outcome.link = &l->link;
	task_save(l->task, write_marked);
}
