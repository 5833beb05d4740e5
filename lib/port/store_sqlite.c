/* port/store_sqlite.c - the SQLite driver: statements and transactions. See
 * store_driver.h for the contract, docs/store.md for the discipline. */
#include "port/store_sqlite.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "port/store_driver.h"
#include "port/store.h"

enum {
	STORE_SQLITE_SLOTS =
	    256, /* a power of two, above our number of texts */
	STORE_SQLITE_BUSY_MS = 250,
	STORE_SQLITE_CHECKPOINT_BUSY_MS = 50,
	STORE_SQLITE_WAL_MAX = 4 * 1024 * 1024
};

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

/* What rc means for the caller, and for the connection. */
static int
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

/* One statement that nobody repeats. The first column of its first row goes
 * to out (may be NULL). */
static int
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

static int
store_sqlite_set_up(struct store_conn *c, struct err *e)
{
	if (store_sqlite_exec(c, "PRAGMA mmap_size = 0", NULL, 0, e) != 0 ||
	    store_sqlite_exec(c, "PRAGMA temp_store = MEMORY", NULL, 0, e) !=
		0 ||
	    store_sqlite_exec(c, "PRAGMA cell_size_check = ON", NULL, 0, e) !=
		0)
		return -1;
	if (c->flags & STORE_READ_ONLY)
		return 0;
	if (store_sqlite_assert(c, "PRAGMA journal_mode = WAL", "wal", e) !=
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

/* Under the lock: a connection that can be relied on, to the file that is at
 * path now. */
static int
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

/* The same for a reader, who locks only when there is something to do. */
static int
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

static void
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

static struct store_conn *
store_sqlite_open(
    const char *location, unsigned flags, int lock_wait_ms, struct err *e)
{
	struct store_conn *c = mem_zalloc(sizeof(*c));

	c->path = mem_strdup(location);
	c->flags = flags;
	c->lock.fd = -1;
	if (location[0] == '\0') {
		err_set(e, ERR_CONFIG, "the database has no path");
		goto fail;
	}
	if (!(flags & STORE_READ_ONLY)) {
		/* No lock file for a store that is not there. */
		if (!(flags & STORE_CREATE) &&
		    store_sqlite_file_prepare(location, false, e) != 0)
			goto fail;
		if (store_sqlite_lock_open(
			&c->lock, location, lock_wait_ms, e) != 0 ||
		    store_sqlite_lock_take(&c->lock, e) != 0)
			goto fail;
	}
	if (store_sqlite_connect(c, e) != 0)
		goto fail;
	return c;
fail:
	store_sqlite_close(c);
	return NULL;
}

static void
store_sqlite_opened(struct store_conn *c)
{
	store_sqlite_lock_drop(&c->lock);
}

static int
store_sqlite_set_version(struct store_conn *c, int version, struct err *e)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
	return store_sqlite_exec(c, sql, NULL, 0, e);
}

static int
store_sqlite_script(struct store_conn *c, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_sqlite_fail(c, rc, "migrate", e);
}

/* ---- statements ---- */

/* "$7" is our parameter 6, whatever place SQLite has given it. */
static int
store_sqlite_map(struct store_cursor *cur, struct err *e)
{
	cur->param_count = sqlite3_bind_parameter_count(cur->stmt);
	for (int i = 0; i < cur->param_count; i++) {
		const char *name =
		    sqlite3_bind_parameter_name(cur->stmt, i + 1);
		int at = name != NULL && name[0] == '$' ? atoi(name + 1) : 0;

		if (i >= STORE_PARAMS_MAX || at < 1 || at > STORE_PARAMS_MAX)
			return err_set(
			    e, ERR_INPUT, "store: bad SQL: %.60s", cur->sql);
		cur->param[i] = (unsigned char)(at - 1);
	}
	return 0;
}

/* The prepared statement of this text. */
static struct store_cursor *
store_sqlite_statement(struct store_conn *c, const char *sql, struct err *e)
{
	uintptr_t at = ((uintptr_t)sql >> 3) * 2654435761u >> 4;
	struct store_cursor *cur;
	int rc;

	for (int probe = 0; probe < STORE_SQLITE_SLOTS; probe++) {
		cur = &c->cursors[(at + (unsigned)probe) % STORE_SQLITE_SLOTS];
		if (cur->sql == sql)
			return cur;
		if (cur->sql == NULL)
			break;
	}
	if (cur->sql != NULL) {
		err_set(e, ERR_INPUT, "store: too many statements");
		return NULL;
	}
	rc = sqlite3_prepare_v3(
	    c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &cur->stmt, NULL);
	if (rc != SQLITE_OK) {
		store_sqlite_fail(c, rc, "prepare", e);
		return NULL;
	}
	cur->sql = sql;
	cur->conn = c;
	if (store_sqlite_map(cur, e) != 0) {
		sqlite3_finalize(cur->stmt);
		*cur = (struct store_cursor){0};
		return NULL;
	}
	return cur;
}

static void
store_sqlite_finish(struct store_cursor *cur)
{
	sqlite3_reset(cur->stmt);
}

static struct store_cursor *
store_sqlite_query(struct store_conn *c, const char *sql,
    const struct store_value *params, size_t count, struct err *e)
{
	struct store_cursor *cur;
	int rc = SQLITE_OK;

	if (store_sqlite_alive(c, e) != 0)
		return NULL;
	cur = store_sqlite_statement(c, sql, e);
	if (cur == NULL)
		return NULL;
	for (int i = 0; i < cur->param_count && rc == SQLITE_OK; i++) {
		size_t at = cur->param[i];

		if (at >= count)
			rc = SQLITE_RANGE;
		else if (params[at].type == STORE_VALUE_INT)
			rc = sqlite3_bind_int64(
			    cur->stmt, i + 1, params[at].num);
		else
			rc = sqlite3_bind_text(cur->stmt, i + 1,
			    params[at].text, -1, SQLITE_STATIC);
	}
	if (rc != SQLITE_OK) {
		store_sqlite_fail(c, rc, "bind", e);
		return NULL;
	}
	return cur;
}

static int
store_sqlite_step(struct store_cursor *cur, struct err *e)
{
	int rc = sqlite3_step(cur->stmt);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return store_sqlite_fail(cur->conn, rc, "step", e);
}

static int64_t
store_sqlite_number(struct store_cursor *cur, int column)
{
	return sqlite3_column_int64(cur->stmt, column);
}

static const char *
store_sqlite_text(struct store_cursor *cur, int column)
{
	const unsigned char *text = sqlite3_column_text(cur->stmt, column);

	return text != NULL ? (const char *)text : "";
}

static int64_t
store_sqlite_changes(struct store_conn *c)
{
	return sqlite3_changes64(c->db);
}

/* The number in the first row of a cached statement without parameters. */
static int
store_sqlite_ask(
    struct store_conn *c, const char *sql, int64_t *out, struct err *e)
{
	struct store_cursor *cur = store_sqlite_statement(c, sql, e);
	int rc;

	if (cur == NULL)
		return -1;
	rc = store_sqlite_step(cur, e);
	if (rc == 1)
		*out = store_sqlite_number(cur, 0);
	store_sqlite_finish(cur);
	return rc < 0 ? -1 : 0;
}

static int
store_sqlite_version(struct store_conn *c, int64_t *out, struct err *e)
{
	static const char version_sql[] = "PRAGMA user_version";
	static const char tables_sql[] = "SELECT count(*) FROM sqlite_master";
	int64_t tables = 0;

	if (store_sqlite_ask(c, version_sql, out, e) != 0)
		return -1;
	if (*out > 0)
		return 0;
	if (store_sqlite_ask(c, tables_sql, &tables, e) != 0)
		return -1;
	if (*out < 0 || tables > 0)
		return err_set(e, ERR_INPUT,
		    "store: %s is a database, but not a store", c->path);
	return 0;
}

/* ---- transactions ---- */

/* A cached statement without parameters or rows. */
static int
store_sqlite_simple(struct store_conn *c, const char *sql, struct err *e)
{
	struct store_cursor *cur = store_sqlite_statement(c, sql, e);
	int rc;

	if (cur == NULL)
		return -1;
	rc = store_sqlite_step(cur, e);
	store_sqlite_finish(cur);
	return rc;
}

static const char store_sqlite_begin_sql[] = "BEGIN IMMEDIATE";
static const char store_sqlite_commit_sql[] = "COMMIT";
static const char store_sqlite_rollback_sql[] = "ROLLBACK";

static int
store_sqlite_begin(struct store_conn *c, struct err *e)
{
	if (store_sqlite_lock_take(&c->lock, e) != 0)
		return -1;
	if (store_sqlite_revive(c, e) != 0 ||
	    store_sqlite_simple(c, store_sqlite_begin_sql, e) != 0) {
		store_sqlite_lock_drop(&c->lock);
		return -1;
	}
	c->writing = true;
	return 0;
}

static void
store_sqlite_rollback(struct store_conn *c)
{
	struct err ignored = {0};

	/* Some errors have rolled back already; whether this one succeeds or
	 * not, nothing of the transaction stands. */
	if (c->db != NULL && !sqlite3_get_autocommit(c->db) &&
	    store_sqlite_simple(c, store_sqlite_rollback_sql, &ignored) != 0)
		c->dead = true;
	c->writing = false;
	store_sqlite_lock_drop(&c->lock);
}

static int
store_sqlite_commit(struct store_conn *c, struct err *e)
{
	if (store_sqlite_simple(c, store_sqlite_commit_sql, e) != 0) {
		store_sqlite_rollback(c);
		return -1;
	}
	c->writing = false;
	store_sqlite_lock_drop(&c->lock);
	return 0;
}

/* ---- upkeep ---- */

static int64_t
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

static int
store_sqlite_checkpoint(struct store_conn *c, struct err *e)
{
	int rc;

	if (store_sqlite_lock_take(&c->lock, e) != 0)
		return -1;
	rc = store_sqlite_checkpoint_locked(c, e);
	store_sqlite_lock_drop(&c->lock);
	return rc;
}

static int
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

static int
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

const struct store_driver store_sqlite_driver = {
    .scheme = "sqlite:",
    .open = store_sqlite_open,
    .set_up = store_sqlite_set_up,
    .opened = store_sqlite_opened,
    .close = store_sqlite_close,
    .version = store_sqlite_version,
    .set_version = store_sqlite_set_version,
    .script = store_sqlite_script,
    .begin = store_sqlite_begin,
    .commit = store_sqlite_commit,
    .rollback = store_sqlite_rollback,
    .query = store_sqlite_query,
    .step = store_sqlite_step,
    .number = store_sqlite_number,
    .text = store_sqlite_text,
    .finish = store_sqlite_finish,
    .changes = store_sqlite_changes,
    .data_version = store_sqlite_data_version,
    .checkpoint = store_sqlite_checkpoint,
    .check = store_sqlite_check,
    .backup = store_sqlite_backup,
    .move_aside = store_sqlite_move_aside,
};
