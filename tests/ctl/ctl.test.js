// @ts-check
/* outlook-addinctl on a store, on the wake socket and on the FastCGI socket. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { END, STDOUT, record } from '../lib/fastcgi.js';
import { ALICE, BOB, TENANT, World, story } from './world.js';

/**
 * A FastCGI program: answer gets the records of one request and the connection.
 * @param {World} w @param {(socket: net.Socket, params: Buffer) => void} answer
 * @param {() => Promise<void>} body
 */
async function withProgram(w, answer, body) {
	/** @type {Set<net.Socket>} */
	const sockets = new Set();
	const server = net.createServer((socket) => {
		let data = Buffer.alloc(0);
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('data', (d) => {
			data = Buffer.concat([data, d]);
			/* It ends with an empty STDIN. */
			if (data.length >= 8 && data[data.length - 7] === 5 && data.readUInt16BE(data.length - 4) === 0)
				answer(socket, data);
		});
	});
	await new Promise((resolve) => server.listen(w.socket, () => resolve(null)));
	try {
		await body();
	} finally {
		for (const s of sockets)
			s.destroy();
		await new Promise((resolve) => server.close(resolve));
	}
}

story('without a store every command says so, makes none and ends with 1', async (w) => {
	for (const args of [['status'], ['status', '--json'], ['mailbox', 'list'], ['dead', 'list'], ['dead', 'replay', '1'], ['backup', 'copy.db'],
		['resync', '--tenant', TENANT, '--user', ALICE], ['mailbox', 'resume', '--tenant', TENANT, '--user', ALICE], ['deletion', 'list'],
		['deletion', 'release', '--all'], ['audit', 'list'], ['writes', 'pause'], ['writes', 'resume'], ['forget', '--tenant', TENANT, '--user', ALICE]]) {
		const done = await w.ctl(...args);
		assert.equal(done.code, 1, args.join(' '));
		assert.match(done.stderr, /there is no store/);
	}
	assert.equal(fs.existsSync(path.join(w.dir, 'state.db')), false);
	assert.equal(fs.existsSync(path.join(w.dir, 'copy.db')), false);
});

