/* tests/unit/test_bearer.c - whose token is it, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "base/jws.h"
#include "rule/bearer.h"

#define CLIENT "11111111-1111-4111-8111-111111111111"
#define TENANT "84bd8158-0000-4000-8000-000000000001"
#define OTHER_TENANT "84bd8158-0000-4000-8000-000000000002"
#define USER "8a1e6c1e-0000-4000-8000-0000000000aa"
#define LOGIN "https://login.microsoftonline.com"
#define HEADER "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"kid-1\"}"
/* now is 1795422745 */
#define TIMES "\"iat\":1795422700,\"nbf\":1795422700,\"exp\":1795426300"
#define CLAIMS_WITHOUT_AUD                                                     \
	"\"iss\":\"" LOGIN "/" TENANT                                          \
	"/v2.0\",\"ver\":\"2.0\",\"tid\":\"" TENANT "\",\"oid\":\"" USER       \
	"\",\"azp\":\"" CLIENT "\",\"sub\":\"x\","                             \
	"\"scp\":\"access_as_user\",\"preferred_username\":\"a@b."             \
	"example\"," TIMES
#define CLAIMS "{\"aud\":\"" CLIENT "\"," CLAIMS_WITHOUT_AUD "}"

static const int64_t now_ms = INT64_C(1795422745000);

static EVP_PKEY *key, *stranger;
static struct bearer_keys *keys;
static char modulus[1024];

static const char *const audiences[] = {CLIENT, "api://" CLIENT};
static const char *const tenants[] = {TENANT};
static struct bearer_settings settings = {
    .login_url = LOGIN,
    .client_id = CLIENT,
    .audiences = audiences,
    .audience_count = 2,
    .tenants = tenants,
    .tenant_count = 1,
    .required_scope = "",
};

static void
modulus_of(EVP_PKEY *of, char *out)
{
	BIGNUM *n = NULL;
	unsigned char bytes[512];
	int len;

	EVP_PKEY_get_bn_param(of, OSSL_PKEY_PARAM_RSA_N, &n);
	len = BN_bn2bin(n, bytes);
	jws_base64url_encode(bytes, (size_t)len, out);
	BN_free(n);
}

static struct bearer_keys *
keys_with_issuer(const char *issuer)
{
	char json[4096];
	struct err e = {0};

	snprintf(json, sizeof(json),
	    "[{\"kid\":\"kid-1\",\"n\":\"%s\",\"e\":\"AQAB\",\"issuer\":\"%s\"}"
	    "]",
	    modulus, issuer);
	return bearer_keys_new(json, NULL, &e);
}

static int
make_keys(void **state)
{
	(void)state;
	key = EVP_RSA_gen(2048);
	stranger = EVP_RSA_gen(2048);
	modulus_of(key, modulus);
	keys = keys_with_issuer(LOGIN "/{tenantid}/v2.0");
	return key != NULL && stranger != NULL && keys != NULL ? 0 : -1;
}

static int
free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(stranger);
	bearer_keys_free(keys);
	return 0;
}

/* A token with these two texts, signed by `by` with `digest`. */
static size_t
token_make(char *out, const char *header, const char *claims, EVP_PKEY *by,
    const EVP_MD *digest)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[512];
	size_t sig_len = sizeof(sig);
	size_t len = jws_base64url_encode(header, strlen(header), out);

	out[len++] = '.';
	len += jws_base64url_encode(claims, strlen(claims), out + len);
	EVP_DigestSignInit(ctx, NULL, digest, NULL, by);
	EVP_DigestSign(ctx, sig, &sig_len, (const unsigned char *)out, len);
	EVP_MD_CTX_free(ctx);
	out[len++] = '.';
	return len + jws_base64url_encode(sig, sig_len, out + len);
}

static const char *why;
static struct bearer_identity who;

static enum bearer_verdict
judge(const char *token, size_t len)
{
	memset(&who, 0, sizeof(who));
	return bearer_judge(keys, &settings, token, len, now_ms, &who, &why);
}

static enum bearer_verdict
judge_claims(const char *claims)
{
	char token[32768];
	size_t len = token_make(token, HEADER, claims, key, EVP_sha256());

	return judge(token, len);
}

static void
refused(const char *claims, const char *want)
{
	if (judge_claims(claims) != BEARER_REFUSED || strcmp(why, want) != 0)
		fail_msg("%s: %s", claims, why != NULL ? why : "accepted");
	assert_string_equal(who.user, "");
}

