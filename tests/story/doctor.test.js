// @ts-check
/* outlook-addinctl doctor: in order it says so; each mistake of an installation is found, with what to do. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { makeCertificate } from '../lib/certificate.js';
import { freePort } from '../lib/http.js';
import { ForwardProxy } from '../lib/proxy.js';
import { Stack } from '../lib/stack.js';
import { waitFor } from '../lib/wait.js';

/** @typedef {{ check: string, subject: string, status: 'ok' | 'skipped' | 'warning' | 'failed', detail: string, advice?: string }} Finding */

/** @param {Stack} stack @param {...string} args @returns {Promise<{ code: number, findings: Finding[], healthy: boolean, stderr: string }>} */
async function doctor(stack, ...args) {
	const done = await stack.ctl('doctor', '--json', ...args);
	assert.doesNotMatch(done.stdout + done.stderr, /Sanitizer/, done.stderr);
	const doc = JSON.parse(done.stdout);
	assert.equal(doc.v, 1);
	assert.equal(done.code, doc.healthy ? 0 : 1);
	return { code: done.code, findings: doc.findings, healthy: doc.healthy, stderr: done.stderr };
}

/** The findings of a check that failed; all others must be well. @param {Finding[]} findings @param {string} check @param {string[]} more checks that may fail with it */
function failuresOf(findings, check, ...more) {
	const failed = findings.filter((f) => f.status === 'failed');
	assert.ok(failed.length > 0, `nothing failed: ${JSON.stringify(findings)}`);
	assert.deepEqual([...new Set(failed.map((f) => f.check))].sort(), [check, ...more].sort(), JSON.stringify(failed));
	for (const f of failed)
		assert.ok(f.advice !== undefined && f.advice.length > 10, `says what to do: ${JSON.stringify(f)}`);
	return failed.filter((f) => f.check === check);
}

/** Runs it with another configuration file content, and puts the old one back. @param {Stack} stack @param {Record<string, any>} change */
async function doctorWith(stack, change) {
	const before = Object.fromEntries(Object.keys(change).map((k) => [k, /** @type {any} */ (stack.config)[k]]));
	stack.writeConfig(change);
	const done = await doctor(stack);
	stack.writeConfig(before);
	return done;
}

test('what is in order is found in order, every check of it, and nothing is left behind', async () => {
	await Stack.play('doctor-well', {}, async (stack) => {
		const link = await stack.follow(stack.mailboxes[0]);
		assert.equal((await stack.renew()).code, 0);
		await waitFor(async () => (await stack.http.get('/ready')).json.degraded.length === 0, 10_000, 'nothing is degraded');
		const before = stack.sims.subscriptionsOf(link.mailbox).length;
		const { findings, healthy, stderr } = await doctor(stack);
		assert.ok(healthy, JSON.stringify(findings, null, 1));
		assert.equal(stderr, '');
		for (const check of ['configuration', 'store', 'service', 'sync', 'renewal', 'clock', 'entra', 'graph', 'token', 'subscriptions', 'mailbox', 'unblu', 'gateway', 'webhook', 'addin', 'queue'])
			assert.ok(findings.some((f) => f.check === check && f.status === 'ok'), `${check} is ok`);
		assert.equal(findings.filter((f) => f.check === 'token').length, 2, 'one for each tenant');
		assert.equal(findings.filter((f) => f.check === 'webhook').length, 2, 'both addresses');
		assert.equal(stack.sims.subscriptionsOf(link.mailbox).length, before);
		const text = await stack.ctl('doctor');
		assert.equal(text.code, 0);
		assert.match(text.stdout, /^ok +token +tenant /m);
		assert.match(text.stdout, /\nnothing is wrong\n$/);
		assert.equal(await stack.deadLetters(), 0);
	});
});

