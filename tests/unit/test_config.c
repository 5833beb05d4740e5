/* tests/unit/test_config.c - port/config: the table, the file, the secrets. */
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

#include "base/json.h"
#include "port/config.h"
#include "port/config_format.h"
#include "port/config_option.h"
#include "port/config_report.h"
#include "port/config_value.h"
#include "test_certificate.h"

#define GUID_A "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
#define GUID_1 "11111111-2222-3333-4444-555555555555"

/* The original's example, with GUIDs for its placeholders. */
#define GOOD                                                                   \
	"\"deploymentUrl\": \"https://domain.com/\","                          \
	"\"deploymentAddinEndpoint\": \"addin\","                              \
	"\"unbluOAuthBackendUrl\": \"https://domain.com/gateway\","            \
	"\"clientId\": \"" GUID_A "\","                                        \
	"\"tenantIds\": [\"" GUID_1 "\","                                      \
	" \"66666666-7777-8888-9999-AAAAAAAAAAAA\"],"                          \
	"\"syncServerEnabled\": true,"                                         \
	"\"syncServerAuthGatewayClientId\": \"gateway client\","               \
	"\"syncServerSubscriptionExpiration\": \"36000000\","                  \
	"\"syncServerSubscriptionRenewalLimit\": \"72000000\","                \
	"\"syncServerPollingCronInterval\": \"*/1 * * * *\""

static const char *const secret_variables[] = {"CLIENT_SECRET",
    "CLIENT_SECRET_FILE", "SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET",
    "SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET_FILE", "CREDENTIALS_DIRECTORY",
    "OUTLOOK_ADDIN_CONFIG"};

struct fixture {
	char dir[64];
	char file[96];
	struct config config;
	struct buf problems, warnings;
	struct err err;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/test-config-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->file, sizeof(f->file), "%s/addin.json", f->dir);
	buf_init(&f->problems, 1 << 20);
	buf_init(&f->warnings, 1 << 20);
	for (size_t i = 0;
	     i < sizeof(secret_variables) / sizeof(secret_variables[0]); i++)
		unsetenv(secret_variables[i]);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	config_clear(&f->config);
	buf_clear(&f->problems);
	buf_clear(&f->warnings);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void
write_file(const struct fixture *f, const char *name, const char *text,
    mode_t mode, char path[128])
{
	FILE *out;

	snprintf(path, 128, "%s/%s", f->dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_int_equal(chmod(path, mode), 0);
}

static int
load_with(struct fixture *f, const char *text, unsigned roles,
    const struct config_override *more)
{
	struct config_override over =
	    more == NULL ? (struct config_override){0} : *more;
	char path[128];

	write_file(f, "addin.json", text, 0644, path);
	over.path = f->file;
	config_clear(&f->config);
	buf_reset(&f->problems);
	buf_reset(&f->warnings);
	return config_load(
	    &over, roles, &f->config, &f->problems, &f->warnings, &f->err);
}

static int
load(struct fixture *f, const char *text, unsigned roles)
{
	return load_with(f, text, roles, NULL);
}

static void
good(struct fixture *f, const char *text)
{
	if (load(f, text, CONFIG_ROLE_WEB) != 0)
		fail_msg("%s", buf_text(&f->problems));
}

/* ---- the table ---- */

static void
test_every_key_is_unique_and_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		assert_ptr_equal(config_option_find(o->key), o);
		assert_non_null(o->help);
		assert_int_equal(o->help[strlen(o->help) - 1], '.');
		assert_null(strchr(o->help, '|'));
	}
}

static void
test_no_two_keys_are_within_two_edits(void **state)
{
	(void)state;
	/* else a typing mistake could not be told from the other key */
	for (size_t i = 0; i < config_option_count; i++)
		assert_ptr_equal(config_option_near(config_options[i].key),
		    &config_options[i]);
}

static void
test_no_two_keys_share_a_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_option_count; i++) {
		for (size_t j = 0; j < i; j++) {
			size_t a = config_options[i].offset;
			size_t b = config_options[j].offset;

			assert_true(a + config_options[i].size <= b ||
			    b + config_options[j].size <= a);
		}
	}
}

static bool
has_default(const struct config_option *o)
{
	return o->fallback != NULL;
}

static void
test_every_default_passes_its_own_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];
		struct config c = {.client_id = NULL};
		struct buf out;
		struct config_report r = {.problems = &out, .warnings = &out};
		json_t *v;

		if (!has_default(o)) {
			assert_true(o->fallback_note != NULL ||
			    (o->flags & CONFIG_REQUIRED) != 0);
			continue;
		}
		buf_init(&out, 4096);
		v = json_loads(o->fallback, JSON_DECODE_ANY, NULL);
		assert_non_null(v);
		if (!config_value_read(o, v, o->key, &c, &r))
			fail_msg("%s", buf_text(&out));
		config_value_clear(o, &c);
		json_decref(v);
		buf_clear(&out);
	}
}

