/* port/store_brake.c - see store_brake.h. */
#include "port/store_brake.h"

#include "port/store_db.h"

static const struct store_field store_brake_fields[] = {
    STORE_MEMBER(STORE_FIELD_INT64, store_deletions, in_mailbox),
    STORE_MEMBER(STORE_FIELD_INT64, store_deletions, in_tenant),
};

int
store_deletions_count(struct store *s, const struct store_link *of,
    int64_t since_ms, int64_t begun_ms, struct store_deletions *out,
    struct err *e)
{
	/* In one statement, or what ends in between is seen nowhere. */
	static const char sql[] =
	    "SELECT COALESCE(sum(CASE WHEN user_id = $2 THEN 1 ELSE 0 END), 0),"
	    " count(*) FROM (SELECT user_id FROM audit WHERE tenant = $1"
	    " AND at_ms >= $3 AND action = 'delete' AND outcome = 'done'"
	    " UNION ALL SELECT user_id FROM link WHERE tenant = $1"
	    " AND writing = 'delete' AND writing_ms >= $4"
	    " AND conversation <> $5) AS deletions";

	return store_db_row(s, sql,
		   STORE_WITH(STORE_TEXT(of->tenant), STORE_TEXT(of->user),
		       STORE_INT(since_ms), STORE_INT(begun_ms),
		       STORE_TEXT(of->conversation)),
		   store_brake_fields, 2, out, e) < 0
	    ? -1
	    : 0;
}
