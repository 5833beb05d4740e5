/* port/store_move_copy.c - makes a table of the second store equal to the
 * first's. See store_move_table.h. */
#include <string.h>

#include "base/text.h"
#include "port/store_move_table.h"

enum {
	STORE_MOVE_EDIT_ROWS = 500,
	STORE_MOVE_EDIT_BYTES = 512 * 1024,
	STORE_MOVE_EDIT_MAX = 256 * 1024 * 1024
};

void
store_move_job_init(struct store_move_job *job)
{
	store_move_side_init(&job->left);
	store_move_side_init(&job->right);
	buf_init(&job->puts, STORE_MOVE_EDIT_MAX);
	buf_init(&job->drops, STORE_MOVE_EDIT_MAX);
}

void
store_move_job_clear(struct store_move_job *job)
{
	store_move_side_clear(&job->left);
	store_move_side_clear(&job->right);
	buf_clear(&job->puts);
	buf_clear(&job->drops);
}

/* ---- what is to be written ---- */

static void
store_move_add_value(
    struct buf *b, const struct store_move_side *side, size_t column)
{
	const struct store_move_column *c = &side->table->columns[column];
	const char *text = store_move_side_value(side, column);

	buf_printf(
	    b, "%s\"%s\":", b->data[b->len - 1] == '{' ? "" : ",", c->name);
	if (c->number) {
		buf_puts(b, text);
		return;
	}
	buf_putc(b, '"');
	buf_json_escape(b, text, strlen(text));
	buf_putc(b, '"');
}

static int
store_move_put(struct store_move_job *job, struct err *e)
{
	const struct store_move_side *side = &job->left;
	const struct store_move_table *t = side->table;

	buf_puts(&job->puts, job->put_count > 0 ? ",{" : "[{");
	for (size_t i = 0; i < t->column_count; i++) {
		const char *text = store_move_side_value(side, i);

		if (!text_is_utf8(text, strlen(text)))
			return err_set(e, ERR_INPUT,
			    "store: a text of table %s, column %s, is not "
			    "UTF-8, which PostgreSQL does not take",
			    t->name, t->columns[i].name);
		store_move_add_value(&job->puts, side, i);
	}
	buf_putc(&job->puts, '}');
	job->put_count++;
	return 0;
}

static void
store_move_drop(struct store_move_job *job)
{
	const struct store_move_table *t = job->right.table;

	buf_puts(&job->drops, job->drop_count > 0 ? ",{" : "[{");
	for (size_t i = 0; i < t->key_count; i++)
		store_move_add_value(&job->drops, &job->right, t->keys[i]);
	buf_putc(&job->drops, '}');
	job->drop_count++;
}

static int
store_move_edit(struct store *s, const char *sql, struct buf *rows,
    size_t *count, struct err *e)
{
	if (*count == 0)
		return 0;
	buf_putc(rows, ']');
	if (rows->failed)
		return err_set(e, ERR_INPUT, "store: the rows are too large");
	if (store_db_run(s, sql, STORE_WITH(STORE_TEXT(buf_text(rows))), e) < 0)
		return -1;
	buf_reset(rows);
	*count = 0;
	return 0;
}

static int
store_move_flush(struct store_move_job *job, struct err *e)
{
	const struct store_move_table *t = job->left.table;
	int own, rc;

	if (job->put_count + job->drop_count == 0)
		return 0;
	own = store_db_enter(job->to, e);
	rc = own < 0 ? -1
		     : store_move_edit(job->to, t->drop_sql, &job->drops,
			   &job->drop_count, e);
	if (rc == 0)
		rc = store_move_edit(
		    job->to, t->put_sql, &job->puts, &job->put_count, e);
	return store_db_leave(job->to, own, rc, e);
}

static int
store_move_flush_some(struct store_move_job *job, struct err *e)
{
	if (job->put_count + job->drop_count < STORE_MOVE_EDIT_ROWS &&
	    job->puts.len + job->drops.len < STORE_MOVE_EDIT_BYTES)
		return 0;
	return store_move_flush(job, e);
}

/* ---- comparing ---- */

/* The next key of either side. 1 when rows were not equal, 0, -1. */
static int
store_move_step(
    struct store_move_job *job, bool left, bool right, struct err *e)
{
	int order = !left ? 1
	    : !right      ? -1
			  : store_move_side_compare(&job->left, &job->right);
	bool same =
	    order == 0 && store_move_side_equals(&job->left, &job->right);

	if (order >= 0 && !same)
		store_move_drop(job);
	if (order <= 0 && !same && store_move_put(job, e) != 0)
		return -1;
	if (order >= 0)
		store_move_side_pass(&job->right);
	if (order <= 0)
		store_move_side_pass(&job->left);
	return same ? 0 : 1;
}

static void
store_move_tell(struct store_move_job *job)
{
	if (job->order->progress != NULL)
		job->order->progress(&job->progress, job->order->arg);
}

/* All keys of the table. How many rows were not equal, or -1. */
static int64_t
store_move_walk(struct store_move_job *job, struct err *e)
{
	int64_t differed = 0, before = job->progress.rows;

	for (unsigned steps = 1;; steps++) {
		int left = store_move_side_look(&job->left, e);
		int right =
		    left < 0 ? -1 : store_move_side_look(&job->right, e);
		int differs;

		if (right < 0)
			return -1;
		job->progress.rows = before + job->left.passed;
		if (steps % STORE_MOVE_PAGE == 0)
			store_move_tell(job);
		if (left == 0 && right == 0)
			break;
		differs = store_move_step(job, left == 1, right == 1, e);
		if (differs < 0 || store_move_flush_some(job, e) != 0)
			return -1;
		differed += differs;
		job->progress.changed += differs;
	}
	return store_move_flush(job, e) != 0 ? -1 : differed;
}

int
store_move_table_copy(struct store_move_job *job,
    const struct store_move_table *table, struct store_move_sum *sum,
    int64_t *differed, struct err *e)
{
	int64_t count;

	store_move_side_begin(&job->left, job->from, table);
	store_move_side_begin(&job->right, job->to, table);
	job->progress.table = table->name;
	buf_reset(&job->puts);
	buf_reset(&job->drops);
	job->put_count = job->drop_count = 0;
	count = store_move_walk(job, e);
	if (count < 0)
		return err_wrap(e, "table %s", table->name);
	store_move_tell(job);
	*differed += count;
	memcpy(sum->table, table->name, sizeof(sum->table));
	sum->rows = job->left.passed;
	memcpy(sum->digest, job->left.digest, sizeof(sum->digest));
	if (count == 0 &&
	    (job->left.passed != job->right.passed ||
		strcmp(job->left.digest, job->right.digest) != 0))
		return err_set(e, ERR_INPUT,
		    "store: the two tables %s are not equal", table->name);
	return 0;
}
