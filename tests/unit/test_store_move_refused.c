/* tests/unit/test_store_move_refused.c - port/store_move.h: what is not moved,
 * and loses nothing by that. */
#include "test_store_move.h"

#include <signal.h>

#include "base/file.h"

#ifdef HAVE_POSTGRESQL

static void
assert_refused(struct test_move *t, enum err_code code, const char *text)
{
	int rc;

	err_clear(&t->old.e);
	rc = store_move(&t->order, &t->result, &t->old.e);
	if (t->old.e.code != code || strstr(t->old.e.text, text) == NULL)
		print_error("%d: %s\n", t->old.e.code, t->old.e.text);
	assert_int_equal(rc, -1);
	assert_int_equal(t->old.e.code, code);
	assert_non_null(strstr(t->old.e.text, text));
}

static void
assert_refused_and_in_use(
    struct test_move *t, enum err_code code, const char *text)
{
	assert_refused(t, code, text);
	assert_true(test_can_be_used(t->old.url));
}

/* ---- the new database ---- */

static void
stop_when_held(const struct store_move_progress *p, void *arg)
{
	(void)arg;
	if (p->phase == STORE_MOVE_HELD)
		raise(SIGKILL);
}

/* All was copied, nothing is settled. */
static void
interrupt(struct test_move *t)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		t->order.progress = stop_when_held;
		_exit(store_move(&t->order, &t->result, &t->old.e) + 10);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void
a_database_that_is_in_use_or_filled_from_elsewhere_is_left_alone(void **state)
{
	struct test_move *t = *state;

	interrupt(t);
	test_postgres_sql("UPDATE moved SET id = 'other', peer = 'sqlite:/o'");
	assert_refused_and_in_use(t, ERR_CONFIG, "another store, sqlite:/o");
	test_postgres_url("", t->to, sizeof(t->to));
	assert_true(test_can_be_used(t->to));
	assert_refused_and_in_use(t, ERR_CONFIG, "in use: give an empty one");
	assert_true(test_can_be_used(t->to));
	test_postgres_sql("UPDATE store_version SET version = 99");
	assert_refused_and_in_use(t, ERR_NEWER, "newer program");
	test_postgres_sql("UPDATE store_version SET version = 1");
	assert_refused_and_in_use(t, ERR_RETRY, "not been set up");
	test_postgres_sql("UPDATE store_version SET version = 2000001");
	assert_refused_and_in_use(t, ERR_CONFIG, "is filling this database");
	test_postgres_sql("DROP TABLE store_version");
	assert_refused_and_in_use(t, ERR_CONFIG, "another program");
}

static void
an_interrupted_move_may_be_given_up_for_another_database(void **state)
{
	struct test_move *t = *state;

	test_move_fill(t, 1, 3);
	interrupt(t);
	test_postgres_url("", t->to, sizeof(t->to));
	assert_moves(t);
	assert_false(t->result.resumed);
	assert_int_equal(test_move_compare(t), t->result.count);
	/* But once it is closed there is only that one. */
	t->order.to = "postgresql://outlook@/other?host=/tmp";
	assert_refused(t, ERR_CONFIG, "moved before, and to another database");
	assert_true(test_can_be_used(t->to));
	/* As docs/upgrade.md takes it back. */
	sql(&t->old, "PRAGMA user_version = 2");
	test_postgres_url("", t->to, sizeof(t->to));
	assert_true(test_can_be_used(t->old.url));
	t->order.to = t->to;
	assert_moves(t);
	assert_int_equal(test_move_compare(t), t->result.count);
}

struct cutter {
	enum store_move_phase at;
	int left; /* how often it cuts */
};

static void
cut_connections(const struct store_move_progress *p, void *arg)
{
	struct cutter *c = arg;

	if (p->phase != c->at || c->left-- <= 0)
		return;
	test_postgres_sql("SELECT pg_terminate_backend(pid, 5000)"
			  " FROM pg_stat_activity WHERE datname = 'outlook'"
			  " AND pid <> pg_backend_pid()");
}

