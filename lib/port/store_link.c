/* port/store_link.c - conversations and their events. */
#include "port/store_db.h"

#include <string.h>

#define STORE_LINK_COLUMNS                                                     \
	"conversation, tenant, user_id, source_id, event, state, shared,"      \
	" verified, agent, topic, start_ms, written, writing, end_ms,"         \
	" time_zone, change_key, series, created_ms, announced_ms,"            \
	" synced_ms, gone_since_ms, searches, last_error, occurrence_end_ms,"  \
	" empty_searches, empty_search_ms, check_ms, writing_ms"

#define STORE_LINK_MEMBER(type, member) STORE_MEMBER(type, store_link, member)

static const struct store_field store_link_fields[] = {
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, conversation),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, tenant),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, user),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, source_id),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, event),
    STORE_LINK_MEMBER(STORE_FIELD_INT, state),
    STORE_LINK_MEMBER(STORE_FIELD_BOOL, shared),
    STORE_LINK_MEMBER(STORE_FIELD_BOOL, verified),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, agent),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, topic),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, start_ms),
    STORE_LINK_MEMBER(STORE_FIELD_BOOL, written),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, writing),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, end_ms),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, time_zone),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, change_key),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, series),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, created_ms),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, announced_ms),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, synced_ms),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, gone_since_ms),
    STORE_LINK_MEMBER(STORE_FIELD_INT, searches),
    STORE_LINK_MEMBER(STORE_FIELD_TEXT, last_error),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, occurrence_end_ms),
    STORE_LINK_MEMBER(STORE_FIELD_INT, empty_searches),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, empty_search_ms),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, check_ms),
    STORE_LINK_MEMBER(STORE_FIELD_INT64, writing_ms),
};
enum {
	STORE_LINK_FIELD_COUNT =
	    sizeof(store_link_fields) / sizeof(store_link_fields[0])
};

int
store_link_find(struct store *s, const char *conversation,
    struct store_link *out, struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_LINK_COLUMNS " FROM link WHERE conversation = $1";

	return store_db_row(s, sql, STORE_WITH(STORE_TEXT(conversation)),
	    store_link_fields, STORE_LINK_FIELD_COUNT, out, e);
}

int
store_link_by_event(struct store *s, const char *tenant, const char *user,
    const char *event, struct store_link *out, struct err *e)
{
	/* An event may have had an earlier conversation. */
	static const char sql[] =
	    "SELECT " STORE_LINK_COLUMNS
	    " FROM link WHERE user_id = $1 AND tenant = $2 AND event = $3"
	    " ORDER BY CASE WHEN state = $4 THEN 1 ELSE 0 END,"
	    " created_ms DESC, conversation LIMIT 1";

	if (event[0] == '\0')
		return 0;
	return store_db_row(s, sql,
	    STORE_WITH(STORE_TEXT(user), STORE_TEXT(tenant), STORE_TEXT(event),
		STORE_INT(STORE_LINK_DELETED)),
	    store_link_fields, STORE_LINK_FIELD_COUNT, out, e);
}

int
store_link_replaced(struct store *s, const char *tenant, const char *user,
    const char *event, const char *conversation, struct store_link *out,
    struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_LINK_COLUMNS
	    " FROM link WHERE user_id = $1 AND tenant = $2 AND event = $3"
	    " AND conversation <> $4 AND state IN ($5, $6, $7)"
	    " ORDER BY created_ms DESC, conversation LIMIT 1";

	return store_db_row(s, sql,
	    STORE_WITH(STORE_TEXT(user), STORE_TEXT(tenant), STORE_TEXT(event),
		STORE_TEXT(conversation), STORE_INT(STORE_LINK_LINKED),
		STORE_INT(STORE_LINK_GONE), STORE_INT(STORE_LINK_HELD)),
	    store_link_fields, STORE_LINK_FIELD_COUNT, out, e);
}

