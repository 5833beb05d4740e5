/* port/store_work.c - the queue: adding, finishing, deferring, releasing. */
#include "port/store_arrival.h"
#include "port/store_beside.h"
#include "port/store_replica.h"

#include <string.h>

const struct store_field store_work_fields[STORE_WORK_FIELD_COUNT] = {
    STORE_MEMBER(STORE_FIELD_INT, store_work, kind),
    STORE_MEMBER(STORE_FIELD_TEXT, store_work, event),
    STORE_MEMBER(STORE_FIELD_INT64, store_work, generation),
    STORE_MEMBER(STORE_FIELD_INT, store_work, hints),
    STORE_MEMBER(STORE_FIELD_INT64, store_work, first_seen_ms),
    STORE_MEMBER(STORE_FIELD_INT64, store_work, due_ms),
    STORE_MEMBER(STORE_FIELD_INT64, store_work, not_before_ms),
    STORE_MEMBER(STORE_FIELD_INT, store_work, attempts),
    STORE_MEMBER(STORE_FIELD_INT, store_work, crashes),
    STORE_MEMBER(STORE_FIELD_TEXT, store_work, reason),
};

/* ---- adding ---- */

/* An existing row that would become due earlier is left for the other
 * statement: this one changes no indexed column of it. A row that was put back
 * after this one arrived was put back for it as well, and waits for its own
 * debounce - unless its times are those of a clock that ran ahead. */
static const char store_work_raise_sql[] =
    "INSERT INTO work (lane, kind, event, generation, hints, claimed_hints,"
    " first_seen_ms, due_ms, not_before_ms, run_ms, claimed, attempts,"
    " suspect, crashes, reason)"
    " VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 0, $7, 0, 0, 0, 0, '')"
    " ON CONFLICT (lane, event, kind) DO UPDATE SET"
    " generation = work.generation + excluded.generation,"
    " hints = work.hints | excluded.hints"
    " WHERE work.due_ms <= excluded.due_ms"
    " OR (work.first_seen_ms > excluded.first_seen_ms"
    " AND work.due_ms - excluded.due_ms <= $8)";

static const char store_work_hasten_sql[] =
    "UPDATE work SET generation = generation + $4, hints = hints | $5,"
    " due_ms = $6, run_ms = CASE WHEN not_before_ms > $6"
    " THEN not_before_ms ELSE $6 END"
    " WHERE lane = $1 AND event = $3 AND kind = $2";

int
store_work_raise(
    struct store *s, const struct store_raise *raise, struct err *e)
{
	const struct store_hint_item *item = &raise->item;
	struct store_lane *lane = store_lane_of(s, item->tenant, item->user, e);
	int64_t changed;

	if (lane == NULL)
		return -1;
	changed = store_db_run(s, store_work_raise_sql,
	    STORE_WITH(STORE_INT(lane->id), STORE_INT(item->kind),
		STORE_TEXT(item->event), STORE_INT(raise->times),
		STORE_INT(item->hints), STORE_INT(raise->first_seen_ms),
		STORE_INT(raise->due_ms), STORE_INT(STORE_ARRIVAL_DELAY_MS)),
	    e);
	if (changed == 0)
		changed = store_db_run(s, store_work_hasten_sql,
		    STORE_WITH(STORE_INT(lane->id), STORE_INT(item->kind),
			STORE_TEXT(item->event), STORE_INT(raise->times),
			STORE_INT(item->hints), STORE_INT(raise->due_ms)),
		    e);
	if (changed < 0)
		return -1;
	return store_lane_lower(s, lane, raise->due_ms, e);
}

static int
store_work_add_rows(struct store *s, const struct store_hint_item *items,
    size_t count, int64_t now_ms, int64_t due_ms, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct store_raise raise = {items[i], 1, now_ms, due_ms};

		if (store_work_raise(s, &raise, e) != 0)
			return -1;
	}
	return 0;
}

int
store_work_add(struct store *s, const struct store_hint_item *items,
    size_t count, int64_t now_ms, int64_t delay_ms, struct err *e)
{
	int64_t due_ms = delay_ms > 0 ? now_ms + delay_ms : now_ms;
	int lean = 0;
	int own;
	int rc;

	if (count == 0)
		return 0;
	own = store_db_enter(s, e);
	/* What arrives is in the order of its due time, which two beside each
	 * other do not keep. */
	if (own >= 0 && !s->beside && delay_ms > 0 &&
	    delay_ms <= STORE_ARRIVAL_DELAY_MS)
		lean = store_arrival_may_add(s, due_ms, e);
	if (own < 0 || lean < 0)
		rc = -1;
	else if (lean)
		rc = store_arrival_add(s, items, count, now_ms, due_ms, e);
	else
		rc = store_work_add_rows(s, items, count, now_ms, due_ms, e);
	return store_db_leave(s, own, rc, e);
}

