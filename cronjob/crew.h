/* cronjob/crew.h - works through a list of targets: many at a time, no tenant
 * at another's cost, short throttling waited out. */
#ifndef CRONJOB_CREW_H
#define CRONJOB_CREW_H

#include "pass.h"
#include "sync/session.h"
#include "target.h"

struct crew;

/*
 * The list is borrowed and changed (the work's notes are kept in it). Figures
 * are added to *sum. done is called once, from the loop, when nothing is left;
 * the crew is still to be freed then.
 */
struct crew *crew_new(struct session *s, struct target_list *list,
    const struct pass_options *options, struct summary *sum,
    void (*done)(void *arg), void *arg);

/* Ends what is under way without done. Targets that were not finished are
 * counted as failed when abandon is set. */
void crew_free(struct crew *c, bool abandon); /* NULL is allowed */

#endif
