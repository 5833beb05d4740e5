/* fcgi/web_conn.c - see web_conn.h. */
#include "web_conn.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "rule/notification.h"
#include "web.h"

/* Record headers and padding that a body may come with, and what is set aside
 * for them at once: more than any server makes of them. */
enum { CONN_FRAMING_MAX = 128 * 1024, CONN_FRAMING = 1024 };

/* What the spool of this request will hold, as far as is known: what was
 * announced, or what has come if that is more. */
static size_t
conn_need(const struct conn *c)
{
	const struct frame *f = &c->frame;
	int64_t body = f->content_length;
	size_t announced;

	if (!f->params_done)
		return f->size;
	if (c->too_long || body > NOTIFICATION_BODY_MAX)
		return f->head; /* the rest will be read away */
	if (body < 0)
		body = NOTIFICATION_BODY_MAX;
	announced = f->head + (size_t)body + (size_t)body / 64 + CONN_FRAMING;
	return f->size > announced ? f->size : announced;
}

static bool
conn_is_too_long(const struct conn *c)
{
	const struct frame *f = &c->frame;

	return f->content_length > NOTIFICATION_BODY_MAX ||
	    f->body > NOTIFICATION_BODY_MAX ||
	    f->size > f->head + f->body + CONN_FRAMING_MAX;
}

/* Room for what the spool needs after the bytes just looked at. */
static bool
conn_take_budget(struct conn *c, struct budget *budget)
{
	size_t need = conn_need(c);
	size_t more = need > c->charge ? need - c->charge : 0;

	if (budget->spooled + more > WEB_SPOOL_MAX ||
	    budget->taken + more > WEB_BODIES_MAX)
		return false;
	budget->spooled += more;
	budget->taken += more;
	c->charge += more;
	return true;
}

static int
conn_write_spool(struct conn *c, const unsigned char *data, size_t len)
{
	if (c->spool < 0)
		c->spool = memfd_create("request", MFD_CLOEXEC);
	if (c->spool < 0)
		return -1;
	return write(c->spool, data, len) == (ssize_t)len ? 0 : -1;
}

/* Moves len bytes, which are known to be there, from the socket. */
static int
conn_move(struct conn *c, unsigned char *scratch, size_t len)
{
	size_t at = c->frame.size - len;
	ssize_t n = recv(c->fd, scratch, len, MSG_DONTWAIT);

	if (n != (ssize_t)len)
		return -1;
	if (!c->too_long && c->frame.params_done && conn_is_too_long(c))
		c->too_long = true;
	if (!c->too_long)
		return conn_write_spool(c, scratch, len);
	/* Only the head is kept of what is too long. */
	if (at < c->frame.head)
		return conn_write_spool(c, scratch, c->frame.head - at);
	return c->spool < 0 ? -1 : 0;
}

/* Cuts a request that is too long behind its parameters and ends it there. */
static int
conn_cut(struct conn *c)
{
	const unsigned char end[FRAME_HEADER] = {
	    1, 5, c->frame.id >> 8, c->frame.id & 0xff};

	if (ftruncate(c->spool, (off_t)c->frame.head) != 0 ||
	    lseek(c->spool, 0, SEEK_END) < 0)
		return -1;
	return conn_write_spool(c, end, sizeof(end));
}

static enum conn_result
conn_finish_spool(struct conn *c, int *source)
{
	/* What lies behind this request has not been looked at yet. */
	c->readable = true;
	if (c->too_long && conn_cut(c) != 0)
		return CONN_CLOSED;
	if (lseek(c->spool, 0, SEEK_SET) != 0)
		return CONN_CLOSED;
	*source = c->spool;
	return CONN_REQUEST;
}

/* The request lies in the socket as a whole: only its body needs budget. What
 * has come behind it since stays there; libfcgi would read that, too, and lose
 * it. */
static enum conn_result
conn_take_whole(struct conn *c, struct budget *budget,
    const struct frame *before, unsigned char *scratch, int whole)
{
	size_t len = c->frame.size - before->size;

	if (budget->taken + c->frame.body > WEB_BODIES_MAX) {
		c->frame = *before;
		return CONN_HUNGRY;
	}
	if (recv(c->fd, scratch, len, MSG_DONTWAIT) != (ssize_t)len ||
	    ftruncate(whole, 0) != 0 ||
	    pwrite(whole, scratch, len, 0) != (ssize_t)len ||
	    lseek(whole, 0, SEEK_SET) != 0)
		return CONN_CLOSED;
	return CONN_REQUEST;
}

static void
conn_note_time(struct conn *c)
{
	c->moved_ms = clock_mono_ms();
	if (c->spool < 0)
		c->started_ms = c->moved_ms;
}

enum conn_result
conn_read(
    struct conn *c, struct budget *budget, unsigned char *scratch, int *source)
{
	for (;;) {
		struct frame before = c->frame;
		enum frame_result result;
		size_t used;
		ssize_t n =
		    recv(c->fd, scratch, CONN_SCRATCH, MSG_PEEK | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			c->readable = false;
			return CONN_WAITS;
		}
		if (n <= 0)
			return CONN_CLOSED;
		result = frame_feed(&c->frame, scratch, (size_t)n, &used);
		if (result == FRAME_BAD)
			return CONN_BAD;
		if (result == FRAME_DONE && c->spool < 0 && used == (size_t)n &&
		    n < CONN_SCRATCH) {
			c->readable = false;
			return conn_take_whole(
			    c, budget, &before, scratch, *source);
		}
		if (!conn_take_budget(c, budget)) {
			c->frame = before;
			return CONN_HUNGRY;
		}
		conn_note_time(c);
		if (conn_move(c, scratch, used) != 0)
			return CONN_CLOSED;
		if (result == FRAME_DONE)
			return conn_finish_spool(c, source);
	}
}

void
conn_reset(struct conn *c, struct budget *budget)
{
	if (c->spool >= 0)
		close(c->spool);
	c->spool = -1;
	budget->spooled -= c->charge;
	budget->taken -= c->charge;
	c->charge = 0;
	c->too_long = false;
	memset(&c->frame, 0, sizeof(c->frame));
}
