/* port/store_driver.h - what a database has to offer to the store. Only the
 * files store*.c include it. */
#ifndef PORT_STORE_DRIVER_H
#define PORT_STORE_DRIVER_H

/*
 * SQL text is written once, for SQLite 3.40 and PostgreSQL 15: parameters $1
 * to $n, upserts with ON CONFLICT, RETURNING, CASE instead of min(a, b). A
 * text must be a static string: its address is the key of the cache of
 * prepared statements. "INTEGER PRIMARY KEY" in a migration stands for a
 * number that the database gives out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "port/store_beside.h"

enum { STORE_PARAMS_MAX = 32 };

enum store_value_type { STORE_VALUE_INT, STORE_VALUE_TEXT };

/* One parameter. text is borrowed until the statement has ended. */
struct store_value {
	enum store_value_type type;
	int64_t num;
	const char *text;
};

#define STORE_INT(n) ((struct store_value){STORE_VALUE_INT, (int64_t)(n), NULL})
#define STORE_TEXT(t) ((struct store_value){STORE_VALUE_TEXT, 0, (t)})

struct store_conn; /* a connection, the driver's own */
struct store_cursor; /* a statement that is running */

/* Notifications that are appended at once, see store_work_append(). */
struct store_append {
	const struct store_hint_item *items;
	size_t count;
	int64_t due_ms;
};

/* Errors as in store.h. */
struct store_driver {
	const char *scheme; /* what "database" starts with */
	const char *other_scheme; /* NULL: none */
	/* Processes of several hosts may use it at once: leases are rows. */
	bool shared;

	/* Calls each() with what a process reads whenever it opens the database
	 * again; before that it reads what is read only once. NULL: nothing. */
	int (*prepare)(const char *location,
	    int (*each)(const char *path, void *arg), void *arg);

	/* Whether location can be meant at all: ERR_CONFIG. NULL: any can. */
	int (*check_location)(const char *location, struct err *e);

	/* Opens, with the store's lock held (nothing is locked with
	 * STORE_READ_ONLY) and without changing what is there. */
	struct store_conn *(*open)(const char *location, unsigned flags,
	    int lock_wait_ms, struct err *e);
	/* Brings an opened store of a version that we know into working order.
	 */
	int (*set_up)(struct store_conn *c, struct err *e);
	/* Ends what open() has begun. */
	void (*opened)(struct store_conn *c);
	void (*close)(struct store_conn *c); /* NULL is allowed */

	/* The version set by set_version(), 0 when there is no table yet. */
	int (*version)(struct store_conn *c, int64_t *out, struct err *e);
	int (*set_version)(struct store_conn *c, int version, struct err *e);
	/* Several statements without parameters, inside a transaction. */
	int (*script)(struct store_conn *c, const char *sql, struct err *e);

	/* A writing transaction that keeps all other writers out but
	 * append(), with beside only those that are not beside as well; after a
	 * failed commit nothing of it stands. With a fence that is no replica's
	 * number any more: ERR_GONE. */
	int (*begin)(
	    struct store_conn *c, int64_t fence, bool beside, struct err *e);
	/* In a transaction that is beside others, before anything else: keeps
	 * them out of these mailboxes' lanes and off these conversations. NULL:
	 * there are none beside each other. */
	int (*hold)(struct store_conn *c, const struct store_party *parties,
	    size_t count, struct err *e);
	int (*commit)(struct store_conn *c, struct err *e);
	void (*rollback)(struct store_conn *c);

	/* A statement with its parameters bound; NULL on failure. At most one
	 * cursor of the same text at a time. */
	struct store_cursor *(*query)(struct store_conn *c, const char *sql,
	    const struct store_value *params, size_t count, struct err *e);
	/* 1: a row is there, 0: no more, -1. */
	int (*step)(struct store_cursor *cur, struct err *e);
	int64_t (*number)(struct store_cursor *cur, int column);
	/* Never NULL; borrowed until the next step. */
	const char *(*text)(struct store_cursor *cur, int column);
	void (*finish)(struct store_cursor *cur);
	/* Rows changed by the statement that has just been stepped to its end.
	 */
	int64_t (*changes)(struct store_conn *c);

	/* All of it durable in one statement, in a transaction of its own that
	 * waits for nobody. NULL: there is nothing better than begin(). */
	int (*append)(struct store_conn *c, const struct store_append *parts,
	    size_t count, int64_t now_ms, struct err *e);

	/* With shared: the database's clock, Unix ms. */
	int (*now)(struct store_conn *c, int64_t *out, struct err *e);

	int64_t (*data_version)(struct store_conn *c);
	int (*checkpoint)(struct store_conn *c, struct err *e);
	/* One bounded step of giving free room back, outside of a transaction.
	 * Its bytes are added to *freed. 1: call again, 0: enough, -1. */
	int (*compact)(struct store_conn *c, int64_t *freed, struct err *e);
	int (*check)(struct store_conn *c, struct err *e);
	int (*backup)(struct store_conn *c, const char *path, struct err *e);
	/* NULL where a database is no file. */
	int (*move_aside)(const char *location, int64_t now_ms, struct err *e);
	int (*lock_file)(
	    const char *location, const char *suffix, struct err *e);
};

extern const struct store_driver store_sqlite_driver;
extern const struct store_driver store_postgres_driver;

#endif
