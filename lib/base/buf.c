/* base/buf.c - see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { BUF_FIRST = 64 };

void
buf_init(struct buf *b, size_t limit)
{
	memset(b, 0, sizeof(*b));
	b->limit = limit;
}

void
buf_clear(struct buf *b)
{
	free(b->data);
	buf_init(b, b->limit);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

static int
buf_fail(struct buf *b)
{
	buf_reset(b);
	b->failed = true;
	return -1;
}

/* Makes room for more bytes and the NUL behind them. */
static int
buf_reserve(struct buf *b, size_t more)
{
	size_t need;
	size_t cap;

	if (b->failed || more > b->limit - b->len)
		return buf_fail(b);
	need = b->len + more + 1;
	if (need <= b->cap)
		return 0;
	cap = b->cap > 0 ? b->cap : BUF_FIRST;
	while (cap < need)
		cap = cap > need / 2 ? need : cap * 2;
	if (cap < b->cap + b->cap / 2)
		cap = b->cap + b->cap / 2;
	if (cap > b->limit + 1)
		cap = b->limit + 1;
	b->data = mem_realloc(b->data, cap);
	b->cap = cap;
	return 0;
}

int
buf_add(struct buf *b, const void *data, size_t len)
{
	if (buf_reserve(b, len) != 0)
		return -1;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int
buf_puts(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int
buf_putc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return buf_fail(b);
	if (buf_reserve(b, (size_t)n) != 0)
		return -1;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

int
buf_json_escape(struct buf *b, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		char out[TEXT_ESCAPE_MAX];
		size_t run = at;
		size_t used;
		size_t n;

		while (run < len && is_plain((unsigned char)text[run]))
			run++;
		if (buf_add(b, text + at, run - at) != 0)
			return -1;
		at = run;
		if (at == len)
			break;
		n = text_json_escape(text + at, len - at, out, &used);
		if (buf_add(b, out, n) != 0)
			return -1;
		at += used;
	}
	return b->failed ? -1 : 0;
}

const char *
buf_text(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

char *
buf_take(struct buf *b)
{
	char *data = b->data != NULL ? b->data : mem_strdup("");

	b->data = NULL;
	buf_clear(b);
	return data;
}
