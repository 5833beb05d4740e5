// @ts-check
/* The rendered nginx.conf in a real nginx, before a FastCGI peer that shows what it gets. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { startFront } from '../lib/front.js';
import { freePort } from '../lib/http.js';
import { story } from './nginx-site.js';
import { waitFor } from '../lib/wait.js';

/** @typedef {import('./nginx-site.js').Answer} Answer */

story('exactly the agreed parameters reach the program', async ({ peer, ask }) => {
	await ask('POST', '/addin//webhook/./events?validationToken=a%20b+c&x=%0d', {
		body: '{"a":1}', headers: {
			'Content-Type': 'application/json', Authorization: 'Bearer abc', Proxy: 'http://evil.example', 'X-Forwarded-For': '1.2.3.4', Cookie: 'a=b',
			'X-Request-Id': 'client-id-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'Script-Name': '/metrics',
		},
	});
	assert.deepEqual(peer.seen[0].params, {
		REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/json', CONTENT_LENGTH: '7', SCRIPT_NAME: '/addin/webhook/events',
		QUERY_STRING: 'validationToken=a%20b+c&x=%0d', HTTP_AUTHORIZATION: 'Bearer abc', REQUEST_ID: 'client-id-1', REMOTE_ADDR: '127.0.0.1',
		HTTP_TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
	});
	assert.equal(peer.seen[0].body.toString(), '{"a":1}');
	const answer = await ask('GET', '/ready', { headers: { 'X-Request-Id': 'a b\u00e4', traceparent: 'x"y' } });
	assert.match(peer.seen[1].params.REQUEST_ID, /^[0-9a-f]{32}$/);
	assert.equal(answer.headers['x-request-id'], peer.seen[1].params.REQUEST_ID);
	assert.equal(peer.seen[1].params.HTTP_TRACEPARENT, '');
});

