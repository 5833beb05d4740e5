/* tests/unit/test_remote_faults.c - what each error answer of Graph and Unblu
 * means. The rows are those of reference/graph.md 4.1, 4.4, 11 and 13 and of
 * reference/unblu.md 5 and 7, with what people have seen besides. */
#include "test_remote.h"

#include "base/json.h"
#include "remote/graph.h"
#include "remote/graph_batch.h"
#include "remote/unblu.h"
#include "rule/retry.h"

#define HTML "text/html"

/* ---- Graph ---- */

#define ERROR(code, message)                                                   \
	"{\"error\":{\"code\":\"" code "\",\"message\":\"" message             \
	"\",\"innerError\":{\"date\":\"2026-11-23T08:32:25\","                 \
	"\"request-id\":\"e6ea1bde\",\"client-request-id\":\"0b2f\"}}}"
#define CREATE "Operation: Create; Exception: [Status Code: "
#define HANDSHAKE_FAILED                                                       \
	"Subscription validation request failed. Notification endpoint must "  \
	"respond with 200 OK to validation request."

enum {
	EVENT = 1 << GRAPH_EVENT,
	BOX = 1 << GRAPH_MAILBOX,
	SUB = 1 << GRAPH_SUBSCRIPTION,
	NEW = 1 << GRAPH_SUBSCRIPTION_CREATE,
	READS = EVENT | BOX,
	ALL = READS | SUB | NEW
};

struct graph_case {
	const char *sentence;
	int status;
	const char *type, *body;
	unsigned areas;
	enum err_code want;
	const char *why; /* the text begins so, NULL: whatever */
};

