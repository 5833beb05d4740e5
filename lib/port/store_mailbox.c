/* port/store_mailbox.c - the mailboxes that are followed. */
#include "port/store_db.h"
#include "port/store_renewal.h"

#include <stdio.h>
#include <string.h>

#include "rule/renewal.h"

enum { STORE_MAILBOX_AT_ONCE = 1 };

#define STORE_MAILBOX_COLUMNS                                                  \
	"tenant, user_id, upn, state, reason, retry_ms, since_ms, "            \
	"catch_up_ms,"                                                         \
	" check_ms, email, renew_ms"

#define STORE_MAILBOX_MEMBER(type, member)                                     \
	STORE_MEMBER(type, store_mailbox, member)

static const struct store_field store_mailbox_fields[] = {
    STORE_MAILBOX_MEMBER(STORE_FIELD_TEXT, tenant),
    STORE_MAILBOX_MEMBER(STORE_FIELD_TEXT, user),
    STORE_MAILBOX_MEMBER(STORE_FIELD_TEXT, upn),
    STORE_MAILBOX_MEMBER(STORE_FIELD_INT, state),
    STORE_MAILBOX_MEMBER(STORE_FIELD_TEXT, reason),
    STORE_MAILBOX_MEMBER(STORE_FIELD_INT64, retry_ms),
    STORE_MAILBOX_MEMBER(STORE_FIELD_INT64, since_ms),
    STORE_MAILBOX_MEMBER(STORE_FIELD_INT64, catch_up_ms),
    STORE_MAILBOX_MEMBER(STORE_FIELD_INT64, check_ms),
    STORE_MAILBOX_MEMBER(STORE_FIELD_TEXT, email),
    STORE_MAILBOX_MEMBER(STORE_FIELD_INT64, renew_ms),
};
enum {
	STORE_MAILBOX_FIELD_COUNT =
	    sizeof(store_mailbox_fields) / sizeof(store_mailbox_fields[0])
};

int
store_mailbox_find(struct store *s, const char *tenant, const char *user,
    struct store_mailbox *out, struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_MAILBOX_COLUMNS
	    " FROM mailbox WHERE tenant = $1 AND user_id = $2";

	return store_db_row(s, sql,
	    STORE_WITH(STORE_TEXT(tenant), STORE_TEXT(user)),
	    store_mailbox_fields, STORE_MAILBOX_FIELD_COUNT, out, e);
}

static int
store_mailbox_write(
    struct store *s, const struct store_mailbox *m, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO mailbox (" STORE_MAILBOX_COLUMNS ")"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
	    " ON CONFLICT (tenant, user_id) DO UPDATE SET"
	    " upn = excluded.upn, state = excluded.state,"
	    " reason = excluded.reason, retry_ms = excluded.retry_ms,"
	    " since_ms = excluded.since_ms,"
	    " catch_up_ms = excluded.catch_up_ms,"
	    " check_ms = excluded.check_ms, email = excluded.email,"
	    " renew_ms = excluded.renew_ms";
	struct store_value values[STORE_MAILBOX_FIELD_COUNT];

	store_db_bind(
	    store_mailbox_fields, STORE_MAILBOX_FIELD_COUNT, m, values);
	return store_db_run(s, sql, values, STORE_MAILBOX_FIELD_COUNT, e) < 0
	    ? -1
	    : 0;
}

static void
store_mailbox_put_state(struct store_mailbox *m, enum store_mailbox_state state,
    const char *reason, int64_t retry_ms, int64_t now_ms)
{
	/* Only a followed mailbox has a catch-up planned; once it is followed
	 * again it has missed something. */
	if (m->state != state) {
		m->since_ms = now_ms;
		m->check_ms = state == STORE_MAILBOX_FOLLOWED ? now_ms : 0;
	}
	m->state = state;
	m->retry_ms = retry_ms;
	m->renew_ms = state == STORE_MAILBOX_PARKED && retry_ms > 0
	    ? retry_ms
	    : STORE_MAILBOX_AT_ONCE;
	store_db_copy(m->reason, sizeof(m->reason), reason);
}

