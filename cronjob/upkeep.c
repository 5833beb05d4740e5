/* cronjob/upkeep.c - see upkeep.h. */
#include "upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "port/store_due.h"

enum {
	UPKEEP_EXPIRE_MS = 24 * 60 * 60 * 1000,
	UPKEEP_DUE = 500, /* links and mailboxes that become work in one pass */
	UPKEEP_DUE_AGAIN_MS = 60 * 60 * 1000 /* should their work be lost */
};

int
upkeep_expire(struct store *s, const struct config *config, struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	int64_t last_ms = 0, removed = 0;
	char text[8];

	if (store_fact_get(
		s, "store-expired", text, sizeof(text), &last_ms, e) < 0)
		return -1;
	/* a clock that was set back must not put it off for ever */
	if (last_ms <= now_ms && now_ms - last_ms < UPKEEP_EXPIRE_MS)
		return 0;
	if (store_expire(s, now_ms - config->link_retention_ms,
		now_ms - config->audit_retention_ms, &removed, e) != 0)
		return -1;
	if (removed != 0)
		log_info("store-expired", LOG_INT("rows", removed));
	return store_fact_set(s, "store-expired", "", now_ms, e);
}

int
upkeep_enqueue(
    struct store *s, const struct config *config, int64_t *count, struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	int64_t next_ms;

	if (store_due_next(s, &next_ms, e) != 0)
		return -1;
	if (next_ms > now_ms || !config->sync_enabled)
		return 0;
	return store_due_add(
	    s, now_ms, UPKEEP_DUE_AGAIN_MS, UPKEEP_DUE, UPKEEP_DUE, count, e);
}
