// @ts-check
/* More connections than any pool, and FastCGI peers that are silent, slow, half-open or hostile. */

import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { BEGIN, PARAMS, Peer, STDIN, begin, pairs, params, record, request, stream } from '../lib/fastcgi.js';
import { body, item, longId } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

const EVENTS = '/addin/webhook/events';
const TOKEN = `${EVENTS}?validationToken=hello+there`;
const HELD = { config: { notificationDebounceMs: 600_000 } };
/** nginx' worker_connections bound both sides of a proxied request. */
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 900);

test(`${CONNECTIONS} connections at once: every single request is answered`, async () => {
	await Stack.play('connections', HELD, async (stack) => {
		const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
		const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
		/** @type {Record<string, Record<number, number>>} */
		const counts = { notification: {}, handshake: {} };
		let slowest = 0;
		const owed = new Set();
		await Promise.all(Array.from({ length: CONNECTIONS }, async (_, i) => {
			for (let round = 0; round < 3; round++) {
				const handshake = (i + round) % 3 === 0;
				const event = longId(`c-${i}-${round}`);
				const answer = handshake
					? await stack.http.request('POST', TOKEN, { body: '', agent })
					: await stack.http.request('POST', EVENTS, { body: body(item(sub, event)), headers: { 'Content-Type': 'application/json' }, agent });
				const kind = counts[handshake ? 'handshake' : 'notification'];
				kind[answer.status] = (kind[answer.status] ?? 0) + 1;
				slowest = Math.max(slowest, answer.ms);
				if (!handshake && answer.status === 202)
					owed.add(event);
			}
		}));
		assert.deepEqual(counts, { notification: { 202: CONNECTIONS * 2 }, handshake: { 200: CONNECTIONS } });
		const rows = await stack.queuedEvents();
		assert.equal([...owed].filter((e) => !rows.has(e)).length, 0, 'every 202 is in the store');
		assert.ok(slowest < 15_000, `the slowest took ${slowest} ms`);
		agent.destroy();
	});
});

