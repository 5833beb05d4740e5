// @ts-check
/* What outlook-addin-renew makes of lives that Graph will not grant, of lists that are not the truth, and of mailboxes that nobody follows any more. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'node:test';
import { buildFolder } from '../lib/build.js';
import { Crowd } from '../lib/crowd.js';
import { FakeClock, libfaketime } from '../lib/faketime.js';
import { waitFor } from '../lib/wait.js';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const SUBSCRIPTION_URL = '/addin/webhook/events';

/**
 * @param {import('node:test').TestContext} t
 * @param {any} options as Crowd.start
 */
async function crowd(t, options) {
	const c = await Crowd.start(options);
	t.after(() => c.close());
	return c;
}

/** @param {Crowd} c @param {string} sql */
async function change(c, sql) {
	await promisify(execFile)('sqlite3', [`${c.dir}/state.db`, sql]);
}

/** @param {Crowd} c @param {string} op */
function asked(c, op) {
	return c.sim.journal.find({ service: 'graph', op }).length;
}

/** An unknown subscription of ours, or of somebody else's. @param {Crowd} c @param {any} user @param {any} [more] */
function stranger(c, user, more = {}) {
	const tenant = c.sim.directory.tenants.get(user.tenant);
	const sub = c.subscribe(tenant, user, `${c.url}${SUBSCRIPTION_URL}`, c.sim.clock.now() + 3 * DAY);
	return Object.assign(sub, more);
}

test('a life that Graph refuses as too long is shortened, for creations and renewals, and the pass goes on', async (t) => {
	const c = await crowd(t, { count: 30 });
	c.sim.settings.graph.expiry.maxMinutes = 4230;
	const lost = c.users[0];
	c.sim.subscriptions.remove(c.at(lost)[0], 'removed');
	const run = await c.renew();
	assert.equal(run.code, 0, run.stderr);
	assert.deepEqual([run.summary.renewed, run.summary.recreated], [29, 1]);
	for (const user of c.users)
		assert.ok(Math.abs(c.at(user)[0].expiresAt - c.sim.clock.now() - 4229 * MINUTE) < MINUTE);
	assert.equal(run.stderr.match(/subscription-life-shortened/g)?.length, 1, 'told once');
	assert.equal((await c.renew()).summary.due, 0, 'half of what was granted has not passed');
});

test('a life that Graph shortens without a word is honoured', async (t) => {
	const c = await crowd(t, { count: 3 });
	Object.assign(c.sim.settings.graph.expiry, { maxMinutes: 120, beyondMax: 'clamp' });
	assert.equal((await c.renew()).code, 0);
	const { subscriptions } = await c.dump();
	assert.deepEqual(new Set(subscriptions.map((/** @type {any} */ s) => s.expires)), new Set(c.users.map((u) => c.at(u)[0].expiresAt)));
	const dry = await c.renew('-n');
	assert.match(dry.stdout, /nothing .* not due, 1[12]\d minutes left, due at/);
});

test('what has expired by our clock alone is renewed, not made twice', async (t) => {
	const c = await crowd(t, { count: 3, settings: { graph: { conflictRule: false } } });
	const before = c.users.map((u) => c.at(u)[0].id);
	await change(c, `UPDATE subscription SET expires_ms = ${Date.now() - DAY};`);
	const run = await c.renew();
	assert.equal(run.code, 0, run.stderr);
	assert.deepEqual(c.users.map((u) => c.at(u).map((s) => s.id)), before.map((id) => [id]));
	const { work } = await c.dump();
	assert.equal(work.filter((/** @type {any} */ w) => w.kind === 3).length, 3, 'each is caught up');
});