static void
a_lost_connection_costs_nothing_and_behind_the_mark_it_is_made_anew(
    void **state)
{
	struct test_move *t = *state;
	struct cutter cut = {.left = 1};

	test_move_fill(t, 1, 3);
	t->order.progress = cut_connections;
	t->order.arg = &cut;
	assert_refused_and_in_use(t, ERR_RETRY, "table");
	cut = (struct cutter){STORE_MOVE_HELD, 1};
	assert_refused_and_in_use(t, ERR_RETRY, "table");
	assert_false(test_can_be_used(t->to));
	cut = (struct cutter){STORE_MOVE_CLOSED, 1};
	assert_moves(t);
	assert_int_equal(cut.left, 0);
	assert_true(test_can_be_used(t->to));
	assert_int_equal(test_move_compare(t), t->result.count);
}

static void
rows_that_do_not_stay_as_they_were_written_are_noticed(void **state)
{
	struct test_move *t = *state;

	test_move_fill(t, 1, 3);
	interrupt(t);
	test_postgres_sql(
	    "CREATE FUNCTION forge() RETURNS trigger AS 'BEGIN"
	    " NEW.topic = ''forged''; RETURN NEW; END' LANGUAGE plpgsql;"
	    "CREATE TRIGGER forge BEFORE INSERT ON link"
	    " FOR EACH ROW EXECUTE FUNCTION forge()");
	sql(&t->old, "UPDATE link SET topic = 'new'");
	assert_refused_and_in_use(t, ERR_INPUT, "differ however often");
	assert_false(test_can_be_used(t->to));
	test_postgres_sql("DROP TRIGGER forge ON link");
	assert_moves(t);
	assert_int_equal(test_move_compare(t), t->result.count);
}

/* ---- the old store ---- */

static void
an_old_store_that_is_not_as_it_has_to_be_is_not_moved(void **state)
{
	struct test_move *t = *state;
	char path[256];

	sql(&t->old, "PRAGMA user_version = 1");
	assert_refused(t, ERR_RETRY, "not been set up by this version");
	sql(&t->old, "PRAGMA user_version = 99");
	assert_refused(t, ERR_NEWER, "newer program");
	sql(&t->old, "PRAGMA user_version = 2000002");
	assert_refused(t, ERR_CONFIG, "is filling this database");
	sql(&t->old, "PRAGMA user_version = 2");
	test_move_fill(t, 1, 3);
	sql(&t->old,
	    "UPDATE link SET topic = CAST(x'41ff41' AS TEXT)"
	    " WHERE start_ms % 2 = 0");
	assert_refused_and_in_use(
	    t, ERR_INPUT, "table link, column topic, is not UTF-8");
	sql(&t->old, "UPDATE link SET topic = 'A'");
	assert_moves(t);
	t->order.from = "sqlite:/tmp/test-no-such-store.db";
	assert_refused(t, ERR_GONE, "no store at");
	assert_int_not_equal(
	    access("/tmp/test-no-such-store.db.move.lock", F_OK), 0);
	t->order.from = t->old.url;
	snprintf(path, sizeof(path), "%s/state.db", t->old.folder);
	sql(&t->old, "PRAGMA wal_checkpoint(TRUNCATE)");
	overwrite(path, 0, 4096);
	assert_refused(t, ERR_INPUT, "");
}

/* Its two trees change places, so that the key's index knows less than the
 * table; only a look at the table itself tells. */
static void
a_row_that_an_index_has_lost_is_missed(void **state)
{
	struct test_move *t = *state;

	test_move_fill(t, 1, 9);
	sql(&t->old,
	    "CREATE UNIQUE INDEX part ON fact (name) WHERE at_ms % 2 = 0;"
	    "PRAGMA writable_schema = ON;"
	    "UPDATE sqlite_master SET rootpage = (SELECT sum(rootpage) FROM"
	    " sqlite_master WHERE name IN ('part', 'sqlite_autoindex_fact_1'))"
	    " - rootpage WHERE name IN ('part', 'sqlite_autoindex_fact_1')");
	assert_refused_and_in_use(t, ERR_INPUT, "rows by its count");
}

