/* port/store_replica.h - part of port/store.h: several syncs that share the
 * work of one store. Errors and times as there. */
#ifndef PORT_STORE_REPLICA_H
#define PORT_STORE_REPLICA_H

#include "port/store.h"

/* Whether database can be meant at all, without looking there: ERR_CONFIG. */
int store_check_database(const char *database, struct err *e);
/* For a process that is about to give up the rest: calls each() with every file
 * and folder outside of the store itself that it will read when it opens the
 * database (again), after it has read what is read but once. each() returns 0
 * to go on; the verb what each() has returned. */
int store_prepare(
    const char *database, int (*each)(const char *path, void *arg), void *arg);
/* Several hosts may use it at once (PostgreSQL). */
bool store_database_is_shared(const char *database);

/* Both with store_work_add() in a transaction of their own, as cheaply as the
 * database can: on PostgreSQL it is one statement, which waits for no other
 * writer, and what is due now becomes a row together with what came before
 * it. */
int store_work_append(struct store *s, const struct store_hint_item *later,
    size_t later_count, int64_t delay_ms, const struct store_hint_item *now,
    size_t now_count, int64_t now_ms, struct err *e);

/*
 * A sync that shares the store with others (store_database_is_shared()) has a
 * row there with a number that no other ever gets, its fence, and a time until
 * which it counts as alive, by the database's own clock. Rows that it claims
 * carry the number. Whoever finds that a time has passed removes the replica
 * and puts its rows back; from then on every transaction of a handle that has
 * joined fails with ERR_GONE, and nothing of it stands, until it joins again.
 * A replica therefore acts on what it has claimed only as long as its lease
 * can not have passed by its own (monotonic) clock.
 */
enum {
	STORE_REPLICA_LIFE_MS = 30000,
	STORE_REPLICA_BEAT_MS = 10000, /* how often it is renewed */
	STORE_REPLICA_MARGIN_MS = 1000 /* it ends so much earlier for us */
};

/* Takes a number. Rows of no living replica are queued again, those of an
 * earlier one of this name too; crashed: as suspects (store_work_recover_
 * crashed()). *count (may be NULL) is added to. */
int store_replica_join(struct store *s, const char *name, bool crashed,
    int64_t *count, struct err *e);
/* Renews the lease, and puts back what dead ones had claimed; *count as above.
 * ERR_GONE: it has passed to others. */
int store_replica_beat(struct store *s, int64_t *count, struct err *e);
/* Gives what it had claimed back; it counts as dead. */
int store_replica_leave(struct store *s, struct err *e);
/* Our number, 0: none; and again for a handle that was opened anew. */
int64_t store_replica_fence(const struct store *s);
void store_replica_resume(struct store *s, int64_t fence);
/* Whether it is that for which a transaction has failed. */
bool store_replica_is_lost(const struct store *s);
/* How many are alive. */
int store_replica_count(struct store *s, int64_t *out, struct err *e);

/* Whether something is due, whoever has added it: one indexed read, 1, 0, -1.
 */
int store_work_is_due(struct store *s, int64_t now_ms, struct err *e);

#endif
