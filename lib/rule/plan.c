/* rule/plan.c - see plan.h. */
#include "rule/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/when.h"

enum { PLAN_DAY_MS = 24 * 60 * 60 * 1000, PLAN_REPLICATION_MS = 15 * 1000 };

void
plan_topic(
    const char *subject, const struct policy *policy, char out[PLAN_TOPIC_MAX])
{
	char *topic = text_one_line(subject);
	char *trimmed;
	size_t len;

	/* What nobody can see is no topic either. */
	if (!text_is_visible(topic)) {
		free(topic);
		topic = text_one_line(policy->fallback_topic);
	}
	len = text_cut_chars(topic, (size_t)policy->topic_max_chars);
	topic[len] = '\0';
	topic[text_cut_bytes(topic, PLAN_TOPIC_MAX - 1)] = '\0';
	/* A blank may have come to stand at the cut. */
	trimmed = text_trim(topic);
	text_copy(out, PLAN_TOPIC_MAX, trimmed);
	free(trimmed);
	free(topic);
}

/* Whether the link is over for this event: a live one, in a calendar again,
 * resumes what was kept when it was deleted. */
static bool
plan_is_over(const struct event *ev, const struct link *link)
{
	if (link->state == LINK_KEPT)
		return ev->cancelled;
	return link_is_over(link->state);
}

/* Whether nobody acts on the event, whatever is stored; says why. */
static bool
plan_is_ignored(
    const struct event *ev, const struct link *link, const char **why)
{
	if (link == NULL && !ev->linked)
		*why = "no property and no link";
	else if (!ev->organizer)
		*why = "an event of someone else";
	else if (ev->type == EVENT_TYPE_OTHER)
		*why = "an event of an unknown type";
	else if (link != NULL && !link->mine)
		*why = "the conversation belongs to another mailbox";
	else if (link != NULL && plan_is_over(ev, link))
		*why = "the link is over";
	else
		return false;
	return true;
}

/* Whether the link has another event that may be alive. */
static bool
plan_is_copy(const struct event *ev, const struct link *link)
{
	return link != NULL && link->event[0] != '\0' &&
	    link->state != LINK_ANNOUNCED && link->state != LINK_UNCONFIRMED &&
	    link->state != LINK_HELD && link->state != LINK_KEPT &&
	    strcmp(link->event, ev->id) != 0;
}

/* A day has no zone: it begins where the agent is. Should Graph ever give an
 * all-day event that does not begin at midnight, its start is an instant. */
static int64_t
plan_first_instant(const struct event *ev, const struct tz *zone)
{
	if (!ev->all_day || zone == NULL || ev->start_ms % PLAN_DAY_MS != 0)
		return ev->start_ms;
	return tz_day_start(zone, ev->year, ev->month, ev->day);
}

/* An occurrence leads to its master if it, or the master, is anything to us:
 * exceptions lose the property, others come with a copied one. */
static bool
plan_leads_to_master(const struct event *ev, const struct link *link)
{
	if (!ev->organizer || ev->master[0] == '\0')
		return false;
	return link != NULL ? link->mine && !link_is_over(link->state)
			    : ev->linked;
}

static void
plan_start(const struct link *link, int64_t start_ms, struct plan *out)
{
	out->start_ms = when_round_minute(start_ms);
	out->wants_time = true;
	out->set_time = link == NULL || !link->known ||
	    when_round_minute(link->start_ms) != out->start_ms;
}

static void
plan_single(const struct event *ev, const struct link *link,
    const struct tz *zone, struct plan *out)
{
	out->end_ms = ev->end_ms;
	plan_start(link, plan_first_instant(ev, zone), out);
}

/* The time of the last occurrence stays. When it was over is kept as well, or
 * the series would seem to end later with each look at it. */
static void
plan_series_over(const struct event *ev, const struct link *link,
    int64_t now_ms, struct plan *out)
{
	int64_t over_ms =
	    ev->series_end_ms < now_ms ? ev->series_end_ms : now_ms;

	if (link != NULL && link->occurrence_end_ms > 0 &&
	    link->occurrence_end_ms <= now_ms)
		over_ms = link->occurrence_end_ms;
	out->why = "no occurrence is left";
	out->end_ms = out->occurrence_end_ms = over_ms;
}

