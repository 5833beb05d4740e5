// @ts-check
/* A conversation whose event is not seen: what is searched, when it is an orphan, and what keeps it. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { ANNA, BEN, KIND, STATE, TENANT_A, until } from './harness.js';
import { GRACE_MS, START, announced, audit, bench, carry, due, leadsTo, searched } from './orphans.js';
import { waits, waitsNoMore } from './meetings.js';

describe('an event that was never saved', { concurrency: 4 }, () => {
	test('leaves an orphan, which is removed by the clock alone after two full searches', async (t) => {
		const b = await bench(t);
		await b.control('PATCH', `/control/mailboxes/${ANNA}`, { calendar: 'Second' });
		const m = await announced(b, { check: Date.now() + GRACE_MS });
		await until('it is removed', async () => (await b.link(m.id)).state === STATE.deleted, 30_000);
		const d = await b.settled();
		assert.equal((await b.conversation(m.id)).deleted, true);
		assert.deepEqual(audit(d), ['delete done']);
		assert.match(d.audit[0].detail, /^orphan: /);
		assert.equal(d.audit[0].conversation, m.id);
		assert.equal(d.links[0].check, 0, 'nothing is due for it any more');
		assert.deepEqual(d.work, []);
		/* Read, calendars, each by property, each by text - twice; then the guard. */
		const ops = (await b.control('GET', '/control/log?limit=1000')).map((/** @type {any} */ l) => l.op);
		const search = ['read', 'listCalendars', 'listEvents', 'listEvents', 'listCalendarView', 'listCalendarView'];
		const tail = ops.slice(ops.indexOf('read')).filter((/** @type {string} */ op) => !/token|discovery|keys/i.test(op));
		assert.deepEqual(tail, [...search, ...search, 'read', 'history', 'delete']);
		const text = fs.readFileSync(b.log, 'utf8');
		assert.ok(!text.includes('Portfolio review'));
	});

	test('is looked for at once when it is announced again, and not suspected before its time', async (t) => {
		const b = await bench(t, { config: { orphanGraceHours: 24 } });
		const m = await announced(b);
		const before = await b.count('graph', 'listEvents');
		await b.notify(ANNA, m.id, 0, KIND.link);
		await until('it is searched for', async () => await b.count('graph', 'listEvents') > before);
		await b.settled();
		assert.equal(await b.count('graph', 'listCalendars'), 0);
		const link = await b.link(m.id);
		assert.equal(link.state, STATE.announced);
		assert.ok(Math.abs(link.check - m.announcedAt - 86400_000) < 10_000, 'the lease is planned');
	});

	test('with orphanGraceHours 0 nothing is ever suspected', async (t) => {
		const b = await bench(t, { config: { orphanGraceHours: 0 } });
		const m = await announced(b, { check: 1 });
		await due(b, m);
		assert.equal((await b.link(m.id)).state, STATE.announced);
		assert.equal((await b.link(m.id)).check, 0);
		assert.equal(await b.count('graph', 'listCalendars'), 0);
	});

	test('keeps its conversation when someone has joined it', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
		const d = await leadsTo(b, m, STATE.kept);
		assert.equal(await b.count('unblu', 'delete'), 0);
		assert.deepEqual(audit(d), ['delete refused']);
		assert.match(d.audit[0].detail, /^orphan: the agent is not its only participant/);
		assert.match(d.links[0].error, /only participant/, 'for the pane');
	});

	test('does not end what may not be deleted, whatever onEventDeleted says of deleted events', async (t) => {
		const b = await bench(t, { config: { onEventDeleted: 'delete-if-untouched-else-cancel' } });
		const m = await announced(b);
		await b.control('POST', `/control/conversations/${m.id}/message`, { text: 'Hello' });
		await leadsTo(b, m, STATE.kept);
		assert.equal((await b.conversation(m.id)).state, 'CREATED');
	});

	test('whose conversation has ended is over', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.control('POST', `/control/conversations/${m.id}/end`, {});
		await leadsTo(b, m, STATE.ended);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('and is announced again while it is being searched for has its lease anew', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		const slow = await b.control('POST', '/control/faults', { service: 'graph', op: 'listCalendars', kind: 'delay', delayMs: 1500, count: 1 });
		await until('the grace time is over', () => Date.now() > m.announcedAt + GRACE_MS);
		await b.notify(m.user, m.id, 0, KIND.link);
		await until('it is being searched for', async () => !(await b.control('GET', '/control/faults')).rules.some((/** @type {any} */ f) => f.id === slow.id));
		await b.tool('announce', m.id, TENANT_A, m.user, m.made.sourceId, 'Portfolio review', String(START), '', '', '0', '0');
		await until('it was searched for', () => b.lines().some((l) => l.event === 'mailbox-scanned'));
		await until('that counts for nothing', () => b.lines().some((l) => l.event === 'orphan-announced-again'));
		assert.equal((await b.link(m.id)).emptySearches, 0);
	});

	test('whose conversation is gone is over', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.control('POST', `/control/conversations/${m.id}/delete`, {});
		await due(b, m);
		await waits(b, /no such conversation/);
		await waitsNoMore(b);
		await until('it is over', async () => (await b.link(m.id)).state === STATE.deleted);
		const d = await leadsTo(b, m, STATE.deleted);
		assert.deepEqual(audit(d), ['follow gone']);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('whose sourceId is another one is foreign: nothing is searched, nothing deleted', async (t) => {
		const b = await bench(t);
		const m = await announced(b, { sourceId: 'outlook-addin:somebody-elses' });
		const d = await leadsTo(b, m, STATE.foreign);
		assert.deepEqual(audit(d), ['own foreign']);
		assert.equal(await b.count('graph', 'listCalendars'), 0);
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test('and which the agent removes himself in the meantime is not touched again', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await due(b, m);
		await searched(b, m.id, 1);
		await b.tool('removed', m.id);
		await b.settled();
		const before = (await b.control('GET', '/control/log?limit=1000')).length;
		await due(b, m);
		assert.equal((await b.control('GET', '/control/log?limit=1000')).length, before);
		assert.equal(await b.count('unblu', 'delete'), 0);
		assert.equal((await b.link(m.id)).state, STATE.deleted);
	});

	test('leaves the conversation where onEventDeleted is ignore', async (t) => {
		const b = await bench(t, { config: { onEventDeleted: 'ignore' } });
		const m = await announced(b);
		const d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /onEventDeleted/);
		assert.equal((await b.conversation(m.id)).deleted, false);
	});
});

