// @ts-check
/* Deletions that are none, are taken back, or meet a mailbox and an Unblu that answer oddly. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, BEN, BOX, Bench, HINT, KIND, STATE } from './harness.js';
import { audit, dry, edited, fault, linked, removed, shows, stateIs, until, waits, waitsNoMore } from './meetings.js';

const IN_BIN = { settings: { graph: { deletedItems: '200', notify: { profile: 'none' } } } };
const GONE = { service: 'graph', kind: 'status', status: 404, code: 'ErrorItemNotFound' };

/** @param {Bench} b @param {any} m */
async function isUntouched(b, m) {
	assert.equal((await b.conversation(m.id)).deleted, false);
	assert.equal(await b.count('unblu', 'delete'), 0);
}

describe('a mailbox that answers oddly', { concurrency: 4 }, () => {
	test('ErrorItemNotFound for every event deletes nothing that its own list still shows', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		const ms = [await linked(b, { subject: 'One' }), await linked(b, { subject: 'Two' }), await linked(b, { subject: 'Three' })];
		const rule = await fault(b, { ...GONE, op: 'getEvent' });
		for (const m of ms)
			await b.notify(ANNA, m.event.immutableId, HINT.updated | HINT.deleted);
		for (const m of ms)
			await until('it is not believed', async () => /still listed/.test((await b.link(m.id)).error));
		await b.control('DELETE', `/control/faults/${rule.id}`);
		for (const m of ms)
			await stateIs(b, m, STATE.linked);
		await dry(b);
		for (const m of ms)
			await isUntouched(b, m);
		assert.deepEqual(await audit(b), []);
	});

	test('ErrorItemNotFound for all there is holds at the brake, and a positive control that fails holds before', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0, maxDeletionsPerMailbox: 1 } });
		const ms = [await linked(b, { subject: 'One' }), await linked(b, { subject: 'Two' }), await linked(b, { subject: 'Three' })];
		/* not even listed by their property any more */
		for (const m of ms)
			await b.act({ action: 'writeProperty', mailbox: ANNA, event: m.event.immutableId, value: null });
		await fault(b, { ...GONE, op: 'getEvent' });
		/* the search by property and the calendar that is looked through answer */
		const control = await fault(b, { service: 'graph', op: 'listEvents', kind: 'status', status: 503, skip: 2 });
		await b.notify(ANNA, ms[0].event.immutableId, HINT.deleted);
		await until('the control fails', () => b.lines().some((l) => /positive control/.test(JSON.stringify(l))));
		await isUntouched(b, ms[0]);
		await b.control('DELETE', `/control/faults/${control.id}`);
		for (const m of ms)
			await b.notify(ANNA, m.event.immutableId, HINT.deleted);
		await until('two are held', async () => (await b.dump()).links.filter((/** @type {any} */ l) => l.state === STATE.held).length === 2);
		assert.equal(await b.count('unblu', 'delete'), 1);
	});

	/** @type {[string, any][]} what the calendar of a living event is said to be */
	const answers = [
		['400', { status: 400, code: 'ErrorInvalidRequest' }], ['405', { status: 405, code: 'ErrorMethodNotAllowed' }], ['501', { status: 501, code: 'NotImplemented' }],
		['404 ResourceNotFound', { status: 404, code: 'ResourceNotFound' }], ['403', { status: 403, code: 'ErrorAccessDenied' }], ['404 ErrorItemNotFound', { status: 404, code: 'ErrorItemNotFound' }],
	];
	for (const [what, answer] of answers)
		test(`${what} to the question for the event's calendar deletes nothing, parks nothing and stops no edit`, async (t) => {
			const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
			const m = await linked(b);
			await fault(b, { service: 'graph', op: 'getEventCalendar', kind: 'status', ...answer });
			await edited(b, m, { subject: 'Alive' }, HINT.updated | HINT.deleted);
			await shows(b, m, { topic: 'Alive' }, 60_000);
			await dry(b);
			const d = await b.dump();
			assert.deepEqual(d.dead, []);
			assert.deepEqual(d.mailboxes.filter((/** @type {any} */ x) => x.state === BOX.parked), []);
			assert.equal(d.links[0].state, STATE.linked);
			await isUntouched(b, m);
		});

	for (const [what, answer] of answers.slice(0, 5))
		test(`${what} to the same for an event in Deleted Items deletes nothing either`, async (t) => {
			const b = await Bench.start(t, { ...IN_BIN, config: { deletionGraceSeconds: 0 } });
			const m = await linked(b);
			await fault(b, { service: 'graph', op: 'getEventCalendar', kind: 'status', ...answer });
			await removed(b, m);
			await until('it has given up to ask', async () => b.lines().some((l) => l.event === 'calendar-unknown'), 60_000);
			await dry(b);
			await isUntouched(b, m);
		});

	for (const state of ['forbidden', 'policy', 'noLicence', 'deleted', 'flapping'])
		test(`${state} from the first look on it deletes nothing`, async (t) => {
			const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
			const m = await linked(b);
			await b.act({ action: 'delete', mailbox: ANNA, event: m.event.immutableId });
			await b.control('PATCH', `/control/mailboxes/${ANNA}`, { state });
			await b.notify(ANNA, m.event.immutableId, HINT.deleted);
			await until('the mailbox is parked', async () => (await b.dump()).mailboxes.some((/** @type {any} */ x) => x.state === BOX.parked));
			assert.equal((await b.link(m.id)).state, STATE.linked);
			await isUntouched(b, m);
			assert.ok((await b.dump()).work.some((/** @type {any} */ w) => w.event === m.event.immutableId), 'the row is kept');
		});

	/** @type {[string, any][]} */
	const steps = [['the search', { op: 'listEvents' }], ['the second look', { op: 'getEvent', skip: 1 }], ['the positive control', { op: 'listEvents', skip: 1 }]];
	for (const [step, at] of steps)
		for (const [status, code] of /** @type {[number, string][]} */ ([[403, 'ErrorAccessDenied'], [404, 'MailboxNotEnabledForRESTAPI'], [404, 'ErrorInvalidUser']]))
			test(`${status} ${code} at ${step} deletes nothing`, async (t) => {
				const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
				const m = await linked(b);
				await fault(b, { service: 'graph', kind: 'status', status, code, ...at });
				await removed(b, m);
				await until('the mailbox is parked', async () => (await b.dump()).mailboxes.some((/** @type {any} */ x) => x.state === BOX.parked));
				await isUntouched(b, m);
				assert.ok((await b.dump()).work.length > 0, 'the row is kept');
			});
});

