/* tests/unit/test_subscription.c - rule/subscription.h, link.h, policy.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
	    {"one that does not exist is made", {false, 0, 0}, 0, 0, false,
		SUBSCRIPTION_CREATE},
	    {"one that Graph never answered is made", {true, 0, 5000}, 10, 0,
		false, SUBSCRIPTION_CREATE},
	    {"a fresh one is kept", {true, 1000, 3000}, 1000, 0, false,
		SUBSCRIPTION_KEEP},
	    {"just before half of its life it is kept", {true, 1000, 3000},
		1999, 0, false, SUBSCRIPTION_KEEP},
	    {"at half of its life it is renewed", {true, 1000, 3000}, 2000, 0,
		false, SUBSCRIPTION_RENEW},
	    {"a shorter limit comes first", {true, 1000, 3000}, 1300, 300,
		false, SUBSCRIPTION_RENEW},
	    {"a longer limit changes nothing", {true, 1000, 3000}, 1999, 5000,
		false, SUBSCRIPTION_KEEP},
	    {"force renews a fresh one", {true, 1000, 3000}, 1000, 0, true,
		SUBSCRIPTION_RENEW},
	    {"an expired one is made anew", {true, 1000, 3000}, 3000, 0, false,
		SUBSCRIPTION_CREATE},
	    {"force makes an expired one anew too", {true, 1000, 3000}, 3001, 0,
		true, SUBSCRIPTION_CREATE},
	    {"a clock set back keeps it", {true, 1000, 3000}, 10, 0, false,
		SUBSCRIPTION_KEEP},
	    {"one granted for no time at all is made anew", {true, 1000, 1000},
		1000, 0, false, SUBSCRIPTION_CREATE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (subscription_decide(&cases[i].s, cases[i].now_ms,
			cases[i].limit_ms, cases[i].force) != cases[i].want)
			fail_msg("%s", cases[i].sentence);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(when_a_subscription_is_due),
	    cmocka_unit_test(no_more_than_graphs_longest_life_is_asked_for),
	    cmocka_unit_test(
		an_unseen_event_is_searched_for_at_once_and_after_1_5_15_60_minutes),
	    cmocka_unit_test(
		the_words_of_oneventdeleted_are_known_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
