/* ctl/render_nginx.h - nginx.conf from the configuration. */
#ifndef CTL_RENDER_NGINX_H
#define CTL_RENDER_NGINX_H

#include "base/buf.h"
#include "base/err.h"
#include "port/config.h"

/* Appends nginx.conf. user and group are "" for none;
 * stamp is that of the site. Errors as in
 * template_fill() and render_relay_init(). */
int render_nginx(const struct config *c, const char *template, const char *user,
    const char *group, const char *stamp, struct buf *out, struct err *e);

#endif
