// @ts-check
/*
 * Notifications made durable in one PostgreSQL by one to four outlook-addin-fcgi behind one nginx.
 *
 *     node tests/bench/replicas.js [ROUNDS [SECONDS]]
 *
 * One notification of about 923 bytes per request, 32 connections for each replica. Once with a server that commits as fast as its
 * disk does, then with one that takes 5 and 25 ms longer (commit_delay): as on a disk of the cloud, or with a standby that is waited for.
 * Everything runs on this machine, so that its processors are the limit before the server is; what the server itself uses for 1000
 * notifications tells where it would be the limit. The debounce, 30 s, is the longest with which web adds what has gathered beside the others.
 * Exit 1 when a notification that was accepted is not in the store. What waits for longer than a second is refused, by 503.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Postgres } from '../lib/postgres.js';
import { Replica } from '../lib/replica.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';
import { median, processorMs, table, wrk, writeSubscriptions } from './figures.js';

const [ROUNDS = 2, SECONDS = 3] = process.argv.slice(2).filter((a) => /^\d+$/.test(a)).map(Number);
const REPLICAS = 4;
const CONNECTIONS = 32;
const EVENTS = 10_000;
/** Microseconds by which a commit takes longer. */
const SLOWER = [0, 5000, 25_000];

/** @typedef {import('./figures.js').Result & { web: number, nginx: number, postgresql: number, commits: number }} Round cpu in ms for 1000 */

const server = new Postgres(['fsync=on', 'full_page_writes=on', 'commit_siblings=0', 'max_wal_size=2GB']);

/** These, and no others, behind nginx. @param {Stack} stack @param {string[]} sockets */
async function putBehind(stack, sockets) {
	const file = path.join(stack.siteDir, 'nginx.conf');
	const text = fs.readFileSync(file, 'utf8');
	const lines = sockets.map((s) => `\t\tserver unix:${s} max_fails=0;\n`).join('');
	fs.writeFileSync(file, text.replace(/(\t\tserver unix:\S+ max_fails=0;\n)+/, lines));
	await stack.nginx?.stop();
	await stack.startNginx();
}

/** @param {any} db @returns {Promise<number>} */
async function commits(db) {
	return (await db.query('SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()'))[0].n;
}

/** What was added is taken away and counted, as sync takes it all the time; beyond 20,000 rows web would have to. @param {any} db */
async function empty(db) {
	await db.query(`BEGIN; CREATE TABLE IF NOT EXISTS found (n BIGINT);
		WITH gone AS (DELETE FROM arrival RETURNING event) INSERT INTO found SELECT count(*) FROM gone WHERE event LIKE 'BENCH%';
		WITH gone AS (DELETE FROM work WHERE event LIKE 'BENCH%' RETURNING generation) INSERT INTO found SELECT coalesce(sum(generation), 0) FROM gone; COMMIT`);
}

/** @param {Stack} stack @param {any} db @param {number} count @param {Record<string, string>} env @returns {Promise<Round>} */
async function measure(stack, db, count, env) {
	const postmaster = Number(fs.readFileSync(path.join(server.dir, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
	const groups = { web: stack.replicas.map((r) => r.program.pid), nginx: [stack.nginx?.pid ?? 0], postgresql: [postmaster] };
	const used = () => Object.values(groups).map(processorMs);
	const before = [...used(), await commits(db)];
	const result = await wrk('notify.lua', `http://127.0.0.1:${stack.port}`, env, { seconds: SECONDS, connections: CONNECTIONS * count });
	const [web, nginx, postgresql, n] = [...used(), await commits(db)].map((after, i) => after - before[i]);
	return { ...result, web, nginx, postgresql, commits: n };
}

/** @param {number} count @param {Round[]} rounds */
function line(count, rounds) {
	const of = (/** @type {(r: Round) => number} */ what, digits = 1) => median(rounds.map(what)).toFixed(digits);
	const rates = rounds.map((r) => r.rate);
	return [String(count), of((r) => r.rate, 0), `${Math.min(...rates).toFixed(0)}-${Math.max(...rates).toFixed(0)}`, of((r) => r.p50), of((r) => r.p99), of((r) => r.requests / r.commits),
		of((r) => r.postgresql / r.requests * 1000, 0), of((r) => r.web / r.requests * 1000, 0), of((r) => r.nginx / r.requests * 1000, 0)];
}

/** @param {any} stack @param {any} db */
async function main(stack, db) {
	const followed = await Promise.all(stack.mailboxes.map((/** @type {any} */ m) => stack.follow(m, { event: false })));
	const env = { SUBS: writeSubscriptions(stack, followed.map((f) => f.sub)), COUNT: String(EVENTS), PREFIX: 'BENCH', TARGET: '/addin/webhook/events' };
	/** @type {Round[]} */
	const all = [];
	console.log(`${os.cpus().length} x ${os.cpus()[0].model}; ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections a replica, load average ${os.loadavg()[0].toFixed(1)}`);
	for (const slower of SLOWER) {
		await db.query(`ALTER DATABASE ${db.name} SET commit_delay = ${slower}`);
		await db.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()');
		const rows = [['replicas', 'req/s', 'range', 'p50 ms', 'p99 ms', 'a commit', 'PostgreSQL ms/1000', 'web', 'nginx']];
		for (let count = 1; count <= REPLICAS; count++) {
			await putBehind(stack, stack.replicas.slice(0, count).map((/** @type {Replica} */ r) => r.socket));
			await waitFor(async () => (await stack.http.get('/ready')).json?.degraded.length === 0, 20_000, 'all is well');
			const rounds = [];
			for (let i = 0; i < ROUNDS; i++) {
				rounds.push(await measure(stack, db, count, env));
				await empty(db);
			}
			rows.push(line(count, rounds));
			all.push(...rounds);
		}
		console.log(`\na commit takes ${slower === 0 ? 'as long as the disk' : `${slower / 1000} ms longer`}:\n${table(rows)}`);
	}
	const accepted = all.reduce((n, r) => n + r.requests - r.errors, 0);
	const refused = all.reduce((n, r) => n + r.errors, 0);
	const [{ n: found }] = await db.query('SELECT sum(n) AS n FROM found');
	console.log(`\n${accepted} accepted, ${refused} refused, ${found} in the store`);
	fs.rmSync(env.SUBS);
	if (found < accepted)
		throw new Error('accepted notifications are not in the store');
}

const db = server.database();
await Stack.play('bench-replicas', { postgres: db, settings: { validate: 'off' }, config: { notificationDebounceMs: 30_000, logLevel: 'info' } }, async (stack) => {
	stack.expectErrors = true;
	stack.http.remember = false;
	const replicas = Array.from({ length: REPLICAS }, (_, i) => new Replica(stack, i + 1));
	try {
		await Promise.all(replicas.map((r) => r.ready()));
		await main(Object.assign(stack, { replicas }), db);
	} finally {
		for (const r of replicas)
			await r.program.stop();
	}
}).catch((e) => {
	console.error(`replicas: FAILED: ${e.stack}`);
	process.exitCode = 1;
}).finally(() => server.stop());
