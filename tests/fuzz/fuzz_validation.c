/* tests/fuzz/fuzz_validation.c - any text as the query of a handshake. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "fuzz.h"
#include "rule/validation.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char token[VALIDATION_TOKEN_MAX + 1];
	char *query = mem_strndup((const char *)data, size);
	const char *why = NULL;
	size_t len = 0;

	switch (validation_parse(query, token, &len, &why)) {
	case VALIDATION_TOKEN:
		FUZZ_CHECK(why == NULL && len > 0);
		FUZZ_CHECK(len <= VALIDATION_TOKEN_MAX);
		FUZZ_CHECK(strlen(token) == len && text_is_utf8(token, len));
		for (size_t i = 0; i < len; i++)
			FUZZ_CHECK((unsigned char)token[i] >= 0x20 &&
			    token[i] != 0x7f);
		break;
	case VALIDATION_BAD:
		FUZZ_CHECK(why != NULL);
		break;
	case VALIDATION_NONE:
		break;
	}
	free(query);
	return 0;
}
