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

enum {
	SCAN_DEPTH_MAX = 64, /* whatever limits.depth says */
	/* Of one object, whatever limits.members says; bounds the search for
	 * duplicate keys, which compares each key's hash with all before. */
	SCAN_MEMBERS_MAX = 1024,
	/* Of all objects that are open at one place of the text. */
	SCAN_KEYS_MAX = 4096,
	SCAN_TEXT_MAX = 1 << 30 /* bytes */
};

struct scan_limits {
	/* Deepest nesting of containers, the top one being 1. */
	int depth;
	size_t values; /* all values together */
	size_t members; /* of one object */
};

enum scan_result {
	SCAN_OK,
	SCAN_SYNTAX, /* not JSON, not UTF-8, bytes after the value */
	SCAN_DEPTH, /* over limits.depth */
	SCAN_COUNT, /* over limits.values, .members or a limit above */
	SCAN_DUPLICATE /* a key twice in one object */
};

/* Checks the whole text once: after SCAN_OK the walkers below can trust it.
 * *where (may be NULL) is the offset of the first fault; of a key given twice
 * its second opening quote. Needs 70 KiB of stack. */
enum scan_result scan_check(const char *text, size_t len,
    const struct scan_limits *limits, struct scan_value *top, size_t *where);

/* Walk the members of a checked object / elements of a checked array: start
 * with *cursor = NULL; false at the end. */
bool scan_member(const struct scan_value *object, const char **cursor,
    struct scan_value *key, struct scan_value *value);
bool scan_element(const struct scan_value *array, const char **cursor,
    struct scan_value *value);

/* Whether a string value (false for any other) equals text after unescaping. */
bool scan_equals(const struct scan_value *string, const char *text);

/* Unescapes into out, NUL-terminated. Its length, or -1 when it does not fit
 * or holds U+0000 or is no string. */
long scan_copy(const struct scan_value *string, char *out, size_t cap);

#endif