test('silent, slow, half-open and hostile FastCGI peers delay nobody', async (t) => {
	await Stack.play('peers', HELD, async (stack) => {
		const { sub } = await stack.follow(stack.mailboxes[0], { event: false });
		const web = await stack.pid('web');
		/** @type {Peer[]} */
		const peers = [];
		const peer = async (/** @type {Buffer | null} */ bytes) => {
			const p = await Peer.connect(stack.socket);
			peers.push(p);
			if (bytes !== null)
				p.send(bytes);
			return p;
		};
		/** Good clients, over nginx and on a connection of their own, while the peers are there. @param {string} what */
		const serves = async (what) => {
			for (let i = 0; i < 5; i++) {
				const event = longId(`${what}-${i}`);
				const answers = await Promise.all([stack.http.request('POST', TOKEN, { body: '' }), stack.http.get('/live'), stack.http.post(EVENTS, body(item(sub, event)))]);
				assert.deepEqual(answers.map((a) => a.status), [200, 200, 202], what);
				for (const a of answers)
					assert.ok(a.ms < 1000, `${what}: ${a.ms} ms`);
			}
			const own = await Peer.connect(stack.socket);
			own.send(request('POST', TOKEN));
			const answer = await own.answer(1000);
			assert.equal(answer?.status, 200, what);
			assert.equal(answer?.body, 'hello there');
			own.close();
			assert.deepEqual(stack.pids('web'), [web], `${what}: web is the same process`);
		};
		const whole = request('POST', EVENTS, body(item(sub, longId('peer'))));

		await stack.part(t, 'a hundred that say nothing', async () => {
			await Promise.all(Array.from({ length: 100 }, () => peer(null)));
			await serves('silent');
		});
		await stack.part(t, 'a hundred that stop after a few bytes, at any place of a request', async () => {
			await Promise.all(Array.from({ length: 100 }, (_, i) => peer(whole.subarray(0, 1 + Math.floor(i * (whole.length - 2) / 100)))));
			await serves('half');
		});
		await stack.part(t, 'one that sends a byte at a time', async () => {
			const slow = await peer(null);
			let at = 0;
			const drip = setInterval(() => {
				if (at < whole.length)
					slow.send(whole.subarray(at, ++at));
			}, 1);
			await serves('slow');
			const answer = await slow.answer(15_000);
			clearInterval(drip);
			assert.equal(answer?.status, 202, 'and is served in the end');
		});
		await stack.part(t, 'half-open ones: the peer has shut its writing side before or after a whole request', async () => {
			const before = await peer(whole.subarray(0, 60));
			before.socket.end();
			const after = await peer(whole);
			after.socket.end();
			await serves('half-open');
			await waitFor(() => before.closed, 5000, 'the torn request is closed');
		});
		await stack.part(t, 'ones that never read their answers', async () => {
			for (let i = 0; i < 20; i++) {
				const p = await peer(null);
				p.socket.pause();
				for (let k = 0; k < 50; k++)
					p.send(request('POST', `${EVENTS}?validationToken=${'x'.repeat(2000)}`));
			}
			await serves('deaf');
		});
		await stack.part(t, 'shapes that libfcgi would block on are closed by us', async () => {
			const uri = pairs(params('POST', EVENTS, Buffer.from('{}')));
			const lying = Buffer.from(uri);
			lying[0] = 0xff;
			const shapes = {
				'a filter role': Buffer.concat([begin(1, { role: 3 }), stream(PARAMS, 1, uri), stream(STDIN, 1, Buffer.from('{}'))]),
				'a version that is none': Buffer.concat([Buffer.from([9]), whole.subarray(1)]),
				'no BEGIN': whole.subarray(16),
				'two BEGINs': Buffer.concat([begin(1), whole]),
				'two ids mixed': Buffer.concat([begin(1), record(PARAMS, 2, uri), stream(PARAMS, 1, uri), stream(STDIN, 1, Buffer.from('{}'))]),
				'STDIN before the end of PARAMS': Buffer.concat([begin(1), record(PARAMS, 1, uri), stream(STDIN, 1, Buffer.from('{}'))]),
				'pairs that reach over the end': Buffer.concat([begin(1), stream(PARAMS, 1, lying), stream(STDIN, 1, Buffer.from('{}'))]),
				'a length of 2 GiB': Buffer.concat([begin(1), stream(PARAMS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])), stream(STDIN, 1, Buffer.from('{}'))]),
				'a BEGIN of the wrong size': Buffer.concat([record(BEGIN, 1, Buffer.from([0, 1])), stream(PARAMS, 1, uri), stream(STDIN, 1, Buffer.from('{}'))]),
				'noise': Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
			};
			for (const [name, bytes] of Object.entries(shapes)) {
				const p = await peer(bytes);
				await waitFor(() => p.closed || p.buffer.length > 0, 5000, `${name} is closed or refused`);
			}
			await serves('shapes');
		});
		await stack.part(t, 'a large body in many small records, and its budget', async () => {
			const data = Buffer.from(body(...Array.from({ length: 900 }, (_, i) => item(sub, longId(`rec-${i}`)))));
			const p = await peer(Buffer.concat([begin(1), stream(PARAMS, 1, pairs(params('POST', EVENTS, data))), stream(STDIN, 1, data, 700)]));
			assert.equal((await p.answer(10_000))?.status, 202);
			/* Together more than all bodies may take: some wait unread, nobody is refused for ever. */
			const many = await Promise.all(Array.from({ length: 12 }, () => peer(request('POST', EVENTS, data))));
			await serves('budget');
			for (const m of many)
				assert.ok([202, 503].includes((await m.answer(10_000))?.status ?? 0));
		});
		for (const p of peers)
			p.close();
		await serves('after all of them');
	});
});
