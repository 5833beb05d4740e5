/* tests/unit/test_engine.c - sync/engine.h over a disk that fails once: what
 * was queued is worked on all the same. */
#include "test_store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "port/metrics.h"
#include "sync/engine.h"

enum { PATIENCE_MS = 20 * 1000, LOOK_MS = 20 };

/* The disk below SQLite, which calls these instead of libc's. */
static int disk_failures;

int fsync(int fd);
int fdatasync(int fd);

static int
disk_sync(long number, int fd)
{
	if (disk_failures > 0) {
		disk_failures--;
		errno = EIO;
		return -1;
	}
	return (int)syscall(number, fd);
}

int
fsync(int fd)
{
	return disk_sync(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return disk_sync(SYS_fdatasync, fd);
}

struct rows {
	size_t all;
	size_t in_progress;
	size_t put_back; /* by their first claim */
};

struct bench {
	struct test_store *t;
	struct config config;
	struct loop *loop;
	struct session *session;
	struct engine *engine;
	struct loop_timer *look;
	int64_t ends_ms;
	size_t wanted; /* rows at which the loop ends */
	size_t put_back; /* of them */
	int silent; /* a peer that never answers */
	char login_url[64];
};

static int
count_row(const struct store_work *w, bool in_progress, void *arg)
{
	struct rows *r = arg;

	r->all++;
	r->put_back += w->not_before_ms > 0;
	r->in_progress += in_progress;
	return 0;
}

static struct rows
rows_of(struct bench *b)
{
	struct rows r = {0, 0, 0};

	/* The disk may fail under this look, too. */
	if (b->session->store == NULL ||
	    store_work_each(
		b->session->store, NULL, NULL, count_row, &r, &b->t->e) != 0)
		r.all = SIZE_MAX;
	return r;
}

static void
look(void *arg)
{
	struct bench *b = arg;

	struct rows r = rows_of(b);

	if ((r.all == b->wanted && r.put_back >= b->put_back) ||
	    clock_mono_ms() > b->ends_ms)
		loop_stop(b->loop);
	else
		loop_timer_set(b->look, LOOK_MS);
}

static void
run_until_rows(struct bench *b, size_t wanted)
{
	b->wanted = wanted;
	b->ends_ms = clock_mono_ms() + PATIENCE_MS;
	loop_timer_set(b->look, 0);
	assert_int_equal(loop_run(b->loop, &b->t->e), 0);
	assert_int_equal(rows_of(b).all, wanted);
}

static void
store_opened(void *arg)
{
	struct bench *b = arg;

	engine_begin(b->engine, false);
}

static void
listen_silently(struct bench *b)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	b->silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(b->silent >= 0);
	assert_int_equal(bind(b->silent, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(b->silent, 16), 0);
	assert_int_equal(
	    getsockname(b->silent, (struct sockaddr *)&a, &len), 0);
	snprintf(b->login_url, sizeof(b->login_url), "http://127.0.0.1:%d",
	    ntohs(a.sin_port));
}

static struct bench *
bench_new(struct test_store *t)
{
	struct bench *b = mem_zalloc(sizeof(*b));
	static char empty[] = "";
	static char leave[] = "leave";

	log_init("test", NULL, LOG_LEVEL_ERROR);
	b->t = t;
	listen_silently(b);
	b->config.sync_enabled = true;
	b->config.database = t->url;
	b->config.login_url = b->login_url;
	b->config.authority = b->login_url;
	b->config.on_event_deleted = leave;
	b->config.ca_file = b->config.http_proxy = b->config.no_proxy = empty;
	b->loop = loop_new(&t->e);
	assert_non_null(b->loop);
	b->session = session_new(b->loop, &b->config);
	b->engine = engine_new(b->session);
	b->look = loop_timer_new(b->loop, look, b);
	return b;
}

static void
bench_free(struct bench *b)
{
	engine_free(b->engine);
	session_free(b->session);
	loop_timer_free(b->look);
	loop_free(b->loop);
	close(b->silent);
	free(b);
}

static void
open_store(struct bench *b)
{
	/* Only the last connection reads the log anew, with what a failed
	 * commit has left there. */
	store_close(b->t->store);
	b->t->store = NULL;
	assert_int_equal(session_open_store(b->session, STORE_CHECKPOINTER,
			     true, store_opened, b, &b->t->e),
	    0);
}

/* An event of a tenant that is not configured: finished as soon as it is
 * claimed. */
static void
add_event(struct test_store *t, struct store *s, const char *event)
{
	struct store_hint_item item = {
	    STORE_WORK_EVENT, TENANT, ANNA, event, STORE_HINT_UPDATED};

	assert_ok(t, store_work_add(s, &item, 1, clock_wall_ms(), 0, &t->e));
}

static void
rows_whose_claim_failed_are_worked_on(void **state)
{
	struct test_store *t = *state;
	struct bench *b = bench_new(t);

	open_store(b);
	run_until_rows(b, 0);
	for (int failures = 1; failures <= 3; failures++) {
		add_event(t, b->session->store, "one");
		add_event(t, b->session->store, "two");
		add_event(t, b->session->store, "three");
		disk_failures = failures;
		engine_wake(b->engine);
		run_until_rows(b, 0);
		assert_int_equal(disk_failures, 0);
	}
	bench_free(b);
}

static void
a_task_in_flight_keeps_its_row_when_a_claim_fails(void **state)
{
	struct test_store *t = *state;
	struct store_hint_item keys = {STORE_WORK_KEYS, "", "", "", 0};
	struct bench *b = bench_new(t);

	open_store(b);
	assert_ok(t,
	    store_work_add(
		b->session->store, &keys, 1, clock_wall_ms(), 0, &t->e));
	add_event(t, b->session->store, "first");
	engine_wake(b->engine);
	run_until_rows(b, 1);
	assert_int_equal(rows_of(b).in_progress, 1);
	assert_int_equal(engine_count(b->engine), 1);
	add_event(t, b->session->store, "second");
	disk_failures = 1;
	engine_wake(b->engine);
	run_until_rows(b, 1);
	assert_int_equal(disk_failures, 0);
	assert_int_equal(rows_of(b).in_progress, 1);
	assert_int_equal(engine_count(b->engine), 1);
	bench_free(b);
}

static void
a_recovery_that_fails_is_repeated(void **state)
{
	struct test_store *t = *state;
	struct bench *b = bench_new(t);
	struct store_work w[2];
	int64_t next_ms;

	add_event(t, t->store, "of a dead sync");
	assert_int_equal(
	    store_work_claim(t->store, clock_wall_ms(),
		&(struct store_quota){.per_mailbox = 2}, w, 2, &next_ms, &t->e),
	    1);
	b->session->store_flags = STORE_CHECKPOINTER;
	b->session->store = store_open(
	    t->url, STORE_CHECKPOINTER, 1000, clock_wall_ms(), &t->e);
	assert_non_null(b->session->store);
	disk_failures = 1;
	engine_begin(b->engine, false);
	run_until_rows(b, 0);
	assert_int_equal(disk_failures, 0);
	bench_free(b);
}

static void
what_a_clock_an_hour_ahead_left_behind_is_worked_on(void **state)
{
	enum { HOUR_MS = 60 * 60 * 1000 };
	struct test_store *t = *state;
	int64_t ahead_ms = clock_wall_ms() + HOUR_MS;
	struct bench *b = bench_new(t);
	struct store_work w;

	/* A row, one that waits for ten years, and what has just arrived. */
	test_add(t, ANNA, "old", 0, 1, 0);
	assert_int_equal(test_claim(t, 1, &w, 1, NULL), 1);
	assert_ok(t,
	    store_work_defer(
		t->store, &w, ahead_ms + 87600LL * HOUR_MS, "once", &t->e));
	test_add(t, BERT, "row", 0, ahead_ms, 0);
	test_add(t, BERT, "arrival", 0, ahead_ms, DELAY);
	open_store(b);
	run_until_rows(b, 0);
	bench_free(b);
}

/* An event of a tenant that is configured: its token is never answered. */
static void
add_hanging(struct test_store *t, struct store *s, char *tenant, int count)
{
	for (int i = 0; i < count; i++) {
		char user[STORE_GUID];
		struct store_hint_item item = {STORE_WORK_EVENT, tenant, user,
		    "event", STORE_HINT_UPDATED};

		snprintf(user, sizeof(user), "%036d", i);
		assert_ok(
		    t, store_work_add(s, &item, 1, clock_wall_ms(), 0, &t->e));
	}
}

static void
a_tenant_that_hangs_leaves_room_for_the_others(void **state)
{
	static char tenants[4][STORE_GUID] = {
	    "aaaaaaaa-2222-4333-8444-555566667777",
	    "bbbbbbbb-2222-4333-8444-555566667777",
	    "cccccccc-2222-4333-8444-555566667777",
	    "dddddddd-2222-4333-8444-555566667777",
	};
	char *ids[4] = {tenants[0], tenants[1], tenants[2], tenants[3]};
	struct test_store *t = *state;
	struct bench *b = bench_new(t);
	struct store *s = t->store;
	size_t share = (ENGINE_TASKS - 8) / 4;

	engine_free(b->engine);
	session_free(b->session);
	b->config.client_id = b->config.graph_url = b->login_url;
	b->config.client_secret = secret_new("x", 1);
	b->config.tenant_ids.items = ids;
	b->config.tenant_ids.count = 4;
	b->session = session_new(b->loop, &b->config);
	b->engine = engine_new(b->session);
	for (int i = 0; i < 3; i++)
		add_hanging(t, s, ids[i], ENGINE_TASKS);
	add_hanging(t, s, ids[3], 5);
	add_event(t, s, "of no tenant that is configured");
	open_store(b);
	/* Only the last one can end. */
	run_until_rows(b, 3 * ENGINE_TASKS + 5);
	assert_int_equal(engine_count(b->engine), 3 * share + 5);
	for (int i = 0; i < 3; i++)
		assert_int_equal(b->session->tenants[i].tasks, share);
	assert_int_equal(b->session->tenants[3].tasks, 5);
	secret_free(b->config.client_secret);
	bench_free(b);
}

/* A mailbox whose catch-up asks for a token, which is never answered. */
static void
add_catch_up(struct test_store *t, struct store *s, char *tenant, int number)
{
	struct store_link l = {
	    .state = STORE_LINK_LINKED, .synced_ms = 1, .written = 1};
	struct store_hint_item item = {
	    STORE_WORK_CATCHUP, tenant, l.user, "", STORE_HINT_MISSED};

	SET(l.tenant, tenant);
	SET(l.event, "event");
	SET(l.change_key, "key");
	snprintf(l.user, sizeof(l.user), "%036d", number);
	snprintf(l.conversation, sizeof(l.conversation), "c%d", number);
	assert_ok(t, store_link_save(s, &l, &t->e));
	assert_ok(t, store_work_add(s, &item, 1, clock_wall_ms(), 0, &t->e));
}

static void
catch_ups_leave_half_of_the_share_to_others(void **state)
{
	static char names[8][STORE_GUID];
	char *ids[8];
	struct test_store *t = *state;
	struct bench *b = bench_new(t);

	for (int i = 0; i < 8; i++) {
		snprintf(names[i], sizeof(names[i]), "%036d", i);
		ids[i] = names[i];
	}
	engine_free(b->engine);
	session_free(b->session);
	b->config.client_id = b->config.graph_url = b->login_url;
	b->config.client_secret = secret_new("x", 1);
	b->config.catch_up_ms = 6 * 60 * 60 * 1000;
	b->config.tenant_ids.items = ids;
	b->config.tenant_ids.count = 8;
	b->session = session_new(b->loop, &b->config);
	b->engine = engine_new(b->session);
	for (int i = 0; i < 15; i++)
		add_catch_up(t, t->store, ids[0], i);
	open_store(b);
	b->put_back = 8;
	run_until_rows(b, 15);
	assert_int_equal(rows_of(b).put_back, 8);
	secret_free(b->config.client_secret);
	bench_free(b);
}

int
main(void)
{
	struct test_database *db =
	    (struct test_database *)(uintptr_t)&test_databases[0];
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_prestate_setup_teardown(
		rows_whose_claim_failed_are_worked_on, test_store_setup,
		test_store_teardown, db),
	    cmocka_unit_test_prestate_setup_teardown(
		a_task_in_flight_keeps_its_row_when_a_claim_fails,
		test_store_setup, test_store_teardown, db),
	    cmocka_unit_test_prestate_setup_teardown(
		a_tenant_that_hangs_leaves_room_for_the_others,
		test_store_setup, test_store_teardown, db),
	    cmocka_unit_test_prestate_setup_teardown(
		catch_ups_leave_half_of_the_share_to_others, test_store_setup,
		test_store_teardown, db),
	    cmocka_unit_test_prestate_setup_teardown(
		a_recovery_that_fails_is_repeated, test_store_setup,
		test_store_teardown, db),
	    cmocka_unit_test_prestate_setup_teardown(
		what_a_clock_an_hour_ahead_left_behind_is_worked_on,
		test_store_setup, test_store_teardown, db),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
