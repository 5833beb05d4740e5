/* tests/unit/test_plan.c - rule/plan.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/tz.h"
#include "base/when.h"
#include "rule/plan.h"
#include "rule/recurrence.h"

static const struct policy usual = {
    .fallback_topic = "Meeting",
    .topic_max_chars = 250,
    .deletion_grace_ms = 60000,
    .max_deletions_per_mailbox = 5,
    .max_deletions_per_tenant = 50,
};

enum { NOW = 1000000000, START = 1800000000 };

static char review[] = "Review";

static struct event
event_of(const char *id)
{
	struct event ev = {
	    .subject = review,
	    .organizer = true,
	    .linked = true,
	    .timed = true,
	    .start_ms = START,
	    .end_ms = START + 1800000,
	};

	snprintf(ev.id, sizeof(ev.id), "%s", id);
	snprintf(ev.conversation, sizeof(ev.conversation), "conv");
	snprintf(ev.source_id, sizeof(ev.source_id), "source");
	return ev;
}

static const struct link stored = {
    .state = LINK_LINKED,
    .mine = true,
    .conversation = "conv",
    .source_id = "source",
    .event = "event",
    .known = true,
    .topic = "Review",
    .start_ms = START,
};

/* The second occurrence is next; and nothing is left. */
static const struct series ahead = {.found = true,
    .start_ms = START + INT64_C(604800000),
    .end_ms = START + INT64_C(604800000) + 1800000};
static const struct series nothing_left = {.until_ms = INT64_MAX};

struct plan_case {
	const char *sentence;
	struct event event;
	bool linked; /* there is a link */
	struct link link;
	const struct series *series;
	enum plan_kind kind;
	bool take, topic, time;
};

static void
check_case(const struct plan_case *c)
{
	struct plan p;

	plan_event(&c->event, c->linked ? &c->link : NULL, c->series, &usual,
	    NULL, NOW, &p);
	if (p.kind != c->kind || p.take_event != c->take ||
	    p.set_topic != c->topic || p.set_time != c->time)
		fail_msg("%s: kind %d take %d topic %d time %d (%s)",
		    c->sentence, (int)p.kind, p.take_event, p.set_topic,
		    p.set_time, p.why);
}

