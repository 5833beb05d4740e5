/* tests/unit/test_event.c - rule/event.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/when.h"
#include "rule/event.h"
#include "rule/recurrence.h"

#define ADDIN "0a1b2c3d-0000-4000-8000-00000000000a"
#define START                                                                  \
	"\"start\":{\"dateTime\":\"2026-12-01T09:00:00.0000000\","             \
	"\"timeZone\":\"UTC\"}"
#define END                                                                    \
	"\"end\":{\"dateTime\":\"2026-12-01T09:30:00.0000000\","               \
	"\"timeZone\":\"UTC\"}"
#define PROPERTY(value)                                                        \
	"\"singleValueExtendedProperties\":[{\"id\":\"String "                 \
	"{00020329-0000-0000-c000-000000000046} Name cecp-" ADDIN              \
	"\",\"value\":\"" value "\"}]"
#define LINKED                                                                 \
	"{\\\"unblu\\\":\\\"{\\\\\\\"v\\\\\\\":1,\\\\\\\"conversationId"       \
	"\\\\\\\":\\\\\\\"conv_1-A\\\\\\\",\\\\\\\"sourceId\\\\\\\":"          \
	"\\\\\\\"outlook-addin:1\\\\\\\"}\\\"}"

static int
read_event(const char *text, struct event *out, struct err *e)
{
	json_t *doc = json_load_strict(text, strlen(text), e);
	int rc;

	assert_non_null(doc);
	rc = event_read(doc, ADDIN, out, e);
	json_decref(doc);
	return rc;
}

static void
an_answer_of_graph_is_read_whole(void **state)
{
	struct event ev;
	struct err e = {0};
	int64_t want;

	(void)state;
	assert_int_equal(
	    read_event(
		"{\"id\":\"AAkALg_-=\",\"changeKey\":\"DwAAABYA\","
		"\"subject\":\"Beratung M\xc3\xbcller\",\"isAllDay\":false,"
		"\"isCancelled\":true,\"isDraft\":true,\"isOrganizer\":false,"
		"\"type\":\"seriesMaster\",\"seriesMasterId\":null,"
		"\"unknown\":{\"a\":[1]}," START "," END
		"," PROPERTY(LINKED) "}",
		&ev, &e),
	    0);
	assert_string_equal(ev.id, "AAkALg_-=");
	assert_string_equal(ev.change_key, "DwAAABYA");
	assert_string_equal(ev.subject, "Beratung M\xc3\xbcller");
	assert_int_equal(ev.type, EVENT_MASTER);
	assert_true(ev.cancelled && ev.draft && !ev.organizer && ev.timed);
	when_parse_iso("2026-12-01T09:00:00Z", false, &want);
	assert_true(ev.start_ms == want);
	assert_true(ev.end_ms == want + 1800000);
	assert_true(ev.year == 2026 && ev.month == 12 && ev.day == 1);
	assert_true(ev.linked);
	assert_string_equal(ev.conversation, "conv_1-A");
	assert_string_equal(ev.source_id, "outlook-addin:1");
	event_clear(&ev);
}

static void
a_draft_has_no_time_and_that_is_no_fault(void **state)
{
	struct event ev;
	struct err e = {0};

	(void)state;
	assert_int_equal(
	    read_event(
		"{\"id\":\"AAk\",\"subject\":null,\"start\":null}", &ev, &e),
	    0);
	assert_false(ev.timed);
	assert_false(ev.linked);
	assert_string_equal(ev.subject, "");
	event_clear(&ev);
}

static void
an_event_that_can_not_be_trusted_is_refused(void **state)
{
	static const char *const bad[] = {
	    "{}",
	    "[]",
	    "{\"id\":\"\"}",
	    "{\"id\":\"../x\"}",
	    "{\"id\":\"a/b\"}",
	    "{\"id\":5}",
	    "{\"id\":\"AAk\",\"start\":{\"dateTime\":\"tomorrow\","
	    "\"timeZone\":\"UTC\"}}",
	    "{\"id\":\"AAk\",\"start\":{\"dateTime\":"
	    "\"2026-12-01T09:00:00\",\"timeZone\":\"W. Europe Standard "
	    "Time\"}}",
	    "{\"id\":\"AAk\",\"start\":{\"dateTime\":"
	    "\"2026-12-01T09:00:00\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct event ev;
		struct err e = {0};

		if (read_event(bad[i], &ev, &e) == 0)
			fail_msg("was read: %s", bad[i]);
		assert_int_equal(e.code, ERR_INPUT);
	}
}

static void
an_occurrence_and_an_exception_name_their_master(void **state)
{
	struct event ev;
	struct err e = {0};

	(void)state;
	assert_int_equal(
	    read_event("{\"id\":\"AAk\",\"type\":\"exception\","
		       "\"seriesMasterId\":\"AAkMaster\"," START "," END "}",
		&ev, &e),
	    0);
	assert_int_equal(ev.type, EVENT_OCCURRENCE);
	assert_string_equal(ev.master, "AAkMaster");
	event_clear(&ev);
	assert_int_equal(
	    read_event("{\"id\":\"AAk\",\"type\":\"somethingNew\"}", &ev, &e),
	    0);
	assert_int_equal(ev.type, EVENT_TYPE_OTHER);
	event_clear(&ev);
}

static void
a_master_says_how_long_its_series_goes_on(void **state)
{
#define RECURRENCE                                                             \
	"\"recurrence\":{\"pattern\":{\"type\":\"daily\",\"interval\":1},"     \
	"\"range\":{\"type\":\"endDate\",\"endDate\":\"2026-12-24\"}}"
	struct event ev;
	struct err e = {0};
	int64_t want;

	(void)state;
	when_parse_iso("2026-12-25T12:30:00Z", false, &want);
	assert_int_equal(read_event("{\"id\":\"AAk\",\"type\":\"seriesMaster\","
				    "" RECURRENCE "," START "," END "}",
			     &ev, &e),
	    0);
	assert_true(ev.series_end_ms == want);
	event_clear(&ev);
	assert_int_equal(read_event("{\"id\":\"AAk\",\"type\":\"seriesMaster\","
				    "\"recurrence\":null," START "," END "}",
			     &ev, &e),
	    0);
	assert_true(ev.series_end_ms == RECURRENCE_FOREVER_MS);
	event_clear(&ev);
	assert_int_equal(
	    read_event("{\"id\":\"AAk\",\"type\":\"singleInstance\","
		       "\"recurrence\":null," START "," END "}",
		&ev, &e),
	    0);
	assert_true(ev.series_end_ms == 0);
	event_clear(&ev);
}

static void
which_properties_are_ours_to_understand(void **state)
{
	static const struct {
		const char *sentence, *value;
		bool good;
	} cases[] = {
	    {"a string that holds an object",
		"{\"unblu\":\"{\\\"v\\\":1,\\\"conversationId\\\":\\\"c\\\","
		"\\\"sourceId\\\":\\\"s\\\"}\"}",
		true},
	    {"an object itself",
		"{\"unblu\":{\"v\":1,\"conversationId\":\"c\",\"sourceId\":"
		"\"s\",\"createdAt\":\"2026-01-01T00:00:00Z\"}}",
		true},
	    {"other members are kept and ignored",
		"{\"x\":[1],\"unblu\":{\"v\":1,\"conversationId\":\"c\","
		"\"sourceId\":\"s\",\"more\":{}}}",
		true},
	    {"another version is not ours",
		"{\"unblu\":{\"v\":2,\"conversationId\":\"c\",\"sourceId\":"
		"\"s\"}}",
		false},
	    {"no version at all is not ours",
		"{\"unblu\":{\"conversationId\":\"c\",\"sourceId\":\"s\"}}",
		false},
	    {"without a conversation",
		"{\"unblu\":{\"v\":1,\"sourceId\":\"s\"}}", false},
	    {"a conversation id with a slash",
		"{\"unblu\":{\"v\":1,\"conversationId\":\"../a\","
		"\"sourceId\":\"s\"}}",
		false},
	    {"a conversation id with a quote",
		"{\"unblu\":{\"v\":1,\"conversationId\":\"a'b\","
		"\"sourceId\":\"s\"}}",
		false},
	    {"without a sourceId",
		"{\"unblu\":{\"v\":1,\"conversationId\":"
		"\"c\"}}",
		false},
	    {"a blank in the sourceId",
		"{\"unblu\":{\"v\":1,\"conversationId\":\"c\",\"sourceId\":"
		"\"a b\"}}",
		false},
	    {"an empty sourceId",
		"{\"unblu\":{\"v\":1,\"conversationId\":\"c\",\"sourceId\":"
		"\"\"}}",
		false},
	    {"the other product's property",
		"{\"unbluConversationId\":\"abc\"}", false},
	    {"a key twice",
		"{\"unblu\":{\"v\":1,\"v\":1,\"conversationId\":\"c\","
		"\"sourceId\":\"s\"}}",
		false},
	    {"half an object", "{\"unblu\":\"{\\\"v\\\":1\"}", false},
	    {"not JSON", "hello", false},
	    {"nothing", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char conversation[EVENT_ID_MAX];
		char source[EVENT_SOURCE_MAX];
		struct err e = {0};
		int rc = event_property_read(
		    cases[i].value, conversation, source, &e);

		if ((rc == 0) != cases[i].good)
			fail_msg("%s: %s", cases[i].sentence, e.text);
	}
}

static void
a_sourceid_that_is_too_long_is_not_cut_but_refused(void **state)
{
	char value[512];
	char conversation[EVENT_ID_MAX];
	char source[EVENT_SOURCE_MAX];
	char big[EVENT_SOURCE_MAX + 1];

	(void)state;
	memset(big, 'a', EVENT_SOURCE_MAX);
	big[EVENT_SOURCE_MAX] = '\0';
	snprintf(value, sizeof(value),
	    "{\"unblu\":{\"v\":1,\"conversationId\":\"c\",\"sourceId\":"
	    "\"%s\"}}",
	    big);
	assert_int_equal(
	    event_property_read(value, conversation, source, NULL), -1);
}

static void
only_this_addins_property_counts(void **state)
{
	struct event ev;
	struct err e = {0};

	(void)state;
	assert_int_equal(
	    read_event("{\"id\":\"AAk\",\"singleValueExtendedProperties\":[{"
		       "\"id\":\"String {00020329-0000-0000-c000-000000000046}"
		       " Name cecp-99999999-0000-4000-8000-00000000000a\","
		       "\"value\":\"" LINKED "\"}]}",
		&ev, &e),
	    0);
	assert_false(ev.linked);
	event_clear(&ev);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_of_graph_is_read_whole),
	    cmocka_unit_test(a_draft_has_no_time_and_that_is_no_fault),
	    cmocka_unit_test(an_event_that_can_not_be_trusted_is_refused),
	    cmocka_unit_test(an_occurrence_and_an_exception_name_their_master),
	    cmocka_unit_test(a_master_says_how_long_its_series_goes_on),
	    cmocka_unit_test(which_properties_are_ours_to_understand),
	    cmocka_unit_test(
		a_sourceid_that_is_too_long_is_not_cut_but_refused),
	    cmocka_unit_test(only_this_addins_property_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
