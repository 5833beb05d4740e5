/* port/store_move.h - part of port/store.h: a store goes to another database
 * while programs work on it. Errors and times as there. */
#ifndef PORT_STORE_MOVE_H
#define PORT_STORE_MOVE_H

#include "port/store.h"

enum { STORE_MOVE_TABLES = 32, STORE_MOVE_NAME = 32 };

enum store_move_phase {
	STORE_MOVE_COPY, /* beside the programs, which go on */
	STORE_MOVE_HELD, /* they wait, what has changed is copied, all compared
			  */
	STORE_MOVE_CLOSED, /* the old store is closed for good */
	STORE_MOVE_DONE /* the new one can be used */
};

struct store_move_progress {
	enum store_move_phase phase;
	const char *table; /* "": all tables are about to be looked at */
	int64_t rows, total; /* of all tables, so far and about */
	int64_t changed; /* of these: written or removed there */
};

/* What was found equal on both sides. */
struct store_move_sum {
	char table[STORE_MOVE_NAME];
	int64_t rows;
	char digest[65]; /* SHA-256 over all rows in the order of their key */
};

struct store_move_result {
	struct store_move_sum sums[STORE_MOVE_TABLES];
	size_t count;
	int64_t rows; /* of all tables */
	int64_t held_ms; /* how long nobody could write */
	bool resumed; /* an earlier one had begun */
	bool was_done; /* it had ended, nothing was left to do */
};

struct store_move {
	const char *from; /* a store of one host: "sqlite:PATH" */
	const char *to; /* of several: a PostgreSQL URL */
	int lock_wait_ms;
	int64_t now_ms;
	bool dry_run;
	/* May be NULL. It calls no verb. */
	void (*progress)(const struct store_move_progress *p, void *arg);
	void *arg;
};

/*
 * Copies every table, key by key, while the programs go on writing, a few times
 * over; then holds the old store as a writer does, copies what has changed
 * since, compares all rows and, if they are equal, closes it in the very same
 * transaction: from then on it refuses every program. Until that moment the
 * new one refuses them, so there is never a time at which both can be written.
 * Killed or failed at any moment it leaves either the old store in use, or
 * both refused: calling it again goes on from there. An interrupted one has
 * lost nothing; what it had copied is compared, not copied again.
 * Dry: both are opened, everything is counted (digests are empty), the new
 * one's tables are made and not kept.
 * ERR_CONFIG: another one was meant: the new store is in use or filled from
 * elsewhere, the old one was moved elsewhere, a kind of database that can not
 * be moved from or to. ERR_RETRY: also when a move is under way, and for a
 * store of an older version. ERR_INPUT: they are not equal, or a text is not
 * UTF-8.
 */
int store_move(
    const struct store_move *m, struct store_move_result *out, struct err *e);

#endif
