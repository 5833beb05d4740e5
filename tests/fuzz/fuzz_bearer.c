/* tests/fuzz/fuzz_bearer.c - any text as a token; and, behind a line feed, any
 * text as a key set. Nothing that is made up is ever valid. */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "rule/bearer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const one[] = {
	    "11111111-1111-4111-8111-111111111111"};
	const struct bearer_settings settings = {
	    .login_url = "https://login.microsoftonline.com",
	    .client_id = one[0],
	    .audiences = one,
	    .audience_count = 1,
	    .tenants = one,
	    .tenant_count = 1,
	    .required_scope = "",
	};
	char *text = mem_strndup((const char *)data, size);
	char *line = strchr(text, '\n');
	struct bearer_keys *keys = NULL;
	struct bearer_identity who;
	const char *why = NULL;
	struct err e = {0};

	if (line != NULL) {
		*line = '\0';
		keys = bearer_keys_new(line + 1, NULL, &e);
		FUZZ_CHECK(keys != NULL || e.code == ERR_INPUT);
	}
	FUZZ_CHECK(bearer_judge(keys, &settings, text, strlen(text),
		       INT64_C(1795422745000), &who, &why) != BEARER_VALID);
	FUZZ_CHECK(why != NULL);
	bearer_keys_free(keys);
	free(text);
	return 0;
}
