/* ctl/render_relay.h - what nginx has to know to pass calls on to the gateway.
 */
#ifndef CTL_RENDER_RELAY_H
#define CTL_RENDER_RELAY_H

#include "base/err.h"
#include "port/config.h"

struct render_relay {
	char *origin; /* of the gateway, to connect to */
	char *host; /* host[:port], to be asked for */
	char *name; /* that its certificate has to have */
	char *path; /* of unbluOAuthBackendUrl, without '/' at the end */
	char *ca; /* file of trusted certificates; "": no TLS */
	char *resolver; /* name servers; "": the host is an address */
};

/*
 * From the configuration with gatewayRelay, and the machine's name servers:
 * nginx looks the gateway up while it runs, so that a name that is unknown at
 * its start takes nothing else away. ERR_CONFIG when there are no certificates
 * to trust. Everything "" without gatewayRelay. Clear it in any case.
 */
int render_relay_init(
    struct render_relay *r, const struct config *c, struct err *e);
void render_relay_clear(struct render_relay *r);

/* The addresses in a resolv.conf as nginx takes them, with blanks between;
 * that of this machine when there are none, as the C library does. Yours. */
char *render_relay_resolvers(const char *resolv_conf);

#endif
