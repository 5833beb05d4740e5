/* ctl/mailbox.c - outlook-addinctl mailbox: who is followed. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "listing.h"
#include "live.h"
#include "port/store_retain.h"
#include "rule/renewal.h"

enum { LINE_MAX_BYTES = 1 << 16 };

#define CLAIM_OWNER "outlook-addinctl"

static int
list_json(const struct store_mailbox *m, struct listing *rows)
{
	return listing_add_json(rows,
	    json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:o}", "tenant", m->tenant,
		"user", m->user, "upn", m->upn, "state",
		live_state_name(m->state), "since", listing_time(m->since_ms),
		"reason", m->reason, "retry",
		listing_time(
		    m->state == STORE_MAILBOX_PARKED ? m->retry_ms : 0)));
}

static int
list_one(const struct store_mailbox *m, void *arg)
{
	struct listing *rows = arg;
	struct buf line;

	if (rows->json)
		return list_json(m, rows);
	buf_init(&line, LINE_MAX_BYTES);
	buf_printf(&line, "%s  %s  %-10s  ", m->tenant, m->user,
	    live_state_name(m->state));
	live_add_time(&line, m->since_ms);
	buf_puts(&line, "  ");
	live_add_text(&line, m->upn[0] == '\0' ? "-" : m->upn);
	if (m->reason[0] != '\0') {
		buf_puts(&line, "  ");
		live_add_text(&line, m->reason);
	}
	return listing_add_line(rows, &line);
}

static int
list(struct ctl *ctl, bool json)
{
	struct listing rows;
	struct live live;
	struct err e = {0};
	int code = live_open(ctl, STORE_READ_ONLY, &live);

	if (code != CTL_DONE)
		return code;
	listing_begin(&rows, json);
	if (store_mailbox_each(live.store, list_one, &rows, &e) != 0)
		code = live_fail("read the mailboxes", &e);
	listing_end(&rows);
	live_close(&live);
	return code;
}

static int
park(struct live *live, const struct store_mailbox *m, const char *reason)
{
	struct err e = {0};

	if (reason == NULL)
		reason = "parked by an operator";
	if (store_mailbox_set_state(live->store, m->tenant, m->user,
		STORE_MAILBOX_PARKED, reason, RENEWAL_PARKED_FOR_GOOD_MS,
		live->now_ms, &e) != 0)
		return live_fail("park", &e);
	printf("%s is parked; its notifications are kept\n", m->user);
	return CTL_DONE;
}

/* Followed again, and everything that waits is looked at now. */
static int
resume(struct live *live, const struct store_mailbox *m, const char *reason)
{
	const struct store_hint_item items[] = {
	    {STORE_WORK_FOLLOW, m->tenant, m->user, "", 0},
	    {STORE_WORK_CATCHUP, m->tenant, m->user, "", 0},
	};
	struct store *s = live->store;
	struct err e = {0};

	(void)reason;
	if (store_begin(s, &e) != 0)
		return live_fail("resume", &e);
	if (store_mailbox_set_state(s, m->tenant, m->user,
		STORE_MAILBOX_FOLLOWED, "", 0, live->now_ms, &e) != 0 ||
	    store_work_release(s, m->tenant, m->user, &e) != 0 ||
	    store_work_add(s, items, 2, live->now_ms, 0, &e) != 0) {
		store_rollback(s);
		return live_fail("resume", &e);
	}
	if (store_commit(s, &e) != 0)
		return live_fail("resume", &e);
	printf("%s is followed again\n", m->user);
	live_wake(live);
	return CTL_DONE;
}

/* ---- unfollow ---- */

/* Its subscription stays known: the renewal needs its id to delete it at
 * Graph, and what it still brings is dropped by sync. */
static int
leave(struct live *live, const struct store_mailbox *m, const char *reason,
    struct store_subscription *sub, struct err *e)
{
	struct store_link about = {.conversation = ""};

	text_copy(about.tenant, sizeof(about.tenant), m->tenant);
	text_copy(about.user, sizeof(about.user), m->user);
	if (store_mailbox_set_state(live->store, m->tenant, m->user,
		STORE_MAILBOX_UNFOLLOWED, reason, 0, live->now_ms, e) != 0 ||
	    store_subscription_of(live->store, m->tenant, m->user, sub, e) <
		0 ||
	    store_work_clear(live->store, m->tenant, m->user, e) != 0)
		return -1;
	return live_audit(live, &about, "unfollow", "done", reason, e);
}

