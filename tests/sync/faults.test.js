// @ts-check
/* Peers fail: nothing is lost, nobody is hurried, nothing is done twice. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { ANNA, BEN, Bench, CARLA, STATE, TENANT_A, until } from './harness.js';
import { fault, linked, rename, topicIs } from './meetings.js';

/** @param {Bench} b @param {any} m */
async function topicWrites(b, m) {
	return (await b.conversation(m.id)).ledger.filter((/** @type {any} */ w) => w.op === 'setTopic').length;
}

/* Each has simulators and a program of its own, and mostly waits. */
describe('peers fail', { concurrency: 4 }, () => {
	for (const [what, f] of /** @type {[string, any][]} */ ([
		['a 500', { kind: 'status', status: 500 }],
		['a 503 with HTML', { kind: 'html' }],
		['a reset connection', { kind: 'reset' }],
		['garbage', { kind: 'garbage' }],
		['half the JSON', { kind: 'truncate' }],
		['half the body', { kind: 'cut' }],
		['an empty answer', { kind: 'empty' }],
	]))
		for (const [service, op] of [['graph', 'getEvent'], ['unblu', 'setTopic']])
			test(`the first time that ${op} meets ${what} it is repeated within ten seconds`, async (t) => {
				const b = await Bench.start(t);
				const m = await linked(b);
				await fault(b, { service, op, count: 1, ...f });
				await rename(b, m, 'After the fault');
				await topicIs(b, m, 'After the fault', 12_000);
				const d = await b.settled();
				assert.equal(d.dead.length, 0);
			});

	test('a write whose answer was lost is read back, not repeated', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'setTopic', kind: 'lost', count: 1 });
		await rename(b, m, 'Written once');
		await until('it is known', async () => (await b.link(m.id)).topic === 'Written once' && (await b.link(m.id)).writing === '');
		assert.equal(await topicWrites(b, m), 1);
	});

	test('a deletion whose answer was lost is not repeated and is in the audit', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'delete', kind: 'lost', count: 1 });
		await b.act({ action: 'delete', mailbox: ANNA, event: m.event.immutableId });
		await b.notify(ANNA, m.event.immutableId, 4);
		await until('it is known', async () => (await b.link(m.id)).state === STATE.deleted);
		assert.equal(await b.count('unblu', 'delete'), 1);
		assert.deepEqual((await b.dump()).audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`), ['delete done']);
	});

	for (const [what, service, op, extra] of /** @type {[string, string, string, any][]} */ ([
		['a mailbox of Graph', 'graph', 'getEvent', {}],
		['Unblu', 'unblu', 'setTopic', { scope: 'service' }],
		['the token endpoint', 'entra', 'token', {}],
	]))
		for (const retryAfterStyle of ['seconds', 'date'])
			test(`Retry-After of ${what} as ${retryAfterStyle} is obeyed`, async (t) => {
				const b = await Bench.start(t);
				const m = service === 'entra' ? await b.meeting(ANNA) : await linked(b);
				await fault(b, { service, op, kind: 'throttle', retryAfter: 2, count: 1, ...(retryAfterStyle === 'date' ? { retryAfterStyle } : {}), ...extra });
				const began = Date.now();
				await rename(b, m, 'Politely');
				await topicIs(b, m, 'Politely', 20_000);
				assert.ok(Date.now() - began > 900);
				assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
			});

	test('a 429 without Retry-After is backed off from', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'graph', op: 'getEvent', kind: 'throttle', retryAfter: null, count: 3, punish: false });
		await rename(b, m, 'Patiently');
		await topicIs(b, m, 'Patiently', 40_000);
	});

	test('a throttled tenant is hurried by nobody\'s mailbox for long', async (t) => {
		const b = await Bench.start(t);
		const boxes = [];
		for (let i = 0; i < 8; i++) {
			const box = await b.control('POST', '/control/mailboxes', { tenant: TENANT_A, upn: `u${i}@alpinebank.example` });
			const event = await b.act({ action: 'create', mailbox: box.oid, subject: 'One of many', start: '2027-03-01T09:00:00Z', end: '2027-03-01T09:30:00Z' });
			boxes.push({ oid: box.oid, event: event.immutableId });
		}
		await fault(b, { service: 'graph', op: 'getEvent', kind: 'throttle', scope: 'tenant', retryAfter: 3, count: 1, punish: true });
		for (const box of boxes) {
			await b.tool('work', '0', TENANT_A, box.oid, box.event, '2', '0');
			await b.wake();
			await until('it was looked at', async () => (await b.dump()).work.every((/** @type {any} */ w) => !w.inProgress));
		}
		await until('all are done', async () => (await b.dump()).work.length === 0, 30_000);
		const early = (await b.control('GET', '/control/counters')).earlyRetries;
		assert.ok(early <= 1, `${early} too early`);
	});

	test('a revoked Graph token is fetched once for all and the call repeated', async (t) => {
		const b = await Bench.start(t);
		const ms = [await linked(b), await linked(b, undefined, BEN)];
		const before = await b.count('entra', 'token');
		await b.control('POST', '/control/tokens/revoke', { service: 'entra', tenant: TENANT_A });
		await rename(b, ms[0], 'One');
		await rename(b, ms[1], 'Two', BEN);
		await topicIs(b, ms[0], 'One');
		await topicIs(b, ms[1], 'Two');
		assert.ok(await b.count('entra', 'token') - before <= 2);
		assert.ok(!('degraded:credentials' in (await b.dump()).facts));
	});

	for (const kind of ['redirect', 'html'])
		test(`a gateway that answers ${kind} gets a new token and the call is repeated at once`, async (t) => {
			const b = await Bench.start(t, { settings: { gateway: { unauthorized: kind } } });
			const m = await linked(b);
			await b.control('POST', '/control/tokens/revoke', { service: 'gateway' });
			await rename(b, m, 'Logged in again');
			await topicIs(b, m, 'Logged in again', 3000);
			assert.ok(!('degraded:unblu-auth' in (await b.dump()).facts));
		});

	test('a gateway that refuses our secret is degraded, and rows are held, not buried', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.control('PATCH', '/control/gateway', { clientSecret: 'changed' });
		await rename(b, m, 'Held');
		await until('it is degraded', async () => 'degraded:unblu-auth' in (await b.dump()).facts);
		const d = await b.settled();
		assert.equal(d.dead.length, 0);
		assert.equal(d.work.length, 1);
		assert.equal(await b.count('unblu', 'token'), 1);
	});

	test('an expired secret of one tenant delays no other and names its AADSTS code', async (t) => {
		const b = await Bench.start(t);
		const bad = await b.meeting(ANNA);
		await b.control('PATCH', `/control/tenants/${TENANT_A}`, { secrets: [] });
		await rename(b, bad, 'Held');
		const good = await b.meeting(CARLA);
		await rename(b, good, 'Elsewhere', CARLA);
		await topicIs(b, good, 'Elsewhere');
		const d = await until('it is degraded', async () => {
			const seen = await b.dump();
			return 'degraded:credentials' in seen.facts && seen;
		});
		assert.match(d.facts['degraded:credentials'], /AADSTS7000215/);
		assert.equal(d.dead.length, 0);
		assert.equal((await b.conversation(bad.id)).topic, 'Portfolio review');
	});

	test('a 403 of Unblu holds the mailbox\'s rows with the reason', async (t) => {
		const b = await Bench.start(t, { settings: { gateway: { role: 'REGISTERED_USER' } } });
		const m = await b.meeting(ANNA);
		await rename(b, m, 'Not allowed');
		await until('it is held', async () => (await b.dump()).work.some((/** @type {any} */ w) => /forbidden/.test(w.reason)));
		/* So are those that come behind it: without asking, and for the same reason. */
		const asked = await b.count('unblu', 'read');
		await rename(b, m, 'Not allowed either');
		const other = await b.meeting(ANNA);
		await rename(b, other, 'Nor this one');
		await until('both wait for that', async () => {
			const { work } = await b.dump();
			return work.length === 2 && work.every((/** @type {any} */ w) => /forbidden/.test(w.reason));
		});
		assert.equal(await b.count('unblu', 'read'), asked);
		assert.equal((await b.dump()).dead.length, 0);
	});

	test('what Unblu refuses of one conversation waits longer than the rows that it holds up', async (t) => {
		const b = await Bench.start(t);
		const [bad, good] = [await linked(b, { subject: 'Bad' }), await linked(b, { subject: 'Good' })];
		await fault(b, { service: 'unblu', op: 'setTopic', conversation: bad.id, kind: 'status', status: 403 });
		await rename(b, bad, 'Not allowed');
		await until('it is refused', async () => (await b.dump()).work.some((/** @type {any} */ w) => /forbidden/.test(w.reason)));
		await rename(b, good, 'Allowed');
		const rows = await until('both wait', async () => {
			const { work } = await b.dump();
			return work.length === 2 && work.every((/** @type {any} */ w) => /forbidden/.test(w.reason)) && work;
		});
		const wait = (/** @type {any} */ m) => rows.find((/** @type {any} */ w) => w.event === m.event.immutableId).notBefore - b.now();
		assert.ok(wait(good) < 6 * 60_000, `the other waits ${wait(good)} ms`);
		assert.ok(wait(bad) > 9 * 60_000, `the refused one waits ${wait(bad)} ms`);
	});

	test('a permanent refusal of Unblu becomes a dead letter', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'setTopic', kind: 'status', status: 400, count: 1 });
		await rename(b, m, 'Refused');
		await until('it is buried', async () => (await b.dump()).dead.length === 1);
		const d = await b.dump();
		assert.equal(d.work.length, 0);
		assert.equal(d.links[0].writing, '');
		assert.ok(d.audit.some((/** @type {any} */ a) => a.action === 'set-topic' && a.outcome === 'refused'));
	});

	test('a malformed event id becomes a dead letter, not a deletion', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'graph', op: 'getEvent', kind: 'status', status: 400, code: 'ErrorInvalidIdMalformed', count: 1 });
		await rename(b, m, 'x');
		await until('it is buried', async () => (await b.dump()).dead.length === 1);
		assert.equal((await b.link(m.id)).state, STATE.linked);
	});

	test('a long outage of Unblu holds everything and heals by itself', async (t) => {
		const b = await Bench.start(t);
		const ms = [await linked(b), await linked(b, undefined, BEN), await linked(b, undefined, CARLA)];
		await fault(b, { service: 'unblu', kind: 'status', status: 503, count: 1000 });
		const users = [ANNA, BEN, CARLA];
		for (let round = 0; round < 2; round++)
			for (const [i, m] of ms.entries())
				await rename(b, m, `Round ${round}`, users[i]);
		await until('the circuit opens', async () => 'degraded:unblu' in (await b.dump()).facts, 40_000);
		assert.equal((await b.dump()).dead.length, 0);
		await b.control('DELETE', '/control/faults');
		for (const m of ms)
			await topicIs(b, m, 'Round 1', 60_000);
		await until('it has recovered', async () => !('degraded:unblu' in (await b.dump()).facts));
	});

	test('kill -9 in the middle of a write loses nothing and writes once', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'unblu', op: 'setTopic', kind: 'delay', delayAfterMs: 3000, count: 1 });
		await rename(b, m, 'Survives');
		await topicIs(b, m, 'Survives');
		process.kill(b.pid(), 'SIGKILL');
		await until('it is known', async () => (await b.link(m.id)).topic === 'Survives' && (await b.link(m.id)).writing === '');
		assert.equal(await topicWrites(b, m), 1);
		await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
	});

	test('SIGTERM ends within a second also with exchanges in flight, which are redone', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await fault(b, { service: 'graph', op: 'getEvent', kind: 'hang', count: 1 });
		await rename(b, m, 'Redone');
		await until('it is in flight', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.inProgress));
		const began = Date.now();
		await b.down();
		assert.ok(Date.now() - began < 1500, `took ${Date.now() - began} ms`);
		await b.up();
		await topicIs(b, m, 'Redone');
	});

	test('a hundred events of one mailbox never have more than two requests in flight there', async (t) => {
		const b = await Bench.start(t, { settings: { graph: { latencyMs: 5 } } });
		const ms = [];
		for (let i = 0; i < 100; i++)
			ms.push(await b.meeting(ANNA));
		await Promise.all(ms.map((m) => b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: `Topic of ${m.id}` })));
		for (const m of ms)
			await b.tool('work', '0', TENANT_A, ANNA, m.event.immutableId, '2', '0');
		await b.wake();
		for (const m of ms)
			await topicIs(b, m, `Topic of ${m.id}`, 60_000);
		const box = (await b.control('GET', '/control/counters')).mailboxes[ANNA];
		assert.ok(box.maxExchanges <= 2, JSON.stringify(box));
		assert.equal(box.throttled, 0);
	});

	test('no secret, token or clientState shows up in the log or in the store', async (t) => {
		const b = await Bench.start(t);
		await b.follow(ANNA);
		const m = await linked(b);
		await rename(b, m, 'TOPIC-CANARY');
		await topicIs(b, m, 'TOPIC-CANARY');
		await b.settled();
		const log = fs.readFileSync(b.log, 'utf8');
		assert.ok(!log.includes('TOPIC-CANARY'));
		for (const secret of [b.env.CLIENT_SECRET, b.env.SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET, 'Bearer ey', 'eyJ0eXAi'])
			for (const file of fs.readdirSync(b.dir))
				if (!fs.statSync(`${b.dir}/${file}`).isSocket())
					assert.ok(!fs.readFileSync(`${b.dir}/${file}`, 'latin1').includes(secret), `${file} has ${secret.slice(0, 6)}...`);
	});
});
