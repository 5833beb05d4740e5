/* tests/unit/test_remote_graph.c - what Graph's answers mean, with the bodies
 * of the references; and what is asked of it. */
#include "test_remote.h"

#include "base/json.h"
#include "remote/graph.h"
#include "remote/graph_batch.h"
#include "remote/graph_subscription.h"
#include "remote/unblu.h"

static void
what_graphs_errors_mean(void **state)
{
	static const struct {
		const char *sentence;
		int status;
		const char *type, *body;
		enum graph_area area;
		enum err_code want;
	} cases[] = {
	    {"a 200 is content", 200, JSON, "{}", GRAPH_EVENT, ERR_NONE},
	    {"a 204 is content", 204, "", "", GRAPH_SUBSCRIPTION, ERR_NONE},
	    {"an event that does not exist", 404, JSON,
		GRAPH_ERROR("ErrorItemNotFound",
		    "The specified object was not found in the store."),
		GRAPH_EVENT, ERR_GONE},
	    {"the same word for a mailbox is the mailbox", 404, JSON,
		GRAPH_ERROR("ErrorItemNotFound", "x"), GRAPH_MAILBOX,
		ERR_MAILBOX},
	    {"no Exchange licence", 404, JSON,
		GRAPH_ERROR("MailboxNotEnabledForRESTAPI", "x"), GRAPH_EVENT,
		ERR_MAILBOX},
	    {"ResourceNotFound on an event is the mailbox", 404, JSON,
		GRAPH_ERROR(
		    "ResourceNotFound", "Resource could not be discovered."),
		GRAPH_EVENT, ERR_MAILBOX},
	    {"a deleted user", 404, JSON, GRAPH_ERROR("ErrorInvalidUser", "x"),
		GRAPH_EVENT, ERR_MAILBOX},
	    {"another word for a deleted user", 404, JSON,
		GRAPH_ERROR("Request_ResourceNotFound", "x"), GRAPH_EVENT,
		ERR_MAILBOX},
	    {"an unknown 404 is the mailbox, not a deletion", 404, JSON,
		GRAPH_ERROR("SomethingNew", "x"), GRAPH_EVENT, ERR_MAILBOX},
	    {"an empty code is the mailbox, not a deletion", 404, JSON,
		GRAPH_ERROR("", "x"), GRAPH_EVENT, ERR_MAILBOX},
	    {"a 404 in HTML proves nothing", 404, "text/html",
		"<html>ErrorItemNotFound</html>", GRAPH_EVENT, ERR_RETRY},
	    {"an empty 404 proves nothing", 404, "", "", GRAPH_EVENT,
		ERR_RETRY},
	    {"a 404 in broken JSON proves nothing", 404, JSON,
		"{\"error\":{\"code\":\"ErrorItemNotFound\"", GRAPH_EVENT,
		ERR_RETRY},
	    {"a stale token", 401, JSON,
		GRAPH_ERROR("InvalidAuthenticationToken",
		    "Access token has expired or is not yet valid."),
		GRAPH_EVENT, ERR_AUTH},
	    {"a forbidden mailbox", 403, JSON,
		GRAPH_ERROR("ErrorAccessDenied",
		    "Access is denied. Check credentials and try again."),
		GRAPH_EVENT, ERR_MAILBOX},
	    {"an access policy", 403, JSON,
		GRAPH_ERROR(
		    "ErrorAccessDenied", "Access to OData is disabled."),
		GRAPH_EVENT, ERR_MAILBOX},
	    {"a malformed id is no deletion", 400, JSON,
		GRAPH_ERROR("ErrorInvalidIdMalformed", "Id is malformed."),
		GRAPH_EVENT, ERR_REFUSED},
	    {"throttled", 429, JSON, GRAPH_ERROR("ApplicationThrottled", "x"),
		GRAPH_EVENT, ERR_BUSY},
	    {"a server fault", 500, JSON, GRAPH_ERROR("generalException", "x"),
		GRAPH_EVENT, ERR_RETRY},
	    {"a 503 in HTML", 503, "text/html", "<h1>", GRAPH_EVENT, ERR_RETRY},
	    {"a 509", 509, "", "", GRAPH_EVENT, ERR_RETRY},
	    {"a redirect is nobody's", 302, "text/html", "", GRAPH_EVENT,
		ERR_RETRY},
	    {"a subscription that is gone", 404, JSON,
		GRAPH_ERROR("ResourceNotFound", "The object was not found."),
		GRAPH_SUBSCRIPTION, ERR_GONE},
	    {"a subscription whose owner is gone", 404, JSON,
		GRAPH_ERROR("ExtensionError", "requested user is invalid"),
		GRAPH_SUBSCRIPTION, ERR_GONE},
	    {"creation without consent", 403, JSON,
		GRAPH_ERROR("ExtensionError",
		    "Operation: Create; Exception: [Status Code: Forbidden; "
		    "Reason: Forbidden]"),
		GRAPH_SUBSCRIPTION_CREATE, ERR_MAILBOX},
	    {"creation without a mailbox", 404, JSON,
		GRAPH_ERROR("ExtensionError",
		    "REST API is not yet supported for this mailbox."),
		GRAPH_SUBSCRIPTION_CREATE, ERR_MAILBOX},
	    {"our webhook failed the handshake", 400, JSON,
		GRAPH_ERROR("ValidationError",
		    "Subscription validation request failed."),
		GRAPH_SUBSCRIPTION_CREATE, ERR_CONFIG},
	    {"the same in the words of older days", 400, JSON,
		GRAPH_ERROR("InvalidRequest",
		    "Subscription validation request timed out."),
		GRAPH_SUBSCRIPTION_CREATE, ERR_CONFIG},
	    {"a body that Graph does not like is our bug", 400, JSON,
		GRAPH_ERROR("InvalidRequest",
		    "Could not process subscription creation payload."),
		GRAPH_SUBSCRIPTION_CREATE, ERR_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r =
		    reply_of(cases[i].status, cases[i].type, cases[i].body);
		struct err e = {0};
		int rc = graph_judge(&r, cases[i].area, &e);

		if (e.code != cases[i].want ||
		    (rc == 0) != (cases[i].want == ERR_NONE))
			fail_msg("%s: %s (%s)", cases[i].sentence,
			    err_code_name(e.code), e.text);
	}
}

static void
the_most_specific_known_code_counts(void **state)
{
	struct http_reply r = reply_of(404, JSON,
	    "{\"error\":{\"code\":\"UnknownError\",\"message\":\"\","
	    "\"innererror\":{\"code\":\"Outer\",\"innerError\":{\"code\":"
	    "\"ErrorItemNotFound\"}}}}");
	struct err e = {0};

	(void)state;
	assert_int_equal(graph_judge(&r, GRAPH_EVENT, &e), -1);
	assert_int_equal(e.code, ERR_GONE);
}

static void
retry_after_goes_with_429_and_503(void **state)
{
	struct http_reply r = reply_of(503, JSON, "{}");
	struct err e = {0};

	(void)state;
	r.retry_after_ms = 2128;
	graph_judge(&r, GRAPH_EVENT, &e);
	assert_int_equal(e.code, ERR_BUSY);
	assert_true(e.retry_after_ms == 2128);
	r.status = 429;
	r.retry_after_ms = -1;
	graph_judge(&r, GRAPH_EVENT, &e);
	assert_int_equal(e.code, ERR_BUSY);
	assert_true(e.retry_after_ms == -1);
}

static void
a_parked_mailbox_says_why_and_until_when(void **state)
{
	struct http_reply r =
	    reply_of(404, JSON, GRAPH_ERROR("MailboxNotEnabledForRESTAPI", ""));
	struct err e = {0};

	(void)state;
	graph_judge(&r, GRAPH_MAILBOX, &e);
	assert_memory_equal(e.text, "no mailbox", 10);
	assert_true(e.retry_after_ms == (int64_t)24 * 3600 * 1000);
}

static void
network_faults_are_worth_a_repetition(void **state)
{
	struct err e = {0};

	(void)state;
	for (int result = HTTP_DNS; result <= HTTP_TOO_BIG; result++) {
		struct http_reply r = reply_of(0, "", "");

		r.result = (enum http_result)result;
		assert_int_equal(graph_judge(&r, GRAPH_EVENT, &e), -1);
		assert_int_equal(e.code, ERR_RETRY);
		assert_int_equal(unblu_judge(&r, &e), -1);
		assert_int_equal(e.code, ERR_RETRY);
	}
}

static void
an_event_is_asked_for_as_graph_wants_it(void **state)
{
	struct config c = usual();
	struct http_request r;

	(void)state;
	graph_event_request(
	    &c, "8a1e6c1e-0000-4000-8000-0000000000aa", "AAk_-=", &r);
	assert_string_equal(buf_text(&r.url),
	    "https://graph.example/v1.0/users/"
	    "8a1e6c1e-0000-4000-8000-0000000000aa/events/AAk_-%3D?$select=id,"
	    "subject,start,end,isAllDay,isCancelled,isDraft,isOrganizer,type,"
	    "seriesMasterId,changeKey,recurrence&$expand="
	    "singleValueExtendedProperties("
	    "$filter=id%20eq%20%27String%20%7B00020329-0000-0000-C000-"
	    "000000000046%7D%20Name%20cecp-0a1b2c3d-0000-4000-8000-"
	    "00000000000a%27)");
	assert_string_equal(header(&r, "Prefer"),
	    "IdType=\"ImmutableId\", outlook.timezone=\"UTC\"");
	assert_int_equal(strlen(header(&r, "client-request-id")), 36);
	http_request_clear(&r);
}

static void
a_next_link_is_followed_on_graphs_own_root_only(void **state)
{
	static const char *const bad[] = {
	    "https://evil.example/v1.0/users",
	    "https://graph.example.evil.example/v1.0/users",
	    "https://graph.example@evil.example/v1.0/users",
	    "http://graph.example/v1.0/users",
	    "https://graph.example/beta/users",
	};
	struct config c = usual();
	struct http_request r;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    graph_search_request(&c, "u", NULL, bad[i], &r, &e), -1);
		assert_int_equal(e.code, ERR_REFUSED);
	}
	assert_int_equal(graph_search_request(&c, "u", NULL,
			     "https://graph.example/v1.0/x?$skip=10", &r, &e),
	    0);
	assert_string_equal(
	    buf_text(&r.url), "https://graph.example/v1.0/x?$skip=10");
	http_request_clear(&r);
}

