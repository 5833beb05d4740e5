// @ts-check
import assert from 'node:assert/strict';
import test from 'node:test';
import { ANNA, BEN, askToken, graphOf, simulator, unbluOf } from './testkit.js';

/** @param {any} t @param {any} [options] */
async function setUp(t, options) {
	const sim = await simulator(t, options);
	const graph = await graphOf(sim);
	const { event } = await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: 'x' });
	const get = () => graph.ask('GET', `/users/${ANNA}/events/${event.immutableId}`);
	/** @param {any} rule */
	const fault = (rule) => sim.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', count: 1, ...rule });
	return { sim, graph, event, get, fault };
}

/** @param {number} ms */
function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

test('more than four at once on one mailbox: MailboxConcurrency; another mailbox is untouched', async (t) => {
	const { sim, graph, get } = await setUp(t, { settings: { graph: { latencyMs: 100 } } });
	const replies = await Promise.all([...Array.from({ length: 6 }, get), graph.ask('GET', `/users/${BEN}/events`)]);
	const busy = replies.filter((r) => r.status === 429);
	assert.equal(busy.length, 2);
	assert.deepEqual([busy[0].json.error.code, busy[0].json.error.message], ['ApplicationThrottled', 'Application is over its MailboxConcurrency limit.']);
	assert.equal(busy[0].headers['retry-after'], '1');
	const counters = (await sim.control('GET', '/control/counters')).mailboxes;
	assert.ok(counters[ANNA].maxConcurrent > 4 && counters[ANNA].maxExchanges > 4);
	assert.deepEqual([counters[ANNA].throttled, counters[ANNA].requests], [2, 6]);
	assert.equal(counters[BEN].maxConcurrent, 1);
	assert.equal(counters[ANNA].inFlight, 0);
});

test('Retry-After comes as integer, as decimal, as date, or not at all', async (t) => {
	const { sim, get, fault } = await setUp(t, { settings: { entra: { expiresIn: 200_000 } } });
	await sim.control('POST', '/control/clock', { offsetMs: 86400_000 });
	await fault({ kind: 'throttle', retryAfter: 5, punish: false });
	assert.equal((await get()).headers['retry-after'], '5');
	await fault({ kind: 'throttle', retryAfter: 2.128, punish: false });
	const decimal = await get();
	assert.equal(decimal.headers['retry-after'], '2.128');
	assert.deepEqual([decimal.json.error.code, decimal.json.error.innerError.code], ['TooManyRequests', '429']);
	await fault({ kind: 'throttle', retryAfter: 30, retryAfterStyle: 'date', punish: false });
	const wait = Date.parse((await get()).headers['retry-after'] ?? '') - sim.clock.now();
	assert.ok(wait > 28_000 && wait < 31_000, String(wait));
	await fault({ kind: 'throttle', retryAfter: null });
	const bare = await get();
	assert.equal(bare.status, 429);
	assert.equal(bare.headers['retry-after'], undefined);
	assert.equal((await get()).status, 200);
});

test('who comes back too early is refused again, counted, and waits anew', async (t) => {
	const { sim, get, fault } = await setUp(t);
	await fault({ kind: 'throttle', retryAfter: 10 });
	assert.equal((await get()).status, 429);
	await pause(150);
	await sim.control('POST', '/control/clock', { advanceMs: 8000 });
	const early = await get();
	assert.deepEqual([early.status, early.headers['retry-after']], [429, '10']);
	await sim.control('POST', '/control/clock', { advanceMs: 5000 });
	assert.equal((await get()).status, 429, 'the wait began anew');
	const counters = await sim.control('GET', '/control/counters');
	assert.equal(counters.earlyRetries, 2);
	assert.equal(counters.mailboxes[ANNA].early, 2);
	assert.equal((await sim.control('GET', '/control/log?op=getEvent&limit=1'))[0].early, true);
	await sim.control('POST', '/control/clock', { advanceMs: 10_001 });
	assert.equal((await get()).status, 200);
});

test('a request that was under way when the 429 was sent is not called early', async (t) => {
	const { sim, get, fault } = await setUp(t);
	await fault({ kind: 'throttle', retryAfter: 10 });
	const both = await Promise.all([get(), get()]);
	assert.deepEqual(both.map((r) => r.status), [429, 429]);
	assert.equal((await sim.control('GET', '/control/counters')).earlyRetries, 0);
});

