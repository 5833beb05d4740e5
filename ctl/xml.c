/* ctl/xml.c - see xml.h. */
#include "xml.h"

#include <stdarg.h>
#include <stddef.h>

void
xml_begin(struct xml *x, struct buf *out)
{
	x->out = out;
	x->depth = 0;
	buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

static void
escape(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		default:
			buf_putc(out, *text);
		}
	}
}

static void
start(struct xml *x, const char *tag, va_list attributes)
{
	const char *name;

	for (int i = 0; i < x->depth; i++)
		buf_puts(x->out, "  ");
	buf_printf(x->out, "<%s", tag);
	while ((name = va_arg(attributes, const char *)) != NULL) {
		buf_printf(x->out, " %s=\"", name);
		escape(x->out, va_arg(attributes, const char *));
		buf_putc(x->out, '"');
	}
}

void
xml_open(struct xml *x, const char *tag, ...)
{
	va_list attributes;

	va_start(attributes, tag);
	start(x, tag, attributes);
	va_end(attributes);
	buf_puts(x->out, ">\n");
	x->depth++;
}

void
xml_close(struct xml *x, const char *tag)
{
	x->depth--;
	for (int i = 0; i < x->depth; i++)
		buf_puts(x->out, "  ");
	buf_printf(x->out, "</%s>\n", tag);
}

void
xml_leaf(struct xml *x, const char *tag, const char *text, ...)
{
	va_list attributes;

	va_start(attributes, text);
	start(x, tag, attributes);
	va_end(attributes);
	if (text == NULL) {
		buf_puts(x->out, "/>\n");
		return;
	}
	buf_putc(x->out, '>');
	escape(x->out, text);
	buf_printf(x->out, "</%s>\n", tag);
}
