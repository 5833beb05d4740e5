/* tests/unit/test_remote_signin.c - tokens and keys of Entra ID and of the
 * gateway: what is asked, and what the answers mean. */
#include "test_remote.h"

#include "base/json.h"
#include "base/jws.h"
#include "remote/entra.h"
#include "remote/gateway.h"
#include "test_certificate.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_entras_refusals_mean),
	    cmocka_unit_test(a_refusal_is_read_in_every_form),
	    cmocka_unit_test(entra_is_asked_with_a_secret_or_an_assertion),
	    cmocka_unit_test(an_assertion_claims_what_graph_md_says),
	    cmocka_unit_test(a_token_that_no_header_can_carry_is_none),
	    cmocka_unit_test(a_token_is_used_up_before_it_expires),
	    cmocka_unit_test(only_a_verdict_of_the_gateway_is_about_our_secret),
	    cmocka_unit_test(what_the_gateway_says_stands_in_brackets),
	    cmocka_unit_test(basic_authentication_is_form_encoded_first),
	    cmocka_unit_test(discovery_leads_to_https_or_the_gateways_own_host),
	    cmocka_unit_test(keys_without_an_issuer_get_the_discoverys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
