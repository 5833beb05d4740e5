/* tests/unit/test_secret.c - base/secret.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

static void
a_secret_gives_back_exactly_its_bytes(void **state)
{
	struct secret *s = secret_new("a\0b-not-this", 3);

	(void)state;
	assert_true(secret_is_set(s));
	assert_int_equal(secret_len(s), 3);
	assert_memory_equal(secret_reveal(s), "a\0b\0", 4);
	secret_free(s);
}

static void
nothing_and_empty_are_not_set(void **state)
{
	struct secret *s = secret_new("", 0);

	(void)state;
	assert_false(secret_is_set(NULL));
	assert_false(secret_is_set(s));
	assert_string_equal(secret_reveal(NULL), "");
	assert_int_equal(secret_len(NULL), 0);
	secret_free(s);
	secret_free(NULL);
}

static void
only_set_secrets_with_the_same_bytes_are_equal(void **state)
{
	struct secret *a = secret_new("abc", 3);
	struct secret *b = secret_new("abc", 3);
	struct secret *c = secret_new("abd", 3);
	struct secret *d = secret_new("abcd", 4);
	struct secret *empty = secret_new("", 0);

	(void)state;
	assert_true(secret_equals(a, b));
	assert_false(secret_equals(a, c));
	assert_false(secret_equals(a, d));
	assert_false(secret_equals(a, NULL));
	assert_false(secret_equals(empty, empty));
	assert_false(secret_equals(NULL, NULL));
	secret_free(a);
	secret_free(b);
	secret_free(c);
	secret_free(d);
	secret_free(empty);
}

static void
wiping_leaves_zeroes(void **state)
{
	char text[] = "secret";

	(void)state;
	secret_wipe(text, 3);
	assert_memory_equal(text, "\0\0\0ret", 6);
	secret_wipe(NULL, 0);
}

static void
a_guarded_process_leaves_no_core_and_shows_itself_to_nobody(void **state)
{
	struct rlimit core = {1, 1};
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		bool told = secret_guard_process();
		bool ok = told && getrlimit(RLIMIT_CORE, &core) == 0 &&
		    core.rlim_cur == 0 && core.rlim_max == 0;
#ifndef __SANITIZE_ADDRESS__
		ok = ok && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
#endif
		_exit(ok ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_secret_gives_back_exactly_its_bytes),
	    cmocka_unit_test(nothing_and_empty_are_not_set),
	    cmocka_unit_test(only_set_secrets_with_the_same_bytes_are_equal),
	    cmocka_unit_test(wiping_leaves_zeroes),
	    cmocka_unit_test(
		a_guarded_process_leaves_no_core_and_shows_itself_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
