/* port/config_listen.c - see config_listen.h. */
#include "port/config_listen.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* len bytes, an IPv6 address in brackets. */
static bool
parse_address(const char *text, size_t len, struct config_listen *out)
{
	char host[INET6_ADDRSTRLEN];

	out->v6 = text[0] == '[';
	if (out->v6) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	return inet_pton(out->v6 ? AF_INET6 : AF_INET, host, out->address) == 1;
}

bool
config_listen_parse(const char *text, struct config_listen *out)
{
	const char *colon = strrchr(text, ':');

	memset(out, 0, sizeof(*out));
	out->port = (int)strtol(colon == NULL ? text : colon + 1, NULL, 10);
	return colon == NULL ||
	    parse_address(text, (size_t)(colon - text), out);
}

static bool
takes_all(const struct config_listen *l)
{
	static const unsigned char none[sizeof(l->address)];

	return memcmp(l->address, none, sizeof(none)) == 0;
}

bool
config_listen_clash(const char *a, const char *b)
{
	struct config_listen x, y;

	config_listen_parse(a, &x);
	config_listen_parse(b, &y);
	return x.port == y.port &&
	    (takes_all(&x) || takes_all(&y) ||
		(x.v6 == y.v6 &&
		    memcmp(x.address, y.address, sizeof(x.address)) == 0));
}
