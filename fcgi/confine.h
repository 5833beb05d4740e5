/* fcgi/confine.h - web gives up what it does not need. */
#ifndef FCGI_CONFINE_H
#define FCGI_CONFINE_H

#include "port/config.h"

/*
 * From here on this thread and those it starts can not gain privileges, can
 * reach no file but the store's folder (Landlock), start no program, open no
 * connection and look into no other process (seccomp). What the kernel does
 * not offer is left out with one warning; it is never an error. Must be called
 * before the other threads are started and after everything that is read only
 * once has been read.
 */
void confine_web(const struct config *c);

#endif
