/* ctl/status_doc.c - see status_doc.h. */
#include "status_doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "listing.h"
#include "remote/entra.h"
#include "rule/catchup.h"
#include "rule/renewal.h"
#include "sync/expiry.h"

/* As /ready judges. */
enum { QUEUE_OLD_MS = 5 * 60 * 1000 };

static const char degraded_prefix[] = "degraded:";
static const char pause_prefix[] = "pause:";
static const char credential_prefix[] = "credential:";

struct building {
	struct live *live;
	json_t *degraded;
	json_t *credentials;
	json_t *mailboxes;
	int64_t links[STORE_LINK_STATE_COUNT];
	int64_t active, pending, expired, nearest_ms;
	int64_t rows, in_progress, scheduled, waiting, oldest_ms;
	char reason[STORE_REASON_MAX]; /* of the first that waits */
	struct err err;
};

static void
add_reason(
    struct building *b, const char *reason, const char *message, int64_t ms)
{
	json_array_append_new(b->degraded,
	    json_pack("{s:s,s:s,s:o}", "reason", reason, "message", message,
		"since", listing_time(ms)));
}

/* Held deletions are counted, which says more than what sync has noted. */
static int
add_fact(const char *name, const char *text, int64_t at_ms, void *arg)
{
	const char *reason = name + strlen(degraded_prefix);

	if (strcmp(reason, "deletions") != 0)
		add_reason(arg, reason, text, at_ms);
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
	    "expires", listing_time(sub.granted_ms == 0 ? 0 : sub.expires_ms));
}

static int
add_mailbox(const struct store_mailbox *m, void *arg)
{
	struct building *b = arg;
	json_t *one = json_pack("{s:s,s:s,s:s,s:s,s:o}", "tenant", m->tenant,
	    "user", m->user, "upn", m->upn, "state", live_state_name(m->state),
	    "since", listing_time(m->since_ms));

	if (m->state == STORE_MAILBOX_PARKED) {
		json_object_set_new(one, "reason", json_string(m->reason));
		json_object_set_new(one, "retry", listing_time(m->retry_ms));
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
		json_object_set_new(out,
		    live_link_name((enum store_link_state)i),
		    json_integer(b->links[i]));
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
	alive = catchup_is_alive(at_ms, b->live->now_ms);
	if (enabled && !alive)
		add_reason(b, "sync",
		    at_ms == 0 ? "sync has never run"
			       : "sync has not shown itself lately",
		    at_ms);
	return json_pack("{s:b,s:b,s:o}", "enabled", enabled, "alive", alive,
	    "heartbeat", listing_time(at_ms));
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
	if (!renewal_success_is_known(success_ms, b->live->now_ms))
		success_ms = 0;
	return json_pack("{s:o,s:o,s:o}", "lastRun", listing_time(run_ms),
	    "lastSuccess", listing_time(success_ms), "figures",
	    figures == NULL ? json_null() : figures);
}

/* A row that is scheduled for later is not late: it ages from then on. */
static int
count_work(const struct store_work *w, bool in_progress, void *arg)
{
	struct building *b = arg;
	int64_t since_ms =
	    w->due_ms > w->first_seen_ms ? w->due_ms : w->first_seen_ms;

	b->rows++;
	b->in_progress += in_progress;
	if (!in_progress && w->due_ms > b->live->now_ms) {
		b->scheduled++;
		return 0;
	}
	if (!in_progress && w->not_before_ms > b->live->now_ms) {
		b->waiting++;
		if (b->reason[0] == '\0')
			text_copy(b->reason, sizeof(b->reason), w->reason);
	}
	if (b->oldest_ms == 0 || since_ms < b->oldest_ms)
		b->oldest_ms = since_ms;
	return 0;
}

static json_t *
queue_json(struct building *b)
{
	int64_t age_ms = 0;
	json_t *out;

	if (store_work_each(
		b->live->store, NULL, NULL, count_work, b, &b->err) != 0)
		return NULL;
	if (b->oldest_ms > 0)
		age_ms = b->live->now_ms - b->oldest_ms;
	if (age_ms > QUEUE_OLD_MS)
		add_reason(
		    b, "queue-age", "work waits for too long", b->oldest_ms);
	out = json_pack("{s:I,s:I,s:I,s:I,s:I}", "rows", (json_int_t)b->rows,
	    "inProgress", (json_int_t)b->in_progress, "scheduled",
	    (json_int_t)b->scheduled, "waiting", (json_int_t)b->waiting,
	    "oldestSeconds", (json_int_t)(age_ms > 0 ? age_ms / 1000 : 0));
	if (b->reason[0] != '\0')
		json_object_set_new(out, "reason", json_string(b->reason));
	return out;
}

/* ---- writes to Unblu ---- */

static int
add_pause(const char *name, const char *text, int64_t at_ms, void *arg)
{
	const char *tenant = name + strlen(pause_prefix);

	return json_array_append_new(arg,
	    json_pack("{s:o,s:o,s:s}", "tenant",
		tenant[0] == '\0' ? json_null() : json_string(tenant), "since",
		listing_time(at_ms), "reason", text));
}

static json_t *
writes_json(struct building *b)
{
	json_t *paused = json_array();

	if (store_fact_each(b->live->store, pause_prefix, add_pause, paused,
		&b->err) != 0) {
		json_decref(paused);
		return NULL;
	}
	return json_pack(
	    "{s:b,s:o}", "dryRun", b->live->config.dry_run, "paused", paused);
}

static void
judge_deletions(struct building *b)
{
	if (b->links[STORE_LINK_HELD] > 0)
		add_reason(b, "deletions",
		    "deletions are held: outlook-addinctl deletion list", 0);
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
	    (json_int_t)b->expired, "nearestExpiry",
	    listing_time(b->nearest_ms));
}

