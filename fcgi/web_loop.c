/* fcgi/web_loop.c - see web_loop.h. */
#include "web_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "web_accept.h"
#include "web_answer.h"
#include "web_commit.h"
#include "web_conn.h"
#include "web_limit.h"

enum {
	SERVE_AT_ONCE = 32, /* pipelined requests of one connection */
	ARRIVAL_CHECK_MS = 500,
	ARRIVAL_MAX_MS = 30 * 1000, /* from first to last byte */
	ARRIVAL_STILL_MS = 5000, /* without a byte */
	ARRIVAL_STILL_HUNGRY_MS = 1000, /* same, while others wait */
	ARRIVAL_HUNGRY_MS = 3000, /* waiting itself, with some budget */
	DRAIN_CHECK_MS = 20,
	DRAIN_QUIET_MS = 100
};

TAILQ_HEAD(conn_queue, conn);

struct web_loop {
	struct web *web;
	struct acceptor *acceptor;
	struct loop_watch *done_watch;
	struct loop_timer *arrival_timer;
	struct loop_timer *late_timer;
	struct loop_timer *again_timer; /* the hungry have their turn */
	struct loop_timer *drain_timer;
	LIST_HEAD(, conn) conns;
	struct conn_queue arriving; /* the oldest first */
	struct conn_queue hungry;
	TAILQ_HEAD(, job) pending; /* the oldest first */
	struct job_queue outbox; /* for the commit thread, this round */
	struct budget budget;
	int whole; /* memfd, for requests that came as a whole */
	struct limit refused;
	bool freed; /* some budget, this round */
	int64_t check_ms; /* when the arrival timer is due */
	int64_t active_ms; /* when the last request began */
	int64_t drain_until_ms;
	void (*drained)(void *arg);
	void *drained_arg;
	unsigned char scratch[CONN_SCRATCH];
};

static void
web_loop_close(struct conn *c)
{
	struct web_loop *l = c->owner;

	if (c->in_arriving)
		TAILQ_REMOVE(&l->arriving, c, arriving);
	if (c->in_hungry)
		TAILQ_REMOVE(&l->hungry, c, hungry);
	LIST_REMOVE(c, all);
	conn_reset(c, &l->budget);
	loop_watch_remove(c->watch);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
	l->freed = true;
}

static void
web_loop_bad(struct conn *c)
{
	struct web_loop *l = c->owner;
	int64_t left_out;

	if (limit_allows(&l->refused, clock_mono_ms(), &left_out))
		log_warning("connection-refused",
		    LOG_STR("reason", c->frame.fault),
		    LOG_INT("suppressed", left_out));
	web_loop_close(c);
}

/* After an answer: false when the connection is gone. */
static bool
web_loop_answered(struct conn *c, bool sent)
{
	if (sent && c->keep && !c->owner->web->draining)
		return true;
	web_loop_close(c);
	return false;
}

/* The commit thread shall see it; until then the connection rests. */
static void
web_loop_await(struct conn *c, struct job *j, struct front *front)
{
	struct web_loop *l = c->owner;

	c->job = j;
	j->conn = c;
	j->front = front;
	j->charge = j->body_len;
	l->budget.taken += j->charge;
	j->deadline_ms = clock_mono_ms() + WEB_STORE_MS;
	TAILQ_INSERT_TAIL(&l->pending, j, pending);
	STAILQ_INSERT_TAIL(&l->outbox, j, next);
	if (!loop_timer_is_set(l->late_timer))
		loop_timer_set(l->late_timer, WEB_STORE_MS);
}

/* One complete request. False when the connection is gone or has to wait. */
static bool
web_loop_serve(struct conn *c, int source)
{
	struct web_loop *l = c->owner;
	struct reply reply = {0};
	struct front *front;
	struct job *j;
	struct err e = {0};
	bool sent;

	l->active_ms = clock_mono_ms();
	c->keep = c->frame.keep;
	front = front_begin(&source, c->fd, &e);
	if (front == NULL) {
		if (c->spool >= 0)
			c->spool = -1;
		else
			l->whole = memfd_create("whole", MFD_CLOEXEC);
		c->frame.fault = "libfcgi refuses the request";
		web_loop_bad(c);
		return false;
	}
	j = answer_request(l->web, front, c->frame.body, c->too_long, &reply);
	/* libfcgi has read all of it; from here the body is the job's. */
	conn_reset(c, &l->budget);
	if (j != NULL) {
		web_loop_await(c, j, front);
		return false;
	}
	sent = answer_send(front, &reply) == 0;
	reply_clear(&reply);
	l->freed = true;
	return web_loop_answered(c, sent);
}

static void
web_loop_set_check(struct web_loop *l)
{
	l->check_ms = clock_mono_ms() + ARRIVAL_CHECK_MS;
	loop_timer_set(l->arrival_timer, ARRIVAL_CHECK_MS);
}

static void
web_loop_set_arriving(struct conn *c, bool arriving)
{
	struct web_loop *l = c->owner;

	if (arriving == c->in_arriving)
		return;
	c->in_arriving = arriving;
	if (!arriving) {
		TAILQ_REMOVE(&l->arriving, c, arriving);
		return;
	}
	TAILQ_INSERT_TAIL(&l->arriving, c, arriving);
	if (!loop_timer_is_set(l->arrival_timer))
		web_loop_set_check(l);
}