static void
plan_series(const struct event *ev, const struct link *link,
    const struct series *series, int64_t now_ms, struct plan *out)
{
	out->start_ms = link != NULL ? link->start_ms : 0;
	out->goes_on = series->found || ev->series_end_ms > series->until_ms;
	if (!out->goes_on) {
		plan_series_over(ev, link, now_ms, out);
		return;
	}
	out->end_ms = ev->series_end_ms;
	if (!series->found) {
		out->why = "the next occurrence is too far off";
		out->check_ms =
		    now_ms + SERIES_FAR_DAYS * (int64_t)24 * 60 * 60 * 1000;
		return;
	}
	if (out->end_ms < series->end_ms)
		out->end_ms = series->end_ms;
	out->occurrence_end_ms = series->end_ms;
	out->check_ms = series->end_ms + SERIES_AFTER_MS;
	plan_start(link, series->start_ms, out);
}

/* What is left when nobody objects. */
static void
plan_follow(const struct event *ev, const struct link *link,
    const struct series *series, const struct policy *policy,
    const struct tz *zone, int64_t now_ms, struct plan *out)
{
	out->kind = PLAN_FOLLOW;
	plan_topic(ev->subject, policy, out->topic);
	out->set_topic = link == NULL || !link->known ||
	    strcmp(link->topic, out->topic) != 0;
	if (ev->type == EVENT_MASTER)
		plan_series(ev, link, series, now_ms, out);
	else
		plan_single(ev, link, zone, out);
}

void
plan_event(const struct event *ev, const struct link *link,
    const struct series *series, const struct policy *policy,
    const struct tz *zone, int64_t now_ms, struct plan *out)
{
	memset(out, 0, sizeof(*out));
	out->why = "";
	if (ev->type == EVENT_OCCURRENCE) {
		out->kind =
		    plan_leads_to_master(ev, link) ? PLAN_MASTER : PLAN_NOTHING;
		return;
	}
	if (plan_is_ignored(ev, link, &out->why))
		return;
	if (plan_is_copy(ev, link)) {
		out->kind = ev->cancelled ? PLAN_NOTHING : PLAN_COPY;
		return;
	}
	if (!ev->timed && !ev->cancelled) {
		out->why = "a draft without a time";
		return;
	}
	out->take_event = link == NULL || strcmp(link->event, ev->id) != 0;
	if (ev->cancelled)
		out->kind = PLAN_CANCELED;
	else if (ev->type == EVENT_MASTER && series == NULL)
		out->kind = PLAN_OCCURRENCES;
	else
		plan_follow(ev, link, series, policy, zone, now_ms, out);
}

enum plan_gone
plan_gone(const struct link *link, const struct policy *policy, int64_t now_ms,
    int64_t *until_ms)
{
	int64_t since_ms = now_ms;

	*until_ms = 0;
	/* What was never seen can not be missed: that is the lease's affair. */
	if (link == NULL || !link->mine || link_is_over(link->state) ||
	    link->state == LINK_ANNOUNCED || link->state == LINK_UNCONFIRMED ||
	    policy->deletion == POLICY_LEAVE)
		return PLAN_GONE_NOTHING;
	/* By a clock that was ahead it may be gone since tomorrow. */
	if (link->gone_since_ms > 0 && link->gone_since_ms < now_ms)
		since_ms = link->gone_since_ms;
	*until_ms = since_ms + policy->deletion_grace_ms;
	if (link->gone_since_ms == 0 && policy->deletion_grace_ms > 0)
		return PLAN_GONE_GRACE;
	return now_ms < *until_ms ? PLAN_GONE_GRACE : PLAN_GONE_CONFIRM;
}

bool
plan_doubts_absence(const struct plan_absence *a)
{
	return a->saved && !a->deleted && a->attempts == 0 &&
	    a->age_ms < PLAN_REPLICATION_MS;
}

bool
plan_holds_deletion(
    const struct policy *policy, int64_t in_mailbox, int64_t in_tenant)
{
	return in_mailbox >= policy->max_deletions_per_mailbox ||
	    in_tenant >= policy->max_deletions_per_tenant;
}
