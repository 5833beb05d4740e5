/* ctl/live.c - see live.h. */
#include "live.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/when.h"
#include "port/wake.h"
#include "rule/catchup.h"

enum { LOCK_WAIT_MS = 10000, IDLE_WAIT_MS = 5000, IDLE_PAUSE_MS = 50 };

int
live_open(struct ctl *ctl, unsigned flags, struct live *out)
{
	struct err e = {0};
	int code;

	*out = (struct live){.now_ms = clock_wall_ms()};
	ctl->quiet = true;
	code = ctl_load(ctl, CONFIG_ROLE_WEB, &out->config);
	if (code != CTL_DONE)
		return code;
	out->store = store_open(
	    out->config.database, flags, LOCK_WAIT_MS, out->now_ms, &e);
	if (out->store != NULL)
		return CTL_DONE;
	if (e.code == ERR_GONE)
		ctl_say("there is no store at %s: has outlook-addin-fcgi been "
			"started with this configuration?",
		    out->config.database);
	code = e.code == ERR_GONE ? CTL_FAILED : live_fail("open", &e);
	config_clear(&out->config);
	return code;
}

void
live_close(struct live *live)
{
	store_close(live->store);
	config_clear(&live->config);
}

void
live_wake(const struct live *live)
{
	struct err e = {0};
	int fd = wake_open(&e);

	/* Without it sync looks by itself, only later. */
	if (fd < 0)
		return;
	wake_send(fd, live->config.wake_path);
	close(fd);
}

int
live_fail(const char *what, const struct err *e)
{
	ctl_say("store: %s: %s", what, e->text);
	return e->code == ERR_NEWER || e->code == ERR_CONFIG ? CTL_USAGE
							     : CTL_FAILED;
}

static int
note_progress(const struct store_work *w, bool in_progress, void *arg)
{
	bool *busy = arg;

	(void)w;
	*busy = in_progress;
	return in_progress ? 1 : 0;
}

/* 1, 0, -1. Rows that a dead sync has left behind do not count. */
static int
sync_is_at_work(
    struct live *live, const char *tenant, const char *user, struct err *e)
{
	int64_t at_ms = 0;
	bool busy = false;

	if (store_fact_get(live->store, "sync-heartbeat", NULL, 0, &at_ms, e) <
	    0)
		return -1;
	if (!catchup_is_alive(at_ms, clock_wall_ms()))
		return 0;
	if (store_work_each(
		live->store, tenant, user, note_progress, &busy, e) != 0)
		return -1;
	return busy ? 1 : 0;
}

int
live_begin_idle(struct live *live, const char *tenant, const char *user)
{
	int64_t end_ms = clock_mono_ms() + IDLE_WAIT_MS;
	struct err e = {0};

	for (;;) {
		int busy;

		if (store_begin(live->store, &e) != 0)
			return live_fail("begin", &e);
		busy = sync_is_at_work(live, tenant, user, &e);
		if (busy == 0)
			return CTL_DONE;
		store_rollback(live->store);
		if (busy < 0)
			return live_fail("read the queue", &e);
		if (clock_mono_ms() >= end_ms)
			break;
		clock_pause_ms(IDLE_PAUSE_MS);
	}
	ctl_say("sync is at work on %s/%s just now: try again", tenant, user);
	return CTL_FAILED;
}

int
live_end(struct live *live, int rc, const char *what, struct err *e)
{
	if (rc != 0)
		store_rollback(live->store);
	else
		rc = store_commit(live->store, e);
	return rc != 0 ? live_fail(what, e) : CTL_DONE;
}

int
live_audit(struct live *live, const struct store_link *about,
    const char *action, const char *outcome, const char *detail, struct err *e)
{
	const struct store_audit a = {
	    .at_ms = live->now_ms,
	    .tenant = about->tenant,
	    .user = about->user,
	    .event = about->event,
	    .conversation = about->conversation,
	    .action = action,
	    .outcome = outcome,
	    .detail = detail,
	};

	return store_audit_add(live->store, &a, e);
}

struct by_name {
	const char *tenant;
	const char *upn;
	struct store_mailbox *out;
	int found;
};

static int
match_name(const struct store_mailbox *m, void *arg)
{
	struct by_name *want = arg;

	if (strcmp(m->tenant, want->tenant) != 0 ||
	    strcasecmp(m->upn, want->upn) != 0)
		return 0;
	*want->out = *m;
	want->found++;
	return 0;
}

int
live_mailbox(struct ctl *ctl, struct live *live, const char *tenant,
    const char *user, struct store_mailbox *out)
{
	char tenant_id[37], user_id[37];
	struct by_name want = {.tenant = tenant_id, .upn = user, .out = out};
	struct err e = {0};
	int rc;

	if (tenant == NULL || user == NULL)
		return ctl_misuse(ctl, "--tenant and --user are needed");
	if (!text_guid_lower(tenant_id, tenant))
		return ctl_misuse(ctl, "--tenant takes a GUID");
	if (text_guid_lower(user_id, user)) {
		rc = store_mailbox_find(
		    live->store, tenant_id, user_id, out, &e);
	} else {
		rc = store_mailbox_each(live->store, match_name, &want, &e);
		if (rc == 0)
			rc = want.found;
	}
	if (rc < 0)
		return live_fail("find the mailbox", &e);
	if (rc == 1)
		return CTL_DONE;
	ctl_say(rc == 0 ? "this mailbox is not known here"
			: "several mailboxes have that name: give the object "
			  "id");
	return CTL_FAILED;
}

void
live_add_text(struct buf *out, const char *text)
{
	buf_json_escape(out, text, strlen(text));
}

void
live_add_time(struct buf *out, int64_t ms)
{
	char text[WHEN_TEXT_MAX] = "-";

	if (ms > 0)
		when_format_iso(ms, false, text);
	buf_puts(out, text);
}

const char *
live_kind_name(enum store_kind kind)
{
	switch (kind) {
	case STORE_WORK_EVENT:
		return "event";
	case STORE_WORK_FOLLOW:
		return "follow";
	case STORE_WORK_SEARCH:
		return "search";
	case STORE_WORK_CATCHUP:
		return "catch-up";
	case STORE_WORK_LINK:
		return "conversation";
	case STORE_WORK_KEYS:
		return "keys";
	case STORE_KIND_COUNT:
		break;
	}
	return "unknown";
}

const char *
live_state_name(enum store_mailbox_state state)
{
	switch (state) {
	case STORE_MAILBOX_FOLLOWED:
		return "followed";
	case STORE_MAILBOX_PARKED:
		return "parked";
	case STORE_MAILBOX_UNFOLLOWED:
		return "unfollowed";
	}
	return "unknown";
}

const char *
live_link_name(enum store_link_state state)
{
	static const char *const names[STORE_LINK_STATE_COUNT] = {
	    [STORE_LINK_ANNOUNCED] = "announced",
	    [STORE_LINK_LINKED] = "linked",
	    [STORE_LINK_GONE] = "gone",
	    [STORE_LINK_HELD] = "held",
	    [STORE_LINK_FOREIGN] = "foreign",
	    [STORE_LINK_ENDED] = "ended",
	    [STORE_LINK_KEPT] = "kept",
	    [STORE_LINK_DELETED] = "deleted",
	    [STORE_LINK_UNCONFIRMED] = "unconfirmed",
	    [STORE_LINK_ENDED_EARLY] = "ended-early",
	};

	return (unsigned)state < STORE_LINK_STATE_COUNT ? names[state]
							: "unknown";
}
