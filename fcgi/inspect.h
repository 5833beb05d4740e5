/* fcgi/inspect.h - the short-lived child that looks whether the store is
 * sound. */
#ifndef FCGI_INSPECT_H
#define FCGI_INSPECT_H

#include "port/config.h"

/*
 * Checks the whole store. One that is corrupt, also at a second look, is
 * moved aside: web and sync then begin a new one, which adoption fills again.
 * Returns the exit status: 0 sound, moved aside, or nothing there; 1 when it
 * could not be looked at.
 */
int inspect_main(const struct config *c);

#endif
