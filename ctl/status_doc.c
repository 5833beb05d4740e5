/* ctl/status_doc.c - see status_doc.h. */
#include "status_doc.h"

#include <stdio.h>
#include <string.h>

#include "base/when.h"

/* As /ready judges. */
enum { SYNC_STALE_MS = 15 * 1000, QUEUE_OLD_MS = 5 * 60 * 1000 };

static const char degraded_prefix[] = "degraded:";

static const char *const link_states[STORE_LINK_STATE_COUNT] = {
    [STORE_LINK_ANNOUNCED] = "announced",
    [STORE_LINK_LINKED] = "linked",
    [STORE_LINK_GONE] = "gone",
    [STORE_LINK_HELD] = "held",
    [STORE_LINK_FOREIGN] = "foreign",
    [STORE_LINK_ENDED] = "ended",
    [STORE_LINK_KEPT] = "kept",
    [STORE_LINK_DELETED] = "deleted",
    [STORE_LINK_UNCONFIRMED] = "unconfirmed",
};

struct building {
	struct live *live;
	json_t *degraded;
	json_t *mailboxes;
	int64_t links[STORE_LINK_STATE_COUNT];
	int64_t active, pending, expired, nearest_ms;
	struct err err;
};

/* null for 0. */
static json_t *
time_json(int64_t ms)
{
	char text[WHEN_TEXT_MAX];

	if (ms <= 0)
		return json_null();
	when_format_iso(ms, false, text);
	return json_string(text);
}

static void
add_reason(
    struct building *b, const char *reason, const char *message, int64_t ms)
{
	json_array_append_new(b->degraded,
	    json_pack("{s:s,s:s,s:o}", "reason", reason, "message", message,
		"since", time_json(ms)));
}

static int
add_fact(const char *name, const char *text, int64_t at_ms, void *arg)
{
	add_reason(arg, name + strlen(degraded_prefix), text, at_ms);
	return 0;
}

/* {state, id, expires} of the mailbox's subscription; null: none. */
static json_t *
subscription_json(struct building *b, const struct store_mailbox *m)
{
	struct store_subscription sub;
	const char *state = "active";
	int rc = store_subscription_of(
	    b->live->store, m->tenant, m->user, &sub, &b->err);

	if (rc <= 0)
		return json_null();
	if (sub.granted_ms == 0) {
		state = "pending";
		b->pending++;
	} else if (sub.expires_ms <= b->live->now_ms) {
		state = "expired";
		b->expired++;
	} else {
		b->active++;
		if (b->nearest_ms == 0 || sub.expires_ms < b->nearest_ms)
			b->nearest_ms = sub.expires_ms;
	}
	return json_pack("{s:s,s:s,s:o}", "state", state, "id", sub.id,
	    "expires", time_json(sub.granted_ms == 0 ? 0 : sub.expires_ms));
}

static int
add_mailbox(const struct store_mailbox *m, void *arg)
{
	struct building *b = arg;
	json_t *one = json_pack("{s:s,s:s,s:s,s:s,s:o}", "tenant", m->tenant,
	    "user", m->user, "upn", m->upn, "state", live_state_name(m->state),
	    "since", time_json(m->since_ms));

	if (m->state == STORE_MAILBOX_PARKED) {
		json_object_set_new(one, "reason", json_string(m->reason));
		json_object_set_new(one, "retry", time_json(m->retry_ms));
	}
	json_object_set_new(one, "subscription", subscription_json(b, m));
	json_array_append_new(b->mailboxes, one);
	return 0;
}

static int
count_link(const struct store_link *l, void *arg)
{
	struct building *b = arg;

	if ((unsigned)l->state < STORE_LINK_STATE_COUNT)
		b->links[l->state]++;
	return 0;
}

static json_t *
links_json(const struct building *b)
{
	json_t *out = json_object();

	for (int i = 0; i < STORE_LINK_STATE_COUNT; i++)
		json_object_set_new(
		    out, link_states[i], json_integer(b->links[i]));
	return out;
}

