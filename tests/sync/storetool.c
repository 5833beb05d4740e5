/* tests/sync/storetool.c - for the tests of sync: puts into the store what web
 * would, and shows what is in it as one JSON document. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "port/store.h"
#include "port/store_due.h"
#include "port/wake.h"
#include "rule/link.h"
#include "remote/graph_subscription.h"

static int
fail(const struct err *e)
{
	fprintf(stderr, "storetool: %s\n", e->text);
	return EXIT_FAILURE;
}

/* work KIND TENANT USER EVENT HINTS DELAY_MS */
static int
add_work(struct store *s, char **argv, struct err *e)
{
	struct store_hint_item item = {
	    .kind = (enum store_kind)strtol(argv[0], NULL, 10),
	    .tenant = argv[1],
	    .user = argv[2],
	    .event = argv[3],
	    .hints = (unsigned)strtoul(argv[4], NULL, 10),
	};

	return store_work_add(
	    s, &item, 1, clock_wall_ms(), strtoll(argv[5], NULL, 10), e);
}

/* announce CONVERSATION TENANT USER SOURCE TOPIC START_MS ZONE EVENT
 * [CHECK_MS SHARED] */
static int
announce(struct store *s, int argc, char **argv, struct err *e)
{
	struct store_link l = {.state = STORE_LINK_ANNOUNCED};
	bool other = false;

	text_copy(l.conversation, sizeof(l.conversation), argv[0]);
	text_copy(l.tenant, sizeof(l.tenant), argv[1]);
	text_copy(l.user, sizeof(l.user), argv[2]);
	text_copy(l.source_id, sizeof(l.source_id), argv[3]);
	text_copy(l.topic, sizeof(l.topic), argv[4]);
	l.start_ms = strtoll(argv[5], NULL, 10);
	text_copy(l.time_zone, sizeof(l.time_zone), argv[6]);
	text_copy(l.event, sizeof(l.event), argv[7]);
	l.created_ms = l.announced_ms = clock_wall_ms();
	if (argc == 10) {
		l.check_ms = strtoll(argv[8], NULL, 10);
		l.shared = strcmp(argv[9], "1") == 0;
	}
	return store_link_announce(s, &l, &other, e);
}

/* removed CONVERSATION: the agent has removed it himself, as web stores it */
static int
set_removed(struct store *s, const char *conversation, struct err *e)
{
	struct store_link l;
	struct store_hint_item work = {.kind = STORE_WORK_LINK, .event = ""};
	bool held;

	if (store_link_find(s, conversation, &l, e) != 1)
		return -1;
	held = l.state == STORE_LINK_HELD;
	work.tenant = l.tenant;
	work.user = l.user;
	work.event = l.conversation;
	l.state = STORE_LINK_DELETED;
	l.check_ms = 0;
	l.end_ms = link_end_when_over(l.series, l.end_ms, clock_wall_ms());
	if (store_link_save(s, &l, e) != 0)
		return -1;
	return held ? store_work_add(s, &work, 1, clock_wall_ms(), 0, e) : 0;
}

static int
each_link(const struct store_link *l, void *arg)
{
	json_array_append_new(arg,
	    json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:s, s:s, s:I, s:b, s:s,"
		      " s:I, s:I, s:s, s:s, s:i, s:i, s:I, s:I, s:I}",
		"conversation", l->conversation, "tenant", l->tenant, "user",
		l->user, "event", l->event, "state", (int)l->state, "verified",
		l->verified, "agent", l->agent, "topic", l->topic, "start",
		(json_int_t)l->start_ms, "written", l->written, "writing",
		l->writing, "gone", (json_int_t)l->gone_since_ms, "synced",
		(json_int_t)l->synced_ms, "error", l->last_error, "series",
		l->series, "searches", l->searches, "emptySearches",
		l->empty_searches, "end", (json_int_t)l->end_ms,
		"occurrenceEnd", (json_int_t)l->occurrence_end_ms, "check",
		(json_int_t)l->check_ms));
	return 0;
}

