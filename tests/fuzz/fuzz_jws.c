/* tests/fuzz/fuzz_jws.c - any text as base64url and as an RSA key "n e". */
#include <string.h>

#include "base/jws.h"
#include "base/mem.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *out = mem_zalloc(size);
	char *back = mem_zalloc(2 * size + 8);
	char *text = mem_strndup((const char *)data, size);
	char *blank = strchr(text, ' ');
	long n = jws_base64url_decode((const char *)data, size, out, size);
	struct jws_key *k;

	if (n >= 0) {
		/* There is one text only for each value. */
		FUZZ_CHECK(jws_base64url_encode(out, (size_t)n, back) == size);
		FUZZ_CHECK(memcmp(back, data, size) == 0);
	}
	if (blank != NULL) {
		*blank = '\0';
		k = jws_key_new(text, blank + 1, NULL);
		if (k != NULL)
			FUZZ_CHECK(!jws_verify_rs256(k, data, size, out, size));
		jws_key_free(k);
	}
	free(text);
	free(back);
	free(out);
	return 0;
}
