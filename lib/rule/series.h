/* rule/series.h - which occurrence of a series gives its conversation the time.
 * Pure: no I/O, no clock, no log. */
#ifndef RULE_SERIES_H
#define RULE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tz.h"
#include "rule/event.h"

enum {
	/* Behind the end of an occurrence: its end is exclusive, clocks have
	 * a grain. */
	SERIES_AFTER_MS = 1000,
	/* Nothing within all windows, but the series goes on. */
	SERIES_FAR_DAYS = 365
};

/* A span of time in which occurrences are asked for. */
struct series_window {
	int64_t from_ms, to_ms;
};

/*
 * Window number n, counted from 0, for the series of that master (with start
 * and end): the next one is asked for only when all before had nothing. They
 * join, begin early enough for an occurrence that is still in progress, and
 * are 35 days, 400 days and some five years long, counted from the first
 * occurrence if that lies ahead. False: there is nothing further to ask for.
 * Source: Graph refuses more than 1,825 days (microsoft-graph-docs#6284).
 */
bool series_window(const struct event *master, int n, int64_t now_ms,
    struct series_window *out);

/* What is known of the occurrences of a series. Begin with all zero. */
struct series {
	bool found;
	int64_t start_ms, end_ms; /* if found: of the one that counts */
	int64_t until_ms; /* else: nothing begins before that time */
};

/*
 * Takes one more occurrence into account, in any order: the first one that is
 * not cancelled and ends after now_ms counts. zone: of the agent, for the
 * days of an all-day occurrence; NULL is UTC. One without a time is left out.
 */
void series_fold(struct series *s, const struct event *occurrence,
    const struct tz *zone, int64_t now_ms);

#endif
