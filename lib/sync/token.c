/* sync/token.c - see token.h. */
#include "sync/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "rule/retry.h"
#include "sync/session.h"
#include "sync/token_fetch.h"

enum {
	/* A wrong secret is asked for slowly, a fault of the network soon. */
	TOKEN_REFUSED_MS = 60 * 1000,
	TOKEN_REFUSED_MAX_MS = 15 * 60 * 1000,
	TOKEN_SCOPE_MAX = 96,
	/* Failures in a row of an endpoint that is out of reach, until it is
	 * told. The first one is repeated at once. */
	TOKEN_UNREACHABLE = 2
};

void
token_init(struct token_slot *t, struct session *s, int tenant)
{
	memset(t, 0, sizeof(*t));
	t->session = s;
	t->tenant = tenant;
	TAILQ_INIT(&t->waits);
}

void
token_clear(struct token_slot *t)
{
	if (t->exchange != NULL)
		http_cancel(t->exchange);
	t->exchange = NULL;
	secret_free(t->token);
	t->token = NULL;
}

bool
token_is_gateway(const struct token_slot *t)
{
	return t->tenant < 0;
}

const char *
token_tenant(const struct token_slot *t)
{
	return token_is_gateway(t) ? NULL : t->session->tenants[t->tenant].id;
}

/* As the facts in the store name it. */
static const char *
token_who(const struct token_slot *t)
{
	return token_is_gateway(t) ? "gateway" : token_tenant(t);
}

bool
token_is_static(const struct token_slot *t)
{
	return token_is_gateway(t) &&
	    t->session->config->unblu_auth != CONFIG_UNBLU_CLIENT_CREDENTIALS;
}

static enum degraded_reason
token_reason(const struct token_slot *t)
{
	return token_is_gateway(t) ? DEGRADED_UNBLU_AUTH : DEGRADED_CREDENTIALS;
}

/* The waiting ones are told in the order in which they came; whoever comes
 * while that goes on is served like anybody else. */
static void
token_tell(struct token_slot *t, const struct err *e)
{
	struct token_waits waits = TAILQ_HEAD_INITIALIZER(waits);
	struct token_wait *w;

	TAILQ_CONCAT(&waits, &t->waits, link);
	while ((w = TAILQ_FIRST(&waits)) != NULL) {
		TAILQ_REMOVE(&waits, w, link);
		w->waiting = false;
		w->done(e == NULL ? t->token : NULL, t->generation, e, w->arg);
	}
}

/* "entra:{tenant}", "gateway" */
static void
token_scope(const struct token_slot *t, char out[TOKEN_SCOPE_MAX])
{
	if (token_is_gateway(t))
		snprintf(out, TOKEN_SCOPE_MAX, "gateway");
	else
		snprintf(out, TOKEN_SCOPE_MAX, "entra:%s", token_tenant(t));
}

/* A minute, doubled up to a quarter of an hour. */
static int64_t
token_refused_ms(int refusals)
{
	int64_t wait_ms = TOKEN_REFUSED_MS;

	for (; refusals > 0 && wait_ms < TOKEN_REFUSED_MAX_MS; refusals--)
		wait_ms *= 2;
	return wait_ms < TOKEN_REFUSED_MAX_MS ? wait_ms : TOKEN_REFUSED_MAX_MS;
}

/* Somebody has to act. */
static void
token_tell_refusal(struct token_slot *t, const struct err *e)
{
	/* Another reason than before is news, too. */
	if (t->refusals > 0 && strcmp(t->refusal.text, e->text) != 0)
		log_warning("token-refused", LOG_STR("tenant", token_tenant(t)),
		    LOG_STR("peer", token_is_gateway(t) ? "gateway" : "entra"),
		    LOG_ERR(e));
	degraded_set(t->session, token_reason(t), t->tenant + 1, e->text);
	signin_note_refusal(t->session, token_who(t), e);
}

/* The endpoint does not answer, or not as one. */
static void
token_tell_outage(struct token_slot *t, const struct err *e)
{
	if (t->refusals == 0 || t->refusal.code != e->code)
		log_warning("token-failed", LOG_STR("tenant", token_tenant(t)),
		    LOG_STR("peer", token_is_gateway(t) ? "gateway" : "entra"),
		    LOG_ERR(e));
	if (t->refusals + 1 < TOKEN_UNREACHABLE || e->code != ERR_RETRY)
		return;
	t->unreachable = true;
	degraded_set(t->session,
	    token_is_gateway(t) ? DEGRADED_UNBLU_AUTH : DEGRADED_GRAPH,
	    t->tenant + 1, e->text);
}

static void
token_hold(struct token_slot *t, const struct err *e)
{
	char scope[TOKEN_SCOPE_MAX];
	int64_t wait_ms;

	if (e->code == ERR_AUTH)
		wait_ms = token_refused_ms(t->refusals);
	else
		wait_ms = retry_wait_ms(e, t->refusals, rand_below(UINT64_MAX));
	/* One request a minute hurts nobody, and ends an outage early. */
	if (e->code == ERR_RETRY && wait_ms > TOKEN_REFUSED_MS)
		wait_ms = TOKEN_REFUSED_MS;
	if (e->code == ERR_AUTH)
		token_tell_refusal(t, e);
	else
		token_tell_outage(t, e);
	t->refusals++;
	t->refusal = *e;
	t->refused_until_ms = clock_mono_ms() + wait_ms;
	if (e->code == ERR_BUSY) {
		token_scope(t, scope);
		session_throttle(t->session, scope, wait_ms);
	}
}

