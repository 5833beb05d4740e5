/* port/store_db.c - see store_db.h. */
#include "port/store_db.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

int
store_db_enter(struct store *s, struct err *e)
{
	if (s->in_transaction && s->spoilt)
		return err_set(
		    e, ERR_RETRY, "store: the transaction has failed before");
	if (s->in_transaction)
		return 0;
	if (store_begin(s, e) != 0)
		return -1;
	return 1;
}

int
store_db_leave(struct store *s, int own, int rc, struct err *e)
{
	if (own < 0)
		return -1;
	if (own == 0) {
		if (rc < 0)
			s->spoilt = true;
		return rc;
	}
	if (rc < 0) {
		store_rollback(s);
		return rc;
	}
	return store_commit(s, e) == 0 ? rc : -1;
}

int
store_db_alone(const struct store *s, struct err *e)
{
	return s->beside
	    ? err_set(e, ERR_REFUSED, "store: not beside other transactions")
	    : 0;
}

/* A statement has failed: what comes behind it in the transaction may rely on
 * it, or on a connection that is gone. */
static void
store_db_spoil(struct store *s)
{
	s->spoilt = s->in_transaction;
}

struct store_cursor *
store_db_query(struct store *s, const char *sql,
    const struct store_value *params, size_t count, struct err *e)
{
	struct store_cursor *cur;

	if (s->in_transaction && s->spoilt) {
		err_set(
		    e, ERR_RETRY, "store: the transaction has failed before");
		return NULL;
	}
	cur = s->driver->query(s->conn, sql, params, count, e);
	if (cur == NULL)
		store_db_spoil(s);
	return cur;
}

int64_t
store_db_run(struct store *s, const char *sql, const struct store_value *params,
    size_t count, struct err *e)
{
	struct store_cursor *cur = store_db_query(s, sql, params, count, e);
	int64_t changed = -1;
	int rc;

	if (cur == NULL)
		return -1;
	while ((rc = s->driver->step(cur, e)) == 1)
		;
	if (rc == 0)
		changed = s->driver->changes(s->conn);
	else
		store_db_spoil(s);
	s->driver->finish(cur);
	return changed;
}

int
store_db_number(struct store *s, const char *sql,
    const struct store_value *params, size_t count, int64_t *out, struct err *e)
{
	struct store_cursor *cur = store_db_query(s, sql, params, count, e);
	int rc;

	if (cur == NULL)
		return -1;
	rc = s->driver->step(cur, e);
	if (rc == 1)
		*out = s->driver->number(cur, 0);
	else if (rc < 0)
		store_db_spoil(s);
	s->driver->finish(cur);
	return rc;
}

void
store_db_copy(char *out, size_t cap, const char *text)
{
	size_t len;

	if (text == NULL)
		text = "";
	len = strlen(text);
	if (len >= cap)
		len = text_cut_bytes(text, cap - 1);
	memmove(out, text, len);
	out[len] = '\0';
}

void
store_db_bind(const struct store_field *fields, size_t count, const void *row,
    struct store_value *out)
{
	for (size_t i = 0; i < count; i++) {
		const char *at = (const char *)row + fields[i].offset;
		int64_t wide;
		int narrow;
		bool flag;

		switch (fields[i].type) {
		case STORE_FIELD_TEXT:
			out[i] = STORE_TEXT(at);
			break;
		case STORE_FIELD_INT64:
			memcpy(&wide, at, sizeof(wide));
			out[i] = STORE_INT(wide);
			break;
		case STORE_FIELD_INT:
			memcpy(&narrow, at, sizeof(narrow));
			out[i] = STORE_INT(narrow);
			break;
		case STORE_FIELD_BOOL:
			memcpy(&flag, at, sizeof(flag));
			out[i] = STORE_INT(flag ? 1 : 0);
			break;
		}
	}
}

void
store_db_read(struct store *s, struct store_cursor *cur,
    const struct store_field *fields, size_t count, void *out)
{
	for (size_t i = 0; i < count; i++) {
		char *at = (char *)out + fields[i].offset;
		int64_t wide;
		int narrow;
		bool flag;

		if (fields[i].type == STORE_FIELD_TEXT) {
			store_db_copy(
			    at, fields[i].size, s->driver->text(cur, (int)i));
			continue;
		}
		wide = s->driver->number(cur, (int)i);
		narrow = (int)wide;
		flag = wide != 0;
		if (fields[i].type == STORE_FIELD_INT64)
			memcpy(at, &wide, sizeof(wide));
		else if (fields[i].type == STORE_FIELD_INT)
			memcpy(at, &narrow, sizeof(narrow));
		else
			memcpy(at, &flag, sizeof(flag));
	}
}

int
store_db_row(struct store *s, const char *sql, const struct store_value *params,
    size_t count, const struct store_field *fields, size_t field_count,
    void *out, struct err *e)
{
	struct store_cursor *cur = store_db_query(s, sql, params, count, e);
	int rc;

	if (cur == NULL)
		return -1;
	rc = s->driver->step(cur, e);
	if (rc == 1)
		store_db_read(s, cur, fields, field_count, out);
	else if (rc < 0)
		store_db_spoil(s);
	s->driver->finish(cur);
	return rc;
}

/* One page. The number of rows, or -1. */
static int
store_db_page(
    struct store *s, const struct store_walk *w, char *rows, struct err *e)
{
	struct store_cursor *cur =
	    store_db_query(s, w->sql, w->params, w->param_count, e);
	int count = 0;
	int rc = 0;

	if (cur == NULL)
		return -1;
	while (count < STORE_PAGE_ROWS && (rc = s->driver->step(cur, e)) == 1) {
		store_db_read(s, cur, w->fields, w->field_count,
		    rows + (size_t)count * w->row_size);
		count++;
	}
	s->driver->finish(cur);
	if (rc < 0)
		store_db_spoil(s);
	return rc < 0 ? -1 : count;
}

int
store_db_walk(struct store *s, const struct store_walk *w, struct err *e)
{
	char *rows = mem_calloc(STORE_PAGE_ROWS, w->row_size);
	/* The key's own copy: the page is overwritten while it is compared. */
	char *key = mem_calloc(1, w->row_size);
	int rc = 0;

	w->params[w->param_count - 1] = STORE_INT(STORE_PAGE_ROWS);
	for (;;) {
		int count = store_db_page(s, w, rows, e);

		if (count < 0)
			rc = -1;
		for (int i = 0; i < count && rc == 0; i++)
			rc = w->each(rows + (size_t)i * w->row_size, w->arg);
		if (rc != 0 || count < STORE_PAGE_ROWS)
			break;
		memcpy(key, rows + (STORE_PAGE_ROWS - 1) * w->row_size,
		    w->row_size);
		w->advance(key, w->params);
	}
	free(rows);
	free(key);
	return rc < 0 ? -1 : 0;
}
