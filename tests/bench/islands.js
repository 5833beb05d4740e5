// @ts-check
/*
 * One tenant is answered 429 only, one 401 only, one never: is a fourth one as fast as alone?
 *
 *     node tests/bench/islands.js [ROUNDS [SECONDS]]
 *
 * Rounds alternate: alone, and with the three, whose mailboxes are notified all the time. A change counts
 * from its notification to the conversation's new topic. Exit 1 when the median or the 95th percentile with
 * the three is more than 10 % (and 10 ms) above that alone, or a change was lost.
 */

import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { pause, waitFor } from '../lib/wait.js';
import { directory, followAll, percentile, table } from './figures.js';

const [ROUNDS = 4, SECONDS = 8] = process.argv.slice(2).filter((a) => /^\d+$/.test(a)).map(Number);
const MAILBOXES = 8;
const EVENTS = 6;
const EVERY_MS = 50;
const ANSWER_MS = 20;
const DEBOUNCE_MS = 200;
const SPARE = { ratio: 1.1, ms: 10 };

/** @param {Stack} stack @param {any[]} items */
async function post(stack, items) {
	const answer = await stack.http.post('/addin/webhook/events', body(...items));
	if (answer.status !== 202)
		throw new Error(`${answer.status} ${answer.text}`);
}

/** Changes of the good tenant one after the other; how long each took. @param {Stack} stack @param {any[]} links @param {string} name */
async function changes(stack, links, name) {
	/** @type {Map<string, { subject: string, at: number }>} */
	const waiting = new Map();
	/** @type {number[]} */
	const took = [];
	const look = (/** @type {string} */ type, /** @type {any} */ data) => {
		const change = type === 'conversation' ? waiting.get(data.id) : undefined;
		if (change === undefined || stack.sims.conversation(data.id).topic !== change.subject)
			return;
		took.push(performance.now() - change.at);
		waiting.delete(data.id);
	};
	stack.sims.sim.journal.listeners.add(look);
	const count = SECONDS * 1000 / EVERY_MS;
	const began = performance.now();
	for (let i = 0; i < count; i++) {
		const link = links[i % links.length];
		const subject = `${link.event.name.split(' #')[0]} #${name}-${i}`;
		await waitFor(() => !waiting.has(link.conv.id), 30_000, 'the last change of this event has arrived');
		stack.sims.editEvent(link.mailbox, link.event, { subject });
		waiting.set(link.conv.id, { subject, at: performance.now() });
		await post(stack, [item(link.sub, link.event.id)]);
		await pause(Math.max(0, began + (i + 1) * EVERY_MS - performance.now()));
	}
	await waitFor(() => waiting.size === 0, 30_000, 'every change has arrived');
	stack.sims.sim.journal.listeners.delete(look);
	return took;
}

/** The three tenants' events, again and again. @param {Stack} stack @param {any[]} links @param {{ over: boolean }} run */
async function nuisance(stack, links, run) {
	while (!run.over) {
		for (let at = 0; at < links.length && !run.over; at += 24)
			await post(stack, links.slice(at, at + 24).map((l) => item(l.sub, l.event.id)));
		await pause(250);
	}
}

const settings = { validate: 'off', graph: { latencyMs: ANSWER_MS }, unblu: { latencyMs: ANSWER_MS } };
await Stack.play('islands', { directory: directory(4, MAILBOXES), settings, config: { notificationDebounceMs: DEBOUNCE_MS, logLevel: 'warning' }, logSize: 100 }, async (stack) => {
	const { sims } = stack;
	stack.http.remember = false;
	const links = await followAll(stack, stack.mailboxes, EVENTS);
	for (let at = 0; at < links.length; at += 48)
		await post(stack, links.slice(at, at + 48).map((l) => item(l.sub, l.event.id)));
	await stack.idle(60_000);
	const tenants = [...new Set(stack.mailboxes.map((m) => m.tenant))];
	const bad = links.filter((l) => l.mailbox.tenant !== tenants[3]);
	const good = links.filter((l) => l.mailbox.tenant === tenants[3]);
	/** @type {number[]} */
	const alone = [];
	/** @type {number[]} */
	const among = [];
	await changes(stack, good, 'warm');
	for (let round = 0; round < ROUNDS; round++) {
		alone.push(...await changes(stack, good, `alone${round}`));
		sims.fault({ service: 'graph', tenant: tenants[0], kind: 'throttle', retryAfter: 1 });
		sims.fault({ service: 'graph', tenant: tenants[1], kind: 'status', status: 401, code: 'InvalidAuthenticationToken' });
		sims.fault({ service: 'graph', tenant: tenants[2], kind: 'hang' });
		const run = { over: false };
		const noise = nuisance(stack, bad, run);
		among.push(...await changes(stack, good, `among${round}`));
		run.over = true;
		await noise;
		sims.clearFaults();
		/* What hangs is in flight up to 15 s more: it belongs to no round alone. */
		await stack.still(30_000);
	}
	const counters = /** @type {any} */ (await sims.sim.control('GET', '/control/counters'));
	const row = (/** @type {string} */ name, /** @type {number[]} */ list) => [name, `${list.length}`, ...[50, 95, 99].map((p) => percentile(list, p).toFixed(0)), Math.max(...list).toFixed(0)];
	const ratio = (/** @type {number} */ p) => percentile(among, p) / percentile(alone, p);
	console.log(`${ROUNDS} rounds of ${SECONDS} s, a change every ${EVERY_MS} ms, ${ANSWER_MS} ms per answer, debounce ${DEBOUNCE_MS} ms; ${bad.length} events of three bad tenants notified all the time\n`);
	console.log(table([['', 'changes', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'], row('alone', alone), row('among the three', among)]));
	console.log(`\nratio p50 ${ratio(50).toFixed(3)}, p95 ${ratio(95).toFixed(3)}; refused for coming too early: ${counters.earlyRetries}`);
	/** @type {string[]} */
	const wrong = [];
	for (const p of [50, 95])
		if (ratio(p) > SPARE.ratio && percentile(among, p) - percentile(alone, p) > SPARE.ms)
			wrong.push(`p${p} is ${ratio(p).toFixed(3)} times that alone`);
	if (await stack.deadLetters() > 0)
		wrong.push('dead letters');
	if (wrong.length > 0) {
		console.error(`\nislands: ${wrong.join('; ')}`);
		process.exitCode = 1;
	}
}).catch((e) => {
	console.error(`islands: FAILED: ${e.stack}`);
	process.exitCode = 1;
});
