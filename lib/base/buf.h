/* base/buf.h - a growing byte buffer with a mandatory upper limit. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* data is NUL-terminated behind len once anything was added. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t limit;
	bool failed; /* an append went over the limit; len is then 0 */
};

void buf_init(struct buf *b, size_t limit);
void buf_clear(struct buf *b); /* frees; usable again with the same limit */
void buf_reset(struct buf *b); /* len 0, keeps memory, failed = false */

/*
 * Append. 0, or -1 when the limit would be passed: contents are dropped,
 * failed is set and every later append fails too, so that a caller may check
 * once at the end.
 */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_puts(struct buf *b, const char *text);
int buf_putc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Append text (len bytes) as the inside of a JSON string: quotes, backslash,
 * controls escaped, invalid UTF-8 replaced by U+FFFD. No surrounding quotes. */
int buf_json_escape(struct buf *b, const char *text, size_t len);

/* The text so far, "" when empty. Borrowed until the next change. */
const char *buf_text(const struct buf *b);

/* Hands the memory over (free()); b is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

#endif
