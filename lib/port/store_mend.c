/* port/store_mend.c - see store_mend.h. */
#include "port/store_mend.h"

#include <string.h>

#include "port/store_arrival.h"
#include "rule/renewal.h"

/* A row is due its delay behind the time at which it was first seen, so that
 * alone tells whose clock it was, however long the delay. */
#define STORE_MEND_WRONG                                                       \
	"claimed = 0 AND (first_seen_ms > $1 OR not_before_ms > $2)"
#define STORE_MEND_RANGE " id > $3 AND id <= $4 AND " STORE_MEND_WRONG
#define STORE_MEND_DUE                                                         \
	"CASE WHEN first_seen_ms > $1 AND due_ms > $5 THEN $5 ELSE due_ms END"
_Static_assert(STORE_MAILBOX_PARKED == 1, "the parked mailboxes");

struct store_mend_seen {
	int64_t last;
	int64_t rows, arrivals, parked;
};

#define STORE_MEND_SEEN(member)                                                \
	STORE_MEMBER(STORE_FIELD_INT64, store_mend_seen, member)

static const struct store_field store_mend_seen_fields[] = {
    STORE_MEND_SEEN(last),
    STORE_MEND_SEEN(rows),
    STORE_MEND_SEEN(arrivals),
    STORE_MEND_SEEN(parked),
};

int
store_mend_look(struct store *s, struct store_mend *m, struct err *e)
{
	static const char sql[] =
	    "SELECT COALESCE(max(id), 0), COALESCE(sum(CASE WHEN"
	    " " STORE_MEND_WRONG " THEN 1 ELSE 0 END), 0),"
	    " (SELECT count(*) FROM (SELECT at_ms FROM arrival"
	    " ORDER BY id LIMIT 1) AS first WHERE at_ms > $1),"
	    " (SELECT count(*) FROM mailbox WHERE state = 1"
	    " AND retry_ms > $2 AND retry_ms < $5)"
	    " FROM (SELECT id, claimed, first_seen_ms, not_before_ms FROM work"
	    " WHERE id > $3 ORDER BY id LIMIT $4) AS rows";
	struct store_mend_seen seen = {0};

	if (store_db_row(s, sql,
		STORE_WITH(STORE_INT(m->now_ms + STORE_MEND_SLACK_MS),
		    STORE_INT(m->now_ms + m->wait_max_ms), STORE_INT(m->after),
		    STORE_INT(STORE_MEND_ROWS),
		    STORE_INT(RENEWAL_PARKED_FOR_GOOD_MS)),
		store_mend_seen_fields, 4, &seen, e) < 0)
		return -1;
	m->last = seen.last;
	return seen.rows + seen.arrivals + seen.parked > 0 ? 1 : 0;
}

/* Nothing is folded before the first of them is due. As rows they are the last
 * ones, so this look comes to them yet. */
static int
store_mend_arrivals(
    struct store *s, const struct store_mend *m, int64_t *count, struct err *e)
{
	static const char sql[] =
	    "SELECT at_ms FROM arrival ORDER BY id LIMIT 1";
	int64_t at_ms = 0;
	int folded;

	if (store_db_number(s, sql, NULL, 0, &at_ms, e) < 0)
		return -1;
	if (at_ms <= m->now_ms + STORE_MEND_SLACK_MS)
		return 0;
	folded = store_arrival_fold(s, e);
	*count += folded > 0 ? folded : 0;
	return folded < 0 ? -1 : 0;
}

static int
store_mend_rows(
    struct store *s, const struct store_mend *m, int64_t *count, struct err *e)
{
	/* A head is a lower bound, which the next claim makes exact. */
	static const char lane_sql[] =
	    "UPDATE lane SET head_ms = 0 WHERE id IN"
	    " (SELECT lane FROM work WHERE" STORE_MEND_RANGE ")";
	static const char sql[] =
	    "UPDATE work SET due_ms = " STORE_MEND_DUE
	    ", run_ms = " STORE_MEND_DUE ", not_before_ms = 0,"
	    " first_seen_ms = CASE WHEN first_seen_ms > $1 THEN $5"
	    " ELSE first_seen_ms END WHERE" STORE_MEND_RANGE;
	struct store_value values[] = {
	    STORE_INT(m->now_ms + STORE_MEND_SLACK_MS),
	    STORE_INT(m->now_ms + m->wait_max_ms), STORE_INT(m->after),
	    STORE_INT(m->last), STORE_INT(m->now_ms)};
	int64_t changed;

	if (store_db_run(s, lane_sql, values, 4, e) < 0)
		return -1;
	/* The slots do not know the new heads. */
	memset(s->lanes, 0, sizeof(s->lanes));
	changed = store_db_run(s, sql, values, 5, e);
	*count += changed > 0 ? changed : 0;
	return changed < 0 ? -1 : 0;
}

static int
store_mend_parked(
    struct store *s, const struct store_mend *m, int64_t *count, struct err *e)
{
	static const char sql[] =
	    "UPDATE mailbox SET retry_ms = $2, renew_ms = $2"
	    " WHERE (tenant, user_id) IN (SELECT tenant, user_id FROM mailbox"
	    " WHERE state = 1 AND retry_ms > $1 AND retry_ms < $4 LIMIT $3)";
	int64_t changed = store_db_run(s, sql,
	    STORE_WITH(STORE_INT(m->now_ms + m->wait_max_ms),
		STORE_INT(m->now_ms), STORE_INT(STORE_MEND_ROWS),
		STORE_INT(RENEWAL_PARKED_FOR_GOOD_MS)),
	    e);

	*count += changed > 0 ? changed : 0;
	return changed < 0 ? -1 : 0;
}

int
store_mend_apply(
    struct store *s, const struct store_mend *m, int64_t *count, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_mend_arrivals(s, m, count, e);

	if (rc == 0)
		rc = store_mend_rows(s, m, count, e);
	if (rc == 0)
		rc = store_mend_parked(s, m, count, e);
	return store_db_leave(s, own, rc, e);
}

int
store_mend_links(struct store *s, int64_t now_ms, int64_t *count, struct err *e)
{
	static const char sql[] =
	    "UPDATE link SET announced_ms = $1, check_ms = $1"
	    " WHERE conversation IN (SELECT conversation FROM link"
	    " WHERE check_ms > $1 AND announced_ms > $2 LIMIT $3)";
	int own = store_db_enter(s, e);
	int64_t changed = own < 0
	    ? -1
	    : store_db_run(s, sql,
		  STORE_WITH(STORE_INT(now_ms),
		      STORE_INT(now_ms + STORE_MEND_SLACK_MS),
		      STORE_INT(STORE_MEND_ROWS)),
		  e);

	if (store_db_leave(s, own, changed < 0 ? -1 : 0, e) != 0)
		return -1;
	*count += changed;
	return 0;
}
