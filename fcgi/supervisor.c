/* fcgi/supervisor.c - see supervisor.h. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/page.h"
#include "base/rand.h"
#include "child.h"
#include "listen.h"
#include "port/store_replica.h"

enum {
	CHILDREN = 4,
	YOUNG_MS = 1000, /* dying younger than this is delayed, repeatedly */
	DELAY_FIRST_MS = 100,
	DELAY_MAX_MS = 2000,
	OTHER_LIVED_MS = 10 * 1000, /* nginx tries to bind for seconds */
	OTHER_DEATHS_MAX = 5, /* in a row */
	DRAIN_MS = 800, /* nginx alone, before web is told */
	KILL_AFTER_MS = 1500, /* of the two seconds that the group has */
	SUSPECT_LOOK_MS = 2000, /* has a child met a corrupt store? */
	INSPECT_FIRST_MS = 1000, /* the others have opened it by then */
	INSPECT_GAP_MS = 30 * 1000,
	INSPECT_EVERY_MS = 6 * 3600 * 1000
};

struct supervised {
	struct supervisor *owner;
	enum child_role role;
	pid_t pid; /* 0: not running */
	int64_t started_ms;
	int64_t delay_ms; /* of the next restart after an early death */
	bool died_young; /* the last time too */
	int crash_signal;
	int deaths; /* of nginx or the renewal, none of which lived long */
	struct loop_timer *timer;
};

struct supervisor {
	const struct supervisor_options *options;
	struct loop *loop;
	struct page *page;
	int page_fd;
	bool ending;
	bool failed;
	pid_t inspector; /* 0: none at work */
	int64_t inspected_ms;
	int64_t suspected; /* counter as last seen */
	struct loop_timer *inspect_timer;
	struct loop_timer *drain_timer;
	struct loop_timer *kill_timer;
	struct supervised children[CHILDREN];
	int count;
};

static bool
supervisor_store_is_shared(const struct supervisor *v)
{
	return store_database_is_shared(v->options->config->database);
}

static void
supervisor_start(void *arg)
{
	struct supervised *s = arg;
	struct supervisor *v = s->owner;
	const struct child_options o = {
	    .role = s->role,
	    .over = v->options->over,
	    .nginx_folder = v->options->nginx_folder,
	    .with_secrets = s->role == CHILD_SYNC || s->role == CHILD_RENEW,
	    .with_store_password = supervisor_store_is_shared(v),
	    .listen_fd = s->role == CHILD_WEB ? v->options->listen_fd : -1,
	    .listen_stays = s->role == CHILD_WEB && v->options->listen_stays,
	    .page_fd = v->page_fd,
	    .crash_signal = s->crash_signal,
	};
	struct err e = {0};
	pid_t pid;

	if (v->ending)
		return;
	pid = child_start(&o, &e);
	s->started_ms = clock_mono_ms();
	if (pid < 0) {
		log_error("child-not-started",
		    LOG_STR("child", child_role_name(s->role)), LOG_ERR(&e));
		loop_timer_set(s->timer, DELAY_MAX_MS);
		return;
	}
	s->pid = pid;
	log_info("child-started", LOG_STR("child", child_role_name(s->role)),
	    LOG_INT("pid", pid));
}

/*
 * The store is looked through soon after the start, from time to time, and when
 * a child has met something that looks like corruption. Only where sync runs:
 * it is the one that fills a new store.
 */
static void
supervisor_inspect(void *arg)
{
	struct supervisor *v = arg;
	const struct child_options o = {
	    .role = CHILD_INSPECT,
	    .over = v->options->over,
	    .with_store_password = supervisor_store_is_shared(v),
	    .listen_fd = -1,
	    .page_fd = -1,
	};
	int64_t suspected = page_get(v->page, CHILD_PAGE_SUSPECT);
	int64_t since_ms = clock_mono_ms() - v->inspected_ms;
	struct err e = {0};

	if (v->ending)
		return;
	loop_timer_set(v->inspect_timer, SUSPECT_LOOK_MS);
	if (v->inspector != 0 ||
	    (v->inspected_ms != 0 && since_ms < INSPECT_EVERY_MS &&
		(suspected == v->suspected || since_ms < INSPECT_GAP_MS)))
		return;
	v->suspected = suspected;
	v->inspected_ms = clock_mono_ms();
	v->inspector = child_start(&o, &e);
	if (v->inspector < 0) {
		v->inspector = 0;
		log_warning("store-not-inspected", LOG_ERR(&e));
	}
}

