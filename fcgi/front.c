/* fcgi/front.c - see front.h. */
#include "front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <fcgiapp.h>

#include "base/mem.h"

enum { FRONT_HEAD_MAX = 1024 };

struct front {
	FCGX_Request request;
	int peer;
};

int
front_init(struct err *e)
{
	/* Closing is ours alone; should libfcgi ever close, it shall not wait
	 * two seconds for the peer. */
	if (setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1) != 0)
		return err_set_errno(e, ERR_CONFIG, errno, "setenv");
	return FCGX_Init() == 0 ? 0 : err_set(e, ERR_CONFIG, "FCGX_Init");
}

struct front *
front_begin(int *source, int peer, struct err *e)
{
	struct front *f = mem_zalloc(sizeof(*f));

	/* The listening socket -1 makes FCGX_Accept_r return where it would
	 * accept another connection; keepConnection keeps its opening
	 * FCGX_Finish_r from closing ours. */
	if (FCGX_InitRequest(&f->request, -1, 0) != 0) {
		err_set(e, ERR_CONFIG, "FCGX_InitRequest");
		goto fail;
	}
	f->request.keepConnection = 1;
	f->request.ipcFd = *source;
	if (FCGX_Accept_r(&f->request) != 0) {
		err_set(e, ERR_INPUT, "libfcgi refuses the request");
		*source = -1;
		goto fail;
	}
	f->peer = peer;
	return f;
fail:
	free(f);
	return NULL;
}

const char *
front_param(const struct front *f, const char *name)
{
	const char *value = FCGX_GetParam(name, f->request.envp);

	return value != NULL ? value : "";
}

long
front_body(struct front *f, char *out, size_t cap)
{
	char rest[4096];
	size_t len = 0;
	int n;

	while (len < cap) {
		size_t want = cap - len < 65536 ? cap - len : 65536;

		n = FCGX_GetStr(out + len, (int)want, f->request.in);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	/* Also finds the record that ends the request. */
	n = FCGX_GetStr(rest, sizeof(rest), f->request.in);
	if (n > 0) {
		while (FCGX_GetStr(rest, sizeof(rest), f->request.in) > 0)
			;
		return -1;
	}
	return FCGX_GetError(f->request.in) == 0 ? (long)len : -1;
}

static const char *
front_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
	    {200, "OK"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {413, "Content Too Large"},
	    {415, "Unsupported Media Type"},
	    {503, "Service Unavailable"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

static void
front_write_head(FCGX_Stream *out, const struct front_answer *a)
{
	char head[FRONT_HEAD_MAX];
	int n = snprintf(head, sizeof(head), "Status: %d %s\r\n%s%s%s%s",
	    a->status, front_reason(a->status),
	    a->type != NULL ? "Content-Type: " : "",
	    a->type != NULL ? a->type : "", a->type != NULL ? "\r\n" : "",
	    a->headers != NULL ? a->headers : "");

	/* RFC 9110 8.6: none with 204. */
	if (a->status != 204 && n < (int)sizeof(head))
		n += snprintf(head + n, sizeof(head) - (size_t)n,
		    "Content-Length: %zu\r\n", a->body_len);
	/* Types and headers are our own short texts. */
	if (n < (int)sizeof(head))
		FCGX_PutStr(head, n, out);
	FCGX_PutStr("\r\n", 2, out);
}

int
front_finish(struct front *f, const struct front_answer *a)
{
	FCGX_Stream *out = f->request.out;
	int rc;

	/* What was read may have been a copy in memory. */
	f->request.ipcFd = f->peer;
	front_write_head(out, a);
	if (a->body_len > 0)
		FCGX_PutStr(a->body, (int)a->body_len, out);
	/* The order saves a write; the second one ends the request. Not
	 * FCGX_Finish_r, which would close, and wait for the peer. */
	rc = FCGX_FClose(f->request.err);
	rc |= FCGX_FClose(out);
	front_drop(f);
	return rc == 0 ? 0 : -1;
}

void
front_drop(struct front *f)
{
	if (f == NULL)
		return;
	FCGX_Free(&f->request, 0);
	free(f);
}
