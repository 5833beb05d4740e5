/* tests/fuzz/fuzz_announce.c - any bytes as the body of PUT api/links. */
#include <string.h>

#include "base/text.h"
#include "fcgi/web_announce.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_link l = {0};
	struct err e = {0};

	if (announce_parse((const char *)data, size, &l, &e) != 0) {
		FUZZ_CHECK(e.code == ERR_INPUT && e.text[0] != '\0');
		return 0;
	}
	FUZZ_CHECK(l.source_id[0] != '\0');
	FUZZ_CHECK(strlen(l.source_id) < sizeof(l.source_id));
	FUZZ_CHECK(text_is_utf8(l.topic, strlen(l.topic)));
	FUZZ_CHECK(l.start_ms % 60000 == 0);
	FUZZ_CHECK(strpbrk(l.time_zone, ". \t\n\"'\\") == NULL);
	FUZZ_CHECK(l.event[0] == '\0' || text_is_id(l.event, STORE_ID_MAX - 1));
	return 0;
}
