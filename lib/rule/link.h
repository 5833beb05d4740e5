/* rule/link.h - what the rules need to know of a stored link. Pure. */
#ifndef RULE_LINK_H
#define RULE_LINK_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the store's states. */
enum link_state {
	LINK_ANNOUNCED,
	LINK_LINKED,
	LINK_GONE,
	LINK_HELD,
	LINK_FOREIGN,
	LINK_ENDED,
	LINK_KEPT,
	LINK_DELETED,
	LINK_UNCONFIRMED,
	LINK_ENDED_EARLY
};

/* A link as stored; strings are borrowed, never NULL. */
struct link {
	enum link_state state;
	bool mine; /* of the mailbox that is looked at */
	const char *conversation;
	const char *source_id;
	const char *event; /* "" until seen */
	bool known; /* topic and start were written or announced */
	const char *topic;
	int64_t start_ms;
	int64_t gone_since_ms; /* 0: not gone */
	int64_t occurrence_end_ms; /* series: of the last chosen one, 0 none */
};

/* Nothing is done for such a link any more. */
bool link_is_over(enum link_state state);

/*
 * What is over has ended by now_ms at the latest. A series' end may lie in the
 * year 9999; anything else keeps its own. series: as event_type_name() says.
 */
int64_t link_end_when_over(const char *series, int64_t end_ms, int64_t now_ms);

/*
 * First sight: a link whose event is not known is searched for at once, then
 * 1, 5, 15 and 60 minutes after since_ms. When search number made + 1 is due;
 * INT64_MAX: no more by itself.
 */
int64_t link_next_search_ms(int made, int64_t since_ms);

#endif
