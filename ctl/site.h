/* ctl/site.h - the files that nginx serves, in memory. */
#ifndef CTL_SITE_H
#define CTL_SITE_H

#include <stddef.h>

#include "base/err.h"

enum { SITE_STAMP_SIZE = 13 }; /* 12 hex characters and NUL */

struct site_file {
	char *path; /* "js/commands.js" */
	char *data;
	size_t len;
};

struct site {
	struct site_file *files; /* by path, once site_stamp() has run */
	size_t count;
	size_t bytes;
};

/* Appends the regular files of known kinds below folder; links are not
 * followed, hidden files not taken. ERR_CONFIG when the folder can not be read
 * or is too large. */
int site_load(struct site *s, const char *folder, struct err *e);

/* Takes data, of len bytes, as the file path. */
void site_add(struct site *s, const char *path, char *data_owned, size_t len);

/*
 * Takes comments and indentation out of our own scripts (js/): what stands at
 * the beginning of a line, and types inside one. Lines stay where they are, so
 * that a browser's message names the line of the source. Pure.
 */
void site_leave_out_comments(struct site *s);

/*
 * The stamp that stands in the addresses of what pages load, so that it may be
 * kept for ever: it changes with any file but the pages. Pure.
 */
void site_stamp(struct site *s, char stamp[SITE_STAMP_SIZE]);

/*
 * Fills in the pages (*.html): addresses of our own scripts, style sheets and
 * pictures become those with the stamp, Office.js is loaded from office_js_url.
 * Pure.
 */
void
site_fill_pages(struct site *s, const char *office_js_url, const char *stamp);

/* Adds FILE.gz beside each text that gets smaller by it. The same for the same
 * text. Pure. */
void site_compress(struct site *s);

void site_clear(struct site *s);

#endif
