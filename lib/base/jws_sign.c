/* base/jws_sign.c - see jws_sign.h. */
#include "base/jws_sign.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jws.h"
#include "base/mem.h"

enum {
	SIGNER_BITS_MIN = 2048,
	SIGNER_BITS_MAX = 8192,
	SIGNER_SIGNATURE_MAX = SIGNER_BITS_MAX / 8,
	SIGNER_HEADER_MAX = 160,
	SIGNER_DAY_S = 24 * 60 * 60,
	/* Of base64url, with its NUL. */
	SIGNER_THUMBPRINT_MAX = 4 * (SHA256_DIGEST_LENGTH + 2) / 3 + 1
};

struct jws_signer {
	EVP_PKEY *key;
	int64_t begins_ms, ends_ms;
	char thumbprint[SIGNER_THUMBPRINT_MAX]; /* of the DER certificate */
};

/* Nobody is there to type a password. */
static int
signer_password(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static X509 *
signer_read_certificate(const char *pem, size_t len)
{
	BIO *in = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	X509 *out = NULL;

	if (in != NULL)
		out = PEM_read_bio_X509(in, NULL, signer_password, NULL);
	BIO_free(in);
	return out;
}

static EVP_PKEY *
signer_read_key(const char *pem, size_t len)
{
	BIO *in = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	EVP_PKEY *out = NULL;

	if (in != NULL)
		out = PEM_read_bio_PrivateKey(in, NULL, signer_password, NULL);
	BIO_free(in);
	return out;
}

static int64_t
signer_time_ms(const ASN1_TIME *at)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0;
	int seconds = 0;

	if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, at) != 1)
		days = seconds = 0;
	ASN1_TIME_free(epoch);
	return ((int64_t)days * SIGNER_DAY_S + seconds) * 1000;
}

static int
signer_check_certificate(X509 *certificate, struct err *e)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

	if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return err_set(
		    e, ERR_CONFIG, "is not for an RSA key, which PS256 needs");
	if (bits < SIGNER_BITS_MIN || bits > SIGNER_BITS_MAX)
		return err_set(e, ERR_CONFIG,
		    "has a key of %d bits; it must have %d to %d", bits,
		    (int)SIGNER_BITS_MIN, (int)SIGNER_BITS_MAX);
	return 0;
}

static int
signer_describe(struct jws_signer *s, X509 *certificate, struct err *e)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	if (X509_digest(certificate, EVP_sha256(), digest, NULL) != 1)
		return err_set(e, ERR_CONFIG, "can not be hashed");
	jws_base64url_encode(digest, sizeof(digest), s->thumbprint);
	s->begins_ms = signer_time_ms(X509_get0_notBefore(certificate));
	s->ends_ms = signer_time_ms(X509_get0_notAfter(certificate));
	return 0;
}

/* Takes the two over once they are found fit. */
static int
signer_join(struct jws_signer *s, X509 *certificate, EVP_PKEY **key,
    enum jws_part *part, struct err *e)
{
	*part = JWS_CERTIFICATE;
	if (certificate == NULL)
		return err_set(e, ERR_CONFIG, "has no certificate in PEM form");
	if (signer_check_certificate(certificate, e) != 0 ||
	    signer_describe(s, certificate, e) != 0)
		return -1;
	*part = JWS_PRIVATE_KEY;
	if (*key == NULL)
		return err_set(e, ERR_CONFIG,
		    "has no private key in PEM form without a password");
	if (X509_check_private_key(certificate, *key) != 1)
		return err_set(
		    e, ERR_CONFIG, "is not the private key of the certificate");
	s->key = *key;
	*key = NULL;
	return 0;
}

struct jws_signer *
jws_signer_new(const char *certificate, size_t certificate_len, const char *key,
    size_t key_len, enum jws_part *part, struct err *e)
{
	struct jws_signer *s = mem_zalloc(sizeof(*s));
	X509 *x509 = signer_read_certificate(certificate, certificate_len);
	EVP_PKEY *pkey = signer_read_key(key, key_len);

	if (signer_join(s, x509, &pkey, part, e) != 0) {
		free(s);
		s = NULL;
	}
	X509_free(x509);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return s;
}

void
jws_signer_free(struct jws_signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(s->key);
	free(s);
}

int64_t
jws_signer_begins_ms(const struct jws_signer *s)
{
	return s->begins_ms;
}

int64_t
jws_signer_ends_ms(const struct jws_signer *s)
{
	return s->ends_ms;
}

/* The length, 0 on failure. */
static size_t
signer_sign(const struct jws_signer *s, const char *text, size_t len,
    unsigned char out[SIGNER_SIGNATURE_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	size_t out_len = SIGNER_SIGNATURE_MAX;

	if (ctx == NULL ||
	    EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, s->key) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) !=
		1 ||
	    EVP_DigestSign(
		ctx, out, &out_len, (const unsigned char *)text, len) != 1)
		out_len = 0;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return out_len;
}

struct secret *
jws_signer_sign(const struct jws_signer *s, const char *claims, struct err *e)
{
	unsigned char signature[SIGNER_SIGNATURE_MAX];
	char header[SIGNER_HEADER_MAX];
	size_t claims_len = strlen(claims);
	struct secret *out = NULL;
	size_t len, signature_len;
	char *text;

	snprintf(header, sizeof(header),
	    "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"%s\"}",
	    s->thumbprint);
	text = mem_zalloc(
	    2 * (sizeof(header) + claims_len + sizeof(signature)) + 16);
	len = jws_base64url_encode(header, strlen(header), text);
	text[len++] = '.';
	len += jws_base64url_encode(claims, claims_len, text + len);
	signature_len = signer_sign(s, text, len, signature);
	if (signature_len == 0) {
		err_set(e, ERR_CONFIG, "the assertion could not be signed");
	} else {
		text[len++] = '.';
		len +=
		    jws_base64url_encode(signature, signature_len, text + len);
		out = secret_new(text, len);
	}
	secret_wipe(text, strlen(text));
	free(text);
	return out;
}
