/* cronjob/adoption.c - see adoption.h. */
#include "adoption.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/when.h"
#include "port/store_renewal.h"

enum {
	ADOPTION_PAUSE_MS = 60 * 60 * 1000,
	ADOPTION_AGAIN_MS = 10 * 60 * 1000 /* when no list could be read */
};

static const char adoption_listed[] = "subscriptions-listed";
static const char adoption_failed[] = "subscriptions-not-listed";

/* When, 0 never; what a clock ahead of this one has noted does not count. */
static int
adoption_past(struct store *s, const char *fact, int64_t now_ms,
    int64_t *out_ms, struct err *e)
{
	*out_ms = 0;
	if (store_fact_get(s, fact, NULL, 0, out_ms, e) < 0)
		return -1;
	if (*out_ms > now_ms)
		*out_ms = 0;
	return 0;
}

/* When the file was moved aside: its name tells; 1 when it does not. */
static int64_t
adoption_stamp_ms(const char *stamp)
{
	struct when_utc t = {0};

	if (sscanf(stamp, "%4d%2d%2dT%2d%2d%2dZ", &t.year, &t.month, &t.day,
		&t.hour, &t.minute, &t.second) != 6)
		return 1;
	return when_from_utc(&t);
}

/* Whether a corrupt store was moved aside here since then. */
static bool
adoption_store_was_lost(const char *database, int64_t since_ms, int64_t now_ms)
{
	static const char prefix[] = "sqlite:";
	char pattern[4096];
	glob_t found;
	bool lost = false;
	int len;

	if (strncmp(database, prefix, sizeof(prefix) - 1) != 0)
		return false;
	len = snprintf(pattern, sizeof(pattern), "%s.corrupt-*",
	    database + sizeof(prefix) - 1);
	if (len < 0 || (size_t)len >= sizeof(pattern))
		return false;
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int64_t ms = adoption_stamp_ms(found.gl_pathv[i] + len - 1);

		lost = lost || (ms > since_ms && ms <= now_ms);
	}
	globfree(&found);
	return lost;
}

/* With nothing due: whether the store looks as if it had forgotten something.
 * -1 when it can not be read. */
static int
adoption_is_suspected(
    struct store *s, int64_t listed_ms, int64_t failed_ms, struct err *e)
{
	int64_t mailboxes[STORE_MAILBOX_UNFOLLOWED + 1];
	int64_t notified_ms = 0;

	if (store_fact_get(
		s, STORE_FACT_NOTIFIED_UNKNOWN, NULL, 0, &notified_ms, e) < 0)
		return -1;
	/* Anybody can have sent that: it is good for one try. */
	if (notified_ms > listed_ms && notified_ms > failed_ms)
		return 1;
	if (store_mailbox_totals(s, mailboxes, e) != 0)
		return -1;
	return mailboxes[STORE_MAILBOX_FOLLOWED] == 0;
}

int
adoption_is_due(struct store *s, const struct config *c, size_t due, bool force,
    int64_t now_ms, struct err *e)
{
	int64_t listed_ms, failed_ms;
	bool recent;

	if (!c->sync_enabled)
		return 0;
	if (force)
		return 1;
	if (adoption_past(s, adoption_listed, now_ms, &listed_ms, e) != 0 ||
	    adoption_past(s, adoption_failed, now_ms, &failed_ms, e) != 0)
		return -1;
	recent = listed_ms != 0 && now_ms - listed_ms < ADOPTION_PAUSE_MS;
	if (due != 0 && !recent)
		return 1;
	if (failed_ms != 0 && now_ms - failed_ms < ADOPTION_AGAIN_MS)
		return 0;
	if (adoption_store_was_lost(c->database, listed_ms, now_ms))
		return 1;
	return recent ? 0 : adoption_is_suspected(s, listed_ms, failed_ms, e);
}

int
adoption_note(struct store *s, bool read, int64_t now_ms, struct err *e)
{
	return store_fact_set(
	    s, read ? adoption_listed : adoption_failed, "", now_ms, e);
}
