/* sync/degraded.c - see degraded.h. */
#include "sync/degraded.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/session.h"

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

static void
degraded_fact(enum degraded_reason reason, char *out, size_t cap)
{
	snprintf(out, cap, "degraded:%s", degraded_names[reason]);
}

void
degraded_set(
    struct session *s, enum degraded_reason reason, int scope, const char *text)
{
	unsigned bit = degraded_bit(scope);
	char fact[64];

	if ((s->degraded.scopes[reason] & bit) != 0)
		return;
	s->degraded.scopes[reason] |= bit;
	log_warning("degraded", LOG_STR("reason", degraded_names[reason]),
	    LOG_STR("tenant", scope > 0 ? s->tenants[scope - 1].id : NULL),
	    LOG_STR("message", text));
	degraded_fact(reason, fact, sizeof(fact));
	if (s->store != NULL)
		store_fact_set(s->store, fact, text, clock_wall_ms(), NULL);
}

void
degraded_clear(struct session *s, enum degraded_reason reason, int scope)
{
	unsigned bit = degraded_bit(scope);
	char fact[64];

	if ((s->degraded.scopes[reason] & bit) == 0)
		return;
	s->degraded.scopes[reason] &= ~bit;
	log_info("recovered", LOG_STR("reason", degraded_names[reason]),
	    LOG_STR("tenant", scope > 0 ? s->tenants[scope - 1].id : NULL));
	degraded_fact(reason, fact, sizeof(fact));
	if (s->degraded.scopes[reason] == 0 && s->store != NULL)
		store_fact_remove(s->store, fact, NULL);
}

void
degraded_reset(struct session *s)
{
	char fact[64];

	for (int r = 0; r < DEGRADED_COUNT; r++) {
		if (s->degraded.scopes[r] != 0)
			continue;
		degraded_fact((enum degraded_reason)r, fact, sizeof(fact));
		store_fact_remove(s->store, fact, NULL);
	}
}
