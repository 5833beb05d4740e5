/* port/store_recover.c - the queue: rows in progress that nobody works on. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "port/store_work.h"

/* ---- all of them ---- */

/* All heads anew; which also mends whatever an operator did by hand. */
static const char store_work_heads_sql[] =
    "UPDATE lane SET saturated = 0, head_ms = COALESCE("
    "(SELECT min(run_ms) FROM work WHERE work.lane = lane.id"
    " AND work.claimed = 0), $1)";

/* Those of no living replica: all, where there is only one sync. */
#define STORE_WORK_ORPHANS                                                     \
	"claimed = 1 AND NOT EXISTS (SELECT 1 FROM replica"                    \
	" WHERE replica.id = work.claimed_by)"

/* The heads of their lanes; of those of others nothing is touched. */
static const char store_work_orphans_sql[] =
    "UPDATE lane SET saturated = 0, head_ms = (SELECT min(run_ms) FROM work"
    " WHERE work.lane = lane.id AND (claimed = 0 OR " STORE_WORK_ORPHANS "))"
    " WHERE id IN (SELECT lane FROM work WHERE " STORE_WORK_ORPHANS ")";

static int
store_work_heads(struct store *s, struct err *e)
{
	struct store_value values[] = {STORE_INT(INT64_MAX)};

	return store_db_run(s, store_work_heads_sql, values, 1, e) < 0 ? -1 : 0;
}

int
store_work_requeue(struct store *s, bool crashed, int64_t *count, struct err *e)
{
	static const char sql[] =
	    "UPDATE work SET claimed = 0, hints = hints | claimed_hints,"
	    " claimed_hints = 0, suspect = CASE WHEN $1 = 1 THEN 1"
	    " ELSE suspect END, crashes = crashes + $2"
	    " WHERE " STORE_WORK_ORPHANS;
	static const char count_sql[] =
	    "SELECT count(*) FROM work WHERE " STORE_WORK_ORPHANS;
	int64_t rows = 0;

	if (store_db_alone(s, e) != 0 ||
	    store_db_number(s, count_sql, NULL, 0, &rows, e) < 0)
		return -1;
	if (rows > 0 && s->driver->shared &&
	    store_db_run(s, store_work_orphans_sql, NULL, 0, e) < 0)
		return -1;
	if (rows > 0 &&
	    store_db_run(s, sql,
		STORE_WITH(STORE_INT(crashed), STORE_INT(crashed && rows == 1)),
		e) < 0)
		return -1;
	if (!s->driver->shared && store_work_heads(s, e) != 0)
		return -1;
	if (count != NULL)
		*count += rows;
	return 0;
}

int
store_work_recover(struct store *s, int64_t *count, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_work_requeue(s, false, count, e);

	return store_db_leave(s, own, rc, e);
}

int
store_work_recover_crashed(struct store *s, int64_t *count, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_work_requeue(s, true, count, e);

	return store_db_leave(s, own, rc, e);
}

/* ---- those that nobody works on ---- */

struct store_stray {
	int64_t id;
	struct store_work work;
};

#define STORE_STRAY(type, member) STORE_MEMBER(type, store_stray, member)

static const struct store_field store_stray_fields[] = {
    STORE_STRAY(STORE_FIELD_INT64, id),
    STORE_STRAY(STORE_FIELD_TEXT, work.tenant),
    STORE_STRAY(STORE_FIELD_TEXT, work.user),
    STORE_STRAY(STORE_FIELD_INT, work.kind),
    STORE_STRAY(STORE_FIELD_TEXT, work.event),
    STORE_STRAY(STORE_FIELD_INT64, work.generation),
};
enum {
	STORE_STRAY_FIELD_COUNT =
	    sizeof(store_stray_fields) / sizeof(store_stray_fields[0])
};

struct store_strays {
	bool (*works_on)(const struct store_work *w, void *arg);
	void *arg;
	int64_t *ids;
	size_t count;
};

/* Reads them all before the first is put back: that changes the index. */
static int
store_strays_find(struct store *s, struct store_strays *f, struct err *e)
{
	static const char sql[] =
	    "SELECT work.id, lane.tenant, lane.user_id, work.kind, work.event,"
	    " work.generation FROM work JOIN lane ON lane.id = work.lane"
	    " WHERE work.claimed = 1 AND work.claimed_by = $1";
	struct store_cursor *cur =
	    store_db_query(s, sql, STORE_WITH(STORE_INT(s->fence)), e);
	int rc;

	if (cur == NULL)
		return -1;
	while ((rc = s->driver->step(cur, e)) == 1) {
		struct store_stray row = {0};

		store_db_read(
		    s, cur, store_stray_fields, STORE_STRAY_FIELD_COUNT, &row);
		if (f->works_on(&row.work, f->arg))
			continue;
		f->ids = mem_realloc(f->ids, (f->count + 1) * sizeof(*f->ids));
		f->ids[f->count++] = row.id;
	}
	s->driver->finish(cur);
	return rc;
}

static int
store_strays_return(struct store *s, int64_t id, struct err *e)
{
	static const char sql[] =
	    "UPDATE work SET claimed = 0, hints = hints | claimed_hints,"
	    " claimed_hints = 0 WHERE id = $1";
	static const char lane_sql[] =
	    "UPDATE lane SET saturated = 0, head_ms = "
	    "(SELECT min(run_ms) FROM work WHERE work.lane = lane.id"
	    " AND work.claimed = 0)"
	    " WHERE id = (SELECT lane FROM work WHERE work.id = $1)";

	return store_db_run(s, sql, STORE_WITH(STORE_INT(id)), e) < 0 ||
		store_db_run(s, lane_sql, STORE_WITH(STORE_INT(id)), e) < 0
	    ? -1
	    : 0;
}

int
store_work_recover_except(struct store *s,
    bool (*works_on)(const struct store_work *w, void *arg), void *arg,
    int64_t *count, struct err *e)
{
	struct store_strays f = {works_on, arg, NULL, 0};
	int own = store_db_enter(s, e);
	int rc = own < 0 || store_db_alone(s, e) != 0
	    ? -1
	    : store_strays_find(s, &f, e);

	for (size_t i = 0; rc == 0 && i < f.count; i++)
		rc = store_strays_return(s, f.ids[i], e);
	/* The slots do not know the new heads. */
	memset(s->lanes, 0, sizeof(s->lanes));
	if (rc == 0 && count != NULL)
		*count += (int64_t)f.count;
	free(f.ids);
	return store_db_leave(s, own, rc, e);
}
