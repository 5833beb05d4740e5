/* port/config_listen.h - "8080", "127.0.0.1:8080", "[::1]:8080". Pure. */
#ifndef PORT_CONFIG_LISTEN_H
#define PORT_CONFIG_LISTEN_H

#include <stdbool.h>

struct config_listen {
	bool v6;
	unsigned char address[16]; /* network order; all zero: every address */
	int port;
};

/* text has the shape of config_format_listen. False when the address is none;
 * the port is not checked. */
bool config_listen_parse(const char *text, struct config_listen *out);

/* Whether nginx could not tell two such listeners apart. Both texts have
 * passed their check. */
bool config_listen_clash(const char *a, const char *b);

#endif
