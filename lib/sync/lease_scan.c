/* sync/lease_scan.c - see lease_scan.h. */
#include "sync/lease_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "remote/graph.h"
#include "remote/graph_scan.h"
#include "rule/mention.h"

enum {
	LEASE_SCAN_CALENDARS_MAX = 250,
	LEASE_SCAN_PAGES_MAX = 2000,
	LEASE_SCAN_PAGE = 10, /* bodies are large */
	LEASE_SCAN_DAYS = 7 /* before and behind the announced start */
};

#define LEASE_SCAN_AROUND_MS ((int64_t)LEASE_SCAN_DAYS * 24 * 60 * 60 * 1000)

static void lease_scan_ask(struct lease_scan *s);

void
lease_scan_clear(struct lease_scan *s)
{
	buf_clear(&s->next);
	free(s->calendars);
	s->calendars = NULL;
}

/* ---- one request ---- */

/* Within what can be written. */
static int64_t
lease_scan_time(int64_t ms)
{
	static const int64_t last_ms = INT64_C(253402300799000);

	return ms < 0 ? 0 : ms > last_ms ? last_ms : ms;
}

static int
lease_scan_build(struct http_request *req, void *arg, struct err *e)
{
	struct lease_scan *s = arg;
	const struct config *c = s->task->session->config;
	const char *user = s->task->work.user;
	const char *next = buf_text(&s->next);
	struct graph_window w;

	switch (s->phase) {
	case LEASE_SCAN_EVENT:
		graph_calendar_request(c, user, s->event, req);
		return 0;
	case LEASE_SCAN_CALENDARS:
		return graph_calendars_request(c, user, next, req, e);
	case LEASE_SCAN_PROPERTY:
		return graph_carriers_request(c, user, s->calendars[s->at],
		    s->conversation, next, req, e);
	case LEASE_SCAN_TEXTS:
		w.calendar = s->calendars[s->at];
		w.from_ms = lease_scan_time(s->start_ms - LEASE_SCAN_AROUND_MS);
		w.to_ms = lease_scan_time(s->start_ms + LEASE_SCAN_AROUND_MS);
		w.count = s->page_size;
		return graph_texts_request(c, user, &w, next, req, e);
	case LEASE_SCAN_OVER:
		break;
	}
	return err_set(e, ERR_INPUT, "the search is over");
}

static void
lease_scan_calendar(const char *calendar, void *arg)
{
	struct lease_scan *s = arg;

	if (s->count == LEASE_SCAN_CALENDARS_MAX) {
		s->too_much = true;
		return;
	}
	s->calendars =
	    mem_realloc(s->calendars, (s->count + 1) * sizeof(*s->calendars));
	if (text_copy(s->calendars[s->count], STORE_ID_MAX, calendar))
		s->count++;
	else
		s->too_much = true;
}

static void
lease_scan_carrier(const char *event, bool live, void *arg)
{
	struct lease_scan *s = arg;

	if (s->only_copies && (!live || strcmp(event, s->except) == 0))
		return;
	/* An id that is too long is one of an event all the same. */
	if (!text_copy(s->carrier, sizeof(s->carrier), event))
		s->too_much = true;
}

static void
lease_scan_text(const char *text, void *arg)
{
	struct lease_scan *s = arg;

	s->mentioned =
	    s->mentioned || mention_is_in(text, s->link, s->conversation);
}

static int
lease_scan_parse(const struct http_reply *reply, void *arg, struct err *e)
{
	struct lease_scan *s = arg;

	switch (s->phase) {
	case LEASE_SCAN_EVENT:
		if (graph_calendar_reply(reply, e) != 0)
			return -1;
		lease_scan_carrier(s->event, true, s);
		return 0;
	case LEASE_SCAN_CALENDARS:
		return graph_calendars_reply(
		    reply, lease_scan_calendar, s, &s->next, e);
	case LEASE_SCAN_PROPERTY:
		return graph_carriers_reply(
		    reply, lease_scan_carrier, s, &s->next, e);
	case LEASE_SCAN_TEXTS:
		return graph_texts_reply(
		    reply, lease_scan_text, s, &s->next, e);
	case LEASE_SCAN_OVER:
		break;
	}
	return err_set(e, ERR_INPUT, "the search is over");
}

/* ---- the next one ---- */

static void
lease_scan_end(struct lease_scan *s, const struct err *e)
{
	s->phase = LEASE_SCAN_OVER;
	s->done(e, s->arg);
}

static void
lease_scan_refuse(struct lease_scan *s, const char *why)
{
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};

	err_set(&e, ERR_REFUSED, "%s", why);
	lease_scan_end(s, &e);
}

/* Behind the last page of a list. */
static void
lease_scan_turn(struct lease_scan *s)
{
	buf_reset(&s->next);
	s->page_size = LEASE_SCAN_PAGE;
	if (s->phase >= LEASE_SCAN_PROPERTY && s->at + 1 < s->count) {
		s->at++;
		return;
	}
	s->at = 0;
	s->phase = s->only_copies && s->phase == LEASE_SCAN_PROPERTY
	    ? LEASE_SCAN_OVER
	    : (enum lease_phase)(s->phase + 1);
}

/* A calendar that can not be read, while the mailbox lists it, says nothing of
 * the mailbox: it may be somebody else's, or have been removed just now. */
static void
lease_scan_fail(struct lease_scan *s, const struct err *e)
{
	struct err why = *e;

	if (s->phase >= LEASE_SCAN_PROPERTY && why.code == ERR_MAILBOX)
		why.code = ERR_REFUSED;
	if (s->phase >= LEASE_SCAN_PROPERTY && why.code == ERR_GONE)
		why.code = ERR_INPUT;
	lease_scan_end(s, &why);
}

static void
lease_scan_done(const struct err *e, void *arg)
{
	struct lease_scan *s = arg;
	struct err none = {.code = ERR_NONE, .retry_after_ms = -1};
	bool absent = s->phase == LEASE_SCAN_EVENT && e->code == ERR_GONE;

	/* One by one, before a page is given up. */
	if (e->code == ERR_INPUT && s->phase == LEASE_SCAN_TEXTS &&
	    s->page_size > 1) {
		buf_reset(&s->next);
		s->page_size = 1;
		lease_scan_ask(s);
		return;
	}
	if (e->code != ERR_NONE && !absent) {
		lease_scan_fail(s, e);
		return;
	}
	if (s->too_much) {
		lease_scan_refuse(s, "the mailbox is too large to be searched");
		return;
	}
	if (s->next.len == 0)
		lease_scan_turn(s);
	if (s->phase == LEASE_SCAN_PROPERTY && s->count == 0)
		lease_scan_refuse(s, "the mailbox lists no calendar");
	else if (s->carrier[0] != '\0' || s->mentioned ||
	    s->phase == LEASE_SCAN_OVER)
		lease_scan_end(s, &none);
	else
		lease_scan_ask(s);
}

static void
lease_scan_ask(struct lease_scan *s)
{
	if (++s->pages > LEASE_SCAN_PAGES_MAX) {
		lease_scan_refuse(s, "the mailbox is too large to be searched");
		return;
	}
	task_call(s->task, CALL_GRAPH, lease_scan_build, lease_scan_parse,
	    lease_scan_done, s);
}

void
lease_scan_start(struct lease_scan *s)
{
	buf_init(&s->next, HTTP_URL_MAX);
	s->page_size = LEASE_SCAN_PAGE;
	s->phase =
	    s->event[0] != '\0' ? LEASE_SCAN_EVENT : LEASE_SCAN_CALENDARS;
	lease_scan_ask(s);
}
