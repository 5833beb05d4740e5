// @ts-check
/*
 * SIGKILL at random points of a renewal pass: the next pass ends in the state of an undisturbed one.
 *
 *     node tests/torture/renew-kill.js [KILLS [SEED [MAILBOXES]]]
 *
 * In each round some subscriptions are lost at Graph without a word, a pass is killed, another one runs to its end. Then
 * every mailbox has exactly one subscription at Graph, the store knows just that one with its clientState, whoever got a
 * new one is to be caught up, no claim is left and nothing is due.
 */

import crypto from 'node:crypto';
import { Crowd } from '../lib/crowd.js';
import { pause } from '../lib/wait.js';

const [KILLS = 1000, SEED = 20261128, MAILBOXES = 45] = process.argv.slice(2).map(Number);

/** @param {number} seed */
function random(seed) {
	let state = seed >>> 0;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

/** Graph loses a tenth of them, without a word. @param {Crowd} crowd @param {() => number} chance */
function lose(crowd, chance) {
	for (const user of crowd.users)
		if (chance() < 0.1)
			for (const sub of crowd.at(user))
				crowd.sim.subscriptions.remove(sub, 'removed');
}

/** @param {Crowd} crowd @param {Map<string, string>} before ids by mailbox @returns {Promise<string[]>} what is wrong */
async function complaints(crowd, before) {
	const { subscriptions, work, mailboxes } = await crowd.dump();
	const wrong = [];
	for (const user of crowd.users) {
		const there = crowd.at(user);
		const rows = subscriptions.filter((/** @type {any} */ s) => s.user === user.oid);
		if (there.length !== 1 || rows.length !== 1) {
			wrong.push(`${user.oid}: ${there.length} at Graph, ${rows.length} in the store`);
			continue;
		}
		const [sub] = there;
		if (rows[0].id !== sub.id || rows[0].granted === 0)
			wrong.push(`${user.oid}: Graph has ${sub.id}, the store ${rows[0].id}`);
		if (before.get(user.oid) === sub.id)
			continue;
		if (rows[0].hash !== crypto.createHash('sha256').update(sub.clientState).digest('hex'))
			wrong.push(`${user.oid}: another clientState`);
		if (!work.some((/** @type {any} */ w) => w.user === user.oid && w.kind === 3))
			wrong.push(`${user.oid}: no catch-up`);
	}
	if (mailboxes.some((/** @type {any} */ m) => m.state !== 0))
		wrong.push('a mailbox is not followed any more');
	return wrong;
}

/** @param {Crowd} crowd */
function ids(crowd) {
	return new Map(crowd.users.flatMap((u) => crowd.at(u).map((s) => [u.oid, s.id])));
}

/** @param {Crowd} crowd @param {number} afterMs @returns {Promise<boolean>} whether it was still running */
async function kill(crowd, afterMs) {
	const child = crowd.begin('--force');
	child.stdout.resume();
	child.stderr.resume();
	const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal === 'SIGKILL')));
	await Promise.race([pause(afterMs), ended]);
	child.kill('SIGKILL');
	return /** @type {Promise<boolean>} */ (ended);
}

/** @param {Crowd} crowd @param {Map<string, string>} before */
async function settled(crowd, before) {
	const run = await crowd.renew('--force');
	if (run.code !== 0 || run.summary.left !== 0 || run.summary.failed !== 0)
		return [`the next pass: ${run.code} ${run.stderr.slice(-2000)}`];
	const wrong = await complaints(crowd, before);
	const idle = await crowd.renew();
	if (idle.code !== 0 || idle.summary.due !== 0)
		wrong.push(`afterwards: ${idle.code} ${idle.stderr.slice(-500)}`);
	return wrong;
}

async function main() {
	const crowd = await Crowd.start({ count: MAILBOXES, tenants: 3, agedMinutes: 100 });
	const chance = random(SEED);
	let killed = 0;
	const first = await crowd.renew('--force');
	if (first.code !== 0)
		throw new Error(first.stderr);
	/* An undisturbed pass that has as much to do. */
	lose(crowd, chance);
	const whole = await crowd.renew('--force');
	for (let i = 0; i < KILLS; i++) {
		const before = ids(crowd);
		lose(crowd, chance);
		if (await kill(crowd, chance() * whole.ms * 1.1))
			killed++;
		const wrong = await settled(crowd, before);
		if (wrong.length > 0)
			throw new Error(`seed ${SEED}, round ${i}: ${wrong.join('\n')}`);
	}
	console.log(`renew-kill: ${killed} of ${KILLS} passes of about ${Math.round(whole.ms)} ms killed, seed ${SEED}, ${MAILBOXES} mailboxes: each next pass ended as an undisturbed one`);
	await crowd.close();
}

await main();
