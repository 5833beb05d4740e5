// @ts-check
/*
 * Ratios in one run: `return 202` of nginx against a notification made durable behind the same nginx.
 *
 *     node tests/bench/bench.js [ROUNDS [SECONDS]]
 *
 * One notification of about 923 bytes per request, ids unique over 10,000 events, 100,000 rows already in
 * the store, 32 connections, rounds alternate. Afterwards every accepted id must be in the store. Memory is
 * the sum of PSS of web and sync. Exit 1 when a goal is missed or something was lost; with --report only
 * when something was lost.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../lib/http.js';
import { body, item, longId } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { pause } from '../lib/wait.js';
import { processorMs, wrk, writeSubscriptions } from './figures.js';

const args = process.argv.slice(2);
const REPORT = args.includes('--report');
const [ROUNDS = 5, SECONDS = 4] = args.filter((a) => /^\d+$/.test(a)).map(Number);
const CONNECTIONS = 32;
const EVENTS = 10_000;
const PRESENT = 100_000;
const GOAL = { ratio: 0.25, idleMiB: 12, loadedMiB: 24 };

/** @typedef {import('./figures.js').Result} Result */

/** @param {string} script @param {string} url @param {Record<string, string>} env @param {{ connections?: number }} [how] */
function load(script, url, env, how = {}) {
	return wrk(script, url, env, { seconds: SECONDS, connections: how.connections ?? CONNECTIONS });
}

/** Proportional set size of a process in KiB. @param {number} pid */
function pss(pid) {
	return Number(/^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

/** MiB of web and sync. @param {Stack} stack */
function memory(stack) {
	const of = (/** @type {'web' | 'sync'} */ role) => stack.pids(role).reduce((n, p) => n + pss(p), 0) / 1024;
	return { web: of('web'), sync: of('sync'), sum: of('web') + of('sync') };
}

/** The largest memory while work goes on. @template T @param {Stack} stack @param {Promise<T>} work @returns {Promise<[T, ReturnType<typeof memory>]>} */
async function watching(stack, work) {
	let most = memory(stack);
	let over = false;
	const watch = (async () => {
		while (!over) {
			const now = memory(stack);
			if (now.sum > most.sum)
				most = now;
			await pause(100);
		}
	})();
	const result = await work.finally(() => {
		over = true;
	});
	await watch;
	return [result, most];
}

/** Milliseconds of CPU that nginx and our programs have used up to now. @param {Stack} stack */
function cpuTime(stack) {
	return processorMs([stack.nginx, stack.fcgi].flatMap((p) => p === null ? [] : [p.pid]));
}

/** @param {Stack} stack @param {() => Promise<Result>} work */
async function withCpu(stack, work) {
	const before = cpuTime(stack);
	const result = await work();
	result.cpu = (cpuTime(stack) - before) / result.requests * 1000;
	return result;
}

/** nginx' own answer, in the very nginx that stands before the product. @param {Stack} stack @param {number} port */
function addLimitServer(stack, port) {
	const file = path.join(stack.siteDir, 'nginx.conf');
	const text = fs.readFileSync(file, 'utf8');
	const at = text.lastIndexOf('}');
	fs.writeFileSync(file, `${text.slice(0, at)}\tserver {\n\t\tlisten 127.0.0.1:${port};\n\t\tlocation / {\n\t\t\treturn 202;\n\t\t}\n\t}\n${text.slice(at)}`);
}

/** @param {Stack} stack @param {any} sub @param {number} count */
async function fill(stack, sub, count) {
	const size = 500;
	for (let at = 0; at < count; at += size) {
		const answer = await stack.http.post('/addin/webhook/events', body(...Array.from({ length: size }, (_, i) => item(sub, longId(`present-${at + i}`)))));
		if (answer.status !== 202)
			throw new Error(`filling: ${answer.status} ${answer.text}`);
	}
}

/** @param {number[]} list */
function median(list) {
	const sorted = [...list].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)];
}

/** Rows of the bench in the store and what was counted on them. @param {Stack} stack @param {string} prefix */
async function counted(stack, prefix) {
	const like = `WHERE event GLOB '${prefix}*'`;
	const [row] = await stack.query(`SELECT count(DISTINCT event) AS events, sum(n) AS notifications FROM (SELECT event, generation AS n FROM work ${like} UNION ALL SELECT event, 1 FROM arrival ${like})`);
	return row;
}

/** @param {string[][]} rows */
function table(rows) {
	const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
	return rows.map((r) => r.map((c, i) => i === 0 ? c.padEnd(widths[i]) : c.padStart(widths[i])).join('  ')).join('\n');
}

/** @param {Result[]} results */
function cells(results) {
	return [median(results.map((r) => r.rate)).toFixed(0), `${Math.min(...results.map((r) => r.rate)).toFixed(0)}-${Math.max(...results.map((r) => r.rate)).toFixed(0)}`,
		median(results.map((r) => r.p50)).toFixed(2), median(results.map((r) => r.p99)).toFixed(2), Math.max(...results.map((r) => r.max)).toFixed(1), String(results.reduce((n, r) => n + r.errors, 0)),
		results[0].cpu === undefined ? '' : median(results.map((r) => r.cpu ?? 0)).toFixed(1)];
}

