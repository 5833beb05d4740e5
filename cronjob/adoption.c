/* cronjob/adoption.c - see adoption.h. */
#include "adoption.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

enum { ADOPTION_PAUSE_MS = 60 * 60 * 1000 };

static const char adoption_fact[] = "subscriptions-listed";

/* Whether a corrupt store was moved aside here. */
static bool
adoption_store_was_lost(const char *database)
{
	static const char prefix[] = "sqlite:";
	char pattern[4096];
	glob_t found;
	bool lost;

	if (strncmp(database, prefix, sizeof(prefix) - 1) != 0)
		return false;
	snprintf(pattern, sizeof(pattern), "%s.corrupt-*",
	    database + sizeof(prefix) - 1);
	lost = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
	globfree(&found);
	return lost;
}

int
adoption_is_due(struct store *s, const struct config *c, size_t mailboxes,
    size_t due, bool force, int64_t now_ms, struct err *e)
{
	int64_t last_ms = 0;
	char text[8];

	if (!c->sync_enabled)
		return 0;
	if (force)
		return 1;
	if (store_fact_get(s, adoption_fact, text, sizeof(text), &last_ms, e) <
	    0)
		return -1;
	if (due != 0)
		return last_ms > now_ms ||
		    now_ms - last_ms >= ADOPTION_PAUSE_MS;
	return mailboxes == 0 && last_ms == 0 &&
	    adoption_store_was_lost(c->database);
}

int
adoption_note(struct store *s, int64_t now_ms, struct err *e)
{
	return store_fact_set(s, adoption_fact, "", now_ms, e);
}
