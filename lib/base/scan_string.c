/* base/scan_string.c - see scan_string.h. */
#include "base/scan_string.h"

#include <string.h>

#include "base/siphash.h"
#include "base/text.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* The high bit of each byte of w that ends a plain run: control, quote,
 * backslash, not ASCII. The lowest bit set is exact, those above need not. */
static uint64_t
special_bytes(uint64_t w)
{
	uint64_t quote = w ^ ONES * '"';
	uint64_t backslash = w ^ ONES * '\\';

	return ((w - ONES * 0x20) | (quote - ONES) | (backslash - ONES) | w) &
	    HIGHS;
}

/* The first byte from at on that is not plain, or end. */
static const char *
skip_plain(const char *at, const char *end)
{
	while (end - at >= 8) {
		uint64_t w;
		uint64_t found;

		memcpy(&w, at, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		w = __builtin_bswap64(w);
#endif
		found = special_bytes(w);
		if (found != 0)
			return at + __builtin_ctzll(found) / 8;
		at += 8;
	}
	while (at < end && (unsigned char)*at >= 0x20 &&
	    (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
		at++;
	return at;
}

/* Four hex digits, or -1. */
static int32_t
hex4(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		int digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		else
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* Reads the escape that begins at the backslash at. Its length, or 0. */
static size_t
read_escape(const char *at, const char *end, uint32_t *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	int32_t high;
	int32_t low;

	if (end - at < 2)
		return 0;
	if (at[1] != 'u') {
		found = memchr(from, at[1], sizeof(from) - 1);
		if (found == NULL)
			return 0;
		*out = (unsigned char)to[found - from];
		return 2;
	}
	high = hex4(at + 2, end);
	if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF))
		return 0;
	*out = (uint32_t)high;
	if (high < 0xD800 || high > 0xDBFF)
		return 6;
	if (end - at < 12 || at[6] != '\\' || at[7] != 'u')
		return 0;
	low = hex4(at + 8, end);
	if (low < 0xDC00 || low > 0xDFFF)
		return 0;
	*out = 0x10000 + ((uint32_t)(high - 0xD800) << 10) +
	    (uint32_t)(low - 0xDC00);
	return 12;
}

bool
scan_string_check(
    const char *at, const char *end, const char **out, bool *escaped)
{
	*escaped = false;
	for (;;) {
		uint32_t c;
		size_t n;

		at = skip_plain(at, end);
		*out = at;
		if (at == end)
			return false;
		if (*at == '"')
			return true;
		if (*at == '\\') {
			*escaped = true;
			n = read_escape(at, end, &c);
		} else if ((unsigned char)*at < 0x20) {
			return false;
		} else {
			n = text_code_point(at, (size_t)(end - at), &c);
		}
		if (n == 0)
			return false;
		at += n;
	}
}

/* Goes through a checked string byte by byte as it is once unescaped. */
struct unescaper {
	const char *at;
	const char *end;
	char out[4]; /* what an escape stands for ... */
	size_t len; /* ... in UTF-8 */
	size_t next;
};

static void
unescape_start(struct unescaper *u, const struct scan_value *v)
{
	u->at = v->start;
	u->end = v->start + v->len;
	u->len = u->next = 0;
}

/* The next byte, or -1 at the end. */
static int
unescape_next(struct unescaper *u)
{
	uint32_t c;
	size_t n;

	if (u->next < u->len)
		return (unsigned char)u->out[u->next++];
	if (u->at == u->end)
		return -1;
	if (*u->at != '\\')
		return (unsigned char)*u->at++;
	n = read_escape(u->at, u->end, &c);
	if (n == 0) /* can not be: the string was checked */
		return -1;
	u->at += n;
	u->len = text_put_code_point(c, u->out);
	u->next = 1;
	return (unsigned char)u->out[0];
}

bool
scan_string_same(const struct scan_value *a, const struct scan_value *b)
{
	struct unescaper ua;
	struct unescaper ub;
	int c;

	if (!a->escaped && !b->escaped)
		return a->len == b->len &&
		    memcmp(a->start, b->start, a->len) == 0;
	unescape_start(&ua, a);
	unescape_start(&ub, b);
	do {
		c = unescape_next(&ua);
		if (c != unescape_next(&ub))
			return false;
	} while (c >= 0);
	return true;
}

uint64_t
scan_string_print(const struct scan_value *v, const uint64_t seed[2])
{
	struct siphash h;
	struct unescaper u;
	int c;

	siphash_start(&h, seed);
	if (!v->escaped) {
		siphash_bytes(&h, v->start, v->len);
		return siphash_end(&h);
	}
	unescape_start(&u, v);
	while ((c = unescape_next(&u)) >= 0)
		siphash_byte(&h, (unsigned char)c);
	return siphash_end(&h);
}

bool
scan_equals(const struct scan_value *string, const char *text)
{
	struct unescaper u;
	int c;

	if (string->type != SCAN_STRING)
		return false;
	if (!string->escaped)
		return strlen(text) == string->len &&
		    memcmp(string->start, text, string->len) == 0;
	unescape_start(&u, string);
	while ((c = unescape_next(&u)) >= 0) {
		if (c == 0 || c != (unsigned char)*text)
			return false;
		text++;
	}
	return *text == '\0';
}

long
scan_copy(const struct scan_value *string, char *out, size_t cap)
{
	struct unescaper u;
	size_t n = 0;
	int c;

	if (string->type != SCAN_STRING || cap == 0)
		return -1;
	if (!string->escaped) {
		if (string->len >= cap)
			return -1;
		memcpy(out, string->start, string->len);
		out[string->len] = '\0';
		return (long)string->len;
	}
	unescape_start(&u, string);
	while ((c = unescape_next(&u)) >= 0) {
		if (c == 0 || n + 1 >= cap)
			return -1;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return (long)n;
}