test('a clock set forward by a day, then back, loses no subscription and makes no hot loop', { skip: libfaketime() === null && 'libfaketime is not installed' }, async (t) => {
	const c = await crowd(t, { count: 25 });
	const clock = new FakeClock(c.dir);
	t.after(() => clock.close());
	c.env = { ...clock.env, ASAN_OPTIONS: 'verify_asan_link_order=0' };
	const before = c.users.map((u) => c.at(u)[0].id);
	for (const offset of [DAY, 0, -DAY, 0]) {
		clock.set(offset);
		await change(c, 'UPDATE mailbox SET renew_ms = 1;');
		const run = await c.renew('--force');
		assert.deepEqual([run.code, run.summary.renewed, run.summary.failed], [0, 25, 0], run.stderr);
		const asked = c.sim.journal.find({ limit: 10_000 }).length;
		assert.deepEqual([(await c.renew()).summary.due, c.sim.journal.find({ limit: 10_000 }).length], [0, asked], `${offset}: nothing is due then`);
		for (const user of c.users)
			assert.ok(c.at(user)[0].expiresAt - Date.now() > 3 * DAY, `${offset}: ${(c.at(user)[0].expiresAt - Date.now()) / DAY} days are left`);
	}
	assert.deepEqual(c.users.map((u) => c.at(u).map((s) => s.id)), before.map((id) => [id]), 'each is the same one');
});

test('short lives that were granted while the clock was a day ahead are renewed once it is right again', { skip: libfaketime() === null && 'libfaketime is not installed' }, async (t) => {
	const c = await crowd(t, { count: 5 });
	const clock = new FakeClock(c.dir);
	t.after(() => clock.close());
	c.env = { ...clock.env, ASAN_OPTIONS: 'verify_asan_link_order=0' };
	Object.assign(c.sim.settings.graph.expiry, { maxMinutes: 300, beyondMax: 'clamp' });
	clock.set(DAY);
	assert.equal((await c.renew('--force')).summary.renewed, 5);
	clock.set(0);
	assert.match((await c.renew('-n')).stdout, /^renew .*our clock was set back$/m);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.renewed], [0, 5], run.stderr);
	assert.equal((await c.renew()).summary.due, 0, 'once');
});

test('the store becomes short again when much of it was removed, once a day', async (t) => {
	const c = await crowd(t, { count: 2, agedMinutes: 10 });
	const size = () => fs.statSync(`${c.dir}/state.db`).size;
	await change(c, `WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
		INSERT INTO audit (at_ms, tenant, user_id, event, conversation, action, outcome, detail) SELECT i, 't', 'u', 'e', 'c', 'delete', 'refused', hex(randomblob(80)) FROM n;`);
	const full = size();
	assert.ok(full > 5 << 20, `${full}`);
	const run = await c.renew('-v');
	assert.match(run.stderr, /"event":"store-expired","rows":30000/);
	assert.match(run.stderr, /"event":"store-compacted","bytes":\d{7}/);
	assert.ok(size() < full / 3, `${size()} of ${full}`);
	assert.doesNotMatch((await c.renew('-v')).stderr, /store-/);
	assert.equal((await c.dump()).mailboxes.length, 2);
});

test('an unknown one is removed at the second sight, when the mailbox has another that Graph confirms', async (t) => {
	const c = await crowd(t, { count: 2, agedMinutes: 10, settings: { graph: { conflictRule: false } } });
	const [user, other] = c.users;
	const own = c.at(user)[0];
	const unknown = stranger(c, user);
	const foreign = stranger(c, other, { notificationUrl: 'https://elsewhere.example.com/addin/webhook/events' });
	assert.equal((await c.renew('--force')).code, 0);
	assert.equal((await c.renew('--force')).code, 0);
	assert.equal(c.at(user).length, 2, 'two looks within ten minutes are one');
	await change(c, `UPDATE fact SET at_ms = at_ms - ${11 * MINUTE} WHERE name LIKE 'unknown-subscription:%';`);
	const run = await c.renew('--force');
	assert.equal(run.code, 0, run.stderr);
	assert.equal(run.summary.removed, 1);
	assert.deepEqual(c.at(user).map((s) => s.id), [own.id], unknown.id);
	assert.ok(c.at(other).includes(foreign), 'that of others stands');
	assert.ok(!Object.keys((await c.dump()).facts).some((f) => f.startsWith('unknown-subscription:')), 'and is forgotten');
});

