// @ts-check
/* outlook-addin-renew keeps subscriptions alive; time passes by libfaketime and the simulators' clock. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

const HOUR = 3600_000;
const DAY = 24 * HOUR;

test('a subscription is renewed after half of its life, before it runs out, and notifications go on', async () => {
	await Stack.play('renewal', { clock: true }, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub, conv, event } = await stack.follow(stack.mailboxes[0]);
		const patches = () => sims.requests({ service: 'graph', op: 'renewSubscription' }).filter((r) => r.status === 200).length;

		/* Nothing due: no network at all. */
		await stack.quiet();
		const quiet = sims.requests({}).length;
		const idle = await stack.renew();
		assert.equal(idle.code, 0, idle.stderr);
		assert.equal(idle.stdout, '');
		assert.equal(idle.log.filter((l) => l.level === 'info').length, 1, 'one summary line');
		assert.equal(sims.requests({}).length, quiet, 'no exchange');

		await stack.advance(3.4 * DAY);
		assert.equal((await stack.renew()).code, 0);
		assert.equal(patches(), 0, 'not due before half of its life');

		await stack.advance(0.3 * DAY);
		const dry = await stack.renew('-n');
		assert.equal(dry.code, 0, dry.stderr);
		assert.match(dry.stdout, new RegExp(mailbox.oid));
		assert.equal(dry.stdout.trim().split('\n').length, 1, 'one line per mailbox');
		assert.deepEqual(dry.log.map((l) => [l.event, l.dryRun]), [['renew-done', true]], 'its summary line');
		assert.equal(patches(), 0, 'a dry run changes nothing');
		const run = await stack.renew();
		assert.equal(run.code, 0, run.stderr);
		assert.equal(run.stdout, '');
		assert.deepEqual(run.log.filter((l) => l.event === 'renew-done').map((l) => l.renewed), [1], 'one summary line');
		assert.equal(patches(), 1);
		const renewed = sims.subscriptionsOf(mailbox);
		assert.deepEqual(renewed.map((s) => s.id), [sub.id], 'the same subscription');
		assert.ok(renewed[0].expiresAt - stack.now() > 6.9 * DAY, 'for another whole life');

		sims.editEvent(mailbox, event, { subject: 'after renewal' });
		await waitFor(() => sims.conversation(conv.id).topic === 'after renewal', 5000, 'the conversation follows');
	});
});

test('a subscription that ran out is made again, and what was missed meanwhile is caught up', async () => {
	await Stack.play('expired', { clock: true }, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub, conv, event } = await stack.follow(stack.mailboxes[0], { start: stack.now() + 30 * DAY });
		await stack.advance(8 * DAY);
		assert.equal(sims.subscriptionsOf(mailbox).length, 0, 'Graph has let it run out');
		sims.editEvent(mailbox, event, { subject: 'changed in silence' });

		const run = await stack.renew();
		assert.equal(run.code, 0, run.stderr);
		const made = sims.subscriptionsOf(mailbox);
		assert.equal(made.length, 1);
		assert.notEqual(made[0].id, sub.id);
		assert.notEqual(made[0].clientState, sub.clientState, 'a new clientState');
		await waitFor(() => sims.conversation(conv.id).topic === 'changed in silence', 10_000, 'the change is caught up');

		sims.editEvent(mailbox, event, { subject: 'and on' });
		await waitFor(() => sims.conversation(conv.id).topic === 'and on', 5000, 'notifications flow again');
		/* The old clientState is worth nothing any more. */
		stack.secrets.push(sub.clientState);
	});
});

test('a subscription that Graph lost without a word is recreated by the renewal', async () => {
	await Stack.play('lost-subscription', { clock: true }, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub, conv, event } = await stack.follow(stack.mailboxes[0], { start: stack.now() + 30 * DAY });
		const other = await stack.follow(stack.mailboxes[2], { start: stack.now() + 30 * DAY });
		sims.dropSubscription(sub.id);
		sims.editEvent(mailbox, event, { subject: 'nobody told' });
		await stack.advance(4 * DAY);
		const run = await stack.renew();
		assert.equal(run.code, 0, run.stderr);
		const made = sims.subscriptionsOf(mailbox);
		assert.equal(made.length, 1);
		assert.notEqual(made[0].id, sub.id);
		await waitFor(() => sims.conversation(conv.id).topic === 'nobody told', 10_000, 'the change is caught up');
		assert.deepEqual(sims.subscriptionsOf(other.mailbox).map((s) => s.id), [other.sub.id], 'the other tenant was renewed, not recreated');
	});
});

test('--force renews what is not due; two runs at once are harmless; Graph down means exit 1 and later success', async () => {
	await Stack.play('renew-force', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub } = await stack.follow(stack.mailboxes[0]);
		const both = await Promise.all([stack.renew('--force'), stack.renew('--force'), stack.renew('--force')]);
		for (const run of both)
			assert.equal(run.code, 0, run.stderr);
		assert.deepEqual(sims.subscriptionsOf(mailbox).map((s) => s.id), [sub.id]);

		const fault = sims.fault({ service: 'graph', op: ['renewSubscription', 'batch', 'listSubscriptions'], kind: 'status', status: 503 });
		stack.expectErrors = true;
		const failed = await stack.renew('--force');
		assert.equal(failed.code, 1, failed.stderr);
		assert.ok(failed.log.some((l) => ['warning', 'error'].includes(l.level)), 'it says why');
		sims.unfault(fault);
		assert.equal((await stack.renew('--force')).code, 0);
		assert.deepEqual(sims.subscriptionsOf(mailbox).map((s) => s.id), [sub.id]);

		const usage = await stack.renew('--no-such-option');
		assert.equal(usage.code, 2);
		const wrong = await stack.run(stack.parts.renew, ['--config', `${stack.dir}/absent.json`]);
		assert.equal(wrong.code, 2, wrong.stderr);
		const secretless = await stack.run(stack.parts.renew, ['--config', String(stack.configFile), '--force'], { secrets: false });
		assert.equal(secretless.code, 2, secretless.stderr);
	});
});

test('at the default log level a pass is one line, whatever it did', async () => {
	await Stack.play('one-line', { config: { logLevel: 'info' } }, async (stack) => {
		await stack.follow(stack.mailboxes[0]);
		await stack.follow(stack.mailboxes[1]);
		const run = await stack.renew('--force');
		assert.equal(run.code, 0, run.stderr);
		assert.deepEqual(run.log.map((l) => [l.event, l.renewed]), [['renew-done', 2]]);
		const before = Date.parse(run.log[0].nearestExpiry);
		assert.ok(before > Date.now(), run.stderr);
		const told = await stack.renew('--force', '-v');
		assert.equal(told.stdout.trim().split('\n').length, 2, 'with -v a line for each mailbox');
	});
});
