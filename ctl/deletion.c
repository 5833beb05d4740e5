/* ctl/deletion.c - outlook-addinctl deletion: deletions that the brake holds,
 * because there were more within an hour than maxDeletionsPerMailbox or
 * maxDeletionsPerTenant allow, or somebody has to judge. */
#include <stdio.h>
#include <string.h>

#include "listing.h"
#include "live.h"
#include "rule/link.h"
#include "selection.h"

enum { LINE_MAX_BYTES = 1 << 16, WORDS_MAX = 200 };

static bool
is_asked_for(const struct selection *r, const struct store_link *l)
{
	return l->state == STORE_LINK_HELD &&
	    selection_has(r, l->tenant, l->user);
}

/* ---- list ---- */

struct list_arg {
	const struct selection *request;
	struct listing rows;
};

static int
list_one(const struct store_link *l, void *arg)
{
	struct list_arg *a = arg;
	struct buf line;

	if (!is_asked_for(a->request, l))
		return 0;
	if (a->rows.json)
		return listing_add_json(&a->rows,
		    json_pack("{s:s,s:s,s:s,s:s,s:o,s:o}", "conversation",
			l->conversation, "tenant", l->tenant, "user", l->user,
			"event", l->event, "goneSince",
			listing_time(l->gone_since_ms), "start",
			listing_time(l->start_ms)));
	buf_init(&line, LINE_MAX_BYTES);
	live_add_text(&line, l->conversation);
	/* Of an orphan there was no event that could be gone. */
	buf_puts(
	    &line, l->gone_since_ms == 0 ? "  never seen" : "  gone since ");
	if (l->gone_since_ms != 0)
		live_add_time(&line, l->gone_since_ms);
	buf_puts(&line, "  start ");
	live_add_time(&line, l->start_ms);
	buf_printf(&line, "  %s/%s", l->tenant, l->user);
	return listing_add_line(&a->rows, &line);
}

static int
list(struct live *live, const struct selection *r)
{
	struct list_arg a = {.request = r};
	struct err e = {0};
	int rc;

	listing_begin(&a.rows, r->json);
	rc = store_link_each(live->store, NULL, NULL, list_one, &a, &e);
	listing_end(&a.rows);
	return rc != 0 ? live_fail("read the links", &e) : CTL_DONE;
}

/* ---- release, drop ---- */

/* The link goes back to where the brake caught it, and this time passes. An
 * orphan's event was never there to be gone: it is looked for once more. */
static int
release_held(struct live *live, struct store_link *l, struct err *e)
{
	bool orphan = l->gone_since_ms == 0;
	const struct store_hint_item item = {
	    orphan ? STORE_WORK_LINK : STORE_WORK_EVENT, l->tenant, l->user,
	    orphan ? l->conversation : l->event,
	    orphan ? 0 : STORE_HINT_DELETED};
	char fact[STORE_ID_MAX + 16];

	snprintf(fact, sizeof(fact), "release:%s", l->conversation);
	l->state = orphan ? STORE_LINK_ANNOUNCED : STORE_LINK_GONE;
	if (store_link_save(live->store, l, e) != 0 ||
	    store_fact_set(live->store, fact, "", live->now_ms, e) != 0 ||
	    store_work_add(live->store, &item, 1, live->now_ms, 0, e) != 0)
		return -1;
	return live_audit(
	    live, l, "delete", "released", "released by an operator", e);
}

static int
drop_held(struct live *live, struct store_link *l, struct err *e)
{
	l->state = STORE_LINK_KEPT;
	l->end_ms = link_end_when_over(l->series, l->end_ms, live->now_ms);
	if (store_link_save(live->store, l, e) != 0)
		return -1;
	return live_audit(live, l, "delete", "kept", "kept by an operator", e);
}

static const struct action {
	const char *name;
	bool follows; /* sync does it, so the mailbox has to be followed */
	const char *told; /* what then becomes of the conversation */
	int (*act)(struct live *live, struct store_link *l, struct err *e);
} actions[] = {
    {"release", true, "will be deleted, if the guard finds nothing against it",
	release_held},
    {"drop", false, "is kept", drop_held},
};

enum { ACTION_COUNT = sizeof(actions) / sizeof(actions[0]) };

static int
not_held(const char *conversation)
{
	ctl_say("no deletion of %s is held", conversation);
	return CTL_FAILED;
}

/* What nobody would do: 1 and a word about it. -1 and *e set. */
static int
nobody_follows(struct live *live, const struct action *action,
    const struct store_link *l, struct err *e)
{
	struct store_mailbox m = {0};
	int rc = action->follows
	    ? store_mailbox_find(live->store, l->tenant, l->user, &m, e)
	    : 0;

	if (rc != 1)
		return rc;
	if (m.state != STORE_MAILBOX_UNFOLLOWED)
		return 0;
	ctl_say("%s: mailbox %s/%s is not followed (%s): resume it first, or "
		"drop the deletion",
	    l->conversation, l->tenant, l->user, m.reason);
	return 1;
}

