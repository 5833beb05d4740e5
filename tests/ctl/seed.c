/* tests/ctl/seed.c - a store with something of everything, for the tests of
 * outlook-addinctl: seed DATABASE [AGE_SECONDS [MORE...]], everything that old;
 * MORE: held (deletions), waiting (rows of the queue), busy (sync is at work on
 * Alice's mailbox). */
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
add_link(struct store *s, const char *user, const char *conversation,
    const char *event, enum store_link_state state, int64_t now_ms,
    struct err *e)
{
	struct store_link l = {.state = state, .created_ms = now_ms};

	text_copy(l.tenant, sizeof(l.tenant), TENANT);
	text_copy(l.user, sizeof(l.user), user);
	text_copy(l.conversation, sizeof(l.conversation), conversation);
	text_copy(l.event, sizeof(l.event), event);
	text_copy(l.topic, sizeof(l.topic), "topic-canary");
	if (state == STORE_LINK_HELD)
		l.gone_since_ms = now_ms - 120000;
	return store_link_save(s, &l, e);
}

static int
add_links(struct store *s, int64_t now_ms, struct err *e)
{
	if (add_link(s, ALICE, "conv-1", "event-1", STORE_LINK_LINKED, now_ms,
		e) != 0 ||
	    add_link(s, ALICE, "conv-2", "", STORE_LINK_ANNOUNCED, now_ms, e) !=
		0)
		return -1;
	return add_link(
	    s, ALICE, "conv-3", "event-3", STORE_LINK_FOREIGN, now_ms, e);
}

static int
add_held(struct store *s, int64_t now_ms, struct err *e)
{
	const struct store_audit a = {now_ms, TENANT, ALICE, "event-4",
	    "conv-4", "delete", "held", "more than\033[31m allowed"};

	if (add_link(s, ALICE, "conv-4", "event-4", STORE_LINK_HELD, now_ms,
		e) != 0 ||
	    add_link(s, ALICE, "conv-5", "event-5", STORE_LINK_HELD, now_ms,
		e) != 0 ||
	    add_link(s, BOB, "conv-6", "event-6", STORE_LINK_HELD, now_ms, e) !=
		0 ||
	    store_audit_add(s, &a, e) != 0)
		return -1;
	return store_fact_set(s, "degraded:deletions", "held", now_ms, e);
}

static int
add_row(struct store *s, const char *user, const char *event,
    const char *reason, int64_t now_ms, struct err *e)
{
	const struct store_hint_item item = {
	    STORE_WORK_EVENT, TENANT, user, event, STORE_HINT_UPDATED};
	struct store_work w;
	int64_t next_ms;

	if (store_work_add(s, &item, 1, now_ms, 0, e) != 0 ||
	    store_work_claim(s, now_ms, &(struct store_quota){.per_mailbox = 2},
		&w, 1, &next_ms, e) != 1)
		return -1;
	return reason == NULL
	    ? 0
	    : store_work_defer(s, &w, now_ms + 3600000, reason, e);
}

static int
add_waiting(struct store *s, int64_t now_ms, struct err *e)
{
	const struct store_hint_item later = {
	    STORE_WORK_SEARCH, TENANT, ALICE, "", 0};

	if (add_row(s, ALICE, "event-1", "writes are paused", now_ms, e) != 0 ||
	    add_row(s, BOB, "event-2", "Unblu answered 503", now_ms, e) != 0)
		return -1;
	return store_work_add(s, &later, 1, now_ms, 3600000, e);
}

/* What the words of the command line ask for. */
static int
add_more(struct store *s, char **words, int64_t now_ms, struct err *e)
{
	for (; *words != NULL; words++) {
		int rc = -1;

		if (strcmp(*words, "held") == 0)
			rc = add_held(s, now_ms, e);
		else if (strcmp(*words, "waiting") == 0)
			rc = add_waiting(s, now_ms, e);
		else if (strcmp(*words, "busy") == 0)
			rc = add_row(s, ALICE, "event-8", NULL, now_ms, e);
		if (rc != 0)
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
	    store_work_claim(s, now_ms, &(struct store_quota){.per_mailbox = 2},
		&w, 1, &next_ms, e) != 1)
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
	    add_dead_letter(s, now_ms, &e) == 0 &&
	    (argc < 4 || add_more(s, argv + 3, now_ms, &e) == 0))
		rc = store_fact_set(s, "sync-heartbeat", "0", now_ms, &e);
	store_close(s);
	if (rc != 0)
		fprintf(stderr, "seed: %s\n", e.text);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
