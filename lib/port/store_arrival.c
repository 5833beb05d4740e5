/* port/store_arrival.c - see store_arrival.h. */
#include "port/store_arrival.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { STORE_ARRIVAL_LOOK = 250 }; /* adds between two looks at the backlog */

struct store_arrival {
	int64_t at_ms;
	int64_t due_ms;
	int kind;
	int hints;
	char tenant[STORE_GUID], user[STORE_GUID];
	char event[STORE_ID_MAX];
};

#define STORE_ARRIVAL_MEMBER(type, member)                                     \
	STORE_MEMBER(type, store_arrival, member)

static const struct store_field store_arrival_fields[] = {
    STORE_ARRIVAL_MEMBER(STORE_FIELD_INT64, at_ms),
    STORE_ARRIVAL_MEMBER(STORE_FIELD_INT64, due_ms),
    STORE_ARRIVAL_MEMBER(STORE_FIELD_INT, kind),
    STORE_ARRIVAL_MEMBER(STORE_FIELD_INT, hints),
    STORE_ARRIVAL_MEMBER(STORE_FIELD_TEXT, tenant),
    STORE_ARRIVAL_MEMBER(STORE_FIELD_TEXT, user),
    STORE_ARRIVAL_MEMBER(STORE_FIELD_TEXT, event),
};
enum {
	STORE_ARRIVAL_FIELD_COUNT =
	    sizeof(store_arrival_fields) / sizeof(store_arrival_fields[0])
};

/* Of a row that is there already: its time stays, see store_work_raise(). */
#define STORE_ARRIVAL_KEEPS                                                    \
	"w.due_ms <= excluded.due_ms"                                          \
	" OR (w.first_seen_ms > excluded.first_seen_ms"                        \
	" AND w.due_ms - excluded.due_ms <= $2)"

/* ---- adding ---- */

bool
store_arrival_is_to_be_bound(struct store *s, size_t count)
{
	s->appended += count;
	if (s->appended < STORE_ARRIVAL_LOOK)
		return false;
	s->appended = 0;
	return true;
}

int
store_arrival_is_long(struct store *s, struct err *e)
{
	static const char sql[] =
	    "SELECT COALESCE((SELECT id FROM arrival ORDER BY id DESC LIMIT 1)"
	    " - (SELECT id FROM arrival ORDER BY id LIMIT 1), 0)";
	int64_t backlog = 0;

	if (store_db_number(s, sql, NULL, 0, &backlog, e) < 0)
		return -1;
	return backlog > STORE_ARRIVAL_BACKLOG;
}

/* When the last one is due, INT64_MIN without any. */
static int
store_arrival_last(struct store *s, int64_t *out, struct err *e)
{
	static const char sql[] =
	    "SELECT due_ms FROM arrival ORDER BY id DESC LIMIT 1";

	*out = INT64_MIN;
	return store_db_number(s, sql, NULL, 0, out, e) < 0 ? -1 : 0;
}

int
store_arrival_may_add(struct store *s, int64_t due_ms, struct err *e)
{
	int64_t last_ms;

	if (store_arrival_last(s, &last_ms, e) != 0)
		return -1;
	/* The clock was set back, or the delay has become shorter. */
	if (last_ms > due_ms &&
	    (store_arrival_fold(s, e) < 0 ||
		store_arrival_last(s, &last_ms, e) != 0))
		return -1;
	return last_ms <= due_ms;
}

