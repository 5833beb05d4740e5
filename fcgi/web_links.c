/* fcgi/web_links.c - {base}/api/links/{conversationId}, as it comes in. What
 * it does is in web_links_store.c. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "rule/bearer.h"
#include "web.h"

static const char links_challenge[] = "WWW-Authenticate: Bearer\r\n";

/* The token of "Authorization: Bearer ..."; NULL when there is none. */
static const char *
links_token(const struct request *r)
{
	static const char scheme[] = "Bearer ";
	const char *value = front_param(r->front, "HTTP_AUTHORIZATION");

	if (strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	value += sizeof(scheme) - 1;
	return value + strspn(value, " ");
}

static bool
links_kind(const char *method, enum job_kind *out)
{
	static const struct {
		const char *method;
		enum job_kind kind;
	} kinds[] = {
	    {"PUT", JOB_LINK_PUT},
	    {"GET", JOB_LINK_GET},
	    {"DELETE", JOB_LINK_DELETE},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(method, kinds[i].method) != 0)
			continue;
		*out = kinds[i].kind;
		return true;
	}
	return false;
}

static bool
links_read_body(const struct request *r, struct job *j, struct reply *reply)
{
	if (r->too_long || r->body_len > WEB_API_BODY_MAX) {
		reply_error(reply, 413, "too-large", "body over the limit");
		return false;
	}
	j->body_len = (size_t)r->body_len;
	j->body = mem_zalloc(j->body_len + 1);
	if (front_body(r->front, j->body, j->body_len) == (long)j->body_len)
		return true;
	reply_error(
	    reply, 400, "incomplete", "body is not as long as announced");
	return false;
}

struct job *
web_links(struct web *w, const struct request *r, const char *arg,
    struct reply *reply)
{
	const char *token = links_token(r);
	enum job_kind kind;
	struct job *j;

	(void)w;
	if (!links_kind(r->method, &kind)) {
		reply_error(reply, 405, "method-not-allowed",
		    "PUT, GET and DELETE are answered here");
		reply->headers = "Allow: PUT, GET, DELETE\r\n";
		return NULL;
	}
	if (token == NULL) {
		reply_error(reply, 401, "no-token", "a bearer token is needed");
		reply->headers = links_challenge;
		return NULL;
	}
	if (!text_is_id(arg, STORE_ID_MAX - 1)) {
		reply_error(reply, 400, "bad-conversation-id",
		    "malformed conversation id");
		return NULL;
	}
	j = job_new(kind, r->id);
	if (!links_read_body(r, j, reply)) {
		job_free(j);
		return NULL;
	}
	j->token = mem_strdup(token);
	j->link = mem_zalloc(sizeof(*j->link));
	text_copy(j->link->conversation, sizeof(j->link->conversation), arg);
	return j;
}
