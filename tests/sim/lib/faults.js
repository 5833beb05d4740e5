// @ts-check
/*
 * Faults by rule, and the memory of who was told to wait: whoever comes back before Retry-After has
 * passed is counted as early, refused again, and its clock starts anew.
 */

/** A caller can not obey an answer that it has not received yet: so long it is innocent, and until we have read what had come before. */
const GRACE_REAL_MS = 100;
const SLACK_MS = 25;

/**
 * @typedef {object} Fault
 * @property {string} [id]
 * @property {string} service entra, graph, unblu
 * @property {string | string[]} [op] operation name(s); absent: any
 * @property {string} [tenant] @property {string} [mailbox] @property {string} [conversation] @property {string} [event] @property {string} [calendar]
 * @property {string} kind status, throttle, reset, lost, truncate, cut, hang, garbage, html, redirect, oversize, delay, empty
 * @property {number} [status]
 * @property {string} [code] @property {string} [message]
 * @property {number | null} [retryAfter] seconds, may be a fraction; null: header absent
 * @property {'seconds' | 'date'} [retryAfterStyle]
 * @property {'op' | 'mailbox' | 'tenant' | 'service'} [scope] whom the wait binds
 * @property {boolean} [punish] default true: early callers are refused again
 * @property {number} [delayMs] real ms before the effect
 * @property {number} [delayAfterMs] real ms between the effect and the answer
 * @property {number} [bytes] size for oversize
 * @property {number} [skip] let this many matching requests pass first
 * @property {number} [count] hit this many, then end; absent: for ever
 * @property {number} [probability]
 * @property {number} [hits]
 */

export const FAULT_KINDS = ['status', 'throttle', 'reset', 'lost', 'truncate', 'cut', 'hang', 'garbage', 'html', 'redirect', 'oversize', 'delay', 'empty'];

export class Faults {
	/** @type {Fault[]} */
	rules = [];
	/** @type {Map<string, { until: number, known: boolean, seconds: number, fault: Fault }>} */
	waits = new Map();
	nextId = 1;
	/* Real time; a test on a loaded machine may raise it. */
	graceMs = GRACE_REAL_MS;

	/** @param {import('./clock.js').Clock} clock @param {import('./rng.js').Rng} rng */
	constructor(clock, rng) {
		this.clock = clock;
		this.rng = rng;
	}

	clear() {
		this.rules = [];
		this.waits = new Map();
		this.nextId = 1;
	}

	/** @param {Fault} fault */
	add(fault) {
		if (!['entra', 'graph', 'unblu'].includes(fault.service))
			throw new RangeError(`fault: unknown service ${JSON.stringify(fault.service)}`);
		if (!FAULT_KINDS.includes(fault.kind))
			throw new RangeError(`fault: unknown kind ${JSON.stringify(fault.kind)}; one of ${FAULT_KINDS.join(', ')}`);
		const rule = { ...fault, id: fault.id ?? `fault-${this.nextId++}`, hits: 0 };
		this.rules.push(rule);
		return rule;
	}

	/** @param {string} id */
	remove(id) {
		const before = this.rules.length;
		this.rules = this.rules.filter((r) => r.id !== id);
		return this.rules.length < before;
	}

	/**
	 * The fault for this request, if any; consumes it.
	 * @param {any} ctx @returns {{ fault: Fault, early: boolean, wait: number | null } | null}
	 */
	match(ctx) {
		const early = this.waits.size > 0 ? this.checkWait(ctx) : null;
		if (early !== null)
			return early;
		for (const rule of this.rules) {
			if (!applies(rule, ctx))
				continue;
			if (rule.skip !== undefined && rule.skip > 0) {
				rule.skip--;
				continue;
			}
			if (rule.probability !== undefined && !this.rng.chance(rule.probability))
				continue;
			rule.hits = (rule.hits ?? 0) + 1;
			if (rule.count !== undefined && rule.hits >= rule.count)
				this.remove(/** @type {string} */ (rule.id));
			return { fault: rule, early: false, wait: this.tell(rule, ctx) };
		}
		return null;
	}

	/** @param {Fault} fault @param {any} ctx */
	tell(fault, ctx) {
		if (fault.kind !== 'throttle' && fault.kind !== 'status')
			return null;
		const seconds = fault.retryAfter ?? (fault.retryAfter === undefined && fault.kind === 'throttle' ? 2 : null);
		if (seconds === null)
			return null;
		if (fault.punish !== false)
			this.remember(key(fault, ctx), { until: this.deadline(seconds, fault), known: false, seconds, fault });
		return seconds;
	}

	/** @param {string} k @param {{ until: number, known: boolean, seconds: number, fault: Fault }} wait */
	remember(k, wait) {
		this.waits.set(k, wait);
		setTimeout(() => setImmediate(() => {
			wait.known = true;
		}), this.graceMs).unref();
	}

	/** @param {number} seconds @param {Fault} fault */
	deadline(seconds, fault) {
		const until = this.clock.now() + seconds * 1000;
		return fault.retryAfterStyle === 'date' ? Math.ceil(until / 1000) * 1000 : until;
	}

	/** @param {any} ctx */
	checkWait(ctx) {
		for (const scope of /** @type {const} */ (['op', 'mailbox', 'tenant', 'service'])) {
			const k = key({ service: ctx.service, kind: '', scope }, ctx);
			const wait = this.waits.get(k);
			if (wait === undefined)
				continue;
			const now = this.clock.now();
			if (now >= wait.until - SLACK_MS) {
				this.waits.delete(k);
				continue;
			}
			const innocent = !wait.known;
			if (!innocent)
				wait.until = this.deadline(wait.seconds, wait.fault);
			return { fault: wait.fault, early: !innocent, wait: innocent ? Math.max(0, (wait.until - now) / 1000) : wait.seconds };
		}
		return null;
	}
}

/** @param {Fault} rule @param {any} ctx */
function applies(rule, ctx) {
	if (rule.service !== ctx.service)
		return false;
	if (rule.op !== undefined && (Array.isArray(rule.op) ? !rule.op.includes(ctx.op) : rule.op !== ctx.op))
		return false;
	return (rule.tenant === undefined || rule.tenant === ctx.tenant) && (rule.mailbox === undefined || rule.mailbox === ctx.mailbox) &&
		(rule.conversation === undefined || rule.conversation === ctx.conversation) && (rule.event === undefined || rule.event === ctx.event) &&
		(rule.calendar === undefined || rule.calendar === ctx.calendar);
}

/** @param {Fault} fault @param {any} ctx */
function key(fault, ctx) {
	const scope = fault.scope ?? (ctx.mailbox !== undefined ? 'mailbox' : 'op');
	const id = scope === 'op' ? `${ctx.op}/${ctx.tenant ?? ''}/${ctx.mailbox ?? ''}` : scope === 'mailbox' ? ctx.mailbox : scope === 'tenant' ? ctx.tenant : '';
	/* The token endpoint is the gateway's, whatever Unblu behind it says. */
	const peer = fault.service === 'unblu' && ['token', 'discovery'].includes(ctx.op) ? 'gateway' : fault.service;
	return `${peer}|${scope}|${id}`;
}

/** The Retry-After header's text. @param {number} seconds @param {Fault} fault @param {number} now */
export function retryAfterText(seconds, fault, now) {
	if (fault.retryAfterStyle === 'date')
		return new Date(Math.ceil((now + seconds * 1000) / 1000) * 1000).toUTCString();
	return String(Math.round(seconds * 1000) / 1000);
}
