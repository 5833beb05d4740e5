// @ts-check
/* What a notification puts into the store, and what it must not. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { body, item, lifecycleItem, longId } from '../lib/notification.js';
import { request } from '../lib/fastcgi.js';
import { waitFor } from '../lib/wait.js';
import { EVENTS, HINT, KIND, LIFECYCLE, OTHER_TENANT, TENANT, Web } from './harness.js';

test('notifications', async (t) => {
	await Web.play({}, async (web) => {
		const sub = await web.follow();
		/** Sends it: 202, empty, and these rows are new. @param {string} text @param {any[]} want @param {string} [path] */
		const adds = async (text, want, path) => {
			const before = await web.rows();
			const answer = await web.notify(text, path);
			assert.equal(answer.status, 202, answer.body);
			assert.equal(answer.body, '');
			const after = await web.rows();
			/** @param {any} r */
			const key = (r) => JSON.stringify([r.kind, r.event, r.hints, r.mailbox]);
			const left = before.map(key);
			const news = after.filter((r) => {
				const at = left.indexOf(key(r));
				if (at >= 0)
					left.splice(at, 1);
				return at < 0;
			});
			assert.deepEqual(news.map(key).sort(), want.map((w) => key({ mailbox: sub.mailbox, event: '', ...w })).sort());
		};
		await t.test('an event of ours becomes a row with its hint, on both routes', async () => {
			await adds(body(item(sub, longId('a'))), [{ kind: KIND.event, event: longId('a'), hints: HINT.updated }]);
			await adds(body(item(sub, longId('b'), { changeType: 'created' })), [{ kind: KIND.event, event: longId('b'), hints: HINT.created }], LIFECYCLE);
			await adds(body(item({ ...sub, id: sub.id.toUpperCase() }, longId('d'))), [{ kind: KIND.event, event: longId('d'), hints: HINT.updated }]);
			await adds(body(item(sub, longId('c'), { changeType: 'deleted' })), [{ kind: KIND.event, event: longId('c'), hints: HINT.deleted }]);
		});
		await t.test('the three lifecycle events become three different rows, on both routes', async () => {
			await adds(body(lifecycleItem(sub, 'reauthorizationRequired')), [{ kind: KIND.follow, hints: HINT.reauthorize }], LIFECYCLE);
			await adds(body(lifecycleItem(sub, 'missed')), [{ kind: KIND.catchup, hints: HINT.missed }]);
			const other = await web.follow();
			await adds(body(lifecycleItem(other, 'subscriptionRemoved')), [{ kind: KIND.follow, hints: HINT.removed, mailbox: other.mailbox }], LIFECYCLE);
		});
		await t.test('ids that differ in one character are two events', async () => {
			await adds(body(item(sub, 'Aa_'), item(sub, 'Aa-'), item(sub, 'aa_')), ['Aa_', 'Aa-', 'aa_'].map((event) => ({ kind: KIND.event, event, hints: HINT.updated })));
		});
		await t.test('a subscription whose id is not stored yet is known by its clientState', async () => {
			const pending = await web.follow({ id: '' });
			const known = { ...pending, id: '00000000-7c96-4530-85b0-00b916f61599' };
			await adds(body(item(known, longId('p'))), [{ kind: KIND.event, event: longId('p'), hints: HINT.updated, mailbox: pending.mailbox }]);
			await adds(body(lifecycleItem(known, 'missed')), [{ kind: KIND.catchup, hints: HINT.missed, mailbox: pending.mailbox }]);
			await adds(body(item({ ...known, tenant: OTHER_TENANT }, longId('q'))), []);
			await adds(body(item({ ...known, clientState: 'guess' }, longId('r'))), []);
			assert.equal(await web.metric('notifications_total{result="foreign_tenant"}'), 1);
			assert.equal(await web.metric('notifications_total{result="unknown_subscription"}'), 1);
		});
		await t.test('what is not ours is answered the same, dropped and counted', async () => {
			const wrong = await web.metric('notifications_total{result="wrong_client_state"}');
			await adds(body(item({ ...sub, clientState: 'x' }, 'e1'), item(sub, 'good'), item({ ...sub, tenant: OTHER_TENANT }, 'e2'), item({ ...sub, id: '00000000-0000-4000-8000-000000000000', clientState: 'y' }, 'e3'), 17, null),
				[{ kind: KIND.event, event: 'good', hints: HINT.updated }]);
			assert.equal(await web.metric('notifications_total{result="wrong_client_state"}'), (wrong ?? 0) + 1);
		});
		await t.test('validationTokens beside a wrong clientState open nothing, however many', async () => {
			const wrong = await web.metric('notifications_total{result="wrong_client_state"}') ?? 0;
			for (const tokens of [['a.b.c', 'd.e.f'], Array.from({ length: 50 }, () => 'e30.e30.'), [sub.clientState, sub.clientState]])
				await adds(JSON.stringify({ value: [item({ ...sub, clientState: 'x' }, longId('tokens'))], validationTokens: tokens }), []);
			assert.equal(await web.metric('notifications_total{result="wrong_client_state"}'), wrong + 3);
			await adds(JSON.stringify({ value: [item(sub, longId('tokens'))], validationTokens: ['a.b.c', 'd.e.f'] }), [{ kind: KIND.event, event: longId('tokens'), hints: HINT.updated }]);
		});
		await t.test('an empty secret in the store opens nothing', async () => {
			const empty = await web.follow({ clientState: '' });
			const none = await web.follow();
			await web.query(`UPDATE subscription SET client_state_hash = '' WHERE id = '${none.id}'`, false);
			for (const clientState of ['', undefined, null, 0, false, [], 'x'])
				await adds(body(item({ ...empty, clientState }, longId('empty')), item({ ...none, clientState }, longId('none'))), []);
			await adds(body(item(none, longId('none'))), []);
		});
		await t.test('a subscription that is removed is no longer ours', async () => {
			const gone = await web.follow();
			await adds(body(item(gone, 'before')), [{ kind: KIND.event, event: 'before', hints: HINT.updated, mailbox: gone.mailbox }]);
			await web.query(`DELETE FROM subscription WHERE id = '${gone.id}'`, false);
			await new Promise((resolve) => setTimeout(resolve, 1100));
			await adds(body(item(gone, 'after')), []);
		});
		await t.test('2,200 items need several transactions and one answer', async () => {
			/* Each item has to stay within the 20,000 values of a body. */
			const items = Array.from({ length: 2200 }, (_, i) => ({ subscriptionId: sub.id, clientState: sub.clientState, tenantId: sub.tenant, changeType: 'updated', resourceData: { id: longId(`many-${i}`) } }));
			await adds(body(...items), items.map((i) => ({ kind: KIND.event, event: i.resourceData.id, hints: HINT.updated })));
		});
		await t.test('one of ours behind hundreds that nobody knows is stored, and told once or twice in the log', async () => {
			const unknown = Array.from({ length: 500 }, (_, i) => ({ subscriptionId: `0bad-${i}`, clientState: 'x', tenantId: sub.tenant }));
			const before = await web.metric('notifications_total{result="unknown_subscription"}') ?? 0;
			const lines = web.log.length;
			await adds(body(...unknown, item(sub, longId('behind'))), [{ kind: KIND.event, event: longId('behind'), hints: HINT.updated }]);
			assert.equal(await web.metric('notifications_total{result="unknown_subscription"}'), before + 500);
			const told = web.log.slice(lines).filter((l) => l.event === 'notification-dropped');
			assert.ok(told.length <= 2, JSON.stringify(told));
			assert.equal(told.reduce((sum, l) => sum + l.items, 0), 500);
		});
		await t.test('ours do not wait for requests that name thousands that nobody knows', async () => {
			const crowd = body(...Array.from({ length: 6_500 }, () => ({ subscriptionId: 'a', clientState: 'b' })));
			const peers = await Promise.all(Array.from({ length: 10 }, () => web.peer(request('POST', EVENTS, crowd))));
			await waitFor(() => peers.every((p) => p.socket.writableLength === 0), 5000, 'sent');
			let answered = 0;
			const all = Promise.all(peers.map((p) => p.answer(10_000).then((a) => {
				answered++;
				return a?.status;
			})));
			assert.equal((await web.notify(body(item(sub, longId('first'))))).status, 202);
			assert.ok(answered < 10, 'they are still at work');
			assert.ok((await all).every((status) => status === 202 || status === 503));
			assert.ok((await web.events()).includes(longId('first')));
		});
		await t.test('a body of 1 MiB is read, one byte more is not', async () => {
			const text = body(item(sub, 'big'));
			const whole = text + ' '.repeat((1 << 20) - text.length);
			await adds(whole, [{ kind: KIND.event, event: 'big', hints: HINT.updated }]);
			assert.equal((await web.notify(`${whole} `)).status, 413);
			assert.equal((await web.notify(whole.repeat(5))).status, 413);
			const lying = await web.ask('POST', EVENTS, whole.repeat(2), { CONTENT_LENGTH: '' });
			assert.equal(lying.status, 413);
		});
		await t.test('garbage is refused for good, with one line of log that names the request', async () => {
			let number = 0;
			for (const [text, status] of /** @type {[any, number][]} */ ([['', 400], ['[', 400], ['{}', 400], ['{"value":1}', 400], ['{"value":[],"value":[]}', 400], [Buffer.from([0x7b, 0xff]), 400], [`{"value":${'['.repeat(1000)}`, 413], [`{"value":[${'1,'.repeat(20_000)}1]}`, 413]])) {
				const id = `abcdef${String(++number).padStart(10, '0')}`;
				const answer = await web.ask('POST', EVENTS, text, { REQUEST_ID: id });
				assert.equal(answer.status, status, text.slice(0, 50));
				assert.equal(JSON.parse(answer.body).error.requestId, id);
				assert.equal(web.log.filter((l) => l.requestId === id && l.level === 'warning').length, 1);
			}
			assert.equal((await web.ask('POST', EVENTS, body(item(sub, 'x')), { HTTP_CONTENT_ENCODING: 'gzip' })).status, 415);
			assert.equal((await web.ask('POST', EVENTS, body(item(sub, 'x')), { CONTENT_LENGTH: '5' })).status, 400);
		});
		await t.test('each request of a pipeline is answered in its order', async () => {
			const peer = await web.peer(Buffer.concat([request('POST', EVENTS, body(item(sub, 'p1'))), request('GET', '/live'), request('POST', EVENTS, 'x'), request('POST', EVENTS, body(item(sub, 'p2')))]));
			const answers = [];
			for (let i = 0; i < 4; i++)
				answers.push((await peer.answer())?.status);
			assert.deepEqual(answers, [202, 200, 400, 202]);
			const stored = await web.events();
			assert.ok(stored.includes('p1') && stored.includes('p2'));
		});
		await t.test('many connections at once: every request is answered and stored', async () => {
			const names = Array.from({ length: 300 }, (_, i) => longId(`at-once-${i}`));
			const answers = await Promise.all(names.map((n) => web.notify(body(item(sub, n)))));
			assert.ok(answers.every((a) => a.status === 202));
			const stored = new Set(await web.events());
			assert.ok(names.every((n) => stored.has(n)));
		});
	});
});

