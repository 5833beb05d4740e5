/* sync/adopt.c - see adopt.h. */
#include "sync/adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"
#include "remote/graph_subscription.h"
#include "sync/call.h"
#include "sync/suspect.h"
#include "sync/unlisted.h"

enum {
	ADOPT_URL_MAX = 8192,
	ADOPT_SUSPECTS_MAX = 200 /* of a tenant; the next run sees others */
};

struct adopt {
	struct session *session;
	void (*done)(const struct adopt_result *r, void *arg);
	void *arg;
	struct adopt_result result;
	size_t tenants; /* so many lists */
	size_t tenant; /* index in tenant_ids */
	struct suspect *suspects; /* of this tenant */
	size_t suspect_count, suspect_next;
	struct suspect_case *suspect; /* being looked at */
	bool listed; /* this tenant's list is through */
	struct unlisted *unlisted; /* what no list shows */
	char *host; /* of deploymentUrl */
	struct buf next; /* page of the list */
	struct call call;
	struct loop_timer *step; /* the next tenant, from the loop */
};

static const char *
adopt_tenant(const struct adopt *a)
{
	return a->session->config->tenant_ids.items[a->tenant];
}

static int
adopt_build(struct http_request *req, void *arg, struct err *e)
{
	const struct adopt *a = arg;

	return graph_list_subscriptions_request(
	    a->session->config, buf_text(&a->next), req, e);
}

/* "users/{guid}/events", any case, with or without a leading slash. */
static bool
adopt_user_of(const char *resource, char user[STORE_GUID])
{
	char guid[STORE_GUID];

	if (resource[0] == '/')
		resource++;
	if (strncasecmp(resource, "users/", 6) != 0)
		return false;
	resource += 6;
	if (strlen(resource) < STORE_GUID - 1 ||
	    strcasecmp(resource + STORE_GUID - 1, "/events") != 0)
		return false;
	memcpy(guid, resource, STORE_GUID - 1);
	guid[STORE_GUID - 1] = '\0';
	return text_guid_lower(user, guid);
}

static bool
adopt_is_ours(const struct adopt *a, const struct graph_subscription *sub)
{
	struct url url = {0};
	bool ours = false;

	if (strcmp(sub->application, a->session->config->client_id) == 0 &&
	    url_parse(sub->notification_url, &url, NULL) == 0)
		ours = strcmp(url.host, a->host) == 0;
	url_clear(&url);
	return ours;
}

static void
adopt_suspect(struct adopt *a, const char *user, const char *id, bool unknown)
{
	struct suspect *s;

	if (a->suspect_count == ADOPT_SUSPECTS_MAX)
		return;
	if (a->suspects == NULL)
		a->suspects =
		    mem_calloc(ADOPT_SUSPECTS_MAX, sizeof(*a->suspects));
	s = &a->suspects[a->suspect_count++];
	s->unknown = unknown;
	text_copy(s->user, sizeof(s->user), user);
	text_copy(s->id, sizeof(s->id), id);
}

/* Of a mailbox that is known. */
static void
adopt_compare(
    struct adopt *a, const char *user, const struct graph_subscription *sub)
{
	struct store_subscription own;
	int found =
	    store_subscription_by_id(a->session->store, sub->id, &own, NULL);

	if (found == 0)
		adopt_suspect(a, user, sub->id, true);
	else if (found == 1 && sub->no_lifecycle && !own.no_lifecycle)
		adopt_suspect(a, user, sub->id, false);
}

static void
adopt_listed(const struct graph_subscription *sub, void *arg)
{
	struct adopt *a = arg;
	struct store *s = a->session->store;
	struct store_mailbox known;
	struct err e = {.code = ERR_NONE};
	char user[STORE_GUID];
	int64_t now_ms = clock_wall_ms();
	int found;

	unlisted_saw(a->unlisted, sub->id);
	if (!adopt_is_ours(a, sub) || !adopt_user_of(sub->resource, user))
		return;
	a->result.listed++;
	if (s == NULL)
		return;
	found = store_mailbox_find(s, adopt_tenant(a), user, &known, &e);
	/* One that is no longer followed stays so until its agent is back. */
	if (found == 1) {
		adopt_compare(a, user, sub);
		return;
	}
	if (found == 0)
		found = suspect_is_forgotten(s, sub->id, &e);
	if (found == 1)
		return;
	if (found < 0 ||
	    store_mailbox_follow(
		s, adopt_tenant(a), user, "", false, now_ms, NULL, &e) != 0 ||
	    suspect_note_unknown(s, sub->id, now_ms, &e) != 0) {
		log_warning("adoption-failed",
		    LOG_STR("tenant", adopt_tenant(a)),
		    LOG_STR("mailbox", user), LOG_ERR(&e));
		return;
	}
	a->result.adopted++;
	a->result.changed++;
	log_info("mailbox-adopted", LOG_STR("tenant", adopt_tenant(a)),
	    LOG_STR("mailbox", user), LOG_STR("subscription", sub->id));
}

