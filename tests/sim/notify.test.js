// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, BEN, CARLA, TENANT_A, TENANT_B, call, graphOf, simulator, subscriptionBody, webhook } from './testkit.js';

const IMMUTABLE = { Prefer: 'IdType="ImmutableId"' };
const PLAIN = { graph: { notify: { profile: 'plain', delayMs: 0, gapMs: 0, gatherMs: 0 } } };

/** @param {any} t @param {{ settings?: any, seed?: number, headers?: any, change?: any, behave?: any }} [how] */
async function setUp(t, how = {}) {
	const sim = await simulator(t, { settings: how.settings, seed: how.seed });
	const hook = await webhook(t, how.behave);
	const graph = await graphOf(sim);
	const made = await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, ANNA, how.change), how.headers ?? IMMUTABLE);
	assert.equal(made.status, 201);
	/** @param {any} want */
	const act = async (want) => (await sim.control('POST', '/control/actions', { mailbox: ANNA, ...want })).event;
	/** @param {number} [timeoutMs] */
	const settle = async (timeoutMs = 5000) => assert.equal((await sim.control('GET', `/control/idle?timeoutMs=${timeoutMs}`)).idle, true);
	/** What was delivered by one action. @param {any} want */
	const typesOf = async (want) => {
		hook.items.length = 0;
		const event = await act(want);
		await settle();
		return { event, types: hook.items.map((/** @type {any} */ i) => i.changeType) };
	};
	return { sim, hook, graph, act, settle, typesOf, sub: made.json };
}

