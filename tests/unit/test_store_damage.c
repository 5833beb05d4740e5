/* tests/unit/test_store_damage.c - port/store.h on SQLite: what can be wrong
 * with the file, its disk and the rights on it. */
#include "port/store_schema.h"
#include "port/store_due.h"
#include "test_store_sqlite.h"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/file.h"
#include "port/store_db.h"

/* ---- what can be wrong with the file ---- */

static char *
slurp(const char *path, size_t *len)
{
	char *data = NULL;
	struct err e = {0};

	assert_int_equal(file_read(path, 64 << 20, &data, len, &e), 0);
	return data;
}

static void
set_version(struct test_store *t, int version)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA user_version = %d", version);
	sql(t, text);
}

static void
a_newer_store_is_left_as_it_is(void **state)
{
	struct test_store *t = *state;
	char path[256];
	char *before, *after;
	size_t len, len_after;

	close_store(t);
	sql(t,
	    "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);"
	    "PRAGMA journal_mode = DELETE");
	before = slurp(path_of(t, "", path), &len);
	assert_open_fails(t, STORE_CREATE, ERR_NEWER);
	assert_open_fails(t, 0, ERR_NEWER);
	assert_open_fails(t, STORE_READ_ONLY, ERR_NEWER);
	after = slurp(path, &len_after);
	assert_int_equal(len, len_after);
	assert_memory_equal(before, after, len);
	free(before);
	free(after);
	set_version(t, STORE_SCHEMA_VERSION);
	t->store = open_again(t, 0);
}

static void
an_upgrade_by_a_newer_program_stops_the_older_one(void **state)
{
	struct test_store *t = *state;

	test_add(t, ANNA, "e1", 1, T0, 0);
	set_version(t, STORE_SCHEMA_VERSION + 1);
	assert_int_equal(store_fact_set(t->store, "x", "", T0, &t->e), -1);
	assert_int_equal(t->e.code, ERR_NEWER);
	set_version(t, STORE_SCHEMA_VERSION);
	test_add(t, ANNA, "e2", 1, T0, 0);
}

/* What step 2 has added, taken away again. */
static const char back_to_version_1[] =
    "DROP INDEX link_check; DROP INDEX mailbox_check;"
    "DROP INDEX link_deleting; ALTER TABLE link DROP COLUMN writing_ms;"
    "DROP INDEX lane_tenant; DROP INDEX mailbox_state;"
    "DROP INDEX mailbox_renew; DROP INDEX subscription_expiry;"
    "DROP INDEX work_catchup; DROP INDEX work_link;"
    "DROP TABLE moved; DROP TABLE replica; ALTER TABLE work DROP COLUMN "
    "claimed_by;"
    "ALTER TABLE mailbox DROP COLUMN renew_ms;"
    "ALTER TABLE subscription DROP COLUMN application;"
    "ALTER TABLE subscription DROP COLUMN addin;"
    "ALTER TABLE subscription DROP COLUMN no_lifecycle;"
    "ALTER TABLE link DROP COLUMN occurrence_end_ms;"
    "ALTER TABLE link DROP COLUMN empty_searches;"
    "ALTER TABLE link DROP COLUMN empty_search_ms;"
    "ALTER TABLE link DROP COLUMN check_ms;"
    "ALTER TABLE mailbox DROP COLUMN check_ms;"
    "ALTER TABLE mailbox DROP COLUMN email;"
    "ALTER TABLE mailbox DROP COLUMN round_ms;"
    "ALTER TABLE mailbox DROP COLUMN round_generation;"
    "ALTER TABLE mailbox DROP COLUMN round_after;"
    "PRAGMA user_version = 1";

static void
a_store_of_version_1_is_brought_up_and_looks_at_what_it_has(void **state)
{
	struct test_store *t = *state;
	struct store_mailbox m;
	int64_t next_ms;

	struct store_link l = {.conversation = "c",
	    .tenant = TENANT,
	    .user = ANNA,
	    .state = STORE_LINK_ANNOUNCED};

	assert_int_equal(store_mailbox_follow(t->store, TENANT, ANNA, "", false,
			     T0, NULL, &t->e),
	    0);
	assert_int_equal(store_link_save(t->store, &l, &t->e), 0);
	close_store(t);
	sql(t, back_to_version_1);
	assert_open_fails(t, STORE_READ_ONLY, ERR_RETRY);
	t->store = open_again(t, STORE_CREATE);
	assert_int_equal(
	    store_mailbox_find(t->store, TENANT, ANNA, &m, &t->e), 1);
	assert_int_equal(store_due_next(t->store, &next_ms, &t->e), 0);
	assert_true(next_ms > 0 && next_ms <= T0);
	assert_int_equal(store_link_find(t->store, "c", &l, &t->e), 1);
	assert_true(l.check_ms > 0);
}

