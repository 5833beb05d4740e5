/* rule/notification.h - what a Graph notification body asks for.
 * Pure: no I/O, no clock, no allocation. */
#ifndef RULE_NOTIFICATION_H
#define RULE_NOTIFICATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/scan.h"

enum {
	NOTIFICATION_BODY_MAX = 1 << 20, /* bytes */
	NOTIFICATION_DEPTH_MAX = 16,
	NOTIFICATION_VALUES_MAX = 20000,
	/* Of one object. Graph sends ten; the search for one that is there
	 * twice grows with the square of it. */
	NOTIFICATION_MEMBERS_MAX = 256,
	NOTIFICATION_SUBSCRIPTION_MAX = 64, /* with NUL, as all below */
	NOTIFICATION_EVENT_MAX = 512
};

enum notification_result {
	NOTIFICATION_OK,
	NOTIFICATION_NOT_JSON, /* 400: syntax, UTF-8, duplicate key, empty */
	NOTIFICATION_TOO_BIG, /* 413: bytes, depth, values or members */
	NOTIFICATION_NO_VALUE /* 400: JSON, but without a "value" array */
};

/* A checked body; borrows the text that was given. */
struct notification_list {
	struct scan_value items;
	const char *cursor;
};

/* Checks all of the body once. *why (never NULL) is a static text for the
 * log when the result is not NOTIFICATION_OK. */
enum notification_result notification_open(const char *text, size_t len,
    struct notification_list *out, const char **why);

/* What happened to the event, OR'ed; the store's hints have these values. */
enum notification_change {
	NOTIFICATION_CREATED = 1,
	NOTIFICATION_UPDATED = 2,
	NOTIFICATION_DELETED = 4
};

enum notification_lifecycle {
	NOTIFICATION_NO_LIFECYCLE = 0,
	NOTIFICATION_REAUTHORIZE = 8,
	NOTIFICATION_REMOVED = 16,
	NOTIFICATION_MISSED = 32
};

/*
 * One item. Graph sends either changeType or lifecycleEvent; an item with
 * both asks for both, since each is only a hint to look. Nothing here may be
 * acted on before subscription, clientState and tenant have been compared.
 */
struct notification {
	char subscription[NOTIFICATION_SUBSCRIPTION_MAX]; /* lower case */
	char tenant[37]; /* lower case; "" absent or no GUID */
	char client_state_hash[65]; /* SHA-256 hex; "" none or unusable */
	char event[NOTIFICATION_EVENT_MAX]; /* case-sensitive; "" none */
	unsigned changes; /* OR of notification_change, 0 without event */
	unsigned lifecycle; /* one of notification_lifecycle */
	const char *fault; /* why the item is malformed; NULL: it is sound */
	bool other_type; /* of something that is not an event: ignore */
};

/*
 * Fills *out with the next item of the list; false at the end. A malformed
 * item has fault set and says as much as could be read.
 * The event id is resourceData.id, else the last segment of `resource`, in
 * any of Graph's forms: Users/{oid}/Events/{id}, users/{oid}@{tid}/events/{id},
 * Users('{oid}')/Events('{id}'), or a URL that ends so.
 * Source: changeNotification resource type; graph.md sections 6 and 8.
 */
bool
notification_next(struct notification_list *list, struct notification *out);

#endif
