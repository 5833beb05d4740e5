/* tests/unit/test_remote.c - lib/remote: what each peer's answers mean, with
 * the bodies of the references; and what is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/jws.h"
#include "remote/entra.h"
#include "remote/gateway.h"
#include "remote/graph.h"
#include "remote/graph_batch.h"
#include "remote/graph_subscription.h"
#include "remote/unblu.h"
#include "test_certificate.h"

static char graph_url[] = "https://graph.example";
static char login_url[] = "https://login.example";
static char unblu_url[] = "https://unblu.example/gateway";
static char unblu_api_url[] = "https://unblu.example/gateway/app/rest/v4";
static char client_id[] = "11111111-2222-4333-8444-555555555555";
static char addin_id[] = "0a1b2c3d-0000-4000-8000-00000000000a";
static char empty[] = "";
static char gateway_id[] = "sync:client";
static char deployment_url[] = "https://addin.example";
static char base[] = "/addin";

static struct config
usual(void)
{
	struct config c = {
	    .graph_url = graph_url,
	    .login_url = login_url,
	    .unblu_url = unblu_url,
	    .unblu_api_url = unblu_api_url,
	    .client_id = client_id,
	    .addin_id = addin_id,
	    .unblu_token_scope = empty,
	    .unblu_token_audience = empty,
	    .unblu_token_resource = empty,
	    .gateway_client_id = gateway_id,
	    .deployment_url = deployment_url,
	    .base = base,
	};

	return c;
}

static struct http_reply
reply_of(int status, const char *type, const char *body)
{
	struct http_reply r = {
	    .result = HTTP_DONE,
	    .status = status,
	    .body = body,
	    .body_len = strlen(body),
	    .retry_after_ms = -1,
	    .message = "",
	};

	snprintf(r.content_type, sizeof(r.content_type), "%s", type);
	return r;
}

#define JSON "application/json"
#define GRAPH_ERROR(code, message)                                             \
	"{\"error\":{\"code\":\"" code "\",\"message\":\"" message             \
	"\",\"innerError\":{\"request-id\":\"x\"}}}"

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

static void
what_entras_refusals_mean(void **state)
{
	static const struct {
		int status;
		const char *error, *codes;
		enum err_code want;
		const char *text;
	} cases[] = {
	    {401, "invalid_client", "7000222", ERR_AUTH, "has expired"},
	    {401, "invalid_client", "7000215", ERR_AUTH, "id was pasted"},
	    {401, "invalid_client", "7000218", ERR_AUTH, "neither a secret"},
	    {400, "unauthorized_client", "700016", ERR_AUTH, "consent"},
	    {400, "invalid_request", "90002", ERR_AUTH, "tenantIds"},
	    {400, "invalid_tenant", "90002", ERR_AUTH, "tenantIds"},
	    {400, "invalid_request", "90038", ERR_AUTH, "national cloud"},
	    {400, "invalid_resource", "500011", ERR_AUTH, "graphUrl"},
	    {400, "invalid_scope", "70011", ERR_AUTH, "scope"},
	    {400, "invalid_scope", "700022", ERR_AUTH, "scope"},
	    {400, "invalid_request", "900144", ERR_AUTH, "parameter"},
	    {401, "invalid_client", "700027", ERR_AUTH, "certificate"},
	    {401, "invalid_client", "700024", ERR_AUTH, "clock"},
	    {400, "invalid_client", "50027", ERR_AUTH, "malformed"},
	    {401, "invalid_client", "700211", ERR_AUTH, "issuer"},
	    {401, "invalid_client", "700212", ERR_AUTH, "audience"},
	    {401, "invalid_client", "700213", ERR_AUTH, "subject"},
	    {401, "invalid_client", "1", ERR_AUTH, "credential is refused"},
	    {400, "unauthorized_client", "1", ERR_AUTH, "not allowed"},
	    {400, "something_new", "1", ERR_AUTH, "refused"},
	    {400, "temporarily_unavailable", "1", ERR_RETRY, ""},
	    {400, "server_error", "90006", ERR_RETRY, ""},
	    {400, "server_error", "90012", ERR_RETRY, ""},
	    {400, "server_error", "90024", ERR_RETRY, ""},
	    {400, "server_error", "90033", ERR_RETRY, ""},
	    {400, "server_error", "90090", ERR_RETRY, ""},
	    {400, "invalid_request", "90055", ERR_BUSY, ""},
	    {429, "x", "90055", ERR_BUSY, ""},
	    {503, "x", "1", ERR_RETRY, ""},
	    {503, "invalid_client", "7000222", ERR_RETRY, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct token_grant g;
		struct http_reply r;
		struct err e = {0};
		char body[512];

		snprintf(body, sizeof(body),
		    "{\"error\":\"%s\",\"error_description\":\"AADSTS%s: Told."
		    " Trace ID: 1\\r\\nCorrelation ID: 2\",\"error_codes\":"
		    "[%s]}",
		    cases[i].error, cases[i].codes, cases[i].codes);
		r = reply_of(cases[i].status, JSON, body);
		assert_int_equal(entra_token_reply(&r, &g, &e), -1);
		if (e.code != cases[i].want ||
		    strstr(e.text, cases[i].text) == NULL)
			fail_msg("AADSTS%s: %s: %s", cases[i].codes,
			    err_code_name(e.code), e.text);
		assert_null(strstr(e.text, "Trace ID"));
		if (e.code != ERR_AUTH)
			continue;
		snprintf(body, sizeof(body),
		    "Entra token: AADSTS%s: ", cases[i].codes);
		assert_int_equal(strncmp(e.text, body, strlen(body)), 0);
		assert_non_null(strstr(e.text, ": Told.]"));
		assert_int_equal(entra_code_in(e.text),
		    (int)strtol(cases[i].codes, NULL, 10));
	}
}

static void
a_refusal_is_read_in_every_form(void **state)
{
	static const struct {
		const char *body, *want;
	} cases[] = {
	    /* an old one: no list, the ids behind line ends */
	    {"{\"error\":\"invalid_client\",\"error_description\":"
	     "\"AADSTS7000222: Gone.\\r\\nTrace ID: x\\r\\nCorrelation ID: "
	     "y\"}",
		"AADSTS7000222: the client secret has expired"},
	    /* a code that is known behind one that is not */
	    {"{\"error\":\"invalid_client\",\"error_codes\":[1,7000215]}",
		"AADSTS7000215: wrong client secret"},
	    {"{\"error\":\"invalid_client\",\"error_codes\":[4242,4343]}",
		"AADSTS4242: our credential is refused"},
	    {"{\"error\":\"invalid_client\",\"error_codes\":"
	     "[-1,99999999999999,\"7000215\",null]}",
		"Entra token: our credential is refused [status 401"},
	    {"{\"error\":7,\"error_description\":[],\"error_codes\":{}}",
		"Entra token: the sign-in is refused [status 401"},
	    {"[]", "Entra token: the sign-in is refused [status 401"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r = reply_of(401, JSON, cases[i].body);
		struct token_grant g;
		struct err e = {0};

		assert_int_equal(entra_token_reply(&r, &g, &e), -1);
		assert_int_equal(e.code, ERR_AUTH);
		if (strstr(e.text, cases[i].want) == NULL)
			fail_msg("%s: %s", cases[i].body, e.text);
	}
}

