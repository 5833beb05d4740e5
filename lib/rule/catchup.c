/* rule/catchup.c - see catchup.h. */
#include "rule/catchup.h"

enum catchup_need
catchup_need(const struct catchup_link *l, int64_t since_ms)
{
	if (!l->seen || (link_is_over(l->state) && l->state != LINK_KEPT))
		return CATCHUP_PASS;
	/* Its event may come back; a kept series' end is only that of the link.
	 */
	if (l->state == LINK_KEPT && l->series)
		return CATCHUP_LOOK;
	if (l->end_ms > 0 && l->end_ms < since_ms)
		return CATCHUP_PASS;
	/* Announced with its event, or thought to be gone. */
	if (l->state != LINK_LINKED)
		return CATCHUP_LOOK;
	return l->series || l->unsettled ? CATCHUP_LOOK : CATCHUP_ASK;
}

enum catchup_verdict
catchup_judge(enum err_code event, bool same_key, enum err_code calendar)
{
	if (event == ERR_AUTH || calendar == ERR_AUTH)
		return CATCHUP_NO_TOKEN;
	if (event == ERR_MAILBOX ||
	    (calendar == ERR_MAILBOX && event != ERR_NONE))
		return CATCHUP_NO_MAILBOX;
	if (event == ERR_GONE || (event == ERR_NONE && !same_key))
		return CATCHUP_DIFFERS;
	if (event == ERR_BUSY || calendar == ERR_BUSY)
		return CATCHUP_THROTTLED;
	if (event == ERR_RETRY || calendar == ERR_RETRY)
		return CATCHUP_AGAIN;
	return event == ERR_NONE && calendar == ERR_NONE ? CATCHUP_SAME
							 : CATCHUP_DIFFERS;
}

int64_t
catchup_next_ms(int64_t now_ms, int64_t every_ms, uint64_t random)
{
	int64_t early_ms = every_ms / 10;

	return now_ms + every_ms - (int64_t)(random % ((uint64_t)early_ms + 1));
}

bool
catchup_was_away(int64_t last_beat_ms, int64_t now_ms)
{
	return now_ms - last_beat_ms > CATCHUP_AWAY_MS;
}

bool
catchup_is_alive(int64_t last_beat_ms, int64_t now_ms)
{
	return last_beat_ms > 0 && now_ms - last_beat_ms <= CATCHUP_SILENT_MS &&
	    last_beat_ms - now_ms <= CATCHUP_SILENT_MS;
}
