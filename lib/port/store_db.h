/* port/store_db.h - the handle, and what all verbs are written with. Only the
 * files store*.c (and their tests) include it. */
#ifndef PORT_STORE_DB_H
#define PORT_STORE_DB_H

#include "port/store.h"
#include "port/store_driver.h"

enum { STORE_LANE_SLOTS = 64, STORE_PAGE_ROWS = 16 };

/* A lane as last seen in this transaction, see store_lane.h. */
struct store_lane {
	int64_t id; /* 0: empty slot */
	int64_t head_ms;
	char tenant[STORE_GUID];
	char user[STORE_GUID];
};

struct store {
	const struct store_driver *driver;
	struct store_conn *conn;
	unsigned flags;
	int64_t opened_ms;
	int mark; /* the mover's, see store_mark.h; 0: none */
	int64_t fence; /* our number as a replica, 0: none */
	bool fence_lost; /* it was no replica's when it was looked at */
	bool in_transaction; /* the caller's, by store_begin() */
	bool beside; /* in one that is beside those of others */
	bool claim_alone; /* the next claim has to be in one that is not */
	bool spoilt; /* a verb or statement in it has failed: only rollback */
	int64_t
	    fold_until; /* the last arrival that goes before a claim, or 0 */
	int64_t folded_ms; /* when all had been folded before a claim */
	bool fold_elsewhere; /* another one was about to fold what is left */
	size_t appended; /* arrivals since the last look at their number */
	struct store_lane lanes[STORE_LANE_SLOTS]; /* empty outside of one */
};

/* Parameters of one statement: STORE_WITH(STORE_INT(1), STORE_TEXT("a")). */
#define STORE_WITH(...)                                                        \
	(const struct store_value[]){__VA_ARGS__},                             \
	    sizeof((const struct store_value[]){__VA_ARGS__}) /                \
	    sizeof(struct store_value)

/*
 * The frame of every writing verb:
 *
 *	int own = store_db_enter(s, e);
 *	int rc = own < 0 ? -1 : do_it(s, ..., e);
 *	return store_db_leave(s, own, rc, e);
 *
 * Takes part in the caller's transaction or makes one. leave commits when rc
 * >= 0, else rolls back; in the caller's transaction a failure spoils it.
 */
int store_db_enter(struct store *s, struct err *e);
int store_db_leave(struct store *s, int own, int rc, struct err *e);

/* Before what concerns more than one mailbox: ERR_REFUSED in a transaction that
 * is beside those of others. */
int store_db_alone(const struct store *s, struct err *e);

/* One statement without rows of interest. Rows changed, or -1. */
int64_t store_db_run(struct store *s, const char *sql,
    const struct store_value *params, size_t count, struct err *e);

/* The first column of the first row. 1, 0 no row, -1. */
int store_db_number(struct store *s, const char *sql,
    const struct store_value *params, size_t count, int64_t *out,
    struct err *e);

/* How the columns of a row and the members of a struct belong together. */
enum store_field_type {
	STORE_FIELD_TEXT, /* char[size] */
	STORE_FIELD_INT64,
	STORE_FIELD_INT, /* int, unsigned or an enum */
	STORE_FIELD_BOOL
};
struct store_field {
	enum store_field_type type;
	size_t offset;
	size_t size;
};
#define STORE_MEMBER(type, tag, member)                                        \
	{                                                                      \
		type, offsetof(struct tag, member),                            \
		    sizeof(((struct tag *)0)->member)                          \
	}

/* Parameters from a struct; they borrow its texts. */
void store_db_bind(const struct store_field *fields, size_t count,
    const void *row, struct store_value *out);

/* The first row into *out, which is untouched without one. 1, 0, -1. */
int
store_db_row(struct store *s, const char *sql, const struct store_value *params,
    size_t count, const struct store_field *fields, size_t field_count,
    void *out, struct err *e);

/*
 * Calls each() for every row, a page of STORE_PAGE_ROWS rows at a time and
 * with no statement open, so that it may call any verb. The statement selects
 * what comes behind the row whose key stands in params, in the order of the
 * key, and has the page size as its last parameter; advance() puts the key of
 * a row into params. each() returns 0 to go on, > 0 to stop, < 0 to fail (it
 * has filled its own error).
 */
struct store_walk {
	const char *sql;
	struct store_value *params; /* the last one is filled by the walk */
	size_t param_count;
	const struct store_field *fields;
	size_t field_count;
	size_t row_size;
	void (*advance)(const void *row, struct store_value *params);
	int (*each)(const void *row, void *arg);
	void *arg;
};
int store_db_walk(struct store *s, const struct store_walk *w, struct err *e);

/* The statement's cursor: the primitive below the functions above. */
struct store_cursor *store_db_query(struct store *s, const char *sql,
    const struct store_value *params, size_t count, struct err *e);
/* Column i of the row to member i, from column first on. */
void store_db_read(struct store *s, struct store_cursor *cur,
    const struct store_field *fields, size_t count, void *out);

/* text cut to what an array of cap bytes holds; NULL counts as "". */
void store_db_copy(char *out, size_t cap, const char *text);

#endif
