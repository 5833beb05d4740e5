/* base/loop_timer.h - the timers of a loop, for loop.c only. */
#ifndef BASE_LOOP_TIMER_H
#define BASE_LOOP_TIMER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/loop.h"

/* Zero-initialised: none. */
struct loop_timers {
	LIST_HEAD(, loop_timer) all; /* set or not */
	struct loop_timer **heap; /* those that are set, the next one first */
	size_t len;
	size_t cap;
	uint64_t turns;
};

/* loop.c: the timers of l. */
struct loop_timers *loop_timers(struct loop *l);

/* Frees every timer. */
void loop_timers_clear(struct loop_timers *all);

/* How long epoll may wait: -1 without a timer, at most an hour. */
int loop_timers_wait_ms(const struct loop_timers *all);

/* Fires what is due. */
void loop_timers_fire(struct loop_timers *all);

#endif
