/* tests/unit/test_page.c - base/page.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/page.h"

static void
a_child_that_maps_the_page_counts_for_everyone(void **state)
{
	struct err e = {0};
	int fd = -1;
	struct page *p = page_create(&fd, &e);
	int status = -1;
	pid_t pid;

	(void)state;
	assert_non_null(p);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	page_set(p, 3, 10);
	pid = fork();
	if (pid == 0) {
		struct page *own = page_map(fd, NULL);

		if (own == NULL || page_get(own, 3) < 10)
			_exit(1);
		for (int i = 0; i < 1000; i++)
			page_add(own, 3, 1);
		page_free(own);
		_exit(0);
	}
	for (int i = 0; i < 1000; i++)
		page_add(p, 3, 1);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_true(page_get(p, 3) == 2010);
	page_free(p);
	close(fd);
}

static void
what_is_out_of_range_or_absent_is_ignored(void **state)
{
	struct page *p = page_private();

	(void)state;
	page_add(p, PAGE_COUNTERS, 1);
	page_set(p, SIZE_MAX, 1);
	assert_true(page_get(p, PAGE_COUNTERS) == 0);
	page_add(p, PAGE_COUNTERS - 1, -5);
	assert_true(page_get(p, PAGE_COUNTERS - 1) == -5);
	page_add(NULL, 0, 1);
	page_set(NULL, 0, 1);
	assert_true(page_get(NULL, 0) == 0);
	page_free(p);
	page_free(NULL);
}

static void
nobody_can_shrink_the_page_under_the_others(void **state)
{
	struct err e = {0};
	int fd = -1;
	struct page *p = page_create(&fd, &e);

	(void)state;
	assert_int_equal(ftruncate(fd, 0), -1);
	page_set(p, PAGE_COUNTERS - 1, 1);
	page_free(p);
	close(fd);
}

static void
a_descriptor_of_something_else_is_refused(void **state)
{
	struct err e = {0};
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_null(page_map(fd, &e));
	assert_int_equal(e.code, ERR_INPUT);
	assert_null(page_map(-1, &e));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_child_that_maps_the_page_counts_for_everyone),
	    cmocka_unit_test(what_is_out_of_range_or_absent_is_ignored),
	    cmocka_unit_test(nobody_can_shrink_the_page_under_the_others),
	    cmocka_unit_test(a_descriptor_of_something_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
