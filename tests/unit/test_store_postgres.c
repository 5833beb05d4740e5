/* tests/unit/test_store_postgres.c - transactions and connections of the
 * PostgreSQL driver. */
#include "test_store.h"

#include <signal.h>

#include "base/clock.h"
#include "base/loop.h"
#include "port/store_db.h"
#include "port/store_postgres.h"
#include "port/store_replica.h"

static bool
is_shared(const struct test_store *t)
{
	return store_database_is_shared(t->url);
}

/* ---- time ---- */

/* While set nobody waits for long, and the clock has moved on instead. */
static bool time_flies;
static int64_t time_flown_ms;
enum { WAIT_MS = 300 };

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);

int64_t
__wrap_clock_mono_ms(void)
{
	return __real_clock_mono_ms() + time_flown_ms;
}

int __real_loop_wait_fd(int fd, bool writes, int64_t wait_ms, struct err *e);
int __wrap_loop_wait_fd(int fd, bool writes, int64_t wait_ms, struct err *e);

int
__wrap_loop_wait_fd(int fd, bool writes, int64_t wait_ms, struct err *e)
{
	int rc;

	if (!time_flies || wait_ms <= WAIT_MS)
		return __real_loop_wait_fd(fd, writes, wait_ms, e);
	rc = __real_loop_wait_fd(fd, writes, WAIT_MS, e);
	if (rc == 0)
		time_flown_ms += wait_ms - WAIT_MS;
	return rc;
}

/* ---- transactions ---- */

