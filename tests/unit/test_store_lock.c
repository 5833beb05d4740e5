/* The lock files beside an SQLite store: whose they are, that nobody is led
 * astray by a link, and that those who wait get their turn. */
#include "test_store_sqlite.h"

#include <grp.h>

#include "base/file.h"

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* A file of someone else's that nothing may touch. */
static char *
victim(struct test_store *t, char out[256])
{
	int fd;

	snprintf(out, 256, "%s/victim", t->folder);
	fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "!ootshadow", 10), 10);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
	return out;
}

static void
assert_untouched(const char *path)
{
	char *text = NULL;
	size_t len = 0;
	struct err e = {0};

	assert_int_equal(file_read(path, 64, &text, &len, &e), 0);
	assert_string_equal(text, "!ootshadow");
	assert_int_equal(mode_of(path), 0644);
	free(text);
}

static void
a_lock_file_beside_the_store_is_private(void **state)
{
	struct test_store *t = *state;
	char path[256];
	int fd = store_lock_file_open(t->url, ".renew.lock", &t->e);

	assert_true(fd >= 0);
	assert_int_equal(mode_of(path_of(t, ".renew.lock", path)), 0600);
	assert_int_equal(file_lock(fd, 0, &t->e), 0);
	close(fd);
	assert_int_equal(store_lock_file_open("oracle:x", ".x", &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
	assert_int_equal(
	    store_lock_file_open("sqlite:/no/where/x", ".x", &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
}

static void
a_lock_file_is_never_opened_through_a_link(void **state)
{
	struct test_store *t = *state;
	char target[256], path[256];

	assert_int_equal(
	    symlink(victim(t, target), path_of(t, ".renew.lock", path)), 0);
	assert_int_equal(
	    store_lock_file_open(t->url, ".renew.lock", &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
	assert_untouched(target);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(
	    store_lock_file_open(t->url, ".renew.lock", &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
}

/* Made new, and left behind by an older version of root's program. */
static int
lock_as_root_and_owner(struct test_store *t)
{
	char path[256];
	struct err e = {0};
	int fd;

	if (geteuid() != 0 || chown(t->folder, 65534, 65534) != 0)
		return CHILD_SKIP;
	path_of(t, ".old.lock", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) != 0 ||
	    store_lock_file_open(t->url, ".renew.lock", &e) < 0 ||
	    store_lock_file_open(t->url, ".old.lock", &e) < 0)
		return CHILD_FAILED;
	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		return CHILD_SKIP;
	fd = store_lock_file_open(t->url, ".renew.lock", &e);
	if (fd < 0 || file_lock(fd, -1, &e) != 0 ||
	    store_lock_file_open(t->url, ".old.lock", &e) < 0)
		return CHILD_FAILED;
	return CHILD_OK;
}

static void
a_lock_file_of_root_locks_nobody_out(void **state)
{
	struct test_store *t = *state;
	int rc = in_child(lock_as_root_and_owner, t);

	if (rc == CHILD_SKIP)
		skip();
	assert_int_equal(rc, CHILD_OK);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_lock_file_beside_the_store_is_private),
	    cmocka_unit_test(a_lock_file_is_never_opened_through_a_link),
	    cmocka_unit_test(a_lock_file_of_root_locks_nobody_out),
	};

	return TEST_STORE_RUN("store: lock files", cases);
}
