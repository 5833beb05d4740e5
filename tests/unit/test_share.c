/* tests/unit/test_share.c - rule/share.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/share.h"

static void
what_a_party_may_still_take(void **state)
{
	static const struct {
		const char *sentence;
		size_t total, parties, busy, mine, want;
	} cases[] = {
	    {"one party alone takes all", 120, 1, 0, 0, 120},
	    {"no party at all is as one", 120, 0, 20, 20, 100},
	    {"four have a quarter each", 120, 4, 0, 0, 30},
	    {"also while the others sleep", 120, 4, 30, 30, 0},
	    {"and while the others have taken all theirs", 120, 4, 90, 0, 30},
	    {"what is begun counts", 120, 4, 100, 10, 20},
	    {"never more than what is free", 120, 4, 115, 0, 5},
	    {"nothing is free", 120, 4, 120, 0, 0},
	    {"more is busy than there is", 120, 4, 130, 0, 0},
	    {"more than its share is no debt", 120, 4, 40, 40, 0},
	    {"with a hundred parties a few", 120, 100, 0, 0, 4},
	    {"with a hundred parties no more than that", 120, 100, 4, 4, 0},
	    {"the last places are not for one", 120, 100, 114, 0, 3},
	    {"and not for one who has some", 120, 100, 117, 2, 0},
	    {"the very last one is for a newcomer", 120, 100, 119, 0, 1},
	    {"a pair of places among many", 2, 100, 0, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t room = share_room(cases[i].total, cases[i].parties,
		    cases[i].busy, cases[i].mine);

		if (room != cases[i].want)
			fail_msg("%s: %zu", cases[i].sentence, room);
	}
}

static void
work_that_nobody_waits_for_leaves_half_of_the_share(void **state)
{
	static const struct {
		const char *sentence;
		size_t total, parties, want;
	} cases[] = {
	    {"one party alone has half of all", 120, 1, 60},
	    {"no party at all is as one", 120, 0, 60},
	    {"eight have half of their share", 120, 8, 7},
	    {"twenty likewise", 120, 20, 3},
	    {"with a hundred there are few places", 120, 100, 2},
	    {"there is one in any case", 1, 100, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t most = share_unhurried(cases[i].total, cases[i].parties);

		if (most != cases[i].want)
			fail_msg("%s: %zu", cases[i].sentence, most);
	}
}

/* However many take whatever they may, one that comes late finds a place. */
static void
a_newcomer_always_finds_room(void **state)
{
	(void)state;
	for (size_t parties = 2; parties <= 200; parties++) {
		size_t busy = 0;
		size_t greedy = parties <= 20 ? parties - 1 : 20;

		for (size_t i = 0; i < greedy; i++) {
			size_t mine = 0;
			size_t room;

			while (
			    (room = share_room(120, parties, busy, mine)) > 0) {
				mine += room;
				busy += room;
			}
			assert_true(mine > 0);
		}
		assert_true(share_room(120, parties, busy, 0) > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_party_may_still_take),
	    cmocka_unit_test(
		work_that_nobody_waits_for_leaves_half_of_the_share),
	    cmocka_unit_test(a_newcomer_always_finds_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
