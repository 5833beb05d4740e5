/* ctl/status.c - outlook-addinctl status: how is everything? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "live.h"
#include "status_doc.h"

enum { OUTPUT_MAX = 64 << 20 };

static const char *
text_of(const json_t *o, const char *key)
{
	const char *text = json_str(o, key);

	return text == NULL ? "-" : text;
}

static void
add_degraded(struct buf *out, const json_t *doc)
{
	const json_t *list = json_arr(doc, "degraded");
	size_t n = json_array_size(list);

	buf_printf(
	    out, "state          %s\n", n == 0 ? "in order" : "DEGRADED");
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(list, i);

		buf_puts(out, "  ");
		live_add_text(out, text_of(one, "reason"));
		buf_puts(out, ": ");
		live_add_text(out, text_of(one, "message"));
		if (json_str(one, "since") != NULL)
			buf_printf(out, " (since %s)", json_str(one, "since"));
		buf_putc(out, '\n');
	}
}

static void
add_programs(struct buf *out, const json_t *doc)
{
	const json_t *sync = json_obj(doc, "sync");
	const json_t *renew = json_obj(doc, "renew");
	int64_t failed = json_int(json_obj(renew, "figures"), "failed", 0);

	buf_printf(out, "sync           %s, last seen %s\n",
	    !json_flag(sync, "enabled", false)    ? "disabled"
		: json_flag(sync, "alive", false) ? "alive"
						  : "silent",
	    text_of(sync, "heartbeat"));
	buf_printf(out, "renewal        last run %s, last success %s",
	    text_of(renew, "lastRun"), text_of(renew, "lastSuccess"));
	if (failed > 0)
		buf_printf(out, ", failures: %lld", (long long)failed);
	buf_putc(out, '\n');
}

static void
add_sign_in(struct buf *out, const json_t *doc)
{
	const json_t *sign_in = json_obj(doc, "signIn");
	const json_t *refused = json_arr(sign_in, "refused");

	buf_printf(out, "sign-in        by %s", text_of(sign_in, "kind"));
	if (json_str(sign_in, "expires") != NULL)
		buf_printf(out, ", expires %s", json_str(sign_in, "expires"));
	buf_puts(out,
	    json_flag(sign_in, "nearExpiry", false) ? ": REPLACE it soon\n"
						    : "\n");
	for (size_t i = 0; i < json_array_size(refused); i++) {
		const json_t *one = json_array_get(refused, i);
		const char *tenant = json_str(one, "tenant");

		buf_printf(out, "  refused %s%s since %s: ",
		    tenant == NULL ? "by the gateway" : "for tenant ",
		    tenant == NULL ? "" : tenant, text_of(one, "since"));
		live_add_text(out, text_of(one, "message"));
		buf_putc(out, '\n');
	}
}

/* What stops the writes to Unblu is a decision, not a fault; but nobody shall
 * overlook it. */
static void
add_writes(struct buf *out, const json_t *doc)
{
	const json_t *writes = json_obj(doc, "writes");
	const json_t *paused = json_arr(writes, "paused");

	if (json_flag(writes, "dryRun", false))
		buf_puts(out,
		    "writes         DRY RUN (syncServerDryRun): nothing is "
		    "written to Unblu\n");
	for (size_t i = 0; i < json_array_size(paused); i++) {
		const json_t *one = json_array_get(paused, i);
		const char *tenant = json_str(one, "tenant");

		buf_printf(out, "writes         PAUSED for %s%s since %s",
		    tenant == NULL ? "all tenants" : "tenant ",
		    tenant == NULL ? "" : tenant, text_of(one, "since"));
		if (text_of(one, "reason")[0] != '\0') {
			buf_puts(out, ": ");
			live_add_text(out, text_of(one, "reason"));
		}
		buf_putc(out, '\n');
	}
}