story('status tells mailboxes, subscriptions, dead letters, queue and links', async (w) => {
	await w.seed();
	const { code, doc } = await w.status();
	assert.equal(code, 0, JSON.stringify(doc.degraded));
	assert.deepEqual(doc.degraded, []);
	assert.equal(doc.sync.alive, true);
	assert.equal(doc.deadLetters, 1);
	assert.deepEqual(doc.queue, { rows: 0, inProgress: 0, scheduled: 0, waiting: 0, oldestSeconds: 0 });
	assert.deepEqual(doc.writes, { dryRun: false, paused: [] });
	assert.equal(doc.links.linked, 1);
	assert.equal(doc.links.announced, 1);
	await w.sql("UPDATE link SET state = 8, last_error = 'no event' WHERE conversation = 'conv-2'");
	const after = await w.status();
	assert.deepEqual([after.doc.links.announced, after.doc.links.unconfirmed], [0, 1]);
	assert.deepEqual([after.code, after.doc.degraded], [0, []], 'an unconfirmed link is no alarm');
	assert.match((await w.ctl('status')).stdout, /^links .*\b1 unconfirmed\b/m);
	assert.equal(doc.subscriptions.active, 1);
	assert.ok(Math.abs(Date.parse(doc.subscriptions.nearestExpiry) - Date.now() - 3600_000) < 60_000);
	const [alice, bob] = [...doc.mailboxes].sort((a, b) => a.user.localeCompare(b.user));
	assert.equal(alice.state, 'followed');
	assert.equal(alice.subscription.id, 'sub-1');
	assert.equal(alice.reason, undefined);
	assert.equal(bob.state, 'parked');
	assert.equal(bob.reason, 'no \u001b[31mlicence');
	assert.equal(bob.subscription, null);
	const text = await w.ctl('status');
	assert.equal(text.code, 0);
	assert.match(text.stdout, /parked .* bob@contoso\.example: no \\u001b\[31mlicence/);
	assert.equal(text.stdout.includes('\u001b'), false, 'foreign text can not drive a terminal');
	assert.equal(text.stderr, '', 'warnings about the configuration belong to check');
});

story('status ends with 1 when sync is silent and subscriptions have run out', async (w) => {
	await w.seed(7200);
	assert.equal((await w.ctl('dead', 'replay', '1')).code, 0);
	const { code, doc } = await w.status();
	assert.equal(code, 1);
	assert.deepEqual(doc.degraded.map((/** @type {any} */ d) => d.reason), ['sync', 'subscriptions']);
	assert.match((await w.ctl('status')).stdout, /DEGRADED/);
	w.write({ syncServerEnabled: false });
	assert.equal((await w.status()).code, 0, 'a disabled server is not degraded');
});

story('status tells what waits from what is scheduled, and only the former grows old', async (w) => {
	await w.seed(600, 'waiting');
	await w.sql(`UPDATE fact SET at_ms = ${Date.now()} WHERE name = 'sync-heartbeat'`);
	const { code, doc } = await w.status();
	assert.deepEqual(doc.degraded.map((/** @type {any} */ d) => d.reason), ['queue-age']);
	assert.equal(code, 1);
	const { oldestSeconds, ...queue } = doc.queue;
	assert.deepEqual(queue, { rows: 3, inProgress: 0, scheduled: 1, waiting: 2, reason: 'writes are paused' });
	assert.match((await w.ctl('status')).stdout, /^queue .*\n {2}one waits because of: writes are paused$/m);
	assert.ok(oldestSeconds >= 600 && oldestSeconds < 660);
	await w.sql('DELETE FROM work WHERE kind = 0');
	const later = await w.status();
	assert.deepEqual(later.doc.degraded, [], 'a search in an hour is not late');
	assert.equal(later.doc.queue.oldestSeconds, 0);
});

story('audit records are listed, from a time on', async (w) => {
	await w.seed(86_400 * 3, 'held');
	assert.equal((await w.ctl('writes', 'pause', '--tenant', TENANT)).code, 0);
	const all = await w.list('audit', 'list');
	assert.deepEqual(all.map((a) => a.action), ['delete', 'writes-pause']);
	assert.deepEqual({ ...all[0], time: '' }, {
		time: '', action: 'delete', outcome: 'held', tenant: TENANT, user: ALICE, event: 'event-4', conversation: 'conv-4', detail: 'more than\u001b[31m allowed',
	});
	const text = (await w.ctl('audit', 'list')).stdout.split('\n');
	assert.match(text[0], new RegExp(`^\\S+Z  delete held  ${TENANT}/${ALICE}  conv-4  more than\\\\u001b\\[31m allowed$`));
	assert.match(text[1], new RegExp(`  writes-pause done  ${TENANT}/-  -  ${TENANT}$`));
	const day = (/** @type {number} */ age) => new Date(Date.now() - 86_400_000 * age).toISOString();
	for (const [since, count] of [['2d', 1], ['4d', 2], ['71h', 1], ['5000m', 2], [day(2), 1], [day(4), 2], [day(5).slice(0, 10), 2], [day(1).slice(0, 10), 1], ['1970-01-01', 2]])
		assert.equal((await w.list('audit', 'list', '--since', `${since}`)).length, count, `${since}`);
	assert.equal((await w.ctl('audit', 'list', '--since', '9999-12-31')).stdout, '');
	assert.deepEqual(await w.list('audit', 'list', '--since', '9999-12-31'), []);
	for (const since of ['yesterday', '3', 'd', '1w', '2026-13-01', '-1d', '9999999d'])
		assert.equal((await w.ctl('audit', 'list', `--since=${since}`)).code, 2, since);
	assert.equal((await w.ctl('audit')).code, 2);
});

story('lists are JSON too, and never without an end', async (w) => {
	await w.seed();
	const [dead] = await w.list('dead', 'list');
	assert.deepEqual({ ...dead, id: 0, died: '' }, { id: 0, died: '', kind: 'event', tenant: TENANT, user: ALICE, event: 'event-9', attempts: 0, reason: 'Unblu answered 400' });
	assert.equal((await w.ctl('dead', 'drop', `${dead.id}`)).code, 0);
	assert.deepEqual(await w.list('dead', 'list'), []);
	assert.deepEqual(await w.list('deletion', 'list'), []);
	assert.deepEqual(await w.list('audit', 'list'), []);
	assert.equal((await w.list('mailbox', 'list')).length, 2);
	assert.equal((await w.ctl('dead', 'drop', '1', '--json')).code, 2);
});

story('backup makes a store of its own and never overwrites', async (w) => {
	await w.seed();
	const copy = path.join(w.dir, 'copy.db');
	assert.equal((await w.ctl('backup', copy)).code, 0);
	assert.equal(fs.statSync(copy).mode & 0o777, 0o600);
	const before = fs.readFileSync(copy);
	assert.equal((await w.ctl('backup', copy)).code, 1);
	assert.deepEqual(fs.readFileSync(copy), before);
	w.database = `sqlite:${copy}`;
	w.write({});
	assert.equal((await w.status()).doc.mailboxes.length, 2);
	const other = await w.ctl('--database', `sqlite:${path.join(w.dir, 'state.db')}`, 'mailbox', 'list');
	assert.equal(other.code, 0);
});

story('a store that is no store, or that can not be opened, is told and left alone', async (w) => {
	const file = path.join(w.dir, 'state.db');
	fs.writeFileSync(file, 'this is a letter to my aunt\n'.repeat(300));
	const before = fs.readFileSync(file);
	for (const args of [['status'], ['mailbox', 'list'], ['backup', 'x']]) {
		const done = await w.ctl(...args);
		assert.equal(done.code, 1, args.join(' '));
		assert.match(done.stderr, /store: /);
	}
	assert.deepEqual(fs.readFileSync(file), before);
});

story('a store of a newer version ends with 2 and is left alone', async (w) => {
	await w.seed();
	const file = path.join(w.dir, 'state.db');
	const done = await w.run('sqlite3', [file, 'PRAGMA user_version = 9999; PRAGMA wal_checkpoint(TRUNCATE);']);
	assert.equal(done.code, 0, done.stderr);
	for (const args of [['status'], ['dead', 'list'], ['mailbox', 'resume', '--tenant', TENANT, '--user', BOB]])
		assert.equal((await w.ctl(...args)).code, 2, args.join(' '));
});

/** @param {string} text */
const stdout = (text) => Buffer.concat([record(STDOUT, 1, Buffer.from(text), 5), record(STDOUT, 1, Buffer.alloc(0)), record(END, 1, Buffer.alloc(8))]);

story('health is 0 when /live answers 200, else 1', async (w) => {
	let done = await w.ctl('health');
	assert.equal(done.code, 1, 'nobody listens');
	assert.match(done.stderr, /not alive: connect/);

	/** @type {[string, Buffer, number][]} */
	const answers = [
		['200', stdout('Status: 200\r\nContent-Type: application/json\r\n\r\n{}'), 0],
		['no status', stdout('Content-Type: text/plain\r\n\r\nok'), 0],
		['503', stdout('Status: 503 Service Unavailable\r\n\r\n'), 1],
		['no headers', stdout('hello'), 1],
		['HTTP', Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), 1],
		['half a record', stdout('Status: 200\r\n\r\n').subarray(0, 12), 1],
		['nothing', Buffer.alloc(0), 1],
	];
	for (const [name, bytes, code] of answers) {
		await withProgram(w, (socket, request) => {
			assert.ok(request.includes('REQUEST_METHODGET') && request.includes('SCRIPT_NAME/live'), 'it asks for /live');
			socket.end(bytes);
		}, async () => {
			done = await w.ctl('health');
			assert.equal(done.code, code, `${name}: ${done.stdout}${done.stderr}`);
		});
	}
});

