/* tests/unit/test_store_postgres.c - transactions and connections of the
 * PostgreSQL driver. */
#include "test_store.h"

#include "port/store_db.h"
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

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_transaction_does_not_survive_its_connection),
	    cmocka_unit_test(
		a_connection_that_is_lost_is_not_replaced_inside_a_transaction),
	    cmocka_unit_test(
		a_transaction_that_was_ended_behind_our_back_is_not_committed),
	    cmocka_unit_test(a_statement_that_failed_spoils_its_transaction),
	};

	return TEST_STORE_RUN("store: PostgreSQL's connections", cases);
}
