/* tests/unit/test_store_move.c - port/store_move.h: what is moved, beside
 * writers, and killed anywhere. */
#include "test_store_move.h"

#include <signal.h>

#include "port/store_replica.h"

static void
every_row_of_every_table_arrives_and_the_old_store_refuses_all(void **state)
{
	struct test_move *t = *state;
	struct store *before;
	char *there;

	test_move_fill(t, 1, 700);
	before = open_again(&t->old, STORE_CREATE);
	assert_moves(t);
	assert_false(t->result.resumed);
	assert_false(t->result.was_done);
	assert_int_equal(test_move_compare(t), t->result.count);
	assert_true(t->result.count >= 13);
	for (size_t i = 0; i < t->result.count; i++) {
		assert_true(t->result.sums[i].rows >= 700);
		assert_int_equal(strlen(t->result.sums[i].digest), 64);
	}
	there = test_postgres_ask("SELECT version FROM store_version");
	assert_int_equal(strtol(there, NULL, 10), STORE_SCHEMA_VERSION);
	free(there);

	assert_open_fails(&t->old, 0, ERR_CONFIG);
	assert_open_fails(&t->old, STORE_READ_ONLY, ERR_CONFIG);
	assert_open_fails(&t->old, STORE_CREATE, ERR_CONFIG);
	/* It says where to. */
	assert_non_null(strstr(t->old.e.text, t->to));
	assert_int_equal(store_fact_set(before, "late", "", T0, &t->old.e), -1);
	assert_int_equal(t->old.e.code, ERR_CONFIG);
	store_close(before);
	assert_true(test_can_be_used(t->to));
	assert_int_equal(test_move_compare(t), t->result.count);

	/* Once more, also when the new one is in use by now. */
	test_postgres_sql("DELETE FROM work WHERE id < 100");
	assert_moves(t);
	assert_true(t->result.was_done);
	assert_false(test_can_be_used(t->old.url));
}

static void
ids_go_on_behind_those_that_were_moved_and_work_goes_on(void **state)
{
	struct test_move *t = *state;
	struct test_store *s = &t->old;
	struct store_audit a = {.at_ms = T0,
	    .tenant = TENANT,
	    .user = ANNA,
	    .event = "",
	    .conversation = "",
	    .action = "x",
	    .outcome = "y",
	    .detail = ""};
	struct store_work w[8];
	int64_t back = 0;

	s->store = open_again(s, STORE_CREATE);
	for (int i = 0; i < 3; i++)
		assert_ok(s, store_audit_add(s->store, &a, &s->e));
	test_add(s, ANNA, "in progress", STORE_HINT_DELETED, T0, 0);
	assert_int_equal(test_claim(s, T0, w, 1, NULL), 1);
	test_add(s, ANNA, "queued", 1, T0, 0);
	test_add(s, BERT, "arrived", 1, T0, DELAY);
	close_store(s);
	assert_moves(t);

	s->store = store_open(t->to, 0, 5000, T0, &s->e);
	assert_non_null(s->store);
	assert_ok(s, store_audit_add(s->store, &a, &s->e));
	test_add(s, BERT, "new", 1, T0, 0);
	test_add(s, BERT, "also new", 1, T0, DELAY);
	/* What a sync of the old store had begun is begun again. */
	assert_ok(s, store_replica_join(s->store, "a", false, &back, &s->e));
	assert_int_equal(back, 1);
	assert_int_equal(
	    store_work_claim(s->store, T0 + DELAY,
		&(struct store_quota){.per_mailbox = 8}, w, 8, &back, &s->e),
	    5);
	close_store(s);
}

/* ---- beside writers ---- */

struct writer {
	struct test_move *t;
	struct store *store;
	int copying, held, closed, written;
};

static void
write_beside(const struct store_move_progress *p, void *arg)
{
	struct writer *w = arg;
	struct store_hint_item item = {
	    STORE_WORK_EVENT, TENANT, ANNA, "beside", 1};
	struct err e = {0};
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "fact-%d", w->written);
	rc = store_fact_set(w->store, name, "x", T0, &e);
	if (p->phase == STORE_MOVE_COPY) {
		w->copying++;
		assert_int_equal(rc, 0);
		if (w->copying % 16 == 1)
			assert_false(test_can_be_used(w->t->to));
		assert_int_equal(
		    store_work_add(w->store, &item, 1, T0, 0, &e), 0);
		snprintf(name, sizeof(name), "fact-%d", w->written / 2);
		assert_true(store_fact_remove(w->store, name, &e) >= 0);
		w->written++;
	} else if (p->phase == STORE_MOVE_HELD) {
		w->held++;
		assert_int_equal(rc, -1);
		assert_int_equal(e.code, ERR_RETRY);
	} else {
		w->closed++;
		assert_int_equal(rc, -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_true(test_can_be_used(w->t->to) ==
		    (p->phase == STORE_MOVE_DONE));
	}
}

