/* fcgi/web_limit.c - see web_limit.h. */
#include "web_limit.h"

enum { LIMIT_WINDOW_MS = 10 * 1000, LIMIT_LINES = 200 };

bool
limit_allows(struct limit *l, int64_t now_ms, int64_t *suppressed)
{
	if (l->used == 0 || now_ms - l->window_ms >= LIMIT_WINDOW_MS) {
		l->window_ms = now_ms;
		l->used = 0;
	}
	if (l->used >= LIMIT_LINES) {
		l->suppressed++;
		return false;
	}
	l->used++;
	*suppressed = l->suppressed;
	l->suppressed = 0;
	return true;
}
