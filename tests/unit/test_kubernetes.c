/* tests/unit/test_kubernetes.c - ctl/kubernetes.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "kubernetes.h"

static void
the_schedule_fires_when_cron_does(void **state)
{
	static const struct {
		const char *sentence, *cron, *want;
		bool exact;
	} cases[] = {
	    {"what Kubernetes reads alike stays as it is", "*/1 * * * *",
		"*/1 * * * *", true},
	    {"names too", "0 7 * JAN-MAR mon", "0 7 * JAN-MAR mon", true},
	    {"and macros", "@hourly", "@hourly", true},
	    {"either day of two restrictions fires in both", "0 0 13 * 5",
		"0 0 13 * 5", true},
	    {"a seven elsewhere is no Sunday", "7 7 7 7 *", "7 7 7 7 *", true},
	    {"Sunday is 0", "5 4 * * 7", "5 4 * * 0", true},
	    {"also at the end of a range", "5 4 * * 5-7", "5 4 * * 0,5,6",
		true},
	    {"a whole week is no restriction", "5 4 * * 1-7", "5 4 * * *",
		true},
	    {"either of a day and every weekday is every day", "0 0 13 * 1-7",
		"0 0 * * *", true},
	    {"either of every day and a Sunday is every day", "0 0 1-31 * 7",
		"0 0 * * *", true},
	    {"every other day that is a Monday becomes every Monday",
		"0 0 */2 * 1", "0 0 * * 1", false},
	    {"every other day alone can be said", "0 0 */2 * *", "0 0 */2 * *",
		true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = {0};
		struct cron cron;
		struct buf out;
		bool exact;

		buf_init(&out, 4096);
		assert_int_equal(cron_parse(cases[i].cron, &cron, &e), 0);
		kubernetes_write_schedule(&out, cases[i].cron, &cron, &exact);
		if (strcmp(buf_text(&out), cases[i].want) != 0 ||
		    exact != cases[i].exact)
			fail_msg("%s: %s", cases[i].sentence, buf_text(&out));
		buf_clear(&out);
	}
}

static void
write_job(struct buf *out, const char *database, const char *store)
{
	const struct kubernetes_job how = {
	    .config = "/etc/outlook-addin/addin.json",
	    .database = database,
	    .store = store};
	struct cron cron;

	buf_init(out, 1 << 16);
	assert_int_equal(cron_parse("* * * * *", &cron, NULL), 0);
	kubernetes_write_cronjob(out, "* * * * *", &cron, &how);
}

static void
the_job_has_what_its_store_needs(void **state)
{
	struct buf out;

	(void)state;
	write_job(&out, NULL, "sqlite:/var/lib/outlook-addin/state.db");
	assert_non_null(strstr(buf_text(&out), "concurrencyPolicy: Forbid\n"));
	assert_non_null(strstr(buf_text(&out),
	    "- name: state\n                  mountPath: "
	    "\"/var/lib/outlook-addin\"\n"));
	assert_non_null(strstr(buf_text(&out), "podAffinity"));
	assert_null(strstr(buf_text(&out), "DATABASE_PASSWORD"));
	assert_null(strstr(buf_text(&out), "outlook-addin-database"));
	buf_clear(&out);

	write_job(&out, NULL, "postgresql://user:hunter2@db/outlook");
	assert_non_null(strstr(buf_text(&out),
	    "- name: DATABASE_PASSWORD_FILE\n                  value: "
	    "/etc/outlook-addin-database/password\n"));
	assert_non_null(
	    strstr(buf_text(&out), "secretName: outlook-addin-database\n"));
	assert_null(strstr(buf_text(&out), "state"));
	assert_null(strstr(buf_text(&out), "podAffinity"));
	assert_null(strstr(buf_text(&out), "hunter2"));
	buf_clear(&out);
}

static void
what_is_hostile_stays_inside_of_its_text(void **state)
{
	struct buf out;
	const char *at;

	(void)state;
	write_job(&out, "sqlite:/a\"\nb: c\\/x.db", "sqlite:/a\"\nb: c\\/x.db");
	at = strstr(buf_text(&out), "\"sqlite:/a\\\"\\nb: c\\\\/x.db\"\n");
	assert_non_null(at);
	assert_null(strstr(buf_text(&out), "\nb: c"));
	/* YAML knows no tab */
	assert_null(strchr(buf_text(&out), '\t'));
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_schedule_fires_when_cron_does),
	    cmocka_unit_test(the_job_has_what_its_store_needs),
	    cmocka_unit_test(what_is_hostile_stays_inside_of_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
