/* tests/unit/test_frame.c - the grammar of one FastCGI request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/frame.h"

enum { BEGIN = 1, ABORT = 2, PARAMS = 4, STDIN = 5, DATA = 8, GET_VALUES = 9 };

/* A request under construction. */
struct bytes {
	unsigned char data[256 * 1024];
	size_t len;
};

static struct bytes b;

static void
put(const void *data, size_t len)
{
	assert_true(b.len + len <= sizeof(b.data));
	memcpy(b.data + b.len, data, len);
	b.len += len;
}

static void
header(int type, int id, size_t content, int padding)
{
	const unsigned char h[8] = {1, (unsigned char)type,
	    (unsigned char)(id >> 8), (unsigned char)id,
	    (unsigned char)(content >> 8), (unsigned char)content,
	    (unsigned char)padding, 0};

	put(h, sizeof(h));
}

static void
record(int type, int id, const void *data, size_t len)
{
	header(type, id, len, 0);
	put(data, len);
}

static void
begin(int id, int role, int flags)
{
	const unsigned char body[8] = {(unsigned char)(role >> 8),
	    (unsigned char)role, (unsigned char)flags};

	record(BEGIN, id, body, sizeof(body));
}

static size_t
pair(unsigned char *out, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);

	out[0] = (unsigned char)n;
	out[1] = 0x80;
	out[2] = (unsigned char)(v >> 16);
	out[3] = (unsigned char)(v >> 8);
	out[4] = (unsigned char)v;
	memcpy(out + 5, name, n);
	memcpy(out + 5 + n, value, v);
	return 5 + n + v;
}

static size_t
some_params(unsigned char *out)
{
	size_t n = pair(out, "REQUEST_METHOD", "POST");

	n += pair(out + n, "CONTENT_LENGTH", "11");
	n += pair(out + n, "QUERY_STRING", "");
	return n;
}

/* A sound request: two PARAMS records that cut a pair in the middle. */
static void
sound_request(void)
{
	unsigned char params[256];
	size_t n = some_params(params);

	b.len = 0;
	begin(7, 1, 1);
	record(PARAMS, 7, params, 9);
	header(PARAMS, 7, n - 9, 3);
	put(params + 9, n - 9);
	put("\0\0\0", 3);
	record(PARAMS, 7, "", 0);
	record(STDIN, 7, "hello ", 6);
	record(STDIN, 7, "world", 5);
	record(STDIN, 7, "", 0);
}

static enum frame_result
feed_all(struct frame *f, size_t *used)
{
	memset(f, 0, sizeof(*f));
	return frame_feed(f, b.data, b.len, used);
}

static void
bad(const char *fault)
{
	struct frame f;
	size_t used;

	assert_int_equal(feed_all(&f, &used), FRAME_BAD);
	assert_string_equal(f.fault, fault);
}

static void
a_whole_request_is_done_and_counted(void **state)
{
	struct frame f;
	size_t used;

	(void)state;
	sound_request();
	assert_int_equal(feed_all(&f, &used), FRAME_DONE);
	assert_int_equal(used, b.len);
	assert_int_equal(f.size, b.len);
	assert_int_equal(f.body, 11);
	assert_int_equal(f.content_length, 11);
	assert_true(f.keep);
	assert_int_equal(f.head, b.len - (8 + 6) - (8 + 5) - 8);
}

static void
what_follows_belongs_to_the_next_request(void **state)
{
	struct frame f;
	size_t used, whole;

	(void)state;
	sound_request();
	whole = b.len;
	begin(7, 1, 0);
	assert_int_equal(feed_all(&f, &used), FRAME_DONE);
	assert_int_equal(used, whole);
}

static void
a_request_cut_at_any_byte_is_not_done_and_goes_on(void **state)
{
	(void)state;
	sound_request();
	for (size_t cut = 0; cut < b.len; cut++) {
		struct frame f = {0};
		size_t used;

		assert_int_equal(
		    frame_feed(&f, b.data, cut, &used), FRAME_MORE);
		assert_int_equal(used, cut);
		assert_int_equal(
		    frame_feed(&f, b.data + cut, b.len - cut, &used),
		    FRAME_DONE);
		assert_int_equal(used, b.len - cut);
		assert_int_equal(f.content_length, 11);
		assert_int_equal(f.body, 11);
	}
}

