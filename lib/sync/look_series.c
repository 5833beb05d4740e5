/* sync/look_series.c - see look.h: reads the occurrences of a series, window by
 * window, until there is one that gives its conversation the time. */
#include <string.h>

#include "remote/graph_instances.h"
#include "sync/look.h"

/* A daily series has 1,820 occurrences in the longest window, of which Graph
 * gives 100 a page; it could give fewer. */
enum { OCCURRENCES_PAGES = 200 };

static void
occurrences_fold(const struct event *occurrence, void *arg)
{
	struct look *l = arg;

	series_fold(&l->series, occurrence, l->zone, l->series_now_ms);
}

static int
occurrences_build(struct http_request *req, void *arg, struct err *e)
{
	const struct look *l = arg;
	struct series_window window;

	series_window(&l->event, l->window, l->series_now_ms, &window);
	return graph_instances_request(l->task->session->config,
	    l->task->work.user, l->event.id, &window, buf_text(&l->next), req,
	    e);
}

static int
occurrences_parse(const struct http_reply *reply, void *arg, struct err *e)
{
	struct look *l = arg;

	return graph_instances_reply(
	    l->task->session->config, reply, occurrences_fold, l, &l->next, e);
}

static void
occurrences_failed(struct look *l, const struct err *e)
{
	struct err why = *e;

	buf_reset(&l->next);
	if (e->code == ERR_REFUSED && !l->read_again) {
		/* It may have become a single event since it was read. */
		l->read_again = true;
		look_read(l);
	} else if (e->code != ERR_GONE) {
		look_fail(l, e);
	} else if (l->confirming) {
		/* Two reads contradict each other: no proof of anything. */
		why.code = ERR_RETRY;
		look_fail(l, &why);
	} else {
		removal_start(l, "the series does not exist any more");
	}
}

static void occurrences_ask(struct look *l);

/* A window is read to its end: on to the next one, or decide. */
static void
occurrences_window_done(struct look *l)
{
	struct series_window window;

	series_window(&l->event, l->window, l->series_now_ms, &window);
	l->series.until_ms = window.to_ms;
	l->pages = 0;
	if (!l->series.found &&
	    series_window(
		&l->event, l->window + 1, l->series_now_ms, &window)) {
		l->window++;
		occurrences_ask(l);
		return;
	}
	l->has_series = true;
	look_decide(l);
}

static void
occurrences_done(const struct err *e, void *arg)
{
	struct look *l = arg;
	struct err why = {.code = ERR_NONE, .retry_after_ms = -1};

	if (e->code != ERR_NONE) {
		occurrences_failed(l, e);
	} else if (l->next.len == 0) {
		occurrences_window_done(l);
	} else if (++l->pages < OCCURRENCES_PAGES) {
		occurrences_ask(l);
	} else {
		err_set(&why, ERR_INPUT, "more than %d pages of occurrences",
		    (int)OCCURRENCES_PAGES);
		occurrences_failed(l, &why);
	}
}

static void
occurrences_ask(struct look *l)
{
	task_call(l->task, CALL_GRAPH, occurrences_build, occurrences_parse,
	    occurrences_done, l);
}

void
look_occurrences(struct look *l)
{
	memset(&l->series, 0, sizeof(l->series));
	l->series_now_ms = task_now_ms();
	l->window = l->pages = 0;
	buf_reset(&l->next);
	if (l->zone == NULL)
		l->zone = look_zone(l);
	occurrences_ask(l);
}
