/* port/config.h - addin.json and the secrets, checked. */
#ifndef PORT_CONFIG_H
#define PORT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"

/* Who asks: decides which mistakes matter and which secrets are read. */
enum config_role {
	CONFIG_ROLE_WEB = 1,
	CONFIG_ROLE_SYNC = 2,
	CONFIG_ROLE_RENEW = 4,
	CONFIG_ROLE_RENDER = 8,
	CONFIG_ROLE_ALL = 15
};

enum config_unblu_auth {
	CONFIG_UNBLU_CLIENT_CREDENTIALS,
	CONFIG_UNBLU_BASIC,
	CONFIG_UNBLU_STATIC_BEARER
};

struct config_list {
	char **items; /* each NUL-terminated */
	size_t count;
};

/*
 * Every value is set: from the file, else the default. Strings are never
 * NULL ("" when not given). GUIDs are lower case. URLs have no trailing '/'.
 */
struct config {
	/* the original's keys */
	char *deployment_url;
	char *base; /* "/addin"; "" when deploymentAddinEndpoint is "/" */
	char *unblu_url; /* unbluOAuthBackendUrl */
	char *client_id;
	char *authority; /* always <login_url>/common */
	struct config_list tenant_ids;
	bool sync_enabled;
	char *gateway_client_id; /* syncServerAuthGatewayClientId */
	int64_t subscription_expiration_ms;
	int64_t subscription_renewal_limit_ms; /* 0: none */
	char *cron;
	enum log_level log_level;
	bool debug_mode;
	bool show_debug_pane;

	/* added */
	char *addin_id;
	char *provider_name;
	char *support_url;
	int manifest_revision;
	bool manifest_mobile;
	bool manifest_send_check;
	bool manifest_unified;
	char *graph_url;
	char *login_url;
	struct config_list api_audience;
	struct config_list api_scopes;
	char *api_required_scope;
	char *database; /* "sqlite:PATH" or "postgresql://..." */
	char *fastcgi_listen; /* "unix:PATH" */
	char *http_listen;
	char *metrics_listen;
	char *office_js_url;
	struct config_list trusted_proxies;
	struct config_list frame_ancestors;
	char *ca_file;
	char *http_proxy;
	char *no_proxy;
	bool gateway_relay;
	char *client_secret_expires; /* "YYYY-MM-DD", "" not known */
	char *client_certificate_file;
	char *client_certificate_key_file;
	char *federated_token_file;
	int64_t debounce_ms;
	int64_t deletion_grace_ms;
	int max_deletions_per_mailbox; /* an hour */
	int max_deletions_per_tenant;
	int64_t orphan_grace_ms;
	int64_t catch_up_ms;
	int64_t catch_up_past_ms;
	int64_t link_retention_ms;
	int64_t audit_retention_ms;
	char *default_time_zone;
	char *fallback_topic;
	bool dry_run; /* syncServerDryRun */

	char *invitation_texts; /* JSON object text: locale -> text */

	/* Unblu (reference: unbluApiPath ... unbluTimeoutMs) */
	char *unblu_api_path;
	char *unblu_api_url; /* unblu_url with the API path, no trailing '/' */
	enum config_unblu_auth unblu_auth;
	char *unblu_token_url; /* "": discovery */
	char *unblu_token_scope;
	char *unblu_token_audience;
	char *unblu_token_resource;
	bool unblu_token_post; /* client_secret_post instead of _basic */
	bool unblu_act_as_header;
	char *unblu_act_as_name;
	char *unblu_act_as_role_name;
	char *unblu_act_as_role;
	char *unblu_agent_key;
	char *unblu_agent_map_file;
	int64_t unblu_timeout_ms;
	int topic_max_chars;
	char *conversation_template_id;
	char *on_event_deleted;
	bool allow_insecure_links;

	/* secrets; NULL unless the role needs them */
	struct secret *client_secret;
	struct secret *gateway_secret;
	char *client_secret_file; /* that it came from; NULL: none */
	char *gateway_secret_file;

	char *path; /* the file that was read */
	char *run_dir; /* folder of fastcgi_listen */
	char *wake_path; /* run_dir + "/wake.sock" */
};

/* What the command line may override; NULL fields: not given. */
struct config_override {
	const char *path;
	const char *database;
	const char *listen;
	/* An unknown key is a mistake however far it is; so is a certificate
	 * out of its time. */
	bool strict;
};

/*
 * Finds (design: --config, $OUTLOOK_ADDIN_CONFIG, three fixed places), reads
 * and checks the file for the roles (OR of enum config_role). On failure
 * *problems holds every mistake, a line each ("$.tenantIds[0]: ...");
 * warnings go to *warnings the same way. 0 or -1 (ERR_CONFIG).
 */
int config_load(const struct config_override *over, unsigned roles,
    struct config *out, struct buf *problems, struct buf *warnings,
    struct err *e);
void config_clear(struct config *c);

/* Index of the tenant in tenantIds, -1 when it is not configured. */
int config_tenant_index(const struct config *c, const char *tenant);

/* URL of a route under {base}: deployment_url + base + path. Yours. */
char *config_public_url(const struct config *c, const char *path);

#endif
