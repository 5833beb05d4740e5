/* port/store_misc.c - Retry-After, signing keys, leases, facts. */
#include "port/store_db.h"

#include <string.h>

#include "base/mem.h"

/* A statement that is a transaction of its own. Rows changed, or -1. */
static int
store_misc_run(struct store *s, const char *sql,
    const struct store_value *params, size_t count, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : (int)store_db_run(s, sql, params, count, e);

	return store_db_leave(s, own, rc, e);
}

/* ---- Retry-After ---- */

int
store_throttle_set(
    struct store *s, const char *scope, int64_t until_ms, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO throttle (scope, until_ms) VALUES ($1, $2)"
	    " ON CONFLICT (scope) DO UPDATE SET until_ms = excluded.until_ms"
	    " WHERE throttle.until_ms < excluded.until_ms"
	    " OR throttle.until_ms > excluded.until_ms + $3";

	return store_misc_run(s, sql,
		   STORE_WITH(STORE_TEXT(scope), STORE_INT(until_ms),
		       STORE_INT(STORE_THROTTLE_MAX_MS)),
		   e) < 0
	    ? -1
	    : 0;
}

int
store_throttle_get(struct store *s, const char *scope, const char *wider,
    int64_t limit_ms, int64_t *until_ms, struct err *e)
{
	static const char sql[] =
	    "SELECT COALESCE(max(until_ms), 0) FROM throttle"
	    " WHERE scope IN ($1, $2) AND until_ms <= $3";
	int64_t found = 0;

	if (store_db_number(s, sql,
		STORE_WITH(STORE_TEXT(scope),
		    STORE_TEXT(wider != NULL ? wider : scope),
		    STORE_INT(limit_ms)),
		&found, e) < 0)
		return -1;
	*until_ms = found;
	return 0;
}

int
store_throttle_other(struct store *s, const char *prefix, const char *scope,
    int64_t from_ms, int64_t to_ms, struct err *e)
{
	static const char sql[] =
	    "SELECT 1 FROM throttle WHERE scope > $1 AND scope < $1 || '~'"
	    " AND scope <> $2 AND until_ms BETWEEN $3 AND $4 LIMIT 1";
	int64_t one;

	return store_db_number(s, sql,
	    STORE_WITH(STORE_TEXT(prefix), STORE_TEXT(scope),
		STORE_INT(from_ms), STORE_INT(to_ms)),
	    &one, e);
}

/* ---- keys ---- */

int
store_keys_save(
    struct store *s, const char *json, int64_t now_ms, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO signing_keys (id, keys_json, fetched_ms)"
	    " VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET"
	    " keys_json = excluded.keys_json,"
	    " fetched_ms = excluded.fetched_ms";

	return store_misc_run(s, sql,
		   STORE_WITH(STORE_TEXT(json), STORE_INT(now_ms)), e) < 0
	    ? -1
	    : 0;
}

int
store_keys_load(
    struct store *s, char **json, int64_t *fetched_ms, struct err *e)
{
	static const char sql[] =
	    "SELECT keys_json, fetched_ms FROM signing_keys WHERE id = 1";
	struct store_cursor *cur = store_db_query(s, sql, NULL, 0, e);
	int rc;

	if (cur == NULL)
		return -1;
	rc = s->driver->step(cur, e);
	if (rc >= 0) {
		*json = rc == 1 ? mem_strdup(s->driver->text(cur, 0)) : NULL;
		*fetched_ms = rc == 1 ? s->driver->number(cur, 1) : 0;
	}
	s->driver->finish(cur);
	return rc < 0 ? -1 : 0;
}

/* ---- leases ---- */

static int
store_lease_try(struct store *s, const char *name, const char *owner,
    int64_t now_ms, int64_t until_ms, int64_t *held_until_ms, struct err *e)
{
	static const char take_sql[] =
	    "INSERT INTO lease (name, owner, until_ms) VALUES ($1, $2, $3)"
	    " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner,"
	    " until_ms = excluded.until_ms"
	    " WHERE lease.owner = excluded.owner OR lease.until_ms <= $4"
	    " OR lease.until_ms > $5";
	static const char held_sql[] =
	    "SELECT until_ms FROM lease WHERE name = $1";
	int64_t taken = store_db_run(s, take_sql,
	    STORE_WITH(STORE_TEXT(name), STORE_TEXT(owner), STORE_INT(until_ms),
		STORE_INT(now_ms), STORE_INT(now_ms + STORE_LEASE_MAX_MS)),
	    e);
	int64_t held = until_ms;

	if (taken < 0)
		return -1;
	if (taken == 0 &&
	    store_db_number(
		s, held_sql, STORE_WITH(STORE_TEXT(name)), &held, e) < 0)
		return -1;
	if (held_until_ms != NULL)
		*held_until_ms = held;
	return taken > 0 ? 1 : 0;
}

/* Hosts whose clocks differ agree on the database's. */
static int
store_lease_shift(
    struct store *s, int64_t now_ms, int64_t *shift_ms, struct err *e)
{
	int64_t there_ms = now_ms;

