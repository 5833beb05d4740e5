/* ctl/fcgi_client.c - see fcgi_client.h. FastCGI 1.0, one request, no
 * keep-alive. */
#include "fcgi_client.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum {
	RECORD_BEGIN = 1,
	RECORD_END = 3,
	RECORD_PARAMS = 4,
	RECORD_STDIN = 5,
	RECORD_STDOUT = 6,
	HEADER_LEN = 8,
	REQUEST_MAX = 4096,
	/* the whole of /metrics, and its headers */
	REPLY_MAX = (1 << 20) + (64 << 10)
};

struct exchange {
	int fd;
	int64_t deadline_ms; /* monotonic */
	struct buf out; /* what STDOUT has brought */
};

static void
add_record(struct buf *b, int type, const char *data, size_t len)
{
	const unsigned char header[HEADER_LEN] = {1, (unsigned char)type, 0, 1,
	    (unsigned char)(len >> 8), (unsigned char)len, 0, 0};

	buf_add(b, header, sizeof(header));
	buf_add(b, data, len);
}

/* Names and values here are shorter than 128 bytes: one length byte each. */
static void
add_pair(struct buf *b, const char *name, const char *value)
{
	buf_putc(b, (char)strlen(name));
	buf_putc(b, (char)strlen(value));
	buf_puts(b, name);
	buf_puts(b, value);
}

static void
make_request(struct buf *b, const char *uri)
{
	static const char begin[8] = {0, 1, 0, 0, 0, 0, 0, 0};
	struct buf pairs;

	buf_init(&pairs, REQUEST_MAX);
	add_pair(&pairs, "REQUEST_METHOD", "GET");
	add_pair(&pairs, "SCRIPT_NAME", uri);
	add_pair(&pairs, "QUERY_STRING", "");
	add_pair(&pairs, "CONTENT_LENGTH", "");
	add_pair(&pairs, "CONTENT_TYPE", "");
	add_pair(&pairs, "REQUEST_ID", "health");
	add_pair(&pairs, "REMOTE_ADDR", "127.0.0.1");
	add_record(b, RECORD_BEGIN, begin, sizeof(begin));
	add_record(b, RECORD_PARAMS, buf_text(&pairs), pairs.len);
	add_record(b, RECORD_PARAMS, "", 0);
	add_record(b, RECORD_STDIN, "", 0);
	buf_clear(&pairs);
}

/* Lets the next call on the socket wait no longer than what is left. */
static int
arm(struct exchange *x, struct err *e)
{
	int64_t left = x->deadline_ms - clock_mono_ms();
	struct timeval tv = {left / 1000, (left % 1000) * 1000};

	if (left <= 0)
		return err_set(e, ERR_RETRY, "no answer in time");
	setsockopt(x->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(x->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return 0;
}

static int
broken(struct err *e)
{
	if (errno == EAGAIN || errno == EINPROGRESS)
		return err_set(e, ERR_RETRY, "no answer in time");
	return err_set_errno(e, ERR_RETRY, errno, "connection");
}

static int
open_socket(struct exchange *x, const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (!text_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return err_set(e, ERR_CONFIG, "%s: path too long", path);
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		return err_set_errno(e, ERR_RETRY, errno, "socket");
	if (arm(x, e) != 0)
		return -1;
	if (connect(x->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return err_set_errno(
		    e, ERR_RETRY, errno, "connect to %s", path);
	return 0;
}

static int
send_all(struct exchange *x, const char *data, size_t len, struct err *e)
{
	while (len > 0) {
		ssize_t n;

		if (arm(x, e) != 0)
			return -1;
		n = send(x->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return broken(e);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int
receive_all(struct exchange *x, unsigned char *data, size_t len, struct err *e)
{
	while (len > 0) {
		ssize_t n;

		if (arm(x, e) != 0)
			return -1;
		n = recv(x->fd, data, len, 0);
		if (n == 0)
			return err_set(
			    e, ERR_INPUT, "the connection ended too early");
		if (n < 0 && errno != EINTR)
			return broken(e);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Records up to END_REQUEST. */
static int
read_reply(struct exchange *x, struct err *e)
{
	unsigned char header[HEADER_LEN];
	unsigned char body[65535 + 255];

	for (;;) {
		size_t len, padding;

		if (receive_all(x, header, sizeof(header), e) != 0)
			return -1;
		len = (size_t)header[4] << 8 | header[5];
		padding = header[6];
		if (header[0] != 1)
			return err_set(e, ERR_INPUT, "this is not FastCGI");
		if (receive_all(x, body, len + padding, e) != 0)
			return -1;
		if (header[1] == RECORD_END)
			return 0;
		if (header[1] == RECORD_STDOUT && buf_add(&x->out, body, len))
			return err_set(e, ERR_INPUT, "the answer is too long");
	}
}

/* The CGI header block: its Status (200 when absent), and the body behind. */
static int
split_reply(const struct buf *out, struct buf *body, struct err *e)
{
	const char *line = buf_text(out);
	int status = 200;

	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		if (len == 0 || (len == 1 && line[0] == '\r')) {
			buf_puts(body, line + len + (line[len] == '\n'));
			return status;
		}
		if (strncasecmp(line, "Status:", 7) == 0)
			status = (int)strtol(line + 7, NULL, 10);
		line += len + (line[len] == '\n');
	}
	return err_set(e, ERR_INPUT, "the answer has no end of its headers");
}

int
fcgi_client_get(const char *path, const char *uri, int timeout_ms,
    struct buf *body, struct err *e)
{
	struct exchange x = {
	    .fd = -1, .deadline_ms = clock_mono_ms() + timeout_ms};
	struct buf request;
	int rc = -1;

	buf_init(&request, REQUEST_MAX);
	buf_init(&x.out, REPLY_MAX);
	make_request(&request, uri);
	if (open_socket(&x, path, e) == 0 &&
	    send_all(&x, buf_text(&request), request.len, e) == 0 &&
	    read_reply(&x, e) == 0)
		rc = split_reply(&x.out, body, e);
	if (x.fd >= 0)
		close(x.fd);
	buf_clear(&request);
	buf_clear(&x.out);
	return rc;
}
