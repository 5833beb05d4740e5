/* fcgi/frame.c - see frame.h. */
#include "frame.h"

#include <string.h>

enum {
	TYPE_BEGIN = 1,
	TYPE_PARAMS = 4,
	TYPE_STDIN = 5,
	ROLE_RESPONDER = 1,
	FLAG_KEEP = 1
};

static const char frame_length_name[] = "CONTENT_LENGTH";
static const int64_t frame_length_max = INT64_C(1) << 40;

static int
frame_fail(struct frame *f, const char *fault)
{
	f->fault = fault;
	return -1;
}

/* The BEGIN record's body is complete. */
static int
frame_take_begin(struct frame *f)
{
	if (f->begin[0] != 0 || f->begin[1] != ROLE_RESPONDER)
		return frame_fail(f, "role is not responder");
	f->keep = (f->begin[2] & FLAG_KEEP) != 0;
	f->content_length = -1;
	f->stage = FRAME_AT_PARAMS;
	return 0;
}

/* A record's header is complete: is it the one that may come here? */
static int
frame_take_header(struct frame *f)
{
	const unsigned char *h = f->header;
	uint16_t id = (uint16_t)(h[2] << 8 | h[3]);
	unsigned content = (unsigned)(h[4] << 8 | h[5]);
	unsigned padding = h[6];

	if (h[0] != 1)
		return frame_fail(f, "version is not 1");
	if (f->stage == FRAME_AT_BEGIN) {
		if (h[1] != TYPE_BEGIN)
			return frame_fail(f, "does not start with BEGIN");
		if (id == 0 || content != sizeof(f->begin) || padding != 0)
			return frame_fail(f, "malformed BEGIN");
		f->id = id;
	} else {
		int want =
		    f->stage == FRAME_AT_PARAMS ? TYPE_PARAMS : TYPE_STDIN;

		if (h[1] != want)
			return frame_fail(f, "record of an unexpected type");
		if (id != f->id)
			return frame_fail(f, "record of another request");
		if (content == 0 && padding != 0)
			return frame_fail(f, "padded end of a stream");
		f->ends = content == 0;
	}
	f->content_left = content;
	f->padding_left = padding;
	return 0;
}

static void
frame_start_pair(struct frame_pair *p)
{
	memset(p, 0, sizeof(*p));
}

/* Both lengths are known. */
static int
frame_take_lengths(struct frame *f)
{
	struct frame_pair *p = &f->pair;

	if (p->len[0] == 0 || p->len[0] > FRAME_NAME_MAX)
		return frame_fail(f, "length of a parameter's name");
	if (p->len[1] > FRAME_PARAMS_MAX)
		return frame_fail(f, "length of a parameter's value");
	p->part = FRAME_NAME;
	p->is_length = p->len[0] == sizeof(frame_length_name) - 1;
	return 0;
}

/* One byte of the two lengths: 1 byte each, or 4 when the top bit is set. */
static int
frame_take_length_byte(struct frame *f, unsigned char byte)
{
	struct frame_pair *p = &f->pair;
	uint32_t *len = &p->len[p->part];

	if (p->len_bytes > 0) {
		*len = *len << 8 | byte;
		p->len_bytes--;
	} else if ((byte & 0x80) != 0) {
		*len = byte & 0x7f;
		p->len_bytes = 3;
	} else {
		*len = byte;
	}
	if (p->len_bytes > 0)
		return 0;
	if (p->part == FRAME_NAME_LEN) {
		p->part = FRAME_VALUE_LEN;
		return 0;
	}
	return frame_take_lengths(f);
}

static int
frame_take_name(struct frame *f, const unsigned char *data, size_t len)
{
	struct frame_pair *p = &f->pair;

	if (memchr(data, '=', len) != NULL)
		return frame_fail(f, "'=' in a parameter's name");
	if (p->is_length && memcmp(data, frame_length_name + p->seen, len) != 0)
		p->is_length = false;
	p->seen += (uint32_t)len;
	if (p->seen == p->len[0]) {
		p->part = FRAME_VALUE;
		p->seen = 0;
		if (p->is_length)
			f->content_length = p->len[1] > 0 ? 0 : -1;
	}
	return 0;
}

