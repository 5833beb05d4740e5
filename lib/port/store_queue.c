/* port/store_queue.c - looking at the queue without touching it. */
#include "port/store_work.h"

/* A row of the table with what stands beside it. */
struct store_work_seen {
	int64_t id;
	int in_progress;
	struct store_work work;
};

struct store_work_visit {
	int (*each)(const struct store_work *w, bool in_progress, void *arg);
	void *arg;
	bool stopped;
};

#define STORE_WORK_SEEN(type, member)                                          \
	STORE_MEMBER(type, store_work_seen, member)

static const struct store_field store_work_seen_fields[] = {
    STORE_WORK_SEEN(STORE_FIELD_INT64, id),
    STORE_WORK_SEEN(STORE_FIELD_INT, in_progress),
    STORE_WORK_SEEN(STORE_FIELD_TEXT, work.tenant),
    STORE_WORK_SEEN(STORE_FIELD_TEXT, work.user),
    STORE_WORK_SEEN(STORE_FIELD_INT, work.kind),
    STORE_WORK_SEEN(STORE_FIELD_TEXT, work.event),
    STORE_WORK_SEEN(STORE_FIELD_INT64, work.generation),
    STORE_WORK_SEEN(STORE_FIELD_INT, work.hints),
    STORE_WORK_SEEN(STORE_FIELD_INT64, work.first_seen_ms),
    STORE_WORK_SEEN(STORE_FIELD_INT64, work.due_ms),
    STORE_WORK_SEEN(STORE_FIELD_INT64, work.not_before_ms),
    STORE_WORK_SEEN(STORE_FIELD_INT, work.attempts),
    STORE_WORK_SEEN(STORE_FIELD_INT, work.crashes),
    STORE_WORK_SEEN(STORE_FIELD_TEXT, work.reason),
};

static void
store_work_advance(const void *row, struct store_value *params)
{
	const struct store_work_seen *seen = row;

	params[0] = STORE_INT(seen->id);
}

static int
store_work_visit(const void *row, void *arg)
{
	const struct store_work_seen *seen = row;
	struct store_work_visit *visit = arg;
	int rc = visit->each(&seen->work, seen->in_progress != 0, visit->arg);

	visit->stopped = rc > 0;
	return rc;
}

static int
store_work_walk(struct store *s, const char *sql, const char *tenant,
    const char *user, struct store_work_visit *visit, struct err *e)
{
	struct store_value params[4] = {
	    STORE_INT(0), STORE_TEXT(user), STORE_TEXT(tenant)};
	struct store_walk walk = {.sql = sql,
	    .params = params,
	    .param_count = tenant != NULL ? 4 : 2,
	    .fields = store_work_seen_fields,
	    .field_count = sizeof(store_work_seen_fields) /
		sizeof(store_work_seen_fields[0]),
	    .row_size = sizeof(struct store_work_seen),
	    .advance = store_work_advance,
	    .each = store_work_visit,
	    .arg = visit};

	return store_db_walk(s, &walk, e);
}

#define STORE_WORK_SEEN_SQL                                                    \
	"SELECT work.id, work.claimed, lane.tenant, lane.user_id,"             \
	" " STORE_WORK_COLUMNS                                                 \
	" FROM work JOIN lane ON lane.id = work.lane WHERE work.id > $1"
#define STORE_ARRIVAL_SEEN_SQL                                                 \
	"SELECT id, 0, tenant, user_id, kind, event, 1, hints, at_ms,"         \
	" due_ms, 0, 0, 0, '' FROM arrival WHERE id > $1"

int
store_work_each(struct store *s, const char *tenant, const char *user,
    int (*each)(const struct store_work *w, bool in_progress, void *arg),
    void *arg, struct err *e)
{
	static const char work_all_sql[] =
	    STORE_WORK_SEEN_SQL " ORDER BY work.id LIMIT $2";
	static const char work_one_sql[] =
	    STORE_WORK_SEEN_SQL " AND lane.user_id = $2 AND lane.tenant = $3"
				" ORDER BY work.id LIMIT $4";
	static const char arrival_all_sql[] =
	    STORE_ARRIVAL_SEEN_SQL " ORDER BY id LIMIT $2";
	static const char arrival_one_sql[] = STORE_ARRIVAL_SEEN_SQL
	    " AND user_id = $2 AND tenant = $3 ORDER BY id LIMIT $4";
	struct store_work_visit visit = {each, arg, false};
	bool all = tenant == NULL;

	if (store_work_walk(s, all ? work_all_sql : work_one_sql, tenant, user,
		&visit, e) != 0)
		return -1;
	if (visit.stopped)
		return 0;
	return store_work_walk(s, all ? arrival_all_sql : arrival_one_sql,
	    tenant, user, &visit, e);
}

static const struct store_field store_work_totals_fields[] = {
    STORE_MEMBER(STORE_FIELD_INT64, store_work_totals, rows),
    STORE_MEMBER(STORE_FIELD_INT64, store_work_totals, in_progress),
    STORE_MEMBER(STORE_FIELD_INT64, store_work_totals, oldest_first_seen_ms),
};

int
store_work_totals(struct store *s, struct store_work_totals *out, struct err *e)
{
	/* Counted in the small partial indexes. The lowest ids are the oldest
	 * rows; a row that was put back has a new one. One that is planned for
	 * later ages from then on: among so many some are not. */
	static const char sql[] =
	    "SELECT (SELECT count(*) FROM work WHERE claimed = 0)"
	    " + (SELECT count(*) FROM work WHERE claimed = 1)"
	    " + (SELECT count(*) FROM arrival),"
	    " (SELECT count(*) FROM work WHERE claimed = 1),"
	    " COALESCE((SELECT min(seen) FROM ("
	    "SELECT CASE WHEN due_ms > first_seen_ms THEN due_ms"
	    " ELSE first_seen_ms END AS seen FROM"
	    " (SELECT first_seen_ms, due_ms FROM work"
	    " ORDER BY id LIMIT 1000) w"
	    " UNION ALL SELECT due_ms FROM"
	    " (SELECT due_ms FROM arrival ORDER BY id LIMIT 1000) a) oldest),"
	    " 0)";

	return store_db_row(
		   s, sql, NULL, 0, store_work_totals_fields, 3, out, e) < 0
	    ? -1
	    : 0;
}
