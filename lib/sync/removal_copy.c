/* sync/removal_copy.c - see look.h: before a conversation is deleted all
 * calendars of the mailbox are asked for a living copy of its event. Graph
 * tells of the default calendar only, and the search before looked only there.
 */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "sync/lease_scan.h"
#include "sync/look.h"

/* Without having read everything nothing is deleted. What the mailbox or the
 * cloud is the reason for is waited for, however long; what is refused of a
 * calendar alone, that long before an operator is asked. */
enum { COPY_TRIES = 3, COPY_PATIENCE_MS = 24 * 60 * 60 * 1000 };

static bool
copy_is_refused(const struct err *e)
{
	return e->code == ERR_REFUSED || e->code == ERR_INPUT ||
	    e->code == ERR_GONE;
}

static void
copy_refused(struct look *l, const struct err *e)
{
	struct err why = {.code = ERR_NONE, .retry_after_ms = -1};
	int64_t gone_ms = task_now_ms() - l->link.gone_since_ms;
	int released = removal_is_released(l, &why);

	log_warning("copies-not-sought",
	    LOG_STR("tenant", l->task->work.tenant),
	    LOG_STR("mailbox", l->task->work.user),
	    LOG_STR("conversation", l->link.conversation), LOG_ERR(e));
	if (released < 0) {
		look_fail(l, &why);
		return;
	}
	if (released == 1) {
		look_read(l);
		return;
	}
	err_set(
	    &why, ERR_RETRY, "not every calendar could be read: %s", e->text);
	if (l->link.state == STORE_LINK_HELD ||
	    (l->task->work.attempts >= COPY_TRIES &&
		gone_ms >= COPY_PATIENCE_MS))
		removal_hold(l, why.text);
	else
		look_fail(l, &why);
}

static void
copy_sought(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (copy_is_refused(e))
		copy_refused(l, e);
	else if (e->code != ERR_NONE)
		look_fail(l, e);
	else if (l->copies->carrier[0] != '\0')
		removal_inherit(
		    l, l->copies->carrier, "a copy in another calendar");
	else
		look_read(l);
}

void
removal_seek_copy(struct look *l)
{
	struct lease_scan *s = mem_zalloc(sizeof(*s));

	l->copies = s;
	s->task = l->task;
	text_copy(
	    s->conversation, sizeof(s->conversation), l->link.conversation);
	text_copy(s->except, sizeof(s->except), l->link.event);
	s->only_copies = true;
	s->done = copy_sought;
	s->arg = l;
	lease_scan_start(s);
}
