/* base/json.c - see json.h. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/text.h"

enum { JSON_NAME_MAX = 64 };

/* Line and column (in code points), both from 1, of an offset. */
static void
json_place(const char *data, size_t offset, size_t *line, size_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t at = 0; at < offset;) {
		uint32_t c;
		size_t n = text_code_point(data + at, offset - at, &c);

		at += n > 0 ? n : 1;
		++*column;
		if (c == '\n') {
			++*line;
			*column = 1;
		}
	}
}

/* The key given twice whose opening quote is at. */
static void
json_duplicate(
    struct err *e, size_t line, size_t column, const char *at, const char *end)
{
	const char *stop = at + 1;
	size_t len;

	while (stop < end && *stop != '"')
		stop += *stop == '\\' && end - stop > 1 ? 2 : 1;
	len = (size_t)(stop - at - 1);
	if (len > JSON_NAME_MAX)
		len = JSON_NAME_MAX;
	err_set(e, ERR_INPUT,
	    "line %zu column %zu: the key \"%.*s\" is given twice", line,
	    column, (int)len, at + 1);
}

static void
json_syntax(
    struct err *e, size_t line, size_t column, const char *at, size_t len)
{
	uint32_t c;
	size_t n = text_code_point(at, len, &c);

	if (len == 0)
		err_set(e, ERR_INPUT, "line %zu column %zu: ends too early",
		    line, column);
	else if (n == 0)
		err_set(e, ERR_INPUT, "line %zu column %zu: not UTF-8", line,
		    column);
	else if (c == '\\')
		err_set(e, ERR_INPUT, "line %zu column %zu: bad escape", line,
		    column);
	else if (c < 0x20 || c == 0x7F)
		err_set(e, ERR_INPUT,
		    "line %zu column %zu: control character U+%04X here", line,
		    column, (unsigned)c);
	else
		err_set(e, ERR_INPUT, "line %zu column %zu: unexpected '%.*s'",
		    line, column, (int)n, at);
}

static void
json_explain(struct err *e, enum scan_result rc, const char *data, size_t len,
    size_t where)
{
	size_t line;
	size_t column;

	json_place(data, where, &line, &column);
	switch (rc) {
	case SCAN_DEPTH:
		err_set(e, ERR_INPUT,
		    "line %zu column %zu: nested deeper than %d", line, column,
		    JSON_DEPTH_MAX);
		break;
	case SCAN_COUNT:
		err_set(e, ERR_INPUT, "line %zu column %zu: too many values",
		    line, column);
		break;
	case SCAN_DUPLICATE:
		json_duplicate(e, line, column, data + where, data + len);
		break;
	case SCAN_SYNTAX:
	case SCAN_OK:
		json_syntax(e, line, column, data + where, len - where);
		break;
	}
}

json_t *
json_load_strict(const char *data, size_t len, struct err *e)
{
	static const struct scan_limits limits = {
	    JSON_DEPTH_MAX, JSON_VALUES_MAX, SCAN_MEMBERS_MAX};
	struct scan_value top;
	enum scan_result rc;
	json_error_t je;
	json_t *doc;
	size_t where;

	rc = scan_check(data, len, &limits, &top, &where);
	if (rc != SCAN_OK) {
		json_explain(e, rc, data, len, where);
		return NULL;
	}
	if (top.type != SCAN_OBJECT && top.type != SCAN_ARRAY) {
		err_set(e, ERR_INPUT,
		    "line 1 column 1: neither an object nor an array");
		return NULL;
	}
	/* What is left for it to refuse: \u0000 and numbers out of range. */
	doc = json_loadb(data, len, JSON_REJECT_DUPLICATES, &je);
	if (doc == NULL)
		err_set(e, ERR_INPUT, "line %d column %d: %s", je.line,
		    je.column, je.text);
	return doc;
}

/* The code unit of the escape \\uXXXX at, -1 when there is none. */
static int
json_unit(const char *at, const char *end)
{
	int unit = 0;

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		const char *hex = "0123456789abcdef0123456789ABCDEF";
		const char *digit = at[i] != '\0' ? strchr(hex, at[i]) : NULL;

		if (digit == NULL)
			return -1;
		unit = unit << 4 | (int)((digit - hex) & 15);
	}
	return unit;
}

/* Puts U+FFFD for what is no text, in place: it is as long. Whether there was
 * any. */
static bool
json_mend(char *data, size_t len)
{
	const char *end = data + len;
	bool mended = false;

	for (char *at = data; at < end;) {
		int unit = json_unit(at, end);
		int next = unit >= 0 ? json_unit(at + 6, end) : -1;

		if (unit < 0) {
			at += *at == '\\' && end - at > 1 ? 2 : 1;
		} else if (unit >= 0xD800 && unit <= 0xDBFF && next >= 0xDC00 &&
		    next <= 0xDFFF) {
			at += 12;
		} else {
			if (unit == 0 || (unit >= 0xD800 && unit <= 0xDFFF)) {
				memcpy(at, "\\ufffd", 6);
				mended = true;
			}
			at += 6;
		}
	}
	return mended;
}

json_t *
json_load_foreign(const char *data, size_t len, struct err *e)
{
	json_t *doc = json_load_strict(data, len, e);
	char *copy;

	if (doc != NULL || len == 0)
		return doc;
	copy = mem_realloc(NULL, len + 1);
	memcpy(copy, data, len);
	if (json_mend(copy, len))
		doc = json_load_strict(copy, len, e);
	free(copy);
	return doc;
}

const char *
json_str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

json_t *
json_obj(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_object(v) ? v : NULL;
}

json_t *
json_arr(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_array(v) ? v : NULL;
}

int64_t
json_int(const json_t *o, const char *key, int64_t fallback)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool
json_flag(const json_t *o, const char *key, bool fallback)
{
	const json_t *v = json_object_get(o, key);

	return json_is_boolean(v) ? json_is_true(v) : fallback;
}

char *
json_text(const json_t *doc)
{
	char *text = json_dumps(doc, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		mem_exhausted(0);
	return text;
}
