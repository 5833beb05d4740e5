// @ts-check
/* FastCGI peers that are silent, slow, half-open, greedy or hostile: they delay nobody but themselves. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { ABORT, PARAMS, STDIN, begin, pairs, params, record, request, stream } from '../lib/fastcgi.js';
import { body, item, longId } from '../lib/notification.js';
import { neverWithin, waitFor } from '../lib/wait.js';
import { EVENTS, Web } from './harness.js';

const MIB = 1 << 20;

/** The head of a request whose body is announced, and nothing of the body. @param {number} length */
function headOf(length) {
	return Buffer.concat([begin(1), stream(PARAMS, 1, pairs({ ...params('POST', EVENTS, Buffer.alloc(0)), CONTENT_LENGTH: String(length) }))]);
}

/** STDIN records of the given size, without the one that ends it. @param {number} size */
function someBody(size) {
	return stream(STDIN, 1, Buffer.alloc(size, ' ')).subarray(0, -8);
}

/** A head that says that there is no body, and one that never ends. @param {number} size */
function lie(size) {
	return Buffer.concat([headOf(0), someBody(size)]);
}

/** A body of 1 MiB. @param {string} text */
function large(text) {
	return request('POST', EVENTS, text + ' '.repeat(MIB - text.length));
}

test('bad peers', async (t) => {
	await Web.play({}, async (web) => {
		const sub = await web.follow();
		const pid = web.pid();
		let number = 0;
		/** While the bad ones are there, good ones are answered. @param {boolean} [stored] */
		const serves = async (stored = true) => {
			for (let i = 0; i < 3; i++) {
				const echo = await web.ask('POST', `${EVENTS}?validationToken=still+here`);
				assert.equal(echo.body, 'still here');
				assert.equal((await web.ask('GET', '/live')).status, 200);
				if (!stored)
					continue;
				const id = longId(`good-${++number}`);
				assert.equal((await web.notify(body(item(sub, id)))).status, 202);
				assert.ok((await web.events()).includes(id));
			}
			assert.equal(web.pid(), pid, 'web is the same process');
		};
		/** @param {string} name @param {() => Promise<void>} act */
		const part = (name, act) => t.test(name, async () => {
			await act();
			await serves();
			web.closePeers();
			await serves();
		});
		const whole = request('POST', EVENTS, body(item(sub, longId('peer'))));

		await part('two hundred that say nothing', async () => {
			for (let i = 0; i < 200; i++)
				await web.peer();
		});
		await part('three bytes, and then nothing', async () => {
			for (let i = 0; i < 50; i++)
				await web.peer(whole.subarray(0, 3));
		});
		await part('a request cut at every byte', async () => {
			for (let cut = 1; cut < whole.length; cut++)
				await web.peer(whole.subarray(0, cut));
		});
		await part('a request byte by byte is answered in the end', async () => {
			const peer = await web.peer();
			peer.socket.setNoDelay?.(true);
			for (const byte of whole) {
				peer.send(Buffer.from([byte]));
				await new Promise((resolve) => setImmediate(resolve));
			}
			assert.equal((await peer.answer())?.status, 202);
		});
		await part('bodies of 1 MiB that never finish, more of them than the budget holds', async () => {
			for (let i = 0; i < 12; i++)
				await web.peer(Buffer.concat([headOf(MIB), someBody(MIB - 1000)]));
		});
		await part('heads of 1 MiB bodies whose first byte never comes', async () => {
			for (let i = 0; i < 50; i++)
				await web.peer(headOf(MIB));
		});
		await part('they are sent away, and large bodies have room again', async () => {
			const stuck = await Promise.all(Array.from({ length: 6 }, () => web.peer(Buffer.concat([headOf(MIB), someBody(1000)]))));
			const text = body(item(sub, longId('large')));
			const good = await web.peer(large(text));
			assert.equal((await good.answer(9000))?.status, 202, 'it waited for its turn');
			await waitFor(() => stuck.filter((p) => p.closed).length > 0, 9000, 'stuck ones are closed');
		});
		await part('megabytes of padding between the bytes of a parameter are sent away', async () => {
			const drip = record(PARAMS, 1, Buffer.from('v'), 255);
			const peer = await web.peer(Buffer.concat([begin(1), record(PARAMS, 1, Buffer.from([1, 0x80, 0, 0xea, 0x60, 65])), ...Array.from({ length: 13_000 }, () => drip)]));
			await waitFor(() => peer.closed, 3000, 'sent away');
			assert.equal((await (await web.peer(large('{"value":[]}'))).answer(2000))?.status, 202);
		});
		await part('bodies where none was announced count as they come', async () => {
			const liars = await Promise.all(Array.from({ length: 20 }, () => web.peer(lie(MIB - 10_000))));
			await neverWithin(() => liars.filter((p) => !p.closed && p.socket.writableLength === 0).length > 10, 500, 'all of it is taken');
		});
		/* Nobody of them can go on, and none is complete. */
		const starve = async () => {
			const liars = await Promise.all(Array.from({ length: 12 }, () => web.peer(lie(240_000))));
			await waitFor(() => liars.every((p) => p.socket.writableLength === 0), 3000, 'sent');
			await web.ask('GET', '/live');
			for (const liar of liars)
				liar.send(someBody(700_000));
			await web.ask('GET', '/live');
			return liars;
		};
		await part('those that wait for room and hold some are sent away', async () => {
			await starve();
			assert.equal((await (await web.peer(large('{"value":[]}'))).answer(8000))?.status, 202);
		});
		await part('those that wait for room and hang up leave it at once', async () => {
			const liars = await starve();
			const waiting = await web.peer(large('{"value":[]}'));
			for (const liar of liars)
				liar.close();
			assert.equal((await waiting.answer(1500))?.status, 202);
		});
		await part('what came while the server stood still is not late', async () => {
			const bytes = request('POST', EVENTS, body(item(sub, longId('still'))) + ' '.repeat(150_000));
			const peer = await web.peer(bytes.subarray(0, 75_000));
			/* Somebody waits for room: a second without a byte is too long. */
			for (let i = 0; i < 3; i++)
				await web.peer(Buffer.concat([headOf(MIB), someBody(1000)]));
			await web.ask('GET', '/live');
			const stopped = /** @type {number} */ (web.pid());
			process.kill(stopped, 'SIGSTOP');
			try {
				peer.send(bytes.subarray(75_000));
				await waitFor(() => peer.socket.writableLength === 0, 3000, 'it lies in the socket');
				await new Promise((resolve) => setTimeout(resolve, 1300));
			} finally {
				process.kill(stopped, 'SIGCONT');
			}
			assert.equal((await peer.answer())?.status, 202);
		});
		await part('a body in records of one byte each', async () => {
			const text = Buffer.from(body(item(sub, longId('crumbs'))));
			const peer = await web.peer(Buffer.concat([headOf(text.length), stream(STDIN, 1, text, 1)]));
			assert.equal((await peer.answer())?.status, 202);
			assert.ok((await web.events()).includes(longId('crumbs')));
		});
		await part('a peer that never reads its answers', async () => {
			const peer = await web.peer();
			peer.socket.pause();
			const many = Buffer.concat(Array.from({ length: 200 }, () => request('GET', '/metrics')));
			for (let i = 0; i < 10 && !peer.closed; i++)
				peer.send(many);
		});
		await part('a peer that closes its sending half is answered', async () => {
			const peer = await web.peer();
			peer.socket.end(whole);
			assert.equal((await peer.answer())?.status, 202);
		});
		await part('a peer that is gone before its answer', async () => {
			for (let i = 0; i < 50; i++) {
				const peer = await web.peer(whole);
				peer.close();
			}
		});
		await part('without keep_conn the connection is closed after the answer', async () => {
			const peer = await web.peer(request('GET', '/live', '', { keep: false }));
			assert.equal((await peer.answer())?.status, 200);
			await waitFor(() => peer.closed, 2000, 'closed');
			const second = await web.peer(request('POST', EVENTS, body(item(sub, longId('once'))), { keep: false }));
			assert.equal((await second.answer())?.status, 202);
			await waitFor(() => second.closed, 2000, 'closed');
		});
		await part('with keep_conn it serves a hundred requests', async () => {
			const peer = await web.peer();
			for (let i = 0; i < 100; i++) {
				peer.send(i % 2 === 0 ? whole : request('GET', '/live'));
				assert.equal((await peer.answer())?.status, i % 2 === 0 ? 202 : 200);
			}
		});
		await part('whatever is not of the one shape is sent away without an answer', async () => {
			const name = pairs({ REQUEST_METHOD: 'GET' });
			for (const bytes of [
				Buffer.from('GET / HTTP/1.0\r\n\r\n'),
				Buffer.alloc(64),
				record(9, 0, pairs({ FCGI_MAX_CONNS: '' })),
				record(ABORT, 1, Buffer.alloc(0)),
				begin(1, { role: 2 }),
				begin(0),
				Buffer.concat([begin(1), record(ABORT, 1, Buffer.alloc(0))]),
				Buffer.concat([begin(1), begin(2)]),
				Buffer.concat([begin(1), record(PARAMS, 2, name)]),
				Buffer.concat([begin(1), record(STDIN, 1, Buffer.alloc(0))]),
				Buffer.concat([begin(1), record(PARAMS, 1, Buffer.alloc(0), 8)]),
				Buffer.concat([begin(1), record(PARAMS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))]),
				Buffer.concat([begin(1), record(PARAMS, 1, Buffer.from([0x7f, 0x7f, 65])), record(PARAMS, 1, Buffer.alloc(0))]),
				Buffer.concat([begin(1), record(PARAMS, 1, Buffer.alloc(0)), record(STDIN, 1, Buffer.alloc(5)), record(ABORT, 1, Buffer.alloc(0))]),
				Buffer.concat([begin(1), record(PARAMS, 1, Buffer.alloc(0)), record(STDIN, 1, Buffer.alloc(0), 1)]),
			]) {
				const peer = await web.peer(bytes);
				await waitFor(() => peer.closed, 2000, `${bytes.toString('hex').slice(0, 80)} is sent away`);
				assert.equal(peer.buffer.length, 0);
			}
		});
		await part('an abort behind a complete request ends the connection after its answer', async () => {
			const peer = await web.peer(Buffer.concat([whole, record(ABORT, 1, Buffer.alloc(0))]));
			assert.equal((await peer.answer())?.status, 202);
			await waitFor(() => peer.closed, 2000, 'closed');
		});
	});
});

test('more connections than descriptors: those that wait are served when others go', async () => {
	await Web.play({ wrap: ['prlimit', '--nofile=64:64'] }, async (web) => {
		const peers = [];
		for (let i = 0; i < 100; i++)
			peers.push(await web.peer());
		peers[99].send(request('GET', '/live'));
		assert.equal(await peers[99].answer(300), null, 'not yet: it is not even accepted');
		for (const peer of peers.slice(0, 60))
			peer.close();
		assert.equal((await peers[99].answer())?.status, 200);
		assert.ok(web.log.some((l) => l.event === 'accept-failed'));
	});
});
