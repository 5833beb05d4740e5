/* tests/unit/test_store.h - what the tests of port/store.h share: a fresh
 * store of each kind of database, for each case. */
#ifndef TEST_STORE_H
#define TEST_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
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

static const struct test_database test_databases[] = {
    {"sqlite", test_sqlite_url},
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

/* Every case on every kind of database. */
static inline int
test_store_run(const char *group, const struct CMUnitTest *cases, size_t count)
{
	struct CMUnitTest *all = calloc(count * TEST_DATABASES, sizeof(*all));
	size_t n = 0;
	int rc;

	for (size_t d = 0; d < TEST_DATABASES; d++) {
		for (size_t i = 0; i < count; i++) {
			union {
				const struct test_database *in;
				void *out;
			} state = {&test_databases[d]};

			all[n] = cases[i];
			if (all[n].setup_func == NULL) {
				all[n].setup_func = test_store_setup;
				all[n].teardown_func = test_store_teardown;
			}
			all[n].initial_state = state.out;
			n++;
		}
	}
	rc = _cmocka_run_group_tests(group, all, n, NULL, NULL);
	free(all);
	return rc;
}

#define TEST_STORE_RUN(group, cases)                                           \
	test_store_run(group, cases, sizeof(cases) / sizeof((cases)[0]))

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

#endif
