/* port/store_dead.c - dead letters. */
#include "port/store_work.h"

#include <string.h>

#define STORE_DEAD_COLUMNS                                                     \
	"id, tenant, user_id, kind, event, generation, hints, first_seen_ms,"  \
	" due_ms, not_before_ms, attempts, crashes, last_reason, died_ms,"     \
	" reason"

#define STORE_DEAD_MEMBER(type, member) STORE_MEMBER(type, store_dead, member)

static const struct store_field store_dead_fields[] = {
    STORE_DEAD_MEMBER(STORE_FIELD_INT64, id),
    STORE_DEAD_MEMBER(STORE_FIELD_TEXT, work.tenant),
    STORE_DEAD_MEMBER(STORE_FIELD_TEXT, work.user),
    STORE_DEAD_MEMBER(STORE_FIELD_INT, work.kind),
    STORE_DEAD_MEMBER(STORE_FIELD_TEXT, work.event),
    STORE_DEAD_MEMBER(STORE_FIELD_INT64, work.generation),
    STORE_DEAD_MEMBER(STORE_FIELD_INT, work.hints),
    STORE_DEAD_MEMBER(STORE_FIELD_INT64, work.first_seen_ms),
    STORE_DEAD_MEMBER(STORE_FIELD_INT64, work.due_ms),
    STORE_DEAD_MEMBER(STORE_FIELD_INT64, work.not_before_ms),
    STORE_DEAD_MEMBER(STORE_FIELD_INT, work.attempts),
    STORE_DEAD_MEMBER(STORE_FIELD_INT, work.crashes),
    STORE_DEAD_MEMBER(STORE_FIELD_TEXT, work.reason),
    STORE_DEAD_MEMBER(STORE_FIELD_INT64, died_ms),
    STORE_DEAD_MEMBER(STORE_FIELD_TEXT, reason),
};
enum {
	STORE_DEAD_FIELD_COUNT =
	    sizeof(store_dead_fields) / sizeof(store_dead_fields[0])
};

/* All but the id; a second death of the same row replaces the first. */
static int
store_dead_insert(struct store *s, const struct store_dead *d, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO dead (tenant, user_id, kind, event, generation,"
	    " hints, first_seen_ms, due_ms, not_before_ms, attempts, crashes,"
	    " last_reason, died_ms, reason)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
	    " $13, $14) ON CONFLICT (user_id, tenant, event, kind) DO UPDATE"
	    " SET generation = excluded.generation,"
	    " hints = dead.hints | excluded.hints,"
	    " first_seen_ms = excluded.first_seen_ms,"
	    " due_ms = excluded.due_ms,"
	    " not_before_ms = excluded.not_before_ms,"
	    " attempts = excluded.attempts, crashes = excluded.crashes,"
	    " last_reason = excluded.last_reason,"
	    " died_ms = excluded.died_ms, reason = excluded.reason";
	struct store_value values[STORE_DEAD_FIELD_COUNT];

	store_db_bind(store_dead_fields, STORE_DEAD_FIELD_COUNT, d, values);
	return store_db_run(s, sql, values + 1, STORE_DEAD_FIELD_COUNT - 1, e) <
		0
	    ? -1
	    : 0;
}

static int
store_dead_bury(struct store *s, const struct store_work *w, const char *reason,
    int64_t now_ms, struct err *e)
{
	struct store_lane *lane = store_lane_of(s, w->tenant, w->user, e);
	struct store_dead dead = {.work = *w, .died_ms = now_ms};
	struct store_work now = {0};
	int taken;

	if (lane == NULL)
		return -1;
	taken = store_work_take_out(s, lane, w, &now, e);
	if (taken != 1)
		return taken < 0 ? -1 : 1;
	if (now.generation != w->generation &&
	    store_work_put_back(s, lane, &now, now_ms, now_ms, e) != 0)
		return -1;
	store_db_copy(dead.reason, sizeof(dead.reason), reason);
	if (store_dead_insert(s, &dead, e) != 0)
		return -1;
	return store_lane_refresh(s, lane, e);
}

int
store_work_bury(struct store *s, const struct store_work *w, const char *reason,
    int64_t now_ms, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_dead_bury(s, w, reason, now_ms, e);

	return store_db_leave(s, own, rc, e);
}

struct store_dead_visit {
	int (*each)(const struct store_dead *d, void *arg);
	void *arg;
};

static void
store_dead_advance(const void *row, struct store_value *params)
{
	const struct store_dead *d = row;

	params[0] = STORE_INT(d->id);
}

static int
store_dead_visit(const void *row, void *arg)
{
	const struct store_dead_visit *visit = arg;

	return visit->each(row, visit->arg);
}

int
store_dead_each(struct store *s,
    int (*each)(const struct store_dead *d, void *arg), void *arg,
    struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_DEAD_COLUMNS
	    " FROM dead WHERE id > $1 ORDER BY id LIMIT $2";
	struct store_dead_visit visit = {each, arg};
	struct store_value params[2] = {STORE_INT(0)};
	struct store_walk walk = {.sql = sql,
	    .params = params,
	    .param_count = 2,
	    .fields = store_dead_fields,
	    .field_count = STORE_DEAD_FIELD_COUNT,
	    .row_size = sizeof(struct store_dead),
	    .advance = store_dead_advance,
	    .each = store_dead_visit,
	    .arg = &visit};

	return store_db_walk(s, &walk, e);
}

int
store_dead_find(
    struct store *s, int64_t id, struct store_dead *out, struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_DEAD_COLUMNS " FROM dead WHERE id = $1";

	return store_db_row(s, sql, STORE_WITH(STORE_INT(id)),
	    store_dead_fields, STORE_DEAD_FIELD_COUNT, out, e);
}

int
store_dead_drop(struct store *s, int64_t id, struct err *e)
{
	static const char sql[] = "DELETE FROM dead WHERE id = $1";
	int own = store_db_enter(s, e);
	int rc = -1;

	if (own >= 0)
		rc = (int)store_db_run(s, sql, STORE_WITH(STORE_INT(id)), e);
	return store_db_leave(s, own, rc, e);
}

static int
store_dead_requeue(struct store *s, int64_t id, int64_t now_ms, struct err *e)
{
	struct store_dead dead = {0};
	int rc = store_dead_find(s, id, &dead, e);
	struct store_hint_item item = {dead.work.kind, dead.work.tenant,
	    dead.work.user, dead.work.event, dead.work.hints};

	if (rc != 1)
		return rc;
	if (store_work_add(s, &item, 1, now_ms, 0, e) != 0)
		return -1;
	return store_dead_drop(s, id, e);
}

int
store_dead_replay(struct store *s, int64_t id, int64_t now_ms, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_dead_requeue(s, id, now_ms, e);

	return store_db_leave(s, own, rc, e);
}

int
store_dead_count(struct store *s, int64_t *out, struct err *e)
{
	static const char sql[] = "SELECT count(*) FROM dead";

	return store_db_number(s, sql, NULL, 0, out, e) < 0 ? -1 : 0;
}