static void
frame_take_value(struct frame *f, const unsigned char *data, size_t len)
{
	struct frame_pair *p = &f->pair;

	for (size_t i = 0; p->is_length && i < len; i++) {
		if (data[i] < '0' || data[i] > '9' ||
		    f->content_length > frame_length_max) {
			f->content_length = -1;
			p->is_length = false;
		} else {
			f->content_length =
			    f->content_length * 10 + (data[i] - '0');
		}
	}
	p->seen += (uint32_t)len;
}

/* Content of PARAMS records; pairs may lie across records. */
static int
frame_take_params(struct frame *f, const unsigned char *data, size_t len)
{
	struct frame_pair *p = &f->pair;

	f->params += len;
	if (f->params > FRAME_PARAMS_MAX)
		return frame_fail(f, "too many parameters");
	while (len > 0) {
		size_t n = 1;

		if (p->part < FRAME_NAME) {
			if (frame_take_length_byte(f, *data) != 0)
				return -1;
		} else {
			n = p->len[p->part - FRAME_NAME] - p->seen;
			if (n > len)
				n = len;
			if (memchr(data, '\0', n) != NULL)
				return frame_fail(f, "NUL in a parameter");
			if (p->part == FRAME_NAME) {
				if (frame_take_name(f, data, n) != 0)
					return -1;
			} else {
				frame_take_value(f, data, n);
			}
		}
		if (p->part == FRAME_VALUE && p->seen == p->len[1])
			frame_start_pair(p);
		data += n;
		len -= n;
	}
	return 0;
}

static int
frame_take_content(struct frame *f, const unsigned char *data, size_t len)
{
	switch (f->stage) {
	case FRAME_AT_BEGIN:
		memcpy(f->begin + f->begin_len, data, len);
		f->begin_len += (unsigned)len;
		return f->begin_len == sizeof(f->begin) ? frame_take_begin(f)
							: 0;
	case FRAME_AT_PARAMS:
		return frame_take_params(f, data, len);
	default:
		f->body += len;
		return 0;
	}
}

/* An empty record: the end of the parameters or of the request. */
static int
frame_take_end(struct frame *f)
{
	f->ends = false;
	if (f->stage == FRAME_AT_STDIN) {
		f->stage = FRAME_AT_END;
		return 0;
	}
	if (f->pair.part != FRAME_NAME_LEN || f->pair.len_bytes > 0)
		return frame_fail(f, "parameters end inside a pair");
	f->params_done = true;
	f->stage = FRAME_AT_STDIN;
	return 0;
}

/* Uses up to len bytes of what comes next: header, content or padding. */
static int
frame_step(struct frame *f, const unsigned char *data, size_t len, size_t *used)
{
	if (f->content_left > 0) {
		*used = f->content_left < len ? f->content_left : len;
		f->content_left -= (unsigned)*used;
		return frame_take_content(f, data, *used);
	}
	if (f->padding_left > 0) {
		*used = f->padding_left < len ? f->padding_left : len;
		f->padding_left -= (unsigned)*used;
		return 0;
	}
	*used = FRAME_HEADER - f->header_len;
	if (*used > len)
		*used = len;
	memcpy(f->header + f->header_len, data, *used);
	f->header_len += (unsigned)*used;
	if (f->header_len < FRAME_HEADER)
		return 0;
	f->header_len = 0;
	if (frame_take_header(f) != 0)
		return -1;
	return f->ends ? frame_take_end(f) : 0;
}

enum frame_result
frame_feed(struct frame *f, const unsigned char *data, size_t len, size_t *used)
{
	*used = 0;
	while (*used < len) {
		size_t n;

		if (frame_step(f, data + *used, len - *used, &n) != 0)
			return FRAME_BAD;
		*used += n;
		f->size += n;
		if (f->head == 0 && f->size > FRAME_HEAD_MAX) {
			frame_fail(f, "too long before its body");
			return FRAME_BAD;
		}
		if (f->params_done && f->head == 0)
			f->head = f->size;
		if (f->stage == FRAME_AT_END)
			return FRAME_DONE;
	}
	return FRAME_MORE;
}