describe('a deletion that is taken back', { concurrency: 4 }, () => {
	for (const [step, op] of [['during the search', 'listEvents'], ['during the second look', 'getEvent']])
		test(`${step} keeps the conversation`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			await removed(b, m);
			await stateIs(b, m, STATE.gone);
			await fault(b, { service: 'graph', op, kind: 'delay', delayMs: 1500, count: 1 });
			const before = await b.count('graph', 'listEvents');
			if (op === 'getEvent')
				await until('it was searched for', async () => await b.count('graph', 'listEvents') > before);
			await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
			await stateIs(b, m, STATE.linked);
			await dry(b);
			await isUntouched(b, m);
			await edited(b, m, { subject: 'Back' });
			await shows(b, m, { topic: 'Back' });
		});

	test('while it is held ends the alarm, and what was released before is not released again', async (t) => {
		const b = await Bench.start(t, { config: { maxDeletionsPerMailbox: 0, deletionGraceSeconds: 0 } });
		const m = await linked(b);
		await removed(b, m);
		await stateIs(b, m, STATE.held);
		await until('there is an alarm', async () => 'degraded:deletions' in (await b.dump()).facts);
		await b.tool('fact', `release:${m.id}`, '');
		await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
		await b.notify(ANNA, m.event.immutableId, HINT.created);
		await stateIs(b, m, STATE.linked);
		await until('the alarm has ended', async () => !('degraded:deletions' in (await b.dump()).facts));
		assert.ok(!(`release:${m.id}` in (await b.dump()).facts));
		await removed(b, m);
		await stateIs(b, m, STATE.held);
		await isUntouched(b, m);
	});

	test('that stays away, but whose conversation the agent removes himself, ends the alarm too', async (t) => {
		const b = await Bench.start(t, { config: { maxDeletionsPerMailbox: 0, deletionGraceSeconds: 0 } });
		const ms = [await linked(b), await linked(b)];
		for (const m of ms)
			await removed(b, m);
		for (const m of ms)
			await stateIs(b, m, STATE.held);
		await until('there is an alarm', async () => 'degraded:deletions' in (await b.dump()).facts);
		await b.tool('removed', ms[0].id);
		await b.wake();
		await dry(b);
		assert.ok('degraded:deletions' in (await b.dump()).facts, 'the other one is still held');
		await b.tool('removed', ms[1].id);
		await b.wake();
		await until('the alarm has ended', async () => !('degraded:deletions' in (await b.dump()).facts));
		assert.deepEqual((await b.dump()).links.map((/** @type {any} */ l) => l.state), [STATE.deleted, STATE.deleted]);
	});

	for (const [what, more] of /** @type {[string, any][]} */ ([['an event', {}], ['a series', { recurrence: { pattern: { type: 'weekly', interval: 1 }, range: { type: 'noEnd', startDate: '2027-03-01' } } }]]))
		test(`is seen by a catch-up where the conversation of ${what} was kept`, async (t) => {
			const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
			await b.follow(ANNA);
			const m = await linked(b, more);
			await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
			await removed(b, m);
			await stateIs(b, m, STATE.kept);
			await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
			await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Back in silence' });
			await b.notify(ANNA, '', HINT.missed, KIND.catchup);
			await shows(b, m, { topic: 'Back in silence' });
			await stateIs(b, m, STATE.linked);
		});

	test('after the guard has refused is followed again, and judged anew', async (t) => {
		const b = await Bench.start(t, { ...IN_BIN, config: { deletionGraceSeconds: 0 } });
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
		await removed(b, m);
		await stateIs(b, m, STATE.kept);
		/* in Deleted Items it can still be read: that is no return */
		await b.notify(ANNA, m.event.immutableId, HINT.updated);
		await dry(b);
		assert.equal((await b.link(m.id)).state, STATE.kept);
		await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
		await edited(b, m, { subject: 'Once more' }, HINT.created);
		await shows(b, m, { topic: 'Once more' });
		await stateIs(b, m, STATE.linked);
		await removed(b, m);
		await stateIs(b, m, STATE.kept);
		await isUntouched(b, m);
		assert.deepEqual(await audit(b), ['delete refused', 'set-topic done', 'delete refused']);
	});

	test('by an event that comes back without a time is taken back all the same', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 2 } });
		const m = await linked(b);
		await removed(b, m);
		await stateIs(b, m, STATE.gone);
		const event = b.sim.calendars.box(b.sim.directory.anyUser(ANNA)).find(m.event.immutableId);
		await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
		Object.assign(event, { start: null, end: null, isDraft: true });
		await stateIs(b, m, STATE.linked);
		await dry(b);
		assert.equal((await b.link(m.id)).gone, 0);
		await isUntouched(b, m);
	});

	test('a meeting that was called off and is no longer', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 3 } });
		const m = await linked(b);
		const event = b.sim.calendars.box(b.sim.directory.anyUser(ANNA)).find(m.event.immutableId);
		event.isCancelled = true;
		await b.notify(ANNA, m.event.immutableId);
		await stateIs(b, m, STATE.gone);
		event.isCancelled = false;
		await b.notify(ANNA, m.event.immutableId);
		await stateIs(b, m, STATE.linked);
		await dry(b);
		await isUntouched(b, m);
	});
});