/* At once, unless it keeps dying right after its start. */
static int64_t
supervisor_delay(struct supervised *s)
{
	bool young = clock_mono_ms() - s->started_ms < YOUNG_MS;
	int64_t delay_ms = 0;

	if (!young) {
		s->delay_ms = 0;
	} else if (s->died_young) {
		delay_ms = s->delay_ms == 0 ? DELAY_FIRST_MS : 2 * s->delay_ms;
		if (delay_ms > DELAY_MAX_MS)
			delay_ms = DELAY_MAX_MS;
		s->delay_ms = delay_ms;
	}
	s->died_young = young;
	return delay_ms;
}

/* Signals that say that it did it to itself. */
static bool
supervisor_is_crash(int signo)
{
	return signo == SIGSEGV || signo == SIGABRT || signo == SIGBUS ||
	    signo == SIGFPE || signo == SIGILL || signo == SIGSYS;
}

static bool
supervisor_all_gone(const struct supervisor *v)
{
	for (int i = 0; i < v->count; i++)
		if (v->children[i].pid != 0)
			return false;
	return true;
}

static void
supervisor_signal_all(struct supervisor *v, int signo)
{
	for (int i = 0; i < v->count; i++)
		if (v->children[i].pid != 0)
			kill(v->children[i].pid, signo);
	if (v->inspector != 0)
		kill(v->inspector, signo);
}

static pid_t
supervisor_pid(const struct supervisor *v, enum child_role role)
{
	for (int i = 0; i < v->count; i++)
		if (v->children[i].role == role)
			return v->children[i].pid;
	return 0;
}

/* All but nginx, or after DRAIN_MS nginx too. */
static void
supervisor_end_rest(void *arg)
{
	struct supervisor *v = arg;

	/* First the name, if it is ours: who comes later is refused at once
	 * and not left waiting in the backlog of a server that goes away. */
	if (v->options->listen_fd >= 0)
		listen_unlink(
		    v->options->config->fastcgi_listen + strlen("unix:"));
	supervisor_signal_all(v, SIGTERM);
}

/* Where nginx is ours it goes first: it takes no more connections, and what it
 * has taken is still answered by web. */
static void
supervisor_end(struct supervisor *v)
{
	pid_t nginx = supervisor_pid(v, CHILD_NGINX);

	v->ending = true;
	loop_timer_set(v->kill_timer, KILL_AFTER_MS);
	if (nginx != 0 && kill(nginx, SIGQUIT) == 0)
		loop_timer_set(v->drain_timer, DRAIN_MS);
	else
		supervisor_end_rest(v);
	if (supervisor_all_gone(v))
		loop_stop(v->loop);
}

/* nginx or the renewal has ended. Is it worth another try? */
static bool
supervisor_tries_again(struct supervised *s)
{
	if (s->role != CHILD_NGINX && s->role != CHILD_RENEW)
		return true;
	if (clock_mono_ms() - s->started_ms >= OTHER_LIVED_MS)
		s->deaths = 0;
	if (++s->deaths < OTHER_DEATHS_MAX)
		return true;
	log_error("child-given-up", LOG_STR("child", child_role_name(s->role)),
	    LOG_INT("deaths", s->deaths));
	s->owner->failed = true;
	return false;
}

static void
supervisor_died(struct supervised *s, int status)
{
	struct supervisor *v = s->owner;
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int64_t delay_ms;

	s->pid = 0;
	s->crash_signal = supervisor_is_crash(signo) ? signo : 0;
	if (v->ending) {
		if (s->role == CHILD_NGINX)
			supervisor_end_rest(v);
		return;
	}
	delay_ms = supervisor_delay(s);
	log_warning("child-died", LOG_STR("child", child_role_name(s->role)),
	    LOG_INT("signal", signo),
	    LOG_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
	    LOG_INT("restartMs", delay_ms));
	if (supervisor_tries_again(s))
		loop_timer_set(s->timer, delay_ms);
	else
		supervisor_end(v);
}

