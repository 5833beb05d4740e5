/* ctl/keys.c - see keys.h. */
#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "port/config_format.h"
#include "port/config_option.h"

/* The shape of a JSON number that may also be given as a text. */
#define WHOLE_PATTERN "^[0-9]{1,15}$"
#define FRACTION_PATTERN "^[0-9]{1,15}([.][0-9]{1,15})?$"
/* What every text is free of; see config_format_has_control(). */
#define NO_CONTROLS "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"

static json_t *
text_schema(const struct config_format *f, bool empty_ok)
{
	json_t *out = json_pack("{s:s}", "type", "string");
	char pattern[600];

	json_object_set_new(out, "maxLength", json_integer((json_int_t)f->max));
	if (!empty_ok)
		json_object_set_new(out, "minLength", json_integer(1));
	if (f->pattern == NULL)
		snprintf(pattern, sizeof(pattern), "%s", NO_CONTROLS);
	else
		snprintf(pattern, sizeof(pattern), empty_ok ? "^$|%s" : "%s",
		    f->pattern);
	json_object_set_new(out, "pattern", json_string(pattern));
	return out;
}

static json_t *
number_schema(const struct config_option *o)
{
	bool fraction = (o->flags & CONFIG_FRACTION) != 0;
	json_t *number =
	    json_pack("{s:s}", "type", fraction ? "number" : "integer");

	json_object_set_new(number, "minimum",
	    o->least == (double)(json_int_t)o->least
		? json_integer((json_int_t)o->least)
		: json_real(o->least));
	json_object_set_new(
	    number, "maximum", json_integer((json_int_t)o->most));
	return json_pack("{s:[o,{s:s,s:s}]}", "anyOf", number, "type", "string",
	    "pattern", fraction ? FRACTION_PATTERN : WHOLE_PATTERN);
}

static json_t *
choice_schema(const struct config_option *o)
{
	json_t *list = json_array();

	for (int i = 0; o->choices[i] != NULL; i++)
		json_array_append_new(list, json_string(o->choices[i]));
	return json_pack("{s:o}", "enum", list);
}

static json_t *
list_schema(const struct config_option *o)
{
	json_t *out = json_pack("{s:s,s:o,s:b}", "type", "array", "items",
	    text_schema(o->format, false), "uniqueItems", 1);

	if ((o->flags & CONFIG_NOT_EMPTY) != 0)
		json_object_set_new(out, "minItems", json_integer(1));
	return out;
}

static json_t *
kind_schema(const struct config_option *o)
{
	bool empty_ok = (o->flags & CONFIG_EMPTY_OK) != 0;
	json_t *text;

	switch (o->kind) {
	case CONFIG_KIND_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case CONFIG_KIND_NUMBER:
		return number_schema(o);
	case CONFIG_KIND_CHOICE:
		return choice_schema(o);
	case CONFIG_KIND_LIST:
		return list_schema(o);
	case CONFIG_KIND_TEXTS:
		return json_pack("{s:s,s:{s:s},s:o}", "type", "object",
		    "propertyNames", "pattern", config_format_locale.pattern,
		    "additionalProperties", text_schema(o->format, false));
	case CONFIG_KIND_TEXT:
		break;
	}
	text = text_schema(o->format, empty_ok);
	if ((o->flags & CONFIG_OR_NUMBER) == 0)
		return text;
	return json_pack("{s:[o,{s:s,s:i,s:i}]}", "anyOf", text, "type",
	    "integer", "minimum", 1, "maximum", 65535);
}

static json_t *
fallback_json(const struct config_option *o)
{
	return o->fallback == NULL
	    ? NULL
	    : json_loads(o->fallback, JSON_DECODE_ANY, NULL);
}

static json_t *
option_schema(const struct config_option *o)
{
	json_t *out = json_pack("{s:s}", "description", o->help);
	json_t *kind = kind_schema(o);
	json_t *fallback = fallback_json(o);

	json_object_update(out, kind);
	json_decref(kind);
	if (fallback != NULL)
		json_object_set_new(out, "default", fallback);
	return out;
}

