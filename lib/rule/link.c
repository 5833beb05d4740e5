/* rule/link.c - see link.h. */
#include "rule/link.h"

#include <stddef.h>
#include <string.h>

#include "rule/event.h"

bool
link_is_over(enum link_state state)
{
	return state == LINK_FOREIGN || state == LINK_ENDED ||
	    state == LINK_KEPT || state == LINK_DELETED ||
	    state == LINK_ENDED_EARLY;
}

int64_t
link_end_when_over(const char *series, int64_t end_ms, int64_t now_ms)
{
	return end_ms > now_ms &&
		strcmp(series, event_type_name(EVENT_MASTER)) == 0
	    ? now_ms
	    : end_ms;
}

int64_t
link_next_search_ms(int made, int64_t since_ms)
{
	static const int minutes[] = {0, 1, 5, 15, 60};

	if (made < 0)
		made = 0;
	if ((size_t)made >= sizeof(minutes) / sizeof(minutes[0]))
		return INT64_MAX;
	return since_ms + (int64_t)minutes[made] * 60 * 1000;
}
