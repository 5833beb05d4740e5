/* remote/graph_batch.c - see graph_batch.h. */
#include "remote/graph_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/when.h"
#include "remote/graph.h"
#include "remote/reply.h"
#include "rule/retry.h"

static json_t *
graph_batch_member(const struct graph_batch_item *item, size_t number)
{
	json_t *headers = json_object();
	json_t *o = json_object();
	char id[24];

	snprintf(id, sizeof(id), "%zu", number);
	json_object_set_new(o, "id", json_string(id));
	json_object_set_new(o, "method", json_string(item->method));
	json_object_set_new(o, "url", json_string(item->path));
	if (item->prefer != NULL)
		json_object_set_new(
		    headers, "Prefer", json_string(item->prefer));
	if (item->body != NULL) {
		json_object_set_new(
		    headers, "Content-Type", json_string("application/json"));
		json_object_set_new(o, "body", json_loads(item->body, 0, NULL));
	}
	if (json_object_size(headers) > 0)
		json_object_set(o, "headers", headers);
	json_decref(headers);
	return o;
}

void
graph_batch_request(const struct config *c, const char *op,
    const struct graph_batch_item *items, size_t count,
    struct http_request *req)
{
	json_t *list = json_array();
	json_t *doc = json_object();
	char *text;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(
		    list, graph_batch_member(&items[i], i + 1));
	json_object_set_new(doc, "requests", list);
	graph_request(c, "POST", op, "/$batch", req);
	text = json_text(doc);
	buf_puts(&req->body, text);
	req->content_type = "application/json";
	free(text);
	json_decref(doc);
}

static int64_t
graph_batch_ms(double seconds)
{
	if (seconds * 1000 >= RETRY_AFTER_MAX_MS)
		return RETRY_AFTER_MAX_MS;
	return seconds >= 0 ? (int64_t)(seconds * 1000) : -1;
}

static int64_t
graph_batch_retry_after(const json_t *response)
{
	const json_t *headers = json_obj(response, "headers");
	int64_t longest_ms = -1;
	int64_t wait_ms = -1;
	const char *name;
	json_t *value;

	/* Header names come in any case, a number perhaps as one. */
	json_object_foreach((json_t *)(uintptr_t)headers, name, value)
	{
		if (strcasecmp(name, "retry-after") != 0)
			continue;
		if (json_is_string(value))
			wait_ms = when_parse_retry_after(
			    json_string_value(value), clock_wall_ms());
		else if (json_is_number(value))
			wait_ms = graph_batch_ms(json_number_value(value));
		if (wait_ms > longest_ms)
			longest_ms = wait_ms;
	}
	return longest_ms;
}

static void
graph_batch_sort(
    const json_t *list, size_t count, struct graph_batch_answer *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);
		const char *id = json_str(r, "id");
		size_t n = id != NULL ? strtoul(id, NULL, 10) : 0;

		if (n < 1 || n > count)
			continue;
		out[n - 1].status = (int)json_int(r, "status", 0);
		out[n - 1].body = json_obj(r, "body");
		out[n - 1].retry_after_ms = graph_batch_retry_after(r);
	}
}

int
graph_batch_reply(const struct http_reply *reply, size_t count,
    void (*each)(size_t i, const struct graph_batch_answer *a, void *arg),
    void *arg, struct err *e)
{
	struct graph_batch_answer answers[GRAPH_BATCH_MAX];
	const json_t *list = NULL;
	json_t *doc = NULL;
	int rc = -1;

	if ((reply->result != HTTP_DONE || reply->status != 424) &&
	    graph_judge(reply, GRAPH_MAILBOX, e) != 0)
		goto out;
	doc = reply_json(reply, e);
	if (doc == NULL)
		goto out;
	list = json_arr(doc, "responses");
	if (list == NULL) {
		err_set(e, ERR_RETRY, "answer without responses");
		goto out;
	}
	for (size_t i = 0; i < count && i < GRAPH_BATCH_MAX; i++)
		answers[i] = (struct graph_batch_answer){.retry_after_ms = -1};
	graph_batch_sort(list, count, answers);
	for (size_t i = 0; i < count && i < GRAPH_BATCH_MAX; i++)
		each(i, &answers[i], arg);
	rc = 0;
out:
	if (rc != 0) {
		/* Of the batch as a whole nothing is learnt about a member. */
		if (e != NULL &&
		    (e->code == ERR_MAILBOX || e->code == ERR_GONE))
			e->code = ERR_RETRY;
		err_wrap(e, "$batch");
	}
	json_decref(doc);
	return rc;
}
