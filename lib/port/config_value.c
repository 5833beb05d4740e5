/* port/config_value.c - see config_value.h. */
#include "port/config_value.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "port/config_format.h"

enum { LIST_ITEMS_MAX = 1000 };

static void *
field_of(const struct config_option *o, struct config *c)
{
	return (char *)c + o->offset;
}

static const void *
field_in(const struct config_option *o, const struct config *c)
{
	return (const char *)c + o->offset;
}

static char **
text_field(const struct config_option *o, struct config *c)
{
	return field_of(o, c);
}

static void
put_integer(const struct config_option *o, struct config *c, int64_t value)
{
	void *field = field_of(o, c);

	if (o->size == sizeof(int64_t))
		*(int64_t *)field = value;
	else if (o->size == sizeof(int))
		*(int *)field = (int)value;
	else
		*(bool *)field = value != 0;
}

static int64_t
get_integer(const struct config_option *o, const struct config *c)
{
	const void *field = field_in(o, c);

	if (o->size == sizeof(int64_t))
		return *(const int64_t *)field;
	if (o->size == sizeof(int))
		return *(const int *)field;
	return *(const bool *)field ? 1 : 0;
}

static const char *
type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_NULL:
		return "null";
	default:
		return "true or false";
	}
}

static bool
wrong_type(const char *want, const json_t *v, const char *path,
    struct config_report *r)
{
	config_problem(r, path, "must be %s, not %s", want, type_name(v));
	return false;
}

/* One text that has to have the option's format. */
static bool
check_text(const struct config_option *o, const char *text, const char *path,
    struct config_report *r)
{
	char quoted[CONFIG_QUOTE_MAX];
	struct err e = {0};

	if (o->source != NULL && config_format_is_placeholder(text)) {
		config_problem(r, path, "%s is a placeholder: replace it by %s",
		    config_quote(quoted, text), o->source);
		return false;
	}
	if (text[0] == '\0') {
		config_problem(r, path, "must not be empty%s%s",
		    o->source == NULL ? "" : ": give ",
		    o->source == NULL ? "" : o->source);
		return false;
	}
	if (config_format_check(o->format, text, &e) != 0) {
		config_problem(r, path, "%s", e.text);
		return false;
	}
	return true;
}

static char *
settle(const struct config_option *o, const char *text)
{
	return o->format->settle != NULL ? o->format->settle(text)
					 : mem_strdup(text);
}

static bool
read_text(const struct config_option *o, const json_t *v, const char *path,
    struct config *c, struct config_report *r)
{
	char number[32];
	const char *text = json_string_value(v);

	if (text == NULL && (o->flags & CONFIG_OR_NUMBER) != 0 &&
	    json_is_integer(v)) {
		snprintf(number, sizeof(number), "%lld",
		    (long long)json_integer_value(v));
		text = number;
	}
	if (text == NULL)
		return wrong_type("a text", v, path, r);
	if (text[0] == '\0' && (o->flags & CONFIG_EMPTY_OK) != 0) {
		*text_field(o, c) = mem_strdup("");
		return true;
	}
	if (!check_text(o, text, path, r))
		return false;
	*text_field(o, c) = settle(o, text);
	return true;
}

/* A whole number, or one with a fraction, as text; the original's example
 * gives its numbers so. */
static bool
number_from_text(const char *text, bool fraction, double *out)
{
	size_t digits = strspn(text, "0123456789");
	const char *rest = text + digits;

	if (digits == 0 || digits > 15)
		return false;
	if (fraction && rest[0] == '.') {
		digits = strspn(++rest, "0123456789");
		if (digits == 0 || digits > 15)
			return false;
		rest += digits;
	}
	*out = strtod(text, NULL);
	return rest[0] == '\0';
}

/* Of a value within the table's bounds, which an int64_t holds. */
static bool
is_whole(double value)
{
	return value == (double)(int64_t)value;
}

static bool
read_number(const struct config_option *o, const json_t *v, const char *path,
    struct config *c, struct config_report *r)
{
	bool fraction = (o->flags & CONFIG_FRACTION) != 0;
	double value = 0;

