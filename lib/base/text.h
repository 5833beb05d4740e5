/* base/text.h - UTF-8 and small text helpers. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the code point that text (len bytes) begins with. The bytes it takes,
 * or 0 when they are no valid UTF-8 (or len is 0); *out is then U+FFFD.
 */
size_t text_code_point(const char *text, size_t len, uint32_t *out);

/* Writes c (at most U+10FFFF) as UTF-8. The bytes written. */
size_t text_put_code_point(uint32_t c, char out[4]);

enum { TEXT_ESCAPE_MAX = 6 };

/*
 * Writes the first code point of text (len > 0 bytes) as it stands inside a
 * JSON string: quotes, backslash, controls (DEL and C1 too), U+2028/9, bidi
 * controls and the BOM escaped, a byte that is no UTF-8 as U+FFFD. The bytes
 * written; *used is what was taken of text.
 */
size_t text_json_escape(
    const char *text, size_t len, char out[TEXT_ESCAPE_MAX], size_t *used);

/* Whether len bytes are valid UTF-8 (no surrogates, no overlong forms). */
bool text_is_utf8(const char *text, size_t len);

/*
 * Copies text into out, which takes cap > 0 bytes with its NUL: each byte that
 * is no UTF-8 has become U+FFFD, what does not fit is cut at a code point. The
 * bytes written without the NUL.
 */
size_t text_copy_utf8(char *out, size_t cap, const char *text);

/* Bytes of the longest prefix with at most max_chars code points. */
size_t text_cut_chars(const char *text, size_t max_chars);

/* Bytes of the longest prefix of at most max_bytes that ends at a code
 * point. */
size_t text_cut_bytes(const char *text, size_t max_bytes);

/* New text without leading and trailing white space (Unicode blanks
 * included). Yours. */
char *text_trim(const char *text);

/* New text, trimmed, in one line: each run of control characters and of line
 * and paragraph separators has become one blank. Yours. */
char *text_one_line(const char *text);

/* Whether a reader sees anything: more than white space, control characters
 * and those that Unicode has shown as nothing (zero width, marks of direction,
 * variation selectors, tags). A combining mark alone is seen. */
bool text_is_visible(const char *text);

/* FNV-1a of the text behind hash, TEXT_HASH to begin with: the same on every
 * machine, and no defence against whoever chooses the text. */
#define TEXT_HASH UINT64_C(14695981039346656037)
uint64_t text_hash(uint64_t hash, const char *text);

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