static int
each_mailbox(const struct store_mailbox *m, void *arg)
{
	json_array_append_new(arg,
	    json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:I}", "tenant",
		m->tenant, "user", m->user, "state", (int)m->state, "reason",
		m->reason, "retry", (json_int_t)m->retry_ms, "catchUp",
		(json_int_t)m->catch_up_ms, "check", (json_int_t)m->check_ms));
	return 0;
}

static int
each_subscription(const struct store_subscription *sub, void *arg)
{
	json_array_append_new(arg,
	    json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "tenant", sub->tenant,
		"user", sub->user, "id", sub->id, "hash",
		sub->client_state_hash, "granted", (json_int_t)sub->granted_ms,
		"expires", (json_int_t)sub->expires_ms));
	return 0;
}

static int
each_work(const struct store_work *w, bool in_progress, void *arg)
{
	json_array_append_new(arg,
	    json_pack("{s:i, s:s, s:s, s:s, s:i, s:I, s:I, s:i, s:s, s:b}",
		"kind", (int)w->kind, "tenant", w->tenant, "user", w->user,
		"event", w->event, "hints", (int)w->hints, "due",
		(json_int_t)w->due_ms, "notBefore",
		(json_int_t)w->not_before_ms, "attempts", w->attempts, "reason",
		w->reason, "inProgress", in_progress));
	return 0;
}

static int
each_dead(const struct store_dead *d, void *arg)
{
	json_array_append_new(arg,
	    json_pack("{s:i, s:s, s:s}", "kind", (int)d->work.kind, "event",
		d->work.event, "reason", d->reason));
	return 0;
}

static int
each_audit(const struct store_audit *a, void *arg)
{
	json_array_append_new(arg,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "conversation",
		a->conversation, "event", a->event, "action", a->action,
		"outcome", a->outcome, "detail", a->detail));
	return 0;
}

static int
each_fact(const char *name, const char *text, int64_t at_ms, void *arg)
{
	(void)at_ms;
	json_object_set_new(arg, name, json_string(text));
	return 0;
}

static int
dump(struct store *s, struct err *e)
{
	json_t *doc =
	    json_pack("{s:[], s:[], s:[], s:[], s:[], s:[], s:{}}", "links",
		"mailboxes", "subscriptions", "work", "dead", "audit", "facts");
	char *keys = NULL;
	char *text;
	int64_t at_ms, beat_ms = 0;
	int rc = -1;

	/* Work first: what is done meanwhile is then seen twice, not never. */
	if (store_fact_get(s, "sync-heartbeat", NULL, 0, &beat_ms, e) >= 0 &&
	    store_work_each(s, NULL, NULL, each_work,
		json_object_get(doc, "work"), e) == 0 &&
	    store_link_each(s, NULL, NULL, each_link,
		json_object_get(doc, "links"), e) == 0 &&
	    store_mailbox_each(
		s, each_mailbox, json_object_get(doc, "mailboxes"), e) == 0 &&
	    store_subscription_each(s, each_subscription,
		json_object_get(doc, "subscriptions"), e) == 0 &&
	    store_dead_each(s, each_dead, json_object_get(doc, "dead"), e) ==
		0 &&
	    store_audit_each(
		s, 0, each_audit, json_object_get(doc, "audit"), e) == 0 &&
	    store_fact_each(
		s, "", each_fact, json_object_get(doc, "facts"), e) == 0 &&
	    store_keys_load(s, &keys, &at_ms, e) == 0)
		rc = 0;
	json_object_set_new(doc, "beat", json_integer(beat_ms));
	json_object_set_new(doc, "keys",
	    keys != NULL ? json_loads(keys, 0, NULL) : json_null());
	if (rc == 0) {
		text = json_text(doc);
		puts(text);
		free(text);
	}
	free(keys);
	json_decref(doc);
	return rc;
}

/* downtime TENANT COUNT MS: so many made-up mailboxes are followed, and the
 * last heartbeat was so long ago. */
static int
downtime(struct store *s, char **argv, struct err *e)
{
	long count = strtol(argv[1], NULL, 10);
	char user[64];

	if (store_begin(s, e) != 0)
		return -1;
	for (long i = 0; i < count; i++) {
		snprintf(
		    user, sizeof(user), "00000000-0000-4000-8000-%012ld", i);
		if (store_mailbox_follow(s, argv[0], user, "", false,
			clock_wall_ms(), NULL, e) != 0)
			return -1;
	}
	if (store_fact_set(s, "sync-heartbeat", "0",
		clock_wall_ms() - strtoll(argv[2], NULL, 10), e) != 0)
		return -1;
	return store_commit(s, e);
}