/* Now and then, that the table stays bounded without a claimer. What was
 * appended stands already. */
static void
store_work_bound(struct store *s, size_t count)
{
	if (!store_arrival_is_to_be_bound(s, count) ||
	    store_arrival_is_long(s, NULL) != 1 ||
	    store_begin_beside(s, NULL, 0, NULL) != 0)
		return;
	if (store_arrival_fold(s, NULL) < 0)
		store_rollback(s);
	else
		(void)store_commit(s, NULL);
}

int
store_work_append(struct store *s, const struct store_hint_item *later,
    size_t later_count, int64_t delay_ms, const struct store_hint_item *now,
    size_t now_count, int64_t now_ms, struct err *e)
{
	/* What is due first stands first. */
	const struct store_append parts[] = {
	    {now, now_count, now_ms}, {later, later_count, now_ms + delay_ms}};
	int own, rc;

	if (s->driver->append != NULL && delay_ms <= STORE_ARRIVAL_DELAY_MS &&
	    !s->in_transaction) {
		rc = s->driver->append(s->conn, parts, 2, now_ms, e);
		if (rc == 0)
			store_work_bound(s, later_count + now_count);
		return rc;
	}
	own = store_db_enter(s, e);
	rc = own < 0 ? -1 : 0;
	if (rc == 0)
		rc = store_work_add(s, later, later_count, now_ms, delay_ms, e);
	if (rc == 0)
		rc = store_work_add(s, now, now_count, now_ms, 0, e);
	return store_db_leave(s, own, rc, e);
}

/* ---- ending ---- */

int
store_work_take_out(struct store *s, struct store_lane *lane,
    const struct store_work *w, struct store_work *now, struct err *e)
{
	static const char sql[] =
	    "DELETE FROM work WHERE lane = $1 AND event = $2 AND kind = $3"
	    " AND claimed = 1 AND claimed_by = $4"
	    " RETURNING kind, event, generation, hints,"
	    " first_seen_ms, due_ms, not_before_ms, attempts, crashes, reason";

	return store_db_row(s, sql,
	    STORE_WITH(STORE_INT(lane->id), STORE_TEXT(w->event),
		STORE_INT(w->kind), STORE_INT(s->fence)),
	    store_work_fields, STORE_WORK_FIELD_COUNT, now, e);
}