static void
another_programs_database_is_refused(void **state)
{
	struct test_store *t = *state;

	snprintf(t->url, sizeof(t->url), "sqlite:%s/state.db", t->folder);
	close_store(t);
	sql(t, "PRAGMA user_version = 0");
	assert_open_fails(t, STORE_CREATE, ERR_CONFIG);
}

static void
a_file_that_never_was_a_store_is_not_moved(void **state)
{
	struct test_store *t = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s/precious", t->folder);
	snprintf(t->url, sizeof(t->url), "sqlite:%s/precious", t->folder);
	assert_ok(t,
	    file_write_atomic(
		path, TENANT TENANT TENANT TENANT, 144, 0600, &t->e));
	assert_open_fails(t, STORE_CREATE, ERR_INPUT);
	assert_int_equal(store_move_aside(t->url, T0, &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
	assert_int_equal(access(path, F_OK), 0);
}

static void
an_empty_file_becomes_a_store(void **state)
{
	struct test_store *t = *state;
	char path[256];

	close_store(t);
	assert_int_equal(truncate(path_of(t, "", path), 0), 0);
	assert_open_fails(t, 0, ERR_RETRY);
	assert_open_fails(t, STORE_READ_ONLY, ERR_RETRY);
	t->store = open_again(t, STORE_CREATE);
	assert_int_equal(test_rows(t), 0);
}

static void
fill(struct test_store *t)
{
	char name[200];

	assert_ok(t, store_begin(t->store, &t->e));
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "%0150d", i);
		test_add(t, ANNA, name, 1, T0, 0);
	}
	assert_ok(t, store_commit(t->store, &t->e));
	/* Else the pages would be read from the WAL. */
	sql(t, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static void
a_corrupt_header_is_found_and_the_file_moved_aside(void **state)
{
	struct test_store *t = *state;
	char path[256];

	fill(t);
	close_store(t);
	overwrite(path_of(t, "", path), 0, 4096);
	assert_open_fails(t, STORE_CREATE, ERR_INPUT);
	assert_open_fails(t, STORE_READ_ONLY, ERR_INPUT);
	assert_ok(t, store_move_aside(t->url, 1764000000000, &t->e));
	assert_int_equal(
	    access(path_of(t, ".corrupt-20251124T160000Z", path), F_OK), 0);
	assert_int_equal(
	    access(path_of(t, ".corrupt-20251124T160000Z-wal", path), F_OK), 0);
	assert_int_equal(access(path_of(t, "", path), F_OK), -1);
	assert_int_equal(access(path_of(t, "-wal", path), F_OK), -1);
	assert_int_equal(access(path_of(t, "-shm", path), F_OK), -1);
	t->store = open_again(t, STORE_CREATE);
	assert_int_equal(test_rows(t), 0);
	/* Never over an older one. */
	assert_int_equal(store_move_aside(t->url, 1764000000000, &t->e), -1);
	assert_int_equal(t->e.code, ERR_RETRY);
}

static void
a_truncated_file_is_found(void **state)
{
	struct test_store *t = *state;
	char path[256];

	fill(t);
	close_store(t);
	assert_int_equal(truncate(path_of(t, "", path), 40960), 0);
	err_clear(&t->e);
	t->store = store_open(t->url, STORE_CREATE, 0, T0, &t->e);
	if (t->store != NULL)
		assert_int_equal(store_check(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_INPUT);
}

static void
a_damaged_page_is_found_by_the_check(void **state)
{
	struct test_store *t = *state;
	struct stat st;
	char path[256];

	fill(t);
	assert_ok(t, store_check(t->store, &t->e));
	close_store(t);
	/* The last pages hold rows, not the schema. */
	assert_int_equal(stat(path_of(t, "", path), &st), 0);
	for (int page = 1; page < 8; page++)
		overwrite(path, st.st_size - page * 4096 + 8, 200);
	t->store = open_again(t, 0);
	assert_int_equal(store_check(t->store, &t->e), -1);
	assert_int_equal(t->e.code, ERR_INPUT);
	assert_non_null(strstr(t->e.text, "state.db"));
}

static void
a_damaged_wal_costs_only_what_was_not_whole(void **state)
{
	struct test_store *t = *state;
	char path[256];
	struct stat st;

	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_int_equal(stat(path_of(t, "-wal", path), &st), 0);
	test_add(t, ANNA, "e2", 1, T0, 0);
	close_store(t);
	overwrite(path, st.st_size, 100);
	assert_int_equal(unlink(path_of(t, "-shm", path)), 0);
	t->store = open_again(t, 0);
	assert_ok(t, store_check(t->store, &t->e));
	assert_int_equal(test_rows(t), 1);
}

static void
an_open_handle_notices_that_the_file_was_moved_aside(void **state)
{
	struct test_store *t = *state;
	struct store *reader = open_again(t, STORE_READ_ONLY);
	struct store *other = open_again(t, 0);
	struct store_work_totals totals = {0};
	int64_t version = store_data_version(reader);

	test_add(t, ANNA, "e1", 1, T0, 0);
	assert_ok(t, store_move_aside(t->url, T0, &t->e));
	/* One that may not make a store says so, and loses nothing. */
	assert_int_equal(store_fact_set(other, "x", "", T0, &t->e), -1);
	assert_int_equal(t->e.code, ERR_GONE);
	test_add(t, ANNA, "e2", 1, T0, 0);
	assert_int_equal(test_rows(t), 1);
	assert_ok(t, store_fact_set(other, "x", "", T0, &t->e));
	assert_ok(t, store_work_totals(reader, &totals, &t->e));
	assert_int_equal(totals.rows, 1);
	assert_true(store_data_version(reader) > version);
	store_close(other);
	store_close(reader);
}

/* ---- no space, no permission ---- */

static void
a_full_store_says_so_and_works_again_with_space(void **state)
{
	struct test_store *t = *state;
	char name[200];
	int rc = 0;
	int added = 0;

	test_add(t, ANNA, "first", 1, T0, 0);
	assert_true(store_db_run(t->store, "PRAGMA max_page_count = 60", NULL,
			0, &t->e) >= 0);
	for (int i = 0; rc == 0 && i < 2000; i++) {
		struct store_hint_item item = {
		    STORE_WORK_EVENT, TENANT, ANNA, name, 1};

		snprintf(name, sizeof(name), "%0150d", i);
		rc = store_work_add(
		    t->store, &item, 1, T0, i % 2 ? DELAY : 0, &t->e);
		added += rc == 0 ? 1 : 0;
	}
	assert_int_equal(rc, -1);
	assert_int_equal(t->e.code, ERR_FULL);
	assert_int_equal(test_rows(t), 1 + added);
	assert_ok(t, store_check(t->store, &t->e));
	assert_true(store_db_run(t->store, "PRAGMA max_page_count = 100000",
			NULL, 0, &t->e) >= 0);
	test_add(t, ANNA, "last", 1, T0, 0);
	assert_int_equal(test_rows(t), 2 + added);
}

/* In a file system of its own, which ends with the child. */
static int
fill_a_small_disk(struct test_store *t)
{
	struct err e = {0};
	struct store *s;
	char ballast[300];
	int64_t acknowledged = 0;
	struct store_work_totals totals = {0};
	int rc = 0;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", t->folder, "tmpfs", 0, "size=1536k") != 0)
		return CHILD_SKIP;
	snprintf(ballast, sizeof(ballast), "%s/ballast", t->folder);
	if (file_write_atomic(ballast, t, 64, 0600, &e) != 0 ||
	    truncate(ballast, 0) != 0)
		return CHILD_SKIP;
	s = store_open(t->url, STORE_CREATE | STORE_CHECKPOINTER, 0, T0, &e);
	if (s == NULL)
		return CHILD_FAILED;
	rc = open(ballast, O_WRONLY | O_CLOEXEC);
	if (rc < 0 || posix_fallocate(rc, 0, 512 * 1024) != 0)
		return CHILD_FAILED;
	close(rc);
	rc = 0;
	for (int i = 0; rc == 0 && i < 3000; i++) {
		char name[200];
		struct store_hint_item item = {
		    STORE_WORK_EVENT, TENANT, ANNA, name, 1};

		snprintf(name, sizeof(name), "%0150d", i);
		rc = store_work_add(s, &item, 1, T0, DELAY, &e);
		acknowledged += rc == 0 ? 1 : 0;
		if (rc == 0 && i % 10 == 0)
			(void)store_checkpoint(s, &(struct err){0});
	}
	if (rc == 0 || e.code != ERR_FULL) {
		print_error("%s\n", e.text);
		return 2;
	}
	/* A new handle finds no space either, but does no harm. */
	store_close(s);
	s = store_open(t->url, 0, 0, T0, &e);
	if (s == NULL && e.code != ERR_FULL)
		return 3;
	store_close(s);
	if (unlink(ballast) != 0)
		return CHILD_FAILED;
	s = store_open(t->url, STORE_CHECKPOINTER, 0, T0, &e);
	if (s == NULL || store_check(s, &e) != 0 ||
	    store_work_totals(s, &totals, &e) != 0)
		return 4;
	if (totals.rows != acknowledged)
		return 5;
	if (store_fact_set(s, "x", "", T0, &e) != 0)
		return 6;
	store_close(s);
	return CHILD_OK;
}

static void
a_full_disk_loses_nothing_that_was_acknowledged(void **state)
{
	struct test_store *t = *state;
	int rc = in_child(fill_a_small_disk, t);

	if (rc == CHILD_SKIP)
		skip();
	assert_int_equal(rc, CHILD_OK);
}

/* As a user who may read, but not write. */
static int
open_without_rights(struct test_store *t)
{
	struct err e = {0};
	struct store *s;

	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setgid(65534) != 0 ||
		setuid(65534) != 0))
		return CHILD_SKIP;
	s = store_open(t->url, STORE_CREATE, 0, T0, &e);
	if (s != NULL || e.code != ERR_FULL) {
		print_error("%s\n", e.text);
		return CHILD_FAILED;
	}
	return CHILD_OK;
}

static void
a_store_that_may_not_be_written_says_so(void **state)
{
	struct test_store *t = *state;
	char path[256];

	close_store(t);
	/* Neither the lock nor the database, or only the database. */
	assert_int_equal(chmod(path_of(t, "", path), 0444), 0);
	assert_int_equal(chmod(path_of(t, ".lock", path), 0444), 0);
	assert_int_equal(chmod(t->folder, 0555), 0);
	assert_int_equal(in_child(open_without_rights, t), CHILD_OK);
	if (geteuid() == 0) {
		assert_int_equal(chmod(path_of(t, ".lock", path), 0666), 0);
		assert_int_equal(in_child(open_without_rights, t), CHILD_OK);
	}
	assert_int_equal(chmod(t->folder, 0700), 0);
}

static int
make_for_the_owner(struct test_store *t)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
	struct err e = {0};
	struct store *s;
	char path[256];
	struct stat st;

	if (geteuid() != 0 || chown(t->folder, 65534, 65534) != 0)
		return CHILD_SKIP;
	s = store_open(t->url, STORE_CREATE, 0, T0, &e);
	if (s == NULL || store_fact_set(s, "x", "", T0, &e) != 0)
		return CHILD_FAILED;
	store_close(s);
	for (int i = 0; i < 4; i++) {
		if (stat(path_of(t, suffixes[i], path), &st) != 0 ||
		    st.st_uid != 65534)
			return CHILD_FAILED;
	}
	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		return CHILD_SKIP;
	s = store_open(t->url, 0, 0, T0, &e);
	if (s == NULL || store_fact_set(s, "x", "", T0, &e) != 0)
		return CHILD_FAILED;
	store_close(s);
	return CHILD_OK;
}

