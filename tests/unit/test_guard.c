/* tests/unit/test_guard.c - rule/guard.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rule/guard.h"

static struct conversation
untouched(void)
{
	struct conversation c = {
	    .scheduled = true, .state = GUARD_CREATED, .people = {.count = 1}};

	snprintf(c.source_id, sizeof(c.source_id), "source");
	snprintf(c.people.persons[0].id, GUARD_PERSON_MAX, "agent");
	c.people.persons[0].assigned_agent = true;
	return c;
}

static struct conversation_history
quiet(void)
{
	struct conversation_history h = {.kind = GUARD_HISTORY_READ,
	    .people = {.count = 1},
	    .is_created = true};

	snprintf(h.people.persons[0].id, GUARD_PERSON_MAX, "agent");
	return h;
}

static enum guard_owner
own(const struct conversation *c, const char *source)
{
	char agent[GUARD_PERSON_MAX];
	const char *why;

	return guard_own(c, source, agent, &why);
}

static void
the_source_id_is_the_capability(void **state)
{
	struct conversation c = untouched();
	char agent[GUARD_PERSON_MAX];
	const char *why;

	(void)state;
	assert_int_equal(guard_own(&c, "source", agent, &why), GUARD_OURS);
	assert_string_equal(agent, "agent");
	assert_int_equal(own(&c, "other"), GUARD_FOREIGN);
	assert_int_equal(own(&c, "sourc"), GUARD_FOREIGN);
	assert_int_equal(own(&c, ""), GUARD_FOREIGN);
	c.source_id[0] = '\0';
	assert_int_equal(own(&c, ""), GUARD_FOREIGN);
}

static void
only_an_untouched_scheduled_conversation_becomes_ours(void **state)
{
	struct conversation c = untouched();

	(void)state;
	c.scheduled = false;
	assert_int_equal(own(&c, "source"), GUARD_FOREIGN);
	c = untouched();
	c.state = GUARD_STATE_OTHER;
	assert_int_equal(own(&c, "source"), GUARD_FOREIGN);
	c = untouched();
	c.state = GUARD_ENDED;
	assert_int_equal(own(&c, "source"), GUARD_OVER);
	assert_int_equal(own(&c, "other"), GUARD_FOREIGN);
	c = untouched();
	c.people.persons[0].assigned_agent = false;
	assert_int_equal(own(&c, "source"), GUARD_FOREIGN);
	c = untouched();
	c.people.count = 2;
	c.people.persons[1].assigned_agent = true;
	assert_int_equal(own(&c, "source"), GUARD_FOREIGN);
	c = untouched();
	c.people.persons[0].id[0] = '\0';
	assert_int_equal(own(&c, "source"), GUARD_FOREIGN);
	c = untouched();
	c.people.count = GUARD_PERSONS + 1;
	assert_int_equal(own(&c, "source"), GUARD_FOREIGN);
}

static void
a_second_person_of_another_kind_does_not_make_it_foreign(void **state)
{
	struct conversation c = untouched();

	(void)state;
	c.people.count = 2;
	snprintf(c.people.persons[1].id, GUARD_PERSON_MAX, "guest");
	assert_int_equal(own(&c, "source"), GUARD_OURS);
}

struct verdict_case {
	const char *sentence;
	struct conversation c;
	struct conversation_history h;
	const char *agent;
	enum guard_verdict want;
};

static void
when_a_conversation_may_be_deleted(void **state)
{
	struct verdict_case cases[32];
	struct verdict_case *v = cases;

	(void)state;
#define CASE(text, w)                                                          \
	v->sentence = (text);                                                  \
	v->c = untouched();                                                    \
	v->h = quiet();                                                        \
	v->agent = "agent";                                                    \
	v->want = (w)

	CASE("alone, then and now, without a message: deleted", GUARD_DELETE);
	v++;
	CASE("an agent who joined twice is still alone", GUARD_DELETE);
	v->h.people.count = 2;
	v->h.people.persons[1] = v->h.people.persons[0];
	v++;
	CASE("an unknown agent proves nothing", GUARD_KEEP);
	v->agent = "";
	v++;
	CASE("another agent is not ours", GUARD_KEEP);
	v->agent = "somebody";
	v++;
	CASE("a conversation under way is kept", GUARD_KEEP);
	v->c.state = GUARD_STATE_OTHER;
	v++;
	CASE("an ended conversation is kept", GUARD_KEEP);
	v->c.state = GUARD_ENDED;
	v++;
	CASE("nobody in it is not the agent alone", GUARD_KEEP);
	v->c.people.count = 0;
	v++;
	CASE("a visitor keeps it", GUARD_KEEP);
	v->c.people.count = 2;
	snprintf(v->c.people.persons[1].id, GUARD_PERSON_MAX, "guest");
	v++;
	CASE("the agent twice is careful enough to keep it", GUARD_KEEP);
	v->c.people.count = 2;
	v->c.people.persons[1] = v->c.people.persons[0];
	v++;
	CASE("an external participant keeps it", GUARD_KEEP);
	v->c.people.external_count = 1;
	v++;
	CASE("a bot keeps it", GUARD_KEEP);
	v->c.people.bot_count = 1;
	v++;
	CASE("a visitor who has left keeps it", GUARD_KEEP);
	v->h.people.count = 2;
	snprintf(v->h.people.persons[1].id, GUARD_PERSON_MAX, "guest");
	v++;
	CASE("an external participant who has left keeps it", GUARD_KEEP);
	v->h.people.external_count = 1;
	v++;
	CASE("a bot that has left keeps it", GUARD_KEEP);
	v->h.people.bot_count = 1;
	v++;
	CASE("more people than can be looked at keep it", GUARD_KEEP);
	v->h.people.count = GUARD_PERSONS + 1;
	v++;
	CASE("a message keeps it", GUARD_KEEP);
	v->h.has_messages = true;
	v++;
	CASE("a history that knows of a later state keeps it", GUARD_KEEP);
	v->h.is_created = false;
	v++;
	CASE("somebody in the agent's place, then, keeps it", GUARD_KEEP);
	snprintf(v->h.people.persons[0].id, GUARD_PERSON_MAX, "other");
	v++;
	CASE("somebody in the agent's place, now, keeps it", GUARD_KEEP);
	snprintf(v->c.people.persons[0].id, GUARD_PERSON_MAX, "other");
	v++;
	CASE("a participant without an id is somebody", GUARD_KEEP);
	v->c.people.persons[0].id[0] = '\0';
	v++;
	CASE("a past participant without an id is somebody", GUARD_KEEP);
	v->h.people.count = 2;
	v++;
	CASE("a message keeps it also when the visitor is gone", GUARD_KEEP);
	v->h.people.count = 0;
	v->h.has_messages = true;
	v++;
	CASE("a history that can not be read makes it wait", GUARD_WAIT);
	v->h.kind = GUARD_HISTORY_UNREADABLE;
	v++;
	CASE("no history: the present participants decide", GUARD_DELETE);
	v->h.kind = GUARD_HISTORY_ABSENT;
	v++;
	CASE("no history and a visitor: kept", GUARD_KEEP);
	v->h.kind = GUARD_HISTORY_ABSENT;
	v->c.people.count = 2;
	snprintf(v->c.people.persons[1].id, GUARD_PERSON_MAX, "guest");
	v++;
	for (struct verdict_case *i = cases; i < v; i++) {
		const char *why = "";
		enum guard_verdict got =
		    guard_judge(&i->c, &i->h, i->agent, &why);

		if (got != i->want)
			fail_msg("%s: %d (%s)", i->sentence, (int)got, why);
		if (i->want != GUARD_DELETE && why[0] == '\0')
			fail_msg("%s: no reason", i->sentence);
	}
}

/* Every combination against the rule, told anew: only the agent, now and then,
 * in a conversation that was created and never spoken in. */
