/* fcgi/web_health.c - /live, /ready and /metrics. */
#include <string.h>

#include "base/clock.h"
#include "base/when.h"
#include "sync/expiry.h"
#include "web.h"
#include "web_commit.h"
#include "web_worker.h"

enum { HEALTH_BODY_MAX = 64 << 10 };

static bool
health_is_read(const struct request *r, struct reply *reply)
{
	if (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0)
		return true;
	reply_error(reply, 405, "method-not-allowed", "only GET is answered");
	reply->headers = "Allow: GET, HEAD\r\n";
	return false;
}

struct job *
web_live(struct web *w, const struct request *r, const char *arg,
    struct reply *reply)
{
	struct buf body;

	(void)w;
	(void)arg;
	if (!health_is_read(r, reply))
		return NULL;
	buf_init(&body, HEALTH_BODY_MAX);
	buf_puts(&body, "{\"status\":\"ok\"}");
	reply_json_owned(reply, 200, buf_take(&body));
	return NULL;
}

/* ,"details":{reason: text} where there is one. */
static void
health_write_details(struct buf *body, const struct commit_state *state)
{
	const char *sep = ",\"details\":{\"";

	for (int i = 0; i < state->reason_count; i++) {
		const char *reason = state->reasons[i];
		const char *detail = state->details[i];

		if (detail[0] == '\0')
			continue;
		buf_puts(body, sep);
		buf_json_escape(body, reason, strlen(reason));
		buf_puts(body, "\":\"");
		buf_json_escape(body, detail, strlen(detail));
		sep = "\",\"";
	}
	if (sep[0] == '"')
		buf_puts(body, "\"}");
}

/* ,"credentialExpires": when that is near. Nothing is wrong yet, so it is no
 * reason to be called degraded. */
static void
health_write_expiry(struct buf *body, int64_t ends_ms)
{
	char when[WHEN_TEXT_MAX];

	if (!expiry_is_near(ends_ms, clock_wall_ms()))
		return;
	when_format_iso(ends_ms, false, when);
	buf_printf(body, ",\"credentialExpires\":\"%s\"", when);
}

static void
health_write(
    struct buf *body, const char *status, const struct commit_state *state)
{
	buf_printf(body, "{\"status\":\"%s\",\"degraded\":[", status);
	for (int i = 0; i < state->reason_count; i++) {
		const char *reason = state->reasons[i];

		buf_puts(body, i > 0 ? ",\"" : "\"");
		buf_json_escape(body, reason, strlen(reason));
		buf_puts(body, "\"");
	}
	buf_putc(body, ']');
	health_write_details(body, state);
	health_write_expiry(body, state->credential_ends_ms);
	buf_putc(body, '}');
}

/*
 * 503 only where nginx should not send requests here: unready would take the
 * static add-in and the handshake away, so everything else is 200 with the
 * reasons.
 */
struct job *
web_ready(struct web *w, const struct request *r, const char *arg,
    struct reply *reply)
{
	struct commit_state state;
	const char *status = "ok";
	struct buf body;

	(void)arg;
	if (!health_is_read(r, reply))
		return NULL;
	commit_state(w->commit, &state);
	if (w->draining)
		status = "draining";
	else if (!state.tried)
		status = "starting";
	else if (state.reason_count > 0)
		status = "degraded";
	buf_init(&body, HEALTH_BODY_MAX);
	health_write(&body, status, &state);
	reply_json_owned(
	    reply, w->draining || !state.tried ? 503 : 200, buf_take(&body));
	return NULL;
}

/* Its gauges come from the store; see worker_metrics(). */
struct job *
web_metrics(struct web *w, const struct request *r, const char *arg,
    struct reply *reply)
{
	(void)w;
	(void)arg;
	return health_is_read(r, reply) ? job_new(JOB_METRICS, r->id) : NULL;
}