describe('an event that is there after all', { concurrency: 4 }, () => {
	test('is found by its property in a secondary calendar, on the last page of the list', async (t) => {
		const b = await bench(t, { settings: { graph: { eventPageMax: 1, notify: { profile: 'none' } } } });
		for (const calendar of ['One', 'Two', 'Three'])
			await b.control('PATCH', `/control/mailboxes/${ANNA}`, { calendar });
		const m = await announced(b);
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'In another calendar', start: START + 3600_000, end: START + 5400_000, calendar: 'Three' });
		await carry(b, event.immutableId, m);
		await leadsTo(b, m, STATE.linked);
		await until('it follows', async () => (await b.conversation(m.id)).topic === 'In another calendar');
		const link = await b.link(m.id);
		assert.equal(link.event, event.immutableId);
		assert.deepEqual([link.check, link.emptySearches, link.error], [0, 0, '']);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	for (const [what, change] of /** @type {[string, (m: any) => any][]} */ ([
		['in an HTML body, behind a word', (m) => ({ body: `<p>Please <a href="${m.url.replaceAll('&', '&amp;')}">join</a></p>` })],
		['in an HTML body as a link scanner writes it', (m) => ({ body: `<a href="https://scan.example/?url=${encodeURIComponent(m.url)}&amp;data=5">join</a>` })],
		['in its location', (m) => ({ location: m.url })],
		['as the conversation\'s id in some other address', (m) => ({ body: `https://unblu.example/app/desk#${m.id}` })],
	]))
		test(`is unconfirmed when it has the link ${what}, but not the property`, async (t) => {
			const b = await bench(t);
			const m = await announced(b);
			await b.act({ action: 'create', mailbox: ANNA, subject: 'Without property', start: START + 86400_000, end: START + 88200_000, ...change(m) });
			const d = await leadsTo(b, m, STATE.unconfirmed);
			assert.match(d.links[0].error, /has its link/);
			assert.deepEqual(audit(d), ['orphan unconfirmed']);
			assert.equal((await b.conversation(m.id)).deleted, false);
			assert.ok(!fs.readFileSync(b.log, 'utf8').includes('Without property'));
		});

	test('and has nothing to do with it does not save it', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.act({ action: 'create', mailbox: ANNA, subject: 'Another', start: START, end: START + 1800_000, body: m.url.slice(0, -1), location: 'Room 1' });
		await leadsTo(b, m, STATE.deleted);
	});

	test('is linked when it turns up between the two searches', async (t) => {
		const b = await bench(t);
		const m = await announced(b, { keep: true });
		await due(b, m);
		await searched(b, m.id, 1);
		await carry(b, m.event.immutableId, m);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id)).state === STATE.linked);
		await due(b, m);
		const link = await b.link(m.id);
		assert.deepEqual([link.state, link.emptySearches, link.check], [STATE.linked, 0, 0], 'nothing is left of the lease');
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('is linked even when it is found unconfirmed', async (t) => {
		const b = await bench(t);
		const m = await announced(b, { keep: true });
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, location: m.url });
		await leadsTo(b, m, STATE.unconfirmed);
		await carry(b, m.event.immutableId, m);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id)).state === STATE.linked);
		assert.equal((await b.link(m.id)).error, '');
	});

	test('and was announced with its id is read by that, before anything is searched', async (t) => {
		const b = await bench(t);
		const m = await announced(b, { keep: true });
		await b.tool('removed', m.id);
		const id = (await announced(b, { keep: true })).id;
		const event = (await b.control('GET', `/control/events?mailbox=${ANNA}`)).at(-1);
		await b.tool('announce', id, TENANT_A, ANNA, 'any', 'x', String(START), '', event.restId, '0', '0');
		await leadsTo(b, { id, user: ANNA, announcedAt: Date.now() }, STATE.linked);
		assert.equal((await b.link(id)).event, event.immutableId);
		assert.equal(await b.count('graph', 'listCalendars'), 0);
	});

	test('and can not be followed yet, a draft without a time, does not end the lease', async (t) => {
		const b = await bench(t);
		const draft = await b.act({ action: 'create', mailbox: ANNA, subject: 'Draft', isDraft: true });
		const check = Date.now() + 3600_000;
		const m = await announced(b, { event: draft.immutableId, check });
		await b.notify(ANNA, draft.immutableId);
		await b.settled();
		assert.deepEqual([(await b.link(m.id)).state, (await b.link(m.id)).check], [STATE.announced, check]);
		const d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /an event with it is there/);
		await b.settled();
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test('comes too late when its conversation was removed: told once, and never tried again', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await leadsTo(b, m, STATE.deleted);
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Late', start: START, end: START + 1800_000 });
		await carry(b, event.immutableId, m);
		const reads = await b.count('unblu', 'read');
		for (let i = 0; i < 3; i++) {
			await b.notify(ANNA, event.immutableId);
			await b.settled();
		}
		const d = await b.dump();
		assert.deepEqual(audit(d), ['delete done', 'follow too-late']);
		assert.equal(d.links.length, 1);
		assert.equal(d.links[0].state, STATE.deleted);
		assert.match(d.links[0].error, /after its conversation was removed/);
		assert.deepEqual([d.work, d.dead], [[], []]);
		assert.equal(await b.count('unblu', 'read'), reads);
	});

	test('in another mailbox, with the right sourceId, saves the conversation', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		const theirs = await b.act({ action: 'create', mailbox: BEN, subject: 'Mine as well', start: START, end: START + 1800_000 });
		await carry(b, theirs.immutableId, m, BEN);
		await b.notify(BEN, theirs.immutableId);
		await b.settled();
		assert.equal((await b.link(m.id)).user, ANNA, 'it stays with whom it was announced by');
		const d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /another mailbox/);
		assert.equal((await b.conversation(m.id)).topic, 'Portfolio review');
	});

	test('in another mailbox, with a made-up sourceId, does not', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		const theirs = await b.act({ action: 'create', mailbox: BEN, subject: 'Guess', start: START, end: START + 1800_000 });
		await b.act({ action: 'link', mailbox: BEN, event: theirs.immutableId, conversationId: m.id, sourceId: 'guess' });
		await b.notify(BEN, theirs.immutableId);
		await b.settled();
		await leadsTo(b, m, STATE.deleted);
	});
});
