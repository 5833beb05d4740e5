/* tests/unit/test_catchup.c - rule/catchup.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rule/catchup.h"

enum { SINCE = 1000000 };

static void
what_a_link_asks_for(void **state)
{
	static const struct {
		const char *sentence;
		struct catchup_link link;
		enum catchup_need need;
	} cases[] = {
	    {"a followed event to come is asked for",
		{.state = LINK_LINKED, .seen = true, .end_ms = SINCE + 1},
		CATCHUP_ASK},
	    {"one that ended a moment inside the window is asked for",
		{.state = LINK_LINKED, .seen = true, .end_ms = SINCE},
		CATCHUP_ASK},
	    {"one that ended before it is past",
		{.state = LINK_LINKED, .seen = true, .end_ms = SINCE - 1},
		CATCHUP_PASS},
	    {"one whose end is not known may still matter",
		{.state = LINK_LINKED, .seen = true}, CATCHUP_ASK},
	    {"a series is looked at whatever its master says",
		{.state = LINK_LINKED,
		    .seen = true,
		    .series = true,
		    .end_ms = SINCE + 1},
		CATCHUP_LOOK},
	    {"a series whose last occurrence is past is past",
		{.state = LINK_LINKED,
		    .seen = true,
		    .series = true,
		    .end_ms = SINCE - 1},
		CATCHUP_PASS},
	    {"a link with a write begun or an error is looked at",
		{.state = LINK_LINKED, .seen = true, .unsettled = true},
		CATCHUP_LOOK},
	    {"a deletion candidate is looked at",
		{.state = LINK_GONE, .seen = true}, CATCHUP_LOOK},
	    {"a held deletion is looked at", {.state = LINK_HELD, .seen = true},
		CATCHUP_LOOK},
	    {"a link without an event is left to the search",
		{.state = LINK_ANNOUNCED}, CATCHUP_PASS},
	    {"so is one that was given up", {.state = LINK_UNCONFIRMED},
		CATCHUP_PASS},
	    {"an announced event that was never seen is looked at",
		{.state = LINK_ANNOUNCED, .seen = true}, CATCHUP_LOOK},
	    {"a foreign conversation is left alone",
		{.state = LINK_FOREIGN, .seen = true}, CATCHUP_PASS},
	    {"an ended one is left alone", {.state = LINK_ENDED, .seen = true},
		CATCHUP_PASS},
	    {"one ended early is left alone",
		{.state = LINK_ENDED_EARLY, .seen = true, .series = true},
		CATCHUP_PASS},
	    {"a kept one is looked at: its event may be back",
		{.state = LINK_KEPT, .seen = true, .end_ms = SINCE},
		CATCHUP_LOOK},
	    {"a kept one whose time is past is left alone",
		{.state = LINK_KEPT, .seen = true, .end_ms = SINCE - 1},
		CATCHUP_PASS},
	    {"of a kept series nobody knows when it ends",
		{.state = LINK_KEPT,
		    .seen = true,
		    .series = true,
		    .end_ms = SINCE - 1},
		CATCHUP_LOOK},
	    {"a kept one that was never seen is left alone",
		{.state = LINK_KEPT}, CATCHUP_PASS},
	    {"a deleted one is left alone",
		{.state = LINK_DELETED, .seen = true, .unsettled = true},
		CATCHUP_PASS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("# %s\n", cases[i].sentence);
		assert_int_equal(
		    catchup_need(&cases[i].link, SINCE), cases[i].need);
	}
}

static void
what_the_answers_mean(void **state)
{
	static const struct {
		const char *sentence;
		enum err_code event;
		bool same_key;
		enum err_code calendar;
		enum catchup_verdict verdict;
	} cases[] = {
	    {"the same event in a calendar costs nothing more", ERR_NONE, true,
		ERR_NONE, CATCHUP_SAME},
	    {"another changeKey is looked at", ERR_NONE, false, ERR_NONE,
		CATCHUP_DIFFERS},
	    {"another changeKey is enough, whatever the calendar says",
		ERR_NONE, false, ERR_BUSY, CATCHUP_DIFFERS},
	    {"an event that is gone is looked at", ERR_GONE, false, ERR_GONE,
		CATCHUP_DIFFERS},
	    {"an unchanged event in no calendar is looked at", ERR_NONE, true,
		ERR_GONE, CATCHUP_DIFFERS},
	    {"a throttled event waits", ERR_BUSY, false, ERR_NONE,
		CATCHUP_THROTTLED},
	    {"a throttled calendar waits", ERR_NONE, true, ERR_BUSY,
		CATCHUP_THROTTLED},
	    {"throttled comes before no answer", ERR_RETRY, false, ERR_BUSY,
		CATCHUP_THROTTLED},
	    {"an event without an answer is asked again", ERR_RETRY, false,
		ERR_NONE, CATCHUP_AGAIN},
	    {"a calendar without an answer is asked again", ERR_NONE, true,
		ERR_RETRY, CATCHUP_AGAIN},
	    {"a mailbox out of reach says nothing of the event", ERR_MAILBOX,
		false, ERR_GONE, CATCHUP_NO_MAILBOX},
	    {"nor does it when only the calendar says so", ERR_GONE, false,
		ERR_MAILBOX, CATCHUP_NO_MAILBOX},
	    {"but one that gives the event is not out of reach", ERR_NONE, true,
		ERR_MAILBOX, CATCHUP_DIFFERS},
	    {"a refused token says nothing either", ERR_AUTH, false,
		ERR_MAILBOX, CATCHUP_NO_TOKEN},
	    {"nor does one refused for the calendar", ERR_NONE, false, ERR_AUTH,
		CATCHUP_NO_TOKEN},
	    {"a refusal that is not understood is looked at", ERR_REFUSED,
		false, ERR_NONE, CATCHUP_DIFFERS},
	    {"so is one of the calendar", ERR_NONE, true, ERR_REFUSED,
		CATCHUP_DIFFERS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("# %s\n", cases[i].sentence);
		assert_int_equal(catchup_judge(cases[i].event,
				     cases[i].same_key, cases[i].calendar),
		    cases[i].verdict);
	}
}

static void
the_next_one_is_due_within_the_interval_and_not_together(void **state)
{
	const int64_t hour = 3600 * 1000;

	(void)state;
	assert_int_equal(catchup_next_ms(1000, 6 * hour, 0), 1000 + 6 * hour);
	assert_int_equal(catchup_next_ms(1000, 6 * hour, 6 * hour / 10),
	    1000 + 6 * hour - 6 * hour / 10);
	for (uint64_t r = 1; r != 0; r <<= 1) {
		int64_t next = catchup_next_ms(0, 6 * hour, r - 1);

		assert_true(next > 5 * hour && next <= 6 * hour);
	}
	assert_int_equal(catchup_next_ms(7, 3, UINT64_MAX), 10);
}

static void
a_late_heartbeat_means_that_we_were_away(void **state)
{
	(void)state;
	assert_false(catchup_was_away(1000, 1000));
	assert_false(catchup_was_away(1000, 1000 + CATCHUP_AWAY_MS));
	assert_true(catchup_was_away(1000, 1001 + CATCHUP_AWAY_MS));
	/* The clock was set back. */
	assert_false(catchup_was_away(1000 + 86400000, 1000));
}

static void
a_heartbeat_shows_a_living_sync(void **state)
{
	const int64_t day = 86400000;
	static const struct {
		const char *what;
		int64_t ago_ms;
		bool alive;
	} cases[] = {
	    {"just now", 0, true},
	    {"within its time", CATCHUP_SILENT_MS, true},
	    {"too long ago", CATCHUP_SILENT_MS + 1, false},
	    {"a little ahead, by another host's clock", -CATCHUP_SILENT_MS,
		true},
	    {"ahead: the clock was set back, and it has not beaten since",
		-CATCHUP_SILENT_MS - 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("# %s\n", cases[i].what);
		assert_int_equal(catchup_is_alive(day - cases[i].ago_ms, day),
		    cases[i].alive);
	}
	/* It has never run, and the clock is near its beginning. */
	assert_false(catchup_is_alive(0, 1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_link_asks_for),
	    cmocka_unit_test(what_the_answers_mean),
	    cmocka_unit_test(
		the_next_one_is_due_within_the_interval_and_not_together),
	    cmocka_unit_test(a_late_heartbeat_means_that_we_were_away),
	    cmocka_unit_test(a_heartbeat_shows_a_living_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
