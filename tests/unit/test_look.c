/* tests/unit/test_look.c - the kinds of work over a store that can not be read
 * for once: the row stays, for "not readable" is not "not there". */
#include "test_store.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "port/store_due.h"
#include "port/store_retain.h"
#include "sync/engine.h"

enum { PATIENCE_MS = 20 * 1000, LOOK_MS = 20, YEAR_MS = 1000 * 1000 * 1000 };

/* The linker has the programs call __wrap_x() for x(). */
enum wrapped {
	WRAP_NONE,
	WRAP_LINK_BY_EVENT,
	WRAP_LINK_FIND,
	WRAP_LINK_EACH,
	WRAP_MAILBOX_FIND
};

static enum wrapped wrap_fails;
/* The first row that was deferred: its next attempt may come at once. */
static struct store_work wrap_deferred;

static int
wrap_fail(enum wrapped which, struct err *e)
{
	if (wrap_fails != which)
		return 0;
	wrap_fails = WRAP_NONE;
	return err_set(e, ERR_INPUT, "injected");
}

int __real_store_link_by_event(struct store *s, const char *tenant,
    const char *user, const char *event, struct store_link *out, struct err *e);
int __wrap_store_link_by_event(struct store *s, const char *tenant,
    const char *user, const char *event, struct store_link *out, struct err *e);
int __real_store_link_find(struct store *s, const char *conversation,
    struct store_link *out, struct err *e);
int __wrap_store_link_find(struct store *s, const char *conversation,
    struct store_link *out, struct err *e);
int __real_store_link_each(struct store *s, const char *tenant,
    const char *user, int (*each)(const struct store_link *l, void *arg),
    void *arg, struct err *e);
int __wrap_store_link_each(struct store *s, const char *tenant,
    const char *user, int (*each)(const struct store_link *l, void *arg),
    void *arg, struct err *e);
int __real_store_mailbox_find(struct store *s, const char *tenant,
    const char *user, struct store_mailbox *out, struct err *e);
int __wrap_store_mailbox_find(struct store *s, const char *tenant,
    const char *user, struct store_mailbox *out, struct err *e);

int
__wrap_store_link_by_event(struct store *s, const char *tenant,
    const char *user, const char *event, struct store_link *out, struct err *e)
{
	if (wrap_fail(WRAP_LINK_BY_EVENT, e) != 0)
		return -1;
	return __real_store_link_by_event(s, tenant, user, event, out, e);
}

int
__wrap_store_link_find(struct store *s, const char *conversation,
    struct store_link *out, struct err *e)
{
	if (wrap_fail(WRAP_LINK_FIND, e) != 0)
		return -1;
	return __real_store_link_find(s, conversation, out, e);
}

int
__wrap_store_link_each(struct store *s, const char *tenant, const char *user,
    int (*each)(const struct store_link *l, void *arg), void *arg,
    struct err *e)
{
	if (wrap_fail(WRAP_LINK_EACH, e) != 0)
		return -1;
	return __real_store_link_each(s, tenant, user, each, arg, e);
}

int
__wrap_store_mailbox_find(struct store *s, const char *tenant, const char *user,
    struct store_mailbox *out, struct err *e)
{
	if (wrap_fail(WRAP_MAILBOX_FIND, e) != 0)
		return -1;
	return __real_store_mailbox_find(s, tenant, user, out, e);
}

int __real_store_work_defer(struct store *s, const struct store_work *w,
    int64_t not_before_ms, const char *reason, struct err *e);
int __wrap_store_work_defer(struct store *s, const struct store_work *w,
    int64_t not_before_ms, const char *reason, struct err *e);

int
__wrap_store_work_defer(struct store *s, const struct store_work *w,
    int64_t not_before_ms, const char *reason, struct err *e)
{
	if (wrap_deferred.reason[0] == '\0') {
		wrap_deferred = *w;
		SET(wrap_deferred.reason, reason);
	}
	return __real_store_work_defer(s, w, not_before_ms, reason, e);
}

struct bench {
	struct test_store *t;
	struct config config;
	struct loop *loop;
	struct session *session;
	struct engine *engine;
	struct loop_timer *look;
	int64_t ends_ms;
};

static void
store_opened(void *arg)
{
	struct bench *b = arg;

	engine_begin(b->engine, false);
}

static struct bench *
bench_new(struct test_store *t)
{
	struct bench *b = mem_zalloc(sizeof(*b));
	static char empty[] = "";
	static char leave[] = "leave";
	static char nobody[] = "http://127.0.0.1:1";
	static char tenant[] = TENANT;
	static char *tenants[] = {tenant};

	log_init("test", NULL, LOG_LEVEL_ERROR);
	b->t = t;
	b->config.sync_enabled = true;
	b->config.catch_up_ms = YEAR_MS; /* no row of the clock's */
	b->config.database = t->url;
	b->config.login_url = b->config.authority = nobody;
	b->config.graph_url = b->config.deployment_url = nobody;
	b->config.on_event_deleted = leave;
	b->config.ca_file = b->config.http_proxy = b->config.no_proxy = empty;
	b->config.base = b->config.addin_id = empty;
	b->config.tenant_ids.items = tenants;
	b->config.tenant_ids.count = 1;
	b->loop = loop_new(&t->e);
	assert_non_null(b->loop);
	b->session = session_new(b->loop, &b->config);
	b->engine = engine_new(b->session);
	store_close(t->store);
	t->store = NULL;
	assert_int_equal(session_open_store(b->session, STORE_CHECKPOINTER,
			     true, store_opened, b, &t->e),
	    0);
	return b;
}

