/* port/config_report.h - gathers every mistake of one configuration. */
#ifndef PORT_CONFIG_REPORT_H
#define PORT_CONFIG_REPORT_H

#include <stdbool.h>

#include "base/buf.h"

/* The buffers are the caller's; each finding is one line "path: text". */
struct config_report {
	struct buf *problems;
	struct buf *warnings;
	int problem_count; /* also those that are no longer printed */
	int warning_count;
	bool strict; /* of config_override: some warnings are mistakes */
	bool *refused; /* per option of the table: its value was a mistake */
};

void config_problem(struct config_report *r, const char *path, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
void config_warning(struct config_report *r, const char *path, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

enum { CONFIG_QUOTE_MAX = 512 };

/* Foreign text in quotes, escaped as in JSON, cut at 80 characters. */
const char *config_quote(char out[CONFIG_QUOTE_MAX], const char *text);

enum { CONFIG_PATH_MAX = CONFIG_QUOTE_MAX + 64 };

/* "$.key", or $["a key"] when it needs quotes. */
const char *config_path(char out[CONFIG_PATH_MAX], const char *key);

#endif
