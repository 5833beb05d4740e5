/* tests/unit/test_config.h - what the tests of port/config share: a good file,
 * and a folder of its own for each case. */
#ifndef TEST_CONFIG_H
#define TEST_CONFIG_H

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

#include "port/config.h"

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

static inline int
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

static inline int
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

static inline void
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

static inline int
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

static inline int
load(struct fixture *f, const char *text, unsigned roles)
{
	return load_with(f, text, roles, NULL);
}

static inline void
good(struct fixture *f, const char *text)
{
	if (load(f, text, CONFIG_ROLE_WEB) != 0)
		fail_msg("%s", buf_text(&f->problems));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
