/* port/store_audit.c - what was done to conversations, and why not. */
#include "port/store_db.h"

/* A record as it comes back: struct store_audit with room for its texts. */
struct store_audit_row {
	int64_t id;
	int64_t at_ms;
	char tenant[STORE_GUID], user[STORE_GUID];
	char event[STORE_ID_MAX], conversation[STORE_ID_MAX];
	char action[64], outcome[64];
	char detail[STORE_TEXT_MAX];
};

#define STORE_AUDIT_MEMBER(type, member)                                       \
	STORE_MEMBER(type, store_audit_row, member)

static const struct store_field store_audit_fields[] = {
    STORE_AUDIT_MEMBER(STORE_FIELD_INT64, id),
    STORE_AUDIT_MEMBER(STORE_FIELD_INT64, at_ms),
    STORE_AUDIT_MEMBER(STORE_FIELD_TEXT, tenant),
    STORE_AUDIT_MEMBER(STORE_FIELD_TEXT, user),
    STORE_AUDIT_MEMBER(STORE_FIELD_TEXT, event),
    STORE_AUDIT_MEMBER(STORE_FIELD_TEXT, conversation),
    STORE_AUDIT_MEMBER(STORE_FIELD_TEXT, action),
    STORE_AUDIT_MEMBER(STORE_FIELD_TEXT, outcome),
    STORE_AUDIT_MEMBER(STORE_FIELD_TEXT, detail),
};
enum {
	STORE_AUDIT_FIELD_COUNT =
	    sizeof(store_audit_fields) / sizeof(store_audit_fields[0])
};

static int
store_audit_insert(struct store *s, const struct store_audit *a, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO audit (at_ms, tenant, user_id, event, conversation,"
	    " action, outcome, detail)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
	struct store_audit_row row = {.at_ms = a->at_ms};
	struct store_value values[STORE_AUDIT_FIELD_COUNT];

	store_db_copy(row.tenant, sizeof(row.tenant), a->tenant);
	store_db_copy(row.user, sizeof(row.user), a->user);
	store_db_copy(row.event, sizeof(row.event), a->event);
	store_db_copy(
	    row.conversation, sizeof(row.conversation), a->conversation);
	store_db_copy(row.action, sizeof(row.action), a->action);
	store_db_copy(row.outcome, sizeof(row.outcome), a->outcome);
	store_db_copy(row.detail, sizeof(row.detail), a->detail);
	store_db_bind(
	    store_audit_fields, STORE_AUDIT_FIELD_COUNT, &row, values);
	return store_db_run(
		   s, sql, values + 1, STORE_AUDIT_FIELD_COUNT - 1, e) < 0
	    ? -1
	    : 0;
}

int
store_audit_add(struct store *s, const struct store_audit *a, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_audit_insert(s, a, e);

	return store_db_leave(s, own, rc, e);
}

struct store_audit_visit {
	int (*each)(const struct store_audit *a, void *arg);
	void *arg;
};

static void
store_audit_advance(const void *row, struct store_value *params)
{
	const struct store_audit_row *r = row;

	params[0] = STORE_INT(r->at_ms);
	params[1] = STORE_INT(r->id);
}

static int
store_audit_visit(const void *row, void *arg)
{
	const struct store_audit_row *r = row;
	const struct store_audit_visit *visit = arg;
	struct store_audit a = {r->at_ms, r->tenant, r->user, r->event,
	    r->conversation, r->action, r->outcome, r->detail};

	return visit->each(&a, visit->arg);
}

int
store_audit_each(struct store *s, int64_t since_ms,
    int (*each)(const struct store_audit *a, void *arg), void *arg,
    struct err *e)
{
	static const char sql[] =
	    "SELECT id, at_ms, tenant, user_id, event, conversation, action,"
	    " outcome, detail FROM audit"
	    " WHERE (at_ms, id) > ($1, $2) ORDER BY at_ms, id LIMIT $3";
	struct store_audit_visit visit = {each, arg};
	struct store_value params[3] = {STORE_INT(since_ms), STORE_INT(-1)};
	struct store_walk walk = {.sql = sql,
	    .params = params,
	    .param_count = 3,
	    .fields = store_audit_fields,
	    .field_count = STORE_AUDIT_FIELD_COUNT,
	    .row_size = sizeof(struct store_audit_row),
	    .advance = store_audit_advance,
	    .each = store_audit_visit,
	    .arg = &visit};

	return store_db_walk(s, &walk, e);
}