test('the wait binds the mailbox, the operation, the tenant or the service, as told', async (t) => {
	const { graph, get, fault, sim } = await setUp(t);
	await fault({ kind: 'throttle', retryAfter: 10 });
	await get();
	await pause(120);
	assert.equal((await graph.ask('GET', `/users/${ANNA}/calendars`)).status, 429, 'the mailbox by default');
	assert.equal((await graph.ask('GET', `/users/${BEN}/calendars`)).status, 200);
	await sim.control('DELETE', '/control/faults');
	await fault({ kind: 'throttle', retryAfter: 10, scope: 'service' });
	await get();
	await pause(120);
	assert.equal((await graph.ask('GET', `/users/${BEN}/calendars`)).status, 429);
});

test('a calendar can be refused while its mailbox lists it, and the others answer', async (t) => {
	const { graph, sim, fault } = await setUp(t);
	await sim.control('POST', '/control/actions', { action: 'create', mailbox: ANNA, subject: 'y', calendar: 'Private' });
	const list = (await graph.ask('GET', `/users/${ANNA}/calendars`)).json.value;
	assert.equal(list.length, 2);
	await fault({ op: 'listEvents', calendar: list[1].id, kind: 'status', status: 403, code: 'ErrorAccessDenied' });
	const replies = [];
	for (const of of ['', ...list.map((/** @type {any} */ c) => `/calendars/${encodeURIComponent(c.id)}`)])
		replies.push((await graph.ask('GET', `/users/${ANNA}${of}/events`)).status);
	assert.deepEqual(replies, [200, ...list.map((/** @type {any} */ _, /** @type {number} */ i) => i === 1 ? 403 : 200)]);
	assert.equal((await sim.control('GET', '/control/faults')).rules.length, 0);
});

test('5xx as JSON, as HTML, as nothing; with Retry-After', async (t) => {
	const { get, fault } = await setUp(t);
	await fault({ kind: 'status', status: 503, retryAfter: 4, punish: false });
	const busy = await get();
	assert.deepEqual([busy.status, busy.headers['retry-after'], busy.json.error.code], [503, '4', 'ServiceUnavailable']);
	await fault({ kind: 'status', status: 504 });
	assert.equal((await get()).status, 504);
	await fault({ kind: 'status', status: 500, code: '', message: 'x' });
	assert.equal((await get()).json.error.code, '');
	await fault({ kind: 'html', status: 502 });
	const html = await get();
	assert.deepEqual([html.status, html.headers['content-type']], [502, 'text/html; charset=utf-8']);
	await fault({ kind: 'empty', status: 503 });
	assert.equal((await get()).text, '');
	await fault({ kind: 'redirect' });
	assert.equal((await get()).status, 302);
	await fault({ kind: 'garbage' });
	const garbage = await get();
	assert.throws(() => garbage.json);
	await fault({ kind: 'oversize', bytes: 100_000 });
	assert.ok((await get()).text.length > 100_000);
	assert.equal((await get()).status, 200);
});

test('reset and lost: no answer; truncate: half the JSON; cut: the connection drops in the body', async (t) => {
	const { sim, get, fault } = await setUp(t);
	for (const kind of ['reset', 'lost', 'cut']) {
		await fault({ kind });
		await assert.rejects(get(), kind);
	}
	await fault({ kind: 'truncate' });
	const half = await get();
	assert.equal(half.status, 200);
	assert.equal(half.text.length, Number(half.headers['content-length']));
	assert.throws(() => half.json, SyntaxError);
	assert.equal((await get()).status, 200);
	assert.deepEqual((await sim.control('GET', '/control/log?op=getEvent')).map((/** @type {any} */ e) => e.fault ?? null), ['reset', 'lost', 'cut', 'truncate', null]);
});

test('hang answers never; delay comes before the effect, delayAfter between effect and answer', async (t) => {
	const { sim, get, fault } = await setUp(t);
	await fault({ kind: 'hang' });
	assert.equal(await Promise.race([get().catch(() => 'closed'), pause(200).then(() => 'silent')]), 'silent');
	await fault({ kind: 'delay', delayMs: 150 });
	let began = Date.now();
	assert.equal((await get()).status, 200);
	assert.ok(Date.now() - began >= 140);
	const unblu = await unbluOf(sim);
	const { conversation } = await sim.control('POST', '/control/button', { mailbox: ANNA, event: (await sim.control('GET', '/control/events'))[0].restId });
	await sim.control('POST', '/control/faults', { service: 'unblu', op: 'setTopic', kind: 'delay', delayAfterMs: 300, count: 1 });
	began = Date.now();
	const slow = unblu.ask('POST', `conversations/${conversation.id}/setTopic`, { topic: 'late' });
	const seen = await sim.control('POST', '/control/wait', { conversation: { id: conversation.id, topic: 'late' } });
	assert.ok(seen.met && Date.now() - began < 250, 'the effect stands before the answer');
	assert.equal((await slow).status, 200);
	assert.ok(Date.now() - began >= 290);
});