static void
bench_free(struct bench *b)
{
	engine_free(b->engine);
	session_free(b->session);
	loop_timer_free(b->look);
	loop_free(b->loop);
	free(b);
}

static void
look(void *arg)
{
	struct bench *b = arg;

	if ((wrap_fails == WRAP_NONE && engine_count(b->engine) == 0) ||
	    clock_mono_ms() > b->ends_ms)
		loop_stop(b->loop);
	else
		loop_timer_set(b->look, LOOK_MS);
}

/* A mailbox whose subscription is in order and whose catch-up is done: one that
 * the clock began could meet what is injected for another row. */
static void
add_mailbox(struct test_store *t, struct store *s)
{
	struct store_subscription sub = {.granted_ms = clock_wall_ms()};

	assert_ok(t, store_begin(s, &t->e));
	assert_ok(t,
	    store_mailbox_follow(
		s, TENANT, ANNA, "", false, clock_wall_ms(), NULL, &t->e));
	assert_ok(t,
	    store_mailbox_set_catch_up(s, TENANT, ANNA, clock_wall_ms(),
		clock_wall_ms() + YEAR_MS, &t->e));
	assert_ok(t, store_commit(s, &t->e));
	SET(sub.tenant, TENANT);
	SET(sub.user, ANNA);
	SET(sub.id, "11111111-0000-4000-8000-000000000000");
	SET(sub.client_state_hash, "hash");
	SET(sub.notification_url, "http://127.0.0.1:1/webhook/events");
	sub.created_ms = sub.granted_ms;
	sub.expires_ms = sub.granted_ms + YEAR_MS;
	assert_ok(t, store_subscription_granted(s, &sub, &t->e));
}

/* Its lease has run out long ago. */
static void
add_announced(struct test_store *t, struct store *s)
{
	struct store_link l = {.state = STORE_LINK_ANNOUNCED,
	    .tenant = TENANT,
	    .user = ANNA,
	    .conversation = "announced",
	    .announced_ms = 1,
	    .created_ms = 1};

	assert_ok(t, store_link_save(s, &l, &t->e));
}

static void
a_store_that_can_not_be_read_loses_no_row(void **state)
{
	static const struct {
		const char *sentence;
		enum store_kind kind;
		const char *event;
		enum wrapped fails;
	} cases[] = {
	    {"the link of an event", STORE_WORK_EVENT, "event",
		WRAP_LINK_BY_EVENT},
	    {"the mailbox of an event", STORE_WORK_EVENT, "event",
		WRAP_MAILBOX_FIND},
	    {"the link of a conversation", STORE_WORK_LINK, "conversation",
		WRAP_LINK_FIND},
	    {"the links of a followed mailbox", STORE_WORK_FOLLOW, "",
		WRAP_LINK_EACH},
	    {"the mailbox of a link that is due", STORE_WORK_LINK, "announced",
		WRAP_MAILBOX_FIND},
	};
	struct test_store *t = *state;
	struct bench *b = bench_new(t);

	b->config.orphan_grace_ms = 1;
	add_mailbox(t, b->session->store);
	add_announced(t, b->session->store);
	b->look = loop_timer_new(b->loop, look, b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_hint_item item = {
		    cases[i].kind, TENANT, ANNA, cases[i].event, 0};

		wrap_deferred = (struct store_work){.kind = 0};
		assert_ok(t,
		    store_work_add(b->session->store, &item, 1, clock_wall_ms(),
			0, &t->e));
		wrap_fails = cases[i].fails;
		engine_wake(b->engine);
		b->ends_ms = clock_mono_ms() + PATIENCE_MS;
		loop_timer_set(b->look, 0);
		assert_int_equal(loop_run(b->loop, &t->e), 0);
		if (strcmp(wrap_deferred.reason, "injected") != 0)
			fail_msg("%s: \"%s\"", cases[i].sentence,
			    wrap_deferred.reason);
		assert_int_equal(wrap_deferred.kind, cases[i].kind);
		assert_string_equal(wrap_deferred.event, cases[i].event);
		assert_ok(
		    t, store_forget(b->session->store, TENANT, ANNA, &t->e));
		add_mailbox(t, b->session->store);
		add_announced(t, b->session->store);
	}
	bench_free(b);
}

int
main(void)
{
	struct test_database *db =
	    (struct test_database *)(uintptr_t)&test_databases[0];
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_prestate_setup_teardown(
		a_store_that_can_not_be_read_loses_no_row, test_store_setup,
		test_store_teardown, db),
	};

	return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
