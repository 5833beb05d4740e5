/* rule/throttle.c - see throttle.h. */
#include "rule/throttle.h"

#include "base/text.h"
#include "rule/retry.h"

int64_t
throttle_refused(struct throttle *t, const char *scope, int64_t asked_ms,
    int64_t now_ms, uint64_t random)
{
	uint64_t hash = text_hash(TEXT_HASH, scope);
	struct throttle_slot *slot = &t->slots[hash % THROTTLE_SLOTS];
	int64_t wait_ms;

	if (slot->scope != hash)
		*slot = (struct throttle_slot){.scope = hash, .repeats = -1};
	if (slot->repeats < 0 || now_ms >= slot->until_ms)
		slot->repeats++;
	wait_ms = retry_delay_ms(
	    slot->repeats, THROTTLE_BASE_MS, THROTTLE_CAP_MS, random);
	if (asked_ms > RETRY_AFTER_MAX_MS)
		asked_ms = RETRY_AFTER_MAX_MS;
	if (asked_ms > wait_ms)
		wait_ms = asked_ms;
	if (slot->until_ms < now_ms + wait_ms)
		slot->until_ms = now_ms + wait_ms;
	return wait_ms;
}

void
throttle_worked(struct throttle *t, const char *scope)
{
	uint64_t hash = text_hash(TEXT_HASH, scope);
	struct throttle_slot *slot = &t->slots[hash % THROTTLE_SLOTS];

	if (slot->scope == hash)
		*slot = (struct throttle_slot){.scope = 0};
}
