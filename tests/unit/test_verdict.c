/* tests/unit/test_verdict.c - from Unblu's two answers to the verdict: may the
 * conversation of a deleted event be deleted (remote/unblu.h, rule/guard.h)?
 * The token is an administrator's, so nobody but us says no. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "remote/unblu.h"
#include "rule/guard.h"

/* As the API document has them; what is asked for nowhere is left out. */
static const char now[] =
    "{\"$_type\":\"ConversationData\",\"id\":\"conv\",\"topic\":\"T\","
    "\"scheduledTimestamp\":1764076800000,\"state\":\"CREATED\","
    "\"initialEngagementType\":\"SCHEDULED_CONVERSATION\","
    "\"sourceId\":\"source\",\"participants\":[{\"state\":\"ACTIVE\","
    "\"personId\":\"agent\",\"hidden\":false,\"participationType\":"
    "\"ASSIGNED_AGENT\"}],\"externalParticipants\":[],"
    "\"botParticipants\":[]}";
static const char then[] =
    "{\"$_type\":\"ConversationHistoryData\",\"id\":\"conv\","
    "\"state\":\"CREATED\",\"participants\":[{\"state\":\"ACTIVE\","
    "\"hidden\":false,\"participationType\":\"ASSIGNED_AGENT\",\"person\":"
    "{\"id\":\"agent\",\"personType\":\"AGENT\"}}],"
    "\"externalParticipants\":[],\"botParticipants\":[],"
    "\"lastMessageTimestamp\":null,"
    "\"lastCompletedRecordingTimestamp\":null}";

#define AGENT                                                                  \
	"{\"personId\":\"agent\",\"state\":\"ACTIVE\",\"participationType\":"  \
	"\"ASSIGNED_AGENT\"}"
#define PAST_AGENT                                                             \
	"{\"state\":\"ENDED\",\"participationType\":\"ASSIGNED_AGENT\","       \
	"\"person\":{\"id\":\"agent\"}}"

static struct http_reply
reply_of(const char *body)
{
	struct http_reply r = {
	    .result = HTTP_DONE,
	    .status = 200,
	    .body = body,
	    .body_len = strlen(body),
	    .retry_after_ms = -1,
	    .message = "",
	};

	snprintf(r.content_type, sizeof(r.content_type), "application/json");
	return r;
}

/* The text of an answer with the members given in change; "-name" takes one
 * away. Yours. */
static char *
changed(const char *answer, const char *change)
{
	json_t *doc = json_load_strict(answer, strlen(answer), NULL);
	json_t *other = json_load_strict(change, strlen(change), NULL);
	const char *key;
	json_t *value;
	char *text;

	assert_non_null(doc);
	if (other == NULL)
		fail_msg("%s", change);
	json_object_foreach(other, key, value)
	{
		if (key[0] == '-')
			json_object_del(doc, key + 1);
		else
			json_object_set(doc, key, value);
	}
	text = json_text(doc);
	json_decref(other);
	json_decref(doc);
	return text;
}

enum answer { DELETED, KEPT, WAITS, ASKED_AGAIN };

static enum answer
judge(const char *present, const char *past, const char **why)
{
	struct http_reply r = reply_of(present);
	struct conversation_history h;
	struct conversation c;
	struct err e = {0};

	if (unblu_read_reply(&r, &c, &e) != 0) {
		assert_int_equal(e.code, ERR_RETRY);
		return ASKED_AGAIN;
	}
	r = reply_of(past);
	if (unblu_history_reply(&r, &h, &e) != 0) {
		assert_int_equal(e.code, ERR_RETRY);
		return ASKED_AGAIN;
	}
	switch (guard_judge(&c, &h, "agent", why)) {
	case GUARD_DELETE:
		return DELETED;
	case GUARD_KEEP:
		return KEPT;
	case GUARD_WAIT:
		return WAITS;
	}
	return KEPT;
}

