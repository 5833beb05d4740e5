/* tests/unit/test_template.c - ctl: the template, the crontab line, the keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crontab.h"
#include "template.h"

static const struct template_value values[] = {
    {"NAME", "value"},
    {"NONE", ""},
};

static void
fills(const char *text, const char *want)
{
	struct err e = {0};
	struct buf out;

	buf_init(&out, 4096);
	if (template_fill(text, values, 2, &out, &e) != 0)
		fail_msg("%s", e.text);
	assert_string_equal(buf_text(&out), want);
	buf_clear(&out);
}

static void
test_names_are_replaced_and_other_at_signs_stay(void **state)
{
	(void)state;
	fills("a @NAME@ b@NAME@c@NONE@\n", "a value bvaluec\n");
	fills(
	    "location @down { @x@ @NAME }\n", "location @down { @x@ @NAME }\n");
	fills("@", "@");
	fills("", "");
}

static void
test_a_line_is_repeated_for_each_word(void **state)
{
	static const struct template_value words[] = {
	    {"LIST", "10.0.0.0/8 ::1"}, {"NONE", ""}};
	struct err e = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(template_fill("a\n@each LIST@ \tfrom @ITEM@;\n"
				       "@each NONE@ from @ITEM@;\n"
				       "@if NONE@\n@each LIST@ no\n@end@\nb\n",
			     words, 2, &out, &e),
	    0);
	assert_string_equal(
	    buf_text(&out), "a\n\tfrom 10.0.0.0/8;\n\tfrom ::1;\nb\n");
	buf_clear(&out);
}

static void
test_conditions_keep_or_drop_their_lines(void **state)
{
	(void)state;
	fills("@if NAME@\n1\n@end@\n2\n", "1\n2\n");
	fills("@if NONE@\n1\n@end@\n2\n", "2\n");
	fills("@unless NONE@\n1\n@end@\n2", "1\n2");
	fills("@unless NAME@\n@NAME@\n@end@\n2", "2");
}

static void
test_an_unknown_name_is_refused(void **state)
{
	static const char *const bad[] = {"@OTHER@", "@each OTHER@ x\n",
	    "@each NAME@ @NAME@\n", "@if OTHER@\n@end@\n"};
	struct err e = {0};
	struct buf out;

	(void)state;
	for (int i = 0; i < 2; i++) {
		buf_init(&out, 4096);
		assert_int_equal(
		    template_fill(bad[i], values, 2, &out, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		buf_clear(&out);
	}
}

static void
test_every_character_that_nginx_understands_is_refused(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		const char text[] = {'a', (char)c, 'b', '\0'};
		const struct template_value one = {"X", text};
		bool plain = strchr("0123456789.-_~:/*+[] "
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
				 c) != NULL;
		struct err e = {0};
		struct buf out;

		buf_init(&out, 4096);
		assert_int_equal(
		    template_fill("@X@", &one, 1, &out, &e), plain ? 0 : -1);
		buf_clear(&out);
	}
}

static void
crontab_is(const char *config, const char *database, const char *want)
{
	struct buf out;
	const char *line;

	buf_init(&out, 4096);
	crontab_write(&out, "*/5 * * * *", "/usr/bin/renew", config, database);
	line = strrchr(buf_text(&out), '*');
	assert_non_null(line);
	assert_string_equal(line, want);
	buf_clear(&out);
}

static void
test_the_crontab_line_is_quoted_for_sh_and_cron(void **state)
{
	(void)state;
	crontab_is(
	    "/etc/a.json", NULL, "* /usr/bin/renew --config /etc/a.json\n");
	crontab_is("/a b", "sqlite:/x.db",
	    "* /usr/bin/renew --config '/a b' --database sqlite:/x.db\n");
	crontab_is("/a'b", NULL, "* /usr/bin/renew --config '/a'\\''b'\n");
	crontab_is("/50%", NULL, "* /usr/bin/renew --config '/50'\\%''\n");
	crontab_is("/$(x);&", NULL, "* /usr/bin/renew --config '/$(x);&'\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_are_replaced_and_other_at_signs_stay),
	    cmocka_unit_test(test_a_line_is_repeated_for_each_word),
	    cmocka_unit_test(test_conditions_keep_or_drop_their_lines),
	    cmocka_unit_test(test_an_unknown_name_is_refused),
	    cmocka_unit_test(
		test_every_character_that_nginx_understands_is_refused),
	    cmocka_unit_test(test_the_crontab_line_is_quoted_for_sh_and_cron),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
