// @ts-check
/* Graph's validation of the notification URL, in every form. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { body, item, longId } from '../lib/notification.js';
import { waitFor } from '../lib/wait.js';
import { EVENTS, LIFECYCLE, Web } from './harness.js';

/** @param {import('./harness.js').Answer} answer @param {string} token */
function echoes(answer, token) {
	assert.equal(answer.status, 200);
	assert.equal(answer.body, token);
	assert.match(answer.headers['content-type'], /^text\/plain/);
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
	assert.equal(answer.headers['content-length'], String(Buffer.byteLength(token)));
}

test('the handshake', async (t) => {
	await Web.play({}, async (web) => {
		await t.test('the token comes back, form-decoded exactly once', async () => {
			for (const [sent, token] of [
				['abc', 'abc'],
				['Validation%3a+Testing+client+application+reachability', 'Validation: Testing client application reachability'],
				['a%20b%2Bc%2bd', 'a b+c+d'],
				['%2541%2500', '%41%00'],
				['%3Cscript%3Ealert(1)%3C%2Fscript%3E', '<script>alert(1)</script>'],
				['Gr%C3%BCezi', 'Grüezi'],
				['A'.repeat(2048), 'A'.repeat(2048)],
				['%41'.repeat(2048), 'A'.repeat(2048)],
			]) {
				echoes(await web.ask('POST', `${EVENTS}?validationToken=${sent}`), token);
				echoes(await web.ask('POST', `${LIFECYCLE}?validationToken=${sent}`), token);
				echoes(await web.ask('GET', `${EVENTS}?validationToken=${sent}`), token);
			}
		});
		await t.test('its name may be in any case, and a body does not matter', async () => {
			for (const name of ['validationtoken', 'VALIDATIONTOKEN', 'ValidationToken'])
				echoes(await web.ask('POST', `${EVENTS}?a=1&${name}=x&b`, '{ not JSON'), 'x');
		});
		await t.test('what must not be echoed is 400 with a JSON body', async () => {
			for (const query of ['validationToken=', 'validationToken', 'validationToken=a&validationToken=a', 'validationToken=a&VALIDATIONTOKEN=b',
				'validationToken=%0d%0aX:y', 'validationToken=%00', 'validationToken=%7f', 'validationToken=%1b', 'validationToken=%', 'validationToken=%4', 'validationToken=%zz',
				'validationToken=%ff', `validationToken=${'A'.repeat(2049)}`, `validationToken=${'%41'.repeat(2049)}`]) {
				const answer = await web.ask('POST', `${EVENTS}?${query}`);
				assert.equal(answer.status, 400, query);
				assert.equal(JSON.parse(answer.body).error.requestId, '00112233445566778899aabbccddeeff');
			}
		});
		await t.test('without a token only POST is answered', async () => {
			for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', '']) {
				const answer = await web.ask(method, EVENTS);
				assert.equal(answer.status, 405, method);
				assert.equal(answer.headers.allow, 'POST');
			}
		});
	});
});