static void
what_an_event_asks_for(void **state)
{
	struct plan_case cases[64];
	struct plan_case *c = cases;

	(void)state;
#define CASE(text, k)                                                          \
	c->sentence = (text);                                                  \
	c->event = event_of("event");                                          \
	c->linked = true;                                                      \
	c->link = stored;                                                      \
	c->series = NULL;                                                      \
	c->kind = (k);                                                         \
	c->take = c->topic = c->time = false

	CASE("equal topic and time ask for nothing", PLAN_FOLLOW);
	c++;
	CASE("a new subject asks for the topic only", PLAN_FOLLOW);
	c->link.topic = "Old";
	c->topic = true;
	c++;
	CASE("a new start asks for the time only", PLAN_FOLLOW);
	c->link.start_ms = START - 3600000;
	c->time = true;
	c++;
	CASE("seconds that round to the same minute ask for nothing",
	    PLAN_FOLLOW);
	c->event.start_ms = START + 29999;
	c++;
	CASE("a property without a link takes the event and writes both",
	    PLAN_FOLLOW);
	c->linked = false;
	c->take = c->topic = c->time = true;
	c++;
	CASE("neither property nor link is none of our business", PLAN_NOTHING);
	c->linked = false;
	c->event.linked = false;
	c++;
	CASE("a property that is missing later does not unlink", PLAN_FOLLOW);
	c->event.linked = false;
	c++;
	CASE("an event of someone else is never acted on", PLAN_NOTHING);
	c->event.organizer = false;
	c++;
	CASE("a link of another mailbox is not ours", PLAN_NOTHING);
	c->link.mine = false;
	c++;
	CASE("a foreign link is over", PLAN_NOTHING);
	c->link.state = LINK_FOREIGN;
	c++;
	CASE("an ended link is over", PLAN_NOTHING);
	c->link.state = LINK_ENDED;
	c++;
	CASE("a link kept when its event was deleted resumes with the event",
	    PLAN_FOLLOW);
	c->link.state = LINK_KEPT;
	c++;
	CASE("a deleted link is over", PLAN_NOTHING);
	c->link.state = LINK_DELETED;
	c++;
	CASE("an occurrence leads to its master", PLAN_MASTER);
	c->event.type = EVENT_OCCURRENCE;
	snprintf(c->event.master, sizeof(c->event.master), "master");
	c++;
	CASE("an exception without the property leads to a linked master",
	    PLAN_MASTER);
	c->event.type = EVENT_OCCURRENCE;
	c->event.linked = false;
	snprintf(c->event.master, sizeof(c->event.master), "master");
	c++;
	CASE("an occurrence with the property leads to a master never seen",
	    PLAN_MASTER);
	c->event.type = EVENT_OCCURRENCE;
	c->linked = false;
	snprintf(c->event.master, sizeof(c->event.master), "master");
	c++;
	CASE("an occurrence of a series that is nothing to us leads nowhere",
	    PLAN_NOTHING);
	c->event.type = EVENT_OCCURRENCE;
	c->linked = c->event.linked = false;
	snprintf(c->event.master, sizeof(c->event.master), "master");
	c++;
	CASE("an exception with someone else's property leads nowhere",
	    PLAN_NOTHING);
	c->event.type = EVENT_OCCURRENCE;
	c->link.mine = false;
	snprintf(c->event.master, sizeof(c->event.master), "master");
	c++;
	CASE(
	    "an occurrence of a link that is over leads nowhere", PLAN_NOTHING);
	c->event.type = EVENT_OCCURRENCE;
	c->link.state = LINK_ENDED;
	snprintf(c->event.master, sizeof(c->event.master), "master");
	c++;
	CASE("a cancelled occurrence leads to its master and is no candidate",
	    PLAN_MASTER);
	c->event.type = EVENT_OCCURRENCE;
	c->event.cancelled = true;
	snprintf(c->event.master, sizeof(c->event.master), "master");
	c++;
	CASE("an attendee's occurrence leads nowhere", PLAN_NOTHING);
	c->event.type = EVENT_OCCURRENCE;
	c->event.organizer = false;
	snprintf(c->event.master, sizeof(c->event.master), "master");
	c++;
	CASE("an occurrence without a master leads nowhere", PLAN_NOTHING);
	c->event.type = EVENT_OCCURRENCE;
	c++;
	CASE("an event type of the future is left alone", PLAN_NOTHING);
	c->event.type = EVENT_TYPE_OTHER;
	c++;
	CASE("a second live event is a copy", PLAN_COPY);
	c->link.event = "first";
	c++;
	CASE("a copy that is called off is nothing", PLAN_NOTHING);
	c->link.event = "first";
	c->event.cancelled = true;
	c++;
	CASE("ids that differ in case only are different events", PLAN_COPY);
	c->link.event = "EVENT";
	c++;
	CASE("an announced link takes any event", PLAN_FOLLOW);
	c->link.state = LINK_ANNOUNCED;
	c->link.event = "";
	c->take = true;
	c++;
	CASE("an event announced by another id is taken by its immutable one",
	    PLAN_FOLLOW);
	c->link.state = LINK_ANNOUNCED;
	c->link.event = "rest-id";
	c->take = true;
	c++;
	CASE("while the first event may be gone another one is a copy",
	    PLAN_COPY);
	c->link.state = LINK_GONE;
	c->link.event = "first";
	c++;
	CASE("while the deletion is held another one takes over", PLAN_FOLLOW);
	c->link.state = LINK_HELD;
	c->link.event = "first";
	c->take = true;
	c++;
	CASE("an event that is called off is a candidate", PLAN_CANCELED);
	c->event.cancelled = true;
	c++;
	CASE("a draft without a time is left alone", PLAN_NOTHING);
	c->event.timed = false;
	c++;
	CASE("what is not known to be Unblu's is written", PLAN_FOLLOW);
	c->link.known = false;
	c->topic = c->time = true;
	c++;
	CASE("a series is asked for its occurrences first", PLAN_OCCURRENCES);
	c->event.type = EVENT_MASTER;
	c++;
	CASE("a series without a link takes the event once they are known",
	    PLAN_OCCURRENCES);
	c->event.type = EVENT_MASTER;
	c->linked = false;
	c->take = true;
	c++;
	CASE("a copy of a series is not asked for occurrences", PLAN_COPY);
	c->event.type = EVENT_MASTER;
	c->link.event = "first";
	c++;
	CASE("a series that is called off is a candidate", PLAN_CANCELED);
	c->event.type = EVENT_MASTER;
	c->event.cancelled = true;
	c++;
	CASE("a series of someone else is not asked for", PLAN_NOTHING);
	c->event.type = EVENT_MASTER;
	c->event.organizer = false;
	c++;
	CASE(
	    "a series with a link that is over is not asked for", PLAN_NOTHING);
	c->event.type = EVENT_MASTER;
	c->link.state = LINK_ENDED_EARLY;
	c++;
	CASE("the next occurrence as written asks for nothing", PLAN_FOLLOW);
	c->event.type = EVENT_MASTER;
	c->series = &ahead;
	c->link.start_ms = ahead.start_ms;
	c++;
	CASE("the time of a series is its next occurrence's, not its master's",
	    PLAN_FOLLOW);
	c->event.type = EVENT_MASTER;
	c->series = &ahead;
	c->time = true;
	c++;
	CASE("the topic of a series is its master's", PLAN_FOLLOW);
	c->event.type = EVENT_MASTER;
	c->series = &ahead;
	c->link.start_ms = ahead.start_ms;
	c->link.topic = "Old";
	c->topic = true;
	c++;
	CASE("a series seen for the first time writes both", PLAN_FOLLOW);
	c->event.type = EVENT_MASTER;
	c->series = &ahead;
	c->linked = false;
	c->take = c->topic = c->time = true;
	c++;
	CASE("with no occurrence left the time stays", PLAN_FOLLOW);
	c->event.type = EVENT_MASTER;
	c->series = &nothing_left;
	c->link.start_ms = 1;
	c++;
	CASE("with no occurrence left the topic still follows", PLAN_FOLLOW);
	c->event.type = EVENT_MASTER;
	c->series = &nothing_left;
	c->link.topic = "Old";
	c->topic = true;
	c++;
	CASE("with no occurrence left nothing that is not known is made up",
	    PLAN_FOLLOW);
	c->event.type = EVENT_MASTER;
	c->series = &nothing_left;
	c->linked = false;
	c->take = c->topic = true;
	c++;
	assert_true(c <= cases + sizeof(cases) / sizeof(cases[0]));
	for (struct plan_case *i = cases; i < c; i++)
		check_case(i);
}

