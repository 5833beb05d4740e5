/* base/loop.c - see loop.h. */
#include "base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { LOOP_EVENTS = 64, LOOP_WAIT_MAX_MS = 3600 * 1000, LOOP_NOT_SET = -1 };

/* Longer delays could overflow microseconds; ten thousand years will do. */
static const int64_t loop_delay_max_ms = INT64_C(1) << 48;

struct loop_watch {
	struct loop *loop;
	int fd;
	void (*done)(uint32_t events, void *arg); /* NULL once removed */
	void *arg;
	LIST_ENTRY(loop_watch) link;
};

struct loop_timer {
	struct loop *loop;
	void (*done)(void *arg);
	void *arg;
	int64_t due_us;
	uint64_t turn; /* of two due at once the one set first goes first */
	ptrdiff_t place; /* in the heap, or LOOP_NOT_SET */
	LIST_ENTRY(loop_timer) link;
};

struct loop_signal {
	int fd;
	void (*done)(int signo, void *arg);
	void *arg;
	LIST_ENTRY(loop_signal) link;
};

LIST_HEAD(loop_watches, loop_watch);

struct loop {
	int epoll;
	bool stop;
	struct loop_watches watches;
	struct loop_watches removed; /* freed at the end of the round */
	LIST_HEAD(, loop_timer) timers;
	LIST_HEAD(, loop_signal) signals;
	struct loop_timer **heap;
	size_t heap_len;
	size_t heap_cap;
	uint64_t turns;
	void (*after)(void *arg);
	void *after_arg;
};

struct loop *
loop_new(struct err *e)
{
	struct loop *l = mem_zalloc(sizeof(*l));

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		err_set_errno(e, ERR_RETRY, errno, "epoll");
		free(l);
		return NULL;
	}
	return l;
}

static void
loop_free_watches(struct loop_watches *list)
{
	while (!LIST_EMPTY(list)) {
		struct loop_watch *w = LIST_FIRST(list);

		LIST_REMOVE(w, link);
		free(w);
	}
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	loop_free_watches(&l->watches);
	loop_free_watches(&l->removed);
	while (!LIST_EMPTY(&l->timers))
		loop_timer_free(LIST_FIRST(&l->timers));
	while (!LIST_EMPTY(&l->signals)) {
		struct loop_signal *s = LIST_FIRST(&l->signals);

		LIST_REMOVE(s, link);
		close(s->fd);
		free(s);
	}
	close(l->epoll);
	free(l->heap);
	free(l);
}

struct loop_watch *
loop_watch_add(struct loop *l, int fd, uint32_t events,
    void (*done)(uint32_t events, void *arg), void *arg, struct err *e)
{
	struct loop_watch *w = mem_zalloc(sizeof(*w));
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
		err_set_errno(e, ERR_RETRY, errno, "watch descriptor %d", fd);
		free(w);
		return NULL;
	}
	w->loop = l;
	w->fd = fd;
	w->done = done;
	w->arg = arg;
	LIST_INSERT_HEAD(&l->watches, w, link);
	return w;
}

int
loop_watch_change(struct loop_watch *w, uint32_t events, struct err *e)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (epoll_ctl(w->loop->epoll, EPOLL_CTL_MOD, w->fd, &ev) != 0)
		return err_set_errno(
		    e, ERR_RETRY, errno, "watch descriptor %d", w->fd);
	return 0;
}

void
loop_watch_remove(struct loop_watch *w)
{
	if (w == NULL || w->done == NULL)
		return;
	/* The caller may have closed fd already, which removed it. */
	epoll_ctl(w->loop->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	w->done = NULL;
	LIST_REMOVE(w, link);
	/* Events fetched in this round may still point to it. */
	LIST_INSERT_HEAD(&w->loop->removed, w, link);
}

static bool
timer_is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us
				      : a->turn < b->turn;
}

static void
heap_place(struct loop *l, size_t at, struct loop_timer *t)
{
	l->heap[at] = t;
	t->place = (ptrdiff_t)at;
}

/* Puts t where it belongs, beginning at the free place at. */
static void
heap_sift(struct loop *l, size_t at, struct loop_timer *t)
{
	while (at > 0 && timer_is_before(t, l->heap[(at - 1) / 2])) {
		heap_place(l, at, l->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= l->heap_len)
			break;
		if (child + 1 < l->heap_len &&
		    timer_is_before(l->heap[child + 1], l->heap[child]))
			child++;
		if (!timer_is_before(l->heap[child], t))
			break;
		heap_place(l, at, l->heap[child]);
		at = child;
	}
	heap_place(l, at, t);
}

