// @ts-check
/*
 * kill -9 of web or sync at random moments under load. Every notification that was answered 202 must have
 * its effect in the simulated Unblu.
 *
 *     node tests/torture/kill.js [KILLS [SEED]]
 *
 * Ledger: one version of an event per notification; version n sets topic "#n" and a start n minutes later.
 * Every other time an event is left alone until its conversation shows the version that was answered 202, so
 * that no later notification hides a lost one; at the end all must show at least the newest one owed.
 */

import { performance } from 'node:perf_hooks';
import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { pause, waitFor } from '../lib/wait.js';
import { Rng } from '../sim/lib/rng.js';
import { nextWrite, WRITES } from './ledger.js';

const KILLS = Number(process.argv[2] ?? process.env.KILLS ?? 20);
const SEED = Number(process.argv[3] ?? process.env.SEED ?? 20261123);
const LINKS_PER_MAILBOX = 12;
const LANES = 24;
/** How long an effect may take, with restarts in between. */
const EFFECT_MS = 45_000;
const MINUTE = 60_000;

/**
 * @typedef {object} Track
 * @property {import('../lib/stack.js').Followed} link
 * @property {number} version of the event now
 * @property {number} owed newest version that was answered 202
 * @property {boolean} busy
 * @property {boolean} doomed shall be deleted
 * @property {boolean} gone deleted in the calendar
 * @property {boolean} goneOwed and its notification answered 202
 */

/** @param {Stack} stack @param {Track} track @param {any} sub @param {string} changeType */
async function notify(stack, track, sub, changeType) {
	const answer = await stack.http.post('/addin/webhook/events', body(item(sub, track.link.event.id, { changeType })));
	if (![0, 202, 502, 503, 504].includes(answer.status))
		throw new Error(`a notification was answered ${answer.status}: ${answer.text}`);
	return answer.status === 202;
}

/** One edit, one notification. @param {Stack} stack @param {Track} track @param {Rng} rng */
async function step(stack, track, rng) {
	const { link } = track;
	if (track.doomed && !track.gone && rng.chance(0.05)) {
		stack.sims.deleteEvent(link.mailbox, link.event);
		track.gone = true;
	}
	if (track.gone) {
		track.goneOwed = await notify(stack, track, link.sub, 'deleted') || track.goneOwed;
		return;
	}
	const version = ++track.version;
	stack.sims.editEvent(link.mailbox, link.event, { subject: `#${version}`, start: link.start + version * MINUTE });
	if (await notify(stack, track, link.sub, 'updated'))
		track.owed = version;
}

/** Is what is owed visible in Unblu? @param {Stack} stack @param {Track} track */
function settled(stack, track) {
	const conv = stack.sims.conversation(track.link.conv.id);
	if (track.goneOwed)
		return conv === null;
	if (conv === null)
		return track.gone;
	if (track.owed === 0)
		return true;
	return Number(conv.topic.slice(1)) >= track.owed && (conv.scheduledTimestamp - track.link.start) / MINUTE >= track.owed;
}

/** What is owed and what is there. @param {Stack} stack @param {Track} track */
function describe(stack, { link, owed, version, gone, goneOwed }) {
	const conv = stack.sims.conversation(link.conv.id);
	const unblu = conv && { topic: conv.topic, minutes: (conv.scheduledTimestamp - link.start) / MINUTE };
	return JSON.stringify({ conversation: link.conv.id, event: link.event.id, owed, version, gone, goneOwed, unblu });
}

/** Was a setter or a deletion under way at time t, or its answer not stored yet? @param {any[]} requests @param {number} t */
function hitsWrite(requests, t) {
	return requests.some((r) => WRITES.includes(r.op) && r.at - 5 <= t && t <= r.at + r.ms + 25);
}

const rng = new Rng(SEED);
const began = performance.now();
console.log(`kill: ${KILLS} kills, seed ${SEED}`);