static const struct graph_case graph_cases[] = {
    /* 11.3 */
    {"an expired token", 401, JSON,
	ERROR("InvalidAuthenticationToken",
	    "Access token has expired or is not yet valid."),
	ALL, ERR_AUTH, NULL},
    {"an empty token", 401, JSON,
	ERROR("InvalidAuthenticationToken", "Access token is empty."), ALL,
	ERR_AUTH, NULL},
    {"a malformed token", 401, JSON,
	ERROR("InvalidAuthenticationToken", "CompactToken parsing failed"), ALL,
	ERR_AUTH, NULL},
    {"a claims challenge without a body", 401, "", "", ALL, ERR_AUTH, NULL},
    {"a 401 in HTML", 401, HTML, "<html>", ALL, ERR_AUTH, NULL},
    {"no access", 403, JSON,
	ERROR("ErrorAccessDenied",
	    "Access is denied. Check credentials and try again."),
	ALL, ERR_MAILBOX, "forbidden"},
    {"an access policy", 403, JSON,
	ERROR("ErrorAccessDenied", "Access to OData is disabled."), ALL,
	ERR_MAILBOX, "forbidden"},
    {"directory objects", 403, JSON,
	ERROR("Authorization_RequestDenied",
	    "Insufficient privileges to complete the operation."),
	ALL, ERR_MAILBOX, "forbidden"},
    {"a 403 of some proxy forbids no mailbox", 403, HTML, "<html>", ALL,
	ERR_RETRY, NULL},
    {"an empty 403 forbids no mailbox", 403, "", "", ALL, ERR_RETRY, NULL},
    {"the event is gone", 404, JSON,
	ERROR("ErrorItemNotFound",
	    "The specified object was not found in the store."),
	EVENT, ERR_GONE, NULL},
    {"the code in another letter case", 404, JSON,
	ERROR("errorItemNotFound", "x"), EVENT, ERR_GONE, NULL},
    {"the same word about a mailbox", 404, JSON,
	ERROR("ErrorItemNotFound", "x"), BOX, ERR_MAILBOX, "no mailbox"},
    {"no mailbox", 404, JSON,
	ERROR("MailboxNotEnabledForRESTAPI",
	    "The mailbox is either inactive, soft-deleted, or is hosted "
	    "on-premise."),
	READS | NEW, ERR_MAILBOX, "no mailbox"},
    {"in older words", 404, JSON,
	ERROR("MailboxNotEnabledForRESTAPI",
	    "REST API is not yet supported for this mailbox."),
	READS | NEW, ERR_MAILBOX, "no mailbox"},
    {"what alternates with it", 404, JSON,
	ERROR("ResourceNotFound", "Resource could not be discovered."),
	READS | NEW, ERR_MAILBOX, "no mailbox"},
    {"no user", 404, JSON,
	ERROR("ErrorInvalidUser", "The requested user 'x' is invalid."),
	READS | NEW, ERR_MAILBOX, "no user"},
    {"no user, by the directory", 404, JSON,
	ERROR("Request_ResourceNotFound", "x"), READS | NEW, ERR_MAILBOX,
	"no user"},
    {"a malformed id", 400, JSON,
	ERROR("ErrorInvalidIdMalformed", "Id is malformed."), READS,
	ERR_REFUSED, NULL},
    {"a bad URL", 400, JSON, ERROR("RequestBroker--ParseUri", "x"), ALL,
	ERR_REFUSED, NULL},
    {"a bad filter", 400, JSON, ERROR("BadRequest", "x"), ALL, ERR_REFUSED,
	NULL},
    {"a conflict of somebody's writes", 409, JSON,
	ERROR("ErrorIrresolvableConflict", "x"), READS, ERR_RETRY, NULL},
    {"a precondition", 412, JSON, ERROR("ErrorIrresolvableConflict", "x"), ALL,
	ERR_RETRY, NULL},
    {"a general exception", 500, JSON, ERROR("generalException", "x"), ALL,
	ERR_RETRY, NULL},
    {"a bad gateway", 502, JSON, ERROR("UnknownError", ""), ALL, ERR_RETRY,
	NULL},
    {"unavailable", 503, JSON, ERROR("ServiceUnavailable", "x"), ALL, ERR_RETRY,
	NULL},
    {"a transient fault", 504, JSON,
	ERROR("ErrorInternalServerTransientError", "x"), ALL, ERR_RETRY, NULL},
    {"a fault that speaks of an item", 500, JSON,
	ERROR("ErrorItemNotFound", "x"), ALL, ERR_RETRY, NULL},
    {"a fault in HTML", 503, HTML, "<html>", ALL, ERR_RETRY, NULL},
    {"bandwidth", 509, "", "", ALL, ERR_RETRY, NULL},
    {"a request that took too long", 408, "", "", ALL, ERR_RETRY, NULL},

    /* 11.2, problem 30 */
    {"throttled, as documented", 429, JSON,
	"{\"error\":{\"code\":\"TooManyRequests\",\"innerError\":{\"code\":"
	"\"429\",\"date\":\"2026\",\"message\":\"Please retry after\","
	"\"request-id\":\"x\",\"status\":\"429\"},\"message\":\"Please retry "
	"again later.\"}}",
	ALL, ERR_BUSY, NULL},
    {"throttled, as seen", 429, JSON,
	ERROR("ApplicationThrottled",
	    "Application is over its MailboxConcurrency limit."),
	ALL, ERR_BUSY, NULL},
    {"too many objects opened", 429, JSON,
	ERROR("ErrorTooManyObjectsOpened", "x"), ALL, ERR_BUSY, NULL},
    {"throttled without a word", 429, "", "", ALL, ERR_BUSY, NULL},
    {"throttled in HTML", 429, HTML, "<html>", ALL, ERR_BUSY, NULL},

    /* 11.1 */
    {"a member that failed with another", 424, JSON,
	ERROR("FailedDependency", "x"), ALL, ERR_RETRY, NULL},

    /* 4.4, problems 16 to 19 */
    {"our webhook did not answer", 400, JSON,
	ERROR("ValidationError", HANDSHAKE_FAILED), NEW, ERR_CONFIG, NULL},
    {"our webhook did not answer, in older words", 400, JSON,
	ERROR("InvalidRequest", "Subscription validation request timed out."),
	NEW, ERR_CONFIG, NULL},
    {"our webhook is forbidden to them", 400, JSON,
	ERROR("InvalidRequest",
	    "Subscription validation request failed. HTTP status code is "
	    "'Forbidden'."),
	NEW, ERR_CONFIG, NULL},
    {"our webhook when a subscription is renewed", 400, JSON,
	ERROR("ValidationError", HANDSHAKE_FAILED), SUB, ERR_CONFIG, NULL},
    {"a body that Graph can not read", 400, JSON,
	ERROR("InvalidRequest",
	    "Could not process subscription creation payload. Are all property "
	    "names spelled and camelCased properly?"),
	NEW, ERR_REFUSED, NULL},
    {"the handshake's word about an event is only a word", 400, JSON,
	ERROR("ValidationError", HANDSHAKE_FAILED), READS, ERR_REFUSED, NULL},
    {"no consent", 403, JSON,
	ERROR("ExtensionError", CREATE "Forbidden; Reason: Forbidden]"), NEW,
	ERR_MAILBOX, "forbidden"},
    {"no consent, in other words", 403, JSON, ERROR("AccessDenied", "x"), NEW,
	ERR_MAILBOX, "forbidden"},
    {"no licence", 404, JSON,
	ERROR("ExtensionError",
	    CREATE "NotFound; Reason: REST API is not yet supported for this "
		   "mailbox.]"),
	NEW, ERR_MAILBOX, "no mailbox"},
    {"no such user", 404, JSON,
	ERROR("ExtensionError",
	    CREATE "NotFound; Reason: The requested user 'x@y' is invalid.]"),
	NEW, ERR_MAILBOX, "no user"},
    {"there is one already", 409, JSON,
	ERROR("Conflict",
	    "Subscription Id x already exists for the requested combination"),
	NEW, ERR_REFUSED, NULL},
    {"an incident", 500, JSON, ERROR("ExtensionError", "x"), NEW, ERR_RETRY,
	NULL},

    /* 4.3, problem 15 */
    {"no such subscription", 404, JSON,
	ERROR("ResourceNotFound", "The object was not found."), SUB, ERR_GONE,
	NULL},
    {"its owner is deleted", 404, JSON,
	ERROR("ExtensionError",
	    "Operation: Delete; Exception: [Status Code: NotFound; Reason: The "
	    "requested user 'x' is invalid.]"),
	SUB, ERR_GONE, NULL},
    {"a subscription that is over", 410, JSON, ERROR("Gone", "x"), SUB,
	ERR_GONE, NULL},
    {"a task that was canceled", 503, JSON,
	ERROR("ExtensionError",
	    "Operation: Delete; Exception: [A task was canceled.]"),
	SUB, ERR_RETRY, NULL},

    /* bodies that are not Graph's, or not complete: they prove nothing */
    {"an empty code", 404, JSON, ERROR("", "x"), READS | NEW, ERR_MAILBOX,
	"no mailbox"},
    {"an unknown code", 404, JSON, ERROR("SomethingNew", "x"), READS | NEW,
	ERR_MAILBOX, "no mailbox"},
    {"an unknown refusal", 422, JSON, ERROR("SomethingNew", "x"), ALL,
	ERR_REFUSED, NULL},
    {"a 404 in HTML", 404, HTML, "<html>ErrorItemNotFound</html>", ALL,
	ERR_RETRY, NULL},
    {"an empty 404", 404, "", "", ALL, ERR_RETRY, NULL},
    {"an empty 404 that says it is JSON", 404, JSON, "", ALL, ERR_RETRY, NULL},
    {"a 404 in half the JSON", 404, JSON,
	"{\"error\":{\"code\":\"ErrorItemNotFound\"", ALL, ERR_RETRY, NULL},
    {"a 404 without error", 404, JSON, "{\"message\":\"no route\"}", ALL,
	ERR_RETRY, NULL},
    {"a 404 whose error is a word", 404, JSON,
	"{\"error\":\"ErrorItemNotFound\"}", ALL, ERR_RETRY, NULL},
    {"a 404 whose error has no code", 404, JSON,
	"{\"error\":{\"message\":\"ErrorItemNotFound\"}}", ALL, ERR_RETRY,
	NULL},
    {"a 404 whose code is a number", 404, JSON, "{\"error\":{\"code\":404}}",
	ALL, ERR_RETRY, NULL},
    {"a 404 that is an array", 404, JSON,
	"[{\"error\":{\"code\":\"ErrorItemNotFound\"}}]", ALL, ERR_RETRY, NULL},
    {"a 404 as text", 404, "text/plain",
	"{\"error\":{\"code\":\"ErrorItemNotFound\"}}", ALL, ERR_RETRY, NULL},
    {"an empty 400", 400, "", "", ALL, ERR_RETRY, NULL},
    {"a 405 of some proxy", 405, HTML, "<html>", ALL, ERR_RETRY, NULL},
    {"a redirect", 302, HTML, "", ALL, ERR_RETRY, NULL},
    {"a status from nowhere", 0, "", "", ALL, ERR_RETRY, NULL},

    /* nested errors: the most specific code that we know */
    {"the event is gone, two levels down", 404, JSON,
	"{\"error\":{\"code\":\"UnknownError\",\"message\":\"\",\"innererror\":"
	"{\"code\":\"Outer\",\"innerError\":{\"code\":\"ErrorItemNotFound\"}}}"
	"}",
	EVENT, ERR_GONE, NULL},
    {"an unknown code inside does not hide the known one", 404, JSON,
	"{\"error\":{\"code\":\"ErrorItemNotFound\",\"message\":\"\","
	"\"innerError\":{\"code\":\"SomethingNew\"}}}",
	EVENT, ERR_GONE, NULL},
    {"a deleted user inside an item that is not found", 404, JSON,
	"{\"error\":{\"code\":\"ErrorItemNotFound\",\"message\":\"\","
	"\"innerError\":{\"code\":\"ErrorInvalidUser\"}}}",
	EVENT, ERR_MAILBOX, "no user"},
};