static json_t *
sync_json(struct building *b)
{
	bool enabled = b->live->config.sync_enabled;
	char text[STORE_TEXT_MAX];
	int64_t at_ms = 0;
	bool alive;

	if (store_fact_get(b->live->store, "sync-heartbeat", text, sizeof(text),
		&at_ms, &b->err) < 0)
		return NULL;
	alive = at_ms > 0 && b->live->now_ms - at_ms <= SYNC_STALE_MS;
	if (enabled && !alive)
		add_reason(b, "sync",
		    at_ms == 0 ? "sync has never run"
			       : "sync has not shown itself lately",
		    at_ms);
	return json_pack("{s:b,s:b,s:o}", "enabled", enabled, "alive", alive,
	    "heartbeat", time_json(at_ms));
}

static json_t *
renew_json(struct building *b)
{
	char text[STORE_TEXT_MAX] = "";
	int64_t run_ms = 0, success_ms = 0;
	json_t *figures = NULL;

	if (store_fact_get(b->live->store, "renew-last-run", text, sizeof(text),
		&run_ms, &b->err) < 0)
		return NULL;
	if (run_ms > 0)
		figures = json_loads(text, 0, NULL);
	if (store_fact_get(b->live->store, "renew-last-success", text,
		sizeof(text), &success_ms, &b->err) < 0) {
		json_decref(figures);
		return NULL;
	}
	return json_pack("{s:o,s:o,s:o}", "lastRun", time_json(run_ms),
	    "lastSuccess", time_json(success_ms), "figures",
	    figures == NULL ? json_null() : figures);
}

static json_t *
queue_json(struct building *b)
{
	struct store_work_totals t = {0};
	int64_t age_ms = 0;

	if (store_work_totals(b->live->store, &t, &b->err) != 0)
		return NULL;
	if (t.oldest_first_seen_ms > 0)
		age_ms = b->live->now_ms - t.oldest_first_seen_ms;
	if (age_ms > QUEUE_OLD_MS)
		add_reason(b, "queue-age", "work waits for too long",
		    t.oldest_first_seen_ms);
	return json_pack("{s:I,s:I,s:I}", "rows", (json_int_t)t.rows,
	    "inProgress", (json_int_t)t.in_progress, "oldestSeconds",
	    (json_int_t)(age_ms > 0 ? age_ms / 1000 : 0));
}

static json_t *
subscriptions_json(struct building *b)
{
	if (b->expired > 0 && b->live->config.sync_enabled)
		add_reason(b, "subscriptions",
		    "subscriptions have run out: does outlook-addin-renew "
		    "run?",
		    0);
	return json_pack("{s:I,s:I,s:I,s:o}", "active", (json_int_t)b->active,
	    "pending", (json_int_t)b->pending, "expired",
	    (json_int_t)b->expired, "nearestExpiry", time_json(b->nearest_ms));
}

/* Everything but the list of reasons; 0 or -1 with b->err. */
static int
fill(struct building *b, json_t *doc)
{
	struct store *s = b->live->store;
	int64_t dead = 0;

	if (store_fact_each(s, degraded_prefix, add_fact, b, &b->err) != 0 ||
	    store_mailbox_each(s, add_mailbox, b, &b->err) != 0 ||
	    store_link_each(s, NULL, NULL, count_link, b, &b->err) != 0 ||
	    store_dead_count(s, &dead, &b->err) != 0)
		return -1;
	/* Setting NULL fails: what could not be read. */
	if (json_object_set_new(doc, "sync", sync_json(b)) != 0 ||
	    json_object_set_new(doc, "renew", renew_json(b)) != 0 ||
	    json_object_set_new(doc, "queue", queue_json(b)) != 0)
		return -1;
	json_object_set_new(doc, "deadLetters", json_integer(dead));
	json_object_set_new(doc, "subscriptions", subscriptions_json(b));
	json_object_set_new(doc, "links", links_json(b));
	json_object_set(doc, "mailboxes", b->mailboxes);
	return 0;
}

json_t *
status_doc(struct live *live, struct err *e)
{
	struct building b = {
	    .live = live, .degraded = json_array(), .mailboxes = json_array()};
	json_t *doc = json_object();

	json_object_set_new(doc, "time", time_json(live->now_ms));
	json_object_set(doc, "degraded", b.degraded);
	if (fill(&b, doc) != 0) {
		*e = b.err;
		json_decref(doc);
		doc = NULL;
	}
	json_decref(b.degraded);
	json_decref(b.mailboxes);
	return doc;
}
