/* fcgi/web_gauges.c - what the store tells operators: /metrics, /ready. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "child.h"
#include "port/metrics.h"
#include "rule/catchup.h"
#include "rule/renewal.h"
#include "sync/expiry.h"
#include "web_worker.h"

enum {
	GAUGES_BODY_MAX = 1 << 20,
	GAUGES_REASONS = 32,
	GAUGES_PROBE_MS = 5000, /* a small write may fit where ours did not */
	GAUGES_TOTALS_MS = 5000, /* the count looks at every row */
	GAUGES_OLD_WORK_MS = 5 * 60 * 1000
};

static const char gauges_degraded[] = "degraded:";

struct gauges_reason_list {
	void (*add)(const char *reason, const char *detail, void *arg);
	void *arg;
};

/*
 * /ready is for everybody: of what is wrong with our sign-in it says what to
 * do about it, without the peer's own words (in brackets) and our paths, and of
 * the rest, which may name hosts and addresses, nothing.
 */
static size_t
gauges_detail_length(const char *reason, const char *text)
{
	size_t len = strcspn(text, "[/");
	const char *colon;

	if (strcmp(reason, "unblu-auth") == 0) {
		colon = strstr(text, ": ");
		if (colon != NULL)
			colon = strstr(colon + 2, ": ");
		if (colon != NULL && (size_t)(colon - text) < len)
			len = (size_t)(colon - text);
	} else if (strcmp(reason, "credentials") != 0) {
		return 0;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == ':'))
		len--;
	return len;
}

static int
gauges_each_fact(const char *name, const char *text, int64_t at_ms, void *arg)
{
	const struct gauges_reason_list *list = arg;
	const char *reason = name + sizeof(gauges_degraded) - 1;
	char *detail = mem_strndup(text, gauges_detail_length(reason, text));

	(void)at_ms;
	list->add(reason, detail, list->arg);
	free(detail);
	return 0;
}

static bool
gauges_sync_is_silent(struct worker *w, int64_t now_ms)
{
	char text[64];
	int64_t at_ms = 0;

	if (!w->config->sync_enabled)
		return false;
	return store_fact_get(w->store, "sync-heartbeat", text, sizeof(text),
		   &at_ms, NULL) != 1 ||
	    !catchup_is_alive(at_ms, now_ms);
}

static bool
gauges_work_is_old(struct worker *w, int64_t now_ms)
{
	struct store_work_totals totals;
	int64_t mono_ms = clock_mono_ms();

	if (w->totals_read_ms == 0 ||
	    mono_ms - w->totals_read_ms >= GAUGES_TOTALS_MS) {
		w->totals_read_ms = mono_ms;
		if (store_work_totals(w->store, &totals, NULL) == 0)
			w->oldest_work_ms = totals.oldest_first_seen_ms;
	}
	return w->oldest_work_ms != 0 &&
	    now_ms - w->oldest_work_ms > GAUGES_OLD_WORK_MS;
}

void
gauges_failed(struct worker *w, const struct err *e)
{
	w->failing = true;
	w->failed_ms = clock_mono_ms();
	if (e->code == ERR_INPUT)
		page_add(w->page, CHILD_PAGE_SUSPECT, 1);
}

void
gauges_probe(struct worker *w)
{
	if (w->store != NULL && w->failing &&
	    clock_mono_ms() - w->failed_ms >= GAUGES_PROBE_MS)
		w->failing = store_fact_set(w->store, "web-probe", "",
				 clock_wall_ms(), NULL) != 0;
}

void
gauges_reasons(struct worker *w,
    void (*add)(const char *reason, const char *detail, void *arg), void *arg)
{
	struct gauges_reason_list list = {add, arg};
	int64_t now_ms = clock_wall_ms();

	if (w->store == NULL || w->failing ||
	    store_fact_each(w->store, gauges_degraded, gauges_each_fact, &list,
		NULL) != 0) {
		add("store", "", arg);
		return;
	}
	if (gauges_sync_is_silent(w, now_ms))
		add("sync", "", arg);
	if (gauges_work_is_old(w, now_ms))
		add("queue-age", "", arg);
}

/* ---- /metrics ---- */

struct gauges_text {
	size_t count;
	char *reasons[GAUGES_REASONS + 1];
};

static void
gauges_keep_reason(const char *reason, const char *detail, void *arg)
{
	struct gauges_text *t = arg;

	(void)detail;
	if (t->count < GAUGES_REASONS)
		t->reasons[t->count++] = mem_strdup(reason);
}

static bool
gauges_has_reason(const struct gauges_text *t, const char *reason)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->reasons[i], reason) == 0)
			return true;
	return false;
}

