/* port/store_sqlite_conn.c - the SQLite driver: opening, errors, and what
 * happens after an I/O error. docs/store.md tells the discipline. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "port/store.h"
#include "port/store_sqlite.h"

/* ---- errors ---- */

static bool
store_sqlite_no_space(int errnum)
{
	return errnum == ENOSPC || errnum == EDQUOT || errnum == EROFS;
}

static enum err_code
store_sqlite_code(int rc, int errnum)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
	case SQLITE_READONLY:
		return ERR_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table that should be there is not */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return ERR_INPUT;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return errnum == EACCES || errnum == EPERM ||
			store_sqlite_no_space(errnum)
		    ? ERR_FULL
		    : ERR_RETRY;
	case SQLITE_IOERR:
		return store_sqlite_no_space(errnum) ? ERR_FULL : ERR_RETRY;
	default:
		return ERR_RETRY;
	}
}

int
store_sqlite_fail(struct store_conn *c, int rc, const char *what, struct err *e)
{
	int errnum = c->db != NULL ? sqlite3_system_errno(c->db) : 0;
	const char *text =
	    c->db != NULL ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);

	err_set(e, store_sqlite_code(rc, errnum), "store: %s: %s (SQLite %d)",
	    what, text, rc);
	if ((rc & 0xff) == SQLITE_IOERR || rc == SQLITE_READONLY_DBMOVED)
		c->dead = true;
	if (rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_FSYNC ||
	    rc == SQLITE_IOERR_DIR_FSYNC || rc == SQLITE_IOERR_TRUNCATE)
		store_sqlite_lock_suspect(&c->lock, true);
	return -1;
}

/* ---- connection ---- */

static void
store_sqlite_disconnect(struct store_conn *c)
{
	for (int i = 0; i < STORE_SQLITE_SLOTS; i++) {
		sqlite3_finalize(c->cursors[i].stmt);
		c->cursors[i] = (struct store_cursor){0};
	}
	sqlite3_close(c->db);
	c->db = NULL;
	c->writing = false;
}

