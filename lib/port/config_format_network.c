/* port/config_format_network.c - addresses, ports and networks. */
#include "port/config_format.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "port/config_listen.h"

static int
check_listen(const char *text, struct err *e)
{
	const char *colon = strrchr(text, ':');
	const char *port = colon == NULL ? text : colon + 1;
	struct config_listen l;

	if (!config_listen_parse(text, &l))
		return err_set(e, ERR_INPUT, "must have a valid IP address");
	if (l.port < 1 || l.port > 65535)
		return err_set(
		    e, ERR_INPUT, "must have a port between 1 and 65535");
	if (port[0] == '0')
		return err_set(
		    e, ERR_INPUT, "must have a port without leading zeros");
	return 0;
}

static int
check_network(const char *text, struct err *e)
{
	char host[INET6_ADDRSTRLEN];
	unsigned char address[16];
	size_t len = strcspn(text, "/");
	long bits = text[len] == '/' ? strtol(text + len + 1, NULL, 10) : 1;
	bool v6 = strchr(text, ':') != NULL;
	int most = v6 ? 128 : 32;

	if (len >= sizeof(host))
		return err_set(e, ERR_INPUT, "must have a valid IP address");
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, address) != 1)
		return err_set(e, ERR_INPUT, "must have a valid IP address");
	if (bits > most)
		return err_set(e, ERR_INPUT,
		    "must have at most %d bits behind the slash", most);
	if (bits == 0)
		return err_set(
		    e, ERR_INPUT, "would trust what every caller claims");
	return 0;
}

const struct config_format config_format_listen = {
    .name = "port or address:port",
    .what = "a port such as 8080, or address:port such as 127.0.0.1:8080 "
	    "or [::1]:8080",
    .pattern = "^(([0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}|"
	       "\\[[0-9A-Fa-f:.]{2,45}\\]):)?[0-9]{1,5}$",
    .max = 60,
    .check = check_listen,
};
const struct config_format config_format_network = {
    .name = "address or network",
    .what = "an IP address or a network such as 10.0.0.0/8",
    .pattern = "^[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?$",
    .max = 50,
    .check = check_network,
};
const struct config_format config_format_no_proxy = {
    .name = "host list",
    .what = "host names or addresses separated by commas",
    .pattern = "^[A-Za-z0-9.:*_/-]+( *, *[A-Za-z0-9.:*_/-]+)*$",
    .max = 1000,
};
