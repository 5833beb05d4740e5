/* rule/notification.c - see notification.h. */
#include "rule/notification.h"

#include <string.h>
#include <strings.h>

#include "base/jws.h"
#include "base/text.h"

enum { CLIENT_STATE_MAX = 256, RESOURCE_MAX = 1024, SMALL_TEXT = 64 };

static const struct scan_limits notification_limits = {
    .depth = NOTIFICATION_DEPTH_MAX,
    .values = NOTIFICATION_VALUES_MAX,
    .members = NOTIFICATION_MEMBERS_MAX,
};

/* The members of an item that matter; start is NULL when absent or null. */
struct members {
	struct scan_value subscription, tenant, client_state, change, lifecycle,
	    resource, data;
};

struct member_name {
	const char *name;
	size_t offset;
};

#define MEMBER(json, field)                                                    \
	{                                                                      \
		json, offsetof(struct members, field)                          \
	}
static const struct member_name notification_members[] = {
    MEMBER("subscriptionId", subscription),
    MEMBER("tenantId", tenant),
    MEMBER("clientState", client_state),
    MEMBER("changeType", change),
    MEMBER("lifecycleEvent", lifecycle),
    MEMBER("resource", resource),
    MEMBER("resourceData", data),
};
#undef MEMBER

static enum notification_result
notification_check(
    const char *text, size_t len, struct scan_value *top, const char **why)
{
	if (len > NOTIFICATION_BODY_MAX) {
		*why = "body too long";
		return NOTIFICATION_TOO_BIG;
	}
	switch (scan_check(text, len, &notification_limits, top, NULL)) {
	case SCAN_OK:
		*why = NULL;
		return NOTIFICATION_OK;
	case SCAN_DEPTH:
		*why = "nested too deeply";
		return NOTIFICATION_TOO_BIG;
	case SCAN_COUNT:
		*why = "too many values";
		return NOTIFICATION_TOO_BIG;
	case SCAN_DUPLICATE:
		*why = "a key twice in one object";
		return NOTIFICATION_NOT_JSON;
	case SCAN_SYNTAX:
		break;
	}
	*why = "not JSON";
	return NOTIFICATION_NOT_JSON;
}

enum notification_result
notification_open(const char *text, size_t len, struct notification_list *out,
    const char **why)
{
	struct scan_value top, key, value;
	const char *cursor = NULL;
	enum notification_result result =
	    notification_check(text, len, &top, why);

	if (result != NOTIFICATION_OK)
		return result;
	while (top.type == SCAN_OBJECT &&
	    scan_member(&top, &cursor, &key, &value)) {
		if (value.type == SCAN_ARRAY && scan_equals(&key, "value")) {
			out->items = value;
			out->cursor = NULL;
			return NOTIFICATION_OK;
		}
	}
	*why = "no array \"value\"";
	return NOTIFICATION_NO_VALUE;
}

static void
notification_collect(const struct scan_value *item, struct members *m)
{
	const size_t count =
	    sizeof(notification_members) / sizeof(notification_members[0]);
	struct scan_value key, value;
	const char *cursor = NULL;

	memset(m, 0, sizeof(*m));
	while (scan_member(item, &cursor, &key, &value)) {
		for (size_t i = 0; i < count; i++) {
			const struct member_name *n = &notification_members[i];

			if (value.type == SCAN_NULL ||
			    !scan_equals(&key, n->name))
				continue;
			memcpy((char *)m + n->offset, &value, sizeof(value));
			break;
		}
	}
}

/* A string member into out; false (and "") when it is none or too long. */
static bool
notification_text(const struct scan_value *v, char *out, size_t cap)
{
	out[0] = '\0';
	if (v->start == NULL || v->type != SCAN_STRING ||
	    scan_copy(v, out, cap) < 0) {
		out[0] = '\0';
		return false;
	}
	return true;
}

static bool
notification_is_subscription(const char *text)
{
	return *text != '\0' &&
	    text[strspn(text, "0123456789abcdefABCDEF-")] == '\0';
}

/* Finds the id behind the last "/events" of a path; NULL when there is none.
 * Cuts the closing "')" of the function form off. */
static char *
notification_event_of_path(char *path)
{
	static const char events[] = "/events";
	char *found = NULL;
	size_t len;

	for (char *p = path; *p != '\0'; p++)
		if (strncasecmp(p, events, sizeof(events) - 1) == 0)
			found = p + sizeof(events) - 1;
	if (found == NULL)
		return NULL;
	if (*found == '/')
		return found + 1;
	len = strlen(found);
	if (len < 5 || strncmp(found, "('", 2) != 0 ||
	    strcmp(found + len - 2, "')") != 0)
		return NULL;
	found[len - 2] = '\0';
	return found + 2;
}