/* Not while sync or renew is at its subscription. */
static int
claim(struct live *live, const struct store_mailbox *m, struct err *e)
{
	int64_t until_ms = live->now_ms + 1000;
	int taken = store_mailbox_claim(live->store, m->tenant, m->user,
	    CLAIM_OWNER, live->now_ms, until_ms, NULL, e);

	if (taken == 0)
		return err_set(e, ERR_BUSY,
		    "its subscription is being worked on: try again");
	if (taken < 0)
		return -1;
	return store_mailbox_release(
	    live->store, m->tenant, m->user, CLAIM_OWNER, e);
}

static int
unfollow(struct live *live, const struct store_mailbox *m, const char *reason)
{
	struct store_subscription sub = {.expires_ms = 0};
	struct err e = {0};
	int code = live_begin_idle(live, m->tenant, m->user);
	int rc;

	if (code != CTL_DONE)
		return code;
	if (reason == NULL)
		reason = "unfollowed by an operator";
	rc = claim(live, m, &e);
	if (rc == 0)
		rc = leave(live, m, reason, &sub, &e);
	code = live_end(live, rc, "unfollow", &e);
	if (code != CTL_DONE)
		return code;
	printf("%s is no longer followed%s\n", m->user,
	    sub.expires_ms > live->now_ms
		? "; the next outlook-addin-renew deletes its subscription at "
		  "Graph"
		: "");
	return CTL_DONE;
}

/* ---- command ---- */

static const struct action {
	const char *name;
	bool takes_reason;
	int (*act)(struct live *live, const struct store_mailbox *m,
	    const char *reason);
} actions[] = {
    {"park", true, park},
    {"resume", false, resume},
    {"unfollow", true, unfollow},
};

enum { ACTION_COUNT = sizeof(actions) / sizeof(actions[0]) };

struct request {
	const char *tenant, *user, *reason;
	bool json;
};

static int
act(struct ctl *ctl, const struct request *r, const struct action *action)
{
	struct store_mailbox m;
	struct live live;
	int code;

	if (r->json)
		return ctl_misuse(ctl, "--json is for list");
	if (r->reason != NULL && !action->takes_reason)
		return ctl_misuse(ctl, "--reason is not for %s", action->name);
	if (r->tenant == NULL || r->user == NULL)
		return ctl_misuse(ctl, "--tenant and --user are needed");
	code = live_open(ctl, 0, &live);
	if (code != CTL_DONE)
		return code;
	code = live_mailbox(ctl, &live, r->tenant, r->user, &m);
	if (code == CTL_DONE)
		code = action->act(&live, &m, r->reason);
	live_close(&live);
	return code;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *name = NULL;
	struct request r = {0};
	const struct ctl_option opts[] = {
	    {"--tenant", &r.tenant, NULL},
	    {"--user", &r.user, NULL},
	    {"--reason", &r.reason, NULL},
	    {"--json", NULL, &r.json},
	    {NULL, NULL, NULL},
	};
	int code = CTL_DONE;
	int count = ctl_parse(ctl, opts, argc, argv, &name, 1, &code);

	if (count < 0)
		return code;
	if (count == 0)
		return ctl_misuse(
		    ctl, "mailbox needs list, park, resume or unfollow");
	if (strcmp(name, "list") == 0) {
		code = list(ctl, r.json);
		return code != CTL_DONE ? code : ctl_finish();
	}
	for (int i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(name, actions[i].name) != 0)
			continue;
		code = act(ctl, &r, &actions[i]);
		return code != CTL_DONE ? code : ctl_finish();
	}
	return ctl_misuse(ctl, "mailbox has no action %s", name);
}

const struct ctl_command ctl_mailbox = {
    .name = "mailbox",
    .usage = "list [--json]\npark --tenant T --user U [--reason TEXT]\n"
	     "resume --tenant T --user U\n"
	     "unfollow --tenant T --user U [--reason TEXT]",
    .summary = "Lists the mailboxes, parks one, follows it again or no longer",
    .run = run,
};