static void
a_topic_is_trimmed_cut_at_a_code_point_and_never_blank(void **state)
{
	static const struct {
		const char *subject, *want;
		int max;
	} cases[] = {
	    {"Review", "Review", 250},
	    {"  Review \t\n", "Review", 250},
	    {"\xc2\xa0Review\xe2\x80\x83", "Review", 250},
	    {"", "Meeting", 250},
	    {" \t ", "Meeting", 250},
	    {"M\xc3\xbcller", "M\xc3\xbc", 2},
	    {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 1},
	    {"two words", "two", 4},
	};
	struct policy p = usual;
	char out[PLAN_TOPIC_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p.topic_max_chars = cases[i].max;
		plan_topic(cases[i].subject, &p, out);
		assert_string_equal(out, cases[i].want);
	}
}

static void
a_very_long_topic_stays_inside_its_array(void **state)
{
	struct policy p = usual;
	char subject[4096];
	char out[PLAN_TOPIC_MAX];

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(subject); i += 2)
		memcpy(subject + i, "\xc3\xbc", 2);
	subject[sizeof(subject) - 2] = '\0';
	p.topic_max_chars = 100000;
	plan_topic(subject, &p, out);
	assert_int_equal(strlen(out), PLAN_TOPIC_MAX - 2);
}

