/* ctl/doctor_graph.c - see doctor.h: Entra and Microsoft Graph. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "doctor.h"
#include "live.h"
#include "remote/entra.h"
#include "remote/graph.h"
#include "remote/graph_subscription.h"
#include "sync/call.h"

enum { NEXT_MAX = 8192, SUBJECT_MAX = 128 };

/* One call in a tenant; e is its outcome. */
struct trial {
	struct doctor *d;
	struct call call;
	const char *tenant;
	const char *user; /* "" none */
	struct token_wait wait;
	struct err err;
	struct buf next; /* of the list */
	int64_t listed;
	int64_t known; /* those that live, as far as the store knows */
	int64_t now_ms;
};

/* ---- reach, and the clock ---- */

static void
judge_entra(const struct http_reply *reply, void *arg)
{
	struct doctor *d = arg;
	const char *url = d->config->login_url;
	char issuer[SUBJECT_MAX];
	struct err e = {0};

	if (!doctor_reached(d, "entra", url, reply))
		return;
	if (entra_discovery_reply(reply, issuer, sizeof(issuer), &e) == 0)
		doctor_add(d, "entra", url, DOCTOR_OK, "reached", "");
	else
		doctor_add(d, "entra", url, DOCTOR_FAILED, e.text,
		    "check loginUrl (national clouds have their own), and "
		    "whether a proxy answers instead");
}

static void
judge_graph(const struct http_reply *reply, void *arg)
{
	struct doctor *d = arg;
	const char *url = d->config->graph_url;

	if (!doctor_reached(d, "graph", url, reply))
		return;
	/* Without a token Graph says no; that is all we want to hear. */
	if (reply->status == 401)
		doctor_add(d, "graph", url, DOCTOR_OK, "reached", "");
	else
		doctor_addf(d, "graph", url, DOCTOR_FAILED,
		    "check graphUrl (national clouds have their own), and "
		    "whether a proxy answers instead",
		    "status %d instead of 401 without a token", reply->status);
}

static bool
try_reach(struct doctor *d)
{
	struct http_request req;
	int failed = d->failed;

	entra_discovery_request(d->config, false, &req);
	doctor_ask(d, "entra", &req, judge_entra, d);
	if (graph_list_subscriptions_request(d->config, "", &req, NULL) == 0)
		doctor_ask(d, "graph", &req, judge_graph, d);
	return d->failed == failed;
}

/* ---- a tenant's token ---- */

static void
token_answered(const struct secret *token, unsigned generation,
    const struct err *e, void *arg)
{
	struct trial *t = arg;

	(void)token;
	(void)generation;
	if (e != NULL)
		t->err = *e;
	doctor_done(t->d);
}

static bool
try_token(struct trial *t, const char *subject)
{
	struct token_slot *slot =
	    &session_tenant(t->d->session, t->tenant)->token;

	t->wait.done = token_answered;
	t->wait.arg = t;
	token_get(slot, &t->wait);
	doctor_wait(t->d);
	if (t->err.code == ERR_NONE) {
		doctor_add(t->d, "token", subject, DOCTOR_OK, "granted", "");
		return true;
	}
	doctor_add(t->d, "token", subject, DOCTOR_FAILED, t->err.text,
	    t->err.code == ERR_AUTH
		? "mend it in the app registration (clientId) or in the "
		  "configuration; the programs notice by themselves"
		: "try again; if it stays, check what stands between");
	return false;
}

/* ---- what the token may ---- */

static void
call_answered(const struct err *e, void *arg)
{
	struct trial *t = arg;

	t->err = *e;
	doctor_done(t->d);
}

static void
try_call(struct trial *t,
    int (*build)(struct http_request *req, void *arg, struct err *e),
    int (*parse)(const struct http_reply *reply, void *arg, struct err *e))
{
	memset(&t->call, 0, sizeof(t->call));
	t->call.session = t->d->session;
	t->call.peer = CALL_GRAPH;
	t->call.tenant = t->tenant;
	t->call.user = t->user;
	t->call.build = build;
	t->call.parse = parse;
	t->call.done = call_answered;
	t->call.arg = t;
	call_start(&t->call);
	doctor_wait(t->d);
}

static int
build_list(struct http_request *req, void *arg, struct err *e)
{
	const struct trial *t = arg;

	return graph_list_subscriptions_request(
	    t->d->config, buf_text(&t->next), req, e);
}

static void
count_listed(const struct graph_subscription *sub, void *arg)
{
	(void)sub;
	((struct trial *)arg)->listed++;
}

static int
parse_list(const struct http_reply *reply, void *arg, struct err *e)
{
	struct trial *t = arg;

	return graph_list_subscriptions_reply(
	    reply, count_listed, t, &t->next, e);
}

static int
count_known(const struct store_subscription *sub, void *arg)
{
	struct trial *t = arg;

	t->known += strcmp(sub->tenant, t->tenant) == 0 &&
	    sub->granted_ms > 0 && sub->expires_ms > t->now_ms;
	return 0;
}