static int
store_mailbox_make(struct store *s, const char *tenant, const char *user,
    const char *upn, bool resume, int64_t now_ms, bool *fresh, struct err *e)
{
	struct store_mailbox m = {.state = STORE_MAILBOX_FOLLOWED,
	    .since_ms = now_ms,
	    .renew_ms = STORE_MAILBOX_AT_ONCE};
	int found = store_mailbox_find(s, tenant, user, &m, e);
	bool wake = resume && found == 1 && m.state != STORE_MAILBOX_FOLLOWED;
	bool rename = upn != NULL && upn[0] != '\0' && strcmp(upn, m.upn) != 0;

	if (found < 0)
		return -1;
	*fresh = found == 0 || wake;
	store_db_copy(m.tenant, sizeof(m.tenant), tenant);
	store_db_copy(m.user, sizeof(m.user), user);
	if (rename)
		store_db_copy(m.upn, sizeof(m.upn), upn);
	if (wake)
		store_mailbox_put_state(
		    &m, STORE_MAILBOX_FOLLOWED, "", 0, now_ms);
	return *fresh || rename ? store_mailbox_write(s, &m, e) : 0;
}

int
store_mailbox_follow(struct store *s, const char *tenant, const char *user,
    const char *upn, bool resume, int64_t now_ms, bool *changed, struct err *e)
{
	bool fresh = false;
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1
			 : store_mailbox_make(
			       s, tenant, user, upn, resume, now_ms, &fresh, e);

	rc = store_db_leave(s, own, rc, e);
	if (rc == 0 && changed != NULL)
		*changed = fresh;
	return rc;
}

int
store_mailbox_set_email(struct store *s, const char *tenant, const char *user,
    const char *email, struct err *e)
{
	static const char sql[] =
	    "UPDATE mailbox SET email = $3"
	    " WHERE tenant = $1 AND user_id = $2 AND email <> $3";

	if (email[0] == '\0')
		return 0;
	return store_db_run(s, sql,
		   STORE_WITH(
		       STORE_TEXT(tenant), STORE_TEXT(user), STORE_TEXT(email)),
		   e) < 0
	    ? -1
	    : 0;
}

int
store_mailbox_set_state(struct store *s, const char *tenant, const char *user,
    enum store_mailbox_state state, const char *reason, int64_t retry_ms,
    int64_t now_ms, struct err *e)
{
	struct store_mailbox m = {0};
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_mailbox_find(s, tenant, user, &m, e);

	if (rc == 1) {
		store_mailbox_put_state(&m, state, reason, retry_ms, now_ms);
		rc = store_mailbox_write(s, &m, e);
	}
	return store_db_leave(s, own, rc, e);
}

int
store_mailbox_park(struct store *s, const char *tenant, const char *user,
    const char *reason, int64_t retry_ms, int64_t now_ms, struct err *e)
{
	struct store_mailbox m = {0};
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : store_mailbox_find(s, tenant, user, &m, e);
	bool stays = m.state == STORE_MAILBOX_UNFOLLOWED ||
	    (m.state == STORE_MAILBOX_PARKED && m.retry_ms > retry_ms &&
		renewal_parked_waits(m.retry_ms, now_ms));

	if (rc == 1 && !stays)
		rc = store_mailbox_set_state(s, tenant, user,
		    STORE_MAILBOX_PARKED, reason, retry_ms, now_ms, e);
	return store_db_leave(s, own, rc < 0 ? -1 : 0, e);
}

struct store_mailbox_visit {
	int (*each)(const struct store_mailbox *m, void *arg);
	void *arg;
};

static void
store_mailbox_advance(const void *row, struct store_value *params)
{
	const struct store_mailbox *m = row;

	params[0] = STORE_TEXT(m->tenant);
	params[1] = STORE_TEXT(m->user);
}

static int
store_mailbox_visit(const void *row, void *arg)
{
	const struct store_mailbox_visit *visit = arg;

	return visit->each(row, visit->arg);
}

/* Those that the statement selects, a page at a time; advance as in
 * struct store_walk. */
static int
store_mailbox_walk(struct store *s, const char *sql, struct store_value *params,
    size_t count, void (*advance)(const void *row, struct store_value *params),
    const struct store_mailbox_visit *visit, struct err *e)
{
	struct store_walk walk = {.sql = sql,
	    .params = params,
	    .param_count = count,
	    .fields = store_mailbox_fields,
	    .field_count = STORE_MAILBOX_FIELD_COUNT,
	    .row_size = sizeof(struct store_mailbox),
	    .advance = advance,
	    .each = store_mailbox_visit,
	    .arg = (void *)(uintptr_t)visit};

	return store_db_walk(s, &walk, e);
}

