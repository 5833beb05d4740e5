/* cronjob/pass.h - one pass over the subscriptions, on a loop. */
#ifndef CRONJOB_PASS_H
#define CRONJOB_PASS_H

#include <stdbool.h>

#include "base/loop.h"
#include "port/config.h"
#include "summary.h"

struct pass_options {
	bool dry_run; /* -n: say what would be done, touch nothing */
	bool verbose; /* -v: a line on stdout for each mailbox touched */
	bool force; /* every followed mailbox is due */
};

struct pass;

/*
 * Starts a pass: takes the run lock (someone else has it: ends at once, that
 * is no failure), reads the store, and only when something is due makes ready
 * for the network. done is called once, from the loop; *sum is borrowed for
 * the call, and the pass is freed behind it.
 */
struct pass *pass_start(struct loop *loop, const struct config *config,
    const struct pass_options *options,
    void (*done)(const struct summary *sum, void *arg), void *arg);

/* Ends it without done; what was under way is left to the next pass. */
void pass_cancel(struct pass *p);

#endif