test('an unknown one stands when the one we know is gone: a new one is made instead', async (t) => {
	const c = await crowd(t, { count: 1, agedMinutes: 10 });
	const [user] = c.users;
	const own = c.at(user)[0];
	c.sim.subscriptions.remove(own, 'removed');
	const unknown = stranger(c, user);
	/* Something is due, so that the list is read; not this mailbox. */
	await c.tool('follow', [...c.mailboxes.keys()][0], '10000000-0000-4000-8000-999999999999', '');
	const run = await c.renew();
	assert.equal(run.summary.created, 1, run.stderr);
	const [now, ...more] = c.at(user);
	assert.deepEqual(more, []);
	assert.ok(now.id !== own.id && now.id !== unknown.id, 'its clientState is known');
	assert.equal((await c.dump()).subscriptions.find((/** @type {any} */ s) => s.user === user.oid).id, now.id);
});

test('an empty list, and one that shows what is gone, change nothing', async (t) => {
	for (const mode of ['empty', 'stale']) {
		const c = await crowd(t, { count: 5, agedMinutes: 10 });
		c.sim.settings.graph.subscriptionList = mode;
		const gone = stranger(c, c.users[0]);
		c.sim.subscriptions.remove(gone, 'deleted');
		const before = c.users.map((u) => c.at(u)[0].id);
		for (let i = 0; i < 2; i++) {
			const run = await c.renew('--force');
			assert.deepEqual([run.code, run.summary.renewed, run.summary.failed], [0, 5, 0], run.stderr);
			await change(c, `UPDATE fact SET at_ms = at_ms - ${11 * MINUTE} WHERE name LIKE 'unknown-subscription:%';`);
		}
		assert.deepEqual(c.users.map((u) => c.at(u)[0].id), before);
		assert.equal(asked(c, 'createSubscription'), 0);
	}
});

test('what Graph has lost without a word is found when the list is read, and made anew', async (t) => {
	const c = await crowd(t, { count: 8, tenants: 2, agedMinutes: 100 });
	const [tenant] = c.mailboxes.keys();
	await c.renew();
	const before = c.users.map((u) => c.at(u)[0].id);
	const lost = c.users.filter((_, i) => i % 3 === 0);
	for (const user of lost)
		c.sim.subscriptions.remove(c.at(user)[0], 'removed');
	assert.equal((await c.renew()).summary.due, 0, 'nobody knows yet');
	/* Something is due, so that the list is read. */
	await c.tool('follow', tenant, '10000000-0000-4000-8000-999999999999', '');
	const run = await c.renew();
	assert.equal(run.summary.created, lost.length, run.stderr);
	assert.deepEqual(c.users.map((u) => c.at(u).length), c.users.map(() => 1));
	assert.deepEqual(c.users.filter((u, i) => c.at(u)[0].id === before[i]), c.users.filter((u) => !lost.includes(u)), 'the others are the same ones');
	const { work } = await c.dump();
	assert.ok(lost.every((u) => work.some((/** @type {any} */ w) => w.user === u.oid && w.kind === 3)), 'they are caught up');
});

test('a list that hides what is there is believed no more behind five that are there', async (t) => {
	const c = await crowd(t, { count: 40, agedMinutes: 100 });
	await c.renew();
	const before = c.users.map((u) => c.at(u)[0].id);
	c.sim.settings.graph.subscriptionList = 'empty';
	await c.tool('follow', [...c.mailboxes.keys()][0], '10000000-0000-4000-8000-999999999999', '');
	await c.renew();
	assert.deepEqual([asked(c, 'listSubscriptions'), asked(c, 'getSubscription'), asked(c, 'createSubscription')], [1, 5, 1]);
	assert.deepEqual(c.users.map((u) => c.at(u)[0].id), before);
});

