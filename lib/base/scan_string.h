/* base/scan_string.h - JSON strings, between scan.c and scan_walk.c only. */
#ifndef BASE_SCAN_STRING_H
#define BASE_SCAN_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/scan.h"

/*
 * Checks the string whose first byte behind the opening quote is at: no
 * controls, valid UTF-8, valid escapes, no lone surrogate. *out is the closing
 * quote, or the first fault when false is returned.
 */
bool scan_string_check(
    const char *at, const char *end, const char **out, bool *escaped);

/* Whether two checked strings are the same once unescaped. */
bool scan_string_same(const struct scan_value *a, const struct scan_value *b);

/* A hash of all of the unescaped string: the same for strings that
 * scan_string_same() calls the same, and for no others that somebody could
 * choose who does not know the seed. */
uint64_t scan_string_print(const struct scan_value *v, const uint64_t seed[2]);

/* The value that a checked text holds at the first non-blank from at on. The
 * byte behind it. */
const char *
scan_value_at(const char *at, const char *end, struct scan_value *out);

#endif
