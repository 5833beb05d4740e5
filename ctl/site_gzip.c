/* ctl/site_gzip.c - compressed twins of the static files; see site.h. */
#include "site.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

enum {
	LEAST = 256, /* bytes that are worth it */
	GZIP = 16 /* added to the window: gzip's header, with time 0 */
};

static bool
is_text(const char *path)
{
	static const char *const kinds[] = {
	    ".html", ".css", ".js", ".json", ".svg", ".xml", ".txt", NULL};
	const char *dot = strrchr(path, '.');

	for (int i = 0; dot != NULL && kinds[i] != NULL; i++) {
		if (strcmp(dot, kinds[i]) == 0)
			return true;
	}
	return false;
}

/* *data is yours, or NULL when it would not be smaller. */
static void
compress_text(const struct site_file *f, char **data, size_t *len)
{
	z_stream z = {0};

	*data = mem_zalloc(f->len);
	z.next_in = (unsigned char *)f->data;
	z.avail_in = (unsigned)f->len;
	z.next_out = (unsigned char *)*data;
	z.avail_out = (unsigned)f->len;
	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP,
		9, Z_DEFAULT_STRATEGY) != Z_OK)
		mem_exhausted(f->len);
	if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
		free(*data);
		*data = NULL;
	}
	*len = z.total_out;
	deflateEnd(&z);
}

void
site_compress(struct site *s)
{
	size_t count = s->count;

	for (size_t i = 0; i < count; i++) {
		struct site_file f = s->files[i];
		size_t len, size = strlen(f.path) + sizeof(".gz");
		char *data, *path;

		if (f.len < LEAST || !is_text(f.path))
			continue;
		compress_text(&f, &data, &len);
		if (data == NULL)
			continue;
		path = mem_zalloc(size);
		snprintf(path, size, "%s.gz", f.path);
		site_add(s, path, data, len);
		free(path);
	}
}
