/* tests/unit/test_subscription.c - rule/subscription.h, link.h, policy.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rule/link.h"
#include "rule/policy.h"
#include "rule/subscription.h"

enum { MINUTE = 60 * 1000 };

static void
when_a_subscription_is_due(void **state)
{
	static const struct {
		const char *sentence;
		struct subscription s;
		int64_t now_ms, limit_ms;
		bool force;
		enum subscription_need want;
	} cases[] = {
	    {"one that does not exist is made", {false, 0, 0, 0, 0}, 0, 0,
		false, SUBSCRIPTION_CREATE},
	    {"one that Graph never answered is made", {true, 0, 5000, 0, 0}, 10,
		0, false, SUBSCRIPTION_CREATE},
	    {"a fresh one is kept", {true, 1000, 3000, 0, 0}, 1000, 0, false,
		SUBSCRIPTION_KEEP},
	    {"just before half of its life it is kept",
		{true, 1000, 3000, 0, 0}, 1999, 0, false, SUBSCRIPTION_KEEP},
	    {"at half of its life it is renewed", {true, 1000, 3000, 0, 0},
		2000, 0, false, SUBSCRIPTION_RENEW},
	    {"a shorter limit comes first", {true, 1000, 3000, 0, 0}, 1300, 300,
		false, SUBSCRIPTION_RENEW},
	    {"a longer limit changes nothing", {true, 1000, 3000, 0, 0}, 1999,
		5000, false, SUBSCRIPTION_KEEP},
	    {"force renews a fresh one", {true, 1000, 3000, 0, 0}, 1000, 0,
		true, SUBSCRIPTION_RENEW},
	    {"an expired one is made anew", {true, 1000, 3000, 0, 0}, 3000, 0,
		false, SUBSCRIPTION_CREATE},
	    {"force makes an expired one anew too", {true, 1000, 3000, 0, 0},
		3001, 0, true, SUBSCRIPTION_CREATE},
	    {"a clock set back keeps it", {true, 1000, 3000, 0, 0}, 10, 0,
		false, SUBSCRIPTION_KEEP},
	    {"a clock set back by a day keeps one with most of its life left",
		{true, 1440 * MINUTE, 10080 * MINUTE, 10065 * MINUTE, 0}, 0, 0,
		false, SUBSCRIPTION_KEEP},
	    {"and renews one of which less than half is left, whenever it is "
	     "due",
		{true, 1440 * MINUTE, 300 * MINUTE, 10065 * MINUTE, 0}, 0, 0,
		false, SUBSCRIPTION_RENEW},
	    {"a clock that was set to the right time changes nothing",
		{true, 1 * MINUTE, 300 * MINUTE, 10065 * MINUTE, 0}, 0, 0,
		false, SUBSCRIPTION_KEEP},
	    {"one granted for no time at all is made anew",
		{true, 1000, 1000, 0, 0}, 1000, 0, false, SUBSCRIPTION_CREATE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (subscription_decide(&cases[i].s, cases[i].now_ms,
			cases[i].limit_ms, cases[i].force) != cases[i].want)
			fail_msg("%s", cases[i].sentence);
}

static void
the_spread_makes_it_earlier_never_later(void **state)
{
	const int64_t life_ms = (int64_t)10064 * MINUTE;
	struct subscription s = {true, 1000, 1000 + life_ms, 0, 0};

	(void)state;
	assert_true(subscription_due_ms(&s, 0) == 1000 + life_ms / 2);
	s.spread = UINT32_MAX;
	assert_true(subscription_due_ms(&s, 0) < 1000 + life_ms / 2);
	assert_true(subscription_due_ms(&s, 0) >=
	    1000 + life_ms / 2 - life_ms / 2 / SUBSCRIPTION_SPREAD_PART);
	assert_true(subscription_due_ms(&s, 6400) <= 1000 + 6400);
	assert_true(subscription_due_ms(&s, 6400) >= 1000 + 6300);
}

/* 10,000 enrolled at one moment: how many are due in the worst minute. */
static void
mailboxes_of_one_moment_are_spread_over_an_hour(void **state)
{
	static int per_minute[128];
	const int64_t half = (int64_t)5032 * MINUTE;
	int most = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		struct subscription s = {true, 1, 1 + 2 * half, 0, 0};
		char user[40];
		int64_t early;

		snprintf(
		    user, sizeof(user), "00000000-0000-4000-8000-%012d", i);
		s.spread = subscription_spread("tenant", user);
		early = (1 + half - subscription_due_ms(&s, 0)) / MINUTE;
		assert_in_range(early, 0, 79);
		if (++per_minute[early] > most)
			most = per_minute[early];
	}
	assert_in_range(most, 1, 200);
	assert_true(
	    subscription_spread("a", "b") == subscription_spread("a", "b"));
}

