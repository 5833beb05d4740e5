/* cronjob/upkeep.c - see upkeep.h. */
#include "upkeep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jws.h"
#include "base/log.h"
#include "port/store_due.h"
#include "port/store_mend.h"
#include "port/store_renewal.h"
#include "port/store_retain.h"
#include "rule/renewal.h"
#include "sync/expiry.h"

enum {
	UPKEEP_DAY_MS = 24 * 60 * 60 * 1000,
	UPKEEP_SETTINGS_MAX = 1 << 20,
	UPKEEP_DUE = 500, /* links and mailboxes that become work in one pass */
	UPKEEP_DUE_AGAIN_MS = 60 * 60 * 1000 /* should their work be lost */
};

static const char upkeep_all[] = "renew-settings";
/* Of summary.h; its time is that of the last run. */
static const char upkeep_run[] = "renew-last-run";
static const char upkeep_day[] = "store-expired";

/* A clock that was set back must not put it off for ever. */
static bool
a_day_has_passed(int64_t last_ms, int64_t now_ms)
{
	return last_ms > now_ms || now_ms - last_ms >= UPKEEP_DAY_MS;
}

/* What rule/renewal.h decides by, beside the store and the clock. */
static void
hash_settings(const struct config *c, char out[65])
{
	char *url = config_public_url(c, "/webhook/events");
	struct buf text;

	buf_init(&text, UPKEEP_SETTINGS_MAX);
	buf_printf(&text, "1 %d %" PRId64 " %s %s %s", c->sync_enabled,
	    c->subscription_renewal_limit_ms, url, c->client_id, c->addin_id);
	for (size_t i = 0; i < c->tenant_ids.count; i++)
		buf_printf(&text, " %s", c->tenant_ids.items[i]);
	jws_sha256_hex(buf_text(&text), text.len, out);
	buf_clear(&text);
	free(url);
}

int
upkeep_wants_all(struct store *s, const struct config *config, struct err *e)
{
	char now[65], then[65] = "";
	int64_t last_ms = 0, run_ms = 0;

	if (store_fact_get(s, upkeep_all, then, sizeof(then), &last_ms, e) < 0)
		return -1;
	if (store_fact_get(s, upkeep_run, NULL, 0, &run_ms, e) < 0)
		return -1;
	hash_settings(config, now);
	return strcmp(now, then) != 0 ||
	    a_day_has_passed(last_ms, clock_wall_ms()) ||
	    run_ms > clock_wall_ms() + SUBSCRIPTION_AHEAD_MS;
}

int
upkeep_note_all(struct store *s, const struct config *config, struct err *e)
{
	char now[65];

	hash_settings(config, now);
	return store_fact_set(s, upkeep_all, now, clock_wall_ms(), e);
}

struct unused {
	struct store *store;
	int64_t before_ms;
	size_t count;
	struct err *err;
};

static int
unfollow(const struct store_mailbox *m, void *arg)
{
	struct unused *u = arg;
	int rc = store_mailbox_leave_unused(
	    u->store, m, u->before_ms, RENEWAL_UNUSED, clock_wall_ms(), u->err);

	u->count += rc == 1;
	return rc < 0 ? -1 : 0;
}

/* Its subscription is then removed like that of any other unfollowed one. */
static int
unfollow_unused(struct store *s, const struct config *config, struct err *e)
{
	struct unused u = {.store = s,
	    .before_ms = clock_wall_ms() - config->link_retention_ms,
	    .err = e};

	if (store_mailbox_each_unused(s, u.before_ms, unfollow, &u, e) != 0)
		return -1;
	if (u.count != 0)
		log_info("mailboxes-unused", LOG_INT("mailboxes", u.count));
	return 0;
}

/* Where sync does not run, or nobody reads its log, this one tells it too. */
static int
look_at_credential(struct store *s, const struct config *config, struct err *e)
{
	struct credential k;
	int rc;

	if (!config->sync_enabled)
		return 0;
	credential_init_entra(&k, config);
	rc = expiry_keep(s, credential_ends_ms(&k), e);
	expiry_tell(&k);
	credential_clear(&k);
	return rc;
}

/* That it could not be done keeps nothing from being renewed. */
static void
compact(struct store *s)
{
	int64_t begun_ms = clock_mono_ms();
	struct err e = {.code = ERR_NONE};
	int64_t freed;

	if (store_compact(s, &freed, &e) != 0)
		log_warning("store-not-compacted", LOG_ERR(&e));
	if (freed != 0)
		log_info("store-compacted", LOG_INT("bytes", freed),
		    LOG_INT("ms", clock_mono_ms() - begun_ms));
}

int
upkeep_is_due(struct store *s, struct err *e)
{
	int64_t last_ms = 0;

	if (store_fact_get(s, upkeep_day, NULL, 0, &last_ms, e) < 0)
		return -1;
	return a_day_has_passed(last_ms, clock_wall_ms());
}

int
upkeep_expire(struct store *s, const struct config *config, struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	int64_t removed = 0, mended = 0;
	int due = upkeep_is_due(s, e);

	if (due != 1)
		return due;
	if (store_expire(s, now_ms - config->link_retention_ms,
		now_ms - config->audit_retention_ms, &removed, e) != 0 ||
	    unfollow_unused(s, config, e) != 0 ||
	    look_at_credential(s, config, e) != 0)
		return -1;
	if (store_mend_links(s, now_ms, &mended, e) != 0)
		return -1;
	if (mended != 0)
		log_warning("clock-was-ahead", LOG_INT("links", mended));
	if (removed != 0)
		log_info("store-expired", LOG_INT("rows", removed));
	compact(s);
	return store_fact_set(s, upkeep_day, "", now_ms, e);
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
