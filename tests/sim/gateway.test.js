// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, TENANT_B, call, simulator, unbluOf } from './testkit.js';

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const ID = 'outlook-addin-sync';
const SECRET = 'gw:s3cret+/=%~ (sim)';

/** @param {any} sim @param {any} headers @param {string} body */
function ask(sim, headers, body) {
	return call('POST', `${sim.urls.gateway}/oauth2/token`, { headers: { ...FORM, ...headers }, body });
}

/** @param {string} id @param {string} secret */
function basic(id, secret) {
	return { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

test('client_secret_basic: id and secret are form-encoded before base64', async (t) => {
	const sim = await simulator(t);
	const reply = await ask(sim, basic(encodeURIComponent(ID), encodeURIComponent(SECRET)), 'grant_type=client_credentials');
	assert.equal(reply.status, 200);
	assert.equal(reply.json.token_type, 'Bearer');
	assert.equal(reply.json.expires_in, 3600);
	assert.equal((await ask(sim, basic(ID, encodeURIComponent(SECRET).replace(/%20/g, '+')), 'grant_type=client_credentials')).status, 200, '+ stands for a blank');
	const raw = await ask(sim, basic(ID, SECRET), 'grant_type=client_credentials');
	assert.deepEqual([raw.status, raw.json.error], [401, 'invalid_client']);
	assert.match(raw.headers['www-authenticate'] ?? '', /^Basic/);
});

test('client_secret_post, and what the endpoint refuses', async (t) => {
	const sim = await simulator(t);
	const post = (/** @type {any} */ change = {}) => ask(sim, {}, new URLSearchParams({ grant_type: 'client_credentials', client_id: ID, client_secret: SECRET, ...change }).toString());
	assert.equal((await post()).status, 200);
	assert.deepEqual([(await post({ client_secret: 'x' })).status, (await post({ client_secret: 'x' })).json.error], [401, 'invalid_client']);
	assert.equal((await post({ grant_type: 'password' })).json.error, 'unsupported_grant_type');
	assert.equal((await ask(sim, {}, 'client_id=x')).json.error, 'invalid_request');
	assert.equal((await ask(sim, { ...basic(encodeURIComponent(ID), encodeURIComponent(SECRET)) }, `grant_type=client_credentials&client_secret=${encodeURIComponent(SECRET)}`)).json.error, 'invalid_request');
	await sim.control('POST', '/control/settings', { gateway: { clientAuth: 'basic' } });
	assert.equal((await post()).status, 401);
	await sim.control('POST', '/control/settings', { gateway: { clientAuth: 'post', expiresIn: null } });
	const reply = await post();
	assert.equal(reply.status, 200);
	assert.equal('expires_in' in reply.json, false);
});

test('discovery names the token endpoint, unless switched off', async (t) => {
	const sim = await simulator(t);
	const at = `${sim.urls.gateway}/.well-known/openid-configuration`;
	assert.equal((await call('GET', at)).json.token_endpoint, `${sim.urls.gateway}/oauth2/token`);
	await sim.control('POST', '/control/settings', { gateway: { discovery: false } });
	assert.equal((await call('GET', at)).status, 404);
});

test('the token works until it expires or is revoked; then 401, or a redirect, or a login page', async (t) => {
	const sim = await simulator(t);
	const client = await unbluOf(sim);
	const version = () => client.ask('GET', 'global/productVersion');
	assert.equal((await version()).status, 200);
	await sim.control('POST', '/control/clock', { advanceMs: 3600_001 });
	const late = await version();
	assert.deepEqual([late.status, late.json.$_type], [401, 'Error']);
	await sim.control('POST', '/control/settings', { gateway: { unauthorized: 'redirect' } });
	const redirect = await version();
	assert.equal(redirect.status, 302);
	assert.match(redirect.headers.location ?? '', /\/gateway\/login\?return=/);
	await sim.control('POST', '/control/settings', { gateway: { unauthorized: 'html' } });
	const page = await version();
	assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html;charset=UTF-8']);
	await sim.control('POST', '/control/settings', { gateway: { unauthorized: '401' } });
	const again = await unbluOf(sim);
	await sim.control('POST', '/control/tokens/revoke', { service: 'gateway' });
	assert.equal((await again.ask('GET', 'global/productVersion')).status, 401);
});

test('user tokens of the browser: checked like the real thing', async (t) => {
	const sim = await simulator(t);
	const who = async (/** @type {any} */ want) => {
		const { token } = await sim.control('POST', '/control/mint', { oid: ANNA, ...want });
		return call('GET', `${sim.urls.rest}/global/productVersion`, { headers: { Authorization: `Bearer ${token}` } });
	};
	assert.equal((await who({})).status, 200);
	assert.equal((await who({ ver: '1.0' })).status, 200);
	for (const want of [{ tamper: true }, { aud: 'other' }, { expiresIn: -400 }, { notBefore: 400 }, { claims: { tid: '99999999-0000-4000-8000-000000000000' } }, { claims: { tid: TENANT_B } }, { alg: 'none' }, { claims: { oid: null } }])
		assert.equal((await who(want)).status, 401, JSON.stringify(want));
	const me = await (await unbluOf(sim, 'carla@lakeinsurance.example')).ask('GET', 'authenticator/getCurrentPerson');
	assert.equal(me.json.username, 'carla@lakeinsurance.example');
});

test('the gateway client has a role and no person; a trusted header makes it act as an agent', async (t) => {
	const sim = await simulator(t);
	const client = await unbluOf(sim);
	assert.equal((await client.ask('GET', 'authenticator/getCurrentPerson')).status, 403);
	const acting = { 'x-unblu-trusted-user-id': 'anna@alpinebank.example' };
	assert.equal((await client.ask('GET', 'authenticator/getCurrentPerson', undefined, acting)).json.username, 'anna@alpinebank.example');
	assert.equal((await client.ask('GET', 'global/productVersion', undefined, { 'x-unblu-trusted-user-id': 'nobody' })).status, 401);
	await sim.control('POST', '/control/settings', { gateway: { trustActAs: false, role: 'REGISTERED_USER' } });
	assert.equal((await client.ask('GET', 'authenticator/getCurrentPerson', undefined, acting)).status, 403);
	const { event } = await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: 'x' });
	const { conversation } = await sim.control('POST', '/control/button', { mailbox: ANNA, event: event.restId });
	assert.equal((await client.ask('GET', `conversations/${conversation.id}/read`)).status, 403, 'not a participant, not an administrator');
});

