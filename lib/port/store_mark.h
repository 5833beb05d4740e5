/* port/store_mark.h - what keeps every program out of a store that was moved,
 * or is being filled. Only the files store*.c include it. */
#ifndef PORT_STORE_MARK_H
#define PORT_STORE_MARK_H

/*
 * A mark stands in the place of the version, which every program has always
 * looked at in each of its transactions: one that does not know of marks takes
 * it for that of a newer program, and writes nothing either. The version
 * itself is added to it.
 */

#include "port/store_db.h"
#include "port/store_schema.h"

enum {
	STORE_MARK_MOVED = 1000000 + STORE_SCHEMA_VERSION,
	STORE_MARK_FILLING = 2000000 + STORE_SCHEMA_VERSION,
	STORE_MARK_FIRST = 1000000,
	STORE_MARK_FIRST_FILLING = 2000000
};

/* The one row that both stores of a move have. */
struct store_moved {
	char id[STORE_GUID]; /* of the move's source, the same in both */
	char peer[STORE_TEXT_MAX]; /* the other store's URL */
	int64_t at_ms; /* when the source was closed, 0: not yet */
};
int store_moved_get(struct store *s, struct store_moved *out, struct err *e);
int
store_moved_set(struct store *s, const struct store_moved *m, struct err *e);

/* 0 for a version that is no mark; else ERR_CONFIG, and what is to be done. */
int store_mark_admit(struct store *s, int64_t version, struct err *e);

/* As store_open(), for the mover: it works with a store of our version or with
 * this mark, and with STORE_CREATE a new store gets the mark. Without it a
 * database in which there is no store yet is opened all the same. */
struct store *store_open_marked(const char *database, unsigned flags,
    int lock_wait_ms, int64_t now_ms, int mark, struct err *e);

#endif