static void
an_all_day_event_starts_with_the_day_in_the_zone(void **state)
{
	struct event ev = event_of("event");
	struct tz *zone = tz_load("Europe/Zurich", NULL);
	struct plan p;
	int64_t want;

	(void)state;
	if (zone == NULL)
		skip();
	ev.all_day = true;
	ev.year = 2027;
	ev.month = 7;
	ev.day = 1;
	assert_int_equal(
	    when_parse_iso("2027-07-01T00:00:00Z", false, &ev.start_ms), 0);
	plan_event(&ev, &stored, NULL, &usual, zone, NOW, &p);
	assert_int_equal(
	    when_parse_iso("2027-06-30T22:00:00Z", false, &want), 0);
	assert_true(p.start_ms == want);
	assert_true(p.set_time);
	tz_free(zone);
}

/* What of a plan is kept in the link. */
static void
check_kept(const char *sentence, const struct plan *p, int64_t end_ms,
    int64_t occurrence_end_ms, int64_t check_ms, bool goes_on)
{
	if (p->end_ms != end_ms || p->occurrence_end_ms != occurrence_end_ms ||
	    p->check_ms != check_ms || p->goes_on != goes_on)
		fail_msg("%s: end %lld occurrence %lld check %lld goes on %d",
		    sentence, (long long)p->end_ms,
		    (long long)p->occurrence_end_ms, (long long)p->check_ms,
		    p->goes_on);
}

static void
when_a_series_is_looked_at_again(void **state)
{
	struct event ev = event_of("event");
	struct link l = stored;
	struct series s = ahead;
	struct plan p;
	const int64_t far = RECURRENCE_FOREVER_MS;

	(void)state;
	plan_event(&ev, &l, NULL, &usual, NULL, NOW, &p);
	check_kept("a single event is not looked at by the clock", &p,
	    ev.end_ms, 0, 0, false);
	ev.type = EVENT_MASTER;
	ev.series_end_ms = far;
	plan_event(&ev, &l, &s, &usual, NULL, NOW, &p);
	check_kept("a series behind the end of the occurrence that counts", &p,
	    far, s.end_ms, s.end_ms + SERIES_AFTER_MS, true);
	ev.series_end_ms = s.end_ms - 1;
	plan_event(&ev, &l, &s, &usual, NULL, NOW, &p);
	check_kept("an occurrence moved behind the end is the end", &p,
	    s.end_ms, s.end_ms, s.end_ms + SERIES_AFTER_MS, true);

	s = (struct series){.until_ms = NOW + 1000};
	ev.series_end_ms = far;
	plan_event(&ev, &l, &s, &usual, NULL, NOW, &p);
	check_kept("a series whose next one is years off after a year", &p, far,
	    0, NOW + INT64_C(365) * 86400000, true);
	assert_false(p.set_time);
	s.until_ms = far;
	plan_event(&ev, &l, &s, &usual, NULL, NOW, &p);
	check_kept("one whose occurrences were all deleted is over now", &p,
	    NOW, NOW, 0, false);
	ev.series_end_ms = NOW - 5000;
	plan_event(&ev, NULL, &s, &usual, NULL, NOW, &p);
	check_kept("one that ended long ago was over then", &p, NOW - 5000,
	    NOW - 5000, 0, false);
	ev.series_end_ms = far;
	l.occurrence_end_ms = NOW - 7000;
	plan_event(&ev, &l, &s, &usual, NULL, NOW, &p);
	check_kept("once over it does not end later with each look", &p,
	    NOW - 7000, NOW - 7000, 0, false);
	l.occurrence_end_ms = NOW + 7000;
	plan_event(&ev, &l, &s, &usual, NULL, NOW, &p);
	check_kept(
	    "the end of one that was deleted is none", &p, NOW, NOW, 0, false);
}

