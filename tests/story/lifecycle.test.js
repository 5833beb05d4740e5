// @ts-check
/* Three lifecycle events, three reactions; forged ones, repeated ones and floods of them do nothing more. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { body, item, lifecycleItem } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { neverWithin, pause, waitFor } from '../lib/wait.js';

const MINUTE = 60_000;
const EVENTS = '/addin/webhook/events';
const LIFECYCLE = '/addin/webhook/lifecycle';
const REAUTHORIZE = 'reauthorizationRequired';
const REMOVED = 'subscriptionRemoved';

/** What Graph has been asked for, but for what notifications of events need. @param {Stack} stack */
function asked(stack) {
	const count = (/** @type {string} */ op) => stack.sims.requests({ service: 'graph', op }).filter((/** @type {any} */ r) => !r.batch).length;
	return {
		patches: stack.sims.requests({ service: 'graph', op: 'renewSubscription' }).length, created: count('createSubscription'), deleted: count('deleteSubscription'),
		batches: count('batch'), searches: count('listEvents'), reauthorized: count('reauthorizeSubscription'),
	};
}

/** @param {Stack} stack @param {string} route @param {...any} items */
async function post(stack, route, ...items) {
	assert.equal((await stack.http.post(route, body(...items))).status, 202);
}

/** All that is queued is done, whatever it is. @param {Stack} stack */
async function done(stack) {
	await waitFor(async () => (await stack.query(`SELECT (SELECT count(*) FROM arrival) + (SELECT count(*) FROM work WHERE claimed = 1 OR run_ms < ${stack.now() + 2000}) AS n`))[0].n === 0, 15_000, 'nothing is queued for now');
}

/** Time passes, and what a sleeper has to make good is made good. @param {Stack} stack @param {number} ms */
async function pass(stack, ms) {
	const before = stack.now();
	await stack.advance(ms);
	await waitFor(async () => (await stack.query('SELECT at_ms FROM fact WHERE name = \'sync-heartbeat\''))[0].at_ms >= before + ms, 15_000, 'the heart beats in the new time');
	await waitFor(async () => (await stack.query(`SELECT count(*) AS n FROM mailbox WHERE state = 0 AND check_ms <= ${stack.now()}`))[0].n === 0, 15_000, 'no catch-up is due');
	await done(stack);
}

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