static void
what_graphs_errors_mean(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(graph_cases) / sizeof(graph_cases[0]);
	     i++) {
		const struct graph_case *c = &graph_cases[i];
		struct http_reply r = reply_of(c->status, c->type, c->body);

		for (int area = GRAPH_EVENT; area <= GRAPH_SUBSCRIPTION_CREATE;
		     area++) {
			struct err e = {0};

			if ((c->areas & (1U << area)) == 0)
				continue;
			graph_judge(&r, (enum graph_area)area, &e);
			if (e.code != c->want ||
			    (c->why != NULL &&
				strncmp(e.text, c->why, strlen(c->why)) != 0))
				fail_msg("%s (area %d): %s (%s)", c->sentence,
				    area, err_code_name(e.code), e.text);
		}
	}
}

static void
nothing_but_one_word_of_graph_deletes(void **state)
{
	static const int statuses[] = {
	    301, 400, 401, 403, 404, 405, 410, 412, 424, 429, 500, 503};
	static const char *const codes[] = {"ErrorItemNotFound",
	    "ResourceNotFound", "ErrorInvalidUser", "ExtensionError",
	    "MailboxNotEnabledForRESTAPI", "Request_ResourceNotFound", "",
	    "ErrorAccessDenied", "SyncStateNotFound", "ItemNotFound"};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		for (size_t k = 0; k < sizeof(codes) / sizeof(codes[0]); k++) {
			bool gone = statuses[i] == 404 && k == 0;
			char body[128];
			struct http_reply r;
			struct err e = {0};

			snprintf(body, sizeof(body),
			    "{\"error\":{\"code\":\"%s\",\"message\":\"\"}}",
			    codes[k]);
			r = reply_of(statuses[i], JSON, body);
			graph_judge(&r, GRAPH_EVENT, &e);
			if ((e.code == ERR_GONE) != gone)
				fail_msg(
				    "%d %s: %s", statuses[i], codes[k], e.text);
		}
}

