/* port/store_retain.c - what is removed: by age, and on request. */
#include "port/store_db.h"
#include "port/store_retain.h"

enum { STORE_RETAIN_ROWS = 500 }; /* of one transaction */

static const char store_retain_links_sql[] =
    "DELETE FROM link WHERE conversation IN (SELECT conversation FROM link"
    " WHERE state IN ($2, $3, $4, $5, $6) AND created_ms < $1"
    " AND synced_ms < $1 AND end_ms < $1 LIMIT $7)";

/* Past, and neither over nor known to be an orphan: nobody waits for its event
 * any more. One that is announced or followed only when nothing is planned for
 * it, and a followed one only if it is known to have had an end. */
static const char store_retain_past_sql[] =
    "DELETE FROM link WHERE conversation IN (SELECT conversation FROM link"
    " WHERE (state = $2 OR (state = $3 AND check_ms = 0)"
    " OR (state = $4 AND check_ms = 0 AND end_ms > 0))"
    " AND created_ms < $1 AND announced_ms < $1 AND synced_ms < $1"
    " AND start_ms < $1 AND end_ms < $1 LIMIT $5)";

static const char store_retain_copies_sql[] =
    "DELETE FROM copy WHERE NOT EXISTS (SELECT 1 FROM link"
    " WHERE link.conversation = copy.conversation)";

static const char store_retain_audit_sql[] =
    "DELETE FROM audit WHERE id IN (SELECT id FROM audit"
    " WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)";

static const char store_retain_throttle_sql[] =
    "DELETE FROM throttle WHERE until_ms < $1";

static const char store_retain_lease_sql[] =
    "DELETE FROM lease WHERE until_ms < $1";

/* One transaction's worth. The number of rows, or -1. */
static int
store_retain_some(struct store *s, int64_t finished_before_ms,
    int64_t audit_before_ms, struct err *e)
{
	int64_t links = store_db_run(s, store_retain_links_sql,
	    STORE_WITH(STORE_INT(finished_before_ms),
		STORE_INT(STORE_LINK_FOREIGN), STORE_INT(STORE_LINK_ENDED),
		STORE_INT(STORE_LINK_KEPT), STORE_INT(STORE_LINK_DELETED),
		STORE_INT(STORE_LINK_ENDED_EARLY),
		STORE_INT(STORE_RETAIN_ROWS)),
	    e);
	int64_t past = -1;
	int64_t audits = -1;

	if (links >= 0)
		past = store_db_run(s, store_retain_past_sql,
		    STORE_WITH(STORE_INT(finished_before_ms),
			STORE_INT(STORE_LINK_UNCONFIRMED),
			STORE_INT(STORE_LINK_ANNOUNCED),
			STORE_INT(STORE_LINK_LINKED),
			STORE_INT(STORE_RETAIN_ROWS)),
		    e);
	if (past >= 0)
		audits = store_db_run(s, store_retain_audit_sql,
		    STORE_WITH(STORE_INT(audit_before_ms),
			STORE_INT(STORE_RETAIN_ROWS)),
		    e);
	if (audits < 0 ||
	    store_db_run(s, store_retain_copies_sql, NULL, 0, e) < 0 ||
	    store_db_run(s, store_retain_throttle_sql,
		STORE_WITH(STORE_INT(finished_before_ms)), e) < 0 ||
	    store_db_run(s, store_retain_lease_sql,
		STORE_WITH(STORE_INT(finished_before_ms)), e) < 0)
		return -1;
	return (int)(links + past + audits);
}

int
store_expire(struct store *s, int64_t finished_before_ms,
    int64_t audit_before_ms, int64_t *removed, struct err *e)
{
	int rc;

	do {
		int own = store_db_enter(s, e);

		rc = own < 0 ? -1
			     : store_retain_some(
				   s, finished_before_ms, audit_before_ms, e);
		rc = store_db_leave(s, own, rc, e);
		if (rc > 0 && removed != NULL)
			*removed += rc;
	} while (rc > 0);
	return rc;
}

static int
store_retain_run(struct store *s, const char *const *sqls, const char *tenant,
    const char *user, struct err *e)
{
	for (; *sqls != NULL; sqls++) {
		if (store_db_run(s, *sqls,
			STORE_WITH(STORE_TEXT(user), STORE_TEXT(tenant)),
			e) < 0)
			return -1;
	}
	return 0;
}

int
store_work_clear(
    struct store *s, const char *tenant, const char *user, struct err *e)
{
	static const char *const sqls[] = {
	    "DELETE FROM arrival WHERE user_id = $1 AND tenant = $2",
	    "DELETE FROM work WHERE claimed = 0 AND lane IN (SELECT id"
	    " FROM lane WHERE user_id = $1 AND tenant = $2)",
	    NULL,
	};
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_retain_run(s, sqls, tenant, user, e);

	return store_db_leave(s, own, rc, e);
}

static int
store_retain_forget(
    struct store *s, const char *tenant, const char *user, struct err *e)
{
	static const char *const sqls[] = {
	    "DELETE FROM arrival WHERE user_id = $1 AND tenant = $2",
	    "DELETE FROM work WHERE lane IN (SELECT id FROM lane"
	    " WHERE user_id = $1 AND tenant = $2)",
	    "DELETE FROM lane WHERE user_id = $1 AND tenant = $2",
	    "DELETE FROM dead WHERE user_id = $1 AND tenant = $2",
	    "DELETE FROM subscription WHERE user_id = $1 AND tenant = $2",
	    "DELETE FROM copy WHERE user_id = $1 AND tenant = $2",
	    "DELETE FROM link WHERE user_id = $1 AND tenant = $2",
	    "DELETE FROM mailbox WHERE user_id = $1 AND tenant = $2",
	    "DELETE FROM throttle WHERE scope = 'graph:' || $2 || '/' || $1"
	    " OR scope = 'told:' || $2 || '/' || $1",
	    "DELETE FROM lease WHERE name = 'mailbox:' || $2 || '/' || $1",
	    "UPDATE audit SET user_id = '', event = ''"
	    " WHERE user_id = $1 AND tenant = $2",
	    NULL,
	};

	return store_retain_run(s, sqls, tenant, user, e);
}

int
store_forget(
    struct store *s, const char *tenant, const char *user, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_retain_forget(s, tenant, user, e);

	return store_db_leave(s, own, rc, e);
}
