// @ts-check
/*
 * From the notification to the changed conversation: how many round trips are in it?
 *
 *     node tests/bench/latency.js [CHANGES]
 *
 * The token is cached, the simulators take 50 ms for each answer. Said by the product's own histogram
 * (sync_seconds) and by the simulators' journal. Exit 1 when a change takes more than its round trips.
 */

import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';
import { followAll, table } from './figures.js';

const [CHANGES = 20] = process.argv.slice(2).filter((a) => /^\d+$/.test(a)).map(Number);
const ANSWER_MS = 50;
const DEBOUNCE_MS = 500;
/* What a round trip may cost besides the peer's time: here, both ends on a busy machine. */
const SPARE = 0.5;

const KINDS = [
	{ name: 'topic', trips: 2, change: (/** @type {any} */ l, /** @type {number} */ i) => ({ subject: `${l.event.name} changed ${i}` }) },
	{ name: 'time', trips: 3, change: (/** @type {any} */ l, /** @type {number} */ i) => ({ start: l.start + (i + 1) * 600_000 }) },
	{ name: 'topic and time', trips: 4, change: (/** @type {any} */ l, /** @type {number} */ i) => ({ subject: `${l.event.name} again ${i}`, start: l.start + (i + 100) * 600_000 }) },
];

/** Sum (ms) and count of sync_seconds. @param {Stack} stack */
async function histogram(stack) {
	const text = await (await fetch(`http://127.0.0.1:${stack.metricsPort}/metrics`)).text();
	const of = (/** @type {string} */ name) => Number(new RegExp(`^outlook_addin_sync_seconds_${name} (\\S+)$`, 'm').exec(text)?.[1]);
	return { sum: of('sum') * 1000, count: of('count') };
}

await Stack.play('latency', { settings: { validate: 'off', graph: { latencyMs: ANSWER_MS }, unblu: { latencyMs: ANSWER_MS } }, config: { notificationDebounceMs: DEBOUNCE_MS } }, async (stack) => {
	const { sims } = stack;
	const [link] = await followAll(stack, stack.mailboxes.slice(0, 1), 1);
	const told = async () => {
		const answer = await stack.http.post('/addin/webhook/events', body(item(link.sub, link.event.id)));
		if (answer.status !== 202)
			throw new Error(`${answer.status} ${answer.text}`);
		await stack.idle();
	};
	await told();
	const rows = [['change', 'requests', 'mean ms', 'less the debounce', 'in round trips', 'goal']];
	/** @type {string[]} */
	const wrong = [];
	for (const kind of KINDS) {
		const before = await histogram(stack);
		const from = sims.requests({ limit: '20000' }).length;
		for (let i = 0; i < CHANGES; i++) {
			sims.editEvent(link.mailbox, link.event, kind.change(link, i));
			await told();
		}
		const after = await waitFor(async () => {
			const now = await histogram(stack);
			return now.count === before.count + CHANGES ? now : null;
		}, 5000, 'the histogram counts every change');
		const mean = (after.sum - before.sum) / CHANGES;
		const asked = sims.requests({ limit: '20000' }).slice(from).filter((r) => r.service === 'graph' || r.service === 'unblu');
		const trips = (mean - DEBOUNCE_MS) / ANSWER_MS;
		rows.push([kind.name, (asked.length / CHANGES).toFixed(2), mean.toFixed(0), (mean - DEBOUNCE_MS).toFixed(0), trips.toFixed(2), `${kind.trips}`]);
		if (asked.length !== CHANGES * kind.trips)
			wrong.push(`${kind.name}: ${asked.map((r) => r.op).slice(0, 8).join(' ')}`);
		if (trips > kind.trips * (1 + SPARE))
			wrong.push(`${kind.name}: ${trips.toFixed(2)} round trips`);
	}
	console.log(`${CHANGES} changes of each kind, ${ANSWER_MS} ms per answer, debounce ${DEBOUNCE_MS} ms\n\n${table(rows)}`);
	if (wrong.length > 0) {
		console.error(`\nlatency: ${wrong.join('; ')}`);
		process.exitCode = 1;
	}
}).catch((e) => {
	console.error(`latency: FAILED: ${e.stack}`);
	process.exitCode = 1;
});
