/* tests/fuzz/fuzz_scan.c - any bytes through the notification scanner. */
#include <string.h>

#include "base/scan.h"
#include "fuzz.h"

static void
walk(const struct scan_value *v, const char *begin, const char *end)
{
	struct scan_value key;
	struct scan_value value;
	const char *cursor = NULL;
	char out[64];

	FUZZ_CHECK(v->start >= begin && v->len <= (size_t)(end - v->start));
	if (v->type == SCAN_STRING) {
		long n = scan_copy(v, out, sizeof(out));

		FUZZ_CHECK(n < (long)sizeof(out));
		FUZZ_CHECK(n < 0 || scan_equals(v, out));
		FUZZ_CHECK(n < 0 || out[n] == '\0');
	} else if (v->type == SCAN_OBJECT) {
		while (scan_member(v, &cursor, &key, &value)) {
			FUZZ_CHECK(key.type == SCAN_STRING);
			walk(&key, begin, end);
			walk(&value, begin, end);
		}
	} else if (v->type == SCAN_ARRAY) {
		while (scan_element(v, &cursor, &value))
			walk(&value, begin, end);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct scan_limits limits = {16, 20000, 256};
	const char *text = (const char *)data;
	struct scan_value top;
	struct scan_value again;
	size_t where = SIZE_MAX;
	enum scan_result rc = scan_check(text, size, &limits, &top, &where);

	FUZZ_CHECK(where <= size);
	if (rc != SCAN_OK)
		return 0;
	walk(&top, text, text + size);
	if (top.type != SCAN_STRING) {
		/* The value alone is as good as the whole text. */
		FUZZ_CHECK(scan_check(top.start, top.len, &limits, &again,
			       NULL) == SCAN_OK);
		FUZZ_CHECK(again.len == top.len);
	}
	return 0;
}
