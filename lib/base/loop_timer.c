/* base/loop_timer.c - see loop.h and loop_timer.h: a binary heap. */
#include "base/loop_timer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

enum { LOOP_WAIT_MAX_MS = 3600 * 1000, LOOP_NOT_SET = -1 };

/* Longer delays could overflow microseconds; ten thousand years will do. */
static const int64_t loop_delay_max_ms = INT64_C(1) << 48;

struct loop_timer {
	struct loop_timers *all;
	void (*done)(void *arg);
	void *arg;
	int64_t due_us;
	uint64_t turn; /* of two due at once the one set first goes first */
	ptrdiff_t place; /* in the heap, or LOOP_NOT_SET */
	LIST_ENTRY(loop_timer) link;
};

static bool
timer_is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us
				      : a->turn < b->turn;
}

static void
heap_place(struct loop_timers *all, size_t at, struct loop_timer *t)
{
	all->heap[at] = t;
	t->place = (ptrdiff_t)at;
}

/* Puts t where it belongs, beginning at the free place at. */
static void
heap_sift(struct loop_timers *all, size_t at, struct loop_timer *t)
{
	while (at > 0 && timer_is_before(t, all->heap[(at - 1) / 2])) {
		heap_place(all, at, all->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= all->len)
			break;
		if (child + 1 < all->len &&
		    timer_is_before(all->heap[child + 1], all->heap[child]))
			child++;
		if (!timer_is_before(all->heap[child], t))
			break;
		heap_place(all, at, all->heap[child]);
		at = child;
	}
	heap_place(all, at, t);
}

struct loop_timer *
loop_timer_new(struct loop *l, void (*done)(void *arg), void *arg)
{
	struct loop_timer *t = mem_zalloc(sizeof(*t));

	t->all = loop_timers(l);
	t->done = done;
	t->arg = arg;
	t->place = LOOP_NOT_SET;
	LIST_INSERT_HEAD(&t->all->all, t, link);
	return t;
}

void
loop_timer_set(struct loop_timer *t, int64_t delay_ms)
{
	struct loop_timers *all = t->all;

	loop_timer_stop(t);
	if (delay_ms < 0)
		delay_ms = 0;
	if (delay_ms > loop_delay_max_ms)
		delay_ms = loop_delay_max_ms;
	t->due_us = clock_mono_us() + delay_ms * 1000;
	t->turn = all->turns++;
	if (all->len == all->cap) {
		all->cap = all->cap > 0 ? 2 * all->cap : 16;
		all->heap =
		    mem_realloc(all->heap, all->cap * sizeof(all->heap[0]));
	}
	heap_sift(all, all->len++, t);
}

void
loop_timer_stop(struct loop_timer *t)
{
	struct loop_timers *all = t->all;
	struct loop_timer *last;

	if (t->place == LOOP_NOT_SET)
		return;
	last = all->heap[--all->len];
	if (last != t)
		heap_sift(all, (size_t)t->place, last);
	t->place = LOOP_NOT_SET;
}

bool
loop_timer_is_set(const struct loop_timer *t)
{
	return t->place != LOOP_NOT_SET;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	loop_timer_stop(t);
	LIST_REMOVE(t, link);
	free(t);
}

void
loop_timers_clear(struct loop_timers *all)
{
	while (!LIST_EMPTY(&all->all))
		loop_timer_free(LIST_FIRST(&all->all));
	free(all->heap);
	all->heap = NULL;
	all->cap = 0;
}

int
loop_timers_wait_ms(const struct loop_timers *all)
{
	int64_t left_us;

	if (all->len == 0)
		return -1;
	left_us = all->heap[0]->due_us - clock_mono_us();
	if (left_us <= 0)
		return 0;
	if (left_us > (int64_t)LOOP_WAIT_MAX_MS * 1000)
		return LOOP_WAIT_MAX_MS;
	/* Up, never down: a timer does not fire early, nor do we spin. */
	return (int)((left_us + 999) / 1000);
}

void
loop_timers_fire(struct loop_timers *all)
{
	int64_t now_us = clock_mono_us();
	/* One that sets itself again at once waits for the next round. */
	uint64_t next_turn = all->turns;

	while (all->len > 0) {
		struct loop_timer *t = all->heap[0];

		if (t->due_us > now_us || t->turn >= next_turn)
			break;
		loop_timer_stop(t);
		t->done(t->arg); /* may free t */
	}
}
