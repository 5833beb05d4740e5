// @ts-check
/* Sign-in to the gateway in every mode, and the agent's name in the calls. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, BEN, Bench, CARLA, TENANT_A, until } from './harness.js';
import { fault, linked, rename, topicIs } from './meetings.js';
import { bench, degraded, nothingLost, put, recovered, warnings } from './signins.js';

describe('signing in to the gateway', { concurrency: 4 }, () => {
	/* First, because it waits for a pause of a minute. */
	for (const kind of ['redirect', 'html'])
		test(`a gateway that goes on with ${kind} is degraded behind one new token, and nothing is lost`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			const gone = await linked(b, undefined, CARLA);
			const tries = async () => (await b.control('GET', '/control/log?service=unblu&limit=20000')).map((/** @type {any} */ l) => l.op).filter((/** @type {string} */ op) => ['setTopic', 'token'].includes(op));
			const before = (await tries()).length;
			const rule = await fault(b, { service: 'unblu', op: ['read', 'setTopic', 'delete', 'history'], kind });
			await rename(b, m, 'Later');
			await degraded(b, 'unblu-auth', /the gateway wants a login/);
			/* later tries follow at their own pace */
			assert.deepEqual((await tries()).slice(before, before + 3), ['setTopic', 'token', 'setTopic']);
			assert.equal((await b.link(m.id)).state, 1);
			await b.act({ action: 'delete', mailbox: CARLA, event: gone.event.immutableId });
			await b.notify(CARLA, gone.event.immutableId, 4);
			await until('its deletion is tried', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.user === CARLA && w.attempts > 0), 20_000);
			assert.equal((await b.dump()).dead.length, 0);
			assert.ok(!(await b.conversation(gone.id)).deleted);
			await b.control('DELETE', `/control/faults/${rule.id}`);
			await topicIs(b, m, 'Later', 90_000);
			await recovered(b, 'unblu-auth');
		});

	for (const auth of ['client_secret_basic', 'client_secret_post'])
		test(`${auth}, with scope, audience and resource`, async (t) => {
			const b = await Bench.start(t, {
				config: { unbluTokenClientAuth: auth, unbluTokenScope: 'a b', unbluTokenAudience: 'unblu', unbluTokenResource: 'https://unblu.example' },
				settings: { gateway: { clientAuth: auth.slice('client_secret_'.length), discovery: false } },
			});
			const m = await linked(b);
			await rename(b, m, 'Signed in');
			await topicIs(b, m, 'Signed in');
		});

	test('basic sends id and secret with each call and asks for no token', async (t) => {
		const b = await bench(t, (b) => {
			/** @type {any} */ (b.env).SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET = 'sim';
			return { unbluAuthMode: 'basic', syncServerAuthGatewayClientId: 'ben@alpinebank.example' };
		});
		await b.control('PATCH', `/control/persons/${BEN}`, { role: 'ADMIN' });
		await b.up();
		const m = await linked(b);
		await rename(b, m, 'By password');
		await topicIs(b, m, 'By password');
		assert.equal(await b.count('unblu', 'token'), 0);
	});

	test('static-bearer sends the secret as the token', async (t) => {
		const b = await bench(t, () => ({ unbluAuthMode: 'static-bearer', syncServerAuthGatewayClientId: '' }));
		const env = /** @type {any} */ (b.env);
		env.SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET = b.sim.gateway.issue().body.access_token;
		await b.up();
		const m = await linked(b);
		await rename(b, m, 'By token');
		await topicIs(b, m, 'By token');
		assert.equal(await b.count('unblu', 'token'), 0);
	});

	test('a token without expires_in is used for four minutes at most', async (t) => {
		const b = await Bench.start(t, { settings: { gateway: { expiresIn: null } } });
		const m = await linked(b);
		await rename(b, m, 'Cached');
		await topicIs(b, m, 'Cached');
		assert.equal(await b.count('unblu', 'token'), 1);
	});

	for (const [mode, config] of /** @type {[string, any][]} */ ([['oauth2-client-credentials', {}], ['basic', { unbluAuthMode: 'basic', syncServerAuthGatewayClientId: 'ben@alpinebank.example' }]]))
		test(`${mode}: a refused secret heals by a new one in its file`, async (t) => {
			const b = await bench(t, (b) => {
				const env = /** @type {any} */ (b.env);
				put(`${b.dir}/gateway`, mode === 'basic' ? 'sim' : env.SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET);
				delete env.SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET;
				env.SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET_FILE = `${b.dir}/gateway`;
				return config;
			});
			await b.control('PATCH', `/control/persons/${BEN}`, { role: 'ADMIN' });
			await b.up();
			const ms = [await linked(b), await linked(b, undefined, CARLA)];
			await b.control('PATCH', '/control/gateway', { clientSecret: 'next' });
			await b.control('PATCH', `/control/persons/${BEN}`, { password: 'next' });
			await b.control('POST', '/control/tokens/revoke', { service: 'gateway' });
			await rename(b, ms[0], 'One');
			await rename(b, ms[1], 'Two', CARLA);
			await degraded(b, 'unblu-auth', /./);
			put(`${b.dir}/gateway`, '\n');
			await until('an empty one is not taken', () => warnings(b, /credential-not-read.*is empty/).length === 1);
			put(`${b.dir}/gateway`, 'next\n');
			await topicIs(b, ms[0], 'One', 20_000);
			await topicIs(b, ms[1], 'Two', 20_000);
			await recovered(b, 'unblu-auth');
			await nothingLost(b);
		});

	test('a token endpoint that answers HTML is degraded, not a reason to stop', async (t) => {
		const b = await Bench.start(t, { start: false });
		const rule = await fault(b, { service: 'unblu', op: 'token', kind: 'html' });
		await b.up();
		const m = await b.meeting(ANNA);
		await rename(b, m, 'Later');
		await degraded(b, 'unblu-auth', /instead of a token, see unbluTokenUrl/);
		await b.control('DELETE', `/control/faults/${rule.id}`);
		await topicIs(b, m, 'Later', 30_000);
		await recovered(b, 'unblu-auth');
		await nothingLost(b);
	});
});

