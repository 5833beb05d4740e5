// @ts-check
/* A store that is lost, or was never there, is filled again from what Graph knows. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

/** The store is gone, the programs run. @param {Stack} stack @param {string} suffix "" removes it, else it is moved aside */
async function lose(stack, suffix) {
	await stack.fcgiDown();
	for (const tail of ['', '-wal', '-shm'])
		if (tail === '' && suffix !== '')
			fs.renameSync(stack.storeFile, stack.storeFile + suffix);
		else
			fs.rmSync(stack.storeFile + tail, { force: true });
	await stack.startFcgi();
	await waitFor(() => fs.existsSync(stack.storeFile), 5000, 'a new store');
}

/** @param {Stack} stack */
const lists = (stack) => stack.sims.requests({ service: 'graph', op: 'listSubscriptions' }).length;

test('after the store was lost, the next renew adopts the mailbox and its conversation follows again', async () => {
	await Stack.play('lost', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub, conv, event } = await stack.follow(stack.mailboxes[0]);
		await lose(stack, '');

		const run = await stack.renew();
		assert.equal(run.code, 0, run.stderr);
		assert.equal(run.log.find((l) => l.event === 'renew-done').adopted, 1);
		const now = sims.subscriptionsOf(mailbox);
		assert.equal(now.length, 1, 'one subscription');
		assert.notEqual(now[0].id, sub.id, 'a new one: the clientState of the old one is lost');
		sims.editEvent(mailbox, event, { subject: 'after the loss' });
		await waitFor(() => sims.conversation(conv.id).topic === 'after the loss', 15_000, 'the conversation follows again');

		const before = lists(stack);
		const idle = await stack.renew();
		assert.equal(idle.code, 0, idle.stderr);
		assert.equal(lists(stack), before, 'a pass with nothing due needs no network');
		const again = await stack.renew('--force');
		assert.equal(again.log.find((l) => l.event === 'renew-done').adopted, 0, 'known by now');
	});
});

test('after the store was lost, an operator adopts one mailbox by hand', async () => {
	await Stack.play('by-hand', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub, conv, event } = await stack.follow(stack.mailboxes[0]);
		await lose(stack, '');
		const done = await stack.ctl('resync', '--adopt', '--tenant', mailbox.tenant, '--user', mailbox.oid);
		assert.equal(done.code, 0, done.stderr);
		await waitFor(async () => (await stack.query('SELECT count(*) AS n FROM link WHERE state = 1'))[0].n === 1, 15_000, 'the link is found by its property');
		await waitFor(() => sims.subscriptionsOf(mailbox).length === 1 && sims.subscriptionsOf(mailbox)[0].id !== sub.id, 15_000, 'one subscription, a new one');
		sims.editEvent(mailbox, event, { subject: 'adopted' });
		await waitFor(() => sims.conversation(conv.id).topic === 'adopted', 15_000, 'the conversation follows again');
	});
});

test('beside a store that was moved aside the next pass adopts by itself', async () => {
	await Stack.play('aside', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox, conv, event } = await stack.follow(stack.mailboxes[0]);
		await lose(stack, '.corrupt-20261123T200000Z');
		const run = await stack.renew();
		assert.equal(run.code, 0, run.stderr);
		sims.editEvent(mailbox, event, { subject: 'healed' });
		await waitFor(() => sims.conversation(conv.id).topic === 'healed', 15_000, 'the conversation follows again');
		const before = lists(stack);
		await stack.renew();
		assert.equal(lists(stack), before, 'once is enough');
	});
});

test('in a store that knows some mailboxes but not all, a notification of the forgotten ones has the next pass adopt them', async () => {
	await Stack.play('forgotten', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox, conv, event } = await stack.follow(stack.mailboxes[0]);
		await lose(stack, '');
		await stack.follow(stack.mailboxes[1]);
		const before = lists(stack);
		await stack.renew();
		assert.equal(lists(stack), before, 'it looks healthy');
		sims.editEvent(mailbox, event, { subject: 'to nobody' });
		await waitFor(async () => (await stack.query("SELECT 1 AS n FROM fact WHERE name = 'notified-unknown'")).length === 1, 15_000, 'web has left its sign');
		const run = await stack.renew();
		assert.equal(run.code, 0, run.stderr);
		assert.equal(run.log.find((l) => l.event === 'renew-done').adopted, 1);
		await waitFor(() => sims.conversation(conv.id).topic === 'to nobody', 15_000, 'the conversation follows again');
	});
});

test('subscriptions of others, to other hosts or for other resources are never adopted', async () => {
	await Stack.play('others', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox } = await stack.follow(stack.mailboxes[0]);
		const [sub] = sims.sim.subscriptions.byMailbox.get(mailbox.oid) ?? [];
		sub.notificationUrl = 'https://elsewhere.example.com/addin/webhook/events';
		await lose(stack, '');
		const run = await stack.renew('--force');
		assert.equal(run.code, 0, run.stderr);
		const done = run.log.find((l) => l.event === 'renew-done');
		assert.equal(done.adopted, 0);
		assert.equal(done.mailboxes, 0);
	});
});

test('a list that can not be read adopts nothing, recreates nothing, and says so', async () => {
	await Stack.play('listless', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub } = await stack.follow(stack.mailboxes[0]);
		sims.fault({ service: 'graph', op: 'listSubscriptions', kind: 'status', status: 503 });
		stack.expectErrors = true;
		const run = await stack.renew('--force');
		assert.equal(run.code, 1, run.stderr);
		assert.deepEqual(sims.subscriptionsOf(mailbox).map((s) => s.id), [sub.id], 'the subscription stands');
	});
});