static void
a_transaction_does_not_survive_its_connection(void **state)
{
	struct test_store *t = *state;

	if (!is_shared(t))
		return;
	assert_ok(t, store_replica_join(t->store, "a", false, NULL, &t->e));
	assert_ok(t, store_begin(t->store, &t->e));
	assert_ok(t, store_fact_set(t->store, "first", "v", T0, &t->e));
	test_postgres_cut_off();
	/* Nobody looks at what this read says. */
	assert_int_equal(
	    store_fact_get(t->store, "x", NULL, 0, NULL, &t->e), -1);
	assert_int_equal(
	    store_fact_set(t->store, "second", "v", T0, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_int_equal(store_commit(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_int_equal(
	    store_fact_get(t->store, "first", NULL, 0, NULL, &t->e), 0);
	assert_int_equal(
	    store_fact_get(t->store, "second", NULL, 0, NULL, &t->e), 0);
	/* It was that transaction only. */
	assert_ok(t, store_fact_set(t->store, "third", "v", T0, &t->e));
}

/* The driver's own, whatever the verbs have looked at. */
static void
a_connection_that_is_lost_is_not_replaced_inside_a_transaction(void **state)
{
	static const char write_sql[] =
	    "INSERT INTO fact (name, fact, at_ms) VALUES ('x', 'y', 1)";
	struct test_store *t = *state;
	const struct store_driver *d;
	struct store_conn *c;

	if (!is_shared(t))
		return;
	d = t->store->driver;
	c = t->store->conn;
	assert_ok(t, d->begin(c, 0, false, &t->e));
	test_postgres_cut_off();
	assert_null(d->query(c, write_sql, NULL, 0, &t->e));
	assert_null(d->query(c, write_sql, NULL, 0, &t->e));
	assert_int_equal(d->commit(c, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_int_equal(
	    store_fact_get(t->store, "x", NULL, 0, NULL, &t->e), 0);
}

static void
a_transaction_that_was_ended_behind_our_back_is_not_committed(void **state)
{
	struct test_store *t = *state;

	if (!is_shared(t))
		return;
	assert_ok(t, store_begin(t->store, &t->e));
	assert_ok(t, store_fact_set(t->store, "first", "v", T0, &t->e));
	assert_true(store_db_run(t->store, "ROLLBACK", NULL, 0, &t->e) >= 0);
	assert_int_equal(store_commit(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_ok(t, store_fact_set(t->store, "second", "v", T0, &t->e));
}

static void
a_statement_that_failed_spoils_its_transaction(void **state)
{
	struct test_store *t = *state;
	int64_t one;

	assert_ok(t, store_begin(t->store, &t->e));
	assert_ok(t, store_fact_set(t->store, "first", "v", T0, &t->e));
	assert_int_equal(store_db_number(t->store, "SELECT nothing FROM fact",
			     NULL, 0, &one, &t->e),
	    -1);
	assert_int_equal(store_commit(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_int_equal(
	    store_fact_get(t->store, "first", NULL, 0, NULL, &t->e), 0);
}

/* ---- others ---- */

static void
who_is_silent_in_a_transaction_loses_it_and_the_lock(void **state)
{
	static const char limit_sql[] =
	    "SELECT CASE current_setting('idle_in_transaction_session_timeout')"
	    " WHEN '10s' THEN 1 ELSE 0 END";
	static const char shorter_sql[] = "SELECT set_config("
					  "'idle_in_transaction_session_"
					  "timeout', '200', true)";
	struct test_store *t = *state;
	struct store *other;
	int64_t is_set = 0;

	if (!is_shared(t))
		return;
	other = store_open(t->url, 0, 5000, T0, &t->e);
	assert_non_null(other);
	assert_ok(t, store_begin(t->store, &t->e));
	assert_ok(t, store_fact_set(t->store, "first", "v", T0, &t->e));
	assert_int_equal(
	    store_db_number(t->store, limit_sql, NULL, 0, &is_set, &t->e), 1);
	assert_int_equal(is_set, 1);
	assert_true(store_db_run(t->store, shorter_sql, NULL, 0, &t->e) >= 0);
	assert_ok(t, store_fact_set(other, "second", "v", T0, &t->e));
	assert_int_equal(store_commit(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_int_equal(
	    store_fact_get(other, "first", NULL, 0, NULL, &t->e), 0);
	store_close(other);
}

static void
nobody_waits_for_the_lock_longer_than_he_said(void **state)
{
	struct test_store *t = *state;
	struct store *other;
	int64_t from_ms;

	if (!is_shared(t))
		return;
	other = store_open(t->url, 0, 200, T0, &t->e);
	assert_non_null(other);
	assert_ok(t, store_begin(t->store, &t->e));
	from_ms = clock_mono_ms();
	assert_int_equal(store_fact_set(other, "x", "v", T0, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_true(clock_mono_ms() - from_ms >= 200);
	assert_true(clock_mono_ms() - from_ms < 2000);
	store_rollback(t->store);
	assert_ok(t, store_fact_set(other, "x", "v", T0, &t->e));
	store_close(other);
}

/* ---- a server that is frozen ---- */

static volatile sig_atomic_t frozen;

static void
thaw(int signo)
{
	(void)signo;
	kill((pid_t)frozen, SIGCONT);
}

/* More than its socket holds. */
static int
append_many(struct test_store *t)
{
	enum { ROWS = 500 };
	static struct store_hint_item items[ROWS];
	static char ids[ROWS][STORE_ID_MAX];

	for (int i = 0; i < ROWS; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%0511d", i);
		items[i] = (struct store_hint_item){
		    STORE_WORK_EVENT, TENANT, ANNA, ids[i], STORE_HINT_UPDATED};
	}
	return store_work_append(
	    t->store, items, ROWS, DELAY, NULL, 0, T0, &t->e);
}

static void
a_server_that_reads_nothing_is_given_up_in_time(void **state)
{
	struct test_store *t = *state;
	int64_t pid = 0;

	if (!is_shared(t))
		return;
	assert_ok(t, append_many(t));
	assert_int_equal(store_db_number(t->store, "SELECT pg_backend_pid()",
			     NULL, 0, &pid, &t->e),
	    1);
	frozen = (sig_atomic_t)pid;
	/* Who waits for ever is woken, and has appended. */
	signal(SIGALRM, thaw);
	alarm(10);
	assert_int_equal(kill((pid_t)frozen, SIGSTOP), 0);
	time_flies = true;
	assert_int_equal(append_many(t), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	time_flies = false;
	alarm(0);
	assert_true(time_flown_ms > 0);
	/* By another connection. */
	assert_ok(t, append_many(t));
	thaw(0);
}

/* ---- where it is ---- */

/* "" without a mode of ours: libpq's, which takes what it gets. */
static const struct {
	const char *sentence;
	const char *location;
	const char *mode;
} places[] = {
    {"a name is checked", "//u@db.example/d", "verify-full"},
    {"a socket is this machine", "//u@/d?host=/run/postgresql", ""},
    {"localhost is this machine", "//u@localhost/d", ""},
    {"so are its addresses", "//u@127.0.0.1,[::1]/d", ""},
    {"one of two is elsewhere", "//u@localhost,db.example/d", "verify-full"},
    {"localhost at its address", "//u@localhost/d?hostaddr=127.0.0.1", ""},
    {"localhost at another's address", "//u@localhost/d?hostaddr=10.0.0.5",
	"verify-full"},
    {"the second of them at another's address",
	"//u@localhost,localhost/d?hostaddr=127.0.0.1,10.0.0.5", "verify-full"},
    {"the first of them by its name", "//u@localhost,localhost/d?hostaddr=,::1",
	""},
    {"a socket that is none", "//u@/d?host=/run/postgresql&hostaddr=10.0.0.5",
	"verify-full"},
    {"a name at our address", "//u@db.example/d?hostaddr=127.0.0.1",
	"verify-full"},
    {"who says what he wants has it",
	"//u@localhost/d?hostaddr=10.0.0.5&sslmode=require", "require"},
};

static void
a_server_is_checked_unless_it_is_on_this_machine(void **state)
{
	struct test_store *t = *state;
	struct store_postgres_options o;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *mode = "";

		assert_ok(t,
		    store_postgres_options_read(
			places[i].location, 0, &o, &t->e));
		for (size_t k = 0; k < o.count; k++)
			if (strcmp(o.keyword[k], "sslmode") == 0)
				mode = o.value[k];
		if (strcmp(mode, places[i].mode) != 0)
			fail_msg("%s: %s", places[i].sentence, mode);
		store_postgres_options_clear(&o);
	}
}

/* What libpq would make of it, which asks the environment last. */
static const char *
in_force(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val != NULL ? options->val : "";
	return "";
}

static const struct {
	const char *name, *value;
	const char *keyword, *in_force; /* all the same */
} surroundings[] = {
    {"PGSSLMODE", "disable", "sslmode", "verify-full"},
    {"PGHOSTADDR", "10.0.0.5", "hostaddr", "127.0.0.1"},
    {"PGPORT", "7", "port", "1"},
    {"PGHOST", "db.elsewhere", "host", "db.example"},
    {"PGDATABASE", "other", "dbname", "d"},
    {"PGOPTIONS", "-c search_path=other", "options", ""},
    {"PGTARGETSESSIONATTRS", "any", "target_session_attrs", "read-write"},
    {"PGPASSWORD", "another's", "password", ""},
    {"PGPASSFILE", "/home/another/.pgpass", "passfile", "/dev/null/none"},
    {"PGSERVICE", "other", "service", ""},
    {"PGSSLROOTCERT", "/home/another/ca.pem", "sslrootcert",
	"/etc/ssl/certs/ca-certificates.crt"},
    {"PGSSLCERT", "/home/another/me.pem", "sslcert", "/dev/null/none"},
    {"PGSSLKEY", "/home/another/me.key", "sslkey", ""},
    {"PGSSLCRL", "/home/another/crl.pem", "sslcrl", "/dev/null/none"},
    {"PGSSLMAXPROTOCOLVERSION", "TLSv1", "ssl_max_protocol_version", ""},
    {"PGSSLMINPROTOCOLVERSION", "TLSv1", "ssl_min_protocol_version", "TLSv1.2"},
    {"PGCHANNELBINDING", "disable", "channel_binding", "prefer"},
    {"PGGSSENCMODE", "require", "gssencmode", "disable"},
    {"PGCONNECT_TIMEOUT", "600", "connect_timeout", "2"},
    {"PGCLIENTENCODING", "LATIN1", "client_encoding", "UTF8"},
    {"PGAPPNAME", "other", "application_name", "outlook-addin"},
    {"PGSOMETHINGOFLATER", "x", NULL, NULL},
};
enum { SURROUNDINGS = sizeof(surroundings) / sizeof(surroundings[0]) };

static void
the_environment_of_libpq_has_no_say(void **state)
{
	/* Nobody listens there; no name is asked for. */
	static const char location[] = "//u@db.example:1/d?hostaddr=127.0.0.1";
	struct test_store *t = *state;
	struct store_postgres_options o;
	PQconninfoOption *options;
	PGconn *db;

	for (size_t i = 0; i < SURROUNDINGS; i++)
		setenv(surroundings[i].name, surroundings[i].value, 1);
	setenv("OTHER_PGHOST", "stays", 1);
	assert_ok(t, store_postgres_options_read(location, 0, &o, &t->e));
	db = PQconnectStartParams(o.keyword, o.value, 0);
	assert_non_null(db);
	options = PQconninfo(db);
	assert_non_null(options);
	for (size_t i = 0; i < SURROUNDINGS; i++) {
		const char *name = surroundings[i].name;

		if (surroundings[i].keyword != NULL &&
		    strcmp(in_force(options, surroundings[i].keyword),
			surroundings[i].in_force) != 0)
			fail_msg("%s: %s", name,
			    in_force(options, surroundings[i].keyword));
		if (getenv(name) != NULL)
			fail_msg("%s is still there", name);
	}
	assert_string_equal(getenv("OTHER_PGHOST"), "stays");
	unsetenv("OTHER_PGHOST");
	PQconninfoFree(options);
	PQfinish(db);
	store_postgres_options_clear(&o);
}

/* libpq passes over a folder when the file beside it can not be read. */
static void
a_folder_of_revoked_certificates_is_read(void **state)
{
	struct test_store *t = *state;
	struct store_postgres_options o;

	assert_ok(t,
	    store_postgres_options_read(
		"//u@db.example/d?sslcrldir=/etc/crl", 0, &o, &t->e));
	for (size_t k = 0; k < o.count; k++)
		assert_string_not_equal(o.keyword[k], "sslcrl");
	store_postgres_options_clear(&o);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_transaction_does_not_survive_its_connection),
	    cmocka_unit_test(
		a_connection_that_is_lost_is_not_replaced_inside_a_transaction),
	    cmocka_unit_test(
		a_transaction_that_was_ended_behind_our_back_is_not_committed),
	    cmocka_unit_test(
		who_is_silent_in_a_transaction_loses_it_and_the_lock),
	    cmocka_unit_test(nobody_waits_for_the_lock_longer_than_he_said),
	    cmocka_unit_test(a_server_that_reads_nothing_is_given_up_in_time),
	    cmocka_unit_test(a_server_is_checked_unless_it_is_on_this_machine),
	    cmocka_unit_test(the_environment_of_libpq_has_no_say),
	    cmocka_unit_test(a_folder_of_revoked_certificates_is_read),
	    cmocka_unit_test(a_statement_that_failed_spoils_its_transaction),
	};

	return TEST_STORE_RUN("store: PostgreSQL's connections", cases);
}
