/* port/store_move.c - see store_move.h: the order of things, so that a kill at
 * any moment leaves one store in use, or none, but never two. */
#include "port/store_move.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "port/store_move_table.h"

enum {
	STORE_MOVE_PASSES = 4, /* beside the programs, at most */
	STORE_MOVE_FEW = 1000, /* rows that may be left for the held one */
	STORE_MOVE_LOOKS = 5, /* at a table that is held */
	STORE_MOVE_OPEN_MS = 30000, /* for the last step, tried again */
	STORE_MOVE_PAUSE_MS = 200
};

/* ---- copying ---- */

static void
store_move_enter(struct store_move_run *r, enum store_move_phase phase)
{
	r->job.progress = (struct store_move_progress){
	    .phase = phase, .table = "", .total = r->job.progress.total};
	if (r->order->progress != NULL)
		r->order->progress(&r->job.progress, r->order->arg);
}

static int
store_move_count(struct store_move_run *r, struct err *e)
{
	r->job.progress.total = 0;
	for (size_t i = 0; i < r->tables.count; i++) {
		struct store_move_sum *sum = &r->out->sums[i];

		if (store_db_number(r->job.from, r->tables.items[i].count_sql,
			NULL, 0, &sum->rows, e) < 0)
			return -1;
		text_copy(
		    sum->table, sizeof(sum->table), r->tables.items[i].name);
		r->job.progress.total += sum->rows;
	}
	r->out->count = r->tables.count;
	r->out->rows = r->job.progress.total;
	return 0;
}

/* All tables once. How many rows differed, or -1. */
static int64_t
store_move_pass(struct store_move_run *r, struct err *e)
{
	int64_t differed = 0;

	for (size_t i = 0; i < r->tables.count; i++)
		if (store_move_table_copy(&r->job, &r->tables.items[i],
			&r->out->sums[i], &differed, e) != 0)
			return -1;
	return differed;
}

/* Until little is left to be copied while everybody waits. */
static int
store_move_copy(struct store_move_run *r, struct err *e)
{
	int64_t differed = STORE_MOVE_FEW + 1;

	for (int i = 0; i < STORE_MOVE_PASSES && differed > STORE_MOVE_FEW;
	     i++) {
		if (store_move_count(r, e) != 0)
			return -1;
		store_move_enter(r, STORE_MOVE_COPY);
		differed = store_move_pass(r, e);
	}
	return differed < 0 ? -1 : 0;
}

/* Asked in another way than row by row. */
static int
store_move_check_count(struct store *s, const struct store_move_table *t,
    const struct store_move_sum *sum, struct err *e)
{
	int64_t rows = 0;

	if (store_db_number(s, t->count_sql, NULL, 0, &rows, e) < 0)
		return -1;
	if (rows == sum->rows)
		return 0;
	return err_set(e, ERR_INPUT,
	    "store: table %s has %lld rows by its count, but %lld were read",
	    t->name, (long long)rows, (long long)sum->rows);
}

static int
store_move_check_counts(struct store_move_run *r, struct err *e)
{
	for (size_t i = 0; i < r->tables.count; i++) {
		const struct store_move_table *t = &r->tables.items[i];

		if (store_move_check_count(
			r->job.from, t, &r->out->sums[i], e) != 0 ||
		    store_move_check_count(r->job.to, t, &r->out->sums[i], e) !=
			0)
			return -1;
	}
	return 0;
}

/* Until nothing differs: the last look has compared all its rows. */
static int
store_move_equal_table(struct store_move_run *r, size_t i, struct err *e)
{
	int64_t before = r->job.progress.rows, differed = -1;

	for (int n = 0; n < STORE_MOVE_LOOKS && differed != 0; n++) {
		differed = 0;
		r->job.progress.rows = before;
		if (store_move_table_copy(&r->job, &r->tables.items[i],
			&r->out->sums[i], &differed, e) != 0)
			return -1;
	}
	if (differed != 0)
		return err_set(e, ERR_INPUT,
		    "store: %lld rows of %s differ however often they are "
		    "copied: does somebody else write to the new database?",
		    (long long)differed, r->tables.items[i].name);
	return 0;
}

static int
store_move_equal(struct store_move_run *r, struct err *e)
{
	if (store_move_count(r, e) != 0)
		return -1;
	store_move_enter(r, STORE_MOVE_HELD);
	r->out->rows = 0;
	for (size_t i = 0; i < r->tables.count; i++) {
		if (store_move_equal_table(r, i, e) != 0)
			return -1;
		r->out->rows += r->out->sums[i].rows;
	}
	return store_move_check_counts(r, e);
}

