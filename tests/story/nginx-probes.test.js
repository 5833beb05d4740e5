// @ts-check
/* What the Internet sends to a public nginx: ambiguous, oversized, slow and wandering requests; and reloads under load. */

import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { Client } from '../lib/http.js';
import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

const EVENTS = '/addin/webhook/events';

/** Sends bytes as they are; what came back until the peer closed or ms have passed. @param {number} port @param {string | Buffer} bytes @param {number} [ms] @returns {Promise<string>} */
function raw(port, bytes, ms = 3000) {
	return new Promise((resolve) => {
		let got = '';
		const socket = net.connect({ port, host: '127.0.0.1' }, () => socket.write(bytes));
		const timer = setTimeout(() => socket.destroy(), ms);
		socket.on('data', (d) => {
			got += d.toString('latin1');
		});
		socket.on('error', () => {});
		socket.on('close', () => {
			clearTimeout(timer);
			resolve(got);
		});
	});
}

/** Status codes of all answers on the connection. @param {string} text */
const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((m) => Number(m[1]));

/** @param {string} target @param {string} headers @param {string} [data] */
const post = (target, headers, data = '') => `POST ${target} HTTP/1.1\r\nHost: addin.example\r\n${headers}\r\n${data}`;

test('ambiguous, oversized and wandering requests are refused, and none reaches the program', async (t) => {
	await Stack.play('probes', {}, async (stack) => {
		const { port } = stack;
		const seen = () => stack.log.filter((l) => l.event === 'request').length;
		/** @param {string} bytes @param {number[]} want each answer's status */
		const refused = async (bytes, want) => {
			const before = seen();
			assert.deepEqual(statuses(await raw(port, bytes)), want, JSON.stringify(bytes.slice(0, 200)));
			assert.equal(seen(), before, 'the program has not seen it');
		};
		const hidden = 'GET /addin/ready HTTP/1.1\r\nHost: x\r\n\r\n';
		await stack.part(t, 'smuggling: what two servers could read differently', async () => {
			await refused(post(EVENTS, `Content-Length: ${hidden.length}\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${hidden}`), [400]);
			await refused(post(EVENTS, `Content-Length: 2\r\nContent-Length: ${2 + hidden.length}\r\n`, `{}${hidden}`), [400]);
			await refused(post(EVENTS, 'Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${hidden}`), [501]);
			await refused(post(EVENTS, 'Transfer-Encoding : chunked\r\n', `0\r\n\r\n${hidden}`), [400]);
			await refused(post(EVENTS, 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', `0\r\n\r\n${hidden}`), [400]);
			await refused(post(EVENTS, 'Content-Length: -2\r\n', `{}${hidden}`), [400]);
			await refused(post(EVENTS, 'Content-Length: 2, 2\r\n', '{}'), [400]);
			await refused(post(EVENTS, 'Transfer-Encoding: chunked\r\n', `xyz\r\n${hidden}`), [400]);
		});
		await stack.part(t, 'what is no request', async () => {
			await refused(`POST ${EVENTS} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}`, [400]);
			await refused(post(EVENTS, 'X-A: a\0b\r\nContent-Length: 2\r\n', '{}'), [400]);
			await refused(`POST ${EVENTS} HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}`, [400]);
			await refused('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', [400]);
			await refused('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]);
		});
		await stack.part(t, 'too large: header, address, body, announced body', async () => {
			await refused(post(EVENTS, `X-A: ${'a'.repeat(40_000)}\r\nContent-Length: 2\r\n`, '{}'), [400]);
			await refused(`GET /addin/${'a'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [400]);
			await refused(post(EVENTS, `Content-Length: ${2 << 20}\r\nConnection: close\r\n`), [413]);
			await refused(post('/addin/api/links/x', `Content-Length: ${64 << 10}\r\nConnection: close\r\n`), [413]);
			const answer = await stack.http.request('POST', EVENTS, { body: 'x'.repeat(1 << 21), headers: { 'Transfer-Encoding': 'chunked' } });
			assert.ok([0, 413].includes(answer.status), `${answer.status}`);
		});
		await stack.part(t, 'traversal: nothing outside the served folder', async () => {
			for (const target of ['/addin/../nginx.conf', '/addin/..%2fnginx.conf', '/addin/%2e%2e/nginx.conf', '/addin../nginx.conf', '/addin/..;/nginx.conf', '/addin/....//nginx.conf',
				'/addin/%252e%252e/nginx.conf', '/addin/\\..\\nginx.conf', '/addin//etc/passwd', '/../../etc/passwd', '/addin/%00/etc/passwd', '/addin/.git/config', '/addin/tmp/nginx.pid']) {
				const text = await raw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
				const [status] = statuses(text);
				assert.ok(status >= 400 && status < 500, `${target}: ${status}`);
				assert.doesNotMatch(text, /worker_processes|root:/, target);
			}
		});
		await stack.part(t, 'a path that is another one once it is normalised ends where it belongs', async () => {
			for (const target of ['/addin/api/../webhook/events', '/addin/%77ebhook/events']) {
				const [status] = statuses(await raw(port, post(target, 'Content-Length: 8\r\nConnection: close\r\nContent-Type: application/json\r\n', '{"a": 1}')));
				assert.ok([202, 400].includes(status), `${target}: ${status}`);
			}
			assert.deepEqual(statuses(await raw(port, 'GET /addin/api/%2e%2e/%2e%2e/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')), [404]);
		});
		await stack.part(t, 'methods that nothing serves', async () => {
			for (const method of ['TRACE', 'CONNECT', 'PROPFIND', 'DELETE']) {
				const [status] = statuses(await raw(port, `${method} ${method === 'CONNECT' ? 'x:1' : '/addin/index.html'} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
				assert.ok(status >= 400 && status < 500, `${method}: ${status}`);
			}
		});
		assert.equal((await stack.http.get('/addin/ready')).status, 200);
	});
});

test('slow headers and bodies are closed in the end, and until then delay nobody', async () => {
	await Stack.play('slow', {}, async (stack) => {
		const { sub, event } = await stack.follow(stack.mailboxes[0]);
		let closed = 0;
		const slow = Array.from({ length: 200 }, (_, i) => {
			const socket = net.connect({ port: stack.port, host: '127.0.0.1' });
			socket.on('error', () => {});
			socket.on('close', () => closed++);
			socket.write(i % 2 === 0 ? `POST ${EVENTS} HTTP/1.1\r\nHost: x\r\nX-A: ` : post(EVENTS, 'Content-Length: 1000\r\n', '{"value":'));
			return socket;
		});
		const drip = setInterval(() => slow.forEach((s, i) => i % 2 === 0 && s.writable && s.write('a')), 1000);
		for (let i = 0; i < 40; i++) {
			const answer = await stack.http.post(EVENTS, body(item(sub, event.id)));
			assert.equal(answer.status, 202);
			assert.ok(answer.ms < 3000, `${answer.ms} ms`);
		}
		await waitFor(() => closed === slow.length, 30_000, 'all slow ones are closed');
		clearInterval(drip);
	});
});

test('a reload of nginx under load loses nothing and cuts no answer', async () => {
	await Stack.play('reload', {}, async (stack) => {
		const { sub, event } = await stack.follow(stack.mailboxes[0]);
		const metrics = new Client(`http://127.0.0.1:${stack.metricsPort}`);
		const accepted = async () => {
			const text = (await metrics.get('/metrics')).text;
			return Number(text.match(/^outlook_addin_notifications_total\{result="accepted"\} (\d+)$/m)?.[1]);
		};
		await stack.quiet();
		stack.sims.silence(true);
		const before = await accepted();
		const counts = { sent: 0, taken: 0 };
		let over = false;
		/** A sender as Graph is one: a connection for each. */
		const sender = async () => {
			while (!over) {
				counts.sent++;
				const answer = await stack.http.request('POST', EVENTS, { body: body(item(sub, event.id)), headers: { 'Content-Type': 'application/json' }, agent: false });
				assert.equal(answer.status, 202, answer.text);
				counts.taken++;
			}
		};
		const senders = Promise.all(Array.from({ length: 6 }, sender));
		for (let i = 0; i < 8; i++) {
			const at = counts.taken;
			stack.nginx?.kill('SIGHUP');
			await waitFor(() => counts.taken > at + 50, 10_000, 'answers go on after the reload');
			assert.equal((await stack.http.request('GET', '/addin/index.html', { agent: false })).status, 200);
		}
		over = true;
		await senders;
		assert.ok(counts.taken >= 400 && counts.taken === counts.sent, JSON.stringify(counts));
		metrics.close();
		const again = new Client(`http://127.0.0.1:${stack.metricsPort}`);
		assert.equal(Number((await again.get('/metrics')).text.match(/^outlook_addin_notifications_total\{result="accepted"\} (\d+)$/m)?.[1]) - before, counts.taken);
		again.close();
	});
});
