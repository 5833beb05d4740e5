/* tests/unit/test_odd_events.c - from Graph's answer to the plan: the events
 * that real calendars hold and nobody thinks of first (rule/event.h,
 * rule/plan.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/tz.h"
#include "base/when.h"
#include "rule/plan.h"

#define ADDIN "0a1b2c3d-0000-4000-8000-00000000000a"
#define AT(time) "{\"dateTime\":\"" time "\",\"timeZone\":\"UTC\"}"
#define FROM(time) "\"start\":" AT(time)
#define TO(time) "\"end\":" AT(time)
#define PROPERTY                                                               \
	"\"singleValueExtendedProperties\":[{\"id\":\"String "                 \
	"{00020329-0000-0000-C000-000000000046} Name cecp-" ADDIN              \
	"\",\"value\":\"{\\\"unblu\\\":{\\\"v\\\":1,"                          \
	"\\\"conversationId\\\":\\\"conv\\\",\\\"sourceId\\\":"                \
	"\\\"source\\\"}}\"}]"

/* An event of ours on 1 December 2026 from 9:00 to 9:30. */
static const char usual_event[] =
    "{\"id\":\"event\",\"subject\":\"Review\",\"isAllDay\":false,"
    "\"isCancelled\":false,\"isDraft\":false,\"isOrganizer\":true,"
    "\"type\":\"singleInstance\",\"seriesMasterId\":null," FROM(
	"2026-12-01T09:00:00.0000000") "," TO("2026-12-01T09:30:00."
					      "0000000") "," PROPERTY "}";

enum { NOBODY = -1 }; /* no link */

static const struct policy usual = {
    .fallback_topic = "Meeting",
    .topic_max_chars = 250,
};

static int64_t
utc(const char *text)
{
	int64_t ms;

	assert_int_equal(when_parse_iso(text, true, &ms), 0);
	return ms;
}

/* The usual event with the members given in change. */
static void
read_changed(const char *change, struct event *out)
{
	struct err e = {0};
	json_t *doc = json_load_strict(usual_event, strlen(usual_event), &e);
	json_t *other = json_load_foreign(change, strlen(change), &e);

	if (doc == NULL || other == NULL)
		fail_msg("%s", e.text);
	json_object_update(doc, other);
	if (event_read(doc, ADDIN, out, &e) != 0)
		fail_msg("%s: %s", change, e.text);
	json_decref(other);
	json_decref(doc);
}

static struct link
link_in(int state)
{
	return (struct link){
	    .state = (enum link_state)state,
	    .mine = true,
	    .conversation = "conv",
	    .source_id = "source",
	    .event = "event",
	    .known = true,
	    .topic = "Review",
	    .start_ms = utc("2026-12-01T09:00:00"),
	    .gone_since_ms =
		state == LINK_GONE || state == LINK_HELD || state == LINK_KEPT,
	};
}