story('metrics prints what begins so, with or without the common beginning, however much there is', async (w) => {
	const lines = ['# HELP outlook_addin_a_total As.', '# TYPE outlook_addin_a_total counter', 'outlook_addin_a_total 1', '# HELP outlook_addin_b Bs.', '# TYPE outlook_addin_b gauge', 'outlook_addin_b{outlook_addin_a="a"} 2'];
	const long = Array.from({ length: 20_000 }, (_, i) => `outlook_addin_c{n="${i}"} 0`);
	/** @param {string[]} args */
	const asked = async (...args) => {
		/** @type {import('./world.js').Result | undefined} */
		let done;
		await withProgram(w, (socket, request) => {
			assert.ok(request.includes('SCRIPT_NAME/metrics'));
			const text = Buffer.from(`Status: 200\r\nContent-Type: text/plain\r\n\r\n${[...lines, ...long].join('\n')}\n`);
			for (let at = 0; at < text.length; at += 65_000)
				socket.write(record(STDOUT, 1, text.subarray(at, at + 65_000)));
			socket.end(record(END, 1, Buffer.alloc(8)));
		}, async () => {
			done = await w.ctl('metrics', ...args);
		});
		return /** @type {import('./world.js').Result} */ (done);
	};
	assert.deepEqual(await asked('a'), { code: 0, stdout: `${lines.slice(0, 3).join('\n')}\n`, stderr: '' });
	assert.deepEqual((await asked('outlook_addin_b')).stdout, `${lines.slice(3).join('\n')}\n`);
	assert.equal((await asked()).stdout, `${[...lines, ...long].join('\n')}\n`);
	for (const prefix of ['total', '# HELP'])
		assert.deepEqual(await asked(prefix), { code: 1, stdout: '', stderr: `outlook-addinctl: no metric begins with ${prefix}\n` });
	await withProgram(w, (socket) => socket.end(stdout('Status: 503\r\n\r\n')), async () => {
		assert.match((await w.ctl('metrics')).stderr, /no metrics: the answer is 503/);
	});
	const nobody = await w.ctl('metrics');
	assert.equal(nobody.code, 1);
	assert.match(nobody.stderr, /no metrics: connect/);
});

story('health does not wait for ever', async (w) => {
	await withProgram(w, () => {}, async () => {
		const begin = Date.now();
		const done = await w.ctl('health');
		assert.equal(done.code, 1);
		assert.match(done.stderr, /no answer in time/);
		assert.ok(Date.now() - begin < 10_000);
	});
	await withProgram(w, (socket) => {
		const drip = setInterval(() => socket.write('\u0001'), 200);
		socket.on('close', () => clearInterval(drip));
	}, async () => {
		assert.equal((await w.ctl('health')).code, 1, 'nor for one that drips');
	});
});
