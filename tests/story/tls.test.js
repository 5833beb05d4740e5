// @ts-check
/* TLS as it is documented: conf/nginx-site.conf with a certificate of our own before the rendered nginx. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { startFront } from '../lib/front.js';
import { freePort } from '../lib/http.js';
import { body, item } from '../lib/notification.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

/** @param {string} dir */
function certificate(dir) {
	const files = { key: path.join(dir, 'tls.key'), cert: path.join(dir, 'tls.pem') };
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
	fs.chmodSync(files.key, 0o644);
	return files;
}

test('over TLS: pages, a notification from Graph, the doctor, and the caller\'s own address', async (t) => {
	const port = await freePort();
	await Stack.play('tls', { start: false, config: { deploymentUrl: `https://127.0.0.1:${port}/`, trustedProxies: ['127.0.0.1'] } }, async (stack) => {
		const files = certificate(stack.dir);
		/* What doctor trusts when it asks for the public address. */
		stack.writeConfig({ caFile: files.cert });
		const ca = fs.readFileSync(files.cert);
		const front = startFront(stack.dir, { port, servers: [stack.port], tls: files });
		/** @param {string} method @param {string} target @param {https.RequestOptions & { body?: string }} [how] @returns {Promise<{ status: number, headers: import('node:http').IncomingHttpHeaders, text: string }>} */
		const ask = (method, target, how = {}) => new Promise((resolve, reject) => {
			const req = https.request({ host: '127.0.0.1', port, ca, method, path: target, agent: false, ...how }, (res) => {
				let text = '';
				res.setEncoding('utf8').on('data', (d) => {
					text += d;
				}).on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
			});
			req.on('error', reject);
			req.end(how.body);
		});
		try {
			await stack.up();
			await waitFor(async () => (await ask('GET', '/addin/ready')).status === 200, 10_000, 'ready over TLS');

			await stack.part(t, 'the add-in is served, with HSTS, and the manifest names this address', async () => {
				const page = await ask('GET', '/addin/index.html');
				assert.equal(page.status, 200);
				assert.match(page.text, /<\/html>/);
				assert.equal(page.headers['strict-transport-security'], 'max-age=31536000');
				assert.equal(page.headers['x-frame-options'], undefined);
				const manifest = await ask('GET', '/addin/manifest.xml');
				assert.ok(manifest.text.includes(`https://127.0.0.1:${port}/addin/`));
				assert.equal((await ask('GET', '/addin')).headers.location, '/addin/');
				assert.equal((await ask('GET', '/metrics')).status, 404);
			});

			await stack.part(t, 'Graph makes its handshake and notifies over TLS: a conversation follows its event', async () => {
				const { mailbox, sub, conv, event } = await stack.follow(stack.mailboxes[0]);
				assert.equal(sub.notificationUrl, `https://127.0.0.1:${port}/addin/webhook/events`);
				stack.sims.editEvent(mailbox, event, { subject: 'Renamed over TLS' });
				await waitFor(() => stack.sims.conversation(conv.id).topic === 'Renamed over TLS', 10_000, 'the topic follows');
				const answer = await ask('POST', '/addin/webhook/events', { body: body(item(sub, event.id)), headers: { 'Content-Type': 'application/json' } });
				assert.equal(answer.status, 202);
			});

			await stack.part(t, 'the address that is logged is the caller\'s, whatever he claims', async () => {
				await ask('GET', '/addin/index.html', { localAddress: '127.0.0.3', headers: { 'X-Request-Id': 'caller-over-tls', 'X-Forwarded-For': '203.0.113.9' } });
				const line = await waitFor(() => fs.readFileSync(path.join(stack.logDir, 'nginx.err'), 'utf8').split('\n').find((l) => l.includes('caller-over-tls')), 5000, 'it is logged');
				assert.equal(JSON.parse(line).client, '127.0.0.3');
			});

			await stack.part(t, 'TLS 1.2 and 1.3 are spoken, and HTTP/2 is offered', async () => {
				const connect = (/** @type {tls.ConnectionOptions} */ how) => new Promise((resolve, reject) => {
					const socket = tls.connect({ host: '127.0.0.1', port, ca, ...how }, () => {
						resolve([socket.getProtocol(), socket.alpnProtocol]);
						socket.destroy();
					});
					socket.on('error', reject);
				});
				assert.deepEqual(await connect({ ALPNProtocols: ['h2', 'http/1.1'] }), ['TLSv1.3', 'h2']);
				assert.deepEqual(await connect({ maxVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }), ['TLSv1.2', 'http/1.1']);
			});

			await stack.part(t, 'the doctor finds webhook and pages in order by the public address', async () => {
				const done = await stack.ctl('doctor', '--json');
				const { findings } = JSON.parse(done.stdout);
				for (const check of ['webhook', 'addin'])
					assert.deepEqual([...new Set(findings.filter((/** @type {any} */ f) => f.check === check).map((/** @type {any} */ f) => f.status))], ['ok'], JSON.stringify(findings.filter((/** @type {any} */ f) => f.check === check)));
			});
			await front.stop();
		} finally {
			await front.destroy();
		}
	});
});
