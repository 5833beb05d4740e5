/* rule/doubt.h - answers of Unblu that would change what becomes of a link for
 * good: they are believed when they come again. Pure. */
#ifndef RULE_DOUBT_H
#define RULE_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	DOUBT_GONE_MS = 60 * 1000, /* before the second look */
	DOUBT_REFUSED_MS = 5 * 60 * 1000, /* between two attempts */
	DOUBT_REFUSALS = 3
};

/* The reason for which work waits behind the first 404. */
#define DOUBT_GONE "Unblu knows no such conversation: asked once more"

/* The work as it was taken up; the reason survives a restart. */
struct doubt {
	const char *reason; /* why it has waited, "" at first */
	int64_t not_before_ms; /* until then; 0: not, or it was let go early */
	int attempts; /* that have failed, for whatever reason */
};

/*
 * Unblu says 404 for a conversation, in so many words: whether it is gone. One
 * such answer may be a node that is behind, or a gateway's. Behind a deletion
 * of our own whose outcome is not known (writing, of the link) it is none to
 * doubt.
 */
bool doubt_is_gone(const struct doubt *d, const char *writing, int64_t now_ms);

enum doubt_refusal {
	DOUBT_FIRST, /* to be told, and tried again */
	DOUBT_AGAIN, /* to be tried again */
	DOUBT_ENOUGH /* for a human to judge */
};

/*
 * Unblu answers 403 to a deletion that our guard has let pass, with the text
 * given. That is its word for "somebody takes or took part, or a message was
 * written" (reference/unblu.md 10), which no repetition changes; or the agent
 * may not yet what he shall.
 */
enum doubt_refusal doubt_refused(const struct doubt *d, const char *text);

#endif