static void
a_gone_event_waits_its_grace_time_and_is_confirmed_then(void **state)
{
	struct link l = stored;
	struct policy p = usual;
	int64_t until;

	(void)state;
	assert_int_equal(plan_gone(&l, &p, NOW, &until), PLAN_GONE_GRACE);
	assert_true(until == NOW + 60000);
	l.state = LINK_GONE;
	l.gone_since_ms = NOW;
	assert_int_equal(
	    plan_gone(&l, &p, NOW + 59999, &until), PLAN_GONE_GRACE);
	assert_true(until == NOW + 60000);
	assert_int_equal(
	    plan_gone(&l, &p, NOW + 60000, &until), PLAN_GONE_CONFIRM);
	/* noted by a clock that was ahead: it is gone since now */
	l.gone_since_ms = NOW + 86400000;
	assert_int_equal(plan_gone(&l, &p, NOW, &until), PLAN_GONE_GRACE);
	assert_true(until == NOW + 60000);
	p.deletion_grace_ms = 0;
	l = stored;
	assert_int_equal(plan_gone(&l, &p, NOW, &until), PLAN_GONE_CONFIRM);
}

static void
a_gone_event_that_is_nobodys_or_ignored_asks_for_nothing(void **state)
{
	struct link l = stored;
	struct policy p = usual;
	int64_t until;

	(void)state;
	assert_int_equal(plan_gone(NULL, &p, NOW, &until), PLAN_GONE_NOTHING);
	l.mine = false;
	assert_int_equal(plan_gone(&l, &p, NOW, &until), PLAN_GONE_NOTHING);
	l = stored;
	l.state = LINK_KEPT;
	assert_int_equal(plan_gone(&l, &p, NOW, &until), PLAN_GONE_NOTHING);
	/* what was never seen can not be missed */
	l.state = LINK_ANNOUNCED;
	assert_int_equal(plan_gone(&l, &p, NOW, &until), PLAN_GONE_NOTHING);
	l.state = LINK_UNCONFIRMED;
	assert_int_equal(plan_gone(&l, &p, NOW, &until), PLAN_GONE_NOTHING);
	l = stored;
	p.deletion = POLICY_LEAVE;
	assert_int_equal(plan_gone(&l, &p, NOW, &until), PLAN_GONE_NOTHING);
}

static void
the_brake_holds_at_the_limit_of_mailbox_or_tenant(void **state)
{
	(void)state;
	assert_false(plan_holds_deletion(&usual, 4, 49));
	assert_true(plan_holds_deletion(&usual, 5, 5));
	assert_true(plan_holds_deletion(&usual, 0, 50));
}

static void
a_missing_event_that_nobody_knew_is_believed_at_once_or_asked_for_again(
    void **state)
{
	static const struct {
		const char *sentence;
		struct plan_absence absence;
		bool again;
	} cases[] = {
	    {"just told of as saved: Graph may be behind itself",
		{.saved = true, .age_ms = 100}, true},
	    {"told of as deleted too: it is", {.saved = true, .deleted = true},
		false},
	    {"not told of as saved at all: it was never there", {0}, false},
	    {"asked for before: it is not there",
		{.saved = true, .attempts = 1, .age_ms = 4000}, false},
	    {"told of long ago, in a backlog: Graph had its time",
		{.saved = true, .age_ms = 15 * 1000}, false},
	    {"told of in the future, for the clock was set back: once more",
		{.saved = true, .age_ms = -1000}, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("# %s\n", cases[i].sentence);
		assert_int_equal(
		    plan_doubts_absence(&cases[i].absence), cases[i].again);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_an_event_asks_for),
	    cmocka_unit_test(
		a_topic_is_trimmed_cut_at_a_code_point_and_never_blank),
	    cmocka_unit_test(a_very_long_topic_stays_inside_its_array),
	    cmocka_unit_test(an_all_day_event_starts_with_the_day_in_the_zone),
	    cmocka_unit_test(when_a_series_is_looked_at_again),
	    cmocka_unit_test(
		a_gone_event_waits_its_grace_time_and_is_confirmed_then),
	    cmocka_unit_test(
		a_gone_event_that_is_nobodys_or_ignored_asks_for_nothing),
	    cmocka_unit_test(
		a_missing_event_that_nobody_knew_is_believed_at_once_or_asked_for_again),
	    cmocka_unit_test(the_brake_holds_at_the_limit_of_mailbox_or_tenant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
