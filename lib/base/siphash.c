/* base/siphash.c - see siphash.h. */
#include "base/siphash.h"

#include <string.h>

static uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
siphash_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void
siphash_word(struct siphash *h, uint64_t word)
{
	h->v[3] ^= word;
	siphash_round(h->v);
	h->v[0] ^= word;
}

void
siphash_start(struct siphash *h, const uint64_t key[2])
{
	h->v[0] = key[0] ^ UINT64_C(0x736F6D6570736575);
	h->v[1] = key[1] ^ UINT64_C(0x646F72616E646F6D);
	h->v[2] = key[0] ^ UINT64_C(0x6C7967656E657261);
	h->v[3] = key[1] ^ UINT64_C(0x7465646279746573);
	h->word = 0;
	h->len = 0;
}

void
siphash_byte(struct siphash *h, unsigned char byte)
{
	h->word |= (uint64_t)byte << (h->len % 8 * 8);
	if (++h->len % 8 != 0)
		return;
	siphash_word(h, h->word);
	h->word = 0;
}

void
siphash_bytes(struct siphash *h, const char *data, size_t len)
{
	uint64_t word;

	while (len > 0) {
		if (len < 8 || h->len % 8 != 0) {
			siphash_byte(h, (unsigned char)*data++);
			len--;
			continue;
		}
		memcpy(&word, data, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		siphash_word(h, word);
		h->len += 8;
		data += 8;
		len -= 8;
	}
}

uint64_t
siphash_end(struct siphash *h)
{
	siphash_word(h, h->word | (uint64_t)h->len << 56);
	h->v[2] ^= 0xFF;
	for (int i = 0; i < 3; i++)
		siphash_round(h->v);
	return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}
