/* port/config_report.c - see config_report.h. */
#include "port/config_report.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* A hostile file can hold thousands of mistakes; nobody reads that many. */
enum { REPORT_LINES_MAX = 200, REPORT_LINE_MAX = 1200 };

static void
report_line(struct buf *out, int number, const char *path, const char *fmt,
    va_list args)
{
	char line[REPORT_LINE_MAX];

	if (number > REPORT_LINES_MAX)
		return;
	if (number == REPORT_LINES_MAX) {
		buf_puts(out, "$: further findings are not listed\n");
		return;
	}
	vsnprintf(line, sizeof(line), fmt, args);
	buf_printf(out, "%s: %.*s\n", path,
	    (int)text_cut_bytes(line, sizeof(line) - 1), line);
}

void
config_problem(struct config_report *r, const char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_line(r->problems, ++r->problem_count, path, fmt, args);
	va_end(args);
}

void
config_warning(struct config_report *r, const char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_line(r->warnings, ++r->warning_count, path, fmt, args);
	va_end(args);
}

const char *
config_quote(char out[CONFIG_QUOTE_MAX], const char *text)
{
	enum { SHOWN = 80 };
	size_t cut = text_cut_chars(text, SHOWN);
	struct buf b;

	/* 80 characters take at most six bytes each when escaped. */
	buf_init(&b, CONFIG_QUOTE_MAX - 8);
	buf_json_escape(&b, text, cut);
	snprintf(out, CONFIG_QUOTE_MAX, "\"%s%s\"", buf_text(&b),
	    text[cut] == '\0' ? "" : "...");
	buf_clear(&b);
	return out;
}

const char *
config_path(char out[CONFIG_PATH_MAX], const char *key)
{
	char quoted[CONFIG_QUOTE_MAX];
	bool plain = isalpha((unsigned char)key[0]) || key[0] == '$';

	for (const char *s = key; *s != '\0'; s++)
		plain = plain &&
		    (isalnum((unsigned char)*s) || *s == '_' || *s == '$');
	if (plain && strlen(key) <= 64)
		snprintf(out, CONFIG_PATH_MAX, "$.%s", key);
	else
		snprintf(
		    out, CONFIG_PATH_MAX, "$[%s]", config_quote(quoted, key));
	return out;
}
