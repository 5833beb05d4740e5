/* ctl/doctor_peers.c - see doctor.h: Unblu behind its gateway, our own webhook
 * as Graph sees it, and the add-in's files as Outlook does. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/rand.h"
#include "base/url.h"
#include "doctor.h"
#include "remote/reply.h"
#include "remote/unblu.h"
#include "sync/call.h"

enum { VERSION_MAX = 64, TOKEN_MAX = 128 };

/* ---- Unblu ---- */

static void
judge_ping(const struct http_reply *reply, void *arg)
{
	struct doctor *d = arg;
	const char *url = d->config->unblu_api_url;
	struct err e = {0};

	if (!doctor_reached(d, "unblu", url, reply))
		return;
	if (unblu_ping_reply(reply, &e) == 0)
		doctor_add(d, "unblu", url, DOCTOR_OK, "answers the ping", "");
	else
		doctor_add(d, "unblu", url, DOCTOR_FAILED, e.text,
		    e.code == ERR_CONFIG
			? "check unbluOAuthBackendUrl and unbluApiPath"
			: "check Unblu and the gateway in front of it");
}

struct asking_version {
	struct doctor *d;
	struct call call;
	char version[VERSION_MAX];
	struct err err;
};

static int
build_version(struct http_request *req, void *arg, struct err *e)
{
	const struct asking_version *a = arg;

	(void)e;
	unblu_version_request(a->d->config, req);
	return 0;
}

static int
parse_version(const struct http_reply *reply, void *arg, struct err *e)
{
	struct asking_version *a = arg;

	return unblu_version_reply(reply, a->version, sizeof(a->version), e);
}

static void
version_answered(const struct err *e, void *arg)
{
	struct asking_version *a = arg;

	a->err = *e;
	doctor_done(a->d);
}

/* With the token that sync uses. */
static void
try_login(struct doctor *d)
{
	struct asking_version a = {.d = d};
	const char *url = d->config->unblu_url;

	a.call.session = d->session;
	a.call.peer = CALL_UNBLU;
	a.call.tenant = a.call.user = "";
	a.call.build = build_version;
	a.call.parse = parse_version;
	a.call.done = version_answered;
	a.call.arg = &a;
	call_start(&a.call);
	doctor_wait(d);
	if (a.err.code == ERR_NONE)
		doctor_addf(d, "gateway", url, DOCTOR_OK, "",
		    "logged in; Unblu %s", a.version);
	else
		doctor_add(d, "gateway", url, DOCTOR_FAILED, a.err.text,
		    "check syncServerAuthGatewayClientId, "
		    "SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET, unbluAuthMode and "
		    "unbluTokenUrl");
}

void
doctor_unblu(struct doctor *d)
{
	struct http_request req;
	int failed = d->failed;

	unblu_ping_request(d->config, &req);
	doctor_ask(d, "unblu", &req, judge_ping, d);
	if (d->failed == failed)
		try_login(d);
}

/* ---- our own webhook ---- */

struct handshake {
	struct doctor *d;
	const char *url;
	char token[TOKEN_MAX];
};

static void
judge_handshake(const struct http_reply *reply, void *arg)
{
	struct handshake *h = arg;
	bool echoed = reply->result == HTTP_DONE && reply->status == 200 &&
	    reply->body_len == strlen(h->token) &&
	    memcmp(reply->body, h->token, reply->body_len) == 0;

	if (!doctor_reached(h->d, "webhook", h->url, reply))
		return;
	if (echoed && strcmp(reply->content_type, "text/plain") == 0)
		doctor_add(h->d, "webhook", h->url, DOCTOR_OK,
		    "passes Graph's handshake", "");
	else if (echoed)
		doctor_addf(h->d, "webhook", h->url, DOCTOR_FAILED,
		    "something between changes the answer's type: let these "
		    "two addresses pass unchanged",
		    "the token came back as %s", reply->content_type);
	else
		doctor_addf(h->d, "webhook", h->url, DOCTOR_FAILED,
		    "deploymentUrl must lead to the rendered nginx without a "
		    "login, a challenge or a redirect on this path",
		    "status %d, and not the token that was sent",
		    reply->status);
}

/* What Graph sends when a subscription is made, to the address that Graph is
 * given. The token has what must be decoded exactly once. */
static void
try_handshake(struct doctor *d, const char *path)
{
	char *url = config_public_url(d->config, path);
	struct handshake h = {.d = d, .url = url};
	struct http_request req;

	memcpy(h.token, "Doctor: 100%25 + ", 17);
	rand_token(h.token + 17);
	http_request_init(&req, "POST", "handshake");
	buf_printf(&req.url, "%s?validationToken=", url);
	url_encode(&req.url, h.token, strlen(h.token));
	req.content_type = "text/plain; charset=utf-8";
	doctor_ask(d, "webhook", &req, judge_handshake, &h);
	free(url);
}

void
doctor_webhook(struct doctor *d)
{
	try_handshake(d, "/webhook/events");
	try_handshake(d, "/webhook/lifecycle");
}

/* ---- the add-in's files ---- */

static void
judge_addin(const struct http_reply *reply, void *arg)
{
	struct handshake *h = arg;
	json_t *doc;
	const char *client;

	if (!doctor_reached(h->d, "addin", h->url, reply))
		return;
	doc = json_load_strict(reply->body, reply->body_len, NULL);
	client = json_str(doc, "clientId");
	if (reply->status != 200 || client == NULL)
		doctor_addf(h->d, "addin", h->url, DOCTOR_FAILED,
		    "deploymentUrl must lead to the rendered nginx: let "
		    "everything below deploymentAddinEndpoint pass, without a "
		    "login",
		    "status %d, and not the file that was rendered",
		    reply->status);
	else if (strcasecmp(client, h->d->config->client_id) != 0)
		doctor_addf(h->d, "addin", h->url, DOCTOR_FAILED,
		    "run outlook-addinctl render with this configuration, and "
		    "reload nginx",
		    "it was rendered for the clientId %s", client);
	else
		doctor_add(h->d, "addin", h->url, DOCTOR_OK,
		    "its files are served", "");
	json_decref(doc);
}

void
doctor_addin(struct doctor *d)
{
	char *url = config_public_url(d->config, "/config.json");
	struct handshake h = {.d = d, .url = url};
	struct http_request req;

	http_request_init(&req, "GET", "config.json");
	buf_puts(&req.url, url);
	doctor_ask(d, "addin", &req, judge_addin, &h);
	free(url);
}
