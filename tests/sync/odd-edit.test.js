// @ts-check
/* Changes as real calendars make them: late, twice, halfway, in odd letters. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, Bench, HINT, STATE } from './harness.js';
import { START, audit, dry, edited, fault, linked, shows, stateIs, writes, until } from './meetings.js';

const HOUR_MS = 3600_000;

/* Each has simulators and a program of its own, and mostly waits. */
describe('notifications of one change', { concurrency: 4 }, () => {
	test('the property that arrives with the third notification links the event then', async (t) => {
		const b = await Bench.start(t);
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Late property', start: '2027-03-01T09:00:00Z', end: '2027-03-01T09:30:00Z' });
		for (const [i, hint] of [HINT.created, HINT.updated].entries()) {
			await b.notify(ANNA, event.immutableId, hint);
			await until('it was read', async () => await b.count('graph', 'getEvent') > i);
			await dry(b);
			assert.deepEqual((await b.dump()).links, []);
		}
		const made = await b.control('POST', '/control/button', { mailbox: ANNA, event: event.immutableId, topic: 'Something else' });
		await b.notify(ANNA, event.immutableId);
		await shows(b, { id: made.conversation.id }, { topic: 'Late property' });
		await dry(b);
		const { participants } = await b.conversation(made.conversation.id);
		assert.equal((await b.link(made.conversation.id)).agent, participants[0].personId);
	});

	for (const hints of [[HINT.created], [HINT.updated, HINT.created], [HINT.updated, HINT.updated, HINT.created], [HINT.created, HINT.updated, HINT.updated, HINT.created]])
		test(`${hints.length} of an edit (${hints.join(' ')}) cause one write of what changed`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Once' });
			for (const hint of hints)
				await b.notify(ANNA, m.event.immutableId, hint);
			await shows(b, m, { topic: 'Once' });
			await dry(b);
			assert.deepEqual(await writes(b, m), ['setTopic']);
			assert.equal((await b.dump()).links.length, 1);
		});

	test('an edit while the one before is being written is not lost', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'setTopic', kind: 'delay', delayMs: 1500, count: 1 });
		await edited(b, m, { subject: 'First' });
		await until('it is being written', async () => (await b.link(m.id)).writing === 'topic');
		await edited(b, m, { subject: 'Second' });
		await shows(b, m, { topic: 'Second' });
		await dry(b);
		assert.deepEqual(await writes(b, m), ['setTopic', 'setTopic']);
	});
});

describe('times', { concurrency: 4 }, () => {
	test('another time zone for the same instant is no change, a moved one is', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await edited(b, m, { timeZone: 'Europe/Zurich', start: '2027-03-01T10:00:00+01:00' });
		await dry(b);
		assert.deepEqual(await writes(b, m), []);
		await edited(b, m, { timeZone: 'America/New_York', start: '2027-03-01T09:00:00-05:00' });
		await shows(b, m, { scheduledTimestamp: START + 5 * HOUR_MS });
		assert.deepEqual(await writes(b, m), ['setScheduledTimestamp']);
	});

	test('all-day and back, with a zone that nobody knows: the default counts', async (t) => {
		const b = await Bench.start(t, { config: { defaultTimeZone: 'Europe/Zurich' } });
		const m = await b.meeting(ANNA);
		await b.announce(ANNA, m.made, 'Portfolio review', START, 'Middle/Earth');
		await edited(b, m, { isAllDay: true, start: '2027-07-01T00:00:00Z', end: '2027-07-02T00:00:00Z' });
		await shows(b, m, { scheduledTimestamp: Date.parse('2027-06-30T22:00:00Z') });
		await edited(b, m, { isAllDay: false, start: '2027-07-01T08:00:00Z', end: '2027-07-01T08:30:00Z' });
		await shows(b, m, { scheduledTimestamp: Date.parse('2027-07-01T08:00:00Z') });
	});

	test('a draft with a time is followed, one without is left alone until it has one', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await edited(b, m, { isDraft: true, subject: 'Not sent yet' });
		await shows(b, m, { topic: 'Not sent yet' });
		const event = b.sim.calendars.box(b.sim.directory.anyUser(ANNA)).find(m.event.immutableId);
		const { start, end } = event;
		Object.assign(event, { start: null, end: null, subject: 'Timeless' });
		await b.notify(ANNA, m.event.immutableId);
		await dry(b);
		assert.equal((await b.conversation(m.id)).topic, 'Not sent yet');
		assert.equal((await b.link(m.id)).state, STATE.linked);
		Object.assign(event, { start, end });
		await b.notify(ANNA, m.event.immutableId);
		await shows(b, m, { topic: 'Timeless', scheduledTimestamp: START });
	});

	test('a time whose answer was lost is not written again, and the topic neither', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'setScheduledTimestamp', kind: 'lost', count: 1 });
		await edited(b, m, { subject: 'Both', start: '2027-03-01T11:00:00Z' });
		await shows(b, m, { topic: 'Both', scheduledTimestamp: START + 2 * HOUR_MS });
		await dry(b);
		assert.deepEqual(await writes(b, m), ['setTopic', 'setScheduledTimestamp']);
		const link = await b.link(m.id);
		assert.equal(link.writing, '');
		assert.equal(link.start, START + 2 * HOUR_MS);
	});

	test('a time that never arrived is written behind the topic, once', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'setScheduledTimestamp', kind: 'reset', count: 1 });
		await edited(b, m, { subject: 'Both', start: '2027-03-01T11:00:00Z' });
		await shows(b, m, { scheduledTimestamp: START + 2 * HOUR_MS });
		await dry(b);
		assert.deepEqual(await writes(b, m), ['setTopic', 'setScheduledTimestamp']);
	});
});

