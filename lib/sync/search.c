/* sync/search.c - SEARCH work: finds events by our property that no
 * notification told of. What it finds is looked at like any other event. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "remote/graph.h"
#include "rule/link.h"
#include "sync/task.h"

enum {
	SEARCH_PAGES = 1000, /* of 50: no calendar has more of ours */
	SEARCH_ADDS = 100, /* then what was found is made durable */
	SEARCH_BUSY_MS = 60 * 1000
};

struct search {
	struct task *task;
	struct buf next;
	int pages;
	size_t found;
	size_t unreadable;
	/* conversations of the links that wait for their event */
	char (*waiting)[STORE_ID_MAX];
	size_t waiting_count;
	size_t saved;
	struct store_link link; /* the one being saved */
	int64_t next_search_ms;
};

static void search_ask(struct search *s);

static void
search_free(void *state)
{
	struct search *s = state;

	buf_clear(&s->next);
	free(s->waiting);
	free(s);
}

static int
search_build(struct http_request *req, void *arg, struct err *e)
{
	const struct search *s = arg;

	return graph_search_request(s->task->session->config,
	    s->task->work.user, NULL, buf_text(&s->next), req, e);
}

/* Known events are none of our business: catch-up looks at those. One that was
 * only announced with its id is not known. */
static void
search_each(const struct event *ev, void *arg)
{
	struct search *s = arg;
	struct task *t = s->task;
	struct store_link l;
	int known;

	if (!ev->linked || ev->type == EVENT_OCCURRENCE)
		return;
	/* Without a store to ask, one look too many does no harm. */
	known = t->session->store == NULL
	    ? 0
	    : store_link_by_event(t->session->store, t->work.tenant,
		  t->work.user, ev->id, &l, NULL);
	if (known == 1 && l.state != STORE_LINK_ANNOUNCED &&
	    l.state != STORE_LINK_UNCONFIRMED)
		return;
	s->found++;
	task_add(t, STORE_WORK_EVENT, ev->id, STORE_HINT_UPDATED, 0);
}

static int
search_parse(const struct http_reply *reply, void *arg, struct err *e)
{
	struct search *s = arg;

	return graph_search_reply(s->task->session->config, reply, search_each,
	    s, &s->unreadable, &s->next, e);
}

static int
search_collect(const struct store_link *l, void *arg)
{
	struct search *s = arg;

	if (l->state != STORE_LINK_ANNOUNCED)
		return 0;
	s->waiting = mem_realloc(
	    s->waiting, (s->waiting_count + 1) * sizeof(*s->waiting));
	memcpy(s->waiting[s->waiting_count++], l->conversation, STORE_ID_MAX);
	return 0;
}

static void
search_plan(struct search *s, int64_t due_ms)
{
	if (due_ms < s->next_search_ms)
		s->next_search_ms = due_ms;
}

/* Counts the search, unless the event has turned up meanwhile: 1 to be saved,
 * 0 not, -1. */
static int
search_count(struct search *s, const char *conversation, struct err *e)
{
	struct task *t = s->task;
	struct store_link *l = &s->link;
	int64_t now_ms = task_now_ms();
	int64_t since_ms, due_ms;
	int found;

	if (t->session->store == NULL)
		return err_set(e, ERR_RETRY, "the store is closed");
	found = store_link_find(t->session->store, conversation, l, e);
	if (found != 1 || l->state != STORE_LINK_ANNOUNCED)
		return found < 0 ? -1 : 0;
	since_ms = l->announced_ms > 0 ? l->announced_ms : l->created_ms;
	due_ms = link_next_search_ms(l->searches, since_ms);
	/* One more than planned, of a catch-up say, replaces none. */
	if (due_ms > now_ms) {
		search_plan(s, due_ms);
		return 0;
	}
	/* Whoever has it may not find its event either: it still waits. */
	if (!task_takes_conversation(t, conversation)) {
		search_plan(s, now_ms + SEARCH_BUSY_MS);
		return 0;
	}
	l->searches++;
	search_plan(s, link_next_search_ms(l->searches, since_ms));
	t->outcome.link = l;
	return 1;
}

/* The row stays, and with it the searches that would follow this one. */
static void
search_fail_store(struct search *s, const struct err *e)
{
	struct err why = *e;

	why.code = ERR_RETRY;
	task_fail(s->task, &why);
}

static void
search_save_next(struct task *t)
{
	struct search *s = t->state;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	int64_t wait_ms;

	while (s->saved < s->waiting_count) {
		int counted = search_count(s, s->waiting[s->saved++], &e);

		if (counted < 0) {
			search_fail_store(s, &e);
			return;
		}
		if (counted == 0)
			continue;
		task_save(t, search_save_next);
		return;
	}
	if (s->next_search_ms != INT64_MAX) {
		wait_ms = s->next_search_ms - task_now_ms();
		task_add(
		    t, STORE_WORK_SEARCH, "", 0, wait_ms > 0 ? wait_ms : 0);
	}
	task_finish(t);
}

static void
search_finish(struct search *s)
{
	struct task *t = s->task;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};

	log_info("mailbox-searched", LOG_STR("tenant", t->work.tenant),
	    LOG_STR("mailbox", t->work.user), LOG_INT("found", s->found),
	    LOG_INT("unreadable", s->unreadable));
	s->next_search_ms = INT64_MAX;
	if (t->session->store == NULL)
		err_set(&e, ERR_RETRY, "the store is closed");
	else
		store_link_each(t->session->store, t->work.tenant, t->work.user,
		    search_collect, s, &e);
	if (e.code != ERR_NONE) {
		search_fail_store(s, &e);
		return;
	}
	/* What was found is added with the first of these. */
	search_save_next(t);
}

static void
search_go_on(struct task *t)
{
	search_ask(t->state);
}

static void
search_done(const struct err *e, void *arg)
{
	struct search *s = arg;
	struct err why = {.code = ERR_NONE, .retry_after_ms = -1};

	if (e->code != ERR_NONE) {
		task_fail(s->task, e);
	} else if (s->next.len == 0) {
		search_finish(s);
	} else if (++s->pages > SEARCH_PAGES) {
		err_set(&why, ERR_INPUT, "the list of events does not end");
		task_fail(s->task, &why);
	} else if (s->task->outcome.add_count >= SEARCH_ADDS) {
		task_save(s->task, search_go_on);
	} else {
		search_ask(s);
	}
}

static void
search_ask(struct search *s)
{
	task_call(
	    s->task, CALL_GRAPH, search_build, search_parse, search_done, s);
}

void
search_start(struct task *t)
{
	struct search *s = mem_zalloc(sizeof(*s));

	s->task = t;
	buf_init(&s->next, HTTP_URL_MAX);
	t->state = s;
	t->free_state = search_free;
	if (task_mailbox_is_well(t))
		search_ask(s);
}
