// @ts-check
/* A small storm behind the real nginx: `make bench` has the large one. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { pause } from '../lib/wait.js';

const DEBOUNCE_MS = 1000;
const PACE_MS = 50;

test('in a storm each event is read once in a debounce, and ends up right', async () => {
	await Stack.play('storm', { config: { notificationDebounceMs: DEBOUNCE_MS } }, async (stack) => {
		const { sims } = stack;
		const { sub, links } = await stack.followMany(stack.mailboxes[0], 6);
		await stack.quiet();
		sims.silence(true);
		const reads = () => sims.requests({ service: 'graph', op: 'getEvent', limit: '20000' }).length;
		const before = reads();
		const began = performance.now();
		for (let round = 0; round < 60; round++) {
			for (const { mailbox, event } of links)
				sims.editEvent(mailbox, event, { subject: `${event.name} round ${round}` });
			/* Each of them twenty times, shifted from POST to POST. */
			const all = Array.from({ length: 20 * links.length }, (_, i) => links[(i + round) % links.length]);
			const answer = await stack.http.post('/addin/webhook/events', body(...all.map((l) => item(sub, l.event.id))));
			assert.equal(answer.status, 202);
			await pause(Math.max(0, began + (round + 1) * PACE_MS - performance.now()));
		}
		await stack.idle();
		const took = performance.now() - began;
		for (const { conv, event } of links)
			assert.equal(sims.conversation(conv.id).topic, event.subject);
		/* The first look comes a debounce after the first of them. */
		const most = links.length * (Math.floor(took / DEBOUNCE_MS) + 1);
		assert.ok(reads() - before <= most, `${reads() - before} reads in ${took.toFixed(0)} ms, ${most} allowed`);
	});
});
