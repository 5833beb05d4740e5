/* rule/circuit.c - see circuit.h. */
#include "rule/circuit.h"

static bool
circuit_suspects(const struct circuit *c, uint64_t thing)
{
	for (int i = 0; i < c->suspect_count; i++)
		if (c->suspects[i] == thing)
			return true;
	return false;
}

/* Not seen to fail, and there is still doubt whether it is the peer. */
static bool
circuit_is_stranger(const struct circuit *c, uint64_t thing)
{
	return c->suspect_count < CIRCUIT_SUSPECTS &&
	    !circuit_suspects(c, thing);
}

static void
circuit_suspect(struct circuit *c, uint64_t thing)
{
	if (circuit_is_stranger(c, thing))
		c->suspects[c->suspect_count++] = thing;
}

bool
circuit_allows(const struct circuit *c, uint64_t thing, int64_t now_ms)
{
	/* Further off than any pause: the clock was put back. */
	return !c->open || circuit_is_stranger(c, thing) ||
	    now_ms >= c->probe_at_ms || c->probe_at_ms - now_ms > c->pause_ms;
}

void
circuit_begin(struct circuit *c, uint64_t thing, int64_t now_ms)
{
	if (!c->open)
		return;
	if (circuit_is_stranger(c, thing)) {
		circuit_suspect(c, thing);
		return;
	}
	c->probing = true;
	c->probe = thing;
	c->probe_at_ms = now_ms + c->pause_ms;
}

void
circuit_succeed(struct circuit *c)
{
	*c = (struct circuit){0};
}

static void
circuit_fail_probe(struct circuit *c, uint64_t thing, int64_t now_ms)
{
	c->probing = false;
	c->pause_ms *= 2;
	if (c->pause_ms > CIRCUIT_PROBE_MAX_MS)
		c->pause_ms = CIRCUIT_PROBE_MAX_MS;
	c->probe_at_ms = now_ms + c->pause_ms;
	c->suspect_count = 0;
	circuit_suspect(c, thing);
}

bool
circuit_fail(struct circuit *c, uint64_t thing, int64_t now_ms)
{
	circuit_suspect(c, thing);
	if (c->open) {
		/* Exchanges begun before it opened say nothing new. */
		if (c->probing && c->probe == thing)
			circuit_fail_probe(c, thing, now_ms);
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
