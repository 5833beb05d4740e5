/* rule/bearer.h - whose Entra access token is this? Pure: no I/O, no clock. */
#ifndef RULE_BEARER_H
#define RULE_BEARER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	BEARER_TOKEN_MAX = 16 * 1024,
	/* Of the encoded header, which is read before the signature is known
	 * to hold. Entra's has under 300. */
	BEARER_HEADER_MAX = 1024,
	BEARER_KID_MAX = 64,
	BEARER_SKEW_MS = 300 * 1000
};

/* Entra's signing keys. */
struct bearer_keys;

/*
 * From the text that store_keys_load() gives: a JSON array of
 * {"kid","n","e","issuer"}. Entries that are no usable RSA key are left out
 * and counted in *skipped (may be NULL). NULL with ERR_INPUT when the text is
 * no array at all.
 */
struct bearer_keys *
bearer_keys_new(const char *json, size_t *skipped, struct err *e);
void bearer_keys_free(struct bearer_keys *keys); /* NULL is allowed */
size_t bearer_keys_count(const struct bearer_keys *keys);

/* What a token must say; everything borrowed, GUIDs in lower case. */
struct bearer_settings {
	const char *login_url; /* v2 issuer: {login_url}/{tid}/v2.0 */
	const char *client_id; /* azp or appid */
	const char *const *audiences;
	size_t audience_count;
	const char *const *tenants;
	size_t tenant_count;
	const char *required_scope; /* "": scp is not looked at */
};

/* Identity is (tenant, user); upn and email are for display and act-as only. */
struct bearer_identity {
	char tenant[37]; /* tid, lower case */
	char user[37]; /* oid, lower case */
	char upn[256]; /* "" when the token has none */
	char email[256]; /* likewise */
};

enum bearer_verdict {
	BEARER_VALID,
	BEARER_MALFORMED, /* 401: not a token of the one allowed form */
	BEARER_UNKNOWN_KEY, /* 503: not judged, the keys may be out of date */
	BEARER_REFUSED /* 401: judged */
};

/*
 * Judges a compact JWS of len bytes at now_ms (Unix milliseconds): size, three
 * parts of canonical base64url, header (alg RS256 and nothing that changes
 * the rules), key by kid, signature, and only then the claims exp, nbf, tid,
 * iss (v1 or v2 by ver), aud, azp/appid, idtyp, scp, oid. Fills *out only
 * when valid; *why (never NULL) is a static text for the log otherwise.
 * Source: RFC 7515, 7519; Microsoft identity platform access tokens.
 */
enum bearer_verdict bearer_judge(const struct bearer_keys *keys,
    const struct bearer_settings *settings, const char *token, size_t len,
    int64_t now_ms, struct bearer_identity *out, const char **why);

#endif
