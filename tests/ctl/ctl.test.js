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

	/** @param {number} [age] of everything, in seconds @param {...string} more see seed.c */
	async seed(age = 0, ...more) {
		const done = await this.run(SEED, [this.database, `${age}`, ...more]);
		assert.equal(done.code, 0, done.stderr);
	}

	async status() {
		const { code, stdout } = await this.ctl('status', '--json');
		return { code, doc: JSON.parse(stdout) };
	}

	/** A list with --json. @param {...string} args @returns {Promise<any[]>} */
	async list(...args) {
		const done = await this.ctl(...args, '--json');
		assert.equal(done.code, 0, done.stderr);
		return JSON.parse(done.stdout);
	}

	/** Straight from the store. @param {string} sql */
	async sql(sql) {
		const done = await this.run('sqlite3', ['-json', path.join(this.dir, 'state.db'), sql]);
		assert.equal(done.code, 0, done.stderr);
		return done.stdout === '' ? [] : JSON.parse(done.stdout);
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

story('dead letters are listed, shown, replayed and dropped', async (w) => {
	await w.seed();
	const list = await w.ctl('dead', 'list');
	assert.match(list.stdout, new RegExp(`^(\\d+)  .*  event  ${TENANT}/${ALICE}  Unblu answered 400\\n$`));
	const id = list.stdout.split(' ')[0];
	const shown = await w.ctl('dead', 'show', id);
	assert.equal(shown.code, 0);
	assert.match(shown.stdout, /^event {9}event-9$/m);
	assert.match(shown.stdout, /^reason {8}Unblu answered 400$/m);
	const full = JSON.parse((await w.ctl('dead', 'show', id, '--json')).stdout);
	assert.deepEqual([full.id, full.kind, full.tenant, full.user, full.event, full.reason], [Number(id), 'event', TENANT, ALICE, 'event-9', 'Unblu answered 400']);
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

story('dead letters of a tenant or a mailbox are replayed and dropped together', async (w) => {
	await w.seed();
	const other = '00000000-2222-4333-8444-555566667777';
	assert.deepEqual(await w.list('dead', 'list', '--tenant', other), []);
	assert.equal((await w.list('dead', 'list', '--tenant', TENANT, '--user', ALICE)).length, 1);
	assert.equal((await w.ctl('dead', 'replay', '--all', '--user', BOB)).stdout, '');
	assert.equal((await w.ctl('dead', 'drop', '--all', '--tenant', other)).stdout, '');
	assert.equal((await w.list('dead', 'list')).length, 1);
	const back = await w.ctl('dead', 'replay', '--all', '--tenant', TENANT.toUpperCase(), '--user', ALICE);
	assert.equal(back.code, 0);
	assert.match(back.stdout, /^\d+ is back in the queue\n$/);
	assert.equal((await w.ctl('dead', 'drop', '--all')).code, 0, 'none is left, which is no failure');
	for (const words of [['replay'], ['replay', '1', '--all'], ['drop', '1', '--tenant', TENANT], ['replay', '--all', '--tenant', 'x'], ['list', '--all'], ['replay', '--all', '--json']])
		assert.equal((await w.ctl('dead', ...words)).code, 2, words.join(' '));
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

story('resync --adopt follows a mailbox that was never announced here', async (w) => {
	await w.seed();
	const stranger = 'cccccccc-0000-0000-0000-00000000000c';
	assert.equal((await w.ctl('resync', '--tenant', TENANT, '--user', stranger)).code, 1);
	const done = await w.ctl('resync', '--adopt', '--tenant', TENANT, '--user', stranger.toUpperCase());
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, new RegExp(`^${stranger} is followed from now on\n0 linked events of `));
	const box = (await w.status()).doc.mailboxes.find((/** @type {any} */ m) => m.user === stranger);
	assert.equal(box.state, 'followed');
	const again = await w.ctl('resync', '--adopt', '--tenant', TENANT, '--user', stranger);
	assert.equal(again.code, 0);
	assert.doesNotMatch(again.stdout, /from now on/);
	assert.equal((await w.ctl('resync', '--adopt', '--tenant', TENANT, '--user', 'carol@contoso.example')).code, 2);
	const foreign = await w.ctl('resync', '--adopt', '--tenant', stranger, '--user', stranger);
	assert.equal(foreign.code, 2);
	assert.match(foreign.stderr, /tenantIds/);
});

story('status tells what waits from what is scheduled, and only the former grows old', async (w) => {
	await w.seed(600, 'waiting');
	await w.sql(`UPDATE fact SET at_ms = ${Date.now()} WHERE name = 'sync-heartbeat'`);
	const { code, doc } = await w.status();
	assert.deepEqual(doc.degraded.map((/** @type {any} */ d) => d.reason), ['queue-age']);
	assert.equal(code, 1);
	const { oldestSeconds, ...queue } = doc.queue;
	assert.deepEqual(queue, { rows: 3, inProgress: 0, scheduled: 1, waiting: 2 });
	assert.ok(oldestSeconds >= 600 && oldestSeconds < 660);
	await w.sql('DELETE FROM work WHERE kind = 0');
	const later = await w.status();
	assert.deepEqual(later.doc.degraded, [], 'a search in an hour is not late');
	assert.equal(later.doc.queue.oldestSeconds, 0);
});

story('held deletions are an alarm, are listed, released and dropped', async (w) => {
	await w.seed(0, 'held');
	let { code, doc } = await w.status();
	assert.equal(code, 1);
	assert.deepEqual(doc.degraded.map((/** @type {any} */ d) => d.reason), ['deletions'], 'told once');
	assert.match((await w.ctl('status')).stdout, /deletions: deletions are held: outlook-addinctl deletion list\n/);
	const rows = await w.list('deletion', 'list');
	assert.deepEqual(rows.map((r) => [r.conversation, r.user, r.event]), [['conv-4', ALICE, 'event-4'], ['conv-5', ALICE, 'event-5'], ['conv-6', BOB, 'event-6']]);
	assert.ok(rows.every((r) => Date.parse(r.goneSince) < Date.now() && r.start === null));
	assert.equal((await w.list('deletion', 'list', '--user', BOB.toUpperCase(), '--tenant', TENANT)).length, 1);
	assert.deepEqual(await w.list('deletion', 'list', '--tenant', ALICE), []);
	const text = (await w.ctl('deletion', 'list')).stdout;
	assert.match(text, new RegExp(`^conv-4  gone since \\S+  start -  ${TENANT}/${ALICE}\n`));
	assert.equal(text.includes('topic-canary'), false, 'topics are nobody\'s business');

	const sync = await w.listen();
	try {
		const done = await w.ctl('deletion', 'release', 'conv-4', 'conv-1', 'conv-99');
		assert.equal(done.code, 1, 'two of three are not held');
		assert.match(done.stdout, /^conv-4 will be deleted/);
		assert.match(done.stderr, /no deletion of conv-1 is held\n.*no deletion of conv-99 is held/);
		await waitFor(() => sync.count() === 1, 5000, 'sync is woken');
	} finally {
		sync.stop();
	}
	assert.deepEqual(await w.sql(`SELECT conversation, state FROM link WHERE conversation IN ('conv-1', 'conv-4') ORDER BY 1`),
		[{ conversation: 'conv-1', state: 1 }, { conversation: 'conv-4', state: 2 }], 'back in its grace time, which is over');
	assert.deepEqual(await w.sql(`SELECT name FROM fact WHERE name LIKE 'release:%'`), [{ name: 'release:conv-4' }]);
	assert.deepEqual(await w.sql(`SELECT event, kind, hints FROM work`), [{ event: 'event-4', kind: 0, hints: 4 }]);
	assert.equal((await w.sql(`SELECT 1 FROM fact WHERE name = 'degraded:deletions'`)).length, 1, 'others are still held');

	const dropped = await w.ctl('deletion', 'drop', '--all', '--user', ALICE);
	assert.deepEqual([dropped.code, dropped.stdout], [0, 'conv-5 is kept\n']);
	assert.equal((await w.ctl('deletion', 'drop', 'conv-5')).code, 1, 'a second time there is nothing held');
	assert.equal((await w.ctl('deletion', 'release', '--all')).stdout.split(' ')[0], 'conv-6');
	assert.deepEqual(await w.sql(`SELECT 1 FROM fact WHERE name = 'degraded:deletions'`), [], 'the alarm ends with the last one');
	({ code, doc } = await w.status());
	assert.equal(code, 0, JSON.stringify(doc.degraded));
	assert.deepEqual([doc.links.gone, doc.links.kept, doc.links.held], [2, 1, 0]);
	assert.equal((await w.ctl('deletion', 'release', '--all')).stdout, 'no deletion is held\n');
	const audit = (await w.list('audit', 'list')).filter((a) => a.action === 'delete').map((a) => `${a.outcome} ${a.conversation}`);
	assert.deepEqual(audit, ['held conv-4', 'released conv-4', 'kept conv-5', 'released conv-6']);
	for (const args of [[], ['release'], ['release', 'a', '--all'], ['drop', 'a', '--tenant', TENANT], ['release', 'a', '--json'], ['list', 'a'], ['list', '--tenant', 'x'], ['keep']])
		assert.equal((await w.ctl('deletion', ...args)).code, 2, args.join(' '));
});

story('a series without end that is dropped is not kept for ever', async (w) => {
	await w.seed(0, 'held');
	const never = Date.parse('9999-01-01T00:00:00Z');
	await w.sql(`UPDATE link SET end_ms = ${never}`);
	await w.sql("UPDATE link SET series = 'master' WHERE conversation = 'conv-4'");
	assert.equal((await w.ctl('deletion', 'drop', 'conv-4', 'conv-5')).code, 0);
	const [series, single] = await w.sql("SELECT end_ms FROM link WHERE conversation IN ('conv-4', 'conv-5') ORDER BY conversation");
	assert.ok(series.end_ms <= Date.now());
	assert.equal(single.end_ms, never, 'an end that is known stays');
});

story('a held orphan has no event that could be gone: released, it is looked for once more', async (w) => {
	await w.seed(0, 'held');
	await w.sql("UPDATE link SET gone_since_ms = 0, event = '' WHERE conversation = 'conv-4'");
	assert.match((await w.ctl('deletion', 'list')).stdout, /^conv-4  never seen  start -/);
	assert.equal((await w.list('deletion', 'list')).find((r) => r.conversation === 'conv-4')?.goneSince, null);
	assert.equal((await w.ctl('deletion', 'release', 'conv-4')).code, 0);
	assert.deepEqual(await w.sql(`SELECT state FROM link WHERE conversation = 'conv-4'`), [{ state: 0 }], 'announced, as before');
	assert.deepEqual(await w.sql(`SELECT event, kind, hints FROM work`), [{ event: 'conv-4', kind: 4, hints: 0 }], 'the conversation itself');
	assert.deepEqual(await w.sql(`SELECT name FROM fact WHERE name LIKE 'release:%'`), [{ name: 'release:conv-4' }]);
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

story('writes are paused and resumed, for all or for one tenant', async (w) => {
	await w.seed(0, 'waiting');
	const before = await w.sql('SELECT not_before_ms FROM work ORDER BY id');
	assert.equal((await w.ctl('writes', 'pause', '--reason', 'audit\tday')).code, 0);
	assert.equal((await w.ctl('writes', 'pause', '--tenant', TENANT.toUpperCase())).code, 0);
	let { code, doc } = await w.status();
	assert.equal(code, 0, 'it is a decision, not a fault');
	const since = doc.writes.paused[0].since;
	assert.deepEqual(doc.writes.paused.map((/** @type {any} */ p) => [p.tenant, p.reason]), [[null, 'audit\tday'], [TENANT, '']]);
	assert.match((await w.ctl('status')).stdout, /^writes {9}PAUSED for all tenants since \S+: audit\\tday\nwrites {9}PAUSED for tenant 1111/m);
	assert.deepEqual((await w.sql(`SELECT name, fact FROM fact WHERE name LIKE 'pause:%'`)).map((f) => f.name), ['pause:', `pause:${TENANT}`]);
	assert.equal((await w.ctl('writes', 'pause')).code, 0);
	assert.equal((await w.status()).doc.writes.paused[0].since, since, 'paused since the first time');

	const sync = await w.listen();
	try {
		const done = await w.ctl('writes', 'resume');
		assert.equal(done.stdout, `writes to Unblu go on for all tenants\nstill paused for tenant ${TENANT}\n`);
		await waitFor(() => sync.count() === 1, 5000, 'sync is woken');
	} finally {
		sync.stop();
	}
	const after = await w.sql('SELECT event, not_before_ms FROM work ORDER BY id');
	assert.deepEqual([after[0].event, after[0].not_before_ms], ['event-1', 0], 'what the pause held is due');
	assert.equal(after[1].not_before_ms, before[1].not_before_ms, 'other waits are left alone');
	assert.equal((await w.ctl('writes', 'resume', '--tenant', TENANT)).stdout, `writes to Unblu go on for ${TENANT}\n`);
	({ doc } = await w.status());
	assert.deepEqual(doc.writes.paused, []);
	assert.deepEqual((await w.list('audit', 'list')).map((a) => `${a.action} ${a.detail}`),
		['writes-pause all tenants', `writes-pause ${TENANT}`, 'writes-resume all tenants', `writes-resume ${TENANT}`], 'what changed nothing is not recorded');
	const wrong = await w.ctl('writes', 'pause', '--tenant', ALICE);
	assert.equal(wrong.code, 2);
	assert.match(wrong.stderr, /is not in tenantIds/);
	for (const args of [[], ['stop'], ['pause', '--tenant', 'contoso'], ['resume', '--reason', 'x']])
		assert.equal((await w.ctl('writes', ...args)).code, 2, args.join(' '));
	w.write({ syncServerDryRun: true });
	assert.equal((await w.status()).doc.writes.dryRun, true);
	assert.match((await w.ctl('status')).stdout, /^writes {9}DRY RUN/m);
});

story('a mailbox is followed no longer, and again', async (w) => {
	await w.seed(0, 'waiting');
	const alice = ['--tenant', TENANT, '--user', ALICE];
	const done = await w.ctl('mailbox', 'unfollow', ...alice, '--reason', 'left');
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, /is no longer followed; notifications are dropped until Graph's subscription runs out at \S+Z\n$/);
	const box = (await w.list('mailbox', 'list')).find((m) => m.user === ALICE);
	assert.deepEqual([box.state, box.reason, box.upn], ['unfollowed', 'left', 'alice@contoso.example']);
	assert.deepEqual(await w.sql(`SELECT 1 FROM subscription WHERE user_id = '${ALICE}'`), []);
	assert.deepEqual((await w.sql('SELECT event FROM work')).map((r) => r.event), ['event-2'], 'only its own rows are gone');
	assert.equal((await w.status()).doc.links.linked, 1, 'what is known of it stays');
	assert.equal((await w.list('audit', 'list'))[0].action, 'unfollow');
	const resync = await w.ctl('resync', ...alice);
	assert.equal(resync.code, 1);
	assert.match(resync.stderr, /is not followed/);
	assert.equal((await w.ctl('mailbox', 'resume', ...alice)).code, 0);
	assert.equal((await w.list('mailbox', 'list')).find((m) => m.user === ALICE).state, 'followed');
	await w.sql(`INSERT INTO lease VALUES ('mailbox:${TENANT}/${ALICE}', 'sync', ${Date.now() + 60_000})`);
	const claimed = await w.ctl('mailbox', 'unfollow', ...alice);
	assert.equal(claimed.code, 1, 'somebody works on its subscription');
	assert.match(claimed.stderr, /is being worked on/);
	assert.equal((await w.list('mailbox', 'list')).find((m) => m.user === ALICE).state, 'followed');
	assert.equal((await w.ctl('mailbox', 'list', '--json', ...alice)).code, 0);
	assert.equal((await w.ctl('mailbox', 'park', '--json', ...alice)).code, 2);
});

story('a mailbox is forgotten, but for what was done', async (w) => {
	await w.seed(0, 'held', 'waiting');
	await w.ctl('deletion', 'release', 'conv-4');
	const done = await w.ctl('forget', '--tenant', TENANT, '--user', 'alice@contoso.example');
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, new RegExp(`^removed of ${ALICE}: the mailbox, 5 links, 1 subscriptions, 3 rows of the queue, 1 dead letters\n`));
	assert.match(done.stdout, /its\s+notifications are dropped: \S+Z\n/);
	const tables = (await w.sql(`SELECT name FROM sqlite_master WHERE type = 'table'`)).map((t) => t.name);
	assert.ok(tables.length > 10);
	for (const table of tables) {
		const rest = JSON.stringify(await w.sql(`SELECT * FROM ${table}`));
		assert.equal(rest.includes(ALICE) || rest.includes('alice@') || rest.includes('event-4') || rest.includes('release:conv-4'), false, `${table}: ${rest}`);
	}
	assert.deepEqual((await w.list('audit', 'list')).map((a) => `${a.action} ${a.outcome} ${a.user}`), ['delete held ', 'delete released ', 'forget done ']);
	assert.equal((await w.list('deletion', 'list')).length, 1, 'nothing of others is touched');
	assert.equal((await w.ctl('forget', '--tenant', TENANT, '--user', ALICE)).code, 1);
	assert.equal((await w.ctl('forget', '--tenant', TENANT)).code, 2);
});

story('what sync has under way is not removed under its hands', async (w) => {
	await w.seed(0, 'held', 'busy');
	for (const args of [['forget', '--tenant', TENANT, '--user', ALICE], ['mailbox', 'unfollow', '--tenant', TENANT, '--user', ALICE], ['deletion', 'drop', 'conv-4']]) {
		await w.sql(`UPDATE fact SET at_ms = ${Date.now()} WHERE name = 'sync-heartbeat'`);
		const done = await w.ctl(...args);
		assert.equal(done.code, 1, args.join(' '));
		assert.match(done.stderr, /sync is at work on/);
	}
	assert.equal((await w.list('deletion', 'list')).length, 3);
	await w.sql(`UPDATE fact SET at_ms = ${Date.now() - 20_000} WHERE name = 'sync-heartbeat'`);
	assert.equal((await w.ctl('forget', '--tenant', TENANT, '--user', ALICE)).code, 0, 'a dead sync has nothing under way');
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
