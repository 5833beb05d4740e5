/* cronjob/crew.c - see crew.h. */
#include "crew.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "rule/retry.h"
#include "sync/follow.h"
#include "sync/leave.h"
#include "tell.h"

enum {
	CREW_AT_ONCE = 320, /* mailboxes being worked on: 16 batches of 20 */
	CREW_TENANT_LEAST = 20, /* of one tenant, however many there are */
	CREW_REFUSALS = 3, /* then our webhook is not called for others */
	CREW_REPEAT_MS = 1000, /* shortest pause before a repetition */
	CREW_PATIENCE_MS = 30000 /* longest wait for a throttled one */
};

/* The targets of one tenant. */
struct crew_lane {
	size_t next, end; /* of the list: not begun yet */
	size_t busy; /* slots in use */
};

/* One place where a mailbox is worked on. */
struct crew_slot {
	struct crew *crew;
	struct crew_lane *lane;
	struct target *target; /* NULL: free */
	struct follow *follow;
	struct leave *leave;
};

struct crew {
	struct session *session;
	struct target_list *list;
	const struct pass_options *options;
	struct summary *sum;
	void (*done)(void *arg);
	void *arg;
	struct crew_lane *lanes;
	size_t lane_count;
	size_t per_lane; /* slots at most */
	size_t turn; /* the lane that is served next */
	/* Whether our webhook passes the handshake is tried with one live
	 * subscription before the others are given up for new ones. */
	enum { CREW_UNTRIED, CREW_PASSED, CREW_REFUSED } webhook;
	const struct crew_slot *trier; /* where it is tried, or NULL */
	int refusals; /* by the webhook, in a row */
	struct crew_slot slots[CREW_AT_ONCE];
	struct crew_slot *idle[CREW_AT_ONCE]; /* a stack of the free ones */
	size_t idle_count;
	struct target **waiting; /* until again_ms */
	size_t waiting_count, waiting_room;
	struct loop_timer *feed;
};

static void crew_feed(void *arg);

/* ---- tenants ---- */

static void
crew_make_lanes(struct crew *c)
{
	const struct target_list *l = c->list;

	for (size_t i = 0; i < l->count; i++)
		if (i == 0 ||
		    strcmp(l->items[i].tenant, l->items[i - 1].tenant) != 0)
			c->lane_count++;
	c->lanes = mem_calloc(c->lane_count + 1, sizeof(*c->lanes));
	c->lane_count = 0;
	for (size_t i = 0; i < l->count; i++) {
		if (i == 0 ||
		    strcmp(l->items[i].tenant, l->items[i - 1].tenant) != 0)
			c->lanes[c->lane_count++].next = i;
		c->lanes[c->lane_count - 1].end = i + 1;
	}
	c->per_lane = CREW_AT_ONCE / (c->lane_count + (c->lane_count == 0));
	if (c->per_lane < CREW_TENANT_LEAST)
		c->per_lane = CREW_TENANT_LEAST;
}

static struct crew_lane *
crew_lane_of(struct crew *c, const struct target *t)
{
	size_t low = 0, high = c->lane_count;
	size_t index = (size_t)(t - c->list->items);

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		/* end and the first index of a lane never change */
		if (c->lanes[mid - 1].end <= index)
			low = mid;
		else
			high = mid;
	}
	return &c->lanes[low];
}

/* ---- one is done ---- */

static void
crew_let_go(struct crew_slot *slot)
{
	struct crew *c = slot->crew;

	slot->follow = NULL;
	slot->leave = NULL;
	slot->target = NULL;
	slot->lane->busy--;
	c->idle[c->idle_count++] = slot;
	loop_timer_set(c->feed, 0);
}

/* A passing fault that is over soon is worth waiting for: the figures of this
 * run are then about what is really wrong. The place is free meanwhile. */
