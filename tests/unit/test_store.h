/* tests/unit/test_store.h - what the tests of port/store.h share: a fresh
 * store of each kind of database, for each case. */
#ifndef TEST_STORE_H
#define TEST_STORE_H

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#ifdef HAVE_POSTGRESQL
#include <libpq-fe.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "port/store.h"

#define TENANT "11111111-2222-4333-8444-555566667777"
#define OTHER_TENANT "99999999-2222-4333-8444-555566667777"
#define ANNA "aaaaaaaa-1111-4222-8333-444455556666"
#define BERT "bbbbbbbb-1111-4222-8333-444455556666"

enum { T0 = 1000000, DELAY = 2000 };

/* Into a char array. */
#define SET(array, text) assert_true(text_copy((array), sizeof(array), (text)))

/* A kind of database under test. */
struct test_database {
	const char *name;
	/* Where a new one can be made; folder is an empty folder. */
	void (*url)(const char *folder, char *out, size_t cap);
};

struct test_store {
	const struct test_database *database;
	char folder[64];
	char url[256];
	struct store *store;
	struct err e;
};

static inline void
test_sqlite_url(const char *folder, char *out, size_t cap)
{
	snprintf(out, cap, "sqlite:%s/state.db", folder);
}

#ifdef HAVE_POSTGRESQL
/* A server of this program's own, for all its cases; "" while there is none. */
static char test_postgres_at[256], test_postgres_folder[64];

static inline void
test_postgres_script(const char *command, char *out, size_t cap)
{
	const char *top = getenv("TOP_SRCDIR");
	char line[512] = "";
	FILE *f;

	snprintf(line, sizeof(line), "%s/tests/lib/postgres.sh %s %s",
	    top != NULL ? top : ".", command, test_postgres_folder);
	f = popen(line, "r");
	if (f == NULL || (out != NULL && fgets(out, (int)cap, f) == NULL))
		print_error("%s\n", line);
	if (f != NULL)
		pclose(f);
	if (out != NULL)
		out[strcspn(out, "\n")] = '\0';
}

static inline void
test_postgres_sql(const char *sql)
{
	PGconn *db = PQconnectdb(test_postgres_at);
	PGresult *r = PQexec(db, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK &&
	    PQresultStatus(r) != PGRES_TUPLES_OK)
		print_error("%s: %s\n", sql, PQerrorMessage(db));
	PQclear(r);
	PQfinish(db);
}

/* All connections but this one's. */
static inline void
test_postgres_cut_off(void)
{
	test_postgres_sql("SELECT pg_terminate_backend(pid)"
			  " FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
			  " AND datname = current_database()");
}

/* Each case has an empty database. */
static inline void
test_postgres_url(const char *folder, char *out, size_t cap)
{
	(void)folder;
	if (test_postgres_at[0] != '\0')
		test_postgres_sql("SET client_min_messages TO warning;"
				  "DROP SCHEMA public CASCADE;"
				  "CREATE SCHEMA public");
	snprintf(out, cap, "%s", test_postgres_at);
}

static inline int
test_postgres_start(void **state)
{
	(void)state;
	SET(test_postgres_folder, "/tmp/test-postgres-XXXXXX");
	if (mkdtemp(test_postgres_folder) == NULL)
		return -1;
	test_postgres_script(
	    "start", test_postgres_at, sizeof(test_postgres_at));
	return test_postgres_at[0] != '\0' ? 0 : -1;
}
#endif

static const struct test_database test_databases[] = {
    {"sqlite", test_sqlite_url},
#ifdef HAVE_POSTGRESQL
    {"postgresql", test_postgres_url},
#endif
};
enum { TEST_DATABASES = sizeof(test_databases) / sizeof(test_databases[0]) };

