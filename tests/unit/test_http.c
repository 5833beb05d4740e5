/* tests/unit/test_http.c - port/http.h against a peer that is slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "port/http.h"
#include "rule/retry.h"

enum { PARTIES = 4, MANY = 24, SILENCE_MS = 11 * 1000, SHORT_MS = 100 };

/* Answers each request after delay_ms. */
struct server {
	struct loop *loop;
	struct loop_watch *watch;
	int fd;
	char url[64];
	int64_t delay_ms;
	const char *headers; /* beyond the usual */
	int open; /* connections */
	int requests; /* that arrived */
	int most_open;
};

struct connection {
	struct server *server;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *answer;
};

static void
connection_close(struct connection *c)
{
	c->server->open--;
	loop_watch_remove(c->watch);
	loop_timer_free(c->answer);
	close(c->fd);
	free(c);
}

static void
answer(void *arg)
{
	struct connection *c = arg;
	char text[512];
	int len = snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%s\r\nok",
	    c->server->headers);

	assert_int_equal(write(c->fd, text, (size_t)len), len);
}

static void
readable(uint32_t events, void *arg)
{
	struct connection *c = arg;
	char text[4096] = "";

	(void)events;
	if (read(c->fd, text, sizeof(text) - 1) <= 0) {
		connection_close(c);
		return;
	}
	c->server->requests++;
	if (strstr(text, "/hang ") == NULL)
		loop_timer_set(c->answer, c->server->delay_ms);
}

static void
arrived(uint32_t events, void *arg)
{
	struct connection *c = mem_zalloc(sizeof(*c));
	struct server *s = arg;
	struct err e;

	(void)events;
	c->server = s;
	c->fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(c->fd >= 0);
	c->watch = loop_watch_add(s->loop, c->fd, EPOLLIN, readable, c, &e);
	c->answer = loop_timer_new(s->loop, answer, c);
	if (++s->open > s->most_open)
		s->most_open = s->open;
}

static void
server_start(struct server *s, struct loop *loop)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	struct err e;

	s->loop = loop;
	s->headers = "";
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(s->fd, 64), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
	snprintf(
	    s->url, sizeof(s->url), "http://127.0.0.1:%d/", ntohs(a.sin_port));
	s->watch = loop_watch_add(loop, s->fd, EPOLLIN, arrived, s, &e);
	assert_non_null(s->watch);
}

struct bench {
	struct loop *loop;
	struct http *http;
	struct server server;
	int left;
	int results[HTTP_HELD + 1];
	int may_go; /* so many more */
	bool (*asks)(void *arg);
	int64_t longest_ms;
	int64_t retry_after_ms;
};

static int
set_up_with(void **state, int connections)
{
	const struct http_options options = {
	    .ca_file = "",
	    .proxy = "",
	    .no_proxy = "",
	    .max_connections_per_host = connections,
	    .parties = PARTIES,
	};
	struct bench *b = mem_zalloc(sizeof(*b));
	struct err e;

	b->loop = loop_new(&e);
	server_start(&b->server, b->loop);
	b->http = http_new(b->loop, &options);
	*state = b;
	return 0;
}

static int
set_up(void **state)
{
	return set_up_with(state, 2);
}

