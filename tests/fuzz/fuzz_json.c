/* tests/fuzz/fuzz_json.c - any bytes through the JSON reader. */
#include <string.h>

#include "base/json.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	json_t *doc = json_load_strict((const char *)data, size, &e);
	json_t *foreign = json_load_foreign((const char *)data, size, NULL);
	json_t *again;
	char *text;

	FUZZ_CHECK(doc == NULL || json_equal(doc, foreign));
	json_decref(foreign);
	if (doc == NULL) {
		FUZZ_CHECK(e.code == ERR_INPUT);
		FUZZ_CHECK(strncmp(e.text, "line ", 5) == 0);
		return 0;
	}
	text = json_text(doc);
	again = json_load_strict(text, strlen(text), &e);
	FUZZ_CHECK(again != NULL && json_equal(doc, again));
	free(text);
	json_decref(doc);
	json_decref(again);
	return 0;
}
