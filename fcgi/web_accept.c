/* fcgi/web_accept.c - see web_accept.h. */
#include "web_accept.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "web_limit.h"

enum { ACCEPT_AT_ONCE = 256, ACCEPT_PAUSE_MS = 50 };

struct acceptor {
	struct loop *loop;
	int listen_fd;
	struct loop_watch *watch; /* NULL while it pauses */
	struct loop_timer *timer;
	int (*take)(int fd, void *arg);
	void *arg;
	struct limit failures;
};

static void
acceptor_pause(struct acceptor *a, int errnum)
{
	int64_t left_out;

	if (limit_allows(&a->failures, clock_mono_ms(), &left_out))
		log_warning("accept-failed",
		    LOG_STR("message", strerror(errnum)),
		    LOG_INT("suppressed", left_out));
	/* Level-triggered, it would spin. */
	loop_watch_remove(a->watch);
	a->watch = NULL;
	loop_timer_set(a->timer, ACCEPT_PAUSE_MS);
}

/* False when there is none, or no more can be taken now. */
static bool
acceptor_take_one(struct acceptor *a)
{
	int fd =
	    accept4(a->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int errnum = errno;

	if (fd >= 0 && a->take(fd, a->arg) == 0)
		return true;
	if (fd >= 0) {
		errnum = ENOMEM;
		close(fd);
	} else if (errnum == EAGAIN || errnum == EWOULDBLOCK) {
		return false;
	} else if (errnum == EINTR || errnum == ECONNABORTED) {
		return true;
	}
	acceptor_pause(a, errnum);
	return false;
}

static void
acceptor_ready(uint32_t events, void *arg)
{
	struct acceptor *a = arg;

	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE && acceptor_take_one(a); i++)
		;
}

static void
acceptor_resume(void *arg)
{
	struct acceptor *a = arg;

	a->watch = loop_watch_add(
	    a->loop, a->listen_fd, EPOLLIN, acceptor_ready, a, NULL);
	if (a->watch == NULL)
		acceptor_pause(a, ENOMEM);
}

struct acceptor *
acceptor_new(struct loop *loop, int listen_fd, int (*take)(int fd, void *arg),
    void *arg, struct err *e)
{
	struct acceptor *a = mem_zalloc(sizeof(*a));

	a->loop = loop;
	a->listen_fd = listen_fd;
	a->take = take;
	a->arg = arg;
	a->timer = loop_timer_new(loop, acceptor_resume, a);
	a->watch =
	    loop_watch_add(loop, listen_fd, EPOLLIN, acceptor_ready, a, e);
	if (a->watch == NULL) {
		acceptor_free(a);
		return NULL;
	}
	return a;
}

void
acceptor_stop(struct acceptor *a)
{
	loop_watch_remove(a->watch);
	a->watch = NULL;
	loop_timer_stop(a->timer);
}

void
acceptor_free(struct acceptor *a)
{
	if (a == NULL)
		return;
	loop_watch_remove(a->watch);
	loop_timer_free(a->timer);
	free(a);
}