	if (json_is_number(v)) {
		value = json_number_value(v);
	} else if (!json_is_string(v)) {
		return wrong_type("a number", v, path, r);
	} else if (!number_from_text(json_string_value(v), fraction, &value)) {
		config_problem(r, path, "must be a %s, in digits",
		    fraction ? "number" : "whole number");
		return false;
	}
	if (!(value >= o->least && value <= o->most)) {
		config_problem(r, path, "must be between %.15g and %.15g",
		    o->least, o->most);
		return false;
	}
	if (!fraction && !is_whole(value)) {
		config_problem(r, path, "must be a whole number");
		return false;
	}
	put_integer(o, c, (int64_t)(value * o->unit + 0.5));
	return true;
}

/* "debug, info, warning or error" */
static void
choices_list(const struct config_option *o, struct buf *out)
{
	for (int i = 0; o->choices[i] != NULL; i++) {
		if (i > 0)
			buf_puts(
			    out, o->choices[i + 1] == NULL ? " or " : ", ");
		buf_puts(out, o->choices[i]);
	}
}

static bool
read_choice(const struct config_option *o, const json_t *v, const char *path,
    struct config *c, struct config_report *r)
{
	const char *text = json_string_value(v);
	char quoted[CONFIG_QUOTE_MAX];
	struct buf list;

	for (int i = 0; text != NULL && o->choices[i] != NULL; i++) {
		if (strcmp(o->choices[i], text) != 0)
			continue;
		if ((o->flags & CONFIG_AS_TEXT) != 0)
			*text_field(o, c) = mem_strdup(text);
		else
			put_integer(o, c, i);
		return true;
	}
	buf_init(&list, 1024);
	choices_list(o, &list);
	config_problem(r, path, "must be %s, not %s", buf_text(&list),
	    text == NULL ? type_name(v) : config_quote(quoted, text));
	buf_clear(&list);
	return false;
}

/* Position of text among the first count items, or -1. */
static int
list_position(const struct config_list *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return (int)i;
	}
	return -1;
}

static void
list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){0};
}

static bool
read_list(const struct config_option *o, const json_t *v, const char *path,
    struct config *c, struct config_report *r)
{
	struct config_list list = {0};
	bool good = true;
	size_t n = json_array_size(v);

	if (!json_is_array(v))
		return wrong_type("a list of texts", v, path, r);
	if (n == 0 && (o->flags & CONFIG_NOT_EMPTY) != 0) {
		config_problem(r, path, "must have at least one item");
		return false;
	}
	if (n > LIST_ITEMS_MAX) {
		config_problem(r, path, "must not have more than %d items",
		    (int)LIST_ITEMS_MAX);
		return false;
	}
	list.items = mem_calloc(n, sizeof(list.items[0]));
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(v, i);
		char at[CONFIG_PATH_MAX + 24];
		int twin;

		snprintf(at, sizeof(at), "%s[%zu]", path, i);
		if (!json_is_string(item)) {
			good = wrong_type("a text", item, at, r);
			continue;
		}
		if (!check_text(o, json_string_value(item), at, r)) {
			good = false;
			continue;
		}
		list.items[list.count] = settle(o, json_string_value(item));
		twin = list_position(&list, list.count, list.items[list.count]);
		list.count++;
		if (twin >= 0) {
			config_problem(
			    r, at, "repeats an earlier item of the list");
			good = false;
		}
	}
	if (good)
		*(struct config_list *)field_of(o, c) = list;
	else
		list_clear(&list);
	return good;
}

static bool
read_texts(const struct config_option *o, const json_t *v, const char *path,
    struct config *c, struct config_report *r)
{
	/* Iterating wants a non-const object, yet changes nothing. */
	json_t *object = (json_t *)(uintptr_t)v;
	struct err e = {0};
	bool good = true;

	if (!json_is_object(v))
		return wrong_type(
		    "an object of texts per language", v, path, r);
	for (void *it = json_object_iter(object); it != NULL;
	     it = json_object_iter_next(object, it)) {
		const char *key = json_object_iter_key(it);
		const json_t *item = json_object_iter_value(it);
		char at[2 * CONFIG_PATH_MAX], quoted[CONFIG_QUOTE_MAX];

		snprintf(
		    at, sizeof(at), "%s[%s]", path, config_quote(quoted, key));
		if (config_format_check(&config_format_locale, key, &e) != 0) {
			config_problem(r, at, "the key %s", e.text);
			good = false;
		} else if (!json_is_string(item)) {
			good = wrong_type("a text", item, at, r);
		} else if (!check_text(o, json_string_value(item), at, r)) {
			good = false;
		}
	}
	if (good)
		*text_field(o, c) = json_text(v);
	return good;
}

