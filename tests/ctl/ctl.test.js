// @ts-check
/* outlook-addinctl on a store, on the wake socket and on the FastCGI socket. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { buildFolder } from '../lib/build.js';
import { END, STDOUT, record } from '../lib/fastcgi.js';
import { waitFor } from '../lib/wait.js';

const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');
const SEED = path.join(buildFolder(), 'tests/ctl/seed');
const TENANT = '11111111-2222-3333-4444-555555555555';
const ALICE = 'aaaaaaaa-0000-0000-0000-000000000001';
const BOB = 'bbbbbbbb-0000-0000-0000-000000000002';

/** @typedef {{ code: number, stdout: string, stderr: string }} Result */

class World {
	constructor() {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-ctl-'));
		this.config = path.join(this.dir, 'addin.json');
		this.socket = path.join(this.dir, 'fcgi.sock');
		this.database = `sqlite:${path.join(this.dir, 'state.db')}`;
		this.write({});
	}

	/** @param {Record<string, unknown>} more */
	write(more) {
		fs.writeFileSync(this.config, JSON.stringify({
			deploymentUrl: 'https://addin.example', deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example',
			clientId: TENANT, tenantIds: [TENANT], syncServerEnabled: true, syncServerAuthGatewayClientId: 'gateway',
			database: this.database, fastcgiListen: `unix:${this.socket}`, providerName: 'not acted on yet', ...more,
		}));
	}

	/** @param {string} file @param {string[]} args @returns {Promise<Result>} */
	run(file, args) {
		return new Promise((resolve) => {
			execFile(file, args, { timeout: 30_000, cwd: this.dir, env: { PATH: process.env.PATH, ASAN_OPTIONS: process.env.ASAN_OPTIONS } }, (e, stdout, stderr) => {
				resolve({ code: e === null ? 0 : typeof e.code === 'number' ? e.code : 128, stdout, stderr });
			});
		});
	}

	/** @param {...string} args */
	ctl(...args) {
		return this.run(CTL, ['--config', this.config, ...args]);
	}

	/** @param {number} [age] of everything, in seconds */
	async seed(age = 0) {
		const done = await this.run(SEED, [this.database, `${age}`]);
		assert.equal(done.code, 0, done.stderr);
	}

	async status() {
		const { code, stdout } = await this.ctl('status', '--json');
		return { code, doc: JSON.parse(stdout) };
	}

	/** A wake socket as sync has it; perl, because Node has no such sockets. Tells how many datagrams came. */
	async listen() {
		const file = path.join(this.dir, 'wakes');
		const script = `use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); bind($s, pack_sockaddr_un($ARGV[0])) or die; $| = 1; print "ready\\n"; while (defined recv($s, my $d, 64, 0)) { print "wake\\n" }`;
		const out = fs.openSync(file, 'w');
		const child = spawn('perl', ['-e', script, path.join(this.dir, 'wake.sock')], { stdio: ['ignore', out, 'inherit'] });
		fs.closeSync(out);
		const lines = () => fs.readFileSync(file, 'utf8').split('\n').filter((l) => l !== '');
		await waitFor(() => lines().length > 0, 5000, 'the wake socket stands');
		return { count: () => lines().length - 1, stop: () => child.kill() };
	}