static void
test_every_key_refuses_every_other_json_type(void **state)
{
	static const char *const wrong[] = {
	    "null", "[[1]]", "{\"a b\": 1}", "true", "-1.5", "\"\\u0001\""};

	(void)state;
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];

		for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
			struct config c = {.client_id = NULL};
			struct buf out;
			struct config_report r = {
			    .problems = &out, .warnings = &out};
			json_t *v = json_loads(wrong[k], JSON_DECODE_ANY, NULL);

			if (o->kind == CONFIG_KIND_BOOL && k == 3) {
				json_decref(v);
				continue;
			}
			buf_init(&out, 4096);
			if (config_value_read(o, v, "$.x", &c, &r))
				fail_msg("%s takes %s", o->key, wrong[k]);
			assert_int_equal(r.problem_count, 1);
			assert_int_equal(strncmp(buf_text(&out), "$.x", 3), 0);
			json_decref(v);
			buf_clear(&out);
		}
	}
}

static void
test_numbers_are_taken_at_their_bounds_and_not_beyond(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *o = &config_options[i];
		const double tries[] = {
		    o->least, o->most, o->least - 1, o->most + 1};

		if (o->kind != CONFIG_KIND_NUMBER)
			continue;
		for (int k = 0; k < 4; k++) {
			struct config c = {.client_id = NULL};
			struct buf out;
			struct config_report r = {
			    .problems = &out, .warnings = &out};
			json_t *v = json_real(tries[k]);
			json_t *back;

			buf_init(&out, 4096);
			assert_int_equal(
			    config_value_read(o, v, "$", &c, &r), k < 2);
			back = config_option_value(o, &c);
			if (k < 2)
				assert_float_equal(
				    json_number_value(back), tries[k], 1e-3);
			json_decref(back);
			json_decref(v);
			buf_clear(&out);
		}
	}
}

/* ---- the file ---- */

static void
test_the_originals_example_loads(void **state)
{
	struct fixture *f = *state;
	const struct config *c = &f->config;

	good(f, "{" GOOD "}");
	assert_string_equal(buf_text(&f->warnings), "");
	assert_string_equal(c->deployment_url, "https://domain.com");
	assert_string_equal(c->base, "/addin");
	assert_string_equal(
	    c->authority, "https://login.microsoftonline.com/common");
	assert_int_equal(c->tenant_ids.count, 2);
	assert_string_equal(
	    c->tenant_ids.items[1], "66666666-7777-8888-9999-aaaaaaaaaaaa");
	assert_true(c->sync_enabled);
	assert_int_equal(c->subscription_expiration_ms, 36000000);
	assert_int_equal(c->subscription_renewal_limit_ms, 72000000);
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_null(c->client_secret);
	assert_string_equal(c->path, f->file);
}

static void
test_what_is_absent_has_the_documented_default(void **state)
{
	struct fixture *f = *state;
	const struct config *c = &f->config;

	good(f,
	    "{\"deploymentUrl\": \"https://a.example\","
	    "\"deploymentAddinEndpoint\": \"/\","
	    "\"unbluOAuthBackendUrl\": \"https://u.example/gateway/\","
	    "\"clientId\": \"" GUID_A "\"}");
	assert_string_equal(c->base, "");
	assert_false(c->sync_enabled);
	assert_int_equal(c->subscription_expiration_ms, 10065 * 60000);
	assert_int_equal(c->subscription_renewal_limit_ms, 0);
	assert_string_equal(c->cron, "*/1 * * * *");
	assert_string_equal(c->addin_id, GUID_A);
	assert_string_equal(c->graph_url, "https://graph.microsoft.com");
	assert_int_equal(c->api_audience.count, 2);
	assert_string_equal(c->api_audience.items[0], GUID_A);
	assert_string_equal(c->api_audience.items[1], "api://" GUID_A);
	assert_string_equal(c->api_scopes.items[0], GUID_A "/.default");
	assert_string_equal(
	    c->database, "sqlite:/var/lib/outlook-addin/state.db");
	assert_string_equal(c->run_dir, "/run/outlook-addin");
	assert_string_equal(c->wake_path, "/run/outlook-addin/wake.sock");
	assert_string_equal(c->http_listen, "8080");
	assert_string_equal(c->metrics_listen, "127.0.0.1:9464");
	assert_int_equal(c->debounce_ms, 2000);
	assert_int_equal(c->deletion_grace_ms, 60000);
	assert_int_equal(c->max_deletions_per_mailbox, 5);
	assert_int_equal(c->max_deletions_per_tenant, 50);
	assert_int_equal(c->orphan_grace_ms, 24 * 3600000);
	assert_int_equal(c->catch_up_past_ms, INT64_C(7) * 86400000);
	assert_int_equal(c->audit_retention_ms, INT64_C(365) * 86400000);
	assert_string_equal(
	    c->unblu_api_url, "https://u.example/gateway/app/rest/v4");
	assert_int_equal(c->unblu_auth, CONFIG_UNBLU_CLIENT_CREDENTIALS);
	assert_false(c->unblu_token_post);
	assert_int_equal(c->unblu_timeout_ms, 15000);
	assert_int_equal(c->topic_max_chars, 250);
	assert_string_equal(c->on_event_deleted, "delete-if-untouched");
	assert_string_equal(c->ca_file, "");
}

