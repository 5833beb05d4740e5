/* tests/unit/test_store_move.h - what the tests of port/store_move.h share: a
 * full store of one host, an empty database to move it to, and a comparison
 * that knows nothing of how it is moved. */
#ifndef TEST_STORE_MOVE_H
#define TEST_STORE_MOVE_H

#include "test_store_sqlite.h"

#include "base/buf.h"
#include "port/store_move.h"
#include "port/store_schema.h"

#ifdef HAVE_POSTGRESQL
struct test_move {
	struct test_store old; /* its store is closed */
	char to[256];
	struct store_move order;
	struct store_move_result result;
};

static inline int
test_move_setup(void **state)
{
	struct test_move *t = calloc(1, sizeof(*t));
	union {
		const struct test_database *in;
		void *out;
	} sqlite = {&test_databases[0]};
	void *old = sqlite.out;

	if (test_store_setup(&old) != 0)
		return -1;
	t->old = *(struct test_store *)old;
	free(old);
	close_store(&t->old);
	test_postgres_url(t->old.folder, t->to, sizeof(t->to));
	t->order = (struct store_move){.from = t->old.url,
	    .to = t->to,
	    .lock_wait_ms = 5000,
	    .now_ms = T0};
	*state = t;
	return 0;
}

static inline int
test_move_teardown(void **state)
{
	struct test_move *t = *state;

	nftw(t->old.folder, test_store_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(t);
	return 0;
}

static inline void
assert_moves(struct test_move *t)
{
	if (store_move(&t->order, &t->result, &t->old.e) != 0) {
		print_error("%s\n", t->old.e.text);
		fail();
	}
}

/* ---- looking at both from outside ---- */

/* The first column of all rows, a line each. Yours. */
static inline char *
test_sqlite_ask(struct test_move *t, const char *text)
{
	char path[256];
	struct buf out;
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;

	buf_init(&out, 1 << 26);
	assert_int_equal(
	    sqlite3_open(path_of(&t->old, "", path), &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK)
		print_error("%s: %s\n", text, sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW)
		buf_printf(&out, "%s\n", sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return buf_take(&out);
}

static inline char *
test_postgres_ask(const char *text)
{
	PGconn *db = PQconnectdb(test_postgres_at);
	PGresult *r = PQexec(db, text);
	struct buf out;

	buf_init(&out, 1 << 26);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		print_error("%s: %s\n", text, PQerrorMessage(db));
	for (int i = 0; i < PQntuples(r); i++)
		buf_printf(&out, "%s\n", PQgetvalue(r, i, 0));
	PQclear(r);
	PQfinish(db);
	return buf_take(&out);
}

/* The next line, cut off; NULL behind the last one. */
static inline char *
test_next_line(char **at)
{
	char *line = *at;
	char *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return line;
}

/* Those that are moved, with all columns as one text. */
static const char test_move_tables[] =
    "SELECT m.name || '|' || (SELECT group_concat("
    "'coalesce(cast(' || c.name || ' AS text), ''NULL'')', ' || '';'' || ')"
    " FROM pragma_table_info(m.name) AS c) FROM sqlite_master AS m"
    " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
    " AND m.name NOT IN ('moved', 'replica') ORDER BY m.name";

/* Every row of every table is the same. How many tables that were. */
static inline int
test_move_compare(struct test_move *t)
{
	char *tables = test_sqlite_ask(t, test_move_tables);
	char *at = tables, *line;
	int count = 0;

	for (; (line = test_next_line(&at)) != NULL; count++) {
		char text[4096];
		char *bar = strchr(line, '|'), *one, *two;

		*bar = '\0';
		snprintf(text, sizeof(text),
		    "SELECT %s AS r FROM %s ORDER BY 1", bar + 1, line);
		one = test_sqlite_ask(t, text);
		snprintf(text, sizeof(text),
		    "SELECT (%s) COLLATE \"C\" AS r FROM %s ORDER BY 1",
		    bar + 1, line);
		two = test_postgres_ask(text);
		if (strcmp(one, two) != 0)
			print_error("%s:\n%.500s\n%.500s\n", line, one, two);
		assert_string_equal(one, two);
		free(one);
		free(two);
	}
	free(tables);
	return count;
}

/* Rows from..to of every table there is, with texts of all kinds. */
static inline void
test_move_fill(struct test_move *t, int from, int to)
{
	static const char statements[] =
	    "SELECT 'WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1"
	    " FROM n WHERE i < %d) INSERT INTO ' || m.name || ' SELECT ' ||"
	    " (SELECT group_concat(CASE c.type WHEN 'TEXT' THEN"
	    " '''\"\\/:;' || c.name || char(228, 128512, 9, 127, 8232) ||"
	    " ' NULL {},''''%%'' || i' WHEN 'INTEGER' THEN 'i' ELSE"
	    " 'i * 9007199254740993' END, ', ')"
	    " FROM pragma_table_info(m.name) AS c) || ' FROM n'"
	    " FROM sqlite_master AS m WHERE m.type = 'table'"
	    " AND m.name NOT LIKE 'sqlite%%'"
	    " AND m.name NOT IN ('moved', 'replica')";
	char text[2048];
	char *lines, *at, *line;

	snprintf(text, sizeof(text), statements, from, to);
	lines = at = test_sqlite_ask(t, text);
	while ((line = test_next_line(&at)) != NULL)
		sql(&t->old, line);
	free(lines);
}

/* Whether a program can work with it; a refusal names the mover. A busy machine
 * is given time to connect. */
static inline bool
test_can_be_used(const char *url)
{
	struct err e = {.code = ERR_RETRY};
	struct store *s = NULL;

	for (int i = 0; s == NULL && e.code == ERR_RETRY && i < 10; i++)
		s = store_open(url, STORE_CREATE, 5000, T0, &e);
	if (s == NULL) {
		assert_non_null(strstr(e.text, "migrate-store"));
		assert_int_equal(e.code, ERR_CONFIG);
	}
	store_close(s);
	return s != NULL;
}
#endif

#endif