static int
store_move_settle_ids(struct store_move_run *r, struct err *e)
{
	int64_t ignored;

	for (size_t i = 0; i < r->tables.count; i++) {
		const struct store_move_table *t = &r->tables.items[i];

		if (t->gives_out_ids &&
		    store_db_number(
			r->job.to, t->settle_sql, NULL, 0, &ignored, e) < 0)
			return err_wrap(e, "table %s", t->name);
	}
	return 0;
}

/* ---- the two moments ---- */

/* Inside the old store's transaction. */
static int
store_move_close_old(struct store_move_run *r, struct err *e)
{
	struct store *s = r->job.from;

	if (store_move_equal(r, e) != 0 || store_move_settle_ids(r, e) != 0)
		return -1;
	if (r->closed)
		return 0;
	r->moved.at_ms = r->order->now_ms;
	if (store_moved_set(s, &r->moved, e) != 0)
		return -1;
	return s->driver->set_version(s->conn, STORE_MARK_MOVED, e);
}

static int
store_move_hold(struct store_move_run *r, struct err *e)
{
	int64_t from_ms = clock_mono_ms();
	int rc;

	if (store_begin(r->job.from, e) != 0)
		return -1;
	rc = store_move_close_old(r, e);
	if (rc != 0)
		store_rollback(r->job.from);
	else
		rc = store_commit(r->job.from, e);
	r->out->held_ms = clock_mono_ms() - from_ms;
	return rc;
}

static int
store_move_open_up(struct store *s, struct err *e)
{
	int64_t version = 0;

	if (store_begin(s, e) != 0)
		return -1;
	/* An attempt of ours whose answer was lost. */
	if (s->driver->version(s->conn, &version, e) != 0 ||
	    (version != STORE_SCHEMA_VERSION &&
		s->driver->set_version(s->conn, STORE_SCHEMA_VERSION, e) !=
		    0)) {
		store_rollback(s);
		return -1;
	}
	return store_commit(s, e);
}

/* Nobody can work until it is done, so it is worth some patience. */
static int
store_move_release_new(struct store_move_run *r, struct err *e)
{
	int64_t end_ms = clock_mono_ms() + STORE_MOVE_OPEN_MS;
	int rc;

	while ((rc = store_move_open_up(r->job.to, e)) != 0 &&
	    e->code == ERR_RETRY && clock_mono_ms() < end_ms)
		clock_pause_ms(STORE_MOVE_PAUSE_MS);
	return rc == 0 ? 0
		       : err_wrap(e,
			     "the old store is closed, but the new one could "
			     "not be opened: run this again");
}

/* ---- all of it ---- */

static int
store_move_try(struct store_move_run *r, struct err *e)
{
	struct store *to = r->job.to;

	if (store_move_count(r, e) != 0)
		return -1;
	to->flags |= STORE_CREATE;
	if (store_begin(to, e) != 0)
		return -1;
	store_rollback(to);
	return 0;
}

static int
store_move_go(struct store_move_run *r, struct err *e)
{
	/* It is written down before anything is copied, as which one. */
	if (!r->closed && store_moved_set(r->job.from, &r->moved, e) != 0)
		return -1;
	if (!r->closed && store_move_copy(r, e) != 0)
		return -1;
	if (store_move_hold(r, e) != 0)
		return -1;
	store_move_enter(r, STORE_MOVE_CLOSED);
	if (store_move_release_new(r, e) != 0)
		return -1;
	store_move_enter(r, STORE_MOVE_DONE);
	return 0;
}

static int
store_move_run(struct store_move_run *r, struct err *e)
{
	if (store_move_open(r, e) != 0)
		return -1;
	if (store_move_tables_read(r->job.from, &r->tables, e) != 0)
		return -1;
	if (r->out->was_done)
		return store_move_count(r, e);
	return r->order->dry_run ? store_move_try(r, e) : store_move_go(r, e);
}

int
store_move(
    const struct store_move *m, struct store_move_result *out, struct err *e)
{
	struct store_move_run *r = mem_zalloc(sizeof(*r));
	int rc;

	memset(out, 0, sizeof(*out));
	r->order = m;
	r->out = out;
	r->lock_fd = -1;
	r->job.order = m;
	store_move_job_init(&r->job);
	rc = store_move_run(r, e);
	store_close(r->job.from);
	store_close(r->job.to);
	store_move_tables_clear(&r->tables);
	store_move_job_clear(&r->job);
	if (r->lock_fd >= 0)
		close(r->lock_fd);
	free(r);
	return rc;
}
