// @ts-check
/* POST /control/wait: answers as soon as something is so, instead of a test that sleeps. */

import * as state from './state.js';

const STEP_MS = 10;

/**
 * One of: conversation (with the members that must equal, or deleted), log (with count), counter (dotted path, atLeast),
 * subscription (mailbox, count), idle.
 * @param {any} sim @param {any} want
 */
export async function waitFor(sim, want) {
	const until = Date.now() + (want.timeoutMs ?? 10_000);
	for (;;) {
		const seen = look(sim, want);
		if (seen.met || Date.now() >= until)
			return seen;
		await new Promise((resolve) => setTimeout(resolve, STEP_MS));
	}
}

/** @param {any} sim @param {any} want @returns {{ met: boolean, seen: any }} */
function look(sim, want) {
	if (want.conversation !== undefined) {
		const { id, ...members } = want.conversation;
		const c = sim.conversations.byId.get(id) ?? sim.conversations.deleted.get(id);
		const seen = c === undefined ? null : sim.conversations.describe(c);
		return { met: seen !== null && Object.entries(members).every(([k, v]) => seen[k] === v), seen };
	}
	if (want.log !== undefined) {
		const { count = 1, ...filter } = want.log;
		const found = sim.journal.find(filter);
		return { met: found.length >= count, seen: found.slice(-count) };
	}
	if (want.subscription !== undefined) {
		const user = sim.directory.anyUser(want.subscription.mailbox ?? '');
		const size = sim.subscriptions.byMailbox.get(user?.oid)?.size ?? 0;
		return { met: size === (want.subscription.count ?? 1), seen: size };
	}
	if (want.counter !== undefined) {
		const value = want.counter.split('.').reduce((/** @type {any} */ o, /** @type {string} */ k) => o?.[k], state.counters(sim)) ?? 0;
		return { met: value >= (want.atLeast ?? 1), seen: value };
	}
	if (want.idle !== undefined)
		return { met: sim.delivery.idle, seen: sim.delivery.idle };
	throw new RangeError('wait: one of conversation, log, subscription, counter, idle');
}