int
store_mailbox_each(struct store *s,
    int (*each)(const struct store_mailbox *m, void *arg), void *arg,
    struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_MAILBOX_COLUMNS
	    " FROM mailbox WHERE (tenant, user_id) > ($1, $2)"
	    " ORDER BY tenant, user_id LIMIT $3";
	struct store_mailbox_visit visit = {each, arg};
	struct store_value params[3] = {STORE_TEXT(""), STORE_TEXT("")};
	return store_mailbox_walk(
	    s, sql, params, 3, store_mailbox_advance, &visit, e);
}

/* ---- what the renewal has to look at ---- */

static void
store_mailbox_advance_due(const void *row, struct store_value *params)
{
	const struct store_mailbox *m = row;

	params[1] = STORE_INT(m->renew_ms);
	params[2] = STORE_TEXT(m->tenant);
	params[3] = STORE_TEXT(m->user);
}

int
store_mailbox_each_due(struct store *s, int64_t now_ms,
    int (*each)(const struct store_mailbox *m, void *arg), void *arg,
    struct err *e)
{
	/* "renew_ms > 0" stands as in the partial index. */
	static const char sql[] =
	    "SELECT " STORE_MAILBOX_COLUMNS " FROM mailbox"
	    " WHERE renew_ms > 0 AND renew_ms <= $1"
	    " AND (renew_ms, tenant, user_id) > ($2, $3, $4)"
	    " ORDER BY renew_ms, tenant, user_id LIMIT $5";
	struct store_mailbox_visit visit = {each, arg};
	struct store_value params[5] = {
	    STORE_INT(now_ms), STORE_INT(0), STORE_TEXT(""), STORE_TEXT("")};
	return store_mailbox_walk(
	    s, sql, params, 5, store_mailbox_advance_due, &visit, e);
}

/* A link that the clock alone will look at is in use as well, and one whose
 * deletion is not decided. */
_Static_assert(STORE_LINK_GONE == 2 && STORE_LINK_HELD == 3, "undecided");
#define STORE_MAILBOX_UNUSED                                                   \
	"state = $4 AND since_ms < $1 AND NOT EXISTS (SELECT 1 FROM link l"    \
	" WHERE l.user_id = mailbox.user_id AND l.tenant = mailbox.tenant"     \
	" AND (l.check_ms > 0 OR l.state IN (2, 3)"                            \
	" OR l.created_ms >= $1 OR l.announced_ms >= $1"                       \
	" OR l.synced_ms >= $1 OR l.gone_since_ms >= $1"                       \
	" OR l.start_ms >= $1 OR l.end_ms >= $1))"

static void
store_mailbox_advance_unused(const void *row, struct store_value *params)
{
	const struct store_mailbox *m = row;

	params[1] = STORE_TEXT(m->tenant);
	params[2] = STORE_TEXT(m->user);
}

int
store_mailbox_each_unused(struct store *s, int64_t before_ms,
    int (*each)(const struct store_mailbox *m, void *arg), void *arg,
    struct err *e)
{
	static const char sql[] =
	    "SELECT " STORE_MAILBOX_COLUMNS " FROM mailbox"
	    " WHERE (tenant, user_id) > ($2, $3) AND " STORE_MAILBOX_UNUSED
	    " ORDER BY tenant, user_id LIMIT $5";
	struct store_mailbox_visit visit = {each, arg};
	struct store_value params[5] = {STORE_INT(before_ms), STORE_TEXT(""),
	    STORE_TEXT(""), STORE_INT(STORE_MAILBOX_FOLLOWED)};
	return store_mailbox_walk(
	    s, sql, params, 5, store_mailbox_advance_unused, &visit, e);
}

int
store_mailbox_is_unused(struct store *s, const struct store_mailbox *m,
    int64_t before_ms, struct err *e)
{
	static const char sql[] = "SELECT count(*) FROM mailbox"
				  " WHERE tenant = $2 AND user_id = $3"
				  " AND " STORE_MAILBOX_UNUSED;
	int64_t count = 0;

	if (store_db_number(s, sql,
		STORE_WITH(STORE_INT(before_ms), STORE_TEXT(m->tenant),
		    STORE_TEXT(m->user), STORE_INT(STORE_MAILBOX_FOLLOWED)),
		&count, e) < 0)
		return -1;
	return count != 0;
}

