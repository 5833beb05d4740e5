/* fcgi/web.h - the web process: one loop thread and one commit thread. */
#ifndef FCGI_WEB_H
#define FCGI_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/page.h"
#include "front.h"
#include "port/config.h"
#include "web_job.h"

enum {
	WEB_STORE_MS = 1000, /* not stored within: 503 */
	WEB_BODIES_MAX = 4 << 20, /* all bodies together */
	WEB_SPOOL_MAX = 3 << 20, /* of these, not yet complete ones */
	WEB_API_BODY_MAX = 16 << 10
};

struct commit;
struct web_loop;

/* Of the loop thread. */
struct web {
	const struct config *config;
	struct loop *loop;
	struct commit *commit;
	bool listen_stays; /* somebody else keeps the socket while we end */
	bool draining;
};

/* One request while the loop thread looks at it; all borrowed from front. */
struct request {
	struct front *front;
	const char *id; /* nginx's REQUEST_ID, "" when there is none */
	const char *method;
	const char *path; /* without the query */
	const char *query;
	uint64_t body_len; /* as counted in the records */
	bool too_long; /* over the budget: the body was read away */
};

/*
 * Runs the web process until SIGTERM: accepts on listen_fd, counts in page.
 * listen_stays: others will, who waits there is left to them at the end.
 * Returns the exit status.
 */
int web_main(const struct config *c, struct page *page, int listen_fd,
    bool listen_stays);

/*
 * Finds the request's route and lets it answer: either *reply is filled and
 * NULL returned, or a job for the commit thread is returned whose reply is
 * sent when it comes back.
 */
struct job *
web_route(struct web *w, const struct request *r, struct reply *reply);

/* The routes; arg is the rest of the path behind the route's prefix. */
struct job *web_webhook(struct web *w, const struct request *r, const char *arg,
    struct reply *reply);
struct job *web_links(struct web *w, const struct request *r, const char *arg,
    struct reply *reply);
struct job *web_live(struct web *w, const struct request *r, const char *arg,
    struct reply *reply);
struct job *web_ready(struct web *w, const struct request *r, const char *arg,
    struct reply *reply);
struct job *web_metrics(struct web *w, const struct request *r, const char *arg,
    struct reply *reply);

/* What a job gets that could not be done in time. */
void
web_late_reply(const struct web *w, const struct job *j, struct reply *reply);

#endif
