/* fcgi/web_links_show.h - what GET api/links says of a link. */
#ifndef FCGI_WEB_LINKS_SHOW_H
#define FCGI_WEB_LINKS_SHOW_H

#include <jansson.h>

#include "port/config.h"
#include "port/store.h"

/*
 * {"v":1,"conversationId","state","topic","start","syncedAt","lastError"}, the
 * last four null when not known, and, only when there is something to say:
 * "reason" why nothing is synchronised (any more); "mailbox" {"state" ("parked"
 * or "unfollowed"),"reason"}; "writes" "paused" or "dry-run". A new reference;
 * NULL with *e: the store.
 */
json_t *links_show(struct store *s, const struct config *c,
    const struct store_link *l, struct err *e);

#endif
