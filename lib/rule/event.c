/* rule/event.c - see event.h. */
#include "rule/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/when.h"
#include "rule/recurrence.h"

enum { EVENT_PROPERTY_VERSION = 1 };

static bool
event_is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static int
event_link_read(const json_t *o, char conversation[EVENT_ID_MAX],
    char source_id[EVENT_SOURCE_MAX], struct err *e)
{
	const char *id = json_str(o, "conversationId");
	const char *source = json_str(o, "sourceId");

	if (json_int(o, "v", 0) != EVENT_PROPERTY_VERSION)
		return err_set(e, ERR_INPUT, "property of an unknown version");
	if (id == NULL || !text_is_id(id, EVENT_ID_MAX - 1))
		return err_set(
		    e, ERR_INPUT, "property without a sound conversationId");
	if (source == NULL || source[0] == '\0' ||
	    strlen(source) >= EVENT_SOURCE_MAX || !event_is_printable(source))
		return err_set(
		    e, ERR_INPUT, "property without a sound sourceId");
	text_copy(conversation, EVENT_ID_MAX, id);
	text_copy(source_id, EVENT_SOURCE_MAX, source);
	return 0;
}

int
event_property_read(const char *value, char conversation[EVENT_ID_MAX],
    char source_id[EVENT_SOURCE_MAX], struct err *e)
{
	json_t *outer = NULL;
	json_t *inner = NULL;
	const char *text;
	int rc = -1;

	outer = json_load_foreign(value, strlen(value), e);
	if (outer == NULL)
		goto out;
	text = json_str(outer, "unblu");
	if (text == NULL) {
		rc = event_link_read(
		    json_obj(outer, "unblu"), conversation, source_id, e);
		goto out;
	}
	inner = json_load_strict(text, strlen(text), e);
	if (inner != NULL)
		rc = event_link_read(inner, conversation, source_id, e);
out:
	json_decref(inner);
	json_decref(outer);
	return rc;
}

/* Graph may give the GUID of the property set in either case, but the name
 * is the manifest's: compared without case, at most one can be there. */
static const char *
event_property_value(const json_t *doc, const char *addin_id)
{
	const json_t *list = json_arr(doc, "singleValueExtendedProperties");
	char name[64];
	size_t len =
	    (size_t)snprintf(name, sizeof(name), " Name cecp-%s", addin_id);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);
		const char *id = json_str(p, "id");
		size_t id_len = id != NULL ? strlen(id) : 0;

		if (id_len > len && strcasecmp(id + id_len - len, name) == 0)
			return json_str(p, "value");
	}
	return NULL;
}

/* A time that no calendar means: .NET writes 0001-01-01 for none. */
static bool
event_time_is_before_1970(const char *text)
{
	char leap[WHEN_TEXT_MAX + 8];
	int64_t ms;

	if (strlen(text) < 4 || strspn(text, "0123456789") != 4 ||
	    strncmp(text, "1970", 4) >= 0)
		return false;
	if (!text_copy(leap, sizeof(leap), text))
		return false;
	memcpy(leap, "1972", 4);
	return when_parse_iso(leap, true, &ms) == 0;
}

/* 1 read, 0 there is none, -1. */
static int
event_time_read(const json_t *doc, const char *key, int64_t *out, struct err *e)
{
	const json_t *o = json_obj(doc, key);
	const char *text = json_str(o, "dateTime");
	const char *zone = json_str(o, "timeZone");

	if (text == NULL)
		return 0; /* a draft has none */
	if (zone == NULL || strcasecmp(zone, "UTC") != 0)
		return err_set(e, ERR_INPUT, "event's %s is not in UTC", key);
	if (when_parse_iso(text, true, out) == 0)
		return 1;
	if (event_time_is_before_1970(text))
		return 0;
	return err_set(e, ERR_INPUT, "event's %s is no time", key);
}

static int
event_times_read(const json_t *doc, struct event *out, struct err *e)
{
	struct when_utc utc;
	int start = event_time_read(doc, "start", &out->start_ms, e);
	int end = start < 0 ? -1 : event_time_read(doc, "end", &out->end_ms, e);

	if (start < 0 || end < 0)
		return -1;
	out->timed = start == 1 && end == 1;
	if (!out->timed)
		return 0;
	if (out->end_ms < out->start_ms)
		out->end_ms = out->start_ms;
	when_to_utc(out->start_ms, &utc);
	out->year = utc.year;
	out->month = utc.month;
	out->day = utc.day;
	return 0;
}

static enum event_type
event_type_read(const json_t *doc)
{
	const char *type = json_str(doc, "type");

	if (type == NULL || strcmp(type, "singleInstance") == 0)
		return EVENT_SINGLE;
	if (strcmp(type, "seriesMaster") == 0)
		return EVENT_MASTER;
	if (strcmp(type, "occurrence") == 0 || strcmp(type, "exception") == 0)
		return EVENT_OCCURRENCE;
	return EVENT_TYPE_OTHER;
}

const char *
event_type_name(enum event_type type)
{
	static const char *const names[] = {
	    [EVENT_SINGLE] = "single",
	    [EVENT_MASTER] = "master",
	    [EVENT_OCCURRENCE] = "occurrence",
	    [EVENT_TYPE_OTHER] = "other",
	};

	return names[type];
}

static int
event_members_read(
    const json_t *doc, const char *addin_id, struct event *out, struct err *e)
{
	const char *id = json_str(doc, "id");
	const char *master = json_str(doc, "seriesMasterId");
	const char *key = json_str(doc, "changeKey");
	const char *subject = json_str(doc, "subject");
	const char *value = event_property_value(doc, addin_id);

	if (id == NULL || !text_is_id(id, EVENT_ID_MAX - 1))
		return err_set(e, ERR_INPUT, "event without a sound id");
	text_copy(out->id, sizeof(out->id), id);
	if (master != NULL)
		text_copy(out->master, sizeof(out->master), master);
	if (key != NULL)
		text_copy(out->change_key, sizeof(out->change_key), key);
	out->type = event_type_read(doc);
	out->all_day = json_flag(doc, "isAllDay", false);
	out->cancelled = json_flag(doc, "isCancelled", false);
	out->draft = json_flag(doc, "isDraft", false);
	out->organizer = json_flag(doc, "isOrganizer", true);
	out->subject = mem_strdup(subject != NULL ? subject : "");
	if (value != NULL)
		out->linked = event_property_read(value, out->conversation,
				  out->source_id, NULL) == 0;
	if (event_times_read(doc, out, e) != 0)
		return -1;
	if (out->type == EVENT_MASTER && out->timed)
		out->series_end_ms = recurrence_end_ms(
		    json_obj(doc, "recurrence"), out->start_ms, out->end_ms);
	return 0;
}

int
event_read(
    const json_t *doc, const char *addin_id, struct event *out, struct err *e)
{
	struct event ev = {.subject = NULL};

	if (event_members_read(doc, addin_id, &ev, e) != 0) {
		event_clear(&ev);
		return -1;
	}
	*out = ev;
	return 0;
}

void
event_clear(struct event *ev)
{
	free(ev->subject);
	memset(ev, 0, sizeof(*ev));
}
