/* port/store_due.c - links and mailboxes that are due by the clock alone. */
#include "port/store_db.h"
#include "port/store_due.h"

#include <stdlib.h>

#include "base/mem.h"

/* The states' numbers stand in the texts as they do in the partial indexes. */
static const char store_due_links_sql[] =
    "SELECT tenant, user_id, conversation FROM link"
    " WHERE check_ms > 0 AND check_ms <= $1 ORDER BY check_ms LIMIT $2";
static const char store_due_mailboxes_sql[] =
    "SELECT tenant, user_id, '' FROM mailbox"
    " WHERE state = 0 AND check_ms > 0 AND check_ms <= $1"
    " ORDER BY check_ms LIMIT $2";
_Static_assert(STORE_MAILBOX_FOLLOWED == 0, "the index of mailboxes");

/* Rows that will be worked on soon: one that has to wait for long costs
 * nothing, and must not keep the others away. */
static const char store_due_links_now_sql[] =
    "SELECT count(*) FROM (SELECT 1 FROM work WHERE kind = 4"
    " AND run_ms <= $1 LIMIT $2) AS soon";
static const char store_due_mailboxes_now_sql[] =
    "SELECT count(*) FROM (SELECT 1 FROM work WHERE kind = 3"
    " AND run_ms <= $1 LIMIT $2) AS soon";
_Static_assert(
    STORE_WORK_LINK == 4 && STORE_WORK_CATCHUP == 3, "the indexes of rows");

struct store_due {
	char tenant[STORE_GUID], user[STORE_GUID];
	char conversation[STORE_ID_MAX];
};

static const struct store_field store_due_fields[] = {
    STORE_MEMBER(STORE_FIELD_TEXT, store_due, tenant),
    STORE_MEMBER(STORE_FIELD_TEXT, store_due, user),
    STORE_MEMBER(STORE_FIELD_TEXT, store_due, conversation),
};

/* The rows that are due, at most limit: their number, or -1. */
static int
store_due_read(struct store *s, const char *sql, int64_t now_ms, size_t limit,
    struct store_due *out, struct err *e)
{
	struct store_cursor *cur = store_db_query(
	    s, sql, STORE_WITH(STORE_INT(now_ms), STORE_INT(limit)), e);
	int count = 0;
	int rc;

	if (cur == NULL)
		return -1;
	while ((rc = s->driver->step(cur, e)) == 1)
		store_db_read(s, cur, store_due_fields, 3, &out[count++]);
	s->driver->finish(cur);
	return rc < 0 ? -1 : count;
}

/* The one that is there goes on, or waits, and is another's no less. */
static int
store_due_is_catching_up(
    struct store *s, const struct store_due *d, struct err *e)
{
	static const char sql[] =
	    "SELECT 1 FROM lane JOIN work ON work.lane = lane.id"
	    " WHERE lane.user_id = $1 AND lane.tenant = $2"
	    " AND work.event = '' AND work.kind = $3";
	int64_t one;

	return store_db_number(s, sql,
	    STORE_WITH(STORE_TEXT(d->user), STORE_TEXT(d->tenant),
		STORE_INT(STORE_WORK_CATCHUP)),
	    &one, e);
}

static int
store_due_add_one(struct store *s, const struct store_due *d, int64_t now_ms,
    int64_t check_ms, struct err *e)
{
	static const char link_sql[] =
	    "UPDATE link SET check_ms = $1 WHERE conversation = $2";
	static const char mailbox_sql[] = "UPDATE mailbox SET check_ms = $1"
					  " WHERE tenant = $2 AND user_id = $3";
	bool is_link = d->conversation[0] != '\0';
	const struct store_hint_item item = {
	    .kind = is_link ? STORE_WORK_LINK : STORE_WORK_CATCHUP,
	    .tenant = d->tenant,
	    .user = d->user,
	    .event = d->conversation,
	    .hints = is_link ? 0 : STORE_HINT_MISSED,
	};
	int64_t changed = is_link
	    ? store_db_run(s, link_sql,
		  STORE_WITH(STORE_INT(check_ms), STORE_TEXT(d->conversation)),
		  e)
	    : store_db_run(s, mailbox_sql,
		  STORE_WITH(STORE_INT(check_ms), STORE_TEXT(d->tenant),
		      STORE_TEXT(d->user)),
		  e);

	int there =
	    changed < 0 || is_link ? 0 : store_due_is_catching_up(s, d, e);

	if (changed < 0 || there != 0)
		return changed < 0 || there < 0 ? -1 : 0;
	return store_work_add(s, &item, 1, now_ms, 0, e);
}