test('what an operator unfollows is deleted at Graph by the next pass; what he forgets is not adopted again', async (t) => {
	const c = await crowd(t, { count: 3, agedMinutes: 10 });
	const [left, forgotten] = c.users;
	const [tenant] = c.mailboxes.keys();
	const ctl = (/** @type {string[]} */ ...words) => promisify(execFile)(path.join(buildFolder(), 'ctl/outlook-addinctl'), ['--config', c.config, ...words], { env: { PATH: process.env.PATH } });
	await c.renew();
	assert.match((await ctl('mailbox', 'unfollow', '--tenant', tenant, '--user', left.oid)).stdout, /the next outlook-addin-renew deletes its subscription at Graph/);
	await ctl('forget', '--tenant', tenant, '--user', forgotten.oid);
	const dry = await c.renew('-n');
	assert.match(dry.stdout, new RegExp(`^remove +${tenant}/${left.oid} {2}no longer followed$`, 'm'));
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.removed, run.summary.due], [0, 1, 1], run.stderr);
	assert.deepEqual(c.at(left), []);
	const forced = await c.renew('--force');
	assert.deepEqual([forced.code, forced.summary.adopted, forced.summary.renewed], [0, 0, 1], forced.stderr);
	assert.deepEqual((await c.dump()).mailboxes.map((/** @type {any} */ m) => m.user).includes(forgotten.oid), false);
	await ctl('mailbox', 'resume', '--tenant', tenant, '--user', left.oid);
	assert.equal((await c.renew()).summary.created, 1, 'it is followed again');
});

test('one that Graph shows without lifecycleNotificationUrl is made anew', async (t) => {
	const c = await crowd(t, { count: 3, agedMinutes: 10 });
	const [user, other] = c.users;
	const bad = c.at(user)[0];
	bad.lifecycleNotificationUrl = null;
	const kept = c.at(other)[0].id;
	const run = await c.renew('--force');
	assert.equal(run.code, 0, run.stderr);
	assert.deepEqual([run.summary.recreated, run.summary.renewed], [1, 2]);
	const [now, ...more] = c.at(user);
	assert.deepEqual(more, []);
	assert.notEqual(now.id, bad.id);
	assert.match(now.lifecycleNotificationUrl, /lifecycle$/);
	assert.equal(c.at(other)[0].id, kept);
	assert.equal((await c.renew('--force')).summary.recreated, 0, 'once');
});

test('the list is read with something due, at most once an hour, or with --force', async (t) => {
	const c = await crowd(t, { count: 2 });
	assert.equal((await c.renew()).summary.renewed, 2);
	assert.equal(asked(c, 'listSubscriptions'), 1);
	await c.tool('follow', [...c.mailboxes.keys()][0], '10000000-0000-4000-8000-999999999999', '');
	await c.renew();
	assert.equal(asked(c, 'listSubscriptions'), 1, 'once an hour');
	await c.renew('--force');
	assert.equal(asked(c, 'listSubscriptions'), 2);
	const requests = c.sim.journal.find({ limit: 10_000 }).length;
	const idle = await c.renew();
	assert.deepEqual([idle.code, idle.summary.due], [0, 0]);
	assert.equal(c.sim.journal.find({ limit: 10_000 }).length, requests, 'with nothing due nothing is asked');
});

/** The store forgets mailboxes, all or but one, and what else is given. @param {Crowd} c @param {string} [kept] @param {string} [more] SQL */
async function forget(c, kept = '', more = "DELETE FROM fact WHERE name LIKE 'subscriptions-%';") {
	await change(c, `DELETE FROM mailbox WHERE user_id <> '${kept}'; DELETE FROM subscription WHERE user_id <> '${kept}'; ${more}`);
}

/** So long has passed for these facts. @param {Crowd} c @param {number} ms @param {string} like */
async function age(c, ms, like) {
	await change(c, `UPDATE fact SET at_ms = at_ms - ${ms} WHERE name LIKE '${like}';`);
}

