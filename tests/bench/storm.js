// @ts-check
/*
 * A storm: 100,000 notifications, half of them twice, shuffled, about 500 events of 10 mailboxes, within 10 s.
 *
 *     node tests/bench/storm.js [PER_POST [NOTIFICATIONS]]
 *
 * The real nginx, web and sync; while it lasts every event is edited again and again. Exit 1 when a
 * conversation does not end up equal to its event, an answer was not 202, Graph was asked for more than
 * 5 % of the notifications, the 99.9th percentile of the answers is above 300 ms, or memory has grown.
 */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { pause, waitFor } from '../lib/wait.js';
import { directory, followAll, memory, table } from './figures.js';

const [PER_POST = 8, NOTIFICATIONS = 100_000] = process.argv.slice(2).filter((a) => /^\d+$/.test(a)).map(Number);
const MAILBOXES = 10;
const EVENTS = 500;
const SECONDS = 10;
const CONNECTIONS = 64;
const EDITS = 4;
const GOAL = { gets: 0.05, p999: 300, grownMiB: 8, leftMiB: 3 };

/** A generator of its own, so that each run is the same. @param {number} seed */
function random(seed) {
	let state = seed >>> 0;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

/** @template T @param {T[]} list @param {() => number} chance */
function shuffle(list, chance) {
	for (let i = list.length - 1; i > 0; i--) {
		const k = Math.floor(chance() * (i + 1));
		[list[i], list[k]] = [list[k], list[i]];
	}
	return list;
}

/** @param {any[]} links @returns {string[]} */
function bodies(links) {
	const kinds = ['updated', 'updated', 'updated', 'created'];
	const single = Array.from({ length: NOTIFICATIONS / 2 }, (_, i) => {
		const link = links[i % links.length];
		return item(link.sub, link.event.id, { changeType: kinds[i % 4] });
	});
	const all = shuffle([...single, ...single], random(20261123));
	return Array.from({ length: Math.ceil(all.length / PER_POST) }, (_, i) => body(...all.slice(i * PER_POST, (i + 1) * PER_POST)));
}

/** @param {Stack} stack @param {string[]} list @returns {Promise<any>} */
function send(stack, list) {
	const file = path.join(stack.dir, 'storm.json');
	fs.writeFileSync(file, JSON.stringify({ port: stack.port, path: '/addin/webhook/events', seconds: SECONDS * 0.95, connections: CONNECTIONS, bodies: list }));
	const child = spawn(process.execPath, [path.join(path.dirname(fileURLToPath(import.meta.url)), 'storm-sender.js'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
	let out = '';
	child.stdout.on('data', (data) => {
		out += data;
	});
	return new Promise((resolve, reject) => child.once('exit', (code) => {
		fs.rmSync(file);
		if (code === 0)
			resolve(JSON.parse(out));
		else
			reject(new Error(`the sender ended with ${code}`));
	}));
}

/** @param {Stack} stack */
function gets(stack) {
	return stack.sims.sim.control('GET', '/control/counters').then((/** @type {any} */ c) => Object.values(c.requests.graph.getEvent ?? {}).reduce((/** @type {number} */ n, /** @type {any} */ k) => n + k, 0));
}

await Stack.play('storm', { directory: directory(1, MAILBOXES), settings: { validate: 'off' }, config: { notificationDebounceMs: 2000, logLevel: 'warning' }, logSize: 100 }, async (stack) => {
	const { sims } = stack;
	stack.http.remember = false;
	const links = await followAll(stack, stack.mailboxes, EVENTS / MAILBOXES);
	for (let at = 0; at < links.length; at += 50)
		await stack.http.post('/addin/webhook/events', body(...links.slice(at, at + 50).map((l) => item(l.sub, l.event.id))));
	await stack.idle(60_000);
	const list = bodies(links);
	await pause(6000);
	const before = memory(stack);
	let most = before;
	const asked = await gets(stack);
	let over = false;
	const edit = (/** @type {any} */ l, /** @type {number} */ i, /** @type {number} */ round) => sims.editEvent(l.mailbox, l.event, { subject: `Storm ${round} over ${i}`, start: l.start + (round + 1) * 900_000 });
	/* Spread over the storm; the last of them is followed by notifications all the same, as the sender is not done. */
	const editing = (async () => {
		for (let round = 0; round < EDITS; round++) {
			links.forEach((l, i) => edit(l, i, round));
			await pause(SECONDS * 1000 / (EDITS + 1));
		}
	})();
	const watching = (async () => {
		while (!over) {
			const now = memory(stack);
			most = now.sum > most.sum ? now : most;
			await pause(100);
		}
	})();
	const sent = await send(stack, list);
	await editing;
	const rest = performance.now();
	await stack.idle(120_000);
	const settled = performance.now() - rest;
	over = true;
	await watching;
	await waitFor(() => links.every((l) => sims.conversation(l.conv.id).topic === l.event.subject), 1000, 'every topic is right').catch(() => undefined);
	const wrongState = links.filter((l) => sims.conversation(l.conv.id).topic !== l.event.subject || sims.conversation(l.conv.id).scheduledTimestamp !== l.start + EDITS * 900_000);
	const asking = await gets(stack) - asked;
	await pause(11_000);
	const after = memory(stack);
	const share = asking / NOTIFICATIONS;
	const mib = (/** @type {ReturnType<typeof memory>} */ m) => `${m.sum.toFixed(1)} (${m.web.toFixed(1)} + ${m.sync.toFixed(1)})`;
	console.log(`${NOTIFICATIONS} notifications, ${PER_POST} in a POST, about ${EVENTS} events of ${MAILBOXES} mailboxes, in ${sent.seconds.toFixed(1)} s over ${CONNECTIONS} connections\n`);
	console.log(table([
		['', 'value', 'goal'],
		['answers', JSON.stringify(sent.statuses), '202 only'],
		['p50 / p99 of the answers', `${sent.p50.toFixed(1)} / ${sent.p99.toFixed(1)} ms`, ''],
		['p99.9 of the answers', `${sent.p999.toFixed(1)} ms`, `< ${GOAL.p999} ms`],
		['longest answer', `${sent.max.toFixed(1)} ms`, ''],
		['conversations that differ', `${wrongState.length}`, '0'],
		['settled behind the storm', `${(settled / 1000).toFixed(1)} s`, ''],
		['GETs of events', `${asking} = ${(share * 100).toFixed(2)} %`, `<= ${GOAL.gets * 100} %`],
		['memory before, MiB', mib(before), ''],
		['most during', mib(most), `+ ${GOAL.grownMiB}`],
		['ten seconds later', mib(after), `+ ${GOAL.leftMiB}`],
	]));
	/** @type {string[]} */
	const wrong = [];
	if (Object.keys(sent.statuses).join() !== '202')
		wrong.push('not every answer is 202');
	if (sent.p999 >= GOAL.p999)
		wrong.push(`p99.9 is ${sent.p999.toFixed(0)} ms`);
	if (sent.seconds > SECONDS)
		wrong.push(`the storm took ${sent.seconds.toFixed(1)} s`);
	if (wrongState.length > 0)
		wrong.push(`${wrongState.length} conversations differ`);
	if (share > GOAL.gets)
		wrong.push(`${asking} GETs`);
	if (most.sum - before.sum > GOAL.grownMiB || after.sum - before.sum > GOAL.leftMiB)
		wrong.push('memory has grown');
	if (await stack.deadLetters() > 0)
		wrong.push('dead letters');
	if (wrong.length > 0) {
		console.error(`\nstorm: ${wrong.join('; ')}`);
		process.exitCode = 1;
	}
}).catch((e) => {
	console.error(`storm: FAILED: ${e.stack}`);
	process.exitCode = 1;
});
