/* fcgi/inspect.c - see inspect.h. */
#include "inspect.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "port/store.h"

/* Behind everything else: it reads every page. */
enum { INSPECT_NICE = 10 };

static int
inspect_look(const struct config *c, struct err *e)
{
	struct store *s =
	    store_open(c->database, STORE_READ_ONLY, -1, clock_wall_ms(), e);
	int rc = -1;

	/* Not before: whoever opens first may have to go through the WAL, and
	 * the others wait for that. */
	(void)!setpriority(PRIO_PROCESS, 0, INSPECT_NICE);
	if (s != NULL)
		rc = store_check(s, e);

	store_close(s);
	return rc;
}

int
inspect_main(const struct config *c)
{
	struct err e = {0};
	int64_t start_ms = clock_mono_ms();

	for (int i = 0; i < 2; i++) {
		err_clear(&e);
		if (inspect_look(c, &e) == 0) {
			log_info("store-sound",
			    LOG_INT("ms", clock_mono_ms() - start_ms));
			return EXIT_SUCCESS;
		}
		if (e.code != ERR_INPUT) {
			log_info("store-not-inspected", LOG_ERR(&e));
			/* ERR_GONE: a first start. */
			return e.code == ERR_GONE ? EXIT_SUCCESS : EXIT_FAILURE;
		}
	}
	log_error("store-corrupt", LOG_ERR(&e));
	if (store_move_aside(c->database, clock_wall_ms(), &e) != 0) {
		log_error("store-not-moved-aside", LOG_ERR(&e));
		return EXIT_FAILURE;
	}
	log_warning("store-moved-aside",
	    LOG_STR("message", "a new store is begun and filled by adoption"));
	return EXIT_SUCCESS;
}
