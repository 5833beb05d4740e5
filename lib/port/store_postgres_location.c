/* port/store_postgres_location.c - where PostgreSQL is, and how we get in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "port/config_secret.h"
#include "port/store_postgres.h"

/* What a server's certificate is checked with when nobody says. */
static const char store_postgres_roots[] = "/etc/ssl/certs/ca-certificates.crt";
/* A file that nobody has. */
static const char store_postgres_nowhere[] = "/dev/null/none";

/* The option's value, or NULL. */
static const char *
store_postgres_option(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	return NULL;
}

static PQconninfoOption *
store_postgres_parse(const char *location, struct err *e)
{
	static const char scheme[] = "postgresql:";
	size_t cap = sizeof(scheme) + strlen(location);
	char *url = mem_zalloc(cap);
	char *message = NULL;
	PQconninfoOption *options;

	snprintf(url, cap, "%s%s", scheme, location);
	options = PQconninfoParse(url, &message);
	/* libpq's own words quote what may be a password. */
	if (options == NULL)
		err_set(e, ERR_CONFIG,
		    "is no postgresql:// URL that libpq understands");
	PQfreemem(message);
	free(url);
	return options;
}

static const char *const store_postgres_file_options[] = {
    "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", NULL};

/* libpq itself would find out at each connection only. */
static int
store_postgres_check_tls(const PQconninfoOption *options, struct err *e)
{
	static const char *const modes[] = {"disable", "allow", "prefer",
	    "require", "verify-ca", "verify-full", NULL};
	const char *mode = store_postgres_option(options, "sslmode");
	int known = 0;

	while (mode != NULL && modes[known] != NULL &&
	    strcmp(modes[known], mode) != 0)
		known++;
	if (mode != NULL && modes[known] == NULL)
		return err_set(e, ERR_CONFIG,
		    "has an unknown sslmode: disable, allow, prefer, require, "
		    "verify-ca or verify-full");
	for (int i = 0; store_postgres_file_options[i] != NULL; i++) {
		const char *path = store_postgres_option(
		    options, store_postgres_file_options[i]);

		/* The programs run in different folders. */
		if (path != NULL && path[0] != '/')
			return err_set(e, ERR_CONFIG,
			    "must name %s from the root: /folder/file",
			    store_postgres_file_options[i]);
	}
	return 0;
}

static int
store_postgres_check_options(const PQconninfoOption *options, struct err *e)
{
	static const char *const needed[] = {"host", "dbname"};

	if (store_postgres_option(options, "password") != NULL)
		return err_set(e, ERR_CONFIG,
		    "must not hold the password: name its file in "
		    "DATABASE_PASSWORD_FILE");
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		const char *value = store_postgres_option(options, needed[i]);

		if (value == NULL || value[0] == '\0')
			return err_set(e, ERR_CONFIG,
			    "must name the %s: postgresql://user@host/name",
			    i == 0 ? "host" : "database");
	}
	if (store_postgres_option(options, "service") != NULL ||
	    store_postgres_option(options, "options") != NULL)
		return err_set(e, ERR_CONFIG,
		    "must not use service or options: a pooler passes neither "
		    "on");
	return store_postgres_check_tls(options, e);
}

/* ---- the password ---- */

static const char *
store_postgres_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static int
store_postgres_check_password(struct err *e)
{
	if (store_postgres_variable("DATABASE_PASSWORD") == NULL ||
	    store_postgres_variable("DATABASE_PASSWORD_FILE") == NULL)
		return 0;
	return err_set(e, ERR_CONFIG,
	    "both DATABASE_PASSWORD and DATABASE_PASSWORD_FILE are set: leave "
	    "one of them");
}

int
store_postgres_check_location(const char *location, struct err *e)
{
	PQconninfoOption *options = store_postgres_parse(location, e);
	int rc;

	if (options == NULL)
		return -1;
	rc = store_postgres_check_options(options, e);
	if (rc == 0)
		rc = store_postgres_check_password(e);
	PQconninfoFree(options);
	return rc;
}

/* From its file at each connection, so that it can be replaced while we run;
 * web, which is confined, may only have been able to read the first one. */
static int
store_postgres_password(struct secret **out, struct err *e)
{
	static struct secret *known;
	const char *file = store_postgres_variable("DATABASE_PASSWORD_FILE");
	const char *value = store_postgres_variable("DATABASE_PASSWORD");
	struct err unread = {0};

	*out = NULL;
	if (store_postgres_check_password(e) != 0)
		return -1;
	if (value != NULL)
		*out = secret_new(value, strlen(value));
	if (value != NULL || file == NULL)
		return 0;
	*out = config_secret_read_file(file, &unread);
	if (*out == NULL && known == NULL)
		return err_set(
		    e, unread.code, "DATABASE_PASSWORD_FILE: %s", unread.text);
	if (*out == NULL) {
		*out = secret_new(
		    secret_reveal(known), strlen(secret_reveal(known)));
		return 0;
	}
	secret_free(known);
	known = secret_new(secret_reveal(*out), strlen(secret_reveal(*out)));
	return 0;
}

/* ---- keywords and values ---- */

static void
store_postgres_put(
    struct store_postgres_options *o, const char *keyword, const char *value)
{
	if (o->count + 1 >= STORE_POSTGRES_KEYWORDS)
		return;
	o->keyword[o->count] = keyword;
	o->value[o->count++] = value;
}

/* libpq takes what the URL leaves open from the environment: another address,
 * a TLS mode that checks less, a schema in PGOPTIONS. The children of the
 * supervisor get none of it, so outlook-addin-renew and outlook-addinctl, which
 * have that of cron or of a shell, would talk to another server, or trust it
 * for less. Whatever a later libpq may know begins like that, too. */
