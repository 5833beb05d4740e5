/* port/store_subscription.c - our subscriptions at Graph. */
#include "port/store_db.h"
#include "port/store_renewal.h"
#include "rule/subscription.h"

#define STORE_SUBSCRIPTION_COLUMNS                                             \
	"tenant, user_id, client_state_hash, id, granted_ms, expires_ms,"      \
	" requested_life_ms, created_ms, notification_url, resource,"          \
	" application, addin, no_lifecycle"
#define STORE_SUBSCRIPTION_PLACES                                              \
	"$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13"

#define STORE_SUBSCRIPTION_MEMBER(type, member)                                \
	STORE_MEMBER(type, store_subscription, member)

static const struct store_field store_subscription_fields[] = {
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_TEXT, tenant),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_TEXT, user),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_TEXT, client_state_hash),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_TEXT, id),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_INT64, granted_ms),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_INT64, expires_ms),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_INT64, requested_life_ms),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_INT64, created_ms),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_TEXT, notification_url),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_TEXT, resource),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_TEXT, application),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_TEXT, addin),
    STORE_SUBSCRIPTION_MEMBER(STORE_FIELD_BOOL, no_lifecycle),
};
enum {
	STORE_SUBSCRIPTION_FIELD_COUNT = sizeof(store_subscription_fields) /
	    sizeof(store_subscription_fields[0])
};

/* With what Graph answered: the row may have been lost or never written. */
static const char store_subscription_grant_sql[] =
    "INSERT INTO subscription (" STORE_SUBSCRIPTION_COLUMNS ")"
    " VALUES (" STORE_SUBSCRIPTION_PLACES ")"
    " ON CONFLICT (client_state_hash) DO UPDATE SET id = excluded.id,"
    " granted_ms = excluded.granted_ms, expires_ms = excluded.expires_ms,"
    " requested_life_ms = excluded.requested_life_ms,"
    " created_ms = excluded.created_ms";

static int
store_subscription_write(struct store *s, const char *sql,
    const struct store_subscription *sub, struct err *e)
{
	struct store_value values[STORE_SUBSCRIPTION_FIELD_COUNT];

	store_db_bind(store_subscription_fields, STORE_SUBSCRIPTION_FIELD_COUNT,
	    sub, values);
	return store_db_run(s, sql, values, STORE_SUBSCRIPTION_FIELD_COUNT, e) <
		0
	    ? -1
	    : 0;
}

int
store_subscription_add_pending(
    struct store *s, const struct store_subscription *sub, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO subscription (" STORE_SUBSCRIPTION_COLUMNS ")"
	    " VALUES (" STORE_SUBSCRIPTION_PLACES ")"
	    " ON CONFLICT (client_state_hash) DO NOTHING";
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_subscription_write(s, sql, sub, e);

	return store_db_leave(s, own, rc, e);
}

/* Pending ones that Graph would have ended by now if it had made them. */
static int
store_subscription_bury(struct store *s, const struct store_subscription *of,
    int64_t now_ms, struct err *e)
{
	static const char sql[] =
	    "DELETE FROM subscription WHERE user_id = $1 AND tenant = $2"
	    " AND granted_ms = 0 AND created_ms + $4 < $3"
	    " AND created_ms + requested_life_ms + $4 < $3";

	return store_db_run(s, sql,
		   STORE_WITH(STORE_TEXT(of->user), STORE_TEXT(of->tenant),
		       STORE_INT(now_ms), STORE_INT(SUBSCRIPTION_LATE_MS)),
		   e) < 0
	    ? -1
	    : 0;
}

static int
store_subscription_count(struct store *s, const struct store_subscription *but,
    int64_t now_ms, int64_t *count, int64_t *last_ms, struct err *e)
{
	static const char count_sql[] =
	    "SELECT count(*) FROM subscription WHERE user_id = $1"
	    " AND tenant = $2 AND granted_ms = 0 AND client_state_hash <> $3";
	/* A clock that ran ahead has said nothing of when it was. */
	static const char last_sql[] =
	    "SELECT COALESCE(max(created_ms), 0) FROM subscription"
	    " WHERE user_id = $1 AND tenant = $2 AND granted_ms = 0"
	    " AND client_state_hash <> $3 AND created_ms <= $4";
	const struct store_value values[] = {STORE_TEXT(but->user),
	    STORE_TEXT(but->tenant), STORE_TEXT(but->client_state_hash),
	    STORE_INT(now_ms)};

	if (store_db_number(s, count_sql, values, 3, count, e) < 0 ||
	    store_db_number(s, last_sql, values, 4, last_ms, e) < 0)
		return -1;
	return 0;
}

int
store_subscription_unanswered(struct store *s,
    const struct store_subscription *but, int64_t now_ms, int64_t *count,
    int64_t *last_ms, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_subscription_bury(s, but, now_ms, e);

	if (rc == 0)
		rc =
		    store_subscription_count(s, but, now_ms, count, last_ms, e);
	return store_db_leave(s, own, rc, e);
}

static int
store_subscription_grant(
    struct store *s, const struct store_subscription *sub, struct err *e)
{
	/* A pending one that is newer may be being made. Of those that were
	 * granted this is the last, whatever the clock said when they were. */
	static const char older_sql[] =
	    "DELETE FROM subscription WHERE user_id = $1 AND tenant = $2"
	    " AND client_state_hash <> $3 AND (granted_ms > 0"
	    " OR created_ms <= (SELECT n.created_ms FROM subscription n"
	    " WHERE n.client_state_hash = $3))";

