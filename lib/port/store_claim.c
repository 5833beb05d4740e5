/* port/store_claim.c - the queue: which rows are next. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "port/store_claim.h"

enum { STORE_CLAIM_MAX = 500 /* of one transaction */ };

/* A queued row of a lane, as far as claiming needs it. */
struct store_claim_row {
	int64_t id;
	int64_t run_ms;
};

static const struct store_field store_claim_lane_fields[] = {
    STORE_MEMBER(STORE_FIELD_INT64, store_lane, id),
    STORE_MEMBER(STORE_FIELD_INT64, store_lane, head_ms),
    STORE_MEMBER(STORE_FIELD_TEXT, store_lane, tenant),
    STORE_MEMBER(STORE_FIELD_TEXT, store_lane, user),
};

static const struct store_field store_claim_row_fields[] = {
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_row, id),
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_row, run_ms),
};

/* Rows in progress of a lane, and how many of them are other replicas'. */
struct store_claim_busy {
	int64_t rows;
	int64_t others;
};

static const struct store_field store_claim_busy_fields[] = {
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_busy, rows),
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_busy, others),
};

/* A tenant that has lanes, and how it stands in this claim. */
struct store_claim_tenant {
	char tenant[STORE_GUID];
	int64_t head_ms; /* of its lanes, INT64_MAX: none */
	size_t room; /* rows that it may still get */
};

static const struct store_field store_claim_tenant_fields[] = {
    STORE_MEMBER(STORE_FIELD_TEXT, store_claim_tenant, tenant),
    STORE_MEMBER(STORE_FIELD_INT64, store_claim_tenant, head_ms),
};

struct store_claim_tenants {
	struct store_claim_tenant *items;
	size_t count;
};

#define STORE_CLAIM_LANES                                                      \
	"SELECT id, head_ms, tenant, user_id FROM lane"                        \
	" WHERE saturated = 0 AND tenant = $1"
#define STORE_CLAIM_FIRST " ORDER BY head_ms LIMIT 1"

/* The tenant's lane that is first in line: 1, 0 (it has none), -1. Of those
 * that share the store each passes over what another one works on, so that
 * this one need not wait for our claim to make it durable, and what another one
 * holds just now. */
static int
store_claim_lane(
    struct store *s, const char *tenant, struct store_lane *out, struct err *e)
{
	static const char sql[] = STORE_CLAIM_LANES STORE_CLAIM_FIRST;
	static const char shared_sql[] = STORE_CLAIM_LANES
	    " AND NOT EXISTS (SELECT 1 FROM work WHERE work.lane = lane.id"
	    " AND claimed = 1 AND claimed_by <> $2)" STORE_CLAIM_FIRST
	    " FOR UPDATE SKIP LOCKED";
	const struct store_value values[] = {
	    STORE_TEXT(tenant), STORE_INT(s->fence)};
	bool shared = s->driver->shared;

	return store_db_row(s, shared ? shared_sql : sql, values,
	    shared ? 2 : 1, store_claim_lane_fields, 4, out, e);
}

/* Its first two queued rows; the number found, or -1. */
static int
store_claim_heads(struct store *s, const struct store_lane *lane,
    struct store_claim_row rows[2], struct err *e)
{
	static const char sql[] =
	    "SELECT id, run_ms FROM work WHERE lane = $1 AND claimed = 0"
	    " ORDER BY run_ms, id LIMIT 2";
	struct store_cursor *cur =
	    store_db_query(s, sql, STORE_WITH(STORE_INT(lane->id)), e);
	int count = 0;
	int rc = 0;

	if (cur == NULL)
		return -1;
	while (count < 2 && (rc = s->driver->step(cur, e)) == 1)
		store_db_read(
		    s, cur, store_claim_row_fields, 2, &rows[count++]);
	s->driver->finish(cur);
	return rc < 0 ? -1 : count;
}

/* Marks a row and reads it. The hints move aside, so that what comes while it
 * is in progress can be told from what is being worked on. */