test('health routes and unknown paths', async () => {
	await Web.play({}, async (web) => {
		for (const path of ['/live', '/addin/live'])
			assert.deepEqual(JSON.parse((await web.ask('GET', path)).body), { status: 'ok' });
		for (const path of ['/ready', '/addin/ready']) {
			const ready = await web.ask('GET', path);
			assert.equal(ready.status, 200);
			/* Nobody has seen a sync here. */
			assert.deepEqual(JSON.parse(ready.body), { status: 'degraded', degraded: ['sync'] });
		}
		/* Ahead of the clock, which was set back since. */
		for (const [ahead, degraded] of /** @type {[number, string[]][]} */ ([[0, []], [60_000, ['sync']]])) {
			await web.query(`INSERT INTO fact (name, fact, at_ms) VALUES ('sync-heartbeat', '0', ${Date.now() + ahead}) ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms`, false);
			await waitFor(async () => JSON.stringify(await web.degraded()) === JSON.stringify(degraded), 5000, `a heartbeat ${ahead} ms ahead`);
		}
		for (const path of ['/', '/addin', '/addin/', '/webhook/events', '/addin/webhook', '/addin/webhook/events/', '/addin/webhook/eventsx', '/addinlive', '/live/', ''])
			assert.equal((await web.ask('GET', path)).status, 404, path);
		assert.equal((await web.ask('POST', '/live')).status, 405);
		assert.match((await web.ask('GET', '/metrics')).body, /^# HELP outlook_addin_notifications_total /);
	});
});

test('a refused sign-in is told with what to do, without the peer\'s words, paths and hosts', async () => {
	await Web.play({}, async (web) => {
		const facts = {
			'degraded:credentials': 'Entra token: AADSTS7000222: the client secret has expired: make a new one in the app registration [status 401 invalid_client: The provided keys for app are expired]',
			'degraded:unblu-auth': 'gateway token: timed out: gateway.internal.example:8443 does not answer',
			'degraded:graph': 'Entra token: no connection: proxy.internal.example',
			'degraded:webhook': '',
			'credential-expiry': '1827222745000',
		};
		for (const [name, text] of Object.entries(facts))
			await web.query(`INSERT INTO fact (name, fact, at_ms) VALUES ('${name}', '${text}', 1)`, false);
		await waitFor(async () => (await web.degraded()).includes('credentials'), 5000, 'ready says so');
		const ready = JSON.parse((await web.ask('GET', '/ready')).body);
		assert.deepEqual(ready.degraded.sort(), ['credentials', 'graph', 'sync', 'unblu-auth', 'webhook']);
		assert.deepEqual(ready.details, {
			'credentials': 'Entra token: AADSTS7000222: the client secret has expired: make a new one in the app registration',
			'unblu-auth': 'gateway token: timed out',
		});
		await web.query(`UPDATE fact SET fact = 'Entra token: clientCertificateKeyFile: /etc/secret/place/k has mode 0644' WHERE name = 'degraded:credentials'`, false);
		await waitFor(async () => JSON.parse((await web.ask('GET', '/ready')).body).details.credentials === 'Entra token: clientCertificateKeyFile', 5000, 'without the path');
		assert.match((await web.ask('GET', '/metrics')).body, /^outlook_addin_credential_expiry_timestamp_seconds 1827222745$/m);
		assert.equal(ready.credentialExpires, undefined, 'a year ahead');
		for (const [ahead, told] of /** @type {[number, boolean][]} */ ([[-3600_000, true], [86400_000, false]])) {
			const at = Date.now() + ahead;
			await web.query(`INSERT INTO fact (name, fact, at_ms) VALUES ('renew-last-success', '', ${at}) ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms`, false);
			assert.equal(await web.metric('renew_last_success_timestamp_seconds'), told ? at / 1000 : null, 'a clock that ran ahead keeps no alert silent');
		}
		await web.query(`UPDATE fact SET fact = '${Date.now() + 20 * 86400_000}' WHERE name = 'credential-expiry'`, false);
		await waitFor(async () => Math.abs(Date.parse(JSON.parse((await web.ask('GET', '/ready')).body).credentialExpires) - Date.now() - 20 * 86400_000) < 10_000, 5000, 'twenty days ahead');
	});
});

test('a row that waits too long is told by ready and in the metrics', async () => {
	await Web.play({}, async (web) => {
		const sub = await web.follow();
		assert.equal((await web.notify(body(item(sub, longId('old'))))).status, 202);
		for (const [seconds, old] of /** @type {[number, boolean][]} */ ([[240, false], [301, true]])) {
			const at = Date.now() - seconds * 1000;
			await web.query(`UPDATE arrival SET due_ms = ${at}`, false);
			await web.query(`UPDATE work SET first_seen_ms = ${at}, due_ms = ${at}`, false);
			const age = await web.metric('oldest_work_seconds') ?? 0;
			assert.ok(age >= seconds && age < seconds + 30, `${age}`);
			/* A web that runs has counted a moment ago. */
			await web.stop();
			await web.start();
			assert.equal((await web.degraded()).includes('queue-age'), old, `${seconds} s`);
			assert.equal(await web.metric('degraded{reason="queue-age"}') ?? 0, old ? 1 : 0);
		}
		assert.equal((await web.ask('GET', '/ready')).status, 200);
	});
});

test('with the server disabled api and webhook say so, health works', async () => {
	await Web.play({ config: { syncServerEnabled: false } }, async (web) => {
		for (const [method, path] of [['POST', EVENTS], ['POST', `${EVENTS}?validationToken=x`], ['PUT', '/addin/api/links/x']]) {
			const answer = await web.ask(method, path);
			assert.equal(answer.status, 404);
			assert.equal(JSON.parse(answer.body).error.code, 'server-disabled');
		}
		assert.equal((await web.ask('GET', '/live')).status, 200);
		assert.deepEqual(JSON.parse((await web.ask('GET', '/ready')).body), { status: 'ok', degraded: [] });
	});
});

test('an add-in at the root of the host has its routes there', async () => {
	await Web.play({ config: { deploymentAddinEndpoint: '/' } }, async (web) => {
		echoes(await web.ask('POST', '/webhook/events?validationToken=x'), 'x');
		assert.equal((await web.ask('GET', '/live')).status, 200);
	});
});