static void
a_conflict_names_the_subscription_in_the_way_or_not(void **state)
{
	struct graph_subscription s;
	char other[GRAPH_SUBSCRIPTION_ID_MAX];
	bool conflict;
	struct err e = {0};
	struct http_reply r = reply_of(409, JSON,
	    GRAPH_ERROR("Conflict",
		"Subscription Id 5522BD62-7c96-4530-85b0-00b916f61500 already"
		" exists for the requested combination"));

	(void)state;
	assert_int_equal(
	    graph_subscribe_reply(&r, &s, &conflict, other, &e), -1);
	assert_true(conflict);
	assert_string_equal(other, "5522bd62-7c96-4530-85b0-00b916f61500");
	r = reply_of(409, JSON, GRAPH_ERROR("Conflict", "exists already"));
	graph_subscribe_reply(&r, &s, &conflict, other, &e);
	assert_true(conflict);
	assert_string_equal(other, "");
	r = reply_of(400, JSON, GRAPH_ERROR("x", "x"));
	graph_subscribe_reply(&r, &s, &conflict, other, &e);
	assert_false(conflict);
}

static void
what_graph_granted_counts_not_what_was_asked(void **state)
{
	struct graph_subscription s;
	struct err e = {0};
	struct http_reply r = reply_of(200, JSON,
	    "{\"id\":\"5522BD62-7C96-4530-85b0-00b916f61500\","
	    "\"expirationDateTime\":\"2026-11-30T13:00:00.1234567+05:30\","
	    "\"clientState\":null,\"extra\":1}");

	(void)state;
	assert_int_equal(graph_renew_reply(&r, &s, &e), 0);
	assert_true(s.expires_ms == INT64_C(1796023800123));
	/* as notifications are compared with it */
	assert_string_equal(s.id, "5522bd62-7c96-4530-85b0-00b916f61500");
	r = reply_of(200, JSON, "{\"id\":\"x\"}");
	assert_int_equal(graph_renew_reply(&r, &s, &e), -1);
	r = reply_of(404, JSON, GRAPH_ERROR("ResourceNotFound", ""));
	assert_int_equal(graph_renew_reply(&r, &s, &e), -1);
	assert_int_equal(e.code, ERR_GONE);
	assert_int_equal(graph_unsubscribe_reply(&r, &e), 0);
}