static int
store_claim_mark(
    struct store *s, int64_t id, struct store_work *out, struct err *e)
{
	static const char sql[] =
	    "UPDATE work SET claimed = 1, claimed_hints = hints, hints = 0,"
	    " claimed_by = $2 WHERE id = $1"
	    " RETURNING kind, event, generation, claimed_hints,"
	    " first_seen_ms, due_ms, not_before_ms, attempts, crashes, reason";

	return store_db_row(s, sql,
		   STORE_WITH(STORE_INT(id), STORE_INT(s->fence)),
		   store_work_fields, STORE_WORK_FIELD_COUNT, out, e) < 0
	    ? -1
	    : 0;
}

/* Another replica works on the mailbox: what one sync sees to by itself, such
 * as that no two of its tasks are about one conversation, holds only while a
 * mailbox has one at a time. */
static bool
store_claim_is_taken(const struct store *s, const struct store_claim_busy *busy)
{
	return s->driver->shared && busy->others > 0;
}

static int
store_claim_look_busy(struct store *s, const struct store_lane *lane,
    struct store_claim_busy *out, struct err *e)
{
	static const char sql[] =
	    "SELECT count(*), count(CASE WHEN claimed_by <> $2 THEN 1 END)"
	    " FROM work WHERE lane = $1 AND claimed = 1";

	return store_db_row(s, sql,
		   STORE_WITH(STORE_INT(lane->id), STORE_INT(s->fence)),
		   store_claim_busy_fields, 2, out, e) == 1
	    ? 0
	    : -1;
}

static int
store_claim_set_lane(struct store *s, const struct store_lane *lane,
    int64_t head_ms, bool saturated, struct err *e)
{
	static const char sql[] =
	    "UPDATE lane SET head_ms = $2, saturated = $3 WHERE id = $1";

	return store_db_run(s, sql,
		   STORE_WITH(STORE_INT(lane->id), STORE_INT(head_ms),
		       STORE_INT(saturated)),
		   e) < 0
	    ? -1
	    : 0;
}

/* Out of the index until one of its rows in progress has ended. */
static int
store_claim_pass_over(
    struct store *s, const struct store_lane *lane, struct err *e)
{
	static const char sql[] = "UPDATE lane SET saturated = 1 WHERE id = $1";

	return store_db_run(s, sql, STORE_WITH(STORE_INT(lane->id)), e) < 0 ? -1
									    : 0;
}

static int
store_claim_give(struct store *s, const struct store_lane *lane, int64_t id,
    struct store_work *out, struct err *e)
{
	struct store_work w = {0};

	if (store_claim_mark(s, id, &w, e) != 0)
		return -1;
	store_db_copy(w.tenant, sizeof(w.tenant), lane->tenant);
	store_db_copy(w.user, sizeof(w.user), lane->user);
	*out = w;
	return 0;
}

/* One row of the first lane. 1 taken, 0 its head was only a lower bound, which
 * is now exact, -1. */
static int
store_claim_one(struct store *s, const struct store_lane *lane, int64_t now_ms,
    int per_mailbox, struct store_work *out, struct err *e)
{
	struct store_claim_row rows[2] = {{0, 0}, {0, 0}};
	struct store_claim_busy busy = {0, 0};
	int count, due;

	if (store_claim_look_busy(s, lane, &busy, e) != 0)
		return -1;
	if (store_claim_is_taken(s, &busy) || busy.rows >= per_mailbox)
		return store_claim_pass_over(s, lane, e);
	count = store_claim_heads(s, lane, rows, e);
	if (count < 0)
		return -1;
	due = count > 0 && rows[0].run_ms <= now_ms;
	if (due && store_claim_give(s, lane, rows[0].id, out, e) != 0)
		return -1;
	if (store_claim_set_lane(s, lane,
		count > due ? rows[due].run_ms : INT64_MAX,
		busy.rows + due >= per_mailbox, e) != 0)
		return -1;
	return due;
}

/* ---- one of each tenant in turn ---- */