static void
a_life_longer_than_asked_for_comes_from_a_slow_clock(void **state)
{
	/* an hour asked for by a clock a day behind: Graph grants 45 minutes,
	 * which look like a day */
	struct subscription s = {
	    true, 1000, 1000 + 1485 * MINUTE, 60 * MINUTE, 0};

	(void)state;
	assert_true(subscription_due_ms(&s, 0) == 1000 + 30 * MINUTE);
	/* ten minutes asked for, 45 granted: that is Graph's floor */
	s.asked_ms = 10 * MINUTE;
	s.expires_ms = 1000 + 45 * MINUTE;
	assert_true(subscription_due_ms(&s, 0) == 1000 + 45 * MINUTE / 2);
	/* a shorter life than asked for counts as it is */
	s.asked_ms = 600 * MINUTE;
	assert_true(subscription_due_ms(&s, 0) == 1000 + 45 * MINUTE / 2);
}

static void
a_refused_life_is_shortened_until_nothing_is_left(void **state)
{
	int64_t life_ms = (int64_t)10065 * MINUTE;
	int steps = 0;

	(void)state;
	assert_true(subscription_shorter_ms(life_ms, (int64_t)4230 * MINUTE) ==
	    (int64_t)4229 * MINUTE);
	/* the limit was kept to: our clock is ahead of Graph's */
	assert_true(subscription_shorter_ms(life_ms, (int64_t)10080 * MINUTE) <
	    life_ms);
	while (life_ms > 0 && steps++ < 100)
		life_ms =
		    subscription_shorter_ms(life_ms, (int64_t)10080 * MINUTE);
	assert_in_range(steps, 2, 50);
}

