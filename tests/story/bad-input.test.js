// @ts-check
/* Everything that the Internet may send to the webhook, through real nginx. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { openStalled, rawExchange } from '../lib/http.js';
import { body, item, lifecycleItem, longId } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

const EVENTS = '/addin/webhook/events';
const LIFECYCLE = '/addin/webhook/lifecycle';

/** Sync must not take the rows away while they are looked at. */
const HELD = { config: { notificationDebounceMs: 600_000 } };

/** @param {any} answer */
function isErrorBody(answer) {
	assert.match(answer.headers['content-type'], /^application\/json/);
	assert.equal(typeof answer.json.error.code, 'string');
	assert.equal(typeof answer.json.error.message, 'string');
	assert.match(answer.json.error.requestId, /^[0-9a-f]{16,64}$/);
}

test('hostile notification bodies', async (t) => {
	await Stack.play('bad-input', HELD, async (stack) => {
		const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
		const other = await stack.follow(stack.mailboxes[2], { event: false });
		const send = (/** @type {any} */ data, /** @type {any} */ headers = {}) => stack.http.post(EVENTS, data, headers);
		const good = (/** @type {string} */ name) => item(sub, longId(name));
		let number = 0;
		/** After each attack: a good notification is taken and stored, the role web is the same process. */
		const web = await stack.pid('web');
		const stillServes = async () => {
			const name = `good-${++number}`;
			assert.equal((await send(body(good(name)))).status, 202);
			assert.ok((await stack.queuedEvents()).has(longId(name)), 'the good notification is in the store');
			assert.equal((await stack.http.get('/live')).status, 200);
			assert.deepEqual(stack.pids('web'), [web], 'web has not been restarted');
		};
		/** What must be refused: status, one log line with the request's id, nothing in the store. */
		const refused = async (/** @type {any} */ data, /** @type {number | number[]} */ status, /** @type {any} */ headers = {}) => {
			const before = (await stack.queuedEvents()).size;
			const answer = await send(data, headers);
			assert.ok([status].flat().includes(answer.status), `${answer.status} instead of ${status}: ${answer.text.slice(0, 200)}`);
			if (answer.headers['content-type']?.startsWith('application/json')) {
				isErrorBody(answer);
				const id = answer.json.error.requestId;
				/* Some are refused by nginx already: then its access log is the line. */
				const lines = () => [...stack.log, ...stack.nginx?.log ?? []].filter((l) => l.requestId === id && l.level !== 'debug');
				await waitFor(() => lines().length > 0, 2000, `a log line with request id ${id}`);
				assert.ok(stack.log.filter((l) => l.requestId === id && l.level !== 'debug').length === 1 || lines().some((l) => l.program === 'nginx' && l.upstreamSeconds === ''), 'one clear log line');
			}
			assert.equal((await stack.queuedEvents()).size, before, 'nothing of it is stored');
			await stillServes();
		};

		const whole = body(good('whole'));
		await stack.part(t, 'a body cut short at any place is 400', async () => {
			for (const at of [0, 1, 9, 10, 40, Math.floor(whole.length / 2), whole.length - 3, whole.length - 1])
				await refused(whole.slice(0, at), 400);
		});
		await stack.part(t, 'bytes after the object are 400', () => refused(`${whole} x`, 400));
		await stack.part(t, 'what is JSON but no notification is 400', async () => {
			for (const data of ['null', '[]', '"x"', '17', '{}', '{"value":null}', '{"value":{}}', '{"value":"x"}', '{"Value":[]}'])
				await refused(data, 400);
		});
		await stack.part(t, 'what is not JSON is 400', async () => {
			for (const data of ['<html>', 'value=1', '{value:[]}', "{'value':[]}", '{"value":[],}', '{"value":[01]}', '{"value":[1e]}', '\ufeff{"value":[]}', '{"value":["\t"]}', '{"value":["\\x41"]}', '{"value":["\\ud800"]}'])
				await refused(data, 400);
		});
		await stack.part(t, 'bytes that are not UTF-8 are 400', async () => {
			for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0x80], [0]])
				await refused(Buffer.concat([Buffer.from('{"value":[{"subscriptionId":"'), Buffer.from(bytes), Buffer.from('"}]}')]), 400);
		});
		await stack.part(t, 'duplicate keys are 400', async () => {
			await refused(`{"value":[],"value":[${JSON.stringify(good('dup'))}]}`, 400);
			await refused(whole.replace('"clientState"', '"subscriptionId":"x","clientState"'), 400);
			await refused(whole.replace('"clientState"', '"subscription\\u0049d":"x","clientState"'), 400);
		});
		await stack.part(t, 'depth beyond 16 is refused, however deep', async () => {
			await refused(`{"value":[${'['.repeat(20)}${']'.repeat(20)}]}`, [400, 413]);
			await refused(`{"value":${'['.repeat(100_000)}`, [400, 413]);
			await refused(`{"value":[${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)}]}`, [400, 413]);
		});
		await stack.part(t, 'more than 20,000 values are refused', () => refused(`{"value":[${'{},'.repeat(30_000)}{}]}`, [400, 413]));
		await stack.part(t, 'a body over 1 MiB is 413', async () => {
			await refused(body({ ...good('big'), padding: 'x'.repeat(1 << 20) }), 413);
			await refused(body({ ...good('huge'), padding: 'x'.repeat(8 << 20) }), [413, 0]);
		});
		await stack.part(t, 'an empty list and one item of a million are fine', async () => {
			assert.ok([202, 400].includes((await send('{"value":[]}')).status));
			await stillServes();
		});
		await stack.part(t, 'a content type that is not JSON, compressed bodies and a missing length do not confuse it', async () => {
			assert.ok([202, 400, 415].includes((await send(body(good('type')), { 'Content-Type': 'text/html' })).status));
			assert.ok([400, 415].includes((await send(Buffer.from([0x1f, 0x8b, 8, 0, 0]), { 'Content-Encoding': 'gzip' })).status));
			assert.equal((await send(body(good('chunked')), { 'Transfer-Encoding': 'chunked' })).status, 202);
			assert.ok((await stack.queuedEvents()).has(longId('chunked')));
			await stillServes();
		});

		/** What is answered 202: exactly these events are stored. */
		const taken = async (/** @type {any} */ data, /** @type {string[]} */ names, /** @type {string} */ path = EVENTS) => {
			const before = await stack.queuedEvents();
			const answer = await stack.http.post(path, data);
			assert.equal(answer.status, 202, answer.text);
			assert.equal(answer.text, '', 'the answer tells nothing');
			const now = [...await stack.queuedEvents()].filter((e) => !before.has(e)).sort();
			assert.deepEqual(now, names.map((n) => longId(n)).sort());
		};
		await stack.part(t, 'items without ids are dropped, their neighbours kept', async () => {
			const bare = { changeType: 'updated' };
			await taken(body(bare, good('n1'), item(sub, longId('gone'), { subscriptionId: undefined }), item(sub, longId('none'), { resourceData: undefined, resource: undefined }), good('n2'), item(sub, '')), ['n1', 'n2']);
		});
		await stack.part(t, 'an id that only the resource path tells is taken from there', () =>
			taken(body(item(sub, longId('path'), { resourceData: { '@odata.type': '#Microsoft.Graph.Event' } })), ['path']));
		await stack.part(t, 'both changeType and lifecycleEvent in one item: at most a hint to look, the neighbour is kept', async () => {
			assert.equal((await send(body(item(sub, longId('both'), { lifecycleEvent: 'missed' }), good('n3')))).status, 202);
			assert.ok((await stack.queuedEvents()).has(longId('n3')));
		});
		await stack.part(t, 'items that are no objects are dropped, their neighbours kept', () =>
			taken(body(17, null, 'x', [], good('n0')), ['n0']));
		await stack.part(t, 'neither of both: the same', async () => {
			assert.equal((await send(body(item(sub, longId('neither'), { changeType: undefined }), good('n4')))).status, 202);
			assert.ok((await stack.queuedEvents()).has(longId('n4')));
		});
		await stack.part(t, 'an unknown subscription, one in many', () =>
			taken(body(good('n5'), item(sub, longId('x'), { subscriptionId: '00000000-0000-4000-8000-000000000000' }), good('n6')), ['n5', 'n6']));
		await stack.part(t, 'a wrong, shortened, lengthened, empty, missing or foreign clientState, one in many', async () => {
			const state = sub.clientState;
			const wrong = [`${state.slice(0, -1)}!`, state.slice(0, -1), `${state}x`, '', undefined, null, 17, other.sub.clientState, state.toUpperCase()];
			await taken(body(good('n7'), ...wrong.map((clientState, i) => item(sub, longId(`w${i}`), { clientState })), good('n8')), ['n7', 'n8']);
		});
		await stack.part(t, 'a foreign, missing or malformed tenant, one in many', async () => {
			const wrong = [other.sub.tenant, '00000000-0000-4000-8000-00000000dead', 'not-a-guid', undefined];
			await taken(body(good('n9'), ...wrong.slice(0, 3).map((tenantId, i) => item(sub, longId(`t${i}`), { tenantId })), good('n10')), ['n9', 'n10']);
		});
		await stack.part(t, 'ids with quotes, controls, paths and SQL in them are no event ids', async () => {
			const wrong = ["x' OR 1=1 --", '../../etc/passwd', 'a/b', 'a b', 'a\r\nb', 'a\u0000b', '<script>', 'ä'.repeat(40), 'x'.repeat(600)];
			await taken(body(...wrong.map((id) => item(sub, id)), good('n11')), ['n11']);
		});
		await stack.part(t, 'ids that differ only in case, and in - and _, are different events', async () => {
			const pair = ['AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0Aab', 'AAkALgAAAAAAHYQDEapmEc2byACqAC_EWg0Aab', 'AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AaB'];
			const before = (await stack.queuedEvents()).size;
			assert.equal((await send(body(...pair.map((id) => item(sub, id))))).status, 202);
			assert.equal((await stack.queuedEvents()).size, before + 3);
		});
		await stack.part(t, 'thousands of items in one body are all stored before the 202', async () => {
			const names = Array.from({ length: 1100 }, (_, i) => `m${i}`);
			await taken(body(...names.map((n) => item(sub, longId(n, 60).slice(0, 60), { resourceData: { id: longId(n) } , resource: 'r' }))), names);
		});
		await stack.part(t, 'the lifecycle route takes notifications, and the other way round', async () => {
			await taken(body(good('life')), ['life'], LIFECYCLE);
			assert.equal((await stack.http.post(EVENTS, body(lifecycleItem(sub, 'missed')))).status, 202);
			assert.equal((await stack.http.post(LIFECYCLE, body(lifecycleItem(sub, 'unheard-of')))).status, 202);
		});
		await stack.part(t, 'other methods and routes', async () => {
			for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'GET'])
				assert.ok([400, 403, 404, 405, 501].includes((await stack.http.request(method, EVENTS)).status), method);
			assert.equal((await stack.http.post('/addin/webhook/nothing', '{}')).status, 404);
			await stillServes();
		});
		await stack.part(t, 'a good notification is worth the same after all of this: nothing was lost', async () => {
			const now = await stack.queuedEvents();
			for (let i = 1; i <= number; i++)
				assert.ok(now.has(longId(`good-${i}`)));
		});
	});
});