test('a lost answer at Unblu: the effect happened, and the ledger shows it', async (t) => {
	const { sim } = await setUp(t);
	const unblu = await unbluOf(sim);
	const { conversation } = await sim.control('POST', '/control/button', { mailbox: ANNA, event: (await sim.control('GET', '/control/events'))[0].restId });
	await sim.control('POST', '/control/faults', { service: 'unblu', op: 'setTopic', kind: 'lost', count: 1 });
	await assert.rejects(unblu.ask('POST', `conversations/${conversation.id}/setTopic`, { topic: 'new' }));
	assert.equal((await unblu.ask('GET', `conversations/${conversation.id}/read`)).json.topic, 'new');
	await unblu.ask('POST', `conversations/${conversation.id}/setTopic`, { topic: 'new' });
	const { ledger } = await sim.control('GET', `/control/conversations/${conversation.id}`);
	assert.deepEqual(ledger.map((/** @type {any} */ w) => [w.op, w.changed]), [['create', true], ['setTopic', true], ['setTopic', false]]);
	assert.equal((await sim.control('GET', '/control/counters')).conversations.writes.unchanged, 1);
});

test('Unblu says 429 and 503 in its own form; whom it tells to wait may still ask for a token', async (t) => {
	const { sim } = await setUp(t);
	const unblu = await unbluOf(sim);
	const ask = () => unblu.ask('GET', 'authenticator/getCurrentPerson');
	await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getCurrentPerson', kind: 'status', status: 503, count: 1 });
	const down = await ask();
	assert.deepEqual([down.status, down.json.$_type, down.json.statusCode], [503, 'Error', 503]);
	await sim.control('POST', '/control/faults', { service: 'unblu', op: 'getCurrentPerson', kind: 'throttle', retryAfter: 30, scope: 'service', count: 1 });
	const busy = await ask();
	assert.deepEqual([busy.status, busy.json.$_type, busy.headers['retry-after']], [429, 'Error', '30']);
	await pause(150);
	await unbluOf(sim);
	assert.equal((await sim.control('GET', '/control/counters')).earlyRetries, 0);
	assert.equal((await ask()).status, 429);
	assert.equal((await sim.control('GET', '/control/counters')).earlyRetries, 1);
	await sim.control('POST', '/control/clock', { advanceMs: 31_000 });
	assert.notEqual((await ask()).status, 429);
});

test('rules: count, skip, mailbox, probability, removal, and refusal of nonsense', async (t) => {
	const { sim, graph, get } = await setUp(t);
	const add = (/** @type {any} */ rule) => sim.control('POST', '/control/faults', rule);
	await add({ service: 'graph', op: 'getEvent', kind: 'status', status: 500, skip: 1, count: 2 });
	const seen = [];
	for (let i = 0; i < 4; i++)
		seen.push((await get()).status);
	assert.deepEqual(seen, [200, 500, 500, 200]);
	const rule = await add({ service: 'graph', mailbox: BEN, kind: 'status', status: 500 });
	assert.equal((await get()).status, 200);
	assert.equal((await graph.ask('GET', `/users/${BEN}/events`)).status, 500);
	assert.equal((await sim.control('GET', '/control/faults')).rules[0].hits, 1);
	assert.equal((await sim.control('DELETE', `/control/faults/${rule.id}`)).removed, true);
	assert.equal((await graph.ask('GET', `/users/${BEN}/events`)).status, 200);
	await add({ service: 'graph', op: ['getEvent', 'listEvents'], kind: 'status', status: 500, probability: 0.5 });
	let failed = 0;
	for (let i = 0; i < 60; i++)
		failed += (await get()).status === 500 ? 1 : 0;
	assert.ok(failed > 10 && failed < 50, String(failed));
	await assert.rejects(add({ service: 'graph', kind: 'odd' }));
	await assert.rejects(add({ service: 'mars', kind: 'status' }));
});

test('faults of one tenant do not touch the other', async (t) => {
	const { sim } = await setUp(t);
	await sim.control('POST', '/control/faults', { service: 'entra', op: 'token', tenant: '84bd8158-0000-4000-8000-00000000000b', kind: 'status', status: 503 });
	assert.equal((await askToken(sim)).status, 200);
	assert.equal((await askToken(sim, {}, '84bd8158-0000-4000-8000-00000000000b')).status, 503);
});
