/* ctl/writes.c - outlook-addinctl writes: stops sync from changing Unblu, for
 * all tenants or for one, and lets it go on. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "live.h"

enum { RELEASES = 100 }; /* of one transaction */

/* "pause:" for all, "pause:{tenant}" for one. */
static const char prefix[] = "pause:";

/* The reason with which sync puts back what it may not write. */
static const char paused_reason[] = "writes are paused";

struct scope {
	char tenant[STORE_GUID]; /* "" all */
	char fact[sizeof(prefix) + STORE_GUID];
	const char *name; /* for people */
};

static int
record(struct live *live, const struct scope *scope, const char *action,
    struct err *e)
{
	struct store_link about = {.conversation = ""};

	text_copy(about.tenant, sizeof(about.tenant), scope->tenant);
	return live_audit(live, &about, action, "done", scope->name, e);
}

/* ---- pause ---- */

static int
pause_writes(struct live *live, const struct scope *scope, const char *reason)
{
	struct err e = {0};
	int64_t since_ms;
	int code;
	int rc;

	if (store_begin(live->store, &e) != 0)
		return live_fail("pause", &e);
	/* The time of the first pause is what status tells. */
	rc = store_fact_get(live->store, scope->fact, NULL, 0, &since_ms, &e);
	if (rc == 0) {
		since_ms = live->now_ms;
		rc = record(live, scope, "writes-pause", &e);
	}
	if (rc >= 0)
		rc = store_fact_set(live->store, scope->fact,
		    reason == NULL ? "" : reason, since_ms, &e);
	code = live_end(live, rc, "pause", &e);
	if (code == CTL_DONE)
		printf("writes to Unblu are paused for %s; everything else "
		       "goes on\n",
		    scope->name);
	return code;
}

/* ---- resume ---- */

struct releasing {
	struct live *live;
	const struct scope *scope;
	char tenant[STORE_GUID], user[STORE_GUID]; /* the last one released */
	int count;
	struct err err;
};

/* Each mailbox in which something waits for the pause to end. */
static int
release_one(const struct store_work *w, bool in_progress, void *arg)
{
	struct releasing *r = arg;
	struct store *s = r->live->store;

	if (in_progress || strcmp(w->reason, paused_reason) != 0 ||
	    (r->scope->tenant[0] != '\0' &&
		strcmp(w->tenant, r->scope->tenant) != 0) ||
	    (strcmp(w->tenant, r->tenant) == 0 &&
		strcmp(w->user, r->user) == 0))
		return 0;
	if (++r->count % RELEASES == 0 &&
	    (store_commit(s, &r->err) != 0 || store_begin(s, &r->err) != 0))
		return -1;
	text_copy(r->tenant, sizeof(r->tenant), w->tenant);
	text_copy(r->user, sizeof(r->user), w->user);
	return store_work_release(s, w->tenant, w->user, &r->err);
}

static int
release_waiting(struct live *live, const struct scope *scope)
{
	struct releasing r = {.live = live, .scope = scope};

	if (store_begin(live->store, &r.err) != 0)
		return live_fail("resume", &r.err);
	return live_end(live,
	    store_work_each(live->store, NULL, NULL, release_one, &r, &r.err),
	    "resume", &r.err);
}

static int
print_pause(const char *name, const char *text, int64_t at_ms, void *arg)
{
	const char *tenant = name + strlen(prefix);

	(void)text;
	(void)at_ms;
	(void)arg;
	if (tenant[0] == '\0')
		puts("still paused for all tenants");
	else
		printf("still paused for tenant %s\n", tenant);
	return 0;
}

static int
resume_writes(struct live *live, const struct scope *scope)
{
	struct err e = {0};
	int code;
	int rc;

	if (store_begin(live->store, &e) != 0)
		return live_fail("resume", &e);
	rc = store_fact_get(live->store, scope->fact, NULL, 0, NULL, &e);
	if (rc == 1 && record(live, scope, "writes-resume", &e) != 0)
		rc = -1;
	if (rc >= 0)
		rc = store_fact_remove(live->store, scope->fact, &e);
	code = live_end(live, rc, "resume", &e);
	if (code == CTL_DONE)
		code = release_waiting(live, scope);
	if (code != CTL_DONE)
		return code;
	live_wake(live);
	printf("writes to Unblu go on for %s\n", scope->name);
	if (store_fact_each(live->store, prefix, print_pause, NULL, &e) != 0)
		return live_fail("read the pauses", &e);
	return CTL_DONE;
}

/* ---- command ---- */

/* A pause of the wrong tenant would be a false comfort. */
static int
set_scope(struct ctl *ctl, const struct live *live, const char *tenant,
    bool pauses, struct scope *out)
{
	memset(out, 0, sizeof(*out));
	out->name = "all tenants";
	if (tenant != NULL && !text_guid_lower(out->tenant, tenant))
		return ctl_misuse(ctl, "--tenant takes a GUID");
	if (tenant != NULL && pauses &&
	    config_tenant_index(&live->config, out->tenant) < 0) {
		ctl_say("tenant %s is not in tenantIds", out->tenant);
		return CTL_USAGE;
	}
	if (tenant != NULL)
		out->name = out->tenant;
	snprintf(out->fact, sizeof(out->fact), "%s%s", prefix, out->tenant);
	return CTL_DONE;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *action = NULL, *tenant = NULL, *reason = NULL;
	const struct ctl_option opts[] = {
	    {"--tenant", &tenant, NULL},
	    {"--reason", &reason, NULL},
	    {NULL, NULL, NULL},
	};
	struct scope scope;
	int code = CTL_DONE;
	struct live live;
	bool pauses;
	int count = ctl_parse(ctl, opts, argc, argv, &action, 1, &code);

	if (count < 0)
		return code;
	if (count == 0)
		return ctl_misuse(ctl, "writes needs pause or resume");
	pauses = strcmp(action, "pause") == 0;
	if (!pauses && strcmp(action, "resume") != 0)
		return ctl_misuse(ctl, "writes has no action %s", action);
	if (!pauses && reason != NULL)
		return ctl_misuse(ctl, "--reason is for pause");
	code = live_open(ctl, 0, &live);
	if (code != CTL_DONE)
		return code;
	code = set_scope(ctl, &live, tenant, pauses, &scope);
	if (code == CTL_DONE)
		code = pauses ? pause_writes(&live, &scope, reason)
			      : resume_writes(&live, &scope);
	live_close(&live);
	return code != CTL_DONE ? code : ctl_finish();
}

const struct ctl_command ctl_writes = {
    .name = "writes",
    .usage = "pause [--tenant T] [--reason TEXT]\nresume [--tenant T]",
    .summary = "Stops all writes to Unblu, or lets them go on",
    .run = run,
};