static void
entra_is_asked_with_a_secret_or_an_assertion(void **state)
{
	struct config c = usual();
	struct secret *text = secret_new("a+b c/%", 7);
	struct http_request r;

	(void)state;
	entra_token_request(&c, "tid", ENTRA_SECRET, text, &r);
	assert_string_equal(
	    buf_text(&r.url), "https://login.example/tid/oauth2/v2.0/token");
	assert_string_equal(buf_text(&r.body),
	    "client_id=11111111-2222-4333-8444-555555555555&scope="
	    "https%3A%2F%2Fgraph.example%2F.default&client_secret="
	    "a%2Bb+c%2F%25&grant_type=client_credentials");
	http_request_clear(&r);
	entra_token_request(&c, "tid", ENTRA_ASSERTION, text, &r);
	assert_string_equal(buf_text(&r.body),
	    "client_id=11111111-2222-4333-8444-555555555555&scope="
	    "https%3A%2F%2Fgraph.example%2F.default&client_assertion_type="
	    "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A"
	    "jwt-bearer&client_assertion=a%2Bb+c%2F%25&grant_type="
	    "client_credentials");
	http_request_clear(&r);
	secret_free(text);
}

static void
an_assertion_claims_what_graph_md_says(void **state)
{
	struct config c = usual();
	struct test_pair p = test_pair_rsa(2048, -60, 3600);
	enum jws_part part;
	struct jws_signer *s = jws_signer_new(p.certificate,
	    strlen(p.certificate), p.key, strlen(p.key), &part, NULL);
	struct secret *jws =
	    entra_assertion(&c, "tid", s, INT64_C(1800000000999),
		"0f0f0f0f-0000-4000-8000-000000000001", NULL);
	unsigned char claims[1024];
	const char *at = strchr(secret_reveal(jws), '.') + 1;
	long len = jws_base64url_decode(
	    at, strcspn(at, "."), claims, sizeof(claims) - 1);

	(void)state;
	assert_true(len > 0);
	claims[len] = '\0';
	assert_string_equal((char *)claims,
	    "{\"aud\":\"https://login.example/tid/oauth2/v2.0/token\",\"iss\":"
	    "\"11111111-2222-4333-8444-555555555555\",\"sub\":"
	    "\"11111111-2222-4333-8444-555555555555\",\"jti\":"
	    "\"0f0f0f0f-0000-4000-8000-000000000001\",\"nbf\":1799999970,"
	    "\"iat\":1799999970,\"exp\":1800000570}");
	secret_free(jws);
	jws_signer_free(s);
	test_pair_clear(&p);
}