static void
add_counts(struct buf *out, const json_t *doc)
{
	const json_t *queue = json_obj(doc, "queue");
	const json_t *subs = json_obj(doc, "subscriptions");

	buf_printf(out,
	    "queue          %" PRId64 " rows: %" PRId64 " in progress, %" PRId64
	    " wait after a failure, %" PRId64
	    " scheduled for later; oldest %" PRId64 " s\n",
	    json_int(queue, "rows", 0), json_int(queue, "inProgress", 0),
	    json_int(queue, "waiting", 0), json_int(queue, "scheduled", 0),
	    json_int(queue, "oldestSeconds", 0));
	if (json_str(queue, "reason") != NULL) {
		buf_puts(out, "  one waits because of: ");
		live_add_text(out, json_str(queue, "reason"));
		buf_putc(out, '\n');
	}
	buf_printf(out, "dead letters   %" PRId64 "\n",
	    json_int(doc, "deadLetters", 0));
	buf_printf(out,
	    "subscriptions  %" PRId64 " active, %" PRId64 " pending, %" PRId64
	    " expired, nearest expiry %s\n",
	    json_int(subs, "active", 0), json_int(subs, "pending", 0),
	    json_int(subs, "expired", 0), text_of(subs, "nearestExpiry"));
}

static void
add_links(struct buf *out, const json_t *doc)
{
	json_t *links = json_obj(doc, "links");
	const char *sep = "";
	const char *key;
	json_t *value;

	buf_puts(out, "links          ");
	json_object_foreach(links, key, value)
	{
		if (json_integer_value(value) == 0)
			continue;
		buf_printf(out, "%s%" PRId64 " %s", sep,
		    (int64_t)json_integer_value(value), key);
		sep = ", ";
	}
	buf_puts(out, sep[0] == '\0' ? "none\n" : "\n");
}

static void
add_mailboxes(struct buf *out, const json_t *doc)
{
	const json_t *list = json_arr(doc, "mailboxes");
	size_t parked = 0, followed = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *state = text_of(json_array_get(list, i), "state");

		parked += strcmp(state, "parked") == 0;
		followed += strcmp(state, "followed") == 0;
	}
	buf_printf(out, "mailboxes      %zu followed, %zu parked, %zu in all\n",
	    followed, parked, json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *m = json_array_get(list, i);

		if (strcmp(text_of(m, "state"), "parked") != 0)
			continue;
		buf_printf(out, "  parked %s/%s ", text_of(m, "tenant"),
		    text_of(m, "user"));
		live_add_text(out, text_of(m, "upn"));
		buf_puts(out, ": ");
		live_add_text(out, text_of(m, "reason"));
		buf_putc(out, '\n');
	}
}

static void
print_text(const json_t *doc)
{
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	add_degraded(&out, doc);
	add_programs(&out, doc);
	add_sign_in(&out, doc);
	add_writes(&out, doc);
	add_counts(&out, doc);
	add_links(&out, doc);
	add_mailboxes(&out, doc);
	fputs(buf_text(&out), stdout);
	buf_clear(&out);
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	bool json = false;
	const struct ctl_option opts[] = {
	    {"--json", NULL, &json},
	    {NULL, NULL, NULL},
	};
	struct live live;
	struct err e = {0};
	json_t *doc = NULL;
	int code = CTL_DONE;

	if (ctl_parse(ctl, opts, argc, argv, NULL, 0, &code) < 0)
		return code;
	code = live_open(ctl, STORE_READ_ONLY, &live);
	if (code != CTL_DONE)
		return code;
	doc = status_doc(&live, &e);
	if (doc == NULL) {
		code = live_fail("read", &e);
	} else if (json) {
		json_dumpf(doc, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_text(doc);
	}
	if (json_array_size(json_arr(doc, "degraded")) > 0)
		code = CTL_FAILED;
	json_decref(doc);
	live_close(&live);
	return code != CTL_DONE ? code : ctl_finish();
}

const struct ctl_command ctl_status = {
    .name = "status",
    .usage = "[--json]",
    .summary = "Tells how everything is; exit status 1 when degraded",
    .run = run,
};