static int
store_claim_compare(const void *one, const void *two)
{
	const struct store_claim_tenant *a = one;
	const struct store_claim_tenant *b = two;

	if (a->head_ms != b->head_ms)
		return a->head_ms < b->head_ms ? -1 : 1;
	return strcmp(a->tenant, b->tenant);
}

/* From one tenant to the next in the index, however many lanes they have. The
 * one whose row is the oldest comes first. */
static int
store_claim_tenants(struct store *s, const struct store_quota *quota,
    struct store_claim_tenants *out, struct err *e)
{
	static const char sql[] =
	    "WITH RECURSIVE t (tenant) AS ("
	    "SELECT min(tenant) FROM lane WHERE saturated = 0 UNION ALL "
	    "SELECT (SELECT min(tenant) FROM lane WHERE saturated = 0"
	    " AND tenant > t.tenant) FROM t WHERE t.tenant IS NOT NULL)"
	    " SELECT tenant, (SELECT head_ms FROM lane WHERE saturated = 0"
	    " AND lane.tenant = t.tenant ORDER BY head_ms LIMIT 1)"
	    " FROM t WHERE tenant IS NOT NULL";
	struct store_cursor *cur = store_db_query(s, sql, NULL, 0, e);
	int rc;

	if (cur == NULL)
		return -1;
	while ((rc = s->driver->step(cur, e)) == 1) {
		struct store_claim_tenant *t;

		out->items = mem_realloc(
		    out->items, (out->count + 1) * sizeof(*out->items));
		t = &out->items[out->count++];
		store_db_read(s, cur, store_claim_tenant_fields, 2, t);
		t->room = quota->room != NULL
		    ? quota->room(t->tenant, quota->arg)
		    : SIZE_MAX;
	}
	s->driver->finish(cur);
	if (out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items),
		    store_claim_compare);
	return rc;
}

/* One row of the tenant, or what its head has become. 1, 0, -1. */
static int
store_claim_of(struct store *s, struct store_claim_tenant *t, int64_t now_ms,
    int per_mailbox, struct store_work *out, struct err *e)
{
	struct store_lane lane = {.head_ms = INT64_MAX};
	int taken = 0;
	int rc = store_claim_lane(s, t->tenant, &lane, e);

	/* Another one has taken what was due of it just now. */
	if (rc == 1 && lane.head_ms > now_ms)
		rc = store_claim_lane(s, t->tenant, &lane, e);
	while (rc == 1 && lane.head_ms <= now_ms && taken == 0) {
		taken = store_claim_one(s, &lane, now_ms, per_mailbox, out, e);
		lane.head_ms = INT64_MAX;
		rc = taken < 0 ? -1 : store_claim_lane(s, t->tenant, &lane, e);
	}
	t->head_ms = lane.head_ms;
	if (rc < 0)
		return -1;
	t->room -= (size_t)taken;
	return taken;
}

/* The number taken, or -1. */
static int
store_claim_round(struct store *s, struct store_claim_tenants *of,
    int64_t now_ms, int per_mailbox, struct store_work *out, size_t limit,
    struct err *e)
{
	size_t taken = 0;

	for (size_t i = 0; i < of->count && taken < limit; i++) {
		struct store_claim_tenant *t = &of->items[i];
		int rc = 0;

		if (t->room > 0 && t->head_ms <= now_ms)
			rc = store_claim_of(
			    s, t, now_ms, per_mailbox, &out[taken], e);
		if (rc < 0)
			return -1;
		taken += (size_t)rc;
	}
	return (int)taken;
}

static int
store_claim_all(struct store *s, int64_t now_ms,
    const struct store_quota *quota, struct store_work *out, size_t limit,
    int64_t *next_ms, struct err *e)
{
	struct store_claim_tenants of = {NULL, 0};
	size_t taken = 0;
	int rc = store_claim_tenants(s, quota, &of, e);

	while (rc >= 0) {
		rc = store_claim_round(s, &of, now_ms, quota->per_mailbox,
		    out + taken, limit - taken, e);
		if (rc <= 0)
			break;
		taken += (size_t)rc;
	}
	*next_ms = INT64_MAX;
	for (size_t i = 0; i < of.count; i++)
		if (of.items[i].room > 0 && of.items[i].head_ms < *next_ms)
			*next_ms = of.items[i].head_ms;
	free(of.items);
	return rc < 0 ? -1 : (int)taken;
}

