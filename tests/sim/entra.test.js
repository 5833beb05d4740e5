// @ts-check
import assert from 'node:assert/strict';
import { X509Certificate, constants, createHash, createPublicKey, generateKeyPairSync, randomBytes, randomUUID, sign, verify } from 'node:crypto';
import test from 'node:test';
import { selfSigned } from './entra/certificate.js';
import { ANNA, CLIENT, SECRET, TENANT_A, TENANT_B, askToken, call, graphOf, simulator } from './testkit.js';

/** @param {any} reply @param {number} status @param {string} error @param {number} code */
function assertAad(reply, status, error, code) {
	assert.equal(reply.status, status);
	const { json } = reply;
	assert.equal(json.error, error);
	assert.deepEqual(json.error_codes, [code]);
	assert.match(json.error_description, new RegExp(`^AADSTS${code}: .+ Trace ID: [0-9a-f-]{36} Correlation ID: [0-9a-f-]{36} Timestamp: \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ$`));
	assert.match(json.timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
}

test('a token is given for the right secret, for 60 to 90 minutes', async (t) => {
	const sim = await simulator(t);
	const reply = await askToken(sim);
	assert.equal(reply.status, 200);
	assert.equal(reply.json.token_type, 'Bearer');
	assert.ok(reply.json.expires_in >= 3599 && reply.json.expires_in <= 5399);
	assert.equal(reply.json.ext_expires_in, reply.json.expires_in);
	assert.match(reply.headers['cache-control'] ?? '', /no-store/);
	assert.equal((await askToken(sim, {}, 'alpinebank.example')).status, 200, 'the verified domain names the tenant too');
});

test('each mistake has its AADSTS code, HTTP status and error word', async (t) => {
	const sim = await simulator(t);
	assertAad(await askToken(sim, { client_secret: 'wrong' }), 401, 'invalid_client', 7000215);
	assertAad(await askToken(sim, { client_secret: '' }), 401, 'invalid_client', 7000218);
	assertAad(await askToken(sim, { client_id: '22222222-2222-4333-8444-555555555555' }), 400, 'unauthorized_client', 700016);
	assertAad(await askToken(sim, {}, '99999999-0000-4000-8000-00000000000a'), 400, 'invalid_request', 90002);
	assertAad(await askToken(sim, {}, 'common'), 400, 'invalid_request', 9001023);
	assertAad(await askToken(sim, { scope: 'https://other.example/.default' }), 400, 'invalid_resource', 500011);
	assertAad(await askToken(sim, { scope: 'https://graph.microsoft.com/Calendars.Read' }), 400, 'invalid_scope', 70011);
	assertAad(await askToken(sim, { scope: 'https://graph.microsoft.com/.default https://x.example/.default' }), 400, 'invalid_scope', 700022);
	assertAad(await askToken(sim, { scope: '' }), 400, 'invalid_request', 900144);
	assertAad(await askToken(sim, { grant_type: '' }), 400, 'invalid_request', 900144);
	assertAad(await askToken(sim, { grant_type: 'password' }), 400, 'unsupported_grant_type', 70003);
	const notForm = await call('POST', `${sim.urls.entra}/${TENANT_A}/oauth2/v2.0/token`, { body: { grant_type: 'client_credentials' } });
	assertAad(notForm, 400, 'invalid_request', 900144);
});

test('the secret is compared after form decoding, so an unencoded + or / loses', async (t) => {
	const sim = await simulator(t);
	const body = `client_id=${CLIENT}&client_secret=${SECRET}&scope=${encodeURIComponent('https://graph.microsoft.com/.default')}&grant_type=client_credentials`;
	const reply = await call('POST', `${sim.urls.entra}/${TENANT_A}/oauth2/v2.0/token`, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body });
	assertAad(reply, 401, 'invalid_client', 7000215);
});

test('HTTP Basic carries the credential as well, form-encoded', async (t) => {
	const sim = await simulator(t);
	const basic = Buffer.from(`${CLIENT}:${encodeURIComponent(SECRET)}`).toString('base64');
	assert.equal((await askToken(sim, { client_id: '', client_secret: '' }, TENANT_A, { Authorization: `Basic ${basic}` })).status, 200);
});

test('a secret expires by the virtual clock, and a second one still works', async (t) => {
	const sim = await simulator(t);
	await sim.control('PATCH', `/control/tenants/${TENANT_A}`, { secrets: [{ value: SECRET, expiresAt: sim.clock.now() + 60_000 }, { value: 'next' }] });
	assert.equal((await askToken(sim)).status, 200);
	await sim.control('POST', '/control/clock', { advanceMs: 61_000 });
	const reply = await askToken(sim);
	assertAad(reply, 401, 'invalid_client', 7000222);
	assert.match(reply.json.error_description, /are expired\. Visit the Azure portal/);
	assert.equal((await askToken(sim, { client_secret: 'next' })).status, 200);
	assert.equal((await askToken(sim, {}, TENANT_B)).status, 200, 'the other tenant is an island');
});

