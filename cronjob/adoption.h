/* cronjob/adoption.h - when a pass reads the list of subscriptions at Graph. */
#ifndef CRONJOB_ADOPTION_H
#define CRONJOB_ADOPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "port/config.h"
#include "port/store.h"

/*
 * 1 yes, 0 no, -1. Yes with force; with something due, at most once an hour.
 * With nothing due a healthy store needs no network, but one that may have
 * forgotten has nothing due by definition: yes
 * - when a corrupt one was moved aside beside it since the last reading;
 * - when no mailbox is followed, at most once an hour;
 * - when web was notified by a subscription that is unknown here, since the
 *   last reading, at most once an hour.
 * When no list could be read, the next of these tries is ten minutes later; a
 * notification is not good for another one.
 */
int adoption_is_due(struct store *s, const struct config *c, size_t due,
    bool force, int64_t now_ms, struct err *e);

/* The lists were read at now_ms, that of one tenant at least; or none could
 * be. */
int adoption_note(struct store *s, bool read, int64_t now_ms, struct err *e);

#endif
