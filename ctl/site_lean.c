/* ctl/site_lean.c - our scripts without what only readers need; see site.h. */
#include "site.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

struct line {
	const char *text;
	size_t len;
};

static bool
begins(struct line l, const char *with)
{
	size_t n = strlen(with);

	return l.len >= n && memcmp(l.text, with, n) == 0;
}

/* Bytes of the line up to and with the end of a comment, 0: it goes on. */
static size_t
comment_end(struct line l)
{
	const char *end = memmem(l.text, l.len, "*/", 2);

	return end == NULL ? 0 : (size_t)(end - l.text) + 2;
}

static struct line
skip(struct line l, size_t n)
{
	l.text += n;
	l.len -= n;
	while (l.len > 0 && (l.text[0] == ' ' || l.text[0] == '\t'))
		l = (struct line){l.text + 1, l.len - 1};
	return l;
}

/* A line without types that stand inside it, which always begin like this. */
static void
add_code(struct buf *out, struct line l)
{
	static const char mark[] = "/** @";
	const char *at;

	while ((at = memmem(l.text, l.len, mark, strlen(mark))) != NULL) {
		size_t before = (size_t)(at - l.text);
		struct line rest = {at, l.len - before};
		size_t n = comment_end(rest);

		if (n == 0)
			break;
		buf_add(out, l.text, before);
		l = skip(rest, n);
	}
	buf_add(out, l.text, l.len);
}

static void
add_line(struct buf *out, struct line l, bool *inside)
{
	size_t end;

	l = skip(l, 0);
	while (*inside || begins(l, "/*")) {
		end = comment_end(l);
		*inside = end == 0;
		if (*inside)
			return;
		l = skip(l, end);
	}
	if (!begins(l, "//"))
		add_code(out, l);
}

static void
lean(struct site_file *f)
{
	const char *at = f->data, *end = f->data + f->len;
	bool inside = false;
	struct buf out;

	buf_init(&out, f->len + 1);
	while (at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		if (next == NULL)
			next = end;
		add_line(&out, (struct line){at, (size_t)(next - at)}, &inside);
		if (next < end)
			buf_putc(&out, '\n');
		at = next + 1;
	}
	free(f->data);
	f->len = out.len;
	f->data = buf_take(&out);
	buf_clear(&out);
}

void
site_leave_out_comments(struct site *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strncmp(s->files[i].path, "js/", 3) == 0)
			lean(&s->files[i]);
	}
}
