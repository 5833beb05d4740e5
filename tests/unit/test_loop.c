/* tests/unit/test_loop.c - base/loop.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

static struct loop *
new_loop(void)
{
	struct err e = {0};
	struct loop *l = loop_new(&e);

	assert_non_null(l);
	return l;
}

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Ends a test that hangs. */
static struct loop_timer *
arm_guard(struct loop *l)
{
	struct loop_timer *t = loop_timer_new(l, stop_loop, l);

	loop_timer_set(t, 5000);
	return t;
}

struct trace {
	struct loop *loop;
	char text[64];
	size_t len;
	size_t stop_at;
	struct loop_watch *victims[2];
	struct loop_timer *timer;
	int fds[2];
};

static void
note(struct trace *t, char c)
{
	t->text[t->len++] = c;
	if (t->len == t->stop_at)
		loop_stop(t->loop);
}

static void
note_a(void *arg)
{
	note(arg, 'a');
}

static void
note_b(void *arg)
{
	note(arg, 'b');
}

static void
note_c(void *arg)
{
	note(arg, 'c');
}

static void
timers_fire_in_the_order_of_their_times(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 3};
	struct loop_timer *a = loop_timer_new(t.loop, note_a, &t);
	struct loop_timer *b = loop_timer_new(t.loop, note_b, &t);
	struct loop_timer *c = loop_timer_new(t.loop, note_c, &t);
	int64_t start = clock_mono_us();

	(void)state;
	loop_timer_set(b, 10);
	loop_timer_set(c, 20);
	loop_timer_set(a, 0);
	assert_int_equal(loop_run(t.loop, NULL), 0);
	assert_string_equal(t.text, "abc");
	assert_true(clock_mono_us() - start >= 20000);
	assert_false(loop_timer_is_set(a));
	loop_free(t.loop);
}

static void
timers_due_together_fire_in_the_order_they_were_set(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 3};
	struct loop_timer *a = loop_timer_new(t.loop, note_a, &t);
	struct loop_timer *b = loop_timer_new(t.loop, note_b, &t);
	struct loop_timer *c = loop_timer_new(t.loop, note_c, &t);

	(void)state;
	loop_timer_set(c, 0);
	loop_timer_set(a, 0);
	loop_timer_set(b, 0);
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "cab");
	loop_free(t.loop);
}

static void
a_stopped_or_freed_timer_does_not_fire(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 1};
	struct loop_timer *a = loop_timer_new(t.loop, note_a, &t);
	struct loop_timer *b = loop_timer_new(t.loop, note_b, &t);
	struct loop_timer *c = loop_timer_new(t.loop, note_c, &t);

	(void)state;
	loop_timer_set(a, 0);
	loop_timer_set(b, 1);
	loop_timer_set(c, 5);
	loop_timer_stop(a);
	loop_timer_stop(a);
	loop_timer_free(b);
	loop_timer_free(NULL);
	assert_true(loop_timer_is_set(c));
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "c");
	loop_free(t.loop);
}

static void
free_self_and_other(void *arg)
{
	struct trace *t = arg;

	note(t, 'x');
	loop_timer_free(t->timer);
	t->timer = NULL;
}

static void
a_timer_may_free_itself_while_it_fires(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 1};

	(void)state;
	t.timer = loop_timer_new(t.loop, free_self_and_other, &t);
	loop_timer_set(t.timer, 0);
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "x");
	loop_free(t.loop);
}

static void
set_again_at_once(void *arg)
{
	struct trace *t = arg;

	note(t, 't');
	loop_timer_set(t->timer, 0);
}

static void
note_readable(uint32_t events, void *arg)
{
	assert_true(events & EPOLLIN);
	note(arg, 'w');
}

static void
a_timer_that_sets_itself_again_starves_nobody(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 6};
	int fd = eventfd(1, EFD_CLOEXEC);

	(void)state;
	t.timer = loop_timer_new(t.loop, set_again_at_once, &t);
	loop_timer_set(t.timer, 0);
	assert_non_null(
	    loop_watch_add(t.loop, fd, EPOLLIN, note_readable, &t, NULL));
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "wtwtwt");
	loop_free(t.loop);
	close(fd);
}

