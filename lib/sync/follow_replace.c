/* sync/follow_replace.c - see follow_state.h: another subscription of ours is
 * in the way of a new one (409). Its clientState is not known, so it goes. */
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "sync/follow_state.h"

static const char follow_in_the_way[] = "in the way of a new one";

static int
follow_build_removal(struct http_request *req, void *arg, struct err *e)
{
	const struct follow *f = arg;

	(void)e;
	graph_unsubscribe_request(f->session->config, f->other_id, req);
	return 0;
}

static int
follow_parse_removal(const struct http_reply *reply, void *arg, struct err *e)
{
	(void)arg;
	return graph_unsubscribe_reply(reply, e);
}

static void
follow_removal_done(const struct err *e, void *arg)
{
	struct follow *f = arg;

	if (e->code != ERR_NONE)
		follow_fail(f, e);
	else if (f->fresh != NULL)
		follow_create(f);
	else
		follow_prepare(f);
}

static void
follow_delete(void *arg)
{
	struct follow *f = arg;

	if (follow_still_holds(f))
		follow_call(f, follow_build_removal, follow_parse_removal,
		    follow_removal_done);
}

/* Whoever took the claim meanwhile may have made just this one. */
void
follow_remove_other(struct follow *f, const char *reason)
{
	log_info("subscription-replaced", LOG_STR("tenant", f->tenant),
	    LOG_STR("mailbox", f->user), LOG_STR("subscription", f->other_id),
	    LOG_STR("reason", reason));
	follow_commit(f, follow_apply_hold, follow_delete);
}

static int
follow_build_list(struct http_request *req, void *arg, struct err *e)
{
	const struct follow *f = arg;

	return graph_list_subscriptions_request(
	    f->session->config, buf_text(&f->next), req, e);
}

static void
follow_listed(const struct graph_subscription *sub, void *arg)
{
	struct follow *f = arg;
	const char *resource = sub->resource;

	if (resource[0] == '/')
		resource++;
	if (strcasecmp(resource, f->fresh->resource) == 0 &&
	    strcmp(sub->application, f->session->config->client_id) == 0)
		text_copy(f->other_id, sizeof(f->other_id), sub->id);
}

static int
follow_parse_list(const struct http_reply *reply, void *arg, struct err *e)
{
	struct follow *f = arg;

	return graph_list_subscriptions_reply(
	    reply, follow_listed, f, &f->next, e);
}

static void
follow_list_done(const struct err *e, void *arg)
{
	struct follow *f = arg;
	struct err none = {.code = ERR_NONE};

	if (e->code != ERR_NONE) {
		follow_fail(f, e);
	} else if (f->other_id[0] != '\0') {
		follow_remove_other(f, follow_in_the_way);
	} else if (f->next.len > 0) {
		follow_call(
		    f, follow_build_list, follow_parse_list, follow_list_done);
	} else {
		err_set(&none, ERR_RETRY,
		    "409, but no subscription in the way was found");
		follow_fail(f, &none);
	}
}

/* Its clientState is not known, unless it is the one that we know. */
void
follow_replace(struct follow *f)
{
	if (f->other_id[0] == '\0') {
		buf_reset(&f->next);
		follow_call(
		    f, follow_build_list, follow_parse_list, follow_list_done);
	} else if (f->has_sub && !f->tried_renewal &&
	    strcasecmp(f->sub.id, f->other_id) == 0 &&
	    strcmp(f->sub.notification_url, f->fresh->notification_url) == 0) {
		follow_renew(f);
	} else {
		follow_remove_other(f, follow_in_the_way);
	}
}
