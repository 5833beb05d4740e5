/* cronjob/tell.c - see tell.h. */
#include "tell.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/when.h"

enum { TELL_REASON_MAX = 160, TELL_COUNTER_MS = 100 };

void
tell_list(const struct target_list *l, int64_t now_ms)
{
	char reason[TELL_REASON_MAX];

	for (size_t i = 0; i < l->count; i++) {
		const struct target *t = &l->items[i];

		target_describe(t, now_ms, reason, sizeof(reason));
		printf("%-8s  %s/%s  %s\n", renewal_action_name(t->action),
		    t->tenant, t->user, reason);
	}
}

static size_t
finished(const struct summary *s)
{
	return s->created + s->renewed + s->recreated + s->removed + s->parked +
	    s->left + s->failed;
}

/* A terminal shows the state of things; the lines would only scroll by. */
static void
tell_counter(const struct summary *s)
{
	static int64_t told_ms;
	int64_t now_ms = clock_mono_ms();
	size_t done = finished(s);

	if (done < s->due && now_ms - told_ms < TELL_COUNTER_MS)
		return;
	told_ms = now_ms;
	printf("\r%zu of %zu, %zu failed ", done, s->due, s->failed);
	fflush(stdout);
}

static void
tell_line(const struct target *t, const char *what, const struct err *e,
    int64_t due_ms)
{
	char when[WHEN_TEXT_MAX] = "by the next pass";

	if (due_ms != 0)
		when_format_iso(due_ms, false, when);
	printf("%-9s  %s/%s  %s%snext look %s\n", what, t->tenant, t->user,
	    e->code != ERR_NONE ? e->text : t->reason, "; ", when);
	fflush(stdout);
}

static const char *
follow_name(enum follow_outcome outcome)
{
	switch (outcome) {
	case FOLLOW_KEPT:
		return "kept";
	case FOLLOW_CREATED:
		return "created";
	case FOLLOW_RENEWED:
		return "renewed";
	case FOLLOW_RECREATED:
		return "recreated";
	case FOLLOW_PARKED:
		return "parked";
	case FOLLOW_BUSY:
		return "busy";
	case FOLLOW_FAILED:
		break;
	}
	return "failed";
}

static const char *
leave_name(enum leave_outcome outcome)
{
	switch (outcome) {
	case LEAVE_KEPT:
		return "kept";
	case LEAVE_DONE:
		return "removed";
	case LEAVE_BUSY:
		return "busy";
	case LEAVE_FAILED:
		break;
	}
	return "failed";
}

void
tell_followed(const struct pass_options *o, const struct summary *sum,
    const struct target *t, const struct follow_result *r)
{
	if (!o->verbose)
		return;
	if (isatty(STDOUT_FILENO))
		tell_counter(sum);
	else
		tell_line(t, follow_name(r->outcome), &r->err, r->due_ms);
}

void
tell_left(const struct pass_options *o, const struct summary *sum,
    const struct target *t, const struct leave_result *r)
{
	if (!o->verbose)
		return;
	if (isatty(STDOUT_FILENO))
		tell_counter(sum);
	else
		tell_line(t, leave_name(r->outcome), &r->err, r->due_ms);
}

void
tell_end(const struct pass_options *o)
{
	if (o->verbose && isatty(STDOUT_FILENO))
		putchar('\n');
}
