/* base/scan_walk.c - walks texts that scan_check() has passed. */
#include <string.h>

#include "base/scan.h"
#include "base/scan_string.h"

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end &&
	    (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	return at;
}

/* at: behind the opening quote. The closing quote. */
static const char *
string_end(const char *at, const char *end, bool *escaped)
{
	for (;;) {
		const char *quote = memchr(at, '"', (size_t)(end - at));
		const char *slash;

		if (quote == NULL)
			return end;
		slash = memchr(at, '\\', (size_t)(quote - at));
		if (slash == NULL)
			return quote;
		*escaped = true;
		/* The escaped byte may be the very quote that was found. */
		if (end - slash < 2)
			return end;
		at = slash + 2;
	}
}

/* at: the opening bracket. The byte behind the closing one. */
static const char *
container_end(const char *at, const char *end)
{
	size_t depth = 0;
	bool escaped;

	for (; at < end; at++) {
		if (*at == '"') {
			at = string_end(at + 1, end, &escaped);
			if (at == end)
				break;
		} else if (*at == '{' || *at == '[') {
			depth++;
		} else if ((*at == '}' || *at == ']') && --depth == 0) {
			return at + 1;
		}
	}
	return end;
}

static const char *
scalar_end(const char *at, const char *end)
{
	while (at < end && *at != ',' && *at != '}' && *at != ']' &&
	    *at != ' ' && *at != '\n' && *at != '\r' && *at != '\t')
		at++;
	return at;
}

static enum scan_type
type_of(char c)
{
	switch (c) {
	case '{':
		return SCAN_OBJECT;
	case '[':
		return SCAN_ARRAY;
	case '"':
		return SCAN_STRING;
	case 't':
		return SCAN_TRUE;
	case 'f':
		return SCAN_FALSE;
	case 'n':
		return SCAN_NULL;
	default:
		return SCAN_NUMBER;
	}
}

const char *
scan_value_at(const char *at, const char *end, struct scan_value *out)
{
	const char *stop;

	at = skip_blanks(at, end);
	memset(out, 0, sizeof(*out));
	out->type = at < end ? type_of(*at) : SCAN_NULL;
	out->start = at;
	switch (out->type) {
	case SCAN_STRING:
		out->start = at + 1;
		stop = string_end(at + 1, end, &out->escaped);
		out->len = (size_t)(stop - out->start);
		return stop < end ? stop + 1 : end;
	case SCAN_OBJECT:
	case SCAN_ARRAY:
		stop = container_end(at, end);
		break;
	default:
		stop = scalar_end(at, end);
		break;
	}
	out->len = (size_t)(stop - at);
	return stop;
}

/* Where the next element or member begins, or NULL at the end. */
static const char *
next_item(const struct scan_value *container, const char *cursor)
{
	const char *end = container->start + container->len;
	const char *at = cursor != NULL ? cursor : container->start + 1;

	at = skip_blanks(at, end);
	if (at < end && *at == ',')
		at = skip_blanks(at + 1, end);
	if (at >= end || *at == '}' || *at == ']')
		return NULL;
	return at;
}

bool
scan_member(const struct scan_value *object, const char **cursor,
    struct scan_value *key, struct scan_value *value)
{
	const char *end = object->start + object->len;
	const char *at;

	if (object->type != SCAN_OBJECT)
		return false;
	at = next_item(object, *cursor);
	if (at == NULL)
		return false;
	at = skip_blanks(scan_value_at(at, end, key), end);
	if (at < end) /* the colon */
		at++;
	*cursor = scan_value_at(at, end, value);
	return true;
}

bool
scan_element(const struct scan_value *array, const char **cursor,
    struct scan_value *value)
{
	const char *at;

	if (array->type != SCAN_ARRAY)
		return false;
	at = next_item(array, *cursor);
	if (at == NULL)
		return false;
	*cursor = scan_value_at(at, array->start + array->len, value);
	return true;
}
