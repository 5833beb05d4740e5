/* port/store.c - see store.h: opening, transactions, upkeep. */
#include <config.h>

#include "port/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "port/store_db.h"
#include "port/store_mark.h"
#include "port/store_replica.h"
#include "port/store_schema.h"

static const struct store_driver *const store_drivers[] = {
    &store_sqlite_driver,
#ifdef HAVE_POSTGRESQL
    &store_postgres_driver,
#endif
};

static bool
store_begins(const char *text, const char *scheme)
{
	return scheme != NULL && strncmp(text, scheme, strlen(scheme)) == 0;
}

/* The driver of "scheme:location" and the location. */
static const struct store_driver *
store_driver_of(const char *database, const char **location, struct err *e)
{
	for (size_t i = 0; i < sizeof(store_drivers) / sizeof(store_drivers[0]);
	     i++) {
		const struct store_driver *d = store_drivers[i];

		if (!store_begins(database, d->scheme) &&
		    !store_begins(database, d->other_scheme))
			continue;
		*location = strchr(database, ':') + 1;
		return d;
	}
	if (store_begins(database, "postgresql:") ||
	    store_begins(database, "postgres:"))
		err_set(e, ERR_CONFIG,
		    "names PostgreSQL, which this build was made without "
		    "(--without-postgresql)");
	else
		err_set(e, ERR_CONFIG,
		    "database must be \"sqlite:/path/to/file\" or "
		    "\"postgresql://...\"");
	return NULL;
}

int
store_check_database(const char *database, struct err *e)
{
	const char *location = NULL;
	const struct store_driver *driver =
	    store_driver_of(database, &location, e);

	if (driver == NULL)
		return -1;
	return driver->check_location != NULL
	    ? driver->check_location(location, e)
	    : 0;
}

int
store_prepare(
    const char *database, int (*each)(const char *path, void *arg), void *arg)
{
	const char *location = NULL;
	const struct store_driver *driver =
	    store_driver_of(database, &location, NULL);

	return driver != NULL && driver->prepare != NULL
	    ? driver->prepare(location, each, arg)
	    : 0;
}

bool
store_database_is_shared(const char *database)
{
	const char *location = NULL;
	const struct store_driver *driver =
	    store_driver_of(database, &location, NULL);

	return driver != NULL && driver->shared;
}

/* Before anything is changed: whether this handle may work with that. */
static int
store_admit(struct store *s, int64_t version, struct err *e)
{
	if (version == s->mark)
		return 0;
	if (store_mark_admit(s, version, e) != 0)
		return -1;
	return store_schema_admit(version, e);
}

static bool
store_is_set_up(const struct store *s, int64_t version)
{
	return version == STORE_SCHEMA_VERSION ||
	    (s->mark != 0 && version == s->mark);
}

/* Our version or, with STORE_CREATE and inside a transaction, brought to it. */
static int
store_settle_version(struct store *s, struct err *e)
{
	int64_t version = 0;

	if (s->driver->version(s->conn, &version, e) != 0 ||
	    store_admit(s, version, e) != 0)
		return -1;
	if (store_is_set_up(s, version))
		return 0;
	/* What is moved was brought up by its own programs before. */
	if (!(s->flags & STORE_CREATE) || s->beside ||
	    (s->mark != 0 && version != 0))
		return err_set(e, ERR_RETRY,
		    "the store has not been set up by this version yet");
	return store_schema_migrate(s, version, e);
}

/* Behind driver->open(): still under its lock. */
static int
store_set_up(struct store *s, struct err *e)
{
	int64_t version = 0;

	if (s->driver->version(s->conn, &version, e) != 0 ||
	    store_admit(s, version, e) != 0)
		return -1;
	if (s->driver->set_up(s->conn, e) != 0)
		return -1;
	if (store_is_set_up(s, version) ||
	    (s->mark != 0 && version == 0 && !(s->flags & STORE_CREATE)))
		return 0;
	if (s->flags & STORE_READ_ONLY)
		return err_set(e, ERR_RETRY,
		    "the store has not been set up by this version yet");
	if (store_begin(s, e) != 0)
		return -1;
	return store_commit(s, e);
}

struct store *
store_open_marked(const char *database, unsigned flags, int lock_wait_ms,
    int64_t now_ms, int mark, struct err *e)
{
	const char *location = NULL;
	const struct store_driver *driver =
	    store_driver_of(database, &location, e);
	struct store *s;

	if (driver == NULL)
		return NULL;
	s = mem_zalloc(sizeof(*s));
	s->driver = driver;
	s->flags = flags;
	s->opened_ms = now_ms;
	s->mark = mark;
	s->conn = driver->open(location, flags, lock_wait_ms, e);
	if (s->conn == NULL)
		goto fail;
	if (store_set_up(s, e) != 0)
		goto fail;
	driver->opened(s->conn);
	return s;
fail:
	err_wrap(e, "open the store %s", location);
	store_close(s);
	return NULL;
}

