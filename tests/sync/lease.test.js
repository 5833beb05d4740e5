// @ts-check
/* A conversation whose event is not seen: what is searched, when it is an orphan, and what keeps it. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { buildFolder } from '../lib/build.js';
import { ANNA, BEN, BOX, Bench, HINT, KIND, STATE, TENANT_A, TENANT_OF, until } from './harness.js';

const START = Date.parse('2027-03-01T09:00:00Z');
const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');
/** 720 ms, and 30 ms between two searches. */
const GRACE_HOURS = 0.0002;
const GRACE_MS = GRACE_HOURS * 3600_000;

/** @param {any} t @param {any} [options] */
async function bench(t, options = {}) {
	const b = await Bench.start(t, { ...options, config: { orphanGraceHours: GRACE_HOURS, ...options.config } });
	await b.follow(ANNA);
	await until('the mailbox is subscribed', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0));
	await b.settled();
	return b;
}

/** Made by the button, but the event was never saved. @param {Bench} b @param {{ user?: string, shared?: boolean, check?: number, sourceId?: string, event?: string, keep?: boolean }} [options] */
async function announced(b, options = {}) {
	const user = options.user ?? ANNA;
	const event = await b.act({ action: 'create', mailbox: user, subject: 'Portfolio review', start: START, end: START + 1800_000 });
	const made = await b.control('POST', '/control/button', { mailbox: user, event: event.immutableId, noProperty: true });
	if (!options.keep)
		await b.act({ action: 'purge', mailbox: user, event: event.immutableId });
	const id = made.conversation.id;
	await b.tool('announce', id, TENANT_OF[user], user, options.sourceId ?? made.sourceId, 'Portfolio review', String(START), '', options.event ?? '', String(options.check ?? 0), options.shared ? '1' : '0');
	return { id, made, event, url: made.url, announcedAt: Date.now(), user };
}

/** The clock's call, as the beat and outlook-addin-renew make it. @param {Bench} b @param {any} m */
async function due(b, m) {
	const wait = m.announcedAt + GRACE_MS + 50 - Date.now();
	if (wait > 0)
		await new Promise((resolve) => setTimeout(resolve, wait));
	await b.notify(m.user, m.id, 0, KIND.link);
	await b.settled();
}

/** Until the lease has come to an end. @param {Bench} b @param {any} m @param {number} state */
async function leadsTo(b, m, state) {
	for (let i = 0; i < 20 && (await b.link(m.id)).state !== state; i++)
		await due(b, m);
	assert.equal((await b.link(m.id)).state, state, JSON.stringify(await b.link(m.id)));
	return b.dump();
}

/** @param {Bench} b @param {...string} args @returns {Promise<string>} */
function ctl(b, ...args) {
	return new Promise((resolve, reject) => execFile(CTL, ['--config', path.join(b.dir, 'addin.json'), ...args], { env: { PATH: process.env.PATH } },
		(e, stdout, stderr) => e ? reject(new Error(`${args.join(' ')}: ${e.message} ${stderr}`)) : resolve(stdout)));
}

