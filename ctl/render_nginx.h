/* ctl/render_nginx.h - nginx.conf and config.json from the configuration.
 * Pure. */
#ifndef CTL_RENDER_NGINX_H
#define CTL_RENDER_NGINX_H

#include "base/buf.h"
#include "base/err.h"
#include "port/config.h"

/* Appends nginx.conf. user and group are "" for none. Errors as in
 * template_fill(). */
int render_nginx(const struct config *c, const char *template, const char *user,
    const char *group, struct buf *out, struct err *e);

/* Appends the add-in's config.json: the keys that the table marks as public,
 * and nothing else. */
void render_public(const struct config *c, struct buf *out);

#endif
