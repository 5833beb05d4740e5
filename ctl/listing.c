/* ctl/listing.c - see listing.h. */
#include "listing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"

void
listing_begin(struct listing *l, bool json)
{
	*l = (struct listing){.json = json};
	if (json)
		putchar('[');
}

int
listing_add_json(struct listing *l, json_t *row_owned)
{
	char *text = row_owned == NULL
	    ? NULL
	    : json_dumps(row_owned, JSON_COMPACT | JSON_PRESERVE_ORDER);

	if (text != NULL)
		printf("%s%s", l->count++ == 0 ? "\n" : ",\n", text);
	free(text);
	json_decref(row_owned);
	return text == NULL ? -1 : 0;
}

int
listing_add_line(struct listing *l, struct buf *line)
{
	puts(buf_text(line));
	l->count++;
	buf_clear(line);
	return 0;
}

void
listing_end(const struct listing *l)
{
	if (l->json)
		puts(l->count == 0 ? "]" : "\n]");
}

json_t *
listing_time(int64_t ms)
{
	char text[WHEN_TEXT_MAX];

	if (ms <= 0)
		return json_null();
	when_format_iso(ms, false, text);
	return json_string(text);
}
