// @ts-check
/* One conversation for a series: which occurrence gives it the time, and how that moves on. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, Bench, HINT, KIND, STATE, TENANT_A, until } from './harness.js';

/* A Monday; the clocks of Zurich go forward on 28 March 2027. */
const NOW = '2027-03-01T12:00:00Z';
const MIN = 60_000;
const DAY = 86400_000;

/** @param {string} text */
const at = (text) => Date.parse(text);

/** A series with a conversation that was made by the button and is linked. @param {Bench} b @param {any} [recurrence] @param {any} [more] announced: by PUT as well */
async function weekly(b, recurrence = {}, more = {}) {
	const m = await b.meeting(ANNA, {
		subject: 'Weekly', start: '2027-03-02T09:00:00Z', end: '2027-03-02T09:30:00Z', ...more,
		recurrence: { pattern: { type: 'weekly', interval: 1, ...recurrence.pattern }, range: { type: 'noEnd', startDate: '2027-03-02', ...recurrence.range } },
	});
	if (more.announced)
		await b.announce(ANNA, m.made, 'Weekly', at('2027-03-02T09:00:00Z'));
	await b.notify(ANNA, m.event.immutableId);
	await until('it is linked', async () => (await b.link(m.id))?.state === STATE.linked && (await b.link(m.id)).check > 0);
	return m;
}

/** The time of the conversation becomes that. @param {Bench} b @param {any} m @param {string} time @param {string} [what] */
async function has(b, m, time, what = '') {
	await until(`${what} ${time}`, async () => (await b.conversation(m.id)).scheduledTimestamp === at(time));
	await b.settled();
}

/** What was written in Unblu, but for the creation. @param {Bench} b @param {any} m @returns {Promise<string[]>} */
async function writes(b, m) {
	return (await b.conversation(m.id)).ledger.filter((/** @type {any} */ w) => w.op !== 'create').map((/** @type {any} */ w) => w.op);
}

/** Reads that Graph answered; with old tokens it refuses some. @param {Bench} b @param {string} op */
async function answered(b, op) {
	return (await b.control('GET', `/control/log?service=graph&op=${op}&status=200&limit=20000`)).length;
}

/** A notification, and its look is over. @param {Bench} b @param {any} m @param {number} [hints] */
async function look(b, m, hints = HINT.updated) {
	const before = await b.count('graph', 'getEvent');
	await b.notify(ANNA, m.event.immutableId, hints);
	await until('it was read', async () => await b.count('graph', 'getEvent') > before);
	await b.settled();
}

/** @param {any} m @param {any} change */
const edit = (m, change) => ({ mailbox: ANNA, event: m.event.immutableId, ...change });

