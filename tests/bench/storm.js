// @ts-check
/*
 * A storm: 100,000 notifications, half of them twice, shuffled, about 500 events of 10 mailboxes, within 10 s.
 *
 *     node tests/bench/storm.js [PER_POST [NOTIFICATIONS]]
 *
 * The real nginx, web and sync; while it lasts every event is edited again and again. Exit 1 when a
 * conversation does not end up equal to its event, an answer was not 202, Graph was asked for more than
 * 5 % of the notifications, the 99.9th percentile of the answers is above 300 ms, or memory goes on growing.
 */

import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { sendStorm } from '../lib/storm.js';
import { pause } from '../lib/wait.js';
import { directory, followAll, memory, table } from './figures.js';

const [PER_POST = 8, NOTIFICATIONS = 100_000] = process.argv.slice(2).filter((a) => /^\d+$/.test(a)).map(Number);
const MAILBOXES = 10;
const EVENTS = 500;
const SECONDS = 10;
const CONNECTIONS = 64;
const EDITS = 4;
const GOAL = { gets: 0.05, p999: 300, mostMiB: 24, grownMiB: 1.5 };

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

/** @param {Stack} stack */
function gets(stack) {
	return stack.sims.sim.control('GET', '/control/counters').then((/** @type {any} */ c) => Object.values(c.requests.graph.getEvent ?? {}).reduce((/** @type {number} */ n, /** @type {any} */ k) => n + k, 0));
}

/** One storm: what became of it. @param {Stack} stack @param {any[]} links @param {string[]} list @param {number} number */
async function storm(stack, links, list, number) {
	const { sims } = stack;
	const asked = await gets(stack);
	const before = memory(stack);
	let most = before;
	let over = false;
	const final = (/** @type {any} */ l) => l.start + (number * EDITS + EDITS) * 900_000;
	/* The last of them is followed by notifications all the same, as the sender is not done. */
	const editing = (async () => {
		for (let round = 0; round < EDITS; round++) {
			links.forEach((l, i) => sims.editEvent(l.mailbox, l.event, { subject: `Storm ${number} ${round} over ${i}`, start: l.start + (number * EDITS + round + 1) * 900_000 }));
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
	const job = { port: stack.port, path: '/addin/webhook/events', seconds: SECONDS * 0.95, connections: CONNECTIONS, bodies: list };
	const sent = await sendStorm(stack.dir, job).catch((e) => {
		over = true;
		throw e;
	});
	await editing;
	const rest = performance.now();
	await stack.idle(120_000);
	const settled = performance.now() - rest;
	over = true;
	await watching;
	const differ = links.filter((l) => sims.conversation(l.conv.id).topic !== l.event.subject || sims.conversation(l.conv.id).scheduledTimestamp !== final(l)).length;
	return { sent, settled, differ, before, most, asked: await gets(stack) - asked };
}

/** @typedef {Awaited<ReturnType<typeof storm>>} Outcome */

/** @param {Outcome[]} all @returns {string[]} what is wrong */
function judge(all) {
	/** @type {string[]} */
	const wrong = [];
	for (const { sent, differ, asked, most } of all) {
		if (Object.keys(sent.statuses).join() !== '202')
			wrong.push('not every answer is 202');
		if (sent.p999 >= GOAL.p999)
			wrong.push(`p99.9 is ${sent.p999.toFixed(0)} ms`);
		if (sent.seconds > SECONDS)
			wrong.push(`the storm took ${sent.seconds.toFixed(1)} s`);
		if (differ > 0)
			wrong.push(`${differ} conversations differ`);
		if (asked > GOAL.gets * NOTIFICATIONS)
			wrong.push(`${asked} GETs`);
		if (most.sum > GOAL.mostMiB)
			wrong.push(`${most.sum.toFixed(1)} MiB`);
	}
	if (all[1].most.sum > all[0].most.sum + GOAL.grownMiB)
		wrong.push('memory grows from storm to storm');
	return wrong;
}

await Stack.play('storm', { directory: directory(1, MAILBOXES), settings: { validate: 'off' }, config: { notificationDebounceMs: 2000, logLevel: 'warning' }, logSize: 100 }, async (stack) => {
	stack.http.remember = false;
	const links = await followAll(stack, stack.mailboxes, EVENTS / MAILBOXES);
	for (let at = 0; at < links.length; at += 50)
		await stack.http.post('/addin/webhook/events', body(...links.slice(at, at + 50).map((l) => item(l.sub, l.event.id))));
	await stack.idle(60_000);
	const list = bodies(links);
	/* The second finds all buffers and caches as the first has left them. */
	const all = [await storm(stack, links, list, 0), await storm(stack, links, list, 1)];
	const mib = (/** @type {ReturnType<typeof memory>} */ m) => `${m.sum.toFixed(1)} (${m.web.toFixed(1)} + ${m.sync.toFixed(1)})`;
	const row = (/** @type {string} */ name, /** @type {(o: Outcome) => string} */ cell, /** @type {string} */ goal) => [name, ...all.map(cell), goal];
	console.log(`${NOTIFICATIONS} notifications, ${PER_POST} in a POST, about ${EVENTS} events of ${MAILBOXES} mailboxes, over ${CONNECTIONS} connections, twice\n`);
	console.log(table([
		['', 'first storm', 'second', 'goal'],
		row('seconds', (o) => o.sent.seconds.toFixed(1), `<= ${SECONDS}`),
		row('answers', (o) => JSON.stringify(o.sent.statuses), '202 only'),
		row('p50 / p99 of the answers, ms', (o) => `${o.sent.p50.toFixed(1)} / ${o.sent.p99.toFixed(1)}`, ''),
		row('p99.9 of the answers, ms', (o) => o.sent.p999.toFixed(1), `< ${GOAL.p999}`),
		row('longest answer, ms', (o) => o.sent.max.toFixed(1), ''),
		row('conversations that differ', (o) => `${o.differ}`, '0'),
		row('settled behind the storm, s', (o) => (o.settled / 1000).toFixed(1), ''),
		row('GETs of events, %', (o) => (o.asked / NOTIFICATIONS * 100).toFixed(2), `<= ${GOAL.gets * 100}`),
		row('web + sync before, MiB', (o) => mib(o.before), ''),
		row('  at most, MiB', (o) => mib(o.most), `<= ${GOAL.mostMiB}, second <= first + ${GOAL.grownMiB}`),
	]));
	const wrong = judge(all);
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
