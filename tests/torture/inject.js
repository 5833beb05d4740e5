// @ts-check
/*
 * One fault at a time, one call after the other: the K-th write, the K-th sync, no space, and the answer
 * of each remote operation lost after its effect.
 *
 *     node tests/torture/inject.js [CALLS]
 */

import assert from 'node:assert/strict';
import path from 'node:path';
import { body, item, longId } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { attach } from '../lib/strace.js';
import { waitFor } from '../lib/wait.js';

const CALLS = Number(process.argv[2] ?? process.env.CALLS ?? 4);
const FAULTS = ['pwrite64:error=EIO', 'pwrite64:error=ENOSPC', 'fdatasync:error=EIO', 'fdatasync:error=ENOSPC'];
const EVENTS = '/addin/webhook/events';

/** The k-th call of the commit thread fails once. @param {Stack} stack @param {any} sub @param {string} fault @param {number} k @param {string[]} owed */
async function failOnce(stack, sub, fault, k, owed) {
	const saboteur = await attach(await stack.pid('web'), stack.logDir, path.join(stack.logDir, `inject-${fault.replace(/\W/g, '-')}-${k}.trace`), ['-e', `trace=${fault.split(':')[0]}`, '-e', `inject=${fault}:when=${k}`]);
	let refused = 0;
	for (let i = 0; i < 8; i++) {
		const event = longId(`${fault}-${k}-${i}`);
		const answer = await stack.http.post(EVENTS, body(item(sub, event)));
		assert.ok([202, 503].includes(answer.status), `${fault} ${k}: ${answer.status}`);
		if (answer.status === 202)
			owed.push(event);
		else
			refused++;
	}
	await saboteur.stop();
	await waitFor(async () => (await stack.http.post(EVENTS, body(item(sub, longId(`healed-${fault}-${k}`))))).status === 202, 10_000, `${fault} ${k}: healed`);
	return refused;
}

async function storeFaults() {
	await Stack.play('torture-inject', { config: { notificationDebounceMs: 600_000 } }, async (stack) => {
		stack.expectErrors = true;
		const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
		const web = await stack.pid('web');
		/** @type {string[]} */
		const owed = [];
		let refused = 0;
		for (const fault of FAULTS)
			for (let k = 1; k <= CALLS; k++)
				refused += await failOnce(stack, sub, fault, k, owed);
		assert.deepEqual(stack.pids('web'), [web], 'web has survived it all');
		assert.ok(refused > 0, 'no fault was met');
		await stack.kill('web');
		await stack.restart();
		const rows = await stack.queuedEvents();
		assert.deepEqual(owed.filter((e) => !rows.has(e)), [], 'answered 202 and not in the store');
		assert.equal(await stack.integrity(), 'ok');
		console.log(`inject: ${FAULTS.length * CALLS} faults of the store one by one: ${owed.length} answered 202, ${refused} answered 503, 0 lost`);
	});
}

/** Each operation's answer is lost once after its effect; in the end all is as if nothing had been. */
async function lostAnswers() {
	await Stack.play('torture-lost', {}, async (stack) => {
		const { sims } = stack;
		stack.expectErrors = true;
		const calls = (/** @type {string} */ op) => sims.requests({ op }).length;
		for (const [service, op] of [['entra', 'token'], ['graph', 'createSubscription'], ['unblu', 'token']])
			sims.fault({ service, op, kind: 'lost', count: 1 });
		const link = await stack.follow(stack.mailboxes[0]);
		assert.equal(sims.subscriptionsOf(link.mailbox).length, 1, 'one subscription');
		for (const [service, op] of [['graph', 'getEvent'], ['unblu', 'read'], ['unblu', 'setTopic']]) {
			sims.fault({ service, op, kind: 'lost', count: 1 });
			const before = calls('setTopic');
			sims.editEvent(link.mailbox, link.event, { subject: `after the lost ${op}` });
			await waitFor(() => sims.conversation(link.conv.id).topic === `after the lost ${op}`, 15_000, `the effect after a lost ${op}`);
			await stack.idle();
			assert.ok(calls('setTopic') <= before + 2, `${op}: ${calls('setTopic') - before} writes`);
			sims.clearFaults();
		}
		for (const op of ['renewSubscription', 'listSubscriptions', 'batch']) {
			sims.fault({ service: 'graph', op, kind: 'lost', count: 1 });
			await waitFor(async () => (await stack.renew('--force')).code === 0, 30_000, `renewal after a lost ${op}`);
			assert.deepEqual(sims.subscriptionsOf(link.mailbox).length, 1, `${op}: one subscription`);
			sims.clearFaults();
		}
		for (const op of ['history', 'delete'])
			sims.fault({ service: 'unblu', op, kind: 'lost', count: 1 });
		sims.deleteEvent(link.mailbox, link.event);
		await waitFor(() => sims.conversation(link.conv.id) === null, 20_000, 'deleted');
		await stack.idle();
		assert.ok(calls('delete') <= 2);
		assert.equal(await stack.deadLetters(), 0);
		console.log('inject: the answers of 11 remote operations lost one by one: every effect once, nothing dead');
	});
}

await storeFaults().then(lostAnswers).catch((e) => {
	console.error(`inject: FAILED: ${e.stack}`);
	process.exitCode = 1;
});
