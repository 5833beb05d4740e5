/* tests/unit/test_mem.c - base/mem.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void
memory_is_zeroed_and_never_null(void **state)
{
	char *p = mem_zalloc(100);
	char *q = mem_zalloc(0);
	char *r = mem_calloc(0, 8);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	assert_non_null(q);
	assert_non_null(r);
	free(p);
	free(q);
	free(r);
}

static void
realloc_keeps_the_contents(void **state)
{
	char *p = mem_strdup("abc");

	(void)state;
	p = mem_realloc(p, 1000);
	assert_string_equal(p, "abc");
	p = mem_realloc(p, 0);
	assert_non_null(p);
	free(p);
}

static void
strndup_stops_at_the_length_and_at_the_end(void **state)
{
	char *p = mem_strndup("abcdef", 3);
	char *q = mem_strndup("ab", 3);

	(void)state;
	assert_string_equal(p, "abc");
	assert_string_equal(q, "ab");
	free(p);
	free(q);
}

static void
out_of_memory_ends_the_process_with_status_70(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		close(STDERR_FILENO);
		/* More than an address space holds: product overflows. */
		mem_calloc(SIZE_MAX / 2, 4);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
}

/* The sanitizer would end the process itself instead of returning NULL. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_zeroed_and_never_null),
	    cmocka_unit_test(realloc_keeps_the_contents),
	    cmocka_unit_test(strndup_stops_at_the_length_and_at_the_end),
	    cmocka_unit_test(out_of_memory_ends_the_process_with_status_70),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