static void
what_can_not_be_changed_makes_a_new_one_necessary(void **state)
{
	static const struct subscription_terms now = {"u", "c", "a", false};
	static const struct {
		const char *sentence;
		struct subscription_terms made;
		const char *flaw;
	} cases[] = {
	    {"the same terms need nothing", {"u", "c", "a", false}, NULL},
	    {"the case of a GUID is no difference", {"u", "C", "A", false},
		NULL},
	    {"what is not known is no difference", {"u", "", "", false}, NULL},
	    {"another address", {"v", "c", "a", false},
		"made for another deploymentUrl"},
	    {"another application", {"u", "d", "a", false},
		"made for another clientId"},
	    {"another add-in", {"u", "c", "b", false},
		"made for another addinId"},
	    {"without lifecycle notifications", {"u", "c", "a", true},
		"it has no lifecycleNotificationUrl"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *flaw = subscription_flaw(&cases[i].made, &now);

		if ((flaw == NULL) != (cases[i].flaw == NULL) ||
		    (flaw != NULL && strcmp(flaw, cases[i].flaw) != 0))
			fail_msg("%s", cases[i].sentence);
	}
}

static void
no_more_than_graphs_longest_life_is_asked_for(void **state)
{
	(void)state;
	assert_true(subscription_expiry_ms(0, MINUTE) == MINUTE);
	assert_true(subscription_expiry_ms(5, (int64_t)10080 * MINUTE) ==
	    (int64_t)10080 * MINUTE + 5);
	assert_true(subscription_expiry_ms(0, (int64_t)10081 * MINUTE) ==
	    (int64_t)10080 * MINUTE);
	assert_true(
	    subscription_expiry_ms(0, INT64_MAX) == (int64_t)10080 * MINUTE);
}

static void
an_unseen_event_is_searched_for_at_once_and_after_1_5_15_60_minutes(
    void **state)
{
	(void)state;
	assert_true(link_next_search_ms(0, 7) == 7);
	assert_true(link_next_search_ms(1, 7) == 7 + MINUTE);
	assert_true(link_next_search_ms(2, 7) == 7 + 5 * MINUTE);
	assert_true(link_next_search_ms(3, 7) == 7 + 15 * MINUTE);
	assert_true(link_next_search_ms(4, 7) == 7 + 60 * MINUTE);
	assert_true(link_next_search_ms(5, 7) == INT64_MAX);
}

static void
the_words_of_oneventdeleted_are_known_and_no_others(void **state)
{
	enum policy_deletion d;

	(void)state;
	assert_int_equal(policy_deletion_parse("ignore", &d), 0);
	assert_int_equal(d, POLICY_LEAVE);
	assert_int_equal(policy_deletion_parse("delete-if-untouched", &d), 0);
	assert_int_equal(d, POLICY_DELETE);
	assert_int_equal(
	    policy_deletion_parse("delete-if-untouched-else-cancel", &d), 0);
	assert_int_equal(d, POLICY_DELETE_OR_END);
	assert_int_equal(policy_deletion_parse("delete", &d), -1);
}

static void
its_end_by_our_clock(void **state)
{
	enum { HOUR = 60 * MINUTE };
	const int64_t graph = INT64_C(1822964400000);
	static const struct {
		const char *sentence;
		int64_t ours_ms, want_ms; /* from Graph's on */
	} cases[] = {
	    {"is what Graph says when the clocks agree", 0, 5 * HOUR},
	    {"and when they differ by a minute", MINUTE, 5 * HOUR},
	    {"comes later with a clock an hour ahead", HOUR, 6 * HOUR},
	    {"comes earlier with one a day behind", -24 * HOUR, -19 * HOUR},
	    {"with one that is off by days nothing is known", -48 * HOUR,
		5 * HOUR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t end = subscription_end_ms(
		    graph + 5 * HOUR, graph, graph + cases[i].ours_ms);

		if (end != graph + cases[i].want_ms)
			fail_msg("%s", cases[i].sentence);
	}
	assert_int_equal(subscription_end_ms(graph, 0, graph - HOUR), graph);
}

static void
creations_without_an_answer_come_further_and_further_apart(void **state)
{
	static const struct {
		const char *sentence;
		int64_t unanswered, since_ms, want_ms;
	} cases[] = {
	    {"the first one comes at once", 0, 1 << 30, 0},
	    {"and so does the eighth", 7, 0, 0},
	    {"behind it there is half a minute", 8, 0, MINUTE / 2},
	    {"of which some may have passed", 8, MINUTE / 2 - 1, 1},
	    {"or all", 8, MINUTE / 2, 0},
	    {"and then half a minute more each time", 29, 0, 11 * MINUTE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (subscription_pause_ms(cases[i].unanswered,
			cases[i].since_ms) != cases[i].want_ms)
			fail_msg("%s", cases[i].sentence);
	/* The first for as long as wanted, the others for an hour. */
	assert_int_equal(subscription_trial_ms(600 * MINUTE, 0), 600 * MINUTE);
	assert_int_equal(subscription_trial_ms(0, 0), 0);
	assert_int_equal(subscription_trial_ms(600 * MINUTE, 1), 60 * MINUTE);
	assert_int_equal(subscription_trial_ms(0, 1), 60 * MINUTE);
	assert_int_equal(subscription_trial_ms(50 * MINUTE, 1), 50 * MINUTE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(when_a_subscription_is_due),
	    cmocka_unit_test(its_end_by_our_clock),
	    cmocka_unit_test(the_spread_makes_it_earlier_never_later),
	    cmocka_unit_test(mailboxes_of_one_moment_are_spread_over_an_hour),
	    cmocka_unit_test(
		a_life_longer_than_asked_for_comes_from_a_slow_clock),
	    cmocka_unit_test(a_refused_life_is_shortened_until_nothing_is_left),
	    cmocka_unit_test(what_can_not_be_changed_makes_a_new_one_necessary),
	    cmocka_unit_test(
		creations_without_an_answer_come_further_and_further_apart),
	    cmocka_unit_test(no_more_than_graphs_longest_life_is_asked_for),
	    cmocka_unit_test(
		an_unseen_event_is_searched_for_at_once_and_after_1_5_15_60_minutes),
	    cmocka_unit_test(
		the_words_of_oneventdeleted_are_known_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
