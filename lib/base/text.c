/* base/text.c - see text.h. */
#include "base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool
is_tail(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

size_t
text_code_point(const char *text, size_t len, uint32_t *out)
{
	const unsigned char *s = (const unsigned char *)text;

	*out = 0xFFFD;
	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*out = s[0];
		return 1;
	}
	if (s[0] >= 0xC2 && s[0] <= 0xDF && len >= 2 && is_tail(s[1])) {
		*out = (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
		return 2;
	}
	if ((s[0] & 0xF0) == 0xE0 && len >= 3 && is_tail(s[1]) &&
	    is_tail(s[2])) {
		uint32_t c =
		    (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);

		if (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF))
			return 0;
		*out = c;
		return 3;
	}
	if (s[0] >= 0xF0 && s[0] <= 0xF4 && len >= 4 && is_tail(s[1]) &&
	    is_tail(s[2]) && is_tail(s[3])) {
		uint32_t c = (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 |
		    (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);

		if (c < 0x10000 || c > 0x10FFFF)
			return 0;
		*out = c;
		return 4;
	}
	return 0;
}

size_t
text_put_code_point(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

bool
text_is_utf8(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		uint32_t c;
		size_t n = text_code_point(text + at, len - at, &c);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

size_t
text_copy_utf8(char *out, size_t cap, const char *text)
{
	size_t left = strlen(text);
	size_t len = 0;

	while (left > 0) {
		uint32_t c;
		size_t taken = text_code_point(text, left, &c);
		char point[4];
		size_t n = text_put_code_point(c, point);

		if (n >= cap - len)
			break;
		memcpy(out + len, point, n);
		len += n;
		taken += taken == 0;
		text += taken;
		left -= taken;
	}
	out[len] = '\0';
	return len;
}

/* What could end a line, reorder what a reader sees or hide from him. */
static bool
is_unfit_for_display(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x61C ||
	    c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

size_t
text_json_escape(
    const char *text, size_t len, char out[TEXT_ESCAPE_MAX], size_t *used)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[] = "\bb\tt\nn\ff\rr";
	uint32_t c;
	size_t n = text_code_point(text, len, &c);

	*used = n > 0 ? n : 1;
	if (n == 0)
		return text_put_code_point(0xFFFD, out);
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (!is_unfit_for_display(c)) {
		memcpy(out, text, n);
		return n;
	}
	out[0] = '\\';
	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
		if (c == (unsigned char)shorts[i]) {
			out[1] = shorts[i + 1];
			return 2;
		}
	}
	out[1] = 'u';
	out[2] = hex[c >> 12 & 15];
	out[3] = hex[c >> 8 & 15];
	out[4] = hex[c >> 4 & 15];
	out[5] = hex[c & 15];
	return 6;
}

size_t
text_cut_chars(const char *text, size_t max_chars)
{
	size_t len = strlen(text);
	size_t at = 0;

	while (at < len && max_chars-- > 0) {
		uint32_t c;
		size_t n = text_code_point(text + at, len - at, &c);

		at += n > 0 ? n : 1;
	}
	return at;
}

size_t
text_cut_bytes(const char *text, size_t max_bytes)
{
	size_t n = strnlen(text, max_bytes);
	size_t cut = n;

	if (n < max_bytes || text[n] == '\0')
		return n;
	/* At most three steps back, or it is not UTF-8 anyway. */
	while (cut > 0 && n - cut < 3 && is_tail((unsigned char)text[cut]))
		cut--;
	return is_tail((unsigned char)text[cut]) ? n : cut;
}

/* The Unicode property White_Space, the zero width space and the BOM. */
static bool
is_blank(uint32_t c)
{
	return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 ||
	    c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 ||
	    c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 ||
	    c == 0xFEFF;
}

char *
text_trim(const char *text)
{
	size_t len = strlen(text);
	size_t start = 0;
	size_t end = 0;
	bool seen = false;

	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t n = text_code_point(text + at, len - at, &c);
		bool blank = n > 0 && is_blank(c);

		if (n == 0)
			n = 1;
		if (!blank && !seen) {
			start = at;
			seen = true;
		}
		at += n;
		if (!blank)
			end = at;
	}
	return mem_strndup(text + start, seen ? end - start : 0);
}

static bool
is_line_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 ||
	    c == 0x2029;
}

char *
text_one_line(const char *text)
{
	size_t len = strlen(text);
	char *line = mem_strndup(text, len);
	char *trimmed;
	size_t to = 0;
	bool was_control = false;

	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t n = text_code_point(text + at, len - at, &c);
		bool control = n > 0 && is_line_control(c);

		n = n > 0 ? n : 1;
		if (!control)
			memcpy(line + to, text + at, n);
		else if (!was_control)
			line[to] = ' ';
		to += control ? (was_control ? 0 : 1) : n;
		was_control = control;
		at += n;
	}
	line[to] = '\0';
	trimmed = text_trim(line);
	free(line);
	return trimmed;
}

/* Of the property Default_Ignorable_Code_Point what text really contains. */
static bool
is_ignorable(uint32_t c)
{
	return c == 0xAD || c == 0x34F || c == 0x61C || c == 0x115F ||
	    c == 0x1160 || (c >= 0x180B && c <= 0x180F) ||
	    (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
	    (c >= 0x2060 && c <= 0x206F) || c == 0x3164 ||
	    (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || c == 0xFFA0 ||
	    (c >= 0xE0000 && c <= 0xE0FFF);
}

bool
text_is_visible(const char *text)
{
	size_t len = strlen(text);

	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t n = text_code_point(text + at, len - at, &c);

		if (n == 0 ||
		    (!is_blank(c) && !is_line_control(c) && !is_ignorable(c)))
			return true;
		at += n;
	}
	return false;
}

uint64_t
text_hash(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

bool
text_copy(char *out, size_t cap, const char *text)
{
	size_t len = strlen(text);

	if (cap == 0)
		return false;
	out[0] = '\0';
	if (len >= cap)
		return false;
	memcpy(out, text, len + 1);
	return true;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	    (c >= 'A' && c <= 'F');
}

bool
text_is_guid(const char *text)
{
	for (int i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return false;
		} else if (!is_hex(text[i])) {
			return false;
		}
	}
	return text[36] == '\0';
}

bool
text_guid_lower(char out[37], const char *text)
{
	out[0] = '\0';
	if (!text_is_guid(text))
		return false;
	for (int i = 0; i < 37; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] + 32)
							  : text[i];
	return true;
}

bool
text_is_id(const char *text, size_t max)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		char c = text[i];

		if (i >= max)
			return false;
		if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') &&
		    (c < '0' || c > '9') && c != '-' && c != '_' && c != '=')
			return false;
	}
	return i > 0;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

int
text_distance(const char *a, const char *b, int cap)
{
	enum { LONGEST = 128 };
	int rows[3][LONGEST + 1];
	size_t la = strnlen(a, LONGEST + 1);
	size_t lb = strnlen(b, LONGEST + 1);

	if (la > LONGEST || lb > LONGEST)
		return strcmp(a, b) == 0 ? 0 : cap;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (int)j;
	for (size_t i = 1; i <= la; i++) {
		int *row = rows[i % 3];
		const int *up = rows[(i + 2) % 3];
		const int *up2 = rows[(i + 1) % 3];

		row[0] = (int)i;
		for (size_t j = 1; j <= lb; j++) {
			int cost = up[j - 1] + (a[i - 1] != b[j - 1]);

			cost = least(cost, least(up[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				cost = least(cost, up2[j - 2] + 1);
			row[j] = cost;
		}
	}
	return least(rows[la % 3][lb], cap);
}