static void
only_an_untouched_conversation_is_deleted(void **state)
{
	static const struct {
		const char *sentence;
		const char *now, *then;
		enum answer want;
	} cases[] = {
	    {"nobody else, then and now, and no message", "{}", "{}", DELETED},
	    {"members that a newer server adds", "{\"labels\":[1]}",
		"{\"labels\":[1]}", DELETED},
	    {"a server that knows no bots and no externals",
		"{\"-botParticipants\":0,\"-externalParticipants\":0}",
		"{\"-botParticipants\":0,\"-externalParticipants\":0}",
		DELETED},
	    {"a history that names no state", "{}", "{\"-state\":0}", DELETED},
	    /* the state */
	    {"it is active", "{\"state\":\"ACTIVE\"}", "{}", KEPT},
	    {"it is onboarding", "{\"state\":\"ONBOARDING\"}", "{}", KEPT},
	    {"it is queued", "{\"state\":\"QUEUED\"}", "{}", KEPT},
	    {"it has ended", "{\"state\":\"ENDED\"}", "{}", KEPT},
	    {"its state is of the future", "{\"state\":\"PARKED\"}", "{}",
		KEPT},
	    {"its state differs in case", "{\"state\":\"created\"}", "{}",
		KEPT},
	    {"it names no state", "{\"-state\":0}", "{}", ASKED_AGAIN},
	    {"it was started between the two answers", "{}",
		"{\"state\":\"ONBOARDING\"}", KEPT},
	    /* who takes part */
	    {"nobody is in it", "{\"participants\":[]}", "{}", KEPT},
	    {"a visitor is in it",
		"{\"participants\":[" AGENT ",{\"personId\":\"guest\"}]}", "{}",
		KEPT},
	    {"a participant is listed as ENDED",
		"{\"participants\":[" AGENT ",{\"personId\":\"guest\","
		"\"state\":\"ENDED\"}]}",
		"{}", KEPT},
	    {"a hidden participant is in it",
		"{\"participants\":[" AGENT ",{\"personId\":\"boss\","
		"\"hidden\":true}]}",
		"{}", KEPT},
	    {"a participant of a kind of the future is in it",
		"{\"participants\":[" AGENT ",{\"personId\":\"x\","
		"\"participationType\":\"GHOST\"}]}",
		"{}", KEPT},
	    {"another agent has it now",
		"{\"participants\":[{\"personId\":\"other\","
		"\"participationType\":\"ASSIGNED_AGENT\"}]}",
		"{}", KEPT},
	    {"a participant is nobody known",
		"{\"participants\":[{\"personId\":null}]}", "{}", KEPT},
	    {"an external participant is in it",
		"{\"externalParticipants\":[{\"personId\":\"agent\"}]}", "{}",
		KEPT},
	    {"a bot is in it", "{\"botParticipants\":[{\"personId\":\"b\"}]}",
		"{}", KEPT},
	    {"who takes part is not said", "{\"-participants\":0}", "{}",
		ASKED_AGAIN},
	    {"who takes part is null", "{\"participants\":null}", "{}",
		ASKED_AGAIN},
	    {"who takes part is no list", "{\"participants\":{}}", "{}",
		ASKED_AGAIN},
	    {"the externals are null", "{\"externalParticipants\":null}", "{}",
		ASKED_AGAIN},
	    {"the bots are no list", "{\"botParticipants\":0}", "{}",
		ASKED_AGAIN},
	    /* who took part */
	    {"the agent left and came back", "{}",
		"{\"participants\":[" PAST_AGENT "," PAST_AGENT "]}", DELETED},
	    {"a visitor has left", "{}",
		"{\"participants\":[" PAST_AGENT ",{\"person\":{\"id\":"
		"\"guest\"},\"state\":\"ENDED\"}]}",
		KEPT},
	    {"a hidden participant has left", "{}",
		"{\"participants\":[" PAST_AGENT ",{\"person\":{\"id\":"
		"\"boss\"},\"hidden\":true}]}",
		KEPT},
	    {"somebody without a name has left", "{}",
		"{\"participants\":[" PAST_AGENT ",{\"person\":null}]}", KEPT},
	    {"an external participant has left", "{}",
		"{\"externalParticipants\":[{}]}", KEPT},
	    {"a bot has left", "{}", "{\"botParticipants\":[{}]}", KEPT},
	    {"the history does not say who", "{}", "{\"-participants\":0}",
		WAITS},
	    {"the history has null for who", "{}", "{\"participants\":null}",
		WAITS},
	    {"the history's externals are null", "{}",
		"{\"externalParticipants\":null}", WAITS},
	    {"the history's bots are a text", "{}",
		"{\"botParticipants\":\"\"}", WAITS},
	    /* what was said */
	    {"a message was written", "{}",
		"{\"lastMessageTimestamp\":1764000000000}", KEPT},
	    {"a message at a time of another form", "{}",
		"{\"lastMessageTimestamp\":\"2026-11-23T08:00:00Z\"}", KEPT},
	    {"no message has a time of 0", "{}", "{\"lastMessageTimestamp\":0}",
		DELETED},
	    {"something was recorded", "{}",
		"{\"lastCompletedRecordingTimestamp\":1764000000000}", KEPT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *present = changed(now, cases[i].now);
		char *past = changed(then, cases[i].then);
		const char *why = "";
		enum answer got = judge(present, past, &why);

		if (got != cases[i].want)
			fail_msg(
			    "%s: %d (%s)", cases[i].sentence, (int)got, why);
		free(present);
		free(past);
	}
}

/* Nothing is decided by it, so it need not be whole. */
static void
the_answer_to_a_change_needs_no_participants(void **state)
{
	char *text = changed(now, "{\"participants\":null}");
	struct http_reply r = reply_of(text);
	struct conversation c;
	struct err e = {0};

	(void)state;
	assert_int_equal(unblu_set_reply(&r, &c, &e), 0);
	assert_int_equal(c.state, GUARD_CREATED);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_an_untouched_conversation_is_deleted),
	    cmocka_unit_test(the_answer_to_a_change_needs_no_participants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