static int
adopt_parse(const struct http_reply *reply, void *arg, struct err *e)
{
	struct adopt *a = arg;

	return graph_list_subscriptions_reply(
	    reply, adopt_listed, a, &a->next, e);
}

static void
adopt_free(struct adopt *a)
{
	loop_timer_free(a->step);
	unlisted_free(a->unlisted);
	free(a->suspects);
	buf_clear(&a->next);
	free(a->host);
	free(a);
}

static void
adopt_answered(const struct err *e, void *arg)
{
	struct adopt *a = arg;

	if (e->code != ERR_NONE) {
		a->result.failed++;
		a->result.err = *e;
		log_warning("list-not-read", LOG_STR("tenant", adopt_tenant(a)),
		    LOG_ERR(e));
	} else if (a->next.len == 0) {
		unlisted_complete(a->unlisted, adopt_tenant(a));
	}
	/* What a list has shown before it broke off is true as well. */
	if (e->code != ERR_NONE || a->next.len == 0) {
		buf_reset(&a->next);
		a->listed = true;
	}
	loop_timer_set(a->step, 0);
}

static void
adopt_settled(enum suspect_outcome outcome, void *arg)
{
	struct adopt *a = arg;

	a->suspect = NULL;
	if (outcome == SUSPECT_REMOVED)
		a->result.removed++;
	if (outcome == SUSPECT_CHANGED)
		a->result.changed++;
	loop_timer_set(a->step, 0);
}

/* One suspect after the other, then the next tenant. */
static void
adopt_next_suspect(struct adopt *a)
{
	if (a->suspect_next < a->suspect_count) {
		a->suspect = suspect_start(a->session, adopt_tenant(a),
		    &a->suspects[a->suspect_next++], adopt_settled, a);
		return;
	}
	a->suspect_next = a->suspect_count = 0;
	a->listed = false;
	a->tenant++;
	loop_timer_set(a->step, 0);
}

static void
adopt_end(struct adopt *a)
{
	struct err e = {.code = ERR_NONE};

	if (a->session->store != NULL &&
	    suspect_forget(a->session->store, clock_wall_ms(), &e) != 0)
		log_warning("adoption-failed", LOG_ERR(&e));
	a->done(&a->result, a->arg);
	adopt_free(a);
}

static void
adopt_unlisted_done(size_t changed, void *arg)
{
	struct adopt *a = arg;

	a->result.changed += changed;
	adopt_end(a);
}

static void
adopt_step(void *arg)
{
	struct adopt *a = arg;

	if (a->tenant == a->tenants) {
		unlisted_start(a->unlisted, adopt_unlisted_done, a);
		return;
	}
	if (a->listed) {
		adopt_next_suspect(a);
		return;
	}
	memset(&a->call, 0, sizeof(a->call));
	a->call.session = a->session;
	a->call.peer = CALL_GRAPH;
	a->call.tenant = adopt_tenant(a);
	a->call.user = "";
	a->call.build = adopt_build;
	a->call.parse = adopt_parse;
	a->call.done = adopt_answered;
	a->call.arg = a;
	call_start(&a->call);
}

struct adopt *
adopt_start(struct session *s, size_t tenants,
    void (*done)(const struct adopt_result *r, void *arg), void *arg)
{
	struct adopt *a = mem_zalloc(sizeof(*a));
	struct url url = {0};

	a->session = s;
	a->tenants = tenants;
	a->done = done;
	a->arg = arg;
	buf_init(&a->next, ADOPT_URL_MAX);
	if (url_parse(s->config->deployment_url, &url, NULL) == 0)
		a->host = mem_strdup(url.host);
	else
		a->host = mem_strdup("");
	url_clear(&url);
	a->unlisted = unlisted_new(s);
	a->step = loop_timer_new(s->loop, adopt_step, a);
	loop_timer_set(a->step, 0);
	return a;
}

void
adopt_cancel(struct adopt *a)
{
	call_cancel(&a->call);
	if (a->suspect != NULL)
		suspect_cancel(a->suspect);
	adopt_free(a);
}
