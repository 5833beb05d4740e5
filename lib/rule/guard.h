/* rule/guard.h - whose conversation is it, and may it be deleted? Pure. */
#ifndef RULE_GUARD_H
#define RULE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GUARD_ID_MAX = 512,
	GUARD_PERSON_MAX = 128,
	GUARD_SOURCE_MAX = 160,
	GUARD_TOPIC_MAX = 1024,
	GUARD_LINK_MAX = 2048,
	GUARD_PERSONS = 8 /* kept; more are only counted */
};

/* The life of a conversation; what Unblu may invent is GUARD_STATE_OTHER. */
enum guard_state { GUARD_CREATED, GUARD_ENDED, GUARD_STATE_OTHER };

struct guard_person {
	char id[GUARD_PERSON_MAX];
	bool assigned_agent;
};

/* Who takes or took part. */
struct guard_people {
	struct guard_person persons[GUARD_PERSONS];
	size_t count; /* may be above GUARD_PERSONS */
	size_t external_count;
	size_t bot_count;
};

/* A conversation as Unblu tells it now. */
struct conversation {
	char id[GUARD_ID_MAX];
	char source_id[GUARD_SOURCE_MAX];
	bool scheduled; /* engagement type SCHEDULED_CONVERSATION */
	enum guard_state state;
	char state_name[24];
	char topic[GUARD_TOPIC_MAX]; /* cut at a code point */
	int64_t start_ms; /* scheduledTimestamp, 0 none */
	/* OPEN_PUBLIC_LINK, to be recognised by: cut when too long, "" when
	 * Unblu gives none (allowPublicLinkAccess). */
	char public_link[GUARD_LINK_MAX];
	struct guard_people people;
};

/* What conversationhistory said. */
struct conversation_history {
	enum {
		GUARD_HISTORY_READ,
		GUARD_HISTORY_ABSENT, /* 404 */
		GUARD_HISTORY_UNREADABLE /* refused or not understood */
	} kind;
	struct guard_people people;
	bool is_created; /* its state: CREATED, or it names none */
	bool has_messages; /* of whatever kind, or a recording */
};

enum guard_owner {
	GUARD_OURS,
	GUARD_OVER, /* ENDED: stop following */
	GUARD_FOREIGN /* not ours to write */
};

/*
 * Before the first write: the conversation must carry source_id (the
 * capability), be a scheduled one, CREATED, with exactly one assigned agent,
 * whose person id goes to agent. *why is static text.
 */
enum guard_owner guard_own(const struct conversation *c, const char *source_id,
    char agent[GUARD_PERSON_MAX], const char **why);

enum guard_verdict {
	GUARD_DELETE,
	GUARD_KEEP, /* somebody else is or was in it: leave it alone */
	GUARD_WAIT /* not known well enough: later */
};

/*
 * May the conversation of a deleted event be deleted? Only if it is CREATED,
 * agent is its only participant and, by the history, was its only one
 * (external and bot ones count), and no message was written. We check it
 * because an administrator's token could delete anything.
 */
enum guard_verdict guard_judge(const struct conversation *c,
    const struct conversation_history *h, const char *agent, const char **why);

#endif
