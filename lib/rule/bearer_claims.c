/* rule/bearer_claims.c - see bearer_claims.h. */
#include "rule/bearer_claims.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

enum { ISSUER_TEXT = 320 };

/* Seconds that neither overflow as milliseconds nor lie before 1970. */
static const int64_t bearer_seconds_max = INT64_C(1) << 42;

static bool
bearer_time(const json_t *claims, const char *name, int64_t *out_ms)
{
	const json_t *value = json_object_get(claims, name);
	double seconds;

	if (!json_is_number(value))
		return false;
	seconds = json_number_value(value);
	if (!(seconds >= 0 && seconds <= (double)bearer_seconds_max))
		return false;
	*out_ms = (int64_t)(seconds * 1000);
	return true;
}

static const char *
bearer_time_fault(const json_t *claims, int64_t now_ms)
{
	int64_t expires_ms, from_ms, issued_ms;

	if (!bearer_time(claims, "exp", &expires_ms))
		return "no usable exp";
	if (!bearer_time(claims, "nbf", &from_ms))
		return "no usable nbf";
	if (now_ms >= expires_ms + BEARER_SKEW_MS)
		return "expired";
	if (now_ms < from_ms - BEARER_SKEW_MS)
		return "not valid yet";
	if (json_object_get(claims, "iat") != NULL &&
	    (!bearer_time(claims, "iat", &issued_ms) ||
		issued_ms > now_ms + BEARER_SKEW_MS))
		return "issued in the future";
	return NULL;
}

