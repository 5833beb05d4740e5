/* tests/unit/test_site.c - ctl: our scripts without comments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "site.h"

static void
becomes(const char *path, const char *text, const char *want)
{
	struct site s = {0};

	site_add(&s, path, mem_strdup(text), strlen(text));
	site_leave_out_comments(&s);
	assert_int_equal(s.files[0].len, strlen(want));
	assert_memory_equal(s.files[0].data, want, strlen(want));
	site_clear(&s);
}

static void
comments_go_and_lines_stay(void **state)
{
	(void)state;
	becomes(
	    "js/a.js", "// @ts-check\n/*\n * a\n */\nx();\n", "\n\n\n\nx();\n");
	becomes("js/a.js", "\t/** a */\n\t\tx();", "\nx();");
	becomes("js/a.js", "/* a */ x(); /* b */\n", "x(); /* b */\n");
	becomes("js/a.js", "/* a */ /* b\n c */ x();\n", "\nx();\n");
	becomes("js/a.js", "/* never ends\nx();", "\n");
	becomes("js/a.js", "", "");
	becomes("js/a.js", "\n\n", "\n\n");
}

static void
types_go_and_texts_stay(void **state)
{
	(void)state;
	becomes("js/a.js",
	    "f((/** @type {any} */ e) => /** @type {X} */ (e));\n",
	    "f((e) => (e));\n");
	becomes("js/a.js", "const u = 'https://x/*y'; // why\n",
	    "const u = 'https://x/*y'; // why\n");
	becomes("js/a.js", "x('/** @type');\n", "x('/** @type');\n");
}

static void
other_files_stay_as_they_are(void **state)
{
	(void)state;
	becomes("vendor/a.js", "/* licence */\n\tx();\n",
	    "/* licence */\n\tx();\n");
	becomes("css/a.css", "/* a */\n", "/* a */\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comments_go_and_lines_stay),
	    cmocka_unit_test(types_go_and_texts_stay),
	    cmocka_unit_test(other_files_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
