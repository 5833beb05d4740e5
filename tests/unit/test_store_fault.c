/* tests/unit/test_store_fault.c - port/store.h over a failing disk: whatever
 * fails, and whenever the power goes, what was acknowledged is there. */
#include "test_store.h"

#include <errno.h>
#include <sqlite3.h>

#include "test_store_disk.h"

enum { NAMES = 64, CUTS = 3 };

/* A run of the scenario. */
struct run {
	struct test_store *t;
	bool reopen; /* the caller closes a failed handle */
	struct store *other; /* a second process, as far as it can tell */
	char names[NAMES][16];
	int acknowledged;
	int failures;
	int cuts; /* moments after the fault at which the power went */
	unsigned seed;
};

struct sight {
	const struct run *r;
	bool seen[NAMES];
};

static int
note_row(const struct store_work *w, bool in_progress, void *arg)
{
	struct sight *s = arg;

	(void)in_progress;
	for (int i = 0; i < s->r->acknowledged; i++) {
		if (strcmp(s->r->names[i], w->event) == 0)
			s->seen[i] = true;
	}
	return 0;
}

static void
assert_all_there(struct run *r, const char *url)
{
	struct err e = {0};
	struct sight sight = {.r = r};
	struct store *s = store_open(url, STORE_CREATE, 1000, T0, &e);

	if (s == NULL || store_check(s, &e) != 0 ||
	    store_work_each(s, NULL, NULL, note_row, &sight, &e) != 0) {
		print_error("%s\n", e.text);
		fail();
	}
	for (int i = 0; i < r->acknowledged; i++) {
		if (!sight.seen[i]) {
			print_error("lost: %s (fault at %d)\n", r->names[i],
			    (int)disk_faults.fail_at);
			fail();
		}
	}
	store_close(s);
}

/* What would be found if the power went now; soon after the fault, later it
 * makes no difference. */
static void
cut_the_power(struct run *r)
{
	struct disk_faults armed = disk_faults;
	char folder[128];
	char url[256];

	if (!disk_faults.fired || r->cuts++ >= CUTS)
		return;
	snprintf(folder, sizeof(folder), "%s/cut-%u", r->t->folder, r->seed);
	assert_int_equal(mkdir(folder, 0700), 0);
	disk_cut(folder, r->seed++);
	snprintf(url, sizeof(url), "sqlite:%s/state.db", folder);
	disk_faults.fail_at = 0;
	/* Not on the failing disk, and not to be remembered by it. */
	sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1);
	assert_all_there(r, url);
	sqlite3_vfs_register(sqlite3_vfs_find("test-disk"), 1);
	nftw(folder, test_store_remove, 8, FTW_DEPTH | FTW_PHYS);
	disk_faults = armed;
}

static void
assert_passing(const struct err *e)
{
	if (e->code != ERR_RETRY && e->code != ERR_FULL)
		print_error("%s\n", e->text);
	assert_true(e->code == ERR_RETRY || e->code == ERR_FULL);
}

/* A handle to work with; as a program would, it tries again. */
static struct store **
handle(struct run *r, bool other)
{
	struct store **s = other ? &r->other : &r->t->store;

	for (int i = 0; *s == NULL && i < 5; i++) {
		*s = store_open(
		    r->t->url, STORE_CHECKPOINTER, 1000, T0, &r->t->e);
		if (*s == NULL) {
			assert_passing(&r->t->e);
			r->failures++;
		}
	}
	assert_non_null(*s);
	return s;
}

static void
failed(struct run *r, struct store **s)
{
	assert_passing(&r->t->e);
	r->failures++;
	if (r->reopen) {
		store_close(*s);
		*s = NULL;
	}
	/* An error that stays ends after a while. */
	if (r->failures >= 3)
		disk_faults.for_good = false;
}

static void
add_row(struct run *r, bool other, int64_t delay_ms)
{
	char *name = r->names[r->acknowledged];
	struct store_hint_item item = {STORE_WORK_EVENT, TENANT, ANNA, name, 1};

	snprintf(name, sizeof(r->names[0]), "row-%d", r->acknowledged);
	for (int i = 0; i < 8; i++) {
		struct store **s = handle(r, other);

		if (store_work_add(*s, &item, 1, T0, delay_ms, &r->t->e) == 0) {
			r->acknowledged++;
			cut_the_power(r);
			return;
		}
		failed(r, s);
	}
	fail();
}

static void
checkpoint(struct run *r)
{
	for (int i = 0; i < 8; i++) {
		struct store **s = handle(r, false);

		if (store_checkpoint(*s, &r->t->e) == 0) {
			cut_the_power(r);
			return;
		}
		failed(r, s);
	}
	fail();
}

/* Claims what is there and defers it: reads, writes, folds. */
static void
claim(struct run *r)
{
	struct store_work w;
	int64_t next = 0;

	for (int i = 0; i < 8; i++) {
		struct store **s = handle(r, false);
		int n = store_work_claim(*s, T0 + DELAY,
		    &(struct store_quota){.per_mailbox = 2}, &w, 1, &next,
		    &r->t->e);

		if (n == 1 &&
		    store_work_defer(*s, &w, T0 + DELAY, "x", &r->t->e) == 0)
			return;
		/* A commit that failed may have come to stand. */
		if (n == 0 && store_work_recover(*s, NULL, &r->t->e) == 0)
			continue;
		failed(r, s);
	}
	fail();
}

