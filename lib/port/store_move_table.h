/* port/store_move_table.h - what the files of store_move.h share: the tables,
 * one side of one of them, and making the other side equal. */
#ifndef PORT_STORE_MOVE_TABLE_H
#define PORT_STORE_MOVE_TABLE_H

#include "base/buf.h"
#include "port/store_db.h"
#include "port/store_mark.h"
#include "port/store_move.h"

enum {
	STORE_MOVE_COLUMNS = 40,
	STORE_MOVE_KEYS = 6,
	STORE_MOVE_PAGE = 256 /* rows read at a time */
};

struct store_move_column {
	char name[STORE_MOVE_NAME];
	bool number;
};

/* Texts of SQL live as long as this: longer than what is open. */
struct store_move_table {
	char name[STORE_MOVE_NAME];
	struct store_move_column columns[STORE_MOVE_COLUMNS];
	size_t column_count;
	size_t keys[STORE_MOVE_KEYS]; /* columns, in the key's order */
	size_t key_count;
	bool gives_out_ids;
	char *first_sql, *next_sql; /* a page, behind a key */
	char *count_sql;
	char *put_sql, *drop_sql; /* rows as a JSON array; PostgreSQL */
	char *settle_sql; /* its ids go on behind those that are there */
};

struct store_move_tables {
	struct store_move_table items[STORE_MOVE_TABLES];
	size_t count;
};

/* Those of the store (SQLite), by its own word, so that none is forgotten. */
int store_move_tables_read(
    struct store *s, struct store_move_tables *out, struct err *e);
void store_move_tables_clear(struct store_move_tables *t);

/* A table's rows, one side, in the order of the key. Every value is a text:
 * numbers read the same on both. */
struct store_move_side {
	struct store *s;
	const struct store_move_table *table;
	struct buf rows, older; /* the page, and what the last key stands in */
	size_t at[STORE_MOVE_PAGE][STORE_MOVE_COLUMNS]; /* in rows */
	size_t end[STORE_MOVE_PAGE]; /* of a row */
	size_t count, next;
	bool begun, ended;
	int64_t passed;
	char digest[65];
};
void store_move_side_init(struct store_move_side *side);
void store_move_side_clear(struct store_move_side *side);
void store_move_side_begin(struct store_move_side *side, struct store *s,
    const struct store_move_table *table);
/* 1: there is a row, 0: none is left, -1. */
int store_move_side_look(struct store_move_side *side, struct err *e);
/* Of the row that is there; borrowed until it is passed. */
const char *
store_move_side_value(const struct store_move_side *side, size_t column);
/* Goes on behind it; it counts in passed and digest. */
void store_move_side_pass(struct store_move_side *side);
/* Of the rows that are there: <0, 0, >0 as strcmp(). */
int store_move_side_compare(
    const struct store_move_side *a, const struct store_move_side *b);
/* Whether rows of one key are the same in all. */
bool store_move_side_equals(
    const struct store_move_side *a, const struct store_move_side *b);

/* Two stores, and what is to be written to the second. */
struct store_move_job {
	const struct store_move *order;
	struct store *from, *to;
	struct store_move_side left, right;
	struct buf puts, drops;
	size_t put_count, drop_count;
	struct store_move_progress progress;
};
void store_move_job_init(struct store_move_job *job);
void store_move_job_clear(struct store_move_job *job);
/* Makes the second's table equal to the first's. sum is about what was read of
 * the first; *differed (added to): how many rows were not equal. ERR_INPUT
 * when none was, but the digests differ. */
int store_move_table_copy(struct store_move_job *job,
    const struct store_move_table *table, struct store_move_sum *sum,
    int64_t *differed, struct err *e);

/* One call of store_move(). */
struct store_move_run {
	const struct store_move *order;
	struct store_move_result *out;
	struct store_move_job job;
	struct store_move_tables tables;
	struct store_moved moved;
	int lock_fd; /* one at a time */
	bool closed; /* the old store is */
};

/* Takes the mover's lock and opens both, if they are what is meant. */
int store_move_open(struct store_move_run *r, struct err *e);

#endif
