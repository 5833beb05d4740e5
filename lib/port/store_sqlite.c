/* port/store_sqlite.c - the SQLite driver: statements and transactions. See
 * store_driver.h for the contract, docs/store.md for the discipline. */
#include "port/store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- statements ---- */

/* "$7" is our parameter 6, whatever place SQLite has given it. */
static int
store_sqlite_map(struct store_cursor *cur, struct err *e)
{
	cur->param_count = sqlite3_bind_parameter_count(cur->stmt);
	for (int i = 0; i < cur->param_count; i++) {
		const char *name =
		    sqlite3_bind_parameter_name(cur->stmt, i + 1);
		long at = name != NULL && name[0] == '$'
		    ? strtol(name + 1, NULL, 10)
		    : 0;

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

int
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
		return err_set(e, ERR_CONFIG,
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
store_sqlite_begin(
    struct store_conn *c, int64_t fence, bool beside, struct err *e)
{
	(void)fence;
	(void)beside;
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
	store_sqlite_bound_wal(c);
	store_sqlite_lock_drop(&c->lock);
	return 0;
}

/* ---- the driver ---- */

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
    .compact = store_sqlite_compact,
    .check = store_sqlite_check,
    .backup = store_sqlite_backup,
    .move_aside = store_sqlite_move_aside,
    .lock_file = store_sqlite_lock_file,
};
