/* port/store.h - the durable state, in domain verbs. */
#ifndef PORT_STORE_H
#define PORT_STORE_H

/*
 * One handle per thread. Every verb is one transaction of its own, or part of
 * the caller's between store_begin() and store_commit(). Verbs return 0, or
 * -1 with *e: ERR_RETRY (locked, I/O: try again), ERR_FULL (no space,
 * read-only), ERR_NEWER, ERR_INPUT (corrupt), ERR_GONE (no store
 * there, and STORE_CREATE not given), ERR_CONFIG (network file system, bad
 * path, another program's database). "Find" verbs return 1 found, 0 not found,
 * -1 failed; "drop" and "replay" likewise. "Each" verbs call back for every
 * row; the callback may call any verb (no statement is open meanwhile; rows are
 * read a page at a time, so changes made meanwhile may or may not be seen) and
 * returns 0 to go on, > 0 to stop (the verb returns 0), < 0 to fail (the verb
 * returns -1, *e untouched). Texts longer than their array in the struct are
 * cut. Times are Unix milliseconds, given by the caller. Tenant and user are
 * lower-case GUIDs; user is the mailbox owner's object id. SQLite: each
 * transaction is taken under the lock file, see docs/store.md; nothing here
 * waits for the network.
 *
 * A verb that fails inside the caller's transaction spoils it: what follows
 * fails too, store_commit() rolls back and fails. Nothing of a failed
 * transaction stands - except that after an I/O error its rows may turn up
 * later all the same. Everything here bears being done twice, but for a claim:
 * before the next one call store_work_recover_except().
 * After an I/O error (a write, an fsync) the connection counts as dead. The
 * caller keeps the handle and just tries again later, or closes and opens it:
 * either way the next verb opens the database anew, checks its settings and,
 * before anything may be called durable again, writes the whole WAL into the
 * database and fsyncs it; while that fails it says ERR_RETRY or ERR_FULL. A
 * mark in the lock file makes every other process do the same. The handle
 * also notices that the file was moved aside or replaced, and opens the new
 * one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	STORE_GUID = 37,
	STORE_ID_MAX = 512, /* event and conversation ids, with NUL */
	STORE_TEXT_MAX = 1024,
	STORE_REASON_MAX = 320
};

struct store;

enum store_open_flags {
	STORE_CREATE = 1, /* create and migrate when needed */
	STORE_READ_ONLY = 2, /* no lock, no write */
	STORE_CHECKPOINTER = 4, /* sync only: store_checkpoint() allowed */
	STORE_LEAN = 8 /* for a short life: small cache, short WAL */
};

/* database: "sqlite:PATH" or a PostgreSQL URL. lock_wait_ms as in file_lock(),
 * for the opening and every transaction of this handle. NULL with *e; a store
 * of a newer version is left as it is. The fact "store-created" tells when a
 * new store was made (now_ms). */
struct store *store_open(const char *database, unsigned flags, int lock_wait_ms,
    int64_t now_ms, struct err *e);
void store_close(struct store *s); /* NULL is allowed */

int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e); /* fsync'ed on return */
void store_rollback(struct store *s);

/* PASSIVE checkpoint under the lock, TRUNCATE when the WAL is above 16 MiB; a
 * reader in the way is no error. Cheap when nothing was written: call it about
 * once a second. */
int store_checkpoint(struct store *s, struct err *e);
/* Gives room that is free back to the file system when it is more than a
 * quarter of the file (and 1 MiB): in short transactions, others come in
 * between. *freed: bytes. A kill at any moment harms nothing. */
int store_compact(struct store *s, int64_t *freed, struct err *e);
/* A number that rises when another process or handle has changed the store;
 * it costs one small read. */
int64_t store_data_version(struct store *s);
/* quick_check: 0 sound, -1 ERR_INPUT with the first finding. */
int store_check(struct store *s, struct err *e);
/* A consistent copy (VACUUM INTO) at path, fsync'ed, mode 0600; whole or not
 * at all. ERR_REFUSED when path exists. Writers go on meanwhile. */