/** The ratio, the loss check and the handshake under load. @param {Stack} stack @param {number} port @param {any[]} subs */
async function throughput(stack, port, subs) {
	const file = writeSubscriptions(stack, subs);
	const base = `http://127.0.0.1:${stack.port}`;
	const env = { SUBS: file, COUNT: String(EVENTS), PREFIX: 'BENCH' };
	/** @type {Result[]} */
	const limit = [];
	/** @type {Result[]} */
	const durable = [];
	let most = { web: 0, sync: 0, sum: 0 };
	for (let round = 0; round < ROUNDS; round++) {
		limit.push(await withCpu(stack, () => load('notify.lua', `http://127.0.0.1:${port}`, { ...env, TARGET: '/' })));
		const [result, used] = await watching(stack, withCpu(stack, () => load('notify.lua', base, { ...env, TARGET: '/addin/webhook/events' })));
		durable.push(result);
		most = used.sum > most.sum ? used : most;
	}
	const handshake = load('handshake.lua', base, { TARGET: '/addin/webhook/events' }, { connections: 4 });
	const under = await load('notify.lua', base, { ...env, TARGET: '/addin/webhook/events' });
	return { limit, durable, under, handshake: await handshake, most };
}

async function main() {
	const limitPort = await freePort();
	await Stack.play('bench', { start: false, settings: { validate: 'off' }, config: { notificationDebounceMs: 600_000, logLevel: 'info' } }, async (stack) => {
		addLimitServer(stack, limitPort);
		await stack.up();
		stack.http.remember = false;
		const followed = await Promise.all(stack.mailboxes.map((m) => stack.follow(m, { event: false })));
		const subs = followed.map((f) => f.sub);
		await pause(2000);
		const idle = memory(stack);
		await fill(stack, subs[0], PRESENT);
		const { limit, durable, under, handshake, most } = await throughput(stack, limitPort, subs);

		/* Accepted: every request without an error. The rest was in flight when wrk stopped. */
		const sent = [...durable, under].reduce((n, r) => n + r.requests, 0);
		const failed = [...durable, under].reduce((n, r) => n + r.errors, 0);
		/* Each run begins with the first event again. */
		const different = Math.min(EVENTS, Math.max(...[...durable, under].map((r) => r.requests)));
		const rows = await counted(stack, 'BENCH');
		const kept = await counted(stack, 'AAkALg');
		const ratio = median(durable.map((r) => r.rate)) / median(limit.map((r) => r.rate));
		const perRound = durable.map((r, i) => r.rate / limit[i].rate);
		console.log(`${os.cpus().length} x ${os.cpus()[0].model}; ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections, ${PRESENT} rows present, load average ${os.loadavg()[0].toFixed(1)}\n`);
		console.log(table([
			['', 'req/s', 'range', 'p50 ms', 'p99 ms', 'max ms', 'errors', 'CPU ms/1000'],
			['nginx return 202', ...cells(limit)],
			['durable 202', ...cells(durable)],
			['durable 202, with handshakes', ...cells([under])],
			['handshake under that load', ...cells([handshake])],
		]));
		console.log();
		console.log(table([
			['', 'value', 'goal'],
			['durable / return 202', ratio.toFixed(3), `>= ${GOAL.ratio}`],
			['  per round', `${Math.min(...perRound).toFixed(3)}-${Math.max(...perRound).toFixed(3)}`, ''],
			['web + sync idle, PSS', `${idle.sum.toFixed(1)} MiB (${idle.web.toFixed(1)} + ${idle.sync.toFixed(1)})`, `<= ${GOAL.idleMiB} MiB`],
			['web + sync loaded, PSS', `${most.sum.toFixed(1)} MiB (${most.web.toFixed(1)} + ${most.sync.toFixed(1)})`, `<= ${GOAL.loadedMiB} MiB`],
			['notifications accepted', String(sent - failed), ''],
			['  counted in the store', String(rows.notifications), `>= ${sent - failed}`],
			['  different events there', String(rows.events), `>= ${different}`],
			['rows present before', String(kept.events), String(PRESENT)],
		]));
		/** @type {string[]} */
		const wrong = [];
		if (failed > 0)
			wrong.push(`${failed} requests failed`);
		if (rows.notifications < sent - failed || rows.events < different || kept.events !== PRESENT)
			wrong.push('accepted notifications are not in the store');
		if (!REPORT && ratio < GOAL.ratio)
			wrong.push(`ratio ${ratio.toFixed(3)} below ${GOAL.ratio}`);
		if (!REPORT && (idle.sum > GOAL.idleMiB || most.sum > GOAL.loadedMiB))
			wrong.push('more memory than the goal');
		fs.rmSync(path.join(stack.dir, 'subscriptions.txt'));
		if (wrong.length > 0) {
			console.error(`\nbench: ${wrong.join('; ')}`);
			process.exitCode = 1;
		}
	});
}

await main().catch((e) => {
	console.error(`bench: FAILED: ${e.stack}`);
	process.exitCode = 1;
});
