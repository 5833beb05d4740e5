// @ts-check
/* Answers that prove less than they seem to, and rows that came too early: nothing is deleted, closed or lost over them. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, BEN, BOX, Bench, HINT, KIND, STATE, TENANT_A, until } from './harness.js';

const START = Date.parse('2027-03-01T09:00:00Z');
const IN_BIN = { settings: { graph: { deletedItems: '200', notify: { profile: 'none' } } } };
/* What an API gateway says that does not know the route. */
const NOT_UNBLU = { service: 'unblu', kind: 'oversize', bytes: 9, status: 404 };

/** A followed meeting. @param {Bench} b @param {any} [change] */
async function linked(b, change) {
	const m = await b.meeting(ANNA, change);
	await b.notify(ANNA, m.event.immutableId);
	await until('it is linked', async () => (await b.link(m.id))?.verified);
	await b.settled();
	return m;
}

/** @param {Bench} b @param {any} m */
async function removed(b, m) {
	await b.act({ action: 'delete', mailbox: ANNA, event: m.event.immutableId });
	await b.notify(ANNA, m.event.immutableId, HINT.deleted);
}

/** @param {Bench} b */
async function ops(b) {
	return (await b.control('GET', '/control/log?limit=1000')).filter((/** @type {any} */ l) => l.service !== 'entra').map((/** @type {any} */ l) => l.op);
}

/** @param {Bench} b */
async function audit(b) {
	return (await b.dump()).audit.map((/** @type {any} */ a) => `${a.action} ${a.outcome}`);
}

describe('a 404 that Unblu did not make', { concurrency: 4 }, () => {
	for (const op of ['setTopic', 'read'])
		test(`to ${op} closes no link`, async (t) => {
			const b = await Bench.start(t);
			const m = op === 'read' ? await b.meeting(ANNA) : await linked(b);
			await b.control('POST', '/control/faults', { ...NOT_UNBLU, op, count: 2 });
			await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'After all' });
			await b.notify(ANNA, m.event.immutableId);
			await until('the topic is there', async () => (await b.conversation(m.id)).topic === 'After all', 40_000);
			await b.settled();
			assert.equal((await b.link(m.id)).state, STATE.linked);
			assert.ok(b.lines().some((l) => l.event === 'work-deferred' && /not made by Unblu/.test(JSON.stringify(l))));
		});

	test('to the history does not stand in for it', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
		await b.control('POST', `/control/conversations/${m.id}/leave`, {});
		await b.control('POST', '/control/faults', { ...NOT_UNBLU, op: 'history' });
		await removed(b, m);
		await until('it waits', () => b.lines().some((l) => l.event === 'deletion-waits'));
		assert.equal((await b.conversation(m.id)).deleted, false);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('to the deletion is not the deletion', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('POST', '/control/faults', { ...NOT_UNBLU, op: 'delete', count: 1 });
		await removed(b, m);
		await until('it is deleted', async () => (await b.conversation(m.id)).deleted, 40_000);
		await until('the link says so', async () => (await b.link(m.id)).state === STATE.deleted);
		assert.equal(await b.count('unblu', 'delete'), 2);
	});
});