/* Each has simulators and a program of its own, and mostly waits. */
describe('a series', { concurrency: 4 }, () => {
	test('has the time of its first occurrence, and a look that finds nothing new asks Unblu nothing', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		assert.equal((await b.conversation(m.id)).scheduledTimestamp, at('2027-03-02T09:00:00Z'));
		assert.deepEqual(await writes(b, m), []);
		const link = await b.link(m.id);
		assert.equal(link.occurrenceEnd, at('2027-03-02T09:30:00Z'));
		assert.equal(link.check, at('2027-03-02T09:30:01Z'));
		assert.ok(link.end > at('9000-01-01T00:00:00Z'), 'it has no end');
		const before = { events: await b.count('graph', 'getEvent'), lists: await b.count('graph', 'listInstances'), unblu: await b.count('unblu', 'read') };
		await look(b, m);
		assert.equal(await b.count('graph', 'getEvent'), before.events + 1);
		assert.equal(await b.count('graph', 'listInstances'), before.lists + 1, 'one GET more');
		assert.equal(await b.count('unblu', 'read'), before.unblu);
	});

	test('moves on when an occurrence is over, without a word from Graph, as long as there are any', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		for (const [over, next] of [['02', '09'], ['09', '16'], ['16', '23']]) {
			await b.goTo(`2027-03-${over}T09:29:00Z`);
			await b.wake();
			await b.settled();
			assert.equal((await b.conversation(m.id)).scheduledTimestamp, at(`2027-03-${over}T09:00:00Z`), 'one in progress is not left');
			await b.goTo(`2027-03-${over}T09:30:02Z`);
			await has(b, m, `2027-03-${next}T09:00:00Z`);
			assert.equal((await b.link(m.id)).check, at(`2027-03-${next}T09:30:01Z`));
		}
		assert.deepEqual(await writes(b, m), ['setScheduledTimestamp', 'setScheduledTimestamp', 'setScheduledTimestamp']);
	});

	test('is moved on by outlook-addin-renew as well', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		await b.down();
		await b.goTo('2027-03-02T09:29:00Z');
		assert.equal((await b.renew()).code, 0);
		assert.deepEqual((await b.dump()).work, [], 'not before the occurrence is over');
		await b.goTo('2027-03-02T09:31:00Z');
		assert.equal((await b.renew()).code, 0);
		assert.deepEqual((await b.dump()).work.map((/** @type {any} */ w) => [w.kind, w.event]), [[KIND.link, m.id]]);
		await b.up();
		await has(b, m, '2027-03-09T09:00:00Z');
	});

	test('goes to the next occurrence when one is deleted or called off', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		await b.act(edit(m, { action: 'deleteOccurrence', date: '2027-03-02' }));
		await look(b, m);
		await has(b, m, '2027-03-09T09:00:00Z');
		await b.act(edit(m, { action: 'editOccurrence', date: '2027-03-09', isCancelled: true }));
		await look(b, m);
		await has(b, m, '2027-03-16T09:00:00Z');
		assert.equal((await b.link(m.id)).state, STATE.linked);
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test('follows an occurrence that is moved later, earlier, or past another one', async (t) => {
		const b = await Bench.start(t, { now: NOW, settings: { graph: { instanceOrder: 'shuffled', notify: { profile: 'none' } } } });
		const m = await weekly(b);
		await b.act(edit(m, { action: 'editOccurrence', date: '2027-03-02', start: '2027-03-03T14:00:00Z' }));
		await look(b, m);
		await has(b, m, '2027-03-03T14:00:00Z', 'later');
		await b.act(edit(m, { action: 'editOccurrence', date: '2027-03-02', start: '2027-03-01T15:00:00Z', end: '2027-03-01T16:00:00Z' }));
		await look(b, m);
		await has(b, m, '2027-03-01T15:00:00Z', 'earlier than the series itself');
		await b.act(edit(m, { action: 'editOccurrence', date: '2027-03-02', start: '2027-03-11T08:00:00Z', end: '2027-03-11T08:30:00Z' }));
		await look(b, m);
		await has(b, m, '2027-03-09T09:00:00Z', 'past the second');
		await b.goTo('2027-03-09T09:31:00Z');
		await has(b, m, '2027-03-11T08:00:00Z', 'which comes behind it');
		await b.goTo('2027-03-11T08:31:00Z');
		await has(b, m, '2027-03-16T09:00:00Z');
	});

	test('keeps its topic when an exception is renamed; the exception leads to the series and gets no conversation', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		const renamed = await b.control('POST', '/control/actions', edit(m, { action: 'editOccurrence', date: '2027-03-02', subject: 'Only this once' }));
		const lists = await b.count('graph', 'listInstances');
		await b.notify(ANNA, renamed.occurrence.immutableId, HINT.created);
		await until('the series was read', async () => await b.count('graph', 'listInstances') > lists);
		await b.settled();
		assert.equal((await b.conversation(m.id)).topic, 'Weekly');
		assert.deepEqual(await writes(b, m), []);
		const moved = await b.control('POST', '/control/actions', edit(m, { action: 'editOccurrence', date: '2027-03-02', start: '2027-03-02T11:00:00Z', keepsProperty: true }));
		assert.equal(moved.occurrence.immutableId, renamed.occurrence.immutableId);
		await b.notify(ANNA, moved.occurrence.immutableId);
		await has(b, m, '2027-03-02T11:00:00Z', 'by the property that the exception kept');
		const d = await b.dump();
		assert.deepEqual(d.links.map((/** @type {any} */ l) => [l.event, l.topic]), [[m.event.immutableId, 'Weekly']]);
		await b.act(edit(m, { action: 'edit', subject: 'Every week' }));
		await look(b, m);
		await until('the topic is the series\'', async () => (await b.conversation(m.id)).topic === 'Every week');
	});

	test('of which an occurrence is all that is told, and that is nothing to us, costs no second look', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Private', start: '2027-03-02T09:00:00Z', recurrence: { pattern: { type: 'daily', interval: 1 }, range: { type: 'noEnd' } } });
		const changed = await b.control('POST', '/control/actions', { action: 'editOccurrence', mailbox: ANNA, event: event.immutableId, date: '2027-03-03', subject: 'x' });
		await b.notify(ANNA, changed.occurrence.immutableId);
		await until('it was read', async () => await b.count('graph', 'getEvent') > 0);
		const d = await b.settled();
		assert.deepEqual([d.links, d.work], [[], []]);
		assert.equal(await b.count('graph', 'getEvent'), 1);
		assert.equal(await b.count('graph', 'listInstances'), 0);
	});

	test('with an end runs out: the time stays, nobody looks again, and the end is known', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b, { range: { type: 'endDate', endDate: '2027-03-09' } });
		const end = (await b.link(m.id)).end;
		assert.ok(end >= at('2027-03-09T09:30:00Z') && end < at('2027-03-12T00:00:00Z'), new Date(end).toISOString());
		await b.goTo('2027-03-02T09:31:00Z');
		await has(b, m, '2027-03-09T09:00:00Z');
		await b.goTo('2027-03-09T09:31:00Z');
		await until('nothing is planned', async () => (await b.link(m.id)).check === 0);
		await b.settled();
		const reads = await answered(b, 'getEvent');
		const link = await b.link(m.id);
		assert.deepEqual([link.state, link.end, link.start], [STATE.linked, at('2027-03-09T09:30:00Z'), at('2027-03-09T09:00:00Z')]);
		await b.goTo('2027-03-10T12:00:00Z');
		await look(b, m);
		assert.equal((await b.link(m.id)).end, at('2027-03-09T09:30:00Z'));
		assert.equal(await answered(b, 'getEvent'), reads + 1);
		assert.deepEqual(await writes(b, m), ['setScheduledTimestamp']);
		/* The agent adds more of them. */
		await b.act(edit(m, { action: 'edit', recurrence: { pattern: { type: 'weekly', interval: 1 }, range: { type: 'endDate', endDate: '2027-04-30' } } }));
		await look(b, m);
		await has(b, m, '2027-03-16T09:00:00Z', 'it goes on');
	});

	test('of three occurrences is over after three', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b, { pattern: { type: 'daily' }, range: { type: 'numbered', numberOfOccurrences: 3 } });
		await b.goTo('2027-03-03T12:00:00Z');
		await has(b, m, '2027-03-04T09:00:00Z', 'straight to the last');
		await b.goTo('2027-03-04T12:00:00Z');
		await until('nothing is planned', async () => (await b.link(m.id)).check === 0);
		await b.settled();
		assert.equal((await b.conversation(m.id)).scheduledTimestamp, at('2027-03-04T09:00:00Z'));
	});

	test('every day without end is found after years, and each month after a pause of two', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const daily = await weekly(b, { pattern: { type: 'daily' } });
		const monthly = await weekly(b, { pattern: { type: 'absoluteMonthly', dayOfMonth: 2 } });
		await b.act(edit(monthly, { action: 'deleteOccurrence', date: '2027-03-02' }));
		await b.act(edit(monthly, { action: 'deleteOccurrence', date: '2027-04-02' }));
		const lists = await b.count('graph', 'listInstances');
		await look(b, monthly);
		await has(b, monthly, '2027-05-02T09:00:00Z');
		assert.equal(await b.count('graph', 'listInstances'), lists + 2, 'a second window');
		await b.goTo('2029-08-10T10:00:00Z');
		await has(b, daily, '2029-08-11T09:00:00Z', 'daily');
		await has(b, monthly, '2029-09-02T09:00:00Z', 'monthly');
	});

	test('keeps the local time of its zone over a change of the clock', async (t) => {
		const b = await Bench.start(t, { now: '2027-03-22T12:00:00Z' });
		const m = await weekly(b, {}, { timeZone: 'Europe/Zurich' });
		await has(b, m, '2027-03-23T09:00:00Z');
		await b.goTo('2027-03-23T09:31:00Z');
		await has(b, m, '2027-03-30T08:00:00Z', 'summer time');
		await b.goTo('2027-03-30T08:31:00Z');
		await has(b, m, '2027-04-06T08:00:00Z');
	});

	test('of whole days starts with the day in the agent\'s zone and is left when that day is over there', async (t) => {
		const b = await Bench.start(t, { now: '2027-03-20T12:00:00Z' });
		const m = await b.meeting(ANNA, {
			subject: 'All day', isAllDay: true, start: '2027-03-21T00:00:00Z', end: '2027-03-22T00:00:00Z', recurrence: { pattern: { type: 'weekly', interval: 1 }, range: { type: 'noEnd' } },
		});
		await b.announce(ANNA, m.made, 'All day', at('2027-03-21T00:00:00Z'), 'Europe/Zurich');
		await look(b, m);
		await has(b, m, '2027-03-20T23:00:00Z');
		assert.equal((await b.link(m.id)).check, at('2027-03-21T23:00:01Z'));
		await b.goTo('2027-03-21T23:00:02Z');
		await has(b, m, '2027-03-27T23:00:00Z', 'the day of the change');
		await b.goTo('2027-03-28T22:00:02Z');
		await has(b, m, '2027-04-03T22:00:00Z', 'summer time');
	});

	test('turned into a single event and back is the same conversation', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		await b.act(edit(m, { action: 'edit', recurrence: null, start: '2027-03-05T10:00:00Z', end: '2027-03-05T10:30:00Z' }));
		await look(b, m);
		await has(b, m, '2027-03-05T10:00:00Z');
		const single = await b.link(m.id);
		assert.deepEqual([single.check, single.occurrenceEnd, single.end, single.series], [0, 0, at('2027-03-05T10:30:00Z'), 'single']);
		await b.goTo('2027-03-05T11:00:00Z');
		await b.act(edit(m, { action: 'edit', recurrence: { pattern: { type: 'daily', interval: 1 }, range: { type: 'noEnd' } } }));
		await look(b, m);
		await has(b, m, '2027-03-06T10:00:00Z');
		const series = await b.link(m.id);
		assert.deepEqual([series.check, series.series], [at('2027-03-06T10:30:01Z'), 'master']);
		assert.equal((await b.dump()).links.length, 1);
	});

	test('that gets another id when it is turned keeps its conversation all the same', async (t) => {
		const b = await Bench.start(t, { now: NOW, settings: { graph: { seriesId: 'new', notify: { profile: 'none' } } } });
		const m = await weekly(b);
		const single = await b.act(edit(m, { action: 'edit', recurrence: null, start: '2027-03-05T10:00:00Z', end: '2027-03-05T10:30:00Z' }));
		assert.notEqual(single.immutableId, m.event.immutableId);
		await b.notify(ANNA, m.event.immutableId, HINT.deleted);
		await until('it is gone', async () => (await b.link(m.id)).state === STATE.gone);
		assert.equal((await b.link(m.id)).check, 0);
		await b.goTo(b.now() + 5000);
		await has(b, m, '2027-03-05T10:00:00Z');
		const link = await b.link(m.id);
		assert.deepEqual([link.state, link.event, link.check], [STATE.linked, single.immutableId, 0]);
		const back = await b.act({ action: 'edit', mailbox: ANNA, event: single.immutableId, recurrence: { pattern: { type: 'daily', interval: 1 }, range: { type: 'noEnd' } } });
		await b.notify(ANNA, back.immutableId, HINT.created);
		await b.notify(ANNA, single.immutableId, HINT.deleted);
		await until('it is gone', async () => (await b.link(m.id)).state === STATE.gone);
		await b.goTo(b.now() + 5000);
		await until('it is followed again', async () => (await b.link(m.id)).event === back.immutableId && (await b.link(m.id)).check === at('2027-03-05T10:30:01Z'));
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test('that is deleted takes its conversation along; one that is called off too', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		for (const action of ['delete', 'cancel']) {
			const m = await weekly(b);
			await b.act(edit(m, { action }));
			await b.notify(ANNA, m.event.immutableId, HINT.deleted);
			await until('it is gone', async () => (await b.link(m.id)).state === STATE.gone);
			await b.goTo(b.now() + 5000);
			await until('it is deleted', async () => (await b.conversation(m.id)).deleted);
			await b.settled();
			const link = await b.link(m.id);
			assert.deepEqual([link.state, link.check], [STATE.deleted, 0]);
		}
	});

	test('in Deleted Items that can still be read is not asked for occurrences', async (t) => {
		const b = await Bench.start(t, { now: NOW, settings: { graph: { deletedItems: '200', notify: { profile: 'none' } } } });
		const m = await weekly(b);
		const lists = await b.count('graph', 'listInstances');
		await b.act(edit(m, { action: 'delete' }));
		await b.notify(ANNA, m.event.immutableId, HINT.deleted);
		await until('it is gone', async () => (await b.link(m.id)).state === STATE.gone);
		await b.goTo(b.now() + 5000);
		await until('it is deleted', async () => (await b.conversation(m.id)).deleted);
		assert.equal(await b.count('graph', 'listInstances'), lists);
	});

	test('that is gone behind its exception is a candidate like any other', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		const { occurrence } = await b.control('POST', '/control/actions', edit(m, { action: 'editOccurrence', date: '2027-03-09', subject: 'x' }));
		await b.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', event: m.event.immutableId, kind: 'status', status: 404, code: 'ErrorItemNotFound', count: 1 });
		await b.notify(ANNA, occurrence.immutableId);
		await until('it is in its grace time', async () => (await b.link(m.id)).state === STATE.gone);
		await b.goTo(b.now() + 5000);
		await until('it is back, for it is there', async () => (await b.link(m.id)).state === STATE.linked && (await b.link(m.id)).check > 0);
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test('of which a storm of notifications tells is read a few times', async (t) => {
		const b = await Bench.start(t, { now: NOW, settings: { graph: { latencyMs: 100, notify: { profile: 'none' } } } });
		const m = await weekly(b);
		const before = await answered(b, 'listInstances');
		const ids = [m.event.immutableId];
		for (let i = 1; i <= 5; i++)
			ids.push((await b.control('POST', '/control/actions', edit(m, { action: 'editOccurrence', date: new Date(at('2027-03-02T00:00:00Z') + i * 7 * DAY).toISOString().slice(0, 10), subject: `n${i}` }))).occurrence.immutableId);
		await b.act(edit(m, { action: 'editOccurrence', date: '2027-03-02', start: '2027-03-02T15:00:00Z' }));
		await b.down();
		for (let i = 0; i < 10; i++)
			for (const id of ids)
				await b.tool('work', String(KIND.event), TENANT_A, ANNA, id, String(HINT.updated), '0');
		await b.up();
		await has(b, m, '2027-03-02T15:00:00Z');
		const reads = await answered(b, 'listInstances') - before;
		assert.ok(reads <= 7, `${reads} for 60`);
		assert.deepEqual(await writes(b, m), ['setScheduledTimestamp']);
	});

	test('of which all that is left was deleted is left alone', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b, { range: { type: 'endDate', endDate: '2027-03-09' } });
		await b.act(edit(m, { action: 'deleteOccurrence', date: '2027-03-02' }));
		await b.act(edit(m, { action: 'editOccurrence', date: '2027-03-09', isCancelled: true }));
		await look(b, m);
		await look(b, m, HINT.missed);
		const link = await b.link(m.id);
		assert.deepEqual([link.state, link.check, link.start], [STATE.linked, 0, at('2027-03-02T09:00:00Z')]);
		assert.deepEqual(await writes(b, m), []);
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test('whose conversation has ended is ended early while there is more to come, else just ended', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const early = await weekly(b);
		const last = await weekly(b, { range: { type: 'numbered', numberOfOccurrences: 1 } }, { announced: true });
		await b.goTo('2027-03-02T09:10:00Z');
		for (const m of [early, last])
			await b.control('POST', `/control/conversations/${m.id}/end`, {});
		await b.goTo('2027-03-02T09:31:00Z');
		await until('it is ended early', async () => (await b.link(early.id)).state === STATE.endedEarly);
		await until('nothing is left', async () => (await b.link(last.id)).check === 0);
		assert.equal((await b.link(last.id)).state, STATE.linked, 'nobody asked');
		await b.act(edit(last, { action: 'edit', subject: 'Too late' }));
		await look(b, last);
		await until('it has ended', async () => (await b.link(last.id)).state === STATE.ended);
		const d = await b.settled();
		assert.deepEqual(d.links.map((/** @type {any} */ l) => [l.check, l.end <= b.now()]), [[0, true], [0, true]]);
		assert.deepEqual(d.audit.map((/** @type {any} */ a) => [a.conversation, a.action, a.outcome]).sort(), [[early.id, 'follow', 'ended-early'], [last.id, 'follow', 'ended']].sort());
		for (const m of [early, last])
			assert.deepEqual(await writes(b, m), ['end']);
	});

	test('leaves the time of a conversation that is under way', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		await b.goTo('2027-03-02T09:10:00Z');
		await b.control('POST', `/control/conversations/${m.id}/start`, {});
		await b.goTo('2027-03-02T09:31:00Z');
		await until('the next look is planned', async () => (await b.link(m.id)).check === at('2027-03-09T09:30:01Z'));
		await b.settled();
		assert.equal((await b.conversation(m.id)).scheduledTimestamp, at('2027-03-02T09:00:00Z'));
		assert.equal((await b.link(m.id)).start, at('2027-03-02T09:00:00Z'));
	});

	test('is moved on once, whenever sync is killed', async (t) => {
		const b = await Bench.start(t, { now: NOW, settings: { unblu: { latencyMs: 150 } } });
		const m = await weekly(b);
		let day = at('2027-03-02T09:00:00Z');
		/* Behind the write, before it, while the occurrences are read. */
		for (const [service, op] of [['unblu', 'setScheduledTimestamp'], ['unblu', 'read'], ['graph', 'listInstances']]) {
			await b.control('POST', '/control/faults', { service, op, kind: 'delay', [op === 'setScheduledTimestamp' ? 'delayAfterMs' : 'delayMs']: 3000, count: op === 'read' ? 2 : 1 /* the first one has an old token */ });
			const events = await answered(b, 'getEvent');
			const lists = await answered(b, 'listInstances');
			await b.goTo(day + 31 * MIN);
			day += 7 * DAY;
			await until(`${op} is under way`, async () => {
				if (op === 'setScheduledTimestamp')
					return (await b.link(m.id)).writing === 'time' && (await b.conversation(m.id)).scheduledTimestamp === day;
				return op === 'read' ? await answered(b, 'listInstances') > lists : await answered(b, 'getEvent') > events;
			});
			assert.ok((await b.dump()).work.some((/** @type {any} */ w) => w.inProgress));
			process.kill(b.pid(), 'SIGKILL');
			await has(b, m, new Date(day).toISOString());
			await until('the next one is planned', async () => (await b.link(m.id)).check === day + 30 * MIN + 1000);
			assert.equal((await b.link(m.id)).writing, '');
		}
		assert.equal((await b.conversation(m.id)).ledger.filter((/** @type {any} */ w) => w.op === 'setScheduledTimestamp' && w.changed).length, 3);
	});

	test('of which a change was missed is found by the catch-up', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		await b.goTo('2027-03-10T12:00:00Z');
		await has(b, m, '2027-03-16T09:00:00Z');
		await b.act(edit(m, { action: 'editOccurrence', date: '2027-03-16', start: '2027-03-17T07:00:00Z' }));
		await b.notify(ANNA, '', HINT.missed, KIND.catchup);
		await has(b, m, '2027-03-17T07:00:00Z');
	});

	test('does not fall for what Graph says between two reads', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		const fault = (/** @type {any} */ f) => b.control('POST', '/control/faults', { service: 'graph', op: 'listInstances', mailbox: ANNA, count: 1, ...f });
		/* Gone: a candidate like any other, and there after the grace time. */
		await fault({ kind: 'status', status: 404, code: 'ErrorItemNotFound' });
		await b.notify(ANNA, m.event.immutableId);
		await until('it is in its grace time', async () => (await b.link(m.id)).state === STATE.gone);
		await b.goTo(b.now() + 5000);
		await until('it is back', async () => (await b.link(m.id)).state === STATE.linked);
		/* Contradictions while that is confirmed prove nothing. */
		await fault({ kind: 'status', status: 404, code: 'ErrorItemNotFound', count: 2 });
		await b.notify(ANNA, m.event.immutableId);
		await until('it is in its grace time', async () => (await b.link(m.id)).state === STATE.gone);
		await b.goTo(b.now() + 5000);
		const waiting = await until('it waits', async () => {
			const seen = await b.dump();
			return seen.work.some((/** @type {any} */ w) => w.attempts > 0) && seen;
		});
		assert.equal(waiting.links[0].state, STATE.gone);
		await b.goTo(b.now() + 600_000);
		await until('it is back', async () => (await b.link(m.id)).state === STATE.linked);
		/* Not a series for a moment; an outage; throttled. */
		for (const f of [{ kind: 'status', status: 400, code: 'ErrorInvalidRequest' }, { kind: 'status', status: 503 }, { kind: 'throttle', retryAfter: 1 }, { kind: 'truncate' }]) {
			await b.act(edit(m, { action: 'edit', subject: `after ${JSON.stringify(f)}` }));
			await fault(f);
			await b.notify(ANNA, m.event.immutableId);
			await until(`it follows after ${JSON.stringify(f)}`, async () => (await b.conversation(m.id)).topic.startsWith(`after ${JSON.stringify(f)}`.slice(0, 40)) && (await b.dump()).work.length === 0, 20_000);
		}
		const d = await b.settled();
		assert.deepEqual(d.dead, []);
		assert.equal((await b.conversation(m.id)).deleted, false);
		/* The mailbox is out of reach: parked, and nothing else. */
		await fault({ kind: 'status', status: 403, code: 'ErrorAccessDenied' });
		await b.notify(ANNA, m.event.immutableId);
		await until('the mailbox is parked', async () => (await b.dump()).mailboxes[0]?.state === 1);
		assert.equal((await b.link(m.id)).state, STATE.linked);
	});

	test('that Graph refuses for good becomes a dead letter', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'listInstances', mailbox: ANNA, count: 2, kind: 'status', status: 400, code: 'ErrorInvalidRequest' });
		await b.notify(ANNA, m.event.immutableId);
		await until('it is buried', async () => (await b.dump()).dead.length === 1);
		assert.match((await b.dump()).dead[0].reason, /read occurrences: .*status 400/);
		assert.equal((await b.link(m.id)).check, at('2027-03-02T09:30:01Z'), 'but looked at again');
		await b.goTo('2027-03-02T09:31:00Z');
		await has(b, m, '2027-03-09T09:00:00Z');
	});

	test('is read to the last page, unless that never comes', async (t) => {
		const b = await Bench.start(t, { now: NOW, settings: { graph: { instanceOrder: 'shuffled', notify: { profile: 'none' } } } });
		/* Begins in a year, so that the first window is long; 170 occurrences are moved into it. */
		const m = await weekly(b, { pattern: { type: 'daily' } }, { start: '2028-03-02T09:00:00Z', end: '2028-03-02T09:30:00Z' });
		await has(b, m, '2028-03-02T09:00:00Z');
		for (let i = 0; i < 170; i++)
			await b.act(edit(m, { action: 'editOccurrence', date: new Date(at('2028-05-01T00:00:00Z') + i * DAY).toISOString().slice(0, 10), start: at('2027-05-01T09:00:00Z') + ((i * 37) % 170) * DAY }));
		const lists = await b.count('graph', 'listInstances');
		await look(b, m);
		await has(b, m, '2027-05-01T09:00:00Z');
		assert.equal(await b.count('graph', 'listInstances'), lists + 3, '206 on three pages');
		await b.control('POST', '/control/settings', { graph: { eventPageMax: 1 } });
		await b.notify(ANNA, m.event.immutableId);
		await until('it is given up', async () => (await b.link(m.id)).error !== '', 60_000);
		assert.match((await b.link(m.id)).error, /more than 200 pages/);
		assert.ok(await b.count('graph', 'listInstances') >= lists + 3 + 200);
		assert.equal((await b.dump()).work.length, 1, 'for now');
	});

	test('whose link is over is no longer looked at by the clock', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		await b.down();
		await b.tool('removed', m.id);
		const reads = await b.count('graph', 'getEvent');
		await b.goTo('2027-03-02T09:31:00Z');
		await b.up();
		await b.settled();
		assert.equal((await b.link(m.id)).check, 0);
		assert.equal(await b.count('graph', 'getEvent'), reads);
		assert.ok((await b.link(m.id)).end <= b.now(), 'and not kept for ever');
	});

	test('of an agent who is not its organizer any more is no longer looked at by the clock', async (t) => {
		const b = await Bench.start(t, { now: NOW });
		const m = await weekly(b);
		await b.act(edit(m, { action: 'edit', isOrganizer: false, subject: 'Theirs' }));
		await look(b, m);
		await until('nothing is planned', async () => (await b.link(m.id)).check === 0);
		assert.equal((await b.link(m.id)).state, STATE.linked);
		await b.act(edit(m, { action: 'edit', isOrganizer: true }));
		await look(b, m);
		await until('it is followed again', async () => (await b.conversation(m.id)).topic === 'Theirs' && (await b.link(m.id)).check > 0);
	});
});
