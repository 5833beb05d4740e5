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
	bool lapsed; /* it had expired by our clock, and Graph still knew it */
	int64_t asked_ms; /* the life asked for last */
	int64_t longest_ms; /* refused as longer than this, else 0 */
	int replacements;
	struct store_subscription *fresh; /* the row made for POST, NULL none */
	char client_state[44];
	char granted_id[GRAPH_SUBSCRIPTION_ID_MAX]; /* as POST told */
	int64_t expires_ms; /* as granted */
	int64_t unanswered; /* earlier creations that may stand at Graph */
	int64_t pause_ms; /* for their number: not to be tried again before */
	bool trial; /* this one asks for a short life, because of them */
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
void follow_commit(struct follow *f,
    int (*apply)(struct store *s, void *arg, struct err *e),
    void (*after)(void *arg));
/* The end; the claim is given back with it. */
void follow_end(struct follow *f, enum follow_outcome outcome, int64_t due_ms);
/* The steps that its files hand to each other. */
void follow_fail(struct follow *f, const struct err *e);
void follow_renew(struct follow *f);
void follow_prepare(struct follow *f); /* the pending row, then POST */
void follow_create(struct follow *f); /* POST; the row is there */
void follow_granted(struct follow *f, enum follow_outcome outcome);
/* Made anew, or for the first time. */
enum follow_outcome follow_creation(const struct follow *f);

/* follow_claim.c, inside a transaction: the claim is taken for longer, and
 * whether it could be: another one may have taken it once it was over. False:
 * so it is, and the follow ends. */
int follow_apply_hold(struct store *s, void *arg, struct err *e);
bool follow_still_holds(struct follow *f);
/* The first time, with what is stored. */
int follow_apply_claim(struct store *s, void *arg, struct err *e);

/* follow_terms.c: what a subscription is made for. */
void follow_facts(const struct follow *f, const struct store_subscription *sub,
    struct subscription *facts);
void follow_set_terms(const struct follow *f, struct store_subscription *sub);
/* Why f->sub must be made anew, NULL: it need not. */
const char *follow_flaw(const struct follow *f);
/* Whether "removed" may have been said of the one before, of which Graph told
 * twice while this one was made. Then renewing tells: 404 makes a new one. */
bool follow_is_young(const struct follow *f);
/* The expiry to ask for now; f->asked_ms is set. */
int64_t follow_expiry_ms(struct follow *f);
/* Graph has refused the expiry as too far off: whether a nearer one is to be
 * asked for. From now on everybody in this process asks for that. */
bool follow_ask_for_less(struct follow *f, int64_t longest_ms);

/* follow_trial.c: creations whose answer was lost. Inside a transaction, where
 * the claim is held: the row of f->fresh, unless f->pause_ms says later. */
int follow_add_pending(struct follow *f, struct store *s, struct err *e);
/* A trial was refused: the same row for the whole life instead. */
int follow_apply_whole(struct store *s, void *arg, struct err *e);
/* Too many have no answer: the follow ends, true. */
bool follow_pauses(struct follow *f);
/* The trial was granted: now for its whole life, whatever comes of that. */
void follow_lengthen(struct follow *f);

/* follow_replace.c: POST was answered 409. */
void follow_replace(struct follow *f);
/* Deletes f->other_id at Graph, then creates; reason: for people. */
void follow_remove_other(struct follow *f, const char *reason);

#endif