static void
test_values_end_in_their_settled_form(void **state)
{
	struct fixture *f = *state;
	const struct config *c = &f->config;

	good(f,
	    "{" GOOD ", \"unbluApiPath\": \"rest/v4/\", \"httpListen\": 81,"
	    "\"catchUpHours\": \"1.5\", \"logLevel\": \"error\","
	    "\"unbluTokenClientAuth\": \"client_secret_post\","
	    "\"unbluAuthMode\": \"basic\", \"loginUrl\": "
	    "\"http://127.0.0.1:5/\","
	    "\"authority\": \"common\", \"unbluActAs\": \"header\","
	    "\"invitationTexts\": {\"de-CH\": \"Hier\"}}");
	assert_string_equal(
	    c->unblu_api_url, "https://domain.com/gateway/rest/v4");
	assert_string_equal(c->http_listen, "81");
	assert_int_equal(c->catch_up_ms, 5400000);
	assert_int_equal(c->log_level, LOG_LEVEL_ERROR);
	assert_true(c->unblu_token_post);
	assert_true(c->unblu_act_as_header);
	assert_int_equal(c->unblu_auth, CONFIG_UNBLU_BASIC);
	assert_string_equal(c->authority, "http://127.0.0.1:5/common");
	assert_string_equal(c->invitation_texts, "{\"de-CH\":\"Hier\"}");
}

static void
test_an_api_path_in_the_url_is_not_appended_again(void **state)
{
	struct fixture *f = *state;

	good(f,
	    "{\"deploymentUrl\": \"https://a.example\","
	    "\"deploymentAddinEndpoint\": \"x\","
	    "\"unbluOAuthBackendUrl\": \"https://u.example/app/rest/v4\","
	    "\"clientId\": \"" GUID_A "\"}");
	assert_string_equal(
	    f->config.unblu_api_url, "https://u.example/app/rest/v4");
}

static void
test_public_urls_are_built_with_one_slash(void **state)
{
	static const char *const bases[] = {"addin", "/addin/", "/"};
	static const char *const want[] = {
	    "https://a.example/addin/webhook/events",
	    "https://a.example/addin/webhook/events",
	    "https://a.example/webhook/events"};
	struct fixture *f = *state;

	for (int i = 0; i < 6; i++) {
		char text[512];
		char *url;

		snprintf(text, sizeof(text),
		    "{\"deploymentUrl\": \"https://a.example%s\","
		    "\"deploymentAddinEndpoint\": \"%s\","
		    "\"unbluOAuthBackendUrl\": \"https://u.example\","
		    "\"clientId\": \"" GUID_A "\"}",
		    i < 3 ? "" : "/", bases[i % 3]);
		good(f, text);
		url = config_public_url(&f->config, "/webhook/events");
		assert_string_equal(url, want[i % 3]);
		free(url);
	}
}

static void
test_tenants_are_found_by_their_id(void **state)
{
	struct fixture *f = *state;

	good(f, "{" GOOD "}");
	assert_int_equal(config_tenant_index(&f->config, GUID_1), 0);
	assert_int_equal(config_tenant_index(&f->config,
			     "66666666-7777-8888-9999-aaaaaaaaaaaa"),
	    1);
	assert_int_equal(config_tenant_index(&f->config, GUID_A), -1);
}

static void
test_an_unknown_key_far_from_all_is_a_warning_or_strictly_a_mistake(
    void **state)
{
	const struct config_override strict = {.strict = true};
	struct fixture *f = *state;

	good(f, "{" GOOD ", \"colour\": 1}");
	assert_string_equal(
	    buf_text(&f->warnings), "$.colour: unknown key, ignored\n");
	assert_int_equal(
	    load_with(f, "{" GOOD ", \"colour\": 1}", CONFIG_ROLE_WEB, &strict),
	    -1);
}

