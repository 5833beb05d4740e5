/* rule/validation.h - Graph's endpoint validation: which token to echo.
 * Pure: no I/O, no clock. */
#ifndef RULE_VALIDATION_H
#define RULE_VALIDATION_H

#include <stddef.h>

enum { VALIDATION_TOKEN_MAX = 2048 }; /* decoded bytes */

enum validation {
	VALIDATION_NONE, /* no validationToken in the query */
	VALIDATION_TOKEN, /* echo it */
	VALIDATION_BAD /* 400 */
};

/*
 * Looks for the parameter validationToken (name in any letter case) in the
 * query string (without '?') and form-decodes its value exactly once into
 * out, NUL-terminated, *len bytes. Bad are: an empty one, two of them, a
 * broken escape, bytes that are not UTF-8, control characters, more than
 * VALIDATION_TOKEN_MAX bytes; *why is then a static text.
 * Source: change notification delivery by webhooks, "notificationUrl
 * validation".
 */
enum validation validation_parse(const char *query,
    char out[VALIDATION_TOKEN_MAX + 1], size_t *len, const char **why);

#endif