	if (s->driver->shared && s->driver->now(s->conn, &there_ms, e) != 0)
		return -1;
	*shift_ms = there_ms - now_ms;
	return 0;
}

static int
store_lease_try_shifted(struct store *s, const char *name, const char *owner,
    int64_t now_ms, int64_t until_ms, int64_t *held_until_ms, struct err *e)
{
	int64_t shift_ms;
	int rc;

	if (store_lease_shift(s, now_ms, &shift_ms, e) != 0)
		return -1;
	rc = store_lease_try(s, name, owner, now_ms + shift_ms,
	    until_ms + shift_ms, held_until_ms, e);
	if (rc >= 0 && held_until_ms != NULL)
		*held_until_ms -= shift_ms;
	return rc;
}

int
store_lease_take(struct store *s, const char *name, const char *owner,
    int64_t now_ms, int64_t until_ms, int64_t *held_until_ms, struct err *e)
{
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1
			 : store_lease_try_shifted(s, name, owner, now_ms,
			       until_ms, held_until_ms, e);

	return store_db_leave(s, own, rc, e);
}

int
store_lease_release(
    struct store *s, const char *name, const char *owner, struct err *e)
{
	static const char sql[] =
	    "DELETE FROM lease WHERE name = $1 AND owner = $2";

	return store_misc_run(s, sql,
		   STORE_WITH(STORE_TEXT(name), STORE_TEXT(owner)), e) < 0
	    ? -1
	    : 0;
}

/* ---- facts ---- */

struct store_fact {
	char name[STORE_ID_MAX];
	char text[STORE_TEXT_MAX];
	int64_t at_ms;
};

static const struct store_field store_fact_fields[] = {
    STORE_MEMBER(STORE_FIELD_TEXT, store_fact, name),
    STORE_MEMBER(STORE_FIELD_TEXT, store_fact, text),
    STORE_MEMBER(STORE_FIELD_INT64, store_fact, at_ms),
};

int
store_fact_set(struct store *s, const char *name, const char *text,
    int64_t at_ms, struct err *e)
{
	static const char sql[] =
	    "INSERT INTO fact (name, fact, at_ms) VALUES ($1, $2, $3)"
	    " ON CONFLICT (name) DO UPDATE SET fact = excluded.fact,"
	    " at_ms = excluded.at_ms";

	return store_misc_run(s, sql,
		   STORE_WITH(STORE_TEXT(name),
		       STORE_TEXT(text != NULL ? text : ""), STORE_INT(at_ms)),
		   e) < 0
	    ? -1
	    : 0;
}

int
store_fact_get(struct store *s, const char *name, char *text, size_t cap,
    int64_t *at_ms, struct err *e)
{
	static const char sql[] =
	    "SELECT name, fact, at_ms FROM fact WHERE name = $1";
	struct store_fact fact;
	int rc = store_db_row(s, sql, STORE_WITH(STORE_TEXT(name)),
	    store_fact_fields, 3, &fact, e);

	if (rc != 1)
		return rc;
	if (text != NULL && cap > 0)
		store_db_copy(text, cap, fact.text);
	if (at_ms != NULL)
		*at_ms = fact.at_ms;
	return 1;
}

int
store_fact_remove(struct store *s, const char *name, struct err *e)
{
	static const char sql[] = "DELETE FROM fact WHERE name = $1";

	return store_misc_run(s, sql, STORE_WITH(STORE_TEXT(name)), e) < 0 ? -1
									   : 0;
}

struct store_fact_visit {
	int (*each)(
	    const char *name, const char *text, int64_t at_ms, void *arg);
	void *arg;
};

static void
store_fact_advance(const void *row, struct store_value *params)
{
	const struct store_fact *fact = row;

	params[0] = STORE_TEXT(fact->name);
}

static int
store_fact_visit(const void *row, void *arg)
{
	const struct store_fact *fact = row;
	const struct store_fact_visit *visit = arg;

	return visit->each(fact->name, fact->text, fact->at_ms, visit->arg);
}

int
store_fact_each(struct store *s, const char *prefix,
    int (*each)(const char *name, const char *text, int64_t at_ms, void *arg),
    void *arg, struct err *e)
{
	static const char sql[] =
	    "SELECT name, fact, at_ms FROM fact WHERE name > $1"
	    " AND substr(name, 1, length($2)) = $2 ORDER BY name LIMIT $3";
	struct store_fact_visit visit = {each, arg};
	struct store_value params[3] = {STORE_TEXT(""), STORE_TEXT(prefix)};
	struct store_walk walk = {.sql = sql,
	    .params = params,
	    .param_count = 3,
	    .fields = store_fact_fields,
	    .field_count = 3,
	    .row_size = sizeof(struct store_fact),
	    .advance = store_fact_advance,
	    .each = store_fact_visit,
	    .arg = &visit};

	return store_db_walk(s, &walk, e);
}