static void
hundreds_of_timers_keep_their_order(void **state)
{
	enum { COUNT = 500 };
	struct trace t = {.loop = new_loop()};
	struct loop_timer *timers[COUNT];
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		timers[i] = loop_timer_new(t.loop, stop_loop, t.loop);
		seed = seed * 1103515245 + 12345;
		loop_timer_set(timers[i], 1000 + (int64_t)(seed >> 16) % 1000);
	}
	for (int i = 0; i < COUNT; i++) { /* set again, stopped, freed */
		seed = seed * 1103515245 + 12345;
		if (i % 3 == 0)
			loop_timer_set(timers[i], (seed >> 16) % 20);
		else if (i % 3 == 1)
			loop_timer_stop(timers[i]);
		else
			loop_timer_free(timers[i]);
	}
	for (int left = (COUNT + 2) / 3; left > 0;) {
		int set = 0;

		assert_int_equal(loop_run(t.loop, NULL), 0);
		for (int i = 0; i < COUNT; i += 3)
			set += loop_timer_is_set(timers[i]);
		assert_true(set < left);
		left = set;
	}
	loop_free(t.loop);
}

static void
drain(uint32_t events, void *arg)
{
	struct trace *t = arg;
	uint64_t n;

	(void)events;
	assert_int_equal(read(t->fds[0], &n, sizeof(n)), sizeof(n));
	note(t, 'd');
}

static void *
poke(void *arg)
{
	uint64_t one = 1;

	assert_int_equal(write(*(int *)arg, &one, sizeof(one)), sizeof(one));
	return NULL;
}

static void
a_watch_wakes_the_loop_from_another_thread(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 1};
	pthread_t thread;

	(void)state;
	arm_guard(t.loop);
	t.fds[0] = eventfd(0, EFD_CLOEXEC);
	loop_watch_add(t.loop, t.fds[0], EPOLLIN, drain, &t, NULL);
	pthread_create(&thread, NULL, poke, &t.fds[0]);
	loop_run(t.loop, NULL);
	pthread_join(thread, NULL);
	assert_string_equal(t.text, "d");
	loop_free(t.loop);
	close(t.fds[0]);
}

/* Whoever comes first removes both and closes the descriptors. */
static void
remove_both(uint32_t events, void *arg)
{
	struct trace *t = arg;

	(void)events;
	note(t, 'r');
	for (int i = 0; i < 2; i++) {
		close(t->fds[i]);
		loop_watch_remove(t->victims[i]);
		loop_watch_remove(t->victims[i]);
	}
}

static void
a_watch_removed_in_the_same_round_is_not_called(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 8};
	struct loop_timer *end = loop_timer_new(t.loop, stop_loop, t.loop);

	(void)state;
	for (int i = 0; i < 2; i++) {
		t.fds[i] = eventfd(1, EFD_CLOEXEC);
		t.victims[i] = loop_watch_add(
		    t.loop, t.fds[i], EPOLLIN, remove_both, &t, NULL);
	}
	loop_timer_set(end, 20);
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "r");
	loop_watch_remove(NULL);
	loop_free(t.loop);
}

static void
a_watch_can_change_what_it_waits_for(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 1};
	struct loop_timer *end = loop_timer_new(t.loop, stop_loop, t.loop);
	struct err e = {0};
	struct loop_watch *w;

	(void)state;
	t.fds[0] = eventfd(1, EFD_CLOEXEC);
	w = loop_watch_add(t.loop, t.fds[0], 0, note_readable, &t, NULL);
	loop_timer_set(end, 10);
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "");
	assert_int_equal(loop_watch_change(w, EPOLLIN, &e), 0);
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "w");
	close(t.fds[0]);
	assert_int_equal(loop_watch_change(w, EPOLLIN, &e), -1);
	loop_free(t.loop);
}

static void
a_descriptor_that_can_not_be_watched_is_an_error(void **state)
{
	struct loop *l = new_loop();
	struct err e = {0};

	(void)state;
	assert_null(loop_watch_add(l, -1, EPOLLIN, note_readable, NULL, &e));
	assert_int_equal(e.code, ERR_RETRY);
	loop_free(l);
}

static void
note_signal(int signo, void *arg)
{
	note(arg, signo == SIGUSR2 ? 'u' : signo == SIGHUP ? 'h' : '?');
}

