/* sync/keys.c - KEYS work: fetches Entra's signing keys into the store, where
 * web finds them. Both generations of tokens are in use: v1 and v2. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "remote/entra.h"
#include "sync/task.h"

enum {
	KEYS_PAUSE_MS = 5 * 60 * 1000, /* between two fetches */
	KEYS_ATTEMPTS = 3 /* and on: agents wait for them, 16 s at most */
};

struct keys {
	struct task *task;
	bool v1; /* its turn */
	char issuer[256];
	json_t *found;
	char *text;
};

static void keys_ask_discovery(struct keys *k);

static void
keys_free(void *state)
{
	struct keys *k = state;

	json_decref(k->found);
	free(k->text);
	free(k);
}

static int
keys_build_list(struct http_request *req, void *arg, struct err *e)
{
	const struct keys *k = arg;

	(void)e;
	entra_keys_request(k->task->session->config, k->v1, req);
	return 0;
}

static int
keys_parse_list(const struct http_reply *reply, void *arg, struct err *e)
{
	struct keys *k = arg;

	return entra_keys_reply(reply, k->issuer, k->found, e);
}

static void
keys_fail(struct keys *k, const struct err *e)
{
	struct session *s = k->task->session;
	char *known = NULL;
	int64_t at_ms = 0;

	/* Only having none at all shuts web's door. */
	if (s->store != NULL &&
	    store_keys_load(s->store, &known, &at_ms, NULL) == 0 && at_ms == 0)
		degraded_set(s, DEGRADED_KEYS, 0, e->text);
	free(known);
	if (e->code != ERR_INPUT && k->task->work.attempts > KEYS_ATTEMPTS)
		k->task->work.attempts = KEYS_ATTEMPTS;
	task_fail(k->task, e);
}

static void
keys_save(struct keys *k)
{
	struct session *s = k->task->session;
	struct err e = {.code = ERR_NONE, .retry_after_ms = -1};

	k->text = json_text(k->found);
	if (s->store == NULL)
		err_set(&e, ERR_RETRY, "the store is closed");
	else
		store_keys_save(s->store, k->text, task_now_ms(), &e);
	if (e.code != ERR_NONE) {
		task_fail(k->task, &e);
		return;
	}
	log_info("keys-fetched", LOG_INT("count", json_array_size(k->found)));
	degraded_clear(s, DEGRADED_KEYS, 0);
	task_finish(k->task);
}

static void
keys_list_done(const struct err *e, void *arg)
{
	struct keys *k = arg;

	if (e->code != ERR_NONE) {
		keys_fail(k, e);
	} else if (!k->v1) {
		k->v1 = true;
		keys_ask_discovery(k);
	} else {
		keys_save(k);
	}
}

static int
keys_build_discovery(struct http_request *req, void *arg, struct err *e)
{
	const struct keys *k = arg;

	(void)e;
	entra_discovery_request(k->task->session->config, k->v1, req);
	return 0;
}

static int
keys_parse_discovery(const struct http_reply *reply, void *arg, struct err *e)
{
	struct keys *k = arg;

	return entra_discovery_reply(reply, k->issuer, sizeof(k->issuer), e);
}

static void
keys_discovery_done(const struct err *e, void *arg)
{
	struct keys *k = arg;

	if (e->code != ERR_NONE)
		keys_fail(k, e);
	else
		task_call(k->task, CALL_ENTRA, keys_build_list, keys_parse_list,
		    keys_list_done, k);
}

static void
keys_ask_discovery(struct keys *k)
{
	task_call(k->task, CALL_ENTRA, keys_build_discovery,
	    keys_parse_discovery, keys_discovery_done, k);
}

void
keys_start(struct task *t)
{
	struct keys *k = mem_zalloc(sizeof(*k));
	char *known = NULL;
	int64_t now_ms = task_now_ms();
	int64_t at_ms = 0;

	k->task = t;
	k->found = json_array();
	t->state = k;
	t->free_state = keys_free;
	/* Unknown key ids come from anybody: at most one fetch per pause. Who
	 * asks too early may have a new key all the same: it stays asked for.
	 */
	if (t->session->store != NULL &&
	    store_keys_load(t->session->store, &known, &at_ms, NULL) == 0 &&
	    at_ms > now_ms - KEYS_PAUSE_MS && at_ms <= now_ms)
		task_defer(t, at_ms + KEYS_PAUSE_MS - now_ms,
		    "signing keys are fetched once in five minutes");
	else
		keys_ask_discovery(k);
	free(known);
}
