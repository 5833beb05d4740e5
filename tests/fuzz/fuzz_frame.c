/* tests/fuzz/fuzz_frame.c - any bytes as a FastCGI request: whatever frame.h
 * lets pass, libfcgi must read to the same end. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "fcgi/frame.h"
#include "fcgi/front.h"
#include "fuzz.h"

static void
as_libfcgi_reads_it(const struct frame *f, const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char *body = mem_zalloc((size_t)f->body + 1);
	struct front *front;
	struct err e = {0};

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
	front = front_begin(&fd, -1, &e);
	FUZZ_CHECK(front != NULL);
	FUZZ_CHECK(front_body(front, body, (size_t)f->body) == (long)f->body);
	/* Not a byte more is left than was known. */
	FUZZ_CHECK(front_body(front, body, 0) == 0);
	FUZZ_CHECK(lseek(fd, 0, SEEK_CUR) == (off_t)size);
	FUZZ_CHECK(strlen(front_param(front, "CONTENT_LENGTH")) < size);
	front_drop(front);
	close(fd);
	free(body);
}

/* The result must not depend on where the bytes are cut. */
static enum frame_result
in_pieces(const uint8_t *data, size_t size, struct frame *f)
{
	enum frame_result result = FRAME_MORE;
	size_t used;

	memset(f, 0, sizeof(*f));
	for (size_t at = 0; at < size && result == FRAME_MORE; at += used) {
		size_t n = data[at] % 7 + 1u;

		result = frame_feed(
		    f, data + at, n < size - at ? n : size - at, &used);
		if (result == FRAME_BAD)
			break;
	}
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int ready;
	struct frame whole = {0}, pieces;
	enum frame_result result;
	struct err e = {0};
	size_t used;

	if (!ready)
		FUZZ_CHECK(front_init(&e) == 0);
	ready = 1;
	result = frame_feed(&whole, data, size, &used);
	FUZZ_CHECK(used <= size);
	FUZZ_CHECK(in_pieces(data, size, &pieces) == result);
	if (result == FRAME_BAD) {
		FUZZ_CHECK(whole.fault != NULL);
		return 0;
	}
	FUZZ_CHECK(whole.size == used && pieces.size == used);
	FUZZ_CHECK(whole.body == pieces.body);
	FUZZ_CHECK(whole.content_length == pieces.content_length);
	if (result == FRAME_DONE)
		as_libfcgi_reads_it(&whole, data, used);
	else
		FUZZ_CHECK(used == size);
	return 0;
}