int store_backup(struct store *s, const char *path, struct err *e);
/* Under the lock: renames a corrupt database, and its WAL and index, to
 * PATH.corrupt-<UTC time>. Open handles notice. ERR_CONFIG, and nothing is
 * moved, when the file does not look as if it ever was a store. */
int store_move_aside(const char *database, int64_t now_ms, struct err *e);
/* A lock file of the caller's own beside the store, PATH with suffix
 * (".renew.lock"), for file_lock(): 0600, no symbolic link, owned by the
 * folder's owner even if root makes it or had made it. The descriptor is the
 * caller's to close, the file stays. -1: ERR_CONFIG, ERR_FULL (not ours to
 * write). */
int
store_lock_file_open(const char *database, const char *suffix, struct err *e);

/* ---- work: the queue, one row per (kind, tenant, user, event) ---- */

enum store_kind {
	STORE_WORK_EVENT, /* look at one event of a mailbox */
	STORE_WORK_FOLLOW, /* bring the mailbox's subscription in order */
	STORE_WORK_SEARCH, /* look for events by property (first sight) */
	STORE_WORK_CATCHUP, /* re-read the mailbox's known events */
	STORE_WORK_LINK, /* one conversation: event = conversation id */
	STORE_WORK_KEYS, /* fetch the token signing keys; no mailbox */
	STORE_KIND_COUNT
};

enum store_hint {
	STORE_HINT_CREATED = 1,
	STORE_HINT_UPDATED = 2,
	STORE_HINT_DELETED = 4,
	STORE_HINT_REAUTHORIZE = 8,
	STORE_HINT_REMOVED = 16,
	STORE_HINT_MISSED = 32
};

struct store_work {
	enum store_kind kind;
	char tenant[STORE_GUID]; /* "" with STORE_WORK_KEYS */
	char user[STORE_GUID];
	char event[STORE_ID_MAX]; /* "" where the kind needs none */
	int64_t generation;
	unsigned hints; /* OR of enum store_hint */
	int64_t first_seen_ms; /* of the oldest unprocessed notification */
	int64_t due_ms;
	int64_t not_before_ms;
	int attempts;
	int crashes; /* deaths of sync while this row alone was in progress */
	char reason[STORE_REASON_MAX]; /* why it waits, "" at first */
};

/*
 * Adds or raises rows: a new row gets generation 1, first_seen now and
 * due = now + delay_ms; an existing one generation + 1, hints ORed, due
 * unchanged or earlier (never later), not_before unchanged.
 * With a short delay it is only appended at first (lean, however large the
 * queue is) and becomes a row, with these same numbers, when somebody claims
 * once the first of them is due; until then store_work_each() and the totals
 * count each notification by itself. What is due before the last one that was
 * appended, or only in a long time, becomes a row at once: delays can be mixed
 * and nothing waits behind what is due later. Quickest while all short delays
 * are the same.
 */
struct store_hint_item {
	enum store_kind kind;
	const char *tenant, *user, *event;
	unsigned hints;
};
int store_work_add(struct store *s, const struct store_hint_item *items,
    size_t count, int64_t now_ms, int64_t delay_ms, struct err *e);

/* How much may be in progress at once. */
struct store_quota {
	int per_mailbox; /* rows of one mailbox */
	/* How many further rows of this tenant ("": of none); it calls no
	 * verb. NULL: as many as there are. */
	size_t (*room)(const char *tenant, void *arg);
	void *arg;
};

/*
 * Takes up to limit rows that are due (due_ms and not_before_ms passed, not
 * in progress) and marks them in progress, as far as the quota goes: one of
 * each tenant in turn, a tenant's own in due order. Behind a storm it may take
 * none at first, with *next_ms in the past: what has arrived becomes rows then,
 * some hundreds a call. *next_ms becomes the
 * earliest time at which another row can be due (INT64_MAX: none; tenants
 * without room do not count, they are looked at again when something of theirs
 * has ended). The number taken, or -1.
 */
int store_work_claim(struct store *s, int64_t now_ms,
    const struct store_quota *quota, struct store_work *out, size_t limit,
    int64_t *next_ms, struct err *e);

