/* base/rand.h - randomness from the kernel. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Cryptographic. Ends the process when the kernel gives none. */
void rand_bytes(void *out, size_t len);

/* 43 characters base64url of 32 random bytes, and NUL. */
void rand_token(char out[44]);

/* A random version 4 GUID, lower case. */
void rand_guid(char out[37]);

/* Uniform in 0 .. bound-1 (bound > 0). */
uint64_t rand_below(uint64_t bound);

#endif
