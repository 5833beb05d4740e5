// @ts-check
/*
 * Rows of work done by one to four syncs on one PostgreSQL.
 *
 *     node tests/bench/work.js [ROUNDS [MS]]
 *
 * In each round every event is renamed, moved and told of once; it is over when every conversation has its event's name and time. Whatever a sync
 * asks PostgreSQL is answered MS later (2), as over a network: so waiting is what counts, and the machine is not the limit before the database's
 * locks are. The web of the first replica takes the notifications. Exit 1 when a conversation is not right in the end.
 */

import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { body, item } from '../lib/notification.js';
import { Postgres } from '../lib/postgres.js';
import { Replica } from '../lib/replica.js';
import { directoryOf } from '../lib/simulators.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';
import { median, processorMs, table } from './figures.js';

const [ROUNDS = 3, MS = 2] = process.argv.slice(2).filter((a) => /^\d+$/.test(a)).map(Number);
const REPLICAS = 4;
/** In each of two tenants. */
const MAILBOXES = 16;
const LINKS_PER_MAILBOX = 6;

/** Not while the links are made. */
let distance = 0;

const server = new Postgres(['fsync=on', 'full_page_writes=on']);

/** The server's socket once more, further away. @param {string} dir */
async function distant(dir) {
	const front = net.createServer((client) => {
		const back = net.connect(path.join(server.dir, '.s.PGSQL.5432'));
		client.on('data', (d) => setTimeout(() => back.writable && back.write(d), distance));
		back.on('data', (d) => client.write(d));
		for (const [one, other] of [[client, back], [back, client]]) {
			one.on('error', () => other.destroy());
			one.on('close', () => other.destroy());
		}
	});
	await new Promise((resolve) => front.listen(path.join(dir, '.s.PGSQL.5432'), () => resolve(null)));
	fs.chmodSync(dir, 0o755);
	fs.chmodSync(path.join(dir, '.s.PGSQL.5432'), 0o777);
	return front;
}

/** Milliseconds of processor that PostgreSQL has used up to now. */
function databaseMs() {
	return processorMs([Number(fs.readFileSync(path.join(server.dir, 'data/postmaster.pid'), 'utf8').split('\n')[0])]);
}

/** Rows a second, and the processor time of PostgreSQL for one. @param {Stack} stack @param {import('../lib/stack.js').Followed[]} links @param {number} number */
async function round(stack, links, number) {
	const name = `Round ${number}`;
	const later = number * 60_000;
	for (const { mailbox, event, start } of links)
		stack.sims.editEvent(mailbox, event, { subject: name, start: start + later });
	const [from, used] = [performance.now(), databaseMs()];
	for (let i = 0; i < links.length; i += 64) {
		const answer = await stack.http.post('/addin/webhook/events', body(...links.slice(i, i + 64).map((l) => item(l.sub, l.event.id))));
		if (answer.status !== 202)
			throw new Error(`notifications were answered ${answer.status}`);
	}
	await waitFor(() => links.every((l) => {
		const conversation = stack.sims.conversation(l.conv.id);
		return conversation?.topic === name && conversation.scheduledTimestamp === l.start + later;
	}), 120_000, `${name}: every conversation is as its event`);
	const result = { rate: links.length / (performance.now() - from) * 1000, cpu: (databaseMs() - used) / links.length };
	await stack.idle(30_000);
	return result;
}

/** @param {Stack} stack */
async function main(stack) {
	/** @type {import('../lib/stack.js').Followed[]} */
	const links = [];
	for (const mailbox of stack.mailboxes)
		links.push(...(await stack.followMany(mailbox, LINKS_PER_MAILBOX)).links);
	distance = MS;
	const rows = [['replicas', 'rows/s', 'range', 'against one', 'PostgreSQL ms/row']];
	/** @type {Replica[]} */
	const others = [];
	let alone = 0;
	stack.sims.silence(true);
	console.log(`${os.cpus().length} x ${os.cpus()[0].model}; ${ROUNDS} rounds of ${links.length} events in ${stack.mailboxes.length} mailboxes, ${MS} ms to PostgreSQL, load average ${os.loadavg()[0].toFixed(1)}`);
	try {
		for (let count = 1; count <= REPLICAS; count++) {
			if (count > 1) {
				others.push(new Replica(stack, count));
				await others[count - 2].ready();
			}
			const rounds = [];
			for (let i = 0; i < ROUNDS; i++)
				rounds.push(await round(stack, links, count * ROUNDS + i));
			const rates = rounds.map((r) => r.rate);
			alone = count === 1 ? median(rates) : alone;
			rows.push([String(count), median(rates).toFixed(0), `${Math.min(...rates).toFixed(0)}-${Math.max(...rates).toFixed(0)}`, (median(rates) / alone).toFixed(2), median(rounds.map((r) => r.cpu)).toFixed(1)]);
		}
	} finally {
		for (const r of others)
			await r.program.stop();
	}
	console.log(table(rows));
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oa-far-'));
const front = await distant(dir);
const db = server.database();
const far = Object.assign(Object.create(db), { url: db.url.replace(server.dir, dir) });
await Stack.play('bench-work', { postgres: far, directory: directoryOf(MAILBOXES), logSize: 500_000, settings: { validate: 'off' }, config: { notificationDebounceMs: 50, logLevel: 'info' } }, async (stack) => {
	stack.expectErrors = true;
	stack.http.remember = false;
	await main(stack);
}).catch((e) => {
	console.error(`work: FAILED: ${e.stack}`);
	process.exitCode = 1;
}).finally(() => {
	front.close();
	server.stop();
	fs.rmSync(dir, { recursive: true, force: true });
});
