/* fcgi/frame.h - the grammar of one FastCGI request. Pure: no I/O. */
#ifndef FCGI_FRAME_H
#define FCGI_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * libfcgi reads blocking, trusts the lengths in the stream and loses its place
 * when a record that ends a stream is padded. It is therefore given only
 * requests of the one shape that can not hurt it, all of which has arrived:
 *
 *   BEGIN(responder) PARAMS* PARAMS(empty) STDIN* STDIN(empty)
 *
 * version 1, one id that is not 0, no padding on BEGIN and on the two empty
 * records, every name-value pair complete, without NUL, with a name that is
 * not empty and has no '='. Up to the end of the parameters it is at most
 * FRAME_HEAD_MAX bytes, whatever they are.
 */
enum {
	FRAME_HEADER = 8,
	FRAME_PARAMS_MAX = 64 * 1024, /* all name-value pairs together */
	FRAME_HEAD_MAX = 2 * FRAME_PARAMS_MAX, /* with headers and padding */
	FRAME_NAME_MAX = 256
};

enum frame_result {
	FRAME_MORE, /* sound so far, not complete */
	FRAME_DONE, /* the last byte that was used ends the request */
	FRAME_BAD /* not of that shape: close the connection */
};

/* Caller-owned; all zero is the start of a request. */
struct frame {
	/* results */
	bool keep; /* FCGI_KEEP_CONN, known after BEGIN */
	bool params_done; /* all parameters have been seen */
	int64_t content_length; /* of CONTENT_LENGTH; -1 absent or no number */
	uint64_t size; /* bytes used so far */
	uint64_t head; /* of these, up to the end of the parameters */
	uint64_t body; /* of these, STDIN content */
	const char *fault; /* with FRAME_BAD: static text for the log */

	/* inside */
	enum frame_stage {
		FRAME_AT_BEGIN,
		FRAME_AT_PARAMS,
		FRAME_AT_STDIN,
		FRAME_AT_END
	} stage;
	unsigned char header[FRAME_HEADER];
	unsigned header_len;
	unsigned content_left;
	unsigned padding_left;
	bool ends; /* the record at hand is the last one */
	uint16_t id;
	unsigned char begin[8];
	unsigned begin_len;
	size_t params;
	struct frame_pair {
		enum frame_part {
			FRAME_NAME_LEN,
			FRAME_VALUE_LEN,
			FRAME_NAME,
			FRAME_VALUE
		} part;
		uint32_t len[2]; /* name, value */
		unsigned len_bytes; /* still to come of a 4-byte length */
		uint32_t seen; /* bytes of the name or value at hand */
		bool is_length; /* the name is CONTENT_LENGTH so far */
	} pair;
};

/*
 * Takes the next len bytes of the connection. *used (never NULL) is how many
 * of them belong to this request: all with FRAME_MORE; with FRAME_DONE the
 * rest belongs to the next request. After FRAME_DONE or FRAME_BAD f must be
 * zeroed before it is used again.
 * Source: FastCGI specification 1.0, sections 3.3, 3.4, 5 and 6.
 */
enum frame_result frame_feed(
    struct frame *f, const unsigned char *data, size_t len, size_t *used);

#endif
