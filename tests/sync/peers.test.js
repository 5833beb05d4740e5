// @ts-check
/* Mistakes that other products of this kind make, and this one must not. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNA, Bench, CARLA, HINT, KIND, STATE, TENANT_A } from './harness.js';
import { audit, dry, edited, fault, linked, removed, shows, stateIs, until } from './meetings.js';

const IN_BIN = { settings: { graph: { deletedItems: '200', notify: { profile: 'none' } } } };

/** @param {Bench} b */
async function followed(b) {
	await b.follow(ANNA);
	await until('it is subscribed', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0));
	await dry(b);
	return (await b.control('GET', '/control/subscriptions'))[0];
}

/** What the log complains about. @param {Bench} b */
function troubles(b) {
	return b.lines().filter((l) => ['warning', 'error'].includes(l.level) && l.event !== 'running-as-root').map((l) => l.event);
}

/** @param {Bench} b @param {string} op */
async function asked(b, op) {
	return (await b.control('GET', `/control/log?service=graph&op=${op}&limit=1000`));
}

describe('mistakes of others', { concurrency: 4 }, () => {
	for (const [what, hints] of /** @type {[string, number[]][]} */ ([['before an update', [HINT.deleted, HINT.updated]], ['behind an update', [HINT.updated, HINT.deleted]], ['between others', [HINT.created, HINT.deleted, HINT.updated]]]))
		test(`a deletion that comes ${what} in one row is not lost among them`, async (t) => {
			const b = await Bench.start(t, { ...IN_BIN, config: { notificationDebounceMs: 300 } });
			const m = await linked(b);
			await b.act({ action: 'delete', mailbox: ANNA, event: m.event.immutableId });
			for (const hint of hints)
				await b.tool('work', String(KIND.event), TENANT_A, ANNA, m.event.immutableId, String(hint), '300');
			await b.wake();
			await stateIs(b, m, STATE.deleted);
		});

	test('the 404 behind a deletion is an answer and no failure', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await removed(b, m);
		await stateIs(b, m, STATE.deleted);
		await dry(b);
		assert.deepEqual(troubles(b), []);
		assert.deepEqual((await b.dump()).dead, []);
	});

	test('an update of an event that is gone, and was nobody\'s, is one look and no failure', async (t) => {
		const b = await Bench.start(t);
		const event = await b.act({ action: 'create', mailbox: ANNA, subject: 'Private', start: '2027-03-01T09:00:00Z', end: '2027-03-01T09:30:00Z' });
		await b.act({ action: 'delete', mailbox: ANNA, event: event.immutableId });
		await b.notify(ANNA, event.immutableId, HINT.deleted);
		await until('it was looked at', async () => await b.count('graph', 'getEvent') > 0);
		await dry(b);
		assert.equal(await b.count('graph', 'getEvent'), 1);
		assert.deepEqual(troubles(b), []);
	});

	test('the secret of a subscription is never taken back from Graph, which answers null for it', async (t) => {
		const b = await Bench.start(t);
		const sub = await followed(b);
		const before = (await b.dump()).subscriptions;
		await b.follow(ANNA, HINT.reauthorize);
		await until('it was renewed', async () => await b.count('graph', 'renewSubscription') > 0);
		await dry(b);
		const after = (await b.dump()).subscriptions;
		assert.deepEqual(after.map((/** @type {any} */ s) => s.hash), before.map((/** @type {any} */ s) => s.hash));
		assert.match(after[0].hash, /^[0-9a-f]{64}$/);
		assert.equal(after[0].id, sub.id);
	});

	test('a subscription that is replaced is deleted by its own id, and none is left over', async (t) => {
		const b = await Bench.start(t);
		const sub = await followed(b);
		await b.down();
		await b.loseStore();
		await b.up();
		const fresh = await followed(b);
		assert.notEqual(fresh.id, sub.id);
		const deleted = await asked(b, 'deleteSubscription');
		assert.deepEqual(deleted.map((/** @type {any} */ l) => [l.path.split('/').pop(), l.status]), [[sub.id, 204]]);
	});

	for (const [words, subscriptionList] of [['still shows what was deleted', 'stale'], ['is empty', 'empty']])
		test(`a list that ${words} changes nothing`, async (t) => {
			const b = await Bench.start(t);
			const sub = await followed(b);
			await b.control('POST', '/control/settings', { graph: { subscriptionList } });
			await b.follow(ANNA, HINT.reauthorize);
			await until('it was renewed', async () => await b.count('graph', 'renewSubscription') > 0);
			await dry(b);
			assert.deepEqual((await b.control('GET', '/control/subscriptions')).map((/** @type {any} */ s) => s.id), [sub.id]);
			assert.equal(await b.count('graph', 'createSubscription'), 1);
		});

	test('a token endpoint that never answers hangs its own tenant, for a time, and nobody else', async (t) => {
		const b = await Bench.start(t, { start: false });
		await fault(b, { service: 'entra', op: 'token', tenant: TENANT_A, kind: 'hang', count: 1 });
		await b.up();
		const hers = await b.meeting(ANNA);
		await b.notify(ANNA, hers.event.immutableId);
		const theirs = await b.meeting(CARLA);
		await b.notify(CARLA, theirs.event.immutableId);
		await stateIs(b, theirs, STATE.linked, 5000);
		assert.equal(await b.link(hers.id), undefined);
		await stateIs(b, hers, STATE.linked, 60_000);
	});

	test('an answer is judged by its code, whatever its text says', async (t) => {
		const b = await Bench.start(t, { config: { deletionGraceSeconds: 0 } });
		const m = await linked(b);
		const lie = await fault(b, { service: 'graph', op: 'getEvent', kind: 'status', status: 404, code: 'ErrorInvalidUser', message: 'ErrorItemNotFound: The specified object was not found in the store.' });
		await b.notify(ANNA, m.event.immutableId, HINT.deleted);
		await until('it is the mailbox', async () => (await b.dump()).mailboxes.some((/** @type {any} */ x) => /no user/.test(x.reason)));
		assert.equal((await b.link(m.id)).state, STATE.linked);
		assert.equal(await b.count('unblu', 'delete'), 0);
		await b.control('DELETE', `/control/faults/${lie.id}`);
		const other = await linked(b, {}, CARLA);
		await b.act({ action: 'delete', mailbox: CARLA, event: other.event.immutableId });
		await fault(b, { service: 'graph', op: 'getEvent', kind: 'status', status: 404, code: 'ErrorItemNotFound', message: 'Le postier est en vacances.' });
		await b.notify(CARLA, other.event.immutableId, HINT.deleted);
		await stateIs(b, other, STATE.deleted);
	});

	test('a notification that is hours late is compared with what is there now', async (t) => {
		const b = await Bench.start(t);
		const m = await linked(b);
		await edited(b, m, { subject: 'First' });
		await shows(b, m, { topic: 'First' });
		await edited(b, m, { subject: 'Second' });
		await shows(b, m, { topic: 'Second' });
		for (const hint of [HINT.created, HINT.updated, HINT.deleted])
			await b.notify(ANNA, m.event.immutableId, hint);
		await dry(b);
		assert.equal((await b.conversation(m.id)).topic, 'Second');
		assert.equal((await b.link(m.id)).state, STATE.linked);
		assert.deepEqual(await audit(b), ['set-topic done', 'set-topic done']);
	});
});
