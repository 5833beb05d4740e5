/* tests/ctl/seed.c - a store with something of everything, for the tests of
 * outlook-addinctl: seed DATABASE [AGE_SECONDS], everything that old. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "port/store.h"

#define TENANT "11111111-2222-3333-4444-555555555555"
#define ALICE "aaaaaaaa-0000-0000-0000-000000000001"
#define BOB "bbbbbbbb-0000-0000-0000-000000000002"

static int
add_mailboxes(struct store *s, int64_t now_ms, struct err *e)
{
	struct store_subscription sub = {
	    .granted_ms = now_ms,
	    .expires_ms = now_ms + 3600000,
	    .created_ms = now_ms,
	};

	text_copy(sub.tenant, sizeof(sub.tenant), TENANT);
	text_copy(sub.user, sizeof(sub.user), ALICE);
	text_copy(sub.id, sizeof(sub.id), "sub-1");
	memset(sub.client_state_hash, 'a', 64);
	if (store_mailbox_follow(s, TENANT, ALICE, "alice@contoso.example",
		true, now_ms, NULL, e) != 0 ||
	    store_subscription_add_pending(s, &sub, e) != 0 ||
	    store_subscription_granted(s, &sub, e) != 0 ||
	    store_mailbox_follow(s, TENANT, BOB, "bob@contoso.example", true,
		now_ms, NULL, e) != 0)
		return -1;
	return store_mailbox_set_state(s, TENANT, BOB, STORE_MAILBOX_PARKED,
	    "no \033[31mlicence", now_ms + 3600000, now_ms, e);
}

static int
add_links(struct store *s, int64_t now_ms, struct err *e)
{
	static const struct {
		const char *conversation, *event;
		enum store_link_state state;
	} links[] = {
	    {"conv-1", "event-1", STORE_LINK_LINKED},
	    {"conv-2", "", STORE_LINK_ANNOUNCED},
	    {"conv-3", "event-3", STORE_LINK_FOREIGN},
	};

	for (int i = 0; i < 3; i++) {
		struct store_link l = {
		    .state = links[i].state, .created_ms = now_ms};

		text_copy(l.tenant, sizeof(l.tenant), TENANT);
		text_copy(l.user, sizeof(l.user), ALICE);
		text_copy(l.conversation, sizeof(l.conversation),
		    links[i].conversation);
		text_copy(l.event, sizeof(l.event), links[i].event);
		if (store_link_save(s, &l, e) != 0)
			return -1;
	}
	return 0;
}

static int
add_dead_letter(struct store *s, int64_t now_ms, struct err *e)
{
	const struct store_hint_item item = {
	    STORE_WORK_EVENT, TENANT, ALICE, "event-9", STORE_HINT_UPDATED};
	struct store_work w;
	int64_t next_ms;

	if (store_work_add(s, &item, 1, now_ms, 0, e) != 0 ||
	    store_work_claim(s, now_ms, 2, &w, 1, &next_ms, e) != 1)
		return -1;
	return store_work_bury(s, &w, "Unblu answered 400", now_ms, e);
}

int
main(int argc, char **argv)
{
	int64_t now_ms = clock_wall_ms();
	struct err e = {0};
	struct store *s;
	int rc = -1;

	if (argc < 2)
		return EXIT_FAILURE;
	if (argc > 2)
		now_ms -= strtoll(argv[2], NULL, 10) * 1000;
	log_init("seed", NULL, LOG_LEVEL_WARNING);
	s = store_open(argv[1], STORE_CREATE, 5000, now_ms, &e);
	if (s != NULL && add_mailboxes(s, now_ms, &e) == 0 &&
	    add_links(s, now_ms, &e) == 0 &&
	    add_dead_letter(s, now_ms, &e) == 0)
		rc = store_fact_set(s, "sync-heartbeat", "0", now_ms, &e);
	store_close(s);
	if (rc != 0)
		fprintf(stderr, "seed: %s\n", e.text);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
