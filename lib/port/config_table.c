/* port/config_table.c - every key of addin.json: the one place that knows. */
#include "port/config_option.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "port/config_format.h"

#define FIELD(f)                                                               \
	.offset = offsetof(struct config, f),                                  \
	.size = sizeof(((struct config *)0)->f)

/* ms in these. */
#define SECOND 1000.0
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define YEAR (366 * DAY)

/* Graph grants events at most 10,080 minutes. */
#define GRAPH_LIFE_MAX (10080 * 60 * SECOND)

static const char *const log_levels[] = {
    "debug", "info", "warning", "error", NULL};
static const char *const unblu_auth_modes[] = {
    "oauth2-client-credentials", "basic", "static-bearer", NULL};
static const char *const token_client_auths[] = {
    "client_secret_basic", "client_secret_post", NULL};
static const char *const act_as_modes[] = {"none", "header", NULL};
static const char *const agent_keys[] = {
    "username", "email", "entra-oid", NULL};
static const char *const deletions[] = {
    "delete-if-untouched", "delete-if-untouched-else-cancel", "ignore", NULL};

#define APP_ID_SOURCE                                                          \
	"the Application (client) ID of the app registration in Microsoft "    \
	"Entra"
#define TENANT_ID_SOURCE                                                       \
	"the Directory (tenant) ID of the organisation in Microsoft Entra"