bool
config_value_read(const struct config_option *o, const json_t *v,
    const char *path, struct config *c, struct config_report *r)
{
	switch (o->kind) {
	case CONFIG_KIND_TEXT:
		return read_text(o, v, path, c, r);
	case CONFIG_KIND_NUMBER:
		return read_number(o, v, path, c, r);
	case CONFIG_KIND_CHOICE:
		return read_choice(o, v, path, c, r);
	case CONFIG_KIND_LIST:
		return read_list(o, v, path, c, r);
	case CONFIG_KIND_TEXTS:
		return read_texts(o, v, path, c, r);
	case CONFIG_KIND_BOOL:
		break;
	}
	if (!json_is_boolean(v))
		return wrong_type("true or false", v, path, r);
	put_integer(o, c, json_is_true(v));
	return true;
}

/* The default's text with the client id in its place. Yours. */
static char *
expand(const char *text, const char *client_id)
{
	static const char mark[] = "{clientId}";
	struct buf b;
	const char *at;

	buf_init(&b, 64 << 10);
	while ((at = strstr(text, mark)) != NULL) {
		buf_add(&b, text, (size_t)(at - text));
		buf_puts(&b, client_id);
		text = at + strlen(mark);
	}
	buf_puts(&b, text);
	return buf_take(&b);
}

void
config_value_default(const struct config_option *o, struct config *c)
{
	struct buf sink;
	struct config_report r = {.problems = &sink, .warnings = &sink};
	json_t *v = NULL;
	char *text;

	buf_init(&sink, 4096);
	if (o->fallback != NULL) {
		text = expand(
		    o->fallback, c->client_id == NULL ? "" : c->client_id);
		v = json_loads(text, JSON_DECODE_ANY, NULL);
		free(text);
	}
	if (v == NULL || !config_value_read(o, v, "$", c, &r)) {
		/* The rest of the fields are zero, which is their "empty". */
		if (o->kind == CONFIG_KIND_TEXT || o->kind == CONFIG_KIND_TEXTS)
			*text_field(o, c) = mem_strdup("");
	}
	json_decref(v);
	buf_clear(&sink);
}

void
config_value_clear(const struct config_option *o, struct config *c)
{
	bool text = o->kind == CONFIG_KIND_TEXT ||
	    o->kind == CONFIG_KIND_TEXTS || (o->flags & CONFIG_AS_TEXT) != 0;

	if (text) {
		free(*text_field(o, c));
		*text_field(o, c) = NULL;
	} else if (o->kind == CONFIG_KIND_LIST) {
		list_clear(field_of(o, c));
	}
}

static json_t *
list_json(const struct config_list *list)
{
	json_t *out = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(out, json_string(list->items[i]));
	return out;
}

static json_t *
number_json(const struct config_option *o, int64_t stored)
{
	double value = (double)stored / o->unit;

	return is_whole(value) ? json_integer((json_int_t)value)
			       : json_real(value);
}

json_t *
config_option_value(const struct config_option *o, const struct config *c)
{
	const void *field = field_in(o, c);

	switch (o->kind) {
	case CONFIG_KIND_NUMBER:
		return number_json(o, get_integer(o, c));
	case CONFIG_KIND_LIST:
		return list_json(field);
	case CONFIG_KIND_TEXTS:
		return json_loads(*(char *const *)field, 0, NULL);
	case CONFIG_KIND_BOOL:
		return json_boolean(get_integer(o, c));
	case CONFIG_KIND_CHOICE:
		if ((o->flags & CONFIG_AS_TEXT) == 0)
			return json_string(o->choices[get_integer(o, c)]);
		break;
	case CONFIG_KIND_TEXT:
		break;
	}
	return json_string(*(char *const *)field);
}