test('a tenant that has not consented answers 700016', async (t) => {
	const sim = await simulator(t);
	await sim.control('PATCH', `/control/tenants/${TENANT_B}`, { consented: false });
	const reply = await askToken(sim, {}, TENANT_B);
	assertAad(reply, 400, 'unauthorized_client', 700016);
	assert.match(reply.json.error_description, /was not found in the directory 'Lake Insurance'/);
});

test('throttling, outage and garbage at the token endpoint', async (t) => {
	const sim = await simulator(t);
	await sim.control('PATCH', `/control/tenants/${TENANT_A}`, { throttled: true });
	assertAad(await askToken(sim), 429, 'temporarily_unavailable', 90055);
	await sim.control('PATCH', `/control/tenants/${TENANT_A}`, { throttled: false });
	await sim.control('POST', '/control/faults', { service: 'entra', op: 'token', kind: 'throttle', retryAfter: 3, count: 1, punish: false });
	const throttled = await askToken(sim);
	assert.equal(throttled.status, 429);
	assert.equal(throttled.headers['retry-after'], '3');
	await sim.control('POST', '/control/faults', { service: 'entra', op: 'token', kind: 'status', status: 503, count: 1 });
	assertAad(await askToken(sim), 503, 'temporarily_unavailable', 90033);
	await sim.control('POST', '/control/faults', { service: 'entra', op: 'token', kind: 'garbage', count: 1 });
	const garbage = await askToken(sim);
	assert.throws(() => garbage.json, SyntaxError);
	assert.equal((await askToken(sim)).status, 200);
});

test('older texts separate the tail by line ends', async (t) => {
	const sim = await simulator(t, { settings: { entra: { oldTexts: true } } });
	assert.match((await askToken(sim, { client_secret: 'x' })).json.error_description, /\r\nTrace ID: .+\r\nCorrelation ID: .+\r\nTimestamp: /);
});

test('the client-request-id comes back as the correlation id', async (t) => {
	const sim = await simulator(t);
	const id = '6f1c0000-0000-4000-8000-000000000002';
	assert.equal((await askToken(sim, { client_secret: 'x' }, TENANT_A, { 'client-request-id': id })).json.correlation_id, id);
});

test('discovery: template issuers for common, concrete ones for a tenant, v1 and v2', async (t) => {
	const sim = await simulator(t);
	const login = sim.urls.entra;
	const at = async (/** @type {string} */ path) => (await call('GET', login + path)).json;
	const wellKnown = '/.well-known/openid-configuration';
	assert.equal((await at(`/common/v2.0${wellKnown}`)).issuer, `${login}/{tenantid}/v2.0`);
	assert.equal((await at(`/organizations/v2.0${wellKnown}`)).issuer, `${login}/{tenantid}/v2.0`);
	assert.equal((await at(`/${TENANT_A}/v2.0${wellKnown}`)).issuer, `${login}/${TENANT_A}/v2.0`);
	assert.equal((await at(`/common${wellKnown}`)).issuer, 'https://sts.windows.net/{tenantid}/');
	assert.equal((await at(`/${TENANT_A}${wellKnown}`)).issuer, `https://sts.windows.net/${TENANT_A}/`);
	assert.equal((await at(`/${TENANT_A}/v2.0${wellKnown}`)).jwks_uri, `${login}/${TENANT_A}/discovery/v2.0/keys`);
	assert.equal((await call('GET', `${login}/nowhere.example/v2.0${wellKnown}`)).status, 400);
});

test('the key document verifies a minted token; certificate and modulus agree', async (t) => {
	const sim = await simulator(t);
	const { keys } = (await call('GET', `${sim.urls.entra}/common/discovery/v2.0/keys`)).json;
	assert.equal(keys.length, 2);
	assert.deepEqual(keys.map((/** @type {any} */ k) => k.issuer).sort(), [`${sim.urls.entra}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0`, `${sim.urls.entra}/{tenantid}/v2.0`]);
	const { token, header, claims } = await sim.control('POST', '/control/mint', { upn: 'anna@alpinebank.example' });
	const jwk = keys.find((/** @type {any} */ k) => k.kid === header.kid);
	const [head, body, signature] = token.split('.');
	assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(signature, 'base64url')));
	const certificate = new X509Certificate(Buffer.from(jwk.x5c[0], 'base64'));
	assert.equal(certificate.publicKey.export({ format: 'jwk' }).n, jwk.n);
	assert.ok(certificate.verify(certificate.publicKey));
	assert.equal(claims.iss, `${sim.urls.entra}/${TENANT_A}/v2.0`);
	assert.equal(claims.aud, CLIENT);
	assert.equal(claims.azp, CLIENT);
	assert.equal(claims.oid, ANNA);
	assert.equal(claims.tid, TENANT_A);
	assert.equal(claims.ver, '2.0');
	assert.deepEqual(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')), claims);
});

