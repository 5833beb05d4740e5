/* tests/unit/test_config_place.c - port/config: where the file is looked for.
 */
#include "test_config.h"

#include <errno.h>

/* Where a file is, as access() and file_read() are to see it; what is in it
 * lies in place_file. NULL: they see what there is. */
static const char *place;
static const char *place_file;

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __real_file_read(
    const char *path, size_t limit, char **out, size_t *out_len, struct err *e);
int __wrap_file_read(
    const char *path, size_t limit, char **out, size_t *out_len, struct err *e);

int
__wrap_access(const char *path, int mode)
{
	if (place == NULL)
		return __real_access(path, mode);
	errno = ENOENT;
	return strcmp(path, place) == 0 ? 0 : -1;
}

int
__wrap_file_read(
    const char *path, size_t limit, char **out, size_t *out_len, struct err *e)
{
	if (place != NULL && strcmp(path, place) == 0)
		path = place_file;
	return __real_file_read(path, limit, out, out_len, e);
}

static void
test_the_file_is_found_in_our_place_and_in_both_of_the_original(void **state)
{
	static const char *const places[] = {"/etc/outlook-addin/addin.json",
	    "/home/node/app/addin/configuration/addin.json",
	    "/home/node/app/addin/config/addin.json"};
	struct fixture *f = *state;

	good(f, "{" GOOD "}");
	place_file = f->file;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int rc;

		config_clear(&f->config);
		place = places[i];
		rc = config_load(NULL, CONFIG_ROLE_WEB, &f->config,
		    &f->problems, &f->warnings, &f->err);
		place = NULL;
		if (rc != 0)
			fail_msg("%s: %s", places[i], buf_text(&f->problems));
		assert_string_equal(f->config.path, places[i]);
	}
}

static void
test_the_places_are_named_when_there_is_no_file(void **state)
{
	struct fixture *f = *state;
	int rc;

	place = "/nowhere";
	rc = config_load(NULL, CONFIG_ROLE_WEB, &f->config, &f->problems,
	    &f->warnings, &f->err);
	place = NULL;
	assert_int_equal(rc, -1);
	assert_non_null(strstr(buf_text(&f->problems),
	    "make /etc/outlook-addin/addin.json (also looked for: "
	    "/home/node/app/addin/configuration/addin.json, "
	    "/home/node/app/addin/config/addin.json)"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(
		test_the_file_is_found_in_our_place_and_in_both_of_the_original),
	    CASE(test_the_places_are_named_when_there_is_no_file),
	};

	return cmocka_run_group_tests_name("config_place", tests, NULL, NULL);
}
