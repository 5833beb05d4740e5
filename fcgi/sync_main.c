/* fcgi/sync_main.c - see sync_main.h. */
#include "sync_main.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "port/metrics.h"
#include "port/store.h"
#include "port/wake.h"
#include "sync/engine.h"
#include "sync/session.h"

enum {
	SYNC_KEYS_OLD_MS = 24 * 60 * 60 * 1000,
	SYNC_KEYS_LOOK_MS = 60 * 60 * 1000
};

struct sync_process {
	struct loop *loop;
	struct session *session;
	struct engine *engine;
	struct loop_timer *keys;
	int wake;
	bool begun;
};

/* Secrets live here: no debugger, no core, no /proc/PID/mem. */
static void
sync_harden(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		log_warning("hardening-incomplete");
}

static void
sync_signal(int signo, void *arg)
{
	struct sync_process *p = arg;

	log_info("stopping", LOG_INT("signal", signo),
	    LOG_INT("inFlight", engine_count(p->engine)));
	loop_stop(p->loop);
}

static void
sync_woken(uint32_t events, void *arg)
{
	struct sync_process *p = arg;

	(void)events;
	wake_drain(p->wake);
	engine_wake(p->engine);
}

/* ---- what a start adds to the queue ---- */

static void
sync_add(struct sync_process *p, enum store_kind kind, const char *tenant,
    const char *user, unsigned hints)
{
	struct store_hint_item item = {
	    .kind = kind,
	    .tenant = tenant,
	    .user = user,
	    .event = "",
	    .hints = hints,
	};
	struct err e = {.code = ERR_NONE};

	if (store_work_add(
		p->session->store, &item, 1, clock_wall_ms(), 0, &e) != 0)
		log_warning("work-not-added", LOG_ERR(&e));
}

static void
sync_look_at_keys(void *arg)
{
	struct sync_process *p = arg;
	struct store *s = p->session->store;
	int64_t now_ms = clock_wall_ms();
	int64_t at_ms = 0;
	char *keys = NULL;

	loop_timer_set(p->keys, SYNC_KEYS_LOOK_MS);
	if (s == NULL || !p->session->config->sync_enabled)
		return;
	if (store_keys_load(s, &keys, &at_ms, NULL) == 0 &&
	    (at_ms < now_ms - SYNC_KEYS_OLD_MS || at_ms > now_ms)) {
		sync_add(p, STORE_WORK_KEYS, "", "", 0);
		engine_wake(p->engine);
	}
	free(keys);
}

static bool
sync_predecessor_crashed(void)
{
	const char *signal = getenv("OUTLOOK_ADDIN_CRASH_SIGNAL");

	return signal != NULL && strtol(signal, NULL, 10) > 0;
}

static void
sync_store_opened(void *arg)
{
	struct sync_process *p = arg;

	degraded_reset(p->session);
	signin_begin(&p->session->signin);
	if (!p->begun)
		sync_look_at_keys(p);
	engine_begin(p->engine, !p->begun && sync_predecessor_crashed());
	p->begun = true;
}

/* ---- life ---- */

static int
sync_set_up(struct sync_process *p, struct err *e)
{
	const char *path = p->session->config->wake_path;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	if (loop_signals(p->loop, &signals, sync_signal, p, e) != 0)
		return -1;
	p->wake = wake_listen(path, e);
	if (p->wake < 0 ||
	    loop_watch_add(p->loop, p->wake, EPOLLIN, sync_woken, p, e) == NULL)
		return -1;
	return 0;
}

static int
sync_run(struct sync_process *p)
{
	struct err e = {.code = ERR_NONE};

	if (sync_set_up(p, &e) != 0) {
		log_error("sync-failed", LOG_ERR(&e));
		return EXIT_FAILURE;
	}
	if (session_open_store(p->session, STORE_CREATE | STORE_CHECKPOINTER,
		true, sync_store_opened, p, &e) != 0)
		log_error("store-unavailable", LOG_ERR(&e));
	log_info("ready", LOG_BOOL("enabled", p->session->config->sync_enabled),
	    LOG_BOOL("dryRun", p->session->config->dry_run));
	if (loop_run(p->loop, &e) != 0) {
		log_error("loop-failed", LOG_ERR(&e));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int
sync_main(const struct config *c, struct page *page)
{
	struct sync_process p = {.wake = -1};
	struct err e = {.code = ERR_NONE};
	int rc;

	sync_harden();
	/* curl resolves names in threads, which need no heaps of their own. */
	mallopt(M_ARENA_MAX, 1);
	signal(SIGPIPE, SIG_IGN);
	metrics_init(page);
	p.loop = loop_new(&e);
	if (p.loop == NULL) {
		log_error("sync-failed", LOG_ERR(&e));
		return EXIT_FAILURE;
	}
	p.session = session_new(p.loop, c);
	p.engine = engine_new(p.session);
	p.keys = loop_timer_new(p.loop, sync_look_at_keys, &p);
	rc = sync_run(&p);
	engine_free(p.engine);
	session_free(p.session);
	if (p.wake >= 0)
		close(p.wake);
	loop_free(p.loop);
	return rc;
}
