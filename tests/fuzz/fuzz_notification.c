/* tests/fuzz/fuzz_notification.c - any bytes as a body from Graph. */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "rule/notification.h"

static void
look_at(const struct notification *n)
{
	FUZZ_CHECK(strlen(n->subscription) < NOTIFICATION_SUBSCRIPTION_MAX);
	FUZZ_CHECK(n->event[0] == '\0' ||
	    text_is_id(n->event, NOTIFICATION_EVENT_MAX - 1));
	FUZZ_CHECK(n->tenant[0] == '\0' || text_is_guid(n->tenant));
	FUZZ_CHECK(n->client_state_hash[0] == '\0' ||
	    strlen(n->client_state_hash) == 64);
	/* Nothing may be asked for without a sender or an event. */
	if (n->changes != 0)
		FUZZ_CHECK(n->event[0] != '\0' && !n->other_type);
	if (n->subscription[0] == '\0')
		FUZZ_CHECK(
		    n->changes == 0 && n->lifecycle == 0 && n->fault != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notification_list list;
	struct notification n;
	const char *why = "";
	size_t count = 0;

	if (notification_open((const char *)data, size, &list, &why) !=
	    NOTIFICATION_OK) {
		FUZZ_CHECK(why != NULL);
		return 0;
	}
	FUZZ_CHECK(why == NULL);
	while (notification_next(&list, &n)) {
		look_at(&n);
		count++;
	}
	FUZZ_CHECK(count <= NOTIFICATION_VALUES_MAX && count <= size);
	return 0;
}