static void
a_mailbox_is_looked_at_again_hourly_or_daily(void **state)
{
	static const struct {
		int status;
		const char *body;
		int64_t hours;
	} cases[] = {
	    {403, ERROR("ErrorAccessDenied", ""), 1},
	    {404, ERROR("ErrorInvalidUser", ""), 6},
	    {404, ERROR("MailboxNotEnabledForRESTAPI", ""), 24},
	    {404, ERROR("ResourceNotFound", ""), 24},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r =
		    reply_of(cases[i].status, JSON, cases[i].body);
		struct err e = {0};

		graph_judge(&r, GRAPH_EVENT, &e);
		assert_true(e.retry_after_ms == cases[i].hours * 3600 * 1000);
	}
}

static void
the_request_id_stands_behind_the_reason(void **state)
{
	struct http_reply r =
	    reply_of(403, JSON, ERROR("ErrorAccessDenied", "x"));
	struct err e = {0};

	(void)state;
	snprintf(r.request_id, sizeof(r.request_id), "e6ea1bde");
	graph_judge(&r, GRAPH_EVENT, &e);
	assert_string_equal(e.text,
	    "forbidden: status 403 ErrorAccessDenied (request-id e6ea1bde)");
	assert_true(e.retry_after_ms == 3600 * 1000);
}