describe('subjects', { concurrency: 4 }, () => {
	/** @type {[string, string, string][]} */
	const subjects = [
		['of two lines', 'Review\r\nof the portfolio', 'Review of the portfolio'],
		['of 100,000 emoji', '\u{1F600}'.repeat(100_000), '\u{1F600}'.repeat(250)],
		['with half an emoji and a NUL', 'a\uD83D b\u0000c', 'a\uFFFD b\uFFFDc'],
		['with a combining character at the limit', 'e\u0301'.repeat(200), 'e\u0301'.repeat(125)],
		['of nothing visible', '\u200B\u200D\uFEFF', 'Meeting'],
		['from right to left', '\u200F\u05E9\u05DC\u05D5\u05DD', '\u200F\u05E9\u05DC\u05D5\u05DD'],
	];
	for (const [what, subject, topic] of subjects)
		test(`one ${what} becomes a topic of one line within the limit`, async (t) => {
			const b = await Bench.start(t, { config: { fallbackTopic: 'Meeting' } });
			const m = await linked(b);
			await edited(b, m, { subject });
			await shows(b, m, { topic });
			await edited(b, m, { location: 'Room 2' });
			await dry(b);
			assert.deepEqual(await writes(b, m), ['setTopic']);
		});
});

describe('the conversation has a life of its own', { concurrency: 4 }, () => {
	test('what was changed by hand in Unblu stays until the event itself changes', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/edit`, { topic: 'By hand', scheduledTimestamp: START + HOUR_MS });
		await edited(b, m, { location: 'Room 2' });
		await dry(b);
		assert.equal((await b.conversation(m.id)).topic, 'By hand');
		await edited(b, m, { subject: 'By the agent' });
		await shows(b, m, { topic: 'By the agent', scheduledTimestamp: START + HOUR_MS });
	});

	test('a topic that comes after the end ends the following, and is no dead letter', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/end`, {});
		await edited(b, m, { subject: 'Too late' });
		await stateIs(b, m, STATE.ended);
		const d = await b.dump();
		assert.deepEqual(d.dead, []);
		assert.deepEqual(await audit(b), ['follow ended']);
		assert.equal((await b.conversation(m.id)).topic, 'Portfolio review');
	});

	test('one that ends while its topic waits is found to have ended at the third try', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'setTopic', kind: 'throttle', retryAfter: 0.2, punish: false });
		await edited(b, m, { subject: 'Waits' });
		await until('it was refused', async () => await b.count('unblu', 'setTopic') > 0);
		await b.control('POST', `/control/conversations/${m.id}/end`, {});
		await stateIs(b, m, STATE.ended);
		/* Before the third one at the latest the conversation is read. */
		assert.ok(await b.count('unblu', 'setTopic') <= 2);
		assert.deepEqual((await b.dump()).dead, []);
	});

	for (const state of ['ONBOARDING', 'ACTIVE', 'QUEUED'])
		test(`while it is ${state} its topic follows and its time does not`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			await b.control('POST', `/control/conversations/${m.id}/state`, { state });
			await edited(b, m, { subject: 'Running', start: '2027-03-02T09:00:00Z' });
			await shows(b, m, { topic: 'Running' });
			await dry(b);
			assert.deepEqual(await writes(b, m), ['setTopic']);
			assert.equal((await b.link(m.id)).state, STATE.linked);
		});
});

describe('where the event lies, and by which name', { concurrency: 4 }, () => {
	test('moved to another calendar of the mailbox it is followed there', async (t) => {
		const b = await Bench.start(t, { settings: { graph: { deletedItems: '200', notify: { profile: 'none' } } } });
		const m = await linked(b);
		await b.act({ action: 'moveCalendar', mailbox: ANNA, event: m.event.immutableId, calendar: 'Private' });
		await b.notify(ANNA, m.event.immutableId, HINT.deleted);
		await dry(b);
		assert.equal((await b.link(m.id)).state, STATE.linked);
		await edited(b, m, { subject: 'In the other one' }, HINT.created | HINT.deleted);
		await shows(b, m, { topic: 'In the other one' });
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('an announced event id that Graph refuses is one warning and no dead letter', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.announce(ANNA, m.made, 'Portfolio review', START, '', 'NotAnIdOfGraph');
		await b.notify(ANNA, 'NotAnIdOfGraph');
		await until('it was refused', async () => await b.count('graph', 'getEvent') > 0);
		await dry(b);
		const link = await b.link(m.id);
		assert.equal(link.state, STATE.announced);
		assert.equal(link.event, '');
		assert.deepEqual((await b.dump()).dead, []);
		assert.equal(b.lines().filter((l) => l.event === 'event-hint-refused').length, 1);
		await edited(b, m, { subject: 'Found by its property' });
		await shows(b, m, { topic: 'Found by its property' });
	});
});
