/* cronjob/upkeep.h - what a pass does for the store itself. */
#ifndef CRONJOB_UPKEEP_H
#define CRONJOB_UPKEEP_H

#include <stdint.h>

#include "base/err.h"
#include "port/config.h"
#include "port/store.h"

/*
 * 1: the pass has to look at all mailboxes: the settings that decide when a
 * subscription is due, or whether it is needed at all, are others than at the
 * last such look, that was a day ago, or the clock was set back since the last
 * run. 0: those suffice whose time has come.
 * -1.
 */
int
upkeep_wants_all(struct store *s, const struct config *config, struct err *e);
/* All were looked at, and what was found is in the store. */
int
upkeep_note_all(struct store *s, const struct config *config, struct err *e);

/* 1: upkeep_expire() has something to look for, 0: it had today, -1. */
int upkeep_is_due(struct store *s, struct err *e);
/* Once a day: what has served its time leaves the store and its room is given
 * back, mailboxes that nobody has used for as long become unfollowed, and the
 * near end of the secret or certificate is told. */
int upkeep_expire(struct store *s, const struct config *config, struct err *e);

/* Series steps, leases that have run out and catch-ups that are due become
 * work, which sync does. Their number is added to *count. */
int upkeep_enqueue(struct store *s, const struct config *config, int64_t *count,
    struct err *e);

#endif
