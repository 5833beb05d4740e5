/* tests/fuzz/fuzz_url.c - any text as a URL and as form data. */
#include <string.h>

#include "base/mem.h"
#include "base/url.h"
#include "fuzz.h"

static void
as_url(const char *text)
{
	struct err e = {0};
	struct url u;

	if (url_parse(text, &u, &e) != 0) {
		FUZZ_CHECK(e.code == ERR_INPUT);
		return;
	}
	FUZZ_CHECK(
	    strcmp(u.scheme, "http") == 0 || strcmp(u.scheme, "https") == 0);
	FUZZ_CHECK(u.host[0] != '\0' && strpbrk(u.host, "/@?# ") == NULL);
	FUZZ_CHECK(u.port >= 1 && u.port <= 65535);
	FUZZ_CHECK(u.path[0] == '/' && strchr(u.path, '?') == NULL);
	url_is_loopback(&u);
	url_clear(&u);
}

static void
as_form(const char *text, size_t len)
{
	char *out = mem_zalloc(len);
	char *again = mem_zalloc(len);
	struct buf b;
	long n = url_form_decode(text, len, out, len);

	buf_init(&b, 3 * len);
	if (n >= 0) {
		FUZZ_CHECK((size_t)n <= len);
		FUZZ_CHECK(url_encode(&b, out, (size_t)n) == 0);
		FUZZ_CHECK(url_form_decode(b.data != NULL ? b.data : "", b.len,
			       again, len) == n);
		FUZZ_CHECK(memcmp(out, again, (size_t)n) == 0);
	}
	buf_clear(&b);
	free(again);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	as_url(text);
	as_form((const char *)data, size);
	free(text);
	return 0;
}
