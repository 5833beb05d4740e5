/* fcgi/web_commit.c - see web_commit.h. */
#include "web_commit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "child.h"
#include "port/wake.h"
#include "sync/expiry.h"
#include "web_worker.h"

enum {
	COMMIT_STACK = 256 * 1024,
	COMMIT_REOPEN_MS = 900, /* between two attempts to open the store, */
	COMMIT_REOPEN_NOW_MS = 200, /* and when somebody waits for it */
	COMMIT_STATE_MS = 1000, /* how often the state is looked at */
	COMMIT_STUCK_MS = 1500, /* no sign of life for so long */
	COMMIT_WAKE_GAP_MS = 100, /* sync is not woken more often */
	/* Each link has a transaction of its own: so many between two batches
	 * of notifications, or a flood of links would keep those waiting. */
	COMMIT_LINKS = 20
};

struct commit {
	/* shared, under lock */
	pthread_mutex_t lock;
	struct job_queue todo;
	struct job_queue later; /* begun; one at a time, after todo */
	struct job_queue done;
	struct commit_state state;
	int64_t alive_ms; /* the thread came round */
	bool stop;
	bool ended;

	int todo_fd; /* eventfd: something in todo, or stop */
	int done_fd; /* eventfd: something in done */
	pthread_t thread;

	/* the thread's own */
	struct worker worker;
	struct loop *loop;
	struct loop_timer *state_timer;
	struct loop_timer *wake_timer;
	int wake_fd;
	int64_t woken_ms;
	int64_t open_tried_ms; /* 0: never */
	char open_error[ERR_TEXT_MAX];
	bool unannounced;
};

