/* ctl/listing.h - rows on stdout, for people or as one JSON array; written as
 * they come, so that a list may be as long as it likes. */
#ifndef CTL_LISTING_H
#define CTL_LISTING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct listing {
	bool json;
	size_t count; /* rows so far */
};

/* Also writes the beginning. */
void listing_begin(struct listing *l, bool json);

/* A row of a JSON list; takes it. 0, or -1 when it could not be made. */
int listing_add_json(struct listing *l, json_t *row_owned);
/* A row for people: the line, without its end; the buffer is emptied. 0. */
int listing_add_line(struct listing *l, struct buf *line);

void listing_end(const struct listing *l);

/* RFC 3339, null for 0. */
json_t *listing_time(int64_t ms);

#endif
