// @ts-check
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { ANNA, CARLA, TENANT_A, askToken, call, graphOf, simulator, subscriptionBody, unbluOf, webhook } from './testkit.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

test('state shows tenants, mailboxes, events, subscriptions and conversations', async (t) => {
	const sim = await simulator(t);
	const hook = await webhook(t);
	await (await graphOf(sim)).ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA));
	const { event } = await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: 'x' });
	await sim.control('POST', '/control/button', { mailbox: ANNA, event: event.restId });
	const { json } = await call('GET', `${sim.urls.control}/control/state`);
	assert.deepEqual(json.tenants.map((/** @type {any} */ x) => x.mailboxes.length), [2, 2]);
	assert.deepEqual([json.events.length, json.subscriptions.length, json.conversations.length, json.mailboxes.length], [1, 1, 1, 4]);
	assert.equal(json.subscriptions[0].clientState, subscriptionBody(sim, hook, ANNA).clientState, 'tests may see the clientState');
	assert.equal(json.counters.subscriptions.live, 1);
	assert.equal(json.urls.control, sim.urls.control);
});

test('wrong calls are refused with a reason', async (t) => {
	const sim = await simulator(t);
	const post = (/** @type {string} */ route, /** @type {any} */ body) => call('POST', sim.urls.control + route, { body });
	for (const [route, body, words] of /** @type {[string, any, RegExp][]} */ ([
		['/control/settings', { graph: { nosuch: 1 } }, /no setting graph\.nosuch/], ['/control/actions', { action: 'fly' }, /unknown action "fly"/], ['/control/actions', { action: 'create', mailbox: 'x' }, /no mailbox/],
		['/control/actions', { action: 'edit', mailbox: ANNA, event: 'x' }, /no event/], ['/control/actions', { action: 'create', mailbox: ANNA, start: 'soon' }, /is not a time/],
		['/control/clock', { offsetMs: 'x' }, /must be a number/], ['/control/wait', {}, /one of/], ['/control/tenants', {}, /id is required/],
	])) {
		const reply = await post(route, body);
		assert.equal(reply.status, 400, route);
		assert.match(reply.json.error, words);
	}
	assert.equal((await post('/control/actions', '{')).status, 400);
	assert.equal((await post('/control/nosuch', {})).status, 404);
	assert.deepEqual((await call('GET', `${sim.urls.control}/control/health`)).json.errors, []);
});

test('reset begins anew: same ports, keys and settings of the start', async (t) => {
	const sim = await simulator(t, { settings: { unblu: { topicMaxChars: 99 } } });
	const run = async () => {
		const { event } = await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: 'x' });
		return event.immutableId;
	};
	await sim.control('POST', '/control/reset');
	const first = await run();
	const kid = sim.keys.signer?.kid;
	await sim.control('POST', '/control/settings', { unblu: { topicMaxChars: 5 }, graph: { notify: { profile: 'none' } } });
	await sim.control('POST', '/control/clock', { advanceMs: 86400_000 });
	await sim.control('PATCH', `/control/tenants/${TENANT_A}`, { consented: false });
	await sim.control('POST', '/control/faults', { service: 'entra', kind: 'status' });
	await sim.control('POST', '/control/reset');
	assert.equal(await run(), first, 'the seed is back');
	assert.equal(sim.settings.unblu.topicMaxChars, 99);
	assert.equal(sim.settings.graph.notify.profile, 'real');
	assert.ok(Math.abs(sim.clock.now() - Date.now()) < 1000);
	assert.equal((await askToken(sim)).status, 200);
	assert.equal(sim.keys.signer?.kid, kid);
	await sim.control('POST', '/control/reset', { seed: 99, settings: { graph: { conflictRule: false } } });
	assert.notEqual(await run(), first);
	assert.equal(sim.settings.graph.conflictRule, false);
	assert.equal((await sim.control('GET', '/control/counters')).requestsTotal, 0);
});

test('the stream tells of everything as it happens', async (t) => {
	const sim = await simulator(t);
	/** @type {{ event: string, data: any }[]} */
	const seen = [];
	const res = await new Promise((resolve, reject) => http.get(`${sim.urls.control}/control/stream?state=1`, resolve).on('error', reject));
	t.after(() => res.destroy());
	assert.match(res.headers['content-type'], /^text\/event-stream/);
	assert.equal(res.headers['access-control-allow-origin'], '*');
	let text = '';
	res.setEncoding('utf8');
	res.on('data', (/** @type {string} */ part) => {
		text += part;
		for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
			const lines = Object.fromEntries(text.slice(0, end).split('\n').map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 2)]));
			if (lines.data !== undefined)
				seen.push({ event: lines.event, data: JSON.parse(lines.data) });
			text = text.slice(end + 2);
		}
	});
	const hook = await webhook(t);
	await (await graphOf(sim)).ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA));
	const { event } = await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: 'x' });
	await sim.control('POST', '/control/button', { mailbox: ANNA, event: event.restId });
	await sim.control('GET', '/control/idle');
	await sim.control('POST', '/control/clock', { advanceMs: 1 });
	for (let i = 0; i < 100 && !seen.some((s) => s.event === 'clock'); i++)
		await new Promise((resolve) => setTimeout(resolve, 10));
	assert.equal(seen[0].event, 'state');
	const kinds = new Set(seen.map((s) => s.event));
	for (const kind of ['request', 'handshake', 'subscription', 'event', 'conversation', 'delivery', 'clock'])
		assert.ok(kinds.has(kind), kind);
	assert.equal(seen.find((s) => s.event === 'subscription')?.data.what, 'created');
});