test('a store without any followed mailbox reads the lists by itself, at most once an hour', async (t) => {
	const c = await crowd(t, { count: 4, tenants: 2, agedMinutes: 10 });
	await c.renew();
	await forget(c);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.adopted, asked(c, 'listSubscriptions')], [0, 4, 2], run.stderr);
	assert.deepEqual(c.users.map((u) => c.at(u).length), [1, 1, 1, 1], 'one each, a new one');
	await forget(c, '', '');
	assert.equal((await c.renew()).summary.adopted, 0);
	assert.equal(asked(c, 'listSubscriptions'), 2, 'once an hour');
	await age(c, 61 * MINUTE, 'subscriptions-listed');
	assert.equal((await c.renew()).summary.adopted, 4);
	await age(c, 61 * MINUTE, 'subscriptions-listed');
	await c.renew();
	assert.equal(asked(c, 'listSubscriptions'), 4, 'a healthy one needs no network');
});

test('lists that can not be read are tried again after ten minutes', async (t) => {
	const c = await crowd(t, { count: 2, agedMinutes: 10 });
	await c.renew();
	await forget(c);
	c.sim.faults.add({ service: 'graph', op: 'listSubscriptions', kind: 'status', status: 503, count: 100 });
	assert.equal((await c.renew()).code, 1);
	const before = asked(c, 'listSubscriptions');
	assert.ok(before > 0);
	assert.equal((await c.renew()).code, 0);
	assert.equal(asked(c, 'listSubscriptions'), before, 'not at once');
	c.sim.faults.clear();
	await age(c, 11 * MINUTE, 'subscriptions-not-listed');
	assert.equal((await c.renew()).summary.adopted, 2);
});

test('a store that was moved aside since the lists were read has them read, also when an agent has begun anew', async (t) => {
	const c = await crowd(t, { count: 3, agedMinutes: 10 });
	await c.renew();
	const aside = (/** @type {number} */ ms) => fs.writeFileSync(`${c.dir}/state.db.corrupt-${new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '')}`, '');
	await forget(c, c.users[0].oid);
	assert.equal((await c.renew()).summary.adopted, 0, 'nothing tells');
	aside(Date.now() - 5000);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.adopted, asked(c, 'listSubscriptions')], [0, 2, 1], run.stderr);
	aside(Date.now() - DAY);
	await c.renew();
	assert.equal(asked(c, 'listSubscriptions'), 1, 'once for each');
	await age(c, MINUTE, 'subscriptions-listed');
	aside(Date.now() - 2000);
	await c.renew();
	assert.equal(asked(c, 'listSubscriptions'), 2, 'the next one');
});

test('what web was told by unknown subscriptions has the lists read, once for each telling and at most once an hour', async (t) => {
	const c = await crowd(t, { count: 4, tenants: 2, agedMinutes: 10 });
	const told = () => change(c, `INSERT OR REPLACE INTO fact (name, fact, at_ms) VALUES ('notified-unknown', '', ${Date.now()});`);
	await c.renew();
	await forget(c, c.users[0].oid);
	assert.equal((await c.renew()).summary.adopted, 0, 'nobody knows yet');
	await told();
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.adopted, asked(c, 'listSubscriptions')], [0, 3, 2], run.stderr);
	for (let i = 0; i < 3; i++) {
		await told();
		await c.renew();
	}
	assert.equal(asked(c, 'listSubscriptions'), 2, 'forged ones cost nothing within the hour');
	await age(c, 61 * MINUTE, 'subscriptions-listed');
	for (let i = 0; i < 3; i++)
		await c.renew();
	assert.equal(asked(c, 'listSubscriptions'), 4, 'and a list of each tenant after it');
	await age(c, 61 * MINUTE, '%');
	await age(c, 61 * MINUTE, 'notified-unknown');
	await c.renew();
	assert.equal(asked(c, 'listSubscriptions'), 4, 'what was told before is answered');
	c.sim.faults.add({ service: 'graph', op: 'listSubscriptions', kind: 'status', status: 503, count: 100 });
	await told();
	assert.equal((await c.renew()).code, 1);
	const failed = asked(c, 'listSubscriptions');
	await age(c, 11 * MINUTE, '%');
	await c.renew();
	assert.equal(asked(c, 'listSubscriptions'), failed, 'nor is it tried again when they can not be read');
});

