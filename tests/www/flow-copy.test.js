// @ts-check
/* Whose a conversation is: a click on a copied event, on one that was new at the first click, after an attempt that was another event's. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { flowClick } from '../../www/js/flow.js';
import { bench, count, property, simulators } from './bench.js';

const WORDS = '<html><head></head><body><p>Dear Mr Meier, <b>as agreed</b>.</p></body></html>';

test('a click', async (t) => {
	const sim = await simulators(t);
	const fresh = async (/** @type {any} */ given = {}) => {
		sim.reset();
		return bench(sim, given);
	};

	await t.test('on a copy of an event whose answer was lost makes its own, and leaves the first one\'s where it is', async () => {
		const day = 86_400_000;
		const start = Date.UTC(2031, 4, 14, 8);
		const end = start + 3_600_000;
		for (const [name, itemId, copy] of /** @type {[string, string | null, any][]} */ ([
			['of a new event, saved then', null, { itemId: 'AAcopy/2=', start: start + day, end: end + day }], ['of a saved event, at its time', 'AAorig/1=', { itemId: 'AAcopy/2=', start, end }],
			['of a saved event, in a form that is not saved', 'AAorig/1=', { itemId: null, start: start + day, end: end + day }],
		])) {
			const b = await fresh({ stub: { item: { itemId, start, end } } });
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getBySource', kind: 'reset' });
			assert.equal((await flowClick(b.ports)).code, 'network', name);
			await sim.control('DELETE', '/control/faults');
			b.far.item.itemId = 'AAorig/1=';
			const second = await bench(sim, { stub: { item: { ...b.far.item, ...copy, session: {}, properties: { ...b.far.item.properties } } }, links: b.links });
			assert.equal((await flowClick(b.ports)).code, 'created', name);
			assert.equal(sim.conversations.counts.create, 1, `${name}: the first one finds its own`);
			const first = property(b.far).conversationId;
			assert.equal((await flowClick(second.ports)).code, 'created', name);
			assert.notEqual(property(second.far).conversationId, first, name);
			assert.equal(sim.conversations.byId.get(first).scheduledTimestamp, start, name);
			assert.equal(b.conversations().length, 2, name);
		}
	});

	await t.test('of an attempt in a new event long ago goes on with it at the time of then only', async () => {
		for (const [moved, made] of [[0, 1], [86_400_000, 2]]) {
			const b = await fresh();
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getBySource', kind: 'reset' });
			await flowClick(b.ports);
			await sim.control('DELETE', '/control/faults');
			Object.assign(b.far.item, { start: b.far.item.start + moved, end: b.far.item.end + moved });
			b.ports.now = () => Date.UTC(2031, 3, 1) + 7_200_000;
			assert.equal((await flowClick(b.ports)).code, 'created');
			assert.equal(b.conversations().length, made);
		}
	});

	await t.test('on a copy changes nothing; a fresh one gets its own conversation, and the old link goes', async () => {
		const b = await fresh({ stub: { item: { itemId: 'AAorig/1=', body: WORDS } } });
		await flowClick(b.ports);
		const first = property(b.far);
		b.far.item.itemId = 'AAcopy/2=';
		const before = JSON.stringify(b.far.item);
		assert.equal((await flowClick(b.ports)).code, 'copied');
		assert.equal(JSON.stringify(b.far.item), before);
		assert.equal((await flowClick(b.ports, { fresh: true })).code, 'created');
		const second = property(b.far);
		assert.notEqual(second.conversationId, first.conversationId);
		assert.equal(b.far.item.body.includes(first.conversationId), false);
		assert.equal(count(b.far.item.body, 'Join the online conversation:'), 1);
		assert.ok(b.far.item.body.includes('<p>Dear Mr Meier, <b>as agreed</b>.</p>'));
		assert.equal(b.far.item.location, second.url);
	});

	await t.test('on an event that was unsaved at the first click marks it, so that its later copies are known', async () => {
		const b = await fresh();
		await flowClick(b.ports);
		assert.equal('item' in property(b.far), false);
		b.far.item.itemId = 'AAfirst/1=';
		assert.equal((await flowClick(b.ports)).code, 'already');
		b.far.item.itemId = 'AAcopy/2=';
		assert.equal((await flowClick(b.ports)).code, 'copied');
	});

	await t.test('on one of another time than Unblu\'s, which no mark tells from its copy, says that it may be one, and touches nothing', async () => {
		const b = await fresh();
		await flowClick(b.ports);
		Object.assign(b.far.item, { itemId: 'AAcopy/2=', start: b.far.item.start + 86_400_000, end: b.far.item.end + 86_400_000 });
		const before = JSON.stringify(b.far.item);
		const out = await flowClick(b.ports);
		assert.deepEqual([out.kind, out.code, JSON.stringify(b.far.item)], ['info', 'maybe-copy', before]);
		b.signed.silent = false;
		assert.equal((await flowClick(b.ports)).code, 'already', 'nobody is asked to sign in for that');
		assert.equal(b.signed.asked.some((/** @type {any} */ how) => how.interactive), false);
	});

	await t.test('for a copy whose answer is lost makes no second one at the next attempt', async () => {
		const b = await fresh({ stub: { item: { itemId: 'AAorig/1=' } } });
		await flowClick(b.ports);
		b.far.item.itemId = 'AAcopy/2=';
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getBySource', kind: 'reset' });
		assert.equal((await flowClick(b.ports, { fresh: true })).code, 'network');
		await sim.control('DELETE', '/control/faults');
		assert.equal((await flowClick(b.ports)).code, 'copied');
		assert.equal((await flowClick(b.ports, { fresh: true })).code, 'created');
		assert.equal(b.conversations().length, 2);
		assert.equal(b.links.calls[1].body.eventId, 'AAcopy-2=');
	});

	await t.test('doubts no link that only this form keeps, nor a series that has moved on', async () => {
		for (const given of [{ faults: { 'customProperties.saveAsync': { fail: {}, times: 7 } } }, { item: { recurrence: {} } }]) {
			const b = await fresh({ stub: given });
			await flowClick(b.ports);
			Object.assign(b.far.item, { itemId: 'AAfirst/1=', start: b.far.item.start + 86_400_000, end: b.far.item.end + 86_400_000 });
			assert.equal((await flowClick(b.ports)).code, 'already');
			assert.equal('item' in property(b.far), false);
			assert.equal((await sim.control('GET', '/control/log')).some((/** @type {any} */ e) => /\/read$/.test(e.path)), false, 'nobody is asked');
		}
	});

	await t.test('takes what this tab remembers of another event for nothing', async () => {
		for (const [mine, others] of [[{}, { subject: 'Another one' }], [{}, { start: Date.UTC(2031, 4, 14, 8, 30) }], [{}, { itemId: 'AA/2=' }], [{ itemId: 'AA/1=' }, { itemId: 'AA/2=' }]]) {
			const stub = (/** @type {any} */ item) => ({ item, faults: { 'customProperties.saveAsync': { fail: {} }, sessionData: { missing: true } } });
			const b = await fresh({ stub: stub(mine) });
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'create', kind: 'lost', count: 1 });
			await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getBySource', kind: 'reset' });
			await flowClick(b.ports);
			assert.equal(b.memory.map.size, 1);
			await sim.control('DELETE', '/control/faults');
			const second = await bench(sim, { stub: stub(others), memory: b.memory });
			assert.equal((await flowClick(second.ports)).code, 'created-unkept');
			assert.equal(b.conversations().length, 2, JSON.stringify(others));
		}
	});

	await t.test('on a copy whose property Outlook did not copy knows the link in the text', async () => {
		const b = await fresh();
		await flowClick(b.ports);
		b.far.item.properties = {};
		assert.equal((await flowClick(b.ports)).code, 'foreign-link');
		b.remote.bases.length = 0;
		assert.equal((await flowClick(b.ports)).code, 'foreign-link', 'by the label, in a browser that has never seen one');
		assert.equal(b.conversations().length, 1);
	});

	await t.test('on a link whose event Outlook does not tell says so, not that it is another\'s', async () => {
		const b = await fresh({ stub: { faults: { 'customProperties.saveAsync': { fail: {} }, sessionData: { missing: true } } } });
		assert.equal((await flowClick(b.ports)).code, 'created-unkept');
		const body = b.far.item.body;
		b.far.faults = { loadCustomPropertiesAsync: { fail: {} }, sessionData: { missing: true } };
		const later = await bench(sim, { mailbox: b.far, links: b.links });
		assert.deepEqual(await flowClick(later.ports).then((o) => [o.kind, o.code]), ['info', 'unreadable']);
		assert.equal(b.far.item.body, body);
	});
});