static bool
crew_wait(struct crew *c, struct target *t, const struct err *e, int64_t due_ms)
{
	int64_t wait_ms = due_ms - clock_wall_ms();
	uint64_t chance;

	if (e->code != ERR_BUSY && e->code != ERR_RETRY)
		return false;
	rand_bytes(&chance, sizeof(chance));
	if (due_ms == 0)
		wait_ms = retry_wait_ms(e, t->repeats, chance);
	if (wait_ms < CREW_REPEAT_MS)
		wait_ms = CREW_REPEAT_MS;
	if (t->waited_ms + wait_ms > CREW_PATIENCE_MS)
		return false;
	t->repeats++;
	t->waited_ms += (int32_t)wait_ms;
	t->again_ms = clock_mono_ms() + wait_ms;
	if (c->waiting_count == c->waiting_room) {
		c->waiting_room = c->waiting_room * 2 + CREW_AT_ONCE;
		c->waiting = mem_realloc(
		    c->waiting, c->waiting_room * sizeof(struct target *));
	}
	c->waiting[c->waiting_count++] = t;
	return true;
}

static void
crew_failed(struct crew *c, const struct target *t, const struct err *e)
{
	c->sum->failed++;
	log_warning("renew-failed", LOG_STR("tenant", t->tenant),
	    LOG_STR("mailbox", t->user), LOG_ERR(e));
}

static void
crew_count_follow(
    struct crew *c, const struct target *t, const struct follow_result *r)
{
	switch (r->outcome) {
	case FOLLOW_CREATED:
		c->sum->created++;
		break;
	case FOLLOW_RENEWED:
		c->sum->renewed++;
		break;
	case FOLLOW_RECREATED:
		c->sum->recreated++;
		break;
	case FOLLOW_PARKED:
		c->sum->parked++;
		break;
	case FOLLOW_KEPT:
	case FOLLOW_BUSY:
		c->sum->left++;
		break;
	case FOLLOW_FAILED:
		crew_failed(c, t, &r->err);
		break;
	}
}

/* It lives, and goes only because it was made for something else. */
static bool
crew_is_replacement(const struct target *t)
{
	return t->action == RENEWAL_RECREATE && t->expires_ms > clock_wall_ms();
}

/* What is made anew, or at all, has our webhook called by Graph. */
static bool
crew_needs_webhook(const struct target *t)
{
	return t->action == RENEWAL_CREATE || t->action == RENEWAL_RECREATE;
}

static void
crew_judge_webhook(
    struct crew *c, const struct crew_slot *slot, const struct follow_result *r)
{
	if (r->outcome == FOLLOW_CREATED || r->outcome == FOLLOW_RECREATED) {
		c->webhook = CREW_PASSED;
		c->refusals = 0;
	} else if (r->outcome == FOLLOW_FAILED && r->err.code == ERR_CONFIG) {
		c->refusals++;
		if (slot == c->trier || c->refusals == CREW_REFUSALS)
			c->webhook = CREW_REFUSED;
	}
	if (slot == c->trier)
		c->trier = NULL;
}

/* It would fail as well, and what lives would be gone. */
static void
crew_give_up(struct crew *c, const struct target *t)
{
	struct follow_result r = {.outcome = FOLLOW_FAILED};

	err_set(&r.err, ERR_CONFIG,
	    "not tried: our webhook did not pass the handshake");
	c->sum->failed++;
	tell_followed(c->options, c->sum, t, &r);
}

static void
crew_followed(const struct follow_result *r, void *arg)
{
	struct crew_slot *slot = arg;
	struct crew *c = slot->crew;
	struct target *t = slot->target;

	crew_judge_webhook(c, slot, r);
	if (r->outcome != FOLLOW_FAILED ||
	    !crew_wait(c, t, &r->err, r->due_ms)) {
		crew_count_follow(c, t, r);
		tell_followed(c->options, c->sum, t, r);
	}
	crew_let_go(slot);
}

static void
crew_left(const struct leave_result *r, void *arg)
{
	struct crew_slot *slot = arg;
	struct crew *c = slot->crew;
	struct target *t = slot->target;

	if (r->outcome != LEAVE_FAILED ||
	    !crew_wait(c, t, &r->err, r->due_ms)) {
		c->sum->removed += r->outcome == LEAVE_DONE;
		if (r->outcome == LEAVE_FAILED)
			crew_failed(c, t, &r->err);
		else if (r->outcome != LEAVE_DONE)
			c->sum->left++;
		tell_left(c->options, c->sum, t, r);
	}
	crew_let_go(slot);
}

/* ---- the next ones ---- */

