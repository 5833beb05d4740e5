/* fcgi/web_webhook.c - Graph's handshake and notifications, as they come in.
 * What is stored of them is decided in web_batch.c. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "port/metrics.h"
#include "rule/validation.h"
#include "web.h"
#include "web_limit.h"

/* Source: change notification delivery; reliability.md section 8. The token
 * is echoed as it is: nosniff, sandbox and text/plain are what keeps a
 * browser from running it. */
static const char webhook_echo_headers[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; sandbox\r\n"
    "Cache-Control: no-store\r\n";

static void
webhook_refuse(const struct request *r, int status, const char *code,
    const char *why, struct reply *reply)
{
	static struct limit lines;
	int64_t left_out;

	reply_error(reply, status, code, why);
	if (limit_allows(&lines, clock_mono_ms(), &left_out))
		log_warning("webhook-refused", LOG_STR("requestId", r->id),
		    LOG_INT("status", status), LOG_STR("reason", why),
		    LOG_INT("bytes", (int64_t)r->body_len),
		    LOG_INT("suppressed", left_out));
}

static void
webhook_echo(
    const struct request *r, const char *token, size_t len, struct reply *reply)
{
	static struct limit lines;
	int64_t left_out;

	reply->status = 200;
	reply->type = "text/plain; charset=utf-8";
	reply->headers = webhook_echo_headers;
	reply->body = mem_strndup(token, len);
	reply->body_len = len;
	if (limit_allows(&lines, clock_mono_ms(), &left_out))
		log_info("webhook-validated", LOG_STR("requestId", r->id),
		    LOG_STR("path", r->path), LOG_INT("suppressed", left_out));
}

/* Whether the query settled the request. */
static bool
webhook_validate(const struct request *r, struct reply *reply)
{
	char token[VALIDATION_TOKEN_MAX + 1];
	const char *why;
	size_t len = 0;

	switch (validation_parse(r->query, token, &len, &why)) {
	case VALIDATION_NONE:
		return false;
	case VALIDATION_BAD:
		webhook_refuse(r, 400, "bad-validation-token", why, reply);
		return true;
	case VALIDATION_TOKEN:
		break;
	}
	webhook_echo(r, token, len, reply);
	return true;
}

static bool
webhook_is_acceptable(const struct request *r, struct reply *reply)
{
	if (strcmp(r->method, "POST") != 0) {
		webhook_refuse(r, 405, "method-not-allowed",
		    "only POST is answered here", reply);
		reply->headers = "Allow: POST\r\n";
		return false;
	}
	if (r->too_long || r->body_len > NOTIFICATION_BODY_MAX) {
		metrics_notification(METRICS_MALFORMED, 1);
		webhook_refuse(
		    r, 413, "too-large", "body over the limit", reply);
		return false;
	}
	if (*front_param(r->front, "HTTP_CONTENT_ENCODING") != '\0') {
		webhook_refuse(r, 415, "content-encoding",
		    "encoded bodies are not read", reply);
		return false;
	}
	return true;
}

/* The whole body, or NULL when less arrived than was announced. */
static char *
webhook_read_body(const struct request *r)
{
	const char *announced = front_param(r->front, "CONTENT_LENGTH");
	size_t len = (size_t)r->body_len;
	char *body = mem_zalloc(len + 1);

	if (front_body(r->front, body, len) != (long)len ||
	    (*announced != '\0' &&
		strtoull(announced, NULL, 10) != (unsigned long long)len)) {
		free(body);
		return NULL;
	}
	return body;
}

static bool
webhook_parse(const struct request *r, struct job *j, struct reply *reply)
{
	const char *why;

	switch (notification_open(j->body, j->body_len, &j->list, &why)) {
	case NOTIFICATION_OK:
		return true;
	case NOTIFICATION_TOO_BIG:
		webhook_refuse(r, 413, "too-large", why, reply);
		break;
	case NOTIFICATION_NOT_JSON:
	case NOTIFICATION_NO_VALUE:
		/* Graph never sends this; a 5xx would only bring it back. */
		webhook_refuse(r, 400, "not-a-notification", why, reply);
		break;
	}
	metrics_notification(METRICS_MALFORMED, 1);
	return false;
}

struct job *
web_webhook(struct web *w, const struct request *r, const char *arg,
    struct reply *reply)
{
	struct job *j;

	(void)w;
	(void)arg;
	/* The query first: a handshake is a POST with an empty body. */
	if (webhook_validate(r, reply) || !webhook_is_acceptable(r, reply))
		return NULL;
	j = job_new(JOB_NOTIFICATIONS, r->id);
	j->body_len = (size_t)r->body_len;
	j->body = webhook_read_body(r);
	if (j->body == NULL) {
		webhook_refuse(r, 400, "incomplete",
		    "body is not as long as announced", reply);
		job_free(j);
		return NULL;
	}
	if (!webhook_parse(r, j, reply)) {
		job_free(j);
		return NULL;
	}
	return j;
}