static int
store_link_write(struct store *s, const struct store_link *l, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO link (" STORE_LINK_COLUMNS ")"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
	    " $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,"
	    " $26, $27, $28)"
	    " ON CONFLICT (conversation) DO UPDATE SET"
	    " tenant = excluded.tenant, user_id = excluded.user_id,"
	    " source_id = excluded.source_id, event = excluded.event,"
	    " state = excluded.state, shared = excluded.shared,"
	    " verified = excluded.verified, agent = excluded.agent,"
	    " topic = excluded.topic, start_ms = excluded.start_ms,"
	    " written = excluded.written, writing = excluded.writing,"
	    " end_ms = excluded.end_ms, time_zone = excluded.time_zone,"
	    " change_key = excluded.change_key, series = excluded.series,"
	    " created_ms = excluded.created_ms,"
	    " announced_ms = excluded.announced_ms,"
	    " synced_ms = excluded.synced_ms,"
	    " gone_since_ms = excluded.gone_since_ms,"
	    " searches = excluded.searches,"
	    " last_error = excluded.last_error,"
	    " occurrence_end_ms = excluded.occurrence_end_ms,"
	    " empty_searches = excluded.empty_searches,"
	    " empty_search_ms = excluded.empty_search_ms,"
	    " check_ms = excluded.check_ms,"
	    " writing_ms = excluded.writing_ms";
	struct store_value values[STORE_LINK_FIELD_COUNT];

	store_db_bind(store_link_fields, STORE_LINK_FIELD_COUNT, l, values);
	return store_db_run(s, sql, values, STORE_LINK_FIELD_COUNT, e) < 0 ? -1
									   : 0;
}

int
store_link_save(struct store *s, const struct store_link *l, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_link_write(s, l, e);

	return store_db_leave(s, own, rc, e);
}

static void
store_link_fill_text(char *out, size_t cap, const char *text)
{
	if (out[0] == '\0')
		store_db_copy(out, cap, text);
}

static void
store_link_fill_number(int64_t *out, int64_t number)
{
	if (*out == 0)
		*out = number;
}

/* What the announcement adds to what is known; never what has been learnt or
 * written already. */
static void
store_link_fill(struct store_link *known, const struct store_link *l)
{
	bool first = known->announced_ms == 0;

	store_link_fill_text(
	    known->source_id, sizeof(known->source_id), l->source_id);
	store_link_fill_text(known->event, sizeof(known->event), l->event);
	store_link_fill_text(known->topic, sizeof(known->topic), l->topic);
	store_link_fill_text(
	    known->time_zone, sizeof(known->time_zone), l->time_zone);
	store_link_fill_number(&known->start_ms, l->start_ms);
	store_link_fill_number(&known->end_ms, l->end_ms);
	store_link_fill_number(&known->announced_ms, l->announced_ms);
	/* The lease is only for what was never seen. The agent is there: it
	 * begins anew, and whoever is about to remove the conversation sees
	 * that. */
	if (known->state == STORE_LINK_ANNOUNCED) {
		known->announced_ms = l->announced_ms;
		known->check_ms = l->check_ms;
		known->empty_searches = 0;
	}
	if (first)
		known->shared = l->shared;
}

static int
store_link_meet(
    struct store *s, const struct store_link *l, bool *other, struct err *e)
{
	struct store_link known = {0};
	struct store_link before;
	int rc = store_link_find(s, l->conversation, &known, e);

	*other = false;
	if (rc < 0)
		return -1;
	if (rc == 0)
		return store_link_write(s, l, e);
	if (strcmp(known.tenant, l->tenant) != 0 ||
	    strcmp(known.user, l->user) != 0) {
		*other = true;
		return 0;
	}
	before = known;
	store_link_fill(&known, l);
	return memcmp(&before, &known, sizeof(known)) == 0
	    ? 0
	    : store_link_write(s, &known, e);
}

int
store_link_announce(
    struct store *s, const struct store_link *l, bool *other, struct err *e)
{
	bool foreign = false;
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_link_meet(s, l, &foreign, e);

	rc = store_db_leave(s, own, rc, e);
	if (rc == 0 && other != NULL)
		*other = foreign;
	return rc;
}

struct store_link_visit {
	int (*each)(const struct store_link *l, void *arg);
	void *arg;
};

static void
store_link_advance(const void *row, struct store_value *params)
{
	const struct store_link *l = row;

	params[0] = STORE_TEXT(l->conversation);
}

static int
store_link_visit(const void *row, void *arg)
{
	const struct store_link_visit *visit = arg;

	return visit->each(row, visit->arg);
}

int
store_link_each(struct store *s, const char *tenant, const char *user,
    int (*each)(const struct store_link *l, void *arg), void *arg,
    struct err *e)
{
	return store_link_each_after(s, tenant, user, "", each, arg, e);
}

int
store_link_each_after(struct store *s, const char *tenant, const char *user,
    const char *after, int (*each)(const struct store_link *l, void *arg),
    void *arg, struct err *e)
{
	static const char all_sql[] =
	    "SELECT " STORE_LINK_COLUMNS " FROM link WHERE conversation > $1"
	    " ORDER BY conversation LIMIT $2";
	static const char one_sql[] =
	    "SELECT " STORE_LINK_COLUMNS " FROM link WHERE conversation > $1"
	    " AND user_id = $2 AND tenant = $3"
	    " ORDER BY conversation LIMIT $4";
	struct store_link_visit visit = {each, arg};
	struct store_value params[4] = {
	    STORE_TEXT(after), STORE_TEXT(user), STORE_TEXT(tenant)};
	struct store_walk walk = {.sql = tenant != NULL ? one_sql : all_sql,
	    .params = params,
	    .param_count = tenant != NULL ? 4 : 2,
	    .fields = store_link_fields,
	    .field_count = STORE_LINK_FIELD_COUNT,
	    .row_size = sizeof(struct store_link),
	    .advance = store_link_advance,
	    .each = store_link_visit,
	    .arg = &visit};

	return store_db_walk(s, &walk, e);
}