/* Each is over before it was ever looked at. */
describe('an event that is over at first sight', { concurrency: 4 }, () => {
	/** @type {[string, any, (b: Bench, m: any) => Promise<any>, number][]} */
	const ends = [
		['called off', IN_BIN, (b, m) => b.act({ action: 'cancel', mailbox: ANNA, event: m.event.immutableId }), HINT.created | HINT.updated],
		['in Deleted Items', IN_BIN, (b, m) => b.act({ action: 'delete', mailbox: ANNA, event: m.event.immutableId }), HINT.created | HINT.deleted],
	];
	for (const [what, options, end, hints] of ends)
		for (const announced of [false, true])
			test(`${what}, ${announced ? 'announced' : 'never announced'}: its conversation is deleted`, async (t) => {
				const b = await Bench.start(t, options);
				const m = await b.meeting(ANNA);
				if (announced)
					await b.announce(ANNA, m.made, 'Portfolio review', START);
				await end(b, m);
				await b.notify(ANNA, m.event.immutableId, hints);
				await until('it is in its grace time', async () => (await b.link(m.id))?.state === STATE.gone);
				assert.equal((await b.link(m.id)).event, m.event.immutableId);
				await until('it is deleted', async () => (await b.link(m.id)).state === STATE.deleted);
				assert.equal((await b.conversation(m.id)).deleted, true);
				assert.deepEqual(await audit(b), ['delete done']);
				await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
				assert.ok(await b.count('graph', 'getEvent') < 6, 'no hot loop');
			});

	test('called off while somebody is in it: its conversation is kept', async (t) => {
		const b = await Bench.start(t, IN_BIN);
		const m = await b.meeting(ANNA);
		await b.control('POST', `/control/conversations/${m.id}/join`, { name: 'Guest' });
		await b.act({ action: 'cancel', mailbox: ANNA, event: m.event.immutableId });
		await b.notify(ANNA, m.event.immutableId, HINT.created);
		await until('it is kept', async () => (await b.link(m.id))?.state === STATE.kept);
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test('a row without an event id asks for no list', async (t) => {
		const b = await Bench.start(t);
		await b.notify(ANNA, '', HINT.deleted);
		await until('it is refused', () => b.lines().some((l) => l.event === 'event-without-id'));
		await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
		assert.equal((await ops(b)).length, 0);
		assert.equal((await b.dump()).dead.length, 0);
	});
});

describe('what precedes a deletion', { concurrency: 4 }, () => {
	test('a copy that is called off does not decide about the event', async (t) => {
		const b = await Bench.start(t, { ...IN_BIN, config: { deletionGraceSeconds: 3 } });
		const m = await linked(b);
		const y = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
		await removed(b, m);
		await until('it is in its grace time', async () => (await b.link(m.id)).state === STATE.gone);
		await b.act({ action: 'restore', mailbox: ANNA, event: m.event.immutableId });
		await b.act({ action: 'cancel', mailbox: ANNA, event: y.immutableId });
		/* Two rows of a mailbox are worked on at once: one hangs, the copy's is due before the event's own. */
		await b.control('POST', '/control/faults', { service: 'graph', op: 'getEvent', kind: 'hang', count: 1 });
		await b.notify(ANNA, 'AAMkHanging');
		await until('one hangs', async () => (await b.dump()).work.some((/** @type {any} */ w) => w.inProgress));
		const gone = (await b.link(m.id)).gone;
		await until('the grace time is nearly over', () => Date.now() > gone + 2600);
		await b.tool('work', String(KIND.event), TENANT_A, ANNA, y.immutableId, String(HINT.updated), '0');
		await until('it is linked again', async () => (await b.link(m.id)).state === STATE.linked, 40_000);
		await until('the queue has run dry', async () => (await b.dump()).work.length === 0, 40_000);
		assert.equal((await b.link(m.id)).event, m.event.immutableId);
		assert.equal(await b.count('unblu', 'delete'), 0);
	});

	test('a copy that nobody can read stops it', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		const y = await b.act({ action: 'copy', mailbox: ANNA, event: m.event.immutableId });
		await b.act({ action: 'writeProperty', mailbox: ANNA, event: y.immutableId, value: JSON.stringify({ unblu: JSON.stringify({ v: 2, conversationId: m.id }) }) });
		await removed(b, m);
		await until('it is stopped', async () => /could not be read/.test((await b.link(m.id)).error));
		await b.settled();
		assert.equal(await b.count('unblu', 'delete'), 0);
		await b.act({ action: 'delete', mailbox: ANNA, event: y.immutableId });
		await until('it is deleted once that one is gone', async () => (await b.conversation(m.id)).deleted, 60_000);
	});
});

describe('what is not known is not written over', { concurrency: 4 }, () => {
	for (const status of [503, 504])
		test(`behind ${status} with Retry-After the conversation is read back`, async (t) => {
			const b = await Bench.start(t);
			const m = await linked(b);
			await b.control('POST', '/control/faults', { service: 'unblu', op: 'setTopic', kind: 'status', status, retryAfter: 1, count: 1 });
			await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Twice' });
			await b.notify(ANNA, m.event.immutableId);
			await until('the topic is there', async () => (await b.conversation(m.id)).topic === 'Twice', 30_000);
			const seen = (await ops(b)).filter((/** @type {string} */ op) => op === 'setTopic' || op === 'read');
			assert.deepEqual(seen.slice(-3), ['setTopic', 'read', 'setTopic']);
		});

	test('behind 429 it is not', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'setTopic', kind: 'throttle', retryAfter: 1, count: 1 });
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Twice' });
		await b.notify(ANNA, m.event.immutableId);
		await until('the topic is there', async () => (await b.conversation(m.id)).topic === 'Twice', 30_000);
		const seen = (await ops(b)).filter((/** @type {string} */ op) => op === 'setTopic' || op === 'read');
		assert.deepEqual(seen.slice(-2), ['setTopic', 'setTopic']);
	});

	test('what Unblu says of a topic stays out of log, audit and link', async (t) => {
		const b = await Bench.start(t, { config: { logLevel: 'info' } });
		const m = await linked(b);
		await b.control('POST', '/control/faults', { service: 'unblu', op: 'setTopic', kind: 'status', status: 400, message: "topic 'Merger of A and B' is too long" });
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Merger of A and B' });
		await b.notify(ANNA, m.event.immutableId);
		const d = await until('it is a dead letter', async () => {
			const dump = await b.dump();
			return dump.dead.length > 0 && dump;
		});
		assert.match(d.dead[0].reason, /400/);
		assert.doesNotMatch(JSON.stringify([d.audit, d.dead, d.links.map((/** @type {any} */ l) => l.error), b.lines()]), /Merger/);
	});

	test('a conversation is left for the one that is announced with its event', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		const fresh = await b.control('POST', '/control/button', { mailbox: ANNA, event: m.event.immutableId });
		await b.announce(ANNA, fresh, 'Portfolio review', START, '', m.event.immutableId);
		await b.notify(ANNA, m.event.immutableId);
		await until('the new one is linked', async () => (await b.link(fresh.conversation.id)).state === STATE.linked);
		const left = await b.link(m.id);
		assert.deepEqual([left.state, left.event], [STATE.unconfirmed, '']);
		assert.equal((await b.conversation(m.id)).deleted, false);
	});

	test("an event that names someone else's conversation keeps its own", async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		const made = await b.control('POST', '/control/button', { mailbox: ANNA, event: m.event.immutableId });
		await b.announce(BEN, made, 'Not yours', START);
		await b.notify(ANNA, m.event.immutableId);
		await until('it was looked at', async () => await b.count('graph', 'getEvent') > 1);
		await b.settled();
		const link = await b.link(m.id);
		assert.equal(link.state, STATE.linked);
		assert.equal(link.event, m.event.immutableId);
	});
});

