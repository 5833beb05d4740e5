/* tests/unit/test_credential.c - port/credential.h and port/agent_map.h: files
 * that are replaced, and files that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "port/agent_map.h"
#include "port/credential.h"
#include "test_certificate.h"

enum { DAY_S = 24 * 60 * 60 };

#define DAY_MS (DAY_S * INT64_C(1000))

struct fixture {
	char dir[64];
	char certificate[96], key[96], text[96];
	struct config config;
	struct credential k;
	struct err e;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/test-credential-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->certificate, sizeof(f->certificate), "%s/c", f->dir);
	snprintf(f->key, sizeof(f->key), "%s/k", f->dir);
	snprintf(f->text, sizeof(f->text), "%s/t", f->dir);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	credential_clear(&f->k);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* As a careful tool replaces it. */
static void
put_bytes(const char *path, const void *data, size_t len, mode_t mode)
{
	char aside[128];
	FILE *out;

	snprintf(aside, sizeof(aside), "%s.new", path);
	out = fopen(aside, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	fclose(out);
	assert_int_equal(chmod(aside, mode), 0);
	assert_int_equal(rename(aside, path), 0);
}

static void
put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text), 0400);
}

static void
put_pair(struct fixture *f, const struct test_pair *p)
{
	put(f->certificate, p->certificate);
	put(f->key, p->key);
	f->config.client_certificate_file = f->certificate;
	f->config.client_certificate_key_file = f->key;
}

static bool
is_usable(struct fixture *f, int64_t now_ms)
{
	memset(&f->e, 0, sizeof(f->e));
	if (credential_check(&f->k, now_ms, &f->e) == 0)
		return true;
	assert_int_equal(f->e.code, ERR_AUTH);
	return false;
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("%s: no %s", text, part);
}

static void
a_secret_of_the_environment_stays_what_it_is(void **state)
{
	struct fixture *f = *state;

	f->config.client_secret = secret_new("abc", 3);
	credential_init_entra(&f->k, &f->config);
	assert_int_equal(f->k.kind, CREDENTIAL_SECRET);
	assert_true(is_usable(f, 0));
	assert_false(credential_has_changed(&f->k));
	credential_read(&f->k);
	assert_string_equal(secret_reveal(f->k.text), "abc");
	assert_int_equal(credential_ends_ms(&f->k), 0);
	secret_free(f->config.client_secret);
}

static void
the_day_on_which_a_secret_expires_is_configured(void **state)
{
	char day[] = "2027-03-31", none[] = "2027-02-30";
	struct fixture *f = *state;

	f->config.client_secret = secret_new("abc", 3);
	f->config.client_secret_expires = day;
	credential_init_entra(&f->k, &f->config);
	assert_int_equal(credential_ends_ms(&f->k), 1806451200000);
	/* that day may be wrong: it forbids nothing */
	assert_true(is_usable(f, 1806451200001));
	credential_clear(&f->k);
	f->config.client_secret_expires = none;
	credential_init_entra(&f->k, &f->config);
	assert_int_equal(credential_ends_ms(&f->k), 0);
	secret_free(f->config.client_secret);
}

static void
a_secret_in_a_file_is_replaced_and_a_bad_one_is_not_taken(void **state)
{
	static const char *const bad[] = {"", "\n", "a\nb", "a\tb"};
	struct fixture *f = *state;

	put(f->text, "first\n");
	f->config.gateway_secret_file = f->text;
	credential_init_gateway(&f->k, &f->config);
	assert_string_equal(secret_reveal(f->k.text), "first");
	assert_false(credential_has_changed(&f->k));
	put(f->text, "second");
	assert_true(credential_has_changed(&f->k));
	credential_read(&f->k);
	assert_false(credential_has_changed(&f->k));
	assert_string_equal(secret_reveal(f->k.text), "second");
	assert_string_equal(f->k.problem, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(f->text, bad[i]);
		credential_read(&f->k);
		assert_string_equal(secret_reveal(f->k.text), "second");
		has(f->k.problem, "SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET");
		assert_true(is_usable(f, 0));
	}
	assert_int_equal(unlink(f->text), 0);
	assert_true(credential_has_changed(&f->k));
	credential_read(&f->k);
	has(f->k.problem, "No such file");
	assert_false(credential_has_changed(&f->k));
	put(f->text, "third");
	assert_true(credential_has_changed(&f->k));
	credential_read(&f->k);
	assert_string_equal(secret_reveal(f->k.text), "third");
	assert_string_equal(f->k.problem, "");
}