struct gauges_count {
	struct metrics_gauges *g;
	int64_t now_ms;
};

static int
gauges_each_subscription(const struct store_subscription *sub, void *arg)
{
	const struct gauges_count *c = arg;
	struct metrics_gauges *g = c->g;
	int64_t left_ms = sub->expires_ms - c->now_ms;

	if (sub->granted_ms == 0) {
		g->subscriptions_pending++;
	} else if (left_ms <= 0) {
		g->subscriptions_expired++;
	} else {
		g->subscriptions_active++;
		if (g->nearest_expiry_ms < 0 || left_ms < g->nearest_expiry_ms)
			g->nearest_expiry_ms = left_ms;
	}
	return 0;
}

/* As cronjob/summary.c leaves it. */
static void
gauges_read_renew(struct worker *w, struct metrics_gauges *g)
{
	char text[STORE_TEXT_MAX] = "";
	json_t *run;

	(void)store_fact_get(w->store, "renew-last-success", text, sizeof(text),
	    &g->renew_last_success_ms, NULL);
	/* One ahead would keep the alert silent until then. */
	if (!renewal_success_is_known(
		g->renew_last_success_ms, clock_wall_ms()))
		g->renew_last_success_ms = 0;
	if (store_fact_get(w->store, "renew-last-run", text, sizeof(text),
		&g->renew_last_run_ms, NULL) != 1)
		return;
	run = json_loads(text, 0, NULL);
	g->renew_last_took_ms = json_int(run, "ms", 0);
	for (int i = 0; i < METRICS_RENEW_COUNT; i++)
		g->renew_last[i] =
		    json_int(run, metrics_renew_name((enum metrics_renew)i), 0);
	json_decref(run);
}

static int
gauges_each_pause(const char *name, const char *text, int64_t at_ms, void *arg)
{
	(void)name;
	(void)text;
	(void)at_ms;
	++*(int64_t *)arg;
	return 0;
}

static void
gauges_take_totals(struct metrics_gauges *g,
    const struct store_work_totals *totals, int64_t now_ms)
{
	g->work_rows = totals->rows;
	if (totals->oldest_first_seen_ms != 0 &&
	    totals->oldest_first_seen_ms < now_ms)
		g->oldest_work_ms = now_ms - totals->oldest_first_seen_ms;
}

/* A zero would say that all is well: what can not be read is not told. */
static int
gauges_read(struct worker *w, struct metrics_gauges *g)
{
	struct gauges_count count = {g, clock_wall_ms()};
	struct store_work_totals totals;

	if (w->store == NULL ||
	    store_work_totals(w->store, &totals, NULL) != 0 ||
	    store_dead_count(w->store, &g->dead_letters, NULL) != 0 ||
	    store_subscription_each(
		w->store, gauges_each_subscription, &count, NULL) != 0 ||
	    store_fact_each(w->store, "pause:", gauges_each_pause,
		&g->writes_paused, NULL) != 0 ||
	    store_mailbox_totals(w->store, g->mailboxes, NULL) != 0)
		return -1;
	gauges_take_totals(g, &totals, count.now_ms);
	gauges_read_renew(w, g);
	g->credential_expiry_ms = expiry_known_ms(w->store);
	return 0;
}

static void
gauges_write(struct reply *reply, const struct metrics_gauges *g)
{
	struct buf body;

	buf_init(&body, GAUGES_BODY_MAX);
	metrics_write(&body, g);
	reply_clear(reply);
	reply->status = 200;
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
	reply->body_len = body.len;
	reply->body = buf_take(&body);
}

void
gauges_serve(struct worker *w, struct job *j)
{
	struct metrics_gauges g = {.nearest_expiry_ms = -1};
	struct gauges_text text = {0};

	g.unknown = gauges_read(w, &g) != 0;
	g.dry_run = w->config->dry_run;
	gauges_reasons(w, gauges_keep_reason, &text);
	/* One of its tables may be out of reach, and the others not. */
	if (g.unknown && !gauges_has_reason(&text, "store"))
		gauges_keep_reason("store", "", &text);
	g.degraded = (const char *const *)text.reasons;
	gauges_write(&j->reply, &g);
	for (size_t i = 0; i < text.count; i++)
		free(text.reasons[i]);
}

/* Without the commit thread: the counters need no store. */
void
gauges_late(const struct config *c, struct reply *reply)
{
	static const char *const degraded[] = {"store", NULL};
	struct metrics_gauges g = {
	    .unknown = true, .dry_run = c->dry_run, .degraded = degraded};

	gauges_write(reply, &g);
}
