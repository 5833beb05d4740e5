/* sync/session.c - see session.h. */
#include "sync/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "port/store_replica.h"
#include "rule/retry.h"

enum {
	SESSION_BATCH = 100, /* commits in one transaction */
	SESSION_AGAIN_MS = 250, /* behind a failed transaction */
	SESSION_FAILURES_MAX = 8 /* then the store is opened anew */
};

static void session_flush(void *arg);
static void session_reopen(void *arg);

static void
session_set_policy(struct session *s)
{
	const struct config *c = s->config;
	struct policy *p = &s->policy;

	p->fallback_topic = c->fallback_topic;
	p->topic_max_chars = c->topic_max_chars;
	p->deletion_grace_ms = c->deletion_grace_ms;
	p->max_deletions_per_mailbox = c->max_deletions_per_mailbox;
	p->max_deletions_per_tenant = c->max_deletions_per_tenant;
	p->subscription_life_ms = c->subscription_expiration_ms;
	p->subscription_limit_ms = c->subscription_renewal_limit_ms;
	p->catch_up_past_ms = c->catch_up_past_ms;
	p->dry_run = c->dry_run;
	/* The configuration has been checked: any other value can not come. */
	if (policy_deletion_parse(c->on_event_deleted, &p->deletion) != 0)
		p->deletion = POLICY_LEAVE;
}

struct session *
session_new(struct loop *loop, const struct config *config)
{
	struct session *s = mem_zalloc(sizeof(*s));
	struct http_options options = {
	    .ca_file = config->ca_file,
	    .proxy = config->http_proxy,
	    .no_proxy = config->no_proxy,
	    .user_agent = "outlook-addin",
	    .parties = config->tenant_ids.count,
	};

	s->loop = loop;
	s->config = config;
	s->http = http_new(loop, &options);
	s->flush = loop_timer_new(loop, session_flush, s);
	s->reopen = loop_timer_new(loop, session_reopen, s);
	TAILQ_INIT(&s->commits);
	TAILQ_INIT(&s->done);
	s->shares = store_database_is_shared(config->database);
	rand_guid(s->owner);
	session_set_policy(s);
	s->tenants = mem_calloc(config->tenant_ids.count, sizeof(*s->tenants));
	for (size_t i = 0; i < config->tenant_ids.count; i++) {
		s->tenants[i].id = config->tenant_ids.items[i];
		token_init(&s->tenants[i].token, s, (int)i);
		renewals_init(&s->tenants[i].renewals, s);
	}
	token_init(&s->gateway, s, -1);
	signin_init(&s->signin, s);
	agent_init(&s->agents, s);
	return s;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->config->tenant_ids.count; i++) {
		renewals_clear(&s->tenants[i].renewals);
		token_clear(&s->tenants[i].token);
	}
	token_clear(&s->gateway);
	signin_clear(&s->signin);
	agent_clear(&s->agents);
	http_free(s->http);
	loop_timer_free(s->flush);
	loop_timer_free(s->reopen);
	if (s->store != NULL)
		store_close(s->store);
	free(s->tenants);
	free(s);
}

bool
session_may_act(const struct session *s)
{
	return s->lease_until_ms == 0 || clock_mono_ms() < s->lease_until_ms;
}

struct session_tenant *
session_tenant(struct session *s, const char *tenant)
{
	int i = config_tenant_index(s->config, tenant);

	return i < 0 ? NULL : &s->tenants[i];
}

/* ---- the store ---- */

static int
session_try_open(struct session *s, struct err *e)
{
	s->store = store_open(s->config->database, s->store_flags,
	    SESSION_LOCK_WAIT_MS, clock_wall_ms(), e);
	if (s->store == NULL)
		return -1;
	if (s->store_complained)
		log_info("store-opened");
	s->store_complained = false;
	s->commit_failures = 0;
	if (s->store_opened != NULL)
		s->store_opened(s->store_arg);
	if (!TAILQ_EMPTY(&s->commits))
		loop_timer_set(s->flush, 0);
	return 0;
}

/* The same trouble every five seconds is told once. */
static void
session_reopen(void *arg)
{
	struct session *s = arg;
	struct err e = {.code = ERR_NONE};

	if (session_try_open(s, &e) == 0)
		return;
	if (!s->store_complained)
		log_error("store-unavailable", LOG_ERR(&e));
	s->store_complained = true;
	loop_timer_set(s->reopen, SESSION_REOPEN_MS);
}

