/* fcgi/web_links_store.c - what PUT, GET and DELETE api/links do. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "rule/link.h"
#include "web_announce.h"
#include "web_limit.h"
#include "web_links_show.h"
#include "web_worker.h"

enum {
	KEYS_ASK_GAP_MS = 5 * 1000,
	KEYS_READ_GAP_MS = 1000,
	/* What Entra has withdrawn, sync has left out of the set: nobody asks
	 * for a key by name who has an old one. */
	KEYS_OLD_MS = 60 * 1000
};

static const char links_invalid_token[] =
    "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";

static void
links_store_failed(struct job *j, const struct err *e)
{
	log_warning("link-not-stored", LOG_STR("requestId", j->request_id),
	    LOG_STR("conversation", j->link->conversation), LOG_ERR(e));
	reply_not_now(&j->reply, "not-stored", "the store does not answer");
}

/* ---- who is it ---- */

static void
links_read_keys(struct worker *w)
{
	char *json = NULL;
	int64_t fetched_ms;
	struct bearer_keys *keys;
	struct err e = {0};

	w->keys_read_ms = clock_mono_ms();
	if (store_keys_load(w->store, &json, &fetched_ms, &e) == 0 &&
	    json != NULL) {
		keys = bearer_keys_new(json, NULL, &e);
		if (keys != NULL) {
			bearer_keys_free(w->keys);
			w->keys = keys;
		}
	}
	if (e.code != ERR_NONE)
		log_warning("keys-unreadable", LOG_ERR(&e));
	free(json);
}

/* web never fetches; sync does, when it finds this row, at most once in five
 * minutes. An outsider can make up kids at will: the row is the same one, and
 * not written more often than we tell callers to come back. */
static void
links_ask_for_keys(struct worker *w)
{
	const struct store_hint_item item = {STORE_WORK_KEYS, "", "", "", 0};
	int64_t now_ms = clock_mono_ms();
	struct err e = {0};

	if (w->keys_asked_ms != 0 &&
	    now_ms - w->keys_asked_ms < KEYS_ASK_GAP_MS)
		return;
	if (store_work_add(w->store, &item, 1, clock_wall_ms(), 0, &e) != 0) {
		log_warning("keys-not-asked-for", LOG_ERR(&e));
		return;
	}
	w->keys_asked_ms = now_ms;
	w->news = true;
	log_info("keys-asked-for");
}

static enum bearer_verdict
links_judge(struct worker *w, const struct job *j, struct bearer_identity *who,
    const char **why)
{
	const struct config *c = w->config;
	const struct bearer_settings settings = {
	    .login_url = c->login_url,
	    .client_id = c->client_id,
	    .audiences = (const char *const *)c->api_audience.items,
	    .audience_count = c->api_audience.count,
	    .tenants = (const char *const *)c->tenant_ids.items,
	    .tenant_count = c->tenant_ids.count,
	    .required_scope = c->api_required_scope,
	};

	return bearer_judge(w->keys, &settings, j->token, strlen(j->token),
	    clock_wall_ms(), who, why);
}

static void
links_read_keys_after(struct worker *w, int64_t gap_ms)
{
	if (w->keys_read_ms == 0 || clock_mono_ms() - w->keys_read_ms >= gap_ms)
		links_read_keys(w);
}

/* Fills *who, or the reply. */
static bool
links_identify(struct worker *w, struct job *j, struct bearer_identity *who)
{
	static struct limit lines;
	enum bearer_verdict verdict;
	const char *why;
	int64_t left_out;

	links_read_keys_after(w, KEYS_OLD_MS);
	verdict = links_judge(w, j, who, &why);
	if (verdict == BEARER_UNKNOWN_KEY) {
		links_read_keys_after(w, KEYS_READ_GAP_MS);
		verdict = links_judge(w, j, who, &why);
	}
	if (verdict == BEARER_VALID)
		return true;
	if (limit_allows(&lines, clock_mono_ms(), &left_out))
		log_warning("token-refused",
		    LOG_STR("requestId", j->request_id), LOG_STR("reason", why),
		    LOG_INT("suppressed", left_out));
	if (verdict == BEARER_UNKNOWN_KEY) {
		links_ask_for_keys(w);
		reply_not_now(&j->reply, "keys-missing",
		    "the signing key is not known yet");
		return false;
	}
	reply_error(&j->reply, 401, "invalid-token", "the token is not valid");
	j->reply.headers = links_invalid_token;
	return false;
}

/* ---- PUT ---- */

/* The rows that make sync look at once. */
static int
links_add_work(
    struct store *s, const struct store_link *l, int64_t now_ms, struct err *e)
{
	const struct store_hint_item items[] = {
	    {STORE_WORK_FOLLOW, l->tenant, l->user, "", 0},
	    {STORE_WORK_LINK, l->tenant, l->user, l->conversation, 0},
	    {STORE_WORK_EVENT, l->tenant, l->user, l->event,
		STORE_HINT_UPDATED},
	};

	return store_work_add(
	    s, items, l->event[0] != '\0' ? 3 : 2, now_ms, 0, e);
}

static int
links_write(struct worker *w, const struct store_link *l,
    const struct bearer_identity *who, bool *other, struct err *e)
{
	int64_t now_ms = l->announced_ms;
	bool resumed = false;

	if (store_begin(w->store, e) != 0)
		return -1;
	if (store_link_announce(w->store, l, other, e) != 0)
		goto fail;
	/* Someone else's conversation: a later claim has no effect at all. */
	if (!*other &&
	    (store_mailbox_follow(w->store, l->tenant, l->user, who->upn, true,
		 now_ms, &resumed, e) != 0 ||
		store_mailbox_set_email(
		    w->store, l->tenant, l->user, who->email, e) != 0 ||
		/* What a parked mailbox's rows waited for is over. */
		(resumed &&
		    store_work_release(w->store, l->tenant, l->user, e) != 0) ||
		links_add_work(w->store, l, now_ms, e) != 0))
		goto fail;
	return store_commit(w->store, e);
fail:
	store_rollback(w->store);
	return -1;
}

