// @ts-check
/* The agent's interface through nginx: who may announce, read and remove a link. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Stack } from '../lib/stack.js';
import { neverWithin, waitFor } from '../lib/wait.js';

const HOUR = 3600_000;

test('only a genuine user token of a configured tenant is taken', async () => {
	await Stack.play('bearers', {}, async (stack) => {
		const { sims } = stack;
		const [anna] = stack.mailboxes;
		const link = await stack.follow(anna);
		const ask = (/** @type {string | undefined} */ token) => stack.http.get(`/addin/api/links/${link.conv.id}`, token === undefined ? {} : { Authorization: `Bearer ${token}` });
		assert.equal((await ask(sims.bearer(anna))).status, 200);
		assert.equal((await ask(sims.bearer(anna, { ver: '1.0', iss: undefined }))).status, 200, 'version 1 tokens are users\' tokens too');
		/** @type {Record<string, any>} */
		const wrong = {
			expired: { expiresIn: -400 }, 'not yet valid': { notBefore: 900 }, 'no exp': { claims: { exp: null } }, 'no nbf': { claims: { nbf: null } },
			'for someone else': { aud: '99999999-2222-4333-8444-555555555555' }, 'from another client': { client: '99999999-2222-4333-8444-555555555555', aud: sims.config.clientId },
			'of a foreign tenant': { tenant: '84bd8158-0000-4000-8000-0000000000ff' }, 'of another issuer': { iss: 'https://evil.example/v2.0' },
			'app-only': { appOnly: true }, tampered: { tamper: true }, 'alg none': { alg: 'none' }, 'alg HS256': { alg: 'HS256' }, 'no oid': { claims: { oid: null } },
			'of a personal account': { tenant: '9188040d-6c67-4c5b-b112-36a304b66dad', personalKey: true },
		};
		for (const [name, want] of Object.entries(wrong)) {
			const answer = await ask(sims.bearer(anna, want));
			assert.equal(answer.status, 401, `${name}: ${answer.status} ${answer.text}`);
			assert.equal(typeof answer.json.error.requestId, 'string', name);
		}
		const good = sims.bearer(anna);
		for (const token of [undefined, '', 'x', 'a.b.c', good.slice(0, -1), `${good}.`, `${good}x`, good.replace('.', '..')])
			assert.equal((await ask(token)).status, 401, String(token).slice(0, 20));
		/* An unknown key is no verdict yet: come back. */
		const unknown = await ask(sims.bearer(anna, { kid: 'nobody-knows-this-key' }));
		assert.ok([401, 503].includes(unknown.status), String(unknown.status));
		stack.secrets.push(good.split('.')[2]);
	});
});

test('a link belongs to whoever announced it; the announcement is idempotent; removing it ends the following', async () => {
	await Stack.play('ownership', {}, async (stack) => {
		const { sims } = stack;
		const [anna, ben, carla] = stack.mailboxes;
		const start = Math.ceil(stack.now() / 60_000) * 60_000 + 30 * HOUR;
		const link = await stack.follow(anna, { start });
		for (const other of [ben, carla]) {
			assert.equal((await stack.http.get(`/addin/api/links/${link.conv.id}`, stack.authorization(other))).status, 404);
			await stack.putLink(other, link.conv, { topic: 'mine now', start });
			assert.notEqual((await stack.http.get(`/addin/api/links/${link.conv.id}`, stack.authorization(other))).status, 200);
			const removed = await stack.http.request('DELETE', `/addin/api/links/${link.conv.id}`, { headers: stack.authorization(other) });
			assert.ok([204, 404].includes(removed.status));
		}
		for (let i = 0; i < 3; i++)
			assert.equal((await stack.putLink(anna, link.conv, { topic: link.event.name, start, more: { unheardOf: true } })).status, 202);
		await stack.quiet();
		assert.equal(sims.subscriptionsOf(anna).length, 1, 'one subscription');
		sims.editEvent(anna, link.event, { subject: 'still followed' });
		await waitFor(() => sims.conversation(link.conv.id).topic === 'still followed', 10_000, 'the conversation follows its owner');

		const removed = await stack.http.request('DELETE', `/addin/api/links/${link.conv.id}`, { headers: stack.authorization(anna) });
		assert.equal(removed.status, 204);
		await stack.quiet();
		sims.editEvent(anna, link.event, { subject: 'on its own' });
		await neverWithin(() => sims.conversation(link.conv.id)?.topic === 'on its own', 1500, 'a removed link is followed');
	});
});

