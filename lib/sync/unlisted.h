/* sync/unlisted.h - subscriptions that we think live and that Graph's list does
 * not show: Graph may have lost them without a word. */
#ifndef SYNC_UNLISTED_H
#define SYNC_UNLISTED_H

#include <stddef.h>

#include "sync/session.h"

struct unlisted;

/* Before the first list of a run. */
struct unlisted *unlisted_new(struct session *s);
void unlisted_free(struct unlisted *u); /* NULL is allowed; ends it, no done */

/* A list shows this one. */
void unlisted_saw(struct unlisted *u, const char *id);
/* The tenant's list was read to its end; tenant is borrowed for good. */
void unlisted_complete(struct unlisted *u, const char *tenant);

/*
 * Asks Graph for those of the complete tenants' that were granted some time
 * ago, should live, are not due by now (their renewal tells), and were not
 * shown, some hundred of a tenant and half a minute at most. The list is
 * believed as long as it proves right: a tenant with some that are there all
 * the same is left. One that is gone loses its row, and its mailbox has to be
 * looked at now: counted in *changed. done is called once, from the loop.
 */
void unlisted_start(
    struct unlisted *u, void (*done)(size_t changed, void *arg), void *arg);

#endif
