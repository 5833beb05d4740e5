/* tests/unit/test_notification.c - what a notification body asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/jws.h"
#include "rule/notification.h"

#define SUB "5522bd62-7c96-4530-85b0-00b916f61500"
#define TENANT "84bd8158-0000-4000-8000-000000000001"
#define SENDER                                                                 \
	"\"subscriptionId\":\"" SUB "\",\"tenantId\":\"" TENANT                \
	"\",\"clientState\":\"state\""
#define ID "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0_A="

static const char *why;

static enum notification_result
open_text(const char *text, struct notification_list *list)
{
	return notification_open(text, strlen(text), list, &why);
}

/* The only item of a body around these members. */
static struct notification
one(const char *members)
{
	static char text[8192];
	struct notification_list list;
	struct notification n, more;

	snprintf(text, sizeof(text), "{\"value\":[{%s}]}", members);
	assert_int_equal(open_text(text, &list), NOTIFICATION_OK);
	assert_true(notification_next(&list, &n));
	assert_false(notification_next(&list, &more));
	return n;
}

static void
a_change_names_sender_event_and_kind(void **state)
{
	char hash[65];
	struct notification n = one(SENDER
	    ",\"changeType\":\"updated\",\"resource\":\"Users/x/Events/y\","
	    "\"resourceData\":{\"@odata.type\":\"#Microsoft.Graph.Event\","
	    "\"@odata.etag\":\"W/\\\"x\\\"\",\"id\":\"" ID "\"}");

	(void)state;
	jws_sha256_hex("state", 5, hash);
	assert_string_equal(n.subscription, SUB);
	assert_string_equal(n.tenant, TENANT);
	assert_string_equal(n.client_state_hash, hash);
	assert_string_equal(n.event, ID);
	assert_int_equal(n.changes, NOTIFICATION_UPDATED);
	assert_int_equal(n.lifecycle, NOTIFICATION_NO_LIFECYCLE);
	assert_null(n.fault);
}

static void
each_change_type_is_a_hint_and_unknown_ones_say_look(void **state)
{
	static const struct {
		const char *type;
		unsigned want;
	} cases[] = {
	    {"\"created\"", NOTIFICATION_CREATED},
	    {"\"Created\"", NOTIFICATION_CREATED},
	    {"\"updated\"", NOTIFICATION_UPDATED},
	    {"\"deleted\"", NOTIFICATION_DELETED},
	    {"\"DELETED\"", NOTIFICATION_DELETED},
	    {"\"merged\"", NOTIFICATION_UPDATED},
	    {"\"\\u0064eleted\"", NOTIFICATION_DELETED},
	    {"17", NOTIFICATION_UPDATED},
	};
	char members[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(members, sizeof(members),
		    SENDER ",\"changeType\":%s,\"resourceData\":{\"id\":\"" ID
			   "\"}",
		    cases[i].type);
		assert_int_equal(one(members).changes, cases[i].want);
	}
}

static void
the_three_lifecycle_events_are_told_apart(void **state)
{
	struct notification n;

	(void)state;
	n = one(SENDER ",\"lifecycleEvent\":\"reauthorizationRequired\"");
	assert_int_equal(n.lifecycle, NOTIFICATION_REAUTHORIZE);
	assert_int_equal(n.changes, 0);
	assert_null(n.fault);
	n = one(SENDER ",\"lifecycleEvent\":\"subscriptionRemoved\"");
	assert_int_equal(n.lifecycle, NOTIFICATION_REMOVED);
	n = one(SENDER ",\"lifecycleEvent\":\"missed\",\"changeType\":null");
	assert_int_equal(n.lifecycle, NOTIFICATION_MISSED);
	assert_null(n.fault);
	n = one(SENDER ",\"lifecycleEvent\":\"somethingNew\"");
	assert_int_equal(n.lifecycle, NOTIFICATION_NO_LIFECYCLE);
	assert_string_equal(n.fault, "unknown lifecycleEvent");
}

static void
an_item_with_both_kinds_asks_for_both(void **state)
{
	struct notification n = one(
	    SENDER ",\"lifecycleEvent\":\"missed\",\"changeType\":\"deleted\","
		   "\"resourceData\":{\"id\":\"" ID "\"}");

	(void)state;
	assert_int_equal(n.lifecycle, NOTIFICATION_MISSED);
	assert_int_equal(n.changes, NOTIFICATION_DELETED);
}