static void
what_odd_events_ask_for(void **state)
{
	static const struct {
		const char *sentence;
		const char *change;
		int link; /* its state, or NOBODY */
		const char *of; /* the link's event */
		enum plan_kind kind;
		bool topic, time;
	} cases[] = {
	    /* whose is it? */
	    {"isOrganizer that is missing means the organizer's own",
		"{\"isOrganizer\":null}", LINK_LINKED, "event", PLAN_FOLLOW,
		false, false},
	    {"an attendee's copy with our property is not acted on",
		"{\"isOrganizer\":false,\"subject\":\"Theirs\"}", LINK_LINKED,
		"event", PLAN_NOTHING, false, false},
	    {"an attendee's copy that is called off is no candidate",
		"{\"isOrganizer\":false,\"isCancelled\":true}", LINK_LINKED,
		"event", PLAN_NOTHING, false, false},
	    {"an attendee's copy without a link is not acted on",
		"{\"isOrganizer\":false}", NOBODY, "", PLAN_NOTHING, false,
		false},
	    {"the organizer's event that is called off is a candidate",
		"{\"isCancelled\":true}", LINK_LINKED, "event", PLAN_CANCELED,
		false, false},
	    {"called off at first sight it is a candidate too",
		"{\"isCancelled\":true}", NOBODY, "", PLAN_CANCELED, false,
		false},
	    {"no longer called off it is followed again",
		"{\"isCancelled\":false}", LINK_GONE, "event", PLAN_FOLLOW,
		false, false},
	    /* the property */
	    {"before the property is there it is nobody's event",
		"{\"singleValueExtendedProperties\":[]}", NOBODY, "",
		PLAN_NOTHING, false, false},
	    {"when it has arrived the event is taken and written", "{}", NOBODY,
		"", PLAN_FOLLOW, true, true},
	    {"a property that went does not unlink",
		"{\"singleValueExtendedProperties\":[],\"subject\":\"New\"}",
		LINK_LINKED, "event", PLAN_FOLLOW, true, false},
	    {"a property that is no JSON does not unlink",
		"{\"singleValueExtendedProperties\":[{\"id\":\"String "
		"{00020329-0000-0000-C000-000000000046} Name cecp-" ADDIN
		"\",\"value\":\"oops\"}]}",
		LINK_LINKED, "event", PLAN_FOLLOW, false, false},
	    /* drafts and times */
	    {"a draft with a time is followed like any event",
		"{\"isDraft\":true,\"subject\":\"Draft\"}", LINK_LINKED,
		"event", PLAN_FOLLOW, true, false},
	    {"a draft with a time is taken at first sight",
		"{\"isDraft\":true}", NOBODY, "", PLAN_FOLLOW, true, true},
	    {"a draft without a time is left alone",
		"{\"isDraft\":true,\"start\":null,\"end\":null}", NOBODY, "",
		PLAN_NOTHING, false, false},
	    {"a time of the year 1 is none",
		"{" FROM("0001-01-01T00:00:00") "," TO(
		    "0001-01-01T00:00:00") "}",
		LINK_LINKED, "event", PLAN_NOTHING, false, false},
	    {"a start before 1970 is none", "{" FROM("1969-12-31T23:59:59") "}",
		LINK_LINKED, "event", PLAN_NOTHING, false, false},
	    {"called off, it needs no time",
		"{\"isCancelled\":true,\"start\":null,\"end\":null}",
		LINK_LINKED, "event", PLAN_CANCELED, false, false},
	    {"an end before the start changes nothing",
		"{" TO("2026-11-30T09:00:00") "}", LINK_LINKED, "event",
		PLAN_FOLLOW, false, false},
	    {"29.999 seconds more are the same minute",
		"{" FROM("2026-12-01T09:00:29.9990000") "}", LINK_LINKED,
		"event", PLAN_FOLLOW, false, false},
	    {"30 seconds more are the next minute",
		"{" FROM("2026-12-01T09:00:30.0000000") "}", LINK_LINKED,
		"event", PLAN_FOLLOW, false, true},
	    {"30 seconds less are the same minute",
		"{" FROM("2026-12-01T08:59:30.0000000") "}", LINK_LINKED,
		"event", PLAN_FOLLOW, false, false},
	    {"30.001 seconds less are the minute before",
		"{" FROM("2026-12-01T08:59:29.9990000") "}", LINK_LINKED,
		"event", PLAN_FOLLOW, false, true},
	    {"an event in the past is followed all the same",
		"{" FROM("1999-12-31T23:59:00") "}", LINK_LINKED, "event",
		PLAN_FOLLOW, false, true},
	    /* the subject */
	    {"white space around the subject is no change",
		"{\"subject\":\" \\u00a0Review\\r\\n\"}", LINK_LINKED, "event",
		PLAN_FOLLOW, false, false},
	    {"a subject of another type is a blank one", "{\"subject\":7}",
		LINK_LINKED, "event", PLAN_FOLLOW, true, false},
	    /* more than one event */
	    {"a second live event is a copy", "{\"subject\":\"Other\"}",
		LINK_LINKED, "first", PLAN_COPY, false, false},
	    {"while the first may be gone, another is a copy", "{}", LINK_GONE,
		"first", PLAN_COPY, false, false},
	    {"while its deletion is held, another takes over", "{}", LINK_HELD,
		"first", PLAN_FOLLOW, false, false},
	    {"while the first may be gone, one that is called off is nothing",
		"{\"isCancelled\":true}", LINK_GONE, "first", PLAN_NOTHING,
		false, false},
	    /* what is over, and what comes back */
	    {"an event restored within its grace time is followed", "{}",
		LINK_GONE, "event", PLAN_FOLLOW, false, false},
	    {"an event restored while its deletion is held is followed", "{}",
		LINK_HELD, "event", PLAN_FOLLOW, false, false},
	    {"an event restored after the guard's refusal is followed again",
		"{\"subject\":\"Back\"}", LINK_KEPT, "event", PLAN_FOLLOW, true,
		false},
	    {"restored under another id it is followed again too", "{}",
		LINK_KEPT, "first", PLAN_FOLLOW, false, false},
	    {"one that was kept and is still called off stays over",
		"{\"isCancelled\":true}", LINK_KEPT, "event", PLAN_NOTHING,
		false, false},
	    {"an event whose conversation was deleted has none any more", "{}",
		LINK_DELETED, "event", PLAN_NOTHING, false, false},
	    {"a foreign conversation stays so", "{\"subject\":\"New\"}",
		LINK_FOREIGN, "event", PLAN_NOTHING, false, false},
	    {"an ended conversation is not followed", "{\"subject\":\"New\"}",
		LINK_ENDED, "event", PLAN_NOTHING, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link l = link_in(cases[i].link);
		struct event ev;
		struct plan p;

		read_changed(cases[i].change, &ev);
		l.event = cases[i].of;
		plan_event(&ev, cases[i].link == NOBODY ? NULL : &l, NULL,
		    &usual, NULL, utc("2026-11-01T00:00:00"), &p);
		if (p.kind != cases[i].kind || p.set_topic != cases[i].topic ||
		    p.set_time != cases[i].time)
			fail_msg("%s: kind %d topic %d time %d (%s)",
			    cases[i].sentence, (int)p.kind, p.set_topic,
			    p.set_time, p.why);
		event_clear(&ev);
	}
}

static void
when_an_all_day_event_begins(void **state)
{
	static const struct {
		const char *sentence;
		const char *zone; /* NULL: none is known */
		const char *start, *want;
	} cases[] = {
	    {"at midnight of the agent", "Europe/Zurich", "2027-07-01T00:00:00",
		"2027-06-30T22:00:00"},
	    {"in winter an hour later", "Europe/Zurich", "2027-01-01T00:00:00",
		"2026-12-31T23:00:00"},
	    {"where midnight is skipped, at the first instant",
		"America/Sao_Paulo", "2018-11-04T00:00:00",
		"2018-11-04T03:00:00"},
	    {"where midnight comes twice, at the first", "America/Havana",
		"2025-11-02T00:00:00", "2025-11-02T04:00:00"},
	    {"without a zone at midnight UTC", NULL, "2027-07-01T00:00:00",
		"2027-07-01T00:00:00"},
	    {"not at midnight, when Graph says so", "Europe/Zurich",
		"2027-06-30T22:00:00", "2027-06-30T22:00:00"},
	    {"on the last day of time", "UTC", "9999-12-31T00:00:00",
		"9999-12-31T00:00:00"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link l = link_in(LINK_LINKED);
		struct tz *zone =
		    cases[i].zone != NULL ? tz_load(cases[i].zone, NULL) : NULL;
		char change[256];
		struct event ev;
		struct plan p;

		snprintf(change, sizeof(change),
		    "{\"isAllDay\":true,\"start\":{\"dateTime\":\"%s\","
		    "\"timeZone\":\"UTC\"},\"end\":" AT(
			"9999-12-31T23:59:59") "}",
		    cases[i].start);
		read_changed(change, &ev);
		plan_event(&ev, &l, NULL, &usual, zone, 0, &p);
		if (p.start_ms != utc(cases[i].want) || !p.set_time)
			fail_msg("%s: %lld", cases[i].sentence,
			    (long long)p.start_ms);
		event_clear(&ev);
		tz_free(zone);
	}
}

static void
an_end_is_never_before_the_start(void **state)
{
	struct event ev;

	(void)state;
	read_changed("{" TO("2026-11-30T09:00:00") "}", &ev);
	assert_true(ev.timed);
	assert_true(ev.end_ms == ev.start_ms);
	event_clear(&ev);
}

static void
a_time_that_is_none_is_still_refused(void **state)
{
	static const char *const bad[] = {"tomorrow", "0001-13-01T00:00:00",
	    "0001-01-01", "1969", "", "12345-01-01T00:00:00",
	    "10000-01-01T00:00:00"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *doc =
		    json_load_strict(usual_event, strlen(usual_event), NULL);
		struct err e = {0};
		struct event ev;

		json_object_set_new(json_object_get(doc, "start"), "dateTime",
		    json_string(bad[i]));
		if (event_read(doc, ADDIN, &ev, &e) == 0)
			fail_msg("was read: %s", bad[i]);
		assert_int_equal(e.code, ERR_INPUT);
		json_decref(doc);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_odd_events_ask_for),
	    cmocka_unit_test(when_an_all_day_event_begins),
	    cmocka_unit_test(an_end_is_never_before_the_start),
	    cmocka_unit_test(a_time_that_is_none_is_still_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