/** @param {any} d */
const audit = (d) => d.audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`);

/** So many searches are behind. @param {Bench} b @param {string} id @param {number} n */
async function searched(b, id, n) {
	return until(`${n} searches`, async () => (await b.link(id)).emptySearches >= n);
}

/** @param {Bench} b @param {string} event @param {any} m @param {string} [user] */
function carry(b, event, m, user = ANNA) {
	return b.act({ action: 'link', mailbox: user, event, conversationId: m.id, sourceId: m.made.sourceId });
}

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

	test('whose conversation is gone is over', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.control('POST', `/control/conversations/${m.id}/delete`, {});
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

describe('a mailbox that does not answer throughout', { concurrency: 4 }, () => {
	test('is not searched for what was announced for a shared one', async (t) => {
		const b = await bench(t);
		const m = await announced(b, { shared: true });
		const d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /shared/);
		assert.equal(await b.count('graph', 'listCalendars'), 0);
	});

	test('and is parked during a search leaves it unconfirmed for good', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await due(b, m);
		await searched(b, m.id, 1);
		await b.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'noLicence' });
		let d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /no mailbox/);
		assert.equal(d.mailboxes[0].state, BOX.parked);
		await b.control('PATCH', `/control/mailboxes/${ANNA}`, { state: 'ok' });
		await b.tool('box', TENANT_A, ANNA, '0', '0');
		await due(b, m);
		d = await b.dump();
		assert.equal(d.links[0].state, STATE.unconfirmed);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('and was parked since the announcement proves nothing by finding nothing', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.tool('box', TENANT_A, ANNA, '1', '0');
		await b.tool('box', TENANT_A, ANNA, '0', '0');
		const d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /in the meantime/);
		assert.equal(await b.count('graph', 'listCalendars'), 1, 'it was searched once');
	});

	test('and has no subscription proves nothing either', async (t) => {
		const b = await Bench.start(t, { config: { orphanGraceHours: GRACE_HOURS } });
		await b.tool('follow', TENANT_A, ANNA, '');
		const m = await announced(b);
		const d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /no subscription/);
	});

	test('with one calendar that can not be read is not parked for it', async (t) => {
		const b = await bench(t);
		await b.control('PATCH', `/control/mailboxes/${ANNA}`, { calendar: 'Of a colleague' });
		const m = await announced(b);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'listCalendarView', kind: 'status', status: 403, code: 'ErrorAccessDenied', skip: 1, count: 1000 });
		const d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /forbidden/);
		assert.equal(d.mailboxes[0].state, BOX.followed);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('whose answers can not be understood is asked some times, then left', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'listCalendars', kind: 'truncate', count: 1000 });
		await due(b, m);
		await until('it is left', async () => (await b.link(m.id)).state === STATE.unconfirmed, 60_000);
		assert.equal(await b.count('graph', 'listCalendars'), 4);
		assert.deepEqual((await b.dump()).dead, []);
	});

	test('and fails once, or throttles in the middle, is searched anew from the start', async (t) => {
		const b = await bench(t);
		await b.control('PATCH', `/control/mailboxes/${ANNA}`, { calendar: 'Second' });
		const m = await announced(b);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'listCalendars', kind: 'status', status: 503, count: 1 });
		await b.control('POST', '/control/faults', { service: 'graph', op: 'listCalendarView', kind: 'throttle', retryAfter: 1, skip: 1, count: 1 });
		await due(b, m);
		await searched(b, m.id, 1);
		await leadsTo(b, m, STATE.deleted);
		const whole = b.lines().filter((l) => l.event === 'mailbox-scanned').length;
		assert.equal((await b.link(m.id)).emptySearches, whole, 'half a search is none');
		assert.equal(await b.count('graph', 'listCalendars'), whole + 2, 'each begins with the calendars');
		assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
	});

	test('is read one event at a time when a page is too large', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		for (let i = 0; i < 9; i++)
			await b.act({ action: 'create', mailbox: ANNA, subject: `Large ${i}`, start: START + i * 60_000, end: START + i * 60_000 + 1800_000, body: 'x'.repeat(500_000) });
		await b.act({ action: 'create', mailbox: ANNA, subject: 'The one', start: START + 7200_000, end: START + 9000_000, body: `${'x'.repeat(500_000)} ${m.url}` });
		const d = await leadsTo(b, m, STATE.unconfirmed);
		assert.match(d.links[0].error, /has its link/);
		assert.equal(await b.count('graph', 'listCalendarView'), 1 + 10);
	});

	test('is searched for one conversation after the other', async (t) => {
		const b = await bench(t, { settings: { graph: { latencyMs: [100, 100], notify: { profile: 'none' } } }, config: { maxDeletionsPerMailbox: 100 } });
		const ms = [];
		for (let i = 0; i < 3; i++)
			ms.push(await announced(b));
		await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
		for (const m of ms)
			await b.tool('work', String(KIND.link), TENANT_A, ANNA, m.id, '0', '0');
		await b.wake();
		await until('all are removed', async () => (await b.dump()).links.every((/** @type {any} */ l) => l.state === STATE.deleted), 60_000);
		assert.equal((await b.control('GET', '/control/counters')).mailboxes[ANNA].maxExchanges, 1);
	});

	test('waits for its turn while two others of the tenant are searched', async (t) => {
		const b = await bench(t, { settings: { graph: { latencyMs: [200, 200], notify: { profile: 'none' } } } });
		const third = '8a1e6c1e-0000-4000-8000-0000000000a9';
		await b.control('POST', '/control/mailboxes', { tenant: TENANT_A, upn: 'third@alpinebank.example', oid: third });
		TENANT_OF[third] = TENANT_A;
		const ms = [];
		for (const user of [ANNA, BEN, third]) {
			await b.tool('follow', TENANT_A, user, '');
			ms.push(await announced(b, { user }));
		}
		await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
		for (const m of ms)
			await b.tool('work', String(KIND.link), TENANT_A, m.user, m.id, '0', '0');
		await b.wake();
		await until('one of them waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.link && w.reason === 'other mailboxes are being searched'));
		await until('all have had theirs', async () => (await b.dump()).links.every((/** @type {any} */ l) => l.emptySearches > 0 || l.state === STATE.unconfirmed), 20_000);
	});

	test('keeps its notifications going while it is searched and a catch-up is due', async (t) => {
		const b = await bench(t);
		const event = await b.meeting(ANNA);
		await b.notify(ANNA, event.event.immutableId);
		await until('it is linked', async () => (await b.link(event.id))?.verified);
		await b.settled();
		await b.control('POST', '/control/faults', { service: 'graph', op: 'listCalendars', kind: 'delay', delayMs: 15_000 });
		const before = await b.count('graph', 'batch');
		const m = await announced(b, { check: Date.now() + GRACE_MS });
		const searches = async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.link && w.inProgress);
		await until('it is searched', searches, 20_000);
		await b.notify(ANNA, '', HINT.missed, KIND.catchup);
		await until('the catch-up waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.catchup && /being searched/.test(w.reason)));
		await b.act({ action: 'edit', mailbox: ANNA, event: event.event.immutableId, subject: 'Meanwhile' });
		await b.notify(ANNA, event.event.immutableId);
		await until('its topic is there', async () => (await b.conversation(event.id)).topic === 'Meanwhile');
		assert.ok(await searches(), 'before the search is over');
		assert.equal((await b.link(m.id)).emptySearches, 0);
		await b.control('DELETE', '/control/faults');
		await until('then it catches up', async () => await b.count('graph', 'batch') > before, 40_000);
	});

	test('with an event too large to be read keeps it', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.act({ action: 'create', mailbox: ANNA, subject: 'Huge', start: START, end: START + 1800_000, body: 'x'.repeat(5 << 20) });
		await due(b, m);
		await until('it is left', async () => (await b.link(m.id)).state === STATE.unconfirmed, 60_000);
		assert.match((await b.link(m.id)).error, /too large/);
	});
});

describe('the removal of an orphan', { concurrency: 4 }, () => {
	test('obeys the brake, and the operator who releases it', async (t) => {
		const b = await bench(t, { config: { maxDeletionsPerMailbox: 0 } });
		const m = await announced(b);
		const d = await leadsTo(b, m, STATE.held);
		assert.deepEqual(audit(d), ['delete held']);
		assert.match(d.audit[0].detail, /^orphan: more deletions/);
		assert.equal(await b.count('unblu', 'delete'), 0);
		await ctl(b, 'deletion', 'release', m.id);
		await until('it is removed', async () => (await b.link(m.id)).state === STATE.deleted);
		const after = await b.settled();
		assert.deepEqual(audit(after), ['delete held', 'delete released', 'delete done']);
		assert.deepEqual([after.work, after.dead], [[], []]);
	});

	test('that was released ends with its event being found: the next deletion meets the brake again', async (t) => {
		const b = await bench(t, { now: '2027-02-01T12:00:00Z', config: { maxDeletionsPerMailbox: 0 } });
		const m = await announced(b);
		await leadsTo(b, m, STATE.held);
		/* Long enough that what was searched before does not count any more. */
		await b.goTo(b.now() + 600_000);
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Portfolio review', start: START, end: START + 1800_000 });
		await b.act({ action: 'link', mailbox: ANNA, event: event.immutableId, conversationId: m.id, sourceId: m.made.sourceId });
		await ctl(b, 'deletion', 'release', m.id);
		await until('its event is found', async () => (await b.link(m.id)).state === STATE.linked, 20_000);
		await b.settled();
		assert.deepEqual(Object.keys((await b.dump()).facts).filter((f) => f.startsWith('release:')), []);
		await b.act({ action: 'delete', mailbox: ANNA, event: event.immutableId });
		await b.notify(ANNA, event.immutableId, HINT.deleted);
		await until('it is held or deleted', async () => [STATE.held, STATE.deleted].includes((await b.link(m.id)).state), 20_000);
		assert.equal((await b.link(m.id)).state, STATE.held);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('that was released is used up when the conversation is kept', async (t) => {
		const b = await bench(t, { config: { maxDeletionsPerMailbox: 0 } });
		const m = await announced(b);
		await leadsTo(b, m, STATE.held);
		await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
		await ctl(b, 'deletion', 'release', m.id);
		await until('it is kept', async () => (await b.link(m.id)).state === STATE.kept, 20_000);
		assert.deepEqual(Object.keys((await b.settled()).facts).filter((f) => f.startsWith('release:')), []);
	});

	test('counts for the brake like any other', async (t) => {
		const b = await bench(t, { config: { maxDeletionsPerMailbox: 1 } });
		const ms = [await announced(b), await announced(b)];
		for (let i = 0; i < 20 && (await b.dump()).links.some((/** @type {any} */ l) => l.state === STATE.announced); i++)
			for (const m of ms)
				await due(b, m);
		assert.deepEqual((await b.dump()).links.map((/** @type {any} */ l) => l.state).sort(), [STATE.held, STATE.deleted]);
	});

	test('is not done in a dry run', async (t) => {
		const b = await bench(t, { config: { syncServerDryRun: true } });
		const m = await announced(b);
		for (let i = 0; i < 3; i++)
			await due(b, m);
		assert.equal((await b.link(m.id)).state, STATE.announced);
		assert.ok(b.lines().some((l) => l.event === 'dry-run' && l.delete === true && l.conversation === m.id));
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('waits while writes are paused', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await ctl(b, 'writes', 'pause');
		await due(b, m);
		await due(b, m);
		await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.kind === KIND.link && w.reason === 'writes are paused'));
		assert.equal(await b.count('unblu', 'delete'), 0);
		await ctl(b, 'writes', 'resume');
		await until('it is removed', async () => (await b.link(m.id)).state === STATE.deleted);
	});

	test('waits while the history can not be read', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'history', kind: 'status', status: 403, count: 1000 });
		await due(b, m);
		await due(b, m);
		await until('it waits', () => b.lines().some((l) => l.event === 'deletion-waits'));
		assert.equal(await b.count('unblu', 'delete'), 0);
		assert.equal((await b.link(m.id)).state, STATE.announced);
	});

	test('survives kill -9 between the two searches, and between mark and deletion', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await due(b, m);
		await searched(b, m.id, 1);
		const kill = async () => {
			const pid = b.pid();
			const starts = b.lines().filter((l) => l.event === 'ready' && l.role === 'sync').length;
			process.kill(pid, 'SIGKILL');
			await until('it has started again', () => b.lines().filter((l) => l.event === 'ready' && l.role === 'sync').length > starts);
		};
		/* The next search is due as soon as it is there again. */
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'delete', kind: 'hang', count: 1 });
		await kill();
		await b.notify(ANNA, m.id, 0, KIND.link);
		await until('the mark is made and the deletion under way', async () => (await b.link(m.id)).writing === 'delete' && await b.count('unblu', 'delete') > 0);
		await kill();
		await until('it is removed', async () => (await b.link(m.id)).state === STATE.deleted, 20_000);
		const d = await b.settled();
		assert.deepEqual(audit(d), ['delete done']);
		assert.equal((await b.conversation(m.id)).deleted, true);
	});

	test('whose deletion took effect before kill -9 is recorded as ours', async (t) => {
		const b = await bench(t);
		const m = await announced(b);
		await due(b, m);
		await searched(b, m.id, 1);
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'delete', kind: 'delay', delayAfterMs: 5000, count: 1 });
		await b.notify(ANNA, m.id, 0, KIND.link);
		await until('the conversation is deleted, the answer not there yet', async () => (await b.conversation(m.id)).deleted);
		process.kill(b.pid(), 'SIGKILL');
		await until('it is known', async () => (await b.link(m.id)).state === STATE.deleted, 20_000);
		const d = await b.settled();
		assert.deepEqual(audit(d), ['delete done']);
		assert.match(d.audit[0].detail, /interruption/);
	});
});

describe('first sight', { concurrency: 4 }, () => {
	test('an event saved before the subscription stood is found right behind its creation', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.announce(ANNA, m.made, 'Portfolio review', START);
		assert.equal((await b.link(m.id)).state, STATE.announced);
		await b.notify(ANNA, '', 0, KIND.follow);
		await until('it is linked', async () => (await b.link(m.id)).state === STATE.linked);
	});

	test('so is one that was announced with its id, which nobody could read yet', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', kind: 'status', status: 404, code: 'ErrorItemNotFound', count: 1 });
		await b.announce(ANNA, m.made, 'Portfolio review', START, '', m.event.immutableId);
		await b.notify(ANNA, m.event.immutableId);
		await b.settled();
		assert.equal((await b.link(m.id)).state, STATE.announced);
		await b.notify(ANNA, '', 0, KIND.search);
		await until('it is linked', async () => (await b.link(m.id)).state === STATE.linked);
	});

	test('an event whose property arrives only with a later notification is linked then', async (t) => {
		const b = await bench(t);
		const m = await announced(b, { keep: true });
		await b.notify(ANNA, m.event.immutableId, HINT.created);
		await b.settled();
		assert.equal((await b.link(m.id)).state, STATE.announced);
		await carry(b, m.event.immutableId, m);
		await b.notify(ANNA, m.event.immutableId, HINT.updated);
		await until('it is linked', async () => (await b.link(m.id)).state === STATE.linked);
	});

	test('each search that is due is made and counted, the next one planned', async (t) => {
		const b = await bench(t, { config: { orphanGraceHours: 24 } });
		const m = await announced(b);
		await b.notify(ANNA, m.id, 0, KIND.link);
		await until('it was searched for', async () => (await b.link(m.id)).searches === 1);
		const next = await until('the next one is planned', async () => (await b.dump()).work.find((/** @type {any} */ w) => w.kind === KIND.search));
		assert.ok(Math.abs(next.due - m.announcedAt - 60_000) < 5000, 'a minute behind the announcement');
	});
});
