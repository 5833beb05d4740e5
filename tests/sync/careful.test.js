// @ts-check
/* Where the careful side is to be taken: copies that nobody told of, agents who come back, mailboxes that an operator has put aside. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, BOX, Bench, HINT, KIND, STATE, TENANT_A } from './harness.js';
import { audit, fault, linked, removed, shows, stateIs, until } from './meetings.js';

const START = Date.parse('2027-03-01T09:00:00Z');
const DAY_MS = 24 * 3600_000;

/** Requests to Graph about a mailbox's events. @param {Bench} b */
async function looks(b) {
	const log = await b.control('GET', '/control/log?service=graph&limit=20000');
	return log.filter((/** @type {any} */ l) => ['getEvent', 'listEvents', 'listInstances', 'batch'].includes(l.op)).length;
}

/** A followed meeting whose copy lies where only a search of all calendars finds it. @param {Bench} b */
async function withCopy(b) {
	await b.tool('follow', TENANT_A, ANNA, '');
	const m = await linked(b);
	const copy = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
	await b.act({ action: 'moveCalendar', mailbox: ANNA, event: copy.immutableId, calendar: 'Private' });
	const calendars = [...b.sim.calendars.box(b.sim.directory.anyUser(ANNA)).calendars.values()];
	return { m, copy, calendar: calendars.find((c) => c.name === 'Private').id };
}

