/* fcgi/web.c - see web.h: start, signals, end. */
#include "web.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "confine.h"
#include "port/metrics.h"
#include "web_commit.h"
#include "web_loop.h"

enum {
	WEB_DRAIN_MS = 1200, /* the group has 2 s */
	WEB_STOP_MS = 200,
	WEB_ARENAS = 2
};

struct web_life {
	struct web web;
	struct web_loop *conns;
};

static void
web_drained(void *arg)
{
	struct web_life *life = arg;

	loop_stop(life->web.loop);
}

static void
web_signal(int signo, void *arg)
{
	struct web_life *life = arg;

	if (life->web.draining)
		return;
	log_info("draining", LOG_INT("signal", signo));
	life->web.draining = true;
	web_loop_drain(life->conns, WEB_DRAIN_MS, web_drained, life);
}

/* As many connections as we are let have: nginx may open a lot. */
static void
web_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			log_debug("descriptor-limit-unchanged");
	}
	mallopt(M_ARENA_MAX, WEB_ARENAS);
	/* libfcgi takes and frees 8 KiB twice per request: with fast bins
	 * each of these would go through all of them. */
	mallopt(M_MXFAST, 0);
}

static int
web_start(
    struct web_life *life, struct page *page, int listen_fd, struct err *e)
{
	sigset_t set;

	life->web.loop = loop_new(e);
	if (life->web.loop == NULL)
		return -1;
	/* Before FCGX_Init, which takes them over, and before the thread. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (loop_signals(life->web.loop, &set, web_signal, life, e) != 0 ||
	    front_init(e) != 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	confine_web(life->web.config);
	life->web.commit = commit_start(life->web.config, page, e);
	if (life->web.commit == NULL)
		return -1;
	life->conns = web_loop_new(&life->web, listen_fd, e);
	return life->conns != NULL ? 0 : -1;
}

int
web_main(
    const struct config *c, struct page *page, int listen_fd, bool listen_stays)
{
	struct web_life life = {
	    .web.config = c, .web.listen_stays = listen_stays};
	struct err e = {0};
	int rc = EXIT_FAILURE;

	metrics_init(page);
	web_raise_limits();
	if (web_start(&life, page, listen_fd, &e) != 0)
		goto out;
	log_info("web-started", LOG_INT("pid", getpid()));
	if (loop_run(life.web.loop, &e) != 0)
		goto out;
	log_info("web-stopped");
	/* Everybody has been answered; a disk that hangs is not waited for. */
	if (!commit_stop(life.web.commit, WEB_STOP_MS))
		_exit(EXIT_SUCCESS);
	web_loop_free(life.conns);
	loop_free(life.web.loop);
	rc = EXIT_SUCCESS;
out:
	if (rc != EXIT_SUCCESS)
		log_error("web-failed", LOG_ERR(&e));
	return rc;
}
