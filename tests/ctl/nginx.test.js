// @ts-check
/* The rendered nginx.conf in a real nginx, before a FastCGI peer that shows what it gets. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { buildFolder, dataFolder, giveAway, makeFolder, serviceAccount } from '../lib/build.js';
import { BEGIN, END, PARAMS, STDIN, STDOUT, record } from '../lib/fastcgi.js';
import { freePort } from '../lib/http.js';
import { Program } from '../lib/program.js';
import { waitFor } from '../lib/wait.js';

const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');

/** @param {Buffer} data @returns {Record<string, string>} */
function parsePairs(data) {
	let at = 0;
	const length = () => {
		const short = data[at];
		const size = short < 128 ? 1 : 4;
		const n = size === 1 ? short : data.readUInt32BE(at) & 0x7fffffff;
		at += size;
		return n;
	};
	/** @type {Record<string, string>} */
	const out = {};
	while (at < data.length) {
		const name = length();
		const value = length();
		out[data.toString('latin1', at, at + name)] = data.toString('latin1', at + name, at + name + value);
		at += name + value;
	}
	return out;
}

/** A FastCGI program on a unix socket; answer() may say how a request ends. */
class Peer {
	/** @param {string} file */
	constructor(file) {
		/** @type {{ params: Record<string, string>, body: Buffer }[]} */
		this.seen = [];
		this.connections = 0;
		/** @type {() => 'answer' | 'break'} */
		this.mood = () => 'answer';
		this.headers = 'Status: 200\r\nContent-Type: application/json\r\n';
		/** @type {Set<net.Socket>} */
		this.sockets = new Set();
		this.server = net.createServer((s) => this.serve(s));
		this.file = file;
	}

	async listen() {
		await new Promise((resolve) => this.server.listen({ path: this.file, backlog: 4096 }, () => resolve(null)));
		fs.chmodSync(this.file, 0o777);
	}

	/** @param {net.Socket} socket */
	serve(socket) {
		let data = Buffer.alloc(0);
		/** @type {Buffer[]} */
		let params = [];
		/** @type {Buffer[]} */
		let body = [];
		this.connections++;
		this.sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => this.sockets.delete(socket));
		socket.on('data', (d) => {
			data = Buffer.concat([data, d]);
			while (data.length >= 8 && data.length >= 8 + data.readUInt16BE(4) + data[6]) {
				const type = data[1];
				const id = data.readUInt16BE(2);
				const content = data.subarray(8, 8 + data.readUInt16BE(4));
				data = data.subarray(8 + content.length + data[6]);
				if (type === BEGIN)
					[params, body] = [[], []];
				else if (type === PARAMS)
					params.push(content);
				else if (type === STDIN && content.length > 0)
					body.push(content);
				else if (type === STDIN)
					this.done(socket, id, parsePairs(Buffer.concat(params)), Buffer.concat(body));
			}
		});
	}

	/** @param {net.Socket} socket @param {number} id @param {Record<string, string>} params @param {Buffer} body */
	done(socket, id, params, body) {
		this.seen.push({ params, body });
		if (this.mood() === 'break') {
			socket.destroy();
			return;
		}
		const text = Buffer.from(`${this.headers}\r\n{}`);
		socket.write(Buffer.concat([record(STDOUT, id, text), record(STDOUT, id, Buffer.alloc(0)), record(END, id, Buffer.alloc(8))]));
	}

	async close() {
		for (const s of this.sockets)
			s.destroy();
		await new Promise((resolve) => this.server.close(resolve));
	}
}

/**
 * @typedef {{ status: number, headers: http.IncomingHttpHeaders, text: string }} Answer
 * @typedef {{ peer: Peer, port: number, metrics: number, ask: (method: string, target: string, how?: { headers?: http.OutgoingHttpHeaders, body?: string | Buffer, agent?: http.Agent, port?: number }) => Promise<Answer> }} Site
 */

/** @param {string} name @param {(site: Site) => Promise<void>} body @param {Record<string, any>} [more] keys of addin.json */
function story(name, body, more = {}) {
	test(name, async () => {
		const dir = makeFolder('nginx');
		const [port, metrics] = [await freePort(), await freePort()];
		const socket = path.join(dir, 'fcgi.sock');
		const config = path.join(dir, 'addin.json');
		fs.writeFileSync(config, JSON.stringify({
			deploymentUrl: `http://127.0.0.1:${port}`, deploymentAddinEndpoint: 'addin', unbluOAuthBackendUrl: 'https://unblu.example',
			clientId: '11111111-2222-3333-4444-555555555555', fastcgiListen: `unix:${socket}`,
			httpListen: `127.0.0.1:${port}`, metricsListen: `127.0.0.1:${metrics}`, ...more,
		}));
		const site = path.join(dir, 'site');
		execFileSync(CTL, ['--config', config, 'render', '--out', site], { env: { PATH: process.env.PATH, OUTLOOK_ADDIN_DATADIR: dataFolder() }, stdio: 'ignore' });
		const tmp = path.join(site, 'tmp');
		giveAway(tmp);
		const peer = new Peer(socket);
		await peer.listen();
		const nginx = new Program('nginx', ['nginx', '-p', site, '-c', 'nginx.conf', '-g', 'daemon off;'], { dir, env: { PATH: process.env.PATH ?? '' }, account: serviceAccount() });
		/** @type {Site['ask']} */
		const ask = (method, target, how = {}) => new Promise((resolve, reject) => {
			const req = http.request({ host: '127.0.0.1', port: how.port ?? port, method, path: target, headers: how.headers, agent: how.agent ?? false, timeout: 20_000 }, (res) => {
				/** @type {Buffer[]} */
				const parts = [];
				res.on('data', (d) => parts.push(d));
				res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(parts).toString() }));
				res.on('error', reject);
			});
			req.on('timeout', () => req.destroy(new Error('no answer in 20 s')));
			req.on('error', reject);
			req.end(how.body);
		});
		try {
			await waitFor(async () => (await ask('GET', '/live').catch(() => null))?.status === 200, 10_000, 'nginx answers');
			peer.seen = [];
			await body({ peer, port, metrics, ask });
		} finally {
			await nginx.stop();
			await peer.close();
			fs.rmSync(dir, { recursive: true, force: true });
		}
	});
}

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