int
store_mailbox_leave_unused(struct store *s, const struct store_mailbox *m,
    int64_t before_ms, const char *reason, int64_t now_ms, struct err *e)
{
	static const char sql[] =
	    "UPDATE mailbox SET state = $5, reason = $6, since_ms = $7,"
	    " renew_ms = $8 WHERE tenant = $2 AND user_id = $3"
	    " AND " STORE_MAILBOX_UNUSED;
	int own = store_db_enter(s, e);
	int64_t changed = -1;

	if (own >= 0)
		changed = store_db_run(s, sql,
		    STORE_WITH(STORE_INT(before_ms), STORE_TEXT(m->tenant),
			STORE_TEXT(m->user), STORE_INT(STORE_MAILBOX_FOLLOWED),
			STORE_INT(STORE_MAILBOX_UNFOLLOWED), STORE_TEXT(reason),
			STORE_INT(now_ms), STORE_INT(STORE_MAILBOX_AT_ONCE)),
		    e);
	return store_db_leave(s, own, (int)changed, e);
}

int
store_mailbox_count(struct store *s, int64_t *out, struct err *e)
{
	return store_db_number(
		   s, "SELECT count(*) FROM mailbox", NULL, 0, out, e) < 0
	    ? -1
	    : 0;
}

int
store_mailbox_totals(
    struct store *s, int64_t out[STORE_MAILBOX_UNFOLLOWED + 1], struct err *e)
{
	static const char sql[] = "SELECT count(*) FROM mailbox"
				  " WHERE state = $1";

	for (int i = 0; i <= STORE_MAILBOX_UNFOLLOWED; i++)
		if (store_db_number(
			s, sql, STORE_WITH(STORE_INT(i)), &out[i], e) < 0)
			return -1;
	return 0;
}

int
store_mailbox_set_renewal(struct store *s, const char *tenant, const char *user,
    int64_t renew_ms, struct err *e)
{
	static const char sql[] = "UPDATE mailbox SET renew_ms = $3"
				  " WHERE tenant = $1 AND user_id = $2";
	int own = store_db_enter(s, e);
	int rc = -1;

	if (own >= 0 &&
	    store_db_run(s, sql,
		STORE_WITH(
		    STORE_TEXT(tenant), STORE_TEXT(user), STORE_INT(renew_ms)),
		e) >= 0)
		rc = 0;
	return store_db_leave(s, own, rc, e);
}

/* ---- the claim on its subscription: a lease like any other ---- */

enum { STORE_MAILBOX_LEASE_MAX = 2 * STORE_GUID + 16 };

static void
store_mailbox_lease(
    const char *tenant, const char *user, char out[STORE_MAILBOX_LEASE_MAX])
{
	snprintf(out, STORE_MAILBOX_LEASE_MAX, "mailbox:%s/%s", tenant, user);
}

int
store_mailbox_claim(struct store *s, const char *tenant, const char *user,
    const char *owner, int64_t now_ms, int64_t until_ms, int64_t *held_until_ms,
    struct err *e)
{
	char name[STORE_MAILBOX_LEASE_MAX];

	store_mailbox_lease(tenant, user, name);
	return store_lease_take(
	    s, name, owner, now_ms, until_ms, held_until_ms, e);
}

int
store_mailbox_release(struct store *s, const char *tenant, const char *user,
    const char *owner, struct err *e)
{
	char name[STORE_MAILBOX_LEASE_MAX];

	store_mailbox_lease(tenant, user, name);
	return store_lease_release(s, name, owner, e);
}

int
store_mailbox_release_all(
    struct store *s, const char *owner_prefix, struct err *e)
{
	static const char sql[] =
	    "DELETE FROM lease WHERE name LIKE 'mailbox:%'"
	    " AND substr(owner, 1, length($1)) = $1";
	int own = store_db_enter(s, e);
	int rc = -1;

	if (own >= 0 &&
	    store_db_run(s, sql, STORE_WITH(STORE_TEXT(owner_prefix)), e) >= 0)
		rc = 0;
	return store_db_leave(s, own, rc, e);
}
