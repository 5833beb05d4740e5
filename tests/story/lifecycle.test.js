// @ts-check
/* Three lifecycle events, three reactions; forged ones, repeated ones and floods of them do nothing more. See also removed.test.js. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { item, lifecycleItem } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { neverWithin, waitFor } from '../lib/wait.js';
import { asked, done, EVENTS, LIFECYCLE, MINUTE, pass, post, REAUTHORIZE, REMOVED } from './lifecycle.js';

test('reauthorizationRequired: one renewal, not twice within ten minutes, however often it is said', async () => {
	await Stack.play('reauthorize', { clock: true }, async (stack) => {
		const { mailbox, sub } = await stack.follow(stack.mailboxes[0]);
		/* One whose event is looked for now and then, but not because of this. */
		await stack.follow(mailbox, { name: 'Never saved', event: false });
		await stack.quiet();
		await done(stack);
		const first = asked(stack);
		await post(stack, LIFECYCLE, lifecycleItem(sub, REAUTHORIZE));
		await waitFor(() => asked(stack).patches === first.patches + 1, 5000, 'it is renewed, though it has just been made');
		await post(stack, LIFECYCLE, lifecycleItem(sub, REAUTHORIZE));
		await done(stack);
		assert.deepEqual(asked(stack), { ...first, patches: first.patches + 1 }, 'it has just been renewed');

		await pass(stack, 11 * MINUTE);
		const before = asked(stack);
		await post(stack, LIFECYCLE, lifecycleItem(sub, REAUTHORIZE), lifecycleItem(sub, REAUTHORIZE), lifecycleItem(sub, REAUTHORIZE));
		await waitFor(() => asked(stack).patches === before.patches + 1, 5000, 'it is renewed');
		for (let i = 0; i < 20; i++)
			await post(stack, i % 2 === 0 ? EVENTS : LIFECYCLE, lifecycleItem(sub, REAUTHORIZE));
		await done(stack);
		assert.deepEqual(asked(stack), { ...before, patches: before.patches + 1 }, 'one PATCH and nothing else');
		const [same] = stack.sims.subscriptionsOf(mailbox);
		assert.equal(same.id, sub.id);
		assert.equal(same.clientState, sub.clientState);
		assert.ok(same.expiresAt - stack.now() > 6.9 * 24 * 60 * MINUTE);

		await pass(stack, 11 * MINUTE);
		const later = asked(stack);
		await post(stack, LIFECYCLE, lifecycleItem(sub, REAUTHORIZE));
		await waitFor(() => asked(stack).patches === later.patches + 1, 5000, 'then once more');
	});
});

test('reauthorizationRequired that is refused parks the mailbox and deletes nothing', async () => {
	await Stack.play('reauthorize-forbidden', { clock: true }, async (stack) => {
		const { sub, conv } = await stack.follow(stack.mailboxes[0]);
		const other = await stack.follow(stack.mailboxes[1]);
		await stack.quiet();
		await pass(stack, 11 * MINUTE);
		stack.sims.fault({ service: 'graph', op: 'renewSubscription', kind: 'status', status: 403, code: 'ErrorAccessDenied' });
		const before = asked(stack);
		await post(stack, LIFECYCLE, lifecycleItem(sub, REAUTHORIZE));
		await waitFor(async () => (await stack.query('SELECT count(*) AS n FROM mailbox WHERE state = 1'))[0].n === 1, 5000, 'it is parked');
		for (let i = 0; i < 5; i++)
			await post(stack, LIFECYCLE, lifecycleItem(sub, REAUTHORIZE));
		await done(stack);
		assert.deepEqual(asked(stack), { ...before, patches: before.patches + 1 }, 'not asked again before its time');
		assert.equal(stack.sims.conversation(conv.id).state, 'CREATED');
		assert.equal(stack.sims.subscriptionsOf(other.mailbox).length, 1);
		const status = JSON.parse((await stack.ctl('mailbox', 'list', '--json')).stdout);
		assert.match(JSON.stringify(status), /parked.*forbidden|forbidden.*parked/);
	});
});

test('missed: that mailbox is caught up with, its subscription and the others are left alone', async () => {
	await Stack.play('missed', {}, async (stack) => {
		const { sims } = stack;
		const one = await stack.follow(stack.mailboxes[0]);
		const other = await stack.follow(stack.mailboxes[1]);
		await stack.quiet();
		await done(stack);
		sims.silence(true);
		for (const f of [one, other])
			sims.editEvent(f.mailbox, f.event, { subject: `lost of ${f.mailbox.upn}` });
		sims.silence(false);
		const before = asked(stack);
		const otherBefore = sims.mailboxCounters(other.mailbox).requests;
		await post(stack, LIFECYCLE, lifecycleItem(one.sub, 'missed'));
		await waitFor(() => sims.conversation(one.conv.id).topic === `lost of ${one.mailbox.upn}`, 5000, 'what was lost is there');
		await done(stack);
		assert.deepEqual(asked(stack), { ...before, batches: before.batches + 1, searches: before.searches + 1 });
		assert.equal(sims.mailboxCounters(other.mailbox).requests, otherBefore, 'nobody asked about the other');
		assert.notEqual(sims.conversation(other.conv.id).topic, `lost of ${other.mailbox.upn}`);
		assert.deepEqual(sims.subscriptionsOf(one.mailbox).map((s) => s.id), [one.sub.id]);
	});
});