static void
web_loop_set_hungry(struct conn *c)
{
	if (c->in_hungry)
		return;
	c->in_hungry = true;
	TAILQ_INSERT_TAIL(&c->owner->hungry, c, hungry);
}

/* No budget for what comes next. One that holds some already has its time. */
static void
web_loop_starve(struct conn *c)
{
	if (c->gone) {
		web_loop_close(c);
		return;
	}
	web_loop_set_arriving(c, c->frame.size > 0);
	web_loop_set_hungry(c);
}

/* Reads and serves until there is nothing more to do on this connection. */
static void
web_loop_process(struct conn *c)
{
	struct web_loop *l = c->owner;

	for (int i = 0; i < SERVE_AT_ONCE; i++) {
		int source = l->whole;

		switch (conn_read(c, &l->budget, l->scratch, &source)) {
		case CONN_WAITS:
			web_loop_set_arriving(c, c->frame.size > 0);
			return;
		case CONN_HUNGRY:
			web_loop_starve(c);
			return;
		case CONN_BAD:
			web_loop_bad(c);
			return;
		case CONN_CLOSED:
			web_loop_close(c);
			return;
		case CONN_REQUEST:
			break;
		}
		web_loop_set_arriving(c, false);
		if (!web_loop_serve(c, source) || !c->readable)
			return;
	}
	web_loop_set_hungry(c);
	loop_timer_set(l->again_timer, 0);
}

static void
web_loop_event(uint32_t events, void *arg)
{
	struct conn *c = arg;

	c->readable = true;
	if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		c->gone = true;
	if (c->job != NULL)
		return;
	if (!c->in_hungry)
		web_loop_process(c);
	else if (c->gone)
		web_loop_close(c);
}

/* Those that waited for budget, in their order, as long as there is some. */
static void
web_loop_again(void *arg)
{
	struct web_loop *l = arg;
	struct conn *last = TAILQ_LAST(&l->hungry, conn_queue);

	while (!TAILQ_EMPTY(&l->hungry)) {
		struct conn *c = TAILQ_FIRST(&l->hungry);
		bool stop = c == last;

		TAILQ_REMOVE(&l->hungry, c, hungry);
		c->in_hungry = false;
		web_loop_process(c);
		if (stop)
			break;
	}
}

/* Time in which this process did not come round is nobody's delay. */
static void
web_loop_forgive(struct web_loop *l, int64_t now_ms)
{
	int64_t late_ms = now_ms - l->check_ms;
	struct conn *c;

	TAILQ_FOREACH(c, &l->arriving, arriving)
	{
		c->started_ms += late_ms;
		c->moved_ms += late_ms;
		if (c->moved_ms > now_ms)
			c->moved_ms = now_ms;
	}
}

/* Whoever waits for budget can not move, but must not hold any for ever. */
static bool
web_loop_is_late(const struct conn *c, int64_t now_ms)
{
	int64_t still_ms = ARRIVAL_STILL_MS;

	if (c->in_hungry)
		still_ms = ARRIVAL_HUNGRY_MS;
	else if (!TAILQ_EMPTY(&c->owner->hungry))
		still_ms = ARRIVAL_STILL_HUNGRY_MS;
	return now_ms - c->started_ms >= ARRIVAL_MAX_MS ||
	    now_ms - c->moved_ms >= still_ms;
}

static void
web_loop_check_arrivals(void *arg)
{
	struct web_loop *l = arg;
	int64_t now_ms = clock_mono_ms();
	struct conn *next;

	web_loop_forgive(l, now_ms);
	for (struct conn *c = TAILQ_FIRST(&l->arriving); c != NULL; c = next) {
		next = TAILQ_NEXT(c, arriving);
		if (!web_loop_is_late(c, now_ms))
			continue;
		c->frame.fault = "request did not arrive in time";
		web_loop_bad(c);
	}
	if (!TAILQ_EMPTY(&l->arriving))
		web_loop_set_check(l);
}

/* Sends a job's answer, once; the job stays the caller's. */
static void
web_loop_reply(struct job *j, const struct reply *reply)
{
	struct conn *c = j->conn;
	struct web_loop *l = c->owner;
	bool sent = answer_job(j, reply) == 0;

	TAILQ_REMOVE(&l->pending, j, pending);
	c->job = NULL;
	j->conn = NULL;
	if (web_loop_answered(c, sent) && c->readable)
		web_loop_process(c);
}

static void
web_loop_end_job(struct web_loop *l, struct job *j)
{
	l->budget.taken -= j->charge;
	l->freed = true;
	job_free(j);
}

/* The commit thread has finished some. */
static void
web_loop_collect(uint32_t events, void *arg)
{
	struct web_loop *l = arg;
	struct job_queue done = STAILQ_HEAD_INITIALIZER(done);
	struct job *j;

	(void)events;
	commit_collect(l->web->commit, &done);
	while ((j = STAILQ_FIRST(&done)) != NULL) {
		STAILQ_REMOVE_HEAD(&done, next);
		if (j->front != NULL)
			web_loop_reply(j, &j->reply);
		web_loop_end_job(l, j);
	}
}

