// @ts-check
/* What the stories about events and their conversations have in common. */

import { ANNA, HINT, until as wait } from './harness.js';

export const START = Date.parse('2027-03-01T09:00:00Z');

/** @typedef {import('./harness.js').Bench} Bench */

/**
 * As the harness has it, with more patience: many of these run at once.
 * @template T
 * @param {string} what @param {() => Promise<T | null | undefined | false> | T | null | undefined | false} look
 * @param {number} [timeoutMs] @returns {Promise<T>}
 */
export function until(what, look, timeoutMs = 40_000) {
	return wait(what, look, timeoutMs);
}

/** A followed meeting. @param {Bench} b @param {any} [change] @param {string} [user] */
export async function linked(b, change, user = ANNA) {
	const m = await b.meeting(user, change);
	await b.notify(user, m.event.immutableId);
	await until('it is linked', async () => (await b.link(m.id))?.verified);
	await b.settled();
	return m;
}

/** @param {Bench} b @param {any} m @param {any} change @param {number} [hints] */
export async function edited(b, m, change, hints = HINT.updated) {
	await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, ...change });
	await b.notify(ANNA, m.event.immutableId, hints);
}

/** @param {Bench} b @param {any} m @param {string} subject @param {string} [user] */
export async function rename(b, m, subject, user = ANNA) {
	await b.act({ action: 'edit', mailbox: user, event: m.event.immutableId, subject });
	await b.notify(user, m.event.immutableId);
}

/** @param {Bench} b @param {any} m @param {string} topic @param {number} [ms] */
export function topicIs(b, m, topic, ms) {
	return until(`the topic is ${topic}`, async () => (await b.conversation(m.id)).topic === topic, ms);
}

/** @param {Bench} b @param {any} m @param {string} [user] */
export async function removed(b, m, user = ANNA) {
	await b.act({ action: 'delete', mailbox: user, event: m.event.immutableId });
	await b.notify(user, m.event.immutableId, HINT.deleted);
}

/** @param {Bench} b @param {any} m @param {any} want @param {number} [ms] */
export function shows(b, m, want, ms) {
	return until(`the conversation has ${JSON.stringify(want)}`, async () => {
		const seen = await b.conversation(m.id);
		return Object.keys(want).every((k) => seen[k] === want[k]);
	}, ms);
}

/** The writes to Unblu behind the creation. @param {Bench} b @param {any} m @returns {Promise<any[]>} */
export async function writes(b, m) {
	return (await b.conversation(m.id)).ledger.filter((/** @type {any} */ w) => w.op !== 'create').map((/** @type {any} */ w) => w.op);
}

/** @param {Bench} b @param {any} m @param {number} state @param {number} [ms] */
export function stateIs(b, m, state, ms) {
	return until(`the link is in state ${state}`, async () => (await b.link(m.id))?.state === state, ms);
}

/** @param {Bench} b */
export async function audit(b) {
	return (await b.dump()).audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`);
}

/** @param {Bench} b @param {any} fault */
export function fault(b, fault) {
	return b.control('POST', '/control/faults', fault);
}

/** @param {Bench} b @param {number} [ms] */
export function dry(b, ms) {
	return until('the queue has run dry', async () => (await b.dump()).work.length === 0, ms);
}

/** Whatever waits is to be done now, behind a restart. @param {Bench} b */
export async function waitsNoMore(b) {
	await b.down();
	await b.sql('UPDATE work SET not_before_ms = 1, run_ms = due_ms WHERE not_before_ms > 0');
	await b.sql('UPDATE lane SET head_ms = 0');
	await b.up();
	await b.wake();
}

/** @param {Bench} b @param {RegExp} why */
export function waits(b, why) {
	return until(`work waits for ${why}`, async () => (await b.dump()).work.some((/** @type {any} */ w) => why.test(w.reason)));
}
