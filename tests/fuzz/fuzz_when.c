/* tests/fuzz/fuzz_when.c - any text as a time and as a Retry-After. */
#include <string.h>

#include "base/mem.h"
#include "base/when.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	char out[WHEN_TEXT_MAX];
	int64_t ms;
	int64_t again;

	if (when_parse_iso(text, true, &ms) == 0) {
		FUZZ_CHECK(ms >= 0);
		when_format_iso(ms, true, out);
		FUZZ_CHECK(strlen(out) == 24);
		FUZZ_CHECK(when_parse_iso(out, false, &again) == 0);
		FUZZ_CHECK(again == ms);
	}
	FUZZ_CHECK(when_parse_retry_after(text, 784111777000) >= -1);
	if (size >= sizeof(ms)) {
		memcpy(&ms, data, sizeof(ms));
		when_format_iso(ms, true, out);
		FUZZ_CHECK(memchr(out, '\0', sizeof(out)) != NULL);
	}
	free(text);
	return 0;
}
