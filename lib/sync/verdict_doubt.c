/* sync/verdict_doubt.c - see look.h: what Unblu says of a conversation is not
 * believed the first time, see rule/doubt.h. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "rule/doubt.h"
#include "sync/look.h"

static void
verdict_doubt(const struct look *l, struct doubt *out)
{
	const struct store_work *w = &l->task->work;

	out->reason = w->reason;
	out->not_before_ms = w->not_before_ms;
	out->attempts = w->attempts;
}

/* Ends: tried again behind that time, for the reason kept in link and row. */
static void
verdict_wait(
    struct look *l, const char *event, int64_t wait_ms, const char *why)
{
	struct task *t = l->task;

	log_warning(event, LOG_STR("tenant", t->work.tenant),
	    LOG_STR("mailbox", t->work.user),
	    LOG_STR("conversation", l->link.conversation),
	    LOG_STR("traceId", t->trace), LOG_INT("waitMs", wait_ms),
	    LOG_STR("message", why));
	text_copy(l->link.last_error, sizeof(l->link.last_error), why);
	t->outcome.link = &l->link;
	t->work.attempts++;
	task_defer(t, wait_ms, why);
}

void
verdict_gone(struct look *l)
{
	bool ours = strcmp(l->link.writing, "delete") == 0;
	struct doubt d;

	verdict_doubt(l, &d);
	if (!doubt_is_gone(&d, l->link.writing, task_now_ms())) {
		verdict_wait(
		    l, "conversation-not-found", DOUBT_GONE_MS, DOUBT_GONE);
		return;
	}
	look_close(l, STORE_LINK_DELETED, ours ? "delete" : "follow",
	    ours ? "done" : "gone",
	    ours ? "found done after an interruption"
		 : "the conversation does not exist any more");
}

void
verdict_forbidden(struct look *l, const struct err *e)
{
	struct doubt d;

	verdict_doubt(l, &d);
	l->link.writing[0] = '\0';
	switch (doubt_refused(&d, e->text)) {
	case DOUBT_FIRST:
		look_audit(l, "delete", "refused", e->text);
		/* fall through */
	case DOUBT_AGAIN:
		verdict_wait(l, "deletion-refused", DOUBT_REFUSED_MS, e->text);
		return;
	case DOUBT_ENOUGH:
		text_copy(
		    l->link.last_error, sizeof(l->link.last_error), e->text);
		removal_hold(l, e->text);
		return;
	}
}