/* Done: removes the row if its generation is still w->generation, else puts
 * it back due now + delay_ms with first_seen now, attempts 0 and the hints
 * that came meanwhile. 0, -1; 1 (defer and bury too): nothing was changed, it
 * is not in progress under this handle (recovered, forgotten, ended before). */
int store_work_finish(struct store *s, const struct store_work *w,
    int64_t now_ms, int64_t delay_ms, struct err *e);
/* Not done: back in the queue, attempts as in w, not before not_before_ms
 * (never lowered). */
int store_work_defer(struct store *s, const struct store_work *w,
    int64_t not_before_ms, const char *reason, struct err *e);
/* Start of sync: rows in progress under a dead sync become queued again.
 * Their number is added to *count (may be NULL). */
int store_work_recover(struct store *s, int64_t *count, struct err *e);
/* After a claim whose commit has failed, which may stand all the same: the
 * same for those rows in progress for which works_on() says no. The cost is
 * per row in progress, however long the queue is. works_on() calls no verb. */
int store_work_recover_except(struct store *s,
    bool (*works_on)(const struct store_work *w, void *arg), void *arg,
    int64_t *count, struct err *e);
/* As store_work_recover() after sync died by a signal of its own making: these
 * rows become suspects, of which store_work_claim() then gives out one at a
 * time, and nothing else, until each has been finished, deferred or buried
 * once. A row that was alone in progress gets crashes + 1 (kept until it is
 * finished): the caller buries it at its limit. */
int store_work_recover_crashed(struct store *s, int64_t *count, struct err *e);
/* An operator's resume: the mailbox's queued rows no longer wait for their
 * not_before. */
int store_work_release(
    struct store *s, const char *tenant, const char *user, struct err *e);
/* What the rows of a tenant ("" all) waited for is over: those whose reason
 * begins with the prefix no longer wait for their not_before. *count (NULL is
 * allowed): how many. */
int store_work_release_held(struct store *s, const char *tenant,
    const char *prefix, int64_t *count, struct err *e);
/* Of one mailbox (tenant NULL: all), oldest first. */
int store_work_each(struct store *s, const char *tenant, const char *user,
    int (*each)(const struct store_work *w, bool in_progress, void *arg),
    void *arg, struct err *e);

struct store_work_totals {
	int64_t rows;
	int64_t in_progress;
	/* Since when the one that waits longest could have been done; of those
	 * planned for later that time, which is ahead. 0: no row. */
	int64_t oldest_first_seen_ms;
};
int store_work_totals(
    struct store *s, struct store_work_totals *out, struct err *e);

/* ---- dead letters ---- */

struct store_dead {
	int64_t id;
	struct store_work work;
	int64_t died_ms;
	char reason[STORE_REASON_MAX];
};
/* Moves a row out of the queue; one dead letter per row key, the latest. When
 * it was raised meanwhile it is also put back, due now: nothing is missed. */
int store_work_bury(struct store *s, const struct store_work *w,
    const char *reason, int64_t now_ms, struct err *e);
int store_dead_each(struct store *s,
    int (*each)(const struct store_dead *d, void *arg), void *arg,
    struct err *e);
int store_dead_find(
    struct store *s, int64_t id, struct store_dead *out, struct err *e);
/* Back into the queue, due now. 1, 0 (no such id), -1. */
int
store_dead_replay(struct store *s, int64_t id, int64_t now_ms, struct err *e);
int store_dead_drop(struct store *s, int64_t id, struct err *e);
int store_dead_count(struct store *s, int64_t *out, struct err *e);

/* ---- mailboxes ---- */

enum store_mailbox_state {
	STORE_MAILBOX_FOLLOWED,
	STORE_MAILBOX_PARKED,
	STORE_MAILBOX_UNFOLLOWED
};

