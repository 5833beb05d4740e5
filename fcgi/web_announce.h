/* fcgi/web_announce.h - the body of PUT api/links. Pure: no I/O, no clock. */
#ifndef FCGI_WEB_ANNOUNCE_H
#define FCGI_WEB_ANNOUNCE_H

#include <stddef.h>

#include "base/err.h"
#include "port/store.h"

/*
 * {"v":1,"sourceId","topic","start" (ISO 8601 UTC),"mailbox":"own"|"shared",
 * "timeZone"?,"eventId"?}: fills source_id, topic (cut at a code point to
 * what the store holds), start_ms (rounded to the minute, as Unblu does),
 * shared, time_zone ("" for a name that tzdata can not have) and event of
 * *out; unknown members are ignored. ERR_INPUT with a text without foreign
 * words.
 */
int announce_parse(
    const char *text, size_t len, struct store_link *out, struct err *e);

#endif
