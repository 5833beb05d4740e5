// @ts-check
/* What the pane does with an event: look, repair, remove. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { flowClick } from '../../www/js/flow.js';
import { flowInspect, flowRemove, flowRepair } from '../../www/js/flow-pane.js';
import { bench, property, simulators } from './bench.js';
import { PAYLOADS } from './payloads.js';

const WORDS = '<html><head></head><body><p>Dear Mr Meier</p></body></html>';

test('the pane', async (t) => {
	const sim = await simulators(t);
	const fresh = async (/** @type {any} */ given = {}) => {
		sim.reset();
		return bench(sim, given);
	};

	await t.test('sees in which state an event is, without changing anything', async () => {
		const b = await fresh({ stub: { item: { itemId: 'AA/1=' } } });
		const states = [(await flowInspect(b.ports)).state];
		await flowClick(b.ports);
		const before = JSON.stringify(b.far.item);
		states.push((await flowInspect(b.ports)).state);
		b.far.item.body = '';
		states.push((await flowInspect(b.ports)).state);
		b.far.item.itemId = 'AA/2=';
		states.push((await flowInspect(b.ports)).state);
		b.far.item.itemId = 'AA/1=';
		b.far.item.body = JSON.parse(before).body;
		assert.equal(JSON.stringify(b.far.item), before);
		b.far.item.properties = {};
		states.push((await flowInspect(b.ports)).state);
		b.far.item.properties = { unblu: '{"v":3}' };
		states.push((await flowInspect(b.ports)).state);
		assert.deepEqual(states, ['none', 'linked', 'link-missing', 'copied', 'foreign-link', 'newer']);
		const date = await fresh({ stub: { item: { seriesId: 'x' } } });
		assert.equal((await flowInspect(date.ports)).state, 'occurrence');
	});

	await t.test('knows a link in the text that was made here and not kept from one of another event', async () => {
		const b = await fresh({ stub: { faults: { 'customProperties.saveAsync': { fail: {} }, sessionData: { missing: true } } } });
		assert.equal((await flowClick(b.ports)).code, 'created-unkept');
		const seen = await flowInspect(b.ports);
		assert.deepEqual([seen.state, seen.link], ['unkept', null]);
		b.far.faults = {};
		assert.equal((await flowClick(b.ports)).code, 'created');
		assert.equal((await flowInspect(b.ports)).state, 'linked');
		assert.equal(b.conversations().length, 1);
	});

	await t.test('announces when it opens, without asking anybody to sign in', async () => {
		const b = await fresh();
		b.links.next = [503, 503, 503];
		await flowClick(b.ports);
		b.signed.asked.length = 0;
		b.signed.silent = false;
		assert.equal((await flowInspect(b.ports)).unannounced, true);
		b.signed.silent = true;
		assert.equal((await flowInspect(b.ports)).unannounced, false);
		assert.equal('announced' in property(b.far), false);
		assert.equal(b.signed.asked.some((/** @type {any} */ h) => h.interactive), false);
	});

	await t.test('removes everything and nothing else; twice is said plainly', async () => {
		const b = await fresh({ stub: { item: { body: WORDS, properties: { other: 'kept' } } } });
		await flowClick(b.ports);
		const id = property(b.far).conversationId;
		assert.deepEqual(await flowRemove(b.ports).then((o) => [o.kind, o.code]), ['success', 'removed']);
		assert.equal(b.conversations().length, 0);
		assert.equal(b.far.item.body, WORDS);
		assert.equal(b.far.item.location, '');
		assert.equal(JSON.stringify(b.far.item.properties), '{"other":"kept"}');
		assert.deepEqual(b.links.calls.filter((c) => c.method === 'DELETE').map((c) => c.id), [id]);
		assert.equal((await flowRemove(b.ports)).code, 'nothing-linked');
		assert.equal((await flowRepair(b.ports)).code, 'nothing-linked');
	});

	await t.test('leaves a location that the agent has changed, and a text that is the agent\'s own', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		await flowClick(b.ports);
		b.far.item.location = 'Room 7';
		b.far.item.body = b.far.item.body.replace('Join the online conversation:', 'My own words:');
		await flowRemove(b.ports);
		assert.equal(b.far.item.location, 'Room 7');
		assert.ok(b.far.item.body.includes('My own words:'));
		assert.equal(b.far.item.body.includes('</a>'), false);
	});

	await t.test('is told that others took part, changes nothing, and can take only the link away', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		await flowClick(b.ports);
		const before = JSON.stringify(b.far.item);
		await sim.control('POST', `/control/conversations/${property(b.far).conversationId}/join`, { name: 'Guest' });
		assert.equal((await flowRemove(b.ports)).code, 'remove-refused');
		assert.equal(JSON.stringify(b.far.item), before);
		assert.equal((await flowRemove(b.ports, { keepConversation: true })).code, 'unlinked');
		assert.equal(b.conversations().length, 1);
		assert.equal(b.far.item.body, WORDS);
	});

	await t.test('finds the link of a property without one at Unblu, and removes it', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		await flowClick(b.ports);
		const { url, ...rest } = property(b.far);
		b.far.item.properties.unblu = JSON.stringify(rest);
		assert.equal((await flowRemove(b.ports)).code, 'removed');
		assert.equal(b.far.item.body, WORDS);
		assert.equal(b.far.item.location, '');
	});

	await t.test('shows the link of a property without one as Unblu has it, and does not claim to have seen what it could not look for', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		await flowClick(b.ports);
		const { url, ...rest } = property(b.far);
		b.far.item.properties.unblu = JSON.stringify(rest);
		const seen = await flowInspect(b.ports);
		assert.deepEqual([seen.state, seen.link?.url, seen.bodyIsKnown], ['linked', url, true]);
		assert.equal('url' in property(b.far), false, 'looking changes nothing');
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'read', kind: 'status', status: 503 });
		const blind = await flowInspect(b.ports);
		assert.deepEqual([blind.state, blind.link?.url, blind.bodyIsKnown], ['linked', undefined, false]);
		await sim.control('DELETE', '/control/faults');
		b.far.item.body = WORDS;
		assert.equal((await flowInspect(b.ports)).state, 'link-missing');
		b.signed.silent = false;
		await flowInspect(b.ports);
		assert.equal(b.signed.asked.some((/** @type {any} */ h) => h.interactive), false, 'nobody is asked to sign in for that');
	});

	await t.test('knows that the conversation is gone also where no server follows it, and asks no more than it has to', async () => {
		const b = await fresh({ config: { syncServerEnabled: false } });
		await flowClick(b.ports);
		assert.deepEqual(await flowInspect(b.ports).then((i) => [i.state, i.gone]), ['linked', false]);
		await sim.control('POST', `/control/conversations/${property(b.far).conversationId}/delete`);
		assert.equal((await flowInspect(b.ports)).gone, true);
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'read', kind: 'status', status: 503 });
		assert.equal((await flowInspect(b.ports)).gone, undefined, 'what nobody says is not so');
		await sim.control('DELETE', '/control/faults');
		const followed = await fresh();
		await flowClick(followed.ports);
		await flowInspect(followed.ports);
		assert.equal((await sim.control('GET', '/control/log')).some((/** @type {any} */ e) => /\/read$/.test(e.path)), false, 'the server tells it');
	});

	await t.test('keeps no click waiting while it asks Unblu, and shows what a click has done meanwhile', async () => {
		for (const [act, saved] of /** @type {[string, boolean][]} */ ([['none', false], ['remove', false], ['text', false], ['none', true], ['remove', true], ['text', true]])) {
			const b = await fresh({ config: { syncServerEnabled: false }, stub: { item: { body: WORDS } } });
			await flowClick(b.ports);
			/* It is marked then. */
			if (saved)
				b.far.item.itemId = 'AAfirst/1=';
			let isHeld = false;
			let looks = 0;
			const alone = async (/** @type {() => Promise<any>} */ look) => {
				assert.equal(isHeld, false);
				looks++;
				isHeld = true;
				return look().finally(() => { isHeld = false; });
			};
			const { read } = b.remote.unblu;
			const held = /** @type {boolean[]} */ ([]);
			b.remote.unblu.read = async (/** @type {string} */ id) => {
				held.push(isHeld);
				const answer = await read(id);
				b.remote.unblu.read = read;
				if (act === 'remove')
					assert.equal((await flowRemove(b.ports)).code, 'removed');
				if (act === 'text')
					b.far.item.body = WORDS;
				return answer;
			};
			b.remote.session.token = async () => void held.push(isHeld);
			const seen = await flowInspect(b.ports, alone);
			assert.equal(held.includes(true), false);
			assert.ok(held.length >= 2 && looks >= 2, 'token and conversation; before and after');
			assert.deepEqual([seen.state, seen.gone], act === 'none' ? ['linked', false] : act === 'remove' ? ['none', undefined] : ['link-missing', false], act);
			assert.equal(saved && act !== 'remove', 'item' in (property(b.far) ?? {}));
		}
		const b = await fresh();
		b.links.next = [503, 503, 503];
		await flowClick(b.ports);
		let isHeld = false;
		const { put } = b.remote.links;
		b.remote.links.put = async (/** @type {any[]} */ ...args) => {
			assert.equal(isHeld, false, 'nor while it announces');
			return put(...args);
		};
		const seen = await flowInspect(b.ports, async (run) => {
			isHeld = true;
			return run().finally(() => { isHeld = false; });
		});
		assert.deepEqual([seen.unannounced, 'announced' in property(b.far)], [false, false]);
	});

	await t.test('in a copy never deletes the first one\'s conversation', async () => {
		const b = await fresh({ stub: { item: { itemId: 'AA/1=' } } });
		await flowClick(b.ports);
		b.far.item.itemId = 'AA/2=';
		assert.equal((await flowRemove(b.ports)).code, 'unlinked');
		assert.equal(b.conversations().length, 1);
		assert.equal(b.links.calls.some((c) => c.method === 'DELETE'), false);
	});

	await t.test('in a copy of an event that was unsaved at the click does not delete the first one\'s conversation either', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		await flowClick(b.ports);
		Object.assign(b.far.item, { itemId: 'AAcopy/2=', start: b.far.item.start + 86_400_000, end: b.far.item.end + 86_400_000 });
		const before = JSON.stringify(b.far.item);
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'read', kind: 'status', status: 503 });
		assert.equal((await flowRemove(b.ports)).code, 'gateway-down', 'nobody says whose it is');
		await sim.control('DELETE', '/control/faults');
		assert.equal((await flowRemove(b.ports)).code, 'maybe-copy');
		assert.equal(JSON.stringify(b.far.item), before);
		assert.equal((await flowRemove(b.ports, { keepConversation: true })).code, 'unlinked');
		assert.equal(b.far.item.body, WORDS);
		assert.equal(b.conversations().length, 1);
		assert.equal(b.links.calls.some((c) => c.method === 'DELETE'), false);
	});

	await t.test('in a copy that is not saved yet does not delete it either, when the first one was', async () => {
		const b = await fresh({ stub: { item: { itemId: 'AA/1=' } } });
		await flowClick(b.ports);
		b.far.item.itemId = null;
		assert.equal((await flowRemove(b.ports)).code, 'maybe-copy');
		assert.equal(b.conversations().length, 1);
		b.far.item.itemId = 'AA/1=';
		assert.equal((await flowRemove(b.ports)).code, 'removed');
	});

	await t.test('marks an event that was unsaved at the click, so that its later copies are known', async () => {
		const b = await fresh();
		await flowClick(b.ports);
		await flowInspect(b.ports);
		assert.equal('item' in property(b.far), false);
		b.far.item.itemId = 'AAfirst/1=';
		await flowInspect(b.ports);
		b.far.item.itemId = 'AAcopy/2=';
		assert.equal((await flowInspect(b.ports)).state, 'copied');
	});

	await t.test('announces nothing of what may be a copy, and no id of an event that the link does not name', async () => {
		const unannounced = async (/** @type {any} */ item) => {
			const b = await fresh({ stub: { item } });
			b.links.next = [503, 503, 503];
			await flowClick(b.ports);
			b.links.calls.length = 0;
			return b;
		};
		const b = await unannounced({});
		const { start, end } = b.far.item;
		Object.assign(b.far.item, { itemId: 'AAcopy/2=', start: start + 86_400_000, end: end + 86_400_000 });
		assert.equal((await flowInspect(b.ports)).unannounced, true);
		assert.equal((await flowClick(b.ports)).code, 'maybe-copy');
		Object.assign(b.far.item, { itemId: 'AAfirst/1=', start, end });
		await sim.control('POST', '/control/faults', { service: 'unblu', op: 'read', kind: 'status', status: 503 });
		assert.equal((await flowInspect(b.ports)).unannounced, true, 'nobody says whose it is');
		assert.equal((await flowClick(b.ports)).code, 'already-unannounced');
		assert.deepEqual(b.links.calls, []);
		await sim.control('DELETE', '/control/faults');
		assert.equal((await flowInspect(b.ports)).unannounced, false);
		assert.deepEqual(b.links.calls.map((c) => c.body.eventId), ['AAfirst-1=']);
		const series = await unannounced({ recurrence: {} });
		series.far.item.itemId = 'AAseries/1=';
		assert.equal((await flowClick(series.ports)).code, 'already');
		assert.deepEqual(series.links.calls.map((c) => 'eventId' in c.body), [false]);
	});

	await t.test('an announcement, or a mark, that comes late brings nothing back that was removed meanwhile', async () => {
		for (const [name, itemId, of, method] of /** @type {[string, string | null, 'links' | 'unblu', string][]} */ ([['announcement', null, 'links', 'put'], ['mark', 'AAfirst/1=', 'unblu', 'read']])) {
			const b = await fresh({ stub: { item: { body: WORDS } } });
			b.links.next = [503, 503, 503];
			await flowClick(b.ports);
			const id = property(b.far).conversationId;
			b.far.item.itemId = itemId;
			const real = b.remote[of][method];
			const open = /** @type {(() => void)[]} */ ([]);
			b.remote[of][method] = async (/** @type {any[]} */ ...args) => {
				const answer = of === 'unblu' ? await real(...args) : undefined;
				await new Promise((resolve) => open.push(() => resolve(undefined)));
				return of === 'unblu' ? answer : real(...args);
			};
			const look = flowInspect(b.ports);
			while (open.length === 0)
				await new Promise(setImmediate);
			b.remote[of][method] = real;
			assert.equal((await flowRemove(b.ports)).code, 'removed', name);
			open[0]();
			const seen = await look;
			assert.deepEqual([seen.state, seen.link, seen.unannounced], ['none', null, false], name);
			assert.equal(JSON.stringify(b.far.item.properties), '{}', name);
			assert.equal(b.far.item.body, WORDS, name);
			assert.deepEqual(b.links.calls.slice(-1).map((c) => [c.method, c.id]), [['DELETE', id]], `${name}: the server's last word`);
			assert.equal((await flowClick(b.ports)).code, 'created', name);
		}
	});

	await t.test('an announcement that was accepted is noted in what stands in the property then', async () => {
		const b = await fresh();
		b.links.next = [503, 503, 503];
		await flowClick(b.ports);
		const real = b.remote.links.put;
		b.remote.links.put = async (/** @type {any[]} */ ...args) => {
			await real(...args);
			b.far.item.properties.unblu = JSON.stringify({ ...property(b.far), later: 1 });
		};
		assert.equal((await flowInspect(b.ports)).unannounced, false);
		assert.deepEqual([property(b.far).later, 'announced' in property(b.far)], [1, false]);
		/* What can not be read is not written. */
		b.far.item.properties.unblu = JSON.stringify({ ...property(b.far), announced: false });
		b.remote.links.put = async () => void (b.far.faults = { loadCustomPropertiesAsync: { fail: {} } });
		const before = JSON.stringify(b.far.item);
		assert.equal((await flowInspect(b.ports)).unannounced, false);
		assert.equal(JSON.stringify(b.far.item), before);
		assert.equal(b.links.calls.some((c) => c.method === 'DELETE'), false);
	});

	await t.test('on one date of a series refuses, and touches nothing', async () => {
		const b = await fresh({ stub: { item: { itemId: 'AAdate/1=' } } });
		await flowClick(b.ports);
		const date = await bench(sim, { stub: { item: { ...b.far.item, itemId: 'AAdate/2=', seriesId: 'AAseries', body: '' } }, links: b.links });
		const before = JSON.stringify(date.far.item);
		const calls = b.links.calls.length;
		for (const act of [flowRepair, flowRemove, () => flowRemove(date.ports, { keepConversation: true })])
			assert.deepEqual(await act(date.ports).then((o) => [o.kind, o.code]), ['error', 'occurrence']);
		assert.equal(JSON.stringify(date.far.item), before);
		assert.deepEqual([b.conversations().length, b.links.calls.length], [1, calls]);
	});

	await t.test('takes the agent\'s word that it is no copy, and then does everything that the first one may', async () => {
		const b = await fresh({ stub: { item: { itemId: 'AAcalendar/1=', body: WORDS } } });
		b.links.next = [503, 503, 503];
		await flowClick(b.ports);
		b.links.calls.length = 0;
		b.far.item.itemId = 'AAother/1=';
		assert.equal((await flowInspect(b.ports)).state, 'copied');
		assert.equal((await flowRepair(b.ports)).code, 'copied');
		b.far.faults = { 'customProperties.saveAsync': { fail: {}, times: 3 } };
		assert.equal((await flowRepair(b.ports, { same: true })).code, 'outlook');
		b.far.faults = { 'item.getItemIdAsync': { fail: {}, times: 1 } };
		assert.equal((await flowRepair(b.ports, { same: true })).code, 'outlook');
		assert.equal((await flowRepair(b.ports, { same: true })).code, 'already');
		assert.deepEqual(b.links.calls.map((c) => c.body.eventId), ['AAother-1=']);
		assert.equal((await flowInspect(b.ports)).state, 'linked');
		assert.equal((await flowRemove(b.ports)).code, 'removed');
		assert.equal(b.conversations().length, 0);
		/* Moved in time too, and without a server that follows. */
		const moved = await fresh({ config: { syncServerEnabled: false } });
		await flowClick(moved.ports);
		Object.assign(moved.far.item, { itemId: 'AAfirst/1=', start: moved.far.item.start + 86_400_000, end: moved.far.item.end + 86_400_000 });
		assert.equal((await flowRemove(moved.ports)).code, 'maybe-copy');
		assert.equal((await flowRepair(moved.ports, { same: true })).code, 'already');
		assert.equal((await flowRemove(moved.ports)).code, 'removed');
	});

	await t.test('can remove what is gone in Unblu already, and go on where it was interrupted', async () => {
		const b = await fresh({ stub: { item: { body: WORDS } } });
		await flowClick(b.ports);
		await sim.control('POST', `/control/conversations/${property(b.far).conversationId}/delete`);
		b.far.faults = { 'body.setAsync': { fail: {}, times: 1 } };
		assert.equal((await flowRemove(b.ports)).code, 'body-not-cleared');
		assert.notEqual(property(b.far), null);
		assert.equal((await flowRemove(b.ports)).code, 'removed');
		assert.equal(b.far.item.body, WORDS);
	});

	await t.test('sixty hostile subjects: each is the topic or its visible part, none gets into the text', async () => {
		for (const subject of PAYLOADS.map((p) => p.slice(0, 255))) {
			const b = await fresh({ stub: { item: { subject, body: WORDS } } });
			const out = await flowClick(b.ports);
			assert.equal(out.code, 'created', JSON.stringify(subject));
			const url = property(b.far).url;
			assert.equal(b.far.item.body, WORDS.replace('</body>', `<p>Join the online conversation:<br><a id="LPNoLP" href="${url}">${url}</a></p></body>`));
		}
	});

	await t.test('sixty hostile links: none gets into the event, and no conversation is left', async () => {
		for (const p of PAYLOADS) {
			const b = await fresh({ config: { allowInsecureLinks: false }, stub: { item: { body: WORDS } } });
			await sim.control('POST', '/control/settings', { validate: 'off', unblu: { publicLinkBase: p } });
			const out = await flowClick(b.ports);
			/* Of no host it is one of the host that follows: odd, and harmless. */
			if (p === 'https://')
				continue;
			assert.ok(['link-not-accepted', 'gateway-answer'].includes(out.code), `${JSON.stringify(p.slice(0, 60))}: ${out.code}`);
			assert.equal(b.far.item.body, WORDS);
			assert.equal(b.conversations().length, 0);
		}
	});
});
