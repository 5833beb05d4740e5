/* tests/unit/test_store_sqlite.c - port/store.h on SQLite: opening, files,
 * transactions, several handles and processes, checkpoint, backup. */
#include "test_store_sqlite.h"

#include <signal.h>

#include "base/clock.h"
#include "base/file.h"
#include "port/store_db.h"

/* ---- opening ---- */

static void
a_store_is_kept_between_openings(void **state)
{
	struct test_store *t = *state;

	test_add(t, ANNA, "e1", 1, T0, 0);
	test_add(t, ANNA, "e2", 1, T0, DELAY);
	close_store(t);
	t->store = open_again(t, 0);
	assert_int_equal(test_rows(t), 2);
}

static void
the_files_are_private(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
	struct test_store *t = *state;
	char path[256];
	struct stat st;

	test_add(t, ANNA, "e1", 1, T0, 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(stat(path_of(t, suffixes[i], path), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	close_store(t);
	assert_int_equal(chmod(path_of(t, "", path), 0644), 0);
	t->store = open_again(t, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
the_settings_are_those_of_the_discipline(void **state)
{
	struct test_store *t = *state;
	int64_t n = -1;
	char path[256];
	struct stat st;

	assert_int_equal(
	    store_db_number(t->store, "PRAGMA synchronous", NULL, 0, &n, &t->e),
	    1);
	assert_int_equal(n, 2);
	assert_int_equal(store_db_number(t->store, "PRAGMA wal_autocheckpoint",
			     NULL, 0, &n, &t->e),
	    1);
	assert_int_equal(n, 0);
	/* The last close does not checkpoint either. */
	test_add(t, ANNA, "e1", 1, T0, 0);
	close_store(t);
	assert_int_equal(stat(path_of(t, "-wal", path), &st), 0);
	assert_true(st.st_size > 0);
	t->store = open_again(t, 0);
	assert_int_equal(test_rows(t), 1);
}

static void
a_store_that_is_not_there_is_made_only_on_request(void **state)
{
	struct test_store *t = *state;
	char path[256];

	close_store(t);
	assert_int_equal(unlink(path_of(t, "", path)), 0);
	assert_int_equal(unlink(path_of(t, ".lock", path)), 0);
	assert_open_fails(t, 0, ERR_GONE);
	assert_open_fails(t, STORE_READ_ONLY, ERR_GONE);
	assert_open_fails(t, STORE_READ_ONLY | STORE_CREATE, ERR_GONE);
	assert_int_equal(access(path_of(t, "", path), F_OK), -1);
	assert_int_equal(access(path_of(t, ".lock", path), F_OK), -1);
	t->store = open_again(t, STORE_CREATE);
	assert_int_equal(test_rows(t), 0);
}

static void
a_bad_address_is_a_mistake_of_the_configuration(void **state)
{
	struct test_store *t = *state;
	char path[128];

	close_store(t);
	SET(t->url, "mysql:somewhere");
	assert_open_fails(t, STORE_CREATE, ERR_CONFIG);
	SET(t->url, "sqlite:");
	assert_open_fails(t, STORE_CREATE, ERR_CONFIG);
	snprintf(t->url, sizeof(t->url), "sqlite:%s/no/where.db", t->folder);
	assert_open_fails(t, STORE_CREATE, ERR_CONFIG);
	snprintf(t->url, sizeof(t->url), "sqlite:%s", t->folder);
	assert_open_fails(t, STORE_CREATE, ERR_CONFIG);
	snprintf(path, sizeof(path), "%s.lock", t->folder);
	assert_int_equal(access(path, F_OK), -1);
}

static void
a_reader_needs_no_lock_and_writes_nothing(void **state)
{
	struct test_store *t = *state;
	struct store *reader;
	struct store_work_totals totals = {0};

	assert_ok(t, store_begin(t->store, &t->e));
	test_add(t, ANNA, "e1", 1, T0, 0);
	reader = open_again(t, STORE_READ_ONLY);
	assert_ok(t, store_work_totals(reader, &totals, &t->e));
	assert_int_equal(totals.rows, 0);
	assert_ok(t, store_commit(t->store, &t->e));
	assert_ok(t, store_work_totals(reader, &totals, &t->e));
	assert_int_equal(totals.rows, 1);
	assert_int_equal(store_fact_set(reader, "x", "", T0, &t->e), -1);
	assert_int_equal(t->e.code, ERR_FULL);
	assert_int_equal(store_check(reader, &t->e), 0);
	store_close(reader);
}

/* ---- transactions ---- */

static void
a_failed_verb_spoils_the_transaction(void **state)
{
	struct test_store *t = *state;
	int64_t n = 0;

	assert_ok(t, store_begin(t->store, &t->e));
	assert_int_equal(store_begin(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_REFUSED);
	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_ok(t, store_commit(t->store, &t->e));
	assert_int_equal(store_commit(t->store, &t->e), -1);
	store_rollback(t->store);

	sql(t, "ALTER TABLE audit RENAME TO hidden");
	assert_ok(t, store_begin(t->store, &t->e));
	test_add(t, ANNA, "e2", 1, T0, 0);
	assert_int_equal(store_audit_add(t->store,
			     &(struct store_audit){.action = "x"}, &t->e),
	    -1);
	assert_int_equal(t->e.code, ERR_INPUT);
	assert_int_equal(store_fact_set(t->store, "x", "", T0, &t->e), -1);
	assert_int_equal(store_dead_count(t->store, &n, &t->e), -1);
	assert_int_equal(store_commit(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	assert_int_equal(test_rows(t), 1);
	test_add(t, ANNA, "e3", 1, T0, 0);
	assert_int_equal(test_rows(t), 2);
}

static void
a_closed_handle_undoes_what_was_not_committed(void **state)
{
	struct test_store *t = *state;

	assert_ok(t, store_begin(t->store, &t->e));
	test_add(t, ANNA, "e1", 1, T0, 0);
	close_store(t);
	t->store = open_again(t, 0);
	assert_int_equal(test_rows(t), 0);
}

static void
the_data_version_rises_with_the_writes_of_others(void **state)
{
	struct test_store *t = *state;
	struct store *other = open_again(t, 0);
	int64_t first = store_data_version(t->store);
	int64_t second;

	assert_int_equal(store_data_version(t->store), first);
	assert_ok(t, store_fact_set(other, "x", "", T0, &t->e));
	second = store_data_version(t->store);
	assert_true(second > first);
	assert_int_equal(store_data_version(t->store), second);
	store_close(other);
}

/* ---- several processes ---- */

static int
hold_lock(const char *path, int ready, int done)
{
	struct err e = {0};
	int fd = file_lock_open(path, &e);
	char c;

	if (fd < 0 || file_lock(fd, -1, &e) != 0 || write(ready, "x", 1) != 1)
		return CHILD_FAILED;
	return read(done, &c, 1) == 0 ? CHILD_OK : CHILD_FAILED;
}

static void
a_lock_held_by_another_process_is_a_reason_to_try_again(void **state)
{
	struct test_store *t = *state;
	struct store *other;
	int ready[2], done[2];
	char path[256];
	char c;
	int status = 0;
	pid_t pid;

	other = store_open(t->url, 0, 50, T0, &t->e);
	assert_non_null(other);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(done[1]);
		_exit(hold_lock(path_of(t, ".lock", path), ready[1], done[0]));
	}
	close(done[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_open_fails(t, 0, ERR_RETRY);
	assert_int_equal(store_begin(other, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
	/* Readers do not care. */
	assert_int_equal(test_rows(t), 0);
	close(done[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_ok(t, store_fact_set(other, "x", "", T0, &t->e));
	assert_int_equal(store_begin(t->store, &t->e), 0);
	store_rollback(t->store);
	store_close(other);
	close(ready[0]);
	close(ready[1]);
}

static int
add_five_hundred(struct test_store *t)
{
	struct err e = {0};
	struct store *s = store_open(t->url, STORE_CREATE, -1, T0, &e);
	char name[32];

	for (int i = 0; s != NULL && i < 500; i++) {
		struct store_hint_item item = {
		    STORE_WORK_EVENT, TENANT, ANNA, name, 1};

		snprintf(name, sizeof(name), "%d-%d", (int)getpid(), i);
		if (store_work_add(s, &item, 1, T0, i % 2 ? DELAY : 0, &e) != 0)
			return CHILD_FAILED;
	}
	store_close(s);
	return s != NULL ? CHILD_OK : CHILD_FAILED;
}

static void
two_processes_add_at_once_and_nothing_is_lost(void **state)
{
	struct test_store *t = *state;
	pid_t pids[2];
	int status;

	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(add_five_hundred(t));
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(test_rows(t), 1000);
	assert_ok(t, store_check(t->store, &t->e));
}

static int
make_a_store(struct test_store *t)
{
	return add_five_hundred(t);
}

static void
two_processes_make_the_store_at_once(void **state)
{
	struct test_store *t = *state;
	pid_t pids[2];
	int status;

	snprintf(t->url, sizeof(t->url), "sqlite:%s/new.db", t->folder);
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(make_a_store(t));
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	close_store(t);
	t->store = open_again(t, 0);
	assert_int_equal(test_rows(t), 1000);
}

/* Writes what it has committed to the pipe, until it is killed. */
static int
add_until_killed(struct test_store *t, int round, int fd)
{
	struct err e = {0};
	struct store *s =
	    store_open(t->url, STORE_CREATE | STORE_CHECKPOINTER, -1, T0, &e);
	struct store_work w;
	int64_t next;

	for (int i = 0; s != NULL; i++) {
		char name[32];
		struct store_hint_item item = {
		    STORE_WORK_EVENT, TENANT, ANNA, name, 1};

		snprintf(name, sizeof(name), "%03d-%06d", round, i);
		if (store_work_add(s, &item, 1, T0, DELAY, &e) != 0 ||
		    write(fd, name, 10) != 10)
			return CHILD_FAILED;
		if (i % 7 == 0 && store_checkpoint(s, &e) != 0)
			return CHILD_FAILED;
		if (i % 5 == 0 &&
		    store_work_claim(s, T0 + DELAY,
			&(struct store_quota){.per_mailbox = 2}, &w, 1, &next,
			&e) < 0)
			return CHILD_FAILED;
	}
	return CHILD_FAILED;
}

struct found_names {
	char (*names)[11];
	int count, missing;
};

static int
strike_out(const struct store_work *w, bool in_progress, void *arg)
{
	struct found_names *f = arg;

	(void)in_progress;
	for (int i = 0; i < f->count; i++) {
		if (strcmp(f->names[i], w->event) == 0) {
			f->names[i][0] = '\0';
			f->missing--;
			break;
		}
	}
	return 0;
}

static void
a_kill_at_any_moment_loses_nothing_that_was_acknowledged(void **state)
{
	struct test_store *t = *state;
	struct found_names f = {calloc(100000, 11), 0, 0};
	unsigned seed = 20260701;

	close_store(t);
	for (int round = 0; round < 20; round++) {
		int status = 0;
		int fds[2];
		ssize_t n;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(fds[0]);
			_exit(add_until_killed(t, round, fds[1]));
		}
		close(fds[1]);
		/* At work, then somewhere in the middle of it. */
		assert_int_equal(read(fds[0], f.names[f.count++], 10), 10);
		clock_pause_ms(rand_r(&seed) % 40);
		assert_int_equal(kill(pid, SIGKILL), 0);
		while ((n = read(fds[0], f.names[f.count], 10)) == 10)
			f.count++;
		assert_int_equal(n, 0);
		close(fds[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	f.missing = f.count;
	assert_true(f.count >= 20); /* one a round */
	t->store = open_again(t, STORE_CREATE);
	assert_ok(t, store_check(t->store, &t->e));
	assert_ok(
	    t, store_work_each(t->store, NULL, NULL, strike_out, &f, &t->e));
	assert_int_equal(f.missing, 0);
	assert_ok(t, store_work_recover(t->store, NULL, &t->e));
	free(f.names);
}

/* ---- checkpoint, backup ---- */

static void
only_the_checkpointer_checkpoints(void **state)
{
	struct test_store *t = *state;
	struct store *other = open_again(t, 0);
	char path[256];
	struct stat before, after;

	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(store_checkpoint(other, &t->e), -1);
	assert_int_equal(t->e.code, ERR_REFUSED);
	store_close(other);
	assert_int_equal(stat(path_of(t, "", path), &before), 0);
	assert_ok(t, store_checkpoint(t->store, &t->e));
	assert_ok(t, store_checkpoint(t->store, &t->e));
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size > before.st_size);
}

static void
a_large_wal_is_cut_when_no_reader_is_in_the_way(void **state)
{
	struct test_store *t = *state;
	struct store *reader = open_again(t, STORE_READ_ONLY);
	struct store_cursor *cur;
	char path[256];
	char *big = calloc(1, 1000001);
	struct stat st;

	assert_ok(t, store_fact_set(t->store, "a", "", T0, &t->e));
	cur = store_db_query(reader, "SELECT name FROM fact", NULL, 0, &t->e);
	assert_int_equal(reader->driver->step(cur, &t->e), 1);
	for (int i = 0; i < 20; i++) {
		memset(big, 'a' + i, 1000000);
		assert_ok(t, store_keys_save(t->store, big, T0, &t->e));
	}
	assert_ok(t, store_checkpoint(t->store, &t->e));
	assert_int_equal(stat(path_of(t, "-wal", path), &st), 0);
	assert_true(st.st_size > 16 * 1024 * 1024);
	reader->driver->finish(cur);
	assert_ok(t, store_checkpoint(t->store, &t->e));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	store_close(reader);
	free(big);
}

static void
a_backup_is_a_whole_private_store(void **state)
{
	struct test_store *t = *state;
	char path[256];
	struct stat st;

	test_add(t, ANNA, "e1", 1, T0, 0);
	snprintf(path, sizeof(path), "%s/it's a backup.db", t->folder);
	assert_ok(t, store_backup(t->store, path, &t->e));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(store_backup(t->store, path, &t->e), -1);
	assert_int_equal(t->e.code, ERR_REFUSED);
	assert_ok(t, store_begin(t->store, &t->e));
	assert_int_equal(store_backup(t->store, path, &t->e), -1);
	store_rollback(t->store);
	test_add(t, ANNA, "e2", 1, T0, 0);
	close_store(t);
	snprintf(
	    t->url, sizeof(t->url), "sqlite:%s/it's a backup.db", t->folder);
	t->store = open_again(t, 0);
	assert_int_equal(test_rows(t), 1);
	test_add(t, ANNA, "e2", 1, T0, 0);
}

static void
a_backup_that_can_not_be_written_leaves_nothing(void **state)
{
	struct test_store *t = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s/no/such/folder.db", t->folder);
	assert_int_equal(store_backup(t->store, path, &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
	snprintf(path, sizeof(path), "%s", t->folder);
	assert_int_equal(store_backup(t->store, path, &t->e), -1);
	assert_int_equal(t->e.code, ERR_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_store_is_kept_between_openings),
	    cmocka_unit_test(the_files_are_private),
	    cmocka_unit_test(the_settings_are_those_of_the_discipline),
	    cmocka_unit_test(a_store_that_is_not_there_is_made_only_on_request),
	    cmocka_unit_test(a_bad_address_is_a_mistake_of_the_configuration),
	    cmocka_unit_test(a_reader_needs_no_lock_and_writes_nothing),
	    cmocka_unit_test(a_failed_verb_spoils_the_transaction),
	    cmocka_unit_test(a_closed_handle_undoes_what_was_not_committed),
	    cmocka_unit_test(the_data_version_rises_with_the_writes_of_others),
	    cmocka_unit_test(
		a_lock_held_by_another_process_is_a_reason_to_try_again),
	    cmocka_unit_test(two_processes_add_at_once_and_nothing_is_lost),
	    cmocka_unit_test(two_processes_make_the_store_at_once),
	    cmocka_unit_test(
		a_kill_at_any_moment_loses_nothing_that_was_acknowledged),
	    cmocka_unit_test(only_the_checkpointer_checkpoints),
	    cmocka_unit_test(a_large_wal_is_cut_when_no_reader_is_in_the_way),
	    cmocka_unit_test(a_backup_is_a_whole_private_store),
	    cmocka_unit_test(a_backup_that_can_not_be_written_leaves_nothing),
	};

	return TEST_SQLITE_RUN("store: sqlite", cases);
}