static void
test_an_unknown_key_near_a_known_one_is_a_mistake(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    load(f, "{" GOOD ", \"showDebugPain\": true}", CONFIG_ROLE_WEB),
	    -1);
	assert_string_equal(buf_text(&f->problems),
	    "$.showDebugPain: unknown key; did you mean showDebugPane?\n");
	assert_int_equal(f->err.code, ERR_CONFIG);
}

static void
test_a_thousand_mistakes_are_cut(void **state)
{
	struct fixture *f = *state;
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_puts(&b, "{\"tenantIds\": [1");
	for (int i = 0; i < 900; i++)
		buf_puts(&b, ", 1");
	buf_puts(&b, "]}");
	assert_int_equal(load(f, buf_text(&b), CONFIG_ROLE_WEB), -1);
	assert_non_null(strstr(buf_text(&f->problems), "not listed"));
	assert_non_null(strstr(f->err.text, "905 mistakes"));
	buf_clear(&b);
}

static void
test_the_command_line_takes_the_files_place(void **state)
{
	const struct config_override over = {
	    .database = "sqlite:/x/y.db", .listen = "unix:/z/fcgi.sock"};
	const struct config_override bad = {.listen = "127.0.0.1:9000"};
	struct fixture *f = *state;

	assert_int_equal(load_with(f, "{" GOOD "}", CONFIG_ROLE_WEB, &over), 0);
	assert_string_equal(f->config.database, "sqlite:/x/y.db");
	assert_string_equal(f->config.wake_path, "/z/wake.sock");
	assert_int_equal(load_with(f, "{" GOOD "}", CONFIG_ROLE_WEB, &bad), -1);
	assert_int_equal(strncmp(buf_text(&f->problems), "--listen: ", 10), 0);
}

static void
test_the_file_is_named_by_the_environment_unless_an_option_says(void **state)
{
	const struct config_override missing = {.path = "/nonexistent.json"};
	struct fixture *f = *state;

	good(f, "{" GOOD "}");
	config_clear(&f->config);
	setenv("OUTLOOK_ADDIN_CONFIG", f->file, 1);
	assert_int_equal(config_load(NULL, CONFIG_ROLE_WEB, &f->config,
			     &f->problems, &f->warnings, &f->err),
	    0);
	assert_string_equal(f->config.path, f->file);
	config_clear(&f->config);
	assert_int_equal(config_load(&missing, CONFIG_ROLE_WEB, &f->config,
			     &f->problems, &f->warnings, &f->err),
	    -1);
	assert_non_null(strstr(buf_text(&f->problems), "/nonexistent.json"));
}

/* ---- the secrets ---- */

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

/* ---- formats ---- */

static void
test_placeholders_are_told_from_guids(void **state)
{
	(void)state;
	assert_true(config_format_is_placeholder(
	    "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"));
	assert_true(config_format_is_placeholder(
	    "YYYYYYYY-YYYY-YYYY-YYYY-YYYYYYYYYYYY"));
	assert_false(config_format_is_placeholder(GUID_A));
	assert_false(config_format_is_placeholder("xxxxxxxx"));
	assert_false(config_format_is_placeholder(""));
}

static void
test_control_characters_are_seen_in_utf8(void **state)
{
	(void)state;
	assert_true(config_format_has_control("a\x7f"));
	assert_true(config_format_has_control("a\xc2\x85"));
	assert_true(config_format_has_control("a\xe2\x80\xa9"));
	assert_false(config_format_has_control("Z\xc3\xbcrich \xe2\x82\xac"));
	assert_false(config_format_has_control(""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_every_key_is_unique_and_explained),
	    CASE(test_no_two_keys_are_within_two_edits),
	    CASE(test_no_two_keys_share_a_field),
	    CASE(test_every_default_passes_its_own_check),
	    CASE(test_every_key_refuses_every_other_json_type),
	    CASE(test_numbers_are_taken_at_their_bounds_and_not_beyond),
	    CASE(test_the_originals_example_loads),
	    CASE(test_what_is_absent_has_the_documented_default),
	    CASE(test_values_end_in_their_settled_form),
	    CASE(test_an_api_path_in_the_url_is_not_appended_again),
	    CASE(test_public_urls_are_built_with_one_slash),
	    CASE(test_tenants_are_found_by_their_id),
	    CASE(
		test_an_unknown_key_far_from_all_is_a_warning_or_strictly_a_mistake),
	    CASE(test_an_unknown_key_near_a_known_one_is_a_mistake),
	    CASE(test_a_thousand_mistakes_are_cut),
	    CASE(test_the_command_line_takes_the_files_place),
	    CASE(
		test_the_file_is_named_by_the_environment_unless_an_option_says),
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
	    CASE(test_placeholders_are_told_from_guids),
	    CASE(test_control_characters_are_seen_in_utf8),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
