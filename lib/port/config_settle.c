/* port/config_settle.c - see config_settle.h. */
#include "port/config_settle.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"
#include "port/config_file.h"
#include "port/config_format.h"
#include "port/config_listen.h"
#include "port/config_option.h"
#include "port/store_arrival.h"
#include "port/store_replica.h"
#include "rule/policy.h"

enum { CSP_ORIGINS_MAX = 3200 };

/* Characters of the provider's name in the XML and in the JSON manifest. */
enum { PROVIDER_MAX = 125, PROVIDER_UNIFIED_MAX = 32 };

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
settle_subscription(const struct config *c, struct config_report *r)
{
	const int64_t longest_ms =
	    (int64_t)POLICY_SUBSCRIPTION_LIFE_MAX_MIN * 60 * 1000;

	if (c->subscription_expiration_ms > longest_ms)
		config_warning(r, "$.syncServerSubscriptionExpiration",
		    "Graph grants at most %lld, no more is asked for",
		    (long long)longest_ms);
}

/* A longer one is no mistake, but what many replicas are there for is lost. */
static void
check_debounce(const struct config *c, struct config_report *r)
{
	if (c->debounce_ms > STORE_ARRIVAL_DELAY_MS &&
	    store_database_is_shared(c->database))
		config_warning(r, "$.notificationDebounceMs",
		    "above %d every notification waits for the lock of all who "
		    "write to PostgreSQL, and more replicas take no more of "
		    "them",
		    STORE_ARRIVAL_DELAY_MS);
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
	if (!refused(r, "httpListen") && !refused(r, "metricsListen") &&
	    config_listen_clash(c->http_listen, c->metrics_listen))
		config_problem(r, "$.metricsListen",
		    "must not use the port of httpListen (%s)", c->http_listen);
}

/* scheme://host:port of a URL. */
static size_t
origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	return host == NULL ? 0
			    : (size_t)(host - url) + 3 + strcspn(host + 3, "/");
}

/* All of them stand in one header, and nginx takes 4,096 bytes for a word of
 * its configuration. */
static void
check_csp(const struct config *c, struct config_report *r)
{
	size_t others = 2 * origin_length(c->office_js_url) +
	    origin_length(c->unblu_url) + origin_length(c->login_url);
	size_t frames = 0;

	for (size_t i = 0; i < c->frame_ancestors.count; i++)
		frames += strlen(c->frame_ancestors.items[i]) + 1;
	if (others + frames > CSP_ORIGINS_MAX)
		config_problem(r, "$.frameAncestors",
		    "is too long for one header: %zu bytes, with officeJsUrl, "
		    "unbluOAuthBackendUrl and loginUrl %zu of at most %d",
		    frames, others + frames, (int)CSP_ORIGINS_MAX);
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

/* What does not fit into the manifests of the add-in. Without a providerName
 * they name the host. */
static void
check_manifest(const struct config *c, struct config_report *r)
{
	bool unified = c->manifest_unified;
	const char *where = unified ? "manifest.json" : "manifest.xml";
	size_t most = unified ? PROVIDER_UNIFIED_MAX : PROVIDER_MAX;
	const char *name = c->provider_name;

	if (refused(r, "deploymentUrl") || refused(r, "providerName"))
		return;
	if (unified && strncmp(c->deployment_url, "https:", 6) != 0)
		config_problem(r, "$.manifestUnified",
		    "needs a deploymentUrl that begins with https://");
	if (name[0] != '\0' && name[text_cut_chars(name, most)] != '\0')
		config_problem(r, "$.providerName",
		    "may have %zu characters in %s", most, where);
	if (name[0] == '\0' &&
	    origin_length(c->deployment_url) > most + strlen("https://"))
		config_problem(r, "$.providerName",
		    "is required here: the host of deploymentUrl is longer "
		    "than the %zu characters that a provider's name has in %s",
		    most, where);
}

/* One would overwrite the other. */
static void
check_act_as(const struct config *c, struct config_report *r)
{
	if (c->unblu_act_as_header && c->unblu_act_as_role_name[0] != '\0' &&
	    strcasecmp(c->unblu_act_as_name, c->unblu_act_as_role_name) == 0)
		config_problem(r, "$.unbluActAsRoleHeader",
		    "must not be the same header as unbluActAsHeader");
}

void
config_settle(struct config *c, unsigned roles, struct config_report *r)
{
	settle_authority(c, r);
	settle_subscription(c, r);
	settle_unblu(c);
	settle_run_dir(c);
	if (c->addin_id[0] == '\0')
		replace(&c->addin_id, mem_strdup(c->client_id));
	check_server(c, r);
	check_debounce(c, r);
	check_listeners(c, r);
	check_csp(c, r);
	check_credentials(c, r);
	check_act_as(c, r);
	check_manifest(c, r);
	config_file_check(c, roles, r);
}
