/* ctl/render_nginx.c - see render_nginx.h. */
#include "render_nginx.h"

#include <string.h>

#include "base/url.h"
#include "render_relay.h"
#include "template.h"

enum { ORIGINS_MAX = 64 << 10 };

/* Appends scheme://host[:port] of a URL that the configuration has checked. */
static int
add_origin(struct buf *out, const char *text, struct err *e)
{
	struct url u = {0};
	bool v6;

	if (url_parse(text, &u, e) != 0)
		return -1;
	v6 = strchr(u.host, ':') != NULL;
	buf_printf(out, "%s%s://%s%s%s", out->len > 0 ? " " : "", u.scheme,
	    v6 ? "[" : "", u.host, v6 ? "]" : "");
	if (u.port_given)
		buf_printf(out, ":%d", u.port);
	url_clear(&u);
	return 0;
}

static void
add_words(struct buf *out, const struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", list->items[i]);
}

int
render_nginx(const struct config *c, const char *template, const char *user,
    const char *group, const char *stamp, struct buf *out, struct err *e)
{
	bool https = strncmp(c->deployment_url, "https:", 6) == 0;
	struct render_relay relay = {0};
	struct buf office, connect, frames, login, proxies;
	int rc = -1;

	buf_init(&office, ORIGINS_MAX);
	buf_init(&connect, ORIGINS_MAX);
	buf_init(&frames, ORIGINS_MAX);
	buf_init(&login, ORIGINS_MAX);
	buf_init(&proxies, ORIGINS_MAX);
	if (render_relay_init(&relay, c, e) != 0 ||
	    add_origin(&office, c->office_js_url, e) != 0 ||
	    (!c->gateway_relay && add_origin(&connect, c->unblu_url, e) != 0) ||
	    add_origin(&connect, c->login_url, e) != 0 ||
	    add_origin(&login, c->login_url, e) != 0)
		goto out;
	add_words(&frames, &c->frame_ancestors);
	add_words(&proxies, &c->trusted_proxies);
	{
		const struct template_value values[] = {
		    {"USER", user},
		    {"GROUP", group},
		    {"OFFICE_ORIGIN", buf_text(&office)},
		    {"CONNECT_ORIGINS", buf_text(&connect)},
		    {"FRAME_ANCESTORS", buf_text(&frames)},
		    {"HTTPS", https ? "yes" : ""},
		    {"SOCKET", c->fastcgi_listen + strlen("unix:")},
		    {"HTTP_LISTEN", c->http_listen},
		    {"METRICS_LISTEN", c->metrics_listen},
		    {"BASE", c->base},
		    {"STAMP", stamp},
		    {"LOGIN_ORIGIN", buf_text(&login)},
		    {"RELAY", relay.origin},
		    {"RELAY_HOST", relay.host},
		    {"RELAY_NAME", relay.name},
		    {"RELAY_PATH", relay.path},
		    {"RELAY_CA", relay.ca},
		    {"RESOLVER", relay.resolver},
		    {"SEND_CHECK", c->manifest_send_check ? "yes" : ""},
		    {"TRUSTED_PROXIES", buf_text(&proxies)},
		};

		rc = template_fill(template, values,
		    sizeof(values) / sizeof(values[0]), out, e);
	}
out:
	buf_clear(&office);
	buf_clear(&connect);
	buf_clear(&frames);
	buf_clear(&login);
	render_relay_clear(&relay);
	buf_clear(&proxies);
	return rc;
}
