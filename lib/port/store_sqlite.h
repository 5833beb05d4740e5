/* port/store_sqlite.h - what the files of the SQLite driver share: the
 * connection, its files and its lock. */
#ifndef PORT_STORE_SQLITE_H
#define PORT_STORE_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "port/store_driver.h"

/* Which file a path stands for at present. */
struct store_sqlite_identity {
	dev_t device;
	ino_t inode;
};

/* The lock file next to the database. It outlives it. */
struct store_sqlite_lock {
	const char *path; /* of the database, borrowed */
	int fd; /* -1: none (read-only) */
	int wait_ms;
	int depth;
};

/*
 * Refuses network file systems and a folder that is not there; with create,
 * makes an empty file (0600, folder fsync'ed) where there is none. ERR_GONE
 * when there is none and create is not set.
 */
int store_sqlite_file_prepare(const char *path, bool create, struct err *e);
/* What root makes, or has made, in another user's folder becomes that user's:
 * root's cron job must not lock the servers out. */
void store_sqlite_file_give(int fd, const char *folder);
/* 0600 for the database and what lies beside it, as far as we may. */
void store_sqlite_file_protect(const char *path);
/* -1 when nothing is there. */
int
store_sqlite_file_identify(const char *path, struct store_sqlite_identity *out);
/* Size of path with suffix, 0 when it is not there. */
int64_t store_sqlite_file_size(const char *path, const char *suffix);
/* path with suffix. Yours. */
char *store_sqlite_file_beside(const char *path, const char *suffix);
/* The folder that path lies in. Yours. */
char *store_sqlite_folder(const char *path);
/* fsync of a file, or of the folder that path lies in. */
int store_sqlite_file_sync(const char *path, struct err *e);
int store_sqlite_folder_sync(const char *path, struct err *e);

/* Opens, or makes, path with suffix as a lock file; root's goes to the owner
 * of the folder. The descriptor is yours. */
int store_sqlite_lock_file(const char *path, const char *suffix, struct err *e);
/* The same for "path.lock". */
int store_sqlite_lock_open(
    struct store_sqlite_lock *l, const char *path, int wait_ms, struct err *e);
/* Nests. Finds a lock file that was replaced meanwhile. */
int store_sqlite_lock_take(struct store_sqlite_lock *l, struct err *e);
void store_sqlite_lock_drop(struct store_sqlite_lock *l);
void store_sqlite_lock_close(struct store_sqlite_lock *l);

/*
 * The suspicion mark, a byte in the lock file that all processes see: a write
 * or fsync has failed, so the WAL in the page cache may not be the one on the
 * disk ("fsyncgate"). It is taken away by whoever has emptied the WAL. A power
 * cut loses it together with the page cache.
 */
void store_sqlite_lock_suspect(struct store_sqlite_lock *l, bool suspect);
bool store_sqlite_lock_is_suspect(const struct store_sqlite_lock *l);

enum {
	STORE_SQLITE_SLOTS =
	    256, /* a power of two, above our number of texts */
	STORE_SQLITE_BUSY_MS = 250,
	/* somebody reads a long WAL anew, behind a crash */
	STORE_SQLITE_OPENING_BUSY_MS = 5000
};

/* A prepared statement, in its slot. */
struct store_cursor {
	const char *sql; /* NULL: the slot is free */
	sqlite3_stmt *stmt;
	struct store_conn *conn;
	int param_count;
	/* Which of our parameters SQLite's i-th is. */
	unsigned char param[STORE_PARAMS_MAX];
};

struct store_conn {
	sqlite3 *db; /* NULL: failed, to be opened again */
	char *path;
	unsigned flags;
	struct store_sqlite_lock lock;
	struct store_sqlite_identity identity;
	bool dead; /* an I/O error: nothing seen by db can be trusted */
	bool writing; /* inside begin .. commit */
	int64_t change_count, seen_version;
	struct store_cursor cursors[STORE_SQLITE_SLOTS];
};

/* Fills *e from SQLite's rc, and marks the connection dead and the WAL suspect
 * where the failure means that. Always -1. */
int store_sqlite_fail(
    struct store_conn *c, int rc, const char *what, struct err *e);

/* One statement that nobody repeats. The first column of its first row goes to
 * out (may be NULL). */
int store_sqlite_exec(struct store_conn *c, const char *sql, char *out,
    size_t cap, struct err *e);

/* Under the lock: a connection that can be relied on, to the file that is at
 * path now. */
int store_sqlite_revive(struct store_conn *c, struct err *e);
/* The same for a reader, who locks only when there is something to do. */
int store_sqlite_alive(struct store_conn *c, struct err *e);

/* The number in the first row of a cached statement without parameters. */
int store_sqlite_ask(
    struct store_conn *c, const char *sql, int64_t *out, struct err *e);

/* The functions of struct store_driver that are not in store_sqlite.c. */
struct store_conn *store_sqlite_open(
    const char *location, unsigned flags, int lock_wait_ms, struct err *e);
int store_sqlite_set_up(struct store_conn *c, struct err *e);
void store_sqlite_opened(struct store_conn *c);
void store_sqlite_close(struct store_conn *c);
int64_t store_sqlite_data_version(struct store_conn *c);
int store_sqlite_checkpoint(struct store_conn *c, struct err *e);
/* Under the lock, after a commit: nobody checkpoints while sync is not there,
 * so whoever has made the WAL that long does. */
void store_sqlite_bound_wal(struct store_conn *c);
int store_sqlite_compact(struct store_conn *c, int64_t *freed, struct err *e);
int store_sqlite_check(struct store_conn *c, struct err *e);
int store_sqlite_backup(struct store_conn *c, const char *path, struct err *e);
int store_sqlite_move_aside(const char *path, int64_t now_ms, struct err *e);

#endif
