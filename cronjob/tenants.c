/* cronjob/tenants.c - see tenants.h. */
#include "tenants.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/degraded.h"

void
tenants_gather(const struct config *config, const struct target_list *list,
    struct tenants *out)
{
	struct config_list *ids = &out->config.tenant_ids;
	const char *last = "";

	out->config = *config;
	out->former = 0;
	ids->items = mem_calloc(ids->count + list->count + 1, sizeof(char *));
	if (ids->count != 0)
		memcpy(ids->items, config->tenant_ids.items,
		    ids->count * sizeof(char *));
	/* The list is in the order of tenants. */
	for (size_t i = 0; i < list->count; i++) {
		const struct target *t = &list->items[i];

		if (t->action != RENEWAL_LEAVE || strcmp(t->tenant, last) == 0)
			continue;
		last = t->tenant;
		if (config_tenant_index(config, t->tenant) >= 0)
			continue;
		ids->items[ids->count++] = mem_strdup(t->tenant);
		out->former++;
	}
}

void
tenants_clear(struct tenants *t)
{
	struct config_list *ids = &t->config.tenant_ids;

	for (; t->former > 0; t->former--)
		free(ids->items[--ids->count]);
	free(ids->items);
	memset(t, 0, sizeof(*t));
}

void
tenants_forgive(struct session *s, const struct tenants *t)
{
	size_t count = t->config.tenant_ids.count;

	for (size_t i = count - t->former; i < count; i++) {
		degraded_clear(s, DEGRADED_CREDENTIALS, (int)i + 1);
		degraded_clear(s, DEGRADED_GRAPH, (int)i + 1);
	}
}
