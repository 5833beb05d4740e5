/* base/siphash.h - SipHash-1-3, for tables whose keys a stranger chooses. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* Who does not know the key can not choose bytes whose hashes collide.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF". */
struct siphash {
	uint64_t v[4];
	uint64_t word; /* bytes that do not fill eight yet */
	size_t len;
};

/* Start, any number of bytes in any portions, end: the hash of all of them. */
void siphash_start(struct siphash *h, const uint64_t key[2]);
void siphash_byte(struct siphash *h, unsigned char byte);
void siphash_bytes(struct siphash *h, const char *data, size_t len);
uint64_t siphash_end(struct siphash *h);

#endif
