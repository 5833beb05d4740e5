// @ts-check
/* The one-click flow where Outlook does not do what it is asked: once, always, without an answer. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { flowClick } from '../../www/js/flow.js';
import { flowInspect, flowRemove, flowRepair } from '../../www/js/flow-pane.js';
import { bench, count, property, simulators } from './bench.js';

const WORDS = '<html><head></head><body><p>Dear Mr Meier, <b>as agreed</b>.</p></body></html>';

test('a click', async (t) => {
	const sim = await simulators(t);
	const fresh = async (/** @type {any} */ given = {}) => {
		sim.reset();
		return bench(sim, given);
	};

	await t.test('asks Outlook once more for what it fails to do with an event, not for what an event need not have', async () => {
		for (const call of ['subject.getAsync', 'start.getAsync', 'end.getAsync', 'body.getTypeAsync', 'body.getAsync', 'body.setAsync', 'location.getAsync', 'location.setAsync', 'recurrence.getAsync', 'loadCustomPropertiesAsync']) {
			const b = await fresh({ stub: { item: { body: WORDS, recurrence: {} }, faults: { [call]: { fail: {}, times: 1 } } } });
			assert.equal((await flowClick(b.ports)).code, 'created-series', call);
			assert.ok(b.far.item.body.endsWith('</a></p></body></html>'), `${call}: in its place`);
			assert.equal(b.far.item.location, property(b.far).url, call);
		}
		const b = await fresh();
		await flowClick(b.ports);
		for (const name of ['sessionData.getAsync', 'item.getItemIdAsync', 'item.getSharedPropertiesAsync'])
			assert.equal(b.far.calls.filter((/** @type {any} */ c) => c.name === name).length, 1, name);
	});

	await t.test('whose text Outlook refuses to write reads it anew before it writes it again: nothing typed meanwhile is lost', async () => {
		const b = await fresh({ stub: { item: { body: WORDS }, faults: { 'body.setAsync': { fail: {}, times: 1 } } } });
		const real = b.ports.item.writeBody;
		b.ports.item.writeBody = async (/** @type {string} */ text, /** @type {'html' | 'text'} */ type) => {
			b.ports.item.writeBody = real;
			b.far.item.body = WORDS.replace('</body>', '<p>And bring the contract.</p></body>');
			return real(text, type);
		};
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.match(b.far.item.body, /agreed<\/b>\.<\/p><p>And bring the contract\.<\/p><p>Join.*<\/a><\/p><\/body><\/html>$/);
	});

	await t.test('whose text was refused, and then written without a word of it or against its word, puts nothing in front', async () => {
		for (const [fault, code, links] of /** @type {[any, string, number][]} */ ([[{ hang: true }, 'body-failed', 0], [{ fail: {}, done: true }, 'created', 1]])) {
			const b = await fresh({ stub: { item: { body: WORDS }, faults: { 'body.setAsync': { fail: {}, times: 1 } } } });
			const write = b.ports.item.writeBody;
			let turns = 0;
			b.ports.item.writeBody = async (/** @type {string} */ text, /** @type {'html' | 'text'} */ type) => {
				if (++turns === 2)
					b.far.faults['body.setAsync'] = fault;
				return write(text, type);
			};
			assert.equal((await flowClick(b.ports)).code, code);
			assert.deepEqual([turns, count(b.far.item.body, '</a>')], [2, links], b.far.item.body);
			assert.ok(b.far.item.body.startsWith('<html><head></head><body><p>Dear Mr Meier'));
		}
	});

	await t.test('on an event that tells neither by its properties nor by its text whether it has one makes none', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		await flowClick(b.ports);
		const before = JSON.stringify(b.far.item);
		b.far.faults = { loadCustomPropertiesAsync: { fail: {} }, 'body.getAsync': { fail: {} } };
		assert.deepEqual(await flowClick(b.ports).then((o) => [o.kind, o.code]), ['error', 'outlook']);
		await assert.rejects(flowInspect(b.ports), { code: 'outlook' }, 'nor does the pane say that there is none');
		assert.deepEqual([JSON.stringify(b.far.item), b.conversations().length], [before, 1]);
	});

	await t.test('on one whose form alone keeps its link goes on by that, though neither properties nor text can be read', async () => {
		const b = await fresh({ stub: { item: { body: WORDS }, faults: { 'customProperties.saveAsync': { fail: {} } } } });
		assert.equal((await flowClick(b.ports)).code, 'created-unkept');
		const before = b.far.item.body;
		/* Once and once more: when it is to be written it can be read again. */
		b.far.faults = { loadCustomPropertiesAsync: { fail: {} }, 'body.getAsync': { fail: {}, times: 2 } };
		assert.equal((await flowClick(b.ports)).code, 'repaired');
		b.far.faults['body.getAsync'] = { fail: {} };
		assert.deepEqual(await flowInspect(b.ports).then((e) => [e.state, e.bodyIsKnown]), ['linked', false]);
		assert.deepEqual([(await flowClick(b.ports)).code, (await flowRepair(b.ports)).code], ['body-failed', 'body-failed']);
		assert.deepEqual([b.far.item.body, b.conversations().length], [before, 1]);
		assert.equal((await flowRemove(b.ports)).code, 'body-not-cleared');
		assert.equal(b.conversations().length, 0);
		b.far.faults = {};
		assert.equal((await flowRemove(b.ports)).code, 'removed');
		assert.deepEqual([b.far.item.body, Object.keys(b.far.item.session)], [WORDS, []]);
	});

	await t.test('of an Outlook that does not answer when it is to keep something does not wait for it again and again', async () => {
		const b = await fresh({ stub: { faults: { 'customProperties.saveAsync': { hang: true } } } });
		assert.equal((await flowClick(b.ports)).code, 'created-unkept');
		assert.ok(b.far.calls.filter((/** @type {any} */ c) => c.name === 'customProperties.saveAsync').length <= 3);
	});

	await t.test('whose text is written without an answer puts nothing in front of it: it may still come', async () => {
		const b = await fresh({ stub: { item: { body: WORDS }, faults: { 'body.setAsync': { hang: true, times: 1 } } } });
		assert.deepEqual(await flowClick(b.ports).then((o) => [o.kind, o.code]), ['error', 'body-failed']);
		assert.equal(b.far.item.body, WORDS);
		assert.equal((await flowClick(b.ports)).code, 'repaired');
		const refused = await fresh({ stub: { item: { body: WORDS }, faults: { 'body.setAsync': { fail: {} } } } });
		assert.equal((await flowClick(refused.ports)).code, 'created', 'what was refused does not');
		assert.ok(refused.far.item.body.startsWith('<html><head></head><body><p>Join'));
	});
});

