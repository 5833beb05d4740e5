/* cronjob/summary.h - what one pass did, and how it is told. */
#ifndef CRONJOB_SUMMARY_H
#define CRONJOB_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "port/store.h"

struct summary {
	bool dry_run;
	bool locked_out; /* another pass was under way */
	size_t mailboxes, due;
	size_t adopted, created, renewed, recreated, removed, parked;
	size_t left; /* not needed after all, or in other hands */
	size_t failed; /* still due, the next pass tries again */
	int64_t nearest_expiry_ms; /* Unix; 0: none */
	int64_t duration_ms;
	struct err err; /* of the pass as a whole */
};

/* 0: done or nothing due; 1: something failed and will be tried again; 2: the
 * store is of a newer version. */
int summary_exit_code(const struct summary *s);

/* The one summary line, on stderr. */
void summary_log(const struct summary *s);

/* Leaves the figures in the store for status and metrics: the facts
 * "renew-last-run" (JSON) and, without failures, "renew-last-success". */
int summary_store(const struct summary *s, struct store *store, int64_t now_ms,
    struct err *e);

#endif