	end() {
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}

/** @param {string} name @param {(w: World) => Promise<void>} body */
function story(name, body) {
	test(name, async () => {
		const world = new World();
		try {
			await body(world);
		} finally {
			world.end();
		}
	});
}

story('without a store every command says so, makes none and ends with 1', async (w) => {
	for (const args of [['status'], ['status', '--json'], ['mailbox', 'list'], ['dead', 'list'], ['dead', 'replay', '1'], ['backup', 'copy.db'],
		['resync', '--tenant', TENANT, '--user', ALICE], ['mailbox', 'resume', '--tenant', TENANT, '--user', ALICE]]) {
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
	assert.deepEqual(doc.queue, { rows: 0, inProgress: 0, oldestSeconds: 0 });
	assert.equal(doc.links.linked, 1);
	assert.equal(doc.links.announced, 1);
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

story('dead letters are listed, shown, replayed and dropped', async (w) => {
	await w.seed();
	const list = await w.ctl('dead', 'list');
	assert.match(list.stdout, new RegExp(`^(\\d+)  .*  event  ${TENANT}/${ALICE}  Unblu answered 400\\n$`));
	const id = list.stdout.split(' ')[0];
	const shown = await w.ctl('dead', 'show', id);
	assert.equal(shown.code, 0);
	assert.match(shown.stdout, /event {7}event-9\n/);
	assert.equal((await w.ctl('dead', 'show', '999')).code, 1);
	assert.equal((await w.ctl('dead', 'drop', '999')).code, 1);
	const sync = await w.listen();
	try {
		assert.equal((await w.ctl('dead', 'replay', id)).code, 0);
		await waitFor(() => sync.count() === 1, 5000, 'sync is woken');
	} finally {
		sync.stop();
	}
	let { doc } = await w.status();
	assert.equal(doc.deadLetters, 0);
	assert.equal(doc.queue.rows, 1);
	assert.equal((await w.ctl('dead', 'replay', id)).code, 1, 'a second time there is nothing left');

	await w.seed();
	const again = (await w.ctl('dead', 'list')).stdout.split(' ')[0];
	const mixed = await w.ctl('dead', 'drop', '999', again);
	assert.equal(mixed.code, 1, 'one of two is unknown');
	({ doc } = await w.status());
	assert.equal(doc.deadLetters, 0, 'the other is dropped all the same');
});

story('a mailbox is parked and resumed, by object id or sign-in name', async (w) => {
	await w.seed();
	const parked = await w.ctl('mailbox', 'park', '--tenant', TENANT.toUpperCase(), '--user', 'Alice@Contoso.example', '--reason', 'on leave');
	assert.equal(parked.code, 0, parked.stderr);
	let { doc } = await w.status();
	const alice = () => doc.mailboxes.find((/** @type {any} */ m) => m.user === ALICE);
	assert.equal(alice().state, 'parked');
	assert.equal(alice().reason, 'on leave');
	assert.match(alice().retry, /^9999-/, 'it does not resume by itself');
	const sync = await w.listen();
	try {
		assert.equal((await w.ctl('mailbox', 'resume', '--tenant', TENANT, '--user', ALICE)).code, 0);
		await waitFor(() => sync.count() === 1, 5000, 'sync is woken');
	} finally {
		sync.stop();
	}
	({ doc } = await w.status());
	assert.equal(alice().state, 'followed');
	assert.equal(doc.queue.rows, 2, 'its subscription and its events are looked at');
	const list = await w.ctl('mailbox', 'list');
	assert.match(list.stdout, new RegExp(`${BOB}  parked `));
	for (const [tenant, user, code] of [[TENANT, 'nobody@contoso.example', 1], [TENANT, TENANT, 1], ['contoso', ALICE, 2]])
		assert.equal((await w.ctl('mailbox', 'park', '--tenant', `${tenant}`, '--user', `${user}`)).code, code);
	assert.equal((await w.ctl('mailbox', 'close', '--tenant', TENANT, '--user', ALICE)).code, 2);
});

story('resync queues the mailbox, its search and its linked events', async (w) => {
	await w.seed();
	const done = await w.ctl('resync', '--tenant', TENANT, '--user', ALICE);
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, /^1 linked event of /);
	assert.equal((await w.status()).doc.queue.rows, 3);
	assert.equal((await w.ctl('resync', '--tenant', TENANT, '--user', ALICE)).code, 0);
	assert.equal((await w.status()).doc.queue.rows, 3, 'twice is as good as once');
	assert.equal((await w.ctl('resync', '--tenant', TENANT, '--user', TENANT)).code, 1);
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
