/* port/config_option.h - the one table of all configuration keys. */
#ifndef PORT_CONFIG_OPTION_H
#define PORT_CONFIG_OPTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "port/config.h"

enum config_kind {
	CONFIG_KIND_TEXT, /* a string; char * */
	CONFIG_KIND_BOOL, /* true or false; bool */
	CONFIG_KIND_NUMBER, /* a number, also as a string; int or int64_t */
	CONFIG_KIND_CHOICE, /* one of choices; index (enum, bool) or char * */
	CONFIG_KIND_LIST, /* an array of strings; struct config_list */
	CONFIG_KIND_TEXTS /* an object locale -> text; char * (JSON text) */
};

enum config_option_flag {
	CONFIG_REQUIRED = 1,
	CONFIG_NEEDED_BY_SERVER = 2, /* required with syncServerEnabled */
	CONFIG_ORIGINAL = 4, /* a key of the original product */
	CONFIG_PUBLIC = 8, /* may appear in the add-in's config.json */
	CONFIG_FRACTION = 32, /* a number that need not be whole */
	CONFIG_AS_TEXT = 64, /* a choice that is kept as char * */
	CONFIG_OR_NUMBER = 128, /* a text that may be a JSON integer */
	CONFIG_EMPTY_OK = 256, /* "" is the same as absent */
	CONFIG_NULL_DEFAULT = 512, /* the default is computed or "none" */
	CONFIG_NOT_EMPTY = 1024 /* a list with at least one item */
};

/* What a text or a list's item must look like. */
struct config_format {
	const char *name;
	const char *what; /* completes "must be ..." */
	const char *pattern; /* ERE that JSON Schema reads alike; NULL: any */
	size_t max; /* bytes */
	/* What the pattern can not say. NULL: nothing more. */
	int (*check)(const char *text, struct err *e);
	/* The form kept in struct config, yours. NULL: as it stands. */
	char *(*settle)(const char *text);
};

struct config_option {
	const char *key;
	enum config_kind kind;
	unsigned flags; /* OR of enum config_option_flag */
	size_t offset; /* in struct config */
	size_t size; /* of that field */
	const char *fallback; /* the default as JSON; "{clientId}" expands */
	const char *fallback_note; /* says it in words where fallback can not */
	const struct config_format *format; /* TEXT, LIST items, TEXTS values */
	const char *const *choices; /* NULL-terminated */
	double least, most; /* NUMBER: bounds as written */
	double unit; /* NUMBER: stored = written * unit */
	const char *sample; /* JSON in the sample file; NULL: not there */
	const char *source; /* where an operator finds the value, or NULL */
	const char *help;
};

/* All options, in the order of the reference page. */
extern const struct config_option config_options[];
extern const size_t config_option_count;

/* NULL when there is no such key. */
const struct config_option *config_option_find(const char *key);

/* The known key that is within two edits (upper and lower case alike), or
 * NULL. */
const struct config_option *config_option_near(const char *key);

/* The option's present value in c as JSON: what the file would have to say
 * (settled, with defaults). New reference. */
json_t *
config_option_value(const struct config_option *o, const struct config *c);

/* Whether text has the format: 0, or -1 with what it must be. */
int config_format_check(
    const struct config_format *f, const char *text, struct err *e);

#endif
