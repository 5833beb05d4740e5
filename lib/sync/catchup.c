/* sync/catchup.c - CATCHUP work: has every known event of a mailbox that may
 * still matter read again, for Graph sometimes goes silent without a word. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "rule/link.h"
#include "sync/task.h"

enum { CATCHUP_ADDS = 200 }; /* in one transaction */

struct catchup {
	int64_t since_ms; /* an event that ended before is past */
	char (*events)[STORE_ID_MAX];
	size_t count;
	size_t added;
	bool any_unseen; /* a link waits for its event */
};

static void
catchup_free(void *state)
{
	struct catchup *c = state;

	free(c->events);
	free(c);
}

static int
catchup_collect(const struct store_link *l, void *arg)
{
	struct catchup *c = arg;

	if (l->event[0] == '\0' &&
	    (l->state == STORE_LINK_ANNOUNCED ||
		l->state == STORE_LINK_UNCONFIRMED))
		c->any_unseen = true;
	if (l->event[0] == '\0' || link_is_over((enum link_state)l->state) ||
	    (l->end_ms > 0 && l->end_ms < c->since_ms))
		return 0;
	c->events = mem_realloc(c->events, (c->count + 1) * sizeof(*c->events));
	memcpy(c->events[c->count++], l->event, STORE_ID_MAX);
	return 0;
}

static void
catchup_next(struct task *t)
{
	struct catchup *c = t->state;
	size_t end = c->added + CATCHUP_ADDS;

	/* With this hint a 200 is not believed before the event is seen in a
	 * calendar. */
	for (; c->added < c->count && c->added < end; c->added++)
		task_add(t, STORE_WORK_EVENT, c->events[c->added],
		    STORE_HINT_MISSED, 0);
	if (c->added < c->count) {
		task_save(t, catchup_next);
		return;
	}
	log_info("catch-up", LOG_STR("tenant", t->work.tenant),
	    LOG_STR("mailbox", t->work.user), LOG_INT("events", c->count));
	if (c->any_unseen)
		task_add(t, STORE_WORK_SEARCH, "", 0, 0);
	t->outcome.catch_up_done = true;
	task_finish(t);
}

void
catchup_start(struct task *t)
{
	struct catchup *c = mem_zalloc(sizeof(*c));
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};

	c->since_ms = task_now_ms() - t->session->policy.catch_up_past_ms;
	t->state = c;
	t->free_state = catchup_free;
	if (t->session->store == NULL)
		err_set(&e, ERR_RETRY, "the store is closed");
	else
		store_link_each(t->session->store, t->work.tenant, t->work.user,
		    catchup_collect, c, &e);
	if (e.code != ERR_NONE)
		task_fail(t, &e);
	else
		catchup_next(t);
}