static void
a_token_that_no_header_can_carry_is_none(void **state)
{
	static const char *const bad[] = {"a\\nb", "a b", "\\u00fc", "\\u007f"};
	char body[20000];

	(void)state;
	for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		struct token_grant g;
		struct http_reply r;
		struct err e = {0};

		if (i < sizeof(bad) / sizeof(bad[0]))
			snprintf(body, sizeof(body),
			    "{\"access_token\":\"%s\"}", bad[i]);
		else /* a huge one */
			snprintf(body, sizeof(body),
			    "{\"access_token\":\"%017000d\"}", 1);
		r = reply_of(200, JSON, body);
		assert_int_equal(entra_token_reply(&r, &g, &e), -1);
		assert_int_equal(e.code, ERR_RETRY);
		assert_int_equal(gateway_token_reply(&r, &g, &e), -1);
		assert_int_equal(e.code, ERR_RETRY);
	}
}

static void
a_token_is_used_up_before_it_expires(void **state)
{
	struct token_grant g = {0};
	struct http_reply r = reply_of(
	    200, JSON, "{\"access_token\":\"abc\",\"expires_in\":3599}");
	struct err e = {0};

	(void)state;
	assert_int_equal(entra_token_reply(&r, &g, &e), 0);
	assert_true(g.life_ms == 3299 * 1000);
	assert_string_equal(secret_reveal(g.token), "abc");
	secret_free(g.token);
	r = reply_of(200, JSON, "{\"access_token\":\"abc\"}");
	assert_int_equal(gateway_token_reply(&r, &g, &e), 0);
	assert_true(g.life_ms == 240 * 1000);
	secret_free(g.token);
	/* an absurd life is a day, a negative one is over: no overflow */
	r = reply_of(200, JSON,
	    "{\"access_token\":\"abc\",\"expires_in\":9223372036854775807}");
	assert_int_equal(entra_token_reply(&r, &g, &e), 0);
	assert_true(g.life_ms == (24 * 3600 - 300) * 1000);
	secret_free(g.token);
	r = reply_of(200, JSON, "{\"access_token\":\"abc\",\"expires_in\":-5}");
	assert_int_equal(gateway_token_reply(&r, &g, &e), 0);
	assert_true(g.life_ms == 0);
	secret_free(g.token);
	r = reply_of(200, JSON, "{\"access_token\":\"\"}");
	assert_int_equal(entra_token_reply(&r, &g, &e), -1);
	r = reply_of(200, "text/html", "<html>");
	assert_int_equal(gateway_token_reply(&r, &g, &e), -1);
	assert_int_equal(e.code, ERR_RETRY);
}

