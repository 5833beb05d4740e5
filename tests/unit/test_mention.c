/* tests/unit/test_mention.c - rule/mention.h: a link in whatever dress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rule/mention.h"

#define LINK "https://unblu.example/v/join?a=1&b=%C3%A9"
#define CONV "AcviDb210C5BoFd6e_79oan"

static const struct {
	const char *sentence;
	const char *text;
	bool want;
} cases[] = {
    {"nothing", "", false},
    {"another link", "https://unblu.example/v/join?a=1&b=2", false},
    {"the conversation in another case: rather once too often",
	"acvidb210c5bofd6e_79OAN", true},
    {"the conversation, cut", "AcviDb210C5BoFd6e_79oa", false},
    {"the link as it is", "Join: " LINK " (soon)", true},
    {"the link in angle brackets, as Exchange writes it", "Join<" LINK ">",
	true},
    {"the link as an attribute of HTML",
	"<a href=\"https://unblu.example/v/join?a=1&amp;b=%C3%A9\">Join</a>",
	true},
    {"with numbered entities",
	"https:&#47;&#x2F;unblu.example/v/join?a=1&#38;b=%C3%A9", true},
    {"with an umlaut written out",
	"https://unblu.example/v/join?a=1&b=\xc3\xa9", true},
    {"percent-encoded inside a link scanner's address",
	"https://scan.example/?url=https%3A%2F%2Funblu.example%2Fv%2Fjoin%3Fa%"
	"3D1%26b%3D%25C3%25A9&amp;data=1",
	true},
    {"in capitals", "HTTPS://UNBLU.EXAMPLE/v/join?a=1&b=%c3%a9", true},
    {"broken over two lines", "https://unblu.example/v/jo\r\n in?a=1&b=%C3%A9",
	true},
    {"the conversation in some other address",
	"https://unblu.example/app/desk#AcviDb210C5BoFd6e_79oan", true},
    {"half of an encoding at the end", "100%", false},
    {"half of an entity at the end", "you &", false},
    {"an entity without a number", "&#;&#x;&#xzz;&#0;", false},
    {"a number that is none of Unicode's", "&#x110000;&#99999999;", false},
    {"a NUL in disguise ends nothing", "%00" CONV, true},
};

static void
mentions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (mention_is_in(cases[i].text, LINK, CONV) != cases[i].want)
			fail_msg("%s", cases[i].sentence);
}

static void
what_is_not_known_is_not_looked_for(void **state)
{
	(void)state;
	assert_false(mention_is_in("anything", "", ""));
	assert_true(mention_is_in(CONV, "", CONV));
	assert_true(mention_is_in(LINK, LINK, ""));
}

/* A mebibyte of the worst: it ends, and soon. */
static void
a_long_text_is_read_to_its_end(void **state)
{
	enum { SIZE = 1 << 20 };
	char *text = mem_zalloc(SIZE + sizeof(CONV));

	(void)state;
	for (int i = 0; i < SIZE; i++)
		text[i] = "%25%2525&amp;&#"[i % 15];
	assert_false(mention_is_in(text, LINK, CONV));
	memcpy(text + SIZE, CONV, sizeof(CONV));
	assert_true(mention_is_in(text, LINK, CONV));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mentions),
	    cmocka_unit_test(what_is_not_known_is_not_looked_for),
	    cmocka_unit_test(a_long_text_is_read_to_its_end),
	};

	return cmocka_run_group_tests_name("mention", tests, NULL, NULL);
}
