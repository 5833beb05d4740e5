/* tests/unit/test_jws.c - base/jws.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/jws.h"

static void
base64url_goes_round_at_every_length(void **state)
{
	unsigned char in[70];
	unsigned char out[70];
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 151 + 250);
	for (size_t len = 0; len <= sizeof(in); len++) {
		size_t n = jws_base64url_encode(in, len, text);

		assert_int_equal(n, strlen(text));
		assert_int_equal(n, (len * 4 + 2) / 3);
		assert_true(n < 4 * (len + 2) / 3 + 1);
		assert_int_equal(
		    jws_base64url_decode(text, n, out, sizeof(out)), len);
		assert_memory_equal(in, out, len);
		if (len > 0)
			assert_int_equal(
			    jws_base64url_decode(text, n, out, len - 1), -1);
	}
	jws_base64url_encode("\xFB\xFF\xFE", 3, text);
	assert_string_equal(text, "-__-");
}

static void
only_canonical_base64url_is_read(void **state)
{
	static const char *const bad[] = {"A", "AAAAA", "AA==", "AA=", "A A",
	    "AB+/", "AB C", "A\n", "AB", "AAB", "\xC3\xBC", "AAA.", "AAAA="};
	unsigned char out[10];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (jws_base64url_decode(
			bad[i], strlen(bad[i]), out, sizeof(out)) != -1)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(jws_base64url_decode("", 0, out, 0), 0);
	assert_int_equal(jws_base64url_decode("AA", 2, out, 1), 1);
	assert_int_equal(jws_base64url_decode("AAA", 3, out, 2), 2);
	assert_int_equal(jws_base64url_decode("AA\0A", 4, out, 3), -1);
}

static void
sha256_is_that_of_fips_180(void **state)
{
	char hex[65];

	(void)state;
	jws_sha256_hex("abc", 3, hex);
	assert_string_equal(hex,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	jws_sha256_hex("", 0, hex);
	assert_string_equal(hex,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
}

static void
equal_compares_all_bytes(void **state)
{
	(void)state;
	assert_true(jws_equal("abc", "abc", 3));
	assert_false(jws_equal("abc", "abd", 3));
	assert_true(jws_equal("abc", "abd", 2));
	assert_true(jws_equal("", "", 0));
}

/* RFC 7515 appendix A.2. */
static const char rfc_n[] =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp"
    "-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW"
    "vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"
    "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k"
    "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2"
    "PAcDTW9gb54h4FRWyuXpoQ";
static const char rfc_signed[] =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs"
    "DQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char rfc_signature[] =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
    "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
    "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
    "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
    "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
    "p0igcN_IoypGlUPQGe77Rw";

static void
the_example_of_rfc_7515_verifies_and_no_changed_one(void **state)
{
	struct err e = {0};
	struct jws_key *k = jws_key_new(rfc_n, "AQAB", &e);
	unsigned char sig[256];
	char text[sizeof(rfc_signed)];
	size_t len = sizeof(rfc_signed) - 1;

	(void)state;
	assert_non_null(k);
	assert_int_equal(jws_base64url_decode(rfc_signature,
			     strlen(rfc_signature), sig, sizeof(sig)),
	    256);
	memcpy(text, rfc_signed, sizeof(text));
	assert_true(jws_verify_rs256(k, text, len, sig, sizeof(sig)));
	for (size_t i = 0; i < len; i += 9) {
		text[i] ^= 1;
		assert_false(jws_verify_rs256(k, text, len, sig, sizeof(sig)));
		text[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(sig); i += 15) {
		sig[i] ^= 0x40;
		assert_false(jws_verify_rs256(k, text, len, sig, sizeof(sig)));
		sig[i] ^= 0x40;
	}
	assert_false(jws_verify_rs256(k, text, len - 1, sig, sizeof(sig)));
	assert_false(jws_verify_rs256(k, text, len, sig, sizeof(sig) - 1));
	assert_false(jws_verify_rs256(k, text, len, sig, 0));
	assert_true(jws_verify_rs256(k, text, len, sig, sizeof(sig)));
	jws_key_free(k);
	jws_key_free(NULL);
}

/* Signs with another digest or padding than RS256 has. */
static size_t
sign(EVP_PKEY *pkey, const EVP_MD *md, int padding, const char *text,
    unsigned char *sig, size_t cap)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	size_t len = cap;

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, pkey), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, padding), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len,
			     (const unsigned char *)text, strlen(text)),
	    1);
	EVP_MD_CTX_free(ctx);
	return len;
}

