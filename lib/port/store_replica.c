/* port/store_replica.c - see store_replica.h. */
#include "port/store_replica.h"

#include "port/store_work.h"

/* The database's clock: those of the replicas may differ. */
static int
store_replica_now(struct store *s, int64_t *out, struct err *e)
{
	if (!s->driver->shared)
		return err_set(
		    e, ERR_REFUSED, "store: only one sync can use it");
	return s->driver->now(s->conn, out, e);
}

/* Nobody's lease ends later than one that is taken now, unless the database's
 * clock was ahead then. It is cut, not ended: whoever lives renews it in time,
 * and by its own clock it can not be shorter than that. */
static int
store_replica_bury(struct store *s, int64_t now_ms, bool crashed,
    int64_t *count, struct err *e)
{
	static const char cut_sql[] =
	    "UPDATE replica SET until_ms = $1 WHERE until_ms > $1";
	static const char sql[] = "DELETE FROM replica WHERE until_ms <= $1";

	if (store_db_run(s, cut_sql,
		STORE_WITH(STORE_INT(now_ms + STORE_REPLICA_LIFE_MS)), e) < 0 ||
	    store_db_run(s, sql, STORE_WITH(STORE_INT(now_ms)), e) < 0)
		return -1;
	return store_work_requeue(s, crashed, count, e);
}

static int
store_replica_enter(struct store *s, const char *name, bool crashed,
    int64_t *fence, int64_t *count, struct err *e)
{
	static const char old_sql[] = "DELETE FROM replica WHERE name = $1";
	static const char new_sql[] =
	    "INSERT INTO replica (name, until_ms) VALUES ($1, $2)"
	    " RETURNING id";
	int64_t now_ms;

	if (store_replica_now(s, &now_ms, e) != 0 ||
	    store_db_run(s, old_sql, STORE_WITH(STORE_TEXT(name)), e) < 0 ||
	    store_replica_bury(s, now_ms, crashed, count, e) != 0)
		return -1;
	return store_db_number(s, new_sql,
		   STORE_WITH(STORE_TEXT(name),
		       STORE_INT(now_ms + STORE_REPLICA_LIFE_MS)),
		   fence, e) == 1
	    ? 0
	    : -1;
}

int
store_replica_join(struct store *s, const char *name, bool crashed,
    int64_t *count, struct err *e)
{
	int64_t fence = 0;
	int own, rc;

	s->fence = 0;
	s->fence_lost = false;
	own = store_db_enter(s, e);
	rc = own < 0 ? -1
		     : store_replica_enter(s, name, crashed, &fence, count, e);
	rc = store_db_leave(s, own, rc, e);
	if (rc == 0)
		s->fence = fence;
	return rc;
}

static int
store_replica_renew(struct store *s, int64_t *count, struct err *e)
{
	static const char sql[] =
	    "UPDATE replica SET until_ms = $2 WHERE id = $1";
	int64_t now_ms;

	if (store_replica_now(s, &now_ms, e) != 0 ||
	    store_db_run(s, sql,
		STORE_WITH(STORE_INT(s->fence),
		    STORE_INT(now_ms + STORE_REPLICA_LIFE_MS)),
		e) < 0)
		return -1;
	return store_replica_bury(s, now_ms, false, count, e);
}

int
store_replica_beat(struct store *s, int64_t *count, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_replica_renew(s, count, e);

	return store_db_leave(s, own, rc, e);
}

static int
store_replica_resign(struct store *s, struct err *e)
{
	static const char sql[] = "DELETE FROM replica WHERE id = $1";

	if (store_db_run(s, sql, STORE_WITH(STORE_INT(s->fence)), e) < 0)
		return -1;
	return store_work_requeue(s, false, NULL, e);
}

int
store_replica_leave(struct store *s, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_replica_resign(s, e);

	rc = store_db_leave(s, own, rc, e);
	if (rc == 0)
		s->fence = 0;
	return rc;
}

int64_t
store_replica_fence(const struct store *s)
{
	return s->fence;
}

void
store_replica_resume(struct store *s, int64_t fence)
{
	s->fence = fence;
	s->fence_lost = false;
}

bool
store_replica_is_lost(const struct store *s)
{
	return s->fence_lost;
}

int
store_replica_count(struct store *s, int64_t *out, struct err *e)
{
	static const char sql[] =
	    "SELECT count(*) FROM replica WHERE until_ms > $1";
	int64_t now_ms;

	if (store_replica_now(s, &now_ms, e) != 0)
		return -1;
	return store_db_number(s, sql, STORE_WITH(STORE_INT(now_ms)), out, e) <
		0
	    ? -1
	    : 0;
}

int
store_work_is_due(struct store *s, int64_t now_ms, struct err *e)
{
	static const char sql[] =
	    "SELECT 1 WHERE EXISTS (SELECT 1 FROM lane WHERE saturated = 0"
	    " AND head_ms <= $1) OR EXISTS (SELECT 1 FROM work"
	    " WHERE suspect = 1) OR (SELECT due_ms FROM arrival ORDER BY id"
	    " LIMIT 1) <= $1";
	int64_t one;

	return store_db_number(s, sql, STORE_WITH(STORE_INT(now_ms)), &one, e);
}
