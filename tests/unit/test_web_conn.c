/* tests/unit/test_web_conn.c - fcgi/web_conn.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/web_conn.h"

static const unsigned char request[] = {
    1, 1, 0, 1, 0, 8, 0, 0, /* BEGIN */
    0, 1, 1, 0, 0, 0, 0, 0, /* responder, keep */
    1, 4, 0, 1, 0, 4, 0, 0, /* PARAMS */
    1, 1, 'A', 'b', /* */
    1, 4, 0, 1, 0, 0, 0, 0, /* end of PARAMS */
    1, 5, 0, 1, 0, 0, 0, 0, /* end of STDIN */
};

static unsigned char scratch[CONN_SCRATCH];

static void
put(int fd, const void *data, size_t len)
{
	assert_int_equal(write(fd, data, len), (ssize_t)len);
}

static void
holds_one_request(int source)
{
	unsigned char data[2 * sizeof(request)];

	assert_int_equal(
	    read(source, data, sizeof(data)), (ssize_t)sizeof(request));
	assert_memory_equal(data, request, sizeof(request));
}

static void
what_comes_behind_a_request_stays_for_the_next(void **state)
{
	struct budget budget = {0};
	struct conn c = {.spool = -1};
	int ends[2];
	int whole = memfd_create("whole", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	c.fd = ends[0];
	for (int i = 0; i < 3; i++) {
		int source = whole;

		if (i == 0)
			put(ends[1], request, sizeof(request));
		assert_int_equal(
		    conn_read(&c, &budget, scratch, &source), CONN_REQUEST);
		/* Before anybody has read the first one. */
		put(ends[1], request, sizeof(request));
		holds_one_request(source);
		conn_reset(&c, &budget);
	}
	assert_int_equal(budget.taken, 0);
	close(ends[0]);
	close(ends[1]);
	close(whole);
}

static void
a_request_in_pieces_is_read_to_its_end(void **state)
{
	struct budget budget = {0};
	struct conn c = {.spool = -1};
	int ends[2];
	int source = -1;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	c.fd = ends[0];
	for (size_t i = 0; i < sizeof(request); i++) {
		assert_int_equal(
		    conn_read(&c, &budget, scratch, &source), CONN_WAITS);
		put(ends[1], request + i, 1);
	}
	put(ends[1], request, 3);
	assert_int_equal(
	    conn_read(&c, &budget, scratch, &source), CONN_REQUEST);
	assert_int_equal(source, c.spool);
	holds_one_request(source);
	conn_reset(&c, &budget);
	assert_int_equal(budget.taken, 0);
	assert_int_equal(recv(ends[0], scratch, 10, 0), 3);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_comes_behind_a_request_stays_for_the_next),
	    cmocka_unit_test(a_request_in_pieces_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