static void
commit_signal(int fd)
{
	const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

static void
commit_clear(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

/* ---- the commit thread ---- */

void
commit_return(struct commit *c, struct job *j)
{
	pthread_mutex_lock(&c->lock);
	STAILQ_INSERT_TAIL(&c->done, j, next);
	pthread_mutex_unlock(&c->lock);
	c->unannounced = true;
}

void
commit_defer(struct commit *c, struct job *j)
{
	pthread_mutex_lock(&c->lock);
	STAILQ_INSERT_TAIL(&c->later, j, next);
	pthread_mutex_unlock(&c->lock);
}

void
commit_announce(struct commit *c)
{
	if (c->unannounced)
		commit_signal(c->done_fd);
	c->unannounced = false;
}

static void
commit_wake_now(void *arg)
{
	struct commit *c = arg;

	c->worker.news = false;
	c->woken_ms = clock_mono_ms();
	if (c->wake_fd >= 0)
		wake_send(c->wake_fd, c->worker.config->wake_path);
}

/* A storm of commits is one wake-up every COMMIT_WAKE_GAP_MS. */
static void
commit_wake(struct commit *c)
{
	int64_t since_ms = clock_mono_ms() - c->woken_ms;

	if (!c->worker.news || loop_timer_is_set(c->wake_timer))
		return;
	if (since_ms >= COMMIT_WAKE_GAP_MS)
		commit_wake_now(c);
	else
		loop_timer_set(c->wake_timer, COMMIT_WAKE_GAP_MS - since_ms);
}

static void
commit_open_failed(struct commit *c, const struct err *e)
{
	/* Once per reason, not once per attempt. */
	if (strcmp(c->open_error, e->text) == 0)
		return;
	text_copy(c->open_error, sizeof(c->open_error), e->text);
	log_error("store-unavailable", LOG_ERR(e),
	    LOG_INT("retryMs", COMMIT_STATE_MS));
}

/* Opens the store if it is not, though not too often. */
static void
commit_open(struct commit *c, int64_t gap_ms)
{
	struct worker *w = &c->worker;
	int64_t now_ms = clock_mono_ms();
	struct err e = {0};

	if (w->store != NULL ||
	    (c->open_tried_ms != 0 && now_ms - c->open_tried_ms < gap_ms))
		return;
	c->open_tried_ms = now_ms;
	/* Waits for the lock in the kernel; who waits for us is answered by
	 * the loop thread. */
	w->store = store_open(
	    w->config->database, STORE_CREATE, -1, clock_wall_ms(), &e);
	if (w->store == NULL) {
		if (e.code == ERR_INPUT)
			page_add(w->page, CHILD_PAGE_SUSPECT, 1);
		commit_open_failed(c, &e);
		return;
	}
	c->open_error[0] = '\0';
	log_info("store-opened", LOG_STR("database", w->config->database));
}

static void
commit_add_reason(const char *reason, const char *detail, void *arg)
{
	struct commit_state *s = arg;
	char *out;
	size_t len;

	if (s->reason_count >= COMMIT_REASONS ||
	    !text_copy(s->reasons[s->reason_count], COMMIT_REASON_MAX, reason))
		return;
	out = s->details[s->reason_count++];
	len = text_cut_bytes(detail, COMMIT_DETAIL_MAX - 1);
	memcpy(out, detail, len);
	out[len] = '\0';
}

static void
commit_look(void *arg)
{
	struct commit *c = arg;
	struct commit_state now = {.tried = true};

	commit_open(c, COMMIT_REOPEN_MS);
	gauges_probe(&c->worker);
	gauges_reasons(&c->worker, commit_add_reason, &now);
	if (c->worker.store != NULL)
		now.credential_ends_ms = expiry_known_ms(c->worker.store);
	pthread_mutex_lock(&c->lock);
	c->state = now;
	c->alive_ms = clock_mono_ms();
	pthread_mutex_unlock(&c->lock);
	loop_timer_set(c->state_timer, COMMIT_STATE_MS);
}

/* One of those that stand alone. */
static void
commit_serve(struct commit *c, struct job *j)
{
	if (j->kind == JOB_METRICS)
		gauges_serve(&c->worker, j);
	else
		links_serve(&c->worker, j);
	commit_return(c, j);
	commit_announce(c);
}

/* What is done in one turn; under lock. What stays can still be withdrawn. */
static void
commit_take(struct commit *c, struct job_queue *notes, struct job_queue *others)
{
	struct job_queue left = STAILQ_HEAD_INITIALIZER(left);
	struct job_queue *to;
	struct job *j;
	int count = 0;

	while ((j = STAILQ_FIRST(&c->todo)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->todo, next);
		if (j->kind == JOB_NOTIFICATIONS)
			to = notes;
		else
			to = count++ < COMMIT_LINKS ? others : &left;
		STAILQ_INSERT_TAIL(to, j, next);
	}
	STAILQ_CONCAT(&c->todo, &left);
}

/* A turn for the one that has waited longest; the others after what came
 * meanwhile. */
static void
commit_go_on(struct commit *c)
{
	struct job_queue one = STAILQ_HEAD_INITIALIZER(one);
	struct job *j;

	pthread_mutex_lock(&c->lock);
	j = STAILQ_FIRST(&c->later);
	if (j != NULL) {
		STAILQ_REMOVE_HEAD(&c->later, next);
		STAILQ_INSERT_TAIL(&one, j, next);
	}
	pthread_mutex_unlock(&c->lock);
	if (j == NULL)
		return;
	batch_store(&c->worker, &one);
	commit_signal(c->todo_fd);
}

static void
commit_work(uint32_t events, void *arg)
{
	struct commit *c = arg;
	struct job_queue notes = STAILQ_HEAD_INITIALIZER(notes);
	struct job_queue others = STAILQ_HEAD_INITIALIZER(others);
	struct job *j;
	bool more, stop;

	(void)events;
	commit_clear(c->todo_fd);
	pthread_mutex_lock(&c->lock);
	commit_take(c, &notes, &others);
	more = !STAILQ_EMPTY(&c->todo);
	c->alive_ms = clock_mono_ms();
	stop = c->stop;
	pthread_mutex_unlock(&c->lock);
	if (!STAILQ_EMPTY(&notes) || !STAILQ_EMPTY(&others))
		commit_open(c, COMMIT_REOPEN_NOW_MS);
	if (!STAILQ_EMPTY(&notes))
		batch_store(&c->worker, &notes);
	while ((j = STAILQ_FIRST(&others)) != NULL) {
		STAILQ_REMOVE_HEAD(&others, next);
		commit_serve(c, j);
	}
	commit_go_on(c);
	commit_wake(c);
	/* commit_post() does not signal while there is something left. */
	if (more)
		commit_signal(c->todo_fd);
	else if (stop)
		loop_stop(c->loop);
}

static void *
commit_run(void *arg)
{
	struct commit *c = arg;
	struct err e = {0};

	commit_look(c);
	if (loop_run(c->loop, &e) != 0)
		log_error("commit-thread-ended", LOG_ERR(&e));
	if (c->worker.news)
		commit_wake_now(c);
	store_close(c->worker.store);
	c->worker.store = NULL;
	pthread_mutex_lock(&c->lock);
	c->ended = true;
	pthread_mutex_unlock(&c->lock);
	commit_signal(c->done_fd);
	return NULL;
}

/* ---- the loop thread ---- */

static int
commit_spawn(struct commit *c, struct err *e)
{
	pthread_attr_t attr;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, COMMIT_STACK);
	rc = pthread_create(&c->thread, &attr, commit_run, c);
	pthread_attr_destroy(&attr);
	return rc == 0 ? 0 : err_set_errno(e, ERR_RETRY, rc, "thread");
}

struct commit *
commit_start(const struct config *config, struct page *page, struct err *e)
{
	struct commit *c = mem_zalloc(sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	STAILQ_INIT(&c->todo);
	STAILQ_INIT(&c->later);
	STAILQ_INIT(&c->done);
	c->alive_ms = clock_mono_ms();
	c->worker.config = config;
	c->worker.commit = c;
	c->worker.page = page;
	c->worker.lookup = lookup_new();
	c->worker.batch = batch_new();
	c->todo_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->wake_fd = wake_open(e);
	if (c->todo_fd < 0 || c->done_fd < 0 || c->wake_fd < 0) {
		err_set_errno(e, ERR_RETRY, errno, "descriptors");
		return NULL; /* the process ends */
	}
	c->loop = loop_new(e);
	if (c->loop == NULL)
		return NULL;
	c->state_timer = loop_timer_new(c->loop, commit_look, c);
	c->wake_timer = loop_timer_new(c->loop, commit_wake_now, c);
	if (loop_watch_add(c->loop, c->todo_fd, EPOLLIN, commit_work, c, e) ==
		NULL ||
	    commit_spawn(c, e) != 0)
		return NULL;
	return c;
}

int
commit_fd(const struct commit *c)
{
	return c->done_fd;
}

void
commit_post(struct commit *c, struct job_queue *jobs)
{
	bool idle;

	pthread_mutex_lock(&c->lock);
	idle = STAILQ_EMPTY(&c->todo);
	STAILQ_CONCAT(&c->todo, jobs);
	pthread_mutex_unlock(&c->lock);
	if (idle)
		commit_signal(c->todo_fd);
}

void
commit_collect(struct commit *c, struct job_queue *jobs)
{
	commit_clear(c->done_fd);
	pthread_mutex_lock(&c->lock);
	STAILQ_CONCAT(jobs, &c->done);
	pthread_mutex_unlock(&c->lock);
}

static bool
commit_take_back(struct job_queue *queue, struct job *j)
{
	struct job *at;

	STAILQ_FOREACH(at, queue, next)
	{
		if (at == j) {
			STAILQ_REMOVE(queue, j, job, next);
			return true;
		}
	}
	return false;
}

bool
commit_withdraw(struct commit *c, struct job *j)
{
	bool found;

	pthread_mutex_lock(&c->lock);
	found = commit_take_back(&c->todo, j) || commit_take_back(&c->later, j);
	pthread_mutex_unlock(&c->lock);
	return found;
}

void
commit_state(struct commit *c, struct commit_state *out)
{
	int64_t now_ms = clock_mono_ms();

	pthread_mutex_lock(&c->lock);
	*out = c->state;
	out->stuck = now_ms - c->alive_ms > COMMIT_STUCK_MS;
	pthread_mutex_unlock(&c->lock);
	if (!out->stuck)
		return;
	out->tried = true;
	for (int i = 0; i < out->reason_count; i++)
		if (strcmp(out->reasons[i], "store") == 0)
			return;
	commit_add_reason("store", "", out);
}

bool
commit_stop(struct commit *c, int64_t wait_ms)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	bool ended = false;

	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_mutex_unlock(&c->lock);
	commit_signal(c->todo_fd);
	while (!ended && clock_mono_ms() < until_ms) {
		clock_pause_ms(2);
		pthread_mutex_lock(&c->lock);
		ended = c->ended;
		pthread_mutex_unlock(&c->lock);
	}
	if (!ended)
		return false;
	pthread_join(c->thread, NULL);
	loop_free(c->loop);
	close(c->todo_fd);
	close(c->done_fd);
	close(c->wake_fd);
	lookup_free(c->worker.lookup);
	batch_free(c->worker.batch);
	bearer_keys_free(c->worker.keys);
	pthread_mutex_destroy(&c->lock);
	free(c);
	return true;
}
