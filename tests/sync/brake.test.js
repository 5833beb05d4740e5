// @ts-check
/* How many conversations may be deleted within an hour, and what holds the others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEN, Bench, HINT, KIND, STATE, TENANT_A } from './harness.js';
import { fault, linked, removed, stateIs, until } from './meetings.js';

test('the brake counts a tenant as a whole, too', async (t) => {
	const b = await Bench.start(t, { config: { maxDeletionsPerTenant: 1, deletionGraceSeconds: 0 } });
	const hers = await linked(b);
	const his = await linked(b, {}, BEN);
	await removed(b, hers);
	await stateIs(b, hers, STATE.deleted);
	await removed(b, his, BEN);
	await stateIs(b, his, STATE.held);
	assert.equal(await b.count('unblu', 'delete'), 1);
	/* an operator releases it */
	await b.tool('fact', `release:${his.id}`, '');
	await b.tool('work', String(KIND.event), TENANT_A, BEN, his.event.immutableId, String(HINT.deleted), '0');
	await b.wake();
	await stateIs(b, his, STATE.deleted);
});

test('of deletions that are looked into at the same time no more are begun than the brake lets pass', async (t) => {
	const b = await Bench.start(t, { config: { maxDeletionsPerTenant: 1, deletionGraceSeconds: 0 } });
	const hers = await linked(b);
	const his = await linked(b, {}, BEN);
	/* Both are behind the first look at the brake when the first one is marked. */
	await fault(b, { service: 'unblu', op: 'history', kind: 'delay', delayMs: 1500, count: 2 });
	await Promise.all([removed(b, hers), removed(b, his, BEN)]);
	const states = await until('both are decided', async () => {
		const all = [(await b.link(hers.id)).state, (await b.link(his.id)).state];
		return all.every((s) => s === STATE.deleted || s === STATE.held) && all.sort();
	});
	assert.deepEqual(states, [STATE.held, STATE.deleted]);
	assert.equal(await b.count('unblu', 'delete'), 1);
	/* Nothing stays marked as begun. */
	assert.deepEqual((await b.dump()).links.map((/** @type {any} */ l) => l.writing), ['', '']);
});
