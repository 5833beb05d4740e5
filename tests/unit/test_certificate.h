/* tests/unit/test_certificate.h - certificates for the tests, made by OpenSSL.
 */
#ifndef TEST_CERTIFICATE_H
#define TEST_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

struct test_pair {
	EVP_PKEY *pkey;
	X509 *x509;
	char *certificate; /* PEM */
	char *key; /* PEM */
};

static inline char *
test_pem(BIO *bio)
{
	char *data = NULL;
	size_t len = (size_t)BIO_get_mem_data(bio, &data);
	char *out = calloc(1, len + 1);

	memcpy(out, data, len);
	BIO_free(bio);
	return out;
}

/* Self-signed; valid from and until seconds from now. password NULL: none. */
static inline struct test_pair
test_pair_make(EVP_PKEY *pkey, long from_s, long until_s, const char *password)
{
	struct test_pair p = {.pkey = pkey, .x509 = X509_new()};
	BIO *certificate = BIO_new(BIO_s_mem());
	BIO *key = BIO_new(BIO_s_mem());

	X509_set_version(p.x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p.x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(p.x509), from_s);
	X509_gmtime_adj(X509_getm_notAfter(p.x509), until_s);
	X509_set_pubkey(p.x509, pkey);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(p.x509), "CN",
	    MBSTRING_ASC, (const unsigned char *)"addin", -1, -1, 0);
	X509_set_issuer_name(p.x509, X509_get_subject_name(p.x509));
	X509_sign(p.x509, pkey, EVP_sha256());
	PEM_write_bio_X509(certificate, p.x509);
	PEM_write_bio_PKCS8PrivateKey(key, pkey,
	    password != NULL ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL,
	    (void *)(uintptr_t)password);
	p.certificate = test_pem(certificate);
	p.key = test_pem(key);
	return p;
}

static inline struct test_pair
test_pair_rsa(unsigned bits, long from_s, long until_s)
{
	return test_pair_make(EVP_RSA_gen(bits), from_s, until_s, NULL);
}

static inline void
test_pair_clear(struct test_pair *p)
{
	EVP_PKEY_free(p->pkey);
	X509_free(p->x509);
	free(p->certificate);
	free(p->key);
}

#endif
