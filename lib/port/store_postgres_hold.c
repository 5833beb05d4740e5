/* port/store_postgres_hold.c - transactions beside each other: who keeps whom
 * out of what. */
#include <string.h>

#include "port/store_postgres.h"

/*
 * All waiting for each other is done here, in the order of the names: so nobody
 * waits in a circle. Whoever adds to these lanes by a fold takes them in the
 * same order, and a claim waits for none (SKIP LOCKED).
 */
static const char store_postgres_lanes_sql[] =
    "SELECT id FROM lane WHERE (user_id, tenant) IN"
    " (SELECT p.user_id, p.tenant FROM unnest($1::text[], $2::text[])"
    " AS p (user_id, tenant)) ORDER BY user_id, tenant FOR UPDATE";

/* A conversation may be found in two mailboxes, and have no row yet. Two of the
 * same hash wait for each other needlessly. */
static const char store_postgres_conversations_sql[] =
    "SELECT pg_advisory_xact_lock(731028, hash) FROM"
    " (SELECT DISTINCT hashtext(c) AS hash FROM unnest($1::text[]) AS c"
    " ORDER BY 1) AS held";

enum { HOLD_USERS, HOLD_TENANTS, HOLD_CONVERSATIONS, HOLD_ARRAYS };

/* Nothing is asked for when there is none. */
static int
store_postgres_hold_all(struct store_conn *c, const char *sql,
    const struct buf *arrays, size_t count, struct err *e)
{
	struct store_value values[2];
	PGresult *r;

	if (arrays[0].len <= strlen("{}"))
		return 0;
	for (size_t i = 0; i < count; i++)
		values[i] = STORE_TEXT(buf_text(&arrays[i]));
	r = store_postgres_ask(c, sql, values, count,
	    STORE_POSTGRES_STATEMENT_MS + STORE_POSTGRES_LOCK_MS, e);
	PQclear(r);
	return r != NULL ? 0 : -1;
}

int
store_postgres_hold(struct store_conn *c, const struct store_party *parties,
    size_t count, struct err *e)
{
	struct buf arrays[HOLD_ARRAYS];
	int rc = 0;

	for (size_t i = 0; i < HOLD_ARRAYS; i++) {
		buf_init(&arrays[i], STORE_POSTGRES_ARRAY_MAX);
		buf_putc(&arrays[i], '{');
	}
	for (size_t i = 0; i < count; i++) {
		const struct store_party *p = &parties[i];

		if (p->user != NULL) {
			store_postgres_add_text(&arrays[HOLD_USERS], p->user);
			store_postgres_add_text(
			    &arrays[HOLD_TENANTS], p->tenant);
		}
		if (p->conversation != NULL && p->conversation[0] != '\0')
			store_postgres_add_text(
			    &arrays[HOLD_CONVERSATIONS], p->conversation);
	}
	for (size_t i = 0; i < HOLD_ARRAYS; i++)
		if (buf_putc(&arrays[i], '}') != 0)
			rc = err_set(e, ERR_REFUSED, "store: too much at once");
	if (rc == 0)
		rc = store_postgres_hold_all(
		    c, store_postgres_lanes_sql, &arrays[HOLD_USERS], 2, e);
	if (rc == 0)
		rc =
		    store_postgres_hold_all(c, store_postgres_conversations_sql,
			&arrays[HOLD_CONVERSATIONS], 1, e);
	for (size_t i = 0; i < HOLD_ARRAYS; i++)
		buf_clear(&arrays[i]);
	return rc;
}
