/* port/store_postgres.h - what the files of the PostgreSQL driver share. */
#ifndef PORT_STORE_POSTGRES_H
#define PORT_STORE_POSTGRES_H

/*
 * Works through pgbouncer in transaction mode: no named prepared statement, no
 * setting or lock that outlives a transaction, nothing listened to. Every
 * statement has an end: a server that does not answer costs its connection,
 * and the next verb makes a new one.
 */

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "port/store.h"
#include "port/store_driver.h"

enum {
	STORE_POSTGRES_STATEMENT_MS = 8000, /* the longest of one statement */
	STORE_POSTGRES_SCRIPT_MS = 10 * 60 * 1000, /* of a migration's step */
	STORE_POSTGRES_LOCK_MS = 5000, /* for the others' transactions */
	STORE_POSTGRES_AGAIN_MS = 500 /* between two attempts to connect */
};

struct store_conn {
	PGconn *db; /* NULL: not connected */
	char *location;
	unsigned flags;
	int lock_wait_ms;
	/* From begin to commit or rollback, whatever becomes of the connection:
	 * what is asked in one that was lost fails. */
	bool in_transaction;
	bool set_up; /* the table of the version is known to be there */
	int64_t version; /* as the transaction found it, -1: not asked */
	int64_t changes; /* rows, of the last statement */
	int64_t failed_ms; /* monotonic, of the last attempt to connect, or 0 */
	struct err refusal; /* what came of it */
	int64_t change_count; /* see data_version() */
};

/* Makes a connection where there is none. */
int store_postgres_connect(struct store_conn *c, struct err *e);
/* Its state is not known any more, or the server is not one to write to. A
 * transaction stays open, in which nothing works. */
void store_postgres_drop(struct store_conn *c);

/* Sends a statement (without params: several of them) and waits for its last
 * result, which is the caller's to PQclear(). NULL with *e on any failure. */
PGresult *store_postgres_ask(struct store_conn *c, const char *sql,
    const struct store_value *params, size_t count, int64_t wait_ms,
    struct err *e);

/* Of store_driver.h. */
int store_postgres_hold(struct store_conn *c, const struct store_party *parties,
    size_t count, struct err *e);

/* The text of an array, element by element behind its "{". */
enum { STORE_POSTGRES_ARRAY_MAX = 8 * 1024 * 1024 };
void store_postgres_add_text(struct buf *b, const char *text);

int
store_postgres_append(struct store_conn *c, const struct store_append *parts,
    size_t count, int64_t now_ms, struct err *e);

/* ---- "//user@host:port/name?sslmode=..." ---- */

int store_postgres_prepare(
    const char *location, int (*each)(const char *path, void *arg), void *arg);
int store_postgres_check_location(const char *location, struct err *e);
/* The connection's keywords and values, with what we add to them. */
enum { STORE_POSTGRES_KEYWORDS = 64 };
struct store_postgres_options {
	size_t count;
	const char *keyword[STORE_POSTGRES_KEYWORDS]; /* NULL at the end */
	const char *value[STORE_POSTGRES_KEYWORDS];
	PQconninfoOption *parsed;
	struct secret *password; /* NULL: none was given */
};
int store_postgres_options_read(const char *location, unsigned flags,
    struct store_postgres_options *out, struct err *e);
void store_postgres_options_clear(struct store_postgres_options *o);

#endif
