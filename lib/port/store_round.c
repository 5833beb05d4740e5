/* port/store_round.c - catch-ups of mailboxes: when the next one is due, and
 * how far the present one has come. */
#include "port/store_db.h"
#include "port/store_due.h"

static const struct store_field store_round_fields[] = {
    STORE_MEMBER(STORE_FIELD_INT64, store_round, begun_ms),
    STORE_MEMBER(STORE_FIELD_INT64, store_round, generation),
    STORE_MEMBER(STORE_FIELD_TEXT, store_round, after),
};

int
store_round_find(struct store *s, const char *tenant, const char *user,
    struct store_round *out, struct err *e)
{
	static const char sql[] =
	    "SELECT round_ms, round_generation, round_after FROM mailbox"
	    " WHERE tenant = $1 AND user_id = $2 AND round_ms > 0";

	return store_db_row(s, sql,
	    STORE_WITH(STORE_TEXT(tenant), STORE_TEXT(user)),
	    store_round_fields, 3, out, e);
}

_Static_assert(STORE_WORK_CATCHUP == 3, "the index of catch-ups");

/* A statement of its own, or of the caller's transaction. Rows changed. */
static int64_t
store_round_run(struct store *s, const char *sql,
    const struct store_value *params, size_t count, struct err *e)
{
	int64_t changed = -1;
	int own = store_db_enter(s, e);

	if (own >= 0)
		changed = store_db_run(s, sql, params, count, e);
	return store_db_leave(s, own, changed < 0 ? -1 : 0, e) < 0 ? -1
								   : changed;
}

int
store_round_save(struct store *s, const char *tenant, const char *user,
    const struct store_round *r, struct err *e)
{
	static const char sql[] =
	    "UPDATE mailbox SET round_ms = $3, round_generation = $4,"
	    " round_after = $5 WHERE tenant = $1 AND user_id = $2";

	return store_round_run(s, sql,
		   STORE_WITH(STORE_TEXT(tenant), STORE_TEXT(user),
		       STORE_INT(r->begun_ms), STORE_INT(r->generation),
		       STORE_TEXT(r->after)),
		   e) < 0
	    ? -1
	    : 0;
}

int
store_mailbox_set_catch_up(struct store *s, const char *tenant,
    const char *user, int64_t at_ms, int64_t next_ms, struct err *e)
{
	/* A parked one is not followed: it has none planned. */
	static const char sql[] =
	    "UPDATE mailbox SET catch_up_ms = $3, round_ms = 0,"
	    " round_generation = 0, round_after = '',"
	    " check_ms = CASE WHEN state = $5 THEN $4 ELSE 0 END"
	    " WHERE tenant = $1 AND user_id = $2";

	return store_round_run(s, sql,
		   STORE_WITH(STORE_TEXT(tenant), STORE_TEXT(user),
		       STORE_INT(at_ms), STORE_INT(next_ms),
		       STORE_INT(STORE_MAILBOX_FOLLOWED)),
		   e) < 0
	    ? -1
	    : 0;
}

int
store_mailbox_hurry(struct store *s, int64_t due_ms, size_t limit,
    int64_t *count, struct err *e)
{
	static const char sql[] =
	    "UPDATE mailbox SET check_ms = $1 WHERE (tenant, user_id) IN ("
	    "SELECT tenant, user_id FROM mailbox WHERE state = 0"
	    " AND (check_ms <= 0 OR check_ms > $1) LIMIT $2)";

	*count = store_round_run(
	    s, sql, STORE_WITH(STORE_INT(due_ms), STORE_INT(limit)), e);
	return *count < 0 ? -1 : 0;
}

int
store_round_repeat_all(struct store *s, struct err *e)
{
	static const char sql[] =
	    "UPDATE work SET generation = generation + 1 WHERE kind = 3";

	return store_round_run(s, sql, NULL, 0, e) < 0 ? -1 : 0;
}

int
store_mailbox_lacks_plan(struct store *s, int64_t latest_ms, struct err *e)
{
	/* Two looks into the index; one condition would be a walk over it. */
	static const char sql[] = "SELECT 1 WHERE EXISTS (SELECT 1 FROM mailbox"
				  " WHERE state = 0 AND check_ms <= 0)"
				  " OR EXISTS (SELECT 1 FROM mailbox"
				  " WHERE state = 0 AND check_ms > $1)";
	int64_t one;

	return store_db_number(
	    s, sql, STORE_WITH(STORE_INT(latest_ms)), &one, e);
}

int
store_mailbox_plan(struct store *s, int64_t latest_ms, int64_t first_ms,
    int64_t span_ms, size_t limit, struct err *e)
{
	/* What the times of their enrolment, or the old plan, have of milli-
	 * seconds spreads them well enough. */
	static const char sql[] =
	    "UPDATE mailbox SET check_ms = $2 + (check_ms + since_ms) % $3"
	    " WHERE (tenant, user_id) IN ("
	    "SELECT tenant, user_id FROM mailbox WHERE state = 0"
	    " AND (check_ms <= 0 OR check_ms > $1) LIMIT $4)";

	return store_round_run(s, sql,
		   STORE_WITH(STORE_INT(latest_ms), STORE_INT(first_ms),
		       STORE_INT(span_ms > 0 ? span_ms : 1), STORE_INT(limit)),
		   e) < 0
	    ? -1
	    : 0;
}
