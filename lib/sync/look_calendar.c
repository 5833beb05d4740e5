/* sync/look_calendar.c - see look.h: an event was read; does it lie in a
 * calendar? By its immutable id it may be read in Deleted Items too, and then
 * /events/{id}/calendar says ErrorItemNotFound. That answer alone makes it a
 * candidate for deletion. Whatever else is said there is no proof: the event
 * counts as alive, so that nothing is deleted over an answer nobody foresaw. */
#include "base/log.h"
#include "sync/look.h"

/* A 200 alone proves nothing when there is reason to think that the event was
 * deleted. */
static bool
look_doubts_calendar(const struct look *l)
{
	return !l->in_calendar &&
	    ((l->task->work.hints & (STORE_HINT_DELETED | STORE_HINT_MISSED)) !=
		    0 ||
		l->link.state == STORE_LINK_GONE ||
		l->link.state == STORE_LINK_HELD ||
		l->link.state == STORE_LINK_KEPT);
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
look_believe(struct look *l, const struct err *e)
{
	if (e->code != ERR_NONE)
		log_warning("calendar-unknown",
		    LOG_STR("tenant", l->task->work.tenant),
		    LOG_STR("mailbox", l->task->work.user),
		    LOG_STR("conversation", l->link.conversation), LOG_ERR(e));
	l->in_calendar = true;
	look_go_on(l);
}

/* It contradicts what was read just before: once more, but not for ever, for
 * what the event says has to reach the conversation. */
static void
look_meet_contradiction(struct look *l, const struct err *e)
{
	struct err again = *e;

	if (l->task->work.attempts >= LOOK_ODD_TRIES) {
		look_believe(l, e);
		return;
	}
	again.code = ERR_RETRY;
	again.retry_after_ms = -1;
	look_fail(l, &again);
}

static void
look_calendar_done(const struct err *e, void *arg)
{
	struct look *l = arg;

	switch (e->code) {
	case ERR_NONE:
	case ERR_REFUSED:
		look_believe(l, e);
		return;
	case ERR_MAILBOX: /* which has just answered */
		look_meet_contradiction(l, e);
		return;
	case ERR_GONE:
		if (l->still_there) /* the calendar's own list has it */
			look_meet_contradiction(l, e);
		else if (l->confirming)
			removal_confirmed(l);
		else
			removal_start(l, "the event lies in no calendar");
		return;
	default:
		look_fail(l, e);
		return;
	}
}

void
look_check_calendar(struct look *l)
{
	if (look_doubts_calendar(l))
		task_call(l->task, CALL_GRAPH, look_build_calendar,
		    look_parse_calendar, look_calendar_done, l);
	else
		look_go_on(l);
}