static void
supervisor_reap(struct supervisor *v)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == v->inspector)
			v->inspector = 0;
		for (int i = 0; i < v->count; i++)
			if (v->children[i].pid == pid)
				supervisor_died(&v->children[i], status);
	}
	if (v->ending && supervisor_all_gone(v))
		loop_stop(v->loop);
}

static void
supervisor_kill(void *arg)
{
	struct supervisor *v = arg;

	log_warning(
	    "children-killed", LOG_STR("reason", "still there after SIGTERM"));
	supervisor_signal_all(v, SIGKILL);
}

static void
supervisor_signal(int signo, void *arg)
{
	struct supervisor *v = arg;

	if (signo == SIGCHLD)
		supervisor_reap(v);
	else if (!v->ending) {
		log_info("stopping", LOG_INT("signal", signo));
		supervisor_end(v);
	}
}

static void
supervisor_add(struct supervisor *v, enum child_role role)
{
	struct supervised *s = &v->children[v->count++];

	s->owner = v;
	s->role = role;
	s->timer = loop_timer_new(v->loop, supervisor_start, s);
}

static int
supervisor_prepare(struct supervisor *v, struct err *e)
{
	sigset_t set;

	v->page = page_create(&v->page_fd, e);
	if (v->page == NULL)
		return -1;
	if (fcntl(v->page_fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_set_errno(e, ERR_RETRY, errno, "counter page");
	v->loop = loop_new(e);
	if (v->loop == NULL)
		return -1;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (loop_signals(v->loop, &set, supervisor_signal, v, e) != 0)
		return -1;
	v->drain_timer = loop_timer_new(v->loop, supervisor_end_rest, v);
	v->kill_timer = loop_timer_new(v->loop, supervisor_kill, v);
	v->inspect_timer = loop_timer_new(v->loop, supervisor_inspect, v);
	if (v->options->roles & SUPERVISOR_WEB)
		supervisor_add(v, CHILD_WEB);
	if (v->options->roles & SUPERVISOR_SYNC)
		supervisor_add(v, CHILD_SYNC);
	if (v->options->roles & SUPERVISOR_NGINX)
		supervisor_add(v, CHILD_NGINX);
	if (v->options->roles & SUPERVISOR_RENEW)
		supervisor_add(v, CHILD_RENEW);
	return 0;
}

/* A sync that is started again finds what its predecessor had claimed by this
 * name, where it shares the store with others. */
static void
supervisor_name_replica(const struct config *c)
{
	char name[STORE_GUID];

	if (!store_database_is_shared(c->database))
		return;
	rand_guid(name);
	(void)!setenv("OUTLOOK_ADDIN_REPLICA", name, 1);
}

int
supervisor_run(const struct supervisor_options *o)
{
	struct supervisor v = {.options = o, .page_fd = -1};
	struct err e = {0};
	int rc = EXIT_FAILURE;

	supervisor_name_replica(o->config);
	if (supervisor_prepare(&v, &e) != 0)
		goto out;
	for (int i = 0; i < v.count; i++)
		supervisor_start(&v.children[i]);
	if ((o->roles & SUPERVISOR_SYNC) != 0)
		loop_timer_set(v.inspect_timer, INSPECT_FIRST_MS);
	if (loop_run(v.loop, &e) != 0)
		goto out;
	log_info("stopped");
	rc = v.failed ? EXIT_FAILURE : EXIT_SUCCESS;
out:
	if (rc != EXIT_SUCCESS && !v.failed) {
		log_error("supervisor-failed", LOG_ERR(&e));
		supervisor_signal_all(&v, SIGKILL);
	}
	loop_free(v.loop);
	page_free(v.page);
	if (v.page_fd >= 0)
		close(v.page_fd);
	return rc;
}
