/* ctl/render_public.c - see render_public.h. */
#include "render_public.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config.h"
#include "port/config_option.h"

enum { SHAPE = 1 }; /* rises when a member changes its meaning */

/* Takes the text. */
static void
set_text(json_t *doc, const char *key, char *text_owned)
{
	json_object_set_new(doc, key, json_string(text_owned));
	free(text_owned);
}

/* Where the browser reaches Unblu's web API. Yours. */
static char *
unblu_api_url(const struct config *c)
{
	struct buf route;
	char *url;

	if (!c->gateway_relay)
		return mem_strdup(c->unblu_api_url);
	buf_init(&route, 64 << 10);
	buf_printf(&route, "/unblu%s", c->unblu_api_url + strlen(c->unblu_url));
	url = config_public_url(c, buf_text(&route));
	buf_clear(&route);
	return url;
}

/* No "<": the text may be looked at by something that is no parser. */
static void
add_json(struct buf *out, json_t *doc)
{
	char *text = json_dumps(doc, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	for (const char *s = text; s != NULL && *s != '\0'; s++) {
		if (*s == '<')
			buf_puts(out, "\\u003c");
		else
			buf_putc(out, *s);
	}
	buf_putc(out, '\n');
	free(text);
}

void
render_public(const struct config *c, struct buf *out)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "v", json_integer(SHAPE));
	json_object_set_new(doc, "version", json_string(PACKAGE_VERSION));
	set_text(doc, "baseUrl", config_public_url(c, ""));
	set_text(doc, "unbluApiUrl", unblu_api_url(c));
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		if ((o->flags & CONFIG_PUBLIC) != 0)
			json_object_set_new(
			    doc, o->key, config_option_value(o, c));
	}
	add_json(out, doc);
	json_decref(doc);
}
