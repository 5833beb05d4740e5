/* port/store_move_table.c - which tables there are, and the SQL of each. */
#include "port/store_move_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { STORE_MOVE_SQL_MAX = 8 * 1024 };

/* ---- names, and lists of them ---- */

static void
store_move_add_columns(struct buf *b, const struct store_move_table *t)
{
	for (size_t i = 0; i < t->column_count; i++)
		buf_printf(b, "%s%s", i > 0 ? ", " : "", t->columns[i].name);
}

static const char *
store_move_key(const struct store_move_table *t, size_t i)
{
	return t->columns[t->keys[i]].name;
}

static void
store_move_add_keys(struct buf *b, const struct store_move_table *t)
{
	for (size_t i = 0; i < t->key_count; i++)
		buf_printf(b, "%s%s", i > 0 ? ", " : "", store_move_key(t, i));
}

static void
store_move_add_params(struct buf *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(b, "%s$%zu", i > 0 ? ", " : "", i + 1);
}

/* ---- statements ---- */

static char *
store_move_page_sql(const struct store_move_table *t, bool behind)
{
	struct buf b;

	buf_init(&b, STORE_MOVE_SQL_MAX);
	buf_puts(&b, "SELECT ");
	store_move_add_columns(&b, t);
	buf_printf(&b, " FROM %s", t->name);
	if (behind) {
		buf_puts(&b, " WHERE (");
		store_move_add_keys(&b, t);
		buf_puts(&b, ") > (");
		store_move_add_params(&b, t->key_count);
		buf_putc(&b, ')');
	}
	buf_puts(&b, " ORDER BY ");
	store_move_add_keys(&b, t);
	buf_printf(&b, " LIMIT %d", STORE_MOVE_PAGE);
	return buf_take(&b);
}

/* A unique value of a row that is about to go may be in the way: the next pass
 * finds the place free. */
static char *
store_move_put_sql(const struct store_move_table *t)
{
	struct buf b;

	buf_init(&b, STORE_MOVE_SQL_MAX);
	buf_printf(&b, "INSERT INTO %s (", t->name);
	store_move_add_columns(&b, t);
	buf_puts(&b, ") SELECT ");
	store_move_add_columns(&b, t);
	buf_printf(&b,
	    " FROM json_populate_recordset(NULL::%s, $1::json)"
	    " ON CONFLICT DO NOTHING",
	    t->name);
	return buf_take(&b);
}

static char *
store_move_drop_sql(const struct store_move_table *t)
{
	struct buf b;

	buf_init(&b, STORE_MOVE_SQL_MAX);
	buf_printf(&b,
	    "DELETE FROM %s AS t"
	    " USING json_populate_recordset(NULL::%s, $1::json) AS gone",
	    t->name, t->name);
	for (size_t i = 0; i < t->key_count; i++)
		buf_printf(&b, " %s t.%s = gone.%s", i > 0 ? "AND" : "WHERE",
		    store_move_key(t, i), store_move_key(t, i));
	return buf_take(&b);
}

/* @ stands for the table, # for its first key column, % for its last column. */
static char *
store_move_other_sql(const struct store_move_table *t, const char *format)
{
	struct buf b;

	buf_init(&b, STORE_MOVE_SQL_MAX);
	for (; *format != '\0'; format++) {
		if (*format == '@')
			buf_puts(&b, t->name);
		else if (*format == '#')
			buf_puts(&b, store_move_key(t, 0));
		else if (*format == '%')
			buf_puts(&b, t->columns[t->column_count - 1].name);
		else
			buf_putc(&b, *format);
	}
	return buf_take(&b);
}

