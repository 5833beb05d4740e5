// @ts-check
/* Lifecycle messages and what they may lead to. */

import assert from 'node:assert/strict';
import { body } from '../lib/notification.js';
import { waitFor } from '../lib/wait.js';

/** @typedef {import('../lib/stack.js').Stack} Stack */

export const MINUTE = 60_000;
export const EVENTS = '/addin/webhook/events';
export const LIFECYCLE = '/addin/webhook/lifecycle';
export const REAUTHORIZE = 'reauthorizationRequired';
export const REMOVED = 'subscriptionRemoved';

/** What Graph has been asked for, but for what notifications of events need. @param {Stack} stack */
export function asked(stack) {
	const count = (/** @type {string} */ op) => stack.sims.requests({ service: 'graph', op }).filter((/** @type {any} */ r) => !r.batch).length;
	return {
		patches: stack.sims.requests({ service: 'graph', op: 'renewSubscription' }).length, created: count('createSubscription'), deleted: count('deleteSubscription'),
		batches: count('batch'), searches: count('listEvents'), reauthorized: count('reauthorizeSubscription'),
	};
}

/** @param {Stack} stack @param {string} route @param {...any} items */
export async function post(stack, route, ...items) {
	assert.equal((await stack.http.post(route, body(...items))).status, 202);
}

/** All that is queued is done, whatever it is. @param {Stack} stack */
export async function done(stack) {
	await waitFor(async () => (await stack.query(`SELECT (SELECT count(*) FROM arrival) + (SELECT count(*) FROM work WHERE claimed = 1 OR run_ms < ${stack.now() + 2000}) AS n`))[0].n === 0, 15_000, 'nothing is queued for now');
}

/** Time passes, and what a sleeper has to make good is made good. @param {Stack} stack @param {number} ms */
export async function pass(stack, ms) {
	const before = stack.now();
	await stack.advance(ms);
	await waitFor(async () => (await stack.query('SELECT at_ms FROM fact WHERE name = \'sync-heartbeat\''))[0].at_ms >= before + ms, 15_000, 'the heart beats in the new time');
	await waitFor(async () => (await stack.query(`SELECT count(*) AS n FROM mailbox WHERE state = 0 AND check_ms <= ${stack.now()}`))[0].n === 0, 15_000, 'no catch-up is due');
	await done(stack);
}
