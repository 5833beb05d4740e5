/* tests/unit/test_remote_unblu.c - what Unblu's answers mean. */
#include "test_remote.h"

#include "base/json.h"
#include "remote/graph.h"
#include "remote/unblu.h"

static void
what_unblus_answers_mean(void **state)
{
	static const struct {
		const char *sentence;
		int status;
		const char *type, *body;
		enum err_code want;
	} cases[] = {
	    {"a 204 is content", 204, "", "", ERR_NONE},
	    {"a login page for an answer", 200, "text/html", "<html>",
		ERR_AUTH},
	    {"a redirect to a login page", 302, "text/html", "", ERR_AUTH},
	    {"no credentials", 401, JSON, "{}", ERR_AUTH},
	    {"not allowed", 403, JSON,
		"{\"$_type\":\"Error\",\"errorMessage\":\"no\"}", ERR_MAILBOX},
	    {"an unknown conversation", 404, JSON,
		"{\"$_type\":\"Error\",\"statusCode\":404}", ERR_GONE},
	    {"a wrong base path is no deletion", 404, "", "", ERR_CONFIG},
	    {"a gateway's 404 in JSON is no deletion", 404, JSON,
		"{\"message\":\"no Route matched with those values\"}",
		ERR_CONFIG},
	    {"an error about another status is no deletion", 404, JSON,
		"{\"$_type\":\"Error\",\"statusCode\":502}", ERR_CONFIG},
	    {"another type of object is no deletion", 404, JSON,
		"{\"$_type\":\"Problem\",\"statusCode\":404}", ERR_CONFIG},
	    {"a proxy's 404 is no deletion", 404, "text/html", "<html>",
		ERR_CONFIG},
	    {"a conflict is looked at again", 409, JSON, "{}", ERR_RETRY},
	    {"bad input is permanent", 400, JSON, "{}", ERR_REFUSED},
	    {"throttled", 429, JSON, "{}", ERR_BUSY},
	    {"a fault", 502, "text/html", "", ERR_RETRY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r =
		    reply_of(cases[i].status, cases[i].type, cases[i].body);
		struct err e = {0};

		unblu_judge(&r, &e);
		if (e.code != cases[i].want)
			fail_msg("%s: %s (%s)", cases[i].sentence,
			    err_code_name(e.code), e.text);
	}
}

static void
a_conversation_is_read_with_members_of_the_future(void **state)
{
	struct http_reply r = reply_of(200, JSON,
	    "{\"$_type\":\"ConversationData\",\"id\":\"conv\",\"topic\":\"T\","
	    "\"scheduledTimestamp\":1764076800000,\"state\":\"CREATED\","
	    "\"initialEngagementType\":\"SCHEDULED_CONVERSATION\","
	    "\"sourceId\":\"s\",\"labels\":[],\"links\":[{\"type\":\"NEW\"}],"
	    "\"participants\":[{\"personId\":\"p\",\"participationType\":"
	    "\"ASSIGNED_AGENT\",\"state\":\"BRAND_NEW\"}],"
	    "\"externalParticipants\":[{}],\"botParticipants\":[{},{}]}");
	struct conversation c;
	struct err e = {0};

	(void)state;
	assert_int_equal(unblu_read_reply(&r, &c, &e), 0);
	assert_string_equal(c.source_id, "s");
	assert_true(c.scheduled);
	assert_int_equal(c.state, GUARD_CREATED);
	assert_true(c.start_ms == INT64_C(1764076800000));
	assert_int_equal(c.people.count, 1);
	assert_true(c.people.persons[0].assigned_agent);
	assert_int_equal(c.people.external_count, 1);
	assert_int_equal(c.people.bot_count, 2);
}

static void
a_state_of_the_future_is_neither_created_nor_ended(void **state)
{
	struct http_reply r = reply_of(200, JSON,
	    "{\"id\":\"c\",\"state\":\"PARKED\","
	    "\"participants\":[]}");
	struct conversation c;

	(void)state;
	assert_int_equal(unblu_read_reply(&r, &c, NULL), 0);
	assert_int_equal(c.state, GUARD_STATE_OTHER);
}

static void
a_404_of_a_gateway_is_no_deletion_done(void **state)
{
	struct http_reply r = reply_of(404, JSON, "{\"message\":\"no Route\"}");
	struct err e = {0};

	(void)state;
	assert_int_equal(unblu_delete_reply(&r, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(unblu_end_reply(&r, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	r = reply_of(404, JSON, "{\"$_type\":\"Error\",\"statusCode\":404}");
	assert_int_equal(unblu_delete_reply(&r, &e), 0);
}

static void
a_broken_answer_is_no_deletion_and_no_end(void **state)
{
	static const char *const bodies[] = {"", "{\"value\": [trunc", NULL};
	struct http_reply r;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; bodies[i] != NULL; i++) {
		r = reply_of(200, JSON, bodies[i]);
		assert_int_equal(unblu_delete_reply(&r, &e), -1);
		assert_int_equal(e.code, ERR_RETRY);
		assert_int_equal(unblu_end_reply(&r, &e), -1);
		assert_int_equal(e.code, ERR_RETRY);
	}
	r = reply_of(204, "", "");
	assert_int_equal(unblu_delete_reply(&r, &e), 0);
	r = reply_of(200, JSON, "{\"id\":\"c\",\"state\":\"ENDED\"}");
	assert_int_equal(unblu_end_reply(&r, &e), 0);
}

static void
an_error_never_quotes_the_answer(void **state)
{
	static const char unblu[] =
	    "{\"$_type\":\"Error\",\"statusCode\":400,"
	    "\"errorMessage\":\"topic 'Merger of A and B' is too long\"}";
	static const char graph[] =
	    "{\"error\":{\"code\":\"About Merger\","
	    "\"message\":\"subject 'Merger of A and B' is bad\"}}";
	struct http_reply r = reply_of(400, JSON, unblu);
	struct err e = {0};

	(void)state;
	assert_int_equal(unblu_judge(&r, &e), -1);
	assert_null(strstr(e.text, "Merger"));
	assert_non_null(strstr(e.text, "400"));
	r = reply_of(400, JSON, graph);
	assert_int_equal(graph_judge(&r, GRAPH_EVENT, &e), -1);
	assert_null(strstr(e.text, "Merger"));
	assert_non_null(strstr(e.text, "400"));
	r = reply_of(403, JSON, graph);
	assert_int_equal(graph_judge(&r, GRAPH_EVENT, &e), -1);
	assert_null(strstr(e.text, "Merger"));
}

static void
a_history_is_read_absent_or_not_readable(void **state)
{
	struct conversation_history h;
	struct http_reply r = reply_of(200, JSON,
	    "{\"participants\":[{\"person\":{\"id\":\"p\"}},{\"person\":null}"
	    "],\"botParticipants\":[],\"lastMessageTimestamp\":5}");
	struct err e = {0};

	(void)state;
	assert_int_equal(unblu_history_reply(&r, &h, &e), 0);
	assert_int_equal(h.kind, GUARD_HISTORY_READ);
	assert_int_equal(h.people.count, 2);
	assert_string_equal(h.people.persons[1].id, "");
	assert_true(h.has_messages);
	r = reply_of(404, JSON, "{\"$_type\":\"Error\"}");
	assert_int_equal(unblu_history_reply(&r, &h, &e), 0);
	assert_int_equal(h.kind, GUARD_HISTORY_ABSENT);
	r = reply_of(404, "", "");
	assert_int_equal(unblu_history_reply(&r, &h, &e), 0);
	assert_int_equal(h.kind, GUARD_HISTORY_UNREADABLE);
	r = reply_of(404, JSON, "{\"message\":\"no Route matched\"}");
	assert_int_equal(unblu_history_reply(&r, &h, &e), 0);
	assert_int_equal(h.kind, GUARD_HISTORY_UNREADABLE);
	r = reply_of(403, JSON, "{}");
	assert_int_equal(unblu_history_reply(&r, &h, &e), 0);
	assert_int_equal(h.kind, GUARD_HISTORY_UNREADABLE);
	r = reply_of(503, "", "");
	assert_int_equal(unblu_history_reply(&r, &h, &e), -1);
	assert_int_equal(e.code, ERR_RETRY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_unblus_answers_mean),
	    cmocka_unit_test(a_conversation_is_read_with_members_of_the_future),
	    cmocka_unit_test(
		a_state_of_the_future_is_neither_created_nor_ended),
	    cmocka_unit_test(a_404_of_a_gateway_is_no_deletion_done),
	    cmocka_unit_test(a_broken_answer_is_no_deletion_and_no_end),
	    cmocka_unit_test(an_error_never_quotes_the_answer),
	    cmocka_unit_test(a_history_is_read_absent_or_not_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
