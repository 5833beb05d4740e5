/* fcgi/web_unknown.c - a notification by a subscription that the store does not
 * know: the store may have been lost, or be a restored backup. */
#include "base/clock.h"
#include "base/log.h"
#include "port/store_renewal.h"
#include "web_worker.h"

/* Anybody can send such notifications: a look at the fact costs a read, a fact
 * has the renewal read a list of each tenant. The store decides, so that
 * neither a restart nor a second web adds to it, and a new store has it soon.
 */
enum { UNKNOWN_LOOK_MS = 60 * 1000, UNKNOWN_PAUSE_MS = 60 * 60 * 1000 };

static int
unknown_write(struct store *s, struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	int64_t at_ms = 0;
	int rc =
	    store_fact_get(s, STORE_FACT_NOTIFIED_UNKNOWN, NULL, 0, &at_ms, e);

	if (rc < 0)
		return -1;
	if (rc == 1 && at_ms <= now_ms && now_ms - at_ms < UNKNOWN_PAUSE_MS)
		return 0;
	return store_fact_set(s, STORE_FACT_NOTIFIED_UNKNOWN, "", now_ms, e);
}

void
unknown_note(struct worker *w)
{
	int64_t now_ms = clock_mono_ms();
	struct err e = {0};

	w->unknown = false;
	if (w->unknown_looked_ms != 0 &&
	    now_ms - w->unknown_looked_ms < UNKNOWN_LOOK_MS)
		return;
	w->unknown_looked_ms = now_ms;
	if (unknown_write(w->store, &e) != 0)
		log_warning("unknown-subscription-not-noted", LOG_ERR(&e));
}
