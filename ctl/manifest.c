/* ctl/manifest.c - see manifest.h. */
#include "manifest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* scheme://host[:port] of a URL that the configuration has checked. Yours. */
static char *
origin_of(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return mem_strndup(url, (size_t)(host - url) + strcspn(host, "/"));
}

void
manifest_init(struct manifest *m, const struct config *c)
{
	m->config = c;
	m->origin = origin_of(c->deployment_url);
	m->host = mem_strdup(strstr(m->origin, "://") + 3);
	m->login_origin = origin_of(c->login_url);
	m->provider = mem_strdup(
	    c->provider_name[0] != '\0' ? c->provider_name : m->host);
	m->support_url = c->support_url[0] != '\0'
	    ? mem_strdup(c->support_url)
	    : config_public_url(c, "index.html");
}

void
manifest_clear(struct manifest *m)
{
	free(m->origin);
	free(m->host);
	free(m->login_origin);
	free(m->provider);
	free(m->support_url);
	memset(m, 0, sizeof(*m));
}

void
manifest_allowed(const struct manifest *m, struct buf *out)
{
	char *script = config_public_url(m->config, "js/launchevent.js");
	json_t *doc = json_pack("{s:[s]}", "allowed", script);
	char *text = json_dumps(doc, JSON_INDENT(2));

	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(doc);
	free(script);
}
