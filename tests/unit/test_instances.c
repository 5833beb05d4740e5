/* tests/unit/test_instances.c - remote/graph_instances.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/graph_instances.h"

static char graph_url[] = "https://graph.example";
static char addin_id[] = "0a1b2c3d-0000-4000-8000-00000000000a";

static const struct config config = {
    .graph_url = graph_url, .addin_id = addin_id};

/* 2026-11-23T08:32:25Z and a day later. */
static const struct series_window window = {
    INT64_C(1795422745000), INT64_C(1795509145000)};

static void
occurrences_are_asked_for_in_a_window_and_by_pages(void **state)
{
	struct http_request r;
	struct err e = {0};

	(void)state;
	assert_int_equal(graph_instances_request(
			     &config, "user", "AAk_-=", &window, "", &r, &e),
	    0);
	assert_string_equal(buf_text(&r.url),
	    "https://graph.example/v1.0/users/user/events/AAk_-%3D/instances"
	    "?startDateTime=2026-11-23T08:32:25Z"
	    "&endDateTime=2026-11-24T08:32:25Z"
	    "&$select=id,start,end,isAllDay,isCancelled,type&$top=100");
	http_request_clear(&r);
	assert_int_equal(
	    graph_instances_request(&config, "user", "AAk", &window,
		"https://graph.example/v1.0/x?$skip=100", &r, &e),
	    0);
	assert_string_equal(
	    buf_text(&r.url), "https://graph.example/v1.0/x?$skip=100");
	http_request_clear(&r);
	assert_int_equal(graph_instances_request(&config, "user", "AAk",
			     &window, "https://evil.example/v1.0/x", &r, &e),
	    -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

#define TIMES(start, end)                                                      \
	"\"start\":{\"dateTime\":\"" start                                     \
	"\",\"timeZone\":\"UTC\"},\"end\":{\"dateTime\":\"" end                \
	"\",\"timeZone\":\"UTC\"}"
#define TWO                                                                                             \
	"{\"value\":[{\"id\":\"AAoB\",\"type\":\"exception\","                                          \
	"\"isCancelled\":true,\"isAllDay\":false," TIMES(                                               \
	    "2026-11-30T09:00:00.0000000",                                                              \
	    "2026-11-30T09:30:00.0000000") "},"                                                         \
					   "{"                                                          \
					   "\"id\":\"AAoA\",\"type\":"                                  \
					   "\"occurrence\",\"isCancelled\":"                            \
					   "false,"                                                     \
					   "\"isAllDay\":true," TIMES(                                  \
					       "2026-11-23T00:00:00.0000000",                           \
					       "2026-11-24T00:00:00.0000000") "}],\"@odata.nextLink\":" \
									      "\"https://graph.example/v1.0/next\"}"

struct seen {
	size_t count, cancelled, all_day;
};

static void
see(const struct event *ev, void *arg)
{
	struct seen *s = arg;

	s->count++;
	s->cancelled += ev->cancelled;
	s->all_day += ev->all_day;
	assert_int_equal(ev->type, EVENT_OCCURRENCE);
	assert_true(ev->timed);
}

static int
read_body(int status, const char *body, struct seen *s, struct buf *next,
    struct err *e)
{
	struct http_reply r = {.result = HTTP_DONE,
	    .status = status,
	    .content_type = "application/json",
	    .body = body,
	    .body_len = strlen(body),
	    .retry_after_ms = -1,
	    .message = ""};

	memset(s, 0, sizeof(*s));
	memset(e, 0, sizeof(*e));
	return graph_instances_reply(&config, &r, see, s, next, e);
}

static void
each_occurrence_of_a_page_is_told_and_the_next_page_named(void **state)
{
	struct seen s;
	struct err e;
	struct buf next;

	(void)state;
	buf_init(&next, HTTP_URL_MAX);
	assert_int_equal(read_body(200, TWO, &s, &next, &e), 0);
	assert_int_equal(s.count, 2);
	assert_int_equal(s.cancelled, 1);
	assert_int_equal(s.all_day, 1);
	assert_string_equal(buf_text(&next), "https://graph.example/v1.0/next");
	assert_int_equal(read_body(200, "{\"value\":[]}", &s, &next, &e), 0);
	assert_int_equal(s.count, 0);
	assert_string_equal(buf_text(&next), "");
	buf_clear(&next);
}

static void
what_is_wrong_with_an_answer_is_told_like_that_of_an_event(void **state)
{
	static const struct {
		const char *sentence;
		int status;
		const char *body;
		enum err_code code;
	} cases[] = {
	    {"no such event", 404,
		"{\"error\":{\"code\":\"ErrorItemNotFound\"}}", ERR_GONE},
	    {"no such mailbox", 404,
		"{\"error\":{\"code\":\"ErrorInvalidUser\"}}", ERR_MAILBOX},
	    {"forbidden", 403, "{\"error\":{\"code\":\"ErrorAccessDenied\"}}",
		ERR_MAILBOX},
	    {"throttled", 429,
		"{\"error\":{\"code\":\"ApplicationThrottled\"}}", ERR_BUSY},
	    {"out of order", 503, "{}", ERR_RETRY},
	    {"a gateway's page", 404, "<html>", ERR_RETRY},
	    {"no series", 400, "{\"error\":{\"code\":\"ErrorInvalidRequest\"}}",
		ERR_REFUSED},
	    {"no list", 200, "{\"value\":{}}", ERR_RETRY},
	    {"cut off", 200, "{\"value\":[", ERR_RETRY},
	    {"an occurrence without an id", 200, "{\"value\":[{}]}", ERR_INPUT},
	    {"an occurrence in local time", 200,
		"{\"value\":[{\"id\":\"AAk\",\"start\":{\"dateTime\":"
		"\"2026-11-30T09:00:00\",\"timeZone\":\"W. Europe Standard "
		"Time\"}}]}",
		ERR_INPUT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s;
		struct err e;
		struct buf next;

		buf_init(&next, HTTP_URL_MAX);
		if (read_body(cases[i].status, cases[i].body, &s, &next, &e) ==
			0 ||
		    e.code != cases[i].code)
			fail_msg("%s: code %d, %s", cases[i].sentence,
			    (int)e.code, e.text);
		buf_clear(&next);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		occurrences_are_asked_for_in_a_window_and_by_pages),
	    cmocka_unit_test(
		each_occurrence_of_a_page_is_told_and_the_next_page_named),
	    cmocka_unit_test(
		what_is_wrong_with_an_answer_is_told_like_that_of_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