struct store_mailbox {
	char tenant[STORE_GUID], user[STORE_GUID];
	char upn[256]; /* for display and act-as only, "" unknown */
	char email[256]; /* likewise */
	enum store_mailbox_state state;
	char reason[STORE_REASON_MAX]; /* of parked */
	int64_t retry_ms; /* parked: when to try again */
	int64_t since_ms; /* of the state */
	int64_t catch_up_ms; /* last complete catch-up, 0 never */
	int64_t check_ms; /* the next one without a word; 0 none */
	int64_t renew_ms; /* see store_renewal.h */
};

int store_mailbox_find(struct store *s, const char *tenant, const char *user,
    struct store_mailbox *out, struct err *e);
/* Makes the row or updates upn (when not ""); a parked or unfollowed mailbox
 * becomes followed only with resume. *changed (may be NULL): new or resumed. */
int store_mailbox_follow(struct store *s, const char *tenant, const char *user,
    const char *upn, bool resume, int64_t now_ms, bool *changed, struct err *e);
/* What the agent's token told last; "" and an unknown mailbox change nothing.
 */
int store_mailbox_set_email(struct store *s, const char *tenant,
    const char *user, const char *email, struct err *e);
/* Parks it until retry_ms at least; one that nobody follows, or that is parked
 * for longer (rule/renewal.h: and not by a clock ahead), stays as it is. */
int store_mailbox_park(struct store *s, const char *tenant, const char *user,
    const char *reason, int64_t retry_ms, int64_t now_ms, struct err *e);
/* Of a mailbox that has a row; without one nothing happens. since_ms becomes
 * now_ms when the state is another one. */
int store_mailbox_set_state(struct store *s, const char *tenant,
    const char *user, enum store_mailbox_state state, const char *reason,
    int64_t retry_ms, int64_t now_ms, struct err *e);
int store_mailbox_each(struct store *s,
    int (*each)(const struct store_mailbox *m, void *arg), void *arg,
    struct err *e);
/* How many there are, by enum store_mailbox_state; indexed reads. */
int store_mailbox_totals(
    struct store *s, int64_t out[STORE_MAILBOX_UNFOLLOWED + 1], struct err *e);
/* The claim on a mailbox's subscription: 1 taken (or already ours), 0 held by
 * another owner until *held_until_ms, -1. */
int store_mailbox_claim(struct store *s, const char *tenant, const char *user,
    const char *owner, int64_t now_ms, int64_t until_ms, int64_t *held_until_ms,
    struct err *e);
int store_mailbox_release(struct store *s, const char *tenant, const char *user,
    const char *owner, struct err *e);

/* ---- subscriptions ---- */

struct store_subscription {
	char tenant[STORE_GUID], user[STORE_GUID];
	char client_state_hash[65]; /* SHA-256, hex; the key of the row */
	char id[64]; /* Graph's; "" until Graph has answered */
	int64_t granted_ms; /* when Graph granted the present life; 0 pending */
	int64_t expires_ms;
	int64_t requested_life_ms;
	int64_t created_ms; /* granted_ms as long as it was not renewed */
	char notification_url[STORE_TEXT_MAX];
	char resource[160];
	char application[STORE_GUID], addin[STORE_GUID]; /* then, "" unknown */
	bool no_lifecycle; /* was seen without a lifecycleNotificationUrl */
};

/* Before POST /subscriptions; see store_subscription_unanswered(). */
int store_subscription_add_pending(
    struct store *s, const struct store_subscription *sub, struct err *e);
/* Graph has granted it: id, the times and requested_life_ms are taken from sub
 * (all of it when there is no row), and older rows of the same mailbox are
 * removed. */
int store_subscription_granted(
    struct store *s, const struct store_subscription *sub, struct err *e);
int store_subscription_remove(
    struct store *s, const char *client_state_hash, struct err *e);
/* The mailbox's newest granted (else pending) one. */
int store_subscription_of(struct store *s, const char *tenant, const char *user,
    struct store_subscription *out, struct err *e);
int store_subscription_by_id(struct store *s, const char *id,
    struct store_subscription *out, struct err *e);
int store_subscription_by_client_state(struct store *s,
    const char *client_state_hash, struct store_subscription *out,
    struct err *e);
int store_subscription_each(struct store *s,
    int (*each)(const struct store_subscription *sub, void *arg), void *arg,
    struct err *e);

