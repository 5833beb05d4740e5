/* port/config_table.c - every key of addin.json: the one place that knows. */
#include "port/config_option.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "port/config_format.h"

/* ms in these. */
#define SECOND 1000.0
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define YEAR (366 * DAY)

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

enum {
	REQUIRED = CONFIG_REQUIRED,
	NEEDED_BY_SERVER = CONFIG_NEEDED_BY_SERVER,
	ORIGINAL = CONFIG_ORIGINAL,
	PUBLIC = CONFIG_PUBLIC,
	FRACTION = CONFIG_FRACTION,
	AS_TEXT = CONFIG_AS_TEXT,
	OR_NUMBER = CONFIG_OR_NUMBER,
	EMPTY_OK = CONFIG_EMPTY_OK,
	NULL_DEFAULT = CONFIG_NULL_DEFAULT,
	NOT_EMPTY = CONFIG_NOT_EMPTY
};

/* The columns: key, field, what kind needs, flags, default, help; then what
 * few have: .fallback_note, .sample, .source. */
#define ENTRY(k, name, f, fl, def, ...)                                        \
	{                                                                      \
		.key = name, .kind = CONFIG_KIND_##k, .flags = fl,             \
		.offset = offsetof(struct config, f),                          \
		.size = sizeof(((struct config *)0)->f), .fallback = def,      \
		.help = __VA_ARGS__                                            \
	}
