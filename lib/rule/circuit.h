/* rule/circuit.h - a circuit breaker: stops asking a peer that is down. Pure:
 * the time is a parameter (any one clock, milliseconds). */
#ifndef RULE_CIRCUIT_H
#define RULE_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CIRCUIT_FAILURES = 5, /* in a row, then it opens */
	CIRCUIT_SUSPECTS = 4, /* different things that fail: it is the peer */
	CIRCUIT_PROBE_MS = 15 * 1000, /* until the first probe, then doubled */
	CIRCUIT_PROBE_MAX_MS = 5 * 60 * 1000
};

/*
 * Zero-initialised: closed, everything passes. Nothing to free.
 * One event that the peer can not digest must not close the door on all others:
 * while open, an exchange about something that is not among the suspects passes
 * at once, and closes it when it gets an answer. Only when CIRCUIT_SUSPECTS
 * different things have failed it is taken to be the peer that is down.
 */
struct circuit {
	int failures; /* in a row */
	bool open;
	bool probing;
	uint64_t probe; /* the thing that it is about */
	int64_t pause_ms; /* while open: between two probes */
	int64_t probe_at_ms; /* while open: not before */
	uint64_t suspects[CIRCUIT_SUSPECTS]; /* what failed, since a success */
	int suspect_count;
};

/* Whether an exchange about thing (any hash of it) may be started at now_ms.
 * Asking changes nothing. */
bool circuit_allows(const struct circuit *c, uint64_t thing, int64_t now_ms);

/*
 * To be called as each exchange starts. While open it is the probe: nothing
 * else passes until it has ended or, should its end never be told, until the
 * next probe is due. About a thing that was no suspect it becomes one, and the
 * probe is still to come.
 */
void circuit_begin(struct circuit *c, uint64_t thing, int64_t now_ms);

/* An exchange got an answer, of whatever kind but a fault: closes. */
void circuit_succeed(struct circuit *c);

/*
 * A network error or 5xx (not 429, not 4xx). Opens after CIRCUIT_FAILURES in a
 * row; a failed probe doubles the pause and, so that it was not for nothing
 * that it was just this thing's turn, lets others show next that they are
 * well. True when this one opened it.
 */
bool circuit_fail(struct circuit *c, uint64_t thing, int64_t now_ms);

/* When the next exchange may start; 0 while closed. */
int64_t circuit_next_ms(const struct circuit *c);

#endif