for (const minutes of [9, 11])
	test(`what Graph lets stand beside the new one of an adopted mailbox is ${minutes > 10 ? 'removed' : 'left'} by the second run ${minutes} minutes later`, async (t) => {
		const c = await crowd(t, { count: 1, agedMinutes: 10, settings: { graph: { conflictRule: false } } });
		const [user] = c.users;
		stranger(c, user);
		await forget(c);
		const run = await c.renew();
		assert.deepEqual([run.summary.adopted, run.summary.created, run.summary.removed, c.at(user).length], [1, 1, 0, 3], run.stderr);
		await age(c, minutes * MINUTE, '%');
		const again = await c.renew('--force');
		assert.equal(again.summary.removed, minutes > 10 ? 2 : 0, again.stderr);
		const own = (await c.dump()).subscriptions[0].id;
		assert.ok(c.at(user).some((s) => s.id === own), 'ours is left');
	});

for (const [name, setting] of /** @type {[string, any][]} */ ([['addinId', { addinId: '30000000-0000-4000-8000-000000000000' }], ['deploymentAddinEndpoint', { deploymentAddinEndpoint: 'moved' }]]))
	test(`another ${name}: each subscription is made anew, with the reason`, async (t) => {
		const c = await crowd(t, { count: 3, agedMinutes: 10 });
		assert.equal((await c.renew()).summary.due, 0);
		const before = c.users.map((u) => c.at(u)[0].id);
		c.configure(setting);
		const dry = await c.renew('-n');
		assert.equal(dry.stdout.match(/^recreate .* made for another (addinId|deploymentUrl)$/gm)?.length, 3, dry.stdout);
		const run = await c.renew();
		assert.deepEqual([run.code, run.summary.recreated], [0, 3], run.stderr);
		c.users.forEach((u, i) => {
			assert.equal(c.at(u).length, 1);
			assert.notEqual(c.at(u)[0].id, before[i]);
		});
		assert.equal((await c.renew()).summary.due, 0);
	});

test('what lives is not given up for another deploymentUrl whose webhook does not answer, but for one', async (t) => {
	const c = await crowd(t, { count: 6, tenants: 2, agedMinutes: 10 });
	await c.renew();
	c.configure({ deploymentAddinEndpoint: 'moved' });
	c.refuseHandshake = true;
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.failed], [1, 6], run.stderr);
	assert.equal(c.users.filter((u) => c.at(u).length === 1).length, 5);
	c.refuseHandshake = false;
	const next = await c.renew();
	assert.deepEqual([next.code, next.summary.recreated], [0, 6], next.stderr);
	assert.ok(c.users.every((u) => c.at(u).length === 1 && c.at(u)[0].notificationUrl.includes('/moved/')));
});

test('a webhook that does not answer is not tried with thousands in one pass, and again by the next', async (t) => {
	const c = await crowd(t, { count: 1 });
	const [tenant] = c.mailboxes.keys();
	for (let i = 0; i < 500; i++)
		c.sim.directory.addUser(c.sim.directory.tenants.get(tenant), { oid: `40000000-0000-4000-8000-${String(i).padStart(12, '0')}`, upn: `new${i}@x.example` });
	await change(c, `INSERT INTO mailbox (tenant, user_id, upn, state, reason, retry_ms, since_ms, catch_up_ms) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499) SELECT '${tenant}', printf('40000000-0000-4000-8000-%012d', i), '', 0, '', 0, ${Date.now()}, 0 FROM n;`);
	c.refuseHandshake = true;
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.failed, run.summary.renewed], [1, 500, 1], run.stderr);
	assert.ok(asked(c, 'createSubscription') < 400, `${asked(c, 'createSubscription')} tries`);
	c.refuseHandshake = false;
	const next = await c.renew();
	assert.deepEqual([next.code, next.summary.created], [0, 500], next.stderr);
});

