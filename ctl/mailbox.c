/* ctl/mailbox.c - outlook-addinctl mailbox: who is followed. */
#include <stdio.h>
#include <string.h>

#include "live.h"

enum { OUTPUT_MAX = 64 << 20 };

/* The end of the year 9999: an operator's parking does not end by itself. */
#define FOR_GOOD INT64_C(253402300799000)

static int
list_one(const struct store_mailbox *m, void *arg)
{
	struct buf *out = arg;

	buf_printf(out, "%s  %s  %-10s  ", m->tenant, m->user,
	    live_state_name(m->state));
	live_add_time(out, m->since_ms);
	buf_puts(out, "  ");
	live_add_text(out, m->upn[0] == '\0' ? "-" : m->upn);
	if (m->reason[0] != '\0') {
		buf_puts(out, "  ");
		live_add_text(out, m->reason);
	}
	buf_putc(out, '\n');
	return 0;
}

static int
list(struct ctl *ctl)
{
	struct live live;
	struct err e = {0};
	struct buf out;
	int code = live_open(ctl, STORE_READ_ONLY, &live);

	if (code != CTL_DONE)
		return code;
	buf_init(&out, OUTPUT_MAX);
	if (store_mailbox_each(live.store, list_one, &out, &e) != 0)
		code = live_fail("read the mailboxes", &e);
	fputs(buf_text(&out), stdout);
	buf_clear(&out);
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
		STORE_MAILBOX_PARKED, reason, FOR_GOOD, live->now_ms, &e) != 0)
		return live_fail("park", &e);
	printf("%s is parked; its notifications are kept\n", m->user);
	return CTL_DONE;
}

/* Followed again, and everything that waits is looked at now. */
static int
resume(struct live *live, const struct store_mailbox *m)
{
	const struct store_hint_item items[] = {
	    {STORE_WORK_FOLLOW, m->tenant, m->user, "", 0},
	    {STORE_WORK_CATCHUP, m->tenant, m->user, "", 0},
	};
	struct store *s = live->store;
	struct err e = {0};

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

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *action = NULL, *tenant = NULL, *user = NULL;
	const char *reason = NULL;
	const struct ctl_option opts[] = {
	    {"--tenant", &tenant, NULL},
	    {"--user", &user, NULL},
	    {"--reason", &reason, NULL},
	    {NULL, NULL, NULL},
	};
	struct store_mailbox m;
	int code = CTL_DONE;
	struct live live;
	bool parks;
	int count = ctl_parse(ctl, opts, argc, argv, &action, 1, &code);

	if (count < 0)
		return code;
	if (count == 0)
		return ctl_misuse(ctl, "mailbox needs list, park or resume");
	if (strcmp(action, "list") == 0) {
		code = list(ctl);
		return code != CTL_DONE ? code : ctl_finish();
	}
	parks = strcmp(action, "park") == 0;
	if (!parks && strcmp(action, "resume") != 0)
		return ctl_misuse(ctl, "mailbox has no action %s", action);
	if (!parks && reason != NULL)
		return ctl_misuse(ctl, "--reason is for park");
	if (tenant == NULL || user == NULL)
		return ctl_misuse(ctl, "--tenant and --user are needed");
	code = live_open(ctl, 0, &live);
	if (code != CTL_DONE)
		return code;
	code = live_mailbox(ctl, &live, tenant, user, &m);
	if (code == CTL_DONE)
		code = parks ? park(&live, &m, reason) : resume(&live, &m);
	live_close(&live);
	return code != CTL_DONE ? code : ctl_finish();
}

const struct ctl_command ctl_mailbox = {
    .name = "mailbox",
    .usage = "list\npark --tenant T --user U [--reason TEXT]\n"
	     "resume --tenant T --user U",
    .summary = "Lists the mailboxes, parks one or follows it again",
    .run = run,
};