describe('more than one event of a conversation', { concurrency: 4 }, () => {
	for (const [what, calendar] of [['in the same calendar', ''], ['in another calendar, where no search finds it', 'Private']])
		test(`the copy ${what} inherits, and when it is deleted too the conversation goes`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			const copy = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
			if (calendar !== '')
				await b.act({ action: 'moveCalendar', mailbox: ANNA, event: copy.immutableId, calendar });
			await b.notify(ANNA, copy.immutableId, HINT.created);
			await until('it was seen', () => b.lines().some((l) => l.event === 'copy-seen'));
			await removed(b, m);
			await until('it has inherited', async () => (await b.link(m.id)).event === copy.immutableId);
			await dry(b);
			await b.act({ action: 'edit', mailbox: ANNA, event: copy.immutableId, subject: 'The heir' });
			await b.notify(ANNA, copy.immutableId);
			await shows(b, m, { topic: 'The heir' });
			await removed(b, { event: copy });
			await stateIs(b, m, STATE.deleted);
			assert.deepEqual(await audit(b), ['inherit done', 'set-topic done', 'delete done']);
		});

	test('when the event and all of its copies are deleted at once the conversation goes', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		const m = await linked(b);
		const copies = [await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId }), await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId })];
		for (const copy of copies)
			await b.notify(ANNA, copy.immutableId, HINT.created);
		await until('both were seen', () => b.lines().filter((l) => l.event === 'copy-seen').length === 2);
		for (const event of [...copies, m.event])
			await b.act({ action: 'delete', mailbox: ANNA, event: event.immutableId });
		for (const event of [...copies, m.event])
			await b.notify(ANNA, event.immutableId, HINT.deleted);
		await stateIs(b, m, STATE.deleted);
		assert.deepEqual(await audit(b), ['inherit done', 'inherit done', 'delete done']);
	});

	test('copies that lie in Deleted Items too, where they can still be read, keep no conversation', async (t) => {
		const b = await Bench.start(t, { ...IN_BIN, config: { deletionGraceSeconds: 0 } });
		const m = await linked(b);
		const copies = [await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId }), await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId })];
		for (const copy of copies)
			await b.notify(ANNA, copy.immutableId, HINT.created);
		await until('both were seen', () => b.lines().filter((l) => l.event === 'copy-seen').length === 2);
		for (const event of [...copies, m.event])
			await b.act({ action: 'delete', mailbox: ANNA, event: event.immutableId });
		await b.notify(ANNA, m.event.immutableId, HINT.deleted);
		await stateIs(b, m, STATE.deleted);
		assert.deepEqual(await audit(b), ['inherit done', 'inherit done', 'delete done']);
	});

	test('a copy that was given another conversation inherits nothing', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		const copy = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
		await b.notify(ANNA, copy.immutableId, HINT.created);
		await until('it was seen', () => b.lines().some((l) => l.event === 'copy-seen'));
		const fresh = await b.control('POST', '/control/button', { mailbox: ANNA, event: copy.immutableId });
		await b.notify(ANNA, copy.immutableId);
		await until('it has its own', async () => (await b.link(fresh.conversation.id))?.event === copy.immutableId);
		await dry(b);
		await removed(b, m);
		await stateIs(b, m, STATE.deleted);
		assert.equal((await b.link(fresh.conversation.id)).event, copy.immutableId);
		assert.equal((await b.conversation(fresh.conversation.id)).deleted, false);
	});

	for (const [what, gone] of /** @type {[string, boolean][]} */ ([['keeps the conversation until an operator releases it', false], ['that is deleted before keeps nothing', true]]))
		test(`one in another mailbox that is followed ${what}`, async (t) => {
			const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
			const m = await linked(b);
			const his = await b.act({ action: 'create', mailbox: BEN, subject: 'His', start: '2027-03-01T09:00:00Z', end: '2027-03-01T09:30:00Z' });
			await b.act({ action: 'link', mailbox: BEN, event: his.immutableId, conversationId: m.id, sourceId: m.made.sourceId });
			await b.notify(BEN, his.immutableId, HINT.created);
			await dry(b);
			if (gone)
				await removed(b, { event: his }, BEN);
			await dry(b);
			await removed(b, m);
			if (!gone) {
				await stateIs(b, m, STATE.held);
				await isUntouched(b, m);
				assert.match((await b.dump()).audit[0].detail, /another mailbox/);
				await b.tool('fact', `release:${m.id}`, '');
				await b.notify(ANNA, m.event.immutableId, HINT.deleted);
			}
			await stateIs(b, m, STATE.deleted);
			assert.deepEqual(await audit(b), gone ? ['delete done'] : ['delete held', 'delete done']);
		});

	test('of a series that is deleted the conversation goes', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b, { recurrence: { pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] }, range: { type: 'numbered', numberOfOccurrences: 5 } } });
		await removed(b, m);
		await stateIs(b, m, STATE.deleted);
		assert.equal((await b.conversation(m.id)).deleted, true);
	});
});

