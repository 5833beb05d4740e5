/* cronjob/pass.c */
#include "pass.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adoption.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "crew.h"
#include "port/store.h"
#include "port/store_renewal.h"
#include "port/store_replica.h"
#include "port/wake.h"
#include "sync/adopt.h"
#include "sync/session.h"
#include "target.h"
#include "tell.h"
#include "tenants.h"
#include "upkeep.h"

enum {
	PASS_LOCK_WAIT_MS = 10000, /* for the store's write lock */
	PASS_TICK_MS = 5000, /* how often the pass is looked after */
	PASS_LEASE_MS = 30000, /* of the run, renewed at each look */
	PASS_LEASE_MARGIN_MS = 5000,
	PASS_LIFE_MS = 10 * 60 * 1000 /* then the next one goes on */
};

/* Begins the name of the claims that a pass takes, the rest is its own: while
 * one runs, and holds the run lock, all others are a dead one's. */
static const char pass_owner[] = "renew-";
static const char pass_lease[] = "renew";

struct pass {
	struct loop *loop;
	const struct config *config;
	struct tenants tenants; /* with those that were configured once */
	struct pass_options options;
	void (*done)(const struct summary *sum, void *arg);
	void *arg;
	struct summary sum;
	int64_t begun_ms; /* monotonic */
	int lock_fd;
	/* On a store that hosts share the run lock is a lease. */
	bool shares;
	char owner[STORE_GUID];
	int64_t until_ms; /* monotonic, until when we may act; 0: not taken */
	struct target_list list;
	struct session *session;
	struct crew *crew;
	struct loop_timer *start; /* the work, or the end, from the loop */
	struct loop_timer *tick; /* ends a pass that can not end well */
	bool store_was_lost; /* at the last tick */
	bool over; /* there is nothing to be done */
	int64_t enqueued; /* work for sync that was due by the clock */
	bool wants_list; /* of the subscriptions at Graph, before all else */
	int64_t list_ms; /* when reading it began */
	struct adopt *adopt; /* reading it */
};

/* The run lock lies beside the store and is freed by death. 1 taken, 0 someone
 * else's, -1. */
static int
take_run_lock(struct pass *p, struct err *e)
{
	p->lock_fd =
	    store_lock_file_open(p->config->database, ".renew.lock", e);
	if (p->lock_fd < 0)
		return -1;
	return file_lock(p->lock_fd, 0, NULL) == 0 ? 1 : 0;
}

/* As take_run_lock(), in a store that is open. A pass that has slept for too
 * long sends nothing more (session_may_act()): its claims may be another's. */
static int
take_run_lease(struct pass *p, struct store *s, struct err *e)
{
	int64_t asked_ms = clock_mono_ms();
	int64_t now_ms = clock_wall_ms();
	int rc = store_lease_take(
	    s, pass_lease, p->owner, now_ms, now_ms + PASS_LEASE_MS, NULL, e);

	if (rc == 1)
		p->until_ms = asked_ms + PASS_LEASE_MS - PASS_LEASE_MARGIN_MS;
	if (p->session != NULL)
		p->session->lease_until_ms = p->until_ms;
	return rc;
}

/* At each look. While the store is away nobody else can take it either, but
 * it could be back for them first. One that has run out is not taken again:
 * what is to be done was read before others had it. */
static bool
has_run_lease(struct pass *p)
{
	if (!p->shares)
		return true;
	if (!session_may_act(p->session) ||
	    (p->session->store != NULL &&
		take_run_lease(p, p->session->store, NULL) == 0))
		return false;
	return clock_mono_ms() < p->until_ms - PASS_TICK_MS;
}

static void
leave_run_lease(struct pass *p)
{
	if (p->until_ms != 0 && p->session != NULL && p->session->store != NULL)
		(void)store_lease_release(
		    p->session->store, pass_lease, p->owner, NULL);
}

static void
release(struct pass *p)
{
	crew_free(p->crew, false);
	leave_run_lease(p);
	loop_timer_free(p->start);
	loop_timer_free(p->tick);
	session_free(p->session);
	tenants_clear(&p->tenants);
	target_list_clear(&p->list);
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	free(p);
}