const CALLS = ['subject.getAsync', 'start.getAsync', 'end.getAsync', 'location.getAsync', 'location.setAsync', 'body.getTypeAsync', 'body.getAsync', 'body.setAsync', 'body.prependAsync', 'recurrence.getAsync', 'loadCustomPropertiesAsync',
	'customProperties.saveAsync', 'item.getItemIdAsync', 'item.getSharedPropertiesAsync', 'sessionData.getAsync', 'sessionData.setAsync', 'notificationMessages.replaceAsync'];
const FAULTS = /** @type {Record<string, any>} */ ({ fails: { fail: {} }, 'fails once': { fail: {}, times: 1 }, 'fails although it was done': { fail: {}, done: true }, hangs: { hang: true }, 'is slow': { delay: 20 }, 'is missing': { missing: true }, throws: { throws: true } });

test('whatever call of Outlook breaks, no word is lost, no twin is made, and clicking on ends well', async (t) => {
	const sim = await simulators(t);
	for (const call of CALLS)
		for (const [how, fault] of Object.entries(FAULTS))
			await t.test(`${call} ${how}`, async () => {
				sim.reset();
				const b = await bench(sim, { stub: { item: { body: WORDS }, faults: { [call]: { ...fault } } } });
				const out = await flowClick(b.ports);
				assert.ok(out.code !== 'unexpected', `${out.code}: ${out.error?.message}`);
				check(b, out);
				b.far.faults = {};
				const later = await bench(sim, { mailbox: b.far, memory: b.memory, links: b.links, remote: { bases: b.remote.bases } });
				const end = await flowClick(later.ports);
				assert.ok(['created', 'already', 'repaired', 'foreign-link'].includes(end.code), `${out.code}, then ${end.code}: ${end.error?.message}`);
				check(later, end);
				assert.equal(b.conversations().length, 1);
				assert.equal(count(b.far.item.body, `${b.conversations()[0].id}</a>`), 1, b.far.item.body);
			});
});

/** @param {any} b @param {any} out */
function check(b, out) {
	assert.ok(b.conversations().length <= 1);
	assert.ok(b.far.item.body.includes('<p>Dear Mr Meier, <b>as agreed</b>.</p>'));
	assert.ok(count(b.far.item.body, '</a>') <= 1, b.far.item.body);
	assert.equal(/error|fail/i.test(b.far.item.body), false);
	if (['created', 'already', 'repaired'].includes(out.code))
		assert.equal(count(b.far.item.body, '</a>'), 1);
}
