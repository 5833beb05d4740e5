/* base/json.h - reading JSON documents that are not notifications (Jansson). */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { JSON_DEPTH_MAX = 32, JSON_VALUES_MAX = 200000 };

/*
 * Parses len bytes strictly: duplicate keys, trailing bytes, bad UTF-8,
 * \u0000, depth over JSON_DEPTH_MAX and more than JSON_VALUES_MAX values are
 * refused (checked in one pass before any memory is taken). New reference, or
 * NULL with ERR_INPUT whose text has "line L column C: ...".
 */
json_t *json_load_strict(const char *data, size_t len, struct err *e);

/*
 * As json_load_strict(), for the answers of others who write what their users
 * typed: an escaped NUL and a surrogate without its other half (JSON allows
 * both, text has no place for them) are read as U+FFFD.
 */
json_t *json_load_foreign(const char *data, size_t len, struct err *e);

/* Member of an object, NULL when o is no object or the member is absent or
 * of another type. Borrowed. */
const char *json_str(const json_t *o, const char *key);
json_t *json_obj(const json_t *o, const char *key);
json_t *json_arr(const json_t *o, const char *key);
/* Member or the fallback. */
int64_t json_int(const json_t *o, const char *key, int64_t fallback);
bool json_flag(const json_t *o, const char *key, bool fallback);

/* Compact text of a document that we built ourselves (never foreign: Jansson
 * 2.14 recurses without bound in dump). Yours, free(). */
char *json_text(const json_t *doc);

#endif