static void
a_link_that_points_elsewhere_is_a_change(void **state)
{
	struct fixture *f = *state;
	char a[96], b[96];

	/* as Kubernetes replaces what it mounts */
	snprintf(a, sizeof(a), "%s/a", f->dir);
	snprintf(b, sizeof(b), "%s/b", f->dir);
	put(a, "one");
	put(b, "two");
	assert_int_equal(symlink(a, f->text), 0);
	f->config.gateway_secret_file = f->text;
	credential_init_gateway(&f->k, &f->config);
	assert_int_equal(unlink(f->text), 0);
	assert_int_equal(symlink(b, f->text), 0);
	assert_true(credential_has_changed(&f->k));
	credential_read(&f->k);
	assert_string_equal(secret_reveal(f->k.text), "two");
}

static void
half_a_pair_leaves_the_former_one_in_use(void **state)
{
	struct fixture *f = *state;
	struct test_pair one = test_pair_rsa(2048, -60, 100 * DAY_S);
	struct test_pair two = test_pair_rsa(2048, -60, 200 * DAY_S);
	int64_t now_ms = clock_wall_ms();
	int64_t ends_ms;

	put_pair(f, &one);
	credential_init_entra(&f->k, &f->config);
	assert_int_equal(f->k.kind, CREDENTIAL_CERTIFICATE);
	assert_true(is_usable(f, now_ms));
	ends_ms = credential_ends_ms(&f->k);
	assert_true(
	    llabs((long long)(ends_ms - now_ms - 100 * DAY_MS)) < 10000);
	put(f->certificate, two.certificate);
	credential_read(&f->k);
	has(f->k.problem, "clientCertificateKeyFile: ");
	has(f->k.problem, "not the private key");
	assert_true(is_usable(f, now_ms));
	assert_int_equal(credential_ends_ms(&f->k), ends_ms);
	put(f->key, two.key);
	credential_read(&f->k);
	assert_string_equal(f->k.problem, "");
	assert_true(credential_ends_ms(&f->k) > ends_ms);
	test_pair_clear(&one);
	test_pair_clear(&two);
}

static void
a_certificate_is_used_within_its_time_only(void **state)
{
	struct fixture *f = *state;
	struct test_pair p = test_pair_rsa(2048, DAY_S, 2 * DAY_S);
	int64_t now_ms = clock_wall_ms();

	put_pair(f, &p);
	credential_init_entra(&f->k, &f->config);
	assert_string_equal(f->k.problem, "");
	assert_false(is_usable(f, now_ms));
	has(f->e.text, "is not valid before 20");
	assert_true(is_usable(f, now_ms + DAY_MS + DAY_MS / 2));
	assert_false(is_usable(f, now_ms + 3 * DAY_MS));
	has(f->e.text, "has expired on 20");
	test_pair_clear(&p);
}

static void
without_any_fit_file_there_is_a_reason(void **state)
{
	struct fixture *f = *state;

	f->config.client_certificate_file = f->certificate;
	f->config.client_certificate_key_file = f->key;
	credential_init_entra(&f->k, &f->config);
	assert_false(is_usable(f, 0));
	has(f->e.text, "clientCertificateFile: ");
	has(f->e.text, "No such file");
}

static void
a_key_that_others_can_read_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		bool fine;
	} cases[] = {{0400, true}, {0600, true}, {0604, false}, {0444, false},
	    {0620, false}, {0601, false}};
	struct fixture *f = *state;
	struct test_pair p = test_pair_rsa(2048, -60, DAY_S);
	const char *const paths[] = {f->certificate, f->key};
	const char *key = NULL;

	put_pair(f, &p);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jws_signer *s;

		assert_int_equal(chmod(f->key, cases[i].mode), 0);
		s = credential_certificate(paths, &key, &f->e);
		if ((s != NULL) != cases[i].fine)
			fail_msg("mode %o", (unsigned)cases[i].mode);
		if (s == NULL) {
			assert_string_equal(key, "clientCertificateKeyFile");
			has(f->e.text, "others can read or change the key");
		}
		jws_signer_free(s);
	}
	test_pair_clear(&p);
}

