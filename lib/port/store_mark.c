/* port/store_mark.c - see store_mark.h. */
#include "port/store_mark.h"

#define STORE_MOVED_MEMBER(type, member) STORE_MEMBER(type, store_moved, member)

static const struct store_field store_moved_fields[] = {
    STORE_MOVED_MEMBER(STORE_FIELD_TEXT, id),
    STORE_MOVED_MEMBER(STORE_FIELD_TEXT, peer),
    STORE_MOVED_MEMBER(STORE_FIELD_INT64, at_ms),
};
enum {
	STORE_MOVED_FIELDS =
	    sizeof(store_moved_fields) / sizeof(store_moved_fields[0])
};

int
store_moved_get(struct store *s, struct store_moved *out, struct err *e)
{
	static const char sql[] = "SELECT id, peer, at_ms FROM moved";

	return store_db_row(
	    s, sql, NULL, 0, store_moved_fields, STORE_MOVED_FIELDS, out, e);
}

int
store_moved_set(struct store *s, const struct store_moved *m, struct err *e)
{
	static const char clear_sql[] = "DELETE FROM moved";
	static const char sql[] =
	    "INSERT INTO moved (id, peer, at_ms) VALUES ($1, $2, $3)";
	struct store_value values[STORE_MOVED_FIELDS];
	int own = store_db_enter(s, e);
	int rc = own < 0 ? -1 : 0;

	store_db_bind(store_moved_fields, STORE_MOVED_FIELDS, m, values);
	if (rc == 0 &&
	    (store_db_run(s, clear_sql, NULL, 0, e) < 0 ||
		store_db_run(s, sql, values, STORE_MOVED_FIELDS, e) < 0))
		rc = -1;
	return store_db_leave(s, own, rc, e);
}

int
store_mark_admit(struct store *s, int64_t version, struct err *e)
{
	struct store_moved m = {.peer = "the one that it was moved to"};

	if (version < STORE_MARK_FIRST)
		return 0;
	if (version >= STORE_MARK_FIRST_FILLING)
		return err_set(e, ERR_CONFIG,
		    "outlook-addinctl migrate-store is filling this database, "
		    "or was interrupted: it can be used when that has ended");
	if (store_moved_get(s, &m, e) < 0)
		return -1;
	return err_set(e, ERR_CONFIG,
	    "the store was moved by outlook-addinctl migrate-store, nothing is "
	    "written here any more: set \"database\" to %s",
	    m.peer);
}