/* ---- somebody else ---- */

static void
who_holds_a_store_or_moves_it_is_waited_for_but_not_for_ever(void **state)
{
	struct test_move *t = *state;
	struct store *s = open_again(&t->old, STORE_CREATE);
	PGconn *db;
	int fd;

	t->order.lock_wait_ms = 50;
	assert_ok(&t->old, store_begin(s, &t->old.e));
	assert_refused(t, ERR_RETRY, "lock");
	store_rollback(s);
	store_close(s);

	fd = store_lock_file_open(t->old.url, ".move.lock", &t->old.e);
	assert_int_equal(file_lock(fd, 0, &t->old.e), 0);
	assert_refused_and_in_use(t, ERR_RETRY, "another one is moving");
	close(fd);

	db = PQconnectdb(test_postgres_at);
	PQclear(
	    PQexec(db, "BEGIN; SELECT pg_advisory_xact_lock(7310281735541)"));
	assert_refused_and_in_use(t, ERR_RETRY, "lock timeout");
	PQfinish(db);
	t->order.lock_wait_ms = 5000;
	assert_moves(t);
}

static void
a_trial_writes_nothing_and_counts_all(void **state)
{
	struct test_move *t = *state;
	char *there;

	test_move_fill(t, 1, 5);
	t->order.dry_run = true;
	assert_moves(t);
	assert_true(t->result.rows >= 5 * 13);
	assert_string_equal(t->result.sums[0].digest, "");
	there = test_postgres_ask("SELECT count(*) FROM pg_tables"
				  " WHERE schemaname = 'public'");
	assert_string_equal(there, "0\n");
	free(there);
	there = test_sqlite_ask(t, "SELECT count(*) FROM moved");
	assert_string_equal(there, "0\n");
	free(there);
	/* It finds what the real one would. */
	test_postgres_sql("CREATE TABLE lease (x text)");
	assert_refused_and_in_use(t, ERR_RETRY, "lease");
	test_postgres_sql("DROP TABLE lease");
	assert_true(test_can_be_used(t->to));
	assert_refused_and_in_use(t, ERR_CONFIG, "in use");
}

int
main(void)
{
#define CASE(f)                                                                \
	cmocka_unit_test_setup_teardown(f, test_move_setup, test_move_teardown)
	const struct CMUnitTest cases[] = {
	    CASE(
		a_database_that_is_in_use_or_filled_from_elsewhere_is_left_alone),
	    CASE(an_interrupted_move_may_be_given_up_for_another_database),
	    CASE(
		a_lost_connection_costs_nothing_and_behind_the_mark_it_is_made_anew),
	    CASE(rows_that_do_not_stay_as_they_were_written_are_noticed),
	    CASE(an_old_store_that_is_not_as_it_has_to_be_is_not_moved),
	    CASE(a_row_that_an_index_has_lost_is_missed),
	    CASE(who_holds_a_store_or_moves_it_is_waited_for_but_not_for_ever),
	    CASE(a_trial_writes_nothing_and_counts_all),
	};

	return _cmocka_run_group_tests("store: not moving it", cases,
	    sizeof(cases) / sizeof(cases[0]), test_postgres_start,
	    test_postgres_stop);
}

#else

static void
a_build_without_postgresql_says_so(void **state)
{
	const struct store_move m = {
	    .from = "sqlite:/nowhere", .to = "postgresql://u@/d?host=/tmp"};
	struct store_move_result r;
	struct err e = {0};

	(void)state;
	assert_int_equal(store_move(&m, &r, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.text, "--without-postgresql"));
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_build_without_postgresql_says_so),
	};

	return cmocka_run_group_tests_name(
	    "store: not moving it", cases, NULL, NULL);
}
#endif
