/* fcgi/sync_main.c - see sync_main.h. */
#include "sync_main.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "port/metrics.h"
#include "port/store_replica.h"
#include "port/wake.h"
#include "sync/engine.h"
#include "sync/session.h"

enum {
	SYNC_KEYS_OLD_MS = 24 * 60 * 60 * 1000,
	SYNC_KEYS_LOOK_MS = 60 * 60 * 1000,
	/* One that is being stopped has ended by then. */
	SYNC_TURN_PATIENCE_MS = 2000,
	SYNC_TURN_LOOK_MS = 50,
	SYNC_TURN_AGAIN_MS = 5000
};

struct sync_process {
	struct loop *loop;
	struct session *session;
	struct engine *engine;
	struct loop_timer *keys;
	struct loop_timer *turn; /* another look whether we are the only one */
	int64_t started_ms;
	int lock; /* held by the one sync of a store of one host */
	bool complained; /* that another one holds it */
	int wake;
	bool begun;
	bool failed;
};

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
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	return loop_signals(p->loop, &signals, sync_signal, p, e);
}

static int
sync_listen(struct sync_process *p, struct err *e)
{
	p->wake = wake_listen(p->session->config->wake_path, e);
	return p->wake < 0 ||
		loop_watch_add(p->loop, p->wake, EPOLLIN, sync_woken, p, e) ==
		    NULL
	    ? -1
	    : 0;
}

/* Two on one store would each take the other's rows in progress for left over,
 * and its wake socket. The lock is freed by death. */
static int
sync_take_turn(struct sync_process *p, struct err *e)
{
	const char *database = p->session->config->database;

	if (store_database_is_shared(database))
		return 0;
	if (p->lock < 0)
		p->lock = store_lock_file_open(database, ".sync.lock", e);
	return p->lock < 0 ? -1 : file_lock(p->lock, 0, e);
}

static void
sync_await_turn(struct sync_process *p, const struct err *e)
{
	bool held = p->lock >= 0 && e->code == ERR_RETRY;

	if (held && clock_mono_ms() - p->started_ms < SYNC_TURN_PATIENCE_MS) {
		loop_timer_set(p->turn, SYNC_TURN_LOOK_MS);
		return;
	}
	if (!p->complained && held)
		log_error("sync-waits",
		    LOG_STR("message",
			"another sync works on this store; this one does"
			" nothing until that has ended"));
	else if (!p->complained)
		log_error("store-unavailable", LOG_ERR(e));
	p->complained = true;
	loop_timer_set(p->turn, SYNC_TURN_AGAIN_MS);
}

static void
sync_start(void *arg)
{
	struct sync_process *p = arg;
	const struct config *c = p->session->config;
	struct err e = {.code = ERR_NONE};

	if (sync_take_turn(p, &e) != 0) {
		sync_await_turn(p, &e);
		return;
	}
	if (sync_listen(p, &e) != 0) {
		log_error("sync-failed", LOG_ERR(&e));
		p->failed = true;
		loop_stop(p->loop);
		return;
	}
	if (session_open_store(p->session, STORE_CREATE | STORE_CHECKPOINTER,
		true, sync_store_opened, p, &e) != 0)
		log_error("store-unavailable", LOG_ERR(&e));
	log_info("ready", LOG_BOOL("enabled", c->sync_enabled),
	    LOG_BOOL("dryRun", c->dry_run));
}

static int
sync_run(struct sync_process *p)
{
	struct err e = {.code = ERR_NONE};

	if (sync_set_up(p, &e) != 0) {
		log_error("sync-failed", LOG_ERR(&e));
		return EXIT_FAILURE;
	}
	p->started_ms = clock_mono_ms();
	loop_timer_set(p->turn, 0);
	if (loop_run(p->loop, &e) != 0) {
		log_error("loop-failed", LOG_ERR(&e));
		return EXIT_FAILURE;
	}
	return p->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
sync_main(const struct config *c, struct page *page)
{
	struct sync_process p = {.wake = -1, .lock = -1};
	struct err e = {.code = ERR_NONE};
	int rc;

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
	p.turn = loop_timer_new(p.loop, sync_start, &p);
	rc = sync_run(&p);
	engine_free(p.engine);
	session_free(p.session);
	if (p.wake >= 0)
		close(p.wake);
	/* The store is closed: the next one may begin. */
	if (p.lock >= 0)
		close(p.lock);
	loop_free(p.loop);
	return rc;
}
