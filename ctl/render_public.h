/* ctl/render_public.h - config.json from the configuration. Pure. */
#ifndef CTL_RENDER_PUBLIC_H
#define CTL_RENDER_PUBLIC_H

#include "base/buf.h"
#include "port/config.h"

/* Appends the add-in's config.json (docs/addin.md): what is worked out for the
 * browser, and the keys that the table marks as public; nothing else. */
void render_public(const struct config *c, struct buf *out);

#endif