story('the caller\'s address is believed from trusted proxies only, and only what they have added', async ({ peer, ask }) => {
	/** @param {string} forwarded */
	const address = async (forwarded) => {
		peer.seen = [];
		await ask('GET', '/ready', { headers: { 'X-Forwarded-For': forwarded } });
		return peer.seen[0].params.REMOTE_ADDR;
	};
	assert.equal(await address('203.0.113.9'), '203.0.113.9');
	assert.equal(await address('198.51.100.1, 203.0.113.9, 10.1.2.3'), '203.0.113.9', 'what the caller wrote himself counts for nothing');
	assert.equal(await address('2001:db8::1, fd00::7'), '2001:db8::1');
	assert.equal(await address('nonsense'), '127.0.0.1');
}, { trustedProxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'] });

story('a chunked body arrives whole, with its length', async ({ peer, ask }) => {
	const body = 'x'.repeat(300_000);
	assert.equal((await ask('POST', '/addin/webhook/lifecycle', { body, headers: { 'Transfer-Encoding': 'chunked' } })).status, 200);
	assert.equal(peer.seen[0].params.CONTENT_LENGTH, '300000');
	assert.equal(peer.seen[0].body.length, 300_000);
});

story('only the routes of the program reach it', async ({ peer, metrics, ask }) => {
	for (const target of ['/addin/webhook/events', '/addin/webhook/lifecycle', '/addin/api/links/x', '/live', '/ready', '/addin/live', '/addin/ready'])
		assert.equal((await ask('GET', target)).status, 200, target);
	assert.equal((await ask('GET', '/metrics', { port: metrics })).status, 200);
	peer.seen = [];
	for (const target of ['/', '/metrics', '/addin/metrics', '/webhook/events', '/api/links/x', '/addin/webhook/events/', '/addin/webhook/x', '/addinx', '/LIVE'])
		assert.equal((await ask('GET', target)).status, 404, target);
	assert.equal((await ask('GET', '/addin/api/../../metrics')).status, 404);
	for (const target of ['/addin/webhook/events', '/live', '/addin/config.json'])
		assert.equal((await ask('GET', target, { port: metrics })).status, 404, target);
	assert.deepEqual(peer.seen, []);
});

story('a page that is asked for again keeps its policy: a 304 replaces the headers that the browser has', async ({ ask }) => {
	for (const target of ['/addin/index.html', '/addin/']) {
		const first = await ask('GET', target);
		const again = await ask('GET', target, { headers: { 'If-None-Match': String(first.headers.etag) } });
		assert.equal(again.status, 304, target);
		assert.match(String(first.headers['content-security-policy']), /frame-ancestors 'self'/);
		assert.equal(again.headers['content-security-policy'], first.headers['content-security-policy'], target);
	}
	const first = await ask('GET', '/addin/config.json');
	const again = await ask('GET', '/addin/config.json', { headers: { 'If-None-Match': String(first.headers.etag) } });
	assert.deepEqual([again.status, again.headers['content-security-policy']], [304, undefined]);
});

story('headers of the program are not doubled', async ({ peer, ask }) => {
	peer.headers = 'Status: 503\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nRetry-After: 7\r\nContent-Security-Policy: sandbox\r\n';
	const answer = await ask('POST', '/addin/webhook/events', { body: '{}' });
	assert.equal(answer.status, 503);
	assert.equal(answer.text, '{}', 'its own 503 stands');
	assert.equal(answer.headers['cache-control'], 'no-store');
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
	assert.equal(answer.headers['retry-after'], '7');
	assert.equal(answer.headers['content-security-policy'], 'sandbox');
});

story('a program that breaks off is asked again on a new connection', async ({ peer, ask }) => {
	for (let i = 0; i < 20; i++) {
		let first = true;
		peer.mood = () => {
			const mood = first ? 'break' : 'answer';
			first = false;
			return mood;
		};
		const answer = await ask('POST', '/addin/webhook/events', { body: `{"n":${i}}` });
		assert.equal(answer.status, 200, `request ${i}`);
	}
	peer.mood = () => 'break';
	const answer = await ask('PUT', '/addin/api/links/x', { body: '{}' });
	assert.equal(answer.status, 503);
	assert.equal(JSON.parse(answer.text).error.code, 'unavailable');
	assert.equal(JSON.parse(answer.text).error.requestId, answer.headers['x-request-id']);
	assert.equal(answer.headers['retry-after'], '5');
});

story('connections to the program are kept', async ({ peer, ask }) => {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	const before = peer.connections;
	for (let i = 0; i < 200; i++)
		await ask('POST', '/addin/webhook/events', { body: '{}', agent });
	assert.ok(peer.connections - before <= 4, `${peer.connections - before} connections for 200 requests`);
	agent.destroy();
});

story('the webhook has no limit, the api one far above any agent', async ({ peer, ask }) => {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 300 });
	/** @param {string} method @param {string} target @param {number} count */
	const many = async (method, target, count) => {
		/** @type {Record<number, number>} */
		const counts = {};
		/** @type {Answer | undefined} */
		let refused;
		await Promise.all(Array.from({ length: count }, async () => {
			const answer = await ask(method, target, { agent, body: method === 'GET' ? undefined : '{}' });
			counts[answer.status] = (counts[answer.status] ?? 0) + 1;
			refused = answer.status === 429 ? answer : refused;
		}));
		return { counts, refused };
	};
	assert.deepEqual((await many('POST', '/addin/webhook/events', 4000)).counts, { 200: 4000 });
	assert.deepEqual((await many('GET', '/addin/api/links/x', 600)).counts, { 200: 600 }, '300 connections, 600 at once');
	peer.seen = [];
	const { counts, refused } = await many('GET', '/addin/api/links/x', 6000);
	assert.ok(counts[429] > 0, JSON.stringify(counts));
	assert.equal((counts[200] ?? 0) + counts[429], 6000, 'refused, never dropped');
	assert.equal(JSON.parse(refused?.text ?? '').error.code, 'too-many-requests');
	assert.equal(refused?.headers['retry-after'], '1');
	agent.destroy();
});

