// @ts-check
/* What the programs of this folder share: figures, tables, memory, and many mailboxes. */

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { descendants } from '../lib/program.js';

/**
 * @typedef {{ requests: number, seconds: number, errors: number, p50: number, p99: number, max: number, rate: number, cpu?: number }} Result
 * times in ms; cpu in ms of all servers for 1000 requests
 */

/** @param {string} script @param {string} url @param {Record<string, string>} env @param {{ seconds: number, connections: number }} how @returns {Promise<Result>} */
export function wrk(script, url, env, how) {
	const file = path.join(path.dirname(fileURLToPath(import.meta.url)), script);
	return new Promise((resolve, reject) => {
		execFile('wrk', ['-t1', `-c${how.connections}`, `-d${how.seconds}s`, '--timeout', '10s', '-s', file, url], { env: { ...process.env, ...env } }, (e, stdout, stderr) => {
			const found = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout);
			if (e !== null || found === null) {
				reject(new Error(`wrk: ${stderr || e?.message || stdout}`));
				return;
			}
			const [requests, us, errors, p50, p99, max] = found.slice(1).map(Number);
			resolve({ requests, seconds: us / 1e6, errors, p50: p50 / 1000, p99: p99 / 1000, max: max / 1000, rate: requests / (us / 1e6) });
		});
	});
}

/** What notify.lua reads: a file of the stack. @param {import('../lib/stack.js').Stack} stack @param {any[]} subs */
export function writeSubscriptions(stack, subs) {
	const file = path.join(stack.dir, 'subscriptions.txt');
	fs.writeFileSync(file, subs.map((s) => `${s.id} ${s.clientState} ${s.tenant} ${s.mailbox}\n`).join(''));
	return file;
}

/** Milliseconds of CPU that they and all beneath them have used up to now. @param {number[]} roots */
export function processorMs(roots) {
	return roots.flatMap((pid) => [pid, ...descendants(pid).map((d) => d.pid)]).reduce((sum, pid) => {
		const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return sum + (Number(fields[11]) + Number(fields[12])) * 10;
	}, 0);
}

/** @param {number[]} list @param {number} p 0 to 100 */
export function percentile(list, p) {
	const sorted = [...list].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p / 100))];
}

/** @param {number[]} list */
export function median(list) {
	return percentile(list, 50);
}

/** @param {string[][]} rows */
export function table(rows) {
	const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
	return rows.map((r) => r.map((c, i) => i === 0 ? c.padEnd(widths[i]) : c.padStart(widths[i])).join('  ')).join('\n');
}

/** Proportional set size of a process in KiB. @param {number} pid */
function pss(pid) {
	return Number(/^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

/** MiB of web and sync. @param {import('../lib/stack.js').Stack} stack */
export function memory(stack) {
	const of = (/** @type {'web' | 'sync'} */ role) => stack.pids(role).reduce((n, p) => n + pss(p), 0) / 1024;
	return { web: of('web'), sync: of('sync'), sum: of('web') + of('sync') };
}

/** The directory of the simulators: so many tenants with so many mailboxes. @param {number} tenants @param {number} mailboxes */
export function directory(tenants, mailboxes) {
	const defaults = JSON.parse(fs.readFileSync(new URL('../sim/defaults.json', import.meta.url), 'utf8'));
	const hex = (/** @type {number} */ n, /** @type {number} */ width) => n.toString(16).padStart(width, '0');
	return {
		...defaults,
		tenants: Array.from({ length: tenants }, (_, t) => ({
			id: `84bd8158-0000-4000-8000-0000000000${hex(t + 0xa0, 2)}`, name: `Tenant ${t}`, domain: `t${t}.example`,
			mailboxes: Array.from({ length: mailboxes }, (_, m) => ({ oid: `8a1e6c1e-0000-4000-8000-${hex(t + 1, 4)}0000${hex(m + 1, 4)}`, upn: `u${m}@t${t}.example`, name: `User ${m} of ${t}` })),
		})),
	};
}

/**
 * Followed mailboxes, with so many linked events each, in step with their conversations.
 * @param {import('../lib/stack.js').Stack} stack @param {import('../lib/simulators.js').Mailbox[]} mailboxes @param {number} each
 */
export async function followAll(stack, mailboxes, each) {
	stack.sims.silence(true);
	const all = [];
	for (const mailbox of mailboxes) {
		const first = await stack.follow(mailbox, { event: false });
		const start = Math.ceil(stack.now() / 60_000) * 60_000 + 50 * 3600_000;
		const links = await Promise.all(Array.from({ length: each }, async (_, i) => {
			const name = `${mailbox.upn} ${i}`;
			const conv = await stack.sims.book(mailbox, { topic: name, start });
			const event = await stack.sims.addEvent(mailbox, { subject: name, start, conversation: conv });
			return { mailbox, conv, event, start, sub: first.sub };
		}));
		all.push(...links);
	}
	return all;
}
