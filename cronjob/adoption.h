/* cronjob/adoption.h - when a pass reads the list of subscriptions at Graph. */
#ifndef CRONJOB_ADOPTION_H
#define CRONJOB_ADOPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "port/config.h"
#include "port/store.h"

/*
 * 1 yes, 0 no, -1. Yes with force; with something due, at most once an hour;
 * and once in an empty store that lies beside one that was moved aside, which
 * nobody else would fill again. Else a pass with nothing due needs no network.
 */
int adoption_is_due(struct store *s, const struct config *c, size_t mailboxes,
    size_t due, bool force, int64_t now_ms, struct err *e);

/* The lists were read at now_ms, that of one tenant at least. */
int adoption_note(struct store *s, int64_t now_ms, struct err *e);

#endif
