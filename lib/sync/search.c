/* sync/search.c - SEARCH work: finds events by our property that no
 * notification told of. What it finds is looked at like any other event. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "remote/graph.h"
#include "rule/link.h"
#include "sync/task.h"

enum { SEARCH_ADDS_MAX = 400 }; /* one transaction's worth */

struct search {
	struct task *task;
	struct buf next;
	size_t found;
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

/* Known events are none of our business: catch-up looks at those. */
static void
search_each(const struct event *ev, void *arg)
{
	struct search *s = arg;
	struct task *t = s->task;
	struct store_link l;

	if (!ev->linked || ev->type == EVENT_OCCURRENCE ||
	    t->outcome.add_count >= SEARCH_ADDS_MAX)
		return;
	if (t->session->store != NULL &&
	    store_link_by_event(t->session->store, t->work.tenant, t->work.user,
		ev->id, &l, NULL) == 1)
		return;
	s->found++;
	task_add(t, STORE_WORK_EVENT, ev->id, STORE_HINT_UPDATED, 0);
}

static int
search_parse(const struct http_reply *reply, void *arg, struct err *e)
{
	struct search *s = arg;

	return graph_search_reply(
	    s->task->session->config, reply, search_each, s, &s->next, e);
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

/* Counts the search, unless the event has turned up meanwhile. */
static bool
search_count(struct search *s, const char *conversation)
{
	struct task *t = s->task;
	struct store_link *l = &s->link;
	int64_t due_ms;

	if (t->session->store == NULL ||
	    !task_takes_conversation(t, conversation) ||
	    store_link_find(t->session->store, conversation, l, NULL) != 1 ||
	    l->state != STORE_LINK_ANNOUNCED)
		return false;
	l->searches++;
	due_ms = link_next_search_ms(
	    l->searches, l->announced_ms > 0 ? l->announced_ms : l->created_ms);
	if (due_ms < s->next_search_ms)
		s->next_search_ms = due_ms;
	t->outcome.link = l;
	return true;
}

static void
search_save_next(struct task *t)
{
	struct search *s = t->state;
	int64_t wait_ms;

	while (s->saved < s->waiting_count) {
		if (!search_count(s, s->waiting[s->saved++]))
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

	log_info("mailbox-searched", LOG_STR("tenant", t->work.tenant),
	    LOG_STR("mailbox", t->work.user), LOG_INT("found", s->found));
	s->next_search_ms = INT64_MAX;
	if (t->session->store != NULL)
		store_link_each(t->session->store, t->work.tenant, t->work.user,
		    search_collect, s, NULL);
	/* What was found is added with the first of these. */
	search_save_next(t);
}

static void
search_done(const struct err *e, void *arg)
{
	struct search *s = arg;

	if (e->code != ERR_NONE)
		task_fail(s->task, e);
	else if (s->next.len > 0)
		search_ask(s);
	else
		search_finish(s);
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
	search_ask(s);
}
