/* base/jws_sign.h - a certificate with its private key, and what it signs:
 * PS256 (OpenSSL EVP). Source: reference/graph.md 2.4, RFC 7518 3.5. */
#ifndef BASE_JWS_SIGN_H
#define BASE_JWS_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

struct jws_signer; /* the key is wiped when it is freed */

/* Where jws_signer_new() found a mistake. */
enum jws_part { JWS_CERTIFICATE, JWS_PRIVATE_KEY };

/*
 * From the first certificate and the first key in two PEM texts. NULL with
 * ERR_CONFIG and *part: no PEM, a key with a password, not RSA, not of
 * 2048..8192 bits, or two that do not belong together. Its validity in time is
 * the caller's to judge. *e says what is wrong "with it": "has no ...".
 */
struct jws_signer *
jws_signer_new(const char *certificate, size_t certificate_len, const char *key,
    size_t key_len, enum jws_part *part, struct err *e);
void jws_signer_free(struct jws_signer *s); /* NULL is allowed */

/* The certificate's validity, Unix milliseconds. */
int64_t jws_signer_begins_ms(const struct jws_signer *s);
int64_t jws_signer_ends_ms(const struct jws_signer *s);

/*
 * The compact JWS of the claims (JSON text): header {"alg":"PS256","typ":
 * "JWT","x5t#S256"}, RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32
 * bytes. Yours; NULL when OpenSSL fails.
 */
struct secret *
jws_signer_sign(const struct jws_signer *s, const char *claims, struct err *e);

#endif