static void
only_a_verdict_of_the_gateway_is_about_our_secret(void **state)
{
	static const struct {
		int status;
		const char *type, *body;
		enum err_code want;
	} cases[] = {
	    {401, JSON, "{\"error\":\"invalid_client\"}", ERR_AUTH},
	    {400, JSON, "{\"error\":\"unauthorized_client\"}", ERR_AUTH},
	    {401, "", "", ERR_AUTH},
	    {302, "", "", ERR_RETRY},
	    {200, "text/html", "<html>", ERR_RETRY},
	    {200, "", "", ERR_RETRY},
	    {200, JSON, "{\"error\":\"x\"}", ERR_RETRY},
	    {200, JSON, "[", ERR_RETRY},
	    {404, "text/html", "<html>", ERR_RETRY},
	    {503, JSON, "{}", ERR_RETRY},
	    {429, JSON, "{}", ERR_BUSY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r =
		    reply_of(cases[i].status, cases[i].type, cases[i].body);
		struct token_grant g;
		struct err e = {0};

		assert_int_equal(gateway_token_reply(&r, &g, &e), -1);
		assert_int_equal(e.code, cases[i].want);
	}
}

static void
what_the_gateway_says_stands_in_brackets(void **state)
{
	static const struct {
		int status;
		const char *type, *body;
	} cases[] = {
	    {401, JSON, "{\"error\":\"call 555 hostile.example\"}"},
	    {400, JSON, "{\"error\":\"hostile: a: b: c\"}"},
	    {200, "hostile", "<html>"},
	    {404, "hostile", "<html>"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r =
		    reply_of(cases[i].status, cases[i].type, cases[i].body);
		struct token_grant g;
		struct err e = {0};
		const char *said;

		assert_int_equal(gateway_token_reply(&r, &g, &e), -1);
		said = strstr(e.text, "hostile");
		if (said == NULL ||
		    (size_t)(said - e.text) < strcspn(e.text, "["))
			fail_msg("%s", e.text);
	}
}

static const char *
header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (strcmp(r->headers[i].name, name) == 0)
			return buf_text(&r->headers[i].value);
	return NULL;
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
		"Subscription Id 5522bd62-7c96-4530-85b0-00b916f61500 already"
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
	    "{\"id\":\"5522bd62-7c96-4530-85b0-00b916f61500\","
	    "\"expirationDateTime\":\"2026-11-30T13:00:00.1234567+05:30\","
	    "\"clientState\":null,\"extra\":1}");

	(void)state;
	assert_int_equal(graph_renew_reply(&r, &s, &e), 0);
	assert_true(s.expires_ms == INT64_C(1796023800123));
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
basic_authentication_is_form_encoded_first(void **state)
{
	struct config c = usual();
	struct secret *secret;
	struct http_request r;

	(void)state;
	secret = secret_new("a+b c/%", 7);
	gateway_token_request(&c, "https://unblu.example/t", secret, &r);
	/* sync%3Aclient:a%2Bb+c%2F%25 */
	assert_string_equal(header(&r, "Authorization"),
	    "Basic c3luYyUzQWNsaWVudDphJTJCYitjJTJGJTI1");
	assert_string_equal(buf_text(&r.body), "grant_type=client_credentials");
	http_request_clear(&r);
	c.unblu_token_post = true;
	gateway_token_request(&c, "https://unblu.example/t", secret, &r);
	assert_null(header(&r, "Authorization"));
	assert_string_equal(buf_text(&r.body),
	    "grant_type=client_credentials&client_id=sync%3Aclient&"
	    "client_secret=a%2Bb+c%2F%25");
	http_request_clear(&r);
	secret_free(secret);
}

static void
discovery_leads_to_https_or_the_gateways_own_host(void **state)
{
	static const struct {
		const char *body, *want;
	} cases[] = {
	    {"{\"token_endpoint\":\"https://idp.example/token\"}",
		"https://idp.example/token"},
	    {"{\"token_endpoint\":\"http://idp.example/token\"}",
		"https://unblu.example/gateway/oauth2/token"},
	    {"{\"token_endpoint\":\"file:///etc/passwd\"}",
		"https://unblu.example/gateway/oauth2/token"},
	    {"{}", "https://unblu.example/gateway/oauth2/token"},
	    {"<html>", "https://unblu.example/gateway/oauth2/token"},
	};
	struct config c = usual();
	char out[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply r = reply_of(200, JSON, cases[i].body);

		assert_int_equal(
		    gateway_discovery_reply(&c, &r, out, sizeof(out), NULL), 0);
		assert_string_equal(out, cases[i].want);
	}
}

static void
keys_without_an_issuer_get_the_discoverys(void **state)
{
	struct http_reply r = reply_of(200, JSON,
	    "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"a\",\"n\":"
	    "\"x\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\"kid\":\"b\"},{\"kty\":"
	    "\"RSA\",\"kid\":\"c\",\"n\":\"x\",\"e\":\"AQAB\",\"issuer\":"
	    "\"own\"},{\"kty\":\"RSA\",\"use\":\"enc\",\"kid\":\"d\",\"n\":"
	    "\"x\",\"e\":\"AQAB\"}]}");
	json_t *keys = json_array();
	struct err e = {0};

	(void)state;
	assert_int_equal(entra_keys_reply(&r, "template", keys, &e), 0);
	assert_int_equal(json_array_size(keys), 2);
	assert_string_equal(
	    json_str(json_array_get(keys, 0), "issuer"), "template");
	assert_string_equal(json_str(json_array_get(keys, 1), "issuer"), "own");
	r = reply_of(200, JSON, "{\"keys\":[]}");
	assert_int_equal(entra_keys_reply(&r, "template", keys, &e), -1);
	json_decref(keys);
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
	    cmocka_unit_test(what_unblus_answers_mean),
	    cmocka_unit_test(a_conversation_is_read_with_members_of_the_future),
	    cmocka_unit_test(
		a_state_of_the_future_is_neither_created_nor_ended),
	    cmocka_unit_test(a_404_of_a_gateway_is_no_deletion_done),
	    cmocka_unit_test(a_broken_answer_is_no_deletion_and_no_end),
	    cmocka_unit_test(an_error_never_quotes_the_answer),
	    cmocka_unit_test(a_history_is_read_absent_or_not_readable),
	    cmocka_unit_test(what_entras_refusals_mean),
	    cmocka_unit_test(a_refusal_is_read_in_every_form),
	    cmocka_unit_test(entra_is_asked_with_a_secret_or_an_assertion),
	    cmocka_unit_test(an_assertion_claims_what_graph_md_says),
	    cmocka_unit_test(a_token_that_no_header_can_carry_is_none),
	    cmocka_unit_test(a_token_is_used_up_before_it_expires),
	    cmocka_unit_test(only_a_verdict_of_the_gateway_is_about_our_secret),
	    cmocka_unit_test(what_the_gateway_says_stands_in_brackets),
	    cmocka_unit_test(an_event_is_asked_for_as_graph_wants_it),
	    cmocka_unit_test(a_next_link_is_followed_on_graphs_own_root_only),
	    cmocka_unit_test(
		a_conflict_names_the_subscription_in_the_way_or_not),
	    cmocka_unit_test(what_graph_granted_counts_not_what_was_asked),
	    cmocka_unit_test(a_creation_carries_what_the_design_says),
	    cmocka_unit_test(basic_authentication_is_form_encoded_first),
	    cmocka_unit_test(discovery_leads_to_https_or_the_gateways_own_host),
	    cmocka_unit_test(keys_without_an_issuer_get_the_discoverys),
	    cmocka_unit_test(a_batchs_members_have_the_headers_that_they_need),
	    cmocka_unit_test(
		an_event_is_glanced_at_by_its_changekey_and_its_calendar),
	    cmocka_unit_test(a_batchs_members_come_in_any_order_or_not_at_all),
	    cmocka_unit_test(
		a_batch_that_fails_as_a_whole_says_nothing_of_its_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
