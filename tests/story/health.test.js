// @ts-check
/* What the outside sees when parts are missing or switched off. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Client } from '../lib/http.js';
import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

const EVENTS = '/addin/webhook/events';
const TOKEN = `${EVENTS}?validationToken=hello`;

test('without the program nginx serves the static files and says 503; it is back with the program', async () => {
	await Stack.play('no-program', {}, async (stack) => {
		const page = await stack.http.get('/addin/index.html');
		assert.equal(page.status, 200);
		await stack.fcgiDown();
		assert.equal((await stack.http.get('/addin/index.html')).status, 200);
		for (const target of ['/ready', '/live', '/addin/ready'])
			assert.equal((await stack.http.get(target)).status, 503, target);
		for (const target of [EVENTS, '/addin/webhook/lifecycle']) {
			const answer = await stack.http.post(target, '{"value":[]}');
			assert.equal(answer.status, 503, `${target}: Graph tries again`);
			assert.match(String(answer.headers['retry-after']), /^\d+$/, target);
		}
		await stack.startFcgi();
		await waitFor(async () => (await stack.http.get('/ready')).status === 200, 5000, 'ready');
		assert.equal((await stack.http.request('POST', TOKEN, { body: '' })).text, 'hello');
	});
});

test('without sync handshakes and notifications go on, ready says so, and everything is done when it is back', async () => {
	await Stack.play('no-sync', { clock: true }, async (stack) => {
		const { sims } = stack;
		const { mailbox, sub, conv, event } = await stack.follow(stack.mailboxes[0]);
		await stack.fcgiDown();
		await stack.startFcgi({ args: ['--role', 'web'] });
		await waitFor(async () => (await stack.http.get('/ready')).status === 200, 5000, 'ready');
		sims.silence(true);
		sims.editEvent(mailbox, event, { subject: 'meanwhile' });
		assert.equal((await stack.http.post(EVENTS, body(item(sub, event.id)))).status, 202);
		assert.equal((await stack.http.request('POST', TOKEN, { body: '' })).text, 'hello');
		await stack.advance(20_000);
		await waitFor(async () => {
			const answer = await stack.http.get('/ready');
			return answer.status === 200 && answer.json.degraded.includes('sync');
		}, 5000, 'ready, degraded: sync');
		assert.notEqual(sims.conversation(conv.id).topic, 'meanwhile');
		await stack.fcgiDown();
		await stack.startFcgi();
		await waitFor(() => sims.conversation(conv.id).topic === 'meanwhile', 10_000, 'what came in meanwhile is done');
		await waitFor(async () => !(await stack.http.get('/ready')).json.degraded.includes('sync'), 5000, 'ready is well again');
	});
});

test('with syncServerEnabled false the add-in is served, webhooks and api answer 404 in JSON', async () => {
	await Stack.play('disabled', { config: { syncServerEnabled: false } }, async (stack) => {
		assert.equal((await stack.http.get('/addin/index.html')).status, 200);
		assert.equal((await stack.http.get('/live')).status, 200);
		for (const [method, target] of [['POST', EVENTS], ['POST', TOKEN], ['GET', '/addin/api/links/x'], ['PUT', '/addin/api/links/x']]) {
			const answer = await stack.http.request(method, target, { body: method === 'GET' ? undefined : '{}' });
			assert.equal(answer.status, 404, target);
			assert.equal(typeof answer.json.error.code, 'string');
		}
	});
});

test('metrics are on their own listener only, and count what happened', async () => {
	await Stack.play('metrics', {}, async (stack) => {
		const { sub, event } = await stack.follow(stack.mailboxes[0]);
		assert.equal((await stack.http.get('/metrics')).status, 404);
		assert.equal((await stack.http.get('/addin/metrics')).status, 404);
		const own = new Client(`http://127.0.0.1:${stack.metricsPort}`);
		const read = async () => {
			const answer = await own.get('/metrics');
			assert.equal(answer.status, 200);
			return answer.text;
		};
		const count = (/** @type {string} */ text, /** @type {string} */ name) => Number(text.split('\n').find((l) => l.startsWith(name))?.split(' ').pop() ?? 0);
		const before = await read();
		const name = 'outlook_addin_notifications_total{result="accepted"}';
		for (let i = 0; i < 3; i++)
			assert.equal((await stack.http.post(EVENTS, body(item(sub, event.id)))).status, 202);
		assert.equal((await stack.http.post(EVENTS, body(item(sub, event.id, { clientState: 'x' })))).status, 202);
		const after = await read();
		assert.ok(count(after, name) >= count(before, name) + 3);
		assert.ok(count(after, 'outlook_addin_subscriptions{state="active"}') === 1, after);
		own.close();
	});
});
