// @ts-check
/* An event changes, the conversation follows: reading, comparing, writing. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { ANNA, BEN, Bench, CARLA, HINT, STATE, TENANT_A, until } from './harness.js';

const START = Date.parse('2027-03-01T09:00:00Z');

/** @param {Bench} b @param {string} id @param {any} want */
async function shows(b, id, want) {
	await until(`the conversation has ${JSON.stringify(want)}`, async () => {
		const seen = await b.conversation(id);
		return Object.keys(want).every((k) => seen[k] === want[k]);
	});
}

/** @param {Bench} b @param {string} id */
async function writes(b, id) {
	return (await b.conversation(id)).ledger.filter((/** @type {any} */ w) => w.op !== 'create').length;
}

/* Each has simulators and a program of its own, and mostly waits. */
describe('an event changes', { concurrency: 4 }, () => {
	test('a new event that Graph does not have everywhere yet is asked for once more', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', kind: 'status', status: 404, code: 'ErrorItemNotFound', count: 1 });
		await b.notify(ANNA, m.event.immutableId, HINT.created | HINT.updated);
		const from = Date.now();
		await until('it is linked', async () => (await b.link(m.id))?.verified);
		assert.ok(Date.now() - from > 2000);
		assert.equal(await b.count('graph', 'getEvent'), 2);
	});

	/** @type {[string, number, number][]} */
	const reads = [['saved', HINT.created, 2], ['saved and deleted', HINT.created | HINT.updated | HINT.deleted, 1], ['missed', HINT.missed, 1]];
	for (const [what, hints, count] of reads)
		test(`an event that is not there is read ${count} times when told of as ${what}`, async (t) => {
			const b = await Bench.start(t);
			const m = await b.meeting(ANNA);
			await b.act({ action: 'purge', mailbox: ANNA, event: m.event.immutableId });
			await b.notify(ANNA, m.event.immutableId, hints);
			await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
			assert.equal(await b.count('graph', 'getEvent'), count);
		});

	test('a renamed and moved event changes topic and time of its conversation', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: '  Beratung Müller  ', start: '2027-03-01T10:00:00Z', end: '2027-03-01T10:30:00Z' });
		await b.notify(ANNA, m.event.immutableId);
		await shows(b, m.id, { topic: 'Beratung Müller', scheduledTimestamp: START + 3600_000 });
		const d = await b.settled();
		assert.equal(d.links[0].state, STATE.linked);
		assert.equal(d.links[0].writing, '');
		assert.deepEqual(d.audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`), ['set-topic done', 'set-time done']);
		assert.equal(d.work.length, 0);
	});

	test('an event that says what was announced causes no call to Unblu at all', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.announce(ANNA, m.made, 'Portfolio review', START);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id))?.state === STATE.linked);
		assert.equal(await b.count('unblu', 'read'), 0);
		assert.equal(await b.count('unblu', 'token'), 0);
		assert.equal(await writes(b, m.id), 0);
	});

	test('a second look after a write writes nothing again', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Once' });
		await b.notify(ANNA, m.event.immutableId);
		await shows(b, m.id, { topic: 'Once' });
		const reads = await b.count('unblu', 'read');
		await b.act({ action: 'touch', mailbox: ANNA, event: m.event.immutableId });
		await b.notify(ANNA, m.event.immutableId);
		await b.settled();
		assert.equal(await writes(b, m.id), 1);
		assert.equal(await b.count('unblu', 'read'), reads);
	});

	test('an event without our property is ignored, its subject neither stored nor logged', async (t) => {
		const b = await Bench.start(t);
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'PRIVATE-CANARY', start: '2027-03-01T09:00:00Z', end: '2027-03-01T09:30:00Z' });
		await b.notify(ANNA, event.immutableId);
		await until('it was read', async () => await b.count('graph', 'getEvent') > 0);
		const d = await b.settled();
		assert.deepEqual(d.links, []);
		assert.equal(await b.count('unblu', 'read'), 0);
		assert.ok(!fs.readFileSync(b.log, 'utf8').includes('PRIVATE-CANARY'));
		assert.ok(!JSON.stringify(d).includes('PRIVATE-CANARY'));
	});

	test('an attendee copy is never acted on', async (t) => {
		const b = await Bench.start(t);
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Theirs', start: '2027-03-01T09:00:00Z', end: '2027-03-01T09:30:00Z', attendees: ['ben@alpinebank.example'] });
		const made = await b.control('POST', '/control/button', { mailbox: ANNA, event: event.immutableId });
		await b.act({ action: 'edit', mailbox: ANNA, event: event.immutableId, subject: 'Theirs, renamed' });
		const copies = await b.control('GET', `/control/events?mailbox=${BEN}`);
		for (const copy of copies)
			await b.notify(BEN, copy.immutableId);
		const d = await b.settled();
		assert.deepEqual(d.links, []);
		assert.equal((await b.conversation(made.conversation.id ?? made.conversation)).topic, 'Theirs');
	});

	test('a conversation with another sourceId is foreign: no write, an audit record', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.control('POST', `/control/conversations/${m.id}/edit`, { sourceId: 'outlook-addin:somebody-elses' });
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Never' });
		await b.notify(ANNA, m.event.immutableId);
		await until('it is foreign', async () => (await b.link(m.id))?.state === STATE.foreign);
		const d = await b.settled();
		assert.equal(await writes(b, m.id), 0);
		assert.deepEqual(d.audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`), ['own foreign']);
	});

	test('a claim from another mailbox has no effect', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.announce(ANNA, m.made, 'Portfolio review', START);
		const thief = await b.act({ action: 'create', mailbox: CARLA, subject: 'Mine now', start: '2027-03-01T09:00:00Z', end: '2027-03-01T09:30:00Z' });
		await b.act({ action: 'link', mailbox: CARLA, event: thief.immutableId, conversationId: m.id, sourceId: m.made.sourceId });
		await b.notify(CARLA, thief.immutableId);
		await b.settled();
		assert.equal((await b.conversation(m.id)).topic, 'Portfolio review');
		assert.equal((await b.link(m.id)).user, ANNA);
	});

	test('a copied event is recorded and not acted on', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id))?.state === STATE.linked);
		const copy = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
		assert.notEqual(copy.immutableId, m.event.immutableId);
		await b.act({ action: 'edit', mailbox: ANNA, event: copy.immutableId, subject: 'The copy' });
		await b.notify(ANNA, copy.immutableId);
		await b.settled();
		assert.equal((await b.conversation(m.id)).topic, 'Portfolio review');
		assert.equal((await b.link(m.id)).event, m.event.immutableId);
	});

	test('waiting for a conversation that is busy is no failed attempt', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id))?.state === STATE.linked);
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'setTopic', kind: 'delay', delayMs: 2500, count: 1 });
		const copy = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Slow' });
		await b.notify(ANNA, m.event.immutableId);
		await until('it is being written', async () => (await b.link(m.id))?.writing !== '');
		await b.notify(ANNA, copy.immutableId);
		const row = await until('the other one waits', async () => (await b.dump()).work.find((/** @type {any} */ w) => w.reason === 'the conversation is busy'));
		assert.equal(row.attempts, 0);
		await until('the copy was seen', () => b.lines().some((l) => l.event === 'copy-seen'));
	});

	test('an ended conversation is no longer followed', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id))?.verified);
		await b.control('POST', `/control/conversations/${m.id}/end`, {});
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, start: '2027-03-02T09:00:00Z', end: '2027-03-02T09:30:00Z' });
		await b.notify(ANNA, m.event.immutableId);
		await until('it has ended', async () => (await b.link(m.id))?.state === STATE.ended);
		assert.equal(await writes(b, m.id), 1, 'only the end itself');
	});

	test('the time of a conversation that is under way is left alone, its topic is not', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id))?.verified);
		await b.control('POST', `/control/conversations/${m.id}/start`, {});
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Running', start: '2027-03-02T09:00:00Z', end: '2027-03-02T09:30:00Z' });
		await b.notify(ANNA, m.event.immutableId);
		await shows(b, m.id, { topic: 'Running' });
		await b.settled();
		assert.equal((await b.conversation(m.id)).scheduledTimestamp, START);
	});

	test('an all-day event starts with the day in the agent\'s time zone', async (t) => {
		const b = await Bench.start(t, { config: { defaultTimeZone: 'Europe/Zurich' } });
		const m = await b.meeting(ANNA);
		await b.announce(ANNA, m.made, 'Portfolio review', START, 'America/New_York');
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, isAllDay: true, start: '2027-07-01T00:00:00Z', end: '2027-07-02T00:00:00Z' });
		await b.notify(ANNA, m.event.immutableId);
		await shows(b, m.id, { scheduledTimestamp: Date.parse('2027-07-01T04:00:00Z') });
	});

	test('a blank subject becomes the fallback topic', async (t) => {
		const b = await Bench.start(t, { config: { fallbackTopic: 'Meeting' } });
		const m = await b.meeting(ANNA);
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: ' \t ' });
		await b.notify(ANNA, m.event.immutableId);
		await shows(b, m.id, { topic: 'Meeting' });
	});

	test('a series follows its master, an occurrence leads to the master', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA, { recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }, range: { type: 'numbered', numberOfOccurrences: 5 } } });
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Weekly' });
		await b.notify(ANNA, m.event.immutableId);
		await shows(b, m.id, { topic: 'Weekly' });
		assert.equal((await b.link(m.id)).series, 'master');
	});

	test('with a dry run nothing is written and everything else goes on', async (t) => {
		const b = await Bench.start(t, { config: { syncServerDryRun: true } });
		const m = await b.meeting(ANNA);
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Dry' });
		await b.notify(ANNA, m.event.immutableId);
		await until('it says what it would do', () => b.lines().some((l) => l.event === 'dry-run'));
		await b.settled();
		assert.equal(await writes(b, m.id), 0);
	});

	test('paused writes are kept and made later', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.tool('fact', `pause:${TENANT_A}`, '');
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Later' });
		await b.notify(ANNA, m.event.immutableId);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.reason === 'writes are paused'));
		assert.equal(await writes(b, m.id), 0);
	});

	test('a pause of days costs a look in a quarter of an hour', async (t) => {
		const b = await Bench.start(t, { now: '2027-01-10T08:00:00Z' });
		const m = await b.meeting(ANNA);
		await b.tool('fact', `pause:${TENANT_A}`, '');
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Later' });
		await b.notify(ANNA, m.event.immutableId);
		const waits = async () => (await b.dump()).work.find((/** @type {any} */ w) => w.reason === 'writes are paused' && w.notBefore > b.now());
		const first = await until('it waits', waits);
		assert.ok(first.notBefore - b.now() <= 30_000, 'the pause may have been a short one');
		await b.goTo(first.notBefore + 1000);
		const second = await until('it waits again', waits);
		assert.ok(second.notBefore - b.now() > 10 * 60_000 && second.notBefore - b.now() <= 15 * 60_000, `${second.notBefore - b.now()} ms`);
		assert.equal(await writes(b, m.id), 0);
	});

	test('the property that vanished later does not unlink', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id))?.state === STATE.linked);
		await b.act({ action: 'writeProperty', mailbox: ANNA, event: m.event.immutableId, value: null });
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Still followed' });
		await b.notify(ANNA, m.event.immutableId, HINT.updated);
		await shows(b, m.id, { topic: 'Still followed' });
	});

	test('an event announced by its REST id is followed by its immutable one, even before the property is there', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA, { subject: 'Portfolio review' });
		await b.announce(ANNA, m.made, 'Portfolio review', START, '', m.event.restId);
		await b.act({ action: 'writeProperty', mailbox: ANNA, event: m.event.immutableId, value: null });
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Announced' });
		await b.notify(ANNA, m.event.restId);
		await shows(b, m.id, { topic: 'Announced' });
		await b.settled();
		assert.equal((await b.link(m.id)).event, m.event.immutableId);
		assert.equal((await b.link(m.id)).state, STATE.linked);
	});

	test('an announced event that can not be read is no deletion', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		const m = await b.meeting(ANNA);
		await b.announce(ANNA, m.made, 'Portfolio review', START, '', 'AAkAbsent');
		await b.notify(ANNA, 'AAkAbsent');
		await until('it was asked for', async () => await b.count('graph', 'getEvent') > 0);
		await b.settled();
		assert.equal((await b.link(m.id)).state, STATE.announced);
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test('an event that carries a new conversation follows that one and leaves the old', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id))?.verified);
		const fresh = await b.control('POST', '/control/button', { mailbox: ANNA, event: m.event.immutableId });
		assert.notEqual(fresh.conversation.id, m.id);
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'The new one' });
		await b.notify(ANNA, m.event.immutableId);
		await shows(b, fresh.conversation.id, { topic: 'The new one' });
		await b.settled();
		assert.equal((await b.conversation(m.id)).topic, 'Portfolio review');
		assert.equal((await b.link(m.id)).state, STATE.unconfirmed);
		assert.equal((await b.link(fresh.conversation.id)).event, m.event.immutableId);
	});
});
