/* fcgi/web_answer.c - see web_answer.h. */
#include "web_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum { ERROR_BODY_MAX = 1024 };

/* Decoded in the first two; other servers give at least REQUEST_URI. */
static const char *
answer_path(const struct front *front, char *room, size_t cap)
{
	const char *path = front_param(front, "DOCUMENT_URI");
	size_t len;

	if (*path == '\0')
		path = front_param(front, "SCRIPT_NAME");
	if (*path != '\0')
		return path;
	path = front_param(front, "REQUEST_URI");
	len = strcspn(path, "?");
	if (len >= cap)
		return "";
	memcpy(room, path, len);
	room[len] = '\0';
	return room;
}

struct job *
answer_request(struct web *w, struct front *front, uint64_t body_len,
    bool too_long, struct reply *reply)
{
	char room[STORE_ID_MAX + 256];
	struct request r = {
	    .front = front,
	    .id = front_param(front, "REQUEST_ID"),
	    .method = front_param(front, "REQUEST_METHOD"),
	    .path = answer_path(front, room, sizeof(room)),
	    .query = front_param(front, "QUERY_STRING"),
	    .body_len = body_len,
	    .too_long = too_long,
	};
	struct job *j = web_route(w, &r, reply);

	/* Whatever the route left unread must not become the next request. */
	front_body(front, NULL, 0);
	if (log_enabled(LOG_LEVEL_DEBUG))
		log_debug("request", LOG_STR("requestId", r.id),
		    LOG_STR("method", r.method), LOG_STR("path", r.path),
		    LOG_INT("bytes", (int64_t)body_len),
		    LOG_INT("status", j != NULL ? 0 : reply->status));
	return j;
}

/* Status 503, say, with a JSON error that names the request. */
static void
answer_error(const struct reply *reply, const char *id, struct front_answer *a,
    struct buf *body)
{
	buf_printf(
	    body, "{\"error\":{\"code\":\"%s\",\"message\":\"", reply->code);
	buf_json_escape(body, reply->message, strlen(reply->message));
	buf_puts(body, "\",\"requestId\":\"");
	buf_json_escape(body, id, strlen(id));
	buf_puts(body, "\"}}");
	a->type = "application/json";
	a->body = buf_text(body);
	a->body_len = body->len;
}

int
answer_send(struct front *front, const struct reply *reply)
{
	struct front_answer a = {
	    .status = reply->status,
	    .type = reply->type,
	    .headers = reply->headers,
	    .body = reply->body,
	    .body_len = reply->body_len,
	};
	struct buf body;
	int rc;

	buf_init(&body, ERROR_BODY_MAX);
	if (reply->code != NULL)
		answer_error(
		    reply, front_param(front, "REQUEST_ID"), &a, &body);
	rc = front_finish(front, &a);
	buf_clear(&body);
	return rc;
}

int
answer_job(struct job *j, const struct reply *reply)
{
	struct front *front = j->front;

	j->front = NULL;
	if (log_enabled(LOG_LEVEL_DEBUG))
		log_debug("answer", LOG_STR("requestId", j->request_id),
		    LOG_INT("status", reply->status));
	return answer_send(front, reply);
}