static void
a_user_of_a_configured_tenant_is_identified(void **state)
{
	(void)state;
	assert_int_equal(judge_claims(CLAIMS), BEARER_VALID);
	assert_string_equal(who.tenant, TENANT);
	assert_string_equal(who.user, USER);
	assert_string_equal(who.upn, "a@b.example");
	assert_string_equal(who.email, "");
	assert_int_equal(judge_claims("{\"aud\":\"api://" CLIENT
				      "\"," CLAIMS_WITHOUT_AUD "}"),
	    BEARER_VALID);
}

static void
a_version_1_token_has_its_own_issuer_and_client_claim(void **state)
{
	static const char claims[] =
	    "{\"aud\":\"api://" CLIENT "\",\"ver\":\"1.0\",\"iss\":"
	    "\"https://sts.windows.net/" TENANT "/\",\"tid\":\"" TENANT
	    "\",\"oid\":\"" USER "\",\"appid\":\"" CLIENT
	    "\",\"scp\":\"x\",\"upn\":\"u@b.example\",\"email\":"
	    "\"e@b.example\"," TIMES "}";

	(void)state;
	assert_int_equal(judge_claims(claims), BEARER_VALID);
	assert_string_equal(who.upn, "u@b.example");
	assert_string_equal(who.email, "e@b.example");
	refused("{\"aud\":\"" CLIENT "\",\"ver\":\"1.0\",\"iss\":\"" LOGIN
		"/" TENANT "/v2.0\",\"tid\":\"" TENANT "\",\"oid\":\"" USER
		"\",\"appid\":\"" CLIENT "\",\"scp\":\"x\"," TIMES "}",
	    "wrong iss");
	refused("{\"aud\":\"" CLIENT "\",\"ver\":\"2.0\",\"iss\":"
		"\"https://sts.windows.net/" TENANT "/\",\"tid\":\"" TENANT
		"\",\"oid\":\"" USER "\",\"azp\":\"" CLIENT
		"\",\"scp\":\"x\"," TIMES "}",
	    "wrong iss");
}