/* New work left behind (searches, catch-up) is sync's. */
static void
wake_sync(const struct pass *p)
{
	int fd;

	if (p->sum.created + p->sum.recreated + p->enqueued == 0)
		return;
	fd = wake_open(NULL);
	if (fd < 0)
		return;
	wake_send(fd, p->config->wake_path);
	close(fd);
}

static void
finish(struct pass *p)
{
	struct store *s = p->session != NULL ? p->session->store : NULL;
	struct err e = {0};

	wake_sync(p);
	if (p->crew != NULL)
		tell_end(&p->options);
	if (s != NULL) {
		tenants_forgive(p->session, &p->tenants);
		if (store_subscription_nearest(
			s, &p->sum.nearest_expiry_ms, &e) != 0)
			log_warning("renew-summary-not-read", LOG_ERR(&e));
	}
	p->sum.duration_ms = clock_mono_ms() - p->begun_ms;
	if (s != NULL && summary_store(&p->sum, s, clock_wall_ms(), &e) != 0)
		log_warning("renew-summary-not-stored", LOG_ERR(&e));
	p->done(&p->sum, p->arg);
	release(p);
}

static void
worked(void *arg)
{
	finish(arg);
}

static void
start_work(void *arg)
{
	struct pass *p = arg;

	if (p->over)
		finish(p);
	else
		p->crew = crew_new(
		    p->session, &p->list, &p->options, &p->sum, worked, p);
}

/* Ends a pass whose store is away for two looks, or that has become too long:
 * a pass that hangs would keep every later one from renewing anything. */
static void
look_after(void *arg)
{
	struct pass *p = arg;
	bool lost = p->session->store == NULL;
	bool late = clock_mono_ms() - p->begun_ms > PASS_LIFE_MS;
	bool gone = lost && p->store_was_lost;

	if (!late && !gone && has_run_lease(p)) {
		p->store_was_lost = lost;
		loop_timer_set(p->tick, PASS_TICK_MS);
		return;
	}
	err_set(&p->sum.err, ERR_RETRY, "%s",
	    late       ? "the pass took too long and was ended"
		: gone ? "the store is out of reach"
		       : "the run lock could not be renewed in time");
	if (p->adopt != NULL)
		adopt_cancel(p->adopt);
	p->adopt = NULL;
	crew_free(p->crew, true);
	p->crew = NULL;
	finish(p);
}

/* ---- what is there to do? ---- */

static int
load(struct pass *p, struct store *s, enum target_scope scope, struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	int64_t count = 0;

	target_list_clear(&p->list);
	if (target_list_load(s, p->config, now_ms, scope, p->options.force,
		&p->list, e) != 0 ||
	    store_mailbox_count(s, &count, e) != 0 ||
	    store_subscription_nearest(s, &p->sum.nearest_expiry_ms, e) != 0)
		return -1;
	p->sum.mailboxes = (size_t)count;
	p->sum.due = p->list.due;
	return p->options.dry_run ? 0
				  : target_list_settle(s, &p->list, now_ms, e);
}

/* What was adopted is due like anything else, so the store is read again. A
 * list that could not be read is not the truth: the pass goes on without. */
static void
adopted(const struct adopt_result *r, void *arg)
{
	struct pass *p = arg;
	struct store *s = p->session->store;
	struct err e = {0};

	p->adopt = NULL;
	p->sum.adopted = r->adopted;
	p->sum.removed += r->removed;
	if (r->failed != 0)
		p->sum.failed++;
	/* What one tenant refuses is no reason to ask the others again. */
	if (s != NULL &&
	    adoption_note(s, r->failed < p->config->tenant_ids.count,
		p->list_ms, &e) != 0)
		log_warning("adoption-not-noted", LOG_ERR(&e));
	if (s != NULL && r->changed != 0 &&
	    load(p, s, p->options.force ? TARGET_ALL : TARGET_DUE,
		&p->sum.err) != 0)
		p->over = true;
	loop_timer_set(p->start, 0);
}

static int
look_dry(struct pass *p, struct store *s, struct err *e)
{
	int upkeep = upkeep_is_due(s, e);

	if (upkeep < 0 ||
	    load(p, s, upkeep == 1 ? TARGET_FORESEEN : TARGET_ALL, e) != 0)
		return -1;
	tell_list(&p->list, clock_wall_ms());
	return 1;
}