static int
store_due_add_all(struct store *s, const char *sql, int64_t now_ms,
    int64_t again_ms, size_t limit, int64_t *count, struct err *e)
{
	struct store_due *rows;
	int found, rc;

	if (limit == 0)
		return 0;
	rows = mem_calloc(limit, sizeof(*rows));
	found = store_due_read(s, sql, now_ms, limit, rows, e);
	rc = found < 0 ? -1 : 0;
	for (int i = 0; i < found && rc == 0; i++)
		rc = store_due_add_one(
		    s, &rows[i], now_ms, now_ms + again_ms, e);
	if (rc == 0)
		*count += found;
	free(rows);
	return rc;
}

/* Lowers *limit so that no more than most rows are there. */
static int
store_due_bound(struct store *s, const char *sql, int64_t now_ms, size_t most,
    size_t *limit, struct err *e)
{
	int64_t there = 0;

	if (*limit == 0)
		return 0;
	if (store_db_number(s, sql,
		STORE_WITH(
		    STORE_INT(now_ms + STORE_DUE_SOON_MS), STORE_INT(most)),
		&there, e) < 0)
		return -1;
	if (*limit > most - (size_t)there)
		*limit = most - (size_t)there;
	return 0;
}

int
store_due_add(struct store *s, int64_t now_ms, int64_t again_ms, size_t links,
    size_t mailboxes, int64_t *count, struct err *e)
{
	int64_t added = 0;
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : 0;

	if (rc == 0 &&
	    (store_due_bound(s, store_due_links_now_sql, now_ms,
		 STORE_DUE_LINKS, &links, e) != 0 ||
		store_due_bound(s, store_due_mailboxes_now_sql, now_ms,
		    STORE_DUE_MAILBOXES, &mailboxes, e) != 0))
		rc = -1;
	if (rc == 0)
		rc = store_due_add_all(
		    s, store_due_links_sql, now_ms, again_ms, links, &added, e);
	if (rc == 0)
		rc = store_due_add_all(s, store_due_mailboxes_sql, now_ms,
		    again_ms, mailboxes, &added, e);
	rc = store_db_leave(s, own, rc, e);
	if (rc == 0 && count != NULL)
		*count += added;
	return rc;
}

/* The first of an index: *next_ms is lowered to it. */
static int
store_due_first(
    struct store *s, const char *sql, int64_t *next_ms, struct err *e)
{
	int64_t first_ms;
	int rc = store_db_number(s, sql, NULL, 0, &first_ms, e);

	if (rc == 1 && first_ms < *next_ms)
		*next_ms = first_ms;
	return rc < 0 ? -1 : 0;
}

int
store_due_next(struct store *s, int64_t *next_ms, struct err *e)
{
	static const char links_sql[] =
	    "SELECT check_ms FROM link WHERE check_ms > 0"
	    " ORDER BY check_ms LIMIT 1";
	static const char mailboxes_sql[] =
	    "SELECT check_ms FROM mailbox WHERE state = 0 AND check_ms > 0"
	    " ORDER BY check_ms LIMIT 1";

	*next_ms = INT64_MAX;
	if (store_due_first(s, links_sql, next_ms, e) != 0)
		return -1;
	return store_due_first(s, mailboxes_sql, next_ms, e);
}