	if (store_subscription_write(s, store_subscription_grant_sql, sub, e) !=
		0 ||
	    store_subscription_bury(s, sub, sub->granted_ms, e) != 0)
		return -1;
	return store_db_run(s, older_sql,
		   STORE_WITH(STORE_TEXT(sub->user), STORE_TEXT(sub->tenant),
		       STORE_TEXT(sub->client_state_hash)),
		   e) < 0
	    ? -1
	    : 0;
}

int
store_subscription_granted(
    struct store *s, const struct store_subscription *sub, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_subscription_grant(s, sub, e);

	return store_db_leave(s, own, rc, e);
}

int
store_subscription_remove(
    struct store *s, const char *client_state_hash, struct err *e)
{
	static const char sql[] =
	    "DELETE FROM subscription WHERE client_state_hash = $1";
	int own = store_db_enter(s, e);
	int rc = -1;

	if (own >= 0 &&
	    store_db_run(
		s, sql, STORE_WITH(STORE_TEXT(client_state_hash)), e) >= 0)
		rc = 0;
	return store_db_leave(s, own, rc, e);
}

static int
store_subscription_find(struct store *s, const char *sql,
    const struct store_value *params, size_t count,
    struct store_subscription *out, struct err *e)
{
	return store_db_row(s, sql, params, count, store_subscription_fields,
	    STORE_SUBSCRIPTION_FIELD_COUNT, out, e);
}

int
store_subscription_of(struct store *s, const char *tenant, const char *user,
    struct store_subscription *out, struct err *e)
{
	/* granted_ms is 0 while pending. */
	static const char sql[] =
	    "SELECT " STORE_SUBSCRIPTION_COLUMNS
	    " FROM subscription WHERE user_id = $1 AND tenant = $2"
	    " ORDER BY granted_ms DESC, created_ms DESC LIMIT 1";

	return store_subscription_find(
	    s, sql, STORE_WITH(STORE_TEXT(user), STORE_TEXT(tenant)), out, e);
}

int
store_subscription_by_id(struct store *s, const char *id,
    struct store_subscription *out, struct err *e)
{
	static const char sql[] = "SELECT " STORE_SUBSCRIPTION_COLUMNS
				  " FROM subscription WHERE id = $1 LIMIT 1";

	if (id[0] == '\0')
		return 0;
	return store_subscription_find(
	    s, sql, STORE_WITH(STORE_TEXT(id)), out, e);
}

int
store_subscription_by_client_state(struct store *s,
    const char *client_state_hash, struct store_subscription *out,
    struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_SUBSCRIPTION_COLUMNS
	    " FROM subscription WHERE client_state_hash = $1";

	return store_subscription_find(
	    s, sql, STORE_WITH(STORE_TEXT(client_state_hash)), out, e);
}

int
store_subscription_set_no_lifecycle(
    struct store *s, const char *client_state_hash, struct err *e)
{
	static const char sql[] = "UPDATE subscription SET no_lifecycle = 1"
				  " WHERE client_state_hash = $1";
	int own = store_db_enter(s, e);
	int rc = -1;

	if (own >= 0 &&
	    store_db_run(
		s, sql, STORE_WITH(STORE_TEXT(client_state_hash)), e) >= 0)
		rc = 0;
	return store_db_leave(s, own, rc, e);
}

int
store_subscription_nearest(struct store *s, int64_t *expires_ms, struct err *e)
{
	static const char sql[] =
	    "SELECT expires_ms FROM subscription WHERE granted_ms > 0"
	    " ORDER BY expires_ms LIMIT 1";
	int rc = store_db_number(s, sql, NULL, 0, expires_ms, e);

	if (rc == 0)
		*expires_ms = 0;
	return rc < 0 ? -1 : 0;
}

struct store_subscription_visit {
	int (*each)(const struct store_subscription *sub, void *arg);
	void *arg;
};

static void
store_subscription_advance(const void *row, struct store_value *params)
{
	const struct store_subscription *sub = row;

	params[0] = STORE_TEXT(sub->client_state_hash);
}

static int
store_subscription_visit(const void *row, void *arg)
{
	const struct store_subscription_visit *visit = arg;

	return visit->each(row, visit->arg);
}

int
store_subscription_each(struct store *s,
    int (*each)(const struct store_subscription *sub, void *arg), void *arg,
    struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_SUBSCRIPTION_COLUMNS
	    " FROM subscription WHERE client_state_hash > $1"
	    " ORDER BY client_state_hash LIMIT $2";
	struct store_subscription_visit visit = {each, arg};
	struct store_value params[2] = {STORE_TEXT("")};
	struct store_walk walk = {.sql = sql,
	    .params = params,
	    .param_count = 2,
	    .fields = store_subscription_fields,
	    .field_count = STORE_SUBSCRIPTION_FIELD_COUNT,
	    .row_size = sizeof(struct store_subscription),
	    .advance = store_subscription_advance,
	    .each = store_subscription_visit,
	    .arg = &visit};

	return store_db_walk(s, &walk, e);
}
