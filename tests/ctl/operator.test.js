// @ts-check
/* What outlook-addinctl asks for, a running sync does: pauses, held deletions, parked, unfollowed and forgotten mailboxes. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { buildFolder } from '../lib/build.js';
import { ANNA, BEN, Bench, HINT, STATE, TENANT_A, until } from '../sync/harness.js';

const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');
const RENEW = path.join(buildFolder(), 'cronjob/outlook-addin-renew');

/** @param {Bench} bench @param {...string} args @returns {Promise<string>} */
function ctl(bench, ...args) {
	return new Promise((resolve, reject) => execFile(CTL, ['--config', path.join(bench.dir, 'addin.json'), ...args], { env: { PATH: process.env.PATH } },
		(e, stdout, stderr) => e ? reject(new Error(`${args.join(' ')}: ${e.message} ${stderr}`)) : resolve(stdout)));
}

/** @param {Bench} bench @param {string} user */
async function followed(bench, user) {
	const m = await bench.meeting(user);
	await bench.notify(user, m.event.immutableId);
	await until('the link is made', async () => (await bench.link(m.id))?.state === STATE.linked);
	await bench.settled();
	return m;
}

test('a pause holds every write, and what waited is written at once when it ends', async (t) => {
	const bench = await Bench.start(t);
	const m = await followed(bench, ANNA);
	await ctl(bench, 'writes', 'pause');
	await bench.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Renamed in the pause' });
	await bench.notify(ANNA, m.event.immutableId);
	await until('the row waits', async () => (await bench.dump()).work.some((/** @type {any} */ w) => w.event === m.event.immutableId && w.reason === 'writes are paused'));
	assert.notEqual((await bench.conversation(m.id)).topic, 'Renamed in the pause');
	const begin = Date.now();
	await ctl(bench, 'writes', 'resume');
	await until('the topic is written', async () => (await bench.conversation(m.id)).topic === 'Renamed in the pause', 10_000);
	assert.ok(Date.now() - begin < 10_000, 'long before sync would have looked again by itself');
});

test('a held deletion waits for the operator: released it is done, dropped it is not', async (t) => {
	const bench = await Bench.start(t, { config: { maxDeletionsPerMailbox: 0 } });
	const [first, second] = [await followed(bench, ANNA), await followed(bench, BEN)];
	for (const [user, m] of /** @type {[string, any][]} */ ([[ANNA, first], [BEN, second]])) {
		await bench.act({ action: 'delete', mailbox: user, event: m.event.immutableId });
		await bench.notify(user, m.event.immutableId, HINT.deleted);
	}
	await until('both are held', async () => (await bench.dump()).links.every((/** @type {any} */ l) => l.state === STATE.held), 20_000);
	await bench.settled();
	assert.equal(JSON.parse(await ctl(bench, 'deletion', 'list', '--json')).length, 2);
	await ctl(bench, 'deletion', 'drop', second.id);
	await ctl(bench, 'deletion', 'release', first.id);
	await until('it is deleted', async () => (await bench.link(first.id)).state === STATE.deleted, 20_000);
	await bench.settled();
	assert.equal((await bench.link(second.id)).state, STATE.kept);
	assert.equal((await bench.conversation(second.id)).state, 'CREATED');
	assert.deepEqual(Object.keys((await bench.dump()).facts).filter((f) => f.startsWith('release:')), [], 'it was for this once');
	assert.equal(await ctl(bench, 'status').then(() => 0, () => 1), 0, 'nothing is held any more');
});

test('nothing is stored anew about a mailbox that is forgotten or no longer followed', async (t) => {
	const bench = await Bench.start(t);
	const m = await followed(bench, ANNA);
	await bench.follow(ANNA);
	await until('it has a subscription', async () => (await bench.dump()).subscriptions.length === 1);
	await bench.settled();
	await ctl(bench, 'mailbox', 'unfollow', '--tenant', TENANT_A, '--user', ANNA);
	/* What its subscription still brings is dropped. */
	await bench.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Renamed afterwards' });
	await bench.notify(ANNA, m.event.immutableId);
	await until('sync has dropped it', async () => (await bench.dump()).work.length === 0);
	assert.notEqual((await bench.conversation(m.id)).topic, 'Renamed afterwards');
	await promisify(execFile)(RENEW, ['--config', path.join(bench.dir, 'addin.json')], { env: bench.env });
	assert.deepEqual((await bench.dump()).subscriptions, []);
	assert.deepEqual((await bench.control('GET', '/control/subscriptions')).filter((/** @type {any} */ s) => s.oid === ANNA), [], 'it is gone at Graph as well');
	await ctl(bench, 'forget', '--tenant', TENANT_A, '--user', ANNA);
	const dump = await bench.dump();
	assert.deepEqual([dump.links, dump.mailboxes, dump.work], [[], [], []]);
	assert.equal((await bench.conversation(m.id)).state, 'CREATED', 'Unblu is left as it is');
});