static void
nothing_else_is_ever_deleted(void **state)
{
	static const char *const persons[] = {"agent", "guest", ""};
	static const int kinds[] = {
	    GUARD_HISTORY_READ, GUARD_HISTORY_ABSENT, GUARD_HISTORY_UNREADABLE};

	(void)state;
	for (int n = 0; n < 3 * 4 * 3 * 4 * 3 * 3 * (1 << 6); n++) {
		int flags = n & 63;
		int rest = n >> 6;
		struct conversation c = untouched();
		struct conversation_history h = quiet();
		const char *why;
		bool now, then;

		c.state = (enum guard_state)(rest % 3);
		c.people.count = (size_t)(rest / 3 % 4);
		h.people.count = (size_t)(rest / 36 % 4);
		snprintf(c.people.persons[0].id, GUARD_PERSON_MAX, "%s",
		    persons[rest / 12 % 3]);
		snprintf(h.people.persons[0].id, GUARD_PERSON_MAX, "%s",
		    persons[rest / 144 % 3]);
		for (int i = 1; i < 3; i++)
			h.people.persons[i] = h.people.persons[0];
		h.kind = kinds[rest / 432 % 3];
		c.people.external_count = flags & 1;
		c.people.bot_count = (size_t)(flags >> 1 & 1);
		h.people.external_count = (size_t)(flags >> 2 & 1);
		h.people.bot_count = (size_t)(flags >> 3 & 1);
		h.has_messages = flags & 16;
		h.is_created = flags & 32;
		now = c.state == GUARD_CREATED && c.people.count == 1 &&
		    rest / 12 % 3 == 0 && (flags & 3) == 0;
		then = h.kind == GUARD_HISTORY_ABSENT ||
		    (h.kind == GUARD_HISTORY_READ && (flags & 60) == 32 &&
			(h.people.count == 0 || rest / 144 % 3 == 0));
		if ((guard_judge(&c, &h, "agent", &why) == GUARD_DELETE) !=
		    (now && then))
			fail_msg("combination %d: %s", n, why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_source_id_is_the_capability),
	    cmocka_unit_test(
		only_an_untouched_scheduled_conversation_becomes_ours),
	    cmocka_unit_test(
		a_second_person_of_another_kind_does_not_make_it_foreign),
	    cmocka_unit_test(when_a_conversation_may_be_deleted),
	    cmocka_unit_test(nothing_else_is_ever_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