static void
a_lifecycle_item_may_carry_a_resource_that_is_ignored(void **state)
{
	struct notification n =
	    one(SENDER ",\"lifecycleEvent\":\"missed\","
		       "\"resource\":\"users/x/events\",\"resourceData\":null");

	(void)state;
	assert_int_equal(n.lifecycle, NOTIFICATION_MISSED);
	assert_null(n.fault);
	assert_string_equal(n.event, "");
}

static void
the_path_is_read_in_all_its_forms_when_there_is_no_id(void **state)
{
	static const char *const good[] = {
	    "Users/8a1e6c1e-0000-4000-8000-0000000000aa/Events/" ID,
	    "users/8a1e6c1e@84bd8158/events/" ID,
	    "USERS/x/EVENTS/" ID,
	    "Users('8a1e6c1e')/Events('" ID "')",
	    "https://graph.microsoft.com/v1.0/users/x/events/" ID,
	};
	static const char *const bad[] = {"", "Users/x", "Users/x/Events",
	    "Users/x/Events/", "Users/x/Events()", "Users/x/Events('')",
	    "Users/x/Events('a'", "Users/x/Events/a/b", "Users/x/Events/a%2Fb",
	    "Users/x/Eventsa", "Users/x/Events/../x", "Users/x/Messages/a"};
	char members[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(members, sizeof(members),
		    SENDER ",\"changeType\":\"updated\",\"resource\":\"%s\"",
		    good[i]);
		assert_string_equal(one(members).event, ID);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(members, sizeof(members),
		    SENDER ",\"changeType\":\"updated\",\"resource\":\"%s\"",
		    bad[i]);
		assert_string_equal(one(members).event, "");
		assert_string_equal(one(members).fault, "no event id");
	}
}

static void
ids_keep_their_case_and_their_alphabet(void **state)
{
	static const char *const bad[] = {"a/b", "a+b", "a b", "a.b", "a%41",
	    "", "..", "a\\u0000b", "\\u00e4", "a\\nb"};
	char members[1024];
	struct notification n;

	(void)state;
	n = one(SENDER ",\"changeType\":\"updated\",\"resourceData\":{\"id\":"
		       "\"aA_-=\"}");
	assert_string_equal(n.event, "aA_-=");
	n = one(SENDER ",\"changeType\":\"updated\",\"resourceData\":{\"id\":"
		       "\"\\u0061A\"}");
	assert_string_equal(n.event, "aA");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(members, sizeof(members),
		    SENDER ",\"changeType\":\"updated\",\"resource\":"
			   "\"users/x/events/other\","
			   "\"resourceData\":{\"id\":\"%s\"}",
		    bad[i]);
		n = one(members);
		assert_string_equal(n.event, "");
		assert_int_equal(n.changes, 0);
		assert_string_equal(n.fault, "malformed event id");
	}
}

static void
an_id_of_511_bytes_fits_and_one_more_does_not(void **state)
{
	char id[600], members[2048];

	(void)state;
	memset(id, 'a', sizeof(id));
	for (int len = 511; len <= 512; len++) {
		struct notification n;

		snprintf(members, sizeof(members),
		    SENDER ",\"changeType\":\"updated\",\"resourceData\":"
			   "{\"id\":\"%.*s\"}",
		    len, id);
		n = one(members);
		assert_int_equal(strlen(n.event), len == 511 ? 511 : 0);
	}
}

static void
what_is_not_an_event_is_ignored_without_a_fault(void **state)
{
	struct notification n = one(SENDER
	    ",\"changeType\":\"updated\",\"resourceData\":{\"@odata.type\":"
	    "\"#Microsoft.Graph.Calendar\",\"id\":\"x\"}");

	(void)state;
	assert_true(n.other_type);
	assert_int_equal(n.changes, 0);
	assert_null(n.fault);
	n = one(SENDER ",\"changeType\":\"updated\",\"resourceData\":"
		       "{\"@odata.type\":\"#microsoft.graph.event\",\"id\":"
		       "\"x\"}");
	assert_false(n.other_type);
	assert_int_equal(n.changes, NOTIFICATION_UPDATED);
}

