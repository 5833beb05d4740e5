// @ts-check
/* How much a change costs, and that what is sick stands for itself: an event, a mailbox, a tenant. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { buildFolder } from '../lib/build.js';
import { ANNA, BEN, Bench, CARLA, TENANT_A, TENANT_OF, until } from './harness.js';

/** A followed meeting. @param {Bench} b @param {string} [user] */
async function linked(b, user = ANNA) {
	const m = await b.meeting(user);
	await b.notify(user, m.event.immutableId);
	await until('it is linked', async () => (await b.link(m.id))?.verified);
	await b.settled();
	return m;
}

/** @param {Bench} b @param {any} m @param {any} change @param {string} [user] */
async function edit(b, m, change, user = ANNA) {
	await b.act({ action: 'edit', mailbox: user, event: m.event.immutableId, ...change });
	await b.notify(user, m.event.immutableId);
}

/** @param {Bench} b @param {any} m @param {string} topic @param {number} [ms] */
function topicIs(b, m, topic, ms) {
	return until(`the topic is ${topic}`, async () => (await b.conversation(m.id)).topic === topic, ms);
}

/** @param {Bench} b @param {any} fault */
function fault(b, fault) {
	return b.control('POST', '/control/faults', fault);
}

/** @param {Bench} b @param {string} query @returns {Promise<any[]>} */
function log(b, query) {
	return b.control('GET', `/control/log?limit=20000&${query}`);
}

/** @param {Bench} b @param {string[]} words @returns {Promise<number>} the exit status */
function renew(b, ...words) {
	const program = path.join(buildFolder(), 'cronjob/outlook-addin-renew');
	return new Promise((resolve) => spawn(program, ['--config', path.join(b.dir, 'addin.json'), ...words], { env: b.env, stdio: 'ignore' }).once('exit', (code) => resolve(Number(code))));
}

/** So many rows about events of one mailbox that need not be there. @param {Bench} b @param {string} tenant @param {string} user @param {number} count */
async function queue(b, tenant, user, count) {
	for (let i = 0; i < count; i++)
		await b.tool('work', '0', tenant, user, `event-${i}`, '2', '0');
}

const TRIPS = /** @type {[string, any, string[]][]} */ ([
	['topic', { subject: 'Another' }, ['getEvent', 'setTopic']],
	['time', { start: '2027-03-02T10:00:00Z', end: '2027-03-02T10:30:00Z' }, ['getEvent', 'read', 'setScheduledTimestamp']],
	['topic and time', { subject: 'Both', start: '2027-03-03T10:00:00Z', end: '2027-03-03T10:30:00Z' }, ['getEvent', 'read', 'setTopic', 'setScheduledTimestamp']],
	['nothing of ours', { location: 'Room 2' }, ['getEvent']],
]);

