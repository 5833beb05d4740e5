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
	    {"while the first is gone, another takes over", "{}", LINK_GONE,
		"first", PLAN_FOLLOW, false, false},
	    {"while its deletion is held, another takes over", "{}", LINK_HELD,
		"first", PLAN_FOLLOW, false, false},
	    {"while the first is gone, one that is called off takes over too",
		"{\"isCancelled\":true}", LINK_GONE, "first", PLAN_CANCELED,
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
what_a_topic_is_made_of(void **state)
{
	static const struct {
		const char *sentence;
		const char *subject; /* inside a JSON string */
		int max;
		const char *want;
	} cases[] = {
	    {"line breaks become one blank", "Review\\r\\nof \\u2028it", 250,
		"Review of  it"},
	    {"so do tabs and other controls", "a\\tb\\u0001\\u0002c\\u0085d",
		250, "a b c d"},
	    {"two blanks of the agent's stay", "a  b", 250, "a  b"},
	    {"marks of direction stay", "\\u200fabc\\u202e", 250,
		"\xe2\x80\x8f"
		"abc\xe2\x80\xae"},
	    {"an escaped NUL is no end", "before\\u0000after", 250,
		"before\xef\xbf\xbd"
		"after"},
	    {"half of a surrogate pair is one strange character",
		"a\\ud83db\\ude00", 250,
		"a\xef\xbf\xbd"
		"b\xef\xbf\xbd"},
	    {"a whole pair is an emoji", "\\ud83d\\ude00", 250,
		"\xf0\x9f\x98\x80"},
	    {"an emoji is one character to the limit",
		"\\ud83d\\ude00\\ud83d\\ude00", 1, "\xf0\x9f\x98\x80"},
	    {"a combining character may be cut off, whole", "e\\u0301e\\u0301",
		3,
		"e\xcc\x81"
		"e"},
	    {"an emoji of several is cut between code points",
		"\\ud83d\\udc69\\u200d\\ud83d\\udcbb", 2,
		"\xf0\x9f\x91\xa9\xe2\x80\x8d"},
	    {"a blank at the cut goes", "two words", 4, "two"},
	    {"and one of another script too", "two\\u3000words", 4, "two"},
	    {"combining marks alone are something to see", "\\u0301\\u0308",
		250, "\xcc\x81\xcc\x88"},
	    {"the zero width alone is not", "\\u200b\\u200d\\u2060", 250,
		"Meeting"},
	    {"nor are marks of direction", "\\u200f\\u202a \\u061c", 250,
		"Meeting"},
	    {"nor controls", "\\u0007\\r\\n", 250, "Meeting"},
	    {"nor a variation selector or a soft hyphen", "\\ufe0f\\u00ad", 250,
		"Meeting"},
	    {"the blank of Braille is a sign", "\\u2800", 250, "\xe2\xa0\x80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy policy = usual;
		char topic[PLAN_TOPIC_MAX];
		char change[256];
		struct event ev;

		snprintf(change, sizeof(change), "{\"subject\":\"%s\"}",
		    cases[i].subject);
		read_changed(change, &ev);
		policy.topic_max_chars = cases[i].max;
		plan_topic(ev.subject, &policy, topic);
		if (strcmp(topic, cases[i].want) != 0)
			fail_msg("%s: \"%s\"", cases[i].sentence, topic);
		event_clear(&ev);
	}
}

static void
a_subject_of_100000_characters_is_cut_at_the_limit(void **state)
{
	enum { CHARS = 100000, BYTES = 4 };
	char *subject = malloc(CHARS * BYTES + 1);
	char topic[PLAN_TOPIC_MAX];

	(void)state;
	assert_non_null(subject);
	for (int i = 0; i < CHARS; i++)
		memcpy(subject + (size_t)i * BYTES, "\xf0\x9f\x98\x80", BYTES);
	subject[CHARS * BYTES] = '\0';
	plan_topic(subject, &usual, topic);
	assert_int_equal(strlen(topic), 250 * BYTES);
	/* of controls only: nothing to see, however much of it */
	memset(subject, '\r', CHARS * BYTES);
	plan_topic(subject, &usual, topic);
	assert_string_equal(topic, "Meeting");
	free(subject);
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

/* Every combination, not only those that somebody thought of. */
struct world {
	struct event ev;
	struct link link;
	bool has_link;
};

enum {
	WORLD_STATES = LINK_ENDED_EARLY + 1,
	WORLD_TYPES = EVENT_TYPE_OTHER + 1,
	WORLD_FLAGS = 11,
	WORLDS = WORLD_STATES * WORLD_TYPES * 3 * (1 << WORLD_FLAGS)
};

static void
make_world(int number, char *subject, struct world *out)
{
	static const char *const events[] = {"", "event", "first"};
	int flags = number % (1 << WORLD_FLAGS);
	int rest = number / (1 << WORLD_FLAGS);
	struct event ev = {.subject = subject,
	    .start_ms = 1800000000000,
	    .end_ms = 1800001800000};

	out->link = link_in(rest % WORLD_STATES);
	rest /= WORLD_STATES;
	ev.type = (enum event_type)(rest % WORLD_TYPES);
	out->link.event = events[rest / WORLD_TYPES];
	snprintf(ev.id, sizeof(ev.id), "event");
	snprintf(ev.conversation, sizeof(ev.conversation), "conv");
	snprintf(ev.source_id, sizeof(ev.source_id), "source");
	ev.organizer = flags & 1;
	ev.cancelled = flags & 2;
	ev.draft = flags & 4;
	ev.timed = flags & 8;
	ev.all_day = flags & 16;
	ev.linked = flags & 32;
	if (flags & 64)
		snprintf(ev.master, sizeof(ev.master), "master");
	out->has_link = flags & 128;
	out->link.mine = flags & 256;
	out->link.known = flags & 512;
	if (flags & 1024)
		out->link.start_ms = ev.start_ms;
	out->ev = ev;
}

static const char *
broken_rule(const struct world *w, const struct plan *p)
{
	const struct link *l = w->has_link ? &w->link : NULL;
	bool acts = p->kind != PLAN_NOTHING && p->kind != PLAN_MASTER;
	bool writes = p->set_topic || p->set_time;

	if (acts && !w->ev.organizer)
		return "an event of someone else is never acted on";
	if (acts && l == NULL && !w->ev.linked)
		return "an event without property and link is never acted on";
	if (acts && l != NULL && !l->mine)
		return "a link of another mailbox is never acted on";
	if (acts && l != NULL && link_is_over(l->state) &&
	    l->state != LINK_KEPT)
		return "a link that is over is never acted on";
	if (acts && w->ev.type == EVENT_OCCURRENCE)
		return "an occurrence is never acted on";
	if (p->kind == PLAN_FOLLOW && !w->ev.timed)
		return "an event without a time is never followed";
	if ((p->kind == PLAN_CANCELED) != (acts && w->ev.cancelled))
		return "called off and nothing else is a candidate";
	if (writes && p->kind != PLAN_FOLLOW)
		return "only a followed event writes";
	if (p->set_time && !p->wants_time)
		return "only a time that is wanted is written";
	if (p->set_topic && l != NULL && l->known &&
	    strcmp(l->topic, p->topic) == 0)
		return "an equal topic is never written";
	if (p->set_time && l != NULL && l->known &&
	    when_round_minute(l->start_ms) == p->start_ms)
		return "an equal minute is never written";
	if (p->kind == PLAN_FOLLOW && p->topic[0] == '\0')
		return "a topic is never blank";
	if (p->kind == PLAN_FOLLOW && l != NULL && l->state == LINK_LINKED &&
	    strcmp(l->event, "first") == 0)
		return "a live event of the link is never replaced";
	return NULL;
}

static void
no_combination_breaks_a_rule(void **state)
{
	static char subjects[][8] = {"Review", "Other", " "};
	int64_t now_ms = utc("2026-11-01T00:00:00");

	(void)state;
	for (int number = 0; number < WORLDS; number++) {
		struct world w;
		struct plan p;
		const char *rule;

		make_world(number, subjects[number % 3], &w);
		plan_event(&w.ev, w.has_link ? &w.link : NULL, &usual, NULL,
		    now_ms, &p);
		rule = broken_rule(&w, &p);
		if (rule != NULL)
			fail_msg("world %d: %s", number, rule);
	}
}

static void
no_deletion_is_confirmed_before_its_time(void **state)
{
	enum { GRACE_MS = 60000, NOW_MS = 1000000 };
	struct policy policy = usual;
	int64_t until;

	(void)state;
	for (int s = 0; s < WORLD_STATES; s++)
		for (int since = 0; since <= NOW_MS; since += 20000)
			for (int bits = 0; bits < 8; bits++) {
				struct link l = link_in(s);
				enum plan_gone got;

				l.mine = bits & 1;
				l.gone_since_ms = since;
				policy.deletion =
				    bits & 2 ? POLICY_LEAVE : POLICY_DELETE;
				policy.deletion_grace_ms =
				    bits & 4 ? GRACE_MS : 0;
				got = plan_gone(&l, &policy, NOW_MS, &until);
				if (got == PLAN_GONE_NOTHING)
					continue;
				assert_true(l.mine && (bits & 2) == 0);
				assert_true(s == LINK_LINKED ||
				    s == LINK_GONE || s == LINK_HELD);
				if (got != PLAN_GONE_CONFIRM || (bits & 4) == 0)
					continue;
				assert_true(since > 0);
				assert_true(since + GRACE_MS <= NOW_MS);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_odd_events_ask_for),
	    cmocka_unit_test(what_a_topic_is_made_of),
	    cmocka_unit_test(
		a_subject_of_100000_characters_is_cut_at_the_limit),
	    cmocka_unit_test(when_an_all_day_event_begins),
	    cmocka_unit_test(an_end_is_never_before_the_start),
	    cmocka_unit_test(a_time_that_is_none_is_still_refused),
	    cmocka_unit_test(no_combination_breaks_a_rule),
	    cmocka_unit_test(no_deletion_is_confirmed_before_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
