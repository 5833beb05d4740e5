// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, BEN, graphOf, simulator } from './testkit.js';

/** @param {any} t @param {any} [options] */
async function setUp(t, options) {
	const sim = await simulator(t, options);
	const graph = await graphOf(sim);
	/** @type {any[]} */
	const made = [];
	for (let i = 0; i < 20; i++)
		made.push((await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: `e${i}` })).event);
	/** @param {any[]} requests @param {any} [headers] */
	const send = (requests, headers) => graph.ask('POST', '/$batch', { requests }, headers);
	return { sim, graph, made, send };
}

/** @param {any} e @param {number} i */
function getOf(e, i) {
	return { id: String(i + 1), method: 'GET', url: `/users/${ANNA}/events/${e.immutableId}?$select=id,subject`, headers: { Prefer: 'IdType="ImmutableId"' } };
}

test('twenty members are answered one by one, in another order', async (t) => {
	const { sim, made, send } = await setUp(t);
	const { status, json } = await send(made.map(getOf));
	assert.equal(status, 200);
	assert.equal(json.responses.length, 20);
	assert.notDeepEqual(json.responses.map((/** @type {any} */ r) => r.id), made.map((_, i) => String(i + 1)));
	for (const r of json.responses) {
		assert.equal(r.status, 200);
		assert.equal(r.body.subject, `e${Number(r.id) - 1}`);
		assert.equal(r.headers['Preference-Applied'], 'IdType="ImmutableId"');
	}
	const entries = await sim.control('GET', '/control/log?op=getEvent');
	assert.equal(new Set(entries.map((/** @type {any} */ e) => e.batch)).size, 1);
	const counters = (await sim.control('GET', '/control/counters')).mailboxes[ANNA];
	assert.ok(counters.maxConcurrent <= 4, 'Graph runs four at once');
	assert.equal(counters.maxExchanges, 1, 'for the client it is one exchange');
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});

test('members fail alone: 404 and 429 with their own Retry-After beside 200', async (t) => {
	const { sim, made, send } = await setUp(t);
	await sim.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', event: made[1].immutableId, kind: 'throttle', retryAfter: 7, count: 1, scope: 'op', punish: false });
	await sim.control('POST', '/control/actions', { action: 'delete', mailbox: ANNA, event: made[2].immutableId });
	const { status, json } = await send(made.slice(0, 3).map(getOf));
	assert.equal(status, 200);
	const by = new Map(json.responses.map((/** @type {any} */ r) => [r.id, r]));
	assert.equal(by.get('1').status, 200);
	assert.equal(by.get('2').status, 429);
	assert.equal(by.get('2').headers['Retry-After'], '7');
	assert.equal(by.get('2').body.error.code, 'TooManyRequests');
	assert.equal(by.get('3').body.error.code, 'ErrorItemNotFound');
});

test('switched on, a throttled member makes the batch itself 424', async (t) => {
	const { sim, made, send } = await setUp(t, { settings: { graph: { batch: { status424: true } } } });
	await sim.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', kind: 'throttle', count: 1, punish: false });
	const { status, json } = await send(made.slice(0, 2).map(getOf));
	assert.equal(status, 424);
	assert.equal(json.responses.length, 2);
});

test('a malformed batch is 400 as a whole', async (t) => {
	const { sim, made, send } = await setUp(t, { settings: { validate: 'off' } });
	const one = getOf(made[0], 0);
	assert.equal((await send([...made, made[0]].map(getOf))).status, 400);
	assert.equal((await send([one, { ...one }])).status, 400);
	assert.equal((await send([{ id: 'a', method: 'GET' }])).status, 400);
	assert.equal((await send([{ id: 'a', method: 'PATCH', url: '/subscriptions/x', body: {} }])).status, 400);
	assert.equal((await send([{ ...one, dependsOn: ['9'] }])).status, 400);
	assert.equal(sim.errors.length, 0);
});

test('who depends on a failure is 424', async (t) => {
	const { made, send } = await setUp(t);
	const one = getOf(made[0], 0);
	const { json } = await send([{ ...one, id: '1', url: `/users/${ANNA}/events/AAMkAGInowhere0000000000` }, { ...one, id: '2', dependsOn: ['1'] }, { ...one, id: '3' }]);
	const by = new Map(json.responses.map((/** @type {any} */ r) => [r.id, r.status]));
	assert.deepEqual([by.get('1'), by.get('2'), by.get('3')], [404, 424, 200]);
});

test('a fault of the connection inside a batch becomes 504 there; on the batch it is the connection', async (t) => {
	const { sim, made, send } = await setUp(t);
	await sim.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', kind: 'reset', count: 1 });
	const { json } = await send(made.slice(0, 2).map(getOf));
	assert.deepEqual(json.responses.map((/** @type {any} */ r) => r.status).sort(), [200, 504]);
	await sim.control('POST', '/control/faults', { service: 'graph', op: 'batch', kind: 'reset', count: 1 });
	await assert.rejects(send([getOf(made[0], 0)]));
});

test('subscriptions are renewed in a batch, each with its own answer', async (t) => {
	const { sim, graph, send } = await setUp(t);
	const { subscriptionBody, webhook } = await import('./testkit.js');
	const hook = await webhook(t);
	const ids = [];
	for (const oid of [ANNA, BEN])
		ids.push((await graph.ask('POST', '/subscriptions', subscriptionBody(sim, hook, oid))).json.id);
	const expirationDateTime = new Date(sim.clock.now() + 10_000 * 60_000).toISOString();
	const patch = (/** @type {string} */ id, /** @type {number} */ i) => ({ id: String(i), method: 'PATCH', url: `/subscriptions/${id}`, headers: { 'Content-Type': 'application/json' }, body: { expirationDateTime } });
	const { json } = await send([...ids, 'aaaaaaaa-0000-4000-8000-000000000000'].map(patch));
	const by = new Map(json.responses.map((/** @type {any} */ r) => [r.id, r]));
	assert.equal(Date.parse(by.get('0').body.expirationDateTime), Date.parse(expirationDateTime));
	assert.equal(by.get('1').status, 200);
	assert.equal(by.get('2').body.error.code, 'ResourceNotFound');
	assert.equal((await sim.control('GET', '/control/violations')).total, 0);
});