static void
links_put(struct worker *w, struct job *j, const struct bearer_identity *who)
{
	struct store_link *l = j->link;
	struct err e = {0};
	bool other = false;

	if (announce_parse(j->body, j->body_len, l, &e) != 0) {
		log_warning("link-refused", LOG_STR("requestId", j->request_id),
		    LOG_ERR(&e));
		reply_error(&j->reply, 400, "bad-body",
		    "the body does not describe a conversation");
		return;
	}
	text_copy(l->tenant, sizeof(l->tenant), who->tenant);
	text_copy(l->user, sizeof(l->user), who->user);
	l->announced_ms = l->created_ms = clock_wall_ms();
	if (w->config->orphan_grace_ms > 0)
		l->check_ms = l->announced_ms + w->config->orphan_grace_ms;
	if (links_write(w, l, who, &other, &e) != 0) {
		links_store_failed(j, &e);
		return;
	}
	w->news = w->news || !other;
	j->reply.status = 202;
	if (other)
		log_warning("link-of-another",
		    LOG_STR("requestId", j->request_id),
		    LOG_STR("tenant", who->tenant),
		    LOG_STR("mailbox", who->user),
		    LOG_STR("conversation", l->conversation));
	else
		log_info("link-announced", LOG_STR("requestId", j->request_id),
		    LOG_STR("tenant", l->tenant), LOG_STR("mailbox", l->user),
		    LOG_STR("conversation", l->conversation),
		    LOG_BOOL("shared", l->shared));
}

/* ---- GET and DELETE ---- */

/* The caller's own link: 1; 0 for everybody else's and for none. */
static int
links_find_own(struct worker *w, const struct job *j,
    const struct bearer_identity *who, struct store_link *out, struct err *e)
{
	int rc = store_link_find(w->store, j->link->conversation, out, e);

	if (rc == 1 &&
	    (strcmp(out->tenant, who->tenant) != 0 ||
		strcmp(out->user, who->user) != 0))
		return 0;
	return rc;
}

static void
links_get(struct worker *w, struct job *j, const struct bearer_identity *who)
{
	struct store_link *l = j->link;
	struct err e = {0};
	int rc = links_find_own(w, j, who, l, &e);
	json_t *doc;

	if (rc < 0) {
		links_store_failed(j, &e);
		return;
	}
	if (rc == 0) {
		reply_error(&j->reply, 404, "not-found", "no such link");
		return;
	}
	doc = links_show(w->store, w->config, l, &e);
	if (doc == NULL) {
		links_store_failed(j, &e);
		return;
	}
	reply_json_owned(&j->reply, 200, json_text(doc));
	json_decref(doc);
}

/* The agent has removed the conversation himself: nothing is left to sync. */
static int
links_remove(struct worker *w, const struct job *j,
    const struct bearer_identity *who, bool *found, struct err *e)
{
	const struct store_audit audit = {
	    .at_ms = clock_wall_ms(),
	    .tenant = who->tenant,
	    .user = who->user,
	    .event = "",
	    .conversation = j->link->conversation,
	    .action = "unlink",
	    .outcome = "done",
	    .detail = "the agent removed the conversation himself",
	};
	/* With a held deletion the alarm may end: that is sync's to see. */
	const struct store_hint_item work = {
	    STORE_WORK_LINK, who->tenant, who->user, j->link->conversation, 0};
	bool held;
	int rc;

	if (store_begin(w->store, e) != 0)
		return -1;
	rc = links_find_own(w, j, who, j->link, e);
	held = rc == 1 && j->link->state == STORE_LINK_HELD;
	*found = rc == 1 && j->link->state != STORE_LINK_DELETED;
	if (rc < 0)
		goto fail;
	if (*found) {
		j->link->state = STORE_LINK_DELETED;
		j->link->check_ms = 0;
		j->link->end_ms = link_end_when_over(
		    j->link->series, j->link->end_ms, audit.at_ms);
		if (store_link_save(w->store, j->link, e) != 0 ||
		    (held &&
			store_work_add(w->store, &work, 1, audit.at_ms, 0, e) !=
			    0) ||
		    store_audit_add(w->store, &audit, e) != 0)
			goto fail;
	}
	return store_commit(w->store, e);
fail:
	store_rollback(w->store);
	return -1;
}

static void
links_delete(struct worker *w, struct job *j, const struct bearer_identity *who)
{
	struct err e = {0};
	bool found = false;

	if (links_remove(w, j, who, &found, &e) != 0) {
		links_store_failed(j, &e);
		return;
	}
	/* The same for somebody else's and for none: no oracle. */
	j->reply.status = 204;
	if (found)
		log_info("link-removed", LOG_STR("requestId", j->request_id),
		    LOG_STR("tenant", who->tenant),
		    LOG_STR("mailbox", who->user),
		    LOG_STR("conversation", j->link->conversation));
}

void
links_serve(struct worker *w, struct job *j)
{
	struct bearer_identity who;

	if (w->store == NULL) {
		reply_not_now(&j->reply, "not-stored", "the store is not open");
		return;
	}
	if (!links_identify(w, j, &who))
		return;
	if (j->kind == JOB_LINK_PUT)
		links_put(w, j, &who);
	else if (j->kind == JOB_LINK_GET)
		links_get(w, j, &who);
	else
		links_delete(w, j, &who);
}
