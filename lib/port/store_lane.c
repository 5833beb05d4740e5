/* port/store_lane.c - see store_lane.h. */
#include "port/store_lane.h"

#include <string.h>

static const struct store_field store_lane_fields[] = {
    STORE_MEMBER(STORE_FIELD_INT64, store_lane, id),
    STORE_MEMBER(STORE_FIELD_INT64, store_lane, head_ms),
};

/* A batch names the same few mailboxes again and again; the slots live as long
 * as the transaction, in which nobody else can change a lane. */
static struct store_lane *
store_lane_slot(struct store *s, const char *tenant, const char *user)
{
	uint32_t hash = 2166136261u;

	for (const char *at = user; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	for (const char *at = tenant; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	return &s->lanes[hash % STORE_LANE_SLOTS];
}

#define STORE_LANE_FIND                                                        \
	"SELECT id, head_ms FROM lane WHERE user_id = $1 AND tenant = $2"

struct store_lane *
store_lane_of(
    struct store *s, const char *tenant, const char *user, struct err *e)
{
	static const char find_sql[] = STORE_LANE_FIND;
	static const char hold_sql[] = STORE_LANE_FIND " FOR UPDATE";
	static const char make_sql[] =
	    "INSERT INTO lane (tenant, user_id, head_ms, saturated)"
	    " VALUES ($2, $1, $3, 0) RETURNING id, head_ms";
	struct store_lane *lane = store_lane_slot(s, tenant, user);
	int rc;

	if (lane->id != 0 && strcmp(lane->user, user) == 0 &&
	    strcmp(lane->tenant, tenant) == 0)
		return lane;
	lane->id = 0;
	rc = store_db_row(s, s->driver->shared ? hold_sql : find_sql,
	    STORE_WITH(STORE_TEXT(user), STORE_TEXT(tenant)), store_lane_fields,
	    2, lane, e);
	/* It was purged. What is made beside others is made in the order of the
	 * names, by a fold. */
	if (rc == 0 && store_db_alone(s, e) != 0)
		return NULL;
	if (rc == 0)
		rc = store_db_row(s, make_sql,
		    STORE_WITH(STORE_TEXT(user), STORE_TEXT(tenant),
			STORE_INT(INT64_MAX)),
		    store_lane_fields, 2, lane, e);
	if (rc != 1)
		return NULL;
	store_db_copy(lane->tenant, sizeof(lane->tenant), tenant);
	store_db_copy(lane->user, sizeof(lane->user), user);
	return lane;
}

int
store_lane_lower(
    struct store *s, struct store_lane *lane, int64_t run_ms, struct err *e)
{
	static const char sql[] =
	    "UPDATE lane SET head_ms = $2 WHERE id = $1 AND head_ms > $2";

	if (lane->head_ms <= run_ms)
		return 0;
	if (store_db_run(s, sql,
		STORE_WITH(STORE_INT(lane->id), STORE_INT(run_ms)), e) < 0)
		return -1;
	lane->head_ms = run_ms;
	return 0;
}

int
store_lane_refresh(struct store *s, struct store_lane *lane, struct err *e)
{
	static const char sql[] =
	    "UPDATE lane SET saturated = 0, head_ms = COALESCE(("
	    "SELECT run_ms FROM work WHERE lane = $1 AND claimed = 0"
	    " ORDER BY run_ms LIMIT 1), $2) WHERE id = $1 RETURNING head_ms";

	return store_db_number(s, sql,
		   STORE_WITH(STORE_INT(lane->id), STORE_INT(INT64_MAX)),
		   &lane->head_ms, e) < 0
	    ? -1
	    : 0;
}
