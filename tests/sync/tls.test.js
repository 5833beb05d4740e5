// @ts-check
/* The gateway behind TLS and HTTP/2, as in life. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { makeCertificate } from '../lib/certificate.js';
import { ANNA, BEN, Bench, CARLA, TENANT_OF, until } from './harness.js';

/** A certificate authority and a certificate for name. @param {any} t @param {string} name e.g. IP:127.0.0.1 */
function certificate(t, name) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'outlook-addin-tls-'));
	t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
	const { ca, key, cert } = makeCertificate(dir, name);
	return { ca, key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
}

/** Speaks HTTP/2 over TLS and hands on to a simulator. @param {any} t @param {{ key: Buffer, cert: Buffer }} pair */
async function front(t, pair) {
	const seen = { sessions: 0, requests: 0, versions: new Set(), to: '', url: '' };
	const server = http2.createSecureServer({ ...pair, allowHTTP1: true }, (req, res) => {
		seen.requests++;
		seen.versions.add(req.httpVersion);
		const headers = Object.fromEntries(Object.entries(req.headers).filter(([k]) => !k.startsWith(':')));
		const on = http.request(seen.to + req.url, { method: req.method, headers }, (reply) => {
			const back = Object.fromEntries(Object.entries(reply.headers).filter(([k]) => !['connection', 'keep-alive', 'transfer-encoding'].includes(k)));
			res.writeHead(reply.statusCode ?? 502, /** @type {any} */ (back));
			reply.pipe(/** @type {any} */ (res));
		});
		on.on('error', () => res.end());
		req.pipe(on);
	});
	server.on('session', () => seen.sessions++);
	server.on('tlsClientError', () => {});
	server.on('sessionError', () => {});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
	t.after(() => server.close());
	seen.url = `https://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
	return seen;
}

describe('the gateway behind TLS', { concurrency: 2 }, () => {
	test('many exchanges share one connection of HTTP/2', async (t) => {
		const pair = certificate(t, 'IP:127.0.0.1');
		const tls = await front(t, pair);
		const b = await Bench.start(t, { config: { unbluOAuthBackendUrl: `${tls.url}/gateway`, caFile: pair.ca }, settings: { unblu: { latencyMs: 30 }, graph: { notify: { profile: 'none' } } } });
		tls.to = b.sim.urls.unblu;
		const ms = [];
		for (const user of [ANNA, BEN, CARLA])
			for (let i = 0; i < 8; i++)
				ms.push({ user, ...await b.meeting(user) });
		for (const m of ms) {
			await b.act({ action: 'edit', mailbox: m.user, event: m.event.immutableId, subject: `Topic ${m.id}` });
			await b.tool('work', '0', TENANT_OF[m.user], m.user, m.event.immutableId, '2', '0');
		}
		await b.wake();
		for (const m of ms)
			await until('the topic is there', async () => (await b.conversation(m.id)).topic === `Topic ${m.id}`);
		assert.deepEqual([...tls.versions], ['2.0']);
		assert.ok(tls.requests >= 24);
		assert.ok(tls.sessions <= 3, `${tls.sessions} connections`);
	});

	for (const [what, name, trusted] of /** @type {[string, string, boolean][]} */ ([
		['for another name', 'DNS:graph.example', true],
		['of an unknown authority', 'IP:127.0.0.1', false],
	]))
		test(`a certificate ${what} is refused, the row held and no token sent`, async (t) => {
			const pair = certificate(t, name);
			const tls = await front(t, pair);
			const b = await Bench.start(t, { config: { unbluOAuthBackendUrl: `${tls.url}/gateway`, ...(trusted ? { caFile: pair.ca } : {}) } });
			tls.to = b.sim.urls.unblu;
			const m = await b.meeting(ANNA);
			await b.notify(ANNA, m.event.immutableId);
			await until('it waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => /TLS failed/.test(w.reason)));
			assert.equal(tls.requests, 0);
			assert.equal((await b.dump()).dead.length, 0);
		});
});
