/* base/scan.h - strict, allocation-free JSON scanner (RFC 8259). */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* A value inside the scanned text: [start, start+len), strings without their
 * quotes and still escaped. */
struct scan_value {
	enum scan_type {
		SCAN_OBJECT,
		SCAN_ARRAY,
		SCAN_STRING,
		SCAN_NUMBER,
		SCAN_TRUE,
		SCAN_FALSE,
		SCAN_NULL
	} type;
	const char *start;
	size_t len;
	bool escaped; /* a string that holds a backslash */
};

struct scan_limits {
	int depth; /* deepest nesting allowed, the top value being 1 */
	size_t values; /* all values together */
};

enum scan_result {
	SCAN_OK,
	SCAN_SYNTAX, /* not JSON, not UTF-8, bytes after the value */
	SCAN_DEPTH, /* over limits.depth */
	SCAN_COUNT, /* over limits.values */
	SCAN_DUPLICATE /* a key twice in one object */
};

/* Checks the whole text once: after SCAN_OK the walkers below can trust it.
 * *where (may be NULL) is the offset of the first fault. */
enum scan_result scan_check(const char *text, size_t len,
    const struct scan_limits *limits, struct scan_value *top, size_t *where);

/* Walk the members of a checked object / elements of a checked array: start
 * with *cursor = NULL; false at the end. */
bool scan_member(const struct scan_value *object, const char **cursor,
    struct scan_value *key, struct scan_value *value);
bool scan_element(const struct scan_value *array, const char **cursor,
    struct scan_value *value);

/* Whether a string value equals text after unescaping. */
bool scan_equals(const struct scan_value *string, const char *text);

/* Unescapes into out, NUL-terminated. Its length, or -1 when it does not fit
 * or holds U+0000. */
long scan_copy(const struct scan_value *string, char *out, size_t cap);

#endif
