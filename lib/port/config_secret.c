/* port/config_secret.c - see config_secret.h. */
#include "port/config_secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "port/config_format.h"

enum { SECRET_MAX = 16 << 10 };

static const struct secret_source {
	const char *name;
	const char *file_name; /* of the variable that names a file */
	unsigned roles; /* that can not work without it */
	size_t offset;
} secret_sources[] = {
    {"CLIENT_SECRET", "CLIENT_SECRET_FILE",
	CONFIG_ROLE_SYNC | CONFIG_ROLE_RENEW,
	offsetof(struct config, client_secret)},
    {"SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET",
	"SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET_FILE", CONFIG_ROLE_SYNC,
	offsetof(struct config, gateway_secret)},
};

enum { SECRET_COUNT = sizeof(secret_sources) / sizeof(secret_sources[0]) };

bool
config_secret_is_name(const char *key)
{
	return strcasestr(key, "secret") != NULL ||
	    strcasestr(key, "password") != NULL;
}

/* Set and not empty, else NULL. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

static void
forget_variable(const char *name)
{
	char *value = getenv(name);

	if (value == NULL)
		return;
	secret_wipe(value, strlen(value));
	unsetenv(name);
}

static struct secret *
make_secret(const struct secret_source *s, const char *text, size_t len,
    const char *origin, struct config_report *r)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len == 0) {
		config_problem(r, s->name, "%s is empty", origin);
		return NULL;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != 0x7F)
			continue;
		config_problem(r, s->name,
		    "%s contains a control character or a line break", origin);
		return NULL;
	}
	return secret_new(text, len);
}

static void
warn_about_mode(
    const struct secret_source *s, const char *path, struct config_report *r)
{
	char quoted[CONFIG_QUOTE_MAX];
	struct stat st;

	if (stat(path, &st) == 0 &&
	    (st.st_mode & (S_IWGRP | S_IROTH | S_IWOTH)) != 0)
		config_warning(r, s->name,
		    "the file %s has mode %04o: others can read or change it, "
		    "0400 is enough",
		    config_quote(quoted, path), (unsigned)(st.st_mode & 07777));
}

static struct secret *
secret_from_file(const struct secret_source *s, const char *path,
    const char *origin, struct config_report *r)
{
	struct secret *out;
	struct err e = {0};
	char *text = NULL;
	size_t len = 0;

	if (file_read(path, SECRET_MAX, &text, &len, &e) != 0) {
		config_problem(r, s->name, "%s: %s", origin, e.text);
		return NULL;
	}
	warn_about_mode(s, path, r);
	out = make_secret(s, text, len, origin, r);
	secret_wipe(text, len);
	free(text);
	return out;
}

static struct secret *
read_secret(const struct secret_source *s, struct config_report *r)
{
	const char *value = variable(s->name);
	const char *file = variable(s->file_name);
	const char *folder = variable("CREDENTIALS_DIRECTORY");
	struct secret *out = NULL;
	char *path = NULL;
	char origin[200];

	if (value != NULL && file != NULL) {
		config_problem(r, s->name,
		    "both %s and %s are set: leave one of them", s->name,
		    s->file_name);
		return NULL;
	}
	snprintf(origin, sizeof(origin), "the value of %s", s->name);
	if (value != NULL)
		return make_secret(s, value, strlen(value), origin, r);
	snprintf(origin, sizeof(origin), "the file of %s", s->file_name);
	if (file != NULL)
		return secret_from_file(s, file, origin, r);
	if (folder != NULL) {
		size_t len = strlen(folder) + strlen(s->name) + 2;

		path = mem_zalloc(len);
		snprintf(path, len, "%s/%s", folder, s->name);
	}
	if (path != NULL && access(path, F_OK) == 0)
		out = secret_from_file(
		    s, path, "the file in $CREDENTIALS_DIRECTORY", r);
	else
		config_problem(r, s->name,
		    "is not set: give it in the environment as %s, or name "
		    "its file in %s",
		    s->name, s->file_name);
	free(path);
	return out;
}

void
config_secrets_read(struct config *c, unsigned roles, struct config_report *r)
{
	if ((roles & (CONFIG_ROLE_SYNC | CONFIG_ROLE_RENEW)) == 0)
		return;
	for (int i = 0; i < SECRET_COUNT; i++) {
		const struct secret_source *s = &secret_sources[i];
		struct secret **field =
		    (struct secret **)(void *)((char *)c + s->offset);

		if (c->sync_enabled && (roles & s->roles) != 0)
			*field = read_secret(s, r);
		forget_variable(s->name);
	}
}
