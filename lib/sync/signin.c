/* sync/signin.c - see signin.h. */
#include "sync/signin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "port/wake.h"
#include "remote/entra.h"
#include "remote/gateway.h"
#include "sync/expiry.h"
#include "sync/session.h"

enum { SIGNIN_FACT_MAX = 96 };

void
signin_init(struct signin *in, struct session *s)
{
	memset(in, 0, sizeof(*in));
	in->session = s;
	credential_init_entra(&in->entra, s->config);
	credential_init_gateway(&in->gateway, s->config);
	in->entra_told = in->entra.changes;
	in->gateway_told = in->gateway.changes;
	in->ends_ms = -1;
}

void
signin_clear(struct signin *in)
{
	loop_timer_free(in->watch);
	credential_clear(&in->entra);
	credential_clear(&in->gateway);
	memset(in, 0, sizeof(*in));
}

/* ---- when it expires ---- */

static void
signin_tell_expiry(struct signin *in)
{
	struct store *store = in->session->store;
	int64_t ends_ms = credential_ends_ms(&in->entra);

	if (store == NULL)
		return;
	if (ends_ms != in->ends_ms && expiry_keep(store, ends_ms, NULL) == 0)
		in->ends_ms = ends_ms;
	if (expiry_is_to_be_told(store, ends_ms))
		expiry_tell(&in->entra);
}

/* ---- files that are replaced ---- */

/* What is in the files now can not be used, what they held before can: nothing
 * stops, but somebody has to know. */
static void
signin_tell_problem(struct signin *in)
{
	const struct credential *k = &in->entra;
	char text[ERR_TEXT_MAX + 64];

	if (k->problem[0] == '\0' || !in->was_usable) {
		degraded_clear(in->session, DEGRADED_CREDENTIALS, 0);
	} else {
		snprintf(text, sizeof(text),
		    "%s; what was there before is still used", k->problem);
		degraded_set(in->session, DEGRADED_CREDENTIALS, 0, text);
	}
}

/* Nobody waits for the end of a refusal whose cause may be gone. */
static void
signin_retry_entra(struct signin *in)
{
	struct session *s = in->session;

	for (size_t i = 0; i < s->config->tenant_ids.count; i++)
		token_retry(&s->tenants[i].token);
}

static void
signin_tell_read(const struct credential *k)
{
	if (k->problem[0] == '\0')
		log_info("credential-read", LOG_STR("credential", k->name));
}

/* Whether it is another one than that of *told: once for each, whoever has read
 * it first. */
static bool
signin_is_new(struct credential *k, unsigned *told)
{
	if (credential_has_changed(k))
		credential_read(k);
	if (k->changes == *told)
		return false;
	*told = k->changes;
	signin_tell_read(k);
	return true;
}

/* A certificate also becomes fit, or stops being so, by the clock. */
static void
signin_look_entra(struct signin *in)
{
	bool changed = signin_is_new(&in->entra, &in->entra_told);
	bool usable = credential_check(&in->entra, clock_wall_ms(), NULL) == 0;

	if (usable && (changed || !in->was_usable))
		signin_retry_entra(in);
	in->was_usable = usable;
	signin_tell_problem(in);
}

static void
signin_look_gateway(struct signin *in)
{
	struct credential *k = &in->gateway;

	if (!signin_is_new(k, &in->gateway_told))
		return;
	if (k->problem[0] == '\0')
		token_retry(&in->session->gateway);
	else
		log_warning("credential-not-read",
		    LOG_STR("message", k->problem),
		    LOG_BOOL("formerUsed", secret_is_set(k->text)));
}

static void
signin_watch(void *arg)
{
	struct signin *in = arg;

	loop_timer_set(in->watch, SIGNIN_WATCH_MS);
	signin_look_entra(in);
	signin_look_gateway(in);
	signin_tell_expiry(in);
	agent_look(&in->session->agents);
}