/* Source: changeType is created, updated or deleted; anything else of an
 * event still says "look at it". */
static unsigned
notification_changes(const struct scan_value *change)
{
	char text[SMALL_TEXT];

	if (notification_text(change, text, sizeof(text))) {
		if (strcasecmp(text, "created") == 0)
			return NOTIFICATION_CREATED;
		if (strcasecmp(text, "deleted") == 0)
			return NOTIFICATION_DELETED;
	}
	return NOTIFICATION_UPDATED;
}

static void
notification_read_lifecycle(const struct members *m, struct notification *out)
{
	char text[SMALL_TEXT];

	if (m->lifecycle.start == NULL)
		return;
	notification_text(&m->lifecycle, text, sizeof(text));
	if (strcasecmp(text, "reauthorizationRequired") == 0)
		out->lifecycle = NOTIFICATION_REAUTHORIZE;
	else if (strcasecmp(text, "subscriptionRemoved") == 0)
		out->lifecycle = NOTIFICATION_REMOVED;
	else if (strcasecmp(text, "missed") == 0)
		out->lifecycle = NOTIFICATION_MISSED;
	else
		out->fault = "unknown lifecycleEvent";
}

/* resourceData: its id and whether it is of an event at all. */
static void
notification_read_data(const struct scan_value *data, struct notification *out)
{
	struct scan_value key, value;
	const char *cursor = NULL;
	char type[SMALL_TEXT];

	if (data->start == NULL || data->type != SCAN_OBJECT)
		return;
	while (scan_member(data, &cursor, &key, &value)) {
		if (value.type == SCAN_NULL)
			continue;
		if (scan_equals(&key, "id")) {
			if (!notification_text(
				&value, out->event, sizeof(out->event)) ||
			    !text_is_id(out->event, sizeof(out->event) - 1)) {
				out->event[0] = '\0';
				out->fault = "malformed event id";
			}
		} else if (scan_equals(&key, "@odata.type")) {
			notification_text(&value, type, sizeof(type));
			out->other_type =
			    strcasecmp(type, "#Microsoft.Graph.Event") != 0;
		}
	}
}

static void
notification_read_event(const struct members *m, struct notification *out)
{
	char path[RESOURCE_MAX];
	const char *id;

	notification_read_data(&m->data, out);
	if (out->event[0] == '\0' && out->fault == NULL &&
	    notification_text(&m->resource, path, sizeof(path))) {
		id = notification_event_of_path(path);
		if (id != NULL && text_is_id(id, sizeof(out->event) - 1))
			text_copy(out->event, sizeof(out->event), id);
	}
	if (out->other_type)
		return;
	if (out->event[0] != '\0')
		out->changes = notification_changes(&m->change);
	else if (out->fault == NULL)
		out->fault = "no event id";
}

static void
notification_read_sender(const struct members *m, struct notification *out)
{
	char state[CLIENT_STATE_MAX], tenant[SMALL_TEXT], lower[37];

	if (!notification_text(&m->subscription, out->subscription,
		sizeof(out->subscription)) ||
	    !notification_is_subscription(out->subscription)) {
		out->subscription[0] = '\0';
		out->fault = "no subscriptionId";
	}
	if (text_guid_lower(lower, out->subscription))
		memcpy(out->subscription, lower, sizeof(lower));
	if (notification_text(&m->tenant, tenant, sizeof(tenant)))
		text_guid_lower(out->tenant, tenant);
	if (notification_text(&m->client_state, state, sizeof(state)) &&
	    state[0] != '\0')
		jws_sha256_hex(state, strlen(state), out->client_state_hash);
}

bool
notification_next(struct notification_list *list, struct notification *out)
{
	struct scan_value item;
	struct members m;

	if (!scan_element(&list->items, &list->cursor, &item))
		return false;
	out->subscription[0] = out->tenant[0] = out->event[0] = '\0';
	out->client_state_hash[0] = '\0';
	out->changes = out->lifecycle = 0;
	out->fault = NULL;
	out->other_type = false;
	if (item.type != SCAN_OBJECT) {
		out->fault = "item is not an object";
		return true;
	}
	notification_collect(&item, &m);
	notification_read_sender(&m, out);
	if (out->fault != NULL)
		return true;
	notification_read_lifecycle(&m, out);
	/* A lifecycle item has no resource; one with a changeType has. */
	if (m.change.start != NULL || m.lifecycle.start == NULL)
		notification_read_event(&m, out);
	return true;
}