static void
a_federated_token_is_trimmed_and_an_old_one_is_none(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *why;
	} bad[] = {
	    {"", 0, "is empty"},
	    {" \n\n", 3, "is empty"},
	    {"a b", 3, "holds no token"},
	    {"a\nb\n", 4, "holds no token"},
	    {"a\0b", 3, "holds no token"},
	    {"\xC3\xBC", 2, "holds no token"},
	};
	struct fixture *f = *state;
	char *huge = calloc(1, 20000);

	put(f->text, " \r\nab.c-d_\n\n");
	f->config.federated_token_file = f->text;
	credential_init_entra(&f->k, &f->config);
	assert_int_equal(f->k.kind, CREDENTIAL_FEDERATED);
	assert_string_equal(secret_reveal(f->k.text), "ab.c-d_");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_bytes(f->text, bad[i].data, bad[i].len, 0400);
		credential_read(&f->k);
		assert_false(is_usable(f, 0));
		has(f->e.text, "federatedTokenFile: ");
		has(f->e.text, bad[i].why);
	}
	memset(huge, 'a', 20000);
	put_bytes(f->text, huge, 20000, 0400);
	credential_read(&f->k);
	assert_false(is_usable(f, 0));
	has(f->e.text, "larger than");
	put_bytes(f->text, huge, 16000, 0400);
	credential_read(&f->k);
	assert_true(is_usable(f, 0));
	free(huge);
}

/* ---- the mapping of agents ---- */

static void
agents_are_found_whatever_the_case(void **state)
{
	struct fixture *f = *state;
	struct agent_map *m;

	put(f->text,
	    "{\"Anna@Bank.example\":\"akeller\",\"9D3C\":\"m meier\"}");
	m = agent_map_read(f->text, &f->e);
	assert_non_null(m);
	assert_int_equal(agent_map_count(m), 2);
	assert_string_equal(agent_map_find(m, "anna@bank.EXAMPLE"), "akeller");
	assert_string_equal(agent_map_find(m, "9d3c"), "m meier");
	assert_null(agent_map_find(m, "anna"));
	assert_null(agent_map_find(m, ""));
	agent_map_free(m);
	assert_null(agent_map_find(NULL, "a"));
	assert_int_equal(agent_map_count(NULL), 0);
	put(f->text, "{}");
	m = agent_map_read(f->text, &f->e);
	assert_non_null(m);
	agent_map_free(m);
}

static void
a_mapping_with_a_mistake_is_none(void **state)
{
	static const char *const bad[] = {"", "[]", "{", "{\"a\":1}",
	    "{\"a\":null}", "{\"a\":\"\"}", "{\"a\":\" b\"}", "{\"a\":\"b \"}",
	    "{\"a\":\"b\\r\\nX: y\"}", "{\"a\":\"\xC3\xBC\"}",
	    "{\"a\":\"b\",\"A\":\"c\"}", "{\"a\":\"b\",\"a\":\"c\"}",
	    "{\"\":\"b\"}"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(f->text, bad[i]);
		if (agent_map_read(f->text, &f->e) != NULL)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(f->e.code, ERR_CONFIG);
		has(f->e.text, f->text);
	}
	assert_null(agent_map_read(f->dir, &f->e));
}

static void
a_name_fits_a_header_or_not(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	assert_true(agent_name_is_fit(name));
	name[255] = 'a';
	name[256] = '\0';
	assert_false(agent_name_is_fit(name));
	assert_true(agent_name_is_fit("~a b!"));
	assert_false(agent_name_is_fit("a\x7f"));
	assert_false(agent_name_is_fit("a\n"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_secret_of_the_environment_stays_what_it_is),
	    CASE(the_day_on_which_a_secret_expires_is_configured),
	    CASE(a_secret_in_a_file_is_replaced_and_a_bad_one_is_not_taken),
	    CASE(a_link_that_points_elsewhere_is_a_change),
	    CASE(half_a_pair_leaves_the_former_one_in_use),
	    CASE(a_certificate_is_used_within_its_time_only),
	    CASE(without_any_fit_file_there_is_a_reason),
	    CASE(a_key_that_others_can_read_is_refused),
	    CASE(a_federated_token_is_trimmed_and_an_old_one_is_none),
	    CASE(agents_are_found_whatever_the_case),
	    CASE(a_mapping_with_a_mistake_is_none),
	    CASE(a_name_fits_a_header_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
