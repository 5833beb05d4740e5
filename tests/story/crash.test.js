// @ts-check
/* kill -9 in the middle: what was answered 202 has its effect all the same. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

for (const role of /** @type {const} */ (['web', 'sync'])) {
	test(`kill -9 of ${role} in the middle loses nothing`, async () => {
		await Stack.play(`crash-${role}`, { settings: { graph: { latencyMs: 20 }, unblu: { latencyMs: 20 } } }, async (stack) => {
			const { sims } = stack;
			const { mailbox, sub, links } = await stack.followMany(stack.mailboxes[0], 20);
			sims.silence(true);
			/** @type {Map<string, string>} event -> newest subject whose notification was answered 202 */
			const owed = new Map();
			let killed = 0;
			for (let round = 0; round < 6; round++) {
				const answers = links.map(async ({ event }, i) => {
					const subject = `${event.name} ${role} ${round}`;
					sims.editEvent(mailbox, event, { subject });
					if (i === 10) {
						await stack.kill(role);
						killed++;
					}
					const answer = await stack.http.post('/addin/webhook/events', body(item(sub, event.id)));
					if (answer.status === 202)
						owed.set(event.id, subject);
					else
						assert.ok([0, 502, 503, 504].includes(answer.status), String(answer.status));
				});
				await Promise.all(answers);
				await waitFor(async () => (await stack.http.get('/ready')).status === 200, 5000, 'ready again');
			}
			assert.equal(killed, 6);
			assert.ok(owed.size === links.length, `${owed.size} of ${links.length} events were notified`);
			for (const { conv, event } of links) {
				const least = Number(owed.get(event.id)?.split(' ').pop());
				await waitFor(() => Number(sims.conversation(conv.id).topic.split(' ').pop()) >= least, 20_000, `${event.name} has at least the state of round ${least}`);
			}
			assert.equal(await stack.deadLetters(), 0);
		});
	});
}

test('a child that dies is there again at once', async () => {
	await Stack.play('restart', {}, async (stack) => {
		for (const role of /** @type {const} */ (['web', 'sync'])) {
			const old = await stack.pid(role);
			/* Not within its first second, after which a death counts as a failed start. */
			await waitFor(() => performance.now() - stack.startedAt > 1100, 3000, 'it has been up for a second');
			const began = performance.now();
			process.kill(old, 'SIGKILL');
			await waitFor(() => stack.pids(role).some((p) => p !== old), 1000, `${role} has been started again`);
			if (role === 'web')
				await waitFor(async () => (await stack.http.get('/live')).status === 200, 2000, 'it answers');
			assert.ok(performance.now() - began < 2000);
		}
	});
});

test('SIGTERM under load ends the group within two seconds, with exit 0 and no cut answer', async () => {
	await Stack.play('drain', { settings: { graph: { latencyMs: 300 } } }, async (stack) => {
		const { sub, links } = await stack.followMany(stack.mailboxes[0], 5);
		let running = true;
		/** @type {Record<number, number>} */
		const seen = {};
		const clients = Array.from({ length: 16 }, async (_, i) => {
			while (running) {
				const answer = await stack.http.post('/addin/webhook/events', body(item(sub, links[i % links.length].event.id)));
				seen[answer.status] = (seen[answer.status] ?? 0) + 1;
			}
		});
		await waitFor(() => (seen[202] ?? 0) > 100, 10_000, 'load is on');
		const began = performance.now();
		const fcgi = /** @type {import('../lib/program.js').Program} */ (stack.fcgi);
		fcgi.kill('SIGTERM');
		const exit = await fcgi.wait(5000);
		const took = performance.now() - began;
		running = false;
		await Promise.all(clients);
		assert.deepEqual(exit, { code: 0, signal: null });
		assert.ok(took < 2200, `it took ${took} ms`);
		assert.deepEqual(Object.keys(seen).filter((s) => !['202', '502', '503'].includes(s)), [], JSON.stringify(seen));
	});
});