static void
signals_come_through_the_loop(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 2};
	sigset_t set;

	(void)state;
	arm_guard(t.loop);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(loop_signals(t.loop, &set, note_signal, &t, NULL), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	assert_int_equal(loop_signals(t.loop, &set, note_signal, &t, NULL), 0);
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGHUP);
	loop_run(t.loop, NULL);
	assert_int_equal(t.len, 2);
	assert_non_null(strchr(t.text, 'u'));
	assert_non_null(strchr(t.text, 'h'));
	loop_free(t.loop);
}

static void
after_round_runs_behind_the_callbacks(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 4};
	int fd = eventfd(1, EFD_CLOEXEC);

	(void)state;
	loop_watch_add(t.loop, fd, EPOLLIN, note_readable, &t, NULL);
	loop_after_round(t.loop, note_a, &t);
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "wawa");
	loop_free(t.loop);
	close(fd);
}

static void
count_round(void *arg)
{
	++*(int *)arg;
}

static void
waiting_for_a_timer_does_not_spin(void **state)
{
	struct loop *l = new_loop();
	struct loop_timer *end = loop_timer_new(l, stop_loop, l);
	int rounds = 0;

	(void)state;
	loop_after_round(l, count_round, &rounds);
	loop_timer_set(end, 1);
	loop_run(l, NULL);
	assert_in_range(rounds, 1, 3);
	loop_free(l);
}

static void
a_stop_before_the_run_is_not_lost_and_it_runs_again(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 1};
	struct loop_timer *a = loop_timer_new(t.loop, note_a, &t);

	(void)state;
	loop_stop(t.loop);
	assert_int_equal(loop_run(t.loop, NULL), 0);
	loop_timer_set(a, 0);
	assert_int_equal(loop_run(t.loop, NULL), 0);
	assert_string_equal(t.text, "a");
	loop_free(t.loop);
	loop_free(NULL);
}

static void
a_very_long_delay_neither_fires_nor_spins(void **state)
{
	struct trace t = {.loop = new_loop(), .stop_at = 1};
	struct loop_timer *a = loop_timer_new(t.loop, note_a, &t);
	struct loop_timer *b = loop_timer_new(t.loop, note_b, &t);

	(void)state;
	loop_timer_set(a, INT64_MAX);
	loop_timer_set(b, -7);
	loop_run(t.loop, NULL);
	assert_string_equal(t.text, "b");
	assert_true(loop_timer_is_set(a));
	loop_free(t.loop);
}

static void
one_descriptor_can_be_waited_for_without_a_loop(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	int64_t from_ms = clock_mono_ms();
	struct err e = {0};

	(void)state;
	assert_int_equal(loop_wait_fd(fd, false, 0, &e), 0);
	assert_int_equal(loop_wait_fd(fd, false, 30, &e), 0);
	assert_true(clock_mono_ms() - from_ms >= 30);
	assert_int_equal(loop_wait_fd(fd, true, 60000, &e), 1);
	/* As full as it gets: it can be read. */
	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	assert_int_equal(loop_wait_fd(fd, false, 60000, &e), 1);
	assert_int_equal(loop_wait_fd(fd, true, -5, &e), 1);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(timers_fire_in_the_order_of_their_times),
	    cmocka_unit_test(
		timers_due_together_fire_in_the_order_they_were_set),
	    cmocka_unit_test(a_stopped_or_freed_timer_does_not_fire),
	    cmocka_unit_test(a_timer_may_free_itself_while_it_fires),
	    cmocka_unit_test(a_timer_that_sets_itself_again_starves_nobody),
	    cmocka_unit_test(hundreds_of_timers_keep_their_order),
	    cmocka_unit_test(a_watch_wakes_the_loop_from_another_thread),
	    cmocka_unit_test(a_watch_removed_in_the_same_round_is_not_called),
	    cmocka_unit_test(a_watch_can_change_what_it_waits_for),
	    cmocka_unit_test(a_descriptor_that_can_not_be_watched_is_an_error),
	    cmocka_unit_test(signals_come_through_the_loop),
	    cmocka_unit_test(after_round_runs_behind_the_callbacks),
	    cmocka_unit_test(waiting_for_a_timer_does_not_spin),
	    cmocka_unit_test(
		a_stop_before_the_run_is_not_lost_and_it_runs_again),
	    cmocka_unit_test(one_descriptor_can_be_waited_for_without_a_loop),
	    cmocka_unit_test(a_very_long_delay_neither_fires_nor_spins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
