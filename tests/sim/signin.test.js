// @ts-check
/* A browser's sign-in: authorization code with PKCE. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import test from 'node:test';
import { ANNA, BEN, CLIENT, TENANT_A, call, simulator } from './testkit.js';

const REDIRECT = 'https://addin.example.com/addin/auth.html';
const VERIFIER = randomBytes(32).toString('base64url');

/** @param {any} sim @param {Record<string, string>} [change] */
async function ask(sim, change = {}) {
	const q = { client_id: CLIENT, response_type: 'code', redirect_uri: REDIRECT, scope: `${CLIENT}/.default openid profile offline_access`, state: 'st ate', nonce: 'n-1', code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'), code_challenge_method: 'S256', response_mode: 'fragment', ...change };
	const reply = await call('GET', `${sim.urls.entra}/common/oauth2/v2.0/authorize?${new URLSearchParams(q)}`);
	const to = reply.headers.location ?? '';
	return { reply, to, answer: Object.fromEntries(new URLSearchParams(to.slice(to.indexOf('#') + 1))) };
}

/** @param {any} sim @param {Record<string, string>} form @param {any} [headers] */
function redeem(sim, form, headers = { Origin: 'https://addin.example.com' }) {
	return call('POST', `${sim.urls.entra}/common/oauth2/v2.0/token`, { headers: { 'Content-Type': 'application/x-www-form-urlencoded;charset=utf-8', ...headers }, body: new URLSearchParams({ client_id: CLIENT, ...form }).toString() });
}

test('a code goes to the redirect URI and is redeemed once, with its verifier, cross-origin', async (t) => {
	const sim = await simulator(t);
	const { reply, to, answer } = await ask(sim, { login_hint: 'ben@alpinebank.example' });
	assert.equal(reply.status, 302);
	assert.ok(to.startsWith(`${REDIRECT}#`));
	assert.equal(answer.state, 'st ate');
	assert.deepEqual(JSON.parse(Buffer.from(answer.client_info, 'base64url').toString()), { uid: BEN, utid: TENANT_A });
	const form = { grant_type: 'authorization_code', code: answer.code, redirect_uri: REDIRECT, code_verifier: VERIFIER };
	const got = await redeem(sim, form);
	assert.equal(got.status, 200);
	assert.equal(got.headers['access-control-allow-origin'], '*');
	const id = JSON.parse(Buffer.from(got.json.id_token.split('.')[1], 'base64url').toString());
	assert.deepEqual([id.nonce, id.oid, id.aud, id.tid], ['n-1', BEN, CLIENT, TENANT_A]);
	assert.equal(sim.keys.verify(got.json.access_token).oid, BEN);
	assert.equal((await redeem(sim, form)).json.error, 'invalid_grant', 'a second time');
	const again = await redeem(sim, { grant_type: 'refresh_token', refresh_token: got.json.refresh_token });
	assert.equal(sim.keys.verify(again.json.access_token).oid, BEN);
});

test('what is refused: another verifier, another address, no Origin, an unknown refresh token', async (t) => {
	const sim = await simulator(t);
	const refused = async (/** @type {any} */ change, /** @type {any} */ headers) => (await redeem(sim, { grant_type: 'authorization_code', code: (await ask(sim)).answer.code, redirect_uri: REDIRECT, code_verifier: VERIFIER, ...change }, headers)).json.error_codes?.[0];
	assert.equal(await refused({}, undefined), undefined);
	assert.equal(await refused({ code_verifier: 'x' }, undefined), 501481);
	assert.equal(await refused({ redirect_uri: 'https://x.example/' }, undefined), 500112);
	assert.equal(await refused({}, {}), 9002327);
	assert.equal(await refused({ client_id: ANNA }, undefined), 700016);
	assert.equal((await redeem(sim, { grant_type: 'refresh_token', refresh_token: 'x' })).json.error_codes[0], 700084);
});

test('how a person may answer, and what Entra shows instead of answering', async (t) => {
	const sim = await simulator(t);
	for (const [answer, error] of [['cancel', 'access_denied'], ['consent', 'consent_required'], ['conditional', 'interaction_required']]) {
		await sim.control('POST', '/control/settings', { entra: { signIn: { answer } } });
		assert.equal((await ask(sim)).answer.error, error);
	}
	await sim.control('POST', '/control/settings', { entra: { signIn: { answer: 'page' } } });
	assert.equal((await ask(sim)).reply.status, 200);
	await sim.control('POST', '/control/settings', { entra: { signIn: { answer: 'ok', redirectUris: [REDIRECT] } } });
	assert.match((await ask(sim, { redirect_uri: 'https://x.example/' })).reply.text, /AADSTS50011/);
	assert.match((await ask(sim, { client_id: ANNA })).reply.text, /AADSTS700016/);
	assert.equal((await ask(sim, { code_challenge: '' })).answer.error, 'invalid_request');
	assert.equal((await ask(sim)).reply.status, 302);
});
