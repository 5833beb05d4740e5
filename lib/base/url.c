/* base/url.c - see url.h. */
#include "base/url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { URL_HOST_MAX = 253, URL_LABEL_MAX = 63 };

static bool
is_alnum(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9');
}

/* RFC 3986 2.3. */
static bool
is_unreserved(char c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static int
url_encode_with(struct buf *out, const char *text, size_t len, bool form)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[3] = {'%', hex[c >> 4], hex[c & 15]};

		if (is_unreserved(text[i]))
			buf_putc(out, text[i]);
		else if (form && c == ' ')
			buf_putc(out, '+');
		else
			buf_add(out, escape, sizeof(escape));
	}
	return out->failed ? -1 : 0;
}

int
url_encode(struct buf *out, const char *text, size_t len)
{
	return url_encode_with(out, text, len, false);
}

int
url_form_encode(struct buf *out, const char *text)
{
	return url_encode_with(out, text, strlen(text), true);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

long
url_form_decode(const char *text, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (n == cap)
			return -1;
		out[n++] = c;
	}
	return (long)n;
}

/* RFC 3986 appendix A, without '#', which we refuse. */
static bool
is_url_char(char c)
{
	return is_unreserved(c) ||
	    (c != '\0' && strchr(":/?[]@!$&'()*+,;=%", c) != NULL);
}

/* A name or dotted IPv4: labels of letters, digits, '-' and '_'. */
static bool
is_host_name(const char *host, size_t len)
{
	size_t label = 0;

	if (len == 0 || len > URL_HOST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (host[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!is_alnum(host[i]) && host[i] != '-' && host[i] != '_')
			return false;
		if (++label > URL_LABEL_MAX)
			return false;
	}
	return label > 0;
}

static bool
is_ipv6(const char *host, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

static char *
lower_dup(const char *text, size_t len)
{
	char *copy = mem_strndup(text, len);

	for (char *c = copy; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	}
	return copy;
}

/* The digits behind the colon; -1 unless 1..65535. */
static int
parse_port(const char *text, size_t len)
{
	int port = 0;

	if (len == 0 || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		port = port * 10 + (text[i] - '0');
	}
	return port >= 1 && port <= 65535 ? port : -1;
}

/* host[:port] of len bytes. */
static int
parse_authority(const char *text, size_t len, struct url *u, struct err *e)
{
	const char *end = text + len;
	const char *host = text;
	const char *tail; /* what follows the host */

	if (memchr(text, '@', len) != NULL)
		return err_set(e, ERR_INPUT,
		    "a URL must not carry a user name or password");
	if (len > 0 && text[0] == '[') {
		tail = memchr(text, ']', len);
		host++;
		if (tail == NULL || !is_ipv6(host, (size_t)(tail - host)))
			return err_set(e, ERR_INPUT, "bad IPv6 address in URL");
		u->host = lower_dup(host, (size_t)(tail - host));
		tail++;
	} else {
		tail = memchr(text, ':', len);
		if (tail == NULL)
			tail = end;
		if (!is_host_name(host, (size_t)(tail - host)))
			return err_set(e, ERR_INPUT, "bad host name in URL");
		u->host = lower_dup(host, (size_t)(tail - host));
	}
	if (tail == end)
		return 0;
	u->port = tail[0] == ':'
	    ? parse_port(tail + 1, (size_t)(end - tail - 1))
	    : -1;
	if (u->port < 0)
		return err_set(e, ERR_INPUT, "bad port in URL");
	u->port_given = true;
	return 0;
}

static int
check_chars(const char *text, struct err *e)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '#')
			return err_set(
			    e, ERR_INPUT, "a URL must not have a fragment (#)");
		if (!is_url_char(*c))
			return err_set(e, ERR_INPUT,
			    "byte 0x%02x at position %zu is not allowed in a "
			    "URL",
			    (unsigned char)*c, (size_t)(c - text) + 1);
		if (*c == '%' && (hex_value(c[1]) < 0 || hex_value(c[2]) < 0))
			return err_set(
			    e, ERR_INPUT, "bad percent escape in URL");
	}
	return 0;
}

int
url_parse(const char *text, struct url *out, struct err *e)
{
	struct url u = {0};
	const char *rest;
	size_t len;

	if (check_chars(text, e) != 0)
		return -1;
	if (strncasecmp(text, "https://", 8) == 0) {
		u.scheme = mem_strdup("https");
		u.port = 443;
		rest = text + 8;
	} else if (strncasecmp(text, "http://", 7) == 0) {
		u.scheme = mem_strdup("http");
		u.port = 80;
		rest = text + 7;
	} else {
		return err_set(
		    e, ERR_INPUT, "a URL must begin with https:// or http://");
	}
	len = strcspn(rest, "/?");
	if (parse_authority(rest, len, &u, e) != 0) {
		url_clear(&u);
		return -1;
	}
	rest += len;
	len = strcspn(rest, "?");
	u.path = len > 0 ? mem_strndup(rest, len) : mem_strdup("/");
	if (rest[len] == '?')
		u.query = mem_strdup(rest + len + 1);
	*out = u;
	return 0;
}

void
url_clear(struct url *u)
{
	free(u->scheme);
	free(u->host);
	free(u->path);
	free(u->query);
	memset(u, 0, sizeof(*u));
}

bool
url_is_loopback(const struct url *u)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (u->host == NULL)
		return false;
	if (strcmp(u->host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, u->host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, u->host, &v6) == 1 &&
	    IN6_IS_ADDR_LOOPBACK(&v6);
}

char *
url_join(const char *base, const char *path)
{
	size_t len = strlen(base);
	size_t path_len;
	char *out;

	while (len > 0 && base[len - 1] == '/')
		len--;
	while (*path == '/')
		path++;
	path_len = strlen(path);
	out = mem_zalloc(len + path_len + 2);
	memcpy(out, base, len);
	out[len] = '/';
	memcpy(out + len + 1, path, path_len);
	return out;
}