test('user name and password, and a session cookie', async (t) => {
	const sim = await simulator(t);
	const at = `${sim.urls.rest}/authenticator/getCurrentPerson`;
	assert.equal((await call('GET', at, { headers: basic('anna@alpinebank.example', 'sim') })).status, 200);
	assert.equal((await call('GET', `${sim.urls.rest}/global/productVersion`, { headers: basic('anna@alpinebank.example', 'no') })).status, 401);
	const login = await call('POST', `${sim.urls.rest}/authenticator/login`, { body: { username: 'anna@alpinebank.example', password: 'sim' } });
	assert.equal(login.json.success, true);
	const cookie = /^[^;]+/.exec(String(login.headers['set-cookie']))?.[0];
	assert.equal((await call('GET', at, { headers: { Cookie: cookie } })).json.username, 'anna@alpinebank.example');
	assert.equal((await call('POST', `${sim.urls.rest}/authenticator/login`, { body: { username: 'anna@alpinebank.example', password: 'x' } })).json.success, false);
});

test('CORS for the browser, unless switched off', async (t) => {
	const sim = await simulator(t);
	const headers = { Origin: 'https://addin.example.com', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,content-type' };
	const preflight = await call('OPTIONS', `${sim.urls.rest}/conversations/create`, { headers });
	assert.equal(preflight.status, 204);
	assert.equal(preflight.headers['access-control-allow-origin'], 'https://addin.example.com');
	assert.equal(preflight.headers['access-control-allow-headers'], 'authorization,content-type');
	assert.equal((await call('GET', `${sim.urls.rest}/global/ping`, { headers: { Origin: 'https://x.example' } })).headers['access-control-allow-origin'], 'https://x.example');
	await sim.control('POST', '/control/settings', { unblu: { cors: false } });
	assert.equal((await call('OPTIONS', `${sim.urls.rest}/conversations/create`, { headers })).headers['access-control-allow-origin'], undefined);
});

test('a wrong base path is 404 with an empty body; the prefix /gateway may be left out', async (t) => {
	const sim = await simulator(t);
	for (const path of ['/unblu/rest/v4/global/ping', '/gateway/app/rest/v3/global/ping', '/gateway/app/rest/v4/no/such', '/']) {
		const reply = await call('GET', sim.urls.unblu + path);
		assert.deepEqual([reply.status, reply.text], [404, '']);
	}
	assert.equal((await call('GET', `${sim.urls.unblu}/app/rest/v4/global/ping`)).status, 200);
});
