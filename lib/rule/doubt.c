/* rule/doubt.c - see doubt.h. */
#include "rule/doubt.h"

#include <string.h>

bool
doubt_is_gone(const struct doubt *d, const char *writing, int64_t now_ms)
{
	if (strcmp(writing, "delete") == 0)
		return true;
	return strcmp(d->reason, DOUBT_GONE) == 0 && d->not_before_ms > 0 &&
	    now_ms >= d->not_before_ms;
}

enum doubt_refusal
doubt_refused(const struct doubt *d, const char *text)
{
	if (strcmp(d->reason, text) != 0)
		return DOUBT_FIRST;
	return d->attempts + 1 < DOUBT_REFUSALS ? DOUBT_AGAIN : DOUBT_ENOUGH;
}