/* 0: something is to be done; 1: the pass is over; -1. */
static int
look_wet(struct pass *p, struct store *s, struct err *e)
{
	int all = upkeep_wants_all(s, p->config, e);
	int list;

	if (all < 0 || store_mailbox_release_all(s, pass_owner, e) != 0 ||
	    upkeep_expire(s, p->config, e) != 0 ||
	    upkeep_enqueue(s, p->config, &p->enqueued, e) != 0 ||
	    load(p, s, all == 1 || p->options.force ? TARGET_ALL : TARGET_DUE,
		e) != 0)
		return -1;
	if (all == 1 && upkeep_note_all(s, p->config, e) != 0)
		return -1;
	list = adoption_is_due(
	    s, p->config, p->sum.due, p->options.force, clock_wall_ms(), e);
	if (list < 0)
		return -1;
	p->wants_list = list == 1;
	if (p->sum.due != 0 || p->wants_list)
		return 0;
	return summary_store(&p->sum, s, clock_wall_ms(), e) != 0 ? -1 : 1;
}

/* With the lease where there is no lock file: as look_wet(). */
static int
look_leased(struct pass *p, struct store *s, struct err *e)
{
	int rc = p->shares ? take_run_lease(p, s, e) : 1;

	p->sum.locked_out = rc == 0;
	if (rc != 1)
		return rc == 0 ? 1 : -1;
	rc = look_wet(p, s, e);
	/* What goes on has a session, and gives it back at its end. */
	if (rc != 0 && p->shares)
		(void)store_lease_release(s, pass_lease, p->owner, NULL);
	return rc;
}

/* Reads the store: as look_wet(). */
static int
look(struct pass *p, struct err *e)
{
	bool dry = p->options.dry_run;
	/* A server that is switched off makes no store. */
	unsigned flags = dry          ? STORE_READ_ONLY
	    : p->config->sync_enabled ? STORE_CREATE
				      : 0;
	struct store *s = store_open(
	    p->config->database, flags, PASS_LOCK_WAIT_MS, clock_wall_ms(), e);
	int rc;

	if (s == NULL && !p->config->sync_enabled && e->code == ERR_GONE) {
		err_clear(e);
		return 1;
	}
	if (s == NULL)
		return -1;
	rc = dry ? look_dry(p, s, e) : look_leased(p, s, e);
	store_close(s);
	return rc;
}

static int
prepare(struct pass *p, struct err *e)
{
	int rc = p->options.dry_run || p->shares ? 1 : take_run_lock(p, e);

	if (rc < 0)
		return -1;
	if (rc == 0) {
		p->sum.locked_out = true;
		return 1;
	}
	rc = look(p, e);
	if (rc != 0)
		return rc;
	tenants_gather(p->config, &p->list, &p->tenants);
	p->session = session_new(p->loop, &p->tenants.config);
	memcpy(p->session->owner, pass_owner, sizeof(pass_owner) - 1);
	p->session->lease_until_ms = p->until_ms;
	if (session_open_store(p->session, STORE_CREATE | STORE_LEAN, false,
		NULL, NULL, e) != 0)
		return -1;
	p->tick = loop_timer_new(p->loop, look_after, p);
	loop_timer_set(p->tick, PASS_TICK_MS);
	return 0;
}

struct pass *
pass_start(struct loop *loop, const struct config *config,
    const struct pass_options *options,
    void (*done)(const struct summary *sum, void *arg), void *arg)
{
	struct pass *p = mem_zalloc(sizeof(*p));

	p->loop = loop;
	p->config = config;
	p->options = *options;
	p->done = done;
	p->arg = arg;
	p->begun_ms = clock_mono_ms();
	p->lock_fd = -1;
	p->shares = store_database_is_shared(config->database);
	rand_guid(p->owner);
	p->sum.dry_run = options->dry_run;
	p->start = loop_timer_new(loop, start_work, p);
	/* nothing to do, or no way to do it */
	p->over = prepare(p, &p->sum.err) != 0;
	if (!p->over && p->wants_list) {
		p->list_ms = clock_wall_ms();
		p->adopt = adopt_start(
		    p->session, config->tenant_ids.count, adopted, p);
	}
	if (p->adopt == NULL)
		loop_timer_set(p->start, 0);
	return p;
}

void
pass_cancel(struct pass *p)
{
	if (p->adopt != NULL)
		adopt_cancel(p->adopt);
	release(p);
}