static void
number_of(EVP_PKEY *pkey, const char *name, char *out)
{
	unsigned char bytes[1024];
	BIGNUM *n = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &n), 1);
	jws_base64url_encode(bytes, (size_t)BN_bn2bin(n, bytes), out);
	BN_free(n);
}

static void
only_pkcs1_with_sha256_of_this_key_is_valid(void **state)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	EVP_PKEY *other = EVP_RSA_gen(2048);
	unsigned char sig[512];
	char n[800];
	char exponent[32];
	struct jws_key *k;
	size_t len;

	(void)state;
	number_of(pkey, OSSL_PKEY_PARAM_RSA_N, n);
	number_of(pkey, OSSL_PKEY_PARAM_RSA_E, exponent);
	k = jws_key_new(n, exponent, NULL);
	assert_non_null(k);
	len = sign(pkey, EVP_sha256(), RSA_PKCS1_PADDING, "x", sig, 512);
	assert_true(jws_verify_rs256(k, "x", 1, sig, len));
	len = sign(pkey, EVP_sha512(), RSA_PKCS1_PADDING, "x", sig, 512);
	assert_false(jws_verify_rs256(k, "x", 1, sig, len));
	len = sign(pkey, EVP_sha256(), RSA_PKCS1_PSS_PADDING, "x", sig, 512);
	assert_false(jws_verify_rs256(k, "x", 1, sig, len));
	len = sign(other, EVP_sha256(), RSA_PKCS1_PADDING, "x", sig, 512);
	assert_false(jws_verify_rs256(k, "x", 1, sig, len));
	jws_key_free(k);
	EVP_PKEY_free(pkey);
	EVP_PKEY_free(other);
}

/* A number of that many bits, all of them set. */
static void
ones(int bits, char *out)
{
	unsigned char bytes[1024];
	size_t len = (size_t)(bits + 7) / 8;

	memset(bytes, 0xFF, len);
	if (bits % 8 != 0)
		bytes[0] = (unsigned char)((1 << bits % 8) - 1);
	jws_base64url_encode(bytes, len, out);
}

static void
unfit_keys_are_refused(void **state)
{
	static const char *const exponents[] = {"", "AQ", "Aw", "AQAA", "Ag",
	    "AQAB=", "AP__", "AAEA", "Af_____________"};
	static const int bits[] = {512, 1024, 2047, 4097, 4104, 8000};
	char n[2000];
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(exponents) / sizeof(exponents[0]); i++) {
		if (jws_key_new(rfc_n, exponents[i], &e) != NULL)
			fail_msg("accepted e: %s", exponents[i]);
		assert_int_equal(e.code, ERR_INPUT);
	}
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		ones(bits[i], n);
		if (jws_key_new(n, "AQAB", &e) != NULL)
			fail_msg("accepted %d bits", bits[i]);
		assert_int_equal(e.code, ERR_INPUT);
	}
	assert_null(jws_key_new("", "AQAB", &e));
	assert_null(jws_key_new("not base64url!", "AQAB", &e));
	ones(4096, n);
	jws_key_free(jws_key_new(n, "AQAB", &e));
	n[strlen(n) - 2] = 'A'; /* even */
	n[strlen(n) - 1] = 'A';
	assert_null(jws_key_new(n, "AQAB", &e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64url_goes_round_at_every_length),
	    cmocka_unit_test(only_canonical_base64url_is_read),
	    cmocka_unit_test(sha256_is_that_of_fips_180),
	    cmocka_unit_test(equal_compares_all_bytes),
	    cmocka_unit_test(
		the_example_of_rfc_7515_verifies_and_no_changed_one),
	    cmocka_unit_test(only_pkcs1_with_sha256_of_this_key_is_valid),
	    cmocka_unit_test(unfit_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
