// @ts-check
/* The store is locked, read-only, corrupt, newer or full: web stays up and tells the truth. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import test from 'node:test';
import { giveAway } from '../lib/build.js';
import { body, item, longId } from '../lib/notification.js';
import { waitFor } from '../lib/wait.js';
import { EVENTS, Web } from './harness.js';

/** What goes on whatever the store does. @param {Web} web */
async function isUp(web) {
	assert.equal((await web.ask('POST', `${EVENTS}?validationToken=x`)).body, 'x');
	assert.equal((await web.ask('GET', '/live')).status, 200);
	assert.equal((await web.ask('GET', '/ready')).status, 200);
}

/** @param {Web} web @param {any} sub @param {string} name */
async function isRefused(web, sub, name) {
	const answer = await web.notify(body(item(sub, longId(name))));
	assert.equal(answer.status, 503);
	assert.equal(answer.headers['retry-after'], '5');
	assert.equal(JSON.parse(answer.body).error.code, 'not-stored');
}

/** @param {Web} web @param {any} sub @param {string} name */
async function isTakenAgain(web, sub, name) {
	await waitFor(async () => (await web.notify(body(item(sub, longId(name))))).status === 202, 10_000, 'notifications are taken');
	assert.ok((await web.events()).includes(longId(name)));
	await waitFor(async () => !(await web.degraded()).includes('store'), 10_000, 'ready is well again');
}

test('the lock is held by another process', async () => {
	await Web.play({ config: { syncServerDryRun: true } }, async (web) => {
		const sub = await web.follow();
		assert.equal((await web.notify(body(item(sub, longId('before'))))).status, 202);
		const holder = spawn('flock', [`${web.storeFile}.lock`, 'sh', '-c', 'echo held; read x'], { stdio: ['pipe', 'pipe', 'ignore'] });
		try {
			await new Promise((resolve) => holder.stdout.once('data', resolve));
			const asked = Array.from({ length: 5 }, (_, i) => isRefused(web, sub, `locked-${i}`));
			await isUp(web);
			await Promise.all(asked);
			await isUp(web);
			await waitFor(async () => (await web.degraded()).includes('store'), 5000, 'ready says so');
			const { body: metrics } = await web.ask('GET', '/metrics');
			assert.match(metrics, /outlook_addin_degraded\{reason="store"\} 1/);
			assert.match(metrics, /outlook_addin_writes_paused\{by="configuration"\} 1/);
		} finally {
			holder.stdin.end();
		}
		await isTakenAgain(web, sub, 'after');
	});
});

test('when one table can not be read the metrics say that the store is not well', async () => {
	await Web.play({}, async (web) => {
		await web.query('ALTER TABLE dead RENAME TO lent', false);
		assert.equal(await web.metric('degraded{reason="store"}'), 1);
		assert.equal(await web.metric('dead_letters'), null);
		await web.query('ALTER TABLE lent RENAME TO dead', false);
		assert.equal(await web.metric('degraded{reason="store"}'), null);
		assert.equal(await web.metric('dead_letters'), 0);
	});
});

test('SIGTERM while the lock is held: it ends in time all the same', async () => {
	await Web.play({}, async (web) => {
		const sub = await web.follow();
		const holder = spawn('flock', [`${web.storeFile}.lock`, 'sh', '-c', 'echo held; read x'], { stdio: ['pipe', 'pipe', 'ignore'] });
		try {
			await new Promise((resolve) => holder.stdout.once('data', resolve));
			const asked = isRefused(web, sub, 'locked');
			const exit = web.stop();
			await asked;
			await exit;
		} finally {
			holder.stdin.end();
		}
	});
});

test('the store can not be written to at the start, and later it can', async () => {
	await Web.play({ start: false }, async (web) => {
		fs.chmodSync(`${web.dir}/state`, 0o500);
		await web.start();
		await waitFor(async () => (await web.degraded()).includes('store'), 5000, 'ready says so');
		await isUp(web);
		await isRefused(web, { id: '5522bd62-7c96-4530-85b0-00b916f61500', clientState: 'x', tenant: 'y', mailbox: 'z' }, 'x');
		assert.equal((await web.ask('GET', '/addin/api/links/x', '', { HTTP_AUTHORIZATION: 'Bearer x' })).status, 503);
		assert.equal(web.log.filter((l) => l.event === 'store-unavailable').length, 1, 'said once, not with every attempt');
		fs.chmodSync(`${web.dir}/state`, 0o750);
		await waitFor(async () => !(await web.degraded()).includes('store'), 10_000, 'opened');
		const sub = await web.follow();
		await isTakenAgain(web, sub, 'later');
	});
});

