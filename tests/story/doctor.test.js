// @ts-check
/* outlook-addinctl doctor: in order it says so; each mistake of an installation is found, with what to do. */

import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { freePort } from '../lib/http.js';
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

/** The findings of a check that failed; all others must be well. @param {Finding[]} findings @param {string} check */
function failuresOf(findings, check) {
	const failed = findings.filter((f) => f.status === 'failed');
	assert.ok(failed.length > 0, `nothing failed: ${JSON.stringify(findings)}`);
	assert.deepEqual([...new Set(failed.map((f) => f.check))], [check], JSON.stringify(failed));
	for (const f of failed)
		assert.ok(f.advice !== undefined && f.advice.length > 10, `says what to do: ${JSON.stringify(f)}`);
	return failed;
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
		for (const check of ['configuration', 'store', 'service', 'sync', 'renewal', 'clock', 'entra', 'graph', 'token', 'subscriptions', 'mailbox', 'unblu', 'gateway', 'webhook'])
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
			refused(findings);
			assert.ok(findings.some((f) => f.check === 'mailbox' && f.status === 'warning' && /^parked: .*403/.test(f.detail)), JSON.stringify(findings));
			sims.mailboxState(link.mailbox, 'ok');
			assert.equal((await stack.ctl('mailbox', 'resume', '--tenant', link.mailbox.tenant, '--user', link.mailbox.oid)).code, 0);
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
				const failed = failuresOf((await doctorWith(stack, { [key]: nobody })).findings, check);
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
			const failed = failuresOf((await doctorWith(stack, { deploymentAddinEndpoint: 'elsewhere' })).findings, 'webhook');
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
		await stack.part(t, 'no program at the socket', async () => {
			await stack.fcgiDown();
			const { findings } = await doctor(stack);
			const failed = findings.filter((f) => f.status === 'failed');
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