test('minting: v1 shape, wrong signatures, foreign algorithms, changed claims', async (t) => {
	const sim = await simulator(t);
	const mint = (/** @type {any} */ want) => sim.control('POST', '/control/mint', { oid: ANNA, ...want });
	const v1 = await mint({ ver: '1.0' });
	assert.equal(v1.claims.iss, `https://sts.windows.net/${TENANT_A}/`);
	assert.equal(v1.claims.aud, `api://${CLIENT}`);
	assert.equal(v1.claims.appid, CLIENT);
	assert.equal(v1.claims.azp, undefined);
	assert.ok(sim.keys.verify(v1.token));
	assert.equal(sim.keys.verify((await mint({ tamper: true })).token), null);
	assert.equal((await mint({ alg: 'none' })).token.split('.')[2], '');
	assert.equal(sim.keys.verify((await mint({ alg: 'HS256' })).token), null);
	const other = await mint({ claims: { nbf: null, tid: 'x', extra: 1 }, expiresIn: -10 });
	assert.equal(other.claims.nbf, undefined);
	assert.equal(other.claims.extra, 1);
	assert.ok(other.claims.exp < sim.clock.now() / 1000);
	const app = await mint({ appOnly: true });
	assert.equal(app.claims.scp, undefined);
	assert.equal(app.claims.idtyp, 'app');
	assert.equal((await mint({ kid: 'unknown-kid' })).header.kid, 'unknown-kid');
});

test('keys rotate: a new signer, the old one published until it is retired', async (t) => {
	const sim = await simulator(t);
	const kids = async () => (await call('GET', `${sim.urls.entra}/${TENANT_A}/discovery/v2.0/keys`)).json.keys.map((/** @type {any} */ k) => k.kid);
	const before = await kids();
	const old = (await sim.control('POST', '/control/mint', { oid: ANNA })).header.kid;
	await sim.control('POST', '/control/keys/rotate', { publish: false });
	const fresh = (await sim.control('POST', '/control/mint', { oid: ANNA })).header.kid;
	assert.notEqual(fresh, old);
	assert.deepEqual(await kids(), before);
	await sim.control('POST', `/control/keys/${fresh}`, { published: true });
	assert.deepEqual(await kids(), [...before, fresh]);
	await sim.control('POST', '/control/keys/rotate', { retire: true });
	assert.ok(!(await kids()).includes(old));
	assert.equal((await kids()).length, 2);
});

test('a token lives by the virtual clock and is known to one tenant only', async (t) => {
	const sim = await simulator(t, { settings: { entra: { expiresIn: 3599 } } });
	const graph = await graphOf(sim);
	assert.equal((await graph.ask('GET', '/subscriptions')).status, 200);
	await sim.control('POST', '/control/clock', { advanceMs: 3600_000 });
	const late = await graph.ask('GET', '/subscriptions');
	assert.equal(late.status, 401);
	assert.equal(late.json.error.code, 'InvalidAuthenticationToken');
	assert.equal(late.json.error.message, 'Access token has expired or is not yet valid.');
});

