/* port/config_secret.c - see config_secret.h. */
#include "port/config_secret.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "port/config_option.h"

enum { SECRET_MAX = 16 << 10 };

static const struct secret_source {
	const char *name;
	const char *file_name; /* of the variable that names a file */
	unsigned roles; /* that can not work without it */
	bool for_entra; /* has alternatives in addin.json */
	size_t offset, file_offset;
} secret_sources[] = {
    {"CLIENT_SECRET", "CLIENT_SECRET_FILE",
	CONFIG_ROLE_SYNC | CONFIG_ROLE_RENEW, true,
	offsetof(struct config, client_secret),
	offsetof(struct config, client_secret_file)},
    {"SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET",
	"SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET_FILE", CONFIG_ROLE_SYNC, false,
	offsetof(struct config, gateway_secret),
	offsetof(struct config, gateway_secret_file)},
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

/* origin: what *e says it is about. */
static struct secret *
make_secret(const char *text, size_t len, const char *origin, struct err *e)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len == 0) {
		err_set(e, ERR_CONFIG, "%s is empty", origin);
		return NULL;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != 0x7F)
			continue;
		err_set(e, ERR_CONFIG,
		    "%s contains a control character or a line break", origin);
		return NULL;
	}
	return secret_new(text, len);
}

static struct secret *
secret_from_file(const char *path, const char *origin, struct err *e)
{
	struct secret *out;
	char *text = NULL;
	size_t len = 0;

	if (file_read(path, SECRET_MAX, &text, &len, e) != 0) {
		err_wrap(e, "%s", origin);
		return NULL;
	}
	out = make_secret(text, len, origin, e);
	secret_wipe(text, len);
	free(text);
	return out;
}

struct secret *
config_secret_read_file(const char *path, struct err *e)
{
	return secret_from_file(path, "its file", e);
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

/* $CREDENTIALS_DIRECTORY/NAME when there is such a file. Yours, or NULL. */
static char *
find_credential(const struct secret_source *s)
{
	const char *folder = variable("CREDENTIALS_DIRECTORY");
	char *path;
	size_t len;

	if (folder == NULL)
		return NULL;
	len = strlen(folder) + strlen(s->name) + 2;
	path = mem_zalloc(len);
	snprintf(path, len, "%s/%s", folder, s->name);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* The path is kept: what is in the file may be replaced while we run. */
static struct secret *
read_from_file(const struct secret_source *s, const char *origin, char *path,
    struct config *c, struct config_report *r)
{
	struct err e = {0};
	struct secret *out = secret_from_file(path, origin, &e);

	if (out == NULL)
		config_problem(r, s->name, "%s", e.text);
	else
		warn_about_mode(s, path, r);
	*(char **)(void *)((char *)c + s->file_offset) = mem_strdup(path);
	return out;
}

static struct secret *
read_secret(
    const struct secret_source *s, struct config *c, struct config_report *r)
{
	const char *value = variable(s->name);
	const char *file = variable(s->file_name);
	struct secret *out = NULL;
	struct err e = {0};
	char origin[200];
	char *path;

	if (value != NULL && file != NULL) {
		config_problem(r, s->name,
		    "both %s and %s are set: leave one of them", s->name,
		    s->file_name);
		return NULL;
	}
	path = file != NULL ? mem_strdup(file) : find_credential(s);
	if (value != NULL) {
		snprintf(origin, sizeof(origin), "the value of %s", s->name);
		out = make_secret(value, strlen(value), origin, &e);
		if (out == NULL)
			config_problem(r, s->name, "%s", e.text);
	} else if (path != NULL) {
		snprintf(
		    origin, sizeof(origin), "the file of %s", s->file_name);
		out = read_from_file(s,
		    file != NULL ? origin
				 : "the file in $CREDENTIALS_DIRECTORY",
		    path, c, r);
	} else {
		config_problem(r, s->name,
		    "is not set: give it in the environment as %s, or name "
		    "its file in %s",
		    s->name, s->file_name);
	}
	free(path);
	return out;
}

/* The key of addin.json that takes the secret's place, or NULL. */
static const char *
alternative(const struct secret_source *s, const struct config *c)
{
	if (s->for_entra &&
	    (c->client_certificate_file[0] != '\0' ||
		c->client_certificate_key_file[0] != '\0'))
		return "$.clientCertificateFile";
	if (s->for_entra && c->federated_token_file[0] != '\0')
		return "$.federatedTokenFile";
	return NULL;
}

/* Which of two is used would be a guess: there is to be one. */
static void
refuse_both(
    const struct secret_source *s, const char *path, struct config_report *r)
{
	char *credential = find_credential(s);
	const char *name = variable(s->name) != NULL ? s->name : s->file_name;

	if (variable(s->name) != NULL || variable(s->file_name) != NULL)
		config_problem(r, path,
		    "can not be used together with %s: leave one of them",
		    name);
	else if (credential != NULL)
		config_problem(r, path,
		    "can not be used together with %s in "
		    "$CREDENTIALS_DIRECTORY: leave one of them",
		    s->name);
	free(credential);
}

/* Whether one of those keys has a mistake: then nobody can tell. */
static bool
alternative_refused(
    const struct secret_source *s, const struct config_report *r)
{
	return s->for_entra &&
	    (r->refused[config_option_find("clientCertificateFile") -
		 config_options] ||
		r->refused[config_option_find("federatedTokenFile") -
		    config_options]);
}

static void
settle_secret(
    const struct secret_source *s, struct config *c, struct config_report *r)
{
	const char *instead = alternative(s, c);

	if (alternative_refused(s, r))
		return;
	if (instead != NULL)
		refuse_both(s, instead, r);
	else
		*(struct secret **)(void *)((char *)c + s->offset) =
		    read_secret(s, c, r);
}

/* A server that is switched off needs no secret; the renewal uses one that is
 * there to take away what was left at Graph. */
static bool
is_given_for_renewal(
    const struct secret_source *s, const struct config *c, unsigned roles)
{
	char *credential;
	bool given;

	if ((roles & s->roles) != CONFIG_ROLE_RENEW ||
	    alternative(s, c) != NULL)
		return false;
	credential = find_credential(s);
	given = credential != NULL || variable(s->name) != NULL ||
	    variable(s->file_name) != NULL;
	free(credential);
	return given;
}

void
config_secrets_read(struct config *c, unsigned roles, struct config_report *r)
{
	if ((roles & (CONFIG_ROLE_SYNC | CONFIG_ROLE_RENEW)) == 0)
		return;
	for (int i = 0; i < SECRET_COUNT; i++) {
		const struct secret_source *s = &secret_sources[i];

		if ((c->sync_enabled && (roles & s->roles) != 0) ||
		    is_given_for_renewal(s, c, roles))
			settle_secret(s, c, r);
		forget_variable(s->name);
	}
}
