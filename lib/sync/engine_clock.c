/* sync/engine_clock.c - see engine_state.h: what a clock that ran ahead has
 * left in the queue. */
#include "base/clock.h"
#include "base/log.h"
#include "rule/retry.h"
#include "sync/engine_state.h"

enum {
	/* Of a beat; most of them only look. A longer queue takes more. */
	ENGINE_MEND_LOOKS = 20
};

static void engine_mend_go_on(struct engine *e);

static int
engine_mend_apply(struct store *s, void *arg, struct err *err)
{
	struct engine *e = arg;

	e->mended = 0;
	return store_mend_apply(s, &e->mend, &e->mended, err);
}

static void
engine_mend_stands(void *arg)
{
	struct engine *e = arg;

	if (e->mended > 0)
		log_warning("clock-was-ahead", LOG_INT("rows", e->mended));
	e->mend.after = e->mend.last;
	engine_wake(e);
	engine_mend_go_on(e);
}

static void
engine_mend_go_on(struct engine *e)
{
	int rc = 0;

	while (rc == 0 && e->session->store != NULL && e->mend_looks > 0) {
		e->mend_looks--;
		e->mend.now_ms = clock_wall_ms();
		e->mend.wait_max_ms = RETRY_WAIT_MAX_MS;
		/* The store's trouble is told by who has to write. */
		rc = store_mend_look(e->session->store, &e->mend, NULL);
		if (rc == 0)
			e->mend.after = e->mend.last;
		if (rc == 0 && e->mend.last == 0)
			return;
	}
	if (rc != 1)
		return;
	e->mending.apply = engine_mend_apply;
	e->mending.after = engine_mend_stands;
	e->mending.arg = e;
	session_commit(e->session, &e->mending);
}

void
engine_mend_clock(struct engine *e)
{
	if (e->mending.in != NULL || !e->recovered)
		return;
	e->mend_looks = ENGINE_MEND_LOOKS;
	engine_mend_go_on(e);
}
