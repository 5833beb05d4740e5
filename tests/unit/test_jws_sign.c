/* tests/unit/test_jws_sign.c - base/jws_sign.h, checked with OpenSSL's own
 * verification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jws.h"
#include "base/jws_sign.h"
#include "test_certificate.h"

enum { DAY_S = 24 * 60 * 60 };

static struct jws_signer *
signer_of(const char *certificate, const char *key, enum jws_part *part,
    struct err *e)
{
	return jws_signer_new(
	    certificate, strlen(certificate), key, strlen(key), part, e);
}

/* One part of a compact JWS, decoded and NUL-terminated. */
static long
part_of(const char *jws, int n, unsigned char *out, size_t cap)
{
	const char *at = jws;
	long len;

	for (; n > 0; n--)
		at = strchr(at, '.') + 1;
	len = jws_base64url_decode(at, strcspn(at, "."), out, cap - 1);
	assert_true(len >= 0);
	out[len] = '\0';
	return len;
}

/* With a salt of exactly 32 bytes, which OpenSSL checks. */
static bool
verifies(
    EVP_PKEY *key, const char *jws, const unsigned char *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	size_t len = (size_t)(strrchr(jws, '.') - jws);
	bool ok;

	assert_int_equal(
	    EVP_DigestVerifyInit(ctx, &pctx, EVP_sha256(), NULL, key), 1);
	EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
	EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha256());
	EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, 32);
	ok = EVP_DigestVerify(
		 ctx, sig, sig_len, (const unsigned char *)jws, len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static void
what_is_signed_verifies_and_its_header_names_the_certificate(void **state)
{
	static const char claims[] = "{\"iss\":\"a\",\"n\":1}";
	struct test_pair p = test_pair_rsa(2048, -60, 30 * DAY_S);
	unsigned char digest[32];
	unsigned char out[2048];
	char thumbprint[44];
	char header[256];
	enum jws_part part;
	struct err e = {0};
	struct jws_signer *s = signer_of(p.certificate, p.key, &part, &e);
	struct secret *jws;
	long len;

	(void)state;
	assert_non_null(s);
	jws = jws_signer_sign(s, claims, &e);
	assert_non_null(jws);
	X509_digest(p.x509, EVP_sha256(), digest, NULL);
	assert_int_equal(
	    jws_base64url_encode(digest, sizeof(digest), thumbprint), 43);
	snprintf(header, sizeof(header),
	    "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"%s\"}",
	    thumbprint);
	part_of(secret_reveal(jws), 0, out, sizeof(out));
	assert_string_equal((char *)out, header);
	part_of(secret_reveal(jws), 1, out, sizeof(out));
	assert_string_equal((char *)out, claims);
	len = part_of(secret_reveal(jws), 2, out, sizeof(out));
	assert_int_equal(len, 256);
	assert_true(verifies(p.pkey, secret_reveal(jws), out, (size_t)len));
	out[17] ^= 1;
	assert_false(verifies(p.pkey, secret_reveal(jws), out, (size_t)len));
	secret_free(jws);
	jws_signer_free(s);
	jws_signer_free(NULL);
	test_pair_clear(&p);
}

static void
no_two_signatures_of_one_text_are_equal(void **state)
{
	struct test_pair p = test_pair_rsa(2048, -60, DAY_S);
	enum jws_part part;
	struct jws_signer *s = signer_of(p.certificate, p.key, &part, NULL);
	struct secret *a = jws_signer_sign(s, "{}", NULL);
	struct secret *b = jws_signer_sign(s, "{}", NULL);

	(void)state;
	/* the salt: RSASSA-PKCS1-v1_5 has none */
	assert_false(secret_equals(a, b));
	secret_free(a);
	secret_free(b);
	jws_signer_free(s);
	test_pair_clear(&p);
}

static void
the_validity_is_that_of_the_certificate(void **state)
{
	struct test_pair p = test_pair_rsa(2048, -DAY_S, 3650L * DAY_S);
	int64_t now_ms = clock_wall_ms();
	enum jws_part part;
	struct jws_signer *s = signer_of(p.certificate, p.key, &part, NULL);

	(void)state;
	assert_true(llabs((long long)(jws_signer_begins_ms(s) -
			(now_ms - DAY_S * 1000LL))) < 10000);
	assert_true(llabs((long long)(jws_signer_ends_ms(s) -
			(now_ms + 3650LL * DAY_S * 1000))) < 10000);
	jws_signer_free(s);
	test_pair_clear(&p);
}

static void
unfit_pairs_are_refused_with_what_is_wrong(void **state)
{
	struct test_pair good = test_pair_rsa(2048, -60, DAY_S);
	struct test_pair other = test_pair_rsa(2048, -60, DAY_S);
	struct test_pair small = test_pair_rsa(1024, -60, DAY_S);
	struct test_pair curve =
	    test_pair_make(EVP_EC_gen("P-256"), -60, DAY_S, NULL);
	struct test_pair locked =
	    test_pair_make(EVP_RSA_gen(2048), -60, DAY_S, "secret");
	const struct {
		const char *certificate, *key;
		enum jws_part part;
		const char *text;
	} cases[] = {
	    {"", good.key, JWS_CERTIFICATE, "no certificate"},
	    {good.key, good.key, JWS_CERTIFICATE, "no certificate"},
	    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		good.key, JWS_CERTIFICATE, "no certificate"},
	    {small.certificate, small.key, JWS_CERTIFICATE, "1024 bits"},
	    {curve.certificate, curve.key, JWS_CERTIFICATE, "RSA"},
	    {good.certificate, "", JWS_PRIVATE_KEY, "no private key"},
	    {good.certificate, good.certificate, JWS_PRIVATE_KEY,
		"no private key"},
	    {locked.certificate, locked.key, JWS_PRIVATE_KEY, "password"},
	    {good.certificate, other.key, JWS_PRIVATE_KEY,
		"not the private key"},
	    {good.certificate, curve.key, JWS_PRIVATE_KEY,
		"not the private key"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum jws_part part = JWS_CERTIFICATE;
		struct err e = {0};

		assert_null(
		    signer_of(cases[i].certificate, cases[i].key, &part, &e));
		assert_int_equal(e.code, ERR_CONFIG);
		assert_int_equal(part, cases[i].part);
		if (strstr(e.text, cases[i].text) == NULL)
			fail_msg("case %zu: %s", i, e.text);
	}
	test_pair_clear(&good);
	test_pair_clear(&other);
	test_pair_clear(&small);
	test_pair_clear(&curve);
	test_pair_clear(&locked);
}

static void
certificate_and_key_may_lie_in_one_file_in_any_order(void **state)
{
	struct test_pair p = test_pair_rsa(2048, -60, DAY_S);
	char both[16384];
	enum jws_part part;
	struct jws_signer *s;

	(void)state;
	snprintf(both, sizeof(both), "%s%s", p.key, p.certificate);
	s = signer_of(both, both, &part, NULL);
	assert_non_null(s);
	jws_signer_free(s);
	snprintf(both, sizeof(both), "%s%s", p.certificate, p.key);
	s = signer_of(both, both, &part, NULL);
	assert_non_null(s);
	jws_signer_free(s);
	test_pair_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		what_is_signed_verifies_and_its_header_names_the_certificate),
	    cmocka_unit_test(no_two_signatures_of_one_text_are_equal),
	    cmocka_unit_test(the_validity_is_that_of_the_certificate),
	    cmocka_unit_test(unfit_pairs_are_refused_with_what_is_wrong),
	    cmocka_unit_test(
		certificate_and_key_may_lie_in_one_file_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