await Stack.play('torture-kill', {
	logSize: 500_000, settings: { validate: 'sample', graph: { latencyMs: [1, 20] }, unblu: { latencyMs: [1, 25] } },
	config: { notificationDebounceMs: 20, deletionGraceSeconds: 1, maxDeletionsPerMailbox: 10_000, maxDeletionsPerTenant: 10_000, logLevel: 'info' },
}, async (stack) => {
	const { sims } = stack;
	const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, LINKS_PER_MAILBOX)));
	sims.silence(true);
	/* Between the effect and the answer there is room for a kill. */
	sims.fault({ service: 'unblu', op: WRITES, kind: 'delay', delayAfterMs: 20, probability: 0.6 });
	stack.expectErrors = true;
	stack.http.remember = false;
	/** @type {Track[]} */
	const tracks = followed.flatMap((f) => f.links).map((link, i) => ({ link, version: 0, owed: 0, busy: false, doomed: i % 4 === 0, gone: false, goneOwed: false }));

	let running = true;
	let alone = 0;
	const lanes = Array.from({ length: LANES }, async () => {
		while (running) {
			const free = tracks.filter((t) => !t.busy);
			const track = rng.pick(free);
			track.busy = true;
			await step(stack, track, rng);
			if (rng.chance(0.5)) {
				alone++;
				await waitFor(() => settled(stack, track), EFFECT_MS, `the effect of one notification answered 202: ${describe(stack, track)}`);
			}
			track.busy = false;
			await pause(rng.int(0, 10));
		}
	});
	/** @type {{ role: string, at: number }[]} */
	const kills = [];
	const died = new Promise((_, reject) => Promise.all(lanes).catch(reject));
	const killer = (async () => {
		for (let i = 0; i < KILLS; i++) {
			const role = rng.chance(0.5) ? 'web' : 'sync';
			/* Some die young, but not all: a child that never lives for a second is started late, as promised. */
			const pid = await stack.pid(role);
			await pause(rng.int(20, 1300));
			if (!stack.pids(role).includes(pid))
				throw new Error(`${role} has died by itself`);
			/* Half of those of sync are aimed: a write has taken effect, its answer is on the way. */
			if (role === 'sync' && rng.chance(0.5))
				await Promise.race([nextWrite(sims.sim), pause(1000)]);
			kills.push({ role, at: sims.now() });
			process.kill(pid, 'SIGKILL');
			await waitFor(() => !stack.pids(role).includes(pid), 5000, `${role} is gone`);
		}
	})();
	await Promise.race([killer, died]);
	/* The end of the load must be accepted, so that the last state is owed. */
	await waitFor(async () => (await stack.http.get('/ready')).status === 200, 10_000, 'ready after the last kill');
	await pause(500);
	running = false;
	await Promise.all(lanes);

	const accepted = stack.http.counts[202] ?? 0;
	await waitFor(() => tracks.every((t) => settled(stack, t)), 60_000, 'everything that was answered 202 has its effect').catch((e) => {
		const lost = tracks.filter((t) => !settled(stack, t));
		throw new Error(`${e.message}: ${lost.length} not: ${lost.slice(0, 5).map((t) => describe(stack, t)).join('\n')}`);
	});
	await stack.idle(30_000);

	/* Repeated writes: those that changed nothing. */
	const requests = sims.requests({ service: 'unblu' });
	const hit = kills.filter((k) => k.role === 'sync' && hitsWrite(requests, k.at)).length;
	const repeated = tracks.flatMap((t) => sims.ledger(t.link.conv.id)).filter((w) => WRITES.includes(w.op) && !w.changed).length
		+ requests.filter((r) => r.op === 'delete' && r.status === 404).length;
	if (repeated > hit)
		throw new Error(`${repeated} repeated writes, but only ${hit} kills hit an unanswered write`);

	/* Deletions whose outcome is stored are not repeated, whatever happens afterwards. */
	const deletions = () => sims.requests({ service: 'unblu', op: 'delete' }).length;
	const before = deletions();
	for (let i = 0; i < 3; i++) {
		await stack.kill('sync');
		for (const track of tracks.filter((t) => t.gone))
			await waitFor(() => notify(stack, track, track.link.sub, 'deleted'), 5000, 'answered 202');
		await stack.idle(30_000);
	}
	if (deletions() !== before)
		throw new Error(`${deletions() - before} deletions were repeated after their outcome was stored`);
	if (await stack.deadLetters() !== 0)
		throw new Error('there are dead letters');
	if (await stack.integrity() !== 'ok')
		throw new Error('the store is damaged');
	const web = kills.filter((k) => k.role === 'web').length;
	console.log(`kill: ${kills.length} kills (web ${web}, sync ${kills.length - web}), ${accepted} notifications answered 202, ${JSON.stringify(stack.http.counts)} answers in all, ${alone} of them judged alone, 0 lost; `
		+ `${repeated} repeated writes (${hit} kills hit an unanswered one), ${before} deletions, none repeated after it was stored; ${Math.round((performance.now() - began) / 1000)} s`);
}).catch((e) => {
	console.error(`kill: FAILED (seed ${SEED}): ${e.stack}`);
	process.exitCode = 1;
});
