/* fcgi/confine_filter.h - the system calls that web may not make. */
#ifndef FCGI_CONFINE_FILTER_H
#define FCGI_CONFINE_FILTER_H

#include <stdbool.h>

/*
 * Installs the filter for this thread and those it starts; needs
 * no_new_privs. With a database on the network it may connect, by IP and by
 * unix socket. A refused call fails with EPERM, nothing dies of it. -1 with
 * errno when the kernel or this architecture has none.
 */
int confine_install_filter(bool network);

#endif
