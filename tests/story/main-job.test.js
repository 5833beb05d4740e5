// @ts-check
/* The main job: an agent books, plans, moves and deletes; the conversation follows. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Stack } from '../lib/stack.js';
import { neverWithin, waitFor } from '../lib/wait.js';

const HOUR = 3600_000;

/** @param {Stack} stack @param {string} conversation */
function writes(stack, conversation) {
	return stack.sims.requests({ service: 'unblu', conversation }).filter((r) => ['setTopic', 'setScheduledTimestamp', 'delete'].includes(r.op)).map((r) => r.op);
}

test('a conversation follows its event from booking to deletion, in two tenants at once', async () => {
	await Stack.play('main-job', {}, async (stack) => {
		await Promise.all([stack.mailboxes[0], stack.mailboxes[2]].map(async (mailbox) => {
			const { sims } = stack;
			const start = Math.ceil(stack.now() / 60_000) * 60_000 + 26 * HOUR;

			/* The button: a conversation in Unblu, then PUT. */
			const conv = await sims.book(mailbox, { topic: 'Review', start });
			assert.equal(sims.conversation(conv.id).state, 'CREATED');
			assert.equal(sims.subscriptionsOf(mailbox).length, 0);
			const put = await stack.putLink(mailbox, conv, { topic: 'Review', start });
			assert.equal(put.status, 202, put.text);

			/* Followed at once, not at the next cron run. */
			const sub = await waitFor(() => sims.subscriptionsOf(mailbox)[0], 5000, `a subscription for ${mailbox.upn}`);
			assert.equal(sub.changeType, 'created,updated,deleted');
			assert.equal(sub.notificationUrl, `${stack.base}/webhook/events`);
			assert.equal(sub.lifecycleNotificationUrl, `${stack.base}/webhook/lifecycle`);
			assert.match(sub.clientState, /^[A-Za-z0-9_-]{32,128}$/);
			assert.equal(sub.immutableIds, true);
			/* Only its hash may be kept, wherever. */
			assert.deepEqual(fs.readdirSync(stack.stateDir).filter((f) => fs.readFileSync(`${stack.stateDir}/${f}`).includes(sub.clientState)), []);

			const event = await sims.addEvent(mailbox, { subject: 'Review', start, conversation: conv });
			await stack.linkState(mailbox, conv, (l) => l.state === 'linked', 'the link knows its event');
			assert.deepEqual(writes(stack, conv.id), [], 'nothing differs, nothing is written');

			sims.editEvent(mailbox, event, { subject: 'Review of the offer äöü €' });
			await waitFor(() => sims.conversation(conv.id).topic === 'Review of the offer äöü €', 5000, 'the conversation is renamed');
			sims.editEvent(mailbox, event, { start: start + 2 * HOUR });
			await waitFor(() => sims.conversation(conv.id).scheduledTimestamp === start + 2 * HOUR, 5000, 'the conversation is moved');
			assert.equal(sims.conversation(conv.id).topic, 'Review of the offer äöü €');
			const link = await stack.linkState(mailbox, conv, (l) => Date.parse(l.start) === start + 2 * HOUR, 'the pane sees the new time');
			assert.equal(link.topic, 'Review of the offer äöü €');

			sims.editEvent(mailbox, event, { subject: 'Last', start: start + 3 * HOUR });
			await waitFor(() => sims.conversation(conv.id).scheduledTimestamp === start + 3 * HOUR && sims.conversation(conv.id).topic === 'Last', 5000, 'both follow');
			assert.deepEqual(writes(stack, conv.id).sort(), ['setScheduledTimestamp', 'setScheduledTimestamp', 'setTopic', 'setTopic']);

			sims.deleteEvent(mailbox, event);
			await waitFor(() => sims.conversation(conv.id) === null, 15_000, 'the conversation is deleted after the grace time');
			assert.equal(writes(stack, conv.id).filter((w) => w === 'delete').length, 1);
		}));
		assert.equal(sims409(stack), 0);
	});
});

/** @param {Stack} stack */
function sims409(stack) {
	return stack.sims.requests({ service: 'graph', op: 'createSubscription', status: '409' }).length;
}

test('changes that do not matter cost no call to Unblu', async () => {
	await Stack.play('no-op', {}, async (stack) => {
		const { sims } = stack;
		const { mailbox, conv, event, start } = await stack.follow(stack.mailboxes[0]);
		await stack.quiet();
		const before = sims.requests({ service: 'unblu' }).length;
		const gets = () => sims.requests({ service: 'graph', op: 'getEvent', mailbox: mailbox.oid }).length;
		for (let i = 0; i < 4; i++) {
			const seen = gets();
			sims.touchEvent(mailbox, event);
			await waitFor(() => gets() > seen, 5000, 'the event is read');
			await stack.quiet();
		}
		/* The same minute, and blanks around the subject. */
		const seen = gets();
		sims.editEvent(mailbox, event, { subject: `  ${event.name} `, start: start + 20_000 });
		await waitFor(() => gets() > seen, 5000, 'the event is read');
		await stack.quiet();
		assert.equal(sims.requests({ service: 'unblu' }).length, before, 'no call to Unblu');
		assert.equal(sims.conversation(conv.id).topic, event.name);
	});
});

test('a storm of notifications is coalesced, and no mailbox sees more than two requests at a time', async () => {
	await Stack.play('storm', { settings: { graph: { latencyMs: [5, 40] } } }, async (stack) => {
		const { sims } = stack;
		const followed = await Promise.all(stack.mailboxes.map((m) => stack.followMany(m, 12)));
		for (let round = 1; round <= 5; round++)
			for (const { mailbox, links } of followed)
				for (const { event } of links)
					sims.editEvent(mailbox, event, { subject: `${event.name} round ${round}` });
		await waitFor(() => followed.every(({ links }) => links.every(({ conv, event }) => sims.conversation(conv.id).topic === `${event.name} round 5`)), 30_000, 'every topic has followed');
		await stack.quiet();
		for (const mailbox of stack.mailboxes) {
			const counters = sims.mailboxCounters(mailbox);
			assert.ok(counters.maxExchanges >= 1 && counters.maxExchanges <= 2, `${mailbox.upn}: ${counters.maxExchanges} at a time`);
			assert.equal(counters.throttled, 0);
		}
		const topics = sims.requests({ service: 'unblu', op: 'setTopic' });
		assert.ok(topics.length <= 4 * 12 * 5);
		/* Nothing is written twice. */
		const perConversation = new Map();
		for (const t of topics)
			perConversation.set(t.conversation, (perConversation.get(t.conversation) ?? 0) + 1);
		for (const [id, n] of perConversation)
			assert.ok(n <= 5, `${id}: ${n} writes`);
	});
});

test('web holds no secret: neither in its environment nor among the files it can open', async () => {
	await Stack.play('privileges', {}, async (stack) => {
		const web = await stack.pid('web');
		const sync = await stack.pid('sync');
		const environ = fs.readFileSync(`/proc/${web}/environ`, 'utf8');
		for (const [name, value] of Object.entries(stack.sims.secrets)) {
			assert.ok(!environ.includes(name), `${name} is in web's environment`);
			assert.ok(!environ.includes(value));
		}
		for (const pid of [web, sync]) {
			const argv = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
			for (const value of Object.values(stack.sims.secrets))
				assert.ok(!argv.includes(value));
		}
		if (process.getuid?.() === 0)
			assert.notEqual(fs.statSync(`/proc/${web}`).uid, undefined);
		await neverWithin(() => stack.pids('web')[0] !== web, 300, 'web restarts by itself');
	});
});