static void
a_creation_carries_what_the_design_says(void **state)
{
	struct config c = usual();
	struct http_request r;
	json_t *doc;

	(void)state;
	graph_subscribe_request(
	    &c, "user", "state", INT64_C(1796023800000), &r);
	doc = json_load_strict(buf_text(&r.body), r.body.len, NULL);
	assert_string_equal(
	    json_str(doc, "changeType"), "created,updated,deleted");
	assert_string_equal(json_str(doc, "notificationUrl"),
	    "https://addin.example/addin/webhook/events");
	assert_string_equal(json_str(doc, "lifecycleNotificationUrl"),
	    "https://addin.example/addin/webhook/lifecycle");
	assert_string_equal(json_str(doc, "resource"), "users/user/events");
	assert_string_equal(
	    json_str(doc, "expirationDateTime"), "2026-11-30T07:30:00Z");
	assert_string_equal(header(&r, "Prefer"), "IdType=\"ImmutableId\"");
	assert_true(r.once);
	json_decref(doc);
	http_request_clear(&r);
}

static void
a_batchs_members_have_the_headers_that_they_need(void **state)
{
	const struct config c = usual();
	const struct graph_batch_item items[] = {
	    {"GET", "/users/u/events/a%2Bb", NULL, GRAPH_PREFER},
	    {"PATCH", "/subscriptions/s", "{\"x\":1}", NULL},
	    {"DELETE", "/subscriptions/s", NULL, NULL},
	};
	struct http_request req;
	json_t *root;
	const json_t *doc;

	(void)state;
	graph_batch_request(&c, "batch", items, 3, &req);
	root = json_loads(buf_text(&req.body), 0, NULL);
	assert_non_null(root);
	doc = json_arr(root, "requests");
	assert_string_equal(
	    json_str(json_obj(json_array_get(doc, 0), "headers"), "Prefer"),
	    "IdType=\"ImmutableId\", outlook.timezone=\"UTC\"");
	assert_int_equal(
	    json_object_size(json_obj(json_array_get(doc, 0), "headers")), 1);
	assert_string_equal(
	    json_str(
		json_obj(json_array_get(doc, 1), "headers"), "Content-Type"),
	    "application/json");
	assert_null(json_obj(json_array_get(doc, 2), "headers"));
	json_decref(root);
	http_request_clear(&req);
}

