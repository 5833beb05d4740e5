/* port/config_settle.c - see config_settle.h. */
#include "port/config_settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"
#include "port/config_format.h"
#include "port/config_option.h"

/* Whether a key's own value was a mistake: then what follows from it is not
 * worth another line. */
static bool
refused(const struct config_report *r, const char *key)
{
	return r->refused[config_option_find(key) - config_options];
}

/* a followed by b. Yours. */
static char *
join(const char *a, const char *b)
{
	size_t len = strlen(a);
	char *out = mem_zalloc(len + strlen(b) + 1);

	memcpy(out, a, len);
	memcpy(out + len, b, strlen(b));
	return out;
}

static void
replace(char **field, char *value_owned)
{
	free(*field);
	*field = value_owned;
}

/* Agents always sign in at <loginUrl>/common; say so where the file asks for
 * something else. */
static void
settle_authority(struct config *c, struct config_report *r)
{
	char *wanted = join(c->login_url, "/common");
	const char *given = c->authority;
	size_t len = strlen(given);

	while (len > 0 && given[len - 1] == '/')
		len--;
	if (len > 0 && strcmp(given, "common") != 0 &&
	    (strncmp(given, wanted, len) != 0 ||
		(len != strlen(wanted) && len != strlen(c->login_url))))
		config_warning(r, "$.authority",
		    "agents always sign in at %s; what is given here is not "
		    "used",
		    wanted);
	replace(&c->authority, wanted);
}

static void
settle_unblu(struct config *c)
{
	bool whole = strstr(c->unblu_url, "/rest/v") != NULL;

	replace(&c->unblu_api_url,
	    join(c->unblu_url, whole ? "" : c->unblu_api_path));
}

static void
settle_run_dir(struct config *c)
{
	const char *path = c->fastcgi_listen;
	const char *slash;

	if (strncmp(path, "unix:", 5) == 0)
		path += 5;
	slash = strrchr(path, '/');
	replace(&c->run_dir,
	    slash == NULL       ? mem_strdup(".")
		: slash == path ? mem_strdup("/")
				: mem_strndup(path, (size_t)(slash - path)));
	replace(&c->wake_path, url_join(c->run_dir, "wake.sock"));
}

static void
check_server(const struct config *c, struct config_report *r)
{
	if (!c->sync_enabled)
		return;
	if (c->tenant_ids.count == 0 && !refused(r, "tenantIds"))
		config_problem(r, "$.tenantIds",
		    "must name at least one tenant when syncServerEnabled is "
		    "true");
	if (c->gateway_client_id[0] == '\0' &&
	    !refused(r, "syncServerAuthGatewayClientId") &&
	    !refused(r, "unbluAuthMode") &&
	    c->unblu_auth != CONFIG_UNBLU_STATIC_BEARER)
		config_problem(r, "$.syncServerAuthGatewayClientId",
		    "is required when syncServerEnabled is true");
}

/* nginx can not bind one port twice; without an address it takes them all. */
static void
check_listeners(const struct config *c, struct config_report *r)
{
	const char *a = c->http_listen;
	const char *b = c->metrics_listen;
	bool any = strchr(a, ':') == NULL || strchr(b, ':') == NULL ||
	    strncmp(a, "0.0.0.0:", 8) == 0 || strncmp(b, "0.0.0.0:", 8) == 0;

	if (refused(r, "httpListen") || refused(r, "metricsListen") ||
	    config_format_listen_port(a) != config_format_listen_port(b))
		return;
	if (any || strcmp(a, b) == 0)
		config_problem(r, "$.metricsListen",
		    "must not use the port of httpListen (%s)", a);
}

static void
check_credentials(const struct config *c, struct config_report *r)
{
	bool cert = c->client_certificate_file[0] != '\0';
	bool key = c->client_certificate_key_file[0] != '\0';

	if (cert && !key && !refused(r, "clientCertificateKeyFile"))
		config_problem(r, "$.clientCertificateKeyFile",
		    "is required with clientCertificateFile");
	if (key && !cert && !refused(r, "clientCertificateFile"))
		config_problem(r, "$.clientCertificateFile",
		    "is required with clientCertificateKeyFile");
	if (cert && c->federated_token_file[0] != '\0')
		config_problem(r, "$.federatedTokenFile",
		    "can not be used together with clientCertificateFile");
}

static void
check_file(const char *file, const char *path, struct config_report *r)
{
	char quoted[CONFIG_QUOTE_MAX];

	if (file[0] != '\0' && access(file, R_OK) != 0)
		config_problem(r, path, "%s can not be read: %s",
		    config_quote(quoted, file), strerror(errno));
}

void
config_settle(struct config *c, bool files, struct config_report *r)
{
	settle_authority(c, r);
	settle_unblu(c);
	settle_run_dir(c);
	if (c->addin_id[0] == '\0')
		replace(&c->addin_id, mem_strdup(c->client_id));
	check_server(c, r);
	check_listeners(c, r);
	check_credentials(c, r);
	if (!files)
		return;
	check_file(c->ca_file, "$.caFile", r);
	check_file(c->client_certificate_file, "$.clientCertificateFile", r);
	check_file(
	    c->client_certificate_key_file, "$.clientCertificateKeyFile", r);
	check_file(c->federated_token_file, "$.federatedTokenFile", r);
}
