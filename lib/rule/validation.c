/* rule/validation.c - see validation.h. */
#include "rule/validation.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/url.h"

static const char validation_name[] = "validationToken";

/* Whether the still encoded name of a parameter is ours. */
static bool
validation_is_name(const char *name, size_t len)
{
	char plain[sizeof(validation_name) - 1];

	return url_form_decode(name, len, plain, sizeof(plain)) ==
	    (long)sizeof(plain) &&
	    strncasecmp(plain, validation_name, sizeof(plain)) == 0;
}

/* C0, DEL and C1 controls in valid UTF-8. */
static bool
validation_has_controls(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < len &&
		    (unsigned char)text[i + 1] < 0xa0)
			return true;
	}
	return false;
}

static const char *
validation_decode(const char *value, size_t value_len, char *out, size_t *len)
{
	/* An escaped byte takes three characters. */
	long n = value_len > 3 * (size_t)VALIDATION_TOKEN_MAX
	    ? -1
	    : url_form_decode(value, value_len, out, VALIDATION_TOKEN_MAX);

	if (value_len == 0)
		return "empty validationToken";
	if (n < 0)
		return "validationToken too long or with a broken escape";
	if (!text_is_utf8(out, (size_t)n))
		return "validationToken is not UTF-8";
	if (validation_has_controls(out, (size_t)n))
		return "control characters in the validationToken";
	out[n] = '\0';
	*len = (size_t)n;
	return NULL;
}

enum validation
validation_parse(const char *query, char out[VALIDATION_TOKEN_MAX + 1],
    size_t *len, const char **why)
{
	enum validation found = VALIDATION_NONE;

	*why = NULL;
	while (*query != '\0') {
		size_t size = strcspn(query, "&");
		const char *equals = memchr(query, '=', size);
		size_t name = equals != NULL ? (size_t)(equals - query) : size;

		if (validation_is_name(query, name)) {
			size_t skip = name < size ? name + 1 : name;

			if (found != VALIDATION_NONE) {
				*why = "two validationTokens";
				return VALIDATION_BAD;
			}
			found = VALIDATION_TOKEN;
			*why = validation_decode(
			    query + skip, size - skip, out, len);
		}
		query += size;
		query += strspn(query, "&");
	}
	return *why != NULL ? VALIDATION_BAD : found;
}