for (const [what, spoil] of /** @type {[string, (web: Web) => Promise<unknown>][]} */ ([
	['newer', (web) => web.query('PRAGMA user_version = 9999', false)],
	['corrupt', async (web) => {
		/* With its WAL it would be whole again. */
		fs.rmSync(`${web.storeFile}-wal`, { force: true });
		fs.rmSync(`${web.storeFile}-shm`, { force: true });
		fs.writeFileSync(web.storeFile, Buffer.alloc(64 * 1024, 'garbage'));
	}],
]))
	test(`the store is ${what}: 503, and the file is not touched`, async () => {
		await Web.play({}, async (web) => {
			const sub = await web.follow();
			assert.equal((await web.notify(body(item(sub, longId('before'))))).status, 202);
			await web.stop();
			await spoil(web);
			const before = fs.readFileSync(web.storeFile);
			await web.start();
			await waitFor(async () => (await web.degraded()).includes('store'), 5000, 'ready says so');
			await isUp(web);
			await isRefused(web, sub, 'refused');
			assert.deepEqual(fs.readFileSync(web.storeFile), before);
		});
	});

test('a corrupt store is moved aside by the supervisor', async () => {
	await Web.play({ role: '' }, async (web) => {
		const spoil = () => {
			for (const tail of ['-wal', '-shm'])
				fs.rmSync(web.storeFile + tail, { force: true });
			/* It still looks like one of ours; anything else would be left alone. */
			const bytes = fs.readFileSync(web.storeFile);
			fs.writeFileSync(web.storeFile, Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 'garbage')]));
		};
		const aside = () => fs.readdirSync(`${web.dir}/state`).filter((f) => /^state\.db\.corrupt-[0-9TZ]+$/.test(f)).length;
		await waitFor(() => web.log.some((l) => ['store-sound', 'store-not-inspected'].includes(l.event)), 30_000, 'a sound store is left alone');
		assert.equal(aside(), 0);
		await web.stop();
		spoil();
		await web.start();
		await waitFor(() => aside() === 1, 30_000, 'moved aside');
		await isTakenAgain(web, await waitFor(() => web.follow(), 10_000, 'there is a new store'), 'new');
		assert.equal(web.log.filter((l) => l.event === 'store-corrupt').length, 1);
	});
});

test('a file system that is full: 503, and 202 when there is room again', { skip: process.getuid?.() !== 0 && 'needs root to mount' }, async (t) => {
	await Web.play({ start: false }, async (web) => {
		const { execFileSync } = await import('node:child_process');
		const dir = `${web.dir}/state`;
		try {
			execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0777', 'tmpfs', dir], { stdio: 'ignore' });
		} catch {
			t.skip('can not mount here');
			return;
		}
		try {
			giveAway(dir);
			await web.start();
			const sub = await web.follow();
			fs.writeFileSync(`${dir}/ballast`, '');
			const fd = fs.openSync(`${dir}/ballast`, 'a');
			try {
				for (;;)
					fs.writeSync(fd, Buffer.alloc(4096));
			} catch {
				/* Full. */
			}
			fs.closeSync(fd);
			let refused = 0;
			for (let i = 0; i < 200 && refused === 0; i++)
				refused += Number((await web.notify(body(item(sub, longId(`full-${i}`))))).status === 503);
			assert.equal(refused, 1, 'there is no room any more');
			await isUp(web);
			await waitFor(async () => (await web.degraded()).includes('store'), 5000, 'ready says so');
			fs.unlinkSync(`${dir}/ballast`);
			await isTakenAgain(web, sub, 'room');
			await web.stop();
		} finally {
			await web.program?.destroy();
			execFileSync('umount', [dir]);
		}
	});
});