describe('an Unblu that answers oddly', { concurrency: 4 }, () => {
	test('a history that fails is asked for again, and then the conversation is deleted', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'history', kind: 'status', status: 500, count: 2 });
		await removed(b, m);
		await until('it was asked for', async () => await b.count('unblu', 'history') > 0);
		await stateIs(b, m, STATE.deleted);
		assert.equal(await b.count('unblu', 'history'), 3);
	});

	test('a conversation that somebody deleted first is no deletion of ours', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/delete`, {});
		await removed(b, m);
		await waits(b, /no such conversation/);
		assert.deepEqual(await audit(b), []);
		await waitsNoMore(b);
		await stateIs(b, m, STATE.deleted);
		assert.deepEqual(await audit(b), ['follow gone']);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	for (const op of ['read', 'setTopic'])
		test(`one 404 at ${op} closes no link, and the event is followed a minute later`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			await fault(b, { service: 'unblu', op, kind: 'status', status: 404, count: 1 });
			await edited(b, m, { subject: 'Not gone', start: '2027-03-01T10:00:00Z', end: '2027-03-01T10:30:00Z' });
			await waits(b, /no such conversation/);
			assert.equal((await b.link(m.id)).state, STATE.linked);
			assert.match((await b.link(m.id)).error, /no such conversation/);
			const row = (await b.dump()).work[0];
			assert.ok(row.notBefore > b.now() + 50_000);
			await waitsNoMore(b);
			await shows(b, m, { topic: 'Not gone' });
			await dry(b);
			assert.equal((await b.link(m.id)).error, '');
		});

	test('without a history whoever has left and is still listed keeps it', async (t) => {
		const b = await Bench.start(t, { settings: { unblu: { history: 'missing', leftParticipants: 'ended' } } });
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
		await b.control('POST', `/control/conversations/${m.id}/leave`, {});
		await removed(b, m);
		await stateIs(b, m, STATE.kept);
		await isUntouched(b, m);
	});

	test('a deletion that Unblu forbids is told of, tried three times in all, and then held; others of the mailbox go on', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		const m = await linked(b);
		const other = await linked(b);
		await fault(b, { service: 'unblu', op: 'delete', kind: 'status', status: 403 });
		await removed(b, m);
		await waits(b, /forbidden/);
		assert.deepEqual(await audit(b), ['delete refused']);
		await edited(b, other, { subject: 'Goes on' });
		await shows(b, other, { topic: 'Goes on' });
		for (let n = 2; n <= 3; n++) {
			await waitsNoMore(b);
			await until('it was tried again', async () => await b.count('unblu', 'delete') === n);
			if (n === 2)
				await waits(b, /forbidden/);
		}
		await stateIs(b, m, STATE.held);
		await dry(b);
		assert.deepEqual(await audit(b), ['delete refused', 'set-topic done', 'delete held']);
		assert.equal((await b.conversation(m.id)).deleted, false);
		assert.ok('degraded:deletions' in (await b.dump()).facts);
	});

	test("an administrator's token does not widen what is deleted", async (t) => {
		const b = await Bench.start(t, { settings: { gateway: { role: 'SUPER_ADMIN' } } });
		const visited = await linked(b, { subject: 'Visited' });
		const written = await linked(b, { subject: 'Written in' });
		const untouched = await linked(b, { subject: 'Untouched' });
		await b.control('POST', `/control/conversations/${visited.id}/join`, { name: 'Guest' });
		await b.control('POST', `/control/conversations/${visited.id}/leave`, {});
		await b.control('POST', `/control/conversations/${written.id}/message`, { text: 'Hello' });
		for (const m of [visited, written, untouched])
			await removed(b, m);
		await stateIs(b, untouched, STATE.deleted);
		await stateIs(b, visited, STATE.kept);
		await stateIs(b, written, STATE.kept);
		assert.equal(await b.count('unblu', 'delete'), 1);
		assert.deepEqual((await audit(b)).sort(), ['delete done', 'delete refused', 'delete refused']);
	});
});

describe('what an operator has decided', { concurrency: 4 }, () => {
	test('with a dry run a deletion is told and not made, and a restored event is followed', async (t) => {
		const b = await Bench.start(t, { start: false, config: { syncServerDryRun: true, deletionGraceSeconds: 0 } });
		await b.up();
		const m = await b.meeting(ANNA);
		await b.announce(ANNA, m.made, 'Portfolio review', Date.parse('2027-03-01T09:00:00Z'));
		await b.notify(ANNA, m.event.immutableId);
		await stateIs(b, m, STATE.linked);
		await removed(b, m);
		await until('it says what it would do', () => b.lines().some((l) => l.event === 'dry-run' && l.delete === true));
		await dry(b);
		await isUntouched(b, m);
		assert.notEqual((await b.link(m.id)).state, STATE.deleted);
		await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
		await b.notify(ANNA, m.event.immutableId, HINT.created);
		await stateIs(b, m, STATE.linked);
	});

	test('paused, a deletion waits like any other write', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		const m = await linked(b);
		await b.tool('fact', 'pause:', '');
		await removed(b, m);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.reason === 'writes are paused'));
		await isUntouched(b, m);
	});

	test('an end whose answer was lost is not repeated, and is ours in the audit', async (t) => {
		const b = await Bench.start(t, { config: { onEventDeleted: 'delete-if-untouched-else-cancel', deletionGraceSeconds: 0 } });
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
		await fault(b, { service: 'unblu', op: 'end', kind: 'lost', count: 1 });
		await removed(b, m);
		await stateIs(b, m, STATE.ended);
		assert.equal(await b.count('unblu', 'end'), 1);
		assert.deepEqual(await audit(b), ['end done']);
	});

	test('delete-if-untouched-else-cancel ends what somebody took part in, and deletes the rest', async (t) => {
		const b = await Bench.start(t, { config: { onEventDeleted: 'delete-if-untouched-else-cancel', deletionGraceSeconds: 0 } });
		const visited = await linked(b, { subject: 'Visited' });
		const running = await linked(b, { subject: 'Running' });
		const untouched = await linked(b, { subject: 'Untouched' });
		await b.control('POST', `/control/conversations/${visited.id}/join`, { name: 'Guest' });
		await b.control('POST', `/control/conversations/${running.id}/start`, {});
		for (const m of [visited, running, untouched])
			await removed(b, m);
		await stateIs(b, visited, STATE.ended);
		await stateIs(b, running, STATE.kept);
		await stateIs(b, untouched, STATE.deleted);
		const seen = await b.conversation(visited.id);
		assert.equal(seen.state, 'ENDED');
		assert.equal(seen.endReason, 'CANCELED');
		assert.notEqual((await b.conversation(running.id)).state, 'ENDED');
		assert.deepEqual((await audit(b)).sort(), ['delete done', 'delete refused', 'end done']);
	});
});
