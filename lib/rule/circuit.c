/* rule/circuit.c - see circuit.h. */
#include "rule/circuit.h"

bool
circuit_allows(const struct circuit *c, int64_t now_ms)
{
	/* Further off than any pause: the clock was put back. */
	return !c->open || now_ms >= c->probe_at_ms ||
	    c->probe_at_ms - now_ms > c->pause_ms;
}

void
circuit_begin(struct circuit *c, int64_t now_ms)
{
	if (!c->open)
		return;
	c->probing = true;
	c->probe_at_ms = now_ms + c->pause_ms;
}

void
circuit_succeed(struct circuit *c)
{
	*c = (struct circuit){0};
}

bool
circuit_fail(struct circuit *c, int64_t now_ms)
{
	if (c->open) {
		/* Exchanges begun before it opened say nothing new. */
		if (!c->probing)
			return false;
		c->probing = false;
		c->pause_ms *= 2;
		if (c->pause_ms > CIRCUIT_PROBE_MAX_MS)
			c->pause_ms = CIRCUIT_PROBE_MAX_MS;
		c->probe_at_ms = now_ms + c->pause_ms;
		return false;
	}
	if (++c->failures < CIRCUIT_FAILURES)
		return false;
	c->open = true;
	c->pause_ms = CIRCUIT_PROBE_MS;
	c->probe_at_ms = now_ms + c->pause_ms;
	return true;
}

int64_t
circuit_next_ms(const struct circuit *c)
{
	return c->open ? c->probe_at_ms : 0;
}