static void
a_request_may_come_byte_by_byte(void **state)
{
	struct frame f = {0};

	(void)state;
	sound_request();
	for (size_t i = 0; i < b.len; i++) {
		size_t used;

		assert_int_equal(frame_feed(&f, b.data + i, 1, &used),
		    i + 1 < b.len ? FRAME_MORE : FRAME_DONE);
	}
}

static void
a_changed_header_byte_never_makes_a_request_longer_than_it_is(void **state)
{
	(void)state;
	sound_request();
	for (size_t i = 0; i < b.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct frame f;
			size_t used;

			b.data[i] ^= (unsigned char)(1 << bit);
			feed_all(&f, &used);
			assert_true(used <= b.len);
			b.data[i] ^= (unsigned char)(1 << bit);
		}
	}
}

static void
only_responders_are_served(void **state)
{
	(void)state;
	for (int role = 0; role < 4; role++) {
		if (role == 1)
			continue;
		b.len = 0;
		begin(1, role, 0);
		bad("role is not responder");
	}
	b.len = 0;
	begin(1, 0x101, 0);
	bad("role is not responder");
}

static void
a_request_starts_with_a_sound_begin(void **state)
{
	(void)state;
	b.len = 0;
	record(PARAMS, 1, "", 0);
	bad("does not start with BEGIN");
	b.len = 0;
	begin(0, 1, 0);
	bad("malformed BEGIN");
	b.len = 0;
	record(BEGIN, 1, "1234567", 7);
	bad("malformed BEGIN");
	b.len = 0;
	header(BEGIN, 1, 8, 8);
	bad("malformed BEGIN");
	b.len = 0;
	begin(1, 1, 0);
	b.data[0] = 2;
	bad("version is not 1");
}

static void
abort_management_and_multiplexing_are_refused(void **state)
{
	static const int types[] = {
	    BEGIN, ABORT, STDIN, DATA, GET_VALUES, 0, 11, 255};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		b.len = 0;
		begin(1, 1, 0);
		record(types[i], 1, "12345678", 8);
		bad("record of an unexpected type");
	}
	b.len = 0;
	begin(1, 1, 0);
	record(PARAMS, 2, "", 0);
	bad("record of another request");
	b.len = 0;
	begin(1, 1, 0);
	record(PARAMS, 0, "", 0);
	bad("record of another request");
}

static void
parameters_after_the_body_has_begun_are_refused(void **state)
{
	(void)state;
	b.len = 0;
	begin(1, 1, 0);
	record(PARAMS, 1, "", 0);
	record(STDIN, 1, "a", 1);
	record(PARAMS, 1, "", 0);
	bad("record of an unexpected type");
}

static void
the_records_that_end_a_stream_are_not_padded(void **state)
{
	(void)state;
	b.len = 0;
	begin(1, 1, 0);
	header(PARAMS, 1, 0, 1);
	put("", 1);
	bad("padded end of a stream");
	b.len = 0;
	begin(1, 1, 0);
	record(PARAMS, 1, "", 0);
	header(STDIN, 1, 0, 255);
	bad("padded end of a stream");
}

/* The lengths of CVE-2025-23016: the sum of both overflows. */
static void
lengths_that_do_not_fit_are_refused(void **state)
{
	static const struct {
		unsigned char data[10];
		size_t len;
		const char *fault;
	} cases[] = {
	    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8,
		"length of a parameter's name"},
	    {{0xff, 0xff, 0xff, 0xff, 0}, 5, "length of a parameter's name"},
	    {{0, 1, 'a'}, 3, "length of a parameter's name"},
	    {{1, 0xff, 0xff, 0xff, 0xff, 'a'}, 6,
		"length of a parameter's value"},
	    {{1, 0x80, 1, 0, 1, 'a'}, 6, "length of a parameter's value"},
	    {{0x80, 0, 1, 1, 0}, 5, "length of a parameter's name"},
	    {{3, 1, 'a', '=', 'b', 'c'}, 6, "'=' in a parameter's name"},
	    {{2, 1, 'a', 0, 'b'}, 5, "NUL in a parameter"},
	    {{1, 2, 'a', 'b', 0}, 5, "NUL in a parameter"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b.len = 0;
		begin(1, 1, 0);
		record(PARAMS, 1, cases[i].data, cases[i].len);
		bad(cases[i].fault);
	}
}