int
session_open_store(struct session *s, unsigned flags, bool keep_trying,
    void (*opened)(void *arg), void *arg, struct err *e)
{
	s->store_flags = flags;
	s->store_opened = opened;
	s->store_arg = arg;
	if (session_try_open(s, e) == 0)
		return 0;
	s->store_complained = keep_trying;
	if (keep_trying)
		loop_timer_set(s->reopen, SESSION_REOPEN_MS);
	return -1;
}

static void
session_lose_store(struct session *s)
{
	store_close(s->store);
	s->store = NULL;
	loop_timer_set(s->reopen, SESSION_REOPEN_MS);
}

static int
session_wait_apply(struct store *s, void *arg, struct err *e)
{
	const struct session_wait *w = arg;

	return store_throttle_set(s, w->scope, w->until_ms, e);
}

static void
session_wait_stored(void *arg)
{
	(void)arg;
}

/* The store is locked, full or closed: kept here, and stored as soon as that
 * is possible. Of too many the one that is over first gives way. */
static void
session_remember(struct session *s, const char *scope, int64_t until_ms)
{
	struct session_wait *w = &s->waits[0];

	for (size_t i = 0; i < SESSION_WAITS; i++) {
		if (strcmp(s->waits[i].scope, scope) == 0) {
			w = &s->waits[i];
			break;
		}
		if (s->waits[i].until_ms < w->until_ms)
			w = &s->waits[i];
	}
	if (strcmp(w->scope, scope) == 0 && w->until_ms >= until_ms)
		return;
	text_copy(w->scope, sizeof(w->scope), scope);
	w->until_ms = until_ms;
	w->commit.apply = session_wait_apply;
	w->commit.after = session_wait_stored;
	w->commit.arg = w;
	if (w->commit.in == NULL)
		session_commit(s, &w->commit);
}

void
session_throttle(struct session *s, const char *scope, int64_t wait_ms)
{
	int64_t until_ms;

	if (wait_ms > RETRY_AFTER_MAX_MS)
		wait_ms = RETRY_AFTER_MAX_MS;
	until_ms = clock_wall_ms() + wait_ms;
	if (s->store == NULL ||
	    store_throttle_set(s->store, scope, until_ms, NULL) != 0)
		session_remember(s, scope, until_ms);
}

int64_t
session_refused(struct session *s, const char *scope, int64_t asked_ms)
{
	int64_t wait_ms = throttle_refused(&s->throttle, scope, asked_ms,
	    clock_mono_ms(), rand_below(UINT64_MAX));

	session_throttle(s, scope, wait_ms);
	return wait_ms;
}

int64_t
session_throttled_ms(
    const struct session *s, const char *scope, const char *wider)
{
	int64_t now_ms = clock_wall_ms();
	int64_t limit_ms = now_ms + RETRY_AFTER_MAX_MS;
	int64_t until_ms = 0;

	if (s->store == NULL ||
	    store_throttle_get(
		s->store, scope, wider, limit_ms, &until_ms, NULL) != 0)
		until_ms = 0;
	for (size_t i = 0; i < SESSION_WAITS; i++)
		if (s->waits[i].until_ms > until_ms &&
		    s->waits[i].until_ms <= limit_ms &&
		    (strcmp(s->waits[i].scope, scope) == 0 ||
			(wider != NULL &&
			    strcmp(s->waits[i].scope, wider) == 0)))
			until_ms = s->waits[i].until_ms;
	return until_ms > now_ms ? until_ms - now_ms : 0;
}

bool
session_is_other_throttled(
    const struct session *s, const char *prefix, const char *scope)
{
	int64_t now_ms = clock_wall_ms();

	for (size_t i = 0; i < SESSION_WAITS; i++)
		if (s->waits[i].until_ms > now_ms &&
		    strncmp(s->waits[i].scope, prefix, strlen(prefix)) == 0 &&
		    strcmp(s->waits[i].scope, scope) != 0)
			return true;
	return s->store != NULL &&
	    store_throttle_other(s->store, prefix, scope, now_ms + 1,
		now_ms + RETRY_AFTER_MAX_MS, NULL) == 1;
}