static void
scenario(struct run *r)
{
	for (int i = 0; i < 4; i++) {
		add_row(r, false, DELAY);
		add_row(r, true, 0);
		if (i == 1)
			checkpoint(r);
		if (i == 2)
			claim(r);
	}
	checkpoint(r);
	add_row(r, true, DELAY);
	add_row(r, false, 0);
}

/* A fresh store with some rows. */
static void
make_store(struct run *r)
{
	disk_faults = (struct disk_faults){.error = EIO};
	disk_forget();
	r->t->store = store_open(
	    r->t->url, STORE_CREATE | STORE_CHECKPOINTER, 1000, T0, &r->t->e);
	assert_non_null(r->t->store);
	for (int i = 0; i < 5; i++)
		add_row(r, false, i % 2 ? DELAY : 0);
}

static void
remove_store(struct test_store *t)
{
	static const char *const suffixes[] = {
	    "", "-wal", "-shm", "-journal", ".lock"};
	char path[256];

	store_close(t->store);
	t->store = NULL;
	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/state.db%s", t->folder,
		    suffixes[i]);
		unlink(path);
	}
}

/* The n-th operation of the scenario fails, for every n. The number of n. */
static int
fail_one_by_one(struct test_store *t, int error, bool for_good, bool reopen)
{
	unsigned seed = 1;
	bool fired = true;
	int n = 0;

	while (fired) {
		struct run r = {.t = t, .reopen = reopen, .seed = seed};

		make_store(&r);
		disk_faults.fail_at = disk_faults.count + ++n;
		disk_faults.for_good = for_good;
		disk_faults.error = error;
		scenario(&r);
		fired = disk_faults.fired;
		disk_faults.fail_at = 0;
		store_close(r.other);
		r.other = NULL;
		assert_all_there(&r, t->url);
		r.cuts = 0;
		cut_the_power(&r);
		seed = r.seed;
		remove_store(t);
	}
	return n;
}

static int
setup_disk(void **state)
{
	int rc = test_store_setup(state);

	if (rc == 0) {
		remove_store(*state);
		disk_install();
	}
	return rc;
}

static int
teardown_disk(void **state)
{
	disk_faults.fail_at = 0;
	store_close(((struct test_store *)*state)->store);
	((struct test_store *)*state)->store = NULL;
	disk_remove();
	return test_store_teardown(state);
}

static void
an_io_error_of_any_operation_loses_nothing(void **state)
{
	assert_true(fail_one_by_one(*state, EIO, false, false) > 50);
}

static void
nor_when_the_handle_is_closed_after_it(void **state)
{
	assert_true(fail_one_by_one(*state, EIO, false, true) > 50);
}

static void
nor_when_the_error_stays_for_a_while(void **state)
{
	assert_true(fail_one_by_one(*state, EIO, true, false) > 50);
}

static void
a_full_disk_at_any_operation_loses_nothing(void **state)
{
	assert_true(fail_one_by_one(*state, ENOSPC, true, false) > 50);
}

static bool
works_on_nothing(const struct store_work *w, void *arg)
{
	(void)w;
	(void)arg;
	return false;
}

/* With one handle only: the next connection then finds the frames of the
 * failed commit, and takes them for good. */
static void
a_claim_that_failed_can_be_made_again(void **state)
{
	struct test_store *t = *state;
	bool fired = true;
	int ghosts = 0;

	for (int n = 1; fired; n++) {
		struct run r = {.t = t};
		struct store_work w[8] = {{0}};
		int64_t next = 0;
		int64_t count = 0;
		int taken = -1;

		make_store(&r);
		disk_faults.fail_at = disk_faults.count + n;
		for (int i = 0; i < 3 && taken < 0; i++)
			taken = store_work_claim(t->store, T0 + DELAY,
			    &(struct store_quota){.per_mailbox = 8}, w, 8,
			    &next, &t->e);
		fired = disk_faults.fired;
		disk_faults.fail_at = 0;
		if (taken != 5) {
			assert_ok(t,
			    store_work_recover_except(t->store,
				works_on_nothing, NULL, &count, &t->e));
			assert_int_equal(count, 5);
			assert_int_equal(
			    store_work_claim(t->store, T0 + DELAY,
				&(struct store_quota){.per_mailbox = 8}, w, 8,
				&next, &t->e),
			    5);
			ghosts++;
		}
		remove_store(t);
	}
	assert_true(ghosts > 0);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    {"an I/O error of any operation loses nothing",
		an_io_error_of_any_operation_loses_nothing, setup_disk,
		teardown_disk, NULL},
	    {"nor when the handle is closed after it",
		nor_when_the_handle_is_closed_after_it, setup_disk,
		teardown_disk, NULL},
	    {"nor when the error stays for a while",
		nor_when_the_error_stays_for_a_while, setup_disk, teardown_disk,
		NULL},
	    {"a full disk at any operation loses nothing",
		a_full_disk_at_any_operation_loses_nothing, setup_disk,
		teardown_disk, NULL},
	    {"a claim that failed can be made again",
		a_claim_that_failed_can_be_made_again, setup_disk,
		teardown_disk, NULL},
	};

	return TEST_SQLITE_RUN("store: faults", cases);
}