static void
store_move_write_sql(struct store_move_table *t)
{
	t->gives_out_ids = t->key_count == 1 && t->columns[t->keys[0]].number;
	t->first_sql = store_move_page_sql(t, false);
	t->next_sql = store_move_page_sql(t, true);
	/* Of the table itself: no index has this column and lies. */
	t->count_sql = store_move_other_sql(t, "SELECT count(%) FROM @");
	t->put_sql = store_move_put_sql(t);
	t->drop_sql = store_move_drop_sql(t);
	t->settle_sql = store_move_other_sql(t,
	    "SELECT setval(pg_get_serial_sequence('@', '#'),"
	    " greatest((SELECT max(#) FROM @), 1))");
}

/* ---- what the store says of itself ---- */

struct store_move_found {
	char name[STORE_MOVE_NAME];
	char type[16];
	int key; /* its place in the key, from 1; 0: none */
};

static const struct store_field store_move_found_fields[] = {
    STORE_MEMBER(STORE_FIELD_TEXT, store_move_found, name),
    STORE_MEMBER(STORE_FIELD_TEXT, store_move_found, type),
    STORE_MEMBER(STORE_FIELD_INT, store_move_found, key),
};

static int
store_move_take_column(struct store_move_table *t,
    const struct store_move_found *found, struct err *e)
{
	struct store_move_column *c = &t->columns[t->column_count];

	if (t->column_count == STORE_MOVE_COLUMNS ||
	    found->key > STORE_MOVE_KEYS)
		return err_set(
		    e, ERR_INPUT, "store: table %s is too wide", t->name);
	memcpy(c->name, found->name, sizeof(c->name));
	c->number = strcmp(found->type, "TEXT") != 0;
	if (found->key > 0) {
		t->keys[found->key - 1] = t->column_count;
		if ((size_t)found->key > t->key_count)
			t->key_count = (size_t)found->key;
	}
	t->column_count++;
	return 0;
}

static int
store_move_read_columns(
    struct store *s, struct store_move_table *t, struct err *e)
{
	static const char sql[] =
	    "SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid";
	struct store_move_found found;
	struct store_cursor *cur =
	    store_db_query(s, sql, STORE_WITH(STORE_TEXT(t->name)), e);
	int rc;

	if (cur == NULL)
		return -1;
	while ((rc = s->driver->step(cur, e)) == 1) {
		store_db_read(s, cur, store_move_found_fields, 3, &found);
		if (store_move_take_column(t, &found, e) != 0) {
			rc = -1;
			break;
		}
	}
	s->driver->finish(cur);
	if (rc == 0 && t->key_count == 0)
		rc = err_set(
		    e, ERR_INPUT, "store: table %s has no key", t->name);
	return rc;
}

/* Not what is about the two stores themselves, and their processes. */
static int
store_move_read_names(
    struct store *s, struct store_move_tables *out, struct err *e)
{
	static const char sql[] =
	    "SELECT name FROM sqlite_master WHERE type = 'table'"
	    " AND name NOT IN ('moved', 'replica')"
	    " AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name";
	struct store_cursor *cur = store_db_query(s, sql, NULL, 0, e);
	int rc;

	if (cur == NULL)
		return -1;
	while ((rc = s->driver->step(cur, e)) == 1) {
		const char *name = s->driver->text(cur, 0);

		if (out->count == STORE_MOVE_TABLES ||
		    !text_copy(
			out->items[out->count].name, STORE_MOVE_NAME, name)) {
			rc = err_set(e, ERR_INPUT, "store: too many tables");
			break;
		}
		out->count++;
	}
	s->driver->finish(cur);
	return rc;
}

int
store_move_tables_read(
    struct store *s, struct store_move_tables *out, struct err *e)
{
	if (store_move_read_names(s, out, e) != 0)
		return -1;
	for (size_t i = 0; i < out->count; i++) {
		if (store_move_read_columns(s, &out->items[i], e) != 0)
			return -1;
		store_move_write_sql(&out->items[i]);
	}
	return 0;
}

void
store_move_tables_clear(struct store_move_tables *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->items[i].first_sql);
		free(t->items[i].next_sql);
		free(t->items[i].count_sql);
		free(t->items[i].put_sql);
		free(t->items[i].drop_sql);
		free(t->items[i].settle_sql);
	}
}
