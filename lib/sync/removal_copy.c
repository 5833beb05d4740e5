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

/* A search that never ends well must not keep a conversation for ever. */
enum { COPY_PATIENCE = 3 };

static bool
copy_may_be_given_up(const struct look *l, const struct err *e)
{
	if (e->code == ERR_REFUSED || e->code == ERR_INPUT ||
	    e->code == ERR_MAILBOX || e->code == ERR_GONE)
		return true;
	return e->code == ERR_RETRY && l->task->work.attempts >= COPY_PATIENCE;
}

static void
copy_sought(const struct err *e, void *arg)
{
	struct look *l = arg;

	if (e->code != ERR_NONE && !copy_may_be_given_up(l, e)) {
		look_fail(l, e);
		return;
	}
	if (e->code != ERR_NONE)
		log_warning("copies-not-sought",
		    LOG_STR("tenant", l->task->work.tenant),
		    LOG_STR("mailbox", l->task->work.user),
		    LOG_STR("conversation", l->link.conversation), LOG_ERR(e));
	if (e->code == ERR_NONE && l->copies->carrier[0] != '\0')
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
