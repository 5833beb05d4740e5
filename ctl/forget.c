/* ctl/forget.c - outlook-addinctl forget: removes what is stored about a
 * person's mailbox. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "live.h"
#include "port/store_retain.h"
#include "sync/suspect.h"

struct found {
	const struct store_mailbox *box;
	struct live *live;
	int64_t links, subscriptions, work, dead;
	int64_t live_until_ms; /* of the last subscription */
	struct err err;
};

static int
take_link(const struct store_link *l, void *arg)
{
	struct found *f = arg;
	char fact[STORE_ID_MAX + 16];

	f->links++;
	snprintf(fact, sizeof(fact), "release:%s", l->conversation);
	return store_fact_remove(f->live->store, fact, &f->err);
}

static int
count_subscription(const struct store_subscription *sub, void *arg)
{
	struct found *f = arg;

	if (strcmp(sub->tenant, f->box->tenant) != 0 ||
	    strcmp(sub->user, f->box->user) != 0)
		return 0;
	f->subscriptions++;
	if (sub->expires_ms > f->live_until_ms)
		f->live_until_ms = sub->expires_ms;
	/* Else the next list that shows it would bring the mailbox back. */
	return suspect_note_forgotten(
	    f->live->store, sub->id, f->live->now_ms, &f->err);
}

static int
count_work(const struct store_work *w, bool in_progress, void *arg)
{
	struct found *f = arg;

	(void)w;
	(void)in_progress;
	f->work++;
	return 0;
}

static int
count_dead(const struct store_dead *d, void *arg)
{
	struct found *f = arg;

	f->dead += strcmp(d->work.tenant, f->box->tenant) == 0 &&
	    strcmp(d->work.user, f->box->user) == 0;
	return 0;
}

static int
remove_all(struct found *f)
{
	const char *tenant = f->box->tenant, *user = f->box->user;
	struct store *s = f->live->store;
	struct store_link about = {.conversation = ""};

	memcpy(about.tenant, tenant, sizeof(about.tenant));
	if (store_link_each(s, tenant, user, take_link, f, &f->err) != 0 ||
	    store_subscription_each(s, count_subscription, f, &f->err) != 0 ||
	    store_work_each(s, tenant, user, count_work, f, &f->err) != 0 ||
	    store_dead_each(s, count_dead, f, &f->err) != 0 ||
	    store_forget(s, tenant, user, &f->err) != 0)
		return -1;
	/* That somebody was forgotten, not who. */
	return live_audit(f->live, &about, "forget", "done", "", &f->err);
}

static void
print_found(const struct found *f)
{
	struct buf out;

	buf_init(&out, 4096);
	buf_printf(&out,
	    "removed of %s: the mailbox, %" PRId64 " links, %" PRId64
	    " subscriptions, %" PRId64 " rows of the queue, %" PRId64
	    " dead letters\nin the audit records its user and events are "
	    "blanked\n",
	    f->box->user, f->links, f->subscriptions, f->work, f->dead);
	if (f->live_until_ms > f->live->now_ms) {
		buf_puts(&out,
		    "Graph's subscription runs out by itself, until then its "
		    "notifications are dropped: ");
		live_add_time(&out, f->live_until_ms);
		buf_putc(&out, '\n');
	}
	buf_puts(&out, "the conversations in Unblu are left as they are\n");
	fputs(buf_text(&out), stdout);
	buf_clear(&out);
}

static int
forget(struct live *live, const struct store_mailbox *box)
{
	struct found f = {.box = box, .live = live};
	int code = live_begin_idle(live, box->tenant, box->user);

	if (code != CTL_DONE)
		return code;
	code = live_end(live, remove_all(&f), "forget", &f.err);
	if (code == CTL_DONE)
		print_found(&f);
	return code;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *tenant = NULL, *user = NULL;
	const struct ctl_option opts[] = {
	    {"--tenant", &tenant, NULL},
	    {"--user", &user, NULL},
	    {NULL, NULL, NULL},
	};
	struct store_mailbox box;
	int code = CTL_DONE;
	struct live live;

	if (ctl_parse(ctl, opts, argc, argv, NULL, 0, &code) < 0)
		return code;
	if (tenant == NULL || user == NULL)
		return ctl_misuse(ctl, "--tenant and --user are needed");
	code = live_open(ctl, 0, &live);
	if (code != CTL_DONE)
		return code;
	code = live_mailbox(ctl, &live, tenant, user, &box);
	if (code == CTL_DONE)
		code = forget(&live, &box);
	live_close(&live);
	return code != CTL_DONE ? code : ctl_finish();
}

const struct ctl_command ctl_forget = {
    .name = "forget",
    .usage = "--tenant T --user U",
    .summary = "Removes everything that is stored about a mailbox",
    .run = run,
};
