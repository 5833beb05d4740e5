/* tests/unit/test_store_postgres.c - transactions and connections of the
 * PostgreSQL driver. */
#include "test_store.h"

#include "port/store_db.h"
#include "port/store_postgres.h"
#include "port/store_replica.h"

static bool
is_shared(const struct test_store *t)
{
	return store_database_is_shared(t->url);
}

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
	assert_ok(t, d->begin(c, 0, &t->e));
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

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_transaction_does_not_survive_its_connection),
	    cmocka_unit_test(
		a_connection_that_is_lost_is_not_replaced_inside_a_transaction),
	    cmocka_unit_test(
		a_transaction_that_was_ended_behind_our_back_is_not_committed),
	    cmocka_unit_test(a_server_is_checked_unless_it_is_on_this_machine),
	    cmocka_unit_test(a_statement_that_failed_spoils_its_transaction),
	};

	return TEST_STORE_RUN("store: PostgreSQL's connections", cases);
}
