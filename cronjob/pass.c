/* cronjob/pass.c */
#include "pass.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adoption.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/when.h"
#include "port/store.h"
#include "port/wake.h"
#include "rule/retry.h"
#include "sync/adopt.h"
#include "sync/follow.h"
#include "sync/session.h"
#include "target.h"
#include "upkeep.h"

enum {
	PASS_AT_ONCE = 80, /* mailboxes being worked on: four batches of 20 */
	PASS_REPEAT_MS = 1000, /* shortest pause before a repetition */
	PASS_PATIENCE_MS = 30000, /* longest wait for a throttled one */
	PASS_LOCK_WAIT_MS = 10000, /* for the store's write lock */
	PASS_TICK_MS = 5000, /* how often the pass is looked after */
	PASS_LIFE_MS = 10 * 60 * 1000 /* then the next one goes on */
};

/* One place where a mailbox is worked on. */
struct pass_slot {
	struct pass *pass;
	struct target *target; /* NULL: free */
	struct follow *follow;
	struct loop_timer *again; /* waits out a throttling */
	int64_t waited_ms;
	int repeats;
};

struct pass {
	struct loop *loop;
	const struct config *config;
	struct pass_options options;
	void (*done)(const struct summary *sum, void *arg);
	void *arg;
	struct summary sum;
	int64_t begun_ms; /* monotonic */
	int lock_fd;
	struct target_list list;
	size_t next; /* item of the list to look at */
	size_t busy; /* slots in use */
	struct session *session;
	struct pass_slot slots[PASS_AT_ONCE];
	struct loop_timer *feed; /* fills free slots from the loop */
	struct loop_timer *tick; /* ends a pass that can not end well */
	bool store_was_lost; /* at the last tick */
	int64_t enqueued; /* work for sync that was due by the clock */
	bool wants_list; /* of the subscriptions at Graph, before all else */
	struct adopt *adopt; /* reading it */
};

static void start_follow(struct pass_slot *slot);

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

static void
release(struct pass *p)
{
	for (size_t i = 0; i < PASS_AT_ONCE; i++)
		loop_timer_free(p->slots[i].again);
	loop_timer_free(p->feed);
	loop_timer_free(p->tick);
	session_free(p->session);
	target_list_clear(&p->list);
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	free(p);
}

static int
take_expiry(const struct store_subscription *sub, void *arg)
{
	struct summary *sum = arg;

	if (sub->granted_ms != 0 &&
	    (sum->nearest_expiry_ms == 0 ||
		sub->expires_ms < sum->nearest_expiry_ms))
		sum->nearest_expiry_ms = sub->expires_ms;
	return 0;
}

static void
finish(struct pass *p)
{
	struct store *s = p->session != NULL ? p->session->store : NULL;
	struct err e = {0};

	p->sum.duration_ms = clock_mono_ms() - p->begun_ms;
	if (s != NULL) {
		p->sum.nearest_expiry_ms = 0;
		if (store_subscription_each(s, take_expiry, &p->sum, &e) != 0)
			log_warning("renew-summary-not-read", LOG_ERR(&e));
	}
	if (s != NULL && summary_store(&p->sum, s, clock_wall_ms(), &e) != 0)
		log_warning("renew-summary-not-stored", LOG_ERR(&e));
	p->done(&p->sum, p->arg);
	release(p);
}

static void
print_target(const struct target *t)
{
	printf("%-8s  %s/%s  %s\n", target_action_name(t->action), t->tenant,
	    t->user, t->reason);
}

static const char *
outcome_name(enum follow_outcome outcome)
{
	switch (outcome) {
	case FOLLOW_KEPT:
		return "kept";
	case FOLLOW_CREATED:
		return "created";
	case FOLLOW_RENEWED:
		return "renewed";
	case FOLLOW_RECREATED:
		return "recreated";
	case FOLLOW_PARKED:
		return "parked";
	case FOLLOW_BUSY:
		return "busy";
	case FOLLOW_FAILED:
		break;
	}
	return "failed";
}

