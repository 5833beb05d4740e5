/* base/rand.c - see rand.h. */
#include "base/rand.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/jws.h"
#include "base/log.h"

void
rand_bytes(void *out, size_t len)
{
	unsigned char *at = out;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_error("no-randomness",
			    LOG_STR("message", strerrordesc_np(errno)));
			_exit(70);
		}
		at += n;
		len -= (size_t)n;
	}
}

void
rand_token(char out[44])
{
	unsigned char bytes[32];

	rand_bytes(bytes, sizeof(bytes));
	jws_base64url_encode(bytes, sizeof(bytes), out);
	explicit_bzero(bytes, sizeof(bytes));
}

void
rand_guid(char out[37])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[16];
	char *at = out;

	rand_bytes(bytes, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40); /* version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80); /* variant 1 */
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = hex[bytes[i] >> 4];
		*at++ = hex[bytes[i] & 15];
	}
	*at = '\0';
}

uint64_t
rand_below(uint64_t bound)
{
	/* Values from here on would make the low results likelier. */
	uint64_t first_unfair = UINT64_MAX - UINT64_MAX % bound;
	uint64_t value;

	do {
		rand_bytes(&value, sizeof(value));
	} while (value >= first_unfair);
	return value % bound;
}
