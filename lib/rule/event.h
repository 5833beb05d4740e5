/* rule/event.h - an Outlook event as Graph tells it. Pure: no I/O, no clock. */
#ifndef RULE_EVENT_H
#define RULE_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { EVENT_ID_MAX = 512, EVENT_SOURCE_MAX = 160, EVENT_KEY_MAX = 128 };

enum event_type {
	EVENT_SINGLE,
	EVENT_MASTER, /* of a series */
	EVENT_OCCURRENCE, /* of a series, unchanged or an exception */
	EVENT_TYPE_OTHER /* a type that Graph may invent */
};

/* Owned by the caller: event_clear(). */
struct event {
	char id[EVENT_ID_MAX];
	char change_key[EVENT_KEY_MAX];
	enum event_type type;
	char master[EVENT_ID_MAX]; /* "" unless an occurrence */
	char *subject; /* as written by the agent; never NULL */
	bool all_day;
	bool cancelled;
	bool draft;
	bool organizer; /* the mailbox's owner is the organizer */
	bool timed; /* start and end are known, and not before 1970 */
	int64_t start_ms, end_ms; /* the end never before the start */
	int year, month, day; /* of the start, for all-day events */
	/* Of a master with times: when all of its occurrences are over, as far
	 * as its recurrence tells (recurrence.h); else 0. */
	int64_t series_end_ms;

	/* The add-in's property. */
	bool linked;
	char conversation[EVENT_ID_MAX];
	char source_id[EVENT_SOURCE_MAX];
};

/*
 * Reads the answer of GET event (or an element of a list). ERR_INPUT when a
 * member that must be there is not, or is out of bounds. A property that is
 * not ours to understand leaves linked false.
 * Source: reference/graph.md 9; times must have been asked for in UTC.
 */
int event_read(
    const json_t *doc, const char *addin_id, struct event *out, struct err *e);
void event_clear(struct event *ev);

/*
 * The value of the named property cecp-{addinId}: a JSON object whose member
 * "unblu" is an object, or a string holding one, with v 1, conversationId and
 * sourceId. 0, or -1 ERR_INPUT when it holds no such thing.
 */
int event_property_read(const char *value, char conversation[EVENT_ID_MAX],
    char source_id[EVENT_SOURCE_MAX], struct err *e);

/* The type's word for the store: "single", "master", "occurrence", "other". */
const char *event_type_name(enum event_type type);

#endif