/* What was refused, or out of reach, is not any more. */
static void
token_tell_success(struct token_slot *t)
{
	struct session *s = t->session;

	degraded_clear(s, token_reason(t), t->tenant + 1);
	if (t->unreachable && !token_is_gateway(t))
		degraded_clear(s, DEGRADED_GRAPH, t->tenant + 1);
	t->unreachable = false;
	if (token_is_gateway(t))
		signin_note_success(s, "", "gateway", TOKEN_HELD_BY_GATEWAY);
	else
		signin_note_success(
		    s, token_tenant(t), token_tenant(t), TOKEN_HELD_BY_ENTRA);
}

void
token_worked(struct token_slot *t)
{
	if (t->worked)
		return;
	t->worked = true;
	if (t->refused_who[0] == '\0')
		return;
	t->refused_who[0] = '\0';
	token_tell_success(t);
}

void
token_refused(struct token_slot *t, const char *tenant, const char *user,
    bool login, const struct err *e)
{
	char who[sizeof(t->refused_who)];
	struct err copy = *e;
	bool by_all;

	snprintf(who, sizeof(who), "%s/%s", tenant, user);
	by_all = !t->worked && t->refused_who[0] != '\0' &&
	    strcmp(t->refused_who, who) != 0;
	if (!t->worked || login)
		degraded_set(
		    t->session, token_reason(t), t->tenant + 1, e->text);
	t->worked = false;
	snprintf(t->refused_who, sizeof(t->refused_who), "%s", who);
	if (by_all && clock_mono_ms() >= t->refused_until_ms) {
		err_wrap(&copy,
		    token_is_gateway(t) ? "gateway token"
					: TOKEN_HELD_BY_ENTRA);
		token_hold(t, &copy);
	}
}

void
token_fail(struct token_slot *t, const struct err *e)
{
	struct err copy = *e;

	if (t->again) {
		/* That was the answer to the old one. */
		t->again = false;
		token_fetch(t);
		return;
	}
	token_hold(t, e);
	copy.retry_after_ms = t->refused_until_ms - clock_mono_ms();
	token_tell(t, &copy);
}

void
token_granted(struct token_slot *t, const struct token_grant *grant)
{
	secret_free(t->token);
	t->token = grant->token;
	t->generation++;
	t->good_until_ms = clock_mono_ms() + grant->life_ms;
	t->again = false;
	/* Having one is no news while the peer refuses it. */
	if (t->refused_who[0] == '\0' && (t->refusals > 0 || !t->granted))
		token_tell_success(t);
	t->granted = true;
	t->refusals = 0;
	t->refused_until_ms = 0;
	token_tell(t, NULL);
}

void
token_retry(struct token_slot *t)
{
	char scope[TOKEN_SCOPE_MAX];

	/* These are the secret itself. */
	if (token_is_static(t) && t->token != NULL)
		token_drop(t, t->generation);
	if (t->exchange != NULL) {
		t->again = true;
		return;
	}
	token_scope(t, scope);
	if (t->refusals == 0 || t->refusal.code != ERR_AUTH ||
	    session_throttled_ms(t->session, scope, NULL) > 0)
		return;
	t->refused_until_ms = 0;
	t->refused_who[0] = '\0'; /* that was about the old one */
	if (t->token == NULL)
		token_fetch(t);
}

void
token_get(struct token_slot *t, struct token_wait *w)
{
	int64_t now_ms = clock_mono_ms();
	char scope[TOKEN_SCOPE_MAX];
	int64_t wait_ms;

	if (t->token != NULL && now_ms < t->good_until_ms) {
		w->done(t->token, t->generation, NULL, w->arg);
		return;
	}
	if (t->exchange == NULL && now_ms < t->refused_until_ms) {
		struct err e = t->refusal;

		/* Until then there is no use in asking. */
		e.retry_after_ms = t->refused_until_ms - now_ms;
		w->done(NULL, t->generation, &e, w->arg);
		return;
	}
	token_scope(t, scope);
	wait_ms = session_throttled_ms(t->session, scope, NULL);
	if (t->exchange == NULL && wait_ms > 0) {
		struct err e = {.code = ERR_NONE};

		err_set(&e, ERR_BUSY, "the token endpoint asked for a pause");
		e.retry_after_ms = wait_ms;
		w->done(NULL, t->generation, &e, w->arg);
		return;
	}
	w->waiting = true;
	TAILQ_INSERT_TAIL(&t->waits, w, link);
	if (t->exchange == NULL)
		token_fetch(t);
}

void
token_cancel(struct token_slot *t, struct token_wait *w)
{
	if (!w->waiting)
		return;
	w->waiting = false;
	TAILQ_REMOVE(&t->waits, w, link);
}

void
token_drop(struct token_slot *t, unsigned generation)
{
	if (t->token == NULL || t->generation != generation)
		return;
	secret_free(t->token);
	t->token = NULL;
}
