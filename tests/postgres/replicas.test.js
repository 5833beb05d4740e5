// @ts-check
/* Several outlook-addin-fcgi on one PostgreSQL, through pgbouncer too: they share the work, and a server or pooler that crashes. */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { giveAway, hasSanitizer, serviceAccount } from '../lib/build.js';
import { FakeClock } from '../lib/faketime.js';
import { freePort } from '../lib/http.js';
import { body, item } from '../lib/notification.js';
import { Postgres } from '../lib/postgres.js';
import { Program } from '../lib/program.js';
import { pause, waitFor } from '../lib/wait.js';
import { edit, play, shows, through, throughNginx } from './harness.js';

const MINUTE = 60_000;
const server = new Postgres();

/** pgbouncer in transaction mode before the server. */
class Pooler {
	static async start() {
		const pooler = new Pooler();
		pooler.port = await freePort();
		pooler.dir = fs.mkdtempSync(path.join(server.dir, 'pool-'));
		giveAway(pooler.dir);
		fs.writeFileSync(path.join(pooler.dir, 'pgbouncer.ini'), `[databases]\n* = host=${server.dir} port=5432 user=outlook\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${pooler.port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\nmax_client_conn = 200\ndefault_pool_size = 10\n`);
		await pooler.launch();
		return pooler;
	}

	async launch() {
		this.program = new Program('pgbouncer', ['pgbouncer', path.join(this.dir, 'pgbouncer.ini')], { dir: this.dir, env: { PATH: '/usr/sbin:/usr/bin' }, account: serviceAccount() });
		await waitFor(() => { execFileSync('psql', ['-qXAt', '-h', '127.0.0.1', '-p', `${this.port}`, '-U', 'outlook', '-c', 'SELECT 1', 'postgres'], { stdio: 'ignore' }); return true; }, 10_000, 'pgbouncer answers');
	}

	constructor() {
		this.port = 0;
		this.dir = '';
		/** @type {Program | null} */
		this.program = null;
	}
}

/** The most rows of one mailbox that were in progress at once, while running. @param {any} db @param {() => boolean} running */
async function mostAtOnce(db, running) {
	let most = 0;
	while (running()) {
		const [{ n }] = await db.query('SELECT coalesce(max(n), 0) AS n FROM (SELECT count(*) AS n FROM work WHERE claimed = 1 GROUP BY lane) AS lanes');
		most = Math.max(most, n);
	}
	return most;
}

test('four that start at once on an empty database: one migrates, all work, and a pooler may stand between', async () => {
	const pooler = await Pooler.start();
	after(() => pooler.program?.destroy());
	const db = server.database();
	db.url = `postgresql://outlook@127.0.0.1:${pooler.port}/${db.name}`;
	await play('replicas-pooled', { postgres: db }, 3, async (stack, others) => {
		assert.deepEqual(await db.query('SELECT version FROM store_version'), [{ version: 2 }]);
		const replicas = await db.query('SELECT id, name FROM replica');
		assert.equal(replicas.length, 4);
		assert.equal(new Set(replicas.map((r) => r.name)).size, 4);
		const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, 8)));
		const links = followed.flatMap((f) => f.links);
		stack.sims.silence(true);
		const doors = [throughNginx(stack), ...others.map(through)];
		let running = true;
		const most = mostAtOnce(db, () => running);
		for (let version = 1; version <= 3; version++)
			await Promise.all(links.map((link, i) => edit(stack, link, version, doors[(i + version) % doors.length])));
		await waitFor(() => links.every((l) => shows(stack, l, 3)), 30_000, 'every conversation shows what was answered 202');
		await stack.idle(20_000);
		running = false;
		assert.ok([1, 2].includes(await most), `of one mailbox ${await most} were in progress`);
		const by = await Promise.all([stack.log, ...others.map((r) => r.program.log)].map((log) => log.filter((l) => l.role === 'sync' && l.event === 'replica-joined').length));
		assert.deepEqual(by, [1, 1, 1, 1]);

		/* The pooler dies, and is started again. */
		stack.expectErrors = true;
		const pids = await Promise.all([stack, ...others].map((r) => r.pid('sync')));
		await pooler.program?.destroy();
		for (const send of doors)
			assert.equal(await send(body(item(links[0].sub, links[0].event.id))), 503);
		await pooler.launch();
		await waitFor(async () => (await Promise.all(doors.map((send) => send(body(item(links[0].sub, links[0].event.id)))))).every((status) => status === 202), 6000, 'all take notifications');
		await Promise.all(links.map((link, i) => edit(stack, link, 4, doors[i % doors.length])));
		await waitFor(() => links.every((l) => shows(stack, l, 4)), 15_000, 'all is done again');
		assert.deepEqual(await Promise.all([stack, ...others].map((r) => r.pid('sync'))), pids, 'nobody was restarted');
	});
});