test('validation tokens', async (t) => {
	await Stack.play('tokens', {}, async (stack) => {
		const ask = (/** @type {string} */ query, /** @type {string} */ method = 'POST', /** @type {string} */ path = EVENTS) => stack.http.request(method, `${path}?${query}`, { headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: method === 'POST' ? '' : undefined });
		const echoed = (/** @type {any} */ answer, /** @type {string} */ token) => {
			assert.equal(answer.status, 200, answer.text);
			assert.equal(answer.text, token);
			assert.match(answer.headers['content-type'], /^text\/plain(;|$)/);
			assert.equal(answer.headers['x-content-type-options'], 'nosniff');
			assert.equal(answer.headers['transfer-encoding'] ?? 'identity', 'identity');
		};
		const graph = 'Validation: Testing client application reachability for subscription Request-Id: 877cb92e-a60b-483b-8a39-79aa5f64f5a3';

		await stack.part(t, 'the forms that Graph sends', async () => {
			for (const path of [EVENTS, LIFECYCLE]) {
				echoed(await ask(`validationToken=${graph.replace(/ /g, '+').replace(/:/g, '%3a')}`, 'POST', path), graph);
				echoed(await ask(`validationToken=${encodeURIComponent(graph)}`, 'POST', path), graph);
				echoed(await ask(`validationtoken=${encodeURIComponent(graph)}`, 'GET', path), graph);
			}
			echoed(await ask(`a=1&ValidationToken=${encodeURIComponent(graph)}&b=2`), graph);
		});
		await stack.part(t, 'decoded exactly once', async () => {
			echoed(await ask('validationToken=%2541%252B'), '%41%2B');
			echoed(await ask('validationToken=a%2Bb+c%20d'), 'a+b c d');
			echoed(await ask('validationToken=100%25'), '100%');
			echoed(await ask('validationToken=%C3%A4%E2%82%AC'), 'ä€');
			echoed(await ask('validationToken=a%26b%3Dc'), 'a&b=c');
		});
		await stack.part(t, 'markup comes back as text that nothing sniffs', async () => {
			echoed(await ask(`validationToken=${encodeURIComponent('<script>alert(1)</script>')}`), '<script>alert(1)</script>');
			echoed(await ask('validationToken=<script>alert(1)</script>'), '<script>alert(1)</script>');
		});
		await stack.part(t, 'control characters, bad escapes, bad UTF-8 and nothing are 400', async () => {
			for (const token of ['a%0d%0aSet-Cookie:x=1', '%00', 'a%7f', '%0a', 'a%09b', '%', '%4', '%zz', 'a%f', '', '%ff%fe', '%c0%af'])
				assert.equal((await ask(`validationToken=${token}`)).status, 400, token);
			assert.equal((await ask('validationToken')).status, 400);
		});
		await stack.part(t, 'two tokens are 400, in any spelling', async () => {
			assert.equal((await ask('validationToken=a&validationToken=a')).status, 400);
			assert.equal((await ask('validationToken=a&VALIDATIONTOKEN=b')).status, 400);
			assert.equal((await ask('validationToken=a&validation%54oken=b')).status, 400);
		});
		await stack.part(t, '2 KiB decoded is the limit', async () => {
			echoed(await ask(`validationToken=${'a'.repeat(2048)}`), 'a'.repeat(2048));
			echoed(await ask(`validationToken=${'%61'.repeat(2048)}`), 'a'.repeat(2048));
			assert.equal((await ask(`validationToken=${'a'.repeat(2049)}`)).status, 400);
			assert.ok([400, 414].includes((await ask(`validationToken=${'a'.repeat(100_000)}`)).status));
		});
		await stack.part(t, 'no header can be smuggled in', async () => {
			const answer = await ask('validationToken=x%0d%0aX-Evil:%20yes');
			assert.equal(answer.headers['x-evil'], undefined);
		});
		await stack.part(t, 'the token stands in no log', async () => {
			await ask('validationToken=Canary7f3a9c');
			stack.secrets.push('Canary7f3a9c');
		});
		stack.http.seen.length = 0;
	});
});

