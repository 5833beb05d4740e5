/* ctl/doctor_local.c - see doctor.h: this machine and the store. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/when.h"
#include "doctor.h"
#include "fcgi_client.h"
#include "live.h"
#include "port/credential.h"
#include "port/store_replica.h"
#include "rule/catchup.h"
#include "rule/cron.h"
#include "rule/renewal.h"
#include "sync/expiry.h"

enum {
	LOCK_WAIT_MS = 10000,
	ASK_MS = 3000,
	BODY_MAX = 64 << 10,
	LATE_FIRINGS = 3, /* of the renewal, then it is late */
	LATE_LEAST_MS = 5 * 60 * 1000
};

static const char *
store_advice(const char *database)
{
	if (!store_database_is_shared(database))
		return "see docs/store.md; run doctor as the account of the "
		       "programs";
	return "look at host, account and name in database or "
	       "OUTLOOK_ADDIN_DATABASE, at DATABASE_PASSWORD_FILE, and at the "
	       "network and TLS to the server (docs/store.md); a new database "
	       "is set up when outlook-addin-fcgi starts";
}

static void
try_store(struct doctor *d)
{
	const char *name = d->config->database;
	struct err e = {0};

	d->store = store_open(
	    name, STORE_READ_ONLY, LOCK_WAIT_MS, clock_wall_ms(), &e);
	if (d->store == NULL && e.code == ERR_GONE)
		doctor_add(d, "store", name, DOCTOR_WARNING,
		    "there is none yet",
		    "start outlook-addin-fcgi with this configuration: it "
		    "makes it");
	else if (d->store == NULL)
		doctor_add(d, "store", name, DOCTOR_FAILED, e.text,
		    store_advice(name));
	else if (store_check(d->store, &e) != 0)
		doctor_add(d, "store", name, DOCTOR_FAILED, e.text,
		    "restart outlook-addin-fcgi: it moves a corrupt store "
		    "aside and makes a new one, which outlook-addin-renew "
		    "fills again");
	else
		doctor_add(d, "store", name, DOCTOR_OK, "sound", "");
}

/* What the running program says of itself. */
static void
try_service(struct doctor *d)
{
	const char *path = d->config->fastcgi_listen + strlen("unix:");
	struct err e = {0};
	struct buf body;
	json_t *doc = NULL;
	const json_t *reasons;
	int status;

	buf_init(&body, BODY_MAX);
	status = fcgi_client_get(path, "/ready", ASK_MS, &body, &e);
	if (status > 0)
		doc = json_load_strict(buf_text(&body), body.len, NULL);
	reasons = json_arr(doc, "degraded");
	if (status < 0)
		doctor_add(d, "service", path, DOCTOR_FAILED, e.text,
		    "start outlook-addin-fcgi, and look into its log");
	else if (status != 200)
		doctor_addf(d, "service", path, DOCTOR_FAILED,
		    "look into the log of outlook-addin-fcgi",
		    "it answers %d to /ready", status);
	else if (json_array_size(reasons) == 0)
		doctor_add(d, "service", path, DOCTOR_OK, "ready", "");
	for (size_t i = 0; i < json_array_size(reasons); i++)
		doctor_addf(d, "service", path, DOCTOR_WARNING,
		    "outlook-addinctl status tells more", "degraded: %s",
		    json_string_value(json_array_get(reasons, i)));
	json_decref(doc);
	buf_clear(&body);
}

static void
try_heartbeat(struct doctor *d)
{
	int64_t now_ms = clock_wall_ms();
	int64_t at_ms = 0;

	if (store_fact_get(d->store, "sync-heartbeat", NULL, 0, &at_ms, NULL) <
	    0)
		return;
	if (catchup_is_alive(at_ms, now_ms))
		doctor_add(d, "sync", "heartbeat", DOCTOR_OK, "alive", "");
	else
		doctor_addf(d, "sync", "heartbeat", DOCTOR_FAILED,
		    "start outlook-addin-fcgi with the role sync or all, and "
		    "look into its log",
		    at_ms == 0 ? "sync has never run"
			: at_ms > now_ms
			? "sync was last seen by a clock that ran ahead"
			: "sync was last seen %" PRId64 " s ago",
		    (now_ms - at_ms) / 1000);
}

/* So many firings of the schedule from now on: how long is that? */
static int64_t
firings_ms(const struct doctor *d, int count)
{
	struct cron cron;
	int64_t now_ms = clock_wall_ms();
	int64_t at_ms = now_ms;

	if (cron_parse(d->config->cron, &cron, NULL) != 0)
		return LATE_LEAST_MS;
	for (int i = 0; i < count; i++)
		at_ms = cron_next(&cron, NULL, at_ms);
	return at_ms - now_ms > LATE_LEAST_MS ? at_ms - now_ms : LATE_LEAST_MS;
}

