/* tests/unit/test_store_sqlite.h - what the tests of the SQLite driver share.
 */
#ifndef TEST_STORE_SQLITE_H
#define TEST_STORE_SQLITE_H

#include "test_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

enum { CHILD_OK = 0, CHILD_FAILED = 1, CHILD_SKIP = 77 };

static inline char *
path_of(struct test_store *t, const char *suffix, char out[256])
{
	snprintf(out, 256, "%s/state.db%s", t->folder, suffix);
	return out;
}

static inline struct store *
open_again(struct test_store *t, unsigned flags)
{
	struct store *s = store_open(t->url, flags, 5000, T0, &t->e);

	if (s == NULL)
		print_error("%s\n", t->e.text);
	assert_non_null(s);
	return s;
}

static inline void
assert_open_fails(struct test_store *t, unsigned flags, enum err_code code)
{
	struct store *s;

	err_clear(&t->e);
	s = store_open(t->url, flags, 0, T0, &t->e);
	if (s == NULL && t->e.code != code)
		print_error("%s\n", t->e.text);
	assert_null(s);
	assert_int_equal(t->e.code, code);
	assert_true(strlen(t->e.text) > 10);
}

static inline void
close_store(struct test_store *t)
{
	store_close(t->store);
	t->store = NULL;
}

/* SQL from outside of the store. */
static inline void
sql(struct test_store *t, const char *text)
{
	char path[256];
	sqlite3 *db = NULL;
	char *message = NULL;

	assert_int_equal(sqlite3_open(path_of(t, "", path), &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
		print_error("%s\n", message);
	assert_null(message);
	sqlite3_close(db);
}

static inline void
overwrite(const char *path, off_t at, size_t len)
{
	char *junk = malloc(len);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	memset(junk, 0x5a, len);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, len, at), len);
	close(fd);
	free(junk);
}

/* Runs body in a child; its exit status. */
static inline int
in_child(int (*body)(struct test_store *t), struct test_store *t)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body(t));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
