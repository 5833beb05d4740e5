/* tests/unit/test_wake.c - the datagram that says "there is work". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/wake.h"

static char folder[64];
static char path[96];

static int
make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_wake.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/wake.sock", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int
waiting(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
}

static void
a_datagram_arrives_and_is_drained(void **state)
{
	struct err e = {0};
	int in = wake_listen(path, &e), out = wake_open(&e);

	(void)state;
	assert_true(in >= 0 && out >= 0);
	assert_false(waiting(in));
	wake_send(out, path);
	wake_send(out, path);
	assert_true(waiting(in));
	wake_drain(in);
	assert_false(waiting(in));
	close(in);
	close(out);
}

static void
nobody_listening_is_no_error(void **state)
{
	struct err e = {0};
	int out = wake_open(&e);

	(void)state;
	unlink(path);
	wake_send(out, path);
	wake_send(out, "/nowhere/at/all");
	close(out);
}

static void
a_full_queue_never_blocks(void **state)
{
	struct err e = {0};
	int in = wake_listen(path, &e), out = wake_open(&e);

	(void)state;
	for (int i = 0; i < 10000; i++)
		wake_send(out, path);
	wake_drain(in);
	assert_false(waiting(in));
	wake_send(out, path);
	assert_true(waiting(in));
	close(in);
	close(out);
}

static void
a_stale_socket_is_replaced_and_only_we_may_write(void **state)
{
	struct err e = {0};
	struct stat st;
	int first = wake_listen(path, &e), second;

	(void)state;
	close(first);
	second = wake_listen(path, &e);
	assert_true(second >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	close(second);
}

static void
a_path_that_is_too_long_is_a_clear_error(void **state)
{
	struct err e = {0};
	char longer[300];

	(void)state;
	memset(longer, 'a', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(wake_listen(longer, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_datagram_arrives_and_is_drained),
	    cmocka_unit_test(nobody_listening_is_no_error),
	    cmocka_unit_test(a_full_queue_never_blocks),
	    cmocka_unit_test(a_stale_socket_is_replaced_and_only_we_may_write),
	    cmocka_unit_test(a_path_that_is_too_long_is_a_clear_error),
	};

	return cmocka_run_group_tests_name(
	    "wake", tests, make_folder, remove_folder);
}
