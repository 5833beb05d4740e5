/* sync/agent.c - see agent.h. */
#include "sync/agent.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "port/store.h"
#include "sync/session.h"

/* With what the reason of a row begins that is held here. */
static const char agent_held[] = "act-as";

void
agent_init(struct agents *a, struct session *s)
{
	memset(a, 0, sizeof(*a));
	a->session = s;
}

void
agent_clear(struct agents *a)
{
	agent_map_free(a->map);
	a->map = NULL;
}

static void
agent_replace(struct agents *a, struct agent_map *fresh_owned)
{
	agent_map_free(a->map);
	a->map = fresh_owned;
	a->problem[0] = '\0';
	a->told_count = 0;
	if (a->session->store != NULL)
		signin_release(a->session, "", agent_held);
	log_info("agent-map-read",
	    LOG_INT("agents", (int64_t)agent_map_count(a->map)));
}

void
agent_look(struct agents *a)
{
	const struct config *c = a->session->config;
	struct credential_stamp now;
	struct err e = {.code = ERR_NONE};
	struct agent_map *fresh;

	if (!c->unblu_act_as_header || c->unblu_agent_map_file[0] == '\0')
		return;
	credential_stamp_take(c->unblu_agent_map_file, &now);
	/* What could not be read is read again: the cause may not be in it. */
	if (a->map != NULL && a->problem[0] == '\0' &&
	    credential_stamp_equals(&now, &a->stamp))
		return;
	a->stamp = now;
	fresh = agent_map_read(c->unblu_agent_map_file, &e);
	if (fresh != NULL) {
		agent_replace(a, fresh);
		return;
	}
	if (strcmp(a->problem, e.text) != 0)
		log_warning("agent-map-not-read",
		    LOG_BOOL("formerUsed", a->map != NULL), LOG_ERR(&e));
	snprintf(a->problem, sizeof(a->problem), "%s", e.text);
}

/* ---- one agent ---- */

static size_t
agent_told(const struct agents *a, const char *who)
{
	size_t i = 0;

	while (i < a->told_count && strcmp(a->told[i], who) != 0)
		i++;
	return i;
}

/* Beyond the limit it is silent: hundreds of lines say the same. */
static void
agent_tell(
    struct agents *a, const char *tenant, const char *user, const struct err *e)
{
	char who[sizeof(a->told[0])];

	snprintf(who, sizeof(who), "%s/%s", tenant, user);
	if (agent_told(a, who) < a->told_count ||
	    a->told_count == AGENT_TOLD_MAX)
		return;
	memcpy(a->told[a->told_count++], who, sizeof(who));
	log_warning("agent-unknown", LOG_STR("tenant", tenant),
	    LOG_STR("mailbox", user), LOG_ERR(e));
}

static void
agent_forget(struct agents *a, const char *tenant, const char *user)
{
	char who[sizeof(a->told[0])];
	size_t at;

	if (a->told_count == 0)
		return;
	snprintf(who, sizeof(who), "%s/%s", tenant, user);
	at = agent_told(a, who);
	if (at < a->told_count)
		memmove(
		    a->told[at], a->told[--a->told_count], sizeof(a->told[0]));
}

/* The value of unbluAgentKey; "" when it is not known. */
static void
agent_own_name(struct session *s, const char *tenant, const char *user,
    char out[AGENT_NAME_MAX])
{
	const char *key = s->config->unblu_agent_key;
	struct store_mailbox box;

	out[0] = '\0';
	if (strcmp(key, "entra-oid") == 0)
		snprintf(out, AGENT_NAME_MAX, "%s", user);
	else if (s->store != NULL &&
	    store_mailbox_find(s->store, tenant, user, &box, NULL) == 1)
		snprintf(out, AGENT_NAME_MAX, "%s",
		    strcmp(key, "email") == 0 ? box.email : box.upn);
}

static int
agent_name(struct agents *a, const char *tenant, const char *user,
    char out[AGENT_NAME_MAX], struct err *e)
{
	const char *key = a->session->config->unblu_agent_key;
	const char *other = agent_map_find(a->map, user);

	agent_own_name(a->session, tenant, user, out);
	if (other == NULL && out[0] != '\0')
		other = agent_map_find(a->map, out);
	if (other != NULL)
		snprintf(out, AGENT_NAME_MAX, "%s", other);
	if (out[0] == '\0')
		return err_set(e, ERR_MAILBOX,
		    "%s: the agent's %s is not known: it comes from his token "
		    "when he uses the add-in, or from unbluAgentMapFile",
		    agent_held, key);
	if (!agent_name_is_fit(out))
		return err_set(e, ERR_MAILBOX,
		    "%s: the agent's %s does not fit into a header: give "
		    "another name in unbluAgentMapFile",
		    agent_held, key);
	return 0;
}

int
agent_add_headers(struct agents *a, const char *tenant, const char *user,
    struct http_request *req, struct err *e)
{
	const struct config *c = a->session->config;
	char name[AGENT_NAME_MAX];

	if (!c->unblu_act_as_header)
		return 0;
	if (agent_name(a, tenant, user, name, e) != 0) {
		agent_tell(a, tenant, user, e);
		return -1;
	}
	agent_forget(a, tenant, user);
	http_request_header(req, c->unblu_act_as_name, "%s", name);
	if (c->unblu_act_as_role_name[0] != '\0')
		http_request_header(
		    req, c->unblu_act_as_role_name, "%s", c->unblu_act_as_role);
	return 0;
}