/* ---- commits ---- */

void
session_commit(struct session *s, struct session_commit *c)
{
	c->in = &s->commits;
	TAILQ_INSERT_TAIL(&s->commits, c, link);
	/* The others of this round of the loop go with it. */
	if (s->store != NULL && !loop_timer_is_set(s->flush))
		loop_timer_set(s->flush, 0);
}

void
session_commit_cancel(struct session *s, struct session_commit *c)
{
	(void)s;
	if (c->in == NULL)
		return;
	TAILQ_REMOVE(c->in, c, link);
	c->in = NULL;
}

bool
session_is_flushed(const struct session *s)
{
	return TAILQ_EMPTY(&s->commits);
}

/* The first of those that wait, up to one that has to be in another kind of
 * transaction: who is alone keeps everybody else out, and is short. */
static size_t
session_next(const struct session *s)
{
	const struct session_commit *c;
	const struct session_commit *first = TAILQ_FIRST(&s->commits);
	size_t count = 0;

	TAILQ_FOREACH(c, &s->commits, link)
	{
		if (count == SESSION_BATCH ||
		    (s->shares && c->beside != first->beside))
			break;
		count++;
	}
	return count;
}

static int
session_begin(struct session *s, size_t count, struct err *e)
{
	struct store_party parties[SESSION_BATCH];
	struct session_commit *c;
	size_t party_count = 0;

	TAILQ_FOREACH(c, &s->commits, link)
	{
		if (count-- == 0)
			break;
		/* Where nobody else writes they may be mixed. */
		if (!c->beside)
			return store_begin(s->store, e);
		parties[party_count++] = c->party;
	}
	return store_begin_beside(s->store, parties, party_count, e);
}

static int
session_apply(struct session *s, size_t count, struct err *e)
{
	struct session_commit *c;

	if (session_begin(s, count, e) != 0)
		return -1;
	TAILQ_FOREACH(c, &s->commits, link)
	{
		if (count-- == 0)
			break;
		if (c->apply(s->store, c->arg, e) != 0) {
			store_rollback(s->store);
			return -1;
		}
	}
	return store_commit(s->store, e);
}

static void
session_flush_failed(struct session *s, size_t count, const struct err *e)
{
	struct session_commit *c;

	TAILQ_FOREACH(c, &s->commits, link)
	{
		if (count-- == 0)
			break;
		c->beside = false;
	}
	s->commit_failures++;
	if (!s->store_complained)
		log_error("store-commit-failed", LOG_ERR(e));
	s->store_complained = true;
	if (s->commit_failures >= SESSION_FAILURES_MAX)
		session_lose_store(s);
	else
		loop_timer_set(s->flush, SESSION_AGAIN_MS);
	if (s->store != NULL && s->lease_lost != NULL &&
	    store_replica_is_lost(s->store))
		s->lease_lost(s->lease_arg);
}

/* An after() may queue, cancel and free commits, of this batch too. */
static void
session_call_after(struct session *s, size_t count)
{
	struct session_commit *c;

	for (; count > 0; count--) {
		c = TAILQ_FIRST(&s->commits);
		TAILQ_REMOVE(&s->commits, c, link);
		TAILQ_INSERT_TAIL(&s->done, c, link);
		c->in = &s->done;
	}
	while ((c = TAILQ_FIRST(&s->done)) != NULL) {
		session_commit_cancel(s, c);
		if (c->after != NULL)
			c->after(c->arg);
	}
}

/* Those queued by an after() wait for the next transaction. */
static void
session_flush(void *arg)
{
	struct session *s = arg;
	struct err e = {.code = ERR_NONE};
	size_t count;

	if (s->store == NULL)
		return;
	count = session_next(s);
	if (count == 0)
		return;
	if (session_apply(s, count, &e) != 0) {
		session_flush_failed(s, count, &e);
		return;
	}
	if (s->store_complained)
		log_info("store-works-again");
	s->store_complained = false;
	s->commit_failures = 0;
	s->commit_count++;
	session_call_after(s, count);
	if (!TAILQ_EMPTY(&s->commits) && s->store != NULL)
		loop_timer_set(s->flush, 0);
}
