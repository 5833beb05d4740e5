/* ctl/dead.c - outlook-addinctl dead: work that was given up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "listing.h"
#include "live.h"
#include "selection.h"

enum { OUTPUT_MAX = 1 << 20, IDS_MAX = 100, PAGE = 100 };

struct listed {
	const struct selection *r;
	struct listing rows;
};

static bool
is_wanted(const struct selection *r, const struct store_dead *d)
{
	return selection_has(r, d->work.tenant, d->work.user);
}

static int
list_one(const struct store_dead *d, void *arg)
{
	struct listed *list = arg;
	struct listing *rows = &list->rows;
	struct buf line;

	if (!is_wanted(list->r, d))
		return 0;
	if (rows->json)
		return listing_add_json(rows,
		    json_pack("{s:I,s:o,s:s,s:s,s:s,s:s,s:i,s:s}", "id",
			(json_int_t)d->id, "died", listing_time(d->died_ms),
			"kind", live_kind_name(d->work.kind), "tenant",
			d->work.tenant, "user", d->work.user, "event",
			d->work.event, "attempts", d->work.attempts, "reason",
			d->reason));
	buf_init(&line, OUTPUT_MAX);
	buf_printf(&line, "%" PRId64 "  ", d->id);
	live_add_time(&line, d->died_ms);
	buf_printf(&line, "  %s  %s/%s  ", live_kind_name(d->work.kind),
	    d->work.tenant, d->work.user);
	live_add_text(&line, d->reason);
	return listing_add_line(rows, &line);
}

static int
list(struct ctl *ctl, const struct selection *r)
{
	struct listed list = {.r = r};
	struct live live;
	struct err e = {0};
	int code = live_open(ctl, STORE_READ_ONLY, &live);

	if (code != CTL_DONE)
		return code;
	listing_begin(&list.rows, r->json);
	if (store_dead_each(live.store, list_one, &list, &e) != 0)
		code = live_fail("read the dead letters", &e);
	listing_end(&list.rows);
	live_close(&live);
	return code;
}

static int
unknown(int64_t id)
{
	ctl_say("there is no dead letter %" PRId64, id);
	return CTL_FAILED;
}

/* The conversation that the work was about, "" when none is known. */
static void
find_conversation(
    struct live *live, const struct store_dead *d, char out[STORE_ID_MAX])
{
	struct store_link link = {.state = STORE_LINK_ANNOUNCED};

	if (d->work.kind == STORE_WORK_LINK)
		text_copy(link.conversation, sizeof(link.conversation),
		    d->work.event);
	else if (d->work.kind == STORE_WORK_EVENT)
		store_link_by_event(live->store, d->work.tenant, d->work.user,
		    d->work.event, &link, NULL);
	text_copy(out, STORE_ID_MAX, link.conversation);
}

static void
print_text(const struct store_dead *d, const char *conversation)
{
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	buf_printf(&out, "id            %" PRId64 "\nkind          %s\n", d->id,
	    live_kind_name(d->work.kind));
	buf_printf(&out, "tenant        %s\nuser          %s\n", d->work.tenant,
	    d->work.user);
	buf_puts(&out, "event         ");
	live_add_text(&out, d->work.event[0] != '\0' ? d->work.event : "-");
	buf_puts(&out, "\nconversation  ");
	live_add_text(&out, conversation[0] != '\0' ? conversation : "-");
	buf_puts(&out, "\nfirst seen    ");
	live_add_time(&out, d->work.first_seen_ms);
	buf_puts(&out, "\ngiven up      ");
	live_add_time(&out, d->died_ms);
	buf_printf(&out, "\nattempts      %d\ncrashes       %d\n",
	    d->work.attempts, d->work.crashes);
	buf_puts(&out, "reason        ");
	live_add_text(&out, d->reason);
	printf("%s\n", buf_text(&out));
	buf_clear(&out);
}

static int
print_json(const struct store_dead *d, const char *conversation)
{
	json_t *doc = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:i,s:i,s:s}",
	    "id", (json_int_t)d->id, "kind", live_kind_name(d->work.kind),
	    "tenant", d->work.tenant, "user", d->work.user, "event",
	    d->work.event, "conversation", conversation, "firstSeen",
	    listing_time(d->work.first_seen_ms), "died",
	    listing_time(d->died_ms), "attempts", d->work.attempts, "crashes",
	    d->work.crashes, "reason", d->reason);
	char *text = doc == NULL ? NULL : json_dumps(doc, JSON_COMPACT);

	if (text != NULL)
		puts(text);
	json_decref(doc);
	free(text);
	return text != NULL ? CTL_DONE : CTL_FAILED;
}

static int
show(struct live *live, const struct selection *r, int64_t id)
{
	char conversation[STORE_ID_MAX];
	struct store_dead d;
	struct err e = {0};
	int rc = store_dead_find(live->store, id, &d, &e);

	if (rc <= 0)
		return rc < 0 ? live_fail("read the dead letter", &e)
			      : unknown(id);
	find_conversation(live, &d, conversation);
	if (r->json)
		return print_json(&d, conversation);
	print_text(&d, conversation);
	return CTL_DONE;
}