/* Each has simulators and a program of its own, and mostly waits. */
describe('islands', { concurrency: 4 }, () => {
	test('a change takes no request more than it must', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		for (const [what, change, ops] of TRIPS) {
			const before = (await log(b, '')).at(-1).seq;
			await edit(b, m, change);
			await until('it is done', async () => (await b.dump()).work.length === 0);
			assert.deepEqual((await log(b, `after=${before}`)).map((l) => l.op), ops, what);
		}
	});

	test('a tenant that is never answered, with many mailboxes, delays no other one', async (t) => {
		const b = await Bench.start(t);
		const good = await linked(b, CARLA);
		const many = [];
		for (let i = 0; i < 70; i++)
			many.push(await b.control('POST', '/control/mailboxes', { tenant: TENANT_A, upn: `m${i}@alpinebank.example` }));
		await fault(b, { service: 'graph', tenant: TENANT_A, kind: 'hang' });
		/* All at once: those that hang give up after 15 s. */
		await Promise.all(many.map((box) => queue(b, TENANT_A, box.oid, 2)));
		await b.wake();
		const busy = await until('it hangs', async () => {
			const rows = (await b.dump()).work.filter((/** @type {any} */ w) => w.inProgress);
			return rows.length >= 40 && rows;
		});
		for (let i = 0; i < 5; i++) {
			await edit(b, good, { subject: `Unmoved ${i}` }, CARLA);
			await topicIs(b, good, `Unmoved ${i}`, 3000);
		}
		assert.ok(busy.length <= 64, `${busy.length} of 128 places`);
	});

	test('an event that is always answered 500 holds up neither its mailbox nor its tenant', async (t) => {
		const b = await Bench.start(t);
		const [sick, sister, other] = [await linked(b), await linked(b), await linked(b, BEN)];
		await fault(b, { service: 'graph', op: 'getEvent', event: sick.event.immutableId, kind: 'status', status: 500 });
		await edit(b, sick, { subject: 'Never' });
		await until('the circuit is open', async () => 'degraded:graph' in (await b.dump()).facts, 60_000);
		await edit(b, sister, { subject: 'Same mailbox' });
		await topicIs(b, sister, 'Same mailbox', 4000);
		await edit(b, other, { subject: 'Same tenant' }, BEN);
		await topicIs(b, other, 'Same tenant', 4000);
		const d = await b.dump();
		assert.ok(!('degraded:graph' in d.facts));
		assert.equal(d.dead.length, 0);
		assert.equal(d.work.length, 1);
	});

	test('a mailbox whose fresh token is refused is not asked for each of its rows', async (t) => {
		const b = await Bench.start(t);
		await linked(b);
		await fault(b, { service: 'graph', op: 'getEvent', mailbox: ANNA, kind: 'status', status: 401, code: 'InvalidAuthenticationToken' });
		const tokens = await b.count('entra', 'token');
		await queue(b, TENANT_A, ANNA, 30);
		await b.wake();
		await until('all were looked at', async () => (await b.dump()).work.every((/** @type {any} */ w) => w.notBefore > 0));
		const asked = (await log(b, 'op=getEvent&status=401')).length;
		assert.ok(asked >= 2 && asked < 30, `${asked} requests`);
		assert.ok(await b.count('entra', 'token') - tokens < 10);
		assert.equal((await b.dump()).dead.length, 0);
	});

	test('what throttled sync holds outlook-addin-renew and the next sync', async (t) => {
		const b = await Bench.start(t);
		await b.follow(ANNA);
		await until('it has a subscription', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.id !== ''));
		const m = await linked(b);
		await fault(b, { service: 'graph', mailbox: ANNA, kind: 'throttle', retryAfter: 60, count: 1 });
		await edit(b, m, { subject: 'Later' });
		await until('it was throttled', async () => (await log(b, 'op=getEvent&status=429')).length === 1);
		await b.settled();
		assert.equal(await renew(b, '--force'), 1);
		await b.down();
		await b.up();
		await b.notify(ANNA, 'another event of that mailbox');
		await until('it is held too', async () => (await b.dump()).work.every((/** @type {any} */ w) => w.user !== ANNA || w.notBefore > Date.now() + 10_000));
		assert.equal((await log(b, 'op=renewSubscription')).length, 0);
		assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
		/* Nobody else is held. */
		await linked(b, BEN);
	});

	test('what throttled outlook-addin-renew holds sync', async (t) => {
		const b = await Bench.start(t, { start: false });
		await b.tool('follow', TENANT_A, ANNA, '');
		await fault(b, { service: 'graph', mailbox: ANNA, kind: 'throttle', retryAfter: 60, count: 1 });
		assert.equal(await renew(b), 1);
		const throttled = (await log(b, 'service=graph&status=429')).length;
		assert.equal(throttled, 1);
		await b.up();
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is held', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.event === m.event.immutableId && w.notBefore > Date.now() + 10_000));
		assert.equal(await b.count('graph', 'getEvent'), 0);
		assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
	});

	test('Unblu\'s throttling holds all tenants, and across a restart', async (t) => {
		const b = await Bench.start(t);
		const ms = [await linked(b), await linked(b, CARLA)];
		await fault(b, { service: 'unblu', op: 'setTopic', kind: 'throttle', scope: 'service', retryAfter: 60, count: 1 });
		await edit(b, ms[0], { subject: 'Later' });
		await until('it was throttled', async () => (await log(b, 'op=setTopic&status=429')).length === 1);
		await b.settled();
		await b.down();
		await b.up();
		await edit(b, ms[1], { subject: 'Later too' }, CARLA);
		await until('both are held', async () => (await b.dump()).work.filter((/** @type {any} */ w) => w.notBefore > Date.now() + 10_000).length === 2);
		assert.equal(await b.count('unblu', 'setTopic'), 1);
		assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
	});

	test('a path at Unblu where nobody is shows as degraded, and gives nothing up', async (t) => {
		const b = await Bench.start(t, { config: { unbluApiPath: '/nowhere/rest/v4' } });
		const m = await b.meeting(ANNA);
		await edit(b, m, { subject: 'Held' });
		const d = await until('it is degraded', async () => {
			const seen = await b.dump();
			return 'degraded:unblu' in seen.facts && seen;
		});
		assert.match(d.facts['degraded:unblu'], /unbluApiPath/);
		await until('it is held', async () => (await b.dump()).work.some((/** @type {any} */ w) => /unbluApiPath/.test(w.reason)));
		assert.deepEqual((await b.dump()).dead, []);
	});

	for (const signal of /** @type {const} */ (['SIGKILL', 'SIGTERM']))
		test(`a row that is alone in progress at four ${signal}s is no poison`, async (t) => {
			const b = await Bench.start(t);
			const m = await b.meeting(ANNA);
			const rule = await fault(b, { service: 'graph', op: 'getEvent', mailbox: ANNA, kind: 'hang' });
			await b.tool('work', '0', TENANT_OF[ANNA], ANNA, m.event.immutableId, '2', '0');
			await b.wake();
			for (let i = 0; i < 4; i++) {
				await until('it is in progress', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.inProgress), 20_000);
				const pid = await until('sync runs', () => {
					try {
						return b.pid();
					} catch {
						return null;
					}
				});
				process.kill(pid, signal);
				await until('it has started again', () => {
					try {
						return b.pid() !== pid;
					} catch {
						return false;
					}
				});
			}
			await b.control('DELETE', `/control/faults/${rule.id}`);
			await edit(b, m, { subject: 'Innocent' });
			await topicIs(b, m, 'Innocent', 20_000);
			assert.deepEqual((await b.dump()).dead, []);
		});
});