/* A refused sign-in: of a tenant, or of the gateway. The message ends with the
 * peer's own words. */
static int
add_credential(const char *name, const char *text, int64_t at_ms, void *arg)
{
	struct building *b = arg;
	const char *who = name + strlen(credential_prefix);
	bool gateway = strcmp(who, "gateway") == 0;
	int code = entra_code_in(text);
	char aadsts[32];

	/* One that is no longer configured has nothing to say. */
	if (!gateway && config_tenant_index(&b->live->config, who) < 0)
		return 0;
	snprintf(aadsts, sizeof(aadsts), "AADSTS%d", code);
	json_array_append_new(b->credentials,
	    json_pack("{s:s,s:s?,s:s?,s:s,s:o}", "peer",
		gateway ? "gateway" : "entra", "tenant", gateway ? NULL : who,
		"code", code > 0 ? aadsts : NULL, "message", text, "since",
		listing_time(at_ms)));
	return 0;
}

static const char *
sign_in_kind(const struct config *c)
{
	if (c->client_certificate_file[0] != '\0')
		return "certificate";
	return c->federated_token_file[0] != '\0' ? "federated" : "secret";
}

/* {kind, expires, nearExpiry, refused: [...]}; expires null: not known. */
static json_t *
sign_in_json(struct building *b)
{
	int64_t ends_ms = expiry_known_ms(b->live->store);

	if (store_fact_each(b->live->store, credential_prefix, add_credential,
		b, &b->err) != 0)
		return NULL;
	return json_pack("{s:s,s:o,s:b,s:O}", "kind",
	    sign_in_kind(&b->live->config), "expires", listing_time(ends_ms),
	    "nearExpiry", expiry_is_near(ends_ms, b->live->now_ms), "refused",
	    b->credentials);
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
	judge_deletions(b);
	/* Setting NULL fails: what could not be read. */
	if (json_object_set_new(doc, "sync", sync_json(b)) != 0 ||
	    json_object_set_new(doc, "renew", renew_json(b)) != 0 ||
	    json_object_set_new(doc, "signIn", sign_in_json(b)) != 0 ||
	    json_object_set_new(doc, "writes", writes_json(b)) != 0 ||
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
	struct building b = {.live = live,
	    .degraded = json_array(),
	    .credentials = json_array(),
	    .mailboxes = json_array()};
	json_t *doc = json_object();

	json_object_set_new(doc, "time", listing_time(live->now_ms));
	json_object_set(doc, "degraded", b.degraded);
	if (fill(&b, doc) != 0) {
		*e = b.err;
		json_decref(doc);
		doc = NULL;
	}
	json_decref(b.degraded);
	json_decref(b.credentials);
	json_decref(b.mailboxes);
	return doc;
}