static void
print_outcome(
    const struct pass *p, const struct target *t, const struct follow_result *r)
{
	char when[WHEN_TEXT_MAX] = "by the next pass";

	if (!p->options.verbose)
		return;
	if (r->due_ms != 0)
		when_format_iso(r->due_ms, false, when);
	printf("%-9s  %s/%s  %s%snext look %s\n", outcome_name(r->outcome),
	    t->tenant, t->user, r->err.code != ERR_NONE ? r->err.text : "",
	    r->err.code != ERR_NONE ? "; " : "", when);
	fflush(stdout);
}

static void
count_outcome(
    struct pass *p, const struct target *t, const struct follow_result *r)
{
	switch (r->outcome) {
	case FOLLOW_CREATED:
		p->sum.created++;
		break;
	case FOLLOW_RENEWED:
		p->sum.renewed++;
		break;
	case FOLLOW_RECREATED:
		p->sum.recreated++;
		break;
	case FOLLOW_PARKED:
		p->sum.parked++;
		break;
	case FOLLOW_KEPT:
	case FOLLOW_BUSY:
		p->sum.left++;
		break;
	case FOLLOW_FAILED:
		p->sum.failed++;
		log_warning("renew-failed", LOG_STR("tenant", t->tenant),
		    LOG_STR("mailbox", t->user), LOG_ERR(&r->err));
		break;
	}
}

/* A passing fault that is over soon is worth waiting for: the figures of this
 * run are then about what is really wrong. */
static bool
wait_and_repeat(struct pass_slot *slot, const struct follow_result *r)
{
	int64_t wait_ms = r->due_ms - clock_wall_ms();
	uint64_t chance;

	if (r->outcome != FOLLOW_FAILED ||
	    (r->err.code != ERR_BUSY && r->err.code != ERR_RETRY))
		return false;
	rand_bytes(&chance, sizeof(chance));
	if (r->due_ms == 0)
		wait_ms = retry_wait_ms(&r->err, slot->repeats, chance);
	if (wait_ms < PASS_REPEAT_MS)
		wait_ms = PASS_REPEAT_MS;
	if (slot->waited_ms + wait_ms > PASS_PATIENCE_MS)
		return false;
	slot->repeats++;
	slot->waited_ms += wait_ms;
	loop_timer_set(slot->again, wait_ms);
	return true;
}

static void
followed(const struct follow_result *r, void *arg)
{
	struct pass_slot *slot = arg;
	struct pass *p = slot->pass;

	slot->follow = NULL;
	if (wait_and_repeat(slot, r))
		return;
	print_outcome(p, slot->target, r);
	count_outcome(p, slot->target, r);
	slot->target = NULL;
	p->busy--;
	loop_timer_set(p->feed, 0);
}

static void
start_follow(struct pass_slot *slot)
{
	struct pass *p = slot->pass;

	slot->follow =
	    follow_start(p->session, slot->target->tenant, slot->target->user,
		p->options.force ? FOLLOW_FORCE : 0, followed, slot);
}

