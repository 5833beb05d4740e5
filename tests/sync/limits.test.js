// @ts-check
/* What one row, process or odd answer may not do to the others. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { buildFolder } from '../lib/build.js';
import { ON_POSTGRESQL } from '../lib/postgres.js';
import { pause } from '../lib/wait.js';
import { ANNA, BEN, Bench, CARLA, KIND, TENANT_A, until } from './harness.js';
import { fault, linked, rename, topicIs } from './meetings.js';

const DAY_MS = 24 * 3600 * 1000;

/** @param {Bench} b @returns {Promise<number>} the exit status */
function renew(b) {
	const program = path.join(buildFolder(), 'cronjob/outlook-addin-renew');
	return new Promise((resolve) => spawn(program, ['--config', path.join(b.dir, 'addin.json')], { env: b.env, stdio: 'ignore' }).once('exit', (code) => resolve(Number(code))));
}

/* Each has simulators and a program of its own, and mostly waits. */
describe('islands', { concurrency: 4 }, () => {
	for (const [what, retryAfter] of /** @type {[string, number][]} */ ([['the epoch', Math.floor(Date.now() / 1000)], ['milliseconds', 3_600_000]]))
		test(`a Retry-After that is ${what} holds a day at most`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			await fault(b, { service: 'unblu', op: 'setTopic', kind: 'throttle', retryAfter, count: 1, punish: false, scope: 'service' });
			await rename(b, m, 'Held');
			const row = await until('it is held', async () => (await b.dump()).work.find((/** @type {any} */ w) => w.notBefore > Date.now() + 10_000));
			assert.ok(row.notBefore < Date.now() + DAY_MS * 1.2, `${(row.notBefore - Date.now()) / DAY_MS} days`);
			/* Another row asks what is in the store. */
			await b.meeting(CARLA).then((c) => b.notify(CARLA, c.event.immutableId));
			const other = await until('so is another one', async () => (await b.dump()).work.find((/** @type {any} */ w) => w.user === CARLA && w.notBefore > Date.now() + 10_000));
			assert.ok(other.notBefore < Date.now() + DAY_MS * 1.2, `${(other.notBefore - Date.now()) / DAY_MS} days`);
		});

	test('a Retry-After that was said while the store is locked is obeyed by the next row all the same', async (t) => {
		const b = await Bench.start(t);
		const first = await linked(b);
		const second = await linked(b);
		await fault(b, { service: 'graph', op: 'getEvent', mailbox: ANNA, kind: 'throttle', retryAfter: 60, delayMs: 300, count: 1 });
		await rename(b, first, 'Held');
		await until('it is asked', async () => (await b.control('GET', '/control/faults')).rules.length === 0);
		const holder = await b.lockStore();
		await pause(1700);
		await holder.release();
		const held = (/** @type {any} */ m) => until('it is held', async () => (await b.dump()).work.find((/** @type {any} */ w) => w.event === m.event.immutableId && w.notBefore > Date.now() + 30_000));
		await held(first);
		await rename(b, second, 'Held, too');
		await held(second);
		assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
		/* It reaches the other programs, too. */
		await b.down();
		await b.up();
		await rename(b, second, 'Still held');
		await b.settled();
		assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
	});

	test('a conversation that is answered 401 delays no other one', async (t) => {
		const b = await Bench.start(t);
		const bad = await linked(b);
		const good = await linked(b, undefined, CARLA);
		await fault(b, { service: 'unblu', conversation: bad.id, kind: 'status', status: 401 });
		await rename(b, bad, 'Refused');
		await until('it was refused', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.attempts > 0));
		await rename(b, good, 'Innocent', CARLA);
		await topicIs(b, good, 'Innocent', 5000);
		await until('and again', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.attempts > 1), 20_000);
		await rename(b, good, 'Still innocent', CARLA);
		await topicIs(b, good, 'Still innocent', 5000);
		const d = await b.dump();
		assert.equal(d.dead.length, 0);
		assert.ok(!('degraded:unblu-auth' in d.facts));
	});

	test('an Unblu that refuses every fresh token is degraded and left alone', async (t) => {
		const b = await Bench.start(t);
		const ms = [await linked(b), await linked(b, undefined, BEN), await linked(b, undefined, CARLA)];
		await fault(b, { service: 'unblu', op: 'read', kind: 'status', status: 401 });
		await fault(b, { service: 'unblu', op: 'setTopic', kind: 'status', status: 401 });
		for (const [i, user] of [ANNA, BEN, CARLA].entries())
			await rename(b, ms[i], 'Refused', user);
		await until('it is degraded', async () => 'degraded:unblu-auth' in (await b.dump()).facts);
		const asked = await b.count('unblu', 'token');
		await rename(b, ms[0], 'Refused again');
		await b.settled();
		assert.equal(await b.count('unblu', 'token'), asked);
		assert.equal((await b.dump()).dead.length, 0);
	});

	test('what renew found degraded, sync clears when it works', async (t) => {
		const b = await Bench.start(t);
		await linked(b);
		await b.tool('follow', TENANT_A, ANNA, '');
		const rule = await fault(b, { service: 'graph', op: 'createSubscription', kind: 'status', status: 500 });
		assert.equal(await renew(b), 1);
		assert.ok('degraded:graph' in (await b.dump()).facts);
		await b.control('DELETE', `/control/faults/${rule.id}`);
		await until('sync has cleared it', async () => {
			const m = await linked(b);
			return m !== null && !('degraded:graph' in (await b.dump()).facts);
		}, 20_000);
	});

	test('the token endpoint\'s Retry-After is obeyed by the next process', async (t) => {
		const b = await Bench.start(t, { start: false });
		await b.tool('follow', TENANT_A, ANNA, '');
		await fault(b, { service: 'entra', op: 'token', kind: 'throttle', retryAfter: 60, count: 1 });
		const asked = async () => (await b.control('GET', '/control/log?service=entra&limit=200'))
			.filter((/** @type {any} */ l) => l.op === 'token' && l.path.includes(TENANT_A)).length;
		assert.equal(await renew(b), 1);
		assert.equal(await asked(), 1);
		assert.equal(await renew(b), 1);
		await b.up();
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is held', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.event === m.event.immutableId && w.notBefore > Date.now() + 10_000));
		assert.equal(await asked(), 1);
	});

	for (const [what, ms, caughtUp] of /** @type {[string, number, number][]} */ ([['hours', 4 * 3600 * 1000, 1201], ['a minute', 60_000, 0]]))
		test(`after ${what} of downtime ${caughtUp} of 1201 mailboxes are caught up`, async (t) => {
			const b = await Bench.start(t, { start: false });
			await b.tool('downtime', TENANT_A, '1201', String(ms));
			await b.up();
			await until('the heart beats', async () => (await b.dump()).facts['sync-heartbeat'] !== undefined && b.lines().some((l) => l.event === 'ready'));
			const d = await until('all that was queued is done', async () => {
				const seen = await b.dump();
				/* Graph does not know them: the search behind the catch-up parks them, and both it and the next look at them wait. */
				return seen.work.every((/** @type {any} */ w) => w.kind !== KIND.catchup && !w.inProgress) && seen.mailboxes.filter((/** @type {any} */ m) => m.catchUp > 0).length >= caughtUp && seen;
			}, 45_000);
			assert.equal(d.mailboxes.filter((/** @type {any} */ m) => m.catchUp > 0).length, caughtUp);
		});

	test('a second sync on a store of one host waits, and leaves the first one\'s rows and socket alone', { skip: ON_POSTGRESQL && 'there they share the work' }, async (t) => {
		const b = await Bench.start(t);
		const socket = fs.statSync(path.join(b.dir, 'wake.sock')).ino;
		await fault(b, { service: 'graph', op: 'getEvent', mailbox: ANNA, kind: 'hang', count: 1 });
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		const inProgress = async () => (await b.dump()).work.filter((/** @type {any} */ w) => w.inProgress).length;
		await until('a row is in progress', inProgress);
		const second = spawn(path.join(buildFolder(), 'fcgi/outlook-addin-fcgi'), ['--config', path.join(b.dir, 'addin.json'), '--role', 'sync'], { env: b.env, stdio: ['ignore', 'ignore', 'pipe'] });
		t.after(() => second.kill('SIGKILL'));
		let said = '';
		second.stderr.on('data', (data) => {
			said += data;
		});
		await until('it says that it waits', () => said.includes('"sync-waits"'));
		assert.ok(!said.includes('"ready"') && !said.includes('"work-recovered"'), said);
		assert.equal(await inProgress(), 1);
		assert.equal(fs.statSync(path.join(b.dir, 'wake.sock')).ino, socket);
		/* The lock goes with its holder, however that ends. */
		process.kill(b.pid(), 'SIGKILL');
		await until('the next one is ready', () => b.lines().filter((l) => l.event === 'ready' && l.role === 'sync').length === 2);
	});

	test('a tenant\'s throttled token endpoint is that tenant\'s affair', async (t) => {
		const b = await Bench.start(t, { start: false });
		await b.tool('follow', TENANT_A, ANNA, '');
		await fault(b, { service: 'entra', op: 'token', tenant: TENANT_A, kind: 'throttle', retryAfter: 60, count: 1 });
		await b.up();
		const bad = await b.meeting(ANNA);
		await b.notify(ANNA, bad.event.immutableId);
		await linked(b, undefined, CARLA);
	});
});
