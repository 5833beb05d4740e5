/* fcgi/web_announce.c - see web_announce.h. */
#include "web_announce.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/when.h"

enum { ANNOUNCE_VERSION = 1 };

static bool
announce_has_controls(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* An optional string: false only when it is there and is none, or too long. */
static bool
announce_text(const json_t *doc, const char *key, char *out, size_t cap)
{
	const json_t *value = json_object_get(doc, key);

	out[0] = '\0';
	if (value == NULL || json_is_null(value))
		return true;
	return json_is_string(value) &&
	    !announce_has_controls(json_string_value(value)) &&
	    text_copy(out, cap, json_string_value(value));
}

static void
announce_topic(const char *topic, char *out, size_t cap)
{
	size_t len = text_cut_bytes(topic, cap - 1);

	memcpy(out, topic, len);
	out[len] = '\0';
}

/* A name that tzdata can not have (Windows has others, "W. Europe Standard
 * Time") is as good as none: the zone decides about all-day events only, and
 * for those without one there is defaultTimeZone. False: no text at all. */
static bool
announce_zone(const json_t *doc, char *out, size_t cap)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_+-/";
	const json_t *value = json_object_get(doc, "timeZone");
	const char *zone = json_string_value(value);

	out[0] = '\0';
	if (zone == NULL)
		return value == NULL || json_is_null(value);
	if (zone[strspn(zone, allowed)] == '\0')
		text_copy(out, cap, zone);
	return true;
}

/* What must be there. A text for the error, or NULL. */
static const char *
announce_read_needed(const json_t *doc, struct store_link *out)
{
	const json_t *v = json_object_get(doc, "v");
	const char *topic = json_str(doc, "topic");
	const char *start = json_str(doc, "start");

	if (!json_is_integer(v) || json_integer_value(v) != ANNOUNCE_VERSION)
		return "v must be 1";
	if (!announce_text(
		doc, "sourceId", out->source_id, sizeof(out->source_id)) ||
	    out->source_id[0] == '\0')
		return "sourceId is missing or malformed";
	if (topic == NULL)
		return "topic is missing";
	announce_topic(topic, out->topic, sizeof(out->topic));
	if (start == NULL || when_parse_iso(start, false, &out->start_ms) != 0)
		return "start must be an ISO 8601 time in UTC";
	out->start_ms = when_round_minute(out->start_ms);
	return NULL;
}

/* What may be there. */
static const char *
announce_read_optional(const json_t *doc, struct store_link *out)
{
	char mailbox[8];

	if (!announce_text(doc, "mailbox", mailbox, sizeof(mailbox)) ||
	    (strcmp(mailbox, "") != 0 && strcmp(mailbox, "own") != 0 &&
		strcmp(mailbox, "shared") != 0))
		return "mailbox must be own or shared";
	out->shared = strcmp(mailbox, "shared") == 0;
	if (!announce_zone(doc, out->time_zone, sizeof(out->time_zone)))
		return "timeZone is no text";
	if (!announce_text(doc, "eventId", out->event, sizeof(out->event)) ||
	    (out->event[0] != '\0' &&
		!text_is_id(out->event, sizeof(out->event) - 1)))
		return "eventId is malformed";
	return NULL;
}

int
announce_parse(
    const char *text, size_t len, struct store_link *out, struct err *e)
{
	json_t *doc = json_load_strict(text, len, NULL);
	const char *fault = "body is not a JSON object";

	if (json_is_object(doc)) {
		fault = announce_read_needed(doc, out);
		if (fault == NULL)
			fault = announce_read_optional(doc, out);
	}
	json_decref(doc);
	return fault == NULL ? 0 : err_set(e, ERR_INPUT, "%s", fault);
}