static bool
bearer_is_in(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

/* Source: v1 metadata of the clouds, graph.md 2.6. */
static const char *
bearer_v1_root(const char *login_url)
{
	size_t len = strlen(login_url);

	return len > 3 && strcmp(login_url + len - 3, ".cn") == 0
	    ? "https://sts.chinacloudapi.cn"
	    : "https://sts.windows.net";
}

/* The issuer of a key with {tenantid} replaced. */
static bool
bearer_fill_template(
    const char *template, const char *tenant, char *out, size_t cap)
{
	static const char mark[] = "{tenantid}";
	const char *at = strstr(template, mark);
	int n;

	if (at == NULL)
		return text_copy(out, cap, template);
	n = snprintf(out, cap, "%.*s%s%s", (int)(at - template), template,
	    tenant, at + sizeof(mark) - 1);
	return n > 0 && (size_t)n < cap;
}

/*
 * The issuer must be the one that we build from the tenant, and the key must
 * be one that this issuer may use. Entra publishes the same keys for v1 and
 * v2 with the v2 issuer; a v1 token is held against that form.
 */
static const char *
bearer_issuer_fault(const json_t *claims,
    const struct bearer_settings *settings, const char *key_issuer,
    const char *tenant)
{
	const char *ver = json_str(claims, "ver");
	const char *iss = json_str(claims, "iss");
	char v1[ISSUER_TEXT], v2[ISSUER_TEXT], key[ISSUER_TEXT];

	if (iss == NULL || ver == NULL)
		return "no iss or ver";
	if ((size_t)snprintf(v1, sizeof(v1), "%s/%s/",
		bearer_v1_root(settings->login_url), tenant) >= sizeof(v1) ||
	    (size_t)snprintf(v2, sizeof(v2), "%s/%s/v2.0", settings->login_url,
		tenant) >= sizeof(v2) ||
	    !bearer_fill_template(key_issuer, tenant, key, sizeof(key)))
		return "issuer too long";
	if (strcmp(ver, "2.0") == 0) {
		if (strcmp(iss, v2) != 0)
			return "wrong iss";
	} else if (strcmp(ver, "1.0") == 0) {
		if (strcmp(iss, v1) != 0)
			return "wrong iss";
	} else {
		return "unknown ver";
	}
	if (key[0] != '\0' && strcmp(key, v2) != 0 && strcmp(key, iss) != 0)
		return "key of another issuer";
	return NULL;
}

static bool
bearer_audience_fits(
    const json_t *claims, const struct bearer_settings *settings)
{
	const char *aud = json_str(claims, "aud");

	return aud != NULL &&
	    bearer_is_in(settings->audiences, settings->audience_count, aud);
}

static const char *
bearer_client_fault(
    const json_t *claims, const struct bearer_settings *settings)
{
	const char *azp = json_str(claims, "azp");
	const char *appid = json_str(claims, "appid");
	char client[37];

	if (azp == NULL && appid == NULL)
		return "no azp or appid";
	if (azp != NULL &&
	    (!text_guid_lower(client, azp) ||
		strcmp(client, settings->client_id) != 0))
		return "wrong azp";
	if (appid != NULL &&
	    (!text_guid_lower(client, appid) ||
		strcmp(client, settings->client_id) != 0))
		return "wrong appid";
	return NULL;
}

static bool
bearer_has_scope(const char *scopes, const char *wanted)
{
	size_t len = strlen(wanted);

	while (*scopes != '\0') {
		size_t n = strcspn(scopes, " ");

		if (n == len && strncmp(scopes, wanted, len) == 0)
			return true;
		scopes += n;
		scopes += strspn(scopes, " ");
	}
	return false;
}

/* A token that an application got for itself speaks for no user: idtyp says
 * so where it is configured; such a token's sub is its own oid. */
static const char *
bearer_user_fault(const json_t *claims, const struct bearer_settings *settings,
    struct bearer_identity *out)
{
	const char *type = json_str(claims, "idtyp");
	const char *oid = json_str(claims, "oid");
	const char *sub = json_str(claims, "sub");
	const char *scp = json_str(claims, "scp");

	if (json_object_get(claims, "idtyp") != NULL &&
	    (type == NULL || strcmp(type, "user") != 0))
		return "not a user's token";
	if (oid == NULL || !text_guid_lower(out->user, oid))
		return "no oid";
	if (scp == NULL &&
	    ((sub != NULL && strcmp(sub, oid) == 0) ||
		json_object_get(claims, "roles") != NULL))
		return "an application's token";
	if (settings->required_scope[0] != '\0' &&
	    (scp == NULL || !bearer_has_scope(scp, settings->required_scope)))
		return "scope is missing";
	return NULL;
}

static void
bearer_read_names(const json_t *claims, struct bearer_identity *out)
{
	const char *names[] = {"upn", "preferred_username", "email"};
	const char *email = json_str(claims, "email");

	if (email == NULL || !text_copy(out->email, sizeof(out->email), email))
		out->email[0] = '\0';
	out->upn[0] = '\0';
	for (size_t i = 0; i < 3 && out->upn[0] == '\0'; i++) {
		const char *text = json_str(claims, names[i]);

		if (text != NULL)
			text_copy(out->upn, sizeof(out->upn), text);
	}
}

const char *
bearer_claims_fault(const json_t *claims,
    const struct bearer_settings *settings, const char *key_issuer,
    int64_t now_ms, struct bearer_identity *out)
{
	const char *fault = bearer_time_fault(claims, now_ms);
	const char *tid = json_str(claims, "tid");
	struct bearer_identity found;

	if (fault != NULL)
		return fault;
	if (tid == NULL || !text_guid_lower(found.tenant, tid) ||
	    !bearer_is_in(
		settings->tenants, settings->tenant_count, found.tenant))
		return "tenant is not configured";
	fault = bearer_issuer_fault(claims, settings, key_issuer, found.tenant);
	if (fault != NULL)
		return fault;
	if (!bearer_audience_fits(claims, settings))
		return "wrong aud";
	fault = bearer_client_fault(claims, settings);
	if (fault == NULL)
		fault = bearer_user_fault(claims, settings, &found);
	if (fault != NULL)
		return fault;
	bearer_read_names(claims, &found);
	*out = found;
	return NULL;
}