#define TEXT(name, f, fmt, fl, def, ...)                                       \
	ENTRY(TEXT, name, f, fl, def, __VA_ARGS__,                             \
	    .format = &config_format_##fmt)
#define LIST(name, f, fmt, fl, def, ...)                                       \
	ENTRY(LIST, name, f, fl, def, __VA_ARGS__,                             \
	    .format = &config_format_##fmt)
#define TEXTS(name, f, fmt, fl, def, ...)                                      \
	ENTRY(TEXTS, name, f, fl, def, __VA_ARGS__,                            \
	    .format = &config_format_##fmt)
#define CHOICE(name, f, list, fl, def, ...)                                    \
	ENTRY(CHOICE, name, f, fl, def, __VA_ARGS__, .choices = list)
#define SWITCH(name, f, fl, def, ...) ENTRY(BOOL, name, f, fl, def, __VA_ARGS__)
#define NUMBER(name, f, fl, def, low, high, per, ...)                          \
	ENTRY(NUMBER, name, f, fl, def, __VA_ARGS__, .least = low,             \
	    .most = high, .unit = per)

const struct config_option config_options[] = {
    TEXT("deploymentUrl", deployment_url, url, REQUIRED | ORIGINAL | PUBLIC,
	NULL,
	"Where this server is reached from outside. Outlook loads the "
	"add-in from here and Microsoft Graph sends its notifications "
	"here. With or without a slash at the end.",
	.sample = "\"https://addin.example.com/\""),
    TEXT("deploymentAddinEndpoint", base, endpoint,
	REQUIRED | ORIGINAL | PUBLIC, NULL,
	"The base path of all add-in routes, with or without slashes "
	"around it; / for none.",
	.sample = "\"addin\""),
    TEXT("unbluOAuthBackendUrl", unblu_url, url, REQUIRED | ORIGINAL | PUBLIC,
	NULL,
	"The URL of the Auth Gateway in front of the Unblu "
	"Collaboration Server.",
	.sample = "\"https://unblu.example.com/gateway\""),
    TEXT("clientId", client_id, guid, REQUIRED | ORIGINAL | PUBLIC, NULL,
	"The application (client) id of the app registration. Use one "
	"registration per environment.",
	.sample = "\"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\"",
	.source = APP_ID_SOURCE),
    TEXT("authority", authority, authority,
	ORIGINAL | PUBLIC | NULL_DEFAULT | EMPTY_OK, NULL,
	"Where agents sign in: common, or a URL. Always ends as "
	"loginUrl followed by /common, because sign-ins for one "
	"tenant alone are not supported.",
	.fallback_note = "loginUrl + /common"),
    LIST("tenantIds", tenant_ids, guid, NEEDED_BY_SERVER | ORIGINAL | PUBLIC,
	"[]", "The Entra tenants whose agents may use the add-in.",
	.sample = "[\"yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy\"]",
	.source = TENANT_ID_SOURCE),
    SWITCH("syncServerEnabled", sync_enabled, ORIGINAL | PUBLIC, "false",
	"Whether calendars are followed. Without it only the static "
	"add-in and the health routes are served.",
	.sample = "true"),
    TEXT("syncServerAuthGatewayClientId", gateway_client_id, text,
	NEEDED_BY_SERVER | ORIGINAL | EMPTY_OK, "\"\"",
	"The client id of this server at the Auth Gateway's token "
	"endpoint; the user name with unbluAuthMode basic.",
	.sample = "\"zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz\"",
	.source = "the client id that the Auth Gateway knows this server by"),
    NUMBER("syncServerSubscriptionExpiration", subscription_expiration_ms,
	ORIGINAL, "603900000", 1000, YEAR, 1,
	"The life of a calendar subscription in milliseconds. It is "
	"renewed after half of the granted life. Graph allows at most "
	"10,080 minutes; more than that is not asked for."),
    NUMBER("syncServerSubscriptionRenewalLimit", subscription_renewal_limit_ms,
	ORIGINAL | NULL_DEFAULT, NULL, 1000, YEAR, 1,
	"Renew a subscription at the latest this many milliseconds "
	"after it was granted. Without effect when longer than half "
	"of its life.",
	.fallback_note = "none"),
    TEXT("syncServerPollingCronInterval", cron, cron, ORIGINAL,
	"\"*/1 * * * *\"",
	"When outlook-addin-renew looks for subscriptions to renew: "
	"a UNIX cron expression of five fields.",
	.sample = "\"*/1 * * * *\""),
    CHOICE("logLevel", log_level, log_levels, ORIGINAL, "\"info\"",
	"The least important records that are logged.", .sample = "\"info\""),
    SWITCH("debugMode", debug_mode, ORIGINAL | PUBLIC, "false",
	"Whether the add-in writes more to the browser's console."),
    SWITCH("showDebugPane", show_debug_pane, ORIGINAL | PUBLIC, "false",
	"Whether the add-in shows its debugging pane."),
    TEXT("addinId", addin_id, guid, PUBLIC | NULL_DEFAULT, NULL,
	"The Id of the add-in's manifest. It is part of the name under "
	"which Outlook keeps the link in an event.",
	.fallback_note = "clientId",
	.source = "the Id of the manifest under which the add-in is deployed"),
    TEXT("providerName", provider_name, text, PUBLIC | EMPTY_OK, "\"\"",
	"The provider's name in the add-in's manifest, of at most 125 "
	"characters (32 with manifestUnified); empty: the host of "
	"deploymentUrl."),
    TEXT("supportUrl", support_url, url, PUBLIC | EMPTY_OK, "\"\"",
	"Where agents find help; shown by Outlook. Empty: the add-in's first "
	"page."),
    NUMBER("manifestRevision", manifest_revision, 0, "0", 0, 9999, 1,
	"The last number of the manifest's Version, or the least one. Raise "
	"it when the manifest has changed and is rendered into a folder that "
	"does not have the one before."),
    SWITCH("manifestMobile", manifest_mobile, 0, "false",
	"Whether the manifest offers the button in Outlook for iOS and "
	"Android, where it takes the place of the Teams switch."),
    SWITCH("manifestSendCheck", manifest_send_check, 0, "false",
	"Whether Outlook asks before an invitation is sent from whose text "
	"the conversation's link was removed. Each change of such a manifest "
	"needs the administrator's consent again."),
    SWITCH("manifestUnified", manifest_unified, 0, "false",
	"Whether the unified manifest (JSON) is rendered too. Outlook on Mac "
	"and on telephones does not take it."),
    TEXT("graphUrl", graph_url, root, 0, "\"https://graph.microsoft.com\"",
	"The root of Microsoft Graph; another one for national "
	"clouds."),
    TEXT("loginUrl", login_url, root, PUBLIC,
	"\"https://login.microsoftonline.com\"",
	"The root of the Microsoft identity platform; another one for "
	"national clouds."),
    LIST("apiAudience", api_audience, word, NOT_EMPTY,
	"[\"{clientId}\", \"api://{clientId}\"]",
	"The audiences that a token sent to this server's api may be "
	"made for."),
    LIST("apiScopes", api_scopes, word, PUBLIC | NOT_EMPTY,
	"[\"{clientId}/.default\"]",
	"The scopes that the add-in asks for; one token serves the "
	"gateway and this server's api."),
    TEXT("apiRequiredScope", api_required_scope, word, EMPTY_OK, "\"\"",
	"A scope that a token sent to this server's api must carry in "
	"scp; empty: not checked."),
    TEXT("database", database, database, 0,
	"\"sqlite:/var/lib/outlook-addin/state.db\"",
	"Where the state is kept: sqlite: and the path of a file on a "
	"local disk, or postgresql://user@host/name, which several "
	"replicas can share. OUTLOOK_ADDIN_DATABASE in the environment "
	"takes its place; the password comes from the file that "
	"DATABASE_PASSWORD_FILE names, everything else from the URL: libpq's "
	"own variables (PGHOST, PGSSLMODE ...) are ignored."),
    TEXT("fastcgiListen", fastcgi_listen, socket, 0,
	"\"unix:/run/outlook-addin/fcgi.sock\"",
	"The socket between nginx and outlook-addin-fcgi. Its folder "
	"is the run folder, in which the other sockets lie."),
    TEXT("httpListen", http_listen, listen, OR_NUMBER, "\"8080\"",
	"Where nginx listens: a port, or address:port."),
    TEXT("metricsListen", metrics_listen, listen, OR_NUMBER,
	"\"127.0.0.1:9464\"",
	"Where nginx serves /metrics, and nothing else: a port, or "
	"address:port."),
    LIST("trustedProxies", trusted_proxies, network, 0, "[]",
	"Addresses or networks of the proxies in front of nginx, such as "
	"10.0.0.0/8: from them X-Forwarded-For tells the caller's address. "
	"They have to replace what a caller sends in it."),
    TEXT("officeJsUrl", office_js_url, url, PUBLIC,
	"\"https://appsforoffice.microsoft.com/lib/1/hosted/office.js\"",
	"Where the add-in's pages load Office.js from."),
    LIST("frameAncestors", frame_ancestors, frame, 0,
	"[\"https://outlook.office.com\", "
	"\"https://outlook.office365.com\", "
	"\"https://outlook.cloud.microsoft\", "
	"\"https://outlook.live.com\", "
	"\"https://*.office.com\", "
	"\"https://*.office365.com\", "
	"\"https://*.cloud.microsoft\"]",
	"The origins that may show the add-in in a frame; replaces "
	"the default list."),
    TEXT("caFile", ca_file, path, EMPTY_OK, "\"\"",
	"A file of PEM certificates to trust instead of the system's "
	"when calling out."),
    TEXT("httpProxy", http_proxy, proxy, EMPTY_OK, "\"\"",
	"The proxy for calls to Graph, Entra and Unblu. The "
	"environment's proxy variables are not looked at."),
    TEXT("noProxy", no_proxy, no_proxy, EMPTY_OK, "\"\"",
	"Hosts that are called without httpProxy, separated by "
	"commas."),
    SWITCH("gatewayRelay", gateway_relay, PUBLIC, "false",
	"Whether the add-in reaches the gateway through this server, "
	"for gateways that do not answer cross-origin calls."),
    TEXT("clientSecretExpires", client_secret_expires, date, EMPTY_OK, "\"\"",
	"The day on which CLIENT_SECRET expires. From 30 days before, the "
	"logs, status, doctor and /ready warn.",
	.source = "the column Expires of the client secret in the app "
		  "registration in Microsoft Entra"),
    TEXT("clientCertificateFile", client_certificate_file, path, EMPTY_OK,
	"\"\"",
	"A PEM certificate to sign in to Entra with, instead of "
	"CLIENT_SECRET. Read again when it is replaced."),
    TEXT("clientCertificateKeyFile", client_certificate_key_file, path,
	EMPTY_OK, "\"\"",
	"The private key of clientCertificateFile (RSA, PEM, without a "
	"password, mode 0400)."),
    TEXT("federatedTokenFile", federated_token_file, path, EMPTY_OK, "\"\"",
	"A token of the cluster to sign in to Entra with (workload "
	"identity), instead of CLIENT_SECRET. Read again at each sign-in."),
    NUMBER("notificationDebounceMs", debounce_ms, 0, "2000", 0, 600000, 1,
	"How long changes of one event are gathered, in "
	"milliseconds from the first. With PostgreSQL at most 30000, or every "
	"notification waits for the lock of all who write."),
    NUMBER("deletionGraceSeconds", deletion_grace_ms, FRACTION, "60", 0, 604800,
	SECOND,
	"How long an event must be gone before its conversation is "
	"deleted."),
    NUMBER("maxDeletionsPerMailbox", max_deletions_per_mailbox, 0, "5", 0,
	1000000, 1,
	"Conversations deleted per hour for one mailbox; further ones "
	"are held."),
    NUMBER("maxDeletionsPerTenant", max_deletions_per_tenant, 0, "50", 0,
	1000000, 1,
	"Conversations deleted per hour for one tenant; further ones "
	"are held."),
    NUMBER("orphanGraceHours", orphan_grace_ms, FRACTION, "24", 0, 8760, HOUR,
	"How long a conversation may be without its event before it "
	"is suspected to belong to an event that was never saved, and "
	"removed when it is certain that there is none; 0: never."),
    NUMBER("catchUpHours", catch_up_ms, FRACTION, "6", 0.001, 8760, HOUR,
	"How often the events of a mailbox are read again without "
	"having been asked to."),
    NUMBER("catchUpPastDays", catch_up_past_ms, FRACTION, "7", 0, 3660, DAY,
	"How long after its end an event is still read again."),
    NUMBER("linkRetentionDays", link_retention_ms, FRACTION, "30", 0, 3660, DAY,
	"How long what is known of a conversation is kept after its end "
	"or its deletion."),
    NUMBER("auditRetentionDays", audit_retention_ms, FRACTION, "365", 0, 36600,
	DAY, "How long audit records are kept."),
    TEXT("defaultTimeZone", default_time_zone, zone, 0, "\"UTC\"",
	"The IANA time zone in which an all-day event begins when "
	"the agent's own is not known."),
    TEXT("fallbackTopic", fallback_topic, topic, PUBLIC, "\"Meeting\"",
	"The conversation's topic when the event's subject is blank."),
    SWITCH("syncServerDryRun", dry_run, 0, "false",
	"Whether everything is done but the writes to Unblu."),
    TEXTS("invitationTexts", invitation_texts, text, PUBLIC, "{}",
	"The text above the link in the invitation, per language, "
	"such as {\"en\": \"Join online:\"}."),
    TEXT("unbluApiPath", unblu_api_path, api_path, PUBLIC, "\"/app/rest/v4\"",
	"The path of Unblu's web API below unbluOAuthBackendUrl; not "
	"appended when that URL already contains /rest/v."),
    CHOICE("unbluAuthMode", unblu_auth, unblu_auth_modes, 0,
	"\"oauth2-client-credentials\"",
	"How this server signs in at the gateway. static-bearer sends "
	"SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET as the token."),
    TEXT("unbluTokenUrl", unblu_token_url, url, EMPTY_OK, "\"\"",
	"The gateway's OAuth 2.0 token endpoint.",
	.fallback_note = "discovery below unbluOAuthBackendUrl, else its "
			 "/oauth2/token"),
    TEXT("unbluTokenScope", unblu_token_scope, text, EMPTY_OK, "\"\"",
	"Sent as scope to the token endpoint when not empty."),
    TEXT("unbluTokenAudience", unblu_token_audience, text, EMPTY_OK, "\"\"",
	"Sent as audience to the token endpoint when not empty."),
    TEXT("unbluTokenResource", unblu_token_resource, text, EMPTY_OK, "\"\"",
	"Sent as resource to the token endpoint when not empty."),
    CHOICE("unbluTokenClientAuth", unblu_token_post, token_client_auths, 0,
	"\"client_secret_basic\"",
	"How client id and secret are sent to the token endpoint."),
    CHOICE("unbluActAs", unblu_act_as_header, act_as_modes, 0, "\"none\"",
	"Whether calls to Unblu name the agent in a header."),
    TEXT("unbluActAsHeader", unblu_act_as_name, header, 0,
	"\"x-unblu-trusted-user-id\"",
	"The header that names the agent, with unbluActAs header."),
    TEXT("unbluActAsRoleHeader", unblu_act_as_role_name, header, EMPTY_OK,
	"\"\"",
	"The header that names the agent's role, with unbluActAs "
	"header; empty: none is sent."),
    TEXT("unbluActAsRole", unblu_act_as_role, word, 0, "\"REGISTERED_USER\"",
	"The role that is sent in unbluActAsRoleHeader."),
    CHOICE("unbluAgentKey", unblu_agent_key, agent_keys, AS_TEXT,
	"\"username\"",
	"Which value names the agent to Unblu, with unbluActAs header: the "
	"user principal name, the email address or the object id in Entra."),
    TEXT("unbluAgentMapFile", unblu_agent_map_file, path, EMPTY_OK, "\"\"",
	"A JSON object that gives agents other names in Unblu: the object id "
	"or the value of unbluAgentKey to the name. Read again when it is "
	"replaced."),
    NUMBER("unbluTimeoutMs", unblu_timeout_ms, 0, "15000", 100, 300000, 1,
	"How long one call to Unblu may take, in milliseconds."),
    NUMBER("topicMaxChars", topic_max_chars, PUBLIC, "250", 1, 1000, 1,
	"Unblu's limit for a topic, in characters; longer subjects "
	"are cut."),
    TEXT("conversationTemplateId", conversation_template_id, word,
	PUBLIC | EMPTY_OK, "\"\"",
	"The Unblu conversation template for new conversations; "
	"empty: the default one."),
    CHOICE("onEventDeleted", on_event_deleted, deletions, AS_TEXT,
	"\"delete-if-untouched\"",
	"What becomes of the conversation when its event is deleted."),
    SWITCH("allowInsecureLinks", allow_insecure_links, PUBLIC, "false",
	"Whether the add-in accepts a conversation link that does not "
	"begin with https://."),
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