static int
act_on_one(
    struct live *live, const struct action *action, const char *conversation)
{
	struct store_link l;
	struct err e = {0};
	int rc = store_link_find(live->store, conversation, &l, &e);
	int code;

	if (rc < 0)
		return live_fail("find the link", &e);
	if (rc == 0)
		return not_held(conversation);
	code = live_begin_idle(live, l.tenant, l.user);
	if (code != CTL_DONE)
		return code;
	/* Once more, now that nobody else writes. */
	rc = store_link_find(live->store, conversation, &l, &e);
	if (rc == 1 && l.state != STORE_LINK_HELD)
		rc = 0;
	if (rc == 0) {
		store_rollback(live->store);
		return not_held(conversation);
	}
	if (rc == 1) {
		int idle = nobody_follows(live, action, &l, &e);

		if (idle == 1) {
			store_rollback(live->store);
			return CTL_FAILED;
		}
		rc = idle < 0 ? -1 : 1;
	}
	code = live_end(
	    live, rc < 0 ? -1 : action->act(live, &l, &e), action->name, &e);
	if (code == CTL_DONE)
		printf("%s %s\n", conversation, action->told);
	return code;
}

struct act_arg {
	struct live *live;
	const struct selection *request;
	const struct action *action;
	int count;
	int code;
};

/* Every one is tried; the worst outcome counts. */
static int
act_on_link(const struct store_link *l, void *arg)
{
	struct act_arg *a = arg;
	int code;

	if (!is_asked_for(a->request, l))
		return 0;
	code = act_on_one(a->live, a->action, l->conversation);
	a->code = code > a->code ? code : a->code;
	a->count++;
	return 0;
}

static int
act_on_all(
    struct live *live, const struct selection *r, const struct action *action)
{
	struct act_arg a = {.live = live, .request = r, .action = action};
	struct err e = {0};

	if (store_link_each(live->store, NULL, NULL, act_on_link, &a, &e) != 0)
		return live_fail("read the links", &e);
	if (a.count == 0)
		puts("no deletion is held");
	return a.code;
}

static int
note_held(const struct store_link *l, void *arg)
{
	bool *any = arg;

	*any = l->state == STORE_LINK_HELD;
	return *any ? 1 : 0;
}

/* With the last one the reason for the alarm is gone. */
static int
end_alarm(struct live *live)
{
	struct err e = {0};
	bool any = false;

	if (store_link_each(live->store, NULL, NULL, note_held, &any, &e) !=
		0 ||
	    (!any &&
		store_fact_remove(live->store, "degraded:deletions", &e) != 0))
		return live_fail("end the alarm", &e);
	return CTL_DONE;
}

static int
act(struct ctl *ctl, const struct selection *r, const struct action *action,
    const char **words, int count)
{
	struct live live;
	int code;
	int last;

	if (r->json)
		return ctl_misuse(ctl, "--json is for list");
	if (!r->all && (r->tenant != NULL || r->user != NULL))
		return ctl_misuse(ctl, "--tenant and --user go with --all");
	if (r->all == (count > 0))
		return ctl_misuse(ctl,
		    "deletion %s needs conversations or --all", action->name);
	code = live_open(ctl, 0, &live);
	if (code != CTL_DONE)
		return code;
	if (r->all)
		code = act_on_all(&live, r, action);
	for (int i = 0; i < count; i++) {
		int one = act_on_one(&live, action, words[i]);

		code = one > code ? one : code;
	}
	last = end_alarm(&live);
	live_wake(&live);
	live_close(&live);
	return last > code ? last : code;
}

static int
run_list(struct ctl *ctl, const struct selection *r, int count)
{
	struct live live;
	int code;

	if (count > 0 || r->all)
		return ctl_misuse(ctl, "list takes no conversation");
	code = live_open(ctl, STORE_READ_ONLY, &live);
	if (code != CTL_DONE)
		return code;
	code = list(&live, r);
	live_close(&live);
	return code;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	struct selection r;
	const char *words[WORDS_MAX];
	int code = CTL_DONE;
	int count = selection_parse(ctl, "deletion needs list, release or drop",
	    argc, argv, &r, words, WORDS_MAX, &code);

	if (count < 0)
		return code;
	if (strcmp(words[0], "list") == 0) {
		code = run_list(ctl, &r, count - 1);
		return code != CTL_DONE ? code : ctl_finish();
	}
	for (int i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(words[0], actions[i].name) != 0)
			continue;
		code = act(ctl, &r, &actions[i], words + 1, count - 1);
		return code != CTL_DONE ? code : ctl_finish();
	}
	return ctl_misuse(ctl, "deletion has no action %s", words[0]);
}

const struct ctl_command ctl_deletion = {
    .name = "deletion",
    .usage = "list [--json] [--tenant T] [--user U]\n"
	     "release CONVERSATION...\n"
	     "release --all [--tenant T] [--user U]\n"
	     "drop CONVERSATION...\n"
	     "drop --all [--tenant T] [--user U]",
    .summary = "Lists the deletions that are held, lets them pass or keeps "
	       "the conversations",
    .run = run,
};