test('what a reader of the log finds about token requests', async (t) => {
	const sim = await simulator(t);
	await askToken(sim, { client_secret: 'x' }, TENANT_B);
	const [entry] = await sim.control('GET', '/control/log?service=entra&op=token');
	assert.equal(entry.status, 401);
	assert.equal(entry.tenant, TENANT_B);
	assert.equal(entry.code, 'AADSTS7000215');
	assert.equal((await sim.control('GET', '/control/counters')).requests.entra.token['401'], 1);
});

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** @param {number} [now] when it was made: valid from a day before, for five years */
function certificate(now = Date.now()) {
	const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const der = selfSigned(pair, randomBytes(8), now);
	return { ...pair, der, pem: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n` };
}

/** @param {any} header @param {any} claims @param {import('node:crypto').KeyObject} key */
function jws(header, claims, key) {
	const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
	const how = header.alg === 'PS256' ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : key;
	return `${input}.${sign('sha256', Buffer.from(input), how).toString('base64url')}`;
}

/** @param {any} sim @param {string} assertion @param {any} [more] */
function present(sim, assertion, more = {}) {
	return askToken(sim, { client_secret: '', client_assertion_type: JWT_BEARER, client_assertion: assertion, ...more });
}

test('a registered certificate signs in by PS256 and by the older RS256', async (t) => {
	const sim = await simulator(t);
	const own = certificate();
	const other = certificate();
	const old = certificate(Date.now() - 6 * 365 * 86400_000);
	await sim.control('PATCH', `/control/tenants/${TENANT_A}`, { certificates: [own.pem, old.pem] });
	const s256 = (/** @type {any} */ c) => createHash('sha256').update(c.der).digest('base64url');
	const now = Math.floor(Date.now() / 1000);
	const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': s256(own) };
	const claims = { aud: `${sim.urls.entra}/${TENANT_A}/oauth2/v2.0/token`, iss: CLIENT, sub: CLIENT, jti: randomUUID(), nbf: now - 30, iat: now - 30, exp: now + 300 };
	assert.equal((await present(sim, jws(header, claims, own.privateKey))).status, 200);
	const sha1 = createHash('sha1').update(own.der).digest('base64url');
	assert.equal((await present(sim, jws({ alg: 'RS256', typ: 'JWT', x5t: sha1 }, claims, own.privateKey))).status, 200);
	assert.equal((await sim.control('GET', '/control/assertions')).length, 2);

	assertAad(await present(sim, jws({ ...header, 'x5t#S256': s256(other) }, claims, other.privateKey)), 401, 'invalid_client', 700027);
	assertAad(await present(sim, jws({ ...header, 'x5t#S256': s256(old) }, claims, old.privateKey)), 401, 'invalid_client', 700027);
	assertAad(await present(sim, jws(header, claims, other.privateKey)), 401, 'invalid_client', 700027);
	const short = jws(header, claims, own.privateKey).split('.');
	const pss = sign('sha256', Buffer.from(`${short[0]}.${short[1]}`), { key: own.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 });
	assertAad(await present(sim, `${short[0]}.${short[1]}.${pss.toString('base64url')}`), 401, 'invalid_client', 700027);
	assertAad(await present(sim, jws(header, { ...claims, aud: sim.urls.entra }, own.privateKey)), 401, 'invalid_client', 50027);
	assertAad(await present(sim, jws(header, { ...claims, sub: 'x' }, own.privateKey)), 401, 'invalid_client', 50027);
	assertAad(await present(sim, jws(header, { ...claims, jti: undefined }, own.privateKey)), 401, 'invalid_client', 50027);
	assertAad(await present(sim, jws(header, { ...claims, nbf: now + 400, exp: now + 900 }, own.privateKey)), 401, 'invalid_client', 700024);
	assertAad(await present(sim, jws(header, { ...claims, nbf: now - 900, exp: now - 400 }, own.privateKey)), 401, 'invalid_client', 700024);
	assertAad(await present(sim, jws(header, { ...claims, exp: now + 90_000 }, own.privateKey)), 401, 'invalid_client', 700024);
	assertAad(await present(sim, 'no.jws'), 401, 'invalid_client', 50027);
	assertAad(await present(sim, jws(header, claims, own.privateKey), { client_assertion_type: 'x' }), 400, 'invalid_request', 900144);
});

test('a federated token is matched by issuer, subject and audience', async (t) => {
	const sim = await simulator(t);
	const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const issuer = 'https://oidc.cluster.example/';
	const subject = 'system:serviceaccount:outlook:addin';
	const audience = 'api://AzureADTokenExchange';
	await sim.control('PATCH', `/control/tenants/${TENANT_A}`, { federated: [{ issuer, subject, audience, publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }) }] });
	const now = Math.floor(Date.now() / 1000);
	const claims = { iss: issuer, sub: subject, aud: [audience], nbf: now, iat: now, exp: now + 3600 };
	const header = { alg: 'RS256', kid: 'k' };
	assert.equal((await present(sim, jws(header, claims, pair.privateKey))).status, 200);
	assertAad(await present(sim, jws(header, { ...claims, iss: 'https://other.example/' }, pair.privateKey)), 401, 'invalid_client', 700211);
	assertAad(await present(sim, jws(header, { ...claims, aud: ['x'] }, pair.privateKey)), 401, 'invalid_client', 700212);
	assertAad(await present(sim, jws(header, { ...claims, sub: 'x' }, pair.privateKey)), 401, 'invalid_client', 700213);
	assertAad(await present(sim, jws(header, claims, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)), 401, 'invalid_client', 700027);
	assertAad(await present(sim, jws(header, { ...claims, exp: now - 400 }, pair.privateKey)), 401, 'invalid_client', 700024);
});
