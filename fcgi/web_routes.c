/* fcgi/web_routes.c - which function answers which path. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "port/metrics.h"
#include "web.h"
#include "web_limit.h"
#include "web_worker.h"

struct route {
	const char *path; /* one that ends in '/' takes a last segment */
	bool at_root; /* also without {base} */
	bool needs_sync; /* 404 while syncServerEnabled is false */
	struct job *(*serve)(struct web *w, const struct request *r,
	    const char *arg, struct reply *reply);
};

static const struct route web_route_table[] = {
    {"/webhook/events", false, true, web_webhook},
    {"/webhook/lifecycle", false, true, web_webhook},
    {"/api/links/", false, true, web_links},
    {"/live", true, false, web_live},
    {"/ready", true, false, web_ready},
    {"/metrics", true, false, web_metrics},
};

/* What follows the route's path; NULL when path is another route's. */
static const char *
web_route_match(const struct route *route, const char *path)
{
	size_t len = strlen(route->path);

	if (strncmp(path, route->path, len) != 0)
		return NULL;
	return path[len] == '\0' || route->path[len - 1] == '/' ? path + len
								: NULL;
}

static const struct route *
web_route_find(const struct config *c, const char *path, const char **arg)
{
	size_t base = strlen(c->base);
	bool below = strncmp(path, c->base, base) == 0;

	for (size_t i = 0;
	     i < sizeof(web_route_table) / sizeof(web_route_table[0]); i++) {
		const struct route *route = &web_route_table[i];

		*arg = below ? web_route_match(route, path + base) : NULL;
		if (*arg == NULL && route->at_root)
			*arg = web_route_match(route, path);
		if (*arg != NULL)
			return route;
	}
	return NULL;
}

struct job *
web_route(struct web *w, const struct request *r, struct reply *reply)
{
	const char *arg = NULL;
	const struct route *route = web_route_find(w->config, r->path, &arg);

	if (route == NULL) {
		reply_error(reply, 404, "not-found", "no such route");
		return NULL;
	}
	if (route->needs_sync && !w->config->sync_enabled) {
		reply_error(reply, 404, "server-disabled",
		    "syncServerEnabled is false");
		return NULL;
	}
	return route->serve(w, r, arg, reply);
}

void
web_late_reply(const struct web *w, const struct job *j, struct reply *reply)
{
	static struct limit lines;
	int64_t left_out;

	if (j->kind == JOB_METRICS) {
		gauges_late(w->config, reply);
		return;
	}
	if (j->kind == JOB_NOTIFICATIONS)
		metrics_notification(METRICS_NOT_STORED, 1);
	if (limit_allows(&lines, clock_mono_ms(), &left_out))
		log_warning("not-stored", LOG_STR("requestId", j->request_id),
		    LOG_STR("reason", "the store does not answer in time"),
		    LOG_INT("suppressed", left_out));
	reply_not_now(reply, "not-stored", "the store does not answer in time");
}
