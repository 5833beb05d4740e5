// @ts-check
/* What the pane began for an event that is no longer in view: nothing of it is done to the next one, or shown with it. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Pane } from '../../www/js/pane.js';

/** @param {string} id @returns {import('../../www/js/pane-view.js').EventFacts} */
const event = (id) => ({ kind: 'single', shared: null, link: { conversationId: id, url: `https://u.example/${id}`, announced: true }, inBody: true, unread: false, foreign: false, newer: false, start: null });
const OFF = { syncServerEnabled: false, supportUrl: '' };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A pane that shows event A, and ports whose next call can be held. */
async function opened() {
	/** @type {Record<string, any>} */
	const values = { place: 'ready', config: OFF, inspect: event('A'), account: { state: 'in', account: 'a' }, create: 'created', remove: 'removed', repair: 'repaired', same: null, sync: null };
	/** @type {Record<string, { resolve: (v: any) => void, reject: (e: any) => void }>} */
	const held = {};
	/** Names of ports whose next call waits. @type {Set<string>} */
	const holds = new Set();
	const did = /** @type {string[]} */ ([]);
	/** @param {string} name */
	const port = (name) => async () => {
		did.push(name);
		if (holds.delete(name))
			return new Promise((resolve, reject) => { held[name] = { resolve, reject }; });
		return values[name];
	};
	/** @type {any} */
	const ports = { ...Object.fromEntries(Object.keys(values).map((name) => [name, port(name)])), cancel: () => did.push('cancel'), problem: (/** @type {any} */ e, /** @type {string} */ retry) => ({ code: e.code ?? 'x', retry }) };
	const p = new Pane(ports, () => {});
	await p.load();
	did.length = 0;
	/** Event B comes into view. */
	const moves = () => {
		values.inspect = event('B');
		return p.moved();
	};
	return { p, values, held, holds, did, moves };
}

test('what was confirmed for one event while it was being read is not done to the one that came into view meanwhile', async () => {
	const { p, held, holds, did, moves } = await opened();
	holds.add('inspect');
	const reading = p.changed();
	await turn();
	const acted = p.act('remove-yes');
	await turn();
	const late = held.inspect;
	await moves();
	await acted;
	late.resolve(event('A'));
	await reading;
	await turn();
	assert.deepEqual(did.filter((d) => d === 'remove'), []);
	assert.deepEqual([p.facts.event?.link?.conversationId, p.facts.busy, p.facts.done, p.facts.problem], ['B', null, null, null]);
	await p.act('remove-yes');
	assert.deepEqual([did.filter((d) => d === 'remove').length, p.facts.done], [1, 'removed'], 'what is asked for this one is done');
});

test('Cancel counts also while an action waits for a reading, as of one that waits for the button: it is not begun', async () => {
	const { p, held, holds, did } = await opened();
	holds.add('inspect');
	const reading = p.changed();
	await turn();
	const acted = p.act('remove-yes');
	await turn();
	assert.equal(p.facts.busy, 'remove');
	await p.act('cancel');
	await acted;
	assert.deepEqual([p.facts.busy, p.facts.problem], [null, { code: 'cancelled', retry: 'remove' }], 'at once');
	held.inspect.resolve(event('A'));
	await reading;
	assert.deepEqual(did.filter((d) => d === 'remove'), []);
	await p.act('retry');
	assert.deepEqual([did.filter((d) => d === 'remove').length, p.facts.done, p.facts.problem], [1, 'removed', null]);
});

test('a loading that another event has overtaken shows nothing, wherever it was', async () => {
	for (const [name, late] of /** @type {[string, any][]} */ ([['place', 'no-item'], ['place', 'no-texts'], ['config', { syncServerEnabled: true, supportUrl: 'x' }], ['config', null], ['inspect', event('A')], ['inspect', null]])) {
		const { p, held, holds, did, moves } = await opened();
		holds.add(name);
		const before = p.load();
		await turn();
		const { resolve, reject } = held[name];
		/* The next one's config is not there yet. */
		holds.add('config');
		const moved = moves();
		await turn();
		if (late === null)
			reject(new Error('no'));
		else
			resolve(late);
		await before;
		assert.deepEqual([p.facts.place, p.facts.event, p.facts.problem, p.facts.configProblem], ['loading', null, null, null], `${name}: the next one is still loading`);
		held.config.resolve(OFF);
		await moved;
		assert.deepEqual([p.facts.place, p.facts.event?.link?.conversationId, p.facts.config, p.facts.problem, p.facts.configProblem], ['ready', 'B', OFF, null, null], name);
		assert.equal(did.filter((d) => d === 'account').length, 1, `${name}: only what is shown is looked after`);
	}
});

test('an action that another event has overtaken leaves that one as it is, whether it or the reading after it ends late, well or badly', async () => {
	for (const name of ['create', 'inspect'])
		for (const well of [true, false]) {
			const { p, held, holds, values, moves } = await opened();
			holds.add(name);
			const acted = p.act('create');
			await turn();
			const { resolve, reject } = held[name];
			const moved = moves();
			await moved;
			p.facts.problem = { code: 'outlook', retry: 'reload' };
			if (well)
				resolve(name === 'create' ? 'created' : event('A'));
			else
				reject(new Error('no'));
			await acted;
			assert.deepEqual([p.facts.busy, p.facts.event, p.facts.done, p.facts.problem], [null, values.inspect, null, { code: 'outlook', retry: 'reload' }], `${name} ${well}`);
		}
});

test('what is asked again from time to time is asked for the event in view only', async () => {
	const { p, values, held, holds, did, moves } = await opened();
	values.config = { syncServerEnabled: true, supportUrl: '' };
	holds.add('sync');
	const before = p.load();
	await turn();
	const { resolve } = held.sync;
	await moves();
	const { timer } = p;
	resolve(null);
	await before;
	assert.equal(p.timer, timer);
	clearTimeout(timer);
	assert.equal(did.filter((d) => d === 'sync').length, 2);
});
