/* tests/unit/test_graph_scan.c - remote/graph_scan.h: what is asked, and what
 * the answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/graph_scan.h"

#define JSON "application/json"

static char graph_url[] = "https://graph.example";
static char addin_id[] = "0a1b2c3d-0000-4000-8000-00000000000a";
static const struct config config = {
    .graph_url = graph_url, .addin_id = addin_id};

static struct http_reply
reply_of(int status, const char *body)
{
	struct http_reply r = {
	    .result = HTTP_DONE,
	    .status = status,
	    .body = body,
	    .body_len = strlen(body),
	    .content_type = JSON,
	    .retry_after_ms = -1,
	    .message = "",
	};

	return r;
}

static const char *
header_of(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (strcmp(r->headers[i].name, name) == 0)
			return buf_text(&r->headers[i].value);
	return "";
}

static void
the_calendars_are_asked_for_by_id_only(void **state)
{
	struct http_request r;
	struct err e = {0};

	(void)state;
	assert_int_equal(graph_calendars_request(&config, "u", "", &r, &e), 0);
	assert_string_equal(buf_text(&r.url),
	    "https://graph.example/v1.0/users/u/calendars?$select=id&$top=50");
	http_request_clear(&r);
}

static void
a_calendar_is_searched_by_property_without_reading_more_than_ids(void **state)
{
	struct http_request r;
	struct err e = {0};

	(void)state;
	assert_int_equal(
	    graph_carriers_request(&config, "u", "c/1", "conv", "", &r, &e), 0);
	assert_string_equal(buf_text(&r.url),
	    "https://graph.example/v1.0/users/u/calendars/c%2F1/events"
	    "?$select=id,isCancelled,isOrganizer&$top=50"
	    "&$filter=singleValueExtendedProperties%2FAny"
	    "%28ep%3A%20ep%2Fid%20eq%20%27String%20%7B00020329-0000-0000-C000-"
	    "000000000046%7D%20Name%20cecp-0a1b2c3d-0000-4000-8000-"
	    "00000000000a%27%20and%20contains%28ep%2Fvalue%2C%27conv%27%29%29");
	assert_string_equal(header_of(&r, "Prefer"), "IdType=\"ImmutableId\"");
	http_request_clear(&r);
}

static void
texts_are_asked_for_in_a_window_without_subjects(void **state)
{
	const struct graph_window w = {
	    .calendar = "c", .from_ms = 0, .to_ms = 86400000, .count = 7};
	struct http_request r;
	struct err e = {0};

	(void)state;
	assert_int_equal(graph_texts_request(&config, "u", &w, "", &r, &e), 0);
	assert_string_equal(buf_text(&r.url),
	    "https://graph.example/v1.0/users/u/calendars/c/calendarView"
	    "?startDateTime=1970-01-01T00%3A00%3A00Z"
	    "&endDateTime=1970-01-02T00%3A00%3A00Z"
	    "&$select=id,location,body&$top=7");
	assert_non_null(strstr(
	    header_of(&r, "Prefer"), "outlook.body-content-type=\"text\""));
	http_request_clear(&r);
}

static void
the_next_page_is_graphs_own_and_nobody_elses(void **state)
{
	const struct graph_window w = {.calendar = "c", .count = 1};
	static const char next[] = "https://graph.example/v1.0/x?$skip=2";
	static const char away[] = "https://evil.example/v1.0/x";
	struct http_request r;
	struct err e = {0};

	(void)state;
	assert_int_equal(
	    graph_calendars_request(&config, "u", next, &r, &e), 0);
	assert_string_equal(buf_text(&r.url), next);
	http_request_clear(&r);
	assert_int_equal(
	    graph_carriers_request(&config, "u", "c", "conv", next, &r, &e), 0);
	assert_string_equal(buf_text(&r.url), next);
	assert_string_equal(header_of(&r, "Prefer"), "IdType=\"ImmutableId\"");
	http_request_clear(&r);
	assert_int_equal(
	    graph_texts_request(&config, "u", &w, next, &r, &e), 0);
	assert_non_null(strstr(header_of(&r, "Prefer"), "text"));
	http_request_clear(&r);
	assert_int_equal(
	    graph_calendars_request(&config, "u", away, &r, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(
	    graph_carriers_request(&config, "u", "c", "conv", away, &r, &e),
	    -1);
	assert_int_equal(
	    graph_texts_request(&config, "u", &w, away, &r, &e), -1);
}

static void
join(const char *text, void *arg)
{
	char *out = arg;

	snprintf(out + strlen(out), 256 - strlen(out), "%s;", text);
}

static void
join_live(const char *event, bool live, void *arg)
{
	join(event, arg);
	join(live ? "live" : "dead", arg);
}

static void
lists_of_ids_and_their_next_page(void **state)
{
	struct http_reply r = reply_of(200,
	    "{\"value\":[{\"id\":\"a\",\"name\":\"x\"},{\"id\":\"b\"}],"
	    "\"@odata.nextLink\":\"https://graph.example/v1.0/n\"}");
	char seen[256] = "";
	struct buf next;
	struct err e = {0};

	(void)state;
	buf_init(&next, 1000);
	assert_int_equal(graph_calendars_reply(&r, join, seen, &next, &e), 0);
	assert_string_equal(seen, "a;b;");
	assert_string_equal(buf_text(&next), "https://graph.example/v1.0/n");
	r = reply_of(200, "{\"value\":[]}");
	assert_int_equal(
	    graph_carriers_reply(&r, join_live, seen, &next, &e), 0);
	assert_string_equal(seen, "a;b;");
	assert_string_equal(buf_text(&next), "");
	buf_clear(&next);
}

static void
what_was_called_off_or_is_anothers_is_not_live(void **state)
{
	const struct http_reply r = reply_of(200,
	    "{\"value\":[{\"id\":\"a\"},"
	    "{\"id\":\"b\",\"isCancelled\":true,\"isOrganizer\":true},"
	    "{\"id\":\"c\",\"isCancelled\":false,\"isOrganizer\":false},"
	    "{\"id\":\"d\",\"isCancelled\":false,\"isOrganizer\":true}]}");
	char seen[256] = "";
	struct buf next;
	struct err e = {0};

	(void)state;
	buf_init(&next, 1000);
	assert_int_equal(
	    graph_carriers_reply(&r, join_live, seen, &next, &e), 0);
	assert_string_equal(seen, "a;live;b;dead;c;dead;d;live;");
	buf_clear(&next);
}

static void
body_and_location_are_all_looked_into(void **state)
{
	const struct http_reply r = reply_of(200,
	    "{\"value\":[{\"id\":\"a\",\"subject\":\"secret\","
	    "\"body\":{\"contentType\":\"text\",\"content\":\"one\"},"
	    "\"location\":{\"displayName\":\"two\",\"locationUri\":\"three\"}},"
	    "{\"id\":\"b\",\"body\":{\"content\":\"\"},\"location\":{}}]}");
	char seen[256] = "";
	struct buf next;
	struct err e = {0};

	(void)state;
	buf_init(&next, 1000);
	assert_int_equal(graph_texts_reply(&r, join, seen, &next, &e), 0);
	assert_string_equal(seen, "one;two;three;;");
	buf_clear(&next);
}

static void
what_is_not_understood_proves_nothing(void **state)
{
	static const struct {
		const char *sentence;
		int status;
		const char *body;
		enum err_code want;
	} cases[] = {
	    {"no list", 200, "{}", ERR_INPUT},
	    {"a list that is none", 200, "{\"value\":{}}", ERR_INPUT},
	    {"not JSON", 200, "<html>", ERR_INPUT},
	    {"half of it", 200, "{\"value\":[", ERR_INPUT},
	    {"an element without id and text", 200, "{\"value\":[{}]}",
		ERR_INPUT},
	    {"no element at all", 200, "{\"value\":[7]}", ERR_INPUT},
	    {"a body that is no text", 200,
		"{\"value\":[{\"id\":1,\"body\":{\"content\":1},"
		"\"location\":{}}]}",
		ERR_INPUT},
	    {"no location", 200,
		"{\"value\":[{\"id\":\"\",\"body\":{\"content\":\"\"},"
		"\"location\":null}]}",
		ERR_INPUT},
	    {"throttling", 429, "{}", ERR_BUSY},
	    {"a fault", 500, "{}", ERR_RETRY},
	    {"a token", 401, "{}", ERR_AUTH},
	    {"a mailbox that is gone", 404,
		"{\"error\":{\"code\":\"ErrorInvalidUser\"}}", ERR_MAILBOX},
	    {"a bad request", 400, "{\"error\":{\"code\":\"BadRequest\"}}",
		ERR_REFUSED},
	};
	char seen[256] = "";
	struct buf next;

	(void)state;
	buf_init(&next, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_reply r =
		    reply_of(cases[i].status, cases[i].body);
		struct err ids = {0}, texts = {0};

		if (graph_carriers_reply(&r, join_live, seen, &next, &ids) !=
			-1 ||
		    ids.code != cases[i].want)
			fail_msg("ids: %s: %d", cases[i].sentence, ids.code);
		if (graph_texts_reply(&r, join, seen, &next, &texts) != -1 ||
		    texts.code != cases[i].want)
			fail_msg(
			    "texts: %s: %d", cases[i].sentence, texts.code);
	}
	buf_clear(&next);
}

static void
a_page_that_is_too_large_is_not_asked_for_again_and_again(void **state)
{
	struct http_reply r = reply_of(0, "");
	struct err e = {0};
	struct buf next;

	(void)state;
	buf_init(&next, 1000);
	r.result = HTTP_TOO_BIG;
	assert_int_equal(graph_texts_reply(&r, join, NULL, &next, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	buf_clear(&next);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_calendars_are_asked_for_by_id_only),
	    cmocka_unit_test(
		a_calendar_is_searched_by_property_without_reading_more_than_ids),
	    cmocka_unit_test(texts_are_asked_for_in_a_window_without_subjects),
	    cmocka_unit_test(the_next_page_is_graphs_own_and_nobody_elses),
	    cmocka_unit_test(lists_of_ids_and_their_next_page),
	    cmocka_unit_test(what_was_called_off_or_is_anothers_is_not_live),
	    cmocka_unit_test(body_and_location_are_all_looked_into),
	    cmocka_unit_test(what_is_not_understood_proves_nothing),
	    cmocka_unit_test(
		a_page_that_is_too_large_is_not_asked_for_again_and_again),
	};

	return cmocka_run_group_tests_name("graph_scan", tests, NULL, NULL);
}
