/* base/loop.h - one epoll loop for web, sync and renew. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_watch;
struct loop_timer;

struct loop *loop_new(struct err *e);
void loop_free(struct loop *l); /* frees watches and timers still there */

/*
 * Calls done(events, arg) whenever fd has any of events (EPOLLIN, EPOLLOUT,
 * EPOLLET, EPOLLRDHUP ...; EPOLLERR and EPOLLHUP always). fd stays the
 * caller's. NULL and *e on failure. A watch may be removed from inside any
 * callback, its own included.
 */
struct loop_watch *loop_watch_add(struct loop *l, int fd, uint32_t events,
    void (*done)(uint32_t events, void *arg), void *arg, struct err *e);
int loop_watch_change(struct loop_watch *w, uint32_t events, struct err *e);
void loop_watch_remove(struct loop_watch *w); /* NULL is allowed */

/* A timer that is not set; free()d by loop_timer_free. */
struct loop_timer *
loop_timer_new(struct loop *l, void (*done)(void *arg), void *arg);
/* (Re)arms: fires once, delay_ms (monotonic, >= 0) from now. */
void loop_timer_set(struct loop_timer *t, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_is_set(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is allowed */

/*
 * Blocks the signals of *set for this thread (call it before threads start)
 * and delivers each as done(signo, arg) from the loop.
 */
int loop_signals(struct loop *l, const sigset_t *set,
    void (*done)(int signo, void *arg), void *arg, struct err *e);

/* Calls done(arg) after the callbacks of each round; one per loop. */
void loop_after_round(struct loop *l, void (*done)(void *arg), void *arg);

/* Runs until loop_stop(), finishing the round; at once when it was called
 * before. Can run again after that. 0, or -1 when epoll itself failed. */
int loop_run(struct loop *l, struct err *e);
void loop_stop(struct loop *l);

/* For a library that has a descriptor of its own and no loop: waits until it
 * can be read (writes: or written) or has failed, at most wait_ms. 1, 0 (not
 * yet), -1. */
int loop_wait_fd(int fd, bool writes, int64_t wait_ms, struct err *e);

#endif
