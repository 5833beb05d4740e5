/* ctl/dead.c - outlook-addinctl dead: work that was given up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "live.h"

enum { OUTPUT_MAX = 1 << 20, IDS_MAX = 100 };

static int
list_one(const struct store_dead *d, void *arg)
{
	struct listing *rows = arg;
	struct buf line;

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
list(struct ctl *ctl, bool json)
{
	struct listing rows;
	struct live live;
	struct err e = {0};
	int code = live_open(ctl, STORE_READ_ONLY, &live);

	if (code != CTL_DONE)
		return code;
	listing_begin(&rows, json);
	if (store_dead_each(live.store, list_one, &rows, &e) != 0)
		code = live_fail("read the dead letters", &e);
	listing_end(&rows);
	live_close(&live);
	return code;
}

static int
unknown(int64_t id)
{
	ctl_say("there is no dead letter %" PRId64, id);
	return CTL_FAILED;
}

static int
show(struct live *live, int64_t id)
{
	struct store_dead d;
	struct err e = {0};
	struct buf out;
	int rc = store_dead_find(live->store, id, &d, &e);

	if (rc <= 0)
		return rc < 0 ? live_fail("read the dead letter", &e)
			      : unknown(id);
	buf_init(&out, OUTPUT_MAX);
	buf_printf(&out, "id          %" PRId64 "\nkind        %s\n", d.id,
	    live_kind_name(d.work.kind));
	buf_printf(&out, "tenant      %s\nuser        %s\nevent       ",
	    d.work.tenant, d.work.user);
	live_add_text(&out, d.work.event);
	buf_puts(&out, "\nfirst seen  ");
	live_add_time(&out, d.work.first_seen_ms);
	buf_puts(&out, "\ngiven up    ");
	live_add_time(&out, d.died_ms);
	buf_printf(&out, "\nattempts    %d\ncrashes     %d\nreason      ",
	    d.work.attempts, d.work.crashes);
	live_add_text(&out, d.reason);
	printf("%s\n", buf_text(&out));
	buf_clear(&out);
	return CTL_DONE;
}

static int
replay(struct live *live, int64_t id)
{
	struct err e = {0};
	int rc = store_dead_replay(live->store, id, live->now_ms, &e);

	if (rc == 1)
		printf("%" PRId64 " is back in the queue\n", id);
	return rc == 1 ? CTL_DONE
	    : rc == 0  ? unknown(id)
		       : live_fail("replay", &e);
}

static int
drop(struct live *live, int64_t id)
{
	struct err e = {0};
	int rc = store_dead_drop(live->store, id, &e);

	if (rc == 1)
		printf("%" PRId64 " is dropped\n", id);
	return rc == 1 ? CTL_DONE
	    : rc == 0  ? unknown(id)
		       : live_fail("drop", &e);
}

static const struct {
	const char *name;
	unsigned flags;
	int (*act)(struct live *live, int64_t id);
} actions[] = {
    {"show", STORE_READ_ONLY, show},
    {"replay", 0, replay},
    {"drop", 0, drop},
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

/* Every id is tried; the worst outcome counts. */
static int
act_on(struct ctl *ctl, int action, const char **words, int count)
{
	int64_t ids[IDS_MAX];
	struct live live;
	int code;

	if (count == 0)
		return ctl_misuse(
		    ctl, "dead %s needs an id", actions[action].name);
	for (int i = 0; i < count; i++) {
		if (parse_id(words[i], &ids[i]) != 0)
			return ctl_misuse(
			    ctl, "%s is not the id of a dead letter", words[i]);
	}
	code = live_open(ctl, actions[action].flags, &live);
	if (code != CTL_DONE)
		return code;
	for (int i = 0; i < count; i++) {
		int one = actions[action].act(&live, ids[i]);

		code = one > code ? one : code;
	}
	if (actions[action].act == replay)
		live_wake(&live);
	live_close(&live);
	return code;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	bool json = false;
	const struct ctl_option opts[] = {
	    {"--json", NULL, &json},
	    {NULL, NULL, NULL},
	};
	const char *words[IDS_MAX + 1];
	int code = CTL_DONE;
	int count = ctl_parse(ctl, opts, argc, argv, words, IDS_MAX + 1, &code);

	if (count < 0)
		return code;
	if (count == 0)
		return ctl_misuse(ctl, "dead needs list, show, replay or drop");
	if (strcmp(words[0], "list") == 0) {
		if (count > 1)
			return ctl_misuse(
			    ctl, "unexpected argument %s", words[1]);
		code = list(ctl, json);
		return code != CTL_DONE ? code : ctl_finish();
	}
	if (json)
		return ctl_misuse(ctl, "--json is for list");
	for (int i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(words[0], actions[i].name) != 0)
			continue;
		code = act_on(ctl, i, words + 1, count - 1);
		return code != CTL_DONE ? code : ctl_finish();
	}
	return ctl_misuse(ctl, "dead has no action %s", words[0]);
}

const struct ctl_command ctl_dead = {
    .name = "dead",
    .usage = "list [--json]\nshow ID...\nreplay ID...\ndrop ID...",
    .summary = "Lists work that was given up, puts it back or drops it",
    .run = run,
};