int
store_work_put_back(struct store *s, struct store_lane *lane,
    const struct store_work *now, int64_t now_ms, int64_t due_ms, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO work (lane, kind, event, generation, hints,"
	    " claimed_hints, first_seen_ms, due_ms, not_before_ms, run_ms,"
	    " claimed, attempts, suspect, crashes, reason)"
	    " VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, 0, 0, 0, 0, '')";
	int64_t run_ms =
	    now->not_before_ms > due_ms ? now->not_before_ms : due_ms;

	return store_db_run(s, sql,
		   STORE_WITH(STORE_INT(lane->id), STORE_INT(now->kind),
		       STORE_TEXT(now->event), STORE_INT(now->generation),
		       STORE_INT(now->hints), STORE_INT(now_ms),
		       STORE_INT(due_ms), STORE_INT(now->not_before_ms),
		       STORE_INT(run_ms)),
		   e) < 0
	    ? -1
	    : 0;
}

static int
store_work_end(struct store *s, const struct store_work *w, int64_t now_ms,
    int64_t delay_ms, struct err *e)
{
	struct store_lane *lane = store_lane_of(s, w->tenant, w->user, e);
	struct store_work now = {0};
	int taken;

	if (lane == NULL)
		return -1;
	taken = store_work_take_out(s, lane, w, &now, e);
	/* Whose it is by now may have as many in progress as it may. */
	if (taken != 1)
		return taken < 0 ? -1 : 1;
	if (now.generation != w->generation &&
	    store_work_put_back(s, lane, &now, now_ms, now_ms + delay_ms, e) !=
		0)
		return -1;
	return store_lane_refresh(s, lane, e);
}

int
store_work_finish(struct store *s, const struct store_work *w, int64_t now_ms,
    int64_t delay_ms, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_work_end(s, w, now_ms, delay_ms, e);

	return store_db_leave(s, own, rc, e);
}

static int
store_work_return(struct store *s, const struct store_work *w,
    int64_t not_before_ms, const char *reason, struct err *e)
{
	static const char sql[] =
	    "UPDATE work SET claimed = 0, suspect = 0, attempts = $4,"
	    " hints = hints | claimed_hints, claimed_hints = 0, reason = $6,"
	    " not_before_ms = CASE WHEN not_before_ms > $5"
	    " THEN not_before_ms ELSE $5 END,"
	    " run_ms = CASE WHEN not_before_ms > $5 AND not_before_ms > due_ms"
	    " THEN not_before_ms WHEN $5 > due_ms THEN $5 ELSE due_ms END"
	    " WHERE lane = $1 AND event = $2 AND kind = $3 AND claimed = 1"
	    " AND claimed_by = $7";
	struct store_lane *lane = store_lane_of(s, w->tenant, w->user, e);
	char why[STORE_REASON_MAX];
	int64_t changed;

	if (lane == NULL)
		return -1;
	store_db_copy(why, sizeof(why), reason);
	changed = store_db_run(s, sql,
	    STORE_WITH(STORE_INT(lane->id), STORE_TEXT(w->event),
		STORE_INT(w->kind), STORE_INT(w->attempts),
		STORE_INT(not_before_ms), STORE_TEXT(why), STORE_INT(s->fence)),
	    e);
	if (changed <= 0)
		return changed < 0 ? -1 : 1;
	return store_lane_refresh(s, lane, e);
}

int
store_work_defer(struct store *s, const struct store_work *w,
    int64_t not_before_ms, const char *reason, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc =
	    own < 0 ? -1 : store_work_return(s, w, not_before_ms, reason, e);

	return store_db_leave(s, own, rc, e);
}

/* ---- an operator's resume ---- */

/* Some of them, so that a long backlog does not hold the lock. The number, or
 * -1. */
static int
store_work_free(
    struct store *s, const char *tenant, const char *user, struct err *e)
{
	static const char sql[] =
	    "UPDATE work SET not_before_ms = 0, run_ms = due_ms WHERE id IN ("
	    "SELECT id FROM work WHERE lane = $1 AND claimed = 0"
	    " AND not_before_ms > 0 LIMIT 500)";
	struct store_lane *lane = store_lane_of(s, tenant, user, e);
	int64_t changed = -1;

	if (lane != NULL)
		changed =
		    store_db_run(s, sql, STORE_WITH(STORE_INT(lane->id)), e);
	/* Not "refresh": that would forget that the lane is saturated. */
	if (changed > 0 && store_lane_lower(s, lane, 0, e) != 0)
		return -1;
	return (int)changed;
}

int
store_work_release(
    struct store *s, const char *tenant, const char *user, struct err *e)
{
	int rc;

	do {
		int own = store_db_enter(s, e);

		rc = own < 0 ? -1 : store_work_free(s, tenant, user, e);
		rc = store_db_leave(s, own, rc, e);
	} while (rc > 0);
	return rc;
}

/* ---- what they waited for is over ---- */

#define STORE_WORK_HELD                                                        \
	"SELECT work.id FROM work JOIN lane ON lane.id = work.lane"            \
	" WHERE work.id > $1 AND work.claimed = 0"                             \
	" AND work.not_before_ms > 0"                                          \
	" AND substr(work.reason, 1, length($3)) = $3"                         \
	" AND ($2 = '' OR lane.tenant = $2) ORDER BY work.id LIMIT 500"

/* The next of them behind *id, which becomes the last one's. The number, or
 * -1. */
static int64_t
store_work_free_held(struct store *s, const char *tenant, const char *prefix,
    int64_t *id, struct err *e)
{
	static const char last_sql[] =
	    "SELECT max(id) FROM (" STORE_WORK_HELD ") AS held";
	static const char lane_sql[] =
	    "UPDATE lane SET head_ms = 0 WHERE id IN (SELECT lane FROM work"
	    " WHERE id IN (" STORE_WORK_HELD "))";
	static const char free_sql[] =
	    "UPDATE work SET not_before_ms = 0, run_ms = due_ms, reason = ''"
	    " WHERE id IN (" STORE_WORK_HELD ")";
	struct store_value values[] = {
	    STORE_INT(*id), STORE_TEXT(tenant), STORE_TEXT(prefix)};
	int64_t last = 0;

	if (store_db_number(s, last_sql, values, 3, &last, e) < 0 ||
	    store_db_run(s, lane_sql, values, 3, e) < 0)
		return -1;
	*id = last;
	return store_db_run(s, free_sql, values, 3, e);
}

int
store_work_release_held(struct store *s, const char *tenant, const char *prefix,
    int64_t *count, struct err *e)
{
	int64_t total = 0;
	int64_t id = 0;
	int64_t some;

	do {
		int own = store_db_enter(s, e);
		int rc;

		some = own < 0
		    ? -1
		    : store_work_free_held(s, tenant, prefix, &id, e);
		rc = store_db_leave(s, own, some < 0 ? -1 : 0, e);
		if (rc < 0)
			return -1;
		total += some;
	} while (some > 0);
	if (count != NULL)
		*count = total;
	return 0;
}
