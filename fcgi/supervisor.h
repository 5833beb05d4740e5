/* fcgi/supervisor.h - starts the children, keeps them, ends them together. */
#ifndef FCGI_SUPERVISOR_H
#define FCGI_SUPERVISOR_H

#include <stdbool.h>

#include "port/config.h"

/* Roles, to be OR'ed. */
enum {
	SUPERVISOR_WEB = 1,
	SUPERVISOR_SYNC = 2,
	SUPERVISOR_NGINX = 4,
	SUPERVISOR_RENEW = 8
};

struct supervisor_options {
	const struct config *config; /* without secrets */
	unsigned roles;
	const struct config_override *over; /* handed on to the children */
	int listen_fd; /* with SUPERVISOR_WEB, else -1 */
	bool listen_stays; /* it was inherited: it outlives us */
	const char *nginx_folder; /* with SUPERVISOR_NGINX */
};

/*
 * Starts a child per role and starts it again whenever it dies, until
 * SIGTERM, which drains and ends the group within two seconds: nginx first, so
 * that what it has taken is still answered. nginx or the renewal that ends
 * again and again ends the group, with status 1: whoever started us is to see
 * it. Returns the exit status.
 */
int supervisor_run(const struct supervisor_options *o);

#endif
