/* tests/unit/test_log.c - base/log.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int saved_stderr = -1;

/* Puts the log's output into a file; captured() gives it back. */
static int
capture_begin(void)
{
	char path[] = "/tmp/test_log.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	saved_stderr = dup(STDERR_FILENO);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	return fd;
}

static char *
capture_end(int fd)
{
	size_t cap = 4 << 20;
	char *text = calloc(1, cap);
	ssize_t n;

	assert_int_equal(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	close(saved_stderr);
	n = pread(fd, text, cap - 1, 0);
	assert_true(n >= 0);
	close(fd);
	return text;
}

/* Exactly one line that is one JSON object. */
static json_t *
one_line(const char *text)
{
	json_t *o;

	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_is_object(o));
	return o;
}

static const char *
member(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void
a_line_is_one_json_object_with_its_fields(void **state)
{
	struct err e = {ERR_BUSY, 5, "slow down"};
	int fd = capture_begin();
	char *text;
	json_t *o;

	(void)state;
	log_init("prog", "web", LOG_LEVEL_INFO);
	log_warning("thing-happened", LOG_STR("tenant", "t1"),
	    LOG_INT("n", INT64_MIN), LOG_BOOL("yes", 1), LOG_BOOL("no", 0),
	    LOG_ERR(&e));
	text = capture_end(fd);
	o = one_line(text);
	assert_string_equal(member(o, "level"), "warning");
	assert_string_equal(member(o, "program"), "prog");
	assert_string_equal(member(o, "role"), "web");
	assert_string_equal(member(o, "event"), "thing-happened");
	assert_string_equal(member(o, "tenant"), "t1");
	assert_string_equal(member(o, "message"), "slow down");
	assert_string_equal(member(o, "code"), "busy");
	assert_true(json_integer_value(json_object_get(o, "n")) == INT64_MIN);
	assert_true(json_is_true(json_object_get(o, "yes")));
	assert_true(json_is_false(json_object_get(o, "no")));
	assert_int_equal(strlen(member(o, "time")), 24);
	assert_int_equal(member(o, "time")[23], 'Z');
	json_decref(o);
	free(text);
}

static void
null_text_and_null_role_leave_the_member_out(void **state)
{
	int fd = capture_begin();
	char *text;
	json_t *o;

	(void)state;
	log_init("prog", NULL, LOG_LEVEL_INFO);
	log_info("x", LOG_STR("mailbox", NULL));
	text = capture_end(fd);
	o = one_line(text);
	assert_null(json_object_get(o, "role"));
	assert_null(json_object_get(o, "mailbox"));
	json_decref(o);
	free(text);
}

static void
foreign_text_can_neither_break_the_line_nor_hide(void **state)
{
	static const char evil[] = "a\"b\\c\nd\x01\x7F\xC2\x85"
				   "\xE2\x80\xA8\xE2\x80\xAE\xD8\x9C\xFFz";
	int fd = capture_begin();
	char *text;
	json_t *o;

	(void)state;
	log_init("prog", NULL, LOG_LEVEL_INFO);
	log_info("x", LOG_STR("v", evil));
	text = capture_end(fd);
	o = one_line(text);
	for (const char *c = text; c[1] != '\0'; c++)
		assert_true((unsigned char)*c >= 0x20 && *c != 0x7F);
	assert_null(strstr(text, "\xE2\x80\xA8"));
	assert_null(strstr(text, "\xE2\x80\xAE"));
	assert_null(strstr(text, "\xD8\x9C"));
	assert_null(strchr(text, '\xFF'));
	assert_string_equal(member(o, "v"),
	    "a\"b\\c\nd\x01\x7F\xC2\x85"
	    "\xE2\x80\xA8\xE2\x80\xAE\xD8\x9C\xEF\xBF\xBDz");
	json_decref(o);
	free(text);
}

static void
long_text_is_cut_at_256_bytes_and_a_code_point(void **state)
{
	char value[600] = "x";
	int fd = capture_begin();
	char *text;
	json_t *o;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(value + 1 + 3 * i, "\xE2\x82\xAC", 4);
	log_init("prog", NULL, LOG_LEVEL_INFO);
	log_info("x", LOG_STR("v", value));
	text = capture_end(fd);
	o = one_line(text);
	assert_int_equal(strlen(member(o, "v")), 256);
	json_decref(o);
	free(text);
}

static void
a_line_above_4_kib_is_cut_and_still_json(void **state)
{
	char value[300];
	int fd = capture_begin();
	char *text;
	json_t *o;

	(void)state;
	memset(value, 1, sizeof(value) - 1); /* six bytes each, escaped */
	value[sizeof(value) - 1] = '\0';
	log_init("prog", NULL, LOG_LEVEL_INFO);
	log_info("x", LOG_STR("a", value), LOG_STR("b", value),
	    LOG_STR("c", value), LOG_STR("d", value), LOG_INT("n", 1));
	text = capture_end(fd);
	assert_true(strlen(text) <= 4096);
	assert_true(strlen(text) > 4000);
	o = one_line(text);
	assert_true(json_is_true(json_object_get(o, "cut")));
	assert_int_equal(strlen(member(o, "b")), 256);
	json_decref(o);
	free(text);
}

static void
every_length_round_the_limit_gives_a_whole_line(void **state)
{
	char value[257];
	char tail[257];

	(void)state;
	memset(value, 1, sizeof(value) - 1);
	value[256] = '\0';
	log_init("prog", NULL, LOG_LEVEL_INFO);
	for (size_t n = 0; n < 256; n++) {
		int fd = capture_begin();
		char *text;

		memset(tail, '"', sizeof(tail));
		tail[n] = '\0';
		log_info("x", LOG_STR("a", value), LOG_STR("b", value),
		    LOG_STR("c", tail), LOG_STR("d", tail), LOG_INT("e", 1),
		    LOG_BOOL("f", 1));
		text = capture_end(fd);
		assert_true(strlen(text) <= 4096);
		json_decref(one_line(text));
		free(text);
	}
}

static void
levels_below_the_least_are_not_written(void **state)
{
	int fd = capture_begin();
	char *text;

	(void)state;
	log_init("prog", NULL, LOG_LEVEL_WARNING);
	log_info("quiet");
	log_debug("quiet");
	assert_false(log_enabled(LOG_LEVEL_INFO));
	log_set_level(LOG_LEVEL_DEBUG);
	assert_true(log_enabled(LOG_LEVEL_DEBUG));
	text = capture_end(fd);
	assert_string_equal(text, "");
	free(text);
}

static void
errno_is_kept(void **state)
{
	int fd = capture_begin();

	(void)state;
	log_init("prog", NULL, LOG_LEVEL_INFO);
	close(STDERR_FILENO); /* so that write(2) fails and sets it */
	errno = ENOTTY;
	log_info("x");
	assert_int_equal(errno, ENOTTY);
	free(capture_end(fd));
}

enum { LINES = 2000, LINES_OF_EACH = 500, PIPE_SIZE = 1 << 20 };

static void *
write_lines(void *arg)
{
	char value[201];

	memset(value, *(const char *)arg, sizeof(value) - 1);
	value[200] = '\0';
	for (int i = 0; i < LINES_OF_EACH; i++)
		log_info("x", LOG_STR("v", value));
	return NULL;
}

static void *
read_pipe(void *arg)
{
	int fd = *(int *)arg;
	FILE *in = fdopen(fd, "r");
	char line[8192];
	long count = 0;

	while (fgets(line, sizeof(line), in) != NULL) {
		json_t *o = json_loads(line, 0, NULL);
		const char *v = o != NULL ? member(o, "v") : NULL;

		const char first[2] = {v != NULL ? v[0] : '\0', '\0'};

		if (v != NULL && strlen(v) == 200 && strspn(v, first) == 200)
			count++;
		json_decref(o);
	}
	fclose(in);
	return (void *)count;
}

static void
lines_of_several_threads_do_not_mix(void **state)
{
	static char letters[4][2] = {"a", "b", "c", "d"};
	pthread_t writers[4];
	pthread_t reader;
	void *count;
	int pipes[2];
	int old = dup(STDERR_FILENO);

	(void)state;
	log_init("prog", NULL, LOG_LEVEL_INFO);
	assert_int_equal(pipe(pipes), 0);
	/* It takes them all, so that none is dropped for want of a reader. */
	assert_true(fcntl(pipes[1], F_SETPIPE_SZ, PIPE_SIZE) >= PIPE_SIZE);
	dup2(pipes[1], STDERR_FILENO);
	close(pipes[1]);
	pthread_create(&reader, NULL, read_pipe, &pipes[0]);
	for (int i = 0; i < 4; i++)
		pthread_create(&writers[i], NULL, write_lines, letters[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(writers[i], NULL);
	dup2(old, STDERR_FILENO);
	close(old);
	pthread_join(reader, &count);
	assert_int_equal((long)count, 4L * LINES_OF_EACH);
}

/* Reads what lies in the pipe; the number of lines, *first and *last. */
static int
drain(int fd, char first[8192], char last[8192])
{
	static char data[1 << 17];
	ssize_t n = read(fd, data, sizeof(data) - 1);
	int count = 0;

	assert_true(n > 0);
	data[n] = '\0';
	for (char *at = data; *at != '\0'; count++) {
		char *end = strchr(at, '\n');

		assert_non_null(end);
		snprintf(last, 8192, "%.*s", (int)(end - at), at);
		if (count == 0)
			memcpy(first, last, strlen(last) + 1);
		at = end + 1;
	}
	return count;
}

static void
a_full_pipe_stops_nobody_and_is_told_of(void **state)
{
	int pipes[2], written = 0, got;
	int old = dup(STDERR_FILENO);
	char first[8192], last[8192];
	json_t *o;

	(void)state;
	log_init("prog", NULL, LOG_LEVEL_INFO);
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	close(pipes[1]);
	alarm(20); /* a write that waits for ever */
	for (; written < LINES; written++)
		log_info("filling-the-pipe", LOG_INT("n", written));
	got = drain(pipes[0], first, last);
	assert_true(got > 100 && got < written);
	log_info("again");
	alarm(0);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(drain(pipes[0], first, last), 2);
	o = json_loads(first, 0, NULL);
	assert_string_equal(member(o, "event"), "log-lines-dropped");
	assert_int_equal(
	    json_integer_value(json_object_get(o, "lines")), written - got);
	json_decref(o);
	assert_non_null(strstr(last, "\"again\""));
	log_info("filling-the-pipe");
	assert_int_equal(drain(pipes[0], first, last), 1);
	dup2(old, STDERR_FILENO);
	close(old);
	close(pipes[0]);
}

static void
names_of_levels_are_read_exactly(void **state)
{
	enum log_level level = LOG_LEVEL_INFO;

	(void)state;
	assert_int_equal(log_level_parse("error", &level), 0);
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("Debug", &level), -1);
	assert_int_equal(log_level_parse("", &level), -1);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_one_json_object_with_its_fields),
	    cmocka_unit_test(null_text_and_null_role_leave_the_member_out),
	    cmocka_unit_test(foreign_text_can_neither_break_the_line_nor_hide),
	    cmocka_unit_test(long_text_is_cut_at_256_bytes_and_a_code_point),
	    cmocka_unit_test(a_line_above_4_kib_is_cut_and_still_json),
	    cmocka_unit_test(every_length_round_the_limit_gives_a_whole_line),
	    cmocka_unit_test(levels_below_the_least_are_not_written),
	    cmocka_unit_test(errno_is_kept),
	    cmocka_unit_test(lines_of_several_threads_do_not_mix),
	    cmocka_unit_test(a_full_pipe_stops_nobody_and_is_told_of),
	    cmocka_unit_test(names_of_levels_are_read_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