static void
try_renewal(struct doctor *d)
{
	int64_t now_ms = clock_wall_ms();
	int64_t at_ms = 0;

	if (store_fact_get(
		d->store, "renew-last-success", NULL, 0, &at_ms, NULL) < 0)
		return;
	if (renewal_success_is_known(at_ms, now_ms) &&
	    now_ms - at_ms <= firings_ms(d, LATE_FIRINGS))
		doctor_addf(d, "renewal", "outlook-addin-renew", DOCTOR_OK, "",
		    "last success %" PRId64 " s ago", (now_ms - at_ms) / 1000);
	else
		doctor_addf(d, "renewal", "outlook-addin-renew", DOCTOR_FAILED,
		    "outlook-addinctl print crontab (or systemd) prints what "
		    "has to call it; run it once by hand with -v",
		    at_ms == 0
			? "it has never ended well: subscriptions will run out"
			: at_ms > now_ms
			? "its last success is of a clock that ran ahead"
			: "its last success is %" PRId64 " s ago",
		    (now_ms - at_ms) / 1000);
}

/* What we sign in to Entra with, as it is now: the store need not know yet. */
static void
try_credential(struct doctor *d)
{
	struct credential k;
	int64_t ends_ms;
	char when[WHEN_TEXT_MAX];

	credential_init_entra(&k, d->config);
	ends_ms = credential_ends_ms(&k);
	if (ends_ms != 0) {
		bool near = expiry_is_near(ends_ms, clock_wall_ms());

		when_format_iso(ends_ms, false, when);
		doctor_addf(d, "credential", k.name,
		    near ? DOCTOR_WARNING : DOCTOR_OK,
		    near ? expiry_advice(k.kind) : "", "expires %s", when);
	}
	credential_clear(&k);
}

/* ---- what waits, and why ---- */

struct waiting {
	struct store *store;
	int64_t now_ms, rows, forbidden;
	int64_t parked; /* rows of mailboxes that are */
	char reason[STORE_REASON_MAX]; /* of the first, or of one forbidden */
};

/* Then Graph has refused it, or an operator; doctor_graph.c names it. */
static bool
is_of_parked(const struct waiting *all, const struct store_work *w)
{
	struct store_mailbox box;

	return store_mailbox_find(all->store, w->tenant, w->user, &box, NULL) ==
	    1 &&
	    box.state == STORE_MAILBOX_PARKED;
}

static int
look_at_row(const struct store_work *w, bool in_progress, void *arg)
{
	struct waiting *all = arg;
	bool forbidden = strncmp(w->reason, "forbidden", 9) == 0 ||
	    strstr(w->reason, "status 403") != NULL;

	/* Keys that are not fetched twice in five minutes are no failure. */
	if (in_progress || w->kind == STORE_WORK_KEYS || w->reason[0] == '\0' ||
	    w->not_before_ms <= all->now_ms)
		return 0;
	if (is_of_parked(all, w)) {
		all->parked++;
		return 0;
	}
	all->rows++;
	if (all->reason[0] == '\0' || (forbidden && all->forbidden == 0))
		text_copy(all->reason, sizeof(all->reason), w->reason);
	all->forbidden += forbidden;
	return 0;
}

static void
try_queue(struct doctor *d)
{
	struct waiting all = {.store = d->store, .now_ms = clock_wall_ms()};

	if (store_work_each(d->store, NULL, NULL, look_at_row, &all, NULL) != 0)
		return;
	if (all.parked > 0)
		doctor_addf(d, "queue", "work of parked mailboxes",
		    DOCTOR_WARNING,
		    "see the mailboxes that are parked; it is done once they "
		    "are followed again",
		    "rows that wait: %" PRId64, all.parked);
	if (all.rows > 0)
		doctor_addf(d, "queue", "work that waits", DOCTOR_WARNING,
		    all.forbidden > 0
			? "if Unblu has refused it: set the two properties "
			  "com.unblu.conversation.message.allowNonAdminUsers"
			  "Change...ViaWebApi to true, and check as whom the "
			  "gateway lets us act"
			: "it goes on by itself once the cause is gone",
		    "rows that wait after a failure: %" PRId64 ", one of them "
		    "because of: %s",
		    all.rows, all.reason);
	else if (all.parked == 0)
		doctor_add(d, "queue", "work that waits", DOCTOR_OK,
		    "nothing was refused", "");
}

void
doctor_local(struct doctor *d)
{
	try_store(d);
	try_service(d);
	if (d->config->sync_enabled)
		try_credential(d);
	if (d->store == NULL || !d->config->sync_enabled)
		return;
	try_heartbeat(d);
	try_renewal(d);
	try_queue(d);
}
