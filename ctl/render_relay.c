/* ctl/render_relay.c - see render_relay.h. */
#include "render_relay.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/url.h"

enum { RESOLV_MAX = 64 << 10, SERVERS_MAX = 3 }; /* as the C library */

#define RESOLV_CONF "/etc/resolv.conf"
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static void
add_server(struct buf *out, const char *address, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char parsed[16];

	if (len >= sizeof(text))
		return;
	memcpy(text, address, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, parsed) == 1)
		buf_printf(out, "%s%s", out->len > 0 ? " " : "", text);
	else if (inet_pton(AF_INET6, text, parsed) == 1)
		buf_printf(out, "%s[%s]", out->len > 0 ? " " : "", text);
}

char *
render_relay_resolvers(const char *resolv_conf)
{
	static const char key[] = "nameserver";
	int count = 0;
	struct buf out;
	char *list;

	buf_init(&out, 1024);
	for (const char *line = resolv_conf;
	     *line != '\0' && count < SERVERS_MAX;) {
		const char *word = line + strlen(key);

		if (strncmp(line, key, strlen(key)) == 0 &&
		    (*word == ' ' || *word == '\t')) {
			word += strspn(word, " \t");
			add_server(&out, word, strcspn(word, " \t\r\n#;"));
			count++;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	list = mem_strdup(out.len > 0 ? buf_text(&out) : "127.0.0.1");
	buf_clear(&out);
	return list;
}

static char *
machine_resolvers(void)
{
	struct err unread = {0};
	char *text = NULL, *list;
	size_t len;

	if (file_read(RESOLV_CONF, RESOLV_MAX, &text, &len, &unread) != 0)
		return render_relay_resolvers("");
	list = render_relay_resolvers(text);
	free(text);
	return list;
}

static bool
is_address(const char *host)
{
	unsigned char parsed[16];

	return inet_pton(AF_INET, host, parsed) == 1 ||
	    inet_pton(AF_INET6, host, parsed) == 1;
}

/* host as it stands in a URL, with the port when one was given. Yours. */
static char *
with_port(const struct url *u, const char *host)
{
	bool v6 = strchr(host, ':') != NULL;
	struct buf out;
	char *text;

	buf_init(&out, 4096);
	buf_printf(&out, "%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "");
	if (u->port_given)
		buf_printf(&out, ":%d", u->port);
	text = mem_strdup(buf_text(&out));
	buf_clear(&out);
	return text;
}

static int
choose_ca(struct render_relay *r, const struct config *c, struct err *e)
{
	const char *ca = c->ca_file[0] != '\0' ? c->ca_file : SYSTEM_CA;

	if (access(ca, R_OK) != 0)
		return err_set(e, ERR_CONFIG,
		    "gatewayRelay needs certificates to trust: there is no %s "
		    "(Debian: ca-certificates), and no caFile is given",
		    ca);
	free(r->ca);
	r->ca = mem_strdup(ca);
	return 0;
}

/* From the first '/' behind the host. */
static const char *
path_of(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return host + strcspn(host, "/");
}

static int
fill(struct render_relay *r, const struct config *c, const struct url *u,
    struct err *e)
{
	/* Name servers do not know it. */
	const char *host =
	    strcmp(u->host, "localhost") == 0 ? "127.0.0.1" : u->host;
	char *address = with_port(u, host);
	size_t size = strlen(u->scheme) + strlen(address) + 4;

	r->host = with_port(u, u->host);
	r->name = mem_strdup(u->host);
	r->origin = mem_zalloc(size);
	snprintf(r->origin, size, "%s://%s", u->scheme, address);
	free(address);
	r->path = mem_strdup(path_of(c->unblu_url));
	r->ca = mem_strdup("");
	r->resolver = is_address(host) ? mem_strdup("") : machine_resolvers();
	return strcmp(u->scheme, "https") == 0 ? choose_ca(r, c, e) : 0;
}

int
render_relay_init(struct render_relay *r, const struct config *c, struct err *e)
{
	struct url u = {0};
	int rc;

	memset(r, 0, sizeof(*r));
	if (!c->gateway_relay) {
		r->origin = mem_strdup("");
		r->host = mem_strdup("");
		r->name = mem_strdup("");
		r->path = mem_strdup("");
		r->ca = mem_strdup("");
		r->resolver = mem_strdup("");
		return 0;
	}
	if (url_parse(c->unblu_url, &u, e) != 0)
		return -1;
	rc = fill(r, c, &u, e);
	url_clear(&u);
	return rc;
}

void
render_relay_clear(struct render_relay *r)
{
	free(r->origin);
	free(r->host);
	free(r->name);
	free(r->path);
	free(r->ca);
	free(r->resolver);
	memset(r, 0, sizeof(*r));
}
