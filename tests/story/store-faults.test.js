// @ts-check
/* The store is full, locked, read-only, corrupt, newer, slow: web stays up and tells the truth. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { body, item, longId } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { attach } from '../lib/strace.js';
import { pause, waitFor } from '../lib/wait.js';

const EVENTS = '/addin/webhook/events';
const TOKEN = `${EVENTS}?validationToken=still+here`;
const HELD = { config: { notificationDebounceMs: 600_000 } };

/** Handshake and health answer fast whatever the store does. @param {Stack} stack @param {string} what */
async function upAndFast(stack, what) {
	for (const [method, target, status] of /** @type {const} */ ([['POST', TOKEN, 200], ['GET', '/live', 200], ['GET', '/ready', 200]])) {
		const answer = await stack.http.request(method, target, { body: method === 'POST' ? '' : undefined });
		assert.equal(answer.status, status, `${what}: ${method} ${target}: ${answer.text}`);
		assert.ok(answer.ms < 500, `${what}: ${target} took ${Math.round(answer.ms)} ms`);
	}
}

/** @param {Stack} stack */
async function degraded(stack) {
	return (await stack.http.get('/ready')).json.degraded;
}

/** Up within seconds, and it says that the store is what is missing. @param {Stack} stack */
async function degradedStart(stack) {
	await waitFor(async () => {
		const answer = await stack.http.get('/ready');
		return answer.status === 200 && answer.json.degraded.includes('store');
	}, 5000, 'ready, degraded: store');
}

/** @param {Stack} stack @param {string} event */
async function stored(stack, event) {
	return (await stack.queuedEvents()).has(event);
}

/** 503 with Retry-After within the promised second. @param {any} answer */
function refusedInTime(answer) {
	assert.equal(answer.status, 503, answer.text);
	assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
	assert.ok(answer.ms < 1900, `503 after ${Math.round(answer.ms)} ms`);
}