/* ---- links: a conversation and its event ---- */

enum store_link_state {
	STORE_LINK_ANNOUNCED, /* no event seen yet */
	STORE_LINK_LINKED, /* followed */
	STORE_LINK_GONE, /* deletion candidate, in its grace time */
	STORE_LINK_HELD, /* deletion held by the brake */
	STORE_LINK_FOREIGN, /* not ours to write */
	STORE_LINK_ENDED, /* conversation ENDED: no longer followed */
	STORE_LINK_KEPT, /* event deleted, guard refused: left alone */
	STORE_LINK_DELETED, /* conversation deleted by us or gone */
	STORE_LINK_UNCONFIRMED, /* lease ran out, not provably an orphan */
	STORE_LINK_ENDED_EARLY, /* ENDED with occurrences still to come */
	STORE_LINK_STATE_COUNT
};

struct store_link {
	char conversation[STORE_ID_MAX]; /* key */
	char tenant[STORE_GUID], user[STORE_GUID];
	char source_id[160];
	char event[STORE_ID_MAX]; /* "" until seen */
	enum store_link_state state;
	bool shared; /* announced with mailbox "shared" */
	bool verified; /* ownership rule passed */
	char agent[128]; /* Unblu person id of the only ASSIGNED_AGENT */
	char topic[STORE_TEXT_MAX]; /* last written or announced, UTF-8 */
	int64_t start_ms; /* last written or announced, minute-rounded */
	bool written; /* topic and start are known to be Unblu's */
	char writing[16]; /* "topic"|"time"|"delete"|"end" begun, outcome
			     unknown */
	int64_t writing_ms; /* "delete": since when */
	int64_t end_ms; /* last known end of the event, 0 unknown */
	char time_zone[64];
	char change_key[128]; /* of the event as last read */
	char series[16]; /* event type as last read */
	int64_t created_ms;
	int64_t announced_ms; /* 0: never by PUT */
	int64_t synced_ms; /* last time event and conversation agreed */
	int64_t gone_since_ms;
	int searches; /* first-sight searches made */
	int64_t occurrence_end_ms; /* series: of the one that gave start_ms */
	int empty_searches; /* full ones of the lease that found nothing */
	int64_t empty_search_ms; /* the last of these */
	int64_t check_ms; /* to be looked at then without a word, 0 never */
	char last_error[STORE_REASON_MAX];
};

int store_link_find(struct store *s, const char *conversation,
    struct store_link *out, struct err *e);
/* The link whose event this is (the owner's, not a copy's); of several the
 * newest that is not deleted. */
int store_link_by_event(struct store *s, const char *tenant, const char *user,
    const char *event, struct store_link *out, struct err *e);
/* Another link with this event than that of the conversation given, which was
 * seen and is followed (linked, gone or held); of several the newest. */
int store_link_replaced(struct store *s, const char *tenant, const char *user,
    const char *event, const char *conversation, struct store_link *out,
    struct err *e);
/* Inserts or overwrites the whole row. */
int store_link_save(struct store *s, const struct store_link *l, struct err *e);
/* PUT api/links: makes the row, or, when it exists and belongs to the same
 * tenant and user, fills what is still unknown. *other: someone else's. */
int store_link_announce(
    struct store *s, const struct store_link *l, bool *other, struct err *e);
/* Of one mailbox (tenant NULL: all), in no order. */
int store_link_each(struct store *s, const char *tenant, const char *user,
    int (*each)(const struct store_link *l, void *arg), void *arg,
    struct err *e);
/* Of one mailbox, in order, those behind a conversation: a walk goes on. */
int store_link_each_after(struct store *s, const char *tenant, const char *user,
    const char *after, int (*each)(const struct store_link *l, void *arg),
    void *arg, struct err *e);
/* A live event that carries someone else's first event's conversation: a second
 * one of the link's mailbox, or one of another mailbox. */
int store_copy_add(struct store *s, const char *conversation,
    const char *tenant, const char *user, const char *event, struct err *e);
