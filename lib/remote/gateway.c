/* remote/gateway.c - see gateway.h. */
#include "remote/gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/url.h"
#include "remote/reply.h"

enum {
	GATEWAY_LIFE_S = 300,
	GATEWAY_MARGIN_S = 60,
	GATEWAY_ID_MAX = 4096,
	GATEWAY_ENCODED_MAX = 3 * (16 << 10) /* of the longest secret */
};

void
gateway_discovery_request(const struct config *c, struct http_request *req)
{
	http_request_init(req, "GET", "gateway-discovery");
	buf_printf(
	    &req->url, "%s/.well-known/openid-configuration", c->unblu_url);
	http_request_header(req, "Accept", "application/json");
	reply_request_id(req);
}

/* The gateway's word is good for https anywhere; for http only on its own
 * host, which the configuration allows for loopback alone. */
static bool
gateway_may_ask(const struct config *c, const char *text)
{
	struct url own = {.scheme = NULL};
	struct url other = {.scheme = NULL};
	bool ok = false;

	if (url_parse(c->unblu_url, &own, NULL) == 0 &&
	    url_parse(text, &other, NULL) == 0)
		ok = strcmp(other.scheme, "https") == 0 ||
		    (strcmp(other.scheme, own.scheme) == 0 &&
			strcmp(other.host, own.host) == 0);
	url_clear(&own);
	url_clear(&other);
	return ok;
}

int
gateway_discovery_reply(const struct config *c, const struct http_reply *reply,
    char *out, size_t cap, struct err *e)
{
	json_t *doc;
	const char *url;

	if (reply_transport(reply, e) != 0 || reply_overload(reply, "", e) != 0)
		return err_wrap(e, "gateway discovery");
	snprintf(out, cap, "%s/oauth2/token", c->unblu_url);
	if (reply->status != 200)
		return 0;
	doc = reply_json(reply, NULL);
	url = json_str(doc, "token_endpoint");
	if (url != NULL && strlen(url) < cap && gateway_may_ask(c, url))
		snprintf(out, cap, "%s", url);
	json_decref(doc);
	return 0;
}

static void
gateway_base64(const char *text, size_t len, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *)text;

	for (; len > 0; in += 3) {
		unsigned b = (unsigned)in[0] << 16;

		if (len > 1)
			b |= (unsigned)in[1] << 8;
		if (len > 2)
			b |= in[2];
		*out++ = digits[b >> 18];
		*out++ = digits[b >> 12 & 63];
		*out++ = len > 1 ? digits[b >> 6 & 63] : '=';
		*out++ = len > 2 ? digits[b & 63] : '=';
		len -= len > 3 ? 3 : len;
	}
	*out = '\0';
}

char *
gateway_basic(const char *id, const char *secret)
{
	size_t len = strlen(id) + 1 + strlen(secret);
	char *pair = mem_zalloc(len + 1);
	char *out = mem_zalloc(6 + 4 * ((len + 2) / 3) + 1);

	snprintf(pair, len + 1, "%s:%s", id, secret);
	memcpy(out, "Basic ", 6);
	gateway_base64(pair, len, out + 6);
	secret_wipe(pair, len);
	free(pair);
	return out;
}

/* RFC 6749 2.3.1: both are form-encoded before base64. */
static void
gateway_add_basic(const struct config *c, const struct secret *secret,
    struct http_request *req)
{
	struct buf id;
	struct buf encoded;
	char *value;

	buf_init(&id, GATEWAY_ID_MAX);
	buf_init(&encoded, GATEWAY_ENCODED_MAX);
	url_form_encode(&id, c->gateway_client_id);
	url_form_encode(&encoded, secret_reveal(secret));
	value = gateway_basic(buf_text(&id), buf_text(&encoded));
	http_request_header(req, "Authorization", "%s", value);
	secret_wipe(value, strlen(value));
	free(value);
	if (encoded.data != NULL)
		secret_wipe(encoded.data, encoded.cap);
	buf_clear(&encoded);
	buf_clear(&id);
}

static void
gateway_add_field(struct http_request *req, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	buf_printf(&req->body, "&%s=", name);
	url_form_encode(&req->body, value);
}

void
gateway_token_request(const struct config *c, const char *url,
    const struct secret *secret, struct http_request *req)
{
	http_request_init(req, "POST", "gateway-token");
	buf_puts(&req->url, url);
	req->content_type = "application/x-www-form-urlencoded";
	http_request_header(req, "Accept", "application/json");
	reply_request_id(req);
	buf_puts(&req->body, "grant_type=client_credentials");
	gateway_add_field(req, "scope", c->unblu_token_scope);
	gateway_add_field(req, "audience", c->unblu_token_audience);
	gateway_add_field(req, "resource", c->unblu_token_resource);
	if (c->unblu_token_post) {
		gateway_add_field(req, "client_id", c->gateway_client_id);
		gateway_add_field(req, "client_secret", secret_reveal(secret));
	} else {
		gateway_add_basic(c, secret, req);
	}
}

/*
 * A redirect or a page of HTML is no verdict on our secret, but wants a login
 * where a client has none. The peer's words come last and in square brackets:
 * /ready, which is for everybody, leaves those away.
 */
static int
gateway_refusal(
    const struct http_reply *reply, const char *error, struct err *e)
{
	if (error != NULL || reply->status == 401)
		return err_set(e, ERR_AUTH,
		    "the gateway refuses our client id or secret, status %d "
		    "[%.60s]",
		    reply->status, error != NULL ? error : "");
	if (reply->status >= 300 && reply->status < 400)
		return err_set(e, ERR_RETRY,
		    "status %d: the token endpoint wants a login, see "
		    "unbluTokenUrl",
		    reply->status);
	return err_set(e, ERR_RETRY,
	    "status %d instead of a token, see unbluTokenUrl [%s]",
	    reply->status,
	    reply->content_type[0] != '\0' ? reply->content_type : "no type");
}

static int
gateway_judge(const struct http_reply *reply, struct err *e)
{
	json_t *doc;

	if (reply_transport(reply, e) != 0 || reply_overload(reply, "", e) != 0)
		return -1;
	if (reply->status == 200 && reply_is_json(reply))
		return 0;
	doc = reply_json(reply, NULL);
	gateway_refusal(reply, json_str(doc, "error"), e);
	json_decref(doc);
	return -1;
}

int
gateway_token_reply(
    const struct http_reply *reply, struct token_grant *out, struct err *e)
{
	if (gateway_judge(reply, e) != 0 ||
	    reply_token(reply, GATEWAY_LIFE_S, GATEWAY_MARGIN_S, out, e) != 0)
		return err_wrap(e, "gateway token");
	return 0;
}
