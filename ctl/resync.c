/* ctl/resync.c - outlook-addinctl resync: look at one mailbox again. */
#include <stdio.h>

#include "base/text.h"
#include "live.h"

struct queueing {
	struct live *live;
	struct err err;
	int events;
};

static int
add(struct live *live, enum store_kind kind, const char *tenant,
    const char *user, const char *event, struct err *e)
{
	/* Also what was deleted meanwhile is to be found: with this hint a 200
	 * is not believed before the event is seen in a calendar. */
	const struct store_hint_item item = {
	    kind, tenant, user, event, STORE_HINT_UPDATED | STORE_HINT_MISSED};

	return store_work_add(live->store, &item, 1, live->now_ms, 0, e);
}

static int
add_event(const struct store_link *l, void *arg)
{
	struct queueing *q = arg;

	if (l->event[0] == '\0' || l->state == STORE_LINK_FOREIGN ||
	    l->state == STORE_LINK_DELETED)
		return 0;
	if (add(q->live, STORE_WORK_EVENT, l->tenant, l->user, l->event,
		&q->err) != 0)
		return -1;
	q->events++;
	return 0;
}

static int
queue(struct live *live, const struct store_mailbox *m)
{
	struct queueing q = {.live = live};
	struct store *s = live->store;

	if (m->state == STORE_MAILBOX_UNFOLLOWED) {
		ctl_say("%s is not followed: mailbox resume follows it again",
		    m->user);
		return CTL_FAILED;
	}
	if (store_begin(s, &q.err) != 0)
		return live_fail("resync", &q.err);
	if (add(live, STORE_WORK_FOLLOW, m->tenant, m->user, "", &q.err) != 0 ||
	    add(live, STORE_WORK_SEARCH, m->tenant, m->user, "", &q.err) != 0 ||
	    store_link_each(s, m->tenant, m->user, add_event, &q, &q.err) !=
		0 ||
	    store_work_release(s, m->tenant, m->user, &q.err) != 0) {
		store_rollback(s);
		return live_fail("resync", &q.err);
	}
	if (store_commit(s, &q.err) != 0)
		return live_fail("resync", &q.err);
	printf("%d linked event%s of %s will be looked at%s\n", q.events,
	    q.events == 1 ? "" : "s", m->user,
	    m->state == STORE_MAILBOX_PARKED ? " once it is resumed" : "");
	live_wake(live);
	return CTL_DONE;
}

/* Follows a mailbox that nobody has announced here: one of a lost store, or
 * of the product that was here before. Its events are found by property. */
static int
adopt(struct ctl *ctl, struct live *live, const char *tenant, const char *user)
{
	char tenant_id[STORE_GUID], user_id[STORE_GUID];
	bool changed = false;
	struct err e = {0};

	if (!text_guid_lower(tenant_id, tenant) ||
	    !text_guid_lower(user_id, user))
		return ctl_misuse(
		    ctl, "with --adopt, --tenant and --user take object ids");
	if (config_tenant_index(&live->config, tenant_id) < 0) {
		ctl_say("tenant %s is not one of tenantIds", tenant_id);
		return CTL_USAGE;
	}
	if (store_mailbox_follow(live->store, tenant_id, user_id, "", true,
		live->now_ms, &changed, &e) != 0)
		return live_fail("adopt", &e);
	if (changed)
		printf("%s is followed from now on\n", user_id);
	return CTL_DONE;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *tenant = NULL, *user = NULL;
	bool adopts = false;
	const struct ctl_option opts[] = {
	    {"--tenant", &tenant, NULL},
	    {"--user", &user, NULL},
	    {"--adopt", NULL, &adopts},
	    {NULL, NULL, NULL},
	};
	struct store_mailbox m;
	int code = CTL_DONE;
	struct live live;

	if (ctl_parse(ctl, opts, argc, argv, NULL, 0, &code) < 0)
		return code;
	if (tenant == NULL || user == NULL)
		return ctl_misuse(ctl, "--tenant and --user are needed");
	code = live_open(ctl, 0, &live);
	if (code != CTL_DONE)
		return code;
	if (adopts)
		code = adopt(ctl, &live, tenant, user);
	if (code == CTL_DONE)
		code = live_mailbox(ctl, &live, tenant, user, &m);
	if (code == CTL_DONE)
		code = queue(&live, &m);
	live_close(&live);
	return code != CTL_DONE ? code : ctl_finish();
}

const struct ctl_command ctl_resync = {
    .name = "resync",
    .usage = "--tenant T --user U [--adopt]",
    .summary = "Has sync look at a mailbox and all its linked events again",
    .run = run,
};
