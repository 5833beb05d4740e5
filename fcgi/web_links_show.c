/* fcgi/web_links_show.c - see web_links_show.h. */
#include "web_links_show.h"

#include <stdio.h>
#include <string.h>

#include "base/when.h"

static const struct {
	const char *name;
	/* Why nothing is synchronised (any more), in general; NULL: it is. */
	const char *reason;
} show_states[STORE_LINK_STATE_COUNT] = {
    [STORE_LINK_ANNOUNCED] = {"announced", NULL},
    [STORE_LINK_LINKED] = {"linked", NULL},
    [STORE_LINK_GONE] = {"gone",
	"the event is gone: the conversation is removed unless it comes back"},
    [STORE_LINK_HELD] = {"held",
	"more deletions than allowed within an hour: an operator decides"},
    [STORE_LINK_FOREIGN] = {"foreign",
	"the conversation is not the one that was announced"},
    [STORE_LINK_ENDED] = {"ended", "the conversation has ended"},
    [STORE_LINK_KEPT] = {"kept",
	"there is no event any more, but the conversation was used"},
    [STORE_LINK_DELETED] = {"deleted", "the conversation is removed"},
    [STORE_LINK_UNCONFIRMED] = {"unconfirmed", "no event was found for it"},
    [STORE_LINK_ENDED_EARLY] = {"ended-early",
	"the conversation has ended before the last occurrence"},
};

static json_t *
show_time(int64_t ms)
{
	char text[WHEN_TEXT_MAX];

	if (ms == 0)
		return json_null();
	when_format_iso(ms, false, text);
	return json_string(text);
}

static json_t *
show_text(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

/* What is known of this very link says more than the state. */
static const char *
show_reason(const struct store_link *l)
{
	bool own = l->state == STORE_LINK_FOREIGN ||
	    l->state == STORE_LINK_KEPT || l->state == STORE_LINK_DELETED ||
	    l->state == STORE_LINK_UNCONFIRMED;

	if (own && l->last_error[0] != '\0')
		return l->last_error;
	return show_states[l->state].reason;
}

/* Only a mailbox that is not followed as usual is worth a word. */
static int
show_mailbox(
    struct store *s, const struct store_link *l, json_t *doc, struct err *e)
{
	struct store_mailbox box;
	int rc = store_mailbox_find(s, l->tenant, l->user, &box, e);

	if (rc != 1 || box.state == STORE_MAILBOX_FOLLOWED)
		return rc < 0 ? -1 : 0;
	return json_object_set_new(doc, "mailbox",
	    json_pack("{s:s, s:o}", "state",
		box.state == STORE_MAILBOX_PARKED ? "parked" : "unfollowed",
		"reason", show_text(box.reason)));
}

/* 1: writes are stopped for all, or for the tenant. 0, -1. */
static int
show_is_paused(struct store *s, const char *tenant, struct err *e)
{
	char fact[64];
	int rc = store_fact_get(s, "pause:", NULL, 0, NULL, e);

	if (rc != 0)
		return rc;
	snprintf(fact, sizeof(fact), "pause:%s", tenant);
	return store_fact_get(s, fact, NULL, 0, NULL, e);
}

static int
show_writes(struct store *s, const struct config *c, const struct store_link *l,
    json_t *doc, struct err *e)
{
	int paused = show_is_paused(s, l->tenant, e);

	if (paused < 0)
		return -1;
	if (paused == 1)
		return json_object_set_new(
		    doc, "writes", json_string("paused"));
	if (c->dry_run)
		return json_object_set_new(
		    doc, "writes", json_string("dry-run"));
	return 0;
}

json_t *
links_show(struct store *s, const struct config *c, const struct store_link *l,
    struct err *e)
{
	json_t *doc = json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o}", "v", 1,
	    "conversationId", l->conversation, "state",
	    show_states[l->state].name, "topic", show_text(l->topic), "start",
	    show_time(l->start_ms), "syncedAt", show_time(l->synced_ms),
	    "lastError", show_text(l->last_error));
	const char *reason = show_reason(l);

	if (reason != NULL)
		json_object_set_new(doc, "reason", json_string(reason));
	if (show_mailbox(s, l, doc, e) == 0 &&
	    show_writes(s, c, l, doc, e) == 0)
		return doc;
	json_decref(doc);
	return NULL;
}
