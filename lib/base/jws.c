/* base/jws.c - see jws.h. */
#include "base/jws.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	JWS_BITS_MIN = 2048,
	JWS_BITS_MAX = 4096,
	JWS_NUMBER_MAX = JWS_BITS_MAX / 8
};

struct jws_key {
	EVP_PKEY *pkey;
};

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

long
jws_base64url_decode(
    const char *text, size_t len, unsigned char *out, size_t cap)
{
	unsigned acc = 0;
	int bits = 0;
	size_t n = 0;

	if (len % 4 == 1 || len > LONG_MAX)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int v = sextet(text[i]);

		if (v < 0)
			return -1;
		acc = (acc << 6 | (unsigned)v) & 0xFFFF;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n == cap)
			return -1;
		out[n++] = (unsigned char)(acc >> bits);
	}
	/* Two texts for one value would let a signature be written anew. */
	if ((acc & ((1u << bits) - 1)) != 0)
		return -1;
	return (long)n;
}

size_t
jws_base64url_encode(const void *data, size_t len, char *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
	    "qrstuvwxyz0123456789-_";
	const unsigned char *in = data;
	unsigned acc = 0;
	int bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		acc = (acc << 8 | in[i]) & 0xFFFF;
		for (bits += 8; bits >= 6; bits -= 6)
			out[n++] = digits[acc >> (bits - 6) & 63];
	}
	if (bits > 0)
		out[n++] = digits[acc << (6 - bits) & 63];
	out[n] = '\0';
	return n;
}

void
jws_sha256_hex(const void *data, size_t len, char out[65])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char digest[SHA256_DIGEST_LENGTH];

	/* Fails only without memory or without the default provider. */
	if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
		mem_exhausted(len);
	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	out[64] = '\0';
}

bool
jws_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

/* A JWK number. NULL when it is no base64url or too long. */
static BIGNUM *
jws_number(const char *text)
{
	unsigned char bytes[JWS_NUMBER_MAX];
	long len =
	    jws_base64url_decode(text, strlen(text), bytes, sizeof(bytes));

	return len > 0 ? BN_bin2bn(bytes, (int)len, NULL) : NULL;
}

static EVP_PKEY *
jws_pkey(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;

	if (build == NULL || ctx == NULL ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1 ||
	    (params = OSSL_PARAM_BLD_to_param(build)) == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

struct jws_key *
jws_key_new(const char *n, const char *e64, struct err *e)
{
	BIGNUM *modulus = jws_number(n);
	BIGNUM *exponent = jws_number(e64);
	struct jws_key *k = NULL;
	EVP_PKEY *pkey;

	if (modulus == NULL || exponent == NULL) {
		err_set(e, ERR_INPUT, "RSA key: n or e is no base64url number");
		goto out;
	}
	if (BN_num_bits(modulus) < JWS_BITS_MIN ||
	    BN_num_bits(modulus) > JWS_BITS_MAX || !BN_is_odd(modulus)) {
		err_set(e, ERR_INPUT, "RSA key: modulus of %d bits",
		    BN_num_bits(modulus));
		goto out;
	}
	/* 64 bits: longer ones only cost time (OpenSSL caps them as well). */
	if (!BN_is_odd(exponent) || BN_num_bits(exponent) < 17 ||
	    BN_num_bits(exponent) > 64) {
		err_set(e, ERR_INPUT, "RSA key: unfit exponent");
		goto out;
	}
	pkey = jws_pkey(modulus, exponent);
	if (pkey == NULL) {
		err_set(e, ERR_INPUT, "RSA key: not accepted by OpenSSL");
		goto out;
	}
	k = mem_zalloc(sizeof(*k));
	k->pkey = pkey;
out:
	BN_free(modulus);
	BN_free(exponent);
	return k;
}

void
jws_key_free(struct jws_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

bool
jws_verify_rs256(const struct jws_key *k, const void *data, size_t len,
    const unsigned char *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool valid = false;

	/* The default padding of an RSA key is PKCS1-v1_5. */
	if (ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1)
		valid = EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1;
	EVP_MD_CTX_free(ctx);
	return valid;
}
