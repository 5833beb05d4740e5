/* tests/unit/test_renewal.c - rule/renewal.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rule/renewal.h"
#include "rule/retry.h"

enum { NOW = 1000000, HALF = 500 };

#define NONE                                                                   \
	{                                                                      \
		false, 0, 0, 0, 0                                              \
	}
#define PENDING                                                                \
	{                                                                      \
		true, 0, 0, 0, 0                                               \
	}
#define FRESH                                                                  \
	{                                                                      \
		true, NOW - 10, NOW - 10 + 2 * HALF, 0, 0                      \
	}
#define HALFWAY                                                                \
	{                                                                      \
		true, NOW - HALF, NOW + HALF, 0, 0                             \
	}
#define EXPIRED                                                                \
	{                                                                      \
		true, NOW - 2 * HALF, NOW, 0, 0                                \
	}
#define AHEAD_SHORT                                                            \
	{                                                                      \
		true, NOW + 86400, NOW + 1000, 10 * HALF, 0                    \
	}
#define AHEAD                                                                  \
	{                                                                      \
		true, NOW + 86400, NOW + 86400 + 2 * HALF, 0, 0                \
	}

static const struct {
	const char *sentence;
	struct renewal_facts f;
	bool force;
	enum renewal_action want;
	int64_t due_ms;
	const char *reason;
} cases[] = {
    {"a followed mailbox without a subscription gets one",
	{true, true, RENEWAL_FOLLOWED, "", 0, NONE, NULL, false}, false,
	RENEWAL_CREATE, 0, "no subscription"},
    {"a creation that was never confirmed is made again",
	{true, true, RENEWAL_FOLLOWED, "", 0, PENDING, NULL, false}, false,
	RENEWAL_CREATE, 0, "its creation was not confirmed"},
    {"a fresh one is looked at again when half of its life has passed",
	{true, true, RENEWAL_FOLLOWED, "", 0, FRESH, NULL, false}, false,
	RENEWAL_NOTHING, NOW - 10 + HALF, "not due"},
    {"then it is renewed",
	{true, true, RENEWAL_FOLLOWED, "", 0, HALFWAY, NULL, false}, false,
	RENEWAL_RENEW, 0, "half of its life or the limit passed"},
    {"force renews a fresh one, and says so",
	{true, true, RENEWAL_FOLLOWED, "", 0, FRESH, NULL, false}, true,
	RENEWAL_RENEW, 0, "forced"},
    {"an expired one is recreated",
	{true, true, RENEWAL_FOLLOWED, "", 0, EXPIRED, NULL, false}, false,
	RENEWAL_RECREATE, 0, "expired"},
    {"one granted before the clock was set back is kept",
	{true, true, RENEWAL_FOLLOWED, "", 0, AHEAD, NULL, false}, false,
	RENEWAL_NOTHING, NOW + 86400 + HALF, "not due"},
    {"one with little left that was granted before it was set back is renewed",
	{true, true, RENEWAL_FOLLOWED, "", 0, AHEAD_SHORT, NULL, false}, false,
	RENEWAL_RENEW, 0, "our clock was set back"},
    {"one made for something else is recreated however fresh",
	{true, true, RENEWAL_FOLLOWED, "", 0, FRESH, "made for another addinId",
	    false},
	false, RENEWAL_RECREATE, 0, "made for another addinId"},
    {"a parked mailbox waits for its time, also with force",
	{true, true, RENEWAL_PARKED, "no user", NOW + 1, FRESH, NULL, false},
	true, RENEWAL_NOTHING, NOW + 1, "parked"},
    {"and is tried again then",
	{true, true, RENEWAL_PARKED, "no user", NOW, FRESH, NULL, false}, false,
	RENEWAL_RETRY, 0, "parked, time to try again"},
    {"thirty hours is the longest that a parked mailbox waits",
	{true, true, RENEWAL_PARKED, "no user", NOW + RETRY_WAIT_MAX_MS, FRESH,
	    NULL, false},
	true, RENEWAL_NOTHING, NOW + RETRY_WAIT_MAX_MS, "parked"},
    {"what a clock that ran ahead has parked for longer is tried at once",
	{true, true, RENEWAL_PARKED, "no user", NOW + RETRY_WAIT_MAX_MS + 1,
	    FRESH, NULL, false},
	false, RENEWAL_RETRY, 0, "parked, our clock was set back"},
    {"what an operator has parked stays so",
	{true, true, RENEWAL_PARKED, "by an operator",
	    RENEWAL_PARKED_FOR_GOOD_MS, FRESH, NULL, false},
	true, RENEWAL_NOTHING, RENEWAL_PARKED_FOR_GOOD_MS, "parked"},
    {"an unfollowed one without a subscription is left alone for good",
	{true, true, RENEWAL_UNFOLLOWED, "by an operator", 0, NONE, NULL,
	    false},
	true, RENEWAL_NOTHING, 0, "no longer followed"},
    {"what is left of it is removed",
	{true, true, RENEWAL_UNFOLLOWED, "by an operator", 0, FRESH, NULL,
	    false},
	false, RENEWAL_LEAVE, 0, "no longer followed"},
    {"a tenant that is not configured is left",
	{true, false, RENEWAL_FOLLOWED, "", 0, FRESH, NULL, false}, true,
	RENEWAL_LEAVE, 0, RENEWAL_NO_TENANT},
    {"a parked mailbox of such a tenant too",
	{true, false, RENEWAL_PARKED, "no user", NOW + 1, FRESH, NULL, false},
	true, RENEWAL_LEAVE, 0, RENEWAL_NO_TENANT},
    {"and nothing is made there",
	{true, false, RENEWAL_FOLLOWED, "", 0, NONE, NULL, false}, true,
	RENEWAL_NOTHING, 0, RENEWAL_NO_TENANT},
    {"a server that is switched off leaves all",
	{false, true, RENEWAL_FOLLOWED, "", 0, HALFWAY, NULL, false}, false,
	RENEWAL_LEAVE, 0, RENEWAL_DISABLED},
    {"one that nobody uses any more is left, however fresh its subscription",
	{true, true, RENEWAL_FOLLOWED, "", 0, FRESH, NULL, true}, true,
	RENEWAL_LEAVE, 0, RENEWAL_UNUSED},
    {"one that ended with its tenant is followed again with it",
	{true, true, RENEWAL_UNFOLLOWED, RENEWAL_NO_TENANT, 0, NONE, NULL,
	    false},
	false, RENEWAL_CREATE, 0, "no subscription"},
    {"one that ended with the server is followed again with it",
	{true, true, RENEWAL_UNFOLLOWED, RENEWAL_DISABLED, 0, FRESH, NULL,
	    false},
	false, RENEWAL_NOTHING, NOW - 10 + HALF, "not due"},
};

static void
what_a_mailbox_needs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct renewal_verdict v =
		    renewal_decide(&cases[i].f, NOW, 0, cases[i].force);

		if (v.action != cases[i].want || v.due_ms != cases[i].due_ms ||
		    strcmp(v.reason, cases[i].reason) != 0)
			fail_msg("%s: %s, %s", cases[i].sentence,
			    renewal_action_name(v.action), v.reason);
	}
}

static void
only_what_ended_for_a_tenant_or_the_server_resumes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct renewal_facts *f = &cases[i].f;
		bool ended_so =
		    strcmp(f->state_reason, RENEWAL_NO_TENANT) == 0 ||
		    strcmp(f->state_reason, RENEWAL_DISABLED) == 0;

		assert_int_equal(
		    renewal_decide(f, NOW, 0, cases[i].force).resumes,
		    ended_so);
	}
}

static void
a_mailbox_that_is_left_is_marked_unless_it_is_already(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct renewal_verdict v =
		    renewal_decide(&cases[i].f, NOW, 0, cases[i].force);

		assert_int_equal(v.ends,
		    v.action == RENEWAL_LEAVE &&
			cases[i].f.state != RENEWAL_UNFOLLOWED);
	}
}

static void
a_success_of_a_clock_that_ran_ahead_is_none(void **state)
{
	(void)state;
	assert_false(renewal_success_is_known(0, NOW));
	assert_true(renewal_success_is_known(1, NOW));
	assert_true(renewal_success_is_known(NOW + 60 * 1000, NOW));
	assert_false(renewal_success_is_known(NOW + 60 * 1000 + 1, NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_mailbox_needs),
	    cmocka_unit_test(
		only_what_ended_for_a_tenant_or_the_server_resumes),
	    cmocka_unit_test(
		a_mailbox_that_is_left_is_marked_unless_it_is_already),
	    cmocka_unit_test(a_success_of_a_clock_that_ran_ahead_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
