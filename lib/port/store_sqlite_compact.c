/* port/store_sqlite_compact.c - the SQLite driver: free pages are given back.
 */
#include "port/store.h"
#include "port/store_sqlite.h"

enum {
	/* So many may stay: the queue will use them. */
	STORE_SQLITE_SPARE_PAGES = 256,
	STORE_SQLITE_INCREMENTAL = 2 /* PRAGMA auto_vacuum */
};

/* So many pages are moved in one transaction: some milliseconds. */
static const char store_sqlite_step_sql[] = "PRAGMA incremental_vacuum(128)";

struct store_sqlite_room {
	int64_t mode, pages, free, page_size;
};

static int
store_sqlite_measure(
    struct store_conn *c, struct store_sqlite_room *out, struct err *e)
{
	static const char mode[] = "PRAGMA auto_vacuum";
	static const char pages[] = "PRAGMA page_count";
	static const char free_pages[] = "PRAGMA freelist_count";
	static const char size[] = "PRAGMA page_size";

	if (store_sqlite_ask(c, mode, &out->mode, e) != 0 ||
	    store_sqlite_ask(c, pages, &out->pages, e) != 0 ||
	    store_sqlite_ask(c, free_pages, &out->free, e) != 0 ||
	    store_sqlite_ask(c, size, &out->page_size, e) != 0)
		return -1;
	return 0;
}

/* More than a quarter of the file. */
static bool
store_sqlite_is_roomy(const struct store_sqlite_room *r)
{
	return r->free > STORE_SQLITE_SPARE_PAGES && r->free > r->pages / 4;
}

/* One made before stores could do it in steps: once, all of it. */
static int
store_sqlite_rebuild(struct store_conn *c, struct err *e)
{
	if (store_sqlite_exec(
		c, "PRAGMA auto_vacuum = INCREMENTAL", NULL, 0, e) != 0)
		return -1;
	return store_sqlite_exec(c, "VACUUM", NULL, 0, e);
}

static int
store_sqlite_compact_locked(struct store_conn *c, int64_t *freed, struct err *e)
{
	struct store_sqlite_room before, after;
	int rc;

	if (store_sqlite_revive(c, e) != 0 ||
	    store_sqlite_measure(c, &before, e) != 0)
		return -1;
	if (!store_sqlite_is_roomy(&before))
		return 0;
	rc = before.mode == STORE_SQLITE_INCREMENTAL
	    ? store_sqlite_exec(c, store_sqlite_step_sql, NULL, 0, e)
	    : store_sqlite_rebuild(c, e);
	if (rc != 0 || store_sqlite_measure(c, &after, e) != 0)
		return -1;
	store_sqlite_bound_wal(c);
	*freed += (before.pages - after.pages) * before.page_size;
	return after.pages < before.pages;
}

int
store_sqlite_compact(struct store_conn *c, int64_t *freed, struct err *e)
{
	int rc;

	if (store_sqlite_lock_take(&c->lock, e) != 0)
		return -1;
	rc = store_sqlite_compact_locked(c, freed, e);
	store_sqlite_lock_drop(&c->lock);
	return rc;
}
