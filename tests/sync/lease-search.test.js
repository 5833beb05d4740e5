// @ts-check
/* The searches of a lease in a mailbox that answers oddly, and those of first sight. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, BEN, BOX, Bench, HINT, KIND, STATE, TENANT_A, TENANT_OF, until } from './harness.js';
import { GRACE_HOURS, GRACE_MS, START, announced, bench, carry, due, leadsTo, searched } from './orphans.js';

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