int
store_arrival_add(struct store *s, const struct store_hint_item *items,
    size_t count, int64_t now_ms, int64_t due_ms, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO arrival (tenant, user_id, kind, event, hints, at_ms,"
	    " due_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
	int is_long;

	for (size_t i = 0; i < count; i++) {
		if (store_db_run(s, sql,
			STORE_WITH(STORE_TEXT(items[i].tenant),
			    STORE_TEXT(items[i].user), STORE_INT(items[i].kind),
			    STORE_TEXT(items[i].event),
			    STORE_INT(items[i].hints), STORE_INT(now_ms),
			    STORE_INT(due_ms)),
			e) < 0)
			return -1;
	}
	if (!store_arrival_is_to_be_bound(s, count))
		return 0;
	is_long = store_arrival_is_long(s, e);
	return is_long < 0 || (is_long && store_arrival_fold(s, e) < 0) ? -1
									: 0;
}

/* ---- folding ---- */

/* In the order of the queue's key, so that equals are neighbours and the
 * pages of the index are visited one after the other. */
static int
store_arrival_compare(const void *one, const void *two)
{
	const struct store_arrival *a = one;
	const struct store_arrival *b = two;
	int order = strcmp(a->user, b->user);

	if (order == 0)
		order = strcmp(a->tenant, b->tenant);
	if (order == 0)
		order = strcmp(a->event, b->event);
	if (order == 0)
		order = a->kind - b->kind;
	return order;
}

/* Takes the oldest ones out. Their number, or -1. */
static int
store_arrival_take(struct store *s, struct store_arrival *out, struct err *e)
{
	static const char sql[] =
	    "DELETE FROM arrival WHERE id IN"
	    " (SELECT id FROM arrival ORDER BY id LIMIT $1)"
	    " RETURNING at_ms, due_ms, kind, hints, tenant, user_id,"
	    " event";
	struct store_cursor *cur = store_db_query(
	    s, sql, STORE_WITH(STORE_INT(STORE_ARRIVAL_FOLD)), e);
	int count = 0;
	int rc;

	if (cur == NULL)
		return -1;
	while (
	    (rc = s->driver->step(cur, e)) == 1 && count < STORE_ARRIVAL_FOLD)
		store_db_read(s, cur, store_arrival_fields,
		    STORE_ARRIVAL_FIELD_COUNT, &out[count++]);
	s->driver->finish(cur);
	return rc < 0 ? -1 : count;
}

/* One queue row from the equals at the front of rows. How many they are, or
 * -1. */
static int
store_arrival_fold_equals(
    struct store *s, const struct store_arrival *rows, int count, struct err *e)
{
	struct store_raise raise = {.item = {rows[0].kind, rows[0].tenant,
					rows[0].user, rows[0].event, 0},
	    .first_seen_ms = rows[0].at_ms,
	    .due_ms = rows[0].due_ms};
	int at = 0;

	do {
		raise.times++;
		raise.item.hints |= (unsigned)rows[at].hints;
		if (rows[at].at_ms < raise.first_seen_ms)
			raise.first_seen_ms = rows[at].at_ms;
		if (rows[at].due_ms < raise.due_ms)
			raise.due_ms = rows[at].due_ms;
		at++;
	} while (at < count && store_arrival_compare(&rows[0], &rows[at]) == 0);
	return store_work_raise(s, &raise, e) == 0 ? at : -1;
}

/*
 * The same in one statement, where each is a round trip: as store_work_raise()
 * and store_lane_lower() do it. Data of the parts of one statement are seen
 * through their RETURNING only. Beside others it waits for nobody but who makes
 * the same lane, in the order of their names: what another one holds, an
 * arrival or a lane, is left for the next time. What it raises it raises behind
 * the lane's lock.
 */
static const char store_arrival_fold_sql[] =
    "WITH oldest AS MATERIALIZED (SELECT id, tenant, user_id FROM arrival"
    " ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED),"
    " held AS MATERIALIZED (SELECT tenant, user_id FROM lane"
    " WHERE (user_id, tenant) IN (SELECT user_id, tenant FROM oldest)"
    " FOR UPDATE SKIP LOCKED),"
    " taken AS (DELETE FROM arrival WHERE id IN (SELECT id FROM oldest"
    " WHERE (user_id, tenant) IN (SELECT user_id, tenant FROM held)"
    " OR NOT EXISTS (SELECT 1 FROM lane WHERE lane.user_id = oldest.user_id"
    " AND lane.tenant = oldest.tenant))"
    " RETURNING tenant, user_id, kind, event, hints, at_ms, due_ms),"
    " equals AS (SELECT tenant, user_id, kind, event, count(*) AS times,"
    " bit_or(hints) AS hints, min(at_ms) AS at_ms, min(due_ms) AS due_ms"
    " FROM taken GROUP BY tenant, user_id, kind, event),"
    " lanes AS (INSERT INTO lane AS l (tenant, user_id, head_ms, saturated)"
    " SELECT tenant, user_id, min(due_ms), 0 FROM equals"
    " GROUP BY tenant, user_id ORDER BY user_id, tenant"
    " ON CONFLICT (user_id, tenant) DO UPDATE SET"
    " head_ms = CASE WHEN l.head_ms < excluded.head_ms THEN l.head_ms"
    " ELSE excluded.head_ms END RETURNING id, tenant, user_id),"
    " raised AS (INSERT INTO work AS w (lane, kind, event, generation, hints,"
    " claimed_hints, first_seen_ms, due_ms, not_before_ms, run_ms, claimed,"
    " attempts, suspect, crashes, reason)"
    " SELECT lanes.id, kind, event, times, hints, 0, at_ms, due_ms, 0, due_ms,"
    " 0, 0, 0, 0, '' FROM equals JOIN lanes USING (tenant, user_id)"
    " ON CONFLICT (lane, event, kind) DO UPDATE SET"
    " generation = w.generation + excluded.generation,"
    " hints = w.hints | excluded.hints,"
    " due_ms = CASE WHEN " STORE_ARRIVAL_KEEPS " THEN w.due_ms"
    " ELSE excluded.due_ms END,"
    " run_ms = CASE WHEN " STORE_ARRIVAL_KEEPS " THEN w.run_ms"
    " WHEN w.not_before_ms > excluded.due_ms THEN w.not_before_ms"
    " ELSE excluded.due_ms END)"
    " SELECT count(*) FROM taken";

static int
store_arrival_fold_at_once(struct store *s, struct err *e)
{
	int64_t count = 0;

	if (store_db_number(s, store_arrival_fold_sql,
		STORE_WITH(STORE_INT(STORE_ARRIVAL_FOLD),
		    STORE_INT(STORE_ARRIVAL_DELAY_MS)),
		&count, e) < 0)
		return -1;
	/* It has lowered heads behind their back. */
	memset(s->lanes, 0, sizeof(s->lanes));
	return (int)count;
}

static int
store_arrival_fold_each(struct store *s, struct err *e)
{
	struct store_arrival *rows =
	    mem_calloc(STORE_ARRIVAL_FOLD, sizeof(*rows));
	int count = store_arrival_take(s, rows, e);
	int rc = count;

	if (count > 1)
		qsort(
		    rows, (size_t)count, sizeof(*rows), store_arrival_compare);
	for (int at = 0; at < count;) {
		int equals =
		    store_arrival_fold_equals(s, rows + at, count - at, e);

		if (equals < 0) {
			rc = -1;
			break;
		}
		at += equals;
	}
	free(rows);
	return rc;
}

int
store_arrival_fold(struct store *s, struct err *e)
{
	return s->driver->shared ? store_arrival_fold_at_once(s, e)
				 : store_arrival_fold_each(s, e);
}
