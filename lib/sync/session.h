/* sync/session.h - what sync and renew share: store, peers, tokens, commits. */
#ifndef SYNC_SESSION_H
#define SYNC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/loop.h"
#include "port/config.h"
#include "port/http.h"
#include "port/store.h"
#include "port/store_beside.h"
#include "rule/circuit.h"
#include "rule/policy.h"
#include "rule/throttle.h"
#include "sync/agent.h"
#include "sync/degraded.h"
#include "sync/renewals.h"
#include "sync/signin.h"
#include "sync/token.h"

enum {
	SESSION_REOPEN_MS = 5000,
	SESSION_LOCK_WAIT_MS = 1000,
	SESSION_WAITS = 64,
	SESSION_SCOPE_MAX = 96
};

/* A tenant is an island: its own token and its own circuit. */
struct session_tenant {
	const char *id;
	struct token_slot token;
	struct circuit circuit; /* Entra and Graph */
	struct renewals renewals;
	size_t tasks; /* of the engine, under way */
};

TAILQ_HEAD(session_commits, session_commit);

/*
 * A change of the store that is to be made durable together with others
 * waiting at that moment: one transaction, one fsync. apply is called inside
 * the transaction, again if that has to be repeated (and then not beside
 * others); after once it has been committed.
 */
struct session_commit {
	/* It changes no more than store_begin_beside() allows, of this mailbox
	 * and conversation; their texts live as long as it waits. */
	bool beside;
	struct store_party party;
	int (*apply)(struct store *s, void *arg, struct err *e);
	void (*after)(void *arg);
	void *arg;
	struct session_commits *in; /* the list it waits in, or NULL */
	TAILQ_ENTRY(session_commit) link;
};

/* A Retry-After that the store could not take when it was said. */
struct session_wait {
	char scope[SESSION_SCOPE_MAX];
	int64_t until_ms;
	struct session_commit commit;
};

struct session {
	struct loop *loop;
	struct http *http;
	const struct config *config;
	struct policy policy;
	char owner[STORE_GUID]; /* of claims: this process */

	struct store *store; /* NULL while it can not be opened */
	bool shares; /* it, with others that write at the same time */
	unsigned store_flags;
	void (*store_opened)(void *arg); /* each time, may be NULL */
	void *store_arg;
	struct loop_timer *reopen;
	bool store_complained;

	/* A sync that shares the store: may act until then (monotonic), 0: as
	 * long as it likes; what is called when its lease has passed on. */
	int64_t lease_until_ms;
	void (*lease_lost)(void *arg);
	void *lease_arg;

	struct session_commits commits; /* to be applied */
	struct session_commits done; /* durable, after() still to be called */
	struct loop_timer *flush;
	int commit_failures; /* in a row */
	int64_t commit_count;

	struct session_wait waits[SESSION_WAITS]; /* free: already over */

	struct session_tenant *tenants; /* as config->tenant_ids */
	size_t renewal_batches; /* under way, all tenants */
	struct token_slot gateway;
	struct signin signin;
	struct agents agents;
	char gateway_token_url[1024]; /* "" until discovered */
	struct circuit unblu;
	struct throttle throttle; /* how often each scope has done so */
	struct degraded degraded;
};

/*
 * Everything borrowed, http made with the configuration's options. The store
 * is not opened yet.
 */
struct session *session_new(struct loop *loop, const struct config *config);
/* Exchanges and commits under way are dropped; the store is closed. */
void session_free(struct session *s);

/* Opens the store now: 0, or -1 and, with keep_trying, again every
 * SESSION_REOPEN_MS; opened is called behind each success. */
int session_open_store(struct session *s, unsigned flags, bool keep_trying,
    void (*opened)(void *arg), void *arg, struct err *e);

/* Whether what was claimed is still ours to act on. */
bool session_may_act(const struct session *s);

/* NULL for a tenant that is not configured. */
struct session_tenant *session_tenant(struct session *s, const char *tenant);

/* Retry-After of a scope, in the store: every process obeys it; while the store
 * does not take it, this one does. At most RETRY_AFTER_MAX_MS, what is further
 * off is not believed. */
void session_throttle(struct session *s, const char *scope, int64_t wait_ms);
/* The scope has throttled us, and said for how long (< 0: it did not): keeps
 * that, or our own back-off where that is longer. Returns what it keeps. */
int64_t session_refused(struct session *s, const char *scope, int64_t asked_ms);
/* How long it, or the wider one (may be NULL), still holds; 0: not at all. */
int64_t session_throttled_ms(
    const struct session *s, const char *scope, const char *wider);
/* Whether another scope that begins with prefix has been told so, too, by
 * whichever process, and still holds. */
bool session_is_other_throttled(
    const struct session *s, const char *prefix, const char *scope);

/* Queues c; it is committed in this round of the loop or, while the store is
 * out of reach, as soon as it is back. c must live until after was called. */
void session_commit(struct session *s, struct session_commit *c);
void session_commit_cancel(struct session *s, struct session_commit *c);
/* Nothing is waiting to be committed. */
bool session_is_flushed(const struct session *s);

#endif