static int
set_up_for_many(void **state)
{
	return set_up_with(state, 32);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

/* Connections that are still open see their end. */
static int
tear_down(void **state)
{
	struct bench *b = *state;
	struct loop_timer *end = loop_timer_new(b->loop, stop, b->loop);
	struct err e;

	http_free(b->http);
	while (b->server.open > 0) {
		loop_timer_set(end, 10);
		loop_run(b->loop, &e);
	}
	close(b->server.fd);
	loop_free(b->loop);
	free(b);
	return 0;
}

static void
done(const struct http_reply *reply, void *arg)
{
	struct bench *b = arg;

	b->results[reply->result]++;
	b->retry_after_ms = reply->retry_after_ms;
	if (reply->duration_ms > b->longest_ms)
		b->longest_ms = reply->duration_ms;
	if (--b->left == 0)
		loop_stop(b->loop);
}

static struct http_exchange *
get_for(struct bench *b, const char *what, size_t party, int64_t timeout_ms)
{
	struct http_exchange *x;
	struct http_request r;
	struct err e;

	http_request_init(&r, "GET", "test");
	buf_printf(&r.url, "%s%s", b->server.url, what);
	r.timeout_ms = timeout_ms;
	r.party = party;
	r.may_go = b->asks;
	x = http_start(b->http, &r, done, b, &e);
	assert_non_null(x);
	http_request_clear(&r);
	b->left++;
	return x;
}

static struct http_exchange *
get(struct bench *b, int64_t timeout_ms)
{
	return get_for(b, "", 0, timeout_ms);
}

static void
run(struct bench *b)
{
	struct err e;

	assert_int_equal(loop_run(b->loop, &e), 0);
}

static void
an_answer_after_a_long_silence_is_taken_within_the_timeout(void **state)
{
	struct bench *b = *state;

	b->server.delay_ms = SILENCE_MS;
	get(b, 15 * 1000);
	run(b);
	assert_int_equal(b->results[HTTP_DONE], 1);
}

static void
silence_beyond_the_timeout_ends_the_exchange(void **state)
{
	struct bench *b = *state;

	b->server.delay_ms = 60 * 1000;
	get(b, 300);
	run(b);
	assert_int_equal(b->results[HTTP_TIMEOUT], 1);
}

static void
what_waits_for_a_connection_does_not_time_out(void **state)
{
	struct bench *b = *state;

	b->server.delay_ms = SHORT_MS;
	for (int i = 0; i < MANY; i++)
		get(b, SHORT_MS * 6);
	assert_int_equal(http_count(b->http), MANY);
	run(b);
	assert_int_equal(b->results[HTTP_DONE], MANY);
	assert_true(b->longest_ms < SHORT_MS * 6);
	assert_true(b->server.most_open <= 2);
	assert_int_equal(http_count(b->http), 0);
}

static void
a_cancelled_exchange_makes_room_for_the_next_one(void **state)
{
	struct http_exchange *x[5];
	struct bench *b = *state;

	b->server.delay_ms = 60 * 1000;
	for (int i = 0; i < 5; i++)
		x[i] = get(b, 5000);
	b->server.delay_ms = SHORT_MS;
	/* Two under way, two held: the last one is left. */
	for (int i = 3; i >= 0; i--) {
		http_cancel(x[i]);
		b->left--;
	}
	run(b);
	assert_int_equal(b->results[HTTP_DONE], 1);
}

static bool
may_go(void *arg)
{
	struct bench *b = arg;

	return b->may_go-- > 0;
}

/* Two of them are told something that holds the others. */
static void
what_must_not_go_any_more_is_not_sent_when_its_turn_comes(void **state)
{
	struct bench *b = *state;

	b->server.delay_ms = SHORT_MS;
	b->server.requests = 0;
	b->may_go = 2;
	b->asks = may_go;
	for (int i = 0; i < MANY; i++)
		get(b, SHORT_MS * 20);
	run(b);
	assert_int_equal(b->results[HTTP_DONE], 2);
	assert_int_equal(b->results[HTTP_HELD], MANY - 2);
	assert_int_equal(b->server.requests, 2);
	assert_int_equal(http_count(b->http), 0);
}

/* A quarter each of 28 connections; the first three are never answered. */
static void
parties_that_hang_leave_room_for_the_fourth_and_for_nobodys(void **state)
{
	struct http_exchange *hanging[3 * MANY];
	struct bench *b = *state;

	b->server.delay_ms = SHORT_MS;
	for (size_t i = 0; i < 3 * MANY; i++)
		hanging[i] = get_for(b, "hang", 1 + i % 3, 60 * 1000);
	b->left = 0;
	for (int i = 0; i < 7; i++)
		get_for(b, "", 4, SHORT_MS * 5);
	get_for(b, "", 0, SHORT_MS * 5);
	run(b);
	assert_int_equal(b->results[HTTP_DONE], 8);
	assert_true(b->longest_ms < SHORT_MS * 5);
	assert_int_equal(b->server.most_open, 3 * 7 + 8);
	for (size_t i = 0; i < 3 * MANY; i++)
		http_cancel(hanging[i]);
}

static void
what_is_held_is_dropped_with_the_rest(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 5; i++)
		get(b, 5000);
	assert_int_equal(http_count(b->http), 5);
}

static void
a_wait_is_at_most_a_day_and_a_date_is_one_of_the_peer(void **state)
{
	static const struct {
		const char *headers;
		int64_t wait_ms;
	} cases[] = {
	    {"", -1},
	    {"Retry-After: 7\r\n", 7000},
	    {"Retry-After: 2.128\r\n", 2128},
	    {"Retry-After: 0\r\n", 0},
	    {"Retry-After: -5\r\n", -1},
	    {"Retry-After: soon\r\n", -1},
	    {"Retry-After: 99999999999999999999\r\n", -1},
	    {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0},
	    {"Retry-After: 3\r\nRetry-After: 9\r\n", 9000},
	    {"Retry-After: 9\r\nretry-after: 3\r\n", 9000},
	    {"Retry-After: 9\r\nRetry-After: soon\r\n", 9000},
	    {"Retry-After: 1795463000\r\n", RETRY_AFTER_MAX_MS},
	    {"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
		RETRY_AFTER_MAX_MS},
	    {"Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"
	     "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
		60 * 1000},
	    {"Date: Mon, 01 Jan 2035 00:00:00 GMT\r\n"
	     "Retry-After: Mon, 01 Jan 2035 00:00:30 GMT\r\n",
		30 * 1000},
	    {"Date: tomorrow\r\nRetry-After: 7\r\n", 7000},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b->server.headers = cases[i].headers;
		get(b, 5000);
		run(b);
		if (b->retry_after_ms != cases[i].wait_ms)
			print_error("%s", cases[i].headers);
		assert_true(b->retry_after_ms == cases[i].wait_ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		an_answer_after_a_long_silence_is_taken_within_the_timeout,
		set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		silence_beyond_the_timeout_ends_the_exchange, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		what_waits_for_a_connection_does_not_time_out, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_cancelled_exchange_makes_room_for_the_next_one, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		what_must_not_go_any_more_is_not_sent_when_its_turn_comes,
		set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		parties_that_hang_leave_room_for_the_fourth_and_for_nobodys,
		set_up_for_many, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_held_is_dropped_with_the_rest, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_wait_is_at_most_a_day_and_a_date_is_one_of_the_peer, set_up,
		tear_down),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
