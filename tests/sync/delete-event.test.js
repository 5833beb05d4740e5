// @ts-check
/* An event is deleted: what must be certain before its conversation goes, and what keeps it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, BOX, Bench, HINT, STATE, until } from './harness.js';
import { waits, waitsNoMore } from './meetings.js';

/** A followed meeting. @param {Bench} b @param {any} [change] */
async function linked(b, change) {
	const m = await b.meeting(ANNA, change);
	await b.notify(ANNA, m.event.immutableId);
	await until('it is linked', async () => (await b.link(m.id))?.verified);
	await b.settled();
	return m;
}

/** @param {Bench} b @param {any} m */
async function removed(b, m) {
	await b.act({ action: 'delete', mailbox: ANNA, event: m.event.immutableId });
	await b.notify(ANNA, m.event.immutableId, HINT.deleted);
}

/** An answer that takes long, once unless told. Resolves to: has it been asked for? @param {Bench} b @param {any} what */
async function slow(b, what) {
	const { id } = await b.control('POST', '/control/faults', { kind: 'delay', count: 1, ...what });
	return async () => !(await b.control('GET', '/control/faults')).rules.some((/** @type {any} */ f) => f.id === id);
}

/* Each has simulators and a program of its own, and mostly waits. */
describe('an event is deleted', { concurrency: 4 }, () => {
	test('a deleted event deletes its untouched conversation after the grace time', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await removed(b, m);
		await until('it is in its grace time', async () => (await b.link(m.id)).state === STATE.gone);
		assert.equal((await b.conversation(m.id)).deleted, false);
		await until('it is deleted', async () => (await b.conversation(m.id)).deleted);
		await until('the link says so', async () => (await b.link(m.id)).state === STATE.deleted);
		const d = await b.settled();
		assert.deepEqual(d.audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`), ['delete done']);
		assert.equal(d.work.length, 0);
		/* Grace, search, a look into every calendar, second look, control, guard: in that order. */
		const ops = (await b.control('GET', '/control/log?limit=1000')).map((/** @type {any} */ l) => l.op);
		const tail = ops.slice(ops.lastIndexOf('listCalendars') - 1);
		const calendars = tail.slice(2).findIndex((/** @type {string} */ op) => op !== 'listEvents');
		assert.ok(calendars > 0);
		assert.deepEqual([...tail.slice(0, 2), ...tail.slice(2 + calendars)], ['listEvents', 'listCalendars', 'getEvent', 'listEvents', 'read', 'history', 'delete']);
	});

	test('an event restored while it is being looked for keeps its conversation', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		const isAsked = await slow(b, { service: 'graph', op: 'listCalendars', delayMs: 1500 });
		await removed(b, m);
		await until('all calendars are being asked for', isAsked);
		await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
		await until('it is linked again', async () => (await b.link(m.id)).state === STATE.linked);
		await b.settled();
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	for (const [verdict, joined] of /** @type {[string, boolean][]} */ ([['deleted', false], ['ended', true]]))
		test(`an event restored while its conversation, that would be ${verdict}, is being judged keeps it`, async (t) => {
			const b = await Bench.start(t, { config: { onEventDeleted: 'delete-if-untouched-else-cancel' } });
			const m = await linked(b);
			if (joined)
				await b.control('POST', `/control/conversations/${m.id}/join`, {});
			const isAsked = await slow(b, { service: 'unblu', op: 'history', delayMs: 3000 });
			await removed(b, m);
			await until('the history is being asked for', isAsked);
			await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
			await until('it is linked again', async () => (await b.link(m.id)).state === STATE.linked);
			const d = await b.settled();
			assert.equal(await b.count('unblu', 'delete'), 0);
			assert.equal(await b.count('unblu', 'end'), 0);
			assert.equal((await b.conversation(m.id)).state, 'CREATED');
			assert.equal(d.links[0].writing, '');
		});

	test('a conversation that the agent removes himself while it is being judged is not ended', async (t) => {
		const b = await Bench.start(t, { config: { onEventDeleted: 'delete-if-untouched-else-cancel' } });
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/join`, {});
		const isAsked = await slow(b, { service: 'unblu', op: 'history', delayMs: 1000 });
		await removed(b, m);
		await until('the history is being asked for', isAsked);
		await b.tool('removed', m.id);
		await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
		assert.equal((await b.link(m.id)).state, STATE.deleted);
		assert.equal(await b.count('unblu', 'end'), 0);
	});

	test('a conversation whose judges are always slow is deleted all the same', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await slow(b, { service: 'unblu', op: 'history', delayMs: 2500, count: 1000 });
		await removed(b, m);
		await until('it is deleted', async () => (await b.conversation(m.id)).deleted, 30_000);
		assert.equal(await b.count('unblu', 'delete'), 1);
	});

	test('an event restored within its grace time keeps its conversation', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 3 } });
		const m = await linked(b);
		await removed(b, m);
		await until('it is in its grace time', async () => (await b.link(m.id)).state === STATE.gone);
		await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
		await b.notify(ANNA, m.event.immutableId, HINT.created);
		await until('it is linked again', async () => (await b.link(m.id)).state === STATE.linked);
		assert.equal((await b.link(m.id)).gone, 0);
		await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
		assert.equal((await b.conversation(m.id)).deleted, false);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	for (const [what, act] of /** @type {[string, (b: Bench, id: string) => Promise<any>][]} */ ([
		['a visitor in it', (b, id) => b.control('POST', `/control/conversations/${id}/join`, { name: 'Guest' })],
		['a visitor who has left again', async (b, id) => {
			await b.control('POST', `/control/conversations/${id}/join`, { name: 'Guest' });
			await b.control('POST', `/control/conversations/${id}/leave`, {});
		}],
		['an external participant', (b, id) => b.control('POST', `/control/conversations/${id}/join`, { external: true })],
		['a bot', (b, id) => b.control('POST', `/control/conversations/${id}/join`, { bot: true })],
		['a message', (b, id) => b.control('POST', `/control/conversations/${id}/message`, { text: 'Hello' })],
		['a start', (b, id) => b.control('POST', `/control/conversations/${id}/start`, {})],
	]))
		test(`a conversation with ${what} is kept, with an audit record`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			await act(b, m.id);
			await removed(b, m);
			await until('it is kept', async () => (await b.link(m.id)).state === STATE.kept);
			assert.equal((await b.conversation(m.id)).deleted, false);
			assert.equal(await b.count('unblu', 'delete'), 0);
			const d = await b.dump();
			assert.deepEqual(d.audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`), ['delete refused']);
		});

	test('without a history entry the present participants decide, and the audit says so', async (t) => {
		const b = await Bench.start(t, { settings: { unblu: { history: 'missing' } } });
		const m = await linked(b);
		await removed(b, m);
		await until('it is deleted', async () => (await b.link(m.id)).state === STATE.deleted);
		assert.match((await b.dump()).audit[0].detail, /no history/);
	});

	test('with a history that can not be read it waits', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'history', kind: 'status', status: 403, count: 1000 });
		await removed(b, m);
		await until('it waits', () => b.lines().some((l) => l.event === 'deletion-waits'));
		await b.settled();
		assert.equal(await b.count('unblu', 'delete'), 0);
		assert.equal((await b.link(m.id)).state, STATE.gone);
	});

	test('a moved event takes its conversation along', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		const copy = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
		await removed(b, m);
		await until('the link has moved', async () => (await b.link(m.id)).event === copy.immutableId);
		await b.act({ action: 'edit', mailbox: ANNA, event: copy.immutableId, subject: 'Moved along' });
		await b.notify(ANNA, copy.immutableId);
		await until('it follows the other event', async () => (await b.conversation(m.id)).topic === 'Moved along');
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('a mailbox out of reach deletes nothing', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await removed(b, m);
		await until('it is in its grace time', async () => (await b.link(m.id)).state === STATE.gone);
		await b.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'noLicence' });
		await until('the mailbox is parked', async () => (await b.dump()).mailboxes.some((/** @type {any} */ x) => x.state === BOX.parked));
		assert.equal(await b.count('unblu', 'delete'), 0);
		assert.equal((await b.conversation(m.id)).deleted, false);
		assert.ok((await b.dump()).work.length > 0, 'the row is kept');
	});

	test('an event that is called off is a deletion like any other', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.act({ action: 'cancel', mailbox: ANNA, event: m.event.immutableId });
		await b.notify(ANNA, m.event.immutableId, HINT.updated | HINT.deleted);
		await until('it is deleted', async () => (await b.link(m.id)).state === STATE.deleted);
	});

	test('an event in Deleted Items that still answers 200 is recognised as deleted', async (t) => {
		const b = await Bench.start(t, { settings: { graph: { deletedItems: '200', notify: { profile: 'none' } } } });
		const m = await linked(b);
		await removed(b, m);
		await until('it is deleted', async () => (await b.link(m.id)).state === STATE.deleted);
		assert.ok(await b.count('graph', 'getEventCalendar') > 1);
	});

	test('more deletions than allowed within an hour are held with an alarm', async (t) => {
		const b = await Bench.start(t, { config: { maxDeletionsPerMailbox: 2 } });
		const ms = [];
		for (let i = 0; i < 4; i++)
			ms.push(await linked(b, { subject: `Meeting ${i}` }));
		for (const m of ms)
			await removed(b, m);
		await until('two are held', async () => (await b.dump()).links.filter((/** @type {any} */ l) => l.state === STATE.held).length === 2);
		const d = await b.dump();
		assert.equal(d.links.filter((/** @type {any} */ l) => l.state === STATE.deleted).length, 2);
		assert.ok('degraded:deletions' in d.facts);
		assert.equal(await b.count('unblu', 'delete'), 2);
	});

	test('onEventDeleted ignore leaves the conversation alone', async (t) => {
		const b = await Bench.start(t, { config: { onEventDeleted: 'ignore' } });
		const m = await linked(b);
		await removed(b, m);
		await until('it was read', async () => await b.count('graph', 'getEvent') > 1);
		await b.settled();
		assert.equal((await b.conversation(m.id)).deleted, false);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('a conversation that is gone already ends the link', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/delete`, {});
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Too late' });
		await b.notify(ANNA, m.event.immutableId);
		await waits(b, /no such conversation/);
		await waitsNoMore(b);
		await until('it is over', async () => (await b.link(m.id)).state === STATE.deleted);
		assert.equal((await b.dump()).dead.length, 0);
	});
});
