/* cronjob/summary.c */
#include "summary.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/when.h"

int
summary_exit_code(const struct summary *s)
{
	if (s->err.code == ERR_NEWER || s->err.code == ERR_CONFIG)
		return 2;
	return s->err.code != ERR_NONE || s->failed != 0 ? 1 : 0;
}

void
summary_log(const struct summary *s)
{
	bool ok = summary_exit_code(s) == 0;
	char expiry[WHEN_TEXT_MAX] = "";

	if (s->nearest_expiry_ms != 0)
		when_format_iso(s->nearest_expiry_ms, false, expiry);
	log_write(ok ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
	    s->locked_out ? "renew-already-running" : "renew-done",
	    LOG_STR("message", s->err.code != ERR_NONE ? s->err.text : NULL),
	    LOG_INT("mailboxes", s->mailboxes), LOG_INT("due", s->due),
	    LOG_INT("adopted", s->adopted), LOG_INT("created", s->created),
	    LOG_INT("renewed", s->renewed), LOG_INT("recreated", s->recreated),
	    LOG_INT("removed", s->removed), LOG_INT("parked", s->parked),
	    LOG_INT("left", s->left), LOG_INT("failed", s->failed),
	    LOG_STR("nearestExpiry", expiry[0] != '\0' ? expiry : NULL),
	    LOG_BOOL("dryRun", s->dry_run), LOG_INT("ms", s->duration_ms),
	    LOG_END);
}

int
summary_store(
    const struct summary *s, struct store *store, int64_t now_ms, struct err *e)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"mailboxes\":%zu,\"due\":%zu,\"adopted\":%zu,\"created\":%zu,"
	    "\"renewed\":%zu,"
	    "\"recreated\":%zu,\"removed\":%zu,\"parked\":%zu,\"left\":%zu,"
	    "\"failed\":%zu,"
	    "\"ms\":%" PRId64 "}",
	    s->mailboxes, s->due, s->adopted, s->created, s->renewed,
	    s->recreated, s->removed, s->parked, s->left, s->failed,
	    s->duration_ms);
	if (store_begin(store, e) != 0)
		return -1;
	if (store_fact_set(store, "renew-last-run", text, now_ms, e) != 0 ||
	    (summary_exit_code(s) == 0 &&
		store_fact_set(store, "renew-last-success", "", now_ms, e) !=
		    0)) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store, e);
}