/* 1 when there is a copy in any mailbox, 0, -1. */
int store_copy_exists(struct store *s, const char *conversation, struct err *e);
/* One copy in the link's own mailbox that is no link's event, neither this
 * one's nor by now another one's; 1 found, 0, -1. event: STORE_ID_MAX. */
int store_copy_find(
    struct store *s, const char *conversation, char *event, struct err *e);
/* Whether a mailbox other than the link's has one that is no link's event; 1,
 * 0, -1. */
int
store_copy_elsewhere(struct store *s, const char *conversation, struct err *e);
/* It is no copy any more: it has inherited, or is gone. */
int store_copy_remove(struct store *s, const char *conversation,
    const char *event, struct err *e);
/* The event of this mailbox does not exist: it is no other mailbox's copy. One
 * of a link of its own goes when that has looked at it. */
int store_copy_forget(struct store *s, const char *tenant, const char *user,
    const char *event, struct err *e);

/* ---- audit, Retry-After, keys, leases, runs ---- */

struct store_audit {
	int64_t at_ms;
	const char *tenant, *user, *event, *conversation;
	const char *action; /* "delete", "set-topic", "foreign", ... */
	const char *outcome; /* "done", "refused", "held", ... */
	const char *detail; /* never a topic */
};
int
store_audit_add(struct store *s, const struct store_audit *a, struct err *e);
int store_audit_each(struct store *s, int64_t since_ms,
    int (*each)(const struct store_audit *a, void *arg), void *arg,
    struct err *e);
/* A scope ("graph:{tenant}", "graph:{tenant}/{user}", "unblu") must not be
 * called before until_ms; only ever raised, but for one so far behind it that a
 * clock which ran ahead has written it. */
enum { STORE_THROTTLE_MAX_MS = 24 * 60 * 60 * 1000 };
int store_throttle_set(
    struct store *s, const char *scope, int64_t until_ms, struct err *e);
/* The later one of both scopes, as far as it is not beyond limit_ms; wider may
 * be NULL. 0; *until_ms 0 when nothing is known. */
int store_throttle_get(struct store *s, const char *scope, const char *wider,
    int64_t limit_ms, int64_t *until_ms, struct err *e);
/* Whether another scope that begins with prefix, an ASCII text, holds until
 * between from_ms and to_ms: 1, 0, -1. */
int store_throttle_other(struct store *s, const char *prefix, const char *scope,
    int64_t from_ms, int64_t to_ms, struct err *e);

/* Signing keys of Entra, replaced as one set (JSON array text of
 * {"kid","n","e","issuer"}). fetched_ms 0 when there are none yet. */
int store_keys_save(
    struct store *s, const char *json, int64_t now_ms, struct err *e);
/* 0; *json is yours, NULL when none. */
int store_keys_load(
    struct store *s, char **json, int64_t *fetched_ms, struct err *e);

/* Named lease: 1 taken or renewed, 0 held by another until *held_until_ms. One
 * that would last longer than anybody takes it for is nobody's: a clock which
 * ran ahead has written it. */
enum { STORE_LEASE_MAX_MS = 60 * 60 * 1000 };
int store_lease_take(struct store *s, const char *name, const char *owner,
    int64_t now_ms, int64_t until_ms, int64_t *held_until_ms, struct err *e);
int store_lease_release(
    struct store *s, const char *name, const char *owner, struct err *e);

/* Small named facts: "sync-heartbeat", "renew-last-success", "pause:{tenant}",
 * "degraded:{reason}". */
int store_fact_set(struct store *s, const char *name, const char *text,
    int64_t at_ms, struct err *e);
/* 1 found, 0 not, -1; text and at_ms may be NULL. */
int store_fact_get(struct store *s, const char *name, char *text, size_t cap,
    int64_t *at_ms, struct err *e);
int store_fact_remove(struct store *s, const char *name, struct err *e);
/* Facts whose name starts with prefix. */
int store_fact_each(struct store *s, const char *prefix,
    int (*each)(const char *name, const char *text, int64_t at_ms, void *arg),
    void *arg, struct err *e);

#endif
