/* tests/unit/test_config.c - port/config: the table, the file, the formats. */
#include "test_config.h"

#include "base/json.h"
#include "port/config_format.h"
#include "port/config_option.h"
#include "port/config_report.h"
#include "port/config_value.h"

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
	    CASE(test_placeholders_are_told_from_guids),
	    CASE(test_control_characters_are_seen_in_utf8),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
