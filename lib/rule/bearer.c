/* rule/bearer.c - see bearer.h. */
#include "rule/bearer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jws.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/bearer_claims.h"

enum { KEYS_MAX = 256, ISSUER_MAX = 256, SIGNATURE_MAX = 512 };

struct bearer_key {
	char kid[BEARER_KID_MAX + 1];
	char issuer[ISSUER_MAX]; /* "" when the set does not say */
	struct jws_key *key;
};

struct bearer_keys {
	size_t count;
	struct bearer_key key[];
};

/* The three parts of a token, still encoded. */
struct bearer_parts {
	const char *part[3];
	size_t len[3];
};

static bool
bearer_kid_is_sound(const char *kid)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_-";
	size_t len = strlen(kid);

	return len > 0 && len <= BEARER_KID_MAX && strspn(kid, allowed) == len;
}

static bool
bearer_key_read(const json_t *entry, struct bearer_key *out)
{
	const char *kid = json_str(entry, "kid");
	const char *n = json_str(entry, "n");
	const char *e64 = json_str(entry, "e");
	const char *issuer = json_str(entry, "issuer");

	if (kid == NULL || n == NULL || e64 == NULL ||
	    !bearer_kid_is_sound(kid) ||
	    !text_copy(out->kid, sizeof(out->kid), kid) ||
	    !text_copy(
		out->issuer, sizeof(out->issuer), issuer != NULL ? issuer : ""))
		return false;
	out->key = jws_key_new(n, e64, NULL);
	return out->key != NULL;
}

struct bearer_keys *
bearer_keys_new(const char *json, size_t *skipped, struct err *e)
{
	json_t *doc = json_load_strict(json, strlen(json), e);
	struct bearer_keys *keys = NULL;
	size_t size;

	if (doc == NULL)
		goto out;
	size = json_array_size(doc);
	if (!json_is_array(doc) || size > KEYS_MAX) {
		err_set(e, ERR_INPUT, "signing keys: not an array of keys");
		goto out;
	}
	keys = mem_zalloc(sizeof(*keys) + size * sizeof(keys->key[0]));
	for (size_t i = 0; i < size; i++)
		if (bearer_key_read(
			json_array_get(doc, i), &keys->key[keys->count]))
			keys->count++;
	if (skipped != NULL)
		*skipped = size - keys->count;
out:
	json_decref(doc);
	return keys;
}

void
bearer_keys_free(struct bearer_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		jws_key_free(keys->key[i].key);
	free(keys);
}

size_t
bearer_keys_count(const struct bearer_keys *keys)
{
	return keys != NULL ? keys->count : 0;
}

static bool
bearer_split(const char *token, size_t len, struct bearer_parts *out)
{
	const char *end = token + len;

	for (int i = 0; i < 3; i++) {
		const char *dot = memchr(token, '.', (size_t)(end - token));

		if ((dot == NULL) != (i == 2))
			return false;
		out->part[i] = token;
		out->len[i] = (size_t)((dot != NULL ? dot : end) - token);
		if (out->len[i] == 0)
			return false;
		if (dot != NULL)
			token = dot + 1;
	}
	return true;
}

/* One encoded part as a JSON object; NULL when it is none. New reference. */
static json_t *
bearer_part_json(const struct bearer_parts *parts, int i)
{
	char *text = mem_zalloc(parts->len[i] + 1);
	long len = jws_base64url_decode(parts->part[i], parts->len[i],
	    (unsigned char *)text, parts->len[i]);
	json_t *doc =
	    len > 0 ? json_load_strict(text, (size_t)len, NULL) : NULL;

	free(text);
	if (doc != NULL && !json_is_object(doc)) {
		json_decref(doc);
		doc = NULL;
	}
	return doc;
}

/* RFC 7515 4.1: members that would change how the token is to be read. Keys
 * are never taken from the token itself. */
static const char *
bearer_header_fault(const json_t *header)
{
	static const char *const forbidden[] = {
	    "crit", "jku", "jwk", "x5u", "x5c", "zip", "b64", "enc", NULL};
	const char *alg = json_str(header, "alg");
	const char *kid = json_str(header, "kid");

	if (alg == NULL || strcmp(alg, "RS256") != 0)
		return "alg is not RS256";
	for (int i = 0; forbidden[i] != NULL; i++)
		if (json_object_get(header, forbidden[i]) != NULL)
			return "forbidden header member";
	if (kid == NULL || !bearer_kid_is_sound(kid))
		return "no usable kid";
	return NULL;
}

static const struct bearer_key *
bearer_key_find(const struct bearer_keys *keys, const char *kid)
{
	for (size_t i = 0; keys != NULL && i < keys->count; i++)
		if (strcmp(keys->key[i].kid, kid) == 0)
			return &keys->key[i];
	return NULL;
}

static bool
bearer_signature_holds(
    const struct bearer_parts *parts, const struct bearer_key *key)
{
	unsigned char sig[SIGNATURE_MAX];
	long len = jws_base64url_decode(
	    parts->part[2], parts->len[2], sig, sizeof(sig));
	size_t signed_len = parts->len[0] + 1 + parts->len[1];

	return len > 0 &&
	    jws_verify_rs256(
		key->key, parts->part[0], signed_len, sig, (size_t)len);
}

enum bearer_verdict
bearer_judge(const struct bearer_keys *keys,
    const struct bearer_settings *settings, const char *token, size_t len,
    int64_t now_ms, struct bearer_identity *out, const char **why)
{
	enum bearer_verdict verdict = BEARER_MALFORMED;
	const struct bearer_key *key;
	struct bearer_parts parts;
	json_t *header = NULL, *claims = NULL;

	*why = "not a signed token";
	if (len > BEARER_TOKEN_MAX || !bearer_split(token, len, &parts) ||
	    parts.len[0] > BEARER_HEADER_MAX)
		goto out;
	header = bearer_part_json(&parts, 0);
	if (header == NULL)
		goto out;
	*why = bearer_header_fault(header);
	if (*why != NULL)
		goto out;
	key = bearer_key_find(keys, json_str(header, "kid"));
	if (key == NULL) {
		*why = "unknown signing key";
		verdict = BEARER_UNKNOWN_KEY;
		goto out;
	}
	verdict = BEARER_REFUSED;
	*why = "signature does not hold";
	if (!bearer_signature_holds(&parts, key))
		goto out;
	*why = "claims are not a JSON object";
	claims = bearer_part_json(&parts, 1);
	if (claims == NULL)
		goto out;
	*why = bearer_claims_fault(claims, settings, key->issuer, now_ms, out);
	if (*why == NULL)
		verdict = BEARER_VALID;
out:
	json_decref(header);
	json_decref(claims);
	return verdict;
}
