/* rule/guard.c - see guard.h. */
#include "rule/guard.h"

#include <stdio.h>
#include <string.h>

static size_t
guard_agents(const struct guard_people *p, const struct guard_person **one)
{
	size_t agents = 0;

	for (size_t i = 0; i < p->count && i < GUARD_PERSONS; i++) {
		if (!p->persons[i].assigned_agent)
			continue;
		*one = &p->persons[i];
		agents++;
	}
	return agents;
}

enum guard_owner
guard_own(const struct conversation *c, const char *source_id,
    char agent[GUARD_PERSON_MAX], const char **why)
{
	const struct guard_person *assigned = NULL;
	size_t agents = guard_agents(&c->people, &assigned);

	*why = "";
	if (source_id[0] == '\0' || strcmp(c->source_id, source_id) != 0) {
		*why = "its sourceId is another one";
		return GUARD_FOREIGN;
	}
	if (c->scheduled && c->state == GUARD_ENDED) {
		*why = "it has ended";
		return GUARD_OVER;
	}
	if (!c->scheduled)
		*why = "it is no scheduled conversation";
	else if (c->state != GUARD_CREATED)
		*why = "it was under way before its first change";
	else if (c->people.count > GUARD_PERSONS)
		*why = "it has too many participants";
	else if (agents != 1 || assigned->id[0] == '\0')
		*why = "it has not exactly one assigned agent";
	if ((*why)[0] != '\0')
		return GUARD_FOREIGN;
	snprintf(agent, GUARD_PERSON_MAX, "%s", assigned->id);
	return GUARD_OURS;
}

/* Whether the people are the agent and nobody else. The history may list the
 * agent once for every time he joined. */
static bool
guard_is_agent_alone(const struct guard_people *p, const char *agent)
{
	if (p->external_count > 0 || p->bot_count > 0 ||
	    p->count > GUARD_PERSONS)
		return false;
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->persons[i].id, agent) != 0)
			return false;
	return true;
}

enum guard_verdict
guard_judge(const struct conversation *c, const struct conversation_history *h,
    const char *agent, const char **why)
{
	*why = "";
	if (agent[0] == '\0')
		*why = "its agent is not known";
	else if (c->state != GUARD_CREATED)
		*why = "it is not in state CREATED";
	else if (c->people.count != 1)
		*why = "the agent is not its only participant";
	else if (!guard_is_agent_alone(&c->people, agent))
		*why = "someone besides the agent takes part";
	if ((*why)[0] != '\0')
		return GUARD_KEEP;
	if (h->kind == GUARD_HISTORY_UNREADABLE) {
		*why = "its history can not be read";
		return GUARD_WAIT;
	}
	if (h->kind == GUARD_HISTORY_ABSENT) {
		*why = "no history: judged by the present participants";
		return GUARD_DELETE;
	}
	if (!h->is_created)
		*why = "by its history it is not in state CREATED";
	else if (!guard_is_agent_alone(&h->people, agent))
		*why = "someone besides the agent took part";
	else if (h->has_messages)
		*why = "a message was written in it";
	return (*why)[0] == '\0' ? GUARD_DELETE : GUARD_KEEP;
}