static void
crew_start(struct crew *c, struct crew_lane *lane, struct target *t)
{
	struct crew_slot *slot = c->idle[--c->idle_count];

	slot->target = t;
	slot->lane = lane;
	lane->busy++;
	if (t->action == RENEWAL_LEAVE)
		slot->leave = leave_start(c->session, t->tenant, t->user,
		    t->ends ? t->reason : NULL, crew_left, slot);
	else
		slot->follow = follow_start(c->session, t->tenant, t->user,
		    c->options->force ? FOLLOW_FORCE : 0, crew_followed, slot);
}

/* Those that have waited long enough; the earliest of the others. */
static int64_t
crew_feed_waiting(struct crew *c)
{
	int64_t now_ms = clock_mono_ms();
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < c->waiting_count;) {
		struct target *t = c->waiting[i];
		struct crew_lane *lane = crew_lane_of(c, t);

		if (t->again_ms <= now_ms && c->idle_count != 0 &&
		    lane->busy < c->per_lane) {
			c->waiting[i] = c->waiting[--c->waiting_count];
			crew_start(c, lane, t);
			continue;
		}
		/* one whose time has come is looked at when a place is free */
		if (t->again_ms > now_ms && t->again_ms < next_ms)
			next_ms = t->again_ms;
		i++;
	}
	return next_ms;
}

static bool
crew_feed_lane(struct crew *c, struct crew_lane *lane)
{
	bool any = false;

	while (c->idle_count != 0 && lane->busy < c->per_lane &&
	    lane->next < lane->end) {
		struct target *t = &c->list->items[lane->next];

		bool try = c->webhook == CREW_UNTRIED && crew_is_replacement(t);

		if (try && c->trier != NULL)
			break;
		lane->next++;
		if (t->action == RENEWAL_NOTHING)
			continue;
		if (c->webhook == CREW_REFUSED && crew_needs_webhook(t)) {
			crew_give_up(c, t);
			continue;
		}
		crew_start(c, lane, t);
		if (try)
			c->trier = c->idle[c->idle_count];
		any = true;
	}
	return any;
}

static bool
crew_is_done(const struct crew *c)
{
	if (c->idle_count != CREW_AT_ONCE || c->waiting_count != 0)
		return false;
	for (size_t i = 0; i < c->lane_count; i++)
		if (c->lanes[i].next < c->lanes[i].end)
			return false;
	return true;
}

static void
crew_feed(void *arg)
{
	struct crew *c = arg;
	int64_t next_ms = crew_feed_waiting(c);
	size_t first = c->turn;

	for (size_t i = 0; i < c->lane_count; i++) {
		size_t at = (first + i) % c->lane_count;

		if (crew_feed_lane(c, &c->lanes[at]))
			c->turn = at + 1;
	}
	if (crew_is_done(c))
		c->done(c->arg);
	else if (next_ms != INT64_MAX)
		loop_timer_set(c->feed, next_ms - clock_mono_ms());
}

struct crew *
crew_new(struct session *s, struct target_list *list,
    const struct pass_options *options, struct summary *sum,
    void (*done)(void *arg), void *arg)
{
	struct crew *c = mem_zalloc(sizeof(*c));

	c->session = s;
	c->list = list;
	c->options = options;
	c->sum = sum;
	c->done = done;
	c->arg = arg;
	crew_make_lanes(c);
	for (size_t i = 0; i < CREW_AT_ONCE; i++) {
		c->slots[i].crew = c;
		c->idle[c->idle_count++] = &c->slots[i];
	}
	c->feed = loop_timer_new(s->loop, crew_feed, c);
	loop_timer_set(c->feed, 0);
	return c;
}

static size_t
crew_unfinished(const struct crew *c)
{
	size_t count = c->waiting_count + CREW_AT_ONCE - c->idle_count;

	for (size_t i = 0; i < c->lane_count; i++)
		for (size_t j = c->lanes[i].next; j < c->lanes[i].end; j++)
			count += c->list->items[j].action != RENEWAL_NOTHING;
	return count;
}

void
crew_free(struct crew *c, bool abandon)
{
	if (c == NULL)
		return;
	if (abandon)
		c->sum->failed += crew_unfinished(c);
	for (size_t i = 0; i < CREW_AT_ONCE; i++) {
		if (c->slots[i].follow != NULL)
			follow_cancel(c->slots[i].follow);
		if (c->slots[i].leave != NULL)
			leave_cancel(c->slots[i].leave);
	}
	loop_timer_free(c->feed);
	free(c->waiting);
	free(c->lanes);
	free(c);
}
