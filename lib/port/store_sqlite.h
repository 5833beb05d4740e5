/* port/store_sqlite.h - the SQLite driver's own: its files and its lock. */
#ifndef PORT_STORE_SQLITE_H
#define PORT_STORE_SQLITE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Which file a path stands for at present. */
struct store_sqlite_identity {
	dev_t device;
	ino_t inode;
};

/* The lock file next to the database. It outlives it. */
struct store_sqlite_lock {
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
/* 0600 for the database and what lies beside it, as far as we may. */
void store_sqlite_file_protect(const char *path);
/* -1 when nothing is there. */
int
store_sqlite_file_identify(const char *path, struct store_sqlite_identity *out);
/* Size of path with suffix, 0 when it is not there. */
int64_t store_sqlite_file_size(const char *path, const char *suffix);
/* path with suffix. Yours. */
char *store_sqlite_file_beside(const char *path, const char *suffix);
/* fsync of a file, or of the folder that path lies in. */
int store_sqlite_file_sync(const char *path, struct err *e);
int store_sqlite_folder_sync(const char *path, struct err *e);

/* Opens "path.lock"; made by root it goes to the owner of the database. */
int store_sqlite_lock_open(
    struct store_sqlite_lock *l, const char *path, int wait_ms, struct err *e);
/* Nests. */
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

/* store_driver.move_aside */
int store_sqlite_move_aside(const char *path, int64_t now_ms, struct err *e);

#endif
