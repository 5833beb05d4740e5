// @ts-check
/* outlook-addin-renew when something goes wrong in the middle of its pass. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { ANNA, Bench, TENANT_A, until } from './harness.js';

const RENEW = path.join(process.env.TOP_BUILDDIR ?? 'build', 'cronjob/outlook-addin-renew');

/**
 * One pass, under way.
 * @param {Bench} bench
 * @param {string[]} words
 */
function renew(bench, ...words) {
	const child = spawn(RENEW, ['--config', path.join(bench.dir, 'addin.json'), ...words], { env: bench.env });
	const run = { child, output: '', /** @type {Promise<number | null>} */ ended: new Promise((resolve) => { child.once('exit', resolve); }) };
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (chunk) => { run.output += chunk; });
	return run;
}

/** A mailbox that is followed and has no subscription. @param {import('node:test').TestContext} t */
async function due(t) {
	const bench = await Bench.start(t, { start: false });
	await bench.tool('follow', TENANT_A, ANNA, '');
	return bench;
}

test('a store that goes away in the middle of a pass ends it with status 1, and the next pass goes on', async (t) => {
	const bench = await due(t);
	await bench.control('POST', '/control/faults', { service: 'graph', op: 'createSubscription', kind: 'delay', delayMs: 2500, count: 1 });
	const run = renew(bench);
	await until('the subscription is asked for', async () =>
		(await bench.control('GET', '/control/log?service=entra&limit=100')).some((/** @type {any} */ l) => l.op === 'token'));
	const thief = await bench.lockStore();
	assert.equal(await run.ended, 1, run.output);
	assert.match(run.output, /the store is out of reach/);
	await thief.release();

	const next = renew(bench);
	const status = await next.ended;
	assert.ok(status === 0 || /being worked on/.test(next.output), next.output);
});

test('a creation that fails is repeated with pauses, and not without end', async (t) => {
	const bench = await due(t);
	await bench.control('POST', '/control/faults', { service: 'graph', op: 'createSubscription', kind: 'status', status: 500 });
	const run = renew(bench);
	assert.equal(await run.ended, 1, run.output);
	const times = (await bench.control('GET', '/control/log?service=graph&limit=200'))
		.filter((/** @type {any} */ l) => l.op === 'createSubscription')
		.map((/** @type {any} */ l) => Date.parse(l.time)).sort();
	assert.ok(times.length >= 2 && times.length <= 12, `${times.length} attempts`);
	for (let i = 1; i < times.length; i++)
		assert.ok(times[i] - times[i - 1] >= 900, `${times[i] - times[i - 1]} ms between two attempts`);
});

test('the first pass of a day has what has served its time removed, and notes it', async (t) => {
	const bench = await due(t);
	for (const days of [400, 300])
		await bench.sql(`INSERT INTO audit (at_ms, tenant, user_id, event, conversation, action, outcome, detail) VALUES (${Date.now() - days * 86400_000}, '', '', '', '', 'delete', 'done', 'of ${days} days ago')`);
	assert.equal(await renew(bench).ended, 0);
	const d = await bench.dump();
	assert.equal(d.facts['store-expired'], '', 'it is noted');
	assert.deepEqual(d.audit.map((/** @type {any} */ a) => a.detail), ['of 300 days ago'], 'auditRetentionDays is 365');
});

test('a dry run on a missing store says so and makes nothing', async (t) => {
	const bench = await Bench.start(t, { start: false });
	const absent = path.join(bench.dir, 'absent.db');
	const run = renew(bench, '-n', '--database', `sqlite:${absent}`);
	assert.equal(await run.ended, 1);
	assert.match(run.output, /no store/);
});