/* missed TENANT USER...: all of these mailboxes, at the same moment. */
static int
missed(struct store *s, int count, char **argv, struct err *e)
{
	int rc = store_begin(s, e);

	for (int i = 1; rc == 0 && i < count; i++) {
		struct store_hint_item item = {
		    .kind = STORE_WORK_CATCHUP,
		    .tenant = argv[0],
		    .user = argv[i],
		    .event = "",
		    .hints = STORE_HINT_MISSED,
		};

		rc = store_work_add(s, &item, 1, clock_wall_ms(), 0, e);
	}
	return rc == 0 ? store_commit(s, e) : -1;
}

static int
seed_link(struct store *s, const json_t *o, struct err *e)
{
	struct store_link l = {
	    .state = STORE_LINK_LINKED, .verified = true, .written = true};

	text_copy(l.conversation, sizeof(l.conversation),
	    json_str(o, "conversation"));
	text_copy(l.tenant, sizeof(l.tenant), json_str(o, "tenant"));
	text_copy(l.user, sizeof(l.user), json_str(o, "user"));
	text_copy(l.source_id, sizeof(l.source_id), json_str(o, "sourceId"));
	text_copy(l.event, sizeof(l.event), json_str(o, "event"));
	text_copy(l.change_key, sizeof(l.change_key), json_str(o, "changeKey"));
	text_copy(l.topic, sizeof(l.topic), json_str(o, "topic"));
	text_copy(l.agent, sizeof(l.agent), json_str(o, "agent"));
	text_copy(l.series, sizeof(l.series), "single");
	l.start_ms = json_int(o, "start", 0);
	l.end_ms = json_int(o, "end", 0);
	l.created_ms = l.synced_ms = clock_wall_ms();
	return store_link_save(s, &l, e);
}

/* seed FILE: links that are in step with their events, one JSON array. */
static int
seed(struct store *s, const char *path, struct err *e)
{
	json_t *list = json_load_file(path, 0, NULL);
	int rc = store_begin(s, e);

	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
		rc = seed_link(s, json_array_get(list, i), e);
	if (rc == 0)
		rc = store_commit(s, e);
	json_decref(list);
	return rc;
}

/* One line of the file: "user id". */
static int
add_subscribed(struct store *s, struct store_subscription *sub,
    const char *line, struct err *e)
{
	char state[sizeof(sub->client_state_hash)];

	if (sscanf(line, "%36s %63s", sub->user, sub->id) != 2)
		return err_set(e, ERR_INPUT, "user and id are wanted");
	snprintf(state, sizeof(state), "%s%.28s", sub->user, sub->id);
	text_copy(
	    sub->client_state_hash, sizeof(sub->client_state_hash), state);
	graph_subscription_resource(
	    sub->user, sub->resource, sizeof(sub->resource));
	if (store_mailbox_follow(s, sub->tenant, sub->user, "", false,
		sub->created_ms, NULL, e) != 0)
		return -1;
	return store_subscription_granted(s, sub, e);
}

/* subscribed TENANT FILE URL CLIENT GRANTED_MS EXPIRES_MS: so many mailboxes
 * are followed and have a subscription. */
static int
subscribed(struct store *s, char **argv, struct err *e)
{
	struct store_subscription sub = {
	    .granted_ms = strtoll(argv[4], NULL, 10),
	    .expires_ms = strtoll(argv[5], NULL, 10)};
	FILE *f = fopen(argv[1], "r");
	char line[128];
	int rc = 0;

	if (f == NULL)
		return err_set(e, ERR_INPUT, "no file %s", argv[1]);
	sub.created_ms = sub.granted_ms;
	sub.requested_life_ms = sub.expires_ms - sub.granted_ms;
	text_copy(sub.tenant, sizeof(sub.tenant), argv[0]);
	text_copy(sub.notification_url, sizeof(sub.notification_url), argv[2]);
	text_copy(sub.application, sizeof(sub.application), argv[3]);
	text_copy(sub.addin, sizeof(sub.addin), argv[3]);
	if (store_begin(s, e) != 0)
		rc = -1;
	while (rc == 0 && fgets(line, sizeof(line), f) != NULL)
		rc = add_subscribed(s, &sub, line, e);
	fclose(f);
	return rc == 0 ? store_commit(s, e) : -1;
}