test('bodies that never finish', async () => {
	await Stack.play('unfinished', HELD, async (stack) => {
		const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
		const head = (/** @type {number} */ length) => `POST ${EVENTS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
		const chunked = `POST ${EVENTS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
		const stalled = await Promise.all(Array.from({ length: 120 }, (_, i) => openStalled(stack.port,
			i % 4 === 0 ? head(5000) + body(item(sub, longId(`never-${i}`))).slice(0, 300)
				: i % 4 === 1 ? head(900_000) + '{"value":['.padEnd(200_000, ' ')
					: i % 4 === 2 ? chunked + 'ffff\r\n{"value":[' : `POST ${EVENTS} HTTP/1.1\r\nHost: 127`)));
		for (let i = 0; i < 20; i++) {
			const [answer, live] = await Promise.all([stack.http.post(EVENTS, body(item(sub, longId(`among-${i}`)))), stack.http.get('/live')]);
			assert.equal(answer.status, 202);
			assert.ok(answer.ms < 1500, `answered in ${answer.ms} ms`);
			assert.equal(live.status, 200);
		}
		/* A client that goes away in the middle leaves nothing behind. */
		await rawExchange(stack.port, head(5000) + '{"value":[', { ms: 100 });
		stalled.forEach((s) => s.destroy());
		const events = await stack.queuedEvents();
		for (let i = 0; i < 120; i++)
			assert.ok(!events.has(longId(`never-${i}`)));
		for (let i = 0; i < 20; i++)
			assert.ok(events.has(longId(`among-${i}`)));
	});
});
