/* ctl/template.c - see template.h. */
#include "template.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
static const char value_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz"
				  "0123456789._~:/*+[]- ";

static const struct template_value *
find_value(const struct template_value *values, size_t count, const char *name,
    size_t len, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(values[i].name) == len &&
		    strncmp(values[i].name, name, len) == 0)
			return &values[i];
	}
	err_set(e, ERR_INPUT, "the template asks for the unknown value %.*s",
	    (int)len, name);
	return NULL;
}

static int
check_values(const struct template_value *values, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = values[i].text;

		if (text[strspn(text, value_chars)] != '\0')
			return err_set(e, ERR_CONFIG,
			    "the value for %s has a character that can not "
			    "stand in nginx.conf",
			    values[i].name);
	}
	return 0;
}

/* One line of text, its line end included. */
static int
fill_line(const char *line, size_t len, const struct template_value *values,
    size_t count, struct buf *out, struct err *e)
{
	const char *end = line + len;

	while (line < end) {
		const struct template_value *v;
		size_t plain = strcspn(line, "@");
		size_t name;

		if (plain > (size_t)(end - line))
			plain = (size_t)(end - line);
		buf_add(out, line, plain);
		line += plain;
		if (line == end)
			break;
		name = strspn(line + 1, name_chars);
		if (name == 0 || line[name + 1] != '@') {
			buf_putc(out, *line++);
			continue;
		}
		v = find_value(values, count, line + 1, name, e);
		if (v == NULL)
			return -1;
		buf_puts(out, v->text);
		line += name + 2;
	}
	return 0;
}

/* Whether the line is "@word NAME@"; *v is then that value or NULL. */
static bool
is_condition(const char *line, const char *word,
    const struct template_value *values, size_t count,
    const struct template_value **v, struct err *e)
{
	size_t len = strlen(word);
	size_t name;

	if (strncmp(line, word, len) != 0)
		return false;
	name = strspn(line + len, name_chars);
	*v = find_value(values, count, line + len, name, e);
	return true;
}

/* The rest of the line behind "@each NAME@ ", for each word of v. */
static int
fill_each(const char *line, size_t len, const struct template_value *v,
    struct buf *out, struct err *e)
{
	const char *rest = strchr(line + 1, '@');
	const char *word = v->text;
	int rc = 0;

	rest += rest[1] == ' ' ? 2 : 1;
	while (rc == 0 && *word != '\0') {
		size_t size = strcspn(word, " ");
		char *item = mem_strndup(word, size);
		const struct template_value one = {"ITEM", item};

		rc = fill_line(
		    rest, len - (size_t)(rest - line), &one, 1, out, e);
		free(item);
		word += size + strspn(word + size, " ");
	}
	return rc;
}

int
template_fill(const char *text, const struct template_value *values,
    size_t count, struct buf *out, struct err *e)
{
	const struct template_value *v = NULL;
	bool keep = true;

	if (check_values(values, count, e) != 0)
		return -1;
	for (size_t len; *text != '\0'; text += len) {
		len = strcspn(text, "\n");
		len += text[len] == '\n';
		if (is_condition(text, "@if ", values, count, &v, e))
			keep = v != NULL && v->text[0] != '\0';
		else if (is_condition(text, "@unless ", values, count, &v, e))
			keep = v != NULL && v->text[0] == '\0';
		else if (keep &&
		    is_condition(text, "@each ", values, count, &v, e)) {
			if (v == NULL || fill_each(text, len, v, out, e) != 0)
				return -1;
			continue;
		} else if (strncmp(text, "@end@", 5) == 0)
			keep = true;
		else if (keep &&
		    fill_line(text, len, values, count, out, e) != 0)
			return -1;
		else
			continue;
		if (v == NULL)
			return -1;
	}
	return out->failed ? err_set(e, ERR_INPUT, "the template is too large")
			   : 0;
}