static void
a_pair_that_reaches_behind_the_stream_is_refused(void **state)
{
	static const unsigned char whole[] = {
	    4, 3, 'N', 'A', 'M', 'E', 'v', 'a', 'l'};

	(void)state;
	for (size_t cut = 1; cut <= sizeof(whole); cut++) {
		struct frame f;
		size_t used;

		b.len = 0;
		begin(1, 1, 0);
		record(PARAMS, 1, whole, cut);
		record(PARAMS, 1, "", 0);
		if (cut < sizeof(whole))
			bad("parameters end inside a pair");
		else
			assert_int_equal(feed_all(&f, &used), FRAME_MORE);
	}
}

static void
parameters_have_a_limit_all_together(void **state)
{
	static unsigned char value[40000];
	unsigned char head[] = {1, 0x80, 0, 0x9c, 0x40, 'a'};

	(void)state;
	memset(value, 'x', sizeof(value));
	b.len = 0;
	begin(1, 1, 0);
	for (int i = 0; i < 2; i++) {
		record(PARAMS, 1, head, sizeof(head));
		record(PARAMS, 1, value, sizeof(value));
	}
	bad("too many parameters");
}

static void
padding_counts_before_the_body_and_not_in_it(void **state)
{
	static const unsigned char padding[255];
	unsigned char head[] = {1, 0x80, 0, 0x9c, 0x40, 'a'};
	struct frame f;
	size_t used;

	(void)state;
	b.len = 0;
	begin(1, 1, 0);
	record(PARAMS, 1, head, sizeof(head));
	while (b.len + 264 <= FRAME_HEAD_MAX) {
		header(PARAMS, 1, 1, sizeof(padding));
		put("v", 1);
		put(padding, sizeof(padding));
	}
	assert_int_equal(feed_all(&f, &used), FRAME_MORE);
	header(PARAMS, 1, 1, sizeof(padding));
	put("v", 1);
	put(padding, sizeof(padding));
	bad("too long before its body");

	b.len = 0;
	begin(1, 1, 0);
	record(PARAMS, 1, "", 0);
	while (b.len <= FRAME_HEAD_MAX + 264) {
		header(STDIN, 1, 1, sizeof(padding));
		put("v", 1);
		put(padding, sizeof(padding));
	}
	record(STDIN, 1, "", 0);
	assert_int_equal(feed_all(&f, &used), FRAME_DONE);
}

static void
content_length_is_read_as_far_as_it_is_a_number(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {{"0", 0}, {"", -1}, {"1048576", 1048576}, {"-1", -1},
	    {"12x", -1}, {" 1", -1}, {"99999999999999999999", -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char params[64];
		size_t n = pair(params, "CONTENT_LENGTH", cases[i].text);
		struct frame f;
		size_t used;

		b.len = 0;
		begin(1, 1, 0);
		record(PARAMS, 1, params, n);
		assert_int_equal(feed_all(&f, &used), FRAME_MORE);
		assert_int_equal(f.content_length, cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_request_is_done_and_counted),
	    cmocka_unit_test(what_follows_belongs_to_the_next_request),
	    cmocka_unit_test(a_request_cut_at_any_byte_is_not_done_and_goes_on),
	    cmocka_unit_test(a_request_may_come_byte_by_byte),
	    cmocka_unit_test(
		a_changed_header_byte_never_makes_a_request_longer_than_it_is),
	    cmocka_unit_test(only_responders_are_served),
	    cmocka_unit_test(a_request_starts_with_a_sound_begin),
	    cmocka_unit_test(abort_management_and_multiplexing_are_refused),
	    cmocka_unit_test(parameters_after_the_body_has_begun_are_refused),
	    cmocka_unit_test(the_records_that_end_a_stream_are_not_padded),
	    cmocka_unit_test(lengths_that_do_not_fit_are_refused),
	    cmocka_unit_test(a_pair_that_reaches_behind_the_stream_is_refused),
	    cmocka_unit_test(parameters_have_a_limit_all_together),
	    cmocka_unit_test(padding_counts_before_the_body_and_not_in_it),
	    cmocka_unit_test(content_length_is_read_as_far_as_it_is_a_number),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
