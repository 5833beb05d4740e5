/* tests/unit/test_invariants.c - what no event, link or clock may make the plan
 * do (rule/plan.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/when.h"
#include "rule/plan.h"

static const int64_t NOW_MS = 1793491200000;

static const struct policy usual = {
    .fallback_topic = "Meeting",
    .topic_max_chars = 250,
};

/* Every combination, not only those that somebody thought of. */
struct world {
	struct event ev;
	struct link link;
	bool has_link;
};

enum {
	WORLD_STATES = LINK_ENDED_EARLY + 1,
	WORLD_TYPES = EVENT_TYPE_OTHER + 1,
	WORLD_FLAGS = 11,
	WORLDS = WORLD_STATES * WORLD_TYPES * 3 * (1 << WORLD_FLAGS)
};

static void
make_world(int number, char *subject, struct world *out)
{
	static const char *const events[] = {"", "event", "first"};
	int flags = number % (1 << WORLD_FLAGS);
	int rest = number / (1 << WORLD_FLAGS);
	struct event ev = {.subject = subject,
	    .start_ms = 1800000000000,
	    .end_ms = 1800001800000};

	out->link = (struct link){
	    .state = (enum link_state)(rest % WORLD_STATES),
	    .conversation = "conv",
	    .source_id = "source",
	    .topic = "Review",
	    .start_ms = 1796119200000,
	};
	rest /= WORLD_STATES;
	ev.type = (enum event_type)(rest % WORLD_TYPES);
	out->link.event = events[rest / WORLD_TYPES];
	snprintf(ev.id, sizeof(ev.id), "event");
	snprintf(ev.conversation, sizeof(ev.conversation), "conv");
	snprintf(ev.source_id, sizeof(ev.source_id), "source");
	ev.organizer = flags & 1;
	ev.cancelled = flags & 2;
	ev.draft = flags & 4;
	ev.timed = flags & 8;
	ev.all_day = flags & 16;
	ev.linked = flags & 32;
	if (flags & 64)
		snprintf(ev.master, sizeof(ev.master), "master");
	out->has_link = flags & 128;
	out->link.mine = flags & 256;
	out->link.known = flags & 512;
	if (flags & 1024)
		out->link.start_ms = ev.start_ms;
	out->ev = ev;
}

static const char *
broken_rule(const struct world *w, const struct plan *p)
{
	const struct link *l = w->has_link ? &w->link : NULL;
	bool acts = p->kind != PLAN_NOTHING && p->kind != PLAN_MASTER;
	bool writes = p->set_topic || p->set_time;

	if (acts && !w->ev.organizer)
		return "an event of someone else is never acted on";
	if (acts && l == NULL && !w->ev.linked)
		return "an event without property and link is never acted on";
	if (acts && l != NULL && !l->mine)
		return "a link of another mailbox is never acted on";
	if (acts && l != NULL && link_is_over(l->state) &&
	    l->state != LINK_KEPT)
		return "a link that is over is never acted on";
	if (acts && w->ev.type == EVENT_OCCURRENCE)
		return "an occurrence is never acted on";
	if (p->kind == PLAN_FOLLOW && !w->ev.timed)
		return "an event without a time is never followed";
	if ((p->kind == PLAN_CANCELED) != (acts && w->ev.cancelled))
		return "called off and nothing else is a candidate";
	if (writes && p->kind != PLAN_FOLLOW)
		return "only a followed event writes";
	if (p->set_time && !p->wants_time)
		return "only a time that is wanted is written";
	if (p->set_topic && l != NULL && l->known &&
	    strcmp(l->topic, p->topic) == 0)
		return "an equal topic is never written";
	if (p->set_time && l != NULL && l->known &&
	    when_round_minute(l->start_ms) == p->start_ms)
		return "an equal minute is never written";
	if (p->kind == PLAN_FOLLOW && p->topic[0] == '\0')
		return "a topic is never blank";
	if (p->kind == PLAN_FOLLOW && l != NULL && l->state == LINK_LINKED &&
	    strcmp(l->event, "first") == 0)
		return "a live event of the link is never replaced";
	return NULL;
}

static void
no_combination_breaks_a_rule(void **state)
{
	static char subjects[][8] = {"Review", "Other", " "};

	(void)state;
	for (int number = 0; number < WORLDS; number++) {
		struct world w;
		struct plan p;
		const char *rule;

		make_world(number, subjects[number % 3], &w);
		plan_event(&w.ev, w.has_link ? &w.link : NULL, NULL, &usual,
		    NULL, NOW_MS, &p);
		rule = broken_rule(&w, &p);
		if (rule != NULL)
			fail_msg("world %d: %s", number, rule);
	}
}

static void
no_deletion_is_confirmed_before_its_time(void **state)
{
	enum { GRACE_MS = 60000, SEEN_MS = 1000000 };
	struct policy policy = usual;
	int64_t until;

	(void)state;
	for (int s = 0; s < WORLD_STATES; s++)
		for (int since = 0; since <= SEEN_MS; since += 20000)
			for (int bits = 0; bits < 8; bits++) {
				struct link l = {.state = (enum link_state)s};
				enum plan_gone got;

				l.mine = bits & 1;
				l.gone_since_ms = since;
				policy.deletion =
				    bits & 2 ? POLICY_LEAVE : POLICY_DELETE;
				policy.deletion_grace_ms =
				    bits & 4 ? GRACE_MS : 0;
				got = plan_gone(&l, &policy, SEEN_MS, &until);
				if (got == PLAN_GONE_NOTHING)
					continue;
				assert_true(l.mine && (bits & 2) == 0);
				assert_true(s == LINK_LINKED ||
				    s == LINK_GONE || s == LINK_HELD);
				if (got != PLAN_GONE_CONFIRM || (bits & 4) == 0)
					continue;
				assert_true(since > 0);
				assert_true(since + GRACE_MS <= SEEN_MS);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_combination_breaks_a_rule),
	    cmocka_unit_test(no_deletion_is_confirmed_before_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