test('a held lock: 503 within a second, handshake and health at once, everything is back when it is let go', async () => {
	await Stack.play('locked', HELD, async (stack) => {
		const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
		stack.expectErrors = true;
		const lock = spawn('flock', ['-x', stack.lockFile, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
		await new Promise((resolve) => lock.stdout.once('data', resolve));
		try {
			const answers = [];
			for (let i = 0; i < 5; i++)
				answers.push(stack.http.post(EVENTS, body(item(sub, longId(`locked-${i}`)))));
			await upAndFast(stack, 'while the lock is held');
			for (const answer of await Promise.all(answers))
				refusedInTime(answer);
			await waitFor(async () => (await degraded(stack)).includes('store'), 3000, 'ready says store');
		} finally {
			lock.stdin.end();
		}
		const after = await waitFor(async () => {
			const answer = await stack.http.post(EVENTS, body(item(sub, longId('after'))));
			return answer.status === 202 && answer;
		}, 6000, 'notifications are taken again');
		assert.ok(after);
		assert.ok(await stored(stack, longId('after')));
		await waitFor(async () => !(await degraded(stack)).includes('store'), 10_000, 'ready is well again');
		assert.ok(stack.log.some((l) => ['warning', 'error'].includes(l.level)), 'a clear log line');
	});
});

test('a disk that stalls delays no handshake and no health route', async () => {
	await Stack.play('stalled', HELD, async (stack) => {
		const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
		stack.expectErrors = true;
		const saboteur = await attach(await stack.pid('web'), stack.logDir, path.join(stack.logDir, 'stall.trace'), ['-e', 'trace=fdatasync,fsync', '-e', 'inject=fdatasync,fsync:delay_enter=2500000']);
		const slow = Promise.all(Array.from({ length: 4 }, (_, i) => stack.http.post(EVENTS, body(item(sub, longId(`slow-${i}`))))));
		await pause(200);
		for (let i = 0; i < 5; i++)
			await upAndFast(stack, 'while fdatasync hangs');
		for (const answer of await slow) {
			assert.ok([202, 503].includes(answer.status), answer.text);
			if (answer.status === 503)
				refusedInTime(answer);
		}
		await saboteur.stop();
		await waitFor(async () => (await stack.http.post(EVENTS, body(item(sub, longId('after-stall'))))).status === 202, 10_000, 'taken again');
		assert.ok(await stored(stack, longId('after-stall')));
	});
});

for (const [what, inject] of /** @type {const} */ ([
	['fdatasync fails with EIO', 'inject=fdatasync:error=EIO:when=1+3'],
	['write fails with EIO', 'inject=pwrite64:error=EIO:when=2+5'],
	['no space left', 'inject=pwrite64:error=ENOSPC:when=1+2'],
]))
	test(`${what}, again and again: only 202 or 503, and every 202 is in the store`, async () => {
		await Stack.play('io-fault', HELD, async (stack) => {
			const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
			stack.expectErrors = true;
			const saboteur = await attach(await stack.pid('web'), stack.logDir, path.join(stack.logDir, 'inject.trace'), ['-e', 'trace=pwrite64,fdatasync', '-e', inject]);
			const owed = [];
			let refused = 0;
			for (let i = 0; i < 40; i++) {
				const answer = await stack.http.post(EVENTS, body(item(sub, longId(`fault-${i}`))));
				if (answer.status === 202)
					owed.push(longId(`fault-${i}`));
				else {
					assert.equal(answer.status, 503, answer.text);
					refused++;
				}
				if (i % 10 === 0)
					await upAndFast(stack, what);
			}
			await saboteur.stop();
			assert.ok(refused > 0, 'the fault was met');
			await waitFor(async () => (await stack.http.post(EVENTS, body(item(sub, longId('healed'))))).status === 202, 10_000, 'healed without a restart');
			await stack.restart();
			for (const event of owed)
				assert.ok(await stored(stack, event), `${event} was answered 202 and is not in the store`);
			assert.equal(await stack.integrity(), 'ok');
			assert.ok(stack.log.some((l) => ['warning', 'error'].includes(l.level) && l.role === 'web'), 'it says so');
		});
	});

test('a full disk: 503, nothing lost, well again as soon as there is space', { skip: process.getuid?.() !== 0 && 'mounting a small file system needs root' }, async (t) => {
	const folder = fs.mkdtempSync('/tmp/oa-small-');
	const mount = await new Promise((resolve) => execFile('mount', ['-t', 'tmpfs', '-o', 'size=3m,mode=0777', 'tmpfs', folder], (e) => resolve(e)));
	if (mount !== null) {
		fs.rmdirSync(folder);
		t.skip('no file system can be mounted here');
		return;
	}
	try {
		await Stack.play('full', { ...HELD, storeFolder: folder }, async (stack) => {
			const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
			stack.expectErrors = true;
			const owed = [];
			let refused = 0;
			for (let i = 0; i < 400 && refused < 10; i++) {
				const names = Array.from({ length: 100 }, (_, k) => longId(`full-${i}-${k}`, 400));
				const answer = await stack.http.post(EVENTS, body(...names.map((n) => item(sub, n))));
				if (answer.status === 202)
					owed.push(...names);
				else {
					refusedInTime(answer);
					refused++;
				}
			}
			assert.equal(refused, 10, 'the disk is full');
			await upAndFast(stack, 'while the disk is full');
			await waitFor(async () => (await degraded(stack)).includes('store'), 3000, 'ready says store');
			await new Promise((resolve) => execFile('mount', ['-o', 'remount,size=64m', folder], resolve));
			await waitFor(async () => (await stack.http.post(EVENTS, body(item(sub, longId('space'))))).status === 202, 10_000, 'well again without a restart');
			const events = await stack.queuedEvents();
			assert.equal(owed.filter((e) => !events.has(e)).length, 0, 'every accepted notification is there');
			assert.equal(await stack.integrity(), 'ok');
		});
	} finally {
		await new Promise((resolve) => execFile('umount', ['-l', folder], resolve));
		fs.rmdirSync(folder);
	}
});

test('a store that can only be read: web is up and says 503, renew exits 1', { skip: process.getuid?.() !== 0 && 'needs root to mount read-only' }, async (t) => {
	const folder = fs.mkdtempSync('/tmp/oa-readonly-');
	const mount = (/** @type {string[]} */ ...args) => new Promise((resolve) => execFile('mount', args, (e) => resolve(e === null)));
	if (!await mount('-t', 'tmpfs', '-o', 'size=32m,mode=0777', 'tmpfs', folder)) {
		fs.rmdirSync(folder);
		t.skip('no file system can be mounted here');
		return;
	}
	try {
		await Stack.play('read-only', { ...HELD, storeFolder: folder }, async (stack) => {
			const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
			await stack.fcgiDown();
			stack.expectErrors = true;
			assert.ok(await mount('-o', 'remount,ro', folder));
			await stack.startFcgi();
			await degradedStart(stack);
			await upAndFast(stack, 'with a read-only store');
			refusedInTime(await stack.http.post(EVENTS, body(item(sub, longId('ro')))));
			const run = await stack.renew();
			assert.equal(run.code, 1, run.stderr);
			assert.ok(await mount('-o', 'remount,rw', folder));
			await waitFor(async () => (await stack.http.post(EVENTS, body(item(sub, longId('rw'))))).status === 202, 15_000, 'it heals without a restart');
		});
	} finally {
		await new Promise((resolve) => execFile('umount', ['-l', folder], resolve));
		fs.rmdirSync(folder);
	}
});

test('a store of a newer version: web is up and says 503, renew exits 2, the file is untouched', async () => {
	await Stack.play('newer', HELD, async (stack) => {
		const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
		await stack.fcgiDown();
		stack.expectErrors = true;
		await stack.writeStore('PRAGMA user_version = 9999;');
		const before = fs.readFileSync(stack.storeFile);
		await stack.startFcgi();
		await degradedStart(stack);
		await upAndFast(stack, 'with a newer store');
		refusedInTime(await stack.http.post(EVENTS, body(item(sub, longId('newer')))));
		const run = await stack.renew();
		assert.equal(run.code, 2, run.stderr);
		assert.ok(stack.log.some((l) => /newer/.test(JSON.stringify(l))), 'it says what is the matter');
		assert.ok(before.equals(fs.readFileSync(stack.storeFile)), 'not a byte has changed');
	});
});

test('a corrupt store is moved aside, and a new one is begun at once', async () => {
	await Stack.play('corrupt', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub, conv, event, start } = await stack.follow(stack.mailboxes[0]);
		await stack.fcgiDown();
		stack.expectErrors = true;
		const size = fs.statSync(stack.storeFile).size;
		const fd = fs.openSync(stack.storeFile, 'r+');
		/* The head stays: it looks like a database until it is read. */
		fs.writeSync(fd, Buffer.alloc(size - 100, 0x5a), 0, size - 100, 100);
		fs.closeSync(fd);
		for (const tail of ['-wal', '-shm'])
			fs.rmSync(stack.storeFile + tail, { force: true });
		await stack.startFcgi();
		await waitFor(() => fs.readdirSync(path.dirname(stack.storeFile)).some((f) => /corrupt/.test(f)), 15_000, 'the corrupt file is moved aside');
		await waitFor(async () => (await stack.http.get('/ready')).status === 200, 10_000, 'ready with a new store');
		await upAndFast(stack, 'after the loss');
		assert.ok(stack.log.some((l) => l.level === 'error' && /malformed|corrupt/.test(JSON.stringify(l))), 'it says what has happened');
		/* Notifications of the forgotten subscription are dropped without a word to the sender. */
		await waitFor(async () => (await stack.http.post(EVENTS, body(item(sub, event.id)))).status === 202, 6000, 'notifications are taken');

		/* The next click in that mailbox brings everything back: the old subscription is replaced, the event found. */
		sims.editEvent(mailbox, event, { subject: 'after the loss' });
		assert.equal((await stack.putLink(mailbox, conv, { topic: event.name, start })).status, 202);
		await waitFor(() => sims.conversation(conv.id).topic === 'after the loss', 15_000, 'the conversation follows again');
		await waitFor(() => sims.subscriptionsOf(mailbox).length === 1 && sims.subscriptionsOf(mailbox)[0].id !== sub.id, 10_000, 'one subscription, a new one');
	});
});
