/* base/when.h - times as text. All int64_t are Unix milliseconds, UTC. */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WHEN_TEXT_MAX = 32 };

/*
 * RFC 3339 as Graph writes it: up to 7 (we take 9) fractional digits, cut to
 * milliseconds; "Z", an offset, or, with naive_is_utc, nothing. Years 1970 to
 * 9999. -1 for anything else.
 */
int when_parse_iso(const char *text, bool naive_is_utc, int64_t *out_ms);

/* "2026-11-23T08:32:25Z" (with_ms: ".123" before the Z). */
void when_format_iso(int64_t ms, bool with_ms, char out[WHEN_TEXT_MAX]);

/* The value of a Retry-After header at now_ms: integer or decimal seconds, or
 * an HTTP date. Milliseconds to wait, >= 0; -1 when it makes no sense. */
int64_t when_parse_retry_after(const char *text, int64_t now_ms);

/* Half up to the minute, as Unblu rounds scheduledTimestamp. */
int64_t when_round_minute(int64_t ms);

/* Broken-down UTC, proleptic Gregorian; wday 0 = Sunday. */
struct when_utc {
	int year, month, day, hour, minute, second, wday;
};
void when_to_utc(int64_t ms, struct when_utc *out);
/* Fields beyond their range count on (month 13 is next January); wday is
 * ignored. */
int64_t when_from_utc(const struct when_utc *in);

#endif
