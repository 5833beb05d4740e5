/* tests/unit/test_topic.c - from a subject, as Graph writes it, to the topic
 * (base/json.h, base/text.h, rule/plan.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "rule/plan.h"

static const struct policy usual = {
    .fallback_topic = "Meeting",
    .topic_max_chars = 250,
};

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
		char text[256];
		json_t *doc;

		snprintf(text, sizeof(text), "{\"subject\":\"%s\"}",
		    cases[i].subject);
		doc = json_load_foreign(text, strlen(text), NULL);
		assert_non_null(doc);
		policy.topic_max_chars = cases[i].max;
		plan_topic(json_str(doc, "subject"), &policy, topic);
		if (strcmp(topic, cases[i].want) != 0)
			fail_msg("%s: \"%s\"", cases[i].sentence, topic);
		json_decref(doc);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_topic_is_made_of),
	    cmocka_unit_test(
		a_subject_of_100000_characters_is_cut_at_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