test('mixed in one body: each has its own reaction, an unknown word has none', async () => {
	await Stack.play('mixed', { clock: true }, async (stack) => {
		const { sims } = stack;
		const all = [];
		for (const mailbox of stack.mailboxes)
			all.push(await stack.follow(mailbox));
		const [renewed, gone, lost, left] = all;
		await stack.quiet();
		await pass(stack, 11 * MINUTE);
		sims.dropSubscription(gone.sub.id);
		sims.silence(true);
		for (const f of all)
			sims.editEvent(f.mailbox, f.event, { subject: 'said by nobody' });
		sims.silence(false);
		const before = asked(stack);
		await post(stack, EVENTS, lifecycleItem(left.sub, 'somethingNew'), lifecycleItem(lost.sub, 'missed'), lifecycleItem(renewed.sub, REAUTHORIZE),
			lifecycleItem(gone.sub, REMOVED), { ...lifecycleItem(left.sub, REAUTHORIZE), lifecycleEvent: 7 }, lifecycleItem(lost.sub, 'MISSED'));
		await waitFor(() => sims.conversation(lost.conv.id).topic === 'said by nobody', 5000, 'missed');
		await waitFor(() => sims.conversation(gone.conv.id).topic === 'said by nobody', 5000, 'removed');
		await waitFor(() => asked(stack).patches === before.patches + 1, 5000, 'reauthorized');
		await done(stack);
		assert.notEqual(sims.conversation(renewed.conv.id).topic, 'said by nobody');
		assert.notEqual(sims.conversation(left.conv.id).topic, 'said by nobody');
		assert.equal(asked(stack).created, before.created + 1);
		assert.equal(asked(stack).patches, before.patches + 1);
		for (const f of [renewed, lost, left])
			assert.deepEqual(sims.subscriptionsOf(f.mailbox).map((s) => s.id), [f.sub.id]);

		/* With a changeType too, which Graph never sends: a hint to look at the event, and what was said. */
		const renewals = asked(stack).patches;
		await post(stack, EVENTS, item(left.sub, left.event.id, { lifecycleEvent: REAUTHORIZE }));
		await waitFor(() => sims.conversation(left.conv.id).topic === 'said by nobody', 5000, 'the event was looked at');
		await waitFor(() => asked(stack).patches === renewals + 1, 5000, 'and it was renewed');
	});
});

test('forged lifecycle messages are answered 202 and do nothing at all', async () => {
	await Stack.play('forged', { clock: true }, async (stack) => {
		const { sims } = stack;
		const one = await stack.follow(stack.mailboxes[0]);
		const other = await stack.follow(stack.mailboxes[2]);
		await stack.quiet();
		await pass(stack, 11 * MINUTE);
		sims.silence(true);
		sims.editEvent(one.mailbox, one.event, { subject: 'not to be seen' });
		sims.silence(false);
		const before = sims.requests({}).length;
		const rows = (await stack.query('SELECT count(*) AS n, coalesce(sum(generation), 0) AS g FROM work'))[0];
		const { sub } = one;
		const guises = [
			{ clientState: 'guessed' }, { clientState: '' }, { clientState: null }, { clientState: undefined }, { clientState: 42 }, { clientState: `${sub.clientState}x` }, { clientState: other.sub.clientState },
			{ tenantId: other.sub.tenant }, { tenantId: undefined }, { tenantId: 'common' },
			{ subscriptionId: '00000000-0000-4000-8000-000000000000' }, { subscriptionId: other.sub.id }, { subscriptionId: undefined }, { subscriptionId: '' },
		];
		for (const route of [EVENTS, LIFECYCLE])
			for (const kind of [REAUTHORIZE, REMOVED, 'missed'])
				for (const guise of guises)
					await post(stack, route, { ...lifecycleItem(sub, kind), ...guise });
		await neverWithin(() => sims.requests({}).length !== before, 1500, 'a request because of a forged message');
		assert.deepEqual((await stack.query('SELECT count(*) AS n, coalesce(sum(generation), 0) AS g FROM work'))[0], rows, 'no row');
		assert.equal((await stack.query('SELECT count(*) AS n FROM arrival'))[0].n, 0);
		assert.equal(sims.subscriptionsOf(one.mailbox)[0].id, sub.id);
		/* The right one works all the same. */
		await post(stack, LIFECYCLE, lifecycleItem(sub, 'missed'));
		await waitFor(() => sims.conversation(one.conv.id).topic === 'not to be seen', 5000, 'a true one is heard');
	});
});
