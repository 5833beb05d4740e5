/* tests/unit/test_config_secret.c - port/config: the secrets, and what stands
 * in their place. */
#include "test_config.h"

#include "test_certificate.h"

static void
test_secrets_come_from_the_environment_and_leave_it(void **state)
{
	struct fixture *f = *state;

	setenv("CLIENT_SECRET", "entra", 1);
	setenv("SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET", "gateway\n", 1);
	assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_SYNC), 0);
	assert_string_equal(secret_reveal(f->config.client_secret), "entra");
	assert_string_equal(secret_reveal(f->config.gateway_secret), "gateway");
	assert_null(getenv("CLIENT_SECRET"));
	assert_null(getenv("SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET"));
}

static void
test_the_environments_copy_is_overwritten(void **state)
{
	struct fixture *f = *state;
	const char *copy;

	setenv("CLIENT_SECRET", "entra", 1);
	setenv("SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET", "gateway", 1);
	copy = getenv("CLIENT_SECRET");
	assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_SYNC), 0);
	assert_memory_equal(copy, "\0\0\0\0\0", 5);
}

static void
test_secrets_come_from_files(void **state)
{
	struct fixture *f = *state;
	char a[128], b[128];

	write_file(f, "a", "entra\r\n", 0400, a);
	write_file(f, "b", "gate\n", 0400, b);
	setenv("CLIENT_SECRET_FILE", a, 1);
	setenv("SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET_FILE", b, 1);
	assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_SYNC), 0);
	assert_string_equal(secret_reveal(f->config.client_secret), "entra");
	assert_string_equal(secret_reveal(f->config.gateway_secret), "gate");
	assert_string_equal(buf_text(&f->warnings), "");
}

static void
test_secrets_come_from_systemds_credentials(void **state)
{
	struct fixture *f = *state;
	char a[128], b[128];

	write_file(f, "CLIENT_SECRET", "entra", 0400, a);
	write_file(f, "SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET", "g", 0400, b);
	setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
	assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_SYNC), 0);
	assert_string_equal(secret_reveal(f->config.client_secret), "entra");
	assert_string_equal(secret_reveal(f->config.gateway_secret), "g");
}

static void
test_a_secret_file_that_others_can_read_is_warned_about(void **state)
{
	struct fixture *f = *state;
	char a[128];

	write_file(f, "a", "entra", 0644, a);
	setenv("CLIENT_SECRET_FILE", a, 1);
	assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_RENEW), 0);
	assert_non_null(strstr(buf_text(&f->warnings), "mode 0644"));
	assert_null(f->config.gateway_secret);
}

static void
test_only_one_line_end_is_taken_off_a_secret(void **state)
{
	static const char *const bad[] = {"", "\n", "a\n\n", "a\nb", "a\tb"};
	struct fixture *f = *state;
	char a[128];

	setenv("SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET", "g", 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(f, "a", bad[i], 0400, a);
		setenv("CLIENT_SECRET_FILE", a, 1);
		assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_RENEW), -1);
		assert_int_equal(
		    strncmp(buf_text(&f->problems), "CLIENT_SECRET: ", 15), 0);
	}
}

static void
test_a_secret_given_twice_is_a_mistake(void **state)
{
	struct fixture *f = *state;

	setenv("CLIENT_SECRET", "entra", 1);
	setenv("CLIENT_SECRET_FILE", "/dev/null", 1);
	assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_RENEW), -1);
	assert_non_null(strstr(buf_text(&f->problems), "both"));
	assert_null(strstr(buf_text(&f->problems), "entra"));
}

static void
test_a_secret_has_no_place_beside_a_certificate_or_a_token(void **state)
{
	static const struct {
		const char *json, *variable, *want;
	} cases[] = {
	    {"\"clientCertificateFile\": \"/dev/null\","
	     "\"clientCertificateKeyFile\": \"/dev/null\"",
		"CLIENT_SECRET",
		"$.clientCertificateFile: can not be used together with "
		"CLIENT_SECRET:"},
	    {"\"federatedTokenFile\": \"/dev/null\"", "CLIENT_SECRET_FILE",
		"$.federatedTokenFile: can not be used together with "
		"CLIENT_SECRET_FILE:"},
	    {"\"federatedTokenFile\": \"/dev/null\"", "CREDENTIALS_DIRECTORY",
		"$.federatedTokenFile: can not be used together with "
		"CLIENT_SECRET in $CREDENTIALS_DIRECTORY:"},
	    {"\"federatedTokenFile\": \"/dev/null\"", NULL, NULL},
	};
	struct fixture *f = *state;
	char path[128], text[2048];

	write_file(f, "CLIENT_SECRET", "entra", 0400, path);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{" GOOD ",%s}", cases[i].json);
		if (cases[i].variable != NULL)
			setenv(cases[i].variable, f->dir, 1);
		assert_int_equal(load(f, text, CONFIG_ROLE_RENEW), -1);
		if (cases[i].variable != NULL)
			unsetenv(cases[i].variable);
		if (cases[i].want != NULL &&
		    strstr(buf_text(&f->problems), cases[i].want) == NULL)
			fail_msg("%s", buf_text(&f->problems));
		/* what is wrong with the file is the only other line */
		assert_null(strstr(buf_text(&f->problems), "is not set"));
	}
}