test('a terminal sees a counter, a file a line for each mailbox', { skip: !fs.existsSync('/usr/bin/script') && 'script is not installed' }, async (t) => {
	const c = await crowd(t, { count: 30 });
	const program = path.join(buildFolder(), 'cronjob/outlook-addin-renew');
	const { stdout } = await promisify(execFile)('script', ['-qec', `${program} --config ${c.config} -v 2>/dev/null`, '/dev/null'], { env: { PATH: process.env.PATH, CLIENT_SECRET: c.sim.directory.defaultSecret } });
	assert.match(stdout, /\r30 of 30, 0 failed \r?\n$/);
	assert.doesNotMatch(stdout, /next look/);
	const lines = await c.renew('--force', '-v');
	assert.equal(lines.stdout.match(/^renewed +\S+\/\S+ {2}forced; next look \S+Z$/gm)?.length, 30, lines.stdout);
});

test('a tenant that is no longer configured loses its subscriptions, and has them again when it is back', async (t) => {
	const c = await crowd(t, { count: 6, tenants: 2, agedMinutes: 10 });
	const [stays, goes] = [...c.mailboxes.keys()];
	await c.renew();
	c.configure({ tenantIds: [stays] });
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.removed], [0, 3], run.stderr);
	assert.deepEqual(c.mailboxes.get(goes)?.map((u) => c.at(u).length), [0, 0, 0]);
	assert.deepEqual(c.mailboxes.get(stays)?.map((u) => c.at(u).length), [1, 1, 1]);
	const { mailboxes, facts } = await c.dump();
	assert.ok(mailboxes.filter((/** @type {any} */ m) => m.tenant === goes).every((/** @type {any} */ m) => m.state === 2 && m.reason === 'its tenant is not in tenantIds'));
	assert.ok(!('degraded:credentials' in facts));
	assert.equal((await c.renew()).summary.due, 0);

	c.configure({});
	const back = await c.renew();
	assert.deepEqual([back.code, back.summary.created], [0, 3], back.stderr);
	assert.deepEqual(c.users.map((u) => c.at(u).length), [1, 1, 1, 1, 1, 1]);
});

test('a tenant that went and gives no token any more fails once an hour, and is nobody\'s trouble', async (t) => {
	const c = await crowd(t, { count: 4, tenants: 2, agedMinutes: 10 });
	const [stays, goes] = [...c.mailboxes.keys()];
	await c.renew();
	c.sim.directory.tenants.get(goes).app.consented = false;
	c.configure({ tenantIds: [stays] });
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.failed], [1, 2], run.stderr);
	const next = await c.renew();
	assert.deepEqual([next.code, next.summary.due], [0, 0], next.stderr);
	assert.ok(!('degraded:credentials' in (await c.dump()).facts));
	/* They run out by themselves: then only the rows go. */
	await change(c, `UPDATE subscription SET expires_ms = 1 WHERE tenant = '${goes}'; UPDATE mailbox SET renew_ms = 1;`);
	const last = await c.renew();
	assert.deepEqual([last.code, last.summary.removed], [0, 2], last.stderr);
	assert.equal((await c.dump()).subscriptions.length, 2);
});

test('a server that is switched off takes everything away, and resumes when it is on again', async (t) => {
	const c = await crowd(t, { count: 4, agedMinutes: 10 });
	await c.renew();
	c.configure({ syncServerEnabled: false });
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.removed], [0, 4], run.stderr);
	assert.deepEqual(c.users.map((u) => c.at(u).length), [0, 0, 0, 0]);
	assert.equal((await c.renew()).code, 0);
	c.configure({});
	assert.equal((await c.renew()).summary.created, 4);
});