test('a plain notification has exactly the documented members', async (t) => {
	const { sim, hook, act, settle, sub } = await setUp(t, { settings: PLAIN });
	const event = await act({ action: 'create', subject: 'x' });
	await settle();
	assert.equal(hook.posts.length, 1);
	assert.equal(hook.posts[0].url, '/events');
	const [item] = JSON.parse(hook.posts[0].body).value;
	const path = `Users/${ANNA}/Events/${event.immutableId}`;
	assert.deepEqual(item, {
		subscriptionId: sub.id, subscriptionExpirationDateTime: new Date(Date.parse(sub.expirationDateTime)).toISOString(), changeType: 'created', resource: path,
		resourceData: { '@odata.type': '#Microsoft.Graph.Event', '@odata.id': path, '@odata.etag': item.resourceData['@odata.etag'], id: event.immutableId },
		clientState: sub.clientState ?? item.clientState, tenantId: TENANT_A,
	});
	assert.match(item.resourceData['@odata.etag'], /^W\/"/);
	assert.equal(sim.checks.judged.notifications, sim.checks.active ? 1 : 0);
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('the kind of id is frozen when the subscription is made', async (t) => {
	const { hook, act, settle } = await setUp(t, { settings: PLAIN, headers: { Prefer: 'outlook.timezone="UTC"' } });
	const event = await act({ action: 'create', subject: 'x' });
	await settle();
	assert.equal(hook.items[0].resourceData.id, event.restId);
});

test('each action causes its certain notifications', async (t) => {
	const { typesOf } = await setUp(t, { settings: PLAIN });
	const { event, types } = await typesOf({ action: 'create', subject: 'x' });
	const id = event.immutableId;
	assert.deepEqual(types, ['created']);
	for (const [want, expected] of /** @type {[any, string[]][]} */ ([
		[{ action: 'edit', subject: 'y' }, ['updated']], [{ action: 'touch' }, ['updated']], [{ action: 'respond' }, ['updated']], [{ action: 'link', conversationId: 'c', sourceId: 's' }, ['updated']],
		[{ action: 'writeProperty', value: '{}' }, ['updated']], [{ action: 'moveCalendar', calendar: 'Private' }, ['deleted']], [{ action: 'edit', subject: 'unseen' }, []],
		[{ action: 'moveCalendar', calendar: 'Calendar' }, ['created']], [{ action: 'delete' }, ['deleted']], [{ action: 'restore' }, ['created']], [{ action: 'cancel' }, ['deleted']],
	]))
		assert.deepEqual((await typesOf({ event: id, ...want })).types, expected, JSON.stringify(want));
	const series = await typesOf({ action: 'create', subject: 's', start: '2026-12-01T09:00:00Z', recurrence: { pattern: { type: 'daily', interval: 1 }, range: { type: 'numbered', numberOfOccurrences: 3 } } });
	assert.deepEqual((await typesOf({ action: 'editOccurrence', event: series.event.immutableId, date: '2026-12-02', subject: 'z' })).types, ['updated']);
	assert.deepEqual((await typesOf({ action: 'deleteOccurrence', event: series.event.immutableId, date: '2026-12-03' })).types, ['updated']);
});

test('only the change types of the subscription are sent', async (t) => {
	const { typesOf } = await setUp(t, { settings: PLAIN, change: { changeType: 'deleted' } });
	const { event, types } = await typesOf({ action: 'create', subject: 'x' });
	assert.deepEqual(types, []);
	assert.deepEqual((await typesOf({ action: 'delete', event: event.immutableId })).types, ['deleted']);
});

test('real patterns: duplicates, strange orders, both path forms, etag and id sometimes missing - always the certain part', async (t) => {
	const { sim, hook, typesOf } = await setUp(t, { seed: 3, settings: { graph: { notify: { delayMs: 0, gapMs: 0, gatherMs: 0, missingId: 0.1 } } } });
	const counts = [];
	const all = [];
	for (let i = 0; i < 60; i++) {
		const { types } = await typesOf({ action: 'create', subject: `e${i}` });
		assert.ok(types.includes('created'));
		assert.ok(types.every((/** @type {string} */ x) => x !== 'deleted'));
		counts.push(types.length);
		all.push(...hook.items);
	}
	assert.ok(Math.min(...counts) === 1 && Math.max(...counts) >= 4 && Math.max(...counts) <= 5);
	assert.equal(new Set(all.map((i) => i.resource.replace(/(Events|events).*/, '$1'))).size, 4, 'four forms of the path');
	assert.ok(all.some((i) => i.resourceData['@odata.etag'] === undefined) && all.some((i) => i.resourceData['@odata.etag'] !== undefined));
	assert.ok(all.some((i) => i.resourceData.id === undefined));
	assert.deepEqual([...new Set(all.map((i) => (i.id === undefined ? 'absent' : i.id === null ? 'null' : 'text')))].sort(), ['absent', 'null', 'text']);
	assert.ok(new Set(all.map((i) => i.subscriptionExpirationDateTime.slice(19))).size >= 3);
	assert.ok(all.some((i) => i.resourceData['@odata.type'] === '#microsoft.graph.event'));
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('the same seed gives the same notifications, another seed others', async (t) => {
	const run = async (/** @type {number} */ seed) => {
		const { hook, typesOf } = await setUp(t, { seed, settings: { graph: { notify: { delayMs: 0, gapMs: 0, gatherMs: 0 } } } });
		const seen = [];
		for (let i = 0; i < 8; i++) {
			await typesOf({ action: 'create', subject: `e${i}` });
			seen.push(hook.items.map((/** @type {any} */ x) => [x.changeType, x.resource.slice(0, 6), 'id' in x]));
		}
		return JSON.stringify(seen);
	};
	assert.equal(await run(5), await run(5));
	assert.notEqual(await run(5), await run(6));
});

test('several subscriptions and tenants share one post', async (t) => {
	const { sim, hook, act, settle } = await setUp(t, { settings: { graph: { notify: { profile: 'plain', delayMs: 0, gapMs: 0, gatherMs: 30, perPost: 10 } } } });
	await (await graphOf(sim)).ask('POST', '/subscriptions', subscriptionBody(sim, hook, BEN));
	await (await graphOf(sim, TENANT_B)).ask('POST', '/subscriptions', subscriptionBody(sim, hook, CARLA));
	for (const mailbox of [ANNA, BEN, CARLA])
		await act({ action: 'create', mailbox, subject: 'x' });
	await settle();
	assert.equal(hook.posts.length, 1);
	assert.deepEqual(new Set(hook.items.map((/** @type {any} */ i) => i.tenantId)), new Set([TENANT_A, TENANT_B]));
});

test('silence: the subscription lives and nothing comes', async (t) => {
	const { sim, typesOf } = await setUp(t);
	await sim.control('POST', '/control/settings', { graph: { notify: { profile: 'none' } } });
	assert.deepEqual((await typesOf({ action: 'create', subject: 'x' })).types, []);
});

test('a lapsed or removed subscription sends nothing more', async (t) => {
	const { sim, typesOf, sub } = await setUp(t, { settings: PLAIN });
	await sim.control('DELETE', `/control/subscriptions/${sub.id}`);
	assert.deepEqual((await typesOf({ action: 'create', subject: 'x' })).types, []);
});

test('a storm of edits is delivered without losing any', async (t) => {
	const { sim, hook, act, settle } = await setUp(t, { settings: { graph: { notify: { profile: 'plain', delayMs: [0, 20], gatherMs: 5, perPost: 1 } } } });
	await act({ action: 'create', subject: 'x' });
	await sim.control('POST', '/control/actions', { action: 'storm', mailbox: ANNA, count: 500 });
	await settle(10_000);
	assert.equal(hook.items.length, 501);
	assert.equal((await sim.control('GET', '/control/counters')).deliveries.items, 501);
});

test('a failed delivery is tried again with growing gaps until it is taken, and every attempt is recorded', async (t) => {
	let refusals = 3;
	const { sim, hook, act, settle } = await setUp(t, { settings: PLAIN, behave: (/** @type {any} */ req, /** @type {any} */ res) => {
		if (req.url.includes('validationToken') || refusals-- <= 0)
			return false;
		res.writeHead(503).end();
		return true;
	} });
	await act({ action: 'create', subject: 'x' });
	for (let i = 0; i < 4; i++) {
		await sim.control('POST', '/control/wait', { counter: 'deliveries.attempts', atLeast: i + 1 });
		await sim.control('POST', '/control/clock', { advanceMs: 60_000 });
	}
	await settle();
	assert.equal(hook.items.length, 1);
	const [delivery] = await sim.control('GET', '/control/deliveries');
	assert.deepEqual([delivery.state, delivery.attempts.map((/** @type {any} */ a) => a.status)], ['delivered', [503, 503, 503, 202]]);
	const { deliveries } = await sim.control('GET', '/control/counters');
	assert.deepEqual([deliveries.posts, deliveries.attempts, deliveries.failedAttempts, deliveries.delivered], [1, 4, 3, 1]);
});

test('the gap doubles: 5, 10, 20 ... seconds of virtual time, with a little jitter', async (t) => {
	const { sim, act } = await setUp(t, { settings: PLAIN, behave: (/** @type {any} */ req, /** @type {any} */ res) => {
		if (req.url.includes('validationToken'))
			return false;
		res.writeHead(500).end();
		return true;
	} });
	await sim.control('POST', '/control/clock', { factor: 0 });
	await act({ action: 'create', subject: 'x' });
	for (const [i, seconds] of [5, 10, 20, 40].entries()) {
		assert.ok((await sim.control('POST', '/control/wait', { counter: 'deliveries.attempts', atLeast: i + 1 })).met);
		await sim.control('POST', '/control/clock', { advanceMs: seconds * 1000 - 1 });
		assert.equal((await sim.control('POST', '/control/wait', { counter: 'deliveries.attempts', atLeast: i + 2, timeoutMs: 60 })).met, false, `not before ${seconds} s`);
		await sim.control('POST', '/control/clock', { advanceMs: seconds * 200 + 2 });
	}
	assert.ok((await sim.control('POST', '/control/wait', { counter: 'deliveries.attempts', atLeast: 5 })).met);
});

test('after four hours it is given up, and missed is sent instead', async (t) => {
	const { sim, hook, act, settle, sub } = await setUp(t, { settings: PLAIN, behave: (/** @type {any} */ req) => {
		if (req.url !== '/events')
			return false;
		req.socket.destroy();
		return true;
	} });
	await act({ action: 'create', subject: 'x' });
	for (const [i, hours] of [1.9, 1.9, 0.3].entries()) {
		assert.ok((await sim.control('POST', '/control/wait', { counter: 'deliveries.attempts', atLeast: i + 1 })).met);
		assert.equal(sim.journal.deliveries.dropped, 0);
		await sim.control('POST', '/control/clock', { advanceMs: hours * 3600_000 });
	}
	await settle();
	const counters = await sim.control('GET', '/control/counters');
	assert.deepEqual([counters.deliveries.dropped, counters.lifecycle.missed], [1, 1]);
	assert.deepEqual(hook.items.map((/** @type {any} */ i) => [i.lifecycleEvent, i.subscriptionId]), [['missed', sub.id]]);
	assert.equal((await sim.control('GET', '/control/deliveries'))[0].state, 'dropped');
});

test('an answer slower than the timeout counts as none: 3 s at first, 10 s on retries', async (t) => {
	let calls = 0;
	const { sim, hook, act, settle } = await setUp(t, { settings: { graph: { notify: PLAIN.graph.notify, delivery: { firstTimeoutMs: 80, retryTimeoutMs: 500, retryBaseMs: 20 } } }, behave: (/** @type {any} */ req, /** @type {any} */ res) => {
		if (req.url.includes('validationToken'))
			return false;
		calls++;
		setTimeout(() => res.writeHead(202).end(), 160);
		return true;
	} });
	await act({ action: 'create', subject: 'x' });
	await settle();
	assert.equal(calls, 2);
	const [delivery] = await sim.control('GET', '/control/deliveries');
	assert.deepEqual(delivery.attempts.map((/** @type {any} */ a) => a.error), ['timeout', null]);
	assert.equal(hook.items.length, 0);
	const fresh = (await import('./lib/settings.js')).defaultSettings().graph.delivery;
	assert.deepEqual([fresh.firstTimeoutMs, fresh.retryTimeoutMs, fresh.giveUpMs], [3000, 10_000, 4 * 3600_000]);
});

test('an endpoint that is slow too often gets its notifications late (switched on)', async (t) => {
	const { sim, hook, act, settle } = await setUp(t, { settings: { graph: { notify: PLAIN.graph.notify, delivery: { endpointHealth: true, firstTimeoutMs: 30, retryTimeoutMs: 1000, retryBaseMs: 5 } } }, behave: (/** @type {any} */ req, /** @type {any} */ res) => {
		if (req.url.includes('validationToken') || !slow)
			return false;
		setTimeout(() => res.writeHead(202).end(), 60);
		return true;
	} });
	let slow = true;
	for (let i = 0; i < 8; i++)
		await act({ action: 'create', subject: `${i}` });
	await settle();
	assert.equal(Object.values(sim.delivery.health.describe())[0].state, 'slow');
	slow = false;
	hook.items.length = 0;
	await act({ action: 'create', subject: 'late' });
	assert.equal((await sim.control('GET', '/control/idle?timeoutMs=100')).idle, false);
	await sim.control('POST', '/control/clock', { advanceMs: 600_000 });
	await settle();
	assert.equal(hook.items.length, 1);
});

/** A webhook whose answers to notifications take so long. @param {{ ms: number }} how */
function taking(how) {
	return (/** @type {any} */ req, /** @type {any} */ res) => {
		if (req.url.includes('validationToken') || how.ms === 0)
			return false;
		setTimeout(() => res.writeHead(202).end(), how.ms);
		return true;
	};
}

test('an endpoint that stays slow is sampled and delayed again; one that is well again is delayed no more', async (t) => {
	const how = { ms: 60 };
	const { sim, hook, act, settle } = await setUp(t, { settings: { graph: { notify: PLAIN.graph.notify, delivery: { endpointHealth: true, firstTimeoutMs: 30, retryTimeoutMs: 1000, retryBaseMs: 5 } } }, behave: taking(how) });
	const state = () => /** @type {any} */ (Object.values(sim.delivery.health.describe())[0]);
	const create = async (/** @type {number} */ n) => {
		for (let i = 0; i < n; i++)
			await act({ action: 'create', subject: `${i}` });
	};
	await create(8);
	await settle();
	assert.deepEqual([state().state, state().sampling], ['slow', false]);
	await sim.control('POST', '/control/clock', { advanceMs: 600_000 });
	assert.equal(state().sampling, true);
	await create(3);
	await settle();
	assert.deepEqual([state().state, state().sampling], ['slow', false], 'the sample was slow as well');
	await sim.control('POST', '/control/clock', { advanceMs: 600_000 });
	how.ms = 0;
	await create(3);
	await settle();
	assert.equal(state().state, 'ok');
	hook.items.length = 0;
	await create(1);
	await settle();
	assert.equal(hook.items.length, 1, 'at once');
});

test('an endpoint that is too late too often gets nothing for ten minutes, then a sample, and missed when that is well', async (t) => {
	const how = { ms: 150 };
	const { sim, hook, act, settle, sub } = await setUp(t, { settings: { graph: { notify: PLAIN.graph.notify, delivery: { endpointHealth: true, firstTimeoutMs: 30, retryTimeoutMs: 60, retryBaseMs: 5, giveUpMs: 40, missedOnDrop: false } } }, behave: taking(how) });
	const state = () => /** @type {any} */ (Object.values(sim.delivery.health.describe())[0]);
	for (let i = 0; i < 12; i++)
		await act({ action: 'create', subject: `${i}` });
	assert.equal((await sim.control('GET', '/control/idle?timeoutMs=5000')).idle, true);
	assert.equal(state().state, 'drop');
	how.ms = 0;
	hook.items.length = 0;
	for (let i = 0; i < 5; i++)
		await act({ action: 'create', subject: `dropped ${i}` });
	await settle();
	assert.equal(hook.items.length, 0, 'everything is dropped, the word about it too');
	await sim.control('POST', '/control/clock', { advanceMs: 600_000 });
	for (let i = 0; i < 3; i++)
		await act({ action: 'create', subject: `sample ${i}` });
	await settle();
	assert.equal(state().state, 'ok');
	assert.deepEqual(hook.items.map((/** @type {any} */ i) => i.lifecycleEvent ?? i.changeType), ['created', 'created', 'created', 'missed']);
	assert.equal(hook.items[3].subscriptionId, sub.id);
});

test('notifications are lost at the rate that is set: without a word, or told by missed', async (t) => {
	const { sim, hook, act, settle } = await setUp(t, { settings: PLAIN });
	await sim.control('POST', '/control/settings', { graph: { notify: { lost: 1 } } });
	await act({ action: 'create', subject: 'unheard of' });
	await settle();
	assert.equal(hook.items.length, 0);
	await sim.control('POST', '/control/settings', { graph: { notify: { lost: 0 }, delivery: { lost: 1 } } });
	await act({ action: 'create', subject: 'missed' });
	await settle();
	assert.deepEqual(hook.items.map((/** @type {any} */ i) => i.lifecycleEvent), ['missed']);
	await sim.control('POST', '/control/settings', { graph: { delivery: { lost: 0 } } });
	await act({ action: 'create', subject: 'heard of' });
	await settle();
	assert.equal(hook.items.length, 2);
});

test('without authorization for too long nothing is delivered; then what is younger than four hours, else missed', async (t) => {
	const HOUR = 3600_000;
	const { sim, hook, graph, sub, act, settle } = await setUp(t, { settings: { graph: { notify: PLAIN.graph.notify, lifecycleAuto: { afterMs: HOUR, repeatMs: 100 * HOUR, pauseMs: 2 * HOUR } }, entra: { expiresIn: 100_000 } } });
	const changes = () => hook.items.filter((/** @type {any} */ i) => i.changeType !== undefined).length;
	const missed = () => hook.items.filter((/** @type {any} */ i) => i.lifecycleEvent === 'missed').length;
	await sim.control('POST', '/control/clock', { advanceMs: 1.5 * HOUR });
	await act({ action: 'create', subject: 'in time' });
	await settle();
	assert.equal(changes(), 1, 'for a while it goes on');
	await sim.control('POST', '/control/clock', { advanceMs: HOUR });
	await act({ action: 'create', subject: 'held' });
	await settle();
	assert.equal(changes(), 1);
	await graph.ask('POST', `/subscriptions/${sub.id}/reauthorize`);
	await settle();
	assert.deepEqual([changes(), missed()], [2, 0]);
	await sim.control('POST', '/control/clock', { advanceMs: 3 * HOUR });
	await act({ action: 'create', subject: 'too old in the end' });
	await settle();
	await sim.control('POST', '/control/clock', { advanceMs: 5 * HOUR });
	await graph.ask('POST', `/subscriptions/${sub.id}/reauthorize`);
	await settle();
	assert.deepEqual([changes(), missed()], [2, 1]);
});

test('lifecycle notifications: three kinds, to the lifecycle URL, with nothing of a resource', async (t) => {
	const { sim, hook, settle, sub, graph } = await setUp(t, { settings: PLAIN });
	for (const event of ['reauthorizationRequired', 'missed', 'subscriptionRemoved']) {
		await sim.control('POST', '/control/lifecycle', { event, mailbox: ANNA });
		await settle();
		const item = hook.items.pop();
		assert.equal(item.lifecycleEvent, event);
		assert.deepEqual(Object.keys(item).sort(), ['clientState', 'lifecycleEvent', 'subscriptionExpirationDateTime', 'subscriptionId', 'tenantId']);
		assert.equal(hook.posts[hook.posts.length - 1].url, '/lifecycle');
	}
	assert.equal((await graph.ask('GET', `/subscriptions/${sub.id}`)).status, 404, 'removed means gone');
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
	await assert.rejects(sim.control('POST', '/control/lifecycle', { event: 'odd', mailbox: ANNA }));
});

test('switched on, reauthorizationRequired repeats until it is renewed', async (t) => {
	const { sim, hook, graph, sub, settle } = await setUp(t, { settings: { graph: { notify: PLAIN.graph.notify, lifecycleAuto: { afterMs: 3600_000, repeatMs: 900_000 } }, entra: { expiresIn: 100_000 } } });
	await sim.control('POST', '/control/clock', { advanceMs: 3600_001 });
	await settle();
	await sim.control('POST', '/control/clock', { advanceMs: 900_001 });
	await settle();
	assert.equal(hook.items.filter((/** @type {any} */ i) => i.lifecycleEvent === 'reauthorizationRequired').length, 2);
	await graph.ask('POST', `/subscriptions/${sub.id}/reauthorize`);
	await sim.control('POST', '/control/clock', { advanceMs: 900_001 });
	await settle();
	assert.equal(hook.items.length, 2);
});

test('a subscription without a lifecycle URL hears nothing of it', async (t) => {
	const { sim, hook, settle } = await setUp(t, { settings: PLAIN, change: { lifecycleNotificationUrl: undefined } });
	assert.deepEqual((await sim.control('POST', '/control/lifecycle', { event: 'missed', mailbox: ANNA })).deliveries, [null]);
	await settle();
	assert.equal(hook.items.length, 0);
});

test('hostile posts are what they say', async (t) => {
	/** @type {Buffer[]} */
	const bodies = [];
	const { sim, sub } = await setUp(t, { behave: (/** @type {any} */ req, /** @type {any} */ res, /** @type {string} */ body) => {
		if (req.url.includes('validationToken'))
			return false;
		bodies.push(Buffer.from(body));
		res.writeHead(400).end('no');
		return true;
	} });
	const send = async (/** @type {string} */ kind, more = {}) => {
		const reply = await sim.control('POST', '/control/hostile', { kind, ...more });
		assert.deepEqual([reply.status, reply.body], [400, 'no']);
		return String(bodies[bodies.length - 1]);
	};
	assert.notEqual(JSON.parse(await send('wrongClientState')).value[0].clientState, sim.subscriptions.byId.get(sub.id)?.clientState);
	assert.equal(JSON.parse(await send('missingClientState')).value[0].clientState, undefined);
	assert.notEqual(JSON.parse(await send('foreignTenant')).value[0].tenantId, TENANT_A);
	assert.equal(JSON.parse(await send('manyItems', { count: 10_000 })).value.length, 10_000);
	assert.ok((await send('huge', { bytes: 2_000_000 })).length > 2_000_000);
	assert.ok((await send('deep', { depth: 5000 })).startsWith('{"value":[[[['));
	assert.equal((await send('duplicateKeys')).match(/"value":/g)?.length, 2);
	assert.ok((await send('invalidUtf8')).includes('\ufffd'));
	assert.equal(JSON.parse(await send('bothKinds')).value[0].lifecycleEvent, 'missed');
	assert.equal(await send('raw', { raw: Buffer.from('abc').toString('base64') }), 'abc');
	for (const kind of ['unknownSubscription', 'otherType', 'noId', 'oneBadOfMany', 'missingValue', 'valueNotArray', 'truncated', 'notJson', 'loneSurrogate', 'empty'])
		await send(kind);
	await assert.rejects(sim.control('POST', '/control/hostile', { kind: 'odd' }));
});

test('a handshake can be asked for at any time, with any token', async (t) => {
	const { sim, hook } = await setUp(t);
	const token = '<script>alert(1)</script>%+&=\u0000\r\nü';
	assert.equal((await sim.control('POST', '/control/handshake', { url: `${hook.url}/events`, token })).problem, null);
	assert.equal(hook.handshakes[hook.handshakes.length - 1].token, token);
	assert.equal((await call('GET', `${sim.urls.control}/control/handshakes`)).json.length, 3);
});
