// @ts-check
/* Mailboxes are followed: subscriptions made, renewed, replaced, lost and found; first sight; catch-up. */

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { ANNA, BEN, BOX, Bench, HINT, KIND, STATE, TENANT_A, until } from './harness.js';

const START = Date.parse('2027-03-01T09:00:00Z');

/** @param {Bench} b @param {string} [user] */
async function subscriptions(b, user = ANNA) {
	return (await b.control('GET', '/control/subscriptions')).filter((/** @type {any} */ s) => s.oid === user);
}

/** @param {Bench} b */
async function followed(b) {
	await b.follow(ANNA);
	await until('there is a subscription', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0));
	return (await subscriptions(b))[0];
}

/* Each has simulators and a program of its own, and mostly waits. */
describe('mailboxes are followed', { concurrency: 4 }, () => {
	test('a followed mailbox gets a subscription whose clientState only its hash is kept of', async (t) => {
		const b = await Bench.start(t);
		const sub = await followed(b);
		const d = await b.settled();
		assert.equal(b.handshakes, 2);
		assert.equal(sub.resource, `users/${ANNA}/events`);
		assert.equal(sub.changeType, 'created,updated,deleted');
		assert.equal(sub.immutable, true);
		assert.match(sub.notificationUrl, /\/addin\/webhook\/events$/);
		assert.match(sub.lifecycleNotificationUrl, /\/addin\/webhook\/lifecycle$/);
		assert.match(sub.clientState, /^[A-Za-z0-9_-]{43}$/);
		assert.equal(d.subscriptions.length, 1);
		assert.equal(d.subscriptions[0].id, sub.id);
		assert.equal(d.subscriptions[0].hash, crypto.createHash('sha256').update(sub.clientState).digest('hex'));
		assert.equal(d.subscriptions[0].expires, Date.parse(sub.expirationDateTime));
		const life = Date.parse(sub.expirationDateTime) - Date.now();
		assert.ok(Math.abs(life - 10_065 * 60_000) < 60_000, `lives ${life}`);
		for (const file of fs.readdirSync(b.dir))
			if (file !== 'addin.json')
				assert.ok(fs.statSync(`${b.dir}/${file}`).isSocket() || !fs.readFileSync(`${b.dir}/${file}`).includes(sub.clientState), file);
	});

	test('creations whose answer was lost leave no more than they have to, and the one that is answered lives as long as any', async (t) => {
		const b = await Bench.start(t);
		await b.control('POST', '/control/settings', { graph: { conflictRule: false } });
		await b.control('POST', '/control/faults', { service: 'graph', op: 'createSubscription', kind: 'lost', count: 3 });
		await b.follow(ANNA);
		const minutes = (/** @type {any} */ s) => Math.round((Date.parse(s.expirationDateTime) - Date.parse(s.createdAt)) / 60_000);
		const [made, pending] = await until('two have no answer', async () => {
			const all = await subscriptions(b);
			return all.length >= 2 && [all, (await b.dump()).subscriptions];
		});
		assert.deepEqual(made.slice(0, 2).map(minutes), [10_065, 60], 'only the first was to stay for long');
		/* Whatever Graph has made may notify. */
		const hash = (/** @type {any} */ s) => crypto.createHash('sha256').update(s.clientState).digest('hex');
		for (const s of made.slice(0, 2))
			assert.ok(pending.some((/** @type {any} */ row) => row.hash === hash(s)));
		const d = await until('there is one', async () => {
			const rows = (await b.dump()).subscriptions;
			return rows.some((/** @type {any} */ s) => s.granted > 0) && rows;
		});
		assert.equal(d.length, 1);
		assert.equal(Math.round((d[0].expires - d[0].granted) / 60_000), 10_065);
		const own = (await subscriptions(b)).find((/** @type {any} */ s) => s.id === d[0].id);
		assert.equal(Date.parse(own.expirationDateTime), d[0].expires);
	});

	test('where Graph refuses the short life that is asked for behind a lost answer, it is asked for the whole one', async (t) => {
		const b = await Bench.start(t);
		await b.control('POST', '/control/settings', { graph: { conflictRule: false } });
		for (const fault of [{ kind: 'lost' }, { kind: 'status', status: 400 }])
			await b.control('POST', '/control/faults', { service: 'graph', op: 'createSubscription', count: 1, ...fault });
		await b.follow(ANNA);
		const d = await until('there is one', async () => {
			const rows = (await b.dump()).subscriptions;
			return rows.some((/** @type {any} */ s) => s.granted > 0) && rows;
		});
		assert.equal(d.length, 1);
		assert.equal(Math.round((d[0].expires - d[0].granted) / 60_000), 10_065);
		/* Not shortened, and lengthened in a second step. */
		assert.equal(await b.count('graph', 'renewSubscription'), 0);
		assert.equal((await b.dump()).dead.length, 0);
	});

	test('an event saved before the subscription stood is found by its property', async (t) => {
		const b = await Bench.start(t);
		const m = await b.meeting(ANNA);
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Saved first' });
		await b.announce(ANNA, m.made, 'Portfolio review', START);
		await b.notify(ANNA, '', 0, KIND.follow);
		await until('its topic is there', async () => (await b.conversation(m.id)).topic === 'Saved first');
		await b.settled();
		assert.equal((await b.link(m.id)).event, m.event.immutableId);
	});

	test('a link without an event is searched for again later', async (t) => {
		const b = await Bench.start(t);
		await b.announce(ANNA, { conversation: 'AbsentConversation0001', sourceId: 'outlook-addin:absent' }, 'Not saved yet', START);
		await b.notify(ANNA, '', 0, KIND.follow);
		const next = await until('the next search is planned', async () => {
			const d = await b.dump();
			return d.links[0].searches === 1 && d.work.find((/** @type {any} */ w) => w.kind === KIND.search && !w.inProgress);
		});
		const wait = next.due - Date.now();
		assert.ok(wait > 50_000 && wait < 61_000, `after ${wait} ms`);
	});

	for (const signal of ['SIGTERM', 'SIGKILL'])
		test(`a new agent waits for no claim of the sync that ended by ${signal} while it asked for the subscription`, async (t) => {
			const b = await Bench.start(t);
			await b.control('POST', '/control/faults', { service: 'graph', op: 'createSubscription', kind: 'hang', count: 1 });
			await b.follow(ANNA);
			await until('it is asked for', async () => (await b.control('GET', '/control/faults')).rules.length === 0);
			if (signal === 'SIGKILL') {
				process.kill(b.pid(), signal);
			} else {
				await b.down();
				await b.up();
			}
			await until('it is there', async () => (await b.dump()).subscriptions.some((/** @type {any} */ s) => s.granted > 0), 15_000);
			await b.settled();
			assert.equal((await subscriptions(b)).length, 1);
		});

	test('a due subscription is not renewed before half of its life and is by force', async (t) => {
		const b = await Bench.start(t);
		const sub = await followed(b);
		await b.follow(ANNA);
		await b.settled();
		assert.equal(await b.count('graph', 'renewSubscription'), 0);
		await b.follow(ANNA, HINT.reauthorize);
		await until('it is renewed', async () => await b.count('graph', 'renewSubscription') === 1);
		await b.settled();
		assert.deepEqual((await subscriptions(b)).map((s) => s.id), [sub.id]);
	});

	/** Both mailboxes of the tenant, to be renewed at the same moment. @param {Bench} b */
	async function two(b) {
		await b.follow(ANNA);
		await b.follow(BEN);
		await until('both are followed', async () => (await b.dump()).subscriptions.filter((/** @type {any} */ s) => s.granted > 0).length === 2);
		await b.settled();
	}

	/** Not by HINT.removed, which makes an older one anew: how old they are is the machine's affair. @param {Bench} b */
	async function renewBoth(b) {
		for (const user of [ANNA, BEN])
			await b.tool('work', String(KIND.follow), TENANT_A, user, '', String(HINT.reauthorize), '0');
		await b.wake();
	}

	test('renewals of the same moment go to Graph in one batch', async (t) => {
		const b = await Bench.start(t);
		await two(b);
		const before = (await b.dump()).subscriptions;
		await renewBoth(b);
		await until('both are renewed', async () => (await b.control('GET', '/control/counters')).subscriptions.renewed === 2);
		const after = (await b.settled()).subscriptions;
		assert.equal(await b.count('graph', 'batch'), 1);
		for (const sub of after)
			assert.ok(sub.granted > before.find((/** @type {any} */ s) => s.id === sub.id).granted);
	});

	test('a throttled member of a batch waits alone', async (t) => {
		const b = await Bench.start(t);
		await two(b);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'renewSubscription', mailbox: ANNA, kind: 'throttle', retryAfter: 2, count: 1 });
		await renewBoth(b);
		await until('one is renewed', async () => (await b.control('GET', '/control/counters')).subscriptions.renewed === 1);
		await until('both are renewed', async () => (await b.control('GET', '/control/counters')).subscriptions.renewed === 2);
		assert.equal((await b.control('GET', '/control/counters')).earlyRetries, 0);
	});

	test('a lost member of a batch is made anew, the other renewed', async (t) => {
		const b = await Bench.start(t);
		await two(b);
		const [lost] = await subscriptions(b, ANNA);
		await b.control('DELETE', `/control/subscriptions/${lost.id}`);
		await renewBoth(b);
		await until('both stand', async () => (await subscriptions(b, ANNA)).length === 1 && (await b.control('GET', '/control/counters')).subscriptions.renewed === 1);
		assert.notEqual((await subscriptions(b, ANNA))[0].id, lost.id);
	});

	for (const kind of ['reset', 'html', 'truncate', 'garbage'])
		test(`a batch that fails as a whole (${kind}) parks nobody and is repeated`, async (t) => {
			const b = await Bench.start(t);
			await two(b);
			await b.control('POST', '/control/faults', { service: 'graph', op: 'batch', kind, count: 1 });
			await renewBoth(b);
			await until('both are renewed', async () => (await b.control('GET', '/control/counters')).subscriptions.renewed >= 2, 25_000);
			assert.ok((await b.settled()).mailboxes.every((/** @type {any} */ m) => m.state === BOX.followed));
		});

	test('reauthorizationRequired is answered by one renewal, just after the creation too, and by none within ten minutes of it', async (t) => {
		const b = await Bench.start(t, { now: '2027-03-01T09:00:00Z' });
		await followed(b);
		for (const [minutes, renewals] of [[0, 1], [0, 1], [9, 1], [2, 2], [1, 2]]) {
			await b.goTo(b.now() + minutes * 60_000);
			await b.follow(ANNA, HINT.reauthorize);
			await until('the queue has run dry', async () => (await b.settled()).work.every((/** @type {any} */ w) => w.kind !== KIND.follow));
			assert.equal(await b.count('graph', 'renewSubscription'), renewals);
		}
	});

	test('a subscription that vanished at Graph is made anew with a new clientState, then caught up', async (t) => {
		const b = await Bench.start(t);
		const sub = await followed(b);
		const m = await b.meeting(ANNA);
		await b.notify(ANNA, m.event.immutableId);
		await until('it is linked', async () => (await b.link(m.id))?.verified);
		await b.control('DELETE', `/control/subscriptions/${sub.id}`);
		await b.act({ action: 'edit', mailbox: ANNA, event: m.event.immutableId, subject: 'Changed in the gap' });
		await b.follow(ANNA, HINT.removed);
		await until('the gap is closed', async () => (await b.conversation(m.id)).topic === 'Changed in the gap');
		const [fresh] = await subscriptions(b);
		assert.notEqual(fresh.id, sub.id);
		assert.notEqual(fresh.clientState, sub.clientState);
		assert.equal((await b.dump()).subscriptions.length, 1);
	});

	test('a subscription in the way (409) is replaced', async (t) => {
		const b = await Bench.start(t);
		const sub = await followed(b);
		/* Lose what we knew of it. */
		await b.down();
		await b.loseStore();
		await b.up();
		const fresh = await followed(b);
		assert.notEqual(fresh.id, sub.id);
		assert.equal((await subscriptions(b)).length, 1);
		assert.equal((await b.control('GET', '/control/counters')).subscriptions.conflicts, 1);
	});

	test('a lost answer to the creation ends with one subscription', async (t) => {
		const b = await Bench.start(t);
		await b.control('POST', '/control/faults', { service: 'graph', op: 'createSubscription', kind: 'lost', count: 1 });
		await followed(b);
		await b.settled();
		assert.equal((await subscriptions(b)).length, 1);
		const d = await b.dump();
		assert.equal(d.subscriptions.length, 1);
		assert.equal(d.subscriptions[0].id, (await subscriptions(b))[0].id);
	});

	test('a webhook that fails the handshake is degraded, tried again, and recovers', async (t) => {
		const b = await Bench.start(t);
		b.refuseHandshake = true;
		await b.follow(ANNA);
		await until('it is degraded', async () => 'degraded:webhook' in (await b.dump()).facts);
		b.refuseHandshake = false;
		await until('it is followed', async () => (await subscriptions(b)).length === 1);
		await until('it has recovered', async () => !('degraded:webhook' in (await b.dump()).facts));
	});

	for (const [state, reason] of [['forbidden', /^.*forbidden/], ['noLicence', /no mailbox/], ['deleted', /no user/]])
		test(`a mailbox that is ${state} is parked with the reason`, async (t) => {
			const b = await Bench.start(t);
			await b.control('PATCH', `/control/mailboxes/${ANNA}`, { state });
			await b.follow(ANNA);
			const box = await until('it is parked', async () => (await b.dump()).mailboxes.find((/** @type {any} */ x) => x.state === BOX.parked));
			assert.match(box.reason, /** @type {RegExp} */ (reason));
			assert.ok(box.retry > Date.now() + 3000_000);
			const d = await b.settled();
			assert.equal(d.dead.length, 0);
			assert.deepEqual(d.subscriptions, []);
			/* Another mailbox of the tenant does not care. */
			await b.follow(BEN);
			await until('the other is followed', async () => (await subscriptions(b, BEN)).length === 1);
		});

	test('catch-up reads known events again and finds changes and deletions', async (t) => {
		const b = await Bench.start(t);
		const a = await b.meeting(ANNA, { subject: 'A' });
		const c = await b.meeting(ANNA, { subject: 'C' });
		for (const m of [a, c]) {
			await b.notify(ANNA, m.event.immutableId);
			await until('it is linked', async () => (await b.link(m.id))?.verified);
		}
		await b.act({ action: 'edit', mailbox: ANNA, event: a.event.immutableId, subject: 'A, silently' });
		await b.act({ action: 'delete', mailbox: ANNA, event: c.event.immutableId });
		await b.notify(ANNA, '', HINT.missed, KIND.catchup);
		await until('the change is there', async () => (await b.conversation(a.id)).topic === 'A, silently');
		await until('the deletion is there', async () => (await b.link(c.id)).state === STATE.deleted);
	});

	test('signing keys are fetched at the start and at most once in five minutes; who asks too early is not forgotten', async (t) => {
		const b = await Bench.start(t, { now: '2026-11-23T08:00:00Z' });
		await until('keys are there', async () => (await b.dump()).keys?.length > 0);
		const before = await b.count('entra', 'keys');
		await b.tool('work', String(KIND.keys), '', '', '', '0', '0');
		await b.wake();
		await b.settled();
		assert.equal(await b.count('entra', 'keys'), before);
		const keys = (await b.dump()).keys;
		assert.ok(keys.some((/** @type {any} */ k) => k.issuer === 'https://sts.windows.net/{tenantid}/'));
		assert.ok(keys.some((/** @type {any} */ k) => k.issuer === `${b.sim.urls.entra}/{tenantid}/v2.0`));
		assert.ok(keys.every((/** @type {any} */ k) => k.kid && k.n && k.e === 'AQAB'));
		const waits = async () => (await b.dump()).work.filter((/** @type {any} */ w) => w.kind === KIND.keys);
		const row = await until('it waits', async () => (await waits())[0], 5000);
		assert.ok(row.notBefore > b.now() + 4 * 60_000 && row.notBefore <= b.now() + 5 * 60_000, `${row.notBefore - b.now()} ms`);
		/* Another one does not bring it forward. */
		await b.tool('work', String(KIND.keys), '', '', '', '0', '0');
		await b.wake();
		assert.equal((await waits())[0].notBefore, row.notBefore);
		assert.equal(await b.count('entra', 'keys'), before);
		await b.goTo(row.notBefore + 1000);
		await b.wake();
		await until('they are fetched again', async () => await b.count('entra', 'keys') > before);
		await until('the row is gone', async () => (await waits()).length === 0);
	});

	test('while Entra gives no signing keys it is asked again soon, however long that lasts', async (t) => {
		const b = await Bench.start(t, { now: '2026-11-23T08:00:00Z', start: false });
		await b.control('POST', '/control/faults', { service: 'entra', op: 'discovery', kind: 'status', status: 503 });
		await b.up();
		for (let failures = 1; failures <= 9; failures++) {
			const row = await until(`failure ${failures}`, async () => (await b.dump()).work.find((/** @type {any} */ w) => w.kind === KIND.keys && w.notBefore > b.now()));
			assert.ok(row.notBefore - b.now() <= 17_000, `failure ${failures}: ${row.notBefore - b.now()} ms`);
			if (failures === 9)
				await b.control('DELETE', '/control/faults');
			await b.goTo(row.notBefore + 1);
			await b.wake();
		}
		await until('they are fetched', async () => (await b.dump()).keys?.length > 0);
	});

	test('work of a tenant that is not configured is dropped', async (t) => {
		const b = await Bench.start(t);
		await b.tool('work', String(KIND.event), TENANT_A.replace('84', '99'), ANNA, 'AAk', '1', '0');
		await b.wake();
		await until('it is gone', async () => (await b.dump()).work.length === 0);
	});

	test('a subscription made for another deploymentUrl is replaced', async (t) => {
		const b = await Bench.start(t);
		const sub = await followed(b);
		await b.down();
		const config = JSON.parse(fs.readFileSync(`${b.dir}/addin.json`, 'utf8'));
		fs.writeFileSync(`${b.dir}/addin.json`, JSON.stringify({ ...config, deploymentAddinEndpoint: 'moved' }));
		await b.up();
		await b.follow(ANNA);
		await until('it is replaced', async () => (await subscriptions(b)).some((s) => s.id !== sub.id));
		const all = await subscriptions(b);
		assert.equal(all.length, 1);
		assert.match(all[0].notificationUrl, /\/moved\/webhook\/events$/);
	});
});