void
signin_begin(struct signin *in)
{
	struct session *s = in->session;

	if (in->begun || !s->config->sync_enabled)
		return;
	in->begun = true;
	agent_look(&s->agents);
	for (size_t i = 0; i < s->config->tenant_ids.count; i++)
		signin_note_success(
		    s, s->tenants[i].id, s->tenants[i].id, TOKEN_HELD_BY_ENTRA);
	signin_note_success(s, "", "gateway", TOKEN_HELD_BY_GATEWAY);
	in->watch = loop_timer_new(s->loop, signin_watch, in);
	in->was_usable =
	    credential_check(&in->entra, clock_wall_ms(), NULL) == 0;
	loop_timer_set(in->watch, 0);
}

/* ---- requests ---- */

static int
signin_certificate_request(struct signin *in, const char *tenant,
    struct http_request *req, struct err *e)
{
	struct secret *assertion;
	char jti[37];

	rand_guid(jti);
	assertion = entra_assertion(in->session->config, tenant,
	    in->entra.signer, clock_wall_ms(), jti, e);
	if (assertion == NULL) {
		if (e != NULL)
			e->code = ERR_AUTH;
		return -1;
	}
	entra_token_request(
	    in->session->config, tenant, ENTRA_ASSERTION, assertion, req);
	secret_free(assertion);
	return 0;
}

int
signin_entra_request(struct signin *in, const char *tenant,
    struct http_request *req, struct err *e)
{
	struct credential *k = &in->entra;

	/* Token requests are rare, files are small: never an old one. */
	credential_read(k);
	if (credential_check(k, clock_wall_ms(), e) != 0)
		return -1;
	if (k->kind == CREDENTIAL_CERTIFICATE)
		return signin_certificate_request(in, tenant, req, e);
	entra_token_request(in->session->config, tenant,
	    k->kind == CREDENTIAL_FEDERATED ? ENTRA_ASSERTION : ENTRA_SECRET,
	    k->text, req);
	return 0;
}

const struct secret *
signin_gateway_secret(struct signin *in, struct err *e)
{
	struct credential *k = &in->gateway;

	credential_read(k);
	if (credential_check(k, clock_wall_ms(), e) != 0)
		return NULL;
	return k->text;
}

/* ---- for status ---- */

static void
signin_fact(const char *who, char out[SIGNIN_FACT_MAX])
{
	snprintf(out, SIGNIN_FACT_MAX, "credential:%s", who);
}

void
signin_note_refusal(struct session *s, const char *who, const struct err *e)
{
	char fact[SIGNIN_FACT_MAX];
	char text[ERR_TEXT_MAX];

	signin_fact(who, fact);
	/* Its time is that of the first one. */
	if (s->store == NULL ||
	    (store_fact_get(s->store, fact, text, sizeof(text), NULL, NULL) ==
		    1 &&
		strcmp(text, e->text) == 0))
		return;
	(void)store_fact_set(s->store, fact, e->text, clock_wall_ms(), NULL);
}

void
signin_release(struct session *s, const char *tenant, const char *held)
{
	struct err e = {.code = ERR_NONE};
	int64_t count = 0;
	int fd;

	if (store_work_release_held(s->store, tenant, held, &count, &e) != 0)
		log_warning("held-work-not-released", LOG_ERR(&e));
	if (count == 0)
		return;
	log_info("held-work-released",
	    LOG_STR("tenant", tenant[0] != '\0' ? tenant : NULL),
	    LOG_INT("rows", count));
	fd = wake_open(NULL);
	if (fd < 0)
		return;
	wake_send(fd, s->config->wake_path);
	close(fd);
}

void
signin_note_success(
    struct session *s, const char *tenant, const char *who, const char *held)
{
	char fact[SIGNIN_FACT_MAX];

	if (s->store == NULL)
		return;
	signin_fact(who, fact);
	/* Where it can not be removed now, the next success does it. */
	(void)store_fact_remove(s->store, fact, NULL);
	signin_release(s, tenant, held);
}