static void
repeat(void *arg)
{
	start_follow(arg);
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

static struct target *
next_due(struct pass *p)
{
	while (p->next < p->list.count) {
		struct target *t = &p->list.items[p->next++];

		if (t->action != TARGET_NOTHING)
			return t;
	}
	return NULL;
}

static void
feed_slots(void *arg)
{
	struct pass *p = arg;

	for (size_t i = 0; i < PASS_AT_ONCE; i++) {
		struct pass_slot *slot = &p->slots[i];

		if (slot->target != NULL)
			continue;
		slot->target = next_due(p);
		if (slot->target == NULL)
			break;
		slot->waited_ms = 0;
		slot->repeats = 0;
		p->busy++;
		start_follow(slot);
	}
	if (p->busy == 0 && p->next == p->list.count) {
		wake_sync(p);
		finish(p);
	}
}

static void
cancel_follows(struct pass *p)
{
	if (p->adopt != NULL)
		adopt_cancel(p->adopt);
	p->adopt = NULL;
	for (size_t i = 0; i < PASS_AT_ONCE; i++)
		if (p->slots[i].follow != NULL)
			follow_cancel(p->slots[i].follow);
}

/* Ends a pass whose store is away for two looks, or that has become too long:
 * a pass that hangs would keep every later one from renewing anything. */
static void
look_after(void *arg)
{
	struct pass *p = arg;
	bool lost = p->session->store == NULL;
	bool late = clock_mono_ms() - p->begun_ms > PASS_LIFE_MS;

	if (!late && !(lost && p->store_was_lost)) {
		p->store_was_lost = lost;
		loop_timer_set(p->tick, PASS_TICK_MS);
		return;
	}
	err_set(&p->sum.err, ERR_RETRY, "%s",
	    late ? "the pass took too long and was ended"
		 : "the store is out of reach");
	cancel_follows(p);
	p->sum.failed += p->busy;
	while (next_due(p) != NULL)
		p->sum.failed++;
	wake_sync(p);
	finish(p);
}

static void
print_list(const struct pass *p)
{
	for (size_t i = 0; i < p->list.count; i++)
		print_target(&p->list.items[i]);
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
	if (r->failed != 0)
		p->sum.failed++;
	if (s != NULL && r->failed == 0 &&
	    adoption_note(s, clock_wall_ms(), &e) != 0)
		log_warning("adoption-not-noted", LOG_ERR(&e));
	if (s != NULL && r->adopted != 0) {
		target_list_clear(&p->list);
		if (target_list_load(s, p->config, clock_wall_ms(),
			p->options.force, &p->list, &p->sum.err) != 0)
			p->sum.failed++;
		p->sum.mailboxes = p->list.count;
		p->sum.due = p->list.due;
	}
	loop_timer_set(p->feed, 0);
}

/* Reads the store. 0: something is to be done; 1: the pass is over; -1. */
static int
look(struct pass *p, struct err *e)
{
	bool dry = p->options.dry_run;
	struct store *s;
	int rc = -1;

	s = store_open(p->config->database,
	    dry ? STORE_READ_ONLY : STORE_CREATE, PASS_LOCK_WAIT_MS,
	    clock_wall_ms(), e);
	if (s == NULL)
		return -1;
	if (target_list_load(s, p->config, clock_wall_ms(), p->options.force,
		&p->list, e) != 0)
		goto out;
	p->sum.mailboxes = p->list.count;
	p->sum.due = p->list.due;
	p->sum.nearest_expiry_ms = p->list.nearest_expiry_ms;
	if (dry)
		print_list(p);
	else if (upkeep_expire(s, p->config, e) != 0 ||
	    upkeep_enqueue(s, p->config, &p->enqueued, e) != 0)
		goto out;
	if (!dry) {
		rc = adoption_is_due(s, p->config, &p->list, p->options.force,
		    clock_wall_ms(), e);
		if (rc < 0)
			goto out;
		p->wants_list = rc == 1;
	}
	rc = dry || (p->list.due == 0 && !p->wants_list) ? 1 : 0;
	if (!dry && rc == 1 &&
	    summary_store(&p->sum, s, clock_wall_ms(), e) != 0)
		rc = -1;
out:
	store_close(s);
	return rc;
}

static int
prepare(struct pass *p, struct err *e)
{
	int rc = p->options.dry_run ? 1 : take_run_lock(p, e);

	if (rc < 0)
		return -1;
	if (rc == 0) {
		p->sum.locked_out = true;
		return 1;
	}
	rc = look(p, e);
	if (rc != 0)
		return rc;
	p->session = session_new(p->loop, p->config);
	if (session_open_store(
		p->session, STORE_CREATE, false, NULL, NULL, e) != 0)
		return -1;
	for (size_t i = 0; i < PASS_AT_ONCE; i++) {
		p->slots[i].pass = p;
		p->slots[i].again =
		    loop_timer_new(p->loop, repeat, &p->slots[i]);
	}
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
	p->sum.dry_run = options->dry_run;
	p->feed = loop_timer_new(loop, feed_slots, p);
	/* nothing to do, or no way to do it: there is nothing to feed */
	if (prepare(p, &p->sum.err) != 0)
		p->next = p->list.count;
	else if (p->wants_list)
		p->adopt = adopt_start(p->session, adopted, p);
	if (p->adopt == NULL)
		loop_timer_set(p->feed, 0);
	return p;
}

void
pass_cancel(struct pass *p)
{
	cancel_follows(p);
	release(p);
}