test('the log says whose client had gone before the answer', async (t) => {
	const sim = await simulator(t);
	const graph = await graphOf(sim);
	const url = `${sim.urls.graph}/v1.0/users/${ANNA}/events`;
	await sim.control('POST', '/control/faults', { service: 'graph', op: 'listEvents', kind: 'delay', delayMs: 60, count: 3 });
	for (const stays of [true, false]) {
		const req = http.request(url, { headers: { Authorization: `Bearer ${graph.token}` }, agent: false });
		const over = new Promise((resolve) => req.on('close', resolve));
		req.on('response', (res) => res.resume());
		req.on('error', () => 0);
		req.end(() => stays || req.destroy());
		await over;
	}
	await graph.ask('GET', `/users/${ANNA}/events`);
	for (let i = 0; i < 100 && (await sim.control('GET', '/control/log?op=listEvents')).length < 3; i++)
		await new Promise((resolve) => setTimeout(resolve, 10));
	assert.deepEqual((await sim.control('GET', '/control/log?op=listEvents')).map((/** @type {any} */ e) => e.left ?? false), [false, true, false]);
});

test('the log can be filtered and followed', async (t) => {
	const sim = await simulator(t);
	const graph = await graphOf(sim);
	await graph.ask('GET', `/users/${ANNA}/events`, undefined, { 'client-request-id': 'mine' });
	await graph.ask('GET', `/users/${ANNA}/events/AAMkAGI2TG93AAAxxxxxxx`);
	const all = await sim.control('GET', '/control/log');
	assert.deepEqual(all.map((/** @type {any} */ e) => e.op), ['token', 'listEvents', 'getEvent']);
	assert.equal(all[1].clientRequestId, 'mine');
	assert.deepEqual((await sim.control('GET', `/control/log?mailbox=${ANNA}&status=404`)).map((/** @type {any} */ e) => e.code), ['ErrorItemNotFound']);
	assert.equal((await sim.control('GET', `/control/log?after=${all[1].seq}`)).length, 1);
	assert.equal((await sim.control('GET', '/control/log?limit=1')).length, 1);
	await assert.rejects(sim.control('GET', '/control/log?limit=x'));
});

test('the ring forgets, the counters do not', async (t) => {
	const sim = await simulator(t, { logSize: 10 });
	const graph = await graphOf(sim);
	for (let i = 0; i < 25; i++)
		await graph.ask('GET', `/users/${ANNA}/events`);
	assert.equal((await sim.control('GET', '/control/log')).length, 10);
	const counters = await sim.control('GET', '/control/counters');
	assert.equal(counters.requests.graph.listEvents['200'], 25);
	assert.equal(counters.mailboxes[ANNA].requests, 25);
});

test('waiting for a conversation, a log entry, a subscription, a counter', async (t) => {
	const sim = await simulator(t);
	const late = sim.control('POST', '/control/wait', { log: { op: 'getEvent', count: 2 } });
	const graph = await graphOf(sim);
	for (let i = 0; i < 2; i++)
		await graph.ask('GET', `/users/${ANNA}/events/AAMkAGI2TG93AAAxxxxxxx`);
	assert.equal((await late).met, true);
	assert.equal((await sim.control('POST', '/control/wait', { counter: 'requests.graph.getEvent.404', atLeast: 2 })).met, true);
	assert.equal((await sim.control('POST', '/control/wait', { conversation: { id: 'x' }, timeoutMs: 20 })).met, false);
	assert.equal((await sim.control('POST', '/control/wait', { subscription: { mailbox: ANNA, count: 0 } })).met, true);
	assert.equal((await sim.control('POST', '/control/wait', { idle: true })).met, true);
});