static void
store_postgres_ignore_environment(void)
{
	static const char prefix[] = "PG";
	char **at = environ;

	while (at != NULL && *at != NULL) {
		char *name;

		if (strncmp(*at, prefix, strlen(prefix)) != 0) {
			at++;
			continue;
		}
		name = mem_strndup(*at, strcspn(*at, "="));
		/* The rest moves up; a name that can not be taken away stays.
		 */
		if (unsetenv(name) != 0)
			at++;
		free(name);
	}
}

/* Unless the URL says something else. */
static void
store_postgres_suggest(
    struct store_postgres_options *o, const char *keyword, const char *value)
{
	if (store_postgres_option(o->parsed, keyword) == NULL)
		store_postgres_put(o, keyword, value);
}

/* Sockets and addresses of this machine only; "" among several is none. */
static bool
store_postgres_are_local(const char *hosts)
{
	static const char *const local[] = {
	    "localhost", "127.0.0.1", "::1", NULL};

	while (hosts[0] != '\0') {
		size_t len = strcspn(hosts, ",");
		bool found = hosts[0] == '/' || len == 0;

		for (int i = 0; !found && local[i] != NULL; i++)
			found = strlen(local[i]) == len &&
			    strncmp(local[i], hosts, len) == 0;
		if (!found)
			return false;
		hosts += len + (hosts[len] == ',');
	}
	return true;
}

/* hostaddr is where libpq connects to, host only what the certificate has to
 * say then. */
static bool
store_postgres_is_local(const struct store_postgres_options *o)
{
	const char *addresses = store_postgres_option(o->parsed, "hostaddr");

	return store_postgres_are_local(
		   store_postgres_option(o->parsed, "host")) &&
	    (addresses == NULL || store_postgres_are_local(addresses));
}

/* Who says nothing gets a checked certificate, but on this machine. With roots
 * at hand libpq would check it for require, too, which asks for no more than
 * that nobody listens; those of the account are nobody's, and so are a
 * certificate and a list of revoked ones that lie in its home. */
static void
store_postgres_suggest_tls(struct store_postgres_options *o)
{
	const char *mode = store_postgres_option(o->parsed, "sslmode");
	bool checked = mode != NULL
	    ? strncmp(mode, "verify", strlen("verify")) == 0
	    : !store_postgres_is_local(o);

	if (checked)
		store_postgres_suggest(o, "sslmode", "verify-full");
	store_postgres_suggest(o, "sslrootcert",
	    checked ? store_postgres_roots : store_postgres_nowhere);
	store_postgres_suggest(o, "sslcert", store_postgres_nowhere);
	/* One that is not there would have the folder passed over. */
	if (store_postgres_option(o->parsed, "sslcrldir") == NULL)
		store_postgres_suggest(o, "sslcrl", store_postgres_nowhere);
}

int
store_postgres_options_read(const char *location, unsigned flags,
    struct store_postgres_options *out, struct err *e)
{
	const PQconninfoOption *at;

	memset(out, 0, sizeof(*out));
	store_postgres_ignore_environment();
	out->parsed = store_postgres_parse(location, e);
	if (out->parsed == NULL ||
	    store_postgres_check_options(out->parsed, e) != 0 ||
	    store_postgres_password(&out->password, e) != 0) {
		store_postgres_options_clear(out);
		return -1;
	}
	for (at = out->parsed; at->keyword != NULL; at++)
		if (at->val != NULL)
			store_postgres_put(out, at->keyword, at->val);
	if (out->password != NULL)
		store_postgres_put(
		    out, "password", secret_reveal(out->password));
	/* Nobody's own files. */
	store_postgres_suggest(out, "passfile", store_postgres_nowhere);
	store_postgres_suggest(out, "gssencmode", "disable");
	store_postgres_suggest(out, "connect_timeout", "2");
	store_postgres_suggest(out, "tcp_user_timeout", "8000");
	store_postgres_suggest(out, "client_encoding", "UTF8");
	store_postgres_suggest(out, "application_name", "outlook-addin");
	if ((flags & STORE_READ_ONLY) == 0)
		store_postgres_suggest(
		    out, "target_session_attrs", "read-write");
	store_postgres_suggest_tls(out);
	return 0;
}

void
store_postgres_options_clear(struct store_postgres_options *o)
{
	PQconninfoFree(o->parsed);
	secret_free(o->password);
	memset(o, 0, sizeof(*o));
}

/* ---- before web gives up the rest ---- */

/* What the C library and OpenSSL look at to find and to trust a server. */
static const char *const store_postgres_files[] = {"/etc/hosts",
    "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
    "/etc/services", "/etc/ssl", "/usr/lib/ssl", "/usr/share/ca-certificates",
    "/run/systemd/resolve", NULL};

int
store_postgres_prepare(
    const char *location, int (*each)(const char *path, void *arg), void *arg)
{
	const char *password =
	    store_postgres_variable("DATABASE_PASSWORD_FILE");
	struct store_postgres_options o;
	struct err ignored = {0};
	int rc = 0;

	for (int i = 0; rc == 0 && store_postgres_files[i] != NULL; i++)
		rc = each(store_postgres_files[i], arg);
	/* The file itself, not its folder: others may lie there. */
	if (rc == 0 && password != NULL)
		rc = each(password, arg);
	/* This keeps the password. */
	if (store_postgres_options_read(location, 0, &o, &ignored) != 0)
		return rc;
	for (int i = 0; rc == 0 && store_postgres_file_options[i] != NULL;
	     i++) {
		const char *path = store_postgres_option(
		    o.parsed, store_postgres_file_options[i]);

		if (path != NULL && path[0] == '/')
			rc = each(path, arg);
	}
	store_postgres_options_clear(&o);
	return rc;
}
