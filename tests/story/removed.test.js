// @ts-check
/* Subscriptions that Graph has removed, or says so of, and a Graph that says nothing for hours. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { lifecycleItem } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { neverWithin, pause, waitFor } from '../lib/wait.js';
import { asked, done, EVENTS, LIFECYCLE, MINUTE, pass, post, REAUTHORIZE, REMOVED } from './lifecycle.js';

for (const [what, listed] of /** @type {[string, boolean][]} */ ([['is gone', false], ['is still listed', true]]))
	test(`subscriptionRemoved of one that ${what}: a new one with a new clientState, a search and a catch-up`, async () => {
		await Stack.play(`removed-${listed}`, { clock: true }, async (stack) => {
			const { sims } = stack;
			const { mailbox, sub, conv, event } = await stack.follow(stack.mailboxes[0]);
			await stack.quiet();
			await pass(stack, 20_000);
			if (!listed)
				sims.dropSubscription(sub.id);
			sims.silence(true);
			sims.editEvent(mailbox, event, { subject: 'while nobody told' });
			/* And one that was saved in the gap: only a search finds it. */
			const fresh = await sims.book(mailbox, { topic: 'new', start: stack.now() + 60 * MINUTE });
			await sims.addEvent(mailbox, { subject: 'saved in the gap', start: stack.now() + 60 * MINUTE, conversation: fresh });
			sims.silence(false);
			const before = asked(stack);
			await post(stack, LIFECYCLE, lifecycleItem(sub, REMOVED), lifecycleItem(sub, REMOVED));
			await post(stack, EVENTS, lifecycleItem(sub, REMOVED));
			await waitFor(() => sims.conversation(conv.id).topic === 'while nobody told', 10_000, 'the change is caught up with');
			await waitFor(() => sims.conversation(fresh.id).topic === 'saved in the gap', 10_000, 'the new one is found');
			await done(stack);
			const all = sims.subscriptionsOf(mailbox);
			assert.equal(all.length, 1);
			assert.notEqual(all[0].id, sub.id);
			assert.notEqual(all[0].clientState, sub.clientState);
			assert.equal(asked(stack).created, before.created + 1, 'made once');
			assert.equal((await stack.query('SELECT count(*) AS n FROM subscription'))[0].n, 1);

			/* Late repetitions are of a subscription that nobody knows, once web has read its row again (a second). */
			await pause(1500);
			const after = asked(stack);
			for (const kind of [REMOVED, REAUTHORIZE, 'missed'])
				await post(stack, LIFECYCLE, lifecycleItem(sub, kind));
			await done(stack);
			assert.deepEqual(asked(stack), after);
			assert.deepEqual(sims.subscriptionsOf(mailbox).map((s) => s.id), [all[0].id]);
		});
	});

test('subscriptionRemoved of one that was made this very moment: Graph is asked, and it stays', async () => {
	await Stack.play('removed-young', {}, async (stack) => {
		const { mailbox, sub } = await stack.follow(stack.mailboxes[0]);
		const before = asked(stack);
		await post(stack, LIFECYCLE, lifecycleItem(sub, REMOVED));
		await waitFor(() => asked(stack).patches === before.patches + 1, 5000, 'it is asked for');
		await done(stack);
		assert.deepEqual(stack.sims.subscriptionsOf(mailbox).map((s) => [s.id, s.clientState]), [[sub.id, sub.clientState]]);
		assert.equal(asked(stack).deleted, before.deleted);
	});
});

test('without a word catch-ups go on, also behind a clock that was set back, and nothing is asked in between', async () => {
	await Stack.play('set-back', { clock: true, config: { catchUpHours: 0.05 } }, async (stack) => {
		const { sims } = stack;
		const { mailbox, conv, event } = await stack.follow(stack.mailboxes[0]);
		await stack.quiet();
		await done(stack);
		await stack.advance(-48 * 60 * MINUTE);
		await waitFor(async () => (await stack.query(`SELECT check_ms - ${stack.now()} AS ahead FROM mailbox WHERE user_id = '${mailbox.oid}'`))[0].ahead < 3.1 * MINUTE, 15_000, 'a plan of the future is not believed');
		sims.silence(true);
		sims.editEvent(mailbox, event, { subject: 'on the second Sunday' });
		sims.silence(false);
		const before = sims.requests({}).length;
		await neverWithin(() => sims.requests({}).length !== before, 6000, 'a request before its time');
		await stack.advance(4 * MINUTE);
		await waitFor(() => sims.conversation(conv.id).topic === 'on the second Sunday', 15_000, 'it is caught up with');
	});
});
