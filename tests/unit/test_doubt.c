/* tests/unit/test_doubt.c - rule/doubt.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/doubt.h"

static void
when_a_conversation_is_believed_to_be_gone(void **state)
{
	static const struct {
		const char *sentence;
		const char *reason, *writing;
		int64_t not_before_ms;
		bool want;
	} cases[] = {
	    {"the first 404 is doubted", "", "", 0, false},
	    {"behind another failure it is the first", "a 503", "", 50, false},
	    {"the second one, when its time is over, is believed", DOUBT_GONE,
		"", 100, true},
	    {"before its time it is not", DOUBT_GONE, "", 101, false},
	    {"let go early by an operator it counts anew", DOUBT_GONE, "", 0,
		false},
	    {"behind our own deletion the first is believed", "", "delete", 0,
		true},
	    {"behind another write it is not", "", "topic", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doubt d = {cases[i].reason, cases[i].not_before_ms, 7};

		if (doubt_is_gone(&d, cases[i].writing, 100) != cases[i].want)
			fail_msg("%s", cases[i].sentence);
	}
}

static void
when_a_refused_deletion_is_given_up(void **state)
{
	static const struct {
		const char *sentence;
		const char *reason;
		int attempts;
		enum doubt_refusal want;
	} cases[] = {
	    {"the first is told and tried again", "", 0, DOUBT_FIRST},
	    {"also when something else has failed often before", "a 503", 9,
		DOUBT_FIRST},
	    {"the second is tried again", "403", 1, DOUBT_AGAIN},
	    {"the third is enough", "403", 2, DOUBT_ENOUGH},
	    {"and so is any later one", "403", 9, DOUBT_ENOUGH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doubt d = {cases[i].reason, 1, cases[i].attempts};

		if (doubt_refused(&d, "403") != cases[i].want)
			fail_msg("%s", cases[i].sentence);
	}
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(when_a_conversation_is_believed_to_be_gone),
	    cmocka_unit_test(when_a_refused_deletion_is_given_up),
	};

	return cmocka_run_group_tests_name("rule: doubt", cases, NULL, NULL);
}
