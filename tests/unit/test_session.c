/* tests/unit/test_session.c - sync/session.h: which commits share a
 * transaction, and of which kind it is. */
#include "test_store.h"

#include "base/log.h"
#include "base/mem.h"
#include "port/store_db.h"
#include "port/store_replica.h"
#include "sync/session.h"

enum { COMMITS = 5 };

/* One that writes down in which transaction it was applied. */
struct noted {
	struct session_commit commit;
	struct bench *bench;
	int64_t transaction; /* commits of the session before it */
	bool beside;
	int applied, failures;
};

struct bench {
	struct test_store *t;
	struct config config;
	struct loop *loop;
	struct session *session;
	struct noted noted[COMMITS];
	int left;
};

static int
apply(struct store *s, void *arg, struct err *e)
{
	struct noted *n = arg;

	n->applied++;
	n->beside = s->beside;
	n->transaction = n->bench->session->commit_count;
	if (n->failures-- > 0)
		return err_set(e, ERR_RETRY, "not yet");
	return 0;
}

static void
after(void *arg)
{
	struct noted *n = arg;

	if (--n->bench->left == 0)
		loop_stop(n->bench->loop);
}

static void
opened(void *arg)
{
	(void)arg;
}

static struct bench *
bench_new(struct test_store *t)
{
	static char empty[] = "", leave[] = "leave";
	struct bench *b = mem_zalloc(sizeof(*b));

	log_init("test", NULL, LOG_LEVEL_ERROR);
	b->t = t;
	b->config.database = t->url;
	b->config.on_event_deleted = leave;
	b->config.ca_file = b->config.http_proxy = b->config.no_proxy = empty;
	b->loop = loop_new(&t->e);
	assert_non_null(b->loop);
	b->session = session_new(b->loop, &b->config);
	assert_int_equal(
	    session_open_store(b->session, 0, true, opened, b, &t->e), 0);
	return b;
}

static void
bench_run(struct bench *b, const char *kinds)
{
	b->left = (int)strlen(kinds);
	for (int i = 0; i < b->left; i++) {
		struct noted *n = &b->noted[i];

		n->bench = b;
		n->commit.beside = kinds[i] == 'b';
		n->commit.party = (struct store_party){TENANT, ANNA, "c"};
		n->commit.apply = apply;
		n->commit.after = after;
		n->commit.arg = n;
		session_commit(b->session, &n->commit);
	}
	assert_int_equal(loop_run(b->loop, &b->t->e), 0);
}

static void
bench_free(struct bench *b)
{
	session_free(b->session);
	loop_free(b->loop);
	free(b);
}

static void
one_that_has_to_be_alone_keeps_the_others_beside(void **state)
{
	static const int64_t shared[COMMITS] = {0, 0, 1, 2, 2};
	struct test_store *t = *state;
	struct bench *b = bench_new(t);
	bool shares = store_database_is_shared(t->url);

	bench_run(b, "bbabb");
	for (int i = 0; i < COMMITS; i++) {
		assert_int_equal(b->noted[i].beside, shares && i != 2);
		assert_int_equal(
		    b->noted[i].transaction, shares ? shared[i] : 0);
		assert_int_equal(b->noted[i].applied, 1);
	}
	bench_free(b);
}

static void
what_has_failed_is_tried_again_alone(void **state)
{
	struct test_store *t = *state;
	struct bench *b = bench_new(t);

	b->noted[1].failures = 1;
	bench_run(b, "bb");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(b->noted[i].applied, 2);
		assert_false(b->noted[i].beside);
	}
	bench_free(b);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(one_that_has_to_be_alone_keeps_the_others_beside),
	    cmocka_unit_test(what_has_failed_is_tried_again_alone),
	};

	return TEST_STORE_RUN("session", cases);
}
