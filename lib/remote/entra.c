/* remote/entra.c - see entra.h. */
#include "remote/entra.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/url.h"
#include "remote/reply.h"

enum {
	ENTRA_LIFE_S = 3599, /* when the answer does not say */
	ENTRA_MARGIN_S = 300,
	/* Of a client assertion, around now. */
	ENTRA_BEFORE_S = 30,
	ENTRA_AFTER_S = 570
};

static void
entra_token_url(const struct config *c, const char *tenant, struct buf *out)
{
	buf_printf(out, "%s/%s/oauth2/v2.0/token", c->login_url, tenant);
}

void
entra_token_request(const struct config *c, const char *tenant,
    enum entra_proof proof, const struct secret *text, struct http_request *req)
{
	http_request_init(req, "POST", "get-token");
	entra_token_url(c, tenant, &req->url);
	req->content_type = "application/x-www-form-urlencoded";
	http_request_header(req, "Accept", "application/json");
	reply_request_id(req);
	buf_puts(&req->body, "client_id=");
	url_form_encode(&req->body, c->client_id);
	buf_puts(&req->body, "&scope=");
	url_form_encode(&req->body, c->graph_url);
	url_form_encode(&req->body, "/.default");
	if (proof == ENTRA_ASSERTION)
		buf_puts(&req->body,
		    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
		    "client-assertion-type%3Ajwt-bearer&client_assertion=");
	else
		buf_puts(&req->body, "&client_secret=");
	url_form_encode(&req->body, secret_reveal(text));
	buf_puts(&req->body, "&grant_type=client_credentials");
}

/* Neither the URL nor the ids need escaping: the configuration is checked. */
struct secret *
entra_assertion(const struct config *c, const char *tenant,
    const struct jws_signer *signer, int64_t now_ms, const char *jti,
    struct err *e)
{
	struct secret *out;
	struct buf claims;
	int64_t now_s = now_ms / 1000;

	buf_init(&claims, HTTP_URL_MAX);
	buf_puts(&claims, "{\"aud\":\"");
	entra_token_url(c, tenant, &claims);
	buf_printf(&claims,
	    "\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"%s\","
	    "\"nbf\":%" PRId64 ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}",
	    c->client_id, c->client_id, jti, now_s - ENTRA_BEFORE_S,
	    now_s - ENTRA_BEFORE_S, now_s + ENTRA_AFTER_S);
	out = jws_signer_sign(signer, buf_text(&claims), e);
	buf_clear(&claims);
	return out;
}

static int
entra_judge(const struct http_reply *reply, struct err *e)
{
	json_t *doc;

	if (reply_transport(reply, e) != 0)
		return -1;
	if (reply->status == 200)
		return 0;
	if (reply_overload(reply, "", e) != 0)
		return -1;
	doc = reply_json(reply, e);
	if (doc != NULL)
		entra_refusal(doc, reply, e);
	json_decref(doc);
	return -1;
}

int
entra_token_reply(
    const struct http_reply *reply, struct token_grant *out, struct err *e)
{
	if (entra_judge(reply, e) != 0 ||
	    reply_token(reply, ENTRA_LIFE_S, ENTRA_MARGIN_S, out, e) != 0)
		return err_wrap(e, "Entra token");
	return 0;
}

static void
entra_get(const struct config *c, const char *op, const char *path,
    struct http_request *req)
{
	http_request_init(req, "GET", op);
	buf_printf(&req->url, "%s/common%s", c->login_url, path);
	http_request_header(req, "Accept", "application/json");
	reply_request_id(req);
}

void
entra_discovery_request(
    const struct config *c, bool v1, struct http_request *req)
{
	entra_get(c, "get-openid-configuration",
	    v1 ? "/.well-known/openid-configuration"
	       : "/v2.0/.well-known/openid-configuration",
	    req);
}

int
entra_discovery_reply(
    const struct http_reply *reply, char *issuer, size_t cap, struct err *e)
{
	json_t *doc = NULL;
	const char *text;
	int rc = -1;

	if (entra_judge(reply, e) != 0)
		goto out;
	doc = reply_json(reply, e);
	if (doc == NULL)
		goto out;
	text = json_str(doc, "issuer");
	if (text == NULL || strlen(text) >= cap) {
		err_set(e, ERR_RETRY, "answer without issuer");
		goto out;
	}
	snprintf(issuer, cap, "%s", text);
	rc = 0;
out:
	if (rc != 0)
		err_wrap(e, "OpenID configuration");
	json_decref(doc);
	return rc;
}

void
entra_keys_request(const struct config *c, bool v1, struct http_request *req)
{
	entra_get(c, "get-keys",
	    v1 ? "/discovery/keys" : "/discovery/v2.0/keys", req);
}

static void
entra_add_key(const json_t *key, const char *issuer, json_t *keys)
{
	const char *type = json_str(key, "kty");
	const char *use = json_str(key, "use");
	const char *kid = json_str(key, "kid");
	const char *own = json_str(key, "issuer");
	json_t *out;

	if (type == NULL || strcmp(type, "RSA") != 0 || kid == NULL ||
	    json_str(key, "n") == NULL || json_str(key, "e") == NULL ||
	    (use != NULL && strcmp(use, "sig") != 0))
		return;
	out = json_object();
	json_object_set_new(out, "kid", json_string(kid));
	json_object_set_new(out, "n", json_string(json_str(key, "n")));
	json_object_set_new(out, "e", json_string(json_str(key, "e")));
	json_object_set_new(
	    out, "issuer", json_string(own != NULL ? own : issuer));
	json_array_append_new(keys, out);
}

int
entra_keys_reply(const struct http_reply *reply, const char *issuer,
    json_t *keys, struct err *e)
{
	json_t *doc = NULL;
	const json_t *list;
	size_t before = json_array_size(keys);
	int rc = -1;

	if (entra_judge(reply, e) != 0)
		goto out;
	doc = reply_json(reply, e);
	if (doc == NULL)
		goto out;
	list = json_arr(doc, "keys");
	for (size_t i = 0; i < json_array_size(list); i++)
		entra_add_key(json_array_get(list, i), issuer, keys);
	if (json_array_size(keys) == before)
		err_set(e, ERR_RETRY, "no RSA signing key in the answer");
	else
		rc = 0;
out:
	if (rc != 0)
		err_wrap(e, "signing keys");
	json_decref(doc);
	return rc;
}
