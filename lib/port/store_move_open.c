/* port/store_move_open.c - are the two stores what is meant? See store_move.h.
 */
#include <string.h>

#include "base/file.h"
#include "base/rand.h"
#include "base/text.h"
#include "port/store_move_table.h"
#include "port/store_replica.h"

static int
store_move_check_kinds(const struct store_move *m, struct err *e)
{
	if (store_check_database(m->from, e) != 0)
		return err_wrap(e, "the store to be moved");
	if (store_check_database(m->to, e) != 0)
		return err_wrap(e, "the database to move to");
	if (store_database_is_shared(m->from))
		return err_set(e, ERR_CONFIG,
		    "the store to be moved is in PostgreSQL already: name that "
		    "of one host with --database sqlite:PATH");
	if (!store_database_is_shared(m->to))
		return err_set(e, ERR_CONFIG,
		    "a store is moved to PostgreSQL: "
		    "postgresql://user@host/name");
	if (strlen(m->to) >= STORE_TEXT_MAX ||
	    strlen(m->from) >= STORE_TEXT_MAX)
		return err_set(e, ERR_CONFIG, "the database's URL is too long");
	return 0;
}

static int
store_move_lock(struct store_move_run *r, struct err *e)
{
	r->lock_fd = store_lock_file_open(r->order->from, ".move.lock", e);
	if (r->lock_fd < 0)
		return -1;
	if (file_lock(r->lock_fd, 0, NULL) != 0)
		return err_set(
		    e, ERR_RETRY, "another one is moving this store");
	return 0;
}

/* The store of the version that it has, as the connection says it. */
static int
store_move_version(struct store *s, int64_t *out, struct err *e)
{
	return s->driver->version(s->conn, out, e);
}

/* Sound as well: what an index has lost would not be missed. */
static int
store_move_open_old(struct store_move_run *r, struct err *e)
{
	const struct store_move *m = r->order;

	r->job.from = store_open_marked(
	    m->from, 0, m->lock_wait_ms, m->now_ms, STORE_MARK_MOVED, e);
	if (r->job.from == NULL)
		return -1;
	return store_check(r->job.from, e);
}

static int
store_move_look_old(struct store_move_run *r, struct err *e)
{
	const struct store_move *m = r->order;
	int64_t version = 0;
	int found;

	if (store_move_version(r->job.from, &version, e) != 0)
		return -1;
	r->closed = version == STORE_MARK_MOVED;
	found = store_moved_get(r->job.from, &r->moved, e);
	if (found < 0)
		return -1;
	if (r->closed && strcmp(r->moved.peer, m->to) != 0)
		return err_set(e, ERR_CONFIG,
		    "the store was moved before, and to another database: %s",
		    r->moved.peer);
	if (found == 0)
		rand_guid(r->moved.id);
	text_copy(r->moved.peer, sizeof(r->moved.peer), m->to);
	return 0;
}

/* The other way round, for the new store. */
static int
store_move_claim_new(struct store_move_run *r, struct err *e)
{
	struct store_moved m = r->moved, there = {.id = ""};
	int found = store_moved_get(r->job.to, &there, e);

	if (found < 0)
		return -1;
	if (found == 1 && strcmp(there.id, m.id) != 0)
		return err_set(e, ERR_CONFIG,
		    "the database is being filled from another store, %s: "
		    "empty it, or go on with that one",
		    there.peer);
	r->out->resumed = found == 1;
	text_copy(m.peer, sizeof(m.peer), r->order->from);
	if (found == 1 || r->order->dry_run)
		return 0;
	return store_moved_set(r->job.to, &m, e);
}

/* It holds a store that can be used: ours, after an interruption behind the
 * last step, or anybody's. */
static int
store_move_meet_used(struct store_move_run *r, struct err *e)
{
	struct store_moved there = {.id = ""};

	if (store_moved_get(r->job.to, &there, e) < 0)
		return -1;
	r->out->was_done = r->closed && strcmp(there.id, r->moved.id) == 0;
	return r->out->was_done
	    ? 0
	    : err_set(e, ERR_CONFIG,
		  "the database holds a store that is in use: give an empty "
		  "one");
}

static int
store_move_open_new(struct store_move_run *r, struct err *e)
{
	const struct store_move *m = r->order;
	unsigned flags = m->dry_run ? 0 : STORE_CREATE;
	int64_t version = 0;

	r->job.to = store_open_marked(
	    m->to, flags, m->lock_wait_ms, m->now_ms, STORE_MARK_FILLING, e);
	if (r->job.to == NULL ||
	    store_move_version(r->job.to, &version, e) != 0)
		return -1;
	if (version == STORE_SCHEMA_VERSION)
		return store_move_meet_used(r, e);
	return m->dry_run && version == 0 ? 0 : store_move_claim_new(r, e);
}

int
store_move_open(struct store_move_run *r, struct err *e)
{
	if (store_move_check_kinds(r->order, e) != 0 ||
	    store_move_open_old(r, e) != 0 || store_move_lock(r, e) != 0 ||
	    store_move_look_old(r, e) != 0)
		return -1;
	return store_move_open_new(r, e);
}
