/* tests/unit/test_lease.c - rule/lease.h: what becomes of a conversation whose
 * event is not seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rule/lease.h"

#define HOUR ((int64_t)60 * 60 * 1000)
#define MINUTE ((int64_t)60 * 1000)
/* Of the announcement; the mailbox was followed an hour before. */
#define T0 ((int64_t)1800000000000)
#define DUE (T0 + 24 * HOUR)

struct lease_case {
	const char *sentence;
	struct lease lease;
	int64_t now_ms;
	enum lease_step want;
	int64_t until_ms; /* of LEASE_WAIT */
	const char *why; /* of LEASE_UNCONFIRMED, a part */
};

#define TOLD .announced_ms = T0, .grace_ms = 24 * HOUR
#define SUBSCRIBED .subscribed = true
/* A mailbox that has answered throughout. */
#define WELL TOLD, SUBSCRIBED, .mailbox_since_ms = T0 - HOUR
#define ONCE .empty_searches = 1, .empty_search_ms = DUE
#define TWICE .empty_searches = 2, .empty_search_ms = DUE + HOUR

static const struct lease_case cases[] = {
    {"before the grace time is over nothing is suspected", {WELL}, DUE - 1,
	LEASE_WAIT, DUE, ""},
    {"then the whole mailbox is searched", {WELL}, DUE, LEASE_SEARCH, 0, ""},
    {"however late that is", {WELL}, DUE + 9000 * HOUR, LEASE_SEARCH, 0, ""},
    {"a grace time of none switches it off", {.announced_ms = T0}, DUE,
	LEASE_OFF, 0, ""},
    {"behind one empty search it waits a 24th of the grace time", {WELL, ONCE},
	DUE + HOUR - 1, LEASE_WAIT, DUE + HOUR, ""},
    {"then it searches again", {WELL, ONCE}, DUE + HOUR, LEASE_SEARCH, 0, ""},
    {"behind two empty searches it is an orphan", {WELL, TWICE}, DUE + HOUR,
	LEASE_REMOVE, 0, ""},
    {"for some minutes", {WELL, TWICE}, DUE + HOUR + 5 * MINUTE, LEASE_REMOVE,
	0, ""},
    {"then the event may have been saved after all: search again",
	{WELL, TWICE}, DUE + HOUR + 5 * MINUTE + 1, LEASE_SEARCH, 0, ""},
    {"a search in the future, by a clock that was set back, counts for nothing",
	{WELL, .empty_searches = 2, .empty_search_ms = DUE + 9 * HOUR}, DUE,
	LEASE_SEARCH, 0, ""},
    {"a mailbox followed since the very announcement has answered throughout",
	{TOLD, SUBSCRIBED, TWICE, .mailbox_since_ms = T0}, DUE + HOUR,
	LEASE_REMOVE, 0, ""},
    {"one that was parked meanwhile is searched for the event's sake",
	{TOLD, SUBSCRIBED, .mailbox_since_ms = T0 + 1}, DUE, LEASE_SEARCH, 0,
	""},
    {"but nothing found there proves nothing",
	{TOLD, SUBSCRIBED, ONCE, .mailbox_since_ms = T0 + 1}, DUE,
	LEASE_UNCONFIRMED, 0, "out of reach in the meantime"},
    {"nor does it when it was parked between the searches",
	{TOLD, SUBSCRIBED, TWICE, .mailbox_since_ms = DUE + 1}, DUE + HOUR,
	LEASE_UNCONFIRMED, 0, "out of reach in the meantime"},
    {"a parked mailbox can not be searched",
	{WELL, .mailbox = LEASE_OUT_OF_REACH}, DUE, LEASE_UNCONFIRMED, 0,
	"is out of reach"},
    {"a parked mailbox is none of our concern before the grace time is over",
	{WELL, .mailbox = LEASE_OUT_OF_REACH}, DUE - 1, LEASE_WAIT, DUE, ""},
    {"a mailbox that is not followed says nothing",
	{WELL, TWICE, .mailbox = LEASE_NOT_FOLLOWED}, DUE + HOUR,
	LEASE_UNCONFIRMED, 0, "not followed"},
    {"without a subscription nothing is proved",
	{TOLD, .mailbox_since_ms = T0 - HOUR, TWICE, .subscribed = false},
	DUE + HOUR, LEASE_UNCONFIRMED, 0, "no subscription"},
    {"what was announced for a shared mailbox is never removed",
	{WELL, TWICE, .shared = true}, DUE + HOUR, LEASE_UNCONFIRMED, 0,
	"shared mailbox"},
    {"nor what an event in another mailbox carries",
	{WELL, TWICE, .elsewhere = true}, DUE + HOUR, LEASE_UNCONFIRMED, 0,
	"another mailbox"},
    {"nor anything when deleted events are ignored",
	{WELL, TWICE, .stays = true}, DUE + HOUR, LEASE_UNCONFIRMED, 0,
	"onEventDeleted"},
    {"though the event is looked for", {WELL, .stays = true}, DUE, LEASE_SEARCH,
	0, ""},
};

static void
the_next_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct lease_case *c = &cases[i];
		int64_t until_ms = -1;
		const char *why = NULL;
		enum lease_step got =
		    lease_decide(&c->lease, c->now_ms, &until_ms, &why);

		if (got != c->want)
			fail_msg("%s: step %d", c->sentence, (int)got);
		if (got == LEASE_WAIT && until_ms != c->until_ms)
			fail_msg(
			    "%s: until %lld", c->sentence, (long long)until_ms);
		if (strstr(why, c->why) == NULL ||
		    (why[0] == '\0') != (got != LEASE_UNCONFIRMED))
			fail_msg("%s: \"%s\"", c->sentence, why);
	}
}

static void
what_counts_as_a_search(void **state)
{
	static const struct {
		const char *sentence;
		struct lease lease;
		int64_t now_ms;
		int want;
	} rows[] = {
	    {"the first is one", {WELL}, DUE, 1},
	    {"one too soon behind it does not count", {WELL, ONCE},
		DUE + HOUR - 1, 1},
	    {"one a 24th of the grace time later is the second", {WELL, ONCE},
		DUE + HOUR, 2},
	    {"behind two each one counts", {WELL, TWICE}, DUE + HOUR + 1, 3},
	    {"one of the future was none",
		{WELL, .empty_searches = 2, .empty_search_ms = DUE + HOUR}, DUE,
		1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got = lease_count(&rows[i].lease, rows[i].now_ms);

		if (got != rows[i].want)
			fail_msg("%s: %d", rows[i].sentence, got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_next_step),
	    cmocka_unit_test(what_counts_as_a_search),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
