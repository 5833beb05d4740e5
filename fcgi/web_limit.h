/* fcgi/web_limit.h - so that a flood from outside does not flood the log. */
#ifndef FCGI_WEB_LIMIT_H
#define FCGI_WEB_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Of one kind of line and one thread; all zero at the start. */
struct limit {
	int64_t window_ms; /* start of the present window */
	int used;
	int64_t suppressed;
};

/*
 * Whether one more line may be written at now_ms (monotonic): two hundred in
 * ten seconds. *suppressed becomes the number of lines left out since the
 * last one that was allowed.
 */
bool limit_allows(struct limit *l, int64_t now_ms, int64_t *suppressed);

#endif