test('malformed announcements are refused with a reason', async () => {
	await Stack.play('announcements', {}, async (stack) => {
		const [anna] = stack.mailboxes;
		const conv = await stack.sims.book(anna, { topic: 'x', start: stack.now() + HOUR });
		await stack.putLink(anna, conv, { topic: 'x', start: stack.now() + HOUR });
		const put = (/** @type {any} */ data, /** @type {string} */ id = conv.id) => stack.http.request('PUT', `/addin/api/links/${id}`, { headers: { ...stack.authorization(anna), 'Content-Type': 'application/json' }, body: typeof data === 'string' ? data : JSON.stringify(data) });
		const whole = { v: 1, sourceId: conv.sourceId, topic: 'x', start: '2030-01-01T10:00:00Z' };
		for (const data of ['', '{', '[]', 'null', { ...whole, v: 2 }, { ...whole, sourceId: undefined }, { ...whole, sourceId: 17 }, { ...whole, start: 'tomorrow' }, { ...whole, start: '2030-01-01 10:00' }, { ...whole, mailbox: 'theirs' }, `{"v":1,"v":1}`]) {
			const answer = await put(data);
			assert.equal(answer.status, 400, `${JSON.stringify(data)}: ${answer.status} ${answer.text}`);
			assert.equal(typeof answer.json.error.message, 'string');
		}
		for (const id of ['..%2f..%2fetc', 'a%00b', 'x'.repeat(2000), '%ff'])
			assert.ok([400, 403, 404, 405, 414].includes((await put(whole, id)).status), id.slice(0, 20));
		assert.ok([400, 413].includes((await put({ ...whole, topic: 'x'.repeat(100_000) })).status));
	});
});

test('a conversation whose event is never saved is removed when its time is over; one with an event stays', async () => {
	await Stack.play('orphan', { config: { orphanGraceHours: 0.001 } }, async (stack) => {
		const { sims } = stack;
		const [anna, ben] = stack.mailboxes;
		const saved = await stack.follow(anna);
		const joined = await stack.follow(ben, { event: false });
		await sims.sim.control('POST', `/control/conversations/${joined.conv.id}/join`, { name: 'Guest' });
		const never = await stack.follow(anna, { event: false });
		const gone = await waitFor(async () => {
			const link = await stack.linkState(anna, never.conv, () => true, 'the pane is told');
			return link.state === 'deleted' ? link : null;
		}, 40_000, 'the orphan is removed');
		assert.match(gone.reason, /removed/);
		assert.equal(sims.conversation(never.conv.id), null);
		const kept = await waitFor(async () => {
			const link = await stack.linkState(ben, joined.conv, () => true, 'the pane is told');
			return link.state === 'kept' ? link : null;
		}, 40_000, 'the other one is kept');
		assert.match(kept.reason, /participant/);
		assert.notEqual(sims.conversation(joined.conv.id), null);
		await stack.linkState(anna, saved.conv, (l) => l.state === 'linked', 'the one with an event is left alone');
		const told = await stack.query("SELECT action, outcome, detail FROM audit WHERE action = 'delete' ORDER BY outcome");
		assert.deepEqual(told.map((a) => `${a.action} ${a.outcome}`), ['delete done', 'delete refused']);
		assert.ok(told.every((a) => a.detail.startsWith('orphan: ')));
	});
});

test('with the settings as they are an orphan lives for a day, and for the hour between two searches', async () => {
	await Stack.play('orphan-day', { clock: true }, async (stack) => {
		const { sims } = stack;
		const [anna] = stack.mailboxes;
		const never = await stack.follow(anna, { event: false });
		const searches = async () => (await stack.query('SELECT empty_searches AS n FROM link'))[0].n;
		await stack.advance(23.9 * HOUR);
		await neverWithin(async () => await searches() > 0, 6000, 'it is suspected too early');
		await stack.advance(0.2 * HOUR);
		await waitFor(async () => await searches() === 1, 15_000, 'the first search');
		await stack.advance(0.9 * HOUR);
		await neverWithin(async () => await searches() > 1, 6000, 'the second search comes too early');
		assert.notEqual(sims.conversation(never.conv.id), null);
		await stack.advance(0.2 * HOUR);
		await waitFor(() => sims.conversation(never.conv.id) === null, 15_000, 'the orphan is removed');
		await stack.linkState(anna, never.conv, (l) => l.state === 'deleted', 'the pane says so');
	});
});