static void
no_single_byte_of_a_token_can_be_changed(void **state)
{
	char token[8192];
	size_t len = token_make(token, HEADER, CLAIMS, key, EVP_sha256());

	(void)state;
	assert_int_equal(judge(token, len), BEARER_VALID);
	for (size_t i = 0; i < len; i++) {
		char kept = token[i];

		for (int bit = 0; bit < 8; bit++) {
			token[i] = (char)(kept ^ (1 << bit));
			assert_int_not_equal(judge(token, len), BEARER_VALID);
		}
		token[i] = kept == 'A' ? 'B' : 'A';
		assert_int_not_equal(judge(token, len), BEARER_VALID);
		token[i] = kept;
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(judge(token, cut), BEARER_VALID);
}

static void
only_rs256_with_a_plain_header_is_a_token(void **state)
{
	static const char *const headers[] = {
	    "{\"alg\":\"none\",\"kid\":\"kid-1\"}",
	    "{\"alg\":\"None\",\"kid\":\"kid-1\"}",
	    "{\"alg\":\"\",\"kid\":\"kid-1\"}",
	    "{\"kid\":\"kid-1\"}",
	    "{\"alg\":\"HS256\",\"kid\":\"kid-1\"}",
	    "{\"alg\":\"RS512\",\"kid\":\"kid-1\"}",
	    "{\"alg\":\"PS256\",\"kid\":\"kid-1\"}",
	    "{\"alg\":\"ES256\",\"kid\":\"kid-1\"}",
	    "{\"alg\":\"rs256\",\"kid\":\"kid-1\"}",
	    "{\"alg\":\"RS256 \",\"kid\":\"kid-1\"}",
	    "{\"alg\":[\"RS256\"],\"kid\":\"kid-1\"}",
	    "{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"kid-1\"}",
	    "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"crit\":[\"exp\"]}",
	    "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"crit\":null}",
	    "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"jku\":\"https://x\"}",
	    "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"jwk\":{}}",
	    "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"x5u\":\"https://x\"}",
	    "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"x5c\":[]}",
	    "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"b64\":false}",
	    "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"zip\":\"DEF\"}",
	    "{\"alg\":\"RS256\"}",
	    "{\"alg\":\"RS256\",\"kid\":\"\"}",
	    "{\"alg\":\"RS256\",\"kid\":1}",
	    "{\"alg\":\"RS256\",\"kid\":\"../kid-1\"}",
	    "[]",
	    "\"RS256\"",
	    "{",
	};
	char token[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		size_t len =
		    token_make(token, headers[i], CLAIMS, key, EVP_sha256());

		if (judge(token, len) != BEARER_MALFORMED)
			fail_msg("accepted header %s", headers[i]);
	}
}

static void
other_digests_other_keys_and_hmac_with_the_public_key_are_refused(void **state)
{
	char token[8192];
	unsigned char mac[32];
	unsigned mac_len;
	size_t len;

	(void)state;
	len = token_make(token, HEADER, CLAIMS, stranger, EVP_sha256());
	assert_int_equal(judge(token, len), BEARER_REFUSED);
	assert_string_equal(why, "signature does not hold");
	len = token_make(token, HEADER, CLAIMS, key, EVP_sha512());
	assert_int_equal(judge(token, len), BEARER_REFUSED);
	len = jws_base64url_encode(HEADER, strlen(HEADER), token);
	token[len++] = '.';
	len += jws_base64url_encode(CLAIMS, strlen(CLAIMS), token + len);
	HMAC(EVP_sha256(), modulus, (int)strlen(modulus),
	    (unsigned char *)token, len, mac, &mac_len);
	token[len++] = '.';
	len += jws_base64url_encode(mac, mac_len, token + len);
	assert_int_equal(judge(token, len), BEARER_REFUSED);
}

static void
an_unknown_key_is_not_judged(void **state)
{
	char token[8192];
	size_t len = token_make(token, "{\"alg\":\"RS256\",\"kid\":\"kid-2\"}",
	    CLAIMS, key, EVP_sha256());

	(void)state;
	assert_int_equal(judge(token, len), BEARER_UNKNOWN_KEY);
	len = token_make(token, HEADER, CLAIMS, key, EVP_sha256());
	assert_int_equal(
	    bearer_judge(NULL, &settings, token, len, now_ms, &who, &why),
	    BEARER_UNKNOWN_KEY);
}

static void
what_is_not_three_parts_of_base64url_is_malformed(void **state)
{
	static const char *const tokens[] = {"", ".", "..", "...", "a", "a.b",
	    "a.b.c", "a.b.c.d", "e30.e30.", "e30.e30.AA", ".e30.AA", "e30..AA",
	    "e30=.e30.AA", "e30 .e30.AA", "e3 0.e30.AA", "e31.e30.AA"};

	(void)state;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		assert_int_equal(
		    judge(tokens[i], strlen(tokens[i])), BEARER_MALFORMED);
}

static void
a_token_over_the_limit_is_not_looked_at(void **state)
{
	static char claims[BEARER_TOKEN_MAX];

	(void)state;
	memset(claims, ' ', sizeof(claims) - 1);
	memcpy(claims, CLAIMS, strlen(CLAIMS));
	assert_int_equal(judge_claims(claims), BEARER_MALFORMED);
	claims[11000] = '\0';
	assert_int_equal(judge_claims(claims), BEARER_VALID);
}

/* Anybody can send one: it costs no more than its length. */
static void
a_header_over_the_limit_is_not_looked_at(void **state)
{
	/* 768 bytes are 1024 encoded. */
	static char header[BEARER_HEADER_MAX / 4 * 3 + 2];
	char token[8192];
	size_t len;

	(void)state;
	for (size_t n = sizeof(header) - 2; n < sizeof(header); n++) {
		memset(header, ' ', n);
		memcpy(header, HEADER, strlen(HEADER));
		len = token_make(token, header, CLAIMS, key, EVP_sha256());
		assert_int_equal(judge(token, len),
		    n == sizeof(header) - 2 ? BEARER_VALID : BEARER_MALFORMED);
	}
}

#define WITH(iss, tid, aud, azp, oid, times)                                   \
	"{\"ver\":\"2.0\",\"scp\":\"s\",\"iss\":\"" iss "\",\"tid\":\"" tid    \
	"\",\"aud\":\"" aud "\",\"azp\":\"" azp "\",\"oid\":\"" oid "\"" times \
	"}"
#define ISS LOGIN "/" TENANT "/v2.0"

static void
every_claim_must_be_the_right_one(void **state)
{
	(void)state;
	assert_int_equal(
	    judge_claims(WITH(ISS, TENANT, CLIENT, CLIENT, USER, "," TIMES)),
	    BEARER_VALID);
	refused(WITH(ISS, OTHER_TENANT, CLIENT, CLIENT, USER, "," TIMES),
	    "tenant is not configured");
	refused(WITH(ISS, "x", CLIENT, CLIENT, USER, "," TIMES),
	    "tenant is not configured");
	refused(WITH(LOGIN "/" OTHER_TENANT "/v2.0", TENANT, CLIENT, CLIENT,
		    USER, "," TIMES),
	    "wrong iss");
	refused(WITH(ISS "/", TENANT, CLIENT, CLIENT, USER, "," TIMES),
	    "wrong iss");
	refused(WITH("https://evil.example/" TENANT "/v2.0", TENANT, CLIENT,
		    CLIENT, USER, "," TIMES),
	    "wrong iss");
	refused(WITH(ISS, TENANT, "api://other", CLIENT, USER, "," TIMES),
	    "wrong aud");
	refused(WITH(ISS, TENANT, CLIENT "x", CLIENT, USER, "," TIMES),
	    "wrong aud");
	refused(WITH(ISS, TENANT, "00000003-0000-0000-c000-000000000000",
		    CLIENT, USER, "," TIMES),
	    "wrong aud");
	refused(WITH(ISS, TENANT, CLIENT, USER, USER, "," TIMES), "wrong azp");
	refused(WITH(ISS, TENANT, CLIENT, "", USER, "," TIMES), "wrong azp");
	refused(WITH(ISS, TENANT, CLIENT, CLIENT, "", "," TIMES), "no oid");
	refused(WITH(ISS, TENANT, CLIENT, CLIENT, "../x", "," TIMES), "no oid");
	refused(
	    "{\"aud\":[\"" CLIENT "\"]," CLAIMS_WITHOUT_AUD "}", "wrong aud");
	refused("{" CLAIMS_WITHOUT_AUD "}", "wrong aud");
}

static void
times_are_required_and_have_a_skew_of_five_minutes(void **state)
{
	static const struct {
		const char *times;
		const char *want; /* NULL: valid */
	} cases[] = {
	    {"", "no usable exp"},
	    {",\"exp\":1795426300", "no usable nbf"},
	    {",\"nbf\":1795422700", "no usable exp"},
	    {",\"exp\":\"1795426300\",\"nbf\":1", "no usable exp"},
	    {",\"exp\":1e300,\"nbf\":1", "no usable exp"},
	    {",\"exp\":-1,\"nbf\":1", "no usable exp"},
	    {",\"exp\":9223372036854775807,\"nbf\":1", "no usable exp"},
	    {",\"exp\":null,\"nbf\":1", "no usable exp"},
	    {",\"exp\":1795422446,\"nbf\":1", NULL},
	    {",\"exp\":1795422445,\"nbf\":1", "expired"},
	    {",\"exp\":1795426300.5,\"nbf\":1.5", NULL},
	    {",\"exp\":1795426300,\"nbf\":1795423045", NULL},
	    {",\"exp\":1795426300,\"nbf\":1795423046", "not valid yet"},
	    {",\"exp\":1795426300,\"nbf\":1,\"iat\":1795423045", NULL},
	    {",\"exp\":1795426300,\"nbf\":1,\"iat\":1795423046",
		"issued in the future"},
	    {",\"exp\":1795426300,\"nbf\":1,\"iat\":\"x\"",
		"issued in the future"},
	};
	char claims[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(claims, sizeof(claims),
		    "{\"ver\":\"2.0\",\"scp\":\"s\",\"iss\":\"" ISS
		    "\",\"tid\":\"" TENANT "\",\"aud\":\"" CLIENT
		    "\",\"azp\":\"" CLIENT "\",\"oid\":\"" USER "\"%s}",
		    cases[i].times);
		if (cases[i].want != NULL)
			refused(claims, cases[i].want);
		else if (judge_claims(claims) != BEARER_VALID)
			fail_msg("%s: %s", cases[i].times, why);
	}
}

static void
applications_are_refused(void **state)
{
	static const char base[] =
	    "{\"ver\":\"2.0\",\"iss\":\"" ISS "\",\"tid\":\"" TENANT
	    "\",\"aud\":\"" CLIENT "\",\"azp\":\"" CLIENT "\",\"oid\":\"" USER
	    "\"," TIMES "%s}";
	static const struct {
		const char *more;
		const char *want;
	} cases[] = {
	    {",\"idtyp\":\"app\",\"scp\":\"s\"", "not a user's token"},
	    {",\"idtyp\":7,\"scp\":\"s\"", "not a user's token"},
	    {",\"idtyp\":\"user\",\"scp\":\"s\"", NULL},
	    {",\"roles\":[\"x\"]", "an application's token"},
	    {",\"sub\":\"" USER "\"", "an application's token"},
	    {",\"sub\":\"pairwise\"", NULL},
	};
	char claims[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(claims, sizeof(claims), base, cases[i].more);
		if (cases[i].want != NULL)
			refused(claims, cases[i].want);
		else if (judge_claims(claims) != BEARER_VALID)
			fail_msg("%s: %s", cases[i].more, why);
	}
}

static void
the_scope_matters_only_when_one_is_required(void **state)
{
	(void)state;
	settings.required_scope = "access_as_user";
	assert_int_equal(judge_claims(CLAIMS), BEARER_VALID);
	settings.required_scope = "access_as";
	refused(CLAIMS, "scope is missing");
	settings.required_scope = "";
}

static void
a_key_serves_only_its_own_issuer(void **state)
{
	struct bearer_keys *before = keys;

	(void)state;
	keys = keys_with_issuer(LOGIN "/" OTHER_TENANT "/v2.0");
	refused(CLAIMS, "key of another issuer");
	bearer_keys_free(keys);
	keys = keys_with_issuer(LOGIN "/" TENANT "/v2.0");
	assert_int_equal(judge_claims(CLAIMS), BEARER_VALID);
	bearer_keys_free(keys);
	keys = keys_with_issuer("");
	assert_int_equal(judge_claims(CLAIMS), BEARER_VALID);
	bearer_keys_free(keys);
	keys = before;
}

static void
keys_that_are_none_are_left_out(void **state)
{
	struct bearer_keys *k;
	struct err e = {0};
	size_t skipped = 0;
	char json[4096];

	(void)state;
	snprintf(json, sizeof(json),
	    "[{\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"},{\"kid\":\"b\"},"
	    "17,{\"kid\":\"c/d\",\"n\":\"%s\",\"e\":\"AQAB\"},"
	    "{\"kid\":\"e\",\"n\":\"%s\",\"e\":\"AQAB\"}]",
	    modulus, modulus);
	k = bearer_keys_new(json, &skipped, &e);
	assert_non_null(k);
	assert_int_equal(bearer_keys_count(k), 1);
	assert_int_equal(skipped, 4);
	bearer_keys_free(k);
	assert_null(bearer_keys_new("{}", NULL, &e));
	assert_null(bearer_keys_new("[", NULL, &e));
	assert_int_equal(bearer_keys_count(NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_user_of_a_configured_tenant_is_identified),
	    cmocka_unit_test(
		a_version_1_token_has_its_own_issuer_and_client_claim),
	    cmocka_unit_test(no_single_byte_of_a_token_can_be_changed),
	    cmocka_unit_test(only_rs256_with_a_plain_header_is_a_token),
	    cmocka_unit_test(
		other_digests_other_keys_and_hmac_with_the_public_key_are_refused),
	    cmocka_unit_test(an_unknown_key_is_not_judged),
	    cmocka_unit_test(what_is_not_three_parts_of_base64url_is_malformed),
	    cmocka_unit_test(a_token_over_the_limit_is_not_looked_at),
	    cmocka_unit_test(a_header_over_the_limit_is_not_looked_at),
	    cmocka_unit_test(every_claim_must_be_the_right_one),
	    cmocka_unit_test(
		times_are_required_and_have_a_skew_of_five_minutes),
	    cmocka_unit_test(applications_are_refused),
	    cmocka_unit_test(the_scope_matters_only_when_one_is_required),
	    cmocka_unit_test(a_key_serves_only_its_own_issuer),
	    cmocka_unit_test(keys_that_are_none_are_left_out),
	};

	return cmocka_run_group_tests_name(
	    "bearer", tests, make_keys, free_keys);
}
