/* base/loop.c - see loop.h; the timers are in loop_timer.c. */
#include "base/loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/loop_timer.h"
#include "base/mem.h"

enum { LOOP_EVENTS = 64 };

struct loop_watch {
	struct loop *loop;
	int fd;
	void (*done)(uint32_t events, void *arg); /* NULL once removed */
	void *arg;
	LIST_ENTRY(loop_watch) link;
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
	LIST_HEAD(, loop_signal) signals;
	struct loop_timers timers;
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
	loop_timers_clear(&l->timers);
	while (!LIST_EMPTY(&l->signals)) {
		struct loop_signal *s = LIST_FIRST(&l->signals);

		LIST_REMOVE(s, link);
		close(s->fd);
		free(s);
	}
	close(l->epoll);
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

struct loop_timers *
loop_timers(struct loop *l)
{
	return &l->timers;
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

int
loop_run(struct loop *l, struct err *e)
{
	struct epoll_event events[LOOP_EVENTS];

	while (!l->stop) {
		int n = epoll_wait(l->epoll, events, LOOP_EVENTS,
		    loop_timers_wait_ms(&l->timers));

		if (n < 0 && errno != EINTR)
			return err_set_errno(e, ERR_RETRY, errno, "epoll");
		for (int i = 0; i < n; i++) {
			struct loop_watch *w = events[i].data.ptr;

			if (w->done != NULL)
				w->done(events[i].events, w->arg);
		}
		loop_timers_fire(&l->timers);
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

int
loop_wait_fd(int fd, bool writes, int64_t wait_ms, struct err *e)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int rc;

	if (writes)
		p.events |= POLLOUT;
	rc = poll(&p, 1, wait_ms > 0 ? (int)wait_ms : 0);
	if (rc < 0 && errno != EINTR)
		return err_set_errno(e, ERR_RETRY, errno, "poll");
	return rc > 0;
}