test('an unknown subscription of a configured tenant leaves a fact, at most once an hour', async () => {
	const elsewhere = { id: '00000000-0000-4000-8000-000000000000', clientState: 'x', tenant: '84bd8158-0000-4000-8000-000000000009', mailbox: '' };
	const unknown = { ...elsewhere, tenant: TENANT };
	const HOUR = 3600_000;
	/** @param {Web} web */
	const fact = async (web) => (await web.query("SELECT at_ms FROM fact WHERE name = 'notified-unknown'"))[0]?.at_ms ?? 0;
	/** Two of them: the second is answered behind what the first has left. @param {Web} web @param {any} sub */
	const tell = async (web, sub) => {
		for (let i = 0; i < 2; i++)
			assert.equal((await web.notify(body(item(sub, 'e')))).status, 202);
	};
	await Web.play({}, async (web) => {
		const known = await web.follow();
		await tell(web, elsewhere);
		await tell(web, { ...known, clientState: 'guess' });
		assert.equal(await fact(web), 0, 'others are no sign');
		const began = Date.now();
		await tell(web, unknown);
		const at = await fact(web);
		assert.ok(at >= began && at <= Date.now(), `${at}`);
		await tell(web, unknown);
		assert.equal(await fact(web), at);
		await web.stop();
		await web.start();
		await tell(web, unknown);
		assert.equal(await fact(web), at, 'nor behind a restart');
		for (const [ago, again] of /** @type {[number, boolean][]} */ ([[HOUR - 30_000, false], [HOUR + 1000, true], [-HOUR, true]])) {
			await web.stop();
			const then = Date.now() - ago;
			await web.query(`UPDATE fact SET at_ms = ${then} WHERE name = 'notified-unknown'`, false);
			await web.start();
			await tell(web, unknown);
			assert.equal(await fact(web) !== then, again, `${ago} ms ago`);
		}
	});
});
