/* fcgi/listen.h - the socket that nginx talks to, and whose it is. */
#ifndef FCGI_LISTEN_H
#define FCGI_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* The account that is dropped to; set is false when we stay what we are. */
struct account {
	bool set;
	uid_t uid;
	gid_t gid;
	char name[64];
};

/*
 * Only root drops: to `name`, or, with NULL, to outlook-addin when there is
 * such an account. ERR_CONFIG when a name was given and there is none.
 */
int account_find(const char *name, struct account *out, struct err *e);
/* For good: groups, gid, uid. */
int account_drop(const struct account *a, struct err *e);

/*
 * Binds the unix socket (mode 0660) and listens; makes its folder (0750) when
 * it is not there, both for the account. A socket that nobody listens on any
 * more is replaced, anything else is an error. Non-blocking, close-on-exec.
 */
int listen_open(const char *path, const struct account *a, struct err *e);

/*
 * The socket that systemd has bound for us (sd_listen_fds(3)): *fd, -1 when
 * there is none. ERR_CONFIG when it is not one unix socket named path. It is
 * never removed: who comes while nobody runs waits in its backlog.
 */
int listen_inherit(const char *path, int *fd, struct err *e);

/* Removes the name that the last listen_open() made, if it still is ours. */
void listen_unlink(const char *path);

#endif
