/* base/log.c - see log.h. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/when.h"

enum {
	LOG_LINE_MAX = 4096, /* PIPE_BUF: up to here a write is one piece */
	LOG_VALUE_MAX = 256,
	LOG_WAIT_MS = 100
};

static const char *log_program = "outlook-addin";
static const char *log_role;
static atomic_int log_least = LOG_LEVEL_INFO;
static atomic_llong log_dropped; /* lines since the last one that was taken */

static const char *const log_level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

/* What closes a line that could not hold everything. */
static const char log_cut_end[] = ",\"cut\":true}\n";

/* One line being made; room for log_cut_end is always left. */
struct log_line {
	char data[LOG_LINE_MAX];
	size_t len;
	bool cut;
};

static size_t
log_room(const struct log_line *line)
{
	return sizeof(line->data) - sizeof(log_cut_end) - line->len;
}

static bool
log_put(struct log_line *line, const char *data, size_t len)
{
	if (len > log_room(line)) {
		line->cut = true;
		return false;
	}
	memcpy(line->data + line->len, data, len);
	line->len += len;
	return true;
}

/* Text as a JSON string; what does not fit is left out at a code point. */
static void
log_put_text(struct log_line *line, const char *text)
{
	size_t len = text_cut_bytes(text, LOG_VALUE_MAX);
	size_t at = 0;

	if (!log_put(line, "\"", 1))
		return;
	while (at < len) {
		char out[TEXT_ESCAPE_MAX];
		size_t used;
		size_t n = text_json_escape(text + at, len - at, out, &used);

		if (n + 1 > log_room(line)) {
			line->cut = true;
			break;
		}
		log_put(line, out, n);
		at += used;
	}
	log_put(line, "\"", 1);
}

/* One member. All or nothing but for the end of a long string. */
static void
log_put_field(struct log_line *line, const struct log_field *f)
{
	struct log_line *l = line;
	size_t before = l->len;
	char number[24];
	int n;

	if (f->type == LOG_TYPE_STR && f->str == NULL)
		return;
	if (l->len > 1)
		log_put(l, ",", 1);
	log_put_text(l, f->key);
	/* The shortest value that says something is a few characters. */
	if (log_room(l) < sizeof(number) + 1) {
		l->len = before;
		l->cut = true;
		return;
	}
	log_put(l, ":", 1);
	switch (f->type) {
	case LOG_TYPE_STR:
		log_put_text(l, f->str);
		break;
	case LOG_TYPE_INT:
		n = snprintf(number, sizeof(number), "%" PRId64, f->num);
		log_put(l, number, (size_t)n);
		break;
	case LOG_TYPE_BOOL:
	case LOG_TYPE_END:
		n = snprintf(number, sizeof(number), "%s",
		    f->num != 0 ? "true" : "false");
		log_put(l, number, (size_t)n);
		break;
	}
}

static void
log_put_head(struct log_line *line, enum log_level level, const char *event)
{
	char now[WHEN_TEXT_MAX];
	const struct log_field head[] = {
	    LOG_STR("time", now),
	    LOG_STR("level", log_level_names[level]),
	    LOG_STR("program", log_program),
	    LOG_STR("role", log_role),
	    LOG_STR("event", event),
	};

	when_format_iso(clock_wall_ms(), true, now);
	log_put(line, "{", 1);
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		log_put_field(line, &head[i]);
}

static void
log_finish(struct log_line *line)
{
	const char *end = line->cut ? log_cut_end : "}\n";
	size_t len = strlen(end);

	memcpy(line->data + line->len, end, len);
	line->len += len;
}

/*
 * stderr is shared with other programs and has to stay blocking; whether it
 * takes something is asked first. A pipe that says so has room for a whole
 * line. Somebody else may be quicker, so the first try does not wait where the
 * kernel knows such a write; the second is for those that do not.
 */
static ssize_t
log_try(const char *data, size_t len, int wait_ms)
{
	struct iovec piece = {(char *)(uintptr_t)data, len};
	struct pollfd out = {STDERR_FILENO, POLLOUT, 0};
	ssize_t n;

	if (poll(&out, 1, wait_ms) <= 0)
		return -1;
	n = pwritev2(STDERR_FILENO, &piece, 1, -1, RWF_NOWAIT);
	if (n >= 0 || poll(&out, 1, wait_ms) <= 0)
		return n;
	return write(STDERR_FILENO, data, len);
}

/* Whether all of it was taken. What is slow is waited for a moment, what has
 * stopped costs that moment once. */
static bool
log_send(const struct log_line *line)
{
	int wait_ms = atomic_load(&log_dropped) == 0 ? LOG_WAIT_MS : 0;
	size_t at = 0;

	while (at < line->len) {
		ssize_t n = log_try(line->data + at, line->len - at, wait_ms);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* Before the first line that is taken again: how many were not. */
static bool
log_tell_dropped(void)
{
	int64_t count = atomic_load(&log_dropped);
	const struct log_field lines = LOG_INT("lines", count);
	struct log_line line = {.len = 0, .cut = false};

	if (count == 0)
		return true;
	log_put_head(&line, LOG_LEVEL_WARNING, "log-lines-dropped");
	log_put_field(&line, &lines);
	log_finish(&line);
	if (!log_send(&line))
		return false;
	atomic_fetch_sub(&log_dropped, count);
	return true;
}

void
log_init(const char *program, const char *role, enum log_level least)
{
	log_program = program;
	log_role = role;
	log_set_level(least);
}

void
log_set_level(enum log_level least)
{
	atomic_store(&log_least, (int)least);
}

bool
log_enabled(enum log_level level)
{
	return (int)level >= atomic_load(&log_least);
}

void
log_write(enum log_level level, const char *event, ...)
{
	struct log_line line;
	int saved = errno;
	va_list ap;

	if (!log_enabled(level))
		return;
	line.len = 0;
	line.cut = false;
	log_put_head(&line, level, event);
	va_start(ap, event);
	for (;;) {
		struct log_field f = va_arg(ap, struct log_field);

		if (f.type == LOG_TYPE_END)
			break;
		log_put_field(&line, &f);
	}
	va_end(ap);
	log_finish(&line);
	/* A stderr that takes nothing must not stop the work. */
	if (!log_tell_dropped() || !log_send(&line))
		atomic_fetch_add(&log_dropped, 1);
	errno = saved;
}

int
log_level_parse(const char *name, enum log_level *out)
{
	for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_ERROR; i++) {
		if (strcmp(name, log_level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}