/* ---- Unblu ---- */

#define REFUSAL(status, message)                                               \
	"{\"$_type\":\"Error\",\"statusCode\":" #status                        \
	",\"statusDescription\":\"x\",\"errorMessage\":\"" message "\"}"

static const struct {
	const char *sentence;
	int status;
	const char *type, *body;
	enum err_code want;
} unblu_cases[] = {
    {"content", 200, JSON, "{}", ERR_NONE},
    {"content without a body", 204, "", "", ERR_NONE},
    {"a login page for an answer", 200, HTML, "<html>", ERR_AUTH},
    {"a login page as XHTML", 200, "application/xhtml+xml", "<html/>",
	ERR_AUTH},
    {"a redirect to a login page", 302, HTML, "", ERR_AUTH},
    {"a redirect with JSON", 307, JSON, "{}", ERR_AUTH},
    {"no credentials", 401, JSON, REFUSAL(401, "x"), ERR_AUTH},
    {"no credentials, by the gateway", 401, "", "", ERR_AUTH},
    {"a login page with 401", 401, HTML, "<html>", ERR_AUTH},
    {"role too low", 403, JSON, REFUSAL(403, "no"), ERR_MAILBOX},
    {"forbidden by the gateway", 403, JSON, "{\"message\":\"no\"}",
	ERR_MAILBOX},
    {"forbidden without a word", 403, "", "", ERR_MAILBOX},
    {"a login page with 403", 403, HTML, "<html>", ERR_AUTH},
    {"an unknown conversation", 404, JSON, REFUSAL(404, "x"), ERR_GONE},
    {"a wrong base path", 404, "", "", ERR_CONFIG},
    {"a gateway without its upstream", 404, JSON,
	"{\"message\":\"no Route matched with those values\"}", ERR_CONFIG},
    {"another status inside", 404, JSON, REFUSAL(502, "x"), ERR_CONFIG},
    {"another type of object", 404, JSON,
	"{\"$_type\":\"Problem\",\"statusCode\":404}", ERR_CONFIG},
    {"an array", 404, JSON, "[" REFUSAL(404, "x") "]", ERR_CONFIG},
    {"a proxy's 404", 404, HTML, "<html>", ERR_CONFIG},
    {"bad input", 400, JSON, REFUSAL(400, "Assignee must be an agent"),
	ERR_REFUSED},
    {"bad input without type", 400, JSON,
	"{\"errorMessage\":\"missing topic\"}", ERR_REFUSED},
    {"a 400 of some proxy", 400, HTML, "<html>", ERR_RETRY},
    {"an empty 400", 400, "", "", ERR_RETRY},
    {"a 400 in half the JSON", 400, JSON, "{\"$_type\":\"Err", ERR_RETRY},
    {"a stale version", 409, JSON, REFUSAL(409, "x"), ERR_RETRY},
    {"a precondition", 412, JSON, REFUSAL(412, "x"), ERR_RETRY},
    {"another refusal", 422, JSON, REFUSAL(422, "x"), ERR_REFUSED},
    {"throttled", 429, JSON, REFUSAL(429, "x"), ERR_BUSY},
    {"throttled by a proxy", 429, HTML, "<html>", ERR_BUSY},
    {"took too long", 408, "", "", ERR_RETRY},
    {"a fault", 500, JSON, REFUSAL(500, "x"), ERR_RETRY},
    {"a fault of the gateway", 502, HTML, "<html>", ERR_RETRY},
    {"not ready", 503, JSON, REFUSAL(503, "x"), ERR_RETRY},
    {"a gateway that waited in vain", 504, "", "", ERR_RETRY},
};