test('of two renewals at once one works; the lease of one that was killed ends by itself', async () => {
	const db = server.database();
	await play('replicas-renew', { postgres: db }, 0, async (stack) => {
		await stack.follow(stack.mailboxes[0]);
		stack.sims.fault({ service: 'graph', op: 'batch', kind: 'delay', delayMs: 2000, probability: 1 });
		const runs = await Promise.all([stack.renew('--force'), stack.renew('--force')]);
		assert.deepEqual(runs.map((r) => r.code), [0, 0]);
		const ends = runs.map((r) => r.log.find((l) => /^renew-/.test(l.event)));
		assert.deepEqual(ends.map((l) => l.event).sort(), ['renew-already-running', 'renew-done']);
		assert.equal(ends.find((l) => l.event === 'renew-done').renewed, 1);
		assert.equal((await db.query("SELECT count(*) AS n FROM lease WHERE name = 'renew'"))[0].n, 0, 'it was given back');
		/* As one leaves it that is killed. */
		await db.query("INSERT INTO lease (name, owner, until_ms) VALUES ('renew', 'dead', (extract(epoch FROM now()) * 1000)::bigint + 3000)");
		stack.sims.clearFaults();
		assert.ok((await stack.renew('--force')).log.some((l) => l.event === 'renew-already-running'));
		await waitFor(async () => (await stack.renew('--force')).log.some((l) => l.event === 'renew-done'), 10_000, 'the next one takes over');
	});
});

test('a renewal that sleeps beyond its lease sends nothing more, and ends', { skip: hasSanitizer() && 'libfaketime' }, async () => {
	const db = server.database();
	await play('replicas-renew-asleep', { postgres: db }, 0, async (stack) => {
		await stack.follow(stack.mailboxes[0]);
		await stack.renew('--force');
		await stack.quiet();
		/* Its monotonic clock, too. */
		const clock = new FakeClock(stack.dir);
		const { FAKETIME_DONT_FAKE_MONOTONIC: _, ...env } = clock.env;
		const holder = spawn(db.shell()[0], db.shell().slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
		const sent = () => stack.sims.requests({ service: 'graph' }).map((r) => r.op);
		try {
			/* It has the lease, and reads what is to be done. */
			holder.stdin.write('BEGIN;\nLOCK TABLE subscription;\n\\echo held\n');
			await new Promise((resolve) => holder.stdout.once('data', resolve));
			const asleep = new Program('renew-asleep', [stack.parts.renew, '--config', stack.configFile, '--force'], { dir: stack.logDir, cwd: stack.dir, env: { ...stack.env(), ...env }, account: serviceAccount() });
			const waits = async () => (await db.query("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM subscription%' AND EXISTS (SELECT 1 FROM lease WHERE name = 'renew')"))[0];
			await waitFor(waits, 10_000, 'it waits for the table');
			asleep.kill('SIGSTOP');
			holder.stdin.end('ROLLBACK;\n');
			clock.set(31_000);
			await db.query("UPDATE lease SET until_ms = 0 WHERE name = 'renew'");
			const next = await stack.renew('--force');
			assert.equal(next.log.find((l) => l.event === 'renew-done')?.renewed, 1, next.stderr);
			const before = sent();
			asleep.kill('SIGCONT');
			await pause(1000);
			assert.deepEqual(sent(), before, 'it sends nothing');
			clock.set(37_000);
			assert.notEqual((await asleep.wait(10_000)).code, 0);
			assert.match(asleep.stderr, /the run lock could not be renewed in time/);
			assert.deepEqual(sent(), before);
		} finally {
			holder.kill();
			clock.close();
		}
	});
});

test('PostgreSQL goes down at once under load: what was answered 202 is done, nobody is restarted', async () => {
	const own = new Postgres(['fsync=on']);
	const db = own.database();
	await play('replicas-crash', { postgres: db }, 1, async (stack, [other]) => {
		stack.expectErrors = true;
		const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, 4)));
		const links = followed.flatMap((f) => f.links).map((link) => ({ link, version: 0, owed: 0 }));
		stack.sims.silence(true);
		const pids = [await other.pid('web'), await other.pid('sync'), await stack.pid('web'), await stack.pid('sync')];
		let running = true;
		const doors = [throughNginx(stack), through(other)];
		const lanes = links.map(async (l, i) => {
			while (running) {
				l.version++;
				stack.sims.editEvent(l.link.mailbox, l.link.event, { subject: `#${l.version}`, start: l.link.start + l.version * MINUTE });
				const status = await doors[i % 2](body(item(l.link.sub, l.link.event.id)));
				assert.ok([202, 503].includes(status), `answered ${status}`);
				if (status === 202)
					l.owed = l.version;
				await pause(20);
			}
		});
		for (let i = 0; i < 3; i++) {
			await pause(1500);
			own.crash();
			await pause(700);
			own.again();
			const from = links.map((l) => l.owed);
			await waitFor(() => links.some((l, at) => l.owed > from[at]), 8000, 'notifications are taken again within seconds');
		}
		running = false;
		await Promise.all(lanes);
		await waitFor(() => links.every((l) => Number(stack.sims.conversation(l.link.conv.id)?.topic.slice(1)) >= l.owed), 45_000, 'all that was answered 202 has its effect');
		assert.deepEqual([await other.pid('web'), await other.pid('sync'), await stack.pid('web'), await stack.pid('sync')], pids);
	});
	own.stop();
});