test('a mailbox without an unfinished link for linkRetentionDays is left; PUT resumes it', async (t) => {
	const c = await crowd(t, { count: 3, agedMinutes: 10 });
	const [unused, used, fresh] = c.users;
	const [tenant] = c.mailboxes.keys();
	await c.tool('announce', 'conversation-1', tenant, used.oid, 'outlook-addin:x', 'Topic', String(Date.now() + 40 * DAY), '', '');
	await change(c, `UPDATE mailbox SET since_ms = 1 WHERE user_id <> '${fresh.oid}'; UPDATE link SET created_ms = 1, announced_ms = 1;`);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.removed], [0, 1], run.stderr);
	assert.deepEqual([unused, used, fresh].map((u) => c.at(u).length), [0, 1, 1]);
	const row = (await c.dump()).mailboxes.find((/** @type {any} */ m) => m.user === unused.oid);
	assert.deepEqual([row.state, row.reason], [2, 'no unfinished link for 30 days']);
	await c.tool('resume', tenant, unused.oid);
	assert.equal((await c.renew()).summary.created, 1);
});

test('a PUT while the subscription is being taken away is not lost', async (t) => {
	const c = await crowd(t, { count: 1, agedMinutes: 10 });
	const [user] = c.users;
	await c.renew();
	await change(c, "UPDATE mailbox SET state = 2, reason = 'by an operator', renew_ms = 1;");
	c.sim.faults.add({ service: 'graph', op: 'deleteSubscription', kind: 'delay', delayMs: 1500, count: 1 });
	const child = c.begin();
	const gone = new Promise((resolve) => child.once('close', resolve));
	await waitFor(async () => (await promisify(execFile)('sqlite3', [`${c.dir}/state.db`, "SELECT count(*) FROM lease WHERE name LIKE 'mailbox:%';"])).stdout.trim() === '1', 10_000, 'its claim is taken');
	await c.tool('resume', user.tenant, user.oid);
	await c.tool('work', '1', user.tenant, user.oid, '', '0', '0');
	assert.equal(await gone, 0);
	assert.equal(c.at(user).length, 0);
	const { work, mailboxes } = await c.dump();
	assert.deepEqual([work.length, mailboxes[0].state], [1, 0], 'it is followed, and sync has been asked to');
	assert.equal((await c.renew()).summary.created, 1);
});

test('a third of the members is throttled: Retry-After is never undercut, all are renewed in one pass', async (t) => {
	const c = await crowd(t, { count: 90, tenants: 2 });
	c.watch();
	c.users.forEach((u, i) => {
		if (i % 3 === 0)
			c.sim.faults.add({ service: 'graph', op: 'renewSubscription', mailbox: u.oid, kind: 'throttle', retryAfter: 2, count: 1 });
	});
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.renewed], [0, 90], run.stderr);
	assert.equal(c.sim.journal.early, 0);
	assert.ok(run.ms >= 2000, `${run.ms} ms`);
});

test('not more than 16 batches are in flight, whatever the number of tenants', async (t) => {
	const c = await crowd(t, { count: 400, tenants: 200 });
	c.watch();
	c.slowBatches(50);
	const run = await c.renew();
	assert.deepEqual([run.code, run.summary.renewed], [0, 400], run.stderr);
	assert.ok(c.flight.most <= 16 && c.flight.most > 4, `${c.flight.most}`);
});

test('a tenant that does not answer holds nobody else up', async (t) => {
	const c = await crowd(t, { count: 1200, tenants: 3 });
	const [hangs] = c.mailboxes.keys();
	c.sim.faults.add({ service: 'graph', op: 'batch', tenant: hangs, kind: 'hang' });
	const child = c.begin();
	const gone = new Promise((resolve) => child.once('close', resolve));
	const others = c.users.filter((u) => u.tenant !== hangs);
	const end = Date.now() + 12_000;
	while (!others.every((u) => c.at(u)[0].renewals === 1)) {
		assert.ok(Date.now() < end, 'the others are renewed within 12 s');
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	child.kill('SIGTERM');
	await gone;
});