static void
an_event_is_glanced_at_by_its_changekey_and_its_calendar(void **state)
{
	json_t *body = json_loads("{\"changeKey\":\"k\"}", 0, NULL);
	struct buf path;

	(void)state;
	buf_init(&path, 256);
	graph_event_glance_path("u", "a/b=", &path);
	assert_string_equal(
	    buf_text(&path), "/users/u/events/a%2Fb%3D?$select=id,changeKey");
	buf_reset(&path);
	graph_calendar_path("u", "a/b=", &path);
	assert_string_equal(
	    buf_text(&path), "/users/u/events/a%2Fb%3D/calendar?$select=id");
	buf_clear(&path);
	assert_string_equal(graph_event_glance_read(body), "k");
	assert_string_equal(graph_event_glance_read(NULL), "");
	json_decref(body);
}

struct batch_seen {
	int status[3];
	int64_t retry_after_ms[3];
	size_t count;
};

static void
batch_see(size_t i, const struct graph_batch_answer *a, void *arg)
{
	struct batch_seen *seen = arg;

	assert_int_equal(i, seen->count);
	seen->status[i] = a->status;
	seen->retry_after_ms[i] = a->retry_after_ms;
	seen->count++;
}

static void
a_batchs_members_come_in_any_order_or_not_at_all(void **state)
{
	struct http_reply r = reply_of(200, JSON,
	    "{\"responses\":[{\"id\":\"3\",\"status\":429,\"headers\":"
	    "{\"RETRY-after\":\"2.5\"}},{\"id\":\"1\",\"status\":200,"
	    "\"body\":{}},{\"id\":\"9\",\"status\":500},{\"id\":\"x\"}]}");
	struct batch_seen seen = {.count = 0};
	struct err e = {0};

	(void)state;
	assert_int_equal(graph_batch_reply(&r, 3, batch_see, &seen, &e), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.status[0], 200);
	assert_int_equal(seen.status[1], 0);
	assert_int_equal(seen.status[2], 429);
	assert_true(seen.retry_after_ms[0] == -1);
	assert_true(seen.retry_after_ms[2] == 2500);
	r.status = 424;
	seen.count = 0;
	assert_int_equal(graph_batch_reply(&r, 3, batch_see, &seen, &e), 0);
	assert_int_equal(seen.count, 3);
}

