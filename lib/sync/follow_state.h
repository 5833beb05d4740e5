/* sync/follow_state.h - inside of sync/follow: one mailbox being followed. */
#ifndef SYNC_FOLLOW_STATE_H
#define SYNC_FOLLOW_STATE_H

#include "remote/graph_subscription.h"
#include "rule/subscription.h"
#include "sync/call.h"
#include "sync/follow.h"

struct follow {
	struct session *session;
	char tenant[STORE_GUID], user[STORE_GUID];
	unsigned flags;
	void (*done)(const struct follow_result *r, void *arg);
	void *arg;
	struct follow_result result;

	struct session_commit commit;
	struct call call;
	struct renewal renewal;

	bool claimed;
	bool parked; /* the mailbox was, before this */
	bool left_alone; /* not followed, or an operator's pause of it */
	bool has_sub;
	struct store_subscription sub; /* as stored */
	enum subscription_need need;
	bool tried_renewal;
	int replacements;
	struct store_subscription fresh; /* the row made for POST */
	char client_state[44];
	struct graph_subscription granted;
	bool conflict;
	char other_id[GRAPH_SUBSCRIPTION_ID_MAX];
	bool pending_is_dead; /* POST made nothing: fresh has no subscription */
	struct buf next; /* page of the list */
};

/* Starts a call about the mailbox's subscription. */
void follow_call(struct follow *f,
    int (*build)(struct http_request *req, void *arg, struct err *e),
    int (*parse)(const struct http_reply *reply, void *arg, struct err *e),
    void (*done)(const struct err *e, void *arg));
/* The steps that its two files hand to each other. */
void follow_fail(struct follow *f, const struct err *e);
void follow_renew(struct follow *f);
void follow_prepare(struct follow *f); /* the pending row, then POST */
void follow_create(struct follow *f); /* POST; the row is there */

/* follow_replace.c: POST was answered 409. */
void follow_replace(struct follow *f);
/* Deletes f->other_id at Graph, then creates. */
void follow_remove_other(struct follow *f);

#endif