struct loop_timer *
loop_timer_new(struct loop *l, void (*done)(void *arg), void *arg)
{
	struct loop_timer *t = mem_zalloc(sizeof(*t));

	t->loop = l;
	t->done = done;
	t->arg = arg;
	t->place = LOOP_NOT_SET;
	LIST_INSERT_HEAD(&l->timers, t, link);
	return t;
}

void
loop_timer_set(struct loop_timer *t, int64_t delay_ms)
{
	struct loop *l = t->loop;

	loop_timer_stop(t);
	if (delay_ms < 0)
		delay_ms = 0;
	if (delay_ms > loop_delay_max_ms)
		delay_ms = loop_delay_max_ms;
	t->due_us = clock_mono_us() + delay_ms * 1000;
	t->turn = l->turns++;
	if (l->heap_len == l->heap_cap) {
		l->heap_cap = l->heap_cap > 0 ? 2 * l->heap_cap : 16;
		l->heap =
		    mem_realloc(l->heap, l->heap_cap * sizeof(l->heap[0]));
	}
	heap_sift(l, l->heap_len++, t);
}

void
loop_timer_stop(struct loop_timer *t)
{
	struct loop *l = t->loop;
	struct loop_timer *last;

	if (t->place == LOOP_NOT_SET)
		return;
	last = l->heap[--l->heap_len];
	if (last != t)
		heap_sift(l, (size_t)t->place, last);
	t->place = LOOP_NOT_SET;
}

bool
loop_timer_is_set(const struct loop_timer *t)
{
	return t->place != LOOP_NOT_SET;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	loop_timer_stop(t);
	LIST_REMOVE(t, link);
	free(t);
}

static void
loop_read_signals(uint32_t events, void *arg)
{
	struct loop_signal *s = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		s->done((int)info.ssi_signo, s->arg);
}

int
loop_signals(struct loop *l, const sigset_t *set,
    void (*done)(int signo, void *arg), void *arg, struct err *e)
{
	struct loop_signal *s;
	int rc = pthread_sigmask(SIG_BLOCK, set, NULL);
	int fd;

	if (rc != 0)
		return err_set_errno(e, ERR_CONFIG, rc, "block signals");
	fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set_errno(e, ERR_RETRY, errno, "signalfd");
	s = mem_zalloc(sizeof(*s));
	s->fd = fd;
	s->done = done;
	s->arg = arg;
	LIST_INSERT_HEAD(&l->signals, s, link);
	/* After a failure here loop_free() still closes the descriptor. */
	if (loop_watch_add(l, fd, EPOLLIN, loop_read_signals, s, e) == NULL)
		return -1;
	return 0;
}

void
loop_after_round(struct loop *l, void (*done)(void *arg), void *arg)
{
	l->after = done;
	l->after_arg = arg;
}

static int
loop_wait_ms(const struct loop *l)
{
	int64_t left_us;

	if (l->heap_len == 0)
		return -1;
	left_us = l->heap[0]->due_us - clock_mono_us();
	if (left_us <= 0)
		return 0;
	if (left_us > (int64_t)LOOP_WAIT_MAX_MS * 1000)
		return LOOP_WAIT_MAX_MS;
	/* Up, never down: a timer does not fire early, nor do we spin. */
	return (int)((left_us + 999) / 1000);
}

static void
loop_fire_timers(struct loop *l)
{
	int64_t now_us = clock_mono_us();
	/* One that sets itself again at once waits for the next round. */
	uint64_t next_turn = l->turns;

	while (l->heap_len > 0) {
		struct loop_timer *t = l->heap[0];

		if (t->due_us > now_us || t->turn >= next_turn)
			break;
		loop_timer_stop(t);
		t->done(t->arg); /* may free t */
	}
}

int
loop_run(struct loop *l, struct err *e)
{
	struct epoll_event events[LOOP_EVENTS];

	while (!l->stop) {
		int n =
		    epoll_wait(l->epoll, events, LOOP_EVENTS, loop_wait_ms(l));

		if (n < 0 && errno != EINTR)
			return err_set_errno(e, ERR_RETRY, errno, "epoll");
		for (int i = 0; i < n; i++) {
			struct loop_watch *w = events[i].data.ptr;

			if (w->done != NULL)
				w->done(events[i].events, w->arg);
		}
		loop_fire_timers(l);
		if (l->after != NULL)
			l->after(l->after_arg);
		loop_free_watches(&l->removed);
	}
	l->stop = false;
	return 0;
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}