struct store *
store_open(const char *database, unsigned flags, int lock_wait_ms,
    int64_t now_ms, struct err *e)
{
	return store_open_marked(database, flags, lock_wait_ms, now_ms, 0, e);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->in_transaction)
		store_rollback(s);
	s->driver->close(s->conn);
	free(s);
}

static int
store_begin_as(struct store *s, bool beside, struct err *e)
{
	struct err failed = {0};

	if (s->in_transaction)
		return err_set(
		    e, ERR_REFUSED, "store: a transaction is open already");
	if (s->flags & STORE_READ_ONLY)
		return err_set(e, ERR_FULL, "store: opened for reading only");
	if (s->driver->begin(s->conn, s->fence, beside, &failed) != 0) {
		s->fence_lost = s->fence_lost || failed.code == ERR_GONE;
		return err_set(e, failed.code, "%s", failed.text);
	}
	s->beside = beside;
	if (store_settle_version(s, e) != 0) {
		s->beside = false;
		s->driver->rollback(s->conn);
		return -1;
	}
	memset(s->lanes, 0, sizeof(s->lanes));
	s->in_transaction = true;
	s->spoilt = false;
	return 0;
}

int
store_begin(struct store *s, struct err *e)
{
	return store_begin_as(s, false, e);
}

int
store_begin_beside(struct store *s, const struct store_party *parties,
    size_t count, struct err *e)
{
	if (s->driver->hold == NULL)
		return store_begin_as(s, false, e);
	if (store_begin_as(s, true, e) != 0)
		return -1;
	if (s->driver->hold(s->conn, parties, count, e) == 0)
		return 0;
	store_rollback(s);
	return -1;
}

int
store_commit(struct store *s, struct err *e)
{
	if (!s->in_transaction)
		return err_set(e, ERR_REFUSED, "store: no transaction is open");
	if (s->spoilt) {
		store_rollback(s);
		return err_set(e, ERR_RETRY,
		    "store: a step of the transaction has failed");
	}
	s->in_transaction = s->beside = false;
	return s->driver->commit(s->conn, e);
}

void
store_rollback(struct store *s)
{
	if (!s->in_transaction)
		return;
	s->in_transaction = s->beside = false;
	s->spoilt = false;
	s->driver->rollback(s->conn);
}

int
store_checkpoint(struct store *s, struct err *e)
{
	if (!(s->flags & STORE_CHECKPOINTER) || s->in_transaction)
		return err_set(
		    e, ERR_REFUSED, "store: this handle does not checkpoint");
	return s->driver->checkpoint(s->conn, e);
}

int
store_compact(struct store *s, int64_t *freed, struct err *e)
{
	int rc;

	*freed = 0;
	if (s->in_transaction)
		return err_set(
		    e, ERR_REFUSED, "store: not within a transaction");
	while ((rc = s->driver->compact(s->conn, freed, e)) == 1)
		;
	/* Until then the file is as long as it was. */
	if (rc == 0 && *freed != 0)
		rc = s->driver->checkpoint(s->conn, e);
	return rc;
}

int64_t
store_data_version(struct store *s)
{
	return s->driver->data_version(s->conn);
}

int
store_check(struct store *s, struct err *e)
{
	return s->driver->check(s->conn, e);
}

int
store_backup(struct store *s, const char *path, struct err *e)
{
	if (s->in_transaction)
		return err_set(
		    e, ERR_REFUSED, "store: no backup inside a transaction");
	return s->driver->backup(s->conn, path, e);
}

int
store_move_aside(const char *database, int64_t now_ms, struct err *e)
{
	const char *location = NULL;
	const struct store_driver *driver =
	    store_driver_of(database, &location, e);

	if (driver == NULL)
		return -1;
	if (driver->move_aside == NULL)
		return err_set(e, ERR_REFUSED,
		    "a database of a server is not moved aside");
	return driver->move_aside(location, now_ms, e);
}

int
store_lock_file_open(const char *database, const char *suffix, struct err *e)
{
	const char *location = NULL;
	const struct store_driver *driver =
	    store_driver_of(database, &location, e);

	if (driver == NULL)
		return -1;
	if (driver->lock_file == NULL)
		return err_set(
		    e, ERR_REFUSED, "beside a server there is no lock file");
	return driver->lock_file(location, suffix, e);
}