describe('the careful side', { concurrency: 3 }, () => {
	test('a copy in another calendar, which nobody told of, inherits', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		const m = await linked(b);
		const copy = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
		await b.act({ action: 'moveCalendar', mailbox: ANNA, event: copy.immutableId, calendar: 'Private' });
		await removed(b, m);
		await until('the copy has inherited', async () => (await b.link(m.id)).event === copy.immutableId);
		await stateIs(b, m, STATE.linked);
		assert.equal((await b.conversation(m.id)).deleted, false);
		await removed(b, { event: copy });
		await stateIs(b, m, STATE.deleted);
		assert.deepEqual(await audit(b), ['inherit done', 'delete done']);
	});

	test('an event of somebody else there keeps nothing', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		const m = await linked(b);
		const copy = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
		await b.act({ action: 'moveCalendar', mailbox: ANNA, event: copy.immutableId, calendar: 'Private' });
		await b.act({ action: 'edit', mailbox: ANNA, event: copy.immutableId, isOrganizer: false });
		await removed(b, m);
		await stateIs(b, m, STATE.deleted);
	});

	/** @type {[string, any, string, RegExp][]} how the search for copies fails, and why the row then waits */
	const failures = [
		['calendars that are forbidden', { op: 'listCalendars', status: 403, code: 'ErrorAccessDenied' }, 'parked', /Access/],
		['a mailbox that is no more', { op: 'listCalendars', status: 404, code: 'MailboxNotEnabledForRESTAPI' }, 'parked', /./],
		['an outage', { op: 'listCalendars', status: 503 }, 'waits', /./],
		['an outage of one calendar', { op: 'listEvents', calendar: true, status: 503 }, 'waits', /./],
		['a calendar that is forbidden', { op: 'listEvents', calendar: true, status: 403, code: 'ErrorAccessDenied' }, 'waits', /calendar/],
		['a calendar that has gone since it was listed', { op: 'listEvents', calendar: true, status: 404, code: 'ErrorItemNotFound' }, 'waits', /calendar/],
	];
	for (const [what, answer, how, why] of failures)
		test(`a copy is not overlooked for ${what}`, async (t) => {
			const b = await Bench.start(t, { now: '2027-02-01T09:00:00Z' });
			const { m, copy, calendar } = await withCopy(b);
			const rule = await fault(b, { service: 'graph', kind: 'status', ...answer, ...(answer.calendar ? { calendar } : {}) });
			await removed(b, m);
			/* A parked mailbox is followed for the moment in which it is tried. */
			const state = how === 'parked' ? BOX.parked : BOX.followed;
			for (let i = 1; i <= 5; i++) {
				const row = await until('it waits', async () => {
					const d = await b.dump();
					return d.mailboxes[0].state === state &&
						d.work.find((/** @type {any} */ w) => w.event === m.event.immutableId && w.notBefore > b.now() && (how === 'parked' || w.attempts >= i));
				});
				assert.match(row.reason, why);
				assert.equal((await b.link(m.id)).state, STATE.gone);
				await b.goTo(row.notBefore + 2000);
			}
			await b.control('DELETE', `/control/faults/${rule.id}`);
			await until('the copy has inherited', async () => {
				await b.goTo(b.now() + 3600_000);
				return (await b.link(m.id)).event === copy.immutableId;
			});
			assert.equal(await b.count('unblu', 'delete'), 0);
		});

	test('a calendar that stays forbidden holds the deletion for its operator, who may release it', async (t) => {
		const b = await Bench.start(t, { now: '2027-02-01T09:00:00Z' });
		const { m, calendar } = await withCopy(b);
		await fault(b, { service: 'graph', op: 'listEvents', calendar, kind: 'status', status: 403, code: 'ErrorAccessDenied' });
		await removed(b, m);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.attempts >= 3 || b.goTo(b.now() + 60_000) === null));
		assert.equal((await b.link(m.id)).state, STATE.gone);
		await b.goTo(b.now() + 2 * DAY_MS);
		await stateIs(b, m, STATE.held);
		const [record] = (await b.dump()).audit;
		assert.match(`${record.action} ${record.outcome}: ${record.detail}`, /^delete held: .*calendar/);
		/* Looked at again it still waits, without a word more. */
		await b.notify(ANNA, m.event.immutableId, HINT.deleted);
		await b.settled();
		assert.equal((await b.link(m.id)).state, STATE.held);
		assert.deepEqual(await audit(b), ['delete held']);
		assert.equal(await b.count('unblu', 'delete'), 0);
		await b.down();
		await b.tool('fact', `release:${m.id}`, '');
		await b.sql(`UPDATE link SET state = ${STATE.gone} WHERE conversation = '${m.id}'`);
		await b.up();
		await b.notify(ANNA, m.event.immutableId, HINT.deleted);
		await stateIs(b, m, STATE.deleted);
		assert.deepEqual(await audit(b), ['delete held', 'delete done']);
	});

	test('an orphan that is announced again while it is being removed stays', async (t) => {
		const b = await Bench.start(t, { config: { orphanGraceHours: 0.0002 } });
		await b.follow(ANNA);
		await until('there is a subscription', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0));
		await b.settled();
		const first = await b.act({ action: 'create', mailbox: ANNA, subject: 'Late', start: START, end: START + 1800_000 });
		const made = await b.control('POST', '/control/button', { mailbox: ANNA, event: first.immutableId, noProperty: true });
		await b.act({ action: 'purge', mailbox: ANNA, event: first.immutableId });
		const { id } = made.conversation;
		await fault(b, { service: 'unblu', op: 'history', kind: 'delay', delayMs: 3000 });
		await b.tool('announce', id, TENANT_A, ANNA, made.sourceId, 'Late', String(START), '', '', String(Date.now() + 720), '0');
		await until('it is about to be removed', () => b.lines().some((l) => l.event === 'orphan-found'));
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Late', start: START, end: START + 1800_000 });
		await b.act({ action: 'link', mailbox: ANNA, event: event.immutableId, conversationId: id, sourceId: made.sourceId });
		await b.tool('announce', id, TENANT_A, ANNA, made.sourceId, 'Late', String(START), '', event.immutableId, String(Date.now() + DAY_MS), '0');
		await b.notify(ANNA, event.immutableId, HINT.created);
		await until('it was seen', () => b.lines().some((l) => l.event === 'orphan-announced-again'));
		await until('it is linked', async () => (await b.link(id)).state === STATE.linked);
		assert.equal((await b.conversation(id)).deleted, false);
	});

	test('in an unfollowed mailbox nothing is looked at, by a notification or by the clock', async (t) => {
		const b = await Bench.start(t, { now: '2027-03-01T12:00:00Z' });
		const m = await b.meeting(ANNA, {
			subject: 'Weekly', start: '2027-03-02T09:00:00Z', end: '2027-03-02T09:30:00Z',
			recurrence: { pattern: { type: 'weekly', interval: 1 }, range: { type: 'noEnd', startDate: '2027-03-02' } },
		});
		await b.follow(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it has its time', async () => (await b.link(m.id))?.state === STATE.linked && (await b.link(m.id)).check > 0);
		await b.settled();
		await b.sql(`UPDATE mailbox SET state = ${BOX.unfollowed} WHERE user_id = '${ANNA}'`);
		const before = await looks(b);
		await b.goTo('2027-03-02T09:31:00Z');
		await until('the clock asks for nothing more', async () => (await b.link(m.id)).check === 0);
		await b.notify(ANNA, m.event.immutableId);
		await b.settled();
		assert.equal(await looks(b), before);
		assert.equal((await b.dump()).mailboxes[0].state, BOX.unfollowed);
	});

	test('a mailbox that an operator has parked is not searched, and stays parked', async (t) => {
		const b = await Bench.start(t);
		await b.follow(ANNA);
		const m = await linked(b);
		await b.sql(`UPDATE mailbox SET state = ${BOX.parked}, reason = 'on leave', retry_ms = ${Date.parse('9999-01-01T00:00:00Z')} WHERE user_id = '${ANNA}'`);
		const before = await looks(b);
		await fault(b, { service: 'graph', op: 'listEvents', kind: 'status', status: 403, code: 'ErrorAccessDenied' });
		await b.notify(ANNA, '', 0, KIND.search);
		await b.notify(ANNA, m.event.immutableId);
		await until('both wait', async () => (await b.dump()).work.filter((/** @type {any} */ w) => w.reason === 'on leave').length === 2);
		assert.equal(await looks(b), before);
		const [box] = (await b.dump()).mailboxes;
		assert.equal(box.reason, 'on leave');
		await shows(b, m, { deleted: false });
	});

	test('a list of events that never ends deletes nothing and is given up, in a removal and in a search', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		await b.follow(ANNA);
		const m = await linked(b);
		await b.control('POST', '/control/settings', { graph: { endlessLists: true } });
		const before = await b.count('graph', 'listEvents');
		await removed(b, m);
		await until('the removal says so', async () => /not deleted: the list of events does not end/.test((await b.link(m.id)).error));
		assert.ok(await b.count('graph', 'listEvents') - before < 300);
		assert.equal((await b.conversation(m.id)).deleted, false);
		await b.notify(ANNA, '', 0, KIND.search);
		await until('so does the search', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.search && /does not end/.test(w.reason)));
	});

	test('while writes are paused an orphan that was looked for twice is not looked for again', async (t) => {
		const b = await Bench.start(t, { now: '2027-01-10T08:00:00Z', config: { orphanGraceHours: 1, catchUpHours: 1000 } });
		await b.follow(ANNA);
		await until('there is a subscription', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0));
		await b.settled();
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Never saved', start: START, end: START + 1800_000 });
		const made = await b.control('POST', '/control/button', { mailbox: ANNA, event: event.immutableId, noProperty: true });
		await b.act({ action: 'purge', mailbox: ANNA, event: event.immutableId });
		const { id } = made.conversation;
		await b.tool('announce', id, TENANT_A, ANNA, made.sourceId, 'Never saved', String(START), '', '', String(b.now() + 3600_000), '0');
		await b.down();
		await b.sql("INSERT INTO fact VALUES ('pause:', '', 0)");
		await b.up();
		const scans = () => b.lines().filter((l) => l.event === 'mailbox-scanned').length;
		const waits = async () => (await b.dump()).work.find((/** @type {any} */ w) => w.kind === KIND.link && w.reason === 'writes are paused' && w.notBefore > b.now());
		await b.goTo(b.now() + 3700_000);
		await until('it was looked for once', async () => (await b.link(id)).emptySearches === 1);
		await b.goTo(b.now() + 200_000);
		await until('and a second time', async () => (await b.link(id)).emptySearches === 2);
		await until('its removal waits', waits);
		const before = scans();
		for (let i = 0; i < 2; i++) {
			await b.goTo(b.now() + 1000_000);
			await until('it waits again', waits);
		}
		assert.equal(scans(), before);
		assert.equal((await b.link(id)).state, STATE.announced);
	});

	test('a conversation that is announced for an event which has another one keeps its lease', async (t) => {
		const b = await Bench.start(t);
		await b.follow(ANNA);
		const m = await linked(b);
		const fresh = await b.control('POST', '/control/button', { mailbox: ANNA, event: m.event.immutableId, noProperty: true });
		const { id } = fresh.conversation;
		await b.tool('announce', id, TENANT_A, ANNA, fresh.sourceId, 'Closed without saving', String(START), '', m.event.immutableId, String(Date.now() + DAY_MS), '0');
		await b.notify(ANNA, m.event.immutableId);
		await until('the event is no longer its hint', async () => (await b.link(id)).event === '');
		const link = await b.link(id);
		assert.equal(link.state, STATE.announced);
		assert.ok(link.check > 0);
		await stateIs(b, m, STATE.linked);
	});
});