/* ---- suspects: one at a time, and nothing beside them ---- */

static int
store_claim_suspect(
    struct store *s, struct store_work *out, int64_t *next_ms, struct err *e)
{
	static const char busy_sql[] =
	    "SELECT count(*) FROM work WHERE claimed = 1";
	static const char first_sql[] =
	    "SELECT id, lane FROM work WHERE suspect = 1 ORDER BY id LIMIT 1";
	static const char lane_sql[] =
	    "SELECT id, head_ms, tenant, user_id FROM lane WHERE id = $1";
	struct store_claim_row row = {0, 0};
	struct store_lane lane = {0};
	int64_t busy = 0;
	int rc;

	*next_ms = INT64_MAX;
	if (store_db_number(s, busy_sql, NULL, 0, &busy, e) < 0)
		return -1;
	if (busy > 0)
		return 0;
	rc = store_db_row(
	    s, first_sql, NULL, 0, store_claim_row_fields, 2, &row, e);
	if (rc == 1)
		rc =
		    store_db_row(s, lane_sql, STORE_WITH(STORE_INT(row.run_ms)),
			store_claim_lane_fields, 4, &lane, e);
	if (rc != 1 || store_claim_give(s, &lane, row.id, out, e) != 0)
		return -1;
	return 1;
}

/* ---- claim ---- */

/* Inside a transaction. */
static int
store_claim_take(struct store *s, int64_t now_ms,
    const struct store_quota *quota, struct store_work *out, size_t limit,
    int64_t *next_ms, struct err *e)
{
	struct store_claim_look look = {0};
	int taken = 0;
	int rc = 1;

	if (store_claim_look(s, &look, e) != 0)
		return -1;
	*next_ms = now_ms;
	s->claim_alone = look.suspects > 0;
	if (s->claim_alone && s->beside)
		return 0;
	if (s->claim_alone)
		return store_claim_suspect(s, out, next_ms, e);
	if (!s->beside && store_claim_must_fold(s, &look, now_ms))
		rc = store_claim_fold(s, &look, now_ms, e);
	if (rc < 0)
		return -1;
	if (rc == 1)
		taken =
		    store_claim_all(s, now_ms, quota, out, limit, next_ms, e);
	/* The claim has moved heads behind their back. */
	memset(s->lanes, 0, sizeof(s->lanes));
	if (s->fold_elsewhere && look.arrival_ms <= now_ms)
		look.arrival_ms = now_ms + STORE_ARRIVAL_FOLD_MS;
	if (look.arrival_ms < *next_ms)
		*next_ms = look.arrival_ms;
	return taken;
}

int
store_work_claim(struct store *s, int64_t now_ms,
    const struct store_quota *quota, struct store_work *out, size_t limit,
    int64_t *next_ms, struct err *e)
{
	struct store_claim_look look = {0};
	int own;
	int rc = -1;

	s->claim_alone = false;
	if (store_claim_look(s, &look, e) != 0)
		return -1;
	*next_ms =
	    look.head_ms < look.arrival_ms ? look.head_ms : look.arrival_ms;
	if (limit == 0 || (look.suspects == 0 && *next_ms > now_ms))
		return 0;
	if (limit > STORE_CLAIM_MAX)
		limit = STORE_CLAIM_MAX;
	own = store_db_enter(s, e);
	if (own >= 0)
		rc = store_claim_take(s, now_ms, quota, out, limit, next_ms, e);
	return store_db_leave(s, own, rc, e);
}

bool
store_work_claims_alone(const struct store *s)
{
	return s->claim_alone;
}