story('what nginx can not read is answered in the form of every error', async ({ peer, port, ask }) => {
	/** @type {[string, string, http.OutgoingHttpHeaders][]} */
	const long = [
		['GET', `/addin/webhook/events?validationToken=${'x'.repeat(17_000)}`, {}],
		['POST', `/addin/webhook/events?validationToken=${'x'.repeat(100_000)}`, { 'X-Request-Id': 'is-not-read-yet' }],
		['GET', '/addin/api/links/x', { 'X-Request-Id': 'client-id-1', Authorization: `Bearer ${'x'.repeat(17_000)}` }],
		['PUT', '/addin/api/links/x', Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`X-Long-${i}`, 'x'.repeat(10_000)]))],
		['GET', '/addin/index.html', { Cookie: 'x'.repeat(20_000) }],
	];
	for (const [method, target, headers] of long) {
		const answer = await ask(method, target, { headers });
		const what = `${method} ${target.slice(0, 40)}`;
		assert.equal(answer.status, 400, what);
		assert.match(String(answer.headers['content-type']), /^application\/json/, what);
		const { code, requestId } = JSON.parse(answer.text).error;
		assert.equal(code, 'malformed-request', what);
		assert.match(requestId, /^([0-9a-f]{32}|client-id-1)$/, what);
		assert.equal(answer.headers['x-request-id'], requestId, what);
		assert.equal(answer.headers['x-content-type-options'], 'nosniff', what);
	}
	const socket = net.connect(port, '127.0.0.1', () => socket.write('HELLO\r\n\r\n'));
	let text = '';
	socket.on('data', (d) => text += d);
	await waitFor(() => text.includes('"malformed-request"'), 5000, 'what is no HTTP');
	assert.match(text, /^HTTP\/1.1 400 /);
	socket.destroy();
	assert.equal((await ask('GET', '/-malformed')).status, 404, 'nobody gets there otherwise');
	assert.deepEqual(peer.seen, []);
});

story('who does not send a whole header is sent away after five seconds', async ({ port }) => {
	const began = Date.now();
	let closed = 0;
	const socket = net.connect(port, '127.0.0.1', () => socket.write('GET /live HTTP/1.1\r\nHost: x\r\n'));
	socket.on('error', () => {});
	socket.on('close', () => closed = Date.now());
	await waitFor(() => closed > 0, 30_000, 'it is closed');
	assert.ok(closed - began < 9000, `after ${closed - began} ms`);
});

/* Requests of which nginx has something to say, each with a query: a folder, a gateway that is down, too much, a disk that takes no body, and no program. */
const QUERY = 'validationToken=canary-of-a-query';
/** @type {[string, string, number, string?][]} */
const COMPLAINTS = [
	['GET', '/addin/js/', 403],
	['GET', '/addin/none.html', 404],
	['POST', '/addin/index.html', 405],
	['POST', '/addin/index.html', 413, 'x'.repeat(20_000)],
	['POST', '/addin/webhook/events', 503, 'x'.repeat(20_000)],
	['GET', '/addin/unblu/app/rest/v4/x', 503],
	['POST', '/addin/unblu/x', 413, 'x'.repeat(70_000)],
	['GET', '/addin/api/links/x', 503],
	['GET', '/addin/v-000000000000/js/none.js', 404],
	['GET', '/none', 404],
];

story('whatever goes wrong with a request, nginx logs it once, as JSON and without its query', async ({ peer, site, metrics, nginx, ask }) => {
	const before = nginx.log.length;
	await peer.close();
	fs.chmodSync(path.join(site, 'tmp/body'), 0);
	for (const [method, target, status, body] of COMPLAINTS)
		assert.equal((await ask(method, `${target}?${QUERY}`, { body })).status, status, target);
	assert.equal((await ask('GET', `/metrics?${QUERY}`, { port: metrics })).status, 503);
	await waitFor(() => nginx.log.length >= before + COMPLAINTS.length, 5000, 'all are logged');
	assert.deepEqual(nginx.log.slice(before).map((l) => l.text ?? `${l.method} ${l.status}`).sort(), COMPLAINTS.map(([method, , status]) => `${method} ${status}`).sort());
	assert.ok(!nginx.stderr.includes('canary'));
	fs.chmodSync(path.join(site, 'tmp/body'), 0o700);
}, { gatewayRelay: true, unbluOAuthBackendUrl: 'http://127.0.0.1:9' });

story('the site for an nginx that is there says nothing of a request', async ({ site, ask }) => {
	const port = await freePort();
	const front = startFront(path.dirname(site), { port, servers: [await freePort()] });
	try {
		await waitFor(async () => (await ask('GET', '/addin', { port }).catch(() => null))?.status === 502, 10_000, 'it answers');
		fs.chmodSync(path.join(site, '../front/client_body'), 0);
		for (const [target, status, body] of /** @type {[string, number, string?][]} */ ([['/addin/index.html', 502], ['/none', 404], ['/addin/unblu/x', 502], ['/addin/webhook/events', 500, 'x'.repeat(40_000)]]))
			assert.equal((await ask('POST', `${target}?${QUERY}`, { port, body })).status, status, target);
	} finally {
		await front.stop();
		fs.chmodSync(path.join(site, '../front/client_body'), 0o700);
	}
	assert.equal(front.stderr, '');
});
