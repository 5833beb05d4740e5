/* cronjob/tenants.h - tenants that were configured once: what we have there is
 * still to be taken away, so they are asked for a token like the others. */
#ifndef CRONJOB_TENANTS_H
#define CRONJOB_TENANTS_H

#include "port/config.h"
#include "sync/session.h"
#include "target.h"

struct tenants {
	/* As given, but with the former tenants behind the others. */
	struct config config;
	size_t former; /* so many */
};

/* Everything but the list of tenants stays borrowed from config. */
void tenants_gather(const struct config *config, const struct target_list *list,
    struct tenants *out);
void tenants_clear(struct tenants *t); /* a zeroed one too */

/* That a former tenant gives no token any more is no trouble of ours. */
void tenants_forgive(struct session *s, const struct tenants *t);

#endif