static void
a_sender_that_can_not_be_read_is_no_sender(void **state)
{
	struct notification n;
	char members[1024], longer[300];

	(void)state;
	n = one("\"changeType\":\"updated\"");
	assert_string_equal(n.fault, "no subscriptionId");
	n = one("\"subscriptionId\":\"a b\"");
	assert_string_equal(n.fault, "no subscriptionId");
	n = one("\"subscriptionId\":17");
	assert_string_equal(n.subscription, "");
	n = one("\"subscriptionId\":\"" SUB "\",\"tenantId\":\"x\","
		"\"clientState\":5,\"lifecycleEvent\":\"missed\"");
	assert_string_equal(n.tenant, "");
	assert_string_equal(n.client_state_hash, "");
	n = one("\"subscriptionId\":\"" SUB
		"\",\"clientState\":null,\"lifecycleEvent\":\"missed\"");
	assert_string_equal(n.client_state_hash, "");
	/* nobody's secret is empty, whatever the store may hold */
	n = one("\"subscriptionId\":\"" SUB
		"\",\"clientState\":\"\",\"lifecycleEvent\":\"missed\"");
	assert_string_equal(n.client_state_hash, "");
	memset(longer, 'a', sizeof(longer));
	snprintf(members, sizeof(members),
	    "\"subscriptionId\":\"" SUB
	    "\",\"clientState\":\"%.256s\",\"lifecycleEvent\":\"missed\"",
	    longer);
	assert_string_equal(one(members).client_state_hash, "");
}

static void
a_tenant_is_lower_case_whatever_was_sent(void **state)
{
	struct notification n =
	    one("\"subscriptionId\":\"" SUB
		"\",\"tenantId\":\"84BD8158-ABCD-4000-8000-000000000001\"");

	(void)state;
	assert_string_equal(n.tenant, "84bd8158-abcd-4000-8000-000000000001");
}

static void
a_subscription_is_lower_case_whatever_was_sent(void **state)
{
	struct notification n =
	    one("\"subscriptionId\":\"5522BD62-7C96-4530-85b0-00B916F61500\"");

	(void)state;
	assert_string_equal(n.subscription, SUB);
	/* what is no GUID stays as it is */
	n = one("\"subscriptionId\":\"5522BD62-7C96\"");
	assert_string_equal(n.subscription, "5522BD62-7C96");
}

static void
items_that_are_no_objects_are_malformed_and_the_rest_is_read(void **state)
{
	static const char text[] = "{\"value\":[null,1,\"x\",[],{" SENDER
				   ",\"lifecycleEvent\":\"missed\"},true]}";
	struct notification_list list;
	struct notification n;
	int sound = 0, faults = 0;

	(void)state;
	assert_int_equal(open_text(text, &list), NOTIFICATION_OK);
	while (notification_next(&list, &n)) {
		if (n.fault == NULL)
			sound++;
		else
			faults++;
	}
	assert_int_equal(sound, 1);
	assert_int_equal(faults, 5);
}