/* Jobs that took too long are answered without the commit thread. */
static void
web_loop_late(void *arg)
{
	struct web_loop *l = arg;
	int64_t now_ms = clock_mono_ms();
	struct job *j;

	while ((j = TAILQ_FIRST(&l->pending)) != NULL) {
		struct reply reply = {0};
		bool ours;

		if (j->deadline_ms > now_ms) {
			loop_timer_set(l->late_timer, j->deadline_ms - now_ms);
			return;
		}
		ours = commit_withdraw(l->web->commit, j);
		web_late_reply(l->web, j, &reply);
		web_loop_reply(j, &reply);
		reply_clear(&reply);
		if (ours)
			web_loop_end_job(l, j);
	}
}

static void
web_loop_after(void *arg)
{
	struct web_loop *l = arg;

	if (!STAILQ_EMPTY(&l->outbox))
		commit_post(l->web->commit, &l->outbox);
	if (l->freed && !TAILQ_EMPTY(&l->hungry))
		loop_timer_set(l->again_timer, 0);
	l->freed = false;
}

static int
web_loop_add(int fd, void *arg)
{
	struct web_loop *l = arg;
	struct conn *c = mem_zalloc(sizeof(*c));

	c->fd = fd;
	c->spool = -1;
	c->owner = l;
	c->watch = loop_watch_add(
	    l->web->loop, fd, EPOLLIN | EPOLLET, web_loop_event, c, NULL);
	if (c->watch == NULL) {
		free(c);
		return -1;
	}
	LIST_INSERT_HEAD(&l->conns, c, all);
	return 0;
}

struct web_loop *
web_loop_new(struct web *w, int listen_fd, struct err *e)
{
	struct web_loop *l = mem_zalloc(sizeof(*l));

	l->web = w;
	LIST_INIT(&l->conns);
	TAILQ_INIT(&l->arriving);
	TAILQ_INIT(&l->hungry);
	TAILQ_INIT(&l->pending);
	STAILQ_INIT(&l->outbox);
	l->arrival_timer = loop_timer_new(w->loop, web_loop_check_arrivals, l);
	l->late_timer = loop_timer_new(w->loop, web_loop_late, l);
	l->again_timer = loop_timer_new(w->loop, web_loop_again, l);
	loop_after_round(w->loop, web_loop_after, l);
	l->whole = memfd_create("whole", MFD_CLOEXEC);
	if (l->whole < 0) {
		err_set_errno(e, ERR_RETRY, errno, "memfd");
		web_loop_free(l);
		return NULL;
	}
	l->done_watch = loop_watch_add(
	    w->loop, commit_fd(w->commit), EPOLLIN, web_loop_collect, l, e);
	l->acceptor = acceptor_new(w->loop, listen_fd, web_loop_add, l, e);
	if (l->done_watch == NULL || l->acceptor == NULL) {
		web_loop_free(l);
		return NULL;
	}
	return l;
}

static void
web_loop_check_drained(void *arg)
{
	struct web_loop *l = arg;
	int64_t now_ms = clock_mono_ms();
	bool quiet = TAILQ_EMPTY(&l->pending) && TAILQ_EMPTY(&l->arriving) &&
	    TAILQ_EMPTY(&l->hungry) && now_ms - l->active_ms >= DRAIN_QUIET_MS;

	if (quiet || now_ms >= l->drain_until_ms)
		l->drained(l->drained_arg);
	else
		loop_timer_set(l->drain_timer, DRAIN_CHECK_MS);
}

void
web_loop_drain(
    struct web_loop *l, int64_t limit_ms, void (*done)(void *arg), void *arg)
{
	if (l->web->listen_stays)
		acceptor_stop(l->acceptor);
	l->active_ms = clock_mono_ms();
	l->drain_until_ms = l->active_ms + limit_ms;
	l->drained = done;
	l->drained_arg = arg;
	l->drain_timer =
	    loop_timer_new(l->web->loop, web_loop_check_drained, l);
	loop_timer_set(l->drain_timer, DRAIN_CHECK_MS);
}

void
web_loop_free(struct web_loop *l)
{
	if (l == NULL)
		return;
	while (!LIST_EMPTY(&l->conns)) {
		struct conn *c = LIST_FIRST(&l->conns);

		/* The commit thread may still hold the job; it is left. */
		if (c->job != NULL) {
			front_drop(c->job->front);
			c->job->front = NULL;
			TAILQ_REMOVE(&l->pending, c->job, pending);
		}
		web_loop_close(c);
	}
	loop_after_round(l->web->loop, NULL, NULL);
	acceptor_free(l->acceptor);
	loop_watch_remove(l->done_watch);
	if (l->whole >= 0)
		close(l->whole);
	loop_timer_free(l->arrival_timer);
	loop_timer_free(l->late_timer);
	loop_timer_free(l->again_timer);
	loop_timer_free(l->drain_timer);
	free(l);
}
