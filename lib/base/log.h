/* base/log.h - one JSON object per line on stderr. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR
};

enum log_type { LOG_TYPE_END, LOG_TYPE_STR, LOG_TYPE_INT, LOG_TYPE_BOOL };

/* One member of the line. Strings are borrowed for the call. */
struct log_field {
	const char *key;
	enum log_type type;
	const char *str; /* NULL: the member is left out */
	int64_t num;
};

#define LOG_STR(k, v) ((struct log_field){(k), LOG_TYPE_STR, (v), 0})
#define LOG_INT(k, v)                                                          \
	((struct log_field){(k), LOG_TYPE_INT, NULL, (int64_t)(v)})
#define LOG_BOOL(k, v)                                                         \
	((struct log_field){(k), LOG_TYPE_BOOL, NULL, (v) ? 1 : 0})
/* The two members "message" and "code" of an error. */
#define LOG_ERR(e)                                                             \
	LOG_STR("message", (e)->text), LOG_STR("code", err_code_name((e)->code))
#define LOG_END ((struct log_field){NULL, LOG_TYPE_END, NULL, 0})

/*
 * log_info("event-name", LOG_STR("tenant", t), LOG_INT("ms", n)) and so on.
 * Writes {"time","level","program","role","event",...fields} in one write(2):
 * time is RFC 3339 UTC with milliseconds; foreign text is escaped (controls,
 * DEL, U+2028/9, bidi controls, invalid UTF-8) and cut at 256 bytes.
 * A stderr that nobody reads does not stop the caller: after 100 ms, once,
 * lines are dropped, and "log-lines-dropped" says how many when it goes again.
 * errno is kept. Safe from several threads.
 */
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__, LOG_END)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__, LOG_END)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__, LOG_END)

/* program and role (NULL: none) are borrowed for the process's life. */
void log_init(const char *program, const char *role, enum log_level least);
void log_set_level(enum log_level least);
bool log_enabled(enum log_level level);

/* Varargs are struct log_field values, the last one LOG_END. */
void log_write(enum log_level level, const char *event, ...);

/* "debug" | "info" | "warning" | "error" -> *out; -1 for anything else. */
int log_level_parse(const char *name, enum log_level *out);

#endif