static void
write_json(struct buf *out, json_t *doc_owned)
{
	char *text = json_dumps(doc_owned, JSON_INDENT(2));

	if (text != NULL)
		buf_puts(out, text);
	buf_putc(out, '\n');
	free(text);
	json_decref(doc_owned);
}

/* With the server enabled tenants have to be named. */
static void
add_server_rule(json_t *schema)
{
	json_object_set_new(schema, "if",
	    json_pack("{s:{s:{s:b}},s:[s]}", "properties", "syncServerEnabled",
		"const", 1, "required", "syncServerEnabled"));
	json_object_set_new(schema, "then",
	    json_pack("{s:{s:{s:i}},s:[s]}", "properties", "tenantIds",
		"minItems", 1, "required", "tenantIds"));
}

void
keys_write_schema(struct buf *out)
{
	json_t *properties = json_object();
	json_t *required = json_array();
	json_t *schema = json_pack("{s:s,s:s,s:s}", "$schema",
	    "https://json-schema.org/draft/2020-12/schema", "title",
	    "addin.json of outlook-addin", "type", "object");

	json_object_set_new(
	    properties, "$schema", json_pack("{s:s}", "type", "string"));
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		json_object_set_new(properties, o->key, option_schema(o));
		if ((o->flags & CONFIG_REQUIRED) != 0)
			json_array_append_new(required, json_string(o->key));
	}
	json_object_set_new(schema, "required", required);
	json_object_set_new(schema, "properties", properties);
	json_object_set_new(schema, "additionalProperties", json_false());
	add_server_rule(schema);
	write_json(out, schema);
}

void
keys_write_sample(struct buf *out)
{
	json_t *doc = json_object();

	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		if (o->sample != NULL)
			json_object_set_new(doc, o->key,
			    json_loads(o->sample, JSON_DECODE_ANY, NULL));
	}
	write_json(out, doc);
}

static void
add_type(struct buf *out, const struct config_option *o)
{
	switch (o->kind) {
	case CONFIG_KIND_BOOL:
		buf_puts(out, "true or false");
		return;
	case CONFIG_KIND_NUMBER:
		buf_printf(out, "%s, %.15g to %.15g",
		    (o->flags & CONFIG_FRACTION) != 0 ? "number"
						      : "whole number",
		    o->least, o->most);
		return;
	case CONFIG_KIND_CHOICE:
		for (int i = 0; o->choices[i] != NULL; i++)
			buf_printf(
			    out, "%s`%s`", i == 0 ? "" : ", ", o->choices[i]);
		return;
	case CONFIG_KIND_LIST:
		buf_printf(out, "list, each: %s", o->format->name);
		return;
	case CONFIG_KIND_TEXTS:
		buf_puts(out, "object: text per language");
		return;
	case CONFIG_KIND_TEXT:
		buf_puts(out, o->format->name);
		return;
	}
}

static void
add_default(struct buf *out, const struct config_option *o)
{
	if ((o->flags & CONFIG_REQUIRED) != 0)
		buf_puts(out, "**required**");
	else if ((o->flags & CONFIG_NEEDED_BY_SERVER) != 0)
		buf_puts(out, "**required** with syncServerEnabled");
	else if (o->fallback_note != NULL)
		buf_puts(out, o->fallback_note);
	else if (strcmp(o->fallback, "\"\"") == 0)
		buf_puts(out, "empty");
	else
		buf_printf(out, "`%s`", o->fallback);
}

static void
write_rows(struct buf *out, bool original)
{
	buf_puts(out,
	    "| key | type | default | meaning |\n"
	    "| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		if (((o->flags & CONFIG_ORIGINAL) != 0) != original)
			continue;
		buf_printf(out, "| `%s` | ", o->key);
		add_type(out, o);
		buf_puts(out, " | ");
		add_default(out, o);
		buf_printf(out, " | %s |\n", o->help);
	}
}

void
keys_write_reference(struct buf *out)
{
	buf_puts(out, "### Keys of the original product\n\n");
	write_rows(out, true);
	buf_puts(out, "\n### Added keys, all optional\n\n");
	write_rows(out, false);
}