static void
what_root_makes_belongs_to_the_owner_of_the_folder(void **state)
{
	struct test_store *t = *state;
	int rc;

	snprintf(t->url, sizeof(t->url), "sqlite:%s/state.db", t->folder);
	close_store(t);
	unlink(t->url + strlen("sqlite:"));
	for (int i = 0; i < 3; i++) {
		static const char *const suffixes[] = {"-wal", "-shm", ".lock"};
		char path[256];

		unlink(path_of(t, suffixes[i], path));
	}
	rc = in_child(make_for_the_owner, t);
	if (rc == CHILD_SKIP)
		skip();
	assert_int_equal(rc, CHILD_OK);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_newer_store_is_left_as_it_is),
	    cmocka_unit_test(an_upgrade_by_a_newer_program_stops_the_older_one),
	    cmocka_unit_test(
		a_store_of_version_1_is_brought_up_and_looks_at_what_it_has),
	    cmocka_unit_test(another_programs_database_is_refused),
	    cmocka_unit_test(a_file_that_never_was_a_store_is_not_moved),
	    cmocka_unit_test(an_empty_file_becomes_a_store),
	    cmocka_unit_test(
		a_corrupt_header_is_found_and_the_file_moved_aside),
	    cmocka_unit_test(a_truncated_file_is_found),
	    cmocka_unit_test(a_damaged_page_is_found_by_the_check),
	    cmocka_unit_test(a_damaged_wal_costs_only_what_was_not_whole),
	    cmocka_unit_test(
		an_open_handle_notices_that_the_file_was_moved_aside),
	    cmocka_unit_test(a_full_store_says_so_and_works_again_with_space),
	    cmocka_unit_test(a_full_disk_loses_nothing_that_was_acknowledged),
	    cmocka_unit_test(a_store_that_may_not_be_written_says_so),
	    cmocka_unit_test(
		what_root_makes_belongs_to_the_owner_of_the_folder),
	};

	return TEST_SQLITE_RUN("store: damage", cases);
}
