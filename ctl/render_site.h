/* ctl/render_site.h - everything that nginx serves from a file. */
#ifndef CTL_RENDER_SITE_H
#define CTL_RENDER_SITE_H

#include "base/err.h"
#include "port/config.h"
#include "site.h"

/*
 * Fills site with the static files of www, the pages filled in, config.json,
 * the manifests, and compressed twins. folder is where they will be put: the
 * Version of the manifest there is not undercut. stamp is as of site_stamp().
 * Errors as in site_load(); site is yours in any case.
 */
int render_site(const struct config *c, const char *www, const char *folder,
    struct site *site, char stamp[SITE_STAMP_SIZE], struct err *e);

#endif
