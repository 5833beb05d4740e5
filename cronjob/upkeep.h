/* cronjob/upkeep.h - what a pass does for the store itself. */
#ifndef CRONJOB_UPKEEP_H
#define CRONJOB_UPKEEP_H

#include <stdint.h>

#include "base/err.h"
#include "port/config.h"
#include "port/store.h"

/* Once a day: what has served its time leaves the store. */
int upkeep_expire(struct store *s, const struct config *config, struct err *e);

/* Series steps, leases that have run out and catch-ups that are due become
 * work, which sync does. Their number is added to *count. */
int upkeep_enqueue(struct store *s, const struct config *config, int64_t *count,
    struct err *e);

#endif
