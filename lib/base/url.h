/* base/url.h - URLs, percent and form encoding. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends text percent-encoded: all but A-Z a-z 0-9 - . _ ~ . */
int url_encode(struct buf *out, const char *text, size_t len);

/* application/x-www-form-urlencoded: as url_encode but blank becomes '+'. */
int url_form_encode(struct buf *out, const char *text);

/*
 * Form-decodes len bytes ('+' is a blank, %XX in either case) exactly once
 * into out (at most cap bytes, not NUL-terminated). The decoded length, or
 * -1 for a bad escape or too small a buffer.
 */
long url_form_decode(const char *text, size_t len, char *out, size_t cap);

/* Parts of an absolute http(s) URL, each yours via url_clear(). */
struct url {
	char *scheme; /* lower case */
	char *host; /* lower case, no brackets round IPv6 */
	int port; /* explicit or the scheme's */
	bool port_given;
	char *path; /* begins with '/'; "/" when absent */
	char *query; /* without '?'; NULL when absent */
};

/* Refuses user info, fragments, controls, blanks, bad ports: ERR_INPUT. */
int url_parse(const char *text, struct url *out, struct err *e);
void url_clear(struct url *u);

/* Whether the host is a literal loopback address or "localhost". */
bool url_is_loopback(const struct url *u);

/* base without trailing slashes, then '/', then path without leading ones.
 * Yours. */
char *url_join(const char *base, const char *path);

#endif