static inline int
test_store_remove(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
test_store_setup(void **state)
{
	struct test_store *t = calloc(1, sizeof(*t));

	t->database = *state;
	SET(t->folder, "/tmp/test-store-XXXXXX");
	if (mkdtemp(t->folder) == NULL)
		return -1;
	t->database->url(t->folder, t->url, sizeof(t->url));
	t->store = store_open(
	    t->url, STORE_CREATE | STORE_CHECKPOINTER, 5000, T0, &t->e);
	if (t->store == NULL)
		print_error("%s\n", t->e.text);
	*state = t;
	return t->store != NULL ? 0 : -1;
}

static inline int
test_store_teardown(void **state)
{
	struct test_store *t = *state;

	store_close(t->store);
	nftw(t->folder, test_store_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(t);
	return 0;
}

#ifdef HAVE_POSTGRESQL
static inline int
test_postgres_stop(void **state)
{
	(void)state;
	test_postgres_script("stop", NULL, 0);
	nftw(test_postgres_folder, test_store_remove, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}
#endif

static inline size_t
test_store_cases(const struct test_database *database,
    const struct CMUnitTest *cases, size_t count, struct CMUnitTest *out)
{
	for (size_t i = 0; i < count; i++) {
		union {
			const struct test_database *in;
			void *out;
		} state = {database};

		out[i] = cases[i];
		if (out[i].setup_func == NULL) {
			out[i].setup_func = test_store_setup;
			out[i].teardown_func = test_store_teardown;
		}
		out[i].initial_state = state.out;
	}
	return count;
}

/* Every case on the first so many kinds of database. */
static inline int
test_store_run(const char *group, const struct CMUnitTest *cases, size_t count,
    size_t databases)
{
	struct CMUnitTest *all = calloc(count * databases, sizeof(*all));
	CMFixtureFunction start = NULL, stop = NULL;
	size_t n = 0;
	int rc;

	for (size_t d = 0; d < databases; d++)
		n +=
		    test_store_cases(&test_databases[d], cases, count, all + n);
#ifdef HAVE_POSTGRESQL
	if (databases > 1) {
		start = test_postgres_start;
		stop = test_postgres_stop;
	}
#endif
	rc = _cmocka_run_group_tests(group, all, n, start, stop);
	free(all);
	return rc;
}

#define TEST_STORE_RUN(group, cases)                                           \
	test_store_run(                                                        \
	    group, cases, sizeof(cases) / sizeof((cases)[0]), TEST_DATABASES)
/* What is about files. */
#define TEST_SQLITE_RUN(group, cases)                                          \
	test_store_run(group, cases, sizeof(cases) / sizeof((cases)[0]), 1)

/* ---- short forms ---- */

#define assert_ok(t, call)                                                     \
	do {                                                                   \
		if ((call) != 0) {                                             \
			print_error("%s: %s\n", #call, (t)->e.text);           \
			fail();                                                \
		}                                                              \
	} while (0)

static inline void
test_add(struct test_store *t, const char *user, const char *event,
    unsigned hints, int64_t now_ms, int64_t delay_ms)
{
	struct store_hint_item item = {
	    STORE_WORK_EVENT, TENANT, user, event, hints};

	assert_ok(
	    t, store_work_add(t->store, &item, 1, now_ms, delay_ms, &t->e));
}

/* Claims with two rows per mailbox. */
static inline int
test_claim(struct test_store *t, int64_t now_ms, struct store_work *out,
    size_t limit, int64_t *next_ms)
{
	int64_t next = 0;
	int n = store_work_claim(t->store, now_ms,
	    &(struct store_quota){.per_mailbox = 2}, out, limit,
	    next_ms ? next_ms : &next, &t->e);

	if (n < 0)
		print_error("claim: %s\n", t->e.text);
	assert_true(n >= 0);
	return n;
}

static inline int64_t
test_rows(struct test_store *t)
{
	struct store_work_totals totals = {0};

	assert_ok(t, store_work_totals(t->store, &totals, &t->e));
	return totals.rows;
}

static inline void
test_follow(struct test_store *t, const char *user, const char *upn,
    bool resume, int64_t now_ms, bool want_changed)
{
	bool changed = !want_changed;

	assert_ok(t,
	    store_mailbox_follow(
		t->store, TENANT, user, upn, resume, now_ms, &changed, &t->e));
	assert_int_equal(changed, want_changed);
}

static inline struct store_subscription
test_subscription(const char *user, const char *hash, int64_t created_ms)
{
	struct store_subscription sub = {
	    .created_ms = created_ms, .requested_life_ms = 1000};

	SET(sub.tenant, TENANT);
	SET(sub.user, user);
	SET(sub.client_state_hash, hash);
	SET(sub.notification_url, "https://a.example/webhook/events");
	SET(sub.resource, "users/x/events");
	return sub;
}

static inline void
test_audit(struct test_store *t, int64_t at_ms, const char *user,
    const char *action, const char *outcome)
{
	struct store_audit a = {.at_ms = at_ms,
	    .tenant = TENANT,
	    .user = user,
	    .event = "e",
	    .conversation = "c",
	    .action = action,
	    .outcome = outcome};

	assert_ok(t, store_audit_add(t->store, &a, &t->e));
}

static inline struct store_link
test_full_link(void)
{
	struct store_link l = {
	    .conversation = "conv-1",
	    .tenant = TENANT,
	    .user = ANNA,
	    .source_id = "src",
	    .event = "AAMk=",
	    .state = STORE_LINK_LINKED,
	    .shared = true,
	    .verified = true,
	    .agent = "agent",
	    .topic = "Gespr\xc3\xa4"
		     "ch \xf0\x9f\x98\x80 'x'; --",
	    .start_ms = 60000,
	    .written = true,
	    .writing = "topic",
	    .end_ms = 120000,
	    .time_zone = "Europe/Zurich",
	    .change_key = "ck",
	    .series = "seriesMaster",
	    .created_ms = 1,
	    .announced_ms = 2,
	    .synced_ms = 3,
	    .gone_since_ms = 4,
	    .searches = 5,
	    .last_error = "none",
	};

	return l;
}

static inline int
test_count_link(const struct store_link *l, void *arg)
{
	assert_true(l->conversation[0] != '\0');
	++*(int *)arg;
	return 0;
}

#endif