static void
programs_write_until_the_last_moment_and_nothing_of_it_is_lost(void **state)
{
	struct test_move *t = *state;
	struct writer w = {.t = t};

	test_move_fill(t, 1, 300);
	w.store = store_open(t->old.url, STORE_CREATE, 1, T0, &t->old.e);
	assert_non_null(w.store);
	t->order.progress = write_beside;
	t->order.arg = &w;
	assert_moves(t);
	store_close(w.store);
	assert_true(w.copying > 10 && w.held > 10 && w.closed == 2);
	assert_int_equal(test_move_compare(t), t->result.count);
}

/* ---- interrupted ---- */

struct killer {
	int left; /* steps until it dies */
};

static void
die_at_once(const struct store_move_progress *p, void *arg)
{
	struct killer *k = arg;

	(void)p;
	if (k->left-- == 0)
		raise(SIGKILL);
}

/* The error's code, ERR_NONE at its end, or -1: it died on the way. */
static int
move_elsewhere(struct test_move *t, int steps)
{
	struct killer k = {.left = steps};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		t->order.progress = die_at_once;
		t->order.arg = &k;
		_exit(store_move(&t->order, &t->result, &t->old.e) == 0
			? ERR_NONE
			: (int)t->old.e.code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

/* True when it came to its end. On a busy machine PostgreSQL takes its time to
 * see that the one before has died. */
static bool
moves_until(struct test_move *t, int steps)
{
	enum { TRIES = 100, PAUSE_US = 100 * 1000 };
	int code = move_elsewhere(t, steps);

	for (int i = 0; i < TRIES && code == ERR_RETRY; i++) {
		usleep(PAUSE_US);
		code = move_elsewhere(t, steps);
	}
	assert_true(code == -1 || code == ERR_NONE);
	return code == ERR_NONE;
}

static void
killed_at_every_step_it_goes_on_and_never_are_both_in_use(void **state)
{
	struct test_move *t = *state;
	struct err e = {0};
	int closed = 0, steps = 0, copied = 0;

	test_move_fill(t, 1, 3);
	for (; !moves_until(t, steps); steps++) {
		struct store *s =
		    store_open(t->old.url, STORE_CREATE, 5000, T0, &e);
		bool there = test_can_be_used(t->to);

		/* From then on the way is a shorter one. */
		if (s == NULL && closed++ == 0) {
			copied = steps;
			steps = -1;
		}
		assert_false(s != NULL && there);
		/* Who can write does. */
		if (s != NULL)
			assert_int_equal(
			    store_fact_set(s, "step", "", steps, &e), 0);
		store_close(s);
	}
	assert_true(test_can_be_used(t->to));
	assert_moves(t);
	assert_true(t->result.was_done);
	assert_int_equal(test_move_compare(t), t->result.count);
	/* At each table of both passes, and of the one behind the mark, and
	 * behind its end. */
	assert_true(copied >= 2 * (int)t->result.count + 2);
	assert_true(closed >= (int)t->result.count + 3);
}

/* What was copied once is not what is there in the end: rows that have gone,
 * ids that were given out anew, values that are unique and have changed places.
 */
static void
what_has_changed_since_an_interruption_is_set_right(void **state)
{
	struct test_move *t = *state;
	int steps = 0;

	test_move_fill(t, 1, 600);
	/* Until all was copied. */
	do {
		char *there = NULL;

		assert_false(moves_until(t, steps++));
		there = test_postgres_ask("SELECT count(*) FROM work");
		if (steps > 60 || strtol(there, NULL, 10) >= 600)
			steps = -steps;
		free(there);
	} while (steps > 0);
	assert_true(steps > -60);
	sql(&t->old,
	    "DELETE FROM lane WHERE id > 587;"
	    "INSERT INTO lane SELECT id + 2, tenant || 'x', user_id, 1, 1"
	    " FROM lane WHERE id > 585;"
	    "UPDATE lane SET id = -id; UPDATE lane SET id = 601 + id;"
	    "DELETE FROM fact WHERE at_ms % 3 = 0;"
	    "UPDATE link SET topic = 'other' WHERE start_ms % 7 = 0;"
	    "UPDATE subscription SET client_state_hash = 'a' || expires_ms"
	    " WHERE expires_ms % 5 = 0;"
	    "DELETE FROM copy; DELETE FROM audit WHERE id BETWEEN 100 AND 500;"
	    "UPDATE dead SET id = id + 10000 WHERE id < 50");
	assert_moves(t);
	assert_true(t->result.resumed);
	assert_int_equal(test_move_compare(t), t->result.count);
}

int
main(void)
{
#define CASE(f)                                                                \
	cmocka_unit_test_setup_teardown(f, test_move_setup, test_move_teardown)
	const struct CMUnitTest cases[] = {
	    CASE(
		every_row_of_every_table_arrives_and_the_old_store_refuses_all),
	    CASE(ids_go_on_behind_those_that_were_moved_and_work_goes_on),
	    CASE(
		programs_write_until_the_last_moment_and_nothing_of_it_is_lost),
	    CASE(killed_at_every_step_it_goes_on_and_never_are_both_in_use),
	    CASE(what_has_changed_since_an_interruption_is_set_right),
	};

	return _cmocka_run_group_tests("store: moving it", cases,
	    sizeof(cases) / sizeof(cases[0]), test_postgres_start,
	    test_postgres_stop);
}