/* ---- copies ---- */

int
store_copy_add(struct store *s, const char *conversation, const char *tenant,
    const char *user, const char *event, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO copy (conversation, tenant, user_id, event)"
	    " VALUES ($1, $2, $3, $4) ON CONFLICT"
	    " (conversation, user_id, tenant, event) DO NOTHING";
	int own = store_db_enter(s, e);
	int rc = -1;

	if (own >= 0 &&
	    store_db_run(s, sql,
		STORE_WITH(STORE_TEXT(conversation), STORE_TEXT(tenant),
		    STORE_TEXT(user), STORE_TEXT(event)),
		e) >= 0)
		rc = 0;
	return store_db_leave(s, own, rc, e);
}

static const struct store_field store_copy_fields[] = {
    {STORE_FIELD_TEXT, 0, STORE_ID_MAX},
};

int
store_copy_exists(struct store *s, const char *conversation, struct err *e)
{
	static const char sql[] =
	    "SELECT event FROM copy WHERE conversation = $1 LIMIT 1";
	char found[STORE_ID_MAX];

	return store_db_row(s, sql, STORE_WITH(STORE_TEXT(conversation)),
	    store_copy_fields, 1, found, e);
}

int
store_copy_find(
    struct store *s, const char *conversation, char *event, struct err *e)
{
	/* Only in the link's own mailbox: sync looks for the event there. */
	static const char sql[] =
	    "SELECT copy.event FROM copy JOIN link"
	    " ON link.conversation = copy.conversation"
	    " AND link.user_id = copy.user_id AND link.tenant = copy.tenant"
	    " WHERE copy.conversation = $1 AND NOT EXISTS"
	    " (SELECT 1 FROM link AS owner WHERE owner.user_id = copy.user_id"
	    " AND owner.tenant = copy.tenant AND owner.event = copy.event)"
	    " ORDER BY copy.event LIMIT 1";

	return store_db_row(s, sql, STORE_WITH(STORE_TEXT(conversation)),
	    store_copy_fields, 1, event, e);
}

int
store_copy_elsewhere(struct store *s, const char *conversation, struct err *e)
{
	static const char sql[] =
	    "SELECT copy.event FROM copy JOIN link"
	    " ON link.conversation = copy.conversation"
	    " AND (link.user_id <> copy.user_id OR link.tenant <> copy.tenant)"
	    " WHERE copy.conversation = $1 AND NOT EXISTS"
	    " (SELECT 1 FROM link AS owner WHERE owner.user_id = copy.user_id"
	    " AND owner.tenant = copy.tenant AND owner.event = copy.event)"
	    " LIMIT 1";
	char found[STORE_ID_MAX];

	return store_db_row(s, sql, STORE_WITH(STORE_TEXT(conversation)),
	    store_copy_fields, 1, found, e);
}

int
store_copy_remove(
    struct store *s, const char *conversation, const char *event, struct err *e)
{
	static const char sql[] =
	    "DELETE FROM copy WHERE conversation = $1 AND event = $2";
	int own = store_db_enter(s, e);
	int rc = -1;

	if (own >= 0 &&
	    store_db_run(s, sql,
		STORE_WITH(STORE_TEXT(conversation), STORE_TEXT(event)),
		e) >= 0)
		rc = 0;
	return store_db_leave(s, own, rc, e);
}

int
store_copy_forget(struct store *s, const char *tenant, const char *user,
    const char *event, struct err *e)
{
	static const char sql[] =
	    "DELETE FROM copy WHERE user_id = $2 AND tenant = $1"
	    " AND event = $3 AND NOT EXISTS (SELECT 1 FROM link"
	    " WHERE link.conversation = copy.conversation"
	    " AND link.user_id = $2 AND link.tenant = $1)";
	int own = store_db_enter(s, e);
	int rc = -1;

	if (own >= 0 &&
	    store_db_run(s, sql,
		STORE_WITH(
		    STORE_TEXT(tenant), STORE_TEXT(user), STORE_TEXT(event)),
		e) >= 0)
		rc = 0;
	return store_db_leave(s, own, rc, e);
}