static void
a_batch_that_fails_as_a_whole_says_nothing_of_its_members(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_code want;
	} cases[] = {
	    {404, GRAPH_ERROR("ResourceNotFound", ""), ERR_RETRY},
	    {403, GRAPH_ERROR("ErrorAccessDenied", ""), ERR_RETRY},
	    {401, GRAPH_ERROR("InvalidAuthenticationToken", ""), ERR_AUTH},
	    {503, "{}", ERR_RETRY},
	    {200, "{}", ERR_RETRY},
	    {200, "[", ERR_RETRY},
	};
	struct batch_seen seen = {.count = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r =
		    reply_of(cases[i].status, JSON, cases[i].body);
		struct err e = {0};

		assert_int_equal(
		    graph_batch_reply(&r, 3, batch_see, &seen, &e), -1);
		assert_int_equal(e.code, cases[i].want);
	}
	assert_int_equal(seen.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_graphs_errors_mean),
	    cmocka_unit_test(the_most_specific_known_code_counts),
	    cmocka_unit_test(retry_after_goes_with_429_and_503),
	    cmocka_unit_test(a_parked_mailbox_says_why_and_until_when),
	    cmocka_unit_test(network_faults_are_worth_a_repetition),
	    cmocka_unit_test(an_event_is_asked_for_as_graph_wants_it),
	    cmocka_unit_test(a_next_link_is_followed_on_graphs_own_root_only),
	    cmocka_unit_test(
		a_conflict_names_the_subscription_in_the_way_or_not),
	    cmocka_unit_test(what_graph_granted_counts_not_what_was_asked),
	    cmocka_unit_test(a_creation_carries_what_the_design_says),
	    cmocka_unit_test(a_batchs_members_have_the_headers_that_they_need),
	    cmocka_unit_test(
		an_event_is_glanced_at_by_its_changekey_and_its_calendar),
	    cmocka_unit_test(a_batchs_members_come_in_any_order_or_not_at_all),
	    cmocka_unit_test(
		a_batch_that_fails_as_a_whole_says_nothing_of_its_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
