// @ts-check
/* How sync signs in to Entra and to the gateway, and how it heals when that is refused: without a restart. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { buildFolder } from '../lib/build.js';
import { selfSigned } from '../sim/entra/certificate.js';
import { ANNA, BEN, Bench, CARLA, TENANT_A, TENANT_B, until } from './harness.js';
import { fault, linked, rename, topicIs } from './meetings.js';
import { bench, degraded, nothingLost, put, recovered, warnings } from './signins.js';

const DAY_MS = 86400_000;
const CLIENT = '11111111-2222-4333-8444-555555555555';
const RENEW = path.join(buildFolder(), 'cronjob/outlook-addin-renew');
const CTL = path.join(buildFolder(), 'ctl/outlook-addinctl');

/** @param {number} [from] a day later it becomes valid, for five years */
function certificate(from = Date.now()) {
	const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const der = selfSigned(pair, randomBytes(8), from);
	return {
		pem: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
		key: String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
		thumbprint: createHash('sha256').update(der).digest('base64url'),
	};
}

/** @param {any} t @param {any} [own] */
async function byCertificate(t, own = certificate()) {
	const b = await bench(t, (b) => {
		delete /** @type {any} */ (b.env).CLIENT_SECRET;
		put(`${b.dir}/own.pem`, own.pem);
		put(`${b.dir}/own.key`, own.key);
		return { clientCertificateFile: `${b.dir}/own.pem`, clientCertificateKeyFile: `${b.dir}/own.key` };
	});
	for (const tenant of [TENANT_A, TENANT_B])
		await b.control('PATCH', `/control/tenants/${tenant}`, { secrets: [], certificates: [own.pem] });
	return b;
}

/** @param {Bench} b @param {string[]} args @returns {Promise<{ code: number, stdout: string }>} */
function ctl(b, ...args) {
	return new Promise((resolve) => execFile(CTL, ['--config', path.join(b.dir, 'addin.json'), ...args], { env: { PATH: process.env.PATH } },
		(e, stdout) => resolve({ code: Number(e?.code ?? 0), stdout })));
}

