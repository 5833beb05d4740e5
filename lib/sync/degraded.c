/* sync/degraded.c - see degraded.h. */
#include "sync/degraded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/session.h"

enum {
	DEGRADED_FACT_MAX = 64,
	/* How old what we know of the store may be while all is well. */
	DEGRADED_LOOK_MS = 5000
};

static const char *const degraded_names[] = {
    [DEGRADED_CREDENTIALS] = "credentials",
    [DEGRADED_GRAPH] = "graph",
    [DEGRADED_UNBLU] = "unblu",
    [DEGRADED_UNBLU_AUTH] = "unblu-auth",
    [DEGRADED_WEBHOOK] = "webhook",
    [DEGRADED_KEYS] = "keys",
    [DEGRADED_DELETIONS] = "deletions",
};

static unsigned
degraded_bit(int scope)
{
	return 1U << (scope < DEGRADED_SCOPES ? scope : DEGRADED_SCOPES - 1);
}

/* ---- in the store: the fact for all to see, and for which scopes ---- */

static void
degraded_fact(enum degraded_reason reason, char out[DEGRADED_FACT_MAX])
{
	snprintf(out, DEGRADED_FACT_MAX, "degraded:%s", degraded_names[reason]);
}

static void
degraded_scopes_fact(enum degraded_reason reason, char out[DEGRADED_FACT_MAX])
{
	snprintf(out, DEGRADED_FACT_MAX, "degraded-scopes:%s",
	    degraded_names[reason]);
}

/* Another process may have set or cleared it, or an operator. */
static void
degraded_look(struct session *s, enum degraded_reason reason)
{
	struct degraded *d = &s->degraded;
	char fact[DEGRADED_FACT_MAX];
	char text[32];
	int found;

	if (s->store == NULL)
		return;
	degraded_fact(reason, fact);
	found = store_fact_get(s->store, fact, text, sizeof(text), NULL, NULL);
	if (found < 0)
		return;
	d->looked_ms[reason] = clock_mono_ms();
	d->scopes[reason] = 0;
	if (found == 0)
		return;
	degraded_scopes_fact(reason, fact);
	if (store_fact_get(s->store, fact, text, sizeof(text), NULL, NULL) == 1)
		d->scopes[reason] = (unsigned)strtoul(text, NULL, 16);
}

static void
degraded_look_again(struct session *s, enum degraded_reason reason)
{
	int64_t looked_ms = s->degraded.looked_ms[reason];

	if (looked_ms == 0 || clock_mono_ms() - looked_ms > DEGRADED_LOOK_MS)
		degraded_look(s, reason);
}

static int
degraded_store_scopes(
    struct session *s, enum degraded_reason reason, unsigned scopes)
{
	char fact[DEGRADED_FACT_MAX];
	char text[32];

	degraded_scopes_fact(reason, fact);
	snprintf(text, sizeof(text), "%x", scopes);
	return store_fact_set(s->store, fact, text, clock_wall_ms(), NULL);
}

/* What could not be stored is tried again with the next occasion. */
static void
degraded_store(struct session *s, enum degraded_reason reason, unsigned scopes,
    const char *text)
{
	char fact[DEGRADED_FACT_MAX];
	int rc;

	degraded_fact(reason, fact);
	if (scopes == 0)
		rc = store_fact_remove(s->store, fact, NULL);
	else
		rc = degraded_store_scopes(s, reason, scopes);
	if (rc == 0 && scopes != 0 && s->degraded.scopes[reason] == 0)
		rc =
		    store_fact_set(s->store, fact, text, clock_wall_ms(), NULL);
	if (rc == 0)
		s->degraded.scopes[reason] = scopes;
}

/* ---- */

void
degraded_set(
    struct session *s, enum degraded_reason reason, int scope, const char *text)
{
	struct degraded *d = &s->degraded;
	unsigned bit = degraded_bit(scope);

	if ((d->told[reason] & bit) == 0)
		log_warning("degraded",
		    LOG_STR("reason", degraded_names[reason]),
		    LOG_STR(
			"tenant", scope > 0 ? s->tenants[scope - 1].id : NULL),
		    LOG_STR("message", text));
	d->told[reason] |= bit;
	degraded_look(s, reason);
	if (s->store != NULL && (d->scopes[reason] & bit) == 0)
		degraded_store(s, reason, d->scopes[reason] | bit, text);
}

void
degraded_clear(struct session *s, enum degraded_reason reason, int scope)
{
	struct degraded *d = &s->degraded;
	unsigned bit = degraded_bit(scope);

	degraded_look_again(s, reason);
	if (((d->told[reason] | d->scopes[reason]) & bit) == 0)
		return;
	log_info("recovered", LOG_STR("reason", degraded_names[reason]),
	    LOG_STR("tenant", scope > 0 ? s->tenants[scope - 1].id : NULL));
	d->told[reason] &= ~bit;
	degraded_look(s, reason);
	if (s->store != NULL && (d->scopes[reason] & bit) != 0)
		degraded_store(s, reason, d->scopes[reason] & ~bit, "");
}

struct degraded_held {
	const char *but; /* this conversation */
	bool found;
};

static int
degraded_find_held(const struct store_link *l, void *arg)
{
	struct degraded_held *held = arg;

	held->found = l->state == STORE_LINK_HELD &&
	    strcmp(l->conversation, held->but) != 0;
	return held->found ? 1 : 0;
}

void
degraded_unhold(struct session *s, const char *conversation)
{
	struct degraded_held held = {.but = conversation};

	if (s->store != NULL &&
	    store_link_each(
		s->store, NULL, NULL, degraded_find_held, &held, NULL) == 0 &&
	    !held.found)
		degraded_clear(s, DEGRADED_DELETIONS, 0);
}

/* Deletions stay held whoever comes and goes. */
static bool
degraded_stays(struct session *s, enum degraded_reason reason)
{
	struct degraded_held held = {.but = ""};

	if (reason != DEGRADED_DELETIONS || s->degraded.scopes[reason] == 0)
		return false;
	store_link_each(s->store, NULL, NULL, degraded_find_held, &held, NULL);
	return held.found;
}

void
degraded_reset(struct session *s)
{
	char fact[DEGRADED_FACT_MAX];

	for (int r = 0; r < DEGRADED_COUNT; r++) {
		enum degraded_reason reason = (enum degraded_reason)r;

		degraded_look(s, reason);
		if (s->degraded.told[r] != 0 || degraded_stays(s, reason))
			continue;
		degraded_fact(reason, fact);
		if (store_fact_remove(s->store, fact, NULL) == 0)
			s->degraded.scopes[r] = 0;
	}
}