static void
test_a_certificate_or_a_token_takes_the_secrets_place(void **state)
{
	struct fixture *f = *state;
	struct test_pair p = test_pair_rsa(2048, -60, 3600);
	struct config_override strict = {.strict = true};
	char certificate[128], key[128], token[128], text[2048];

	write_file(f, "c", p.certificate, 0644, certificate);
	write_file(f, "k", p.key, 0400, key);
	write_file(f, "t", "a.b.c\n", 0644, token);
	snprintf(text, sizeof(text),
	    "{" GOOD ",\"clientCertificateFile\": \"%s\","
	    "\"clientCertificateKeyFile\": \"%s\"}",
	    certificate, key);
	assert_int_equal(load_with(f, text, CONFIG_ROLE_RENEW, &strict), 0);
	assert_null(f->config.client_secret);
	assert_non_null(strstr(buf_text(&f->warnings), "expires on"));
	snprintf(text, sizeof(text),
	    "{" GOOD ",\"federatedTokenFile\": \"%s\"}", token);
	assert_int_equal(load(f, text, CONFIG_ROLE_RENEW), 0);
	assert_null(f->config.client_secret);
	assert_string_equal(buf_text(&f->warnings), "");
	test_pair_clear(&p);
}

static void
test_a_certificate_out_of_its_time_is_a_mistake_for_check_alone(void **state)
{
	static const long times[][2] = {{-7200, -3600}, {3600, 7200}};
	struct fixture *f = *state;
	struct config_override strict = {.strict = true};
	char certificate[128], key[128], text[2048];

	for (int i = 0; i < 2; i++) {
		struct test_pair p =
		    test_pair_rsa(2048, times[i][0], times[i][1]);

		write_file(f, "c", p.certificate, 0644, certificate);
		write_file(f, i == 0 ? "k" : "l", p.key, 0400, key);
		snprintf(text, sizeof(text),
		    "{" GOOD ",\"clientCertificateFile\": \"%s\","
		    "\"clientCertificateKeyFile\": \"%s\"}",
		    certificate, key);
		assert_int_equal(load(f, text, CONFIG_ROLE_RENEW), 0);
		assert_non_null(strstr(buf_text(&f->warnings),
		    "$.clientCertificateFile: the certificate"));
		assert_int_equal(
		    load_with(f, text, CONFIG_ROLE_RENEW, &strict), -1);
		assert_non_null(strstr(buf_text(&f->problems),
		    "$.clientCertificateFile: the certificate"));
		test_pair_clear(&p);
	}
}

static void
test_the_mapping_of_agents_is_read_for_sync_alone(void **state)
{
	struct fixture *f = *state;
	const char *text =
	    "{" GOOD ",\"unbluAgentMapFile\": \"/nonexistent/agents\"}";

	setenv("CLIENT_SECRET", "entra", 1);
	assert_int_equal(load(f, text, CONFIG_ROLE_RENEW), 0);
	setenv("CLIENT_SECRET", "entra", 1);
	setenv("SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET", "gateway", 1);
	assert_int_equal(load(f, text, CONFIG_ROLE_SYNC), -1);
	assert_non_null(
	    strstr(buf_text(&f->problems), "$.unbluAgentMapFile: open"));
}

static void
test_the_path_of_a_secret_is_kept_for_its_next_version(void **state)
{
	struct fixture *f = *state;
	char a[128], b[128];

	write_file(f, "a", "entra", 0400, a);
	setenv("CLIENT_SECRET_FILE", a, 1);
	write_file(f, "SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET", "g", 0400, b);
	setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
	assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_SYNC), 0);
	assert_string_equal(f->config.client_secret_file, a);
	assert_string_equal(f->config.gateway_secret_file, b);
	unsetenv("CLIENT_SECRET_FILE");
	setenv("CLIENT_SECRET", "entra", 1);
	assert_int_equal(load(f, "{" GOOD "}", CONFIG_ROLE_SYNC), 0);
	assert_null(f->config.client_secret_file);
}

static void
test_web_and_render_do_not_look_at_secrets(void **state)
{
	struct fixture *f = *state;

	setenv("CLIENT_SECRET", "entra", 1);
	setenv("CLIENT_SECRET_FILE", "/nonexistent", 1);
	assert_int_equal(
	    load(f, "{" GOOD "}", CONFIG_ROLE_WEB | CONFIG_ROLE_RENDER), 0);
	assert_null(f->config.client_secret);
	assert_string_equal(getenv("CLIENT_SECRET"), "entra");
}

static void
test_a_disabled_server_needs_no_secret(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f,
			     "{\"deploymentUrl\": \"https://a.example\","
			     "\"deploymentAddinEndpoint\": \"x\","
			     "\"unbluOAuthBackendUrl\": \"https://u.example\","
			     "\"clientId\": \"" GUID_A "\"}",
			     CONFIG_ROLE_ALL),
	    0);
	assert_null(f->config.client_secret);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_secrets_come_from_the_environment_and_leave_it),
	    CASE(test_the_environments_copy_is_overwritten),
	    CASE(test_secrets_come_from_files),
	    CASE(test_secrets_come_from_systemds_credentials),
	    CASE(test_a_secret_file_that_others_can_read_is_warned_about),
	    CASE(test_only_one_line_end_is_taken_off_a_secret),
	    CASE(test_a_secret_given_twice_is_a_mistake),
	    CASE(test_a_secret_has_no_place_beside_a_certificate_or_a_token),
	    CASE(test_a_certificate_or_a_token_takes_the_secrets_place),
	    CASE(
		test_a_certificate_out_of_its_time_is_a_mistake_for_check_alone),
	    CASE(test_the_mapping_of_agents_is_read_for_sync_alone),
	    CASE(test_the_path_of_a_secret_is_kept_for_its_next_version),
	    CASE(test_web_and_render_do_not_look_at_secrets),
	    CASE(test_a_disabled_server_needs_no_secret),
	};

	return cmocka_run_group_tests_name(
	    "config: secrets", tests, NULL, NULL);
}
