/* remote/reply.c - see reply.h. */
#include "remote/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/rand.h"

enum { REPLY_TOKEN_LIFE_MAX_S = 24 * 60 * 60, REPLY_TOKEN_MAX = 16 << 10 };

static const char *
reply_result_name(enum http_result result)
{
	switch (result) {
	case HTTP_DONE:
		return "done";
	case HTTP_DNS:
		return "name not resolved";
	case HTTP_CONNECT:
		return "no connection";
	case HTTP_TLS:
		return "TLS failed";
	case HTTP_TIMEOUT:
		return "timed out";
	case HTTP_BROKEN:
		return "answer cut off";
	case HTTP_TOO_BIG:
		return "answer too large";
	case HTTP_REFUSED:
		return "request not possible";
	case HTTP_HELD:
		return "held back";
	}
	return "unknown";
}

int
reply_transport(const struct http_reply *r, struct err *e)
{
	if (r->result == HTTP_DONE)
		return 0;
	return err_set(e, r->result == HTTP_REFUSED ? ERR_INPUT : ERR_RETRY,
	    "%s: %s", reply_result_name(r->result), r->message);
}

bool
reply_is_json(const struct http_reply *r)
{
	size_t len = strlen(r->content_type);

	return strcmp(r->content_type, "application/json") == 0 ||
	    (len > 5 && strcmp(r->content_type + len - 5, "+json") == 0);
}

json_t *
reply_json(const struct http_reply *r, struct err *e)
{
	json_t *doc;

	if (!reply_is_json(r)) {
		err_set(e, ERR_RETRY, "status %d with %s instead of JSON",
		    r->status,
		    r->content_type[0] != '\0' ? r->content_type : "no type");
		return NULL;
	}
	doc = json_load_foreign(r->body, r->body_len, e);
	if (doc == NULL && e != NULL) {
		e->code = ERR_RETRY;
		err_wrap(e, "broken JSON with status %d", r->status);
	}
	return doc;
}

int
reply_overload(const struct http_reply *r, const char *code, struct err *e)
{
	bool is_fault = r->status == 408 || r->status >= 500;

	if (r->status != 429 && !is_fault)
		return 0;
	err_set(e,
	    r->status == 429 || r->retry_after_ms >= 0 ? ERR_BUSY : ERR_RETRY,
	    "status %d %s", r->status, code);
	if (e != NULL)
		e->retry_after_ms = r->retry_after_ms;
	return -1;
}

int
reply_judged(struct err *e, enum err_code means, int64_t retry_after_ms,
    const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (means == ERR_RETRY && retry_after_ms >= 0)
		means = ERR_BUSY;
	err_set(e, means, "%s", text);
	if (e != NULL && means == ERR_BUSY)
		e->retry_after_ms = retry_after_ms;
	return -1;
}

void
reply_request_id(struct http_request *req)
{
	char id[37];

	rand_guid(id);
	http_request_header(req, "client-request-id", "%s", id);
}

static bool
reply_token_is_fit(const char *token)
{
	size_t len = strlen(token);

	if (len > REPLY_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (token[i] <= 0x20 || token[i] > 0x7E)
			return false;
	return true;
}

int
reply_token(const struct http_reply *r, int64_t fallback_s, int64_t margin_s,
    struct token_grant *out, struct err *e)
{
	json_t *doc = reply_json(r, e);
	const char *token = doc != NULL ? json_str(doc, "access_token") : NULL;
	int64_t life_s;
	int rc = -1;

	if (doc == NULL)
		goto out;
	if (token == NULL || token[0] == '\0') {
		err_set(e, ERR_RETRY, "answer without access_token");
		goto out;
	}
	if (!reply_token_is_fit(token)) {
		err_set(e, ERR_RETRY,
		    "answer with an access_token that no "
		    "header can carry");
		goto out;
	}
	life_s = json_int(doc, "expires_in", fallback_s);
	if (life_s < 0)
		life_s = 0;
	if (life_s > REPLY_TOKEN_LIFE_MAX_S)
		life_s = REPLY_TOKEN_LIFE_MAX_S;
	life_s -= life_s > 2 * margin_s ? margin_s : life_s / 2;
	out->token = secret_new(token, strlen(token));
	out->life_ms = life_s * 1000;
	rc = 0;
out:
	json_decref(doc);
	return rc;
}
