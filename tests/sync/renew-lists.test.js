// @ts-check
/* outlook-addin-renew and Graph's lists of subscriptions, which are not the truth: unknown and lost ones, adoption, when they are read. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'node:test';
import { buildFolder } from '../lib/build.js';
import { Crowd } from '../lib/crowd.js';
import { ON_POSTGRESQL } from '../lib/postgres.js';
import { asked, change, crowd, DAY, MINUTE, stranger } from './renew-crowd.js';

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
	/* Of one the clock was hours ahead when it was granted. */
	await change(c, `UPDATE subscription SET granted_ms = ${Date.now() + 180 * MINUTE} WHERE user_id = '${lost[1].oid}'`);
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

test('a store that was moved aside since the lists were read has them read, also when an agent has begun anew', { skip: ON_POSTGRESQL && 'no file' }, async (t) => {
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
	const told = () => change(c, `INSERT INTO fact (name, fact, at_ms) VALUES ('notified-unknown', '', ${Date.now()}) ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms;`);
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