static void
what_unblus_errors_mean(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(unblu_cases) / sizeof(unblu_cases[0]);
	     i++) {
		struct http_reply r = reply_of(unblu_cases[i].status,
		    unblu_cases[i].type, unblu_cases[i].body);
		struct err e = {0};
		int rc = unblu_judge(&r, &e);

		if (e.code != unblu_cases[i].want ||
		    (rc == 0) != (e.code == ERR_NONE))
			fail_msg("%s: %s (%s)", unblu_cases[i].sentence,
			    err_code_name(e.code), e.text);
	}
}

/* ---- both ---- */

static void
how_long_to_wait_is_kept_with_a_fault(void **state)
{
	static const int statuses[] = {408, 429, 500, 503, 509};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct http_reply r = reply_of(statuses[i], HTML, "<html>");
		struct err e = {0};

		r.retry_after_ms = 2128;
		graph_judge(&r, GRAPH_EVENT, &e);
		assert_int_equal(e.code, ERR_BUSY);
		assert_true(e.retry_after_ms == 2128);
		unblu_judge(&r, &e);
		assert_int_equal(e.code, ERR_BUSY);
		assert_true(e.retry_after_ms == 2128);
	}
}

static void
the_network_is_worth_a_repetition(void **state)
{
	struct err e = {0};

	(void)state;
	for (int result = HTTP_DNS; result <= HTTP_TOO_BIG; result++) {
		struct http_reply r = reply_of(0, "", "");

		r.result = (enum http_result)result;
		graph_judge(&r, GRAPH_EVENT, &e);
		assert_int_equal(e.code, ERR_RETRY);
		unblu_judge(&r, &e);
		assert_int_equal(e.code, ERR_RETRY);
	}
}

/* ---- members of a $batch ---- */

static void
keep_wait(size_t i, const struct graph_batch_answer *a, void *arg)
{
	int64_t *waits = arg;

	waits[i] = a->retry_after_ms;
}

static void
a_members_retry_after_is_read_in_any_form(void **state)
{
	static const struct {
		const char *headers;
		int64_t want;
	} cases[] = {
	    {"{\"Retry-After\":\"5\"}", 5000},
	    {"{\"retry-after\":\"2.5\"}", 2500},
	    {"{\"RETRY-AFTER\":\"Sun, 06 Nov 1994 08:49:37 GMT\"}", 0},
	    {"{\"Retry-After\":7}", 7000},
	    {"{\"Retry-After\":2.25}", 2250},
	    {"{\"Retry-After\":-3}", -1},
	    {"{\"Retry-After\":1e300}", RETRY_AFTER_MAX_MS},
	    {"{\"Retry-After\":\"soon\"}", -1},
	    {"{\"Retry-After\":null}", -1},
	    {"{\"Retry-After\":\"1\",\"retry-after\":\"9\"}", 9000},
	    {"{}", -1},
	    {"null", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[256];
		struct http_reply r;
		struct err e = {0};
		int64_t wait_ms = -2;

		snprintf(body, sizeof(body),
		    "{\"responses\":[{\"id\":\"1\",\"status\":429,"
		    "\"headers\":%s,\"body\":{}}]}",
		    cases[i].headers);
		r = reply_of(200, JSON, body);
		assert_int_equal(
		    graph_batch_reply(&r, 1, keep_wait, &wait_ms, &e), 0);
		if (wait_ms != cases[i].want)
			fail_msg(
			    "%s: %lld", cases[i].headers, (long long)wait_ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_graphs_errors_mean),
	    cmocka_unit_test(nothing_but_one_word_of_graph_deletes),
	    cmocka_unit_test(a_mailbox_is_looked_at_again_hourly_or_daily),
	    cmocka_unit_test(the_request_id_stands_behind_the_reason),
	    cmocka_unit_test(what_unblus_errors_mean),
	    cmocka_unit_test(how_long_to_wait_is_kept_with_a_fault),
	    cmocka_unit_test(the_network_is_worth_a_repetition),
	    cmocka_unit_test(a_members_retry_after_is_read_in_any_form),
	};

	return cmocka_run_group_tests_name("remote: faults", tests, NULL, NULL);
}