static void
bodies_are_judged_as_a_whole(void **state)
{
	static const struct {
		const char *text;
		enum notification_result want;
	} cases[] = {
	    {"{\"value\":[]}", NOTIFICATION_OK},
	    {" {\"validationTokens\":[\"x\"],\"value\":[]} ", NOTIFICATION_OK},
	    {"", NOTIFICATION_NOT_JSON},
	    {" ", NOTIFICATION_NOT_JSON},
	    {"{", NOTIFICATION_NOT_JSON},
	    {"{\"value\":[]", NOTIFICATION_NOT_JSON},
	    {"{\"value\":[]}x", NOTIFICATION_NOT_JSON},
	    {"{\"value\":[{\"a\":1,\"a\":2}]}", NOTIFICATION_NOT_JSON},
	    {"{\"value\":[\"\xff\"]}", NOTIFICATION_NOT_JSON},
	    {"\xef\xbb\xbf{\"value\":[]}", NOTIFICATION_NOT_JSON},
	    {"{\"value\":[1,]}", NOTIFICATION_NOT_JSON},
	    {"{}", NOTIFICATION_NO_VALUE},
	    {"[]", NOTIFICATION_NO_VALUE},
	    {"1", NOTIFICATION_NO_VALUE},
	    {"{\"value\":{}}", NOTIFICATION_NO_VALUE},
	    {"{\"value\":null}", NOTIFICATION_NO_VALUE},
	    {"{\"Value\":[]}", NOTIFICATION_NO_VALUE},
	    {"{\"value\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
		NOTIFICATION_TOO_BIG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct notification_list list;

		if (open_text(cases[i].text, &list) != cases[i].want)
			fail_msg("%s: %s", cases[i].text, why);
		assert_true(
		    (why == NULL) == (cases[i].want == NOTIFICATION_OK));
	}
}

static void
too_long_and_too_many_are_too_big(void **state)
{
	char *text = calloc(1, NOTIFICATION_BODY_MAX + 2);
	struct notification_list list;
	size_t len = 0;

	(void)state;
	memset(text, ' ', NOTIFICATION_BODY_MAX + 1);
	memcpy(text, "{\"value\":[]}", 12);
	assert_int_equal(
	    notification_open(text, NOTIFICATION_BODY_MAX, &list, &why),
	    NOTIFICATION_OK);
	assert_int_equal(
	    notification_open(text, NOTIFICATION_BODY_MAX + 1, &list, &why),
	    NOTIFICATION_TOO_BIG);
	/* One value more than is allowed: the object, the array, the rest. */
	memcpy(text, "{\"value\":[1", 11);
	len = 11;
	for (int i = 0; i < NOTIFICATION_VALUES_MAX - 2; i++, len += 2)
		memcpy(text + len, ",1", 2);
	memcpy(text + len, "]}", 2);
	len += 2;
	assert_int_equal(
	    notification_open(text, len, &list, &why), NOTIFICATION_TOO_BIG);
	free(text);
}

/* Graph may send more members than we know, but not without end. */
static void
an_item_with_many_unknown_members_is_taken(void **state)
{
	char text[8192];

	(void)state;
	for (int n = NOTIFICATION_MEMBERS_MAX;
	     n <= NOTIFICATION_MEMBERS_MAX + 1; n++) {
		struct notification_list list;
		int len = snprintf(text, sizeof(text),
		    "{\"value\":[{\"changeType\":\"updated\"");

		for (int i = 1; i < n; i++)
			len += snprintf(text + len, sizeof(text) - (size_t)len,
			    ",\"unknown%d\":1", i);
		snprintf(text + len, sizeof(text) - (size_t)len, "}]}");
		assert_int_equal(open_text(text, &list),
		    n == NOTIFICATION_MEMBERS_MAX ? NOTIFICATION_OK
						  : NOTIFICATION_TOO_BIG);
	}
}

static void
a_body_cut_at_any_byte_is_refused(void **state)
{
	static const char text[] =
	    "{\"value\":[{" SENDER ",\"changeType\":\"updated\","
	    "\"resourceData\":{\"id\":\"" ID "\"}}]}";
	struct notification_list list;

	(void)state;
	for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
		/* A copy of that very size: reading on would be noticed. */
		char *part = malloc(cut + 1);

		memcpy(part, text, cut);
		assert_int_equal(notification_open(part, cut, &list, &why),
		    NOTIFICATION_NOT_JSON);
		free(part);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_change_names_sender_event_and_kind),
	    cmocka_unit_test(
		each_change_type_is_a_hint_and_unknown_ones_say_look),
	    cmocka_unit_test(the_three_lifecycle_events_are_told_apart),
	    cmocka_unit_test(an_item_with_both_kinds_asks_for_both),
	    cmocka_unit_test(
		a_lifecycle_item_may_carry_a_resource_that_is_ignored),
	    cmocka_unit_test(
		the_path_is_read_in_all_its_forms_when_there_is_no_id),
	    cmocka_unit_test(ids_keep_their_case_and_their_alphabet),
	    cmocka_unit_test(an_id_of_511_bytes_fits_and_one_more_does_not),
	    cmocka_unit_test(what_is_not_an_event_is_ignored_without_a_fault),
	    cmocka_unit_test(a_sender_that_can_not_be_read_is_no_sender),
	    cmocka_unit_test(a_tenant_is_lower_case_whatever_was_sent),
	    cmocka_unit_test(a_subscription_is_lower_case_whatever_was_sent),
	    cmocka_unit_test(
		items_that_are_no_objects_are_malformed_and_the_rest_is_read),
	    cmocka_unit_test(bodies_are_judged_as_a_whole),
	    cmocka_unit_test(too_long_and_too_many_are_too_big),
	    cmocka_unit_test(an_item_with_many_unknown_members_is_taken),
	    cmocka_unit_test(a_body_cut_at_any_byte_is_refused),
	};

	return cmocka_run_group_tests_name("notification", tests, NULL, NULL);
}