describe('acting as the agent', { concurrency: 4 }, () => {
	const header = { unbluActAs: 'header', unbluActAsRoleHeader: 'x-unblu-trusted-user-role' };
	const settings = { gateway: { trustActAs: true } };
	/** Agents need no administrator's role in these. @param {Bench} b */
	const allowed = async (b) => {
		for (const user of [ANNA, CARLA])
			await b.control('PATCH', `/control/persons/${user}`, { role: 'ADMIN' });
	};
	/** @param {Bench} b @returns {Promise<string[]>} */
	const acted = async (b) => [...new Set((await b.control('GET', '/control/gateway')).acted.map((/** @type {any} */ a) => `${a.agent} ${a.role}`))];

	for (const [key, agent] of /** @type {[string, string][]} */ ([['username', 'anna@alpinebank.example'], ['email', 'anna@alpinebank.example'], ['entra-oid', ANNA]]))
		test(`each call about a conversation names its agent by ${key}`, async (t) => {
			const b = await Bench.start(t, { config: { ...header, unbluAgentKey: key }, settings });
			await allowed(b);
			await b.tool('follow', TENANT_A, ANNA, key === 'username' ? agent : 'someone.else@alpinebank.example');
			await b.tool('email', TENANT_A, ANNA, key === 'email' ? agent : 'other.mail@alpinebank.example');
			const m = await linked(b);
			await rename(b, m, 'As Anna');
			await topicIs(b, m, 'As Anna');
			assert.deepEqual(await acted(b), [`${agent} REGISTERED_USER`]);
		});

	test('an agent without a name is told once and held, until the mapping gives one', async (t) => {
		const b = await bench(t, (b) => {
			put(`${b.dir}/agents.json`, JSON.stringify({ [CARLA.toUpperCase()]: 'carla@lakeinsurance.example' }));
			return { ...header, unbluActAsRole: 'SUPERVISOR', unbluAgentMapFile: `${b.dir}/agents.json` };
		}, { settings });
		await allowed(b);
		await b.up();
		const m = await b.meeting(ANNA);
		const second = await b.meeting(ANNA);
		await rename(b, m, 'As Anna');
		await b.notify(ANNA, second.event.immutableId);
		await until('both are held', async () => (await b.dump()).work.filter((/** @type {any} */ w) => /^act-as: the agent's username is not known/.test(w.reason)).length === 2);
		await linked(b, undefined, CARLA);
		assert.equal(warnings(b, /agent-unknown/).length, 1);
		put(`${b.dir}/agents.json`, '{"broken": ');
		await until('the mistake is told', () => warnings(b, /agent-map-not-read/).length === 1);
		await linked(b, undefined, CARLA);
		put(`${b.dir}/agents.json`, JSON.stringify({ [ANNA]: 'anna@alpinebank.example' }));
		await topicIs(b, m, 'As Anna', 12_000);
		assert.deepEqual((await acted(b)).sort(), ['anna@alpinebank.example SUPERVISOR', 'carla@lakeinsurance.example SUPERVISOR']);
		assert.equal(warnings(b, /agent-unknown/).length, 1);
		await nothingLost(b);
	});

	test('a name that no header can carry is never sent', async (t) => {
		const b = await Bench.start(t, { config: header, settings });
		await b.tool('follow', TENANT_A, ANNA, 'anna\r\nX-Evil: 1');
		const m = await b.meeting(ANNA);
		await rename(b, m, 'Held');
		await until('it is held', async () => (await b.dump()).work.some((/** @type {any} */ w) => /does not fit into a header/.test(w.reason)));
		assert.deepEqual(await acted(b), []);
		await nothingLost(b);
	});
});
