/* port/store_sqlite_upkeep.c - the SQLite driver: checkpoint, check, backup. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/store.h"
#include "port/store_sqlite.h"

enum {
	STORE_SQLITE_CHECKPOINT_BUSY_MS = 50,
	STORE_SQLITE_WAL_MAX = 16 * 1024 * 1024,
	STORE_SQLITE_WAL_BOUND = 64 * 1024 * 1024,
	/* Whoever opens the store without sync running reads all of it. */
	STORE_SQLITE_WAL_LEAN = 8 * 1024 * 1024
};

int64_t
store_sqlite_data_version(struct store_conn *c)
{
	static const char sql[] = "PRAGMA data_version";
	struct err ignored = {0};
	int64_t version = -1;

	if (store_sqlite_alive(c, &ignored) != 0 ||
	    store_sqlite_ask(c, sql, &version, &ignored) != 0)
		version = -1;
	/* A new connection counts from anywhere, so we count changes. */
	if (version == -1 || version != c->seen_version)
		c->change_count++;
	c->seen_version = version;
	return c->change_count;
}

static int
store_sqlite_checkpoint_locked(struct store_conn *c, struct err *e)
{
	int mode = SQLITE_CHECKPOINT_PASSIVE;
	int rc;

	if (store_sqlite_revive(c, e) != 0)
		return -1;
	if (store_sqlite_file_size(c->path, "-wal") > STORE_SQLITE_WAL_MAX)
		mode = SQLITE_CHECKPOINT_TRUNCATE;
	sqlite3_busy_timeout(c->db, STORE_SQLITE_CHECKPOINT_BUSY_MS);
	rc = sqlite3_wal_checkpoint_v2(c->db, "main", mode, NULL, NULL);
	sqlite3_busy_timeout(c->db, STORE_SQLITE_BUSY_MS);
	/* A reader in the way: all it allowed is done, the rest next time. */
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		return store_sqlite_fail(c, rc, "checkpoint", e);
	return 0;
}

int
store_sqlite_checkpoint(struct store_conn *c, struct err *e)
{
	int rc;

	if (store_sqlite_lock_take(&c->lock, e) != 0)
		return -1;
	rc = store_sqlite_checkpoint_locked(c, e);
	store_sqlite_lock_drop(&c->lock);
	return rc;
}

void
store_sqlite_bound_wal(struct store_conn *c)
{
	int64_t bound = (c->flags & STORE_LEAN) != 0 ? STORE_SQLITE_WAL_LEAN
						     : STORE_SQLITE_WAL_BOUND;
	struct err ignored = {0};
	int rc;

	if (store_sqlite_file_size(c->path, "-wal") < bound)
		return;
	/* With a reader in the way, at the next commit: no waiting here. */
	sqlite3_busy_timeout(c->db, 0);
	rc = sqlite3_wal_checkpoint_v2(
	    c->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(c->db, STORE_SQLITE_BUSY_MS);
	/* The commit itself stands; this marks what has to be opened anew. */
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		store_sqlite_fail(c, rc, "checkpoint", &ignored);
}

int
store_sqlite_check(struct store_conn *c, struct err *e)
{
	char text[ERR_TEXT_MAX] = "";

	if (store_sqlite_alive(c, e) != 0 ||
	    store_sqlite_exec(
		c, "PRAGMA quick_check(1)", text, sizeof(text), e) != 0)
		return -1;
	if (strcmp(text, "ok") != 0)
		return err_set(
		    e, ERR_INPUT, "store: %s is damaged: %s", c->path, text);
	return 0;
}

/* VACUUM INTO an empty file of ours, so that it is never readable to others. */
static int
store_sqlite_copy(struct store_conn *c, const char *aside, struct err *e)
{
	char *sql;
	int rc;

	if (store_sqlite_file_prepare(aside, true, e) != 0)
		return -1;
	sql = sqlite3_mprintf("VACUUM INTO %Q", aside);
	if (sql == NULL)
		return err_set(e, ERR_RETRY, "store: out of memory");
	rc = store_sqlite_exec(c, sql, NULL, 0, e);
	sqlite3_free(sql);
	return rc == 0 ? store_sqlite_file_sync(aside, e) : -1;
}

int
store_sqlite_backup(struct store_conn *c, const char *path, struct err *e)
{
	char suffix[32];
	char *aside = NULL;
	struct stat st;
	int rc = -1;

	if (lstat(path, &st) == 0)
		return err_set(e, ERR_REFUSED,
		    "%s is there already and is not overwritten", path);
	if (store_sqlite_alive(c, e) != 0)
		return -1;
	snprintf(suffix, sizeof(suffix), ".%ld.part", (long)getpid());
	aside = store_sqlite_file_beside(path, suffix);
	if (store_sqlite_copy(c, aside, e) != 0)
		goto out;
	if (rename(aside, path) != 0) {
		err_set_errno(e, ERR_RETRY, errno, "rename to %s", path);
		goto out;
	}
	rc = store_sqlite_folder_sync(path, e);
out:
	if (rc != 0)
		unlink(aside);
	free(aside);
	return rc;
}
