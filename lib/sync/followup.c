/* sync/followup.c - FOLLOW and LINK work: brings a mailbox's subscription in
 * order and looks for the events of links that have none yet. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "rule/link.h"
#include "rule/retry.h"
#include "sync/degraded.h"
#include "sync/follow.h"
#include "sync/lease.h"
#include "sync/look.h"
#include "sync/task.h"

/* Behind a failed handshake of our webhook: an operator has to act, but a
 * webhook that just starts is there in a moment. */
static const int followup_config_s[] = {5, 15, 60, 300, 900, 3600};

static void
followup_free(void *state)
{
	if (state != NULL)
		follow_cancel(state);
}

static int
followup_unseen(const struct store_link *l, void *arg)
{
	bool *any = arg;
	int64_t since_ms =
	    l->announced_ms > 0 ? l->announced_ms : l->created_ms;

	/* However often something is said of the subscription. */
	if (l->state != STORE_LINK_ANNOUNCED ||
	    link_next_search_ms(l->searches, since_ms) > task_now_ms())
		return 0;
	*any = true;
	return 1;
}

/* The store could not be read: nothing is known of what is in it. */
static void
followup_fail_store(struct task *t, struct err *e)
{
	if (t->session->store == NULL)
		err_set(e, ERR_RETRY, "the store is closed");
	e->code = ERR_RETRY;
	task_fail(t, e);
}

/* Has an agent announced a conversation whose event is to be looked for? */
static void
followup_search(struct task *t)
{
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	bool any = false;

	if (t->session->store == NULL ||
	    store_link_each(t->session->store, t->work.tenant, t->work.user,
		followup_unseen, &any, &e) != 0) {
		followup_fail_store(t, &e);
		return;
	}
	if (any)
		task_add(t, STORE_WORK_SEARCH, "", 0, 0);
	task_finish(t);
}

static int64_t
followup_wait_ms(const struct task *t, const struct err *e)
{
	const int last =
	    (int)(sizeof(followup_config_s) / sizeof(followup_config_s[0])) - 1;
	int n = t->work.attempts < last ? t->work.attempts : last;

	if (e->code == ERR_CONFIG || e->code == ERR_REFUSED)
		return (int64_t)followup_config_s[n] * 1000;
	return retry_wait_ms(e, t->work.attempts, rand_below(UINT64_MAX));
}

static void
followup_failed(struct task *t, const struct follow_result *r)
{
	int64_t wait_ms = r->due_ms - task_now_ms();

	if (r->due_ms == 0) {
		wait_ms = followup_wait_ms(t, &r->err);
		t->work.attempts++;
		log_warning("follow-failed", LOG_STR("tenant", t->work.tenant),
		    LOG_STR("mailbox", t->work.user),
		    LOG_INT("attempts", t->work.attempts),
		    LOG_INT("waitMs", wait_ms), LOG_ERR(&r->err));
	}
	task_defer(t, wait_ms, r->err.text);
}

static void
followup_done(const struct follow_result *r, void *arg)
{
	struct task *t = arg;
	int64_t wait_ms = r->due_ms - task_now_ms();

	t->state = NULL;
	switch (r->outcome) {
	case FOLLOW_BUSY:
		task_defer(t, wait_ms > 100 ? wait_ms : 100,
		    "the mailbox's subscription is being worked on");
		return;
	case FOLLOW_FAILED:
		followup_failed(t, r);
		return;
	case FOLLOW_PARKED:
		task_defer(t, wait_ms, r->err.text);
		return;
	case FOLLOW_KEPT:
		/* Not followed: nothing is looked for in it either. */
		if (r->due_ms == 0) {
			task_finish(t);
			return;
		}
		followup_search(t);
		return;
	case FOLLOW_CREATED:
	case FOLLOW_RENEWED:
	case FOLLOW_RECREATED:
		followup_search(t);
		return;
	}
}

void
followup_start(struct task *t)
{
	unsigned flags = 0;

	if ((t->work.hints & STORE_HINT_REAUTHORIZE) != 0)
		flags |= FOLLOW_REAUTHORIZE;
	if ((t->work.hints & STORE_HINT_REMOVED) != 0)
		flags |= FOLLOW_REMOVED;
	t->free_state = followup_free;
	t->state = follow_start(
	    t->session, t->work.tenant, t->work.user, flags, followup_done, t);
}

/* A link that is over is not looked at by the clock again. */
static void
linkwork_rest(struct task *t, const struct store_link *l)
{
	struct store_link *kept;

	if (l->check_ms == 0 || !task_takes_conversation(t, l->conversation))
		return;
	kept = mem_zalloc(sizeof(*kept));
	*kept = *l;
	look_link_rests(kept);
	t->state = kept;
	t->free_state = free;
	t->outcome.link = kept;
}

/* Nobody follows the mailbox: the clock asks for nothing until it is followed
 * again, which a catch-up comes with. */
static bool
linkwork_is_left(struct task *t)
{
	struct store_mailbox box;

	return store_mailbox_find(t->session->store, t->work.tenant,
		   t->work.user, &box, NULL) == 1 &&
	    box.state == STORE_MAILBOX_UNFOLLOWED;
}

/* One conversation: at its event, or for it. */
void
linkwork_start(struct task *t)
{
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};
	struct store_link l;
	int found = t->session->store == NULL
	    ? -1
	    : store_link_find(t->session->store, t->work.event, &l, &e);

	if (found < 0) {
		followup_fail_store(t, &e);
		return;
	}
	if (found == 1 && l.state == STORE_LINK_ANNOUNCED) {
		lease_start(t, &l);
		return;
	}
	/* Of a held deletion, it may have been the last one. */
	if (found == 1 && l.state == STORE_LINK_DELETED)
		degraded_unhold(t->session, l.conversation);
	if (found == 1 &&
	    (link_is_over((enum link_state)l.state) || linkwork_is_left(t)))
		linkwork_rest(t, &l);
	else if (found == 1 && l.event[0] != '\0')
		task_add(t, STORE_WORK_EVENT, l.event, STORE_HINT_UPDATED, 0);
	else if (found == 1)
		task_add(t, STORE_WORK_SEARCH, "", 0, 0);
	task_finish(t);
}