/* wake SOCKET */
static int
wake(const char *path, struct err *e)
{
	int fd = wake_open(e);

	if (fd < 0)
		return -1;
	wake_send(fd, path);
	close(fd);
	return 0;
}

static int
run(struct store *s, const char *verb, int argc, char **argv, struct err *e)
{
	if (strcmp(verb, "work") == 0 && argc == 6)
		return add_work(s, argv, e);
	if (strcmp(verb, "announce") == 0 && (argc == 8 || argc == 10))
		return announce(s, argc, argv, e);
	if (strcmp(verb, "removed") == 0 && argc == 1)
		return set_removed(s, argv[0], e);
	if (strcmp(verb, "follow") == 0 && argc == 3)
		return store_mailbox_follow(s, argv[0], argv[1], argv[2], false,
		    clock_wall_ms(), NULL, e);
	if (strcmp(verb, "email") == 0 && argc == 3)
		return store_mailbox_set_email(s, argv[0], argv[1], argv[2], e);
	if (strcmp(verb, "resume") == 0 && argc == 2)
		return store_mailbox_follow(
		    s, argv[0], argv[1], "", true, clock_wall_ms(), NULL, e);
	/* box TENANT USER STATE RETRY_MS */
	if (strcmp(verb, "box") == 0 && argc == 4)
		return store_mailbox_set_state(s, argv[0], argv[1],
		    (enum store_mailbox_state)strtol(argv[2], NULL, 10),
		    "by an operator", strtoll(argv[3], NULL, 10),
		    clock_wall_ms(), e);
	if (strcmp(verb, "fact") == 0 && argc == 2)
		return store_fact_set(s, argv[0], argv[1], clock_wall_ms(), e);
	if (strcmp(verb, "downtime") == 0 && argc == 3)
		return downtime(s, argv, e);
	if (strcmp(verb, "missed") == 0 && argc > 1)
		return missed(s, argc, argv, e);
	if (strcmp(verb, "seed") == 0 && argc == 1)
		return seed(s, argv[0], e);
	if (strcmp(verb, "release") == 0 && argc == 2)
		return store_work_release(s, argv[0], argv[1], e);
	/* caught TENANT USER AT_MS NEXT_MS */
	if (strcmp(verb, "caught") == 0 && argc == 4)
		return store_mailbox_set_catch_up(s, argv[0], argv[1],
		    strtoll(argv[2], NULL, 10), strtoll(argv[3], NULL, 10), e);
	if (strcmp(verb, "subscribed") == 0 && argc == 6)
		return subscribed(s, argv, e);
	if (strcmp(verb, "wake") == 0 && argc == 1)
		return wake(argv[0], e);
	if (strcmp(verb, "unfact") == 0 && argc == 1)
		return store_fact_remove(s, argv[0], e) < 0 ? -1 : 0;
	if (strcmp(verb, "dump") == 0 && argc == 0)
		return dump(s, e);
	return err_set(e, ERR_INPUT, "usage: storetool DATABASE VERB ...");
}

int
main(int argc, char **argv)
{
	struct err e = {.code = ERR_NONE};
	struct store *s;
	int rc;

	log_init("storetool", NULL, LOG_LEVEL_ERROR);
	if (argc < 3) {
		err_set(&e, ERR_INPUT, "usage: storetool DATABASE VERB ...");
		return fail(&e);
	}
	s = store_open(argv[1], STORE_CREATE, 5000, clock_wall_ms(), &e);
	if (s == NULL)
		return fail(&e);
	rc = run(s, argv[2], argc - 3, argv + 3, &e);
	store_close(s);
	return rc == 0 ? EXIT_SUCCESS : fail(&e);
}