static int
replay(struct live *live, const struct selection *r, int64_t id)
{
	struct err e = {0};
	int rc = store_dead_replay(live->store, id, live->now_ms, &e);

	(void)r;
	if (rc == 1)
		printf("%" PRId64 " is back in the queue\n", id);
	return rc == 1 ? CTL_DONE
	    : rc == 0  ? unknown(id)
		       : live_fail("replay", &e);
}

static int
drop(struct live *live, const struct selection *r, int64_t id)
{
	struct err e = {0};
	int rc = store_dead_drop(live->store, id, &e);

	(void)r;
	if (rc == 1)
		printf("%" PRId64 " is dropped\n", id);
	return rc == 1 ? CTL_DONE
	    : rc == 0  ? unknown(id)
		       : live_fail("drop", &e);
}

static const struct action {
	const char *name;
	unsigned flags;
	bool reads;
	int (*act)(struct live *live, const struct selection *r, int64_t id);
} actions[] = {
    {"show", STORE_READ_ONLY, true, show},
    {"replay", 0, false, replay},
    {"drop", 0, false, drop},
};

enum { ACTION_COUNT = sizeof(actions) / sizeof(actions[0]) };

static int
parse_id(const char *text, int64_t *out)
{
	char *end;

	if (text[0] < '0' || text[0] > '9' || strlen(text) > 18)
		return -1;
	*out = strtoll(text, &end, 10);
	return *end == '\0' ? 0 : -1;
}

/* Those that there are now, a page at a time; what is buried meanwhile has a
 * higher id, and may be left. */
struct found {
	const struct selection *r;
	int64_t behind;
	int64_t ids[PAGE];
	int count;
};

static int
find_one(const struct store_dead *d, void *arg)
{
	struct found *f = arg;

	if (d->id > f->behind && is_wanted(f->r, d))
		f->ids[f->count++] = d->id;
	return f->count == PAGE ? 1 : 0;
}

static int
act_on_all(
    struct live *live, const struct selection *r, const struct action *action)
{
	struct found f = {.r = r};
	struct err e = {0};
	int code = CTL_DONE;
	int one;

	do {
		f.count = 0;
		if (store_dead_each(live->store, find_one, &f, &e) != 0)
			return live_fail("read the dead letters", &e);
		for (int i = 0; i < f.count; i++) {
			f.behind = f.ids[i];
			one = action->act(live, r, f.ids[i]);
			code = one > code ? one : code;
		}
	} while (f.count > 0);
	return code;
}

/* Every id is tried; the worst outcome counts. */
static int
act_on_ids(struct live *live, const struct selection *r,
    const struct action *action, const int64_t *ids, int count)
{
	int code = CTL_DONE;

	for (int i = 0; i < count; i++) {
		int one = action->act(live, r, ids[i]);

		code = one > code ? one : code;
	}
	return code;
}

static int
act(struct ctl *ctl, const struct selection *r, const struct action *action,
    const char **words, int count)
{
	int64_t ids[IDS_MAX];
	struct live live;
	int code;

	if (r->json && !action->reads)
		return ctl_misuse(ctl, "--json is for list and show");
	if (!r->all && (r->tenant != NULL || r->user != NULL))
		return ctl_misuse(ctl, "--tenant and --user go with --all");
	if (r->all == (count > 0))
		return ctl_misuse(
		    ctl, "dead %s needs an id or --all", action->name);
	for (int i = 0; i < count; i++) {
		if (parse_id(words[i], &ids[i]) != 0)
			return ctl_misuse(
			    ctl, "%s is not the id of a dead letter", words[i]);
	}
	code = live_open(ctl, action->flags, &live);
	if (code != CTL_DONE)
		return code;
	code = r->all ? act_on_all(&live, r, action)
		      : act_on_ids(&live, r, action, ids, count);
	if (action->act == replay)
		live_wake(&live);
	live_close(&live);
	return code;
}

static int
run_list(
    struct ctl *ctl, const struct selection *r, const char **words, int count)
{
	if (count > 0)
		return ctl_misuse(ctl, "unexpected argument %s", words[0]);
	if (r->all)
		return ctl_misuse(ctl, "list lists all");
	return list(ctl, r);
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	struct selection r;
	const char *words[IDS_MAX + 1];
	int code = CTL_DONE;
	int count =
	    selection_parse(ctl, "dead needs list, show, replay or drop", argc,
		argv, &r, words, IDS_MAX + 1, &code);

	if (count < 0)
		return code;
	if (strcmp(words[0], "list") == 0) {
		code = run_list(ctl, &r, words + 1, count - 1);
		return code != CTL_DONE ? code : ctl_finish();
	}
	for (int i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(words[0], actions[i].name) != 0)
			continue;
		code = act(ctl, &r, &actions[i], words + 1, count - 1);
		return code != CTL_DONE ? code : ctl_finish();
	}
	return ctl_misuse(ctl, "dead has no action %s", words[0]);
}

const struct ctl_command ctl_dead = {
    .name = "dead",
    .usage = "list [--json] [--tenant T] [--user U]\n"
	     "show ID... [--json]\n"
	     "replay ID...\n"
	     "replay --all [--tenant T] [--user U]\n"
	     "drop ID...\n"
	     "drop --all [--tenant T] [--user U]",
    .summary = "Lists work that was given up, puts it back or drops it",
    .run = run,
};