const struct config_option config_options[] = {
    {.key = "deploymentUrl",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_REQUIRED | CONFIG_ORIGINAL | CONFIG_PUBLIC,
	FIELD(deployment_url),
	.format = &config_format_url,
	.sample = "\"https://addin.example.com/\"",
	.help = "Where this server is reached from outside. Outlook loads the "
		"add-in from here and Microsoft Graph sends its notifications "
		"here. With or without a slash at the end."},
    {.key = "deploymentAddinEndpoint",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_REQUIRED | CONFIG_ORIGINAL | CONFIG_PUBLIC,
	FIELD(base),
	.format = &config_format_endpoint,
	.sample = "\"addin\"",
	.help = "The base path of all add-in routes, with or without slashes "
		"around it; / for none."},
    {.key = "unbluOAuthBackendUrl",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_REQUIRED | CONFIG_ORIGINAL | CONFIG_PUBLIC,
	FIELD(unblu_url),
	.format = &config_format_url,
	.sample = "\"https://unblu.example.com/gateway\"",
	.help = "The URL of the Auth Gateway in front of the Unblu "
		"Collaboration Server."},
    {.key = "clientId",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_REQUIRED | CONFIG_ORIGINAL | CONFIG_PUBLIC,
	FIELD(client_id),
	.format = &config_format_guid,
	.sample = "\"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\"",
	.source = APP_ID_SOURCE,
	.help = "The application (client) id of the app registration. Use one "
		"registration per environment."},
    {.key = "authority",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_ORIGINAL | CONFIG_PUBLIC | CONFIG_NULL_DEFAULT |
	    CONFIG_EMPTY_OK,
	FIELD(authority),
	.format = &config_format_authority,
	.fallback_note = "loginUrl + /common",
	.help = "Where agents sign in: common, or a URL. Always ends as "
		"loginUrl followed by /common, because sign-ins for one "
		"tenant alone are not supported."},
    {.key = "tenantIds",
	.kind = CONFIG_KIND_LIST,
	.flags = CONFIG_NEEDED_BY_SERVER | CONFIG_ORIGINAL | CONFIG_PUBLIC,
	FIELD(tenant_ids),
	.fallback = "[]",
	.format = &config_format_guid,
	.sample = "[\"yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy\"]",
	.source = TENANT_ID_SOURCE,
	.help = "The Entra tenants whose agents may use the add-in."},
    {.key = "syncServerEnabled",
	.kind = CONFIG_KIND_BOOL,
	.flags = CONFIG_ORIGINAL | CONFIG_PUBLIC,
	FIELD(sync_enabled),
	.fallback = "false",
	.sample = "true",
	.help = "Whether calendars are followed. Without it only the static "
		"add-in and the health routes are served."},
    {.key = "syncServerAuthGatewayClientId",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_NEEDED_BY_SERVER | CONFIG_ORIGINAL | CONFIG_EMPTY_OK,
	FIELD(gateway_client_id),
	.fallback = "\"\"",
	.format = &config_format_text,
	.sample = "\"zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz\"",
	.source = "the client id that the Auth Gateway knows this server by",
	.help = "The client id of this server at the Auth Gateway's token "
		"endpoint; the user name with unbluAuthMode basic."},
    {.key = "syncServerSubscriptionExpiration",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_ORIGINAL,
	FIELD(subscription_expiration_ms),
	.fallback = "603900000",
	.least = 1000,
	.most = GRAPH_LIFE_MAX,
	.unit = 1,
	.help = "The life of a calendar subscription in milliseconds. It is "
		"renewed after half of the granted life. Graph allows at most "
		"10,080 minutes."},
    {.key = "syncServerSubscriptionRenewalLimit",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_ORIGINAL | CONFIG_NULL_DEFAULT,
	FIELD(subscription_renewal_limit_ms),
	.fallback_note = "none",
	.least = 1000,
	.most = YEAR,
	.unit = 1,
	.help = "Renew a subscription at the latest this many milliseconds "
		"after it was granted. Without effect when longer than half "
		"of its life."},
    {.key = "syncServerPollingCronInterval",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_ORIGINAL,
	FIELD(cron),
	.fallback = "\"*/1 * * * *\"",
	.format = &config_format_cron,
	.sample = "\"*/1 * * * *\"",
	.help = "When outlook-addin-renew looks for subscriptions to renew: "
		"a UNIX cron expression of five fields."},
    {.key = "logLevel",
	.kind = CONFIG_KIND_CHOICE,
	.flags = CONFIG_ORIGINAL,
	FIELD(log_level),
	.fallback = "\"info\"",
	.choices = log_levels,
	.sample = "\"info\"",
	.help = "The least important records that are logged."},
    {.key = "debugMode",
	.kind = CONFIG_KIND_BOOL,
	.flags = CONFIG_ORIGINAL | CONFIG_PUBLIC,
	FIELD(debug_mode),
	.fallback = "false",
	.help = "Whether the add-in writes more to the browser's console."},
    {.key = "showDebugPane",
	.kind = CONFIG_KIND_BOOL,
	.flags = CONFIG_ORIGINAL | CONFIG_PUBLIC,
	FIELD(show_debug_pane),
	.fallback = "false",
	.help = "Whether the add-in shows its debugging pane."},

    {.key = "addinId",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PUBLIC | CONFIG_NULL_DEFAULT,
	FIELD(addin_id),
	.format = &config_format_guid,
	.fallback_note = "clientId",
	.source = "the Id of the manifest under which the add-in is deployed",
	.help = "The Id of the add-in's manifest. It is part of the name under "
		"which Outlook keeps the link in an event."},
    {.key = "providerName",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PUBLIC | CONFIG_PENDING | CONFIG_EMPTY_OK,
	FIELD(provider_name),
	.fallback = "\"\"",
	.format = &config_format_text,
	.help = "The provider's name in the add-in's manifest."},
    {.key = "supportUrl",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PUBLIC | CONFIG_PENDING | CONFIG_EMPTY_OK,
	FIELD(support_url),
	.fallback = "\"\"",
	.format = &config_format_url,
	.help = "Where agents find help; shown by Outlook."},
    {.key = "graphUrl",
	.kind = CONFIG_KIND_TEXT,
	FIELD(graph_url),
	.fallback = "\"https://graph.microsoft.com\"",
	.format = &config_format_root,
	.help = "The root of Microsoft Graph; another one for national "
		"clouds."},
    {.key = "loginUrl",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PUBLIC,
	FIELD(login_url),
	.fallback = "\"https://login.microsoftonline.com\"",
	.format = &config_format_root,
	.help = "The root of the Microsoft identity platform; another one for "
		"national clouds."},
    {.key = "apiAudience",
	.kind = CONFIG_KIND_LIST,
	FIELD(api_audience),
	.fallback = "[\"{clientId}\", \"api://{clientId}\"]",
	.format = &config_format_word,
	.help = "The audiences that a token sent to this server's api may be "
		"made for."},
    {.key = "apiScopes",
	.kind = CONFIG_KIND_LIST,
	.flags = CONFIG_PUBLIC | CONFIG_PENDING,
	FIELD(api_scopes),
	.fallback = "[\"{clientId}/.default\"]",
	.format = &config_format_word,
	.help = "The scopes that the add-in asks for; one token serves the "
		"gateway and this server's api."},
    {.key = "apiRequiredScope",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_EMPTY_OK,
	FIELD(api_required_scope),
	.fallback = "\"\"",
	.format = &config_format_word,
	.help = "A scope that a token sent to this server's api must carry in "
		"scp; empty: not checked."},
    {.key = "database",
	.kind = CONFIG_KIND_TEXT,
	FIELD(database),
	.fallback = "\"sqlite:/var/lib/outlook-addin/state.db\"",
	.format = &config_format_database,
	.help = "Where the state is kept: sqlite: and the path of a file on a "
		"local disk."},
    {.key = "fastcgiListen",
	.kind = CONFIG_KIND_TEXT,
	FIELD(fastcgi_listen),
	.fallback = "\"unix:/run/outlook-addin/fcgi.sock\"",
	.format = &config_format_socket,
	.help = "The socket between nginx and outlook-addin-fcgi. Its folder "
		"is the run folder, in which the other sockets lie."},
    {.key = "httpListen",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_OR_NUMBER,
	FIELD(http_listen),
	.fallback = "\"8080\"",
	.format = &config_format_listen,
	.help = "Where nginx listens: a port, or address:port."},
    {.key = "metricsListen",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_OR_NUMBER,
	FIELD(metrics_listen),
	.fallback = "\"127.0.0.1:9464\"",
	.format = &config_format_listen,
	.help = "Where nginx serves /metrics, and nothing else: a port, or "
		"address:port."},
    {.key = "officeJsUrl",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PUBLIC | CONFIG_PENDING,
	FIELD(office_js_url),
	.fallback =
	    "\"https://appsforoffice.microsoft.com/lib/1/hosted/office.js\"",
	.format = &config_format_url,
	.help = "Where the add-in's pages load Office.js from."},
    {.key = "frameAncestors",
	.kind = CONFIG_KIND_LIST,
	FIELD(frame_ancestors),
	.fallback = "[\"https://outlook.office.com\", "
		    "\"https://outlook.office365.com\", "
		    "\"https://outlook.cloud.microsoft\", "
		    "\"https://outlook.live.com\", "
		    "\"https://*.office.com\", "
		    "\"https://*.office365.com\", "
		    "\"https://*.cloud.microsoft\"]",
	.format = &config_format_frame,
	.help = "The origins that may show the add-in in a frame; replaces "
		"the default list."},
    {.key = "caFile",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_EMPTY_OK,
	FIELD(ca_file),
	.fallback = "\"\"",
	.format = &config_format_path,
	.help = "A file of PEM certificates to trust instead of the system's "
		"when calling out."},
    {.key = "httpProxy",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_EMPTY_OK,
	FIELD(http_proxy),
	.fallback = "\"\"",
	.format = &config_format_proxy,
	.help = "The proxy for calls to Graph, Entra and Unblu. The "
		"environment's proxy variables are not looked at."},
    {.key = "noProxy",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_EMPTY_OK,
	FIELD(no_proxy),
	.fallback = "\"\"",
	.format = &config_format_no_proxy,
	.help = "Hosts that are called without httpProxy, separated by "
		"commas."},
    {.key = "gatewayRelay",
	.kind = CONFIG_KIND_BOOL,
	.flags = CONFIG_PUBLIC | CONFIG_PENDING,
	FIELD(gateway_relay),
	.fallback = "false",
	.help = "Whether the add-in reaches the gateway through this server, "
		"for gateways that do not answer cross-origin calls."},
    {.key = "clientCertificateFile",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PENDING | CONFIG_EMPTY_OK,
	FIELD(client_certificate_file),
	.fallback = "\"\"",
	.format = &config_format_path,
	.help = "A PEM certificate to sign in to Entra with, instead of "
		"CLIENT_SECRET."},
    {.key = "clientCertificateKeyFile",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PENDING | CONFIG_EMPTY_OK,
	FIELD(client_certificate_key_file),
	.fallback = "\"\"",
	.format = &config_format_path,
	.help = "The private key of clientCertificateFile."},
    {.key = "federatedTokenFile",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PENDING | CONFIG_EMPTY_OK,
	FIELD(federated_token_file),
	.fallback = "\"\"",
	.format = &config_format_path,
	.help = "A token of the cluster to sign in to Entra with (workload "
		"identity), instead of CLIENT_SECRET."},
    {.key = "notificationDebounceMs",
	.kind = CONFIG_KIND_NUMBER,
	FIELD(debounce_ms),
	.fallback = "2000",
	.least = 0,
	.most = 600000,
	.unit = 1,
	.help = "How long changes of one event are gathered, in "
		"milliseconds from the first."},
    {.key = "deletionGraceSeconds",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_FRACTION,
	FIELD(deletion_grace_ms),
	.fallback = "60",
	.least = 0,
	.most = 604800,
	.unit = SECOND,
	.help = "How long an event must be gone before its conversation is "
		"deleted."},
    {.key = "maxDeletionsPerMailbox",
	.kind = CONFIG_KIND_NUMBER,
	FIELD(max_deletions_per_mailbox),
	.fallback = "5",
	.least = 0,
	.most = 1000000,
	.unit = 1,
	.help = "Conversations deleted per hour for one mailbox; further ones "
		"are held."},
    {.key = "maxDeletionsPerTenant",
	.kind = CONFIG_KIND_NUMBER,
	FIELD(max_deletions_per_tenant),
	.fallback = "50",
	.least = 0,
	.most = 1000000,
	.unit = 1,
	.help = "Conversations deleted per hour for one tenant; further ones "
		"are held."},
    {.key = "orphanGraceHours",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_FRACTION | CONFIG_PENDING,
	FIELD(orphan_grace_ms),
	.fallback = "24",
	.least = 0,
	.most = 8760,
	.unit = HOUR,
	.help = "How long a conversation may be without its event before it "
		"is suspected to belong to an event that was never saved."},
    {.key = "catchUpHours",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_FRACTION | CONFIG_PENDING,
	FIELD(catch_up_ms),
	.fallback = "6",
	.least = 0.001,
	.most = 8760,
	.unit = HOUR,
	.help = "How often the events of a mailbox are read again without "
		"having been asked to."},
    {.key = "catchUpPastDays",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_FRACTION | CONFIG_PENDING,
	FIELD(catch_up_past_ms),
	.fallback = "7",
	.least = 0,
	.most = 3660,
	.unit = DAY,
	.help = "How long after its end an event is still read again."},
    {.key = "linkRetentionDays",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_FRACTION | CONFIG_PENDING,
	FIELD(link_retention_ms),
	.fallback = "30",
	.least = 0,
	.most = 3660,
	.unit = DAY,
	.help = "A mailbox without an unfinished link for this long is no "
		"longer followed."},
    {.key = "auditRetentionDays",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_FRACTION | CONFIG_PENDING,
	FIELD(audit_retention_ms),
	.fallback = "365",
	.least = 0,
	.most = 36600,
	.unit = DAY,
	.help = "How long audit records are kept."},
    {.key = "defaultTimeZone",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PENDING,
	FIELD(default_time_zone),
	.fallback = "\"UTC\"",
	.format = &config_format_zone,
	.help = "The IANA time zone in which an all-day event begins when "
		"the agent's own is not known."},
    {.key = "fallbackTopic",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PUBLIC,
	FIELD(fallback_topic),
	.fallback = "\"Meeting\"",
	.format = &config_format_text,
	.help = "The conversation's topic when the event's subject is blank."},
    {.key = "syncServerDryRun",
	.kind = CONFIG_KIND_BOOL,
	FIELD(dry_run),
	.fallback = "false",
	.help = "Whether everything is done but the writes to Unblu."},
    {.key = "invitationTexts",
	.kind = CONFIG_KIND_TEXTS,
	.flags = CONFIG_PUBLIC | CONFIG_PENDING,
	FIELD(invitation_texts),
	.fallback = "{}",
	.format = &config_format_text,
	.help = "The text above the link in the invitation, per language, "
		"such as {\"en\": \"Join online:\"}."},

    {.key = "unbluApiPath",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PUBLIC,
	FIELD(unblu_api_path),
	.fallback = "\"/app/rest/v4\"",
	.format = &config_format_api_path,
	.help = "The path of Unblu's web API below unbluOAuthBackendUrl; not "
		"appended when that URL already contains /rest/v."},
    {.key = "unbluAuthMode",
	.kind = CONFIG_KIND_CHOICE,
	FIELD(unblu_auth),
	.fallback = "\"oauth2-client-credentials\"",
	.choices = unblu_auth_modes,
	.help = "How this server signs in at the gateway. static-bearer sends "
		"SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET as the token."},
    {.key = "unbluTokenUrl",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_EMPTY_OK,
	FIELD(unblu_token_url),
	.fallback = "\"\"",
	.format = &config_format_url,
	.fallback_note = "discovery below unbluOAuthBackendUrl, else its "
			 "/oauth2/token",
	.help = "The gateway's OAuth 2.0 token endpoint."},
    {.key = "unbluTokenScope",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_EMPTY_OK,
	FIELD(unblu_token_scope),
	.fallback = "\"\"",
	.format = &config_format_text,
	.help = "Sent as scope to the token endpoint when not empty."},
    {.key = "unbluTokenAudience",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_EMPTY_OK,
	FIELD(unblu_token_audience),
	.fallback = "\"\"",
	.format = &config_format_text,
	.help = "Sent as audience to the token endpoint when not empty."},
    {.key = "unbluTokenResource",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_EMPTY_OK,
	FIELD(unblu_token_resource),
	.fallback = "\"\"",
	.format = &config_format_text,
	.help = "Sent as resource to the token endpoint when not empty."},
    {.key = "unbluTokenClientAuth",
	.kind = CONFIG_KIND_CHOICE,
	FIELD(unblu_token_post),
	.fallback = "\"client_secret_basic\"",
	.choices = token_client_auths,
	.help = "How client id and secret are sent to the token endpoint."},
    {.key = "unbluActAs",
	.kind = CONFIG_KIND_CHOICE,
	.flags = CONFIG_PENDING,
	FIELD(unblu_act_as_header),
	.fallback = "\"none\"",
	.choices = act_as_modes,
	.help = "Whether calls to Unblu name the agent in a header."},
    {.key = "unbluActAsHeader",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PENDING,
	FIELD(unblu_act_as_name),
	.fallback = "\"x-unblu-trusted-user-id\"",
	.format = &config_format_header,
	.help = "The header that names the agent, with unbluActAs header."},
    {.key = "unbluActAsRoleHeader",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PENDING | CONFIG_EMPTY_OK,
	FIELD(unblu_act_as_role_name),
	.fallback = "\"\"",
	.format = &config_format_header,
	.help = "The header that names the agent's role, with unbluActAs "
		"header."},
    {.key = "unbluAgentKey",
	.kind = CONFIG_KIND_CHOICE,
	.flags = CONFIG_PENDING | CONFIG_AS_TEXT,
	FIELD(unblu_agent_key),
	.fallback = "\"username\"",
	.choices = agent_keys,
	.help = "Which value names the agent to Unblu."},
    {.key = "unbluTimeoutMs",
	.kind = CONFIG_KIND_NUMBER,
	FIELD(unblu_timeout_ms),
	.fallback = "15000",
	.least = 100,
	.most = 300000,
	.unit = 1,
	.help = "How long one call to Unblu may take, in milliseconds."},
    {.key = "topicMaxChars",
	.kind = CONFIG_KIND_NUMBER,
	.flags = CONFIG_PUBLIC,
	FIELD(topic_max_chars),
	.fallback = "250",
	.least = 1,
	.most = 1000,
	.unit = 1,
	.help = "Unblu's limit for a topic, in characters; longer subjects "
		"are cut."},
    {.key = "conversationTemplateId",
	.kind = CONFIG_KIND_TEXT,
	.flags = CONFIG_PUBLIC | CONFIG_PENDING | CONFIG_EMPTY_OK,
	FIELD(conversation_template_id),
	.fallback = "\"\"",
	.format = &config_format_word,
	.help = "The Unblu conversation template for new conversations; "
		"empty: the default one."},
    {.key = "onEventDeleted",
	.kind = CONFIG_KIND_CHOICE,
	.flags = CONFIG_PENDING | CONFIG_AS_TEXT,
	FIELD(on_event_deleted),
	.fallback = "\"delete-if-untouched\"",
	.choices = deletions,
	.help = "What becomes of the conversation when its event is deleted."},
    {.key = "allowInsecureLinks",
	.kind = CONFIG_KIND_BOOL,
	.flags = CONFIG_PUBLIC | CONFIG_PENDING,
	FIELD(allow_insecure_links),
	.fallback = "false",
	.help = "Whether the add-in accepts a conversation link that does not "
		"begin with https://."},
};

const size_t config_option_count =
    sizeof(config_options) / sizeof(config_options[0]);

const struct config_option *
config_option_find(const char *key)
{
	for (size_t i = 0; i < config_option_count; i++) {
		if (strcmp(config_options[i].key, key) == 0)
			return &config_options[i];
	}
	return NULL;
}

static void
copy_lower(char *out, size_t cap, const char *text)
{
	size_t i;

	for (i = 0; i + 1 < cap && text[i] != '\0'; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	out[i] = '\0';
}

const struct config_option *
config_option_near(const char *key)
{
	enum { EDITS = 2 };
	const struct config_option *best = NULL;
	char mine[64], known[64];
	int least = EDITS + 1;

	copy_lower(mine, sizeof(mine), key);
	for (size_t i = 0; i < config_option_count; i++) {
		int edits;

		copy_lower(known, sizeof(known), config_options[i].key);
		edits = text_distance(mine, known, EDITS + 1);
		if (edits < least) {
			least = edits;
			best = &config_options[i];
		}
	}
	return best;
}
