/* base/jws.h - base64url, SHA-256, RS256 signatures (OpenSSL EVP). */
#ifndef BASE_JWS_H
#define BASE_JWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Strict base64url: no padding, no white space, canonical tail bits. Decoded
 * length, or -1 (bad text or cap too small). */
long jws_base64url_decode(
    const char *text, size_t len, unsigned char *out, size_t cap);
/* out needs 4 * (len + 2) / 3 + 1 bytes; NUL-terminated. Its length. */
size_t jws_base64url_encode(const void *data, size_t len, char *out);

/* SHA-256 as 64 lower-case hex characters and NUL. */
void jws_sha256_hex(const void *data, size_t len, char out[65]);

/* Constant-time comparison of equally long memory. */
bool jws_equal(const void *a, const void *b, size_t len);

struct jws_key; /* an RSA public key */

/* From JWK members n and e (base64url). 2048..4096 bits, e odd and >= 65537,
 * else ERR_INPUT. */
struct jws_key *jws_key_new(const char *n, const char *e64, struct err *e);
void jws_key_free(struct jws_key *k);

/* True only for a valid RSASSA-PKCS1-v1_5 SHA-256 signature. */
bool jws_verify_rs256(const struct jws_key *k, const void *data, size_t len,
    const unsigned char *sig, size_t sig_len);

#endif
