/* port/store_postgres_append.c - many notifications in one round trip. */
#include <stdlib.h>

#include "base/buf.h"
#include "port/store_postgres.h"

enum { STORE_POSTGRES_ARRAYS = 6 };

/*
 * A transaction of its own, so that no round trip lies between it and the
 * commit that it is for; set_config() holds until that commit has been made.
 */
static const char store_postgres_append_sql[] =
    "WITH durable AS (SELECT set_config('synchronous_commit',"
    " CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
    " ELSE current_setting('synchronous_commit') END, true) AS level)"
    " INSERT INTO arrival (tenant, user_id, kind, event, hints, at_ms, due_ms)"
    " SELECT a.tenant, a.user_id, a.kind, a.event, a.hints, $7, a.due_ms"
    " FROM durable, unnest($1::text[], $2::text[], $3::bigint[],"
    " $4::text[], $5::bigint[], $6::bigint[])"
    " AS a (tenant, user_id, kind, event, hints, due_ms)"
    " WHERE durable.level <> 'off'";

void
store_postgres_add_text(struct buf *b, const char *text)
{
	buf_puts(b, b->len > 1 ? ",\"" : "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *text);
	}
	buf_putc(b, '"');
}

static void
store_postgres_add_number(struct buf *b, int64_t number)
{
	buf_printf(b, b->len > 1 ? ",%lld" : "%lld", (long long)number);
}

static size_t
store_postgres_add_parts(
    struct buf *arrays, const struct store_append *parts, size_t count)
{
	size_t rows = 0;

	for (size_t p = 0; p < count; p++) {
		for (size_t i = 0; i < parts[p].count; i++, rows++) {
			const struct store_hint_item *item = &parts[p].items[i];

			store_postgres_add_text(&arrays[0], item->tenant);
			store_postgres_add_text(&arrays[1], item->user);
			store_postgres_add_number(&arrays[2], item->kind);
			store_postgres_add_text(&arrays[3], item->event);
			store_postgres_add_number(&arrays[4], item->hints);
			store_postgres_add_number(&arrays[5], parts[p].due_ms);
		}
	}
	return rows;
}

static int
store_postgres_append_rows(struct store_conn *c, const struct buf *arrays,
    size_t rows, int64_t now_ms, struct err *e)
{
	struct store_value values[STORE_POSTGRES_ARRAYS + 1];
	PGresult *r;
	int rc = 0;

	for (size_t i = 0; i < STORE_POSTGRES_ARRAYS; i++)
		values[i] = STORE_TEXT(buf_text(&arrays[i]));
	values[STORE_POSTGRES_ARRAYS] = STORE_INT(now_ms);
	r = store_postgres_ask(c, store_postgres_append_sql, values,
	    STORE_POSTGRES_ARRAYS + 1, STORE_POSTGRES_STATEMENT_MS, e);
	if (r == NULL)
		return -1;
	if (strtoll(PQcmdTuples(r), NULL, 10) != (long long)rows)
		rc = err_set(e, ERR_RETRY,
		    "store: PostgreSQL took %s of %zu notifications",
		    PQcmdTuples(r), rows);
	PQclear(r);
	return rc;
}

int
store_postgres_append(struct store_conn *c, const struct store_append *parts,
    size_t count, int64_t now_ms, struct err *e)
{
	struct buf arrays[STORE_POSTGRES_ARRAYS];
	bool whole = true;
	size_t rows;
	int rc = -1;

	for (size_t i = 0; i < STORE_POSTGRES_ARRAYS; i++) {
		buf_init(&arrays[i], STORE_POSTGRES_ARRAY_MAX);
		buf_putc(&arrays[i], '{');
	}
	rows = store_postgres_add_parts(arrays, parts, count);
	for (size_t i = 0; i < STORE_POSTGRES_ARRAYS; i++)
		whole = buf_putc(&arrays[i], '}') == 0 && whole;
	if (whole)
		rc = store_postgres_append_rows(c, arrays, rows, now_ms, e);
	else
		err_set(e, ERR_REFUSED, "store: too much at once");
	for (size_t i = 0; i < STORE_POSTGRES_ARRAYS; i++)
		buf_clear(&arrays[i]);
	return rc;
}
