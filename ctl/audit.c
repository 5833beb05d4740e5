/* ctl/audit.c - outlook-addinctl audit: what was done, and why not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/when.h"
#include "listing.h"
#include "live.h"

enum { LINE_MAX_BYTES = 1 << 16 };

static int
list_one(const struct store_audit *a, void *arg)
{
	struct listing *rows = arg;
	struct buf line;

	if (rows->json)
		return listing_add_json(rows,
		    json_pack("{s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "time",
			listing_time(a->at_ms), "action", a->action, "outcome",
			a->outcome, "tenant", a->tenant, "user", a->user,
			"event", a->event, "conversation", a->conversation,
			"detail", a->detail));
	buf_init(&line, LINE_MAX_BYTES);
	live_add_time(&line, a->at_ms);
	buf_puts(&line, "  ");
	live_add_text(&line, a->action);
	buf_putc(&line, ' ');
	live_add_text(&line, a->outcome);
	buf_printf(&line, "  %s/%s  ", a->tenant[0] == '\0' ? "-" : a->tenant,
	    a->user[0] == '\0' ? "-" : a->user);
	live_add_text(
	    &line, a->conversation[0] == '\0' ? "-" : a->conversation);
	if (a->detail[0] != '\0') {
		buf_puts(&line, "  ");
		live_add_text(&line, a->detail);
	}
	return listing_add_line(rows, &line);
}

static int
list(struct live *live, int64_t since_ms, bool json)
{
	struct listing rows;
	struct err e = {0};
	int rc;

	listing_begin(&rows, json);
	rc = store_audit_each(live->store, since_ms, list_one, &rows, &e);
	listing_end(&rows);
	return rc != 0 ? live_fail("read the audit records", &e) : CTL_DONE;
}

/* "90m", "36h", "7d" before now, a day, or a time. */
static bool
parse_since(const char *text, int64_t now_ms, int64_t *out_ms)
{
	static const char units[] = "mhd";
	static const int64_t minutes[] = {1, 60, 24 * 60};
	size_t digits = strspn(text, "0123456789");
	const char *unit =
	    text[digits] == '\0' ? NULL : strchr(units, text[digits]);
	char day[WHEN_TEXT_MAX];

	if (digits > 0 && digits <= 6 && unit != NULL &&
	    text[digits + 1] == '\0') {
		*out_ms = now_ms -
		    strtoll(text, NULL, 10) * minutes[unit - units] * 60000;
		return true;
	}
	if (when_parse_iso(text, true, out_ms) == 0)
		return true;
	if (strlen(text) != strlen("2026-11-23"))
		return false;
	snprintf(day, sizeof(day), "%sT00:00:00Z", text);
	return when_parse_iso(day, false, out_ms) == 0;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *action = NULL, *since = NULL;
	bool json = false;
	const struct ctl_option opts[] = {
	    {"--since", &since, NULL},
	    {"--json", NULL, &json},
	    {NULL, NULL, NULL},
	};
	int64_t since_ms = 0;
	int code = CTL_DONE;
	struct live live;
	int count = ctl_parse(ctl, opts, argc, argv, &action, 1, &code);

	if (count < 0)
		return code;
	if (count == 0 || strcmp(action, "list") != 0)
		return ctl_misuse(ctl, "audit needs list");
	if (since != NULL && !parse_since(since, clock_wall_ms(), &since_ms))
		return ctl_misuse(ctl,
		    "--since takes a time (2026-11-23, 2026-11-23T08:00:00Z) "
		    "or an age (90m, 36h, 7d)");
	code = live_open(ctl, STORE_READ_ONLY, &live);
	if (code != CTL_DONE)
		return code;
	code = list(&live, since_ms, json);
	live_close(&live);
	return code != CTL_DONE ? code : ctl_finish();
}

const struct ctl_command ctl_audit = {
    .name = "audit",
    .usage = "list [--since TIME] [--json]",
    .summary = "Lists what was done to conversations, and what was refused",
    .run = run,
};