int
store_sqlite_exec(
    struct store_conn *c, const char *sql, char *out, size_t cap, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(c->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW && out != NULL) {
		const unsigned char *text = sqlite3_column_text(stmt, 0);

		snprintf(
		    out, cap, "%s", text != NULL ? (const char *)text : "");
	}
	while (rc == SQLITE_ROW)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		store_sqlite_fail(c, rc, sql, e);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int
store_sqlite_connect(struct store_conn *c, struct err *e)
{
	bool read_only = (c->flags & STORE_READ_ONLY) != 0;
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
	    (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int rc;

	if (store_sqlite_file_prepare(
		c->path, !read_only && (c->flags & STORE_CREATE), e) != 0)
		return -1;
	if (!read_only)
		store_sqlite_file_protect(c->path);
	rc = sqlite3_open_v2(c->path, &c->db, flags, NULL);
	if (rc != SQLITE_OK) {
		store_sqlite_fail(c, rc, "open", e);
		store_sqlite_disconnect(c);
		return -1;
	}
	sqlite3_busy_timeout(c->db, STORE_SQLITE_BUSY_MS);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_wal_autocheckpoint(c->db, 0);
	if (store_sqlite_file_identify(c->path, &c->identity) != 0)
		return err_set(e, ERR_RETRY, "%s has just gone", c->path);
	if (!read_only && sqlite3_db_readonly(c->db, "main") == 1)
		return err_set(
		    e, ERR_FULL, "%s can not be written to", c->path);
	c->seen_version = -1;
	c->change_count++;
	return 0;
}

/* A pragma whose answer has to be want. */
static int
store_sqlite_assert(
    struct store_conn *c, const char *sql, const char *want, struct err *e)
{
	char got[32] = "";

	if (store_sqlite_exec(c, sql, got, sizeof(got), e) != 0)
		return -1;
	if (strcmp(got, want) != 0)
		return err_set(e, ERR_RETRY,
		    "store: %s answers \"%s\", not \"%s\"", sql, got, want);
	return 0;
}

/* So that free pages can be given back in steps; only a file without any page
 * can be told so. */
static int
store_sqlite_make_compactable(struct store_conn *c, struct err *e)
{
	static const char sql[] = "PRAGMA page_count";
	int64_t pages = 0;

	if (store_sqlite_ask(c, sql, &pages, e) != 0)
		return -1;
	return pages != 0 ? 0
			  : store_sqlite_exec(c,
				"PRAGMA auto_vacuum = INCREMENTAL", NULL, 0, e);
}

int
store_sqlite_set_up(struct store_conn *c, struct err *e)
{
	if (store_sqlite_exec(c, "PRAGMA mmap_size = 0", NULL, 0, e) != 0 ||
	    store_sqlite_exec(c, "PRAGMA temp_store = MEMORY", NULL, 0, e) !=
		0 ||
	    store_sqlite_exec(c, "PRAGMA cell_size_check = ON", NULL, 0, e) !=
		0)
		return -1;
	if ((c->flags & STORE_LEAN) != 0 &&
	    store_sqlite_exec(c, "PRAGMA cache_size = -512", NULL, 0, e) != 0)
		return -1;
	if (c->flags & STORE_READ_ONLY)
		return 0;
	if (store_sqlite_make_compactable(c, e) != 0 ||
	    store_sqlite_assert(c, "PRAGMA journal_mode = WAL", "wal", e) !=
		0 ||
	    store_sqlite_exec(c, "PRAGMA synchronous = FULL", NULL, 0, e) != 0)
		return -1;
	return store_sqlite_assert(c, "PRAGMA synchronous", "2", e);
}

/* Moves everything into the database, fsync'ed, and starts the WAL anew: all
 * that other processes were told is then on the disk, whatever became of the
 * pages that an fsync has failed on. */
static int
store_sqlite_empty_wal(struct store_conn *c, struct err *e)
{
	int rc = sqlite3_wal_checkpoint_v2(
	    c->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	if (rc != SQLITE_OK)
		return store_sqlite_fail(c, rc, "empty the WAL", e);
	return 0;
}

int
store_sqlite_revive(struct store_conn *c, struct err *e)
{
	struct store_sqlite_identity now;
	bool suspect = store_sqlite_lock_is_suspect(&c->lock);
	bool moved = store_sqlite_file_identify(c->path, &now) != 0 ||
	    now.device != c->identity.device || now.inode != c->identity.inode;

	if (c->db != NULL && !c->dead && !suspect && !moved)
		return 0;
	store_sqlite_disconnect(c);
	if (store_sqlite_connect(c, e) != 0 || store_sqlite_set_up(c, e) != 0)
		goto fail;
	if ((suspect || c->dead) && !(c->flags & STORE_READ_ONLY)) {
		if (store_sqlite_empty_wal(c, e) != 0)
			goto fail;
		store_sqlite_lock_suspect(&c->lock, false);
	}
	c->dead = false;
	return 0;
fail:
	store_sqlite_disconnect(c);
	return err_wrap(e, "store: open again");
}

int
store_sqlite_alive(struct store_conn *c, struct err *e)
{
	struct store_sqlite_identity now;
	int rc;

	if (c->writing)
		return 0;
	if (c->db != NULL && !c->dead &&
	    store_sqlite_file_identify(c->path, &now) == 0 &&
	    now.device == c->identity.device && now.inode == c->identity.inode)
		return 0;
	if (store_sqlite_lock_take(&c->lock, e) != 0)
		return -1;
	rc = store_sqlite_revive(c, e);
	store_sqlite_lock_drop(&c->lock);
	return rc;
}

void
store_sqlite_close(struct store_conn *c)
{
	struct err ignored = {0};

	if (c == NULL)
		return;
	/* Under the lock as well; but one that can not be had does not keep
	 * us from ending. */
	if (c->lock.depth == 0)
		(void)store_sqlite_lock_take(&c->lock, &ignored);
	store_sqlite_disconnect(c);
	store_sqlite_lock_close(&c->lock);
	free(c->path);
	free(c);
}

struct store_conn *
store_sqlite_open(
    const char *location, unsigned flags, int lock_wait_ms, struct err *e)
{
	struct store_conn *c = mem_zalloc(sizeof(*c));
	struct err look = {0};

	c->path = mem_strdup(location);
	c->flags = flags;
	c->lock.fd = -1;
	if (location[0] == '\0') {
		err_set(e, ERR_CONFIG, "the database has no path");
		goto fail;
	}
	/* No lock file beside what can not be a store, or is not there. */
	if (store_sqlite_file_prepare(location, false, &look) != 0 &&
	    !(look.code == ERR_GONE && (flags & STORE_CREATE))) {
		err_set(e, look.code, "%s", look.text);
		goto fail;
	}
	if (!(flags & STORE_READ_ONLY) &&
	    (store_sqlite_lock_open(&c->lock, c->path, lock_wait_ms, e) != 0 ||
		store_sqlite_lock_take(&c->lock, e) != 0))
		goto fail;
	if (store_sqlite_connect(c, e) != 0)
		goto fail;
	if (lock_wait_ms < 0 || lock_wait_ms > STORE_SQLITE_OPENING_BUSY_MS)
		lock_wait_ms = STORE_SQLITE_OPENING_BUSY_MS;
	if (lock_wait_ms > STORE_SQLITE_BUSY_MS)
		sqlite3_busy_timeout(c->db, lock_wait_ms);
	return c;
fail:
	store_sqlite_close(c);
	return NULL;
}

void
store_sqlite_opened(struct store_conn *c)
{
	sqlite3_busy_timeout(c->db, STORE_SQLITE_BUSY_MS);
	store_sqlite_lock_drop(&c->lock);
}
