/* port/http_request.c - the request half of http.h. */
#include "port/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

void
http_request_init(struct http_request *r, const char *method, const char *op)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->method, sizeof(r->method), "%s", method);
	r->op = op;
	buf_init(&r->url, HTTP_URL_MAX);
	buf_init(&r->body, HTTP_BODY_MAX);
}

/* Bodies and header values carry secrets and tokens. */
static void
http_wipe(struct buf *b)
{
	if (b->data != NULL)
		secret_wipe(b->data, b->cap);
	buf_clear(b);
}

void
http_request_clear(struct http_request *r)
{
	for (size_t i = 0; i < r->header_count && i < HTTP_HEADERS_MAX; i++)
		http_wipe(&r->headers[i].value);
	http_wipe(&r->body);
	buf_clear(&r->url);
	memset(r, 0, sizeof(*r));
}

void
http_request_header(
    struct http_request *r, const char *name, const char *fmt, ...)
{
	char small[512];
	char *text = small;
	struct buf *value;
	va_list ap;
	int len;

	if (r->header_count >= HTTP_HEADERS_MAX) {
		r->header_count = HTTP_HEADERS_MAX + 1;
		return;
	}
	r->headers[r->header_count].name = name;
	value = &r->headers[r->header_count++].value;
	buf_init(value, HTTP_HEADER_MAX);
	va_start(ap, fmt);
	len = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (len < 0 || len > HTTP_HEADER_MAX) {
		value->failed = true;
		return;
	}
	if ((size_t)len >= sizeof(small)) {
		text = mem_zalloc((size_t)len + 1);
		va_start(ap, fmt);
		vsnprintf(text, (size_t)len + 1, fmt, ap);
		va_end(ap);
	}
	buf_add(value, text, (size_t)len);
	secret_wipe(text, (size_t)len);
	if (text != small)
		free(text);
}
