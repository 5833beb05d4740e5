/* base/text.h - UTF-8 and small text helpers. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether len bytes are valid UTF-8 (no surrogates, no overlong forms). */
bool text_is_utf8(const char *text, size_t len);

/* Bytes of the longest prefix with at most max_chars code points. */
size_t text_cut_chars(const char *text, size_t max_chars);

/* Bytes of the longest prefix of at most max_bytes that ends at a code
 * point. */
size_t text_cut_bytes(const char *text, size_t max_bytes);

/* New text without leading and trailing white space (Unicode blanks
 * included). Yours. */
char *text_trim(const char *text);

/* Copies into a fixed array; false (and "" in out) when it does not fit. */
bool text_copy(char *out, size_t cap, const char *text);

/* 8-4-4-4-12 hex. */
bool text_is_guid(const char *text);
/* Lower-case copy of a GUID; false when it is none. */
bool text_guid_lower(char out[37], const char *text);

/* Characters that Graph and Unblu ids consist of: A-Z a-z 0-9 - _ =, 1..max. */
bool text_is_id(const char *text, size_t max);

/* Edit distance (insert, delete, replace, swap of neighbours), capped. */
int text_distance(const char *a, const char *b, int cap);

#endif