describe('a mailbox that is not to be asked', { concurrency: 4 }, () => {
	/** @type {[string, number, number][]} */
	const ways = [['parked by an operator', BOX.parked, Date.parse('9999-01-01T00:00:00Z')], ['unfollowed', BOX.unfollowed, 0]];
	for (const [what, state, retry] of ways)
		test(`${what} is left so by lifecycle notifications`, async (t) => {
			const b = await Bench.start(t);
			await b.follow(ANNA);
			await until('it is subscribed', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0));
			await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
			const before = (await ops(b)).length;
			await b.tool('box', TENANT_A, ANNA, String(state), String(retry));
			for (const hint of [HINT.reauthorize, HINT.removed]) {
				await b.notify(ANNA, '', hint, KIND.follow);
				await b.settled();
			}
			await b.notify(ANNA, 'an-event');
			await until('its row was looked at', async () => (await b.dump()).work.every((/** @type {any} */ w) => w.notBefore > 0));
			assert.equal((await ops(b)).length, before, 'nothing was asked of Graph');
			const { mailboxes, work } = await b.dump();
			const box = mailboxes.find((/** @type {any} */ x) => x.user === ANNA);
			assert.equal(work.some((/** @type {any} */ w) => w.event === 'an-event'), state === BOX.parked);
			assert.ok(work.every((/** @type {any} */ w) => w.notBefore < Date.now() + 30 * 3600_000), 'no row waits for longer than a clock that ran ahead is believed');
			assert.equal(box.state, state);
			assert.equal(box.retry, retry);
		});

	test('not known is not asked for', async (t) => {
		const b = await Bench.start(t);
		await b.notify(ANNA, '', HINT.removed, KIND.follow);
		await until('the queue has run dry', async () => (await b.dump()).work.length === 0);
		assert.equal((await ops(b)).length, 0);
	});

	test('a creation that fails behind a 409 leaves no row behind', async (t) => {
		const b = await Bench.start(t);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'createSubscription', kind: 'status', status: 409, count: 1 });
		await b.control('POST', '/control/faults', { service: 'graph', op: 'listSubscriptions', kind: 'status', status: 503, count: 1 });
		await b.follow(ANNA);
		await until('it failed', () => b.lines().some((l) => l.event === 'follow-failed'));
		assert.equal((await b.dump()).subscriptions.filter((/** @type {any} */ s) => s.granted === 0).length, 0);
		await until('it is subscribed', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0), 30_000);
		assert.equal((await b.dump()).subscriptions.length, 1);
	});
});

test('a catch-up looks for the events of links that have none', async (t) => {
	const b = await Bench.start(t);
	const m = await b.meeting(ANNA);
	await b.announce(ANNA, m.made, 'Portfolio review', START);
	await b.notify(ANNA, '', HINT.missed, KIND.catchup);
	await until('it is linked', async () => (await b.link(m.id)).state === STATE.linked);
	assert.equal((await b.link(m.id)).event, m.event.immutableId);
});

test('a search finds all of a mailbox, however much it is', async (t) => {
	const b = await Bench.start(t);
	for (let i = 0; i < 430; i++)
		await b.act({ action: 'create', mailbox: ANNA, subject: `Meeting ${i}`, start: '2027-03-01T09:00:00Z', end: '2027-03-01T09:30:00Z' })
			.then((/** @type {any} */ e) => b.act({ action: 'writeProperty', mailbox: ANNA, event: e.immutableId, value: JSON.stringify({ unblu: JSON.stringify({ v: 1, conversationId: `none-${i}`, sourceId: `source-${i}`, createdAt: '2027-01-01T00:00:00Z' }) }) }));
	await b.tool('follow', TENANT_A, ANNA, '');
	await b.notify(ANNA, '', 0, KIND.search);
	const line = await until('the mailbox was searched', () => b.lines().find((l) => l.event === 'mailbox-searched'), 60_000);
	assert.equal(line.found, 430);
	const d = await b.dump();
	assert.ok(d.work.length + d.links.length >= 430, `${d.work.length} rows and ${d.links.length} links`);
});
