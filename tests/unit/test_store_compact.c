/* tests/unit/test_store_compact.c - the file becomes short again when much was
 * removed, whatever happens meanwhile. */
#include "test_store_sqlite.h"

#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "port/store_db.h"
#include "port/store_retain.h"

enum { OLD_ROWS = 20000, KEPT_ROWS = 50, KILLS = 25, MIB = 1 << 20 };

static void
add_audit(struct test_store *t, int64_t at_ms, int count)
{
	static const char detail[] =
	    "the conversation had other participants, so it was kept as it is, "
	    "and this is why: somebody had written a message to the agent";

	assert_ok(t, store_begin(t->store, &t->e));
	for (int i = 0; i < count; i++) {
		struct store_audit a = {at_ms + i, TENANT, ANNA, "event",
		    "conversation", "delete", "refused", detail};

		assert_ok(t, store_audit_add(t->store, &a, &t->e));
	}
	assert_ok(t, store_commit(t->store, &t->e));
}

/* Most of what it holds is old, and in front of what is kept. */
static void
fill(struct test_store *t)
{
	for (int i = 0; i < OLD_ROWS; i += 500)
		add_audit(t, T0, 500);
	add_audit(t, T0 + 1000000, KEPT_ROWS);
}

static void
expire(struct test_store *t)
{
	int64_t removed = 0;

	assert_ok(t, store_expire(t->store, 1, T0 + 500000, &removed, &t->e));
	assert_int_equal(removed, OLD_ROWS);
}

static int64_t
number(struct test_store *t, const char *sql_text)
{
	int64_t n = -1;

	assert_int_equal(
	    store_db_number(t->store, sql_text, NULL, 0, &n, &t->e), 1);
	return n;
}

static int64_t
file_size(struct test_store *t)
{
	char path[256];
	struct stat st;

	assert_int_equal(stat(path_of(t, "", path), &st), 0);
	return st.st_size;
}

static void
checkpoint(struct test_store *t)
{
	struct store *s = open_again(t, STORE_CHECKPOINTER);

	assert_ok(t, store_checkpoint(s, &t->e));
	store_close(s);
}

static void
assert_whole_and_short(struct test_store *t)
{
	assert_ok(t, store_check(t->store, &t->e));
	assert_int_equal(number(t, "SELECT count(*) FROM audit"), KEPT_ROWS);
	assert_true(file_size(t) < 2 * MIB);
	assert_true(number(t, "PRAGMA freelist_count") <= 256);
	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(test_rows(t), 1);
}

static void
the_file_shrinks_when_much_was_removed(void **state)
{
	struct test_store *t = *state;
	int64_t full, freed = -1;

	assert_int_equal(number(t, "PRAGMA auto_vacuum"), 2);
	fill(t);
	checkpoint(t);
	full = file_size(t);
	assert_true(full > 4 * MIB);
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	assert_int_equal(freed, 0);
	expire(t);
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	assert_true(freed > 3 * MIB);
	assert_int_equal(file_size(t), full - freed);
	assert_whole_and_short(t);
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	assert_int_equal(freed, 0);
}

static void
a_step_holds_the_lock_for_some_milliseconds_only(void **state)
{
	struct test_store *t = *state;
	int64_t freed = 0, longest_ms = 0;
	int rc;

	fill(t);
	expire(t);
	do {
		int64_t begun_ms = clock_mono_ms();

		rc = t->store->driver->compact(t->store->conn, &freed, &t->e);
		if (clock_mono_ms() - begun_ms > longest_ms)
			longest_ms = clock_mono_ms() - begun_ms;
		assert_true(rc >= 0);
	} while (rc == 1);
	assert_true(freed > 3 * MIB);
	print_message("the longest step took %d ms\n", (int)longest_ms);
	/* far more than it is, for a machine that is busy */
	assert_true(longest_ms < 1000);
}

static void
little_that_is_free_stays_for_the_queue(void **state)
{
	struct test_store *t = *state;
	int64_t removed = 0, freed = -1;

	add_audit(t, T0, 500);
	assert_ok(t, store_expire(t->store, 1, T0 + 500000, &removed, &t->e));
	assert_true(number(t, "PRAGMA freelist_count") > 10);
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	assert_int_equal(freed, 0);
}

static int
compact_slowly(struct test_store *t)
{
	int64_t freed;

	/* A handle of its own: ours is the parent's. */
	t->store = open_again(t, STORE_LEAN);
	return store_compact(t->store, &freed, &t->e) == 0 ? CHILD_OK
							   : CHILD_FAILED;
}

static void
a_kill_in_the_midst_harms_nothing(void **state)
{
	struct test_store *t = *state;
	int64_t freed = 0;
	unsigned seed = 7;
	int killed = 0;

	fill(t);
	expire(t);
	for (int i = 0; i < KILLS; i++) {
		struct timespec nap = {0, 0};
		int status = 0;
		pid_t pid;

		close_store(t);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(compact_slowly(t));
		nap.tv_nsec = rand_r(&seed) % 8000000;
		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		killed += WIFSIGNALED(status);
		t->store = open_again(t, STORE_CREATE);
		assert_ok(t, store_check(t->store, &t->e));
		assert_int_equal(
		    number(t, "SELECT count(*) FROM audit"), KEPT_ROWS);
	}
	print_message("%d of %d were killed\n", killed, KILLS);
	assert_true(killed > 0);
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	checkpoint(t);
	assert_whole_and_short(t);
}

static void
one_that_was_made_before_is_compacted_once_as_a_whole(void **state)
{
	struct test_store *t = *state;
	int64_t freed = 0;

	close_store(t);
	sql(t,
	    "PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = DELETE;"
	    " VACUUM; PRAGMA journal_mode = WAL");
	t->store = open_again(t, STORE_CREATE);
	assert_int_equal(number(t, "PRAGMA auto_vacuum"), 0);
	fill(t);
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	assert_int_equal(freed, 0);
	expire(t);
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	assert_true(freed > 3 * MIB);
	assert_int_equal(number(t, "PRAGMA auto_vacuum"), 2);
	assert_whole_and_short(t);
}

static void
a_reader_in_the_way_only_puts_off_the_end(void **state)
{
	struct test_store *t = *state;
	int64_t freed = 0;
	char path[256];
	sqlite3_stmt *stmt;
	sqlite3 *db;

	fill(t);
	assert_int_equal(sqlite3_open(path_of(t, "", path), &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "SELECT * FROM audit", -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	expire(t);
	assert_ok(t, store_compact(t->store, &freed, &t->e));
	assert_true(freed > 3 * MIB);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		;
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	checkpoint(t);
	assert_whole_and_short(t);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(the_file_shrinks_when_much_was_removed),
	    cmocka_unit_test(a_step_holds_the_lock_for_some_milliseconds_only),
	    cmocka_unit_test(little_that_is_free_stays_for_the_queue),
	    cmocka_unit_test(a_kill_in_the_midst_harms_nothing),
	    cmocka_unit_test(
		one_that_was_made_before_is_compacted_once_as_a_whole),
	    cmocka_unit_test(a_reader_in_the_way_only_puts_off_the_end),
	};

	return TEST_SQLITE_RUN("store: compaction", cases);
}