test('tenants and mailboxes are added at run time', async (t) => {
	const sim = await simulator(t);
	const id = '84bd8158-0000-4000-8000-00000000000c';
	await sim.control('POST', '/control/tenants', { id, domain: 'third.example', mailboxes: [{ upn: 'eve@third.example' }] });
	await sim.control('POST', '/control/mailboxes', { tenant: id, upn: 'finn@third.example' });
	assert.equal((await askToken(sim, {}, id)).status, 200);
	const { event } = await sim.control('POST', '/control/actions', { action: 'create', mailbox: 'finn@third.example', subject: 'x' });
	assert.equal((await sim.control('POST', '/control/button', { mailbox: 'finn@third.example', event: event.restId })).tenant, id);
	assert.equal((await (await unbluOf(sim, 'eve@third.example')).ask('GET', 'authenticator/getCurrentPerson')).json.username, 'eve@third.example');
	await sim.control('PATCH', '/control/mailboxes/finn@third.example', { calendar: 'Second' });
	assert.equal((await sim.control('GET', '/control/mailboxes')).find((/** @type {any} */ m) => m.upn === 'finn@third.example').calendars.length, 2);
});

test('roles and gateway secret can be changed; keep-alive connections are kept', async (t) => {
	const sim = await simulator(t);
	await sim.control('PATCH', '/control/persons/anna@alpinebank.example', { role: 'SUPERVISOR' });
	assert.equal((await (await unbluOf(sim, 'anna@alpinebank.example')).ask('GET', 'authenticator/getCurrentPerson')).json.authorizationRole, 'SUPERVISOR');
	await sim.control('PATCH', '/control/gateway', { clientSecret: 'new' });
	assert.ok((await unbluOf(sim)).token);
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	t.after(() => agent.destroy());
	const ports = new Set();
	for (let i = 0; i < 3; i++)
		await new Promise((resolve, reject) => http.get(`${sim.urls.rest}/global/ping`, { agent }, (res) => {
			ports.add(res.socket.localPort);
			res.resume().on('end', resolve);
		}).on('error', reject));
	assert.equal(ports.size, 1);
});

/** @param {any} t @param {string[]} args @param {any} [stdin] */
function run(t, args, stdin = 'ignore') {
	const child = spawn(process.execPath, [MAIN, ...args], { stdio: [stdin, 'pipe', 'pipe'] });
	t.after(() => child.kill('SIGKILL'));
	let out = '';
	let err = '';
	/** @type {Promise<{ code: number | null, out: string, err: string }>} */
	const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
	/** @type {Promise<any>} */
	const ready = new Promise((resolve, reject) => {
		child.stdout?.on('data', (part) => {
			out += part;
			if (out.includes('\n'))
				resolve(JSON.parse(out));
		});
		ended.then(() => reject(new Error(err)));
	});
	ready.catch(() => {});
	child.stderr?.on('data', (part) => {
		err += part;
	});
	return { child, ready, ended };
}

test('main.js prints one line of URLs, serves, and ends on SIGTERM', async (t) => {
	const { child, ready, ended } = run(t, ['--seed', '9', '--settings', '{"graph":{"conflictRule":false}}', '--validate', 'sample']);
	const urls = await ready;
	for (const name of ['entra', 'graph', 'unblu', 'gateway', 'rest', 'control'])
		assert.match(urls[name], /^http:\/\/127\.0\.0\.1:\d+/);
	assert.equal(urls.seed, 9);
	const settings = (await call('GET', `${urls.control}/control/settings`)).json;
	assert.deepEqual([settings.graph.conflictRule, settings.validate], [false, 'sample']);
	child.kill('SIGTERM');
	assert.equal((await ended).code, 0);
});

test('main.js with --with-parent ends when stdin closes; --tenants replaces members; a fixed port is taken', async (t) => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sim-'));
	t.after(() => fs.rmSync(dir, { recursive: true }));
	const file = path.join(dir, 'tenants.json');
	fs.writeFileSync(file, JSON.stringify({ tenants: [{ id: TENANT_A, domain: 'only.example', mailboxes: [{ oid: CARLA, upn: 'c@only.example' }] }] }));
	const { child, ready, ended } = run(t, ['--with-parent', '--tenants', file], 'pipe');
	const urls = await ready;
	const tenants = (await call('GET', `${urls.control}/control/tenants`)).json;
	assert.deepEqual(tenants.map((/** @type {any} */ x) => [x.domain, x.mailboxes.length]), [['only.example', 1]]);
	const clash = run(t, ['--port-control', new URL(urls.control).port]);
	assert.equal((await clash.ended).code, 1);
	child.stdin?.end();
	assert.equal((await ended).code, 0);
});

test('main.js refuses a wrong call with exit code 2', async (t) => {
	for (const args of [['--nosuch'], ['--seed', 'x'], ['--settings', '{'], ['--tenants', '/nonexistent'], ['--port-graph', '99999']]) {
		const { code, err } = await run(t, args).ended;
		assert.equal(code, 2, args.join(' '));
		assert.match(err, /usage: /);
	}
});