/* A list may lie, so what it does not show is no failure. */
static void
judge_list(struct trial *t, const char *subject)
{
	t->now_ms = clock_wall_ms();
	if (t->d->store != NULL &&
	    store_subscription_each(t->d->store, count_known, t, NULL) != 0)
		t->known = 0;
	if (t->listed < t->known)
		doctor_addf(t->d, "subscriptions", subject, DOCTOR_WARNING,
		    "Graph may have lost some: outlook-addin-renew --force "
		    "asks for each, and makes anew what is gone",
		    "the list shows %" PRId64 " of this application, but "
		    "%" PRId64 " should be there",
		    t->listed, t->known);
	else
		doctor_addf(t->d, "subscriptions", subject, DOCTOR_OK, "",
		    "the list can be read: %" PRId64 " of this application",
		    t->listed);
}

static void
try_list(struct trial *t, const char *subject)
{
	t->user = "";
	do
		try_call(t, build_list, parse_list);
	while (t->err.code == ERR_NONE && t->next.len > 0);
	if (t->err.code == ERR_NONE)
		judge_list(t, subject);
	else
		doctor_add(t->d, "subscriptions", subject, DOCTOR_FAILED,
		    t->err.text,
		    "give the app registration the application permission "
		    "Calendars.Read, with the consent of the tenant's "
		    "administrator");
}

static int
build_mailbox(struct http_request *req, void *arg, struct err *e)
{
	const struct trial *t = arg;

	(void)e;
	graph_control_request(t->d->config, t->user, req);
	return 0;
}

static int
parse_mailbox(const struct http_reply *reply, void *arg, struct err *e)
{
	(void)arg;
	return graph_control_reply(reply, e);
}

/* The very permission that a subscription needs. */
static void
try_mailbox(struct trial *t, const char *user)
{
	char subject[SUBJECT_MAX + STORE_GUID];

	snprintf(subject, sizeof(subject), "%s/%s", t->tenant, user);
	t->user = user;
	try_call(t, build_mailbox, parse_mailbox);
	if (t->err.code == ERR_NONE)
		doctor_add(t->d, "mailbox", subject, DOCTOR_OK,
		    "its events can be read", "");
	else
		doctor_add(t->d, "mailbox", subject, DOCTOR_FAILED, t->err.text,
		    "check the application permission Calendars.Read, RBAC "
		    "for Applications or an application access policy, and "
		    "the mailbox's licence");
}

/* ---- which mailbox: the first followed one, else the first parked ---- */

struct choice {
	const char *tenant;
	char followed[STORE_GUID], parked[STORE_GUID]; /* "" none yet */
	struct doctor *d;
};

static int
choose_mailbox(const struct store_mailbox *m, void *arg)
{
	struct choice *c = arg;
	char subject[2 * STORE_GUID + 2];

	if (strcmp(m->tenant, c->tenant) != 0)
		return 0;
	snprintf(subject, sizeof(subject), "%s/%s", m->tenant, m->user);
	if (m->state == STORE_MAILBOX_PARKED) {
		doctor_addf(c->d, "mailbox", subject, DOCTOR_WARNING,
		    "once the reason is mended: outlook-addinctl mailbox "
		    "resume",
		    "parked: %s", m->reason);
		if (c->parked[0] == '\0')
			text_copy(c->parked, sizeof(c->parked), m->user);
	} else if (m->state == STORE_MAILBOX_FOLLOWED &&
	    c->followed[0] == '\0') {
		text_copy(c->followed, sizeof(c->followed), m->user);
	}
	return 0;
}

static void
try_mailbox_of(struct trial *t, const char *subject)
{
	struct doctor *d = t->d;
	struct choice c = {.tenant = t->tenant, .d = d};

	if (strcmp(d->tenant, t->tenant) == 0) {
		try_mailbox(t, d->user);
		return;
	}
	if (d->store == NULL ||
	    store_mailbox_each(d->store, choose_mailbox, &c, NULL) != 0)
		doctor_add(d, "mailbox", subject, DOCTOR_SKIPPED,
		    "without the store it is not known which are followed",
		    "name one: --tenant T --user U");
	else if (c.followed[0] != '\0')
		try_mailbox(t, c.followed);
	else if (c.parked[0] != '\0')
		try_mailbox(t, c.parked);
	else
		doctor_add(d, "mailbox", subject, DOCTOR_SKIPPED,
		    "no mailbox of this tenant is followed",
		    "name one: --tenant T --user U");
}

void
doctor_graph(struct doctor *d)
{
	if (!try_reach(d))
		return;
	for (size_t i = 0; i < d->config->tenant_ids.count; i++) {
		struct trial t = {
		    .d = d, .tenant = d->config->tenant_ids.items[i]};
		char subject[SUBJECT_MAX];

		snprintf(subject, sizeof(subject), "tenant %s", t.tenant);
		buf_init(&t.next, NEXT_MAX);
		if (try_token(&t, subject)) {
			try_list(&t, subject);
			try_mailbox_of(&t, subject);
		}
		buf_clear(&t.next);
	}
}