test('each mistake of an installation is found, and told with what to do about it', async (t) => {
	await Stack.play('doctor-ill', {}, async (stack) => {
		const { sims } = stack;
		stack.expectErrors = true;
		const link = await stack.follow(stack.mailboxes[0]);
		assert.equal((await stack.renew()).code, 0);

		await stack.part(t, 'a wrong secret', async () => {
			const done = await stack.run(stack.parts.ctl, ['--config', stack.configFile, 'doctor', '--json'], { env: { CLIENT_SECRET: 'the-id-of-it' } });
			const failed = failuresOf(JSON.parse(done.stdout).findings, 'token');
			assert.equal(failed.length, 2);
			assert.match(failed[0].detail, /AADSTS7000215.*id was pasted/);
			assert.doesNotMatch(done.stdout + done.stderr, /the-id-of-it/);
		});
		await stack.part(t, 'a secret that has expired, in one tenant only', async () => {
			sims.expireSecret(link.mailbox.tenant, true);
			const failed = failuresOf((await doctor(stack)).findings, 'token');
			sims.expireSecret(link.mailbox.tenant, false);
			assert.deepEqual(failed.map((f) => f.subject), [`tenant ${link.mailbox.tenant}`]);
			assert.match(failed[0].detail, /AADSTS7000222.*expired/);
		});
		await stack.part(t, 'a mailbox that the application may not read', async () => {
			sims.mailboxState(link.mailbox, 'forbidden');
			/** @param {Finding[]} findings */
			const refused = (findings) => {
				const failed = failuresOf(findings, 'mailbox');
				assert.match(failed[0].subject, new RegExp(link.mailbox.oid));
				assert.match(String(failed[0].advice), /Calendars\.Read/);
			};
			refused((await doctor(stack)).findings);
			// sync finds it too and parks the mailbox: it is still tried
			sims.editEvent(link.mailbox, link.event, { subject: 'behind the wall' });
			await waitFor(async () => /"state":\s*"parked"/.test((await stack.ctl('status', '--json')).stdout), 10_000, 'the mailbox is parked');
			const { findings } = await doctor(stack);
			/* It waits for the mailbox, which is Graph's affair. */
			assert.ok(findings.some((f) => f.check === 'queue' && f.subject === 'work of parked mailboxes' && /: [1-9]/.test(f.detail)), JSON.stringify(findings));
			assert.ok(!findings.some((f) => /Unblu has refused/.test(String(f.advice))));
			refused(findings);
			assert.ok(findings.some((f) => f.check === 'mailbox' && f.status === 'warning' && /^parked: .*403/.test(f.detail)), JSON.stringify(findings));
			sims.mailboxState(link.mailbox, 'ok');
			assert.equal((await stack.ctl('mailbox', 'resume', '--tenant', link.mailbox.tenant, '--user', link.mailbox.oid)).code, 0);
		});
		await stack.part(t, 'a subscription that Graph has lost without a word', async () => {
			const [sub] = sims.subscriptionsOf(link.mailbox);
			sims.dropSubscription(sub.id);
			const text = await stack.ctl('doctor');
			assert.match(text.stdout, /^warning +subscriptions +tenant .*: the list shows 0 of this application, but 1 should be there\n +-> .*outlook-addin-renew --force/m);
			assert.match(text.stdout, /\nnothing has failed; warnings: [1-9]\d*\n$/);
			assert.equal(text.code, 0);
			assert.equal((await stack.renew('--force')).code, 0);
			assert.ok((await doctor(stack)).findings.every((f) => f.check !== 'subscriptions' || f.status === 'ok'));
		});
		await stack.part(t, 'a store that can not be read', async () => {
			const { findings } = await doctor(stack, '--database', `sqlite:${stack.dir}/absent.db`);
			assert.ok(findings.some((f) => f.check === 'mailbox' && f.status === 'skipped' && /without the store/.test(f.detail)), JSON.stringify(findings));
		});
		await stack.part(t, 'a mailbox named by hand, also when none is followed', async () => {
			const other = stack.mailboxes[2];
			const fine = await doctor(stack, '--tenant', other.tenant, '--user', other.oid);
			assert.ok(fine.findings.some((f) => f.check === 'mailbox' && f.status === 'ok' && f.subject === `${other.tenant}/${other.oid}`));
			const nobody = await doctor(stack, '--tenant', other.tenant, '--user', 'nobody@example.com');
			failuresOf(nobody.findings, 'mailbox');
			const half = await stack.ctl('doctor', '--tenant', other.tenant);
			assert.equal(half.code, 2);
			const foreign = await stack.ctl('doctor', '--tenant', '00000000-0000-0000-0000-000000000000', '--user', 'x');
			assert.equal(foreign.code, 2);
			assert.match(foreign.stderr, /tenantIds/);
		});
		await stack.part(t, 'an address where nobody answers: Graph, Entra, Unblu, the webhook', async () => {
			const nobody = `http://127.0.0.1:${await freePort()}`;
			for (const [key, check] of [['graphUrl', 'graph'], ['loginUrl', 'entra'], ['unbluOAuthBackendUrl', 'unblu'], ['deploymentUrl', 'webhook']]) {
				const failed = failuresOf((await doctorWith(stack, { [key]: nobody })).findings, check, ...check === 'webhook' ? ['addin'] : []);
				assert.match(failed[0].detail, /no connection/, key);
				assert.match(String(failed[0].advice), /firewall/, key);
			}
		});
		await stack.part(t, 'a name that does not exist', async () => {
			const failed = failuresOf((await doctorWith(stack, { graphUrl: 'https://graph.invalid' })).findings, 'graph');
			assert.match(failed[0].detail, /resolved/);
		});
		await stack.part(t, 'something that does not speak TLS', async () => {
			const server = net.createServer((socket) => socket.on('error', () => {}).on('data', () => socket.end('no TLS here\n')));
			await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
			const { port } = /** @type {net.AddressInfo} */ (server.address());
			const failed = failuresOf((await doctorWith(stack, { graphUrl: `https://127.0.0.1:${port}` })).findings, 'graph');
			server.close();
			assert.match(String(failed[0].advice), /caFile/);
		});
		await stack.part(t, 'a wrong path to Unblu', async () => {
			const failed = failuresOf((await doctorWith(stack, { unbluApiPath: '/nowhere/rest/v4' })).findings, 'unblu');
			assert.match(String(failed[0].advice), /unbluApiPath/);
		});
		await stack.part(t, 'a secret that the gateway does not know', async () => {
			const done = await stack.run(stack.parts.ctl, ['--config', stack.configFile, 'doctor', '--json'], { env: { SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET: 'wrong' } });
			const failed = failuresOf(JSON.parse(done.stdout).findings, 'gateway');
			assert.match(String(failed[0].advice), /SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET/);
		});
		await stack.part(t, 'a base path that nginx was not rendered for', async () => {
			const failed = failuresOf((await doctorWith(stack, { deploymentAddinEndpoint: 'elsewhere' })).findings, 'webhook', 'addin');
			assert.equal(failed.length, 2);
			assert.match(failed[0].detail, /status 404/);
		});
		await stack.part(t, 'a clock that is wrong', async () => {
			sims.advance(3600_000);
			const failed = (await doctor(stack)).findings.filter((f) => f.check === 'clock');
			sims.advance(-3600_000);
			assert.equal(failed.length, 1);
			assert.match(failed[0].detail, /3(599|600|601) s behind/);
			assert.match(String(failed[0].advice), /NTP/);
		});
		await stack.part(t, 'a tenant that has not consented', async () => {
			const { app } = sims.sim.directory.tenants.get(link.mailbox.tenant);
			app.consented = false;
			const failed = failuresOf((await doctor(stack)).findings, 'token');
			app.consented = true;
			assert.deepEqual(failed.map((f) => f.subject), [`tenant ${link.mailbox.tenant}`]);
			assert.match(failed[0].detail, /AADSTS700016/);
		});
		await stack.part(t, 'an agent without a licence, and one that is gone', async () => {
			const other = stack.mailboxes[1];
			for (const state of ['noLicence', 'deleted']) {
				sims.mailboxState(other, state);
				const failed = failuresOf((await doctor(stack, '--tenant', other.tenant, '--user', other.oid)).findings, 'mailbox');
				assert.match(failed[0].detail, /404/, state);
				assert.match(String(failed[0].advice), /licence/);
			}
			sims.mailboxState(other, 'ok');
		});
		await stack.part(t, 'the two properties of Unblu are false: what was refused waits, and the properties are named', async () => {
			Object.assign(sims.sim.settings.unblu, { allowNonAdminTopic: false, topicParticipations: [] });
			sims.sim.settings.gateway.role = 'REGISTERED_USER';
			sims.editEvent(link.mailbox, link.event, { subject: 'not allowed' });
			const queue = await waitFor(async () => {
				const { findings } = await doctor(stack);
				return findings.find((f) => f.check === 'queue' && f.status === 'warning');
			}, 15_000, 'the row waits');
			assert.match(queue.detail, /^rows that wait after a failure: [1-9]\d*, one of them because of: .*(forbidden|403)/);
			assert.match(String(queue.advice), /allowNonAdminUsersChange/);
			Object.assign(sims.sim.settings.unblu, { allowNonAdminTopic: true, topicParticipations: ['ASSIGNED_AGENT'] });
			sims.sim.settings.gateway.role = 'ADMIN';
			assert.equal((await stack.ctl('mailbox', 'resume', '--tenant', link.mailbox.tenant, '--user', link.mailbox.oid)).code, 0);
		});
		await stack.part(t, 'a login page, a refusal or another type in front of the webhook', async () => {
			/** @type {(req: http.IncomingMessage, res: http.ServerResponse) => void} */
			let front = () => {};
			const server = http.createServer((req, res) => front(req, res));
			t.after(() => {
				server.close();
				server.closeAllConnections();
			});
			await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
			const { port } = /** @type {net.AddressInfo} */ (server.address());
			const before = async () => (await doctorWith(stack, { deploymentUrl: `http://127.0.0.1:${port}` })).findings;
			for (const [status, headers] of /** @type {[number, http.OutgoingHttpHeaders][]} */ ([[302, { Location: 'https://login.example/' }], [401, { 'WWW-Authenticate': 'Basic' }], [403, {}], [200, { 'Content-Type': 'text/html' }]])) {
				front = (_, res) => res.writeHead(status, headers).end('<h1>Sign in</h1>');
				const failed = failuresOf(await before(), 'webhook', 'addin');
				assert.match(failed[0].detail, new RegExp(`status ${status}`));
				assert.match(String(failed[0].advice), /login|redirect/);
			}
			front = (req, res) => http.request({ port: stack.port, host: '127.0.0.1', method: req.method, path: req.url, headers: req.headers }, (back) => {
				back.resume();
				const token = decodeURIComponent(String(req.url).split('validationToken=')[1] ?? '');
				res.writeHead(200, { 'Content-Type': 'text/html' }).end(token);
			}).end();
			const changed = failuresOf(await before(), 'webhook', 'addin');
			assert.match(changed[0].detail, /came back as text\/html/);
		});
		await stack.part(t, 'a certificate that nobody trusts', async () => {
			const file = path.join(stack.dir, 'self.pem');
			execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', file, '-out', `${file}.crt`], { stdio: 'pipe' });
			const server = https.createServer({ key: fs.readFileSync(file), cert: fs.readFileSync(`${file}.crt`) }, (_, res) => res.end());
			t.after(() => {
				server.close();
				server.closeAllConnections();
			});
			server.on('tlsClientError', () => {});
			await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
			const { port } = /** @type {net.AddressInfo} */ (server.address());
			const failed = failuresOf((await doctorWith(stack, { deploymentUrl: `https://127.0.0.1:${port}` })).findings, 'webhook', 'addin');
			fs.rmSync(file);
			assert.match(failed[0].detail, /no trusted TLS/);
			assert.match(String(failed[0].advice), /certificate/);
		});
		await stack.part(t, 'a proxy that is not there', async () => {
			const { findings } = await doctorWith(stack, { httpProxy: `http://127.0.0.1:${await freePort()}`, noProxy: 'unblu.example' });
			const failed = findings.filter((f) => f.status === 'failed');
			assert.ok(failed.some((f) => f.check === 'graph' || f.check === 'entra'), JSON.stringify(findings));
			assert.ok(failed.every((f) => /httpProxy/.test(String(f.advice))), JSON.stringify(failed));
		});
		await stack.part(t, 'a proxy that works: Graph and Entra by it, in a tunnel or not, and who is in noProxy without it', async () => {
			const port = (/** @type {string} */ url) => Number(new URL(url).port);
			const dir = fs.mkdtempSync(path.join(stack.dir, 'tls-'));
			fs.chmodSync(dir, 0o755);
			const { ca, key, cert } = makeCertificate(dir, 'DNS:graph.microsoft.com');
			const front = tls.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, (socket) => {
				const peer = net.connect(port(sims.config.graphUrl), '127.0.0.1');
				for (const end of [socket, peer])
					end.on('error', () => end.destroy());
				socket.pipe(peer).pipe(socket);
			});
			await new Promise((resolve) => front.listen(0, '127.0.0.1', () => resolve(null)));
			const proxy = await ForwardProxy.start({ 'graph.microsoft.com': /** @type {net.AddressInfo} */ (front.address()).port, '127.0.0.2': port(sims.config.loginUrl) });
			try {
				const done = await doctorWith(stack, { httpProxy: proxy.url, noProxy: '127.0.0.1', caFile: ca, graphUrl: 'https://graph.microsoft.com', loginUrl: `http://127.0.0.2:${port(sims.config.loginUrl)}` });
				for (const check of ['entra', 'graph', 'token', 'subscriptions', 'mailbox', 'unblu', 'gateway', 'webhook'])
					assert.ok(done.findings.some((f) => f.check === check && f.status === 'ok'), `${check}: ${JSON.stringify(done.findings)}`);
				assert.deepEqual([...new Set(proxy.asked)].sort(), ['CONNECT graph.microsoft.com', 'GET 127.0.0.2', 'POST 127.0.0.2'], 'nothing of 127.0.0.1');
			} finally {
				proxy.close();
				front.close();
			}
		});
		await stack.part(t, 'a token endpoint of the gateway that is none', async () => {
			const failed = failuresOf((await doctorWith(stack, { unbluTokenUrl: `${stack.sims.config.graphUrl}/oauth2/token` })).findings, 'gateway');
			assert.match(String(failed[0].advice), /unbluTokenUrl/);
		});
		await stack.part(t, 'files that were rendered for another application', async () => {
			const failed = (await doctorWith(stack, { clientId: '99999999-0000-4000-8000-000000000000' })).findings.filter((f) => f.status === 'failed');
			const addin = failed.find((f) => f.check === 'addin');
			assert.match(String(addin?.advice), /render/);
			assert.ok(failed.some((f) => f.check === 'token' && /AADSTS700016/.test(f.detail)), 'nobody knows it');
		});
		await stack.part(t, 'sync does not run, and the renewal is not called', async () => {
			await stack.fcgiDown();
			await stack.writeStore("DELETE FROM fact WHERE name IN ('sync-heartbeat', 'renew-last-success');");
			await stack.startFcgi({ args: ['--role', 'web'] });
			await waitFor(async () => (await stack.http.get('/ready')).status === 200, 5000, 'ready');
			const failed = (await doctor(stack)).findings.filter((f) => f.status === 'failed');
			assert.deepEqual(failed.map((f) => f.check).sort(), ['renewal', 'sync'], JSON.stringify(failed));
			assert.match(String(failed.find((f) => f.check === 'renewal')?.advice), /print crontab/);
			assert.match(String(failed.find((f) => f.check === 'sync')?.advice), /role sync or all/);
			await stack.fcgiDown();
			await stack.startFcgi();
			assert.equal((await stack.renew()).code, 0);
			await waitFor(async () => (await stack.http.get('/ready')).json?.degraded?.length === 0, 10_000, 'well again');
		});
		await stack.part(t, 'no program at the socket', async () => {
			await stack.fcgiDown();
			await stack.writeStore("UPDATE fact SET at_ms = at_ms + 86400000 WHERE name = 'renew-last-success';");
			const { findings } = await doctor(stack);
			const failed = findings.filter((f) => f.status === 'failed');
			assert.ok(failed.some((f) => f.check === 'renewal' && /a clock that ran ahead/.test(f.detail)), JSON.stringify(findings));
			assert.ok(failed.some((f) => f.check === 'service' && /outlook-addin-fcgi/.test(String(f.advice))));
			assert.ok(failed.some((f) => f.check === 'webhook' && /status 503/.test(f.detail)));
			await stack.startFcgi();
			await waitFor(async () => (await stack.http.get('/ready')).status === 200, 5000, 'ready');
		});
		await stack.part(t, 'a configuration with a mistake', async () => {
			stack.writeConfig({ tenantIds: ['nonsense'] });
			const done = await stack.ctl('doctor');
			assert.equal(done.code, 2);
			assert.match(done.stderr, /\$\.tenantIds\[0\]/);
		});
	});
});