describe('signing in to Entra', { concurrency: 4 }, () => {
	test('a certificate signs in without any secret, with a fresh assertion for each tenant', async (t) => {
		const own = certificate();
		const b = await byCertificate(t, own);
		await b.up();
		await linked(b);
		await linked(b, undefined, CARLA);
		const seen = await b.control('GET', '/control/assertions');
		assert.equal(seen.length, 2);
		for (const { header, claims } of seen) {
			assert.deepEqual(header, { alg: 'PS256', typ: 'JWT', 'x5t#S256': own.thumbprint });
			assert.deepEqual(Object.keys(claims), ['aud', 'iss', 'sub', 'jti', 'nbf', 'iat', 'exp']);
			assert.equal(claims.iss, CLIENT);
			assert.equal(claims.sub, CLIENT);
			assert.equal(claims.nbf, claims.iat);
			assert.ok(claims.exp - claims.nbf <= 600);
			assert.ok(claims.nbf <= Date.now() / 1000 - 29);
		}
		assert.deepEqual(seen.map((/** @type {any} */ a) => a.claims.aud).sort(), [TENANT_A, TENANT_B].map((id) => `${b.sim.urls.entra}/${id}/oauth2/v2.0/token`));
		assert.notEqual(seen[0].claims.jti, seen[1].claims.jti);
		const ends = Number((await b.dump()).facts['credential-expiry']);
		assert.ok(Math.abs(ends - Date.now() - 5 * 365 * DAY_MS) < DAY_MS);
		const status = JSON.parse((await ctl(b, 'status', '--json')).stdout);
		assert.equal(status.signIn.kind, 'certificate');
		assert.equal(status.signIn.nearExpiry, false);
		assert.deepEqual(status.signIn.refused, []);
		assert.ok(!fs.readFileSync(b.log, 'utf8').includes('PRIVATE KEY'));
	});

	test('a certificate that one tenant does not know holds that tenant, until the files are replaced', async (t) => {
		const b = await byCertificate(t);
		const good = certificate();
		await b.control('PATCH', `/control/tenants/${TENANT_A}`, { certificates: [good.pem] });
		await b.up();
		const m = await b.meeting(ANNA);
		await rename(b, m, 'Held');
		await degraded(b, 'credentials', /AADSTS700027: the certificate is refused/);
		await linked(b, undefined, CARLA);
		const [refused] = JSON.parse((await ctl(b, 'status', '--json')).stdout).signIn.refused;
		assert.equal(refused.tenant, TENANT_A);
		assert.equal(refused.code, 'AADSTS700027');
		assert.match((await ctl(b, 'status')).stdout, new RegExp(`refused for tenant ${TENANT_A} .*AADSTS700027`));
		await b.control('PATCH', `/control/tenants/${TENANT_B}`, { certificates: [good.pem] });
		put(`${b.dir}/own.key`, good.key);
		put(`${b.dir}/own.pem`, good.pem);
		await topicIs(b, m, 'Held', 12_000);
		await recovered(b, 'credentials');
		assert.deepEqual(JSON.parse((await ctl(b, 'status', '--json')).stdout).signIn.refused, []);
		await nothingLost(b);
	});

	test('half a pair leaves the former certificate in use and is told once', async (t) => {
		const own = certificate();
		const b = await byCertificate(t, own);
		await b.up();
		const m = await linked(b);
		const next = certificate();
		put(`${b.dir}/own.pem`, next.pem);
		await degraded(b, 'credentials', /not the private key of the certificate; what was there before is still used/);
		await b.control('POST', '/control/tokens/revoke', { service: 'entra' });
		await rename(b, m, 'Still works');
		await topicIs(b, m, 'Still works');
		assert.equal((await b.control('GET', '/control/assertions')).at(-1).header['x5t#S256'], own.thumbprint);
		await b.control('PATCH', `/control/tenants/${TENANT_A}`, { certificates: [next.pem] });
		put(`${b.dir}/own.key`, next.key);
		await recovered(b, 'credentials');
		await b.control('POST', '/control/tokens/revoke', { service: 'entra' });
		await rename(b, m, 'By the next');
		await topicIs(b, m, 'By the next');
		assert.equal((await b.control('GET', '/control/assertions')).at(-1).header['x5t#S256'], next.thumbprint);
		assert.equal(warnings(b, /not the private key/).length, 1);
	});

	test('an expired certificate does not keep sync from starting, and is not sent', async (t) => {
		const b = await byCertificate(t, certificate(Date.now() - 6 * 365 * DAY_MS));
		await b.up();
		const m = await b.meeting(ANNA);
		await rename(b, m, 'Held');
		await degraded(b, 'credentials', /the certificate has expired on 20/);
		assert.equal((await b.control('GET', '/control/assertions')).length, 0);
		const good = certificate();
		await b.control('PATCH', `/control/tenants/${TENANT_A}`, { certificates: [good.pem] });
		put(`${b.dir}/own.pem`, good.pem);
		put(`${b.dir}/own.key`, good.key);
		await topicIs(b, m, 'Held', 12_000);
		await recovered(b, 'credentials');
	});

	test('a certificate that expires soon is told once, also by the next process', async (t) => {
		const b = await byCertificate(t, certificate(Date.now() - (5 * 365 - 20) * DAY_MS));
		await b.up();
		await until('it is told', () => warnings(b, /certificate-expires/).length === 1);
		assert.equal(warnings(b, /certificate-expires/)[0].days, 19);
		await b.down();
		await b.up();
		await linked(b);
		assert.equal(warnings(b, /certificate-expires/).length, 1);
		assert.match((await ctl(b, 'status')).stdout, /sign-in {8}by certificate, expires 20.*REPLACE/);
	});

	test('a secret whose day is near is told once by sync, once a day by the renewal, and by status and doctor', async (t) => {
		const day = new Date(Date.now() + 10 * DAY_MS).toISOString().slice(0, 10);
		const b = await bench(t, () => ({ clientSecretExpires: day }));
		await b.up();
		await until('it is told', () => warnings(b, /secret-expires/).length === 1);
		assert.match(warnings(b, /secret-expires/)[0].message, /make a new client secret/);
		assert.equal(Number((await b.dump()).facts['credential-expiry']), Date.parse(day));
		assert.match((await ctl(b, 'status')).stdout, new RegExp(`sign-in {8}by secret, expires ${day}T00:00:00Z: REPLACE it soon`));
		const doctor = await promisify(execFile)(CTL, ['--config', path.join(b.dir, 'addin.json'), 'doctor', '--json'], { env: b.env }).catch((e) => e);
		const found = JSON.parse(doctor.stdout).findings.find((/** @type {any} */ f) => f.check === 'credential');
		assert.deepEqual([found.status, found.detail], ['warning', `expires ${day}T00:00:00Z`]);
		assert.match(found.advice, /make a new client secret/);
		const renew = () => new Promise((resolve) => execFile(RENEW, ['--config', path.join(b.dir, 'addin.json')], { env: b.env }, (_e, _o, stderr) => resolve(stderr)));
		assert.match(await renew(), /"event":"secret-expires".*"days":9/);
		assert.doesNotMatch(await renew(), /secret-expires/, 'not with each run');
		await b.down();
		await b.up();
		await linked(b);
		assert.equal(warnings(b, /secret-expires/).length, 1);
	});

	test('a clock that is wrong is named as the cause', async (t) => {
		const b = await byCertificate(t);
		await b.control('POST', '/control/clock', { offsetMs: 2 * 3600_000 });
		await b.up();
		const m = await b.meeting(ANNA);
		await rename(b, m, 'Held');
		await degraded(b, 'credentials', /AADSTS700024: .*clock of this host/);
		await nothingLost(b);
	});

	test('a key with nobody\'s certificate keeps sync from starting, with status 2', async (t) => {
		const b = await byCertificate(t);
		put(`${b.dir}/own.key`, certificate().key);
		await assert.rejects(b.up(), /sync has ended: .*clientCertificateKeyFile: .*not the private key/s);
		assert.equal(b.child?.exitCode, 2);
	});

	test('the federated token is read anew at each sign-in', async (t) => {
		const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
		const claims = () => ({ iss: 'https://oidc.example/', sub: 'system:serviceaccount:a:b', aud: ['api://AzureADTokenExchange'], exp: Math.floor(Date.now() / 1000) + 600, jti: randomUUID() });
		const token = (/** @type {any} */ more = {}) => {
			const input = [{ alg: 'RS256', kid: 'k' }, { ...claims(), ...more }].map((p) => Buffer.from(JSON.stringify(p)).toString('base64url')).join('.');
			return `${input}.${sign('sha256', Buffer.from(input), pair.privateKey).toString('base64url')}\n`;
		};
		const b = await bench(t, (b) => {
			delete /** @type {any} */ (b.env).CLIENT_SECRET;
			put(`${b.dir}/token`, token({ jti: 'first' }));
			return { federatedTokenFile: `${b.dir}/token` };
		});
		const federated = [{ issuer: 'https://oidc.example/', subject: 'system:serviceaccount:a:b', audience: 'api://AzureADTokenExchange', publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }) }];
		await b.control('PATCH', `/control/tenants/${TENANT_A}`, { secrets: [], federated });
		await b.up();
		const m = await linked(b);
		put(`${b.dir}/token`, token({ jti: 'second' }));
		await b.control('POST', '/control/tokens/revoke', { service: 'entra' });
		await rename(b, m, 'Second');
		await topicIs(b, m, 'Second');
		assert.deepEqual((await b.control('GET', '/control/assertions')).map((/** @type {any} */ a) => a.claims.jti), ['first', 'second']);

		fs.rmSync(`${b.dir}/token`);
		await b.control('POST', '/control/tokens/revoke', { service: 'entra' });
		await rename(b, m, 'Third');
		await degraded(b, 'credentials', /federatedTokenFile: .*No such file/);
		put(`${b.dir}/token`, token({ sub: 'system:serviceaccount:a:other' }));
		await until('the subject is named', () => warnings(b, /AADSTS700213.*system:serviceaccount:a:other/).length > 0);
		put(`${b.dir}/token`, token());
		await topicIs(b, m, 'Third', 12_000);
		await recovered(b, 'credentials');
		await nothingLost(b);
	});

	test('an expired secret is told once and heals by a new one in its file', async (t) => {
		const b = await bench(t, (b) => {
			const env = /** @type {any} */ (b.env);
			put(`${b.dir}/secret`, `${env.CLIENT_SECRET}\n`);
			delete env.CLIENT_SECRET;
			env.CLIENT_SECRET_FILE = `${b.dir}/secret`;
		});
		await b.up();
		const ms = [await linked(b), await linked(b, undefined, BEN)];
		const good = await linked(b, undefined, CARLA);
		const { app } = (await b.control('GET', '/control/tenants')).find((/** @type {any} */ x) => x.id === TENANT_A);
		await b.control('PATCH', `/control/tenants/${TENANT_A}`, { secrets: [{ ...app.secrets[0], expiresAt: Date.now() - 1000 }, { value: 'next~secret+/' }] });
		await b.control('POST', '/control/tokens/revoke', { service: 'entra', tenant: TENANT_A });
		await rename(b, ms[0], 'One');
		await rename(b, ms[1], 'Two', BEN);
		await degraded(b, 'credentials', /AADSTS7000222: the client secret has expired/);
		const began = Date.now();
		await rename(b, good, 'Unharmed', CARLA);
		await topicIs(b, good, 'Unharmed', 2000);
		assert.ok(Date.now() - began < 2000);
		assert.ok((await b.dump()).work.every((/** @type {any} */ w) => w.notBefore - Date.now() > 30_000), 'the rows wait');
		put(`${b.dir}/secret`, 'next~secret+/\n');
		await topicIs(b, ms[0], 'One', 12_000);
		await topicIs(b, ms[1], 'Two', 12_000);
		await recovered(b, 'credentials');
		assert.equal(warnings(b, /7000222/).length, 1);
		await nothingLost(b);
	});

	test('a new secret that another tenant is the first to use brings out at once what was held', async (t) => {
		const b = await bench(t, (b) => {
			const env = /** @type {any} */ (b.env);
			put(`${b.dir}/secret`, 'wrong');
			env.right = env.CLIENT_SECRET;
			delete env.CLIENT_SECRET;
			env.CLIENT_SECRET_FILE = `${b.dir}/secret`;
		});
		await b.up();
		const m = await b.meeting(ANNA);
		const other = await b.meeting(CARLA);
		await rename(b, m, 'Held');
		await degraded(b, 'credentials', /AADSTS7000215: wrong client secret/);
		await until('the row waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.notBefore - Date.now() > 30_000));
		put(`${b.dir}/secret`, /** @type {any} */ (b.env).right);
		await b.notify(CARLA, other.event.immutableId);
		await topicIs(b, m, 'Held', 12_000);
		await recovered(b, 'credentials');
		assert.equal(b.lines().filter((l) => l.event === 'credential-read').length, 1);
		await nothingLost(b);
	});

	test('a new secret at a restart brings out at once what was held', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('PATCH', `/control/tenants/${TENANT_A}`, { secrets: [{ value: 'next' }] });
		await b.control('POST', '/control/tokens/revoke', { service: 'entra', tenant: TENANT_A });
		await rename(b, m, 'Held');
		await degraded(b, 'credentials', /AADSTS7000215: wrong client secret/);
		await until('the row waits', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.notBefore - Date.now() > 30_000));
		await b.down();
		/** @type {any} */ (b.env).CLIENT_SECRET = 'next';
		await b.up();
		await topicIs(b, m, 'Held', 5000);
		await recovered(b, 'credentials');
	});

	test('a 401 of Graph costs one new token and the call is repeated', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		const before = await b.count('entra', 'token');
		await fault(b, { service: 'graph', op: 'getEvent', kind: 'status', status: 401, code: 'InvalidAuthenticationToken', message: 'Continuous access evaluation resulted in challenge', count: 1 });
		await rename(b, m, 'Challenged');
		await topicIs(b, m, 'Challenged', 3000);
		assert.equal(await b.count('entra', 'token') - before, 1);
		assert.equal((await b.dump()).facts['degraded:credentials'], undefined);
	});

	test('a token endpoint that answers nonsense is told once and asked again', async (t) => {
		const b = await Bench.start(t, { start: false });
		const rule = await fault(b, { service: 'entra', op: 'token', kind: 'html' });
		await b.up();
		const m = await b.meeting(ANNA);
		await rename(b, m, 'Later');
		await degraded(b, 'graph', /Entra token/);
		assert.equal(warnings(b, /token-failed/).length, 1);
		await b.control('DELETE', `/control/faults/${rule.id}`);
		await topicIs(b, m, 'Later', 30_000);
		await recovered(b, 'graph');
	});

	test('a token endpoint that never answers one tenant delays no other', async (t) => {
		const b = await Bench.start(t, { start: false });
		await fault(b, { service: 'entra', op: 'token', tenant: TENANT_A, kind: 'hang' });
		await b.up();
		const bad = await b.meeting(ANNA);
		await rename(b, bad, 'Waits');
		/* The queue is never empty here: the other one's row is asked about. */
		const good = await b.meeting(CARLA);
		await b.notify(CARLA, good.event.immutableId);
		await until('it is linked', async () => (await b.link(good.id))?.verified);
		await rename(b, good, 'Goes on', CARLA);
		await topicIs(b, good, 'Goes on', 2000);
		assert.equal((await b.conversation(bad.id)).topic, 'Portfolio review');
	});

	test('the renewal signs in by certificate as well, and says what is wrong', async (t) => {
		const b = await byCertificate(t);
		await b.tool('follow', TENANT_A, ANNA, '');
		const renew = () => new Promise((resolve) => execFile(RENEW, ['--config', path.join(b.dir, 'addin.json')], { env: b.env }, (e, _, stderr) => resolve({ code: Number(e?.code ?? 0), stderr })));
		assert.equal((await renew()).code, 0);
		put(`${b.dir}/own.key`, certificate().key);
		const failed = await renew();
		assert.equal(failed.code, 2);
		assert.match(failed.stderr, /clientCertificateKeyFile: .*not the private key/);
	});
});
