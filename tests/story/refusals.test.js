// @ts-check
/* Entra, Graph and Unblu say no, or not now: nothing is lost, nobody is pestered, tenants are islands. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Stack } from '../lib/stack.js';
import { neverWithin, waitFor } from '../lib/wait.js';
import { follows } from './follows.js';

test('Retry-After is never undercut, in whatever form it comes', async () => {
	await Stack.play('throttled', {}, async (stack) => {
		const { sims } = stack;
		const link = await stack.follow(stack.mailboxes[0]);
		const other = await stack.follow(stack.mailboxes[2]);
		let number = 0;
		for (const [service, op] of /** @type {const} */ ([['graph', 'getEvent'], ['unblu', 'setTopic']]))
			for (const form of [{ retryAfter: 2 }, { retryAfter: 1.5 }, { retryAfter: 2, retryAfterStyle: 'date' }, { retryAfter: null }, { retryAfter: 0 }, { retryAfter: 2, status: 503, kind: 'status' }]) {
				const topic = `throttled ${++number}`;
				sims.fault({ service, op, kind: 'throttle', count: 1, mailbox: service === 'graph' ? link.mailbox.oid : undefined, ...form });
				sims.editEvent(link.mailbox, link.event, { subject: topic });
				if (service === 'graph') {
					sims.editEvent(other.mailbox, other.event, { subject: topic });
					await follows(stack, other, topic, 3000);
				}
				await follows(stack, link, topic);
				sims.clearFaults();
			}
		assert.equal(sims.earlyRetries(), 0, 'nobody came back too early');
		assert.equal(await stack.deadLetters(), 0);
	});
});

test('a Retry-After outlives kill -9 of sync', async () => {
	await Stack.play('throttled-crash', {}, async (stack) => {
		const { sims } = stack;
		const link = await stack.follow(stack.mailboxes[0]);
		sims.fault({ service: 'graph', op: 'getEvent', kind: 'throttle', retryAfter: 4, count: 1, scope: 'mailbox' });
		sims.editEvent(link.mailbox, link.event, { subject: 'late' });
		await waitFor(() => sims.requests({ service: 'graph', op: 'getEvent', status: '429' }).length === 1, 5000, 'Graph has said 429');
		await stack.still();
		await stack.kill('sync');
		sims.editEvent(link.mailbox, link.event, { subject: 'later' });
		await follows(stack, link, 'later');
		assert.equal(sims.earlyRetries(), 0);
	});
});

test('an expired secret in one tenant is said clearly, stops nothing else, and costs no row', async () => {
	await Stack.play('secret-expired', { clock: true, config: { logLevel: 'info' } }, async (stack) => {
		const { sims } = stack;
		stack.expectErrors = true;
		const bad = await stack.follow(stack.mailboxes[0]);
		const good = await stack.follow(stack.mailboxes[2]);
		sims.expireSecret(bad.mailbox.tenant, true);
		sims.revokeTokens(bad.mailbox.tenant);
		sims.editEvent(bad.mailbox, bad.event, { subject: 'held back' });
		sims.editEvent(good.mailbox, good.event, { subject: 'unharmed' });
		await follows(stack, good, 'unharmed', 5000);
		await waitFor(() => stack.log.some((l) => /AADSTS7000222|7000222/.test(JSON.stringify(l))), 10_000, 'the log names the code');
		await waitFor(async () => JSON.stringify((await stack.http.get('/ready')).json.degraded).includes('credential'), 10_000, 'ready says credentials');
		const status = await stack.ctl('status', '--json');
		assert.equal(status.code, 1, status.stderr);
		assert.match(status.stdout, /7000222/);
		assert.deepEqual(JSON.parse(status.stdout).signIn.refused.map((/** @type {any} */ r) => [r.tenant, r.code]), [[bad.mailbox.tenant, 'AADSTS7000222']]);
		assert.match((await stack.http.get('/ready')).json.details.credentials, /AADSTS7000222: the client secret has expired/);
		const calls = sims.requests({ service: 'entra', op: 'token', tenant: bad.mailbox.tenant }).length;
		await neverWithin(() => sims.requests({ service: 'entra', op: 'token', tenant: bad.mailbox.tenant }).length > calls + 2, 3000, 'a loop at the token endpoint');
		assert.equal(await stack.deadLetters(), 0);
		/* The administrator makes a new secret and restarts; what was held goes on by itself. */
		sims.expireSecret(bad.mailbox.tenant, false);
		await stack.fcgiDown();
		await stack.advance(120_000);
		await stack.startFcgi();
		await follows(stack, bad, 'held back', 10_000);
		await waitFor(async () => !JSON.stringify((await stack.http.get('/ready')).json.degraded).includes('credential'), 10_000, 'ready is well again');
	});
});

test('a forbidden mailbox is parked with its reason, its notifications are kept, resume brings them out', async () => {
	await Stack.play('parked', {}, async (stack) => {
		const { sims } = stack;
		stack.expectErrors = true;
		const link = await stack.follow(stack.mailboxes[0]);
		const other = await stack.follow(stack.mailboxes[1]);
		sims.mailboxState(link.mailbox, 'forbidden');
		sims.editEvent(link.mailbox, link.event, { subject: 'behind the wall' });
		sims.editEvent(other.mailbox, other.event, { subject: 'free' });
		await follows(stack, other, 'free', 5000);
		await waitFor(async () => {
			const list = await stack.ctl('status', '--json');
			return /"state":\s*"parked"/.test(list.stdout) && list.stdout.includes(link.mailbox.oid);
		}, 10_000, 'status shows the mailbox parked');
		assert.equal(sims.conversation(link.conv.id).state, 'CREATED', 'nothing was deleted');
		assert.equal(await stack.deadLetters(), 0);
		sims.mailboxState(link.mailbox, 'ok');
		const resumed = await stack.ctl('mailbox', 'resume', '--tenant', link.mailbox.tenant, '--user', link.mailbox.oid);
		assert.equal(resumed.code, 0, resumed.stderr);
		await follows(stack, link, 'behind the wall', 10_000);
	});
});
